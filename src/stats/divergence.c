#include "stats/divergence.h"

#include <math.h>
#include <string.h>

#include "stats/wide.h"

enum { BLOCK = 512, WAYS = 4 };

static void sift(double *v, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && v[child + 1] > v[child];
        if (v[at] >= v[child])
            return;
        double swap = v[at];
        v[at] = v[child];
        v[child] = swap;
    }
}

static void sort(double *v, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift(v, i, count);
    for (size_t i = count; i-- > 1;) {
        double swap = v[0];
        v[0] = v[i];
        v[i] = swap;
        sift(v, 0, i);
    }
}

void tut_bins_place(tut_bins *bins, double *sample, size_t count)
{
    size_t kept = 0;
    memset(bins, 0, sizeof(*bins));
    for (size_t i = 0; i < count; i++)
        if (isfinite(sample[i]))
            sample[kept++] = sample[i];
    sort(sample, kept);
    size_t edge = kept / 512;
    double low = kept ? sample[edge] : 0, high = kept ? sample[kept - 1 - edge] : 0;
    /* As far as the sample goes, but no further than tails that are not heavy would. */
    double reach = 2 * (high - low);
    if (kept) {
        low = reach > 0 ? fmax(sample[0], low - reach) : sample[0];
        high = reach > 0 ? fmin(sample[kept - 1], high + reach) : sample[kept - 1];
    }
    double span = high - low;
    if (!(span > 0 && isfinite((TUT_BINS_INNER - 1) / span)))
        span = fabs(low) > 1 ? fabs(low) * 1e-6 : 1e-6;
    /* The greatest is in the last inner bin and not beyond it. */
    bins->low = low;
    bins->scale = (TUT_BINS_INNER - 1) / span;
}

void tut_bins_like(tut_bins *bins, const tut_bins *other)
{
    memset(bins, 0, sizeof(*bins));
    bins->low = other->low;
    bins->scale = other->scale;
}

double tut_bins_edge(const tut_bins *bins, size_t bin)
{
    return bin == 0 ? -INFINITY : bins->low + ((double)bin - 1) / bins->scale;
}

uint64_t tut_bins_count(const tut_bins *bins)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < TUT_BINS; i++)
        sum += bins->counts[i];
    return sum;
}

/* A NaN lands below and is taken out there again. Infinite ones count at the ends, at no distance.
 */
#define DEFINE_ADD(suffix, real)                                                                   \
    TUT_WIDE_BODY unsigned body_##suffix(const real *v, size_t count, real low, real scale,        \
                                         int32_t *at)                                              \
    {                                                                                              \
        unsigned nans = 0;                                                                         \
        for (size_t i = 0; i < count; i++) {                                                       \
            real t = (v[i] - low) * scale;                                                         \
            nans += v[i] != v[i];                                                                  \
            t = t > -1 ? t : -1;                                                                   \
            t = t < TUT_BINS_INNER ? t : TUT_BINS_INNER;                                           \
            at[i] = (int32_t)(t + 1);                                                              \
        }                                                                                          \
        return nans;                                                                               \
    }                                                                                              \
    TUT_WIDE static unsigned wide_##suffix(const real *v, size_t count, real low, real scale,      \
                                           int32_t *at)                                            \
    {                                                                                              \
        return body_##suffix(v, count, low, scale, at);                                            \
    }                                                                                              \
    static unsigned find_##suffix(const real *v, size_t count, real low, real scale, int32_t *at)  \
    {                                                                                              \
        return TUT_WIDE_IS_THERE() ? wide_##suffix(v, count, low, scale, at)                       \
                                   : body_##suffix(v, count, low, scale, at);                      \
    }                                                                                              \
    static void ends_##suffix(tut_bins *b, const real *v, size_t count, const int32_t *at)         \
    {                                                                                              \
        double high = b->low + TUT_BINS_INNER / b->scale;                                          \
        for (size_t i = 0; i < count; i++) {                                                       \
            if (at[i] != 0 && at[i] != TUT_BINS_INNER + 1)                                         \
                continue;                                                                          \
            b->infinite += isinf(v[i]) != 0;                                                       \
            if (!isfinite(v[i]))                                                                   \
                continue;                                                                          \
            b->below += at[i] == 0 ? fmax(b->low - (double)v[i], 0) : 0;                           \
            b->above += at[i] != 0 ? fmax((double)v[i] - high, 0) : 0;                             \
        }                                                                                          \
    }                                                                                              \
    void tut_bins_add_##suffix(tut_bins *bins, const real *values, size_t count)                   \
    {                                                                                              \
        static const size_t part_max = (size_t)1 << 31;                                            \
        uint32_t ways[WAYS][TUT_BINS];                                                             \
        int32_t at[BLOCK];                                                                         \
        while (count > 0) {                                                                        \
            size_t part = count < part_max ? count : part_max;                                     \
            memset(ways, 0, sizeof(ways));                                                         \
            for (size_t i = 0; i < part; i += BLOCK) {                                             \
                size_t n = part - i < BLOCK ? part - i : BLOCK;                                    \
                uint32_t ends = ways[0][0] + ways[0][TUT_BINS - 1];                                \
                uint32_t nans = find_##suffix(values + i, n, (real)bins->low, (real)bins->scale,   \
                                              at);                                                 \
                count_block(ways, at, n);                                                          \
                bins->nans += nans;                                                                \
                ways[0][0] -= nans;                                                                \
                if (ways[0][0] + ways[0][TUT_BINS - 1] != ends)                                    \
                    ends_##suffix(bins, values + i, n, at);                                        \
            }                                                                                      \
            for (size_t k = 0; k < TUT_BINS; k++)                                                  \
                for (size_t w = 0; w < WAYS; w++)                                                  \
                    bins->counts[k] += ways[w][k];                                                 \
            values += part;                                                                        \
            count -= part;                                                                         \
        }                                                                                          \
    }

