/*
 * ledger.documents: every version of the documents of the design is in the log, with its bytes.
 * gate.system-card: the card says what it has to, and agrees with the description.
 */
#include <string.h>

#include "assess/form.h"
#include "govern/documents.h"
#include "govern/govern.h"
#include "state/records.h"

enum { SENTENCE_MAX = 900 };

static tut_status attest(tut_governing *g, const char *check, tut_result result, tut_str statement,
                         tut_span body)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, statement, SENTENCE_MAX);
    const char *words = tut_buf_z(&safe);
    if (!words)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    const tut_attestation a = {.check = check, .result = result, .statement = words, .body = body};
    return tut_govern_attest(g, &a, NULL);
}

/* --- versions --- */

typedef struct versions {
    tut_governing *g;
    tut_json *j;
    tut_buf problems; /* what is wrong, in words */
    size_t count;
} versions;

static void put_version(tut_json *j, const tut_record *r, bool is_kept)
{
    tut_json_object(j);
    tut_json_put_u64(j, "index", r->index);
    tut_json_put_time(j, "at", r->at);
    tut_json_key(j, "digest");
    tut_json_sha256(j, r->subjects[0].digest.bytes);
    tut_json_put_bool(j, "kept", is_kept);
    tut_json_end_object(j);
}

/* Versions before, and whether the log's bodies still hold each. */
static tut_status look_back(versions *v, tut_str path, const tut_records *records)
{
    size_t prefix = strlen(TUT_SUBJECT_DESIGN);
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        if (r->type != TUT_RECORD_EVENT || strcmp(r->check, TUT_EVENT_DOCUMENT) != 0 || r->doubt ||
            strncmp(r->subjects[0].name, TUT_SUBJECT_DESIGN, prefix) != 0 ||
            !tut_str_eq_z(path, r->subjects[0].name + prefix))
            continue;
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        tut_error why = {0};
        bool is_kept = r->has_body &&
                       tut_is_ok(tut_ledger_get_body(v->g->ledger, &r->body, &body, &why));
        if (!is_kept)
            tut_buf_printf(&v->problems,
                           "%sthe version of %.*s of entry %llu is missing or altered",
                           v->problems.len ? "; " : "", (int)path.len, path.data,
                           (unsigned long long)r->index);
        put_version(v->j, r, is_kept);
        v->count++;
    }
    return tut_buf_check(&v->problems, v->g->err);
}

static tut_status record_document(versions *v, tut_str path)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_sha256 digest;
    tut_error why = {0};
    tut_governing *g = v->g;
    tut_status status = tut_document_read(g->system, path, &text, &digest, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        return tut_document_version(g->ledger, g->records, path, tut_buf_span(&text), NULL, g->err);
    tut_buf_printf(&v->problems, "%s%.*s cannot be read: %s", v->problems.len ? "; " : "",
                   (int)path.len, path.data, why.text);
    return TUT_SUCCESS;
}

static tut_status list_versions(versions *v, const tut_str *paths, size_t count)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_TRY(tut_state_read(v->g->ledger, tut_time_now(), &records, v->g->err));
    tut_json_object(v->j);
    tut_json_put_z(v->j, "schema", "tutela.documents/1");
    tut_json_key(v->j, "documents");
    tut_json_array(v->j);
    for (size_t i = 0; i < count; i++) {
        tut_json_object(v->j);
        tut_json_put_str(v->j, "path", paths[i]);
        tut_json_key(v->j, "versions");
        tut_json_array(v->j);
        TUT_TRY(look_back(v, paths[i], records));
        tut_json_end_array(v->j);
        tut_json_end_object(v->j);
    }
    tut_json_end_array(v->j);
    tut_json_end_object(v->j);
    return tut_json_finish(v->j, v->g->err);
}

static tut_status look_at_documents(tut_governing *g, const tut_design *design)
{
    tut_str paths[TUT_DESIGN_DOCUMENTS_MAX];
    size_t count = tut_design_documents(design, paths);
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&body, &j));
    versions v = {.g = g, .j = j, .problems = TUT_BUF_INIT};
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < count && tut_is_ok(status); i++)
        status = record_document(&v, paths[i]);
    if (tut_is_ok(status))
        status = list_versions(&v, paths, count);
    bool has_both = design->documents.count > 0 && design->maintenance.len > 0;
    tut_result result = v.problems.len ? TUT_RESULT_FAIL
                        : has_both     ? TUT_RESULT_PASS
                                       : TUT_RESULT_NOT_CHECKED;
    if (v.problems.len)
        tut_buf_add_str(&text, tut_buf_str(&v.problems));
    else if (!has_both)
        tut_buf_add_z(&text, "tutela.yaml names no design documents, or no maintenance plan, under "
                             "design:");
    else
        tut_buf_printf(&text,
                       "%zu documents, %zu versions of them are in the log, with their bytes.",
                       count, v.count);
    tut_buf_done(&v.problems);
    TUT_TRY(status);
    TUT_TRY(tut_buf_check(&text, g->err));
    return attest(g, "ledger.documents", result, tut_buf_str(&text), tut_buf_span(&body));
}

/* --- the card --- */

static tut_status look_at_card(tut_governing *g, tut_str path)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) says = TUT_BUF_INIT;
    tut_sha256 digest;
    tut_form form;
    tut_error why = {0};
    tut_status status = tut_document_read(g->system, path, &text, &digest, &why);
    if (tut_is_ok(status))
        status = tut_form_read(tut_form_named("card"), tut_buf_str(&text), &form, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        tut_buf_printf(&says, "%.*s %s%s", (int)path.len, path.data,
                       status.code == TUT_USAGE ? "" : "cannot be read: ", why.text);
    else
        TUT_TRY(tut_card_compare(g->system, tut_buf_str(&text), &says, g->err));
    bool is_sound = says.len == 0;
    if (is_sound)
        tut_buf_printf(&says,
                       "%.*s holds its seven fields, and names each model and dataset that is "
                       "declared, and no other.",
                       (int)path.len, path.data);
    else if (tut_is_ok(status))
        tut_buf_printf(&says, " (%.*s)", (int)path.len, path.data);
    TUT_TRY(tut_buf_check(&says, g->err));
    return attest(g, "gate.system-card", is_sound ? TUT_RESULT_PASS : TUT_RESULT_FAIL,
                  tut_buf_str(&says), tut_buf_span(&text));
}

tut_status tut_govern_step_documents(tut_governing *g)
{
    tut_design design;
    TUT_TRY(tut_design_read(g->system, &design, NULL, g->err));
    if (!design.is_there)
        return TUT_SUCCESS;
    TUT_TRY(look_at_documents(g, &design));
    return design.card.len ? look_at_card(g, design.card) : TUT_SUCCESS;
}
