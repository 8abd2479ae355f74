#include "stats/minhash.h"

#include <string.h>

#include "stats/random.h"
#include "stats/wide.h"

enum { LANES = 32 }; /* permutations at a time: as many as registers hold */

void tut_minhash_init(tut_minhash *m, uint64_t seed)
{
    for (size_t i = 0; i < TUT_MINHASH_VALUES; i++) {
        uint64_t drawn = tut_random_next(&seed);
        m->factors[i] = (uint32_t)drawn | 1;
        m->offsets[i] = (uint32_t)(drawn >> 32);
    }
}

TUT_WIDE_BODY void minima(const tut_minhash *m, const uint32_t *hashes, size_t count,
                          uint32_t *signature)
{
    for (size_t from = 0; from < TUT_MINHASH_VALUES; from += LANES) {
        uint32_t factors[LANES], offsets[LANES], least[LANES];
        memcpy(factors, m->factors + from, sizeof(factors));
        memcpy(offsets, m->offsets + from, sizeof(offsets));
        memset(least, 0xff, sizeof(least));
        for (size_t i = 0; i < count; i++) {
            uint32_t h = hashes[i];
            for (size_t j = 0; j < LANES; j++) {
                uint32_t v = factors[j] * h + offsets[j];
                least[j] = v < least[j] ? v : least[j];
            }
        }
        memcpy(signature + from, least, sizeof(least));
    }
}

TUT_WIDE static void minima_wide(const tut_minhash *m, const uint32_t *hashes, size_t count,
                                 uint32_t *signature)
{
    minima(m, hashes, count, signature);
}

void tut_minhash_of(const tut_minhash *m, const uint32_t *hashes, size_t count,
                    uint32_t ret_signature[TUT_MINHASH_VALUES])
{
    if (TUT_WIDE_IS_THERE())
        minima_wide(m, hashes, count, ret_signature);
    else
        minima(m, hashes, count, ret_signature);
}
