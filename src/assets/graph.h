/*
 * A directed graph that is built, then walked: who uses what. Nodes are numbers from 0. Every step
 * is linear in nodes and edges, and circles end by themselves.
 */
#ifndef TUT_ASSETS_GRAPH_H
#define TUT_ASSETS_GRAPH_H

#include "base/alloc.h"

enum { TUT_NODE_NONE = UINT32_MAX };

typedef struct tut_edge {
    uint32_t from, to; /* `from` uses `to` */
} tut_edge;

/* Neighbours of node n: at[first[n]] to at[first[n + 1]]. */
typedef struct tut_adjacency {
    uint32_t *first, *at;
} tut_adjacency;

typedef struct tut_graph {
    uint32_t node_count;
    tut_edge *edges;
    size_t edge_count, edge_capacity;
    tut_adjacency used, users; /* by tut_graph_freeze */
} tut_graph;

void tut_graph_done(tut_graph *g);
/* LIMIT above 2^31 nodes or edges. */
TUT_MUST tut_status tut_graph_node(tut_graph *g, uint32_t *ret_node, tut_error *err);
/* Between nodes that are there. The same edge may come again. */
TUT_MUST tut_status tut_graph_edge(tut_graph *g, uint32_t from, uint32_t to, tut_error *err);
/* No node or edge may come after this. */
TUT_MUST tut_status tut_graph_freeze(tut_graph *g, tut_error *err);

typedef enum tut_walk_way {
    TUT_WALK_USERS, /* downstream: who uses it, and who uses those */
    TUT_WALK_USED   /* upstream: what it is made of */
} tut_walk_way;

typedef struct tut_walk {
    uint32_t *nodes; /* in order of distance, the seeds first; each once */
    uint32_t *from;  /* of each node of the graph: the one before it on a shortest way; itself for a
                        seed; TUT_NODE_NONE: not reached */
    uint32_t *distance; /* of each node of the graph that is reached */
    size_t count;
} tut_walk;

TUT_MUST tut_status tut_graph_walk(const tut_graph *g, const uint32_t *seeds, size_t seed_count,
                                   tut_walk_way way, tut_walk *ret_walk, tut_error *err);
void tut_walk_done(tut_walk *w);

#endif
