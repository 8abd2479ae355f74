/* Distribution functions that tests need. All are defined for every argument that is a number. */
#ifndef TUT_STATS_SPECIAL_H
#define TUT_STATS_SPECIAL_H

double tut_normal_sf(double z); /* P(Z > z) */
/* z with P(Z <= z) = p (Wichura 1988, AS 241); infinite at 0 and 1. */
double tut_normal_quantile(double p);
/* P(X > x) for chi-square with so many degrees of freedom; relative error about 1e-13. */
double tut_chi2_sf(double x, double df);
/* The same with non-centrality lambda (a Poisson mixture of central ones). */
double tut_chi2_noncentral_sf(double x, double df, double lambda);
/* x with tut_chi2_sf(x, df) = p. */
double tut_chi2_isf(double p, double df);
/* P(T > t) for Student's t with so many degrees of freedom, at least 1 (the finite series of
 * Abramowitz and Stegun, 26.7.3 and 4); absolute error about 1e-15. */
double tut_student_sf(double t, unsigned df);
double tut_log_gamma(double x); /* x > 0; for any number of threads */

#endif
