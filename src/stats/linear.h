/* Rows of single precision and sums in double, as many at a time as the processor takes. */
#ifndef TUT_STATS_LINEAR_H
#define TUT_STATS_LINEAR_H

#include <stddef.h>

double tut_dot(const float *row, const double *weights, size_t width);
/* to += factor * row */
void tut_add_scaled(double *to, const float *row, double factor, size_t width);

#endif
