/* Median and spread that a few wild values do not move (Hampel 1974; Iglewicz and Hoaglin 1993). */
#ifndef TUT_STATS_ROBUST_H
#define TUT_STATS_ROBUST_H

#include <stddef.h>

typedef struct tut_robust {
    double median, mad; /* of the absolute deviations from it */
    size_t count;
} tut_robust;

/* values are put into another order. Zeros for none. */
tut_robust tut_robust_of(double *values, size_t count);
/* How many robust deviations x lies above the median; floor: the least that counts as a deviation,
 * so that a history without any is not left by every step. */
double tut_robust_z(const tut_robust *r, double x, double floor);

#endif
