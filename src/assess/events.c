#include "assess/events.h"

#include "assess/evaluate_internal.h"
#include "base/map.h"
#include "store/version.h"

struct tut_events {
    tut_map by_name; /* to places in first */
    size_t *first;
    tut_event *items;
    size_t count;
};

void tut_events_free(tut_events *e)
{
    if (!e)
        return;
    tut_map_done(&e->by_name);
    tut_free(e->first);
    tut_free(e->items);
    tut_free(e);
}

static bool is_named_before(const tut_record *r, size_t subject)
{
    for (size_t k = 0; k < subject; k++)
        if (strcmp(r->subjects[k].name, r->subjects[subject].name) == 0)
            return true;
    return false;
}

/* Taken from the end, so that each chain is in the order of the log. */
static tut_status take(tut_events *e, const tut_record *r, tut_error *err)
{
    for (size_t k = 0; k < r->subject_count; k++) {
        size_t fresh = e->by_name.count, at;
        if (is_named_before(r, k))
            continue;
        TUT_TRY(tut_map_put(&e->by_name, tut_str_of(r->subjects[k].name), fresh, &at, err));
        e->items[e->count] = (tut_event){
            .record = r, .subject = &r->subjects[k], .next = at == fresh ? SIZE_MAX : e->first[at]};
        e->first[at] = e->count++;
    }
    return TUT_SUCCESS;
}

tut_status tut_events_new(const tut_records *records, tut_events **ret_events, tut_error *err)
{
    TUT_AUTO(tut_events) e = tut_alloc_array(1, sizeof(*e));
    size_t most = 0;
    for (size_t i = 0; i < records->count; i++)
        most += records->items[i].type == TUT_RECORD_EVENT ? records->items[i].subject_count : 0;
    if (e) {
        e->first = tut_alloc_array(most + 1, sizeof(*e->first));
        e->items = tut_alloc_array(most + 1, sizeof(*e->items));
    }
    if (!e || !e->first || !e->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = records->count; i-- > 0;)
        if (records->items[i].type == TUT_RECORD_EVENT)
            TUT_TRY(take(e, &records->items[i], err));
    *ret_events = tut_move(&e);
    return TUT_SUCCESS;
}

const tut_event *tut_events_first(const tut_events *e, const char *name)
{
    size_t at = tut_map_get(&e->by_name, tut_str_of(name));
    return at != SIZE_MAX ? &e->items[e->first[at]] : NULL;
}

const tut_event *tut_events_next(const tut_events *e, const tut_event *event)
{
    return event->next != SIZE_MAX ? &e->items[event->next] : NULL;
}

static bool is_of_its_life(const char *event)
{
    return strcmp(event, TUT_EVENT_ASSET_CHANGED) != 0 && strcmp(event, TUT_EVENT_VERSIONED) != 0 &&
           strcmp(event, TUT_EVENT_PRUNED) != 0;
}

static bool names_digest(const tut_event *event, const tut_sha256 *digest)
{
    const tut_record *r = event->record;
    for (size_t k = 0; k < r->subject_count; k++)
        if (strcmp(r->subjects[k].name, event->subject->name) == 0 &&
            tut_sha256_eq(&r->subjects[k].digest, digest))
            return true;
    return false;
}

size_t tut_events_of_life(const tut_events *e, const char *name, const tut_sha256 *digest)
{
    size_t count = 0;
    for (const tut_event *at = tut_events_first(e, name); at; at = tut_events_next(e, at))
        count += !at->record->doubt && is_of_its_life(at->record->check) &&
                 names_digest(at, digest);
    return count;
}
