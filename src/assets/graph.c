#include "assets/graph.h"

enum { MOST = INT32_MAX };

void tut_graph_done(tut_graph *g)
{
    tut_free(g->edges);
    tut_free(g->used.first);
    tut_free(g->used.at);
    tut_free(g->users.first);
    tut_free(g->users.at);
    *g = (tut_graph){0};
}

void tut_walk_done(tut_walk *w)
{
    tut_free(w->nodes);
    tut_free(w->from);
    tut_free(w->distance);
    *w = (tut_walk){0};
}

tut_status tut_graph_node(tut_graph *g, uint32_t *ret_node, tut_error *err)
{
    if (g->node_count >= MOST)
        return tut_fail(err, TUT_LIMIT, "more assets than a graph can hold");
    *ret_node = g->node_count++;
    return TUT_SUCCESS;
}

tut_status tut_graph_edge(tut_graph *g, uint32_t from, uint32_t to, tut_error *err)
{
    if (from >= g->node_count || to >= g->node_count)
        return tut_fail(err, TUT_BUG, "an edge between nodes that are not there");
    if (g->edge_count >= MOST)
        return tut_fail(err, TUT_LIMIT, "more dependencies than a graph can hold");
    tut_status status = tut_grow(&g->edges, g->edge_count, &g->edge_capacity, sizeof(*g->edges));
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "memory ran out");
    g->edges[g->edge_count++] = (tut_edge){from, to};
    return TUT_SUCCESS;
}

/* Counting sort of the edges by one of their ends. */
static tut_status arrange(const tut_graph *g, bool by_from, tut_adjacency *a, tut_error *err)
{
    a->first = tut_alloc_array((size_t)g->node_count + 2, sizeof(*a->first));
    a->at = tut_alloc_array(g->edge_count + 1, sizeof(*a->at));
    if (!a->first || !a->at)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    /* first[n + 1] counts, then is where n's begin, and ends as where n + 1's do. */
    for (size_t i = 0; i < g->edge_count; i++)
        a->first[(by_from ? g->edges[i].from : g->edges[i].to) + 2]++;
    for (size_t n = 2; n < (size_t)g->node_count + 2; n++)
        a->first[n] += a->first[n - 1];
    for (size_t i = 0; i < g->edge_count; i++) {
        uint32_t key = by_from ? g->edges[i].from : g->edges[i].to;
        a->at[a->first[key + 1]++] = by_from ? g->edges[i].to : g->edges[i].from;
    }
    return TUT_SUCCESS;
}

tut_status tut_graph_freeze(tut_graph *g, tut_error *err)
{
    TUT_TRY(arrange(g, true, &g->used, err));
    return arrange(g, false, &g->users, err);
}

static tut_status begin(const tut_graph *g, tut_walk *w, tut_error *err)
{
    size_t count = (size_t)g->node_count + 1;
    w->nodes = tut_alloc_array(count, sizeof(*w->nodes));
    w->from = tut_alloc_array(count, sizeof(*w->from));
    w->distance = tut_alloc_array(count, sizeof(*w->distance));
    if (!w->nodes || !w->from || !w->distance)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        w->from[i] = TUT_NODE_NONE;
    return TUT_SUCCESS;
}

static void reach(tut_walk *w, uint32_t node, uint32_t from)
{
    if (w->from[node] != TUT_NODE_NONE)
        return;
    w->from[node] = from;
    w->distance[node] = node == from ? 0 : w->distance[from] + 1;
    w->nodes[w->count++] = node;
}

tut_status tut_graph_walk(const tut_graph *g, const uint32_t *seeds, size_t seed_count,
                          tut_walk_way way, tut_walk *ret_walk, tut_error *err)
{
    const tut_adjacency *a = way == TUT_WALK_USERS ? &g->users : &g->used;
    TUT_CLEAN(tut_walk) w = {0};
    if (!a->first)
        return tut_fail(err, TUT_BUG, "a graph is frozen before it is walked");
    TUT_TRY(begin(g, &w, err));
    for (size_t i = 0; i < seed_count; i++)
        if (seeds[i] < g->node_count)
            reach(&w, seeds[i], seeds[i]);
    for (size_t at = 0; at < w.count; at++) {
        uint32_t node = w.nodes[at];
        for (uint32_t e = a->first[node]; e < a->first[node + 1]; e++)
            reach(&w, a->at[e], node);
    }
    *ret_walk = w;
    w = (tut_walk){0};
    return TUT_SUCCESS;
}
