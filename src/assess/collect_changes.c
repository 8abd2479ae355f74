/*
 * asset.changed: the bytes of an asset are not those last recorded.
 * ledger.prompt-changes: is each edit of a prompt or setting in the log, with who made it and when?
 *
 * Finding a change is not logging it: it says that somebody edited, not who. An edit is logged by
 * an act: the version was accepted (init --accept), put back (restore), or signed by a registered
 * person. Such an act answers for everything since the version that was accepted before it. The
 * version with which the log begins needs none.
 */
#include "assess/collect_internal.h"
#include "base/json_write.h"
#include "state/history.h"

static void put_digest(tut_json *j, const char *key, const tut_sha256 *digest)
{
    tut_json_key(j, key);
    tut_json_sha256(j, digest->bytes);
}

/* --- what changed since it was last recorded --- */

static tut_status add_change(tut_batch *b, const tut_inventory_item *item, const tut_sha256 *from,
                             const tut_record *since)
{
    tut_record *r;
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_batch_add(b, item->id, &item->digest, &r));
    r->type = TUT_RECORD_EVENT;
    r->check = TUT_EVENT_ASSET_CHANGED;
    r->statement = "The bytes differ from those last recorded. Found by assess; who changed them "
                   "is not known from this.";
    TUT_TRY(tut_json_new(&data, &j));
    tut_json_object(j);
    put_digest(j, "from", from);
    put_digest(j, "to", &item->digest);
    if (since)
        tut_json_put_u64(j, "last_recorded", since->index);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, b->err));
    char *copy = tut_arena_copy(&b->arena, tut_buf_str(&data));
    if (!copy)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    r->data_key = "change";
    r->data = tut_str_of(copy);
    return TUT_SUCCESS;
}

tut_status tut_step_changes(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    TUT_AUTO(tut_history) history = NULL;
    TUT_TRY(tut_history_new(b->known, &history, b->err));
    for (size_t i = 0; i < inv->count; i++) {
        const tut_inventory_item *item = &inv->items[i];
        if (!item->has_digest || item->state == TUT_ASSET_MISSING)
            continue;
        const tut_life_event *last = tut_history_last(history, item->id);
        const tut_asset *a = item->declared;
        const tut_sha256 *from = last ? last->digest : a && a->has_digest ? &a->digest : NULL;
        if (from && !tut_sha256_eq(from, &item->digest))
            TUT_TRY(add_change(b, item, from, last ? last->record : NULL));
    }
    return TUT_SUCCESS;
}

/* --- prompts and settings --- */

typedef struct changes {
    const tut_history *history;
    const tut_inventory_item *item;
    bool has_root; /* a signature of one file names it by the digest of its digest */
    tut_sha256 root;
    const tut_life_event *act;    /* the last act; before any, the first event */
    const tut_life_event *change; /* the first one after it at another digest */
    const tut_sha256 *running;    /* as last recorded */
    size_t versions;
} changes;

/* A signature speaks of these bytes when its root is theirs. */
static bool speaks_of(const changes *c, const tut_life_event *e)
{
    return c->has_root && tut_sha256_eq(e->digest, &c->root);
}

static tut_status follow(changes *c, tut_error *err)
{
    c->has_root = c->item->files == 1;
    TUT_TRY(tut_sha256_of(tut_span_of(c->item->digest.bytes, TUT_SHA256_BYTES), &c->root, err));
    const tut_sha256 *answered = NULL; /* the digest that the last act stands behind */
    for (const tut_life_event *e = tut_history_first(c->history, c->item->id); e;
         e = tut_history_next(c->history, e)) {
        if (e->is_signature && !speaks_of(c, e))
            continue;
        const tut_sha256 *digest = e->is_signature ? &c->item->digest : e->digest;
        c->versions += !c->running || !tut_sha256_eq(c->running, digest);
        c->running = digest;
        /* The log begins with the version that it first knew; that something changed is no
         * beginning, whatever became of the events before it. */
        bool begins = !c->act && !c->change &&
                      strcmp(e->record->check, TUT_EVENT_ASSET_CHANGED) != 0;
        if (e->is_act || begins) {
            c->act = e;
            c->change = NULL;
            answered = digest;
        } else if (!c->change && (!answered || !tut_sha256_eq(digest, answered))) {
            c->change = e;
        }
    }
    return TUT_SUCCESS;
}

