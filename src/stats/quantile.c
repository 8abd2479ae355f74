#include "stats/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
    LEVEL_LEAST = 64,      /* items that a level holds at least: small ones only cost time */
    SAMPLE_FROM = 8 << 10, /* numbers before the first is left out */
    SAMPLE_SHIFT_MAX = 20
};

void tut_quantiles_init(tut_quantiles *q, unsigned k, uint64_t seed)
{
    *q = (tut_quantiles){.k = k, .random = seed};
}

void tut_quantiles_done(tut_quantiles *q)
{
    for (unsigned i = 0; i < TUT_QUANTILE_LEVELS; i++)
        tut_free(q->levels[i].items);
    *q = (tut_quantiles){.k = q->k, .random = q->random};
}

/* splitmix64 */
static inline uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Two thirds of the level above, each. */
static uint32_t room_of(const tut_quantiles *q, unsigned level)
{
    uint32_t room = q->k;
    for (unsigned i = level; i < q->top && room > LEVEL_LEAST; i++)
        room = room * 2 / 3;
    return room > LEVEL_LEAST ? room & ~1u : LEVEL_LEAST;
}

static bool make_room(tut_quantile_level *l, size_t more)
{
    size_t need = l->size + more;
    if (need <= l->capacity)
        return true;
    size_t capacity = l->capacity ? l->capacity : LEVEL_LEAST;
    while (capacity < need)
        capacity *= 2;
    double *items = tut_realloc_array(l->items, capacity, sizeof(*items));
    if (!items)
        return false;
    l->items = items;
    l->capacity = (uint32_t)capacity;
    return true;
}

static inline void order(double *v, size_t a, size_t b)
{
    double x = v[a];
    double y = v[b];
    v[a] = x < y ? x : y;
    v[b] = x < y ? y : x;
}

/* Of two runs that are in order one; which of them is next decides no jump. */
static void merge_runs(const double *a, const double *a_end, const double *b, const double *b_end,
                       double *to)
{
    while (a < a_end && b < b_end) {
        bool is_b = *b < *a;
        *to++ = is_b ? *b : *a;
        b += is_b;
        a += !is_b;
    }
    memcpy(to, a, (size_t)(a_end - a) * sizeof(*a));
    memcpy(to + (a_end - a), b, (size_t)(b_end - b) * sizeof(*b));
}

/* Merge sort from runs of four; spare has as much room. */
static void sort(double *v, size_t count, double *spare)
{
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        order(v + i, 0, 1);
        order(v + i, 2, 3);
        order(v + i, 0, 2);
        order(v + i, 1, 3);
        order(v + i, 1, 2);
    }
    for (size_t k = i + 1; k < count; k++)
        for (size_t n = k; n > i; n--)
            order(v, n - 1, n);
    double *from = v;
    double *to = spare;
    for (size_t run = 4; run < count; run *= 2) {
        for (size_t at = 0; at < count; at += 2 * run) {
            size_t middle = at + run < count ? at + run : count;
            size_t end = middle + run < count ? middle + run : count;
            merge_runs(from + at, from + middle, from + middle, from + end, to + at);
        }
        double *done = to;
        to = from;
        from = done;
    }
    if (from != v)
        memcpy(v, from, count * sizeof(*v));
}

static tut_status sort_level(tut_quantile_level *l, tut_error *err)
{
    double few[1024];
    bool is_sorted = l->is_sorted || l->size < 2;
    l->is_sorted = true;
    if (is_sorted)
        return TUT_SUCCESS;
    if (l->size <= sizeof(few) / sizeof(few[0])) {
        sort(l->items, l->size, few);
        return TUT_SUCCESS;
    }
    TUT_AUTO_FREE double *many = tut_alloc_array(l->size, sizeof(*many));
    if (!many)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    sort(l->items, l->size, many);
    return TUT_SUCCESS;
}

/* Every second item of `from`, beginning with the first or second, into the level above, in order.
 */
static void raise_half(tut_quantile_level *from, size_t count, size_t first,
                       tut_quantile_level *above)
{
    size_t half = count / 2;
    size_t a = above->size;
    size_t to = a + half;
    above->size = (uint32_t)to;
    while (half > 0) { /* from behind, where the room is */
        double low = from->items[2 * (half - 1) + first];
        if (a > 0 && above->items[a - 1] > low) {
            above->items[--to] = above->items[--a];
        } else {
            above->items[--to] = low;
            half--;
        }
    }
}

static tut_status compact(tut_quantiles *q, unsigned level, tut_error *err)
{
    tut_quantile_level *l = &q->levels[level];
    tut_quantile_level *above = &q->levels[level + 1];
    if (level + 1 >= TUT_QUANTILE_LEVELS)
        return tut_fail(err, TUT_LIMIT, "too many numbers for a sketch");
    size_t count = l->size & ~1u;
    if (!make_room(above, count / 2))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(sort_level(l, err));
    TUT_TRY(sort_level(above, err));
    raise_half(l, count, draw(&q->random) & 1, above);
    if (l->size & 1)
        l->items[0] = l->items[l->size - 1]; /* the odd one stays */
    l->size &= 1;
    l->is_sorted = true;
    if (level + 1 > q->top)
        q->top = level + 1;
    return TUT_SUCCESS;
}

