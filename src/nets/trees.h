/*
 * Gradient-boosted trees of classes: softmax loss, Newton steps (Friedman 2001; Chen and Guestrin
 * 2016), columns cut into at most 64 bins (Ke 2017). Small models for references and copies, not a
 * rival of libraries that do only this. The same rows, wish and seed give the same trees.
 */
#ifndef TUT_NETS_TREES_H
#define TUT_NETS_TREES_H

#include <stddef.h>

#include "base/alloc.h"
#include "base/status.h"

typedef struct tut_trees
    tut_trees; /* does not change once it is there; for any number of threads */

typedef struct tut_trees_rows {
    const float *rows; /* count x width, finite */
    size_t width, classes;
    const uint32_t *labels; /* below classes; not looked at where there are wanted */
    const float *wanted;    /* count x classes: probabilities to learn; NULL: the labels */
    const uint32_t *pick;   /* rows to learn from; NULL: the first `picked` */
    size_t picked;
} tut_trees_rows;

typedef struct tut_trees_wish { /* zeroed: the defaults */
    unsigned rounds;            /* 0: 60 */
    unsigned depth;             /* at most 10; 0: 5 */
    double rate;                /* 0: 0.15 */
    double penalty;             /* of squared values of leaves; 0: 1 */
    double least;               /* curvature of a leaf; 0: 0.5 */
    unsigned columns_most;      /* drawn for each tree; 0: 64 */
    uint64_t seed;
} tut_trees_wish;

/* NOMEM, CANCELLED; USAGE: fewer than two classes, no rows, or no columns. */
TUT_MUST tut_status tut_trees_fit(const tut_trees_rows *x, const tut_trees_wish *wish,
                                  tut_trees **ret_trees, tut_error *err);
void tut_trees_free(tut_trees *t);
TUT_DEFINE_AUTO(tut_trees)

/* rows: count x width; ret: count x classes probabilities. */
void tut_trees_predict(const tut_trees *t, const float *rows, size_t count, float *ret);

#endif
