/*
 * ledger.lifecycle: is each model, dataset and prompt, as it is now, what the log says that
 * somebody made of it? The records at hand were each proved by inclusion in the signed tree, and
 * completeness against its heads (state/records.h); what is left is whether an event speaks of
 * these very bytes.
 */
#include "assess/collect_internal.h"
#include "assess/events.h"
#include "base/json_write.h"
#include "state/records.h"

/* The events of one asset, by their places in the log. */
static tut_status write_body(const tut_events *events, uint64_t log_size, const char *id,
                             tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.lifecycle/1");
    tut_json_put_z(j, "asset", id);
    tut_json_put_u64(j, "log_size", log_size);
    tut_json_key(j, "events");
    tut_json_array(j);
    for (const tut_event *e = tut_events_first(events, id); e; e = tut_events_next(events, e)) {
        tut_json_object(j);
        tut_json_put_u64(j, "index", e->record->index);
        tut_json_put_z(j, "event", e->record->check);
        tut_json_key(j, "digest");
        tut_json_sha256(j, e->subject->digest.bytes);
        tut_json_put_time(j, "at", e->record->at);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status judge(tut_batch *b, const tut_events *all, uint64_t log_size,
                        const tut_inventory_item *item)
{
    tut_record *r;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    size_t events = tut_events_of_life(all, item->id, &item->digest);
    TUT_TRY(tut_batch_evidence(b, item->id, &item->digest, TUT_CHECK_LIFECYCLE, item->kind, &r));
    r->result = events > 0 ? TUT_RESULT_PASS : TUT_RESULT_FAIL;
    if (events > 0)
        tut_buf_printf(&text,
                       "%s: the log holds %zu %s about these bytes, each proved to be among its "
                       "%llu entries.",
                       item->id, events, events == 1 ? "event" : "events",
                       (unsigned long long)log_size);
    else
        tut_buf_printf(&text, "%s: no event in the log speaks of the bytes that are there now.",
                       item->id);
    TUT_TRY(tut_buf_check(&text, b->err));
    TUT_TRY(tut_batch_state(b, r, tut_buf_str(&text)));
    TUT_TRY(write_body(all, log_size, item->id, &body, b->err));
    return tut_batch_body(b, r, tut_buf_span(&body));
}

tut_status tut_step_lifecycle(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_events) events = NULL;
    TUT_TRY(tut_state_events(b->ledger, INT64_MAX, &records, b->err));
    TUT_TRY(tut_events_new(records, &events, b->err));
    for (size_t i = 0; i < inv->count; i++)
        if (tut_batch_wants(&inv->items[i], TUT_CHECK_LIFECYCLE))
            TUT_TRY(judge(b, events, records->log_size, &inv->items[i]));
    return TUT_SUCCESS;
}
