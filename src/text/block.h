/* Sixty-four bytes at once: which of them are of a kind. SSE2 is a part of every x86-64; elsewhere
 * the same byte by byte. */
#ifndef TUT_TEXT_BLOCK_H
#define TUT_TEXT_BLOCK_H

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { TUT_BLOCK = 64 };

#if defined(__SSE2__)
static inline uint64_t tut_block_lane(const char *at, uint8_t fold, uint8_t first, uint8_t last)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    bytes = _mm_or_si128(bytes, _mm_set1_epi8((char)fold));
    if (first == last)
        return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)first)));
    bytes = _mm_sub_epi8(bytes, _mm_set1_epi8((char)first));
    __m128i least = _mm_min_epu8(bytes, _mm_set1_epi8((char)(last - first)));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(least, bytes));
}
#else
static inline uint64_t tut_block_lane(const char *at, uint8_t fold, uint8_t first, uint8_t last)
{
    uint64_t bits = 0;
    for (int i = 0; i < 16; i++)
        bits |= (uint64_t)((uint8_t)(((uint8_t)at[i] | fold) - first) <= last - first) << i;
    return bits;
}
#endif

/* A bit for each byte of first..last, that of `at` the lowest. fold: 0x20 reads capitals as small
 * letters, 0 takes bytes as they are. */
static inline uint64_t tut_block_of(const char *at, uint8_t fold, uint8_t first, uint8_t last)
{
    return tut_block_lane(at, fold, first, last) |
           tut_block_lane(at + 16, fold, first, last) << 16 |
           tut_block_lane(at + 32, fold, first, last) << 32 |
           tut_block_lane(at + 48, fold, first, last) << 48;
}

static inline uint64_t tut_block_digits(const char *at)
{
    return tut_block_of(at, 0, '0', '9');
}

static inline uint64_t tut_block_letters(const char *at)
{
    return tut_block_of(at, 0x20, 'a', 'z');
}

/* How many of the bytes are c. */
static inline unsigned tut_block_count(const char *at, char c)
{
    unsigned count = 0;
#if defined(__SSE2__)
    __m128i sum = _mm_setzero_si128();
    for (int i = 0; i < TUT_BLOCK; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        sum = _mm_sub_epi8(sum, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
    }
    sum = _mm_sad_epu8(sum, _mm_setzero_si128());
    count = (unsigned)_mm_cvtsi128_si32(sum) + (unsigned)_mm_extract_epi16(sum, 4);
#else
    for (int i = 0; i < TUT_BLOCK; i++)
        count += at[i] == c;
#endif
    return count;
}

static inline uint64_t tut_block_is(const char *at, char c)
{
    return tut_block_of(at, 0, (uint8_t)c, (uint8_t)c);
}

#endif
