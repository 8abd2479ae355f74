/*
 * The two-sample test of Kolmogorov and Smirnov, exact with ties.
 *
 * The statistic is the largest distance between the two empirical distribution functions, computed
 * as i/n - j/m in double precision. p is two-sided, by the rules of scipy's ks_2samp: from the
 * distribution of the statistic itself up to 10,000 numbers a side (Hodges 1958), beyond that from
 * the one-sample distribution at the harmonic size (Simard and L'Ecuyer 2011).
 */
#ifndef TUT_STATS_KS_H
#define TUT_STATS_KS_H

#include "base/status.h"

#include <stddef.h>

typedef struct tut_ks {
    double statistic, p;
    bool is_exact; /* p is that of this very statistic, not of a limit */
} tut_ks;

enum { TUT_KS_EXACT = 10000 };

/* Neither holds a NaN; each holds at least 1 number and fewer than 2^32. The numbers stay as they
 * are and where they are: no sort of all of them, only of those among which the largest distance
 * can lie. */
TUT_MUST tut_status tut_ks_f64(const double *a, size_t n, const double *b, size_t m,
                               tut_ks *ret_test, tut_error *err);
TUT_MUST tut_status tut_ks_f32(const float *a, size_t n, const float *b, size_t m, tut_ks *ret_test,
                               tut_error *err);
/* The same of numbers that are in order already. */
tut_ks tut_ks_ordered(const double *a, size_t n, const double *b, size_t m);

double tut_ks_p(double statistic, size_t n, size_t m, bool *ret_is_exact);
/* P(D_n > d) for one sample. */
double tut_ks_one_sf(double n, double d);
/* The statistic that a difference has to bring about to be found with this power at level alpha;
 * and the numbers a side that are needed for a difference of that size. */
double tut_ks_detectable(double n, double m, double alpha, double power);
double tut_ks_needed(double statistic, double alpha, double power);

#endif
