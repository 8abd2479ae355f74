#include "cmd/guard_stops.h"

#include "cmd/ledger_view.h"
#include "state/records.h"

typedef struct switched { /* a place of the table: what was said last about it */
    tut_live_kind kind;
    char name[TUT_LIVE_NAME];
    bool is_stopped;
    uint64_t since_ms;
} switched;

typedef struct table {
    switched *items;
    size_t count, capacity;
} table;

static switched *find(const table *t, tut_live_kind kind, tut_str name)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].kind == kind && tut_str_eq_z(name, t->items[i].name))
            return &t->items[i];
    return NULL;
}

static bool kind_of(tut_str word, tut_live_kind *ret)
{
    for (unsigned k = 0; k < TUT_LIVE_KIND_COUNT; k++)
        if (tut_str_eq_z(word, tut_live_kind_name((tut_live_kind)k))) {
            *ret = (tut_live_kind)k;
            return true;
        }
    return false;
}

static tut_status take(table *t, const tut_record *r, const tut_json_value *data)
{
    tut_live_kind kind;
    bool is_stop = strcmp(r->check, "guard.stopped") == 0;
    if (!is_stop && (strcmp(r->check, "guard.resumed") != 0 || r->signer_count == 0 ||
                     (r->doubt && !r->is_outlived)))
        return TUT_SUCCESS;
    tut_str name = tut_json_get_text(data, "name");
    if (!kind_of(tut_json_get_text(data, "what"), &kind))
        return TUT_SUCCESS;
    switched *s = find(t, kind, name);
    if (!s) {
        TUT_TRY(tut_grow(&t->items, t->count, &t->capacity, sizeof(*t->items)));
        s = &t->items[t->count++];
        s->kind = kind;
        tut_str_copy(s->name, sizeof(s->name), name);
    }
    s->is_stopped = is_stop;
    s->since_ms = (uint64_t)r->at * 1000;
    return TUT_SUCCESS;
}

static tut_status take_at(table *t, tut_log *log, const tut_records *records, uint64_t place,
                          tut_error *err)
{
    tut_shown_entry e;
    const tut_record *r = tut_records_at(records, place);
    TUT_TRY(tut_shown_entry_read(log, place, records, &e, err));
    tut_status status = r ? take(t, r, tut_json_get(e.entry.predicate, "guard")) : TUT_SUCCESS;
    tut_shown_entry_done(&e);
    return status;
}

static tut_status read_log(const tut_guard_here *h, table *t, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    tut_places places = {0};
    tut_log *log = NULL;
    const tut_index_query query = {.kind = "guard.*", .from = INT64_MIN, .to = INT64_MAX};
    TUT_TRY(tut_ledger_open(h->state, false, &ledger, err));
    tut_status status = tut_state_search(ledger, &query, &places, NULL, err);
    if (tut_is_ok(status))
        status = tut_state_read_at(ledger, places.items, places.count, &records, err);
    if (tut_is_ok(status))
        status = tut_ledger_log(ledger, &log, err);
    for (size_t i = 0; tut_is_ok(status) && i < places.count; i++)
        status = take_at(t, log, records, places.items[i], err);
    tut_places_done(&places);
    return status;
}

tut_status tut_guard_stops_restore(const tut_guard_here *h, size_t *ret_count, tut_error *err)
{
    table t = {0};
    size_t count = 0;
    tut_status status = read_log(h, &t, err);
    for (size_t i = 0; tut_is_ok(status) && i < t.count; i++) {
        const switched *s = &t.items[i];
        if (!s->is_stopped)
            continue;
        status = tut_live_stop(h->live, s->kind, tut_str_of(s->name), s->since_ms, err);
        count++;
    }
    tut_free(t.items);
    *ret_count = count;
    return status;
}
