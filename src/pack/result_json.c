#include "base/json_write.h"
#include "pack/receipt.h"

static void put_verdict(tut_json *j, const char *key, const tut_pack_verdict *v)
{
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_time(j, "at", v->at);
    tut_json_put_or_null(j, "grade", (tut_str){&v->grade, v->grade ? 1 : 0});
    tut_json_key(j, "counts");
    tut_json_object(j);
    for (size_t i = 0; i < TUT_CONTROL_VERDICT_COUNT; i++)
        tut_json_put_u64(j, tut_control_verdict_name((tut_control_verdict)i), v->counts[i]);
    tut_json_end_object(j);
    tut_json_end_object(j);
}

static void put_changes(tut_json *j, const tut_pack_result *r)
{
    tut_json_key(j, "expired_since");
    tut_json_array(j);
    for (size_t i = 0; i < r->change_count; i++) {
        const tut_pack_change *c = &r->changes[i];
        tut_json_object(j);
        tut_json_put_str(j, "id", c->clause);
        tut_json_put_z(j, "then", tut_control_verdict_name(c->then));
        tut_json_put_z(j, "now", tut_control_verdict_name(c->now));
        if (c->since)
            tut_json_put_time(j, "since", c->since);
        else
            tut_json_put_or_null(j, "since", TUT_LIT(""));
        tut_json_key(j, "evidence");
        tut_json_array(j);
        for (size_t k = 0; k < c->evidence_count; k++)
            tut_json_u64(j, c->evidence[k]);
        tut_json_end_array(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_summary(tut_json *j, const tut_pack_result *r)
{
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_bool(j, "ok", r->holds);
    tut_json_put_z(j, "trust", r->holds ? tut_pack_trusted_name(r->trust) : NULL);
    tut_json_put_z(j, "rests_on", r->rests_on);
    tut_json_put_z(j, "differs", r->differs);
    tut_json_put_z(j, "system", r->system);
    tut_json_put_z(j, "version", r->version);
    tut_json_put_z(j, "origin", r->origin);
    tut_json_put_z(j, "made_by", r->made_by);
    tut_json_key(j, "manifest");
    if (r->has_manifest)
        tut_json_sha256(j, r->manifest.bytes);
    else
        tut_json_null(j);
    tut_json_put_u64(j, "size", r->log_size);
    tut_json_put_u64(j, "judged_size", r->judged_size);
    tut_json_put_u64(j, "evidence", r->evidence);
    if (r->proven.is_there && r->holds) {
        tut_json_put_time(j, "proven_time", r->proven.at);
        tut_json_put_u64(j, "proven_size", r->proven.size);
    } else {
        tut_json_put_or_null(j, "proven_time", TUT_LIT(""));
        tut_json_put_or_null(j, "proven_size", TUT_LIT(""));
    }
    if (r->has_verdict) {
        put_verdict(j, "then", &r->then);
        put_verdict(j, "now", &r->now);
    }
    put_changes(j, r);
    tut_json_key(j, "unmet");
    tut_json_array(j);
    for (size_t i = 0; i < r->unmet_count; i++)
        tut_json_str(j, r->unmet[i]);
    tut_json_end_array(j);
    if (r->counts_until)
        tut_json_put_time(j, "counts_until", r->counts_until);
    else
        tut_json_put_or_null(j, "counts_until", TUT_LIT(""));
    tut_json_end_object(j);
}

static void put_assets(tut_json *j, const tut_pack_result *r)
{
    tut_json_key(j, "assets");
    tut_json_array(j);
    for (size_t i = 0; i < r->asset_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "id", r->assets[i].id);
        tut_json_key(j, "digest");
        tut_json_sha256(j, r->assets[i].digest.bytes);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

tut_status tut_pack_result_json(const tut_pack_result *r, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.pack/1", tut_time_generated());
    put_summary(j, r);
    tut_json_key(j, "checks");
    tut_json_array(j);
    for (size_t i = 0; i < r->count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "name", r->checks[i].name);
        tut_json_put_bool(j, "ok", r->checks[i].holds);
        tut_json_put_z(j, "detail", r->checks[i].detail);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    put_assets(j, r);
    tut_pack_findings_json(r->findings, r->finding_count, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}
