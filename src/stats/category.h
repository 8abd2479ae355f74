/*
 * Two samples of categories: chi-square (Pearson) and G (likelihood ratio) of their table, with
 * cells that expect fewer than five pooled (Cochran 1954). Where even the pool stays below that and
 * the table is small, p is that of 2,000 permutations of the table as it was.
 */
#ifndef TUT_STATS_CATEGORY_H
#define TUT_STATS_CATEGORY_H

#include "base/status.h"

#include <stddef.h>

typedef struct tut_category_test {
    double chi2, g, df;
    double p_chi2, p_g;
    double p;      /* of the chi-square, or of the permutations */
    double w;      /* Cohen's; of two samples also Cramér's V */
    size_t pooled; /* categories that went into the pool */
    bool is_permuted;
} tut_category_test;

/* counts of each category in either sample. With one category, or an empty sample, p is 1. */
TUT_MUST tut_status tut_category_compare(const uint64_t *a, const uint64_t *b, size_t count,
                                         uint64_t seed, tut_category_test *ret_test,
                                         tut_error *err);
/* Cohen's w that is found with this power at level alpha, and the numbers a side for a given w. */
double tut_category_detectable(double n, double m, double df, double alpha, double power);
double tut_category_needed(double w, double df, double alpha, double power);

#endif
