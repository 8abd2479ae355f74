/*
 * inventory.sources: does each data set from outside have the address it came from, when it was
 * collected, and a digest, and does it lead to the models that use it?
 */
#include "assess/collect_internal.h"
#include "base/json_write.h"

/* Who depends on whom, turned round: of each item the items that depend on it. */
typedef struct users {
    size_t *first, *next, *item; /* chains of edges: of each item, and on; who depends */
    size_t edges;
} users;

static void users_done(users *u)
{
    tut_free(u->first);
    tut_free(u->next);
    tut_free(u->item);
}

static tut_status turn_round(const tut_inventory *inv, users *u, tut_error *err)
{
    tut_map ids = TUT_MAP_INIT;
    size_t edges = 0;
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < inv->count && tut_is_ok(status); i++) {
        edges += inv->items[i].depends_count;
        status = tut_map_put(&ids, tut_str_of(inv->items[i].id), i, NULL, err);
    }
    u->first = tut_alloc_array(inv->count + 1, sizeof(*u->first));
    u->next = tut_alloc_array(edges + 1, sizeof(*u->next));
    u->item = tut_alloc_array(edges + 1, sizeof(*u->item));
    if (tut_is_ok(status) && (!u->first || !u->next || !u->item))
        status = tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < inv->count && tut_is_ok(status); i++)
        u->first[i] = SIZE_MAX;
    for (size_t i = 0; i < inv->count && tut_is_ok(status); i++) {
        for (size_t k = 0; k < inv->items[i].depends_count; k++) {
            size_t on = tut_map_get(&ids, tut_str_of(inv->items[i].depends_on[k]));
            if (on == SIZE_MAX)
                continue;
            u->item[u->edges] = i;
            u->next[u->edges] = u->first[on];
            u->first[on] = u->edges++;
        }
    }
    tut_map_done(&ids);
    return status;
}

typedef struct reach { /* what uses one item, directly or through others */
    size_t *items;
    size_t count;
    bool *seen; /* of each item; cleared behind each walk */
} reach;

static void reach_done(reach *r)
{
    tut_free(r->items);
    tut_free(r->seen);
}

static void walk(const users *u, size_t from, reach *r)
{
    r->count = 0;
    r->items[r->count++] = from;
    r->seen[from] = true;
    for (size_t at = 0; at < r->count; at++) {
        for (size_t e = u->first[r->items[at]]; e != SIZE_MAX; e = u->next[e]) {
            if (r->seen[u->item[e]])
                continue;
            r->seen[u->item[e]] = true;
            r->items[r->count++] = u->item[e];
        }
    }
    for (size_t at = 0; at < r->count; at++)
        r->seen[r->items[at]] = false;
}

static bool is_user(const tut_inventory_item *item)
{
    return item->kind == TUT_KIND_MODEL || item->kind == TUT_KIND_SERVICE;
}

static size_t count_users(const tut_inventory *inv, const reach *r)
{
    size_t count = 0;
    for (size_t i = 1; i < r->count; i++)
        count += is_user(&inv->items[r->items[i]]);
    return count;
}

static void add_lack(tut_buf *lacks, const char *what)
{
    tut_buf_printf(lacks, "%s%s", lacks->len ? ", " : "", what);
}

/* Of a data set that nobody describes, nothing is known. */
static const tut_asset *described(const tut_inventory_item *item)
{
    static const tut_asset none;
    return item->declared ? item->declared : &none;
}

/* A place without its own address, time or digest says nothing that the data set's does not. */
static void find_lacks(const tut_asset *a, size_t models, tut_buf *lacks)
{
    bool has_url = a->url.len > 0 || a->source_count > 0;
    bool has_time = a->has_collected_at || (a->source_count > 0 && a->url.len == 0);
    bool is_whole = true;
    for (size_t i = 0; i < a->source_count; i++) {
        const tut_data_source *s = &a->sources[i];
        is_whole = is_whole && s->url.len > 0;
        has_time = has_time && (s->has_collected_at || a->has_collected_at);
    }
    if (!has_url)
        add_lack(lacks, "the address it came from (url)");
    if (!is_whole)
        add_lack(lacks, "the address of each of its sources (sources[].url)");
    if (!has_time)
        add_lack(lacks, "when it was collected (collected_at)");
    if (models == 0)
        add_lack(lacks, "a model that uses it (depends_on)");
}

