/* Is the store whole, and does it agree with the log? Every byte is read. */
#ifndef TUT_STORE_FSCK_H
#define TUT_STORE_FSCK_H

#include "assets/manifest.h"
#include "store/version.h"

typedef enum tut_store_fault_kind {
    TUT_FAULT_DAMAGED, /* bytes that are not those of their digest, a manifest that says nonsense */
    TUT_FAULT_MISSING, /* named, and not there */
    TUT_FAULT_FOREIGN, /* there, and unknown to the log: never used */
    TUT_FAULT_LEFT     /* nothing names it; tutela store gc takes it away */
} tut_store_fault_kind;
const char *tut_store_fault_word(tut_store_fault_kind kind); /* "damaged" */

typedef struct tut_store_fault {
    tut_store_fault_kind kind;
    char *what; /* a digest, a tag, a file */
    char *why;
} tut_store_fault;

typedef struct tut_fsck {
    tut_store_fault *faults;
    size_t count, capacity;
    size_t versions, blobs; /* that the log knows; that are there */
    uint64_t bytes;
    size_t damaged, missing, foreign, left;
} tut_fsck;
void tut_fsck_done(tut_fsck *f);

typedef struct tut_fsck_options {
    const char *origin; /* of the keys: wrapped keys are tried; NULL: they are not here */
    bool use_cache;     /* blobs whose inode, size and times are as before are not read again */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
} tut_fsck_options;
TUT_MUST tut_status tut_store_fsck(tut_store *s, const tut_known_versions *known,
                                   const tut_fsck_options *options, tut_fsck *ret_fsck,
                                   tut_error *err);

/* Hashes these blobs, with all cores: is_sound[i] says whether each is there with its bytes. */
TUT_MUST tut_status tut_store_check_blobs(tut_store *s, const tut_blob *blobs, size_t count,
                                          const tut_fsck_options *options, bool *is_sound,
                                          tut_error *err);

/* --- gc.c --- */

typedef struct tut_gc {
    size_t blobs, drafts, kept_young; /* taken away; unnamed, but younger than the grace */
    uint64_t bytes;
    size_t tags; /* of versions that the log does not know */
} tut_gc;
/* Takes away what nothing names: blobs, files that a crash left behind, and tags of versions that
 * the log does not know. Younger ones than `grace` seconds stay: another tool may be copying into
 * the layout. The store has to be open for writing. dry: only counts. */
TUT_MUST tut_status tut_store_gc(tut_store *s, const tut_known_versions *known, int64_t grace,
                                 bool dry, tut_gc *ret_gc, tut_error *err);

#endif
