#include "stats/ks.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "stats/order.h"
#include "stats/special.h"

/*
 * Most of the numbers need no sorting. They are counted into buckets by a linear map; the distance
 * at the edges of buckets is exact, and inside a bucket it can be no larger than what the bucket's
 * counts allow. Only buckets where that could exceed the best edge are gathered, sorted and walked.
 */
enum {
    INNER = 1 << 15,
    BUCKETS = INNER + 2, /* and what lies below and above */
    BLOCK = 512,
    SAMPLE = 1024,
    FEW = 16384 /* below that, sorting all is faster */
};

typedef struct ks_buckets {
    uint32_t a[BUCKETS], b[BUCKETS];
    uint32_t at_a[BUCKETS], at_b[BUCKETS]; /* where the next one of the bucket goes */
    uint8_t is_open[BUCKETS];
    size_t open_a, open_b; /* numbers in open buckets */
} ks_buckets;

static double ks_edges(ks_buckets *s, double n, double m)
{
    double best = 0;
    size_t fa = 0, fb = 0;
    for (size_t k = 0; k < BUCKETS; k++) {
        fa += s->a[k];
        fb += s->b[k];
        double d = fabs((double)fa / n - (double)fb / m);
        best = d > best ? d : best;
    }
    fa = fb = 0;
    for (size_t k = 0; k < BUCKETS; k++) {
        size_t na = s->a[k], nb = s->b[k];
        double up = (double)(fa + na) / n - (double)fb / m;
        double down = (double)(fb + nb) / m - (double)fa / n;
        /* With one side alone in it the distance only rises or only falls. */
        if (na && nb && (up > best || down > best)) {
            s->is_open[k] = 1;
            s->open_a += na;
            s->open_b += nb;
        }
        fa += na;
        fb += nb;
    }
    return best;
}

static void ks_starts(ks_buckets *s)
{
    uint32_t a = 0, b = 0;
    for (size_t k = 0; k < BUCKETS; k++) {
        s->at_a[k] = a;
        s->at_b[k] = b;
        a += s->is_open[k] ? s->a[k] : 0;
        b += s->is_open[k] ? s->b[k] : 0;
    }
}

static tut_ks ks_test(double statistic, size_t n, size_t m)
{
    tut_ks t = {.statistic = statistic};
    t.p = tut_ks_p(statistic, n, m, &t.is_exact);
    return t;
}

#define KS_REAL double
#define KS_NAME(x) x##_f64
#include "stats/ks_real.def"
#undef KS_REAL
#undef KS_NAME
#define KS_REAL float
#define KS_NAME(x) x##_f32
#include "stats/ks_real.def"

tut_ks tut_ks_ordered(const double *a, size_t n, const double *b, size_t m)
{
    return ks_test(walk_f64(a, n, b, m, 0, 0, (double)n, (double)m), n, m);
}

/* Normal approximation at the point of the largest distance, where the difference of the two
 * functions has a deviation of at most half the root of 1/n + 1/m; the critical value is that of
 * the limit distribution's tail, 2 exp(-2 x^2). */
static double spread(double alpha, double power)
{
    return sqrt(-log(alpha / 2) / 2) + 0.5 * tut_normal_quantile(power);
}

double tut_ks_detectable(double n, double m, double alpha, double power)
{
    double d = spread(alpha, power) * sqrt(1 / n + 1 / m);
    return d < 1 ? d : 1;
}

double tut_ks_needed(double statistic, double alpha, double power)
{
    double x = spread(alpha, power) / statistic;
    return ceil(2 * x * x);
}
