#include "assess/trace.h"

#include "assess/evaluate_internal.h"
#include "ledger/entry.h"
#include "ledger/log.h"
#include "state/place.h"

void tut_trace_free(tut_trace *t)
{
    if (!t)
        return;
    tut_walk_done(&t->walk);
    tut_lineage_done(&t->lineage);
    tut_history_free(t->history);
    tut_records_free(t->events);
    tut_free(t->entry);
    tut_free(t);
}

typedef struct loading {
    tut_trace *t;
    const tut_trace_place *place;
    tut_ledger *ledger; /* NULL: nothing was recorded */
    tut_error *err;
} loading;

/* --- inventories --- */

static tut_status take_document(loading *ld, tut_span text, const tut_moment *at, bool is_now)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(text, NULL, &doc, ld->err));
    return tut_lineage_take(&ld->t->lineage, tut_json_get(tut_json_root(doc), "assets"), at,
                            is_now);
}

/* The tree as it is, by way of the same document that is recorded. */
static tut_status take_now(loading *ld)
{
    const tut_moment nowhere = {.is_there = false};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    tut_json_object(j);
    tut_json_key(j, "assets");
    tut_inventory_json(ld->place->now, ld->place->system, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, ld->err));
    return take_document(ld, tut_buf_span(&text), &nowhere, true);
}

/* A body that is damaged or gone is counted: what it knew is not known here. */
static tut_status take_recorded(loading *ld, const tut_record *r)
{
    const tut_moment at = {.is_there = true, .index = r->index, .at = r->at};
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_status status = tut_ledger_get_body(ld->ledger, &r->body, &body, NULL);
    if (status.code == TUT_STORE) {
        ld->t->unread++;
        return TUT_SUCCESS;
    }
    if (!tut_is_ok(status))
        return tut_fail(ld->err, status.code, "a recorded inventory cannot be read");
    ld->t->inventories++;
    return take_document(ld, tut_buf_span(&body), &at, false);
}

static tut_status find_inventories(loading *ld, tut_records **ret_records)
{
    const tut_index_query query = {
        .kind = TUT_CHECK_INVENTORY "*", .from = INT64_MIN, .to = INT64_MAX};
    tut_places places = {0};
    tut_status status = tut_state_search(ld->ledger, &query, &places, NULL, ld->err);
    if (tut_is_ok(status))
        status = tut_state_read_at(ld->ledger, places.items, places.count, ret_records, ld->err);
    tut_places_done(&places);
    return status;
}

static bool is_inventory(const tut_record *r)
{
    return tut_record_is_test(r, TUT_CHECK_INVENTORY) && r->has_body && !r->doubt;
}

/* Newest first, so that an asset's name means its newest version. The same document twice in a row
 * is read once for its newest and once for its oldest entry, which tell from when to when it held.
 */
static tut_status take_history(loading *ld, const tut_records *records)
{
    const tut_record *newer = NULL;
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        if (!is_inventory(r))
            continue;
        const tut_record *older = NULL;
        for (size_t k = i - 1; k > 0 && !older; k--)
            if (is_inventory(&records->items[k - 1]))
                older = &records->items[k - 1];
        bool continues = newer && tut_sha256_eq(&newer->body, &r->body) && older &&
                         tut_sha256_eq(&older->body, &r->body);
        newer = r;
        if (continues)
            continue;
        if (ld->t->inventories >= TUT_TRACE_INVENTORIES)
            ld->t->left_out++;
        else
            TUT_TRY(take_recorded(ld, r));
    }
    return TUT_SUCCESS;
}

/* --- what only the description and the events say --- */

static tut_status take_components(loading *ld)
{
    const tut_system *s = ld->place->system;
    for (size_t i = 0; s && i < s->component_count; i++) {
        const tut_component *c = &s->components[i];
        for (size_t k = 0; c->asset.len && k < c->attribute_count; k++)
            if (tut_str_eq_z(c->attributes[k].key, "dataset.url"))
                TUT_TRY(tut_lineage_source(&ld->t->lineage, c->asset, c->attributes[k].value));
    }
    return TUT_SUCCESS;
}

