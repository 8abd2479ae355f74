#include "stats/distinct.h"

#include <math.h>

enum { Q = 64 - TUT_DISTINCT_BITS };

void tut_distinct_merge(tut_distinct *d, const tut_distinct *from)
{
    for (size_t i = 0; i < TUT_DISTINCT_REGISTERS; i++)
        if (from->registers[i] > d->registers[i])
            d->registers[i] = from->registers[i];
}

/* Ertl 2017, algorithms 5 (sigma) and 6 (tau). */
static double sigma(double x)
{
    double y = 1;
    double z = x;
    double before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z > before);
    return z;
}

static double tau(double x)
{
    double y = 1;
    double z = 1 - x;
    double before;
    if (x <= 0 || x >= 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z < before);
    return z / 3;
}

double tut_distinct_estimate(const tut_distinct *d)
{
    uint32_t counts[Q + 2] = {0};
    const double m = TUT_DISTINCT_REGISTERS;
    for (size_t i = 0; i < TUT_DISTINCT_REGISTERS; i++)
        counts[d->registers[i] <= Q + 1 ? d->registers[i] : Q + 1]++;
    if (counts[0] == TUT_DISTINCT_REGISTERS)
        return 0;
    double z = m * tau(1 - counts[Q + 1] / m);
    for (int k = Q; k >= 1; k--)
        z = 0.5 * (z + counts[k]);
    z += m * sigma(counts[0] / m);
    return m * m / (2 * 0.693147180559945309 * z);
}
