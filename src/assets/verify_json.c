/* tutela.verify/1: what verifying came to, as one JSON object. */
#include "assets/sign.h"
#include "base/json_write.h"

static void put_texts(tut_json *j, const char *key, const char *const *texts, size_t count)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        tut_json_z(j, texts[i]);
    tut_json_end_array(j);
}

static void put_target(tut_json *j, const tut_verify_target *t)
{
    const tut_verify_result *r = t->result;
    tut_json_object(j);
    tut_json_put_z(j, "path", t->path);
    tut_json_put_z(j, "verdict", tut_verify_word(r->verdict));
    tut_json_put_z(j, "signer", r->signer);
    tut_json_put_z(j, "person", t->person);
    tut_json_put_z(j, "mode", r->mode);
    tut_json_put_z(j, "signature", r->signature);
    tut_json_key(j, "root");
    if (r->has_root)
        tut_json_sha256(j, r->root.bytes);
    else
        tut_json_null(j);
    tut_json_put_u64(j, "files", r->files);
    tut_json_put_u64(j, "checked", r->checked);
    put_texts(j, "reasons", r->reasons, r->reason_count);
    put_texts(j, "remarks", r->remarks, r->remark_count);
    tut_json_put_u64(j, "mismatched", r->mismatch_total);
    tut_json_key(j, "mismatches");
    tut_json_array(j);
    for (size_t i = 0; i < r->mismatch_count; i++) {
        const tut_mismatch *m = &r->mismatches[i];
        tut_json_object(j);
        tut_json_put_z(j, "file", m->name);
        tut_json_put_z(j, "what", tut_mismatch_word(m->kind));
        tut_json_put_z(j, "expected", m->expected);
        tut_json_put_z(j, "found", m->found);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
}

tut_status tut_verify_json(const tut_verify_target *targets, size_t count, tut_buf *out,
                           tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    size_t verdicts[3] = {0};
    for (size_t i = 0; i < count; i++)
        verdicts[targets[i].result->verdict]++;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.verify/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    for (int v = TUT_VERIFY_VALID; v <= TUT_VERIFY_UNSIGNED; v++)
        tut_json_put_u64(j, tut_verify_word((tut_verify_verdict)v), verdicts[v]);
    tut_json_end_object(j);
    tut_json_key(j, "targets");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        put_target(j, &targets[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}
