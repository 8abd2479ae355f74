/*
 * Half-space trees (Tan, Ting and Liu 2011): how common the part of space is in which a point lies,
 * by trees that cut it at random and count what fell where in the window before. The fewer, the
 * stranger. Constant memory; each point costs trees times depth steps.
 */
#ifndef TUT_STATS_HALFSPACE_H
#define TUT_STATS_HALFSPACE_H

#include "base/status.h"

#include <stddef.h>

enum { TUT_HALFSPACE_TREES = 25, TUT_HALFSPACE_DEPTH = 8, TUT_HALFSPACE_WINDOW = 250 };

typedef struct tut_halfspace tut_halfspace;

/* low and high: the range of each dimension, as far as is known; points beyond are at its edge. */
TUT_MUST tut_status tut_halfspace_new(const double *low, const double *high, size_t dims,
                                      uint64_t seed, tut_halfspace **ret_forest, tut_error *err);
void tut_halfspace_free(tut_halfspace *f);
/* Strangeness, 0 (as common as can be) to 1 (nothing like it in the last window); negative while
 * the first window is filling. The point is learnt from. NaN counts as the middle of the range. */
double tut_halfspace_step(tut_halfspace *f, const double *point);

#endif