/* A version that came and went between two inventories. */
static tut_status take_events(loading *ld)
{
    tut_trace *t = ld->t;
    TUT_TRY(tut_state_asset_events(ld->ledger, NULL, INT64_MAX, &t->events, ld->err));
    TUT_TRY(tut_history_new(t->events, &t->history, ld->err));
    for (size_t i = 0; t->question.kind == TUT_ASK_DIGEST && i < t->events->count; i++) {
        const tut_record *r = &t->events->items[i];
        const tut_moment at = {.is_there = true, .index = r->index, .at = r->at};
        for (size_t k = 0; r->type == TUT_RECORD_EVENT && k < r->subject_count; k++) {
            char hex[TUT_SHA256_HEX];
            tut_sha256_hex(&r->subjects[k].digest, hex);
            bool is_root = strcmp(r->check, "asset.signed") == 0 ||
                           strcmp(r->check, "asset.verified") == 0;
            if (!is_root && strchr(r->subjects[k].name, '/') &&
                tut_str_starts(tut_str_of(hex), tut_str_of(t->question.text)))
                TUT_TRY(tut_lineage_version(&t->lineage, r->subjects[k].name,
                                            &r->subjects[k].digest, "its digest", &at));
        }
    }
    return TUT_SUCCESS;
}

/* --- an entry --- */

typedef struct asked_entry {
    tut_buf bytes;
    tut_arena arena;
    tut_entry entry;
} asked_entry;

static void asked_entry_done(asked_entry *e)
{
    tut_entry_done(&e->entry);
    tut_arena_done(&e->arena);
    tut_buf_done(&e->bytes);
}

static tut_status read_entry(loading *ld, tut_log *log, asked_entry *e)
{
    uint64_t size = log ? tut_log_size(log) : 0;
    uint64_t index = ld->t->question.entry;
    if (index >= size)
        return tut_fail(ld->err, TUT_USAGE, "there is no entry %llu: the log has %llu",
                        (unsigned long long)index, (unsigned long long)size);
    tut_arena_init(&e->arena, 0);
    TUT_TRY(tut_log_entry(log, index, &e->bytes, ld->err));
    return tut_entry_parse(tut_buf_span(&e->bytes), &e->arena, &e->entry, ld->err);
}

static tut_status find_entry(loading *ld, asked_entry *e)
{
    tut_log *log = NULL;
    if (!ld->t->question.is_traffic) {
        TUT_TRY(tut_ledger_log(ld->ledger, &log, ld->err));
        return read_entry(ld, log, e);
    }
    TUT_CLEAN(tut_place) place = {0};
    TUT_TRY(tut_place_find(ld->place->state_dir, "traffic", &place, ld->err));
    TUT_TRY(tut_place_open(&place, &log, ld->err));
    tut_status status = read_entry(ld, log, e);
    tut_log_free(log); /* it was only read */
    return status;
}

/* The inventory that held when the entry was made: the last one before it, else the first. */
static const tut_record *inventory_of(const loading *ld, const tut_records *records,
                                      const asked_entry *e)
{
    const tut_record *found = NULL;
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        bool is_before = ld->t->question.is_traffic ? r->recorded_at <= e->entry.head.at
                                                    : r->index <= ld->t->question.entry;
        if (is_inventory(r) && (is_before || !found))
            found = r;
    }
    return found;
}

static tut_status seed_by(loading *ld, const asked_entry *e)
{
    tut_lineage *l = &ld->t->lineage;
    const tut_record *r = &e->entry.record;
    for (size_t i = 0; e->entry.has_record && i < r->subject_count; i++) {
        const tut_subject *s = &r->subjects[i];
        uint32_t node = tut_lineage_find(l, tut_str_of(s->name), &s->digest);
        bool is_same = node != TUT_NODE_NONE && l->nodes[node].has_digest &&
                       tut_sha256_eq(&l->nodes[node].digest, &s->digest);
        if (node != TUT_NODE_NONE)
            TUT_TRY(tut_lineage_seed(l, node,
                                     is_same ? "the entry names it"
                                             : "the entry names it, at a digest that no inventory "
                                               "of then has"));
        bool is_whole = strcmp(s->name, TUT_SUBJECT_SYSTEM) == 0 && r->subject_count == 1;
        for (size_t n = 0; is_whole && n < l->count; n++)
            if (l->nodes[n].kind)
                TUT_TRY(tut_lineage_seed(l, (uint32_t)n, "the entry is about the whole system"));
    }
    return TUT_SUCCESS;
}

