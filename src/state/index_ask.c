/* Answers: every question goes through all rows by the statement that was verified, and yields
 * places in the log. */
#include <stdlib.h>

#include "state/index_internal.h"
#include "state/relevant.h"

void tut_places_done(tut_places *p)
{
    tut_free(p->items);
    *p = (tut_places){0};
}

static tut_status add_place(tut_places *p, uint64_t place)
{
    TUT_TRY(tut_grow(&p->items, p->count, &p->capacity, sizeof(*p->items)));
    p->items[p->count++] = place;
    return TUT_SUCCESS;
}

static int by_place(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_once(tut_places *p)
{
    size_t kept = 1;
    if (p->count == 0)
        return;
    qsort(p->items, p->count, sizeof(*p->items), by_place);
    for (size_t i = 1; i < p->count; i++)
        if (p->items[i] != p->items[kept - 1])
            p->items[kept++] = p->items[i];
    p->count = kept;
}

tut_status tut_places_join(tut_places *p, const uint64_t *items, size_t count, tut_error *err)
{
    bool is_sorted = true;
    for (size_t i = 0; i < count; i++) {
        is_sorted = is_sorted && (p->count == 0 || p->items[p->count - 1] < items[i]);
        if (!tut_is_ok(add_place(p, items[i])))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    if (!is_sorted)
        sort_once(p);
    return TUT_SUCCESS;
}

/* --- what can decide a verdict --- */

static tut_status weigh(void *ctx, const tut_row *row, tut_error *err)
{
    return tut_relevant_take(ctx, row, err);
}

tut_status tut_index_relevant(tut_index *index, tut_time until, tut_places *ret_places,
                              tut_error *err)
{
    TUT_AUTO(tut_relevant) r = NULL;
    TUT_TRY(tut_relevant_new(until, &r, err));
    TUT_TRY(tut_index_each(index, weigh, r, err));
    return tut_relevant_places(r, ret_places, err);
}

/* --- search --- */

typedef struct searching {
    const tut_index_query *query;
    tut_places places;
} searching;

static bool names_asset(const tut_row *row, const char *asset)
{
    for (size_t i = 0; i < row->subject_count; i++)
        if (tut_str_eq_z(row->subjects[i].name, asset))
            return true;
    return false;
}

static bool names_clause(const tut_row *row, const char *clause)
{
    for (size_t i = 0; i < row->clause_count; i++)
        if (tut_str_eq_z(row->clauses[i], clause))
            return true;
    return false;
}

static bool is_kind(const tut_row *row, const char *kind)
{
    size_t len = strlen(kind);
    if (len > 0 && kind[len - 1] == '*')
        return tut_str_starts(row->kind, (tut_str){kind, len - 1});
    return tut_str_eq_z(row->kind, kind);
}

static tut_status match(void *ctx, const tut_row *row, tut_error *err)
{
    searching *s = ctx;
    const tut_index_query *q = s->query;
    if (row->at < q->from || row->at > q->to || (q->asset && !names_asset(row, q->asset)) ||
        (q->actor && !tut_str_eq_z(row->actor, q->actor)) ||
        (q->clause && !names_clause(row, q->clause)) || (q->kind && !is_kind(row, q->kind)))
        return TUT_SUCCESS;
    return tut_is_ok(add_place(&s->places, row->index))
               ? TUT_SUCCESS
               : tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_index_search(tut_index *index, const tut_index_query *query, tut_places *ret_places,
                            tut_error *err)
{
    searching s = {.query = query};
    tut_status status = tut_index_each(index, match, &s, err);
    if (tut_is_ok(status))
        *ret_places = s.places;
    else
        tut_places_done(&s.places);
    return status;
}

/* --- the events by which the rest is read --- */

static tut_status take_of_the_ledger(void *ctx, const tut_row *row, tut_error *err)
{
    if (!tut_row_is_of_the_ledger(row) || tut_is_ok(add_place(ctx, row->index)))
        return TUT_SUCCESS;
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_index_of_the_ledger(tut_index *index, tut_places *ret_places, tut_error *err)
{
    tut_places places = {0};
    tut_status status = tut_index_each(index, take_of_the_ledger, &places, err);
    if (tut_is_ok(status))
        *ret_places = places;
    else
        tut_places_done(&places);
    return status;
}
