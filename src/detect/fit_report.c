#include <stdlib.h>

#include "detect/fit_internal.h"

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

float fit_quantile(float *values, size_t count, double share)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), by_value);
    size_t above = (size_t)(share * (double)count);
    return values[above < count ? count - 1 - above : 0];
}

/* The chance that an attack is above a clean text, ties half; both are sorted by it. */
double fit_auc(const float *attacks, size_t n, const float *clean, size_t m)
{
    double won = 0;
    if (n == 0 || m == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        size_t low = 0, high = m; /* clean is sorted */
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (clean[middle] < attacks[i])
                low = middle + 1;
            else
                high = middle;
        }
        size_t equal = low;
        while (equal < m && clean[equal] <= attacks[i])
            equal++;
        won += (double)low + (double)(equal - low) / 2;
    }
    return won / ((double)n * (double)m);
}
