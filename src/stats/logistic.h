/*
 * Logistic regression with an L2 penalty, of two classes or many (softmax), over dense or sparse
 * rows; the intercept is not penalised: C times the sum of the log losses, plus half the squared
 * weights, as scikit-learn has it. Found with L-BFGS (Liu and Nocedal 1989), from zero: the same
 * rows give the same weights.
 */
#ifndef TUT_STATS_LOGISTIC_H
#define TUT_STATS_LOGISTIC_H

#include <stddef.h>

#include "base/alloc.h"
#include "base/status.h"

/* Rows of features: dense, or sparse (row i has columns[starts[i]] to columns[starts[i + 1] - 1]);
 * where there is both, the columns of the sparse part come after those of the dense one. */
typedef struct tut_design {
    size_t count;
    const float *dense; /* count x dense_width; NULL without */
    size_t dense_width;
    const uint64_t *starts; /* count + 1; NULL without */
    const uint32_t *columns;
    const float *values;
    size_t sparse_width;
} tut_design;

typedef struct tut_logistic_wish { /* zeroed: the defaults */
    double c;                      /* 0: 1 */
    unsigned rounds;               /* at most; 0: 100 */
    double tolerance;              /* of the largest gradient, a row; 0: 1e-4 */
} tut_logistic_wish;

typedef struct tut_logistic {
    size_t width, classes, outputs; /* outputs: 1 of two classes (the odds of class 1) */
    /* Of output o and column j: weights[o * across + j * along]; column `width` is the intercept.
     * Sparse rows find the weights of all outputs together, dense ones those of all columns. */
    double *weights;
    size_t across, along;
    unsigned rounds; /* used */
} tut_logistic;

/* Fits to the rows that pick names (NULL: all). labels[i] < classes, of row i. NOMEM, CANCELLED;
 * USAGE: fewer than two classes, no rows, or no columns. */
TUT_MUST tut_status tut_logistic_fit(const tut_design *x, const uint32_t *labels, size_t classes,
                                     const uint32_t *pick, size_t picked,
                                     const tut_logistic_wish *wish, tut_logistic *ret_model,
                                     tut_error *err);
void tut_logistic_done(tut_logistic *m);
/* Scores before softmax of row i: one an output. */
void tut_logistic_scores(const tut_logistic *m, const tut_design *x, size_t i, double *ret_scores);
/* From scores to probabilities: one a class. */
void tut_logistic_softmax(const tut_logistic *m, const double *scores, double *ret_probabilities);

#endif