static tut_status write_body(const tut_inventory *inv, const tut_inventory_item *item,
                             const reach *r, tut_buf *out, tut_error *err)
{
    const tut_asset *a = described(item);
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.sources/1");
    tut_json_put_z(j, "asset", item->id);
    tut_json_key(j, "digest");
    tut_json_sha256(j, item->digest.bytes);
    tut_json_put_or_null(j, "url", a->url);
    if (a->has_collected_at)
        tut_json_put_time(j, "collected_at", a->collected_at);
    tut_json_put_u64(j, "sources", a->source_count);
    tut_json_key(j, "used_by");
    tut_json_array(j);
    for (size_t i = 1; i < r->count; i++)
        if (is_user(&inv->items[r->items[i]]))
            tut_json_z(j, inv->items[r->items[i]].id);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* Where nobody says whether data is from outside, what is lacking is doubt and no failure. */
static tut_result judge(const tut_inventory *inv, const tut_inventory_item *item, const reach *r,
                        tut_buf *text)
{
    const tut_asset *a = described(item);
    size_t models = count_users(inv, r);
    TUT_CLEAN(tut_buf) lacks = TUT_BUF_INIT;
    find_lacks(a, models, &lacks);
    if (lacks.failed != TUT_OK) {
        text->failed = lacks.failed;
        return TUT_RESULT_FAIL;
    }
    if (lacks.len == 0) {
        tut_buf_printf(text, "%s: address, time and digest are known; used by %zu %s.", item->id,
                       models, models == 1 ? "model or service" : "models and services");
        return TUT_RESULT_PASS;
    }
    tut_buf_printf(text, "%s lacks ", item->id);
    tut_buf_add_str(text, tut_buf_str(&lacks));
    tut_buf_add_z(text, a->is_external ? "." : "; nor is it said where it is from (origin).");
    return a->is_external ? TUT_RESULT_FAIL : TUT_RESULT_NOT_CHECKED;
}

static tut_status check(tut_batch *b, const users *u, size_t at, reach *r)
{
    const tut_inventory *inv = b->c->inventory;
    const tut_inventory_item *item = &inv->items[at];
    tut_record *record;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    walk(u, at, r);
    TUT_TRY(tut_batch_evidence(b, item->id, &item->digest, TUT_CHECK_SOURCES, item->kind, &record));
    record->result = judge(inv, item, r, &text);
    TUT_TRY(tut_buf_check(&text, b->err));
    TUT_TRY(tut_batch_state(b, record, tut_buf_str(&text)));
    TUT_TRY(write_body(inv, item, r, &body, b->err));
    return tut_batch_body(b, record, tut_buf_span(&body));
}

/* Data of outside or unknown origin, at a digest: the scope of the row. */
static bool is_asked(const tut_inventory_item *item)
{
    const tut_asset *a = described(item);
    return item->kind == TUT_KIND_DATASET && item->has_digest &&
           (a->is_external || a->origin.len == 0);
}

tut_status tut_step_sources(tut_batch *b)
{
    const tut_inventory *inv = b->c->inventory;
    TUT_CLEAN(users) u = {0};
    TUT_CLEAN(reach) r = {0};
    TUT_TRY(turn_round(inv, &u, b->err));
    r.items = tut_alloc_array(inv->count + 1, sizeof(*r.items));
    r.seen = tut_alloc_array(inv->count + 1, sizeof(*r.seen));
    if (!r.items || !r.seen)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < inv->count; i++)
        if (is_asked(&inv->items[i]))
            TUT_TRY(check(b, &u, i, &r));
    return TUT_SUCCESS;
}
