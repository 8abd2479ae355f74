/*
 * Scores of classes: which is the greatest, and the shares that softmax makes of them. The names
 * with _f are of single precision, as nets have it.
 */
#ifndef TUT_STATS_SCORES_H
#define TUT_STATS_SCORES_H

#include <stddef.h>

/* Where the greatest stands, the first of equals; count is at least 1. */
size_t tut_greatest(const double *scores, size_t count);
size_t tut_greatest_f(const float *scores, size_t count);

/* ret may be scores. Of scores that are all minus infinity, NaN. */
void tut_softmax(const double *scores, size_t count, double *ret);
void tut_softmax_f(const float *scores, size_t count, float *ret);

#endif
