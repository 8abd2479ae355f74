/* One tree: nodes in the order of their depth, each cut where the loss falls most. */
#include <math.h>
#include <string.h>

#include "nets/trees_internal.h"

typedef struct open_node {
    size_t node, from, count; /* its rows: order[from ...] */
    unsigned depth;
    tut_trees_sums sums;
} open_node;

typedef struct split {
    double gain;
    uint32_t column;
    unsigned bin; /* codes up to this go left */
    tut_trees_sums left;
} split;

static double worth(const tut_trees_sums *s, double penalty)
{
    return s->gradient * s->gradient / (s->curvature + penalty);
}

static void sum_histogram(tut_trees_grower *g, const open_node *n)
{
    size_t columns = g->column_count;
    memset(g->histogram, 0, columns * TUT_TREES_BINS * sizeof(*g->histogram));
    for (size_t i = n->from; i < n->from + n->count; i++) {
        const uint8_t *codes = g->x->codes + (size_t)g->order[i] * g->x->width;
        tut_trees_sums at = g->at[g->order[i]];
        for (size_t k = 0; k < columns; k++) {
            tut_trees_sums *h = &g->histogram[k * TUT_TREES_BINS + codes[g->columns[k]]];
            h->gradient += at.gradient;
            h->curvature += at.curvature;
        }
    }
}

static void best_of_column(const tut_trees_grower *g, const open_node *n, size_t k, split *best)
{
    const tut_trees_sums *h = g->histogram + k * TUT_TREES_BINS;
    double least = g->wish->least, penalty = g->wish->penalty;
    double whole = worth(&n->sums, penalty);
    tut_trees_sums left = {0, 0};
    for (unsigned b = 0; b + 1 < g->x->bins[g->columns[k]]; b++) {
        left.gradient += h[b].gradient;
        left.curvature += h[b].curvature;
        tut_trees_sums right = {n->sums.gradient - left.gradient,
                                n->sums.curvature - left.curvature};
        if (left.curvature < least || right.curvature < least)
            continue;
        double gain = worth(&left, penalty) + worth(&right, penalty) - whole;
        if (gain > best->gain)
            *best = (split){gain, g->columns[k], b, left};
    }
}

/* Rows of the left child first, each side in its old order. Yields how many go left. */
static size_t part(tut_trees_grower *g, const open_node *n, const split *s)
{
    size_t left = 0, right = 0;
    uint32_t *order = g->order + n->from;
    for (size_t i = 0; i < n->count; i++) {
        uint32_t row = order[i];
        if (g->x->codes[(size_t)row * g->x->width + s->column] <= s->bin)
            order[left++] = row;
        else
            g->spare[right++] = row;
    }
    memcpy(order + left, g->spare, right * sizeof(*order));
    return left;
}

static void make_leaf(tut_trees_grower *g, const open_node *n, tut_trees_list *list)
{
    double value = -g->wish->rate * n->sums.gradient / (n->sums.curvature + g->wish->penalty);
    list->items[n->node] = (tut_trees_node){.cut = (float)value};
    for (size_t i = n->from; i < n->from + n->count; i++)
        g->values[g->order[i]] = (float)value;
}

static tut_status add_node(tut_trees_list *list, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&list->items, list->count, &list->capacity, sizeof(*list->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    list->items[list->count++] = (tut_trees_node){.left = 0};
    return TUT_SUCCESS;
}

/* Yields false where the node stays a leaf. */
static bool find_split(tut_trees_grower *g, const open_node *n, split *ret)
{
    *ret = (split){.gain = 1e-9};
    if (n->depth >= g->wish->depth || n->count < 2 || n->sums.curvature < 2 * g->wish->least)
        return false;
    sum_histogram(g, n);
    for (size_t k = 0; k < g->column_count; k++)
        best_of_column(g, n, k, ret);
    return ret->gain > 1e-9;
}

tut_status tut_trees_grow(tut_trees_grower *g, tut_trees_list *list, tut_error *err)
{
    open_node open[(1u << TUT_TREES_DEPTH) + 1];
    size_t first = 0, end = 1;
    open[0] = (open_node){.node = list->count, .count = g->x->count};
    TUT_TRY(add_node(list, err));
    for (size_t i = 0; i < g->x->count; i++) {
        g->order[i] = (uint32_t)i;
        open[0].sums.gradient += g->at[i].gradient;
        open[0].sums.curvature += g->at[i].curvature;
    }
    enum { ROOM = sizeof(open) / sizeof(open[0]) };
    while (first != end) { /* a ring: a level has at most half as many nodes as it holds */
        open_node n = open[first];
        split s;
        first = (first + 1) % ROOM;
        if (!find_split(g, &n, &s)) {
            make_leaf(g, &n, list);
            continue;
        }
        size_t left = part(g, &n, &s), child = list->count;
        TUT_TRY(add_node(list, err));
        TUT_TRY(add_node(list, err));
        const float *cuts = g->x->cuts + (size_t)s.column * (TUT_TREES_BINS - 1);
        list->items[n.node] = (tut_trees_node){cuts[s.bin], s.column, (uint32_t)child};
        open[end] = (open_node){child, n.from, left, n.depth + 1, s.left};
        end = (end + 1) % ROOM;
        open[end] =
            (open_node){child + 1,
                        n.from + left,
                        n.count - left,
                        n.depth + 1,
                        {n.sums.gradient - s.left.gradient, n.sums.curvature - s.left.curvature}};
        end = (end + 1) % ROOM;
    }
    return TUT_SUCCESS;
}
