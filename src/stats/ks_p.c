/* What the statistic's distribution says: see ks.h. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "stats/ks.h"
#include "stats/special.h"

static double clip(double p)
{
    return p < 0 ? 0 : p > 1 ? 1 : p;
}

/* --- one sample --- */

/* P(D+ >= d) (Birnbaum and Tingey 1951); beyond what is worth summing, Maag and Dicaire 1971, whose
 * error is of the order of 1/n. */
static double one_sided_sf(double n, double d)
{
    enum { SUMMED = 20000 };
    double sum = 0;
    if (n > SUMMED) {
        double x = 6 * n * d + 1;
        return exp(-x * x / (18 * n));
    }
    double lg = tut_log_gamma(n + 1);
    for (size_t k = 0; (double)k <= n * (1 - d); k++) {
        double j = (double)k;
        double up = d + j / n, rest = 1 - up;
        if (rest <= 0 && n - j > 0)
            continue;
        double log_term = lg - tut_log_gamma(j + 1) - tut_log_gamma(n - j + 1) + (j - 1) * log(up);
        sum += exp(log_term + (n - j > 0 ? (n - j) * log(rest) : 0));
    }
    return clip(d * sum);
}

static void multiply(const double *a, const double *b, double *to, size_t size)
{
    memset(to, 0, size * size * sizeof(*to));
    for (size_t i = 0; i < size; i++)
        for (size_t k = 0; k < size; k++)
            for (size_t j = 0; j < size; j++)
                to[i * size + j] += a[i * size + k] * b[k * size + j];
}

/* Numbers that outgrow a double are kept small beside an exponent. */
static void shrink(double *a, size_t size, int *exponent)
{
    int e = 0;
    (void)frexp(a[(size / 2) * size + size / 2], &e);
    if (e < 300)
        return;
    for (size_t i = 0; i < size * size; i++)
        a[i] = ldexp(a[i], -e);
    *exponent += e;
}

static void fill(double *h, size_t size, double gap)
{
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < size; j++)
            h[i * size + j] = j <= i + 1;
    for (size_t i = 0; i < size; i++) {
        h[i * size] -= pow(gap, (double)i + 1);
        h[(size - 1) * size + i] -= pow(gap, (double)(size - i));
    }
    h[(size - 1) * size] += 2 * gap > 1 ? pow(2 * gap - 1, (double)size) : 0;
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++)
            for (size_t g = 1; g <= i - j + 1; g++)
                h[i * size + j] /= (double)g;
}

/* P(D_n < d) by the n-th power of a matrix (Marsaglia, Tsang and Wang 2003); negative: no memory.
 */
static double by_matrix(unsigned n, double d)
{
    size_t k = (size_t)(n * d) + 1, size = 2 * k - 1, cells = size * size;
    TUT_AUTO_FREE double *held = tut_alloc_array(3 * cells, sizeof(*held));
    int h_exponent = 0, exponent = 0;
    if (!held)
        return -1;
    double *h = held, *power = held + cells, *spare = held + 2 * cells;
    fill(h, size, (double)k - n * d);
    for (size_t i = 0; i < size; i++)
        power[i * size + i] = 1;
    for (unsigned left = n; left; left >>= 1) {
        if (left & 1) {
            multiply(power, h, spare, size);
            memcpy(power, spare, cells * sizeof(*spare));
            exponent += h_exponent;
            shrink(power, size, &exponent);
        }
        if (left > 1) {
            multiply(h, h, spare, size);
            memcpy(h, spare, cells * sizeof(*spare));
            h_exponent *= 2;
            shrink(h, size, &h_exponent);
        }
    }
    double s = log(power[(k - 1) * size + k - 1]) + exponent * M_LN2;
    return clip(exp(s + tut_log_gamma(n + 1.0) - n * log(n)));
}

/* P(D_n < d) for many (Pelz and Good 1976), four terms. */
static double by_series(double n, double d)
{
    double z = d * sqrt(n), z2 = z * z, z4 = z2 * z2, z6 = z4 * z2, pi2 = M_PI * M_PI;
    double pi4 = pi2 * pi2, q = pi2 / (2 * z2), k0 = 0, k1 = 0, k2 = 0, k3 = 0, extra2 = 0,
           extra3 = 0;
    for (int k = 0; k < 60; k++) {
        double h2 = (k + 0.5) * (k + 0.5), h4 = h2 * h2, h6 = h4 * h2, e = exp(-h2 * q);
        k0 += e;
        k1 += (pi2 * h2 - z2) * e;
        k2 += (6 * z6 + 2 * z4 + pi2 * (2 * z4 - 5 * z2) * h2 + pi4 * (1 - 2 * z2) * h4) * e;
        k3 += (-30 * z6 - 90 * z6 * z2 + pi2 * (135 * z4 - 96 * z6) * h2 +
               pi4 * (212 * z4 - 60 * z2) * h4 + pi2 * pi4 * h6 * (5 - 30 * z2)) *
              e;
        double g2 = (double)k * k, f = exp(-g2 * q);
        extra2 += pi2 * g2 * f;
        extra3 += (3 * pi2 * g2 * z2 - pi4 * g2 * g2) * f;
    }
    double root = sqrt(2 * M_PI);
    double sum = root / z * k0 + sqrt(M_PI / 2) / (3 * z4) * k1 / sqrt(n);
    sum += (sqrt(M_PI / 2) / (36 * pow(z, 7)) * k2 - root / (36 * z * z2) * extra2) / n;
    sum += (sqrt(M_PI / 2) / (3240 * pow(z, 10)) * k3 + root / (216 * z6) * extra3) / (n * sqrt(n));
    return clip(sum);
}

