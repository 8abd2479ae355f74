/* Answers: every question goes through all rows by the statement that was verified, and yields
 * places in the log. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "crypto/merkle.h"
#include "state/index_internal.h"

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

typedef struct group { /* rows that a later one of the same replaces */
    tut_sha256 key;
    uint64_t newest, before; /* place + 1; 0: none */
} group;

typedef struct grouping {
    tut_time until;
    group *items;
    size_t count, capacity;
    uint32_t *slots; /* item + 1; open addressing */
    size_t slot_count;
    uint64_t multiplier; /* secret, so that nobody can aim at a slot */
    tut_buf scratch;
    tut_places places;
} grouping;

static void grouping_done(grouping *g)
{
    tut_free(g->items);
    tut_free(g->slots);
    tut_buf_done(&g->scratch);
    tut_places_done(&g->places);
}

static uint32_t *slot_of(const grouping *g, const tut_sha256 *key)
{
    uint64_t word = 0;
    memcpy(&word, key->bytes, sizeof(word));
    size_t at = (size_t)((word * g->multiplier) >> 32) & (g->slot_count - 1);
    while (g->slots[at] && !tut_sha256_eq(&g->items[g->slots[at] - 1].key, key))
        at = (at + 1) & (g->slot_count - 1);
    return &g->slots[at];
}

static tut_status grow_slots(grouping *g)
{
    size_t slot_count = g->slot_count ? g->slot_count * 2 : 256;
    uint32_t *slots = tut_alloc_array(slot_count, sizeof(*slots));
    if (!slots)
        return (tut_status){TUT_NOMEM};
    tut_free(g->slots);
    g->slots = slots;
    g->slot_count = slot_count;
    for (size_t i = 0; i < g->count; i++)
        *slot_of(g, &g->items[i].key) = (uint32_t)i + 1;
    return TUT_SUCCESS;
}

static tut_status group_of(grouping *g, const tut_sha256 *key, group **ret)
{
    if (g->count >= g->slot_count / 2)
        TUT_TRY(grow_slots(g));
    uint32_t *slot = slot_of(g, key);
    if (!*slot) {
        if (g->count >= UINT32_MAX / 2)
            return (tut_status){TUT_LIMIT};
        TUT_TRY(tut_grow(&g->items, g->count, &g->capacity, sizeof(*g->items)));
        g->items[g->count] = (group){.key = *key};
        *slot = (uint32_t)++g->count;
    }
    *ret = &g->items[*slot - 1];
    return TUT_SUCCESS;
}

static tut_status group_key(grouping *g, const tut_row *row, const tut_row_subject *subject,
                            tut_sha256 *ret)
{
    tut_buf *b = &g->scratch;
    tut_buf_clear(b);
    tut_buf_add_byte(b, (uint8_t)row->type);
    tut_buf_add_byte(b, (uint8_t)row->method);
    tut_buf_add_sized(b, row->is_record ? row->check : row->kind);
    tut_buf_add_sized(b, row->actor);
    tut_buf_add_sized(b, subject->name);
    tut_buf_add(b, subject->digest.bytes, TUT_SHA256_BYTES);
    for (size_t i = 0; i < row->clause_count; i++)
        tut_buf_add_sized(b, row->clauses[i]);
    TUT_TRY(tut_buf_check(b, NULL));
    tut_merkle_leaf(tut_buf_span(b), ret);
    return TUT_SUCCESS;
}

/* The events by which everything else is read. */
static bool is_of_the_ledger(const tut_row *row)
{
    static const tut_str beginnings[] = {
        {"ledger.", 7}, {"people.", 7}, {"tool.", 5}, {"log.", 4}, {"system.", 7}};
    bool is_event = !row->is_record || row->type == TUT_RECORD_EVENT;
    for (size_t i = 0; is_event && i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (tut_str_starts(row->kind, beginnings[i]))
            return true;
    return false;
}

static tut_status take_in(void *ctx, const tut_row *row, tut_error *err)
{
    grouping *g = ctx;
    tut_status status = TUT_SUCCESS;
    if (row->recorded_at > g->until) /* what was recorded since, whatever time it says it is of */
        return status;
    if (is_of_the_ledger(row))
        status = add_place(&g->places, row->index);
    for (size_t i = 0; i < row->subject_count && row->at <= g->until && tut_is_ok(status); i++) {
        tut_sha256 key;
        group *found = NULL;
        status = group_key(g, row, &row->subjects[i], &key);
        if (tut_is_ok(status))
            status = group_of(g, &key, &found);
        if (tut_is_ok(status) && found->newest != row->index + 1) {
            found->before = found->newest;
            found->newest = row->index + 1;
        }
    }
    return tut_is_ok(status) ? status : tut_fail(err, status.code, "memory ran out");
}

static tut_status collect(grouping *g)
{
    for (size_t i = 0; i < g->count; i++) {
        TUT_TRY(add_place(&g->places, g->items[i].newest - 1));
        if (g->items[i].before)
            TUT_TRY(add_place(&g->places, g->items[i].before - 1));
    }
    sort_once(&g->places);
    return TUT_SUCCESS;
}

tut_status tut_index_relevant(tut_index *index, tut_time until, tut_places *ret_places,
                              tut_error *err)
{
    __attribute__((cleanup(grouping_done))) grouping g = {.until = until};
    if (getrandom(&g.multiplier, sizeof(g.multiplier), 0) != (ssize_t)sizeof(g.multiplier))
        return tut_fail_errno(err, errno, "no random bytes");
    g.multiplier |= 1;
    TUT_TRY(tut_index_each(index, take_in, &g, err));
    tut_status status = collect(&g);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "memory ran out");
    *ret_places = g.places;
    g.places = (tut_places){0};
    return TUT_SUCCESS;
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
    if (!is_of_the_ledger(row) || tut_is_ok(add_place(ctx, row->index)))
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
