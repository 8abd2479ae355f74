#include "data/burst.h"

#include <stdlib.h>

#include "stats/fdr.h"
#include "stats/tails.h"

enum { CELLS = 1 << 24 };
static const double most_q = 1e-3;

/* By kind: how many times as often as elsewhere, and how much more of the source's rows. */
static const struct {
    double times, more;
} effects[TUT_BURST_KINDS] = {
    [TUT_BURST_LABEL] = {1.5, 0.2}, [TUT_BURST_WINDOW] = {4, 0.2}, [TUT_BURST_REPEAT] = {3, 0.2}};

typedef struct finder {
    size_t count, source_count;
    const uint32_t *sources;
    uint64_t *rows; /* of each source */
    tut_bursts *found;
} finder;

void tut_bursts_done(tut_bursts *b)
{
    tut_free(b->items);
    *b = (tut_bursts){0};
}

static bool has_effect(const tut_burst *b)
{
    double here = (double)b->of_source / (double)b->rows_of_source;
    double there = (double)b->of_others / (double)b->rows_of_others;
    return here >= effects[b->kind].times * there && here - there >= effects[b->kind].more;
}

static int by_p(const void *a, const void *b)
{
    const tut_burst *x = a, *y = b;
    if (x->p < y->p || x->p > y->p)
        return x->p < y->p ? -1 : 1;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return (x->which > y->which) - (x->which < y->which);
}

typedef struct tests {
    tut_burst *items;
    size_t count, capacity;
} tests;

static tut_status settle(finder *f, tests *t, tut_error *err)
{
    TUT_AUTO_FREE double *q = tut_alloc_array(t->count + 1, sizeof(*q));
    if (!q)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (t->count > 0)
        qsort(t->items, t->count, sizeof(*t->items), by_p);
    for (size_t i = 0; i < t->count; i++)
        q[i] = t->items[i].p;
    if (!tut_is_ok(tut_fdr(q, t->count, t->count, q)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->count && q[i] <= most_q; i++) {
        t->items[i].q = q[i];
        if (!has_effect(&t->items[i]))
            continue;
        if (!tut_is_ok(tut_grow(&f->found->items, f->found->count, &f->found->capacity,
                                sizeof(*f->found->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        f->found->items[f->found->count++] = t->items[i];
    }
    return TUT_SUCCESS;
}

/* One test for each source that is large enough and each group that it has rows of. counts:
 * source_count x groups. */
static tut_status make_tests(finder *f, tut_burst_kind kind, const uint32_t *counts, size_t groups,
                             size_t first_group, tests *t, tut_error *err)
{
    TUT_AUTO_FREE uint64_t *all = tut_alloc_array(groups, sizeof(*all));
    if (!all)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < f->source_count * groups; i++)
        all[i % groups] += counts[i];
    for (uint32_t s = 0; s < f->source_count; s++) {
        if (f->rows[s] < TUT_BURST_ROWS || f->rows[s] == f->count)
            continue;
        for (size_t g = first_group; g < groups; g++) {
            uint64_t here = counts[s * groups + g];
            if (here == 0)
                continue;
            if (!tut_is_ok(tut_grow(&t->items, t->count, &t->capacity, sizeof(*t->items))))
                return tut_fail(err, TUT_NOMEM, "memory ran out");
            t->items[t->count++] =
                (tut_burst){.kind = kind,
                            .source = s,
                            .which = (uint32_t)g,
                            .of_source = here,
                            .rows_of_source = f->rows[s],
                            .of_others = all[g] - here,
                            .rows_of_others = f->count - f->rows[s],
                            .p = tut_tail_hypergeometric(here, f->rows[s], all[g], f->count)};
        }
    }
    return TUT_SUCCESS;
}

/* group_of: the group of a row; ctx of its own. first_group: those below are not tested. */
typedef size_t (*grouping)(const void *ctx, size_t row, size_t count);

static tut_status test_kind(finder *f, tut_burst_kind kind, grouping group_of, const void *ctx,
                            size_t groups, size_t first_group, tut_error *err)
{
    tests t = {0};
    if (groups > CELLS / f->source_count)
        return TUT_SUCCESS;
    TUT_AUTO_FREE uint32_t *counts = tut_alloc_array(f->source_count * groups, sizeof(*counts));
    if (!counts)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < f->count; i++)
        counts[f->sources[i] * groups + group_of(ctx, i, f->count)]++;
    tut_status s = make_tests(f, kind, counts, groups, first_group, &t, err);
    if (tut_is_ok(s))
        s = settle(f, &t, err);
    tut_free(t.items);
    return s;
}

static size_t label_of(const void *ctx, size_t row, size_t count)
{
    (void)count;
    return ((const uint32_t *)ctx)[row];
}

static size_t window_of(const void *ctx, size_t row, size_t count)
{
    (void)ctx;
    return (size_t)((uint64_t)row * TUT_BURST_WINDOWS / count);
}

static size_t repeat_of(const void *ctx, size_t row, size_t count)
{
    (void)count;
    return ((const uint8_t *)ctx)[row] != 0;
}

/* Half or more of the rows that could follow one of another source do not. */
static bool is_grouped(const finder *f)
{
    double same = 0, chance = 0, pairs = (double)(f->count - 1);
    for (size_t i = 1; i < f->count; i++)
        same += f->sources[i] == f->sources[i - 1];
    for (size_t s = 0; s < f->source_count; s++) {
        double share = (double)f->rows[s] / (double)f->count;
        chance += share * share;
    }
    return same / pairs - chance > (1 - chance) / 2;
}

static tut_status find(finder *f, const uint32_t *labels, size_t classes, const uint8_t *repeats,
                       tut_error *err)
{
    for (size_t i = 0; i < f->count; i++)
        f->rows[f->sources[i]]++;
    f->found->is_grouped = is_grouped(f);
    if (labels && classes > 1)
        TUT_TRY(test_kind(f, TUT_BURST_LABEL, label_of, labels, classes, 0, err));
    if (!f->found->is_grouped)
        TUT_TRY(test_kind(f, TUT_BURST_WINDOW, window_of, NULL, TUT_BURST_WINDOWS, 0, err));
    if (repeats)
        TUT_TRY(test_kind(f, TUT_BURST_REPEAT, repeat_of, repeats, 2, 1, err));
    return TUT_SUCCESS;
}

tut_status tut_burst_find(size_t count, const uint32_t *sources, size_t source_count,
                          const uint32_t *labels, size_t classes, const uint8_t *repeats,
                          tut_bursts *ret_bursts, tut_error *err)
{
    tut_bursts found = {0};
    finder f = {.count = count, .source_count = source_count, .sources = sources, .found = &found};
    if (source_count == 0 || source_count > TUT_BURST_SOURCES)
        return tut_fail(err, TUT_USAGE, "%zu sources cannot be compared", source_count);
    *ret_bursts = found;
    if (count < 2 || source_count < 2)
        return TUT_SUCCESS;
    TUT_AUTO_FREE uint64_t *rows = tut_alloc_array(source_count, sizeof(*rows));
    if (!rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f.rows = rows;
    tut_status s = find(&f, labels, classes, repeats, err);
    if (tut_is_ok(s))
        *ret_bursts = found;
    else
        tut_bursts_done(&found);
    return s;
}
