/*
 * Are two samples of points from one distribution? Two tests that see what single features do not.
 *
 * Maximum mean discrepancy with random Fourier features (Gretton et al. 2012; Rahimi and Recht
 * 2007), a Gaussian kernel as wide as the median distance, and p by permutation.
 *
 * A classifier that tries to tell them apart (Lopez-Paz and Oquab 2017): logistic regression on
 * the features and, of few, their squares and products, judged out of fold by the area under the
 * ROC curve with the interval of DeLong et al. 1988. 0.5: it cannot.
 *
 * Points are rows of `dims` finite numbers. Features are standardised by both samples together.
 */
#ifndef TUT_STATS_MMD_H
#define TUT_STATS_MMD_H

#include "base/status.h"

#include <stddef.h>

typedef struct tut_mmd {
    double statistic; /* squared */
    double p, bandwidth;
    size_t permutations, features;
} tut_mmd;

TUT_MUST tut_status tut_mmd_test(const double *a, size_t n, const double *b, size_t m, size_t dims,
                                 uint64_t seed, tut_mmd *ret_test, tut_error *err);

typedef struct tut_auc {
    double auc, low, high; /* 95 % */
    double p;              /* of 0.5 or less */
} tut_auc;

TUT_MUST tut_status tut_told_apart(const double *a, size_t n, const double *b, size_t m,
                                   size_t dims, uint64_t seed, tut_auc *ret_auc, tut_error *err);
/* Of scores: how often one of `positive` is above one of `negative`, ties a half. */
TUT_MUST tut_status tut_auc_of(const double *positive, size_t n, const double *negative, size_t m,
                               tut_auc *ret_auc, tut_error *err);

#endif
