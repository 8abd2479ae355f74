/*
 * The nearest neighbours of every row of a matrix among all others, exact, by Euclidean distance.
 *
 * Blocks of rows are multiplied with one another, each pair of blocks once; distances of what is
 * then nearest are worked out again in double precision, and ties go to the lower row.
 */
#ifndef TUT_STATS_KNN_H
#define TUT_STATS_KNN_H

#include <stddef.h>

#include "base/status.h"

enum { TUT_KNN_MOST = 64 };

typedef struct tut_neighbour {
    uint32_t row;
    float distance; /* squared */
} tut_neighbour;

/* rows: count x width, row after row, finite. ret: count x k, the nearest first; k <= TUT_KNN_MOST
 * and k < count, else USAGE. Takes count * width * 4 bytes more while it runs. NOMEM, CANCELLED. */
TUT_MUST tut_status tut_knn(const float *rows, size_t count, size_t width, size_t k,
                            tut_neighbour *ret_neighbours, tut_error *err);

#endif
