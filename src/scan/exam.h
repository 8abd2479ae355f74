/* The worker's job: one file's bytes -> one report. */
#ifndef TUT_SCAN_EXAM_H
#define TUT_SCAN_EXAM_H

#include "base/cage.h"
#include "scan/report.h"
#include "text/gitleaks.h"

/* Who makes the digest of a file whose content is read. Of a large one with processors to spare it
 * is a task of its own, beside the examination. */
typedef enum tut_exam_digest {
    TUT_EXAM_DIGEST_HERE,
    TUT_EXAM_DIGEST_APART, /* the report's is zeros; has_digest: the file did not change meanwhile
                            */
    TUT_EXAM_DIGEST_ONLY   /* the reply is the digest, and empty when the file changed meanwhile */
} tut_exam_digest;

typedef struct tut_exam_request {
    bool content;    /* hash, and test the bytes */
    bool facts_only; /* no rules */
    bool text;       /* look for secrets and personal data (after tut_exam_text_prepare) */
    tut_exam_digest digest;
    tut_str rel; /* below the walked root: places in the report begin with it */
} tut_exam_request;

/* The request as the job's argument. */
void tut_exam_request_encode(const tut_exam_request *request, tut_buf *out);

/* Loads what looking through text takes, in the process that the workers are forked from, with
 * the rules of a file (or NULL), which are borrowed until the next call. NULL, or
 * why it cannot be done; then files say that they were not looked through. */
const char *tut_exam_text_prepare(const tut_text_user *user);

/* A tut_cage_job. */
TUT_MUST tut_status tut_exam_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                                 tut_buf *out, tut_error *err);

/* The same without a cage, for tests and fuzzing: fills `report`, which starts zeroed. task may be
 * NULL: then there are no siblings. */
TUT_MUST tut_status tut_exam_file(tut_cage_task *task, const tut_source *bytes,
                                  const tut_exam_request *request, tut_file_report *report,
                                  tut_error *err);

/* The tensors that the file lists, ready for tut_weights_pass; nothing is judged. On success the
 * caller frees them by tut_weights_done. */
struct tut_weights;
TUT_MUST tut_status tut_exam_list_tensors(tut_cage_task *task, const tut_source *bytes, tut_str rel,
                                          struct tut_weights *ret_weights, tut_error *err);

/* --- what a name promises (exam_name.c) --- */
/* The name ends as models of other kinds do, or as archives that models come in: content that holds
 * nothing which is read here was not checked. */
bool tut_name_is_opaque(tut_str name);
/* The name ends as models do, so content that is not recognised is worth a word. */
bool tut_name_is_model(tut_str name);
/* An ending that others use for plain text as well: Python's own .pth, translations, .bin. */
bool tut_name_is_common(tut_str name);
/* Loading such a file runs what it says. */
bool tut_format_executes(const tut_format *format);
/* Whether a file of this name may have this content. False: *ret_is_severe tells that the content
 * can run code where the name says that it cannot. */
bool tut_name_fits(tut_str name, const tut_format *format, bool *ret_is_severe);
/* Such a name has loaders unpickle what can only be read as numbers: they fail, and no more. */
bool tut_name_overstates(tut_str name, const tut_format *format);

#endif
