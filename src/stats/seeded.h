/* Random numbers from a seed: the same on every machine (xoshiro256++ of Blackman and Vigna,
 * started by splitmix64). For simulation and permutation, never for secrets. */
#ifndef TUT_STATS_SEEDED_H
#define TUT_STATS_SEEDED_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/random.h"

typedef struct tut_seeded {
    uint64_t s[4];
} tut_seeded;

static inline tut_seeded tut_seeded_of(uint64_t seed)
{
    tut_seeded r;
    for (unsigned i = 0; i < 4; i++)
        r.s[i] = tut_random_next(&seed);
    return r;
}

static inline uint64_t tut_seeded_next(tut_seeded *r)
{
    uint64_t *s = r->s, x = s[0] + s[3], out = ((x << 23) | (x >> 41)) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return out;
}

/* In [0, 1). */
static inline double tut_seeded_unit(tut_seeded *r)
{
    return (double)(tut_seeded_next(r) >> 11) * 0x1p-53;
}

/* Below n, which is at least 1 and below 2^32 (Lemire; the bias is below n / 2^64). */
static inline uint64_t tut_seeded_below(tut_seeded *r, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)tut_seeded_next(r) * n) >> 64);
}

/* Standard normal (Box and Muller). */
static inline double tut_seeded_normal(tut_seeded *r)
{
    double u = 1 - tut_seeded_unit(r), v = tut_seeded_unit(r);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

#endif