double tut_ks_one_sf(double n, double d)
{
    enum { MATRIX = 140, MATRIX_MANY = 100000 };
    double t = n * d, nd2 = t * d;
    if (d >= 1 || n < 1)
        return n < 1;
    if (t <= 0.5)
        return 1;
    if (t <= 1)
        return clip(1 - exp(tut_log_gamma(n + 1) - n * log(n) + n * log(2 * t - 1)));
    if (t >= n - 1)
        return clip(2 * pow(1 - d, n));
    if (d >= 0.5 || nd2 >= (n <= MATRIX ? 4 : 2.2))
        return nd2 >= 370 ? 0 : clip(2 * one_sided_sf(n, d));
    if (n <= MATRIX || (n <= MATRIX_MANY && n * pow(d, 1.5) <= 1.4)) {
        double below = by_matrix((unsigned)n, d);
        if (below >= 0)
            return 1 - below;
    }
    return 1 - by_series(n, d);
}

/* --- two samples --- */

static size_t common_divisor(size_t a, size_t b)
{
    while (b) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Of two samples of n: reflections of paths that leave the band (Gnedenko and Korolyuk 1951). */
static double of_equal(size_t n, size_t h)
{
    double p = 0;
    for (size_t k = n / h + 1; k-- > 0;) {
        double part = 1;
        for (size_t j = 0; j < h; j++)
            part *= ((double)n - (double)(k * h + j)) / (double)(n + k * h + j + 1);
        p = part * (1 - p);
    }
    return clip(2 * p);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

typedef struct band { /* of lattice paths that stay within h of the diagonal */
    int64_t m, n, mg, ng, h;
} band;

static int64_t band_from(const band *s, int64_t i)
{
    int64_t j = floor_div(s->ng * i - s->h, s->mg) + 1;
    return j < 0 ? 0 : j > s->n ? s->n : j;
}

static int64_t band_to(const band *s, int64_t i)
{
    int64_t j = -floor_div(-(s->ng * i + s->h), s->mg);
    return j < s->n + 1 ? j : s->n + 1;
}

/* The share of paths that leave the band (Hodges 1958, from the outside, so that small shares keep
 * their digits). */
static double outside(const band *s, double *a, size_t room)
{
    int64_t from = 0, to = band_to(s, 0), length = to;
    for (size_t i = 0; i < room; i++)
        a[i] = 1;
    for (int64_t j = 0; j < to; j++)
        a[j] = 0;
    for (int64_t i = 1; i <= s->m; i++) {
        int64_t last_from = from, last_length = length;
        from = band_from(s, i);
        to = band_to(s, i);
        if (to <= from)
            return 1;
        double value = from == 0 ? 0 : 1;
        for (int64_t k = 0; k < to - from; k++) {
            int64_t j = k + from;
            value = (a[j - last_from] * (double)i + value * (double)j) / (double)(i + j);
            a[k] = value;
        }
        length = to - from;
        for (int64_t k = length; k < last_length; k++)
            a[k] = 1;
    }
    return clip(a[length - 1]);
}

/* Negative: too much work, or no memory for it. */
static double of_both(size_t n, size_t m, double statistic)
{
    static const double worth = 4e7; /* steps */
    size_t g = common_divisor(n, m), greater = n > m ? n : m, lesser = n > m ? m : n;
    if (g == 0)
        return -1;
    size_t parts = n / g;
    double lcm = (double)parts * (double)m;
    int64_t h = llrint(statistic * lcm);
    if (h == 0)
        return 1;
    if (n == m)
        return of_equal(n, (size_t)h);
    const band s = {.m = (int64_t)greater,
                    .n = (int64_t)lesser,
                    .mg = (int64_t)(greater / g),
                    .ng = (int64_t)(lesser / g),
                    .h = h};
    if ((double)greater * fmin((double)lesser, 2 * (double)h / (double)s.mg + 1) > worth)
        return -1;
    size_t room = lesser + 2;
    TUT_AUTO_FREE double *a = tut_alloc_array(room, sizeof(*a));
    return a ? outside(&s, a, room) : -1;
}

double tut_ks_p(double statistic, size_t n, size_t m, bool *ret_is_exact)
{
    *ret_is_exact = false;
    if (n <= TUT_KS_EXACT && m <= TUT_KS_EXACT) {
        double p = of_both(n, m, statistic);
        *ret_is_exact = p >= 0;
        if (p >= 0)
            return p;
    }
    double size = (double)n * (double)m / ((double)n + (double)m);
    return tut_ks_one_sf(nearbyint(size), statistic);
}
