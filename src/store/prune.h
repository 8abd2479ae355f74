/* Versions that are given up: an event each, then their tags; gc takes the bytes. */
#ifndef TUT_STORE_PRUNE_H
#define TUT_STORE_PRUNE_H

#include "assets/system.h"
#include "store/version.h"

typedef struct tut_prune_options {
    size_t keep;    /* so many of the newest stay; at least 1 */
    tut_time older; /* only what was made before this; 0: whenever */
    bool dry;       /* nothing is done */
    const tut_record *who;
} tut_prune_options;

typedef struct tut_pruned {
    const tut_known_version **items; /* borrowed from the known versions */
    size_t count, capacity;
    const tut_known_version *spared; /* the newest that is signed, which stays whatever was asked */
} tut_pruned;
void tut_pruned_done(tut_pruned *p);

/* Of one asset. The store has to be open for writing. */
TUT_MUST tut_status tut_store_prune(tut_store *s, tut_ledger *ledger, const tut_system *system,
                                    const tut_known_versions *known, const char *asset,
                                    const tut_prune_options *options, tut_pruned *ret_pruned,
                                    tut_error *err);

#endif
