/* Pseudo-random numbers that a seed repeats (SplitMix64, Steele 2014). Not for secrets. */
#ifndef TUT_STATS_RANDOM_H
#define TUT_STATS_RANDOM_H

#include <stdint.h>

static inline uint64_t tut_random_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static inline uint64_t tut_random_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15ull;
    return tut_random_mix(*state);
}

/* Below n, which is above 0 (Lemire 2019, without the rejection: off by less than n / 2^64). */
static inline uint64_t tut_random_below(uint64_t *state, uint64_t n)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)tut_random_next(state) * n >> 64);
}

/* 0 <= x < 1. */
static inline double tut_random_unit(uint64_t *state)
{
    return (double)(tut_random_next(state) >> 11) * 0x1p-53;
}

#endif
