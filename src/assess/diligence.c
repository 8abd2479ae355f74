#include "assess/diligence.h"

#include "assess/evaluate_internal.h"
#include "assess/tool.h"
#include "base/fs.h"

const tut_want *tut_clause_asset_want(const tut_clause *clause)
{
    for (size_t i = 0; i < clause->want_count; i++) {
        const tut_want *w = &clause->wants[i];
        bool is_of_assets = w->scope != TUT_SCOPE_SYSTEM && w->scope != TUT_SCOPE_ORGANISATION &&
                            w->scope != TUT_SCOPE_DOCUMENT;
        if (is_of_assets && w->method == TUT_METHOD_EXAMINE && tut_form_of(w->check))
            return w;
    }
    return NULL;
}

static tut_status mismatch(const tut_diligence *d, const tut_form *f, tut_error *err)
{
    char now[TUT_SHA256_HEX], then[TUT_SHA256_HEX];
    tut_error_set_path(err, d->file);
    if (f->has_asset && strcmp(f->asset, d->item->id) != 0)
        return tut_fail(err, TUT_USAGE, "is about %s, not about %s", f->asset, d->item->id);
    if (f->has_clause && !tut_str_eq_z(d->clause->id, f->clause))
        return tut_fail(err, TUT_USAGE, "is about provision %s, not %.*s", f->clause,
                        (int)d->clause->id.len, d->clause->id.data);
    if (f->has_by && !tut_str_ieq(tut_str_of(f->by), tut_str_of(d->by)))
        return tut_fail(err, TUT_USAGE, "is accepted by %s, not by %s", f->by, d->by);
    if (!f->has_digest || tut_sha256_eq(&f->digest, &d->item->digest))
        return TUT_SUCCESS;
    tut_sha256_hex(&f->digest, then);
    tut_sha256_hex(&d->item->digest, now);
    return tut_fail(err, TUT_USAGE, "is about sha256 %.16s..., but %s is now %.16s...", then,
                    d->item->id, now);
}

static tut_status examine(tut_diligence *d, tut_str text, tut_error *err)
{
    tut_form form;
    tut_error why = {0};
    tut_status status = tut_form_read(tut_form_of(d->want->check), text, &form, &why);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, d->file);
        if (status.code != TUT_USAGE)
            return tut_fail(err, status.code, "%s", why.text);
        return tut_fail(err, TUT_USAGE,
                        "%s; tutela record %.*s --asset %s --template prints the "
                        "form",
                        why.text, (int)d->clause->id.len, d->clause->id.data, d->item->id);
    }
    TUT_TRY(mismatch(d, &form, err));
    if (d->expires == 0 || form.until < d->expires)
        d->expires = form.until;
    if (d->expires > d->at)
        return TUT_SUCCESS;
    tut_error_set_path(err, d->file);
    return tut_fail(err, TUT_USAGE, "was accepted until a day that is past; that proves nothing");
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static tut_status describe(const tut_diligence *d, tut_buf *statement, tut_buf *data,
                           tut_error *err)
{
    char day[TUT_TIME_TEXT];
    tut_time_date(d->expires, day);
    if (d->statement)
        tut_buf_add_z(statement, d->statement);
    else
        tut_buf_printf(statement, "%s at this digest was assessed, and accepted until %s.",
                       d->item->id, day);
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(data, &j));
    tut_json_object(j);
    tut_json_put_z(j, "document", last_component(d->file));
    tut_json_put_time(j, "accepted_until", d->expires);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    return tut_buf_check(statement, err);
}

static tut_status append(tut_ledger *ledger, const tut_diligence *d, tut_span document,
                         uint64_t *ret_index, tut_error *err)
{
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    TUT_TRY(describe(d, &statement, &data, err));
    TUT_AUTO_FREE char *clause = tut_strndup(d->clause->id.data, d->clause->id.len);
    TUT_AUTO_FREE char *check = tut_asprintf("%.*s/1", (int)d->want->check.len,
                                             d->want->check.data);
    const char *words = tut_buf_z(&statement);
    if (!clause || !check || !words)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const char *clauses = clause;
    tut_subject subject = {.name = d->item->id, .digest = d->item->digest};
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = d->at,
                    .from = d->at,
                    .to = d->at,
                    .expires = d->expires,
                    .check = check,
                    .method = TUT_METHOD_EXAMINE,
                    .result = TUT_RESULT_PASS,
                    .clauses = &clauses,
                    .clause_count = 1,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = d->by,
                    .statement = words,
                    .data_key = "diligence",
                    .data = tut_buf_str(&data)};
    TUT_TRY(tut_tool_append(ledger, &r, document, d->signer, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}

tut_status tut_diligence_record(const char *state_dir, tut_diligence *d, uint64_t *ret_index,
                                tut_error *err)
{
    TUT_CLEAN(tut_buf) document = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(d->file, TUT_FORM_BYTES, &document, err));
    TUT_TRY(examine(d, tut_buf_str(&document), err));
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    return append(ledger, d, tut_buf_span(&document), ret_index, err);
}
