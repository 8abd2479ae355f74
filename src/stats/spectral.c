#include "stats/spectral.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "stats/wide.h"

enum { ROUNDS = 30, SIDE = 16 };

/* Sixteen sums side by side, so that the compiler may take them together. */
TUT_WIDE_BODY double dot(const float *a, const float *b, size_t n)
{
    float sums[SIDE] = {0};
    double sum = 0;
    size_t i = 0;
    for (; i + SIDE <= n; i += SIDE)
        for (size_t j = 0; j < SIDE; j++)
            sums[j] += a[i + j] * b[i + j];
    for (size_t j = 0; j < SIDE; j++)
        sum += (double)sums[j];
    for (; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

TUT_WIDE_BODY void add_scaled(float *to, const float *from, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += scale * from[i];
}

/* v <- M^T (M v), normalised; the norm of M v before. */
TUT_WIDE_BODY double turn(const float *m, size_t rows, size_t cols, float *v, float *u)
{
    double norm_u = 0, norm_v = 0;
    for (size_t r = 0; r < rows; r++) {
        double d = dot(m + r * cols, v, cols);
        u[r] = (float)d;
        norm_u += d * d;
    }
    for (size_t c = 0; c < cols; c++)
        v[c] = 0;
    for (size_t r = 0; r < rows; r++)
        add_scaled(v, m + r * cols, u[r], cols);
    norm_v = sqrt(dot(v, v, cols));
    for (size_t c = 0; c < cols && norm_v > 0; c++)
        v[c] = (float)((double)v[c] / norm_v);
    return sqrt(norm_u);
}

TUT_WIDE static double turn_wide(const float *m, size_t rows, size_t cols, float *v, float *u)
{
    return turn(m, rows, cols, v, u);
}

/* A start that no matrix is orthogonal to by design: a fixed sequence of pseudo-random numbers. */
static void start(float *v, size_t n)
{
    uint32_t state = 2463534242u;
    double norm = 0;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        v[i] = (float)(int32_t)state * 0x1p-31f;
        norm += (double)v[i] * (double)v[i];
    }
    for (size_t i = 0; i < n; i++)
        v[i] = (float)((double)v[i] / sqrt(norm));
}

double tut_spectral_norm(const float *matrix, size_t rows, size_t cols, float *work)
{
    double norm = 0;
    if (rows == 0 || cols == 0)
        return 0;
    start(work, cols);
    for (int i = 0; i < ROUNDS; i++)
        norm = TUT_WIDE_IS_THERE() ? turn_wide(matrix, rows, cols, work, work + cols)
                                   : turn(matrix, rows, cols, work, work + cols);
    return norm;
}

double tut_spectral_norm_small(const float *matrix, size_t rows, size_t cols)
{
    double gram[TUT_SPECTRAL_SMALL][TUT_SPECTRAL_SMALL] = {{0}};
    double v[TUT_SPECTRAL_SMALL], next[TUT_SPECTRAL_SMALL], norm = 0;
    if (cols == 0 || cols > TUT_SPECTRAL_SMALL)
        return 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < cols; i++)
            for (size_t j = i; j < cols; j++)
                gram[i][j] += (double)matrix[r * cols + i] * (double)matrix[r * cols + j];
    for (size_t i = 0; i < cols; i++) {
        v[i] = 1.0 + (double)(i % 7) / 16;
        for (size_t j = 0; j < i; j++)
            gram[i][j] = gram[j][i];
    }
    for (int round = 0; round < ROUNDS; round++) {
        double square = 0;
        for (size_t i = 0; i < cols; i++) {
            next[i] = 0;
            for (size_t j = 0; j < cols; j++)
                next[i] += gram[i][j] * v[j];
            square += next[i] * next[i];
        }
        norm = sqrt(square);
        for (size_t i = 0; i < cols; i++)
            v[i] = norm > 0 ? next[i] / norm : 0;
    }
    return sqrt(norm);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

void tut_median(double *values, size_t count, double *ret_median, double *ret_spread)
{
    *ret_median = 0;
    *ret_spread = 0;
    if (count == 0)
        return;
    qsort(values, count, sizeof(*values), compare);
    double median = values[count / 2];
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - median);
    qsort(values, count, sizeof(*values), compare);
    *ret_median = median;
    *ret_spread = 1.4826 * values[count / 2];
}
