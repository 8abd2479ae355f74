#include "stats/order.h"

#include <stdint.h>
#include <string.h>

/*
 * Least significant digit first, eleven bits at a time: all histograms in one pass, and digits that
 * are the same in all keys cost nothing more. The sign decides how a number's bits become a key:
 * of negative ones all are turned over, of others the sign alone.
 */
enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, SMALL = 96 };

#define DEFINE_ORDER(suffix, real, word, word_bits, PASSES)                                        \
    static inline word key_##suffix(word bits)                                                     \
    {                                                                                              \
        word sign = bits >> (word_bits - 1);                                                       \
        return bits ^ ((word)(0 - sign) | (word)1 << (word_bits - 1));                             \
    }                                                                                              \
    static inline word bits_##suffix(word key)                                                     \
    {                                                                                              \
        word sign = key >> (word_bits - 1);                                                        \
        return key ^ ((word)(sign - 1) | (word)1 << (word_bits - 1));                              \
    }                                                                                              \
    static void insert_##suffix(real *v, size_t count)                                             \
    {                                                                                              \
        for (size_t i = 1; i < count; i++) {                                                       \
            real x = v[i];                                                                         \
            size_t k = i;                                                                          \
            for (; k > 0 && v[k - 1] > x; k--)                                                     \
                v[k] = v[k - 1];                                                                   \
            v[k] = x;                                                                              \
        }                                                                                          \
    }                                                                                              \
    static void scatter_##suffix(const word *from, word *to, size_t count, uint32_t *at,           \
                                 unsigned shift)                                                   \
    {                                                                                              \
        for (size_t i = 0; i < count; i++)                                                         \
            to[at[(from[i] >> shift) & (DIGITS - 1)]++] = from[i];                                 \
    }                                                                                              \
    static void passes_##suffix(word *a, word *b, size_t count)                                    \
    {                                                                                              \
        uint32_t at[PASSES][DIGITS];                                                               \
        word *from = a, *to = b;                                                                   \
        memset(at, 0, sizeof(at));                                                                 \
        for (size_t i = 0; i < count; i++) {                                                       \
            word bits = a[i] == (word)1 << (word_bits - 1) ? 0 : a[i];                             \
            word key = a[i] = key_##suffix(bits);                                                  \
            for (unsigned p = 0; p < PASSES; p++)                                                  \
                at[p][(key >> (p * DIGIT_BITS)) & (DIGITS - 1)]++;                                 \
        }                                                                                          \
        for (unsigned p = 0; p < PASSES; p++) {                                                    \
            if (at[p][(from[0] >> (p * DIGIT_BITS)) & (DIGITS - 1)] == count)                      \
                continue;                                                                          \
            uint32_t sum = 0;                                                                      \
            for (unsigned d = 0; d < DIGITS; d++) {                                                \
                uint32_t n = at[p][d];                                                             \
                at[p][d] = sum;                                                                    \
                sum += n;                                                                          \
            }                                                                                      \
            scatter_##suffix(from, to, count, at[p], p *DIGIT_BITS);                               \
            word *swap = from;                                                                     \
            from = to;                                                                             \
            to = swap;                                                                             \
        }                                                                                          \
        for (size_t i = 0; i < count; i++)                                                         \
            a[i] = bits_##suffix(from[i]);                                                         \
    }                                                                                              \
    void tut_order_##suffix(real *values, real *spare, size_t count)                               \
    {                                                                                              \
        if (count <= SMALL)                                                                        \
            insert_##suffix(values, count);                                                        \
        else                                                                                       \
            passes_##suffix((word *)values, (word *)spare, count);                                 \
    }

/* Both are looked at as words of their size: gcc and clang allow it for these types. */
typedef uint64_t __attribute__((may_alias)) word64;
typedef uint32_t __attribute__((may_alias)) word32;

DEFINE_ORDER(f64, double, word64, 64, 6)
DEFINE_ORDER(f32, float, word32, 32, 3)
