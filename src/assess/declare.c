/* What people say: a document kept by its digest, with a name and an end. Self-declared unless that
 * person's key signs; the evaluator gives it no more weight than that. */
#include "assess/assessment.h"
#include "assess/evaluate_internal.h"
#include "assess/tool.h"
#include "base/fs.h"
#include "base/limits.h"

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static tut_status append(tut_ledger *ledger, const tut_declaration *d, tut_span document,
                         uint64_t *ret_index, tut_error *err)
{
    TUT_AUTO_FREE char *id = tut_strndup(d->clause->id.data, d->clause->id.len);
    if (!id)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_subject subject = {.name = last_component(d->file)};
    TUT_TRY(tut_sha256_of(document, &subject.digest, err));
    const char *clause = id;
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = d->at,
                    .from = d->at,
                    .to = d->at,
                    .expires = d->expires,
                    .check = TUT_CHECK_DOCUMENT "/1",
                    .method = TUT_METHOD_EXAMINE,
                    .result = TUT_RESULT_PASS,
                    .clauses = &clause,
                    .clause_count = 1,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = d->by,
                    .statement = d->statement};
    TUT_TRY(tut_tool_append(ledger, &r, document, d->signer, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}

tut_status tut_assess_declare(const char *state_dir, const tut_declaration *d, uint64_t *ret_index,
                              tut_error *err)
{
    if (d->expires <= d->at)
        return tut_fail(err, TUT_USAGE,
                        "--expires lies in the past; evidence that has ended proves nothing");
    TUT_CLEAN(tut_buf) document = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(d->file, TUT_LIMIT_BODY_BYTES, &document, err));
    if (document.len == 0) {
        tut_error_set_path(err, d->file);
        return tut_fail(err, TUT_USAGE, "is empty; that documents nothing");
    }
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    return append(ledger, d, tut_buf_span(&document), ret_index, err);
}

bool tut_clause_takes_documents(const tut_clause *clause)
{
    for (size_t i = 0; i < clause->want_count; i++)
        if (tut_str_eq_z(clause->wants[i].check, TUT_CHECK_DOCUMENT))
            return true;
    return false;
}
