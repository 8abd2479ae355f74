#include "pack/receipt.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "pack/archive.h"

#define STATEMENT "https://in-toto.io/Statement/v1"

enum { TEXT_MAX = 1024, DEPTH = 8 };

/* --- writing --- */

void tut_pack_findings_json(const tut_pack_finding *findings, size_t count, tut_json *j)
{
    tut_json_key(j, "findings");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++) {
        const tut_pack_finding *f = &findings[i];
        tut_json_object(j);
        tut_json_put_u64(j, "entry", f->entry);
        tut_json_put_str(j, "check", f->check);
        tut_json_put_str(j, "subject", f->subject);
        tut_json_key(j, "digest");
        tut_json_sha256(j, f->digest.bytes);
        tut_json_put_z(j, "result", tut_result_name(f->result));
        tut_json_put_time(j, "expires", f->expires);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_predicate(const tut_receipt *r, tut_json *j)
{
    tut_json_key(j, "predicate");
    tut_json_object(j);
    tut_json_put_time(j, "received_at", r->received_at);
    tut_json_put_str(j, "by", r->by);
    tut_json_put_time(j, "evaluated_at", r->evaluated_at);
    tut_json_key(j, "log");
    tut_json_object(j);
    tut_json_put_str(j, "origin", r->origin);
    tut_json_put_u64(j, "size", r->log_size);
    tut_json_end_object(j);
    tut_pack_findings_json(r->findings, r->finding_count, j);
    tut_json_end_object(j);
}

static tut_status write_statement(const tut_receipt *r, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "_type", STATEMENT);
    tut_json_put_z(j, "predicateType", TUT_RECEIPT_PREDICATE);
    tut_json_key(j, "subject");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "name", TUT_PACK_MANIFEST);
    tut_json_key(j, "digest");
    tut_json_sha256(j, r->manifest.bytes);
    tut_json_end_object(j);
    tut_json_end_array(j);
    put_predicate(r, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

tut_status tut_receipt_write(const tut_receipt *r, const tut_key *key, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_receipt_file) back = {.doc = NULL};
    TUT_AUTO(tut_json) j = NULL;
    tut_error why = {0};
    TUT_TRY(write_statement(r, &payload, err));
    TUT_TRY(tut_json_new(&text, &j));
    TUT_TRY(tut_dsse_write(j, TUT_DSSE_INTOTO, tut_buf_span(&payload), &key, 1, err));
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(&text, "\n");
    TUT_TRY(tut_buf_check(&text, err));
    tut_status status = tut_receipt_parse(tut_buf_span(&text), &back, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        return tut_fail(err, TUT_USAGE, "no receipt can say this: %s", why.text);
    tut_buf_add_str(out, tut_buf_str(&text));
    return tut_buf_check(out, err);
}

/* --- reading --- */

typedef struct reading {
    tut_arena *arena;
    tut_error *err;
} reading;

static tut_status bad(const reading *r, const char *what)
{
    return tut_fail(r->err, TUT_MALFORMED, "\"%s\" of the receipt is missing or none", what);
}

static tut_status keep_text(const reading *r, const tut_json_value *v, const char *key,
                            tut_str *ret)
{
    const tut_json_value *text = tut_json_get(v, key);
    if (!text || text->type != TUT_JSON_STRING || text->as.string.len == 0)
        return bad(r, key);
    if (text->as.string.len > TEXT_MAX)
        return tut_fail(r->err, TUT_LIMIT, "\"%s\" of the receipt is longer than %d bytes", key,
                        TEXT_MAX);
    const char *copy = tut_arena_copy(r->arena, text->as.string);
    if (!copy)
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    *ret = (tut_str){copy, text->as.string.len};
    return TUT_SUCCESS;
}

static tut_status read_digest(const reading *r, const tut_json_value *v, tut_sha256 *ret)
{
    tut_str hex = tut_json_get_text(tut_json_get(v, "digest"), "sha256");
    return tut_is_ok(tut_sha256_parse(hex, ret)) ? TUT_SUCCESS : bad(r, "digest");
}

static tut_status read_number(const reading *r, const tut_json_value *v, const char *key,
                              uint64_t *ret)
{
    const tut_json_value *n = tut_json_get(v, key);
    if (!n || n->type != TUT_JSON_INT || n->as.integer < 0)
        return bad(r, key);
    *ret = (uint64_t)n->as.integer;
    return TUT_SUCCESS;
}

static tut_status read_time(const reading *r, const tut_json_value *v, const char *key,
                            tut_time *ret)
{
    return tut_is_ok(tut_time_parse(tut_json_get_text(v, key), ret)) ? TUT_SUCCESS : bad(r, key);
}

static tut_status read_result(const reading *r, const tut_json_value *v, tut_result *ret)
{
    tut_str word = tut_json_get_text(v, "result");
    for (int i = TUT_RESULT_PASS; i <= TUT_RESULT_NOT_CHECKED; i++) {
        *ret = (tut_result)i;
        if (tut_str_eq_z(word, tut_result_name(*ret)))
            return TUT_SUCCESS;
    }
    return bad(r, "result");
}

static tut_status read_finding(const reading *r, const tut_json_value *v, tut_pack_finding *f)
{
    TUT_TRY(read_number(r, v, "entry", &f->entry));
    TUT_TRY(keep_text(r, v, "check", &f->check));
    TUT_TRY(keep_text(r, v, "subject", &f->subject));
    TUT_TRY(read_digest(r, v, &f->digest));
    TUT_TRY(read_result(r, v, &f->result));
    return read_time(r, v, "expires", &f->expires);
}

tut_status tut_pack_findings_read(const tut_json_value *list, tut_arena *arena,
                                  const tut_pack_finding **ret_findings, size_t *ret_count,
                                  tut_error *err)
{
    const reading r = {.arena = arena, .err = err};
    uint32_t count = tut_json_count(list);
    if (!list || list->type != TUT_JSON_ARRAY)
        return bad(&r, "findings");
    if (count > TUT_LIMIT_RECEIPT_FINDINGS)
        return tut_fail(err, TUT_LIMIT, "a receipt lists at most %u findings",
                        TUT_LIMIT_RECEIPT_FINDINGS);
    tut_pack_finding *findings = tut_arena_take(arena, count + 1u, sizeof(*findings));
    if (!findings)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < count; i++) {
        TUT_TRY(read_finding(&r, tut_json_item(list, i), &findings[i]));
        if (i > 0 && findings[i].entry < findings[i - 1].entry)
            return tut_fail(err, TUT_MALFORMED, "the findings are out of order");
    }
    *ret_findings = findings;
    *ret_count = count;
    return TUT_SUCCESS;
}

