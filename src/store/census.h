/*
 * Which files are whose: the same matching that makes the inventory (assets/match.h), reading only
 * what can bear on it. Declared files are told by their paths; an index names its shards; sources
 * of one directory belong together; signatures belong to nobody. All of these are small: a large
 * file is not opened.
 */
#ifndef TUT_STORE_CENSUS_H
#define TUT_STORE_CENSUS_H

#include "scan/found.h"

typedef struct tut_census {
    tut_scan *scan;          /* of the files that were read */
    tut_found *found;        /* all of them, in byte order of rel */
    const tut_asset **owner; /* of each found file; NULL: no declared asset's */
    tut_arena arena;         /* names of files that were not read */
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
