#include "stats/mmd.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "stats/seeded.h"

enum { FEATURES = 128, PERMUTATIONS = 400, PAIRS = 2048 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void scale_of(const double *a, size_t n, const double *b, size_t m, size_t dims,
                     double *ret_mean, double *ret_scale)
{
    for (size_t d = 0; d < dims; d++) {
        double sum = 0, squares = 0, all = (double)n + (double)m;
        for (size_t i = 0; i < n + m; i++)
            sum += i < n ? a[i * dims + d] : b[(i - n) * dims + d];
        double mean = sum / all;
        for (size_t i = 0; i < n + m; i++) {
            double x = (i < n ? a[i * dims + d] : b[(i - n) * dims + d]) - mean;
            squares += x * x;
        }
        double deviation = sqrt(squares / all);
        ret_mean[d] = mean;
        ret_scale[d] = deviation > 0 && isfinite(deviation) ? 1 / deviation : 0;
    }
}

/* Both samples, standardised, one after the other. */
static void standardise(const double *a, size_t n, const double *b, size_t m, size_t dims,
                        double *work, double *to)
{
    scale_of(a, n, b, m, dims, work, work + dims);
    for (size_t i = 0; i < n + m; i++)
        for (size_t d = 0; d < dims; d++) {
            double x = i < n ? a[i * dims + d] : b[(i - n) * dims + d];
            to[i * dims + d] = (x - work[d]) * work[dims + d];
        }
}

static double median_distance(const double *x, size_t count, size_t dims, tut_seeded *random)
{
    double distances[PAIRS];
    for (size_t k = 0; k < PAIRS; k++) {
        const double *u = x + tut_seeded_below(random, count) * dims;
        const double *v = x + tut_seeded_below(random, count) * dims;
        distances[k] = 0;
        for (size_t d = 0; d < dims; d++)
            distances[k] += (u[d] - v[d]) * (u[d] - v[d]);
    }
    qsort(distances, PAIRS, sizeof(*distances), by_size);
    double median = sqrt(distances[PAIRS / 2]);
    return median > 0 ? median : 1;
}

/* z(x) of which the inner product is about the kernel of x and y. */
static tut_status features_of(const double *x, size_t count, size_t dims, double bandwidth,
                              tut_seeded *random, float *ret_z, tut_error *err)
{
    TUT_AUTO_FREE double *w = tut_alloc_array(dims, sizeof(*w));
    if (!w)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double scale = sqrt(2.0 / FEATURES);
    for (size_t f = 0; f < FEATURES; f++) {
        double shift = 2 * M_PI * tut_seeded_unit(random);
        for (size_t d = 0; d < dims; d++)
            w[d] = tut_seeded_normal(random) / bandwidth;
        for (size_t i = 0; i < count; i++) {
            double s = shift;
            for (size_t d = 0; d < dims; d++)
                s += w[d] * x[i * dims + d];
            ret_z[i * FEATURES + f] = (float)(scale * cos(s));
        }
    }
    return TUT_SUCCESS;
}

/* Of the first n of an order against the rest. total: the sum of all. */
static double discrepancy(const float *z, const size_t *order, size_t n, size_t all,
                          const double *total)
{
    float sum[FEATURES] = {0};
    double squared = 0;
    for (size_t i = 0; i < n; i++) {
        const float *row = z + order[i] * FEATURES;
        for (size_t f = 0; f < FEATURES; f++)
            sum[f] += row[f];
    }
    for (size_t f = 0; f < FEATURES; f++) {
        double d = (double)sum[f] / (double)n - (total[f] - (double)sum[f]) / (double)(all - n);
        squared += d * d;
    }
    return squared;
}

static void shuffle(size_t *order, size_t first, size_t all, tut_seeded *random)
{
    for (size_t i = 0; i < first; i++) {
        size_t k = i + tut_seeded_below(random, all - i), swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
}

tut_status tut_mmd_test(const double *a, size_t n, const double *b, size_t m, size_t dims,
                        uint64_t seed, tut_mmd *ret_test, tut_error *err)
{
    size_t all = n + m, as_far = 1;
    double total[FEATURES] = {0};
    tut_seeded random = tut_seeded_of(seed);
    if (n == 0 || m == 0 || dims == 0)
        return tut_fail(err, TUT_USAGE, "nothing to compare");
    TUT_AUTO_FREE double *x = tut_alloc_array(all * dims, sizeof(*x));
    TUT_AUTO_FREE double *work = tut_alloc_array(2 * dims, sizeof(*work));
    TUT_AUTO_FREE float *z = tut_alloc_array(all, FEATURES * sizeof(*z));
    TUT_AUTO_FREE size_t *order = tut_alloc_array(all, sizeof(*order));
    if (!x || !work || !z || !order)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    standardise(a, n, b, m, dims, work, x);
    tut_mmd test = {.permutations = PERMUTATIONS, .features = FEATURES};
    test.bandwidth = median_distance(x, all, dims, &random);
    TUT_TRY(features_of(x, all, dims, test.bandwidth, &random, z, err));
    for (size_t i = 0; i < all; i++) {
        order[i] = i;
        for (size_t f = 0; f < FEATURES; f++)
            total[f] += (double)z[i * FEATURES + f];
    }
    test.statistic = discrepancy(z, order, n, all, total);
    for (size_t r = 0; r < PERMUTATIONS; r++) {
        shuffle(order, n, all, &random);
        as_far += discrepancy(z, order, n, all, total) >= test.statistic;
    }
    test.p = (double)as_far / (PERMUTATIONS + 1);
    *ret_test = test;
    return TUT_SUCCESS;
}
