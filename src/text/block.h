/* Sixteen bytes at once: which are digits, and whether one is small. SSE2 is a part of every
 * x86-64; elsewhere the same in two words. */
#ifndef TUT_TEXT_BLOCK_H
#define TUT_TEXT_BLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

/* A bit for each digit. */
static inline uint32_t tut_block_digits(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i from_zero = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero);
    return (uint32_t)_mm_movemask_epi8(is_digit);
}

/* Is one of them below '+', as blanks and most signs are? */
static inline bool tut_block_has_sign(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i highest = _mm_max_epu8(bytes, _mm_set1_epi8('+'));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(highest, bytes)) != 0xffff;
}
#else
static inline uint32_t tut_block_digits(const char *at)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < 16; i++)
        bits |= (uint32_t)(at[i] >= '0' && at[i] <= '9') << i;
    return bits;
}

static inline bool tut_block_has_sign(const char *at)
{
    bool has = false;
    for (unsigned i = 0; i < 16; i++)
        has |= (uint8_t)at[i] < '+';
    return has;
}
#endif

#endif
