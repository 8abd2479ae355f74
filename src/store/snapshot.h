/* Taking versions: the files of an asset as they are now go into the store, and into the log. */
#ifndef TUT_STORE_SNAPSHOT_H
#define TUT_STORE_SNAPSHOT_H

#include "crypto/keystore.h"
#include "store/census.h"
#include "store/version.h"

typedef enum tut_snapshot_outcome {
    TUT_SNAPSHOT_TAKEN,
    TUT_SNAPSHOT_UNCHANGED, /* the newest version is what lies there, signature and all */
    TUT_SNAPSHOT_REFUSED    /* `problem` says why */
} tut_snapshot_outcome;
const char *tut_snapshot_word(tut_snapshot_outcome outcome); /* "taken" */

typedef struct tut_snapshot {
    const tut_asset *asset; /* borrowed from the system */
    tut_snapshot_outcome outcome;
    char *problem;
    char *tag; /* of the version that was taken, or that is the newest already */
    uint64_t number;
    tut_sha256 digest, manifest;
    size_t files, stored; /* in all; whose bytes were written */
    uint64_t bytes, stored_bytes;
    bool has_signature, is_sealed;
    bool has_plain_past; /* older versions were stored before the asset was confidential */
} tut_snapshot;

typedef struct tut_snapshot_options {
    bool no_cache; /* digests of unchanged files are not taken from the cache */
    tut_cage_mode sandbox;
    tut_store_progress progress;
    void (*census_progress)(void *ctx, size_t done, size_t total, uint64_t bytes);
    void *ctx;
    /* Actor and the tool's digests for the events. */
    const tut_record *who;
} tut_snapshot_options;

/* One result an asset, in their order; caller frees. What cannot be taken of one asset is that
 * one's problem; an error of the store, of the log or Ctrl-C leaves all untaken. */
TUT_MUST tut_status tut_snapshot_take(const tut_system *system, const char *state_dir,
                                      const tut_asset *const *assets, size_t count,
                                      const tut_snapshot_options *options,
                                      tut_snapshot **ret_snapshots, tut_error *err);
void tut_snapshots_free(tut_snapshot *snapshots, size_t count);

#endif
