/* Numbers into ascending order, by radix: the order of IEEE 754's comparison, with -0 as 0. There
 * must be no NaN among them, and fewer than 2^32 of them. The time depends on how many there are,
 * not on what they are. */
#ifndef TUT_STATS_ORDER_H
#define TUT_STATS_ORDER_H

#include <stddef.h>

/* spare: as many numbers, whose content is lost. */
void tut_order_f64(double *values, double *spare, size_t count);
void tut_order_f32(float *values, float *spare, size_t count);

#endif