static tut_status compress(tut_quantiles *q, tut_error *err)
{
    for (unsigned level = 0; level <= q->top; level++)
        if (q->levels[level].size >= room_of(q, level))
            TUT_TRY(compact(q, level, err));
    return TUT_SUCCESS;
}

static tut_status add_level(tut_quantiles *q, const double *values, size_t count, unsigned level,
                            tut_error *err)
{
    if (level >= TUT_QUANTILE_LEVELS - 1)
        return tut_fail(err, TUT_LIMIT, "too many numbers for a sketch");
    q->top = level > q->top ? level : q->top;
    tut_quantile_level *l = &q->levels[level];
    while (count > 0) {
        size_t room = room_of(q, level);
        size_t n = l->size < room ? room - l->size : 1;
        n = n < count ? n : count;
        if (!make_room(l, n))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        memcpy(l->items + l->size, values, n * sizeof(*values));
        l->size += (uint32_t)n;
        l->is_sorted = false;
        values += n;
        count -= n;
        if (l->size >= room)
            TUT_TRY(compress(q, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_quantiles_add(tut_quantiles *q, const double *values, size_t count, unsigned shift,
                             tut_error *err)
{
    q->count += (uint64_t)count << shift;
    return add_level(q, values, count, shift, err);
}

tut_status tut_quantiles_merge(tut_quantiles *q, const tut_quantiles *from, tut_error *err)
{
    q->count += from->count;
    for (unsigned i = 0; i < TUT_QUANTILE_LEVELS - 1; i++)
        if (from->levels[i].size)
            TUT_TRY(add_level(q, from->levels[i].items, from->levels[i].size, i, err));
    return TUT_SUCCESS;
}

double tut_quantiles_share(const tut_quantiles *q, double x)
{
    uint64_t below = 0;
    for (unsigned i = 0; i < TUT_QUANTILE_LEVELS; i++)
        for (uint32_t k = 0; k < q->levels[i].size; k++)
            below += (uint64_t)(q->levels[i].items[k] <= x) << i;
    return q->count ? (double)below / (double)q->count : NAN;
}

size_t tut_quantiles_items(const tut_quantiles *q)
{
    size_t count = 0;
    for (unsigned i = 0; i < TUT_QUANTILE_LEVELS; i++)
        count += q->levels[i].size;
    return count;
}

/* --- the items in order --- */

typedef struct weighed {
    double value;
    uint64_t weight;
} weighed;

static int by_value(const void *a, const void *b)
{
    double x = ((const weighed *)a)->value;
    double y = ((const weighed *)b)->value;
    return (x > y) - (x < y);
}

tut_status tut_quantiles_view(const tut_quantiles *q, tut_quantile_view *ret, tut_error *err)
{
    size_t count = tut_quantiles_items(q);
    tut_quantile_view v = {.count = count};
    TUT_AUTO_FREE weighed *all = tut_alloc_array(count ? count : 1, sizeof(*all));
    v.values = tut_alloc_array(count ? count : 1, sizeof(*v.values));
    v.ranks = tut_alloc_array(count ? count : 1, sizeof(*v.ranks));
    if (!all || !v.values || !v.ranks) {
        tut_quantile_view_done(&v);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    size_t at = 0;
    for (unsigned i = 0; i < TUT_QUANTILE_LEVELS; i++)
        for (uint32_t k = 0; k < q->levels[i].size; k++)
            all[at++] = (weighed){q->levels[i].items[k], 1ull << i};
    qsort(all, count, sizeof(*all), by_value);
    for (size_t i = 0; i < count; i++) {
        v.values[i] = all[i].value;
        v.total += all[i].weight;
        v.ranks[i] = v.total;
    }
    *ret = v;
    return TUT_SUCCESS;
}

void tut_quantile_view_done(tut_quantile_view *v)
{
    tut_free(v->values);
    tut_free(v->ranks);
    *v = (tut_quantile_view){0};
}

double tut_quantile_at(const tut_quantile_view *v, double p)
{
    if (v->count == 0)
        return NAN;
    double wanted = p * (double)v->total;
    size_t low = 0;
    size_t high = v->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((double)v->ranks[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return v->values[low];
}

double tut_quantile_share(const tut_quantile_view *v, double x)
{
    size_t low = 0;
    size_t high = v->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v->values[middle] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    if (v->count == 0)
        return NAN;
    return low ? (double)v->ranks[low - 1] / (double)v->total : 0;
}

/* --- a share of many --- */

unsigned tut_sample_shift(uint64_t seen)
{
    unsigned shift = 0;
    while (shift < SAMPLE_SHIFT_MAX && seen >> (shift + 1) >= SAMPLE_FROM)
        shift++;
    return shift;
}

size_t tut_sample(size_t count, unsigned shift, uint64_t *random, uint32_t *at, uint8_t *shifts)
{
    size_t taken = 0;
    size_t from = 0;
    for (unsigned s = shift + 1; s-- > 0;) {
        size_t block = (size_t)1 << s;
        for (; count - from >= block; from += block) {
            at[taken] = (uint32_t)(from + (s ? draw(random) & (block - 1) : 0));
            shifts[taken++] = (uint8_t)s;
        }
    }
    return taken;
}
