/* One asset's files on their way into the store; see snapshot.h for the whole. */
#ifndef TUT_STORE_TAKE_H
#define TUT_STORE_TAKE_H

#include "assets/manifest.h"
#include "store/snapshot.h"

typedef struct tut_take {
    tut_store *store;
    const tut_system *system;
    const tut_census *census;
    const tut_snapshot_options *options;
    const char *origin; /* of the keys */
    const tut_asset *asset;
    tut_version *parent; /* the newest that the log knows and the store has, or NULL */
    tut_version *version;
    tut_snapshot *result;
    tut_manifest *manifest;
    size_t *members; /* indexes of found files, in byte order of rel */
    size_t member_count, member_capacity;
    uint8_t key[TUT_CIPHER_KEY];
    tut_error *err;
} tut_take;
void tut_take_done(tut_take *t);

/* Stores what is not there yet and fills `version`: everything but its number and parent. USAGE
 * when the asset is not one that can be stored. */
TUT_MUST tut_status tut_take_files(tut_take *t);

#endif
