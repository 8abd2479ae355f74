#include "nets/trees.h"

#include <math.h>
#include <string.h>

#include "base/cage.h"
#include "nets/trees_internal.h"
#include "stats/order.h"
#include "stats/scores.h"

struct tut_trees {
    size_t width, classes, count; /* trees: `classes` a round */
    tut_trees_list nodes;
    uint32_t *roots; /* count */
};

void tut_trees_free(tut_trees *t)
{
    if (!t)
        return;
    tut_free(t->nodes.items);
    tut_free(t->roots);
    tut_free(t);
}

/* --- bins --- */

static void binned_done(tut_trees_binned *b)
{
    tut_free(b->codes);
    tut_free(b->cuts);
    tut_free(b->bins);
}

/* Cuts lie halfway between values that differ, so that each bin holds about as many rows; where
 * there are few values each has its own. */
static unsigned find_cuts(const float *sorted, size_t count, float *cuts)
{
    unsigned found = 0;
    size_t distinct = 1;
    for (size_t i = 1; i < count; i++)
        distinct += sorted[i] > sorted[i - 1];
    size_t since = 0, bin = distinct <= TUT_TREES_BINS ? 1 : count / TUT_TREES_BINS + 1;
    for (size_t i = 1; i < count && found + 1 < TUT_TREES_BINS; i++) {
        since++;
        if (since < bin || !(sorted[i] > sorted[i - 1]))
            continue;
        float middle = sorted[i - 1] + (sorted[i] - sorted[i - 1]) / 2;
        cuts[found++] = middle < sorted[i] ? middle : sorted[i - 1];
        since = 0;
    }
    return found;
}

static uint8_t code_of(const float *cuts, unsigned count, float x)
{
    unsigned low = 0, high = count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (cuts[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint8_t)low;
}

static size_t row_of(const tut_trees_rows *x, size_t i)
{
    return x->pick ? x->pick[i] : i;
}

static tut_status make_bins(const tut_trees_rows *x, tut_trees_binned *b, tut_error *err)
{
    TUT_AUTO_FREE float *sorted = tut_alloc_array(x->picked + 1, 2 * sizeof(*sorted));
    b->count = x->picked;
    b->width = x->width;
    b->codes = tut_alloc_array(x->picked, x->width);
    b->cuts = tut_alloc_array(x->width, (TUT_TREES_BINS - 1) * sizeof(*b->cuts));
    b->bins = tut_alloc_array(x->width, 1);
    if (!sorted || !b->codes || !b->cuts || !b->bins)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t c = 0; c < x->width; c++) {
        float *cuts = b->cuts + c * (TUT_TREES_BINS - 1);
        for (size_t i = 0; i < x->picked; i++)
            sorted[i] = x->rows[row_of(x, i) * x->width + c];
        tut_order_f32(sorted, sorted + x->picked, x->picked);
        unsigned found = find_cuts(sorted, x->picked, cuts);
        b->bins[c] = (uint8_t)(found + 1);
        for (size_t i = 0; i < x->picked; i++)
            b->codes[i * x->width + c] = code_of(cuts, found, x->rows[row_of(x, i) * x->width + c]);
    }
    return TUT_SUCCESS;
}

/* --- boosting --- */

typedef struct boost {
    const tut_trees_rows *x;
    tut_trees_wish wish;
    tut_trees_binned binned;
    tut_trees_grower grower;
    double *scores, *shares; /* picked x classes */
    uint32_t *live;          /* columns that can tell anything */
    size_t live_count;
    tut_seeded random;
} boost;

static void boost_done(boost *b)
{
    binned_done(&b->binned);
    tut_free(b->grower.at);
    tut_free(b->grower.order);
    tut_free(b->grower.spare);
    tut_free(b->grower.columns);
    tut_free(b->grower.histogram);
    tut_free(b->grower.values);
    tut_free(b->scores);
    tut_free(b->shares);
    tut_free(b->live);
}

