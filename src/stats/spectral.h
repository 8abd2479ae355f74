/* The largest singular value of a matrix, by power iteration; and outliers among such values. */
#ifndef TUT_STATS_SPECTRAL_H
#define TUT_STATS_SPECTRAL_H

#include <stddef.h>

/* rows x cols, row after row. work: rows + cols numbers. A fixed start and a fixed number of rounds
 * (30, which leaves about a per cent for random matrices): the same file gives the same answer. */
double tut_spectral_norm(const float *matrix, size_t rows, size_t cols, float *work);

/* The same of a small matrix times its transpose; cols <= 64, else 0. */
enum { TUT_SPECTRAL_SMALL = 64 };
double tut_spectral_norm_small(const float *matrix, size_t rows, size_t cols);

/* The median, and the median distance from it (times 1.4826: a standard deviation where the values
 * are normal). Sorts values. */
void tut_median(double *values, size_t count, double *ret_median, double *ret_spread);

#endif
