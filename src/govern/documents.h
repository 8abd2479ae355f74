/*
 * Documents of the design: each version of them is in the log, by its bytes; they are examined for
 * what they have to say, and people sign them as they are.
 */
#ifndef TUT_GOVERN_DOCUMENTS_H
#define TUT_GOVERN_DOCUMENTS_H

#include "assess/design.h"
#include "govern/gate.h"

/* Appends the document as it lies there. IO, DENIED or LIMIT name the path. */
TUT_MUST tut_status tut_document_read(const tut_system *system, tut_str path, tut_buf *out,
                                      tut_sha256 *ret_digest, tut_error *err);
/* Records the event that the document has these bytes, where the last event says otherwise.
 * *ret_is_new may be NULL. */
TUT_MUST tut_status tut_document_version(tut_ledger *ledger, const tut_records *records,
                                         tut_str path, tut_span text, bool *ret_is_new,
                                         tut_error *err);

enum { TUT_EXAMINED_MAX = 4 };
typedef struct tut_examined { /* evidence that was recorded */
    const char *check;
    tut_str clause;
    uint64_t index;
} tut_examined;
typedef struct tut_examination {
    tut_examined items[TUT_EXAMINED_MAX];
    size_t count;
    tut_time until; /* of the first that ends */
} tut_examination;
/* Examines the document, as tutela.yaml names it, and records that the person stands behind these
 * bytes: for each provision that it is evidence of and that wants somebody in one of his roles.
 * USAGE, naming them all, where sections are missing or say nothing. */
TUT_MUST tut_status tut_document_examine(const tut_gate_view *v, const char *state_dir,
                                         const char *path, const tut_key *key, tut_examination *ret,
                                         tut_error *err);

/* The form of this name, filled in as far as the description knows. USAGE for another name. */
TUT_MUST tut_status tut_document_template(tut_system *system, const char *name, tut_buf *out,
                                          tut_error *err);
extern const char tut_document_templates[]; /* "design|documentation|..." */

/* What a system card says against the description, in words; NULL: nothing. `text` names assets as
 * KIND/NAME. */
TUT_MUST tut_status tut_card_compare(const tut_system *system, tut_str text, tut_buf *out,
                                     tut_error *err);

#endif
