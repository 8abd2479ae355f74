/*
 * Tails of distributions, exact, for tests: how likely as many or more are by chance.
 *
 * Sums of the terms themselves, begun at the largest and ended where they no longer count; relative
 * error below 1e-10 while the result is above 1e-300.
 */
#ifndef TUT_STATS_TAILS_H
#define TUT_STATS_TAILS_H

#include <stdint.h>

/* P[X >= k] of n draws that each succeed with probability p. */
double tut_tail_binomial(uint64_t k, uint64_t n, double p);
/* P[X >= k]: of `all` things `marked` are marked, `drawn` are drawn without putting back, X of them
 * marked (Fisher's exact test, one-sided). 1 where the numbers make no sense. */
double tut_tail_hypergeometric(uint64_t k, uint64_t drawn, uint64_t marked, uint64_t all);
/* The exact interval (Clopper and Pearson 1934) of a share of which k of n were seen, 0 <= k <= n;
 * from 0 to 1 where n is 0. */
void tut_binomial_interval(uint64_t k, uint64_t n, double confidence, double *ret_low,
                           double *ret_high);

#endif