static tut_status boost_init(boost *b, tut_error *err)
{
    size_t n = b->x->picked, cells = n * b->x->classes;
    tut_trees_grower *g = &b->grower;
    TUT_TRY(make_bins(b->x, &b->binned, err));
    *g = (tut_trees_grower){.x = &b->binned, .wish = &b->wish};
    g->at = tut_alloc_array(n, sizeof(*g->at));
    g->order = tut_alloc_array(n, sizeof(*g->order));
    g->spare = tut_alloc_array(n, sizeof(*g->spare));
    g->columns = tut_alloc_array(b->x->width, sizeof(*g->columns));
    g->values = tut_alloc_array(n, sizeof(*g->values));
    b->scores = tut_alloc_array(cells, sizeof(*b->scores));
    b->shares = tut_alloc_array(cells, sizeof(*b->shares));
    b->live = tut_alloc_array(b->x->width, sizeof(*b->live));
    if (!g->at || !g->order || !g->spare || !g->columns || !g->values || !b->scores || !b->shares ||
        !b->live)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t c = 0; c < b->x->width; c++)
        if (b->binned.bins[c] > 1)
            b->live[b->live_count++] = (uint32_t)c;
    g->column_count = b->live_count < b->wish.columns_most ? b->live_count : b->wish.columns_most;
    g->histogram = tut_alloc_array(g->column_count + 1, TUT_TREES_BINS * sizeof(*g->histogram));
    return g->histogram ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static void draw_columns(boost *b)
{
    for (size_t k = 0; k < b->grower.column_count; k++) {
        size_t at = k + (size_t)tut_seeded_below(&b->random, b->live_count - k);
        uint32_t column = b->live[at];
        b->live[at] = b->live[k];
        b->live[k] = column;
        b->grower.columns[k] = column;
    }
}

static double wanted_of(const boost *b, size_t i, size_t c)
{
    size_t row = row_of(b->x, i);
    if (b->x->wanted)
        return (double)b->x->wanted[row * b->x->classes + c];
    return b->x->labels[row] == c;
}

/* One tree of each class, all from the shares before the round. */
static tut_status boost_round(boost *b, tut_trees *t, tut_error *err)
{
    size_t classes = b->x->classes;
    double factor = (double)classes / (double)(classes - 1);
    for (size_t i = 0; i < b->x->picked; i++)
        tut_softmax(b->scores + i * classes, classes, b->shares + i * classes);
    for (size_t c = 0; c < classes; c++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        for (size_t i = 0; i < b->x->picked; i++) {
            double p = b->shares[i * classes + c];
            b->grower.at[i] = (tut_trees_sums){p - wanted_of(b, i, c),
                                               fmax(factor * p * (1 - p), 1e-12)};
        }
        draw_columns(b);
        t->roots[t->count] = (uint32_t)t->nodes.count;
        TUT_TRY(tut_trees_grow(&b->grower, &t->nodes, err));
        t->count++;
        for (size_t i = 0; i < b->x->picked; i++)
            b->scores[i * classes + c] += (double)b->grower.values[i];
    }
    return TUT_SUCCESS;
}

static tut_trees_wish filled_in(const tut_trees_wish *wish)
{
    tut_trees_wish w = *wish;
    w.rounds = w.rounds ? w.rounds : 60;
    w.depth = w.depth ? w.depth : 5;
    w.depth = w.depth < TUT_TREES_DEPTH ? w.depth : TUT_TREES_DEPTH;
    w.rate = w.rate > 0 ? w.rate : 0.15;
    w.penalty = w.penalty > 0 ? w.penalty : 1;
    w.least = w.least > 0 ? w.least : 0.5;
    w.columns_most = w.columns_most ? w.columns_most : 64;
    return w;
}

tut_status tut_trees_fit(const tut_trees_rows *x, const tut_trees_wish *wish, tut_trees **ret_trees,
                         tut_error *err)
{
    if (x->classes < 2 || x->picked == 0 || x->width == 0)
        return tut_fail(err, TUT_USAGE, "trees need rows, columns, and two classes");
    TUT_CLEAN(boost) b = {.x = x, .wish = filled_in(wish), .random = tut_seeded_of(wish->seed)};
    TUT_TRY(boost_init(&b, err));
    TUT_AUTO(tut_trees) t = tut_alloc_array(1, sizeof(*t));
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->width = x->width;
    t->classes = x->classes;
    t->roots = tut_alloc_array(b.wish.rounds, x->classes * sizeof(*t->roots));
    if (!t->roots)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (unsigned r = 0; r < b.wish.rounds; r++)
        TUT_TRY(boost_round(&b, t, err));
    *ret_trees = tut_move(&t);
    return TUT_SUCCESS;
}

/* --- what they say --- */

static float value_of(const tut_trees *t, size_t tree, const float *row)
{
    const tut_trees_node *all = t->nodes.items, *n = &all[t->roots[tree]];
    while (n->left)
        n = &all[n->left + !(row[n->column] <= n->cut)];
    return n->cut;
}

void tut_trees_predict(const tut_trees *t, const float *rows, size_t count, float *ret)
{
    for (size_t i = 0; i < count; i++) {
        const float *row = rows + i * t->width;
        float *to = ret + i * t->classes;
        for (size_t c = 0; c < t->classes; c++) {
            to[c] = 0;
            for (size_t k = c; k < t->count; k += t->classes)
                to[c] += value_of(t, k, row);
        }
        tut_softmax_f(to, t->classes, to);
    }
}
