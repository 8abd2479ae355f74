/* The versions of an asset, who signed them, and what changed from one to the next. */
#ifndef TUT_STORE_HISTORY_H
#define TUT_STORE_HISTORY_H

#include "assets/system.h"
#include "store/signature.h"
#include "store/tensors.h"

typedef enum tut_file_change_kind {
    TUT_FILE_ADDED,
    TUT_FILE_REMOVED,
    TUT_FILE_CHANGED,
    TUT_FILE_MODE /* the bytes are as they were */
} tut_file_change_kind;
const char *tut_file_change_word(tut_file_change_kind kind); /* "added" */

typedef struct tut_file_change {
    tut_file_change_kind kind;
    const tut_version_file *before, *after; /* NULL: not there */
    bool has_tensors;
    tut_tensor_diff tensors;
    char *not_compared; /* why the tensors of a model file were not, or NULL */
} tut_file_change;

typedef struct tut_history_version {
    const tut_known_version *known;
    tut_version *version; /* NULL: pruned, or for `problem` */
    char *problem;
    tut_signed_by by;
    tut_tier tier;            /* of the signer, when it is valid */
    tut_file_change *changes; /* against the version before that is there; of the first: none */
    size_t change_count, change_capacity;
    bool has_before;
} tut_history_version;

typedef struct tut_history {
    tut_known_versions known;
    tut_history_version *items; /* newest first; of a version that was asked for: it first */
    size_t count;
    size_t shown;        /* so many of them were asked for */
    tut_records *events; /* all records; those about the asset are its life */
} tut_history;
void tut_history_done(tut_history *h);

typedef struct tut_history_options {
    const char *version; /* only this one; NULL: all */
    /* Files up to so many bytes in all are compared tensor by tensor; UINT64_MAX: all. */
    uint64_t tensor_bytes;
} tut_history_options;

/* system may be NULL: then any enrolled person may have signed. */
TUT_MUST tut_status tut_history_read(tut_store *s, tut_ledger *ledger, const tut_system *system,
                                     const char *asset, const tut_history_options *options,
                                     tut_history *ret_history, tut_error *err);
/* Whether the record is an event about the asset. */
bool tut_history_is_event(const tut_record *r, const char *asset);

#endif