static tut_result judge(const changes *c, tut_buf *text)
{
    const char *id = c->item->id;
    char day[TUT_TIME_TEXT];
    if (!c->act && !c->change) {
        tut_buf_printf(text, "%s: no version of it is in the log.", id);
        return TUT_RESULT_FAIL;
    }
    if (c->change) {
        tut_time_date(c->change->record->at, day);
        tut_buf_printf(text,
                       "%s changed (entry %llu, %s), and nobody has said in the log who "
                       "changed it.",
                       id, (unsigned long long)c->change->record->index, day);
        return TUT_RESULT_FAIL;
    }
    if (!tut_sha256_eq(c->running, &c->item->digest)) {
        tut_buf_printf(text, "%s: the running bytes are not those last logged.", id);
        return TUT_RESULT_FAIL;
    }
    tut_time_date(c->act->record->at, day);
    tut_buf_printf(text, "%s: the running version is that of entry %llu, %s, by ", id,
                   (unsigned long long)c->act->record->index, day);
    tut_history_who(c->act->record, text);
    tut_buf_printf(text, "; %zu %s in the log.", c->versions,
                   c->versions == 1 ? "version is" : "versions are");
    return TUT_RESULT_PASS;
}

static void put_event(tut_json *j, const changes *c, const tut_life_event *e)
{
    TUT_CLEAN(tut_buf) who = TUT_BUF_INIT;
    tut_history_who(e->record, &who);
    tut_json_object(j);
    tut_json_put_u64(j, "index", e->record->index);
    tut_json_put_time(j, "at", e->record->at);
    tut_json_put_z(j, "event", e->record->check);
    put_digest(j, "digest", e->is_signature ? &c->item->digest : e->digest);
    tut_json_put_bool(j, "logged", e->is_act);
    tut_json_put_str(j, "by", tut_buf_str(&who));
    tut_json_put_int(j, "uid", e->record->uid);
    tut_json_put_bool(j, "signed", e->is_signature || tut_history_is_signed(e->record));
    tut_json_end_object(j);
}

static tut_status write_body(const changes *c, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.changes/1");
    tut_json_put_z(j, "asset", c->item->id);
    put_digest(j, "running", &c->item->digest);
    tut_json_key(j, "events");
    tut_json_array(j);
    for (const tut_life_event *e = tut_history_first(c->history, c->item->id); e;
         e = tut_history_next(c->history, e))
        if (!e->is_signature || speaks_of(c, e))
            put_event(j, c, e);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status check(tut_batch *b, const tut_history *history, const tut_inventory_item *item)
{
    tut_record *r;
    changes c = {.history = history, .item = item};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_TRY(follow(&c, b->err));
    TUT_TRY(tut_batch_evidence(b, item->id, &item->digest, TUT_CHECK_CHANGES, item->kind, &r));
    r->result = judge(&c, &text);
    TUT_TRY(tut_buf_check(&text, b->err));
    TUT_TRY(tut_batch_state(b, r, tut_buf_str(&text)));
    TUT_TRY(write_body(&c, &body, b->err));
    return tut_batch_body(b, r, tut_buf_span(&body));
}

tut_status tut_step_prompts(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_history) history = NULL;
    for (size_t i = 0; i < inv->count; i++) {
        if (!tut_batch_wants(&inv->items[i], TUT_CHECK_CHANGES))
            continue;
        if (!records) {
            TUT_TRY(tut_state_asset_events(b->ledger, NULL, INT64_MAX, &records, b->err));
            TUT_TRY(tut_history_new(records, &history, b->err));
        }
        TUT_TRY(check(b, history, &inv->items[i]));
    }
    return TUT_SUCCESS;
}
