/*
 * q-values: the share of false discoveries to be expected when everything with a q as small is
 * called one (Benjamini and Hochberg 1995).
 */
#ifndef TUT_STATS_FDR_H
#define TUT_STATS_FDR_H

#include <stddef.h>

#include "base/status.h"

/* q[i] of p[i]. tests: how many were made in all; those not among p count as p = 1 (tests < count
 * is taken as count). NaN counts as 1. p and q may be the same array. NOMEM. */
TUT_MUST tut_status tut_fdr(const double *p, size_t count, size_t tests, double *q);

#endif
