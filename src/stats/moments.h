/* What a tensor's numbers are like: range, mean, spread, and how many are no numbers. */
#ifndef TUT_STATS_MOMENTS_H
#define TUT_STATS_MOMENTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct tut_moments {
    uint64_t count; /* of all, those that are no numbers included */
    uint64_t zeros, nans, infinite;
    uint64_t huge;       /* finite, but beyond 1e18 */
    double sum, squares; /* of the finite ones */
    float least, most;   /* of the finite ones; both 0 when there are none */
    uint64_t finite;
} tut_moments;

/* m starts zeroed. floats: in single precision, at any address. Sums are taken in single precision
 * within a call (at most 8,192 numbers are a good portion) and in double precision beyond. */
void tut_moments_add(tut_moments *m, const void *floats, size_t count);
double tut_moments_mean(const tut_moments *m);
double tut_moments_deviation(const tut_moments *m); /* of the population */

#endif
