/* How one tree is grown: for trees.c. */
#ifndef TUT_NETS_TREES_INTERNAL_H
#define TUT_NETS_TREES_INTERNAL_H

#include "nets/trees.h"
#include "stats/seeded.h"

enum { TUT_TREES_BINS = 64, TUT_TREES_DEPTH = 10 };

typedef struct tut_trees_node {
    float cut; /* x <= cut: to the left; of a leaf: its value */
    uint32_t column;
    uint32_t left; /* right: left + 1; 0: a leaf */
} tut_trees_node;

typedef struct tut_trees_list {
    tut_trees_node *items;
    size_t count, capacity;
} tut_trees_list;

typedef struct tut_trees_binned {
    size_t count, width;
    uint8_t *codes; /* count x width: how many of the column's cuts lie below the value */
    float *cuts;    /* width x (TUT_TREES_BINS - 1), ascending */
    uint8_t *bins;  /* width: cuts + 1; 1: nothing to tell by */
} tut_trees_binned;

typedef struct tut_trees_sums {
    double gradient, curvature;
} tut_trees_sums;

typedef struct tut_trees_grower {
    const tut_trees_binned *x;
    const tut_trees_wish *wish; /* filled in */
    tut_trees_sums *at;         /* count: of each row, for the class that is grown now */
    uint32_t *order;            /* count: rows, those of a node together */
    uint32_t *spare;            /* count */
    uint32_t *columns;          /* width: those drawn come first */
    size_t column_count;
    tut_trees_sums *histogram; /* column_count x TUT_TREES_BINS */
    float *values;             /* count: what the grown tree says of each row */
} tut_trees_grower;

/* Adds one tree to the list; its root is the first node added. */
TUT_MUST tut_status tut_trees_grow(tut_trees_grower *g, tut_trees_list *list, tut_error *err);

#endif
