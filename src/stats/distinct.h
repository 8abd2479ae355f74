/*
 * How many different things there were, in 16 KiB: HyperLogLog (Flajolet 2007) with 2^14 registers
 * of 64-bit hashes (Heule 2013) and Ertl's improved estimator ("New cardinality estimation
 * algorithms for HyperLogLog sketches", 2017), which has no bias to be corrected at any size. One
 * standard deviation is 0.81 %.
 */
#ifndef TUT_STATS_DISTINCT_H
#define TUT_STATS_DISTINCT_H

#include <stddef.h>
#include <stdint.h>

enum { TUT_DISTINCT_BITS = 14, TUT_DISTINCT_REGISTERS = 1 << TUT_DISTINCT_BITS };

typedef struct tut_distinct { /* zeroed: none yet */
    uint8_t registers[TUT_DISTINCT_REGISTERS];
} tut_distinct;

/* hash: of the thing, every bit as good as a coin. */
static inline void tut_distinct_add(tut_distinct *d, uint64_t hash)
{
    size_t place = (size_t)(hash >> (64 - TUT_DISTINCT_BITS));
    uint64_t rest = hash << TUT_DISTINCT_BITS | (uint64_t)1 << (TUT_DISTINCT_BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    if (rank > d->registers[place])
        d->registers[place] = rank;
}

void tut_distinct_merge(tut_distinct *d, const tut_distinct *from);
double tut_distinct_estimate(const tut_distinct *d);

#endif
