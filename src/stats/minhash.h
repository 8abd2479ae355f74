/*
 * MinHash signatures (Broder 1997): of a set of hashes, the least under each of 128 random
 * permutations. The share of places at which two signatures agree estimates how much two sets have
 * in common of all that either has (Jaccard). One 32-bit hash a member, multiplied and shifted for
 * each permutation (h -> a h + b modulo 2^32, a odd).
 */
#ifndef TUT_STATS_MINHASH_H
#define TUT_STATS_MINHASH_H

#include <stddef.h>
#include <stdint.h>

enum { TUT_MINHASH_VALUES = 128 };

typedef struct tut_minhash {
    uint32_t factors[TUT_MINHASH_VALUES], offsets[TUT_MINHASH_VALUES];
} tut_minhash;

void tut_minhash_init(tut_minhash *m, uint64_t seed);
/* The same hash twice counts once. All ones for an empty set. */
void tut_minhash_of(const tut_minhash *m, const uint32_t *hashes, size_t count,
                    uint32_t ret_signature[TUT_MINHASH_VALUES]);

#endif