/* Which of the versions of then are those of now. */
static void mark_now(loading *ld)
{
    const tut_inventory *inv = ld->place->now;
    tut_lineage *l = &ld->t->lineage;
    for (size_t i = 0; i < inv->count; i++) {
        const tut_inventory_item *item = &inv->items[i];
        uint32_t node = tut_lineage_find(l, tut_str_of(item->id), &item->digest);
        if (node != TUT_NODE_NONE && item->has_digest && l->nodes[node].has_digest &&
            item->state != TUT_ASSET_MISSING &&
            tut_sha256_eq(&l->nodes[node].digest, &item->digest))
            l->nodes[node].is_now = true;
    }
    for (size_t i = 0; i < l->graph.edge_count; i++) {
        const tut_edge *e = &l->graph.edges[i];
        if (!l->nodes[e->to]
                 .kind) /* an address is one of now when something of now is from there */
            l->nodes[e->to].is_now |= l->nodes[e->from].is_now;
    }
}

static tut_status load_entry(loading *ld)
{
    if (!ld->ledger)
        return tut_fail(ld->err, TUT_USAGE, "nothing was recorded here, so there is no entry %llu",
                        (unsigned long long)ld->t->question.entry);
    TUT_CLEAN(asked_entry) e = {0};
    TUT_AUTO(tut_records) records = NULL;
    TUT_TRY(find_entry(ld, &e));
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char when[TUT_TIME_TEXT];
    tut_time_rfc3339(e.entry.head.at, when);
    tut_buf_add_escaped(&text, e.entry.head.kind, 64);
    tut_buf_printf(&text, ", %s", when);
    ld->t->entry = tut_buf_steal(&text);
    if (!ld->t->entry)
        return tut_fail(ld->err, TUT_NOMEM, "memory ran out");
    TUT_TRY(find_inventories(ld, &records));
    const tut_record *then = inventory_of(ld, records, &e);
    if (then)
        TUT_TRY(take_recorded(ld, then));
    TUT_TRY(take_components(ld));
    mark_now(ld);
    return seed_by(ld, &e);
}

static tut_status load_all(loading *ld)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_TRY(take_now(ld));
    if (ld->ledger) {
        TUT_TRY(find_inventories(ld, &records));
        TUT_TRY(take_history(ld, records));
    }
    TUT_TRY(take_components(ld));
    return ld->ledger ? take_events(ld) : TUT_SUCCESS;
}

static tut_status load(loading *ld)
{
    if (ld->t->question.kind != TUT_ASK_ENTRY)
        return load_all(ld);
    TUT_TRY(load_entry(ld));
    TUT_TRY(tut_state_asset_events(ld->ledger, NULL, INT64_MAX, &ld->t->events, ld->err));
    return tut_history_new(ld->t->events, &ld->t->history, ld->err);
}

static tut_status open_ledger(loading *ld)
{
    if (!ld->place->state_dir)
        return TUT_SUCCESS;
    return tut_ledger_open(ld->place->state_dir, false, &ld->ledger, ld->err);
}

tut_status tut_trace_new(const tut_question *question, bool is_turned, const tut_trace_place *place,
                         tut_trace **ret_trace, tut_error *err)
{
    TUT_AUTO(tut_trace) t = tut_alloc_array(1, sizeof(*t));
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->question = *question;
    bool is_up = (question->kind == TUT_ASK_ENTRY) != is_turned;
    t->way = is_up ? TUT_WALK_USED : TUT_WALK_USERS;
    tut_lineage_init(&t->lineage, &t->question, err);
    loading ld = {.t = t, .place = place, .err = err};
    TUT_TRY(open_ledger(&ld));
    tut_status status = load(&ld);
    tut_ledger_close(ld.ledger);
    TUT_TRY(status);
    TUT_TRY(tut_graph_freeze(&t->lineage.graph, err));
    TUT_TRY(tut_graph_walk(&t->lineage.graph, t->lineage.seeds, t->lineage.seed_count, t->way,
                           &t->walk, err));
    *ret_trace = tut_move(&t);
    return TUT_SUCCESS;
}

tut_status tut_trace_path(const tut_trace *t, uint32_t node, uint32_t **ret_path, size_t *ret_count,
                          tut_error *err)
{
    size_t count = (size_t)t->walk.distance[node] + 1;
    uint32_t *path = tut_alloc_array(count, sizeof(*path));
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = count; i > 0; i--) {
        path[i - 1] = node;
        node = t->walk.from[node];
    }
    *ret_path = path;
    *ret_count = count;
    return TUT_SUCCESS;
}
