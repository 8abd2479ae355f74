#include "state/history.h"

#include "base/map.h"

/* Kinds of events that say what bytes an asset has from then on. */
static const struct life_kind {
    const char *event;
    bool is_act, is_signature;
} kinds[] = {
    {"asset.declared", false, false},  {"asset.changed", false, false},
    {"asset.versioned", false, false}, {"asset.accepted", true, false},
    {"asset.restored", true, false},   {"asset.signed", true, true},
};

static const struct life_kind *kind_of(const tut_record *r)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(r->check, kinds[i].event) == 0)
            return &kinds[i];
    return NULL;
}

tut_status tut_state_asset_events(tut_ledger *ledger, const char *asset, tut_time until,
                                  tut_records **ret_records, tut_error *err)
{
    const tut_index_query query = {
        .asset = asset, .kind = "asset.*", .from = INT64_MIN, .to = until};
    tut_places places = {0};
    tut_status status = tut_state_search(ledger, &query, &places, NULL, err);
    if (tut_is_ok(status))
        status = tut_state_read_at(ledger, places.items, places.count, ret_records, err);
    tut_places_done(&places);
    return status;
}

struct tut_history {
    tut_life_event *events;
    size_t count, capacity;
    tut_map first, last; /* by name of the asset */
    size_t *lasts;       /* what `last` leads to: places of events */
    size_t last_count, last_capacity;
};

void tut_history_free(tut_history *h)
{
    if (!h)
        return;
    tut_map_done(&h->first);
    tut_map_done(&h->last);
    tut_free(h->events);
    tut_free(h->lasts);
    tut_free(h);
}

static tut_status chain(tut_history *h, const char *name, size_t at, tut_error *err)
{
    size_t slot = tut_map_get(&h->last, tut_str_of(name));
    if (slot != SIZE_MAX) {
        h->events[h->lasts[slot]].next = at;
        h->lasts[slot] = at;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_grow(&h->lasts, h->last_count, &h->last_capacity, sizeof(*h->lasts)));
    h->lasts[h->last_count] = at;
    TUT_TRY(tut_map_put(&h->first, tut_str_of(name), at, NULL, err));
    return tut_map_put(&h->last, tut_str_of(name), h->last_count++, NULL, err);
}

/* Unsigned events carry the word "tool" where nobody did anything. */
static bool is_act(const struct life_kind *kind, const tut_record *r)
{
    return kind->is_act && (!kind->is_signature || strcmp(r->actor, "tool") != 0);
}

static tut_status add(tut_history *h, const tut_record *r, tut_error *err)
{
    const struct life_kind *kind = r->type == TUT_RECORD_EVENT && !r->doubt ? kind_of(r) : NULL;
    for (size_t i = 0; kind && i < r->subject_count; i++) {
        if (strchr(r->subjects[i].name, '/') == NULL)
            continue; /* the description, which carries the event along */
        TUT_TRY(tut_grow(&h->events, h->count, &h->capacity, sizeof(*h->events)));
        h->events[h->count] = (tut_life_event){.record = r,
                                               .digest = &r->subjects[i].digest,
                                               .is_act = is_act(kind, r),
                                               .is_signature = kind->is_signature,
                                               .next = SIZE_MAX};
        TUT_TRY(chain(h, r->subjects[i].name, h->count++, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_history_new(const tut_records *records, tut_history **ret_history, tut_error *err)
{
    TUT_AUTO(tut_history) h = tut_alloc_array(1, sizeof(*h));
    if (!h)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < records->count; i++) {
        tut_status status = add(h, &records->items[i], err);
        if (!tut_is_ok(status))
            return tut_fail(err, status.code, "memory ran out");
    }
    *ret_history = tut_move(&h);
    return TUT_SUCCESS;
}

const tut_life_event *tut_history_first(const tut_history *h, const char *asset)
{
    size_t at = tut_map_get(&h->first, tut_str_of(asset));
    return at == SIZE_MAX ? NULL : &h->events[at];
}

const tut_life_event *tut_history_next(const tut_history *h, const tut_life_event *e)
{
    return e->next == SIZE_MAX ? NULL : &h->events[e->next];
}

const tut_life_event *tut_history_last(const tut_history *h, const char *asset)
{
    const tut_life_event *last = NULL;
    for (const tut_life_event *e = tut_history_first(h, asset); e; e = tut_history_next(h, e))
        if (!e->is_signature)
            last = e;
    return last;
}

bool tut_history_is_signed(const tut_record *r)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (r->signers[i].counts && !r->signers[i].is_tool)
            return true;
    return false;
}

void tut_history_who(const tut_record *r, tut_buf *out)
{
    for (size_t i = 0; i < r->signer_count; i++) {
        if (!r->signers[i].counts || r->signers[i].is_tool)
            continue;
        tut_buf_add_escaped(out, tut_str_of(r->signers[i].name), 100);
        return;
    }
    if (strcmp(r->actor, "tool") != 0 && strcmp(r->actor, "self-declared") != 0 && r->actor[0]) {
        tut_buf_add_escaped(out, tut_str_of(r->actor), 100);
        tut_buf_printf(out, " (self-declared, uid %lld)", (long long)r->uid);
        return;
    }
    tut_buf_printf(out, "uid %lld", (long long)r->uid);
}
