#include "stats/robust.h"

#include <math.h>
#include <stdlib.h>

static const double normal_share = 0.6745; /* a MAD of the normal distribution, in deviations */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

tut_robust tut_robust_of(double *values, size_t count)
{
    tut_robust r = {.count = count};
    if (count == 0)
        return r;
    r.median = middle(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - r.median);
    r.mad = middle(values, count);
    return r;
}

double tut_robust_z(const tut_robust *r, double x, double floor)
{
    double spread = r->mad > floor ? r->mad : floor;
    return spread > 0 ? normal_share * (x - r->median) / spread : 0;
}
