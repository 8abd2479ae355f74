#include "stats/linear.h"

#include "stats/wide.h"

TUT_WIDE_BODY double dot_body(const float *row, const double *weights, size_t width)
{
    double sums[8] = {0};
    size_t j = 0;
    for (; j + 8 <= width; j += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] += (double)row[j + k] * weights[j + k];
    for (; j < width; j++)
        sums[0] += (double)row[j] * weights[j];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

TUT_WIDE static double dot_wide(const float *row, const double *weights, size_t width)
{
    return dot_body(row, weights, width);
}

double tut_dot(const float *row, const double *weights, size_t width)
{
    return TUT_WIDE_IS_THERE() ? dot_wide(row, weights, width) : dot_body(row, weights, width);
}

TUT_WIDE_BODY void add_body(double *to, const float *row, double factor, size_t width)
{
    for (size_t j = 0; j < width; j++)
        to[j] += factor * (double)row[j];
}

TUT_WIDE static void add_wide(double *to, const float *row, double factor, size_t width)
{
    add_body(to, row, factor, width);
}

void tut_add_scaled(double *to, const float *row, double factor, size_t width)
{
    if (TUT_WIDE_IS_THERE())
        add_wide(to, row, factor, width);
    else
        add_body(to, row, factor, width);
}
