/*
 * Going back: a version of the store takes its asset's place again.
 *
 * Only versions that the log knows are restored, and only when every digest holds and the signature
 * is by somebody who may sign assets of this kind. It works from ledger/, store/, bodies/ and the
 * keys: neither the working files nor the index nor tutela.yaml need be there.
 */
#ifndef TUT_STORE_RESTORE_H
#define TUT_STORE_RESTORE_H

#include "store/stage.h"

typedef struct tut_restore_options {
    const char *version; /* a number, "v3", a tag, or the digest of a manifest; NULL: the newest */
    const char *to;      /* a directory, where nothing is written over; NULL: in place */
    const char *only;    /* one file of the asset, named below it */
    bool allow_unsigned; /* restored all the same, and recorded as such */
    tut_store_progress progress;
    void *ctx;
    const tut_record *who;
} tut_restore_options;

typedef struct tut_restored {
    char *asset, *tag, *place;
    char *kept;   /* where what was there lies now; NULL: nothing was */
    char *person; /* who signed it; NULL: nobody, or a stranger */
    char *doubt;  /* why the signature does not count, when that was allowed; else NULL */
    uint64_t number;
    tut_sha256 digest, manifest;
    size_t files;
    uint64_t bytes, took_ms;
    bool is_by_file, is_not_atomic;
} tut_restored;
void tut_restored_done(tut_restored *r);

typedef struct tut_restoring { /* what all assets of one call share */
    const tut_system *system;
    tut_system *recorded; /* owns the system where tutela.yaml is lost */
    const char *state_dir;
    tut_ledger *ledger;
    tut_store *store;
    tut_records *people;
    tut_known_versions known;
} tut_restoring;
/* system may be NULL: then as it was recorded last, for the directory dir. */
TUT_MUST tut_status tut_restoring_open(const char *dir, const char *state_dir,
                                       const tut_system *system, tut_restoring *ret,
                                       tut_error *err);
void tut_restoring_done(tut_restoring *r);

/* USAGE: no such version. DENIED: the signature does not count. STORE: damage. What was there is as
 * it was after any failure but one that names what is in place already. An event asset.restored. */
TUT_MUST tut_status tut_restore_asset(tut_restoring *r, const char *asset,
                                      const tut_restore_options *options,
                                      tut_restored *ret_restored, tut_error *err);

/* The version that the word means, of the asset; USAGE with what there is. */
TUT_MUST tut_status tut_restore_choose(const tut_known_versions *known, const char *asset,
                                       const char *word, const tut_known_version **ret_version,
                                       tut_error *err);
/* Loads it and holds it against the log. */
TUT_MUST tut_status tut_restore_load(tut_store *store, const tut_known_version *known,
                                     tut_version **ret_version, tut_error *err);

/* tutela.yaml as it was recorded last: its bytes. USAGE when none was. */
TUT_MUST tut_status tut_restore_description(tut_ledger *ledger, tut_buf *out,
                                            tut_sha256 *ret_digest, tut_time *ret_at,
                                            tut_error *err);

#endif
