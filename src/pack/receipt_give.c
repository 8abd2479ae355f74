#include "pack/receipt_give.h"

void tut_receipt_given_done(tut_receipt_given *g)
{
    tut_pack_given_done(&g->pack);
    tut_arena_done(&g->arena);
    tut_buf_done(&g->file);
    *g = (tut_receipt_given){.file = TUT_BUF_INIT};
}

static tut_status lacks(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_BUG, "verifying the pack came to no %s", what);
}

static tut_status describe(const tut_receipt_order *order, tut_receipt_given *g, tut_error *err)
{
    const tut_json_value *summary = g->pack.summary;
    tut_receipt *r = &g->says;
    int64_t size = tut_json_get_int(summary, "size", -1);
    tut_str hex = tut_json_get_text(tut_json_get(summary, "manifest"), "sha256");
    tut_str at = tut_json_get_text(tut_json_get(summary, "then"), "at");
    r->by = tut_str_of(order->by);
    r->received_at = order->at;
    r->origin = tut_json_get_text(summary, "origin");
    if (!tut_is_ok(tut_sha256_parse(hex, &r->manifest)))
        return lacks(err, "digest of its manifest");
    if (size < 0 || !tut_is_ok(tut_time_parse(at, &r->evaluated_at)))
        return lacks(err, "size and time");
    r->log_size = (uint64_t)size;
    return tut_pack_findings_read(tut_json_get(tut_json_root(g->pack.doc), "findings"), &g->arena,
                                  &r->findings, &r->finding_count, err);
}

tut_status tut_receipt_give(const tut_receipt_order *order, tut_receipt_given *ret, tut_error *err)
{
    tut_arena_init(&ret->arena, 0);
    TUT_TRY(tut_person_check_name(tut_str_of(order->by), err));
    TUT_TRY(
        tut_pack_given_open(order->path, order->trust, "developer", order->at, &ret->pack, err));
    TUT_TRY(describe(order, ret, err));
    return tut_receipt_write(&ret->says, order->key, &ret->file, err);
}