static tut_status read_statement(const reading *r, const tut_json_value *v, tut_receipt *to)
{
    const tut_json_value *subjects = tut_json_get(v, "subject");
    const tut_json_value *p = tut_json_get(v, "predicate");
    if (!tut_str_eq_z(tut_json_get_text(v, "_type"), STATEMENT) ||
        !tut_str_eq_z(tut_json_get_text(v, "predicateType"), TUT_RECEIPT_PREDICATE))
        return tut_fail(r->err, TUT_UNSUPPORTED,
                        "what was signed is no receipt for a pack (" TUT_RECEIPT_PREDICATE ")");
    if (tut_json_count(subjects) != 1)
        return bad(r, "subject");
    TUT_TRY(read_digest(r, tut_json_item(subjects, 0), &to->manifest));
    TUT_TRY(read_time(r, p, "received_at", &to->received_at));
    TUT_TRY(keep_text(r, p, "by", &to->by));
    TUT_TRY(read_time(r, p, "evaluated_at", &to->evaluated_at));
    TUT_TRY(keep_text(r, tut_json_get(p, "log"), "origin", &to->origin));
    TUT_TRY(read_number(r, tut_json_get(p, "log"), "size", &to->log_size));
    return tut_pack_findings_read(tut_json_get(p, "findings"), r->arena, &to->findings,
                                  &to->finding_count, r->err);
}

static tut_status not_ours(tut_error *err)
{
    return tut_fail(err, TUT_MALFORMED,
                    "the receipt is not in its one form: it was altered, or not written by tutela");
}

/* One text for what it says: nothing hides in spaces, order or further keys. */
static tut_status check_statement(const tut_receipt_file *f, tut_error *err)
{
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    TUT_TRY(write_statement(&f->says, &again, err));
    return tut_str_eq(tut_buf_str(&again), tut_buf_str(&f->envelope.payload)) ? TUT_SUCCESS
                                                                              : not_ours(err);
}

static tut_status check_envelope(const tut_receipt_file *f, tut_span text, tut_error *err)
{
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    tut_base64_add(&payload, tut_buf_span(&f->envelope.payload));
    tut_base64_add(&sig, tut_buf_span(&f->envelope.signatures[0].sig));
    TUT_TRY(tut_buf_check(&payload, err));
    TUT_TRY(tut_buf_check(&sig, err));
    TUT_TRY(tut_json_new(&again, &j));
    tut_json_object(j);
    tut_json_put_str(j, "payload", tut_buf_str(&payload));
    tut_json_put_z(j, "payloadType", TUT_DSSE_INTOTO);
    tut_json_key(j, "signatures");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_str(j, "keyid", f->key_id);
    tut_json_put_str(j, "sig", tut_buf_str(&sig));
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(&again, "\n");
    TUT_TRY(tut_buf_check(&again, err));
    return tut_str_eq(tut_buf_str(&again), tut_str_from(text)) ? TUT_SUCCESS : not_ours(err);
}

tut_status tut_receipt_parse(tut_span text, tut_receipt_file *ret, tut_error *err)
{
    static const tut_json_options options = {.max_depth = DEPTH};
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (text.len > TUT_LIMIT_RECEIPT_BYTES)
        return tut_fail(err, TUT_LIMIT, "a receipt has at most %u bytes", TUT_LIMIT_RECEIPT_BYTES);
    tut_arena_init(&ret->arena, 0);
    const reading r = {.arena = &ret->arena, .err = err};
    TUT_TRY(tut_json_parse(text, &options, &ret->doc, err));
    TUT_TRY(tut_dsse_read(tut_json_root(ret->doc), &ret->envelope, err));
    const tut_dsse *e = &ret->envelope;
    if (e->signature_count != 1 || e->signatures[0].keyid.len == 0 ||
        !tut_str_eq_z(e->type, TUT_DSSE_INTOTO))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "is no receipt: no in-toto statement with one signature");
    ret->key_id = e->signatures[0].keyid;
    TUT_TRY(tut_json_parse(tut_buf_span(&e->payload), &options, &doc, err));
    TUT_TRY(read_statement(&r, tut_json_root(doc), &ret->says));
    TUT_TRY(check_statement(ret, err));
    return check_envelope(ret, text, err);
}

tut_status tut_receipt_verify(const tut_receipt_file *f, const tut_pubkey *key, tut_error *err)
{
    return tut_dsse_verify(&f->envelope, 0, key, err);
}

void tut_receipt_file_done(tut_receipt_file *f)
{
    tut_dsse_done(&f->envelope);
    tut_json_doc_free(f->doc);
    tut_arena_done(&f->arena);
    *f = (tut_receipt_file){.doc = NULL};
}
