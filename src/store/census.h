/*
 * Which files are whose: the same matching that makes the inventory (assets/match.h), without
 * reading more of the files than their formats need.
 */
#ifndef TUT_STORE_CENSUS_H
#define TUT_STORE_CENSUS_H

#include "scan/found.h"

typedef struct tut_census {
    tut_scan *scan;
    tut_found *found;
    const tut_asset **owner; /* of each found file; NULL: no declared asset's */
} tut_census;

typedef struct tut_census_options {
    tut_cage_mode sandbox;
    void (*progress)(void *ctx, size_t done, size_t total, uint64_t bytes);
    void *progress_ctx;
} tut_census_options;

TUT_MUST tut_status tut_census_take(const tut_system *system, const tut_census_options *options,
                                    tut_census *ret_census, tut_error *err);
void tut_census_done(tut_census *c);
/* Whether the file is part of its owner's digest; signatures and published digests are not. */
bool tut_census_counts(const tut_census *c, size_t file);

#endif