/* Several rows of counters, so that the same bin twice in a row does not wait for itself; what is
 * at the ends is counted in the first. */
static void count_block(uint32_t ways[WAYS][TUT_BINS], const int32_t *at, size_t count)
{
    size_t i = 0;
    for (; i + WAYS <= count; i += WAYS) {
        ways[0][at[i]]++;
        ways[1][at[i + 1]]++;
        ways[2][at[i + 2]]++;
        ways[3][at[i + 3]]++;
    }
    for (; i < count; i++)
        ways[0][at[i]]++;
    for (size_t w = 1; w < WAYS; w++) {
        ways[0][0] += ways[w][0];
        ways[0][TUT_BINS - 1] += ways[w][TUT_BINS - 1];
        ways[w][0] = ways[w][TUT_BINS - 1] = 0;
    }
}

DEFINE_ADD(f64, double)
DEFINE_ADD(f32, float)

tut_divergence tut_divergence_counts(const uint64_t *reference, const uint64_t *current,
                                     size_t count)
{
    static const double added = 0.5;
    tut_divergence d = {.coarse = count};
    double n = 0, m = 0;
    for (size_t i = 0; i < count; i++) {
        n += (double)reference[i];
        m += (double)current[i];
    }
    if (n == 0 || m == 0 || count == 0)
        return d;
    for (size_t i = 0; i < count; i++) {
        double p = ((double)reference[i] + added) / (n + added * (double)count);
        double q = ((double)current[i] + added) / (m + added * (double)count);
        d.psi += (p - q) * log(p / q);
        p = (double)reference[i] / n;
        q = (double)current[i] / m;
        double middle = (p + q) / 2;
        d.js += (p > 0 ? p * log2(p / middle) : 0) / 2 + (q > 0 ? q * log2(q / middle) : 0) / 2;
    }
    d.js = sqrt(d.js > 0 ? d.js : 0);
    return d;
}

/* Of |d0| to |d1| along a straight line, over a width of 1. */
static double area(double d0, double d1)
{
    double x = fabs(d0), y = fabs(d1);
    if ((d0 < 0) == (d1 < 0) || x + y == 0)
        return (x + y) / 2;
    return (x * x + y * y) / (2 * (x + y));
}

static double distance(const tut_bins *a, const tut_bins *b, double n, double m)
{
    double f = (double)a->counts[0] / n, g = (double)b->counts[0] / m, sum = 0;
    for (size_t k = 1; k <= TUT_BINS_INNER; k++) {
        double d0 = f - g;
        f += (double)a->counts[k] / n;
        g += (double)b->counts[k] / m;
        sum += area(d0, f - g);
    }
    return sum / a->scale + fabs(a->below / n - b->below / m) + fabs(a->above / n - b->above / m);
}

tut_divergence tut_divergence_of(const tut_bins *reference, const tut_bins *current)
{
    uint64_t a[TUT_BINS_COARSE] = {0}, b[TUT_BINS_COARSE] = {0};
    uint64_t n = tut_bins_count(reference), m = tut_bins_count(current), seen = 0;
    size_t count = 0;
    bool is_open = false;
    if (n == 0 || m == 0)
        return (tut_divergence){.psi = 0};
    for (size_t k = 0; k < TUT_BINS; k++) {
        seen += reference->counts[k];
        a[count] += reference->counts[k];
        b[count] += current->counts[k];
        is_open = true;
        if (count + 1 < TUT_BINS_COARSE &&
            (double)seen >= (double)n * (double)(count + 1) / TUT_BINS_COARSE && a[count] > 0) {
            count++;
            is_open = false;
        }
    }
    tut_divergence d = tut_divergence_counts(a, b, count + is_open);
    d.wasserstein = distance(reference, current, (double)n, (double)m);
    return d;
}

double tut_wasserstein_ordered(const double *a, size_t n, const double *b, size_t m)
{
    size_t i = 0, j = 0;
    double sum = 0, last = 0;
    while (i < n || j < m) {
        double x = j == m || (i < n && a[i] <= b[j]) ? a[i] : b[j];
        double d = fabs((double)i / (double)n - (double)j / (double)m);
        if (i + j > 0 && d > 0)
            sum += d * (x - last);
        last = x;
        while (i < n && a[i] == x)
            i++;
        while (j < m && b[j] == x)
            j++;
    }
    return sum;
}
