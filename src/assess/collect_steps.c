/* What the description, the inventory and the scan put on record. */
#include "assess/collect_internal.h"
#include "assess/events.h"

/* That an asset is pinned at a digest is an event of its life, however it came into the file. */
static tut_status add_declared(tut_batch *b)
{
    const tut_system *s = b->c->system;
    TUT_AUTO(tut_events) events = NULL;
    TUT_TRY(tut_events_new(b->known, &events, b->err));
    for (size_t i = 0; i < s->asset_count; i++) {
        const tut_asset *a = &s->assets[i];
        bool is_described = tut_asset_is_described(a);
        tut_sha256 digest = a->digest;
        tut_record *r;
        if (is_described)
            TUT_TRY(tut_asset_described_digest(a, &digest, b->err));
        if ((!a->has_digest && !is_described) || tut_events_of_life(events, a->id, &digest) > 0)
            continue;
        TUT_TRY(tut_batch_add(b, a->id, &digest, &r));
        r->type = TUT_RECORD_EVENT;
        r->check = TUT_EVENT_ASSET_DECLARED;
        r->statement = is_described ? "The description names the asset, which has no file, so."
                                    : "The description pins the asset at this digest.";
    }
    return TUT_SUCCESS;
}

/* A description that is not the one last recorded is itself a record. */
tut_status tut_step_system(tut_batch *b)
{
    const tut_system *s = b->c->system;
    const tut_record *last = tut_latest_description(b->known);
    if (!last || !tut_sha256_eq(&last->subjects[0].digest, &s->digest)) {
        tut_str source = tut_yaml_source(s->yaml);
        tut_record *r;
        TUT_TRY(tut_batch_add(b, TUT_SUBJECT_SYSTEM, &s->digest, &r));
        r->type = TUT_RECORD_EVENT;
        r->check = TUT_EVENT_SYSTEM_CHANGED;
        r->statement = last ? "tutela.yaml differs from the one last recorded."
                            : "tutela.yaml was recorded for the first time.";
        TUT_TRY(tut_batch_body(b, r, tut_span_of(source.data, source.len)));
    }
    return add_declared(b);
}

static tut_status take_statement(tut_batch *b, tut_record *r, char *statement)
{
    tut_status status = tut_batch_state(b, r, tut_str_of(statement));
    tut_free(statement);
    return status;
}

tut_status tut_step_inventory(tut_batch *b)
{
    tut_record *r;
    char *statement;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_TRY(tut_batch_evidence(b, TUT_SUBJECT_SYSTEM, &b->c->system->digest, TUT_CHECK_INVENTORY,
                               TUT_KIND_NONE, &r));
    TUT_TRY(tut_collection_judge_inventory(b->c, &r->result, &statement));
    TUT_TRY(take_statement(b, r, statement));
    TUT_TRY(tut_collection_inventory_body(b->c, &body));
    return tut_batch_body(b, r, tut_buf_span(&body));
}

/* A pass that rests on an accepted finding ends with the acceptance. */
static void end_with_acceptance(const tut_collection *c, size_t at, tut_record *r)
{
    const tut_inventory_item *item = &c->inventory->items[at];
    for (size_t i = 0; i < item->files; i++) {
        const tut_file_report *f = c->reports[item->members[i]];
        for (size_t k = 0; k < f->suppressed_count; k++)
            if (f->suppressed[k].until < r->expires)
                r->expires = f->suppressed[k].until;
    }
}

static tut_status add_scan(tut_batch *b, size_t at)
{
    const tut_inventory_item *item = &b->c->inventory->items[at];
    tut_record *r;
    char *statement;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_TRY(tut_batch_evidence(b, item->id, &item->digest, TUT_CHECK_SCAN, item->kind, &r));
    TUT_TRY(tut_collection_judge_scan(b->c, at, &r->result, &statement));
    end_with_acceptance(b->c, at, r);
    TUT_TRY(take_statement(b, r, statement));
    TUT_TRY(tut_collection_scan_body(b->c, at, &body));
    return tut_batch_body(b, r, tut_buf_span(&body));
}

tut_status tut_step_scan(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    for (size_t i = 0; i < inv->count; i++)
        if (inv->items[i].has_digest && inv->items[i].files > 0)
            TUT_TRY(add_scan(b, i));
    return TUT_SUCCESS;
}
