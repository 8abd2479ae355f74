#include "stats/special.h"

#include <math.h>
#include <stdint.h>

double tut_log_gamma(double x)
{
    int sign = 0;
    return lgamma_r(x, &sign);
}

double tut_normal_sf(double z)
{
    return 0.5 * erfc(z * M_SQRT1_2);
}

static double horner(const double *c, unsigned count, double x)
{
    double y = 0;
    while (count)
        y = y * x + c[--count];
    return y;
}

/* Wichura's AS 241, PPND16: relative accuracy about 1e-16. */
double tut_normal_quantile(double p)
{
    static const double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                               1.9715909503065514427e3, 1.3731693765509461125e4,
                               4.5921953931549871457e4, 6.7265770927008700853e4,
                               3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double b[] = {1.0,
                               4.2313330701600911252e1,
                               6.8718700749205790830e2,
                               5.3941960214247511077e3,
                               2.1213794301586595867e4,
                               3.9307895800092710610e4,
                               2.8729085735721942674e4,
                               5.2264952788528545610e3};
    static const double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                               5.76949722146069140550e0,  3.64784832476320460504e0,
                               1.27045825245236838258e0,  2.41780725177450611770e-1,
                               2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[] = {1.0,
                               2.05319162663775882187e0,
                               1.67638483018380384940e0,
                               6.89767334985100004550e-1,
                               1.48103976427480074590e-1,
                               1.51986665636164571966e-2,
                               5.47593808499534494600e-4,
                               1.05075007164441684324e-9};
    static const double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                               1.78482653991729133580e0,  2.96560571828504891230e-1,
                               2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[] = {1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};
    double q = p - 0.5;
    if (!(p > 0 && p < 1))
        return p >= 1 ? INFINITY : -INFINITY;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * horner(a, 8, r) / horner(b, 8, r);
    }
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double z = r <= 5 ? horner(c, 8, r - 1.6) / horner(d, 8, r - 1.6)
                      : horner(e, 8, r - 5) / horner(f, 8, r - 5);
    return q < 0 ? -z : z;
}

/* Upper incomplete gamma function, regularised: a series below, Lentz's continued fraction above
 * the bend. */
static double gamma_q(double a, double x)
{
    enum { ROUNDS = 100000 };
    if (x <= 0)
        return 1;
    double scale = exp(a * log(x) - x - tut_log_gamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (unsigned i = 1; i < ROUNDS && term > sum * 1e-17; i++)
            sum += term *= x / (a + i);
        return 1 - sum * scale;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (unsigned i = 1; i < ROUNDS; i++) {
        double an = -(double)i * (i - a);
        b += 2;
        d = an * d + b;
        d = fabs(d) < 1e-300 ? 1e300 : 1 / d;
        c = b + an / c;
        c = fabs(c) < 1e-300 ? 1e-300 : c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return h * scale;
}

double tut_chi2_sf(double x, double df)
{
    return df <= 0 ? 1 : gamma_q(df / 2, x / 2);
}

/* The Poisson weight of j. */
static double weight_of(double half, uint64_t j)
{
    double x = (double)j;
    return half > 0 ? exp(x * log(half) - half - tut_log_gamma(x + 1)) : j == 0;
}

double tut_chi2_noncentral_sf(double x, double df, double lambda)
{
    static const double least = 1e-14, most = 1e9;
    double half = lambda / 2, sum = 0;
    uint64_t mode = half < most ? (uint64_t)half : (uint64_t)most;
    /* Weights fall off to both sides of their mode. */
    for (uint64_t j = mode + 1; j-- > 0;) {
        double w = weight_of(half, j);
        sum += w * tut_chi2_sf(x, df + 2 * (double)j);
        if (w < least)
            break;
    }
    for (uint64_t j = mode + 1; half > 0; j++) {
        double w = weight_of(half, j);
        sum += w * tut_chi2_sf(x, df + 2 * (double)j);
        if (w < least)
            break;
    }
    return sum;
}

double tut_chi2_isf(double p, double df)
{
    double low = 0, high = df + 10;
    while (tut_chi2_sf(high, df) > p && high < 1e12)
        high *= 2;
    for (unsigned i = 0; i < 200 && high - low > 1e-12 * high; i++) {
        double middle = (low + high) / 2;
        if (tut_chi2_sf(middle, df) > p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double tut_student_sf(double t, unsigned df)
{
    double angle = atan2(t, sqrt((double)df)), squared = cos(angle) * cos(angle);
    double term = df % 2 ? cos(angle) : 1, sum = 0;
    for (unsigned k = df % 2 ? 3 : 2; k <= df; k += 2) {
        sum += term;
        term *= squared * (k - 1) / k;
    }
    double within = df % 2 ? (angle + sin(angle) * sum) * M_2_PI : sin(angle) * sum;
    return fmax(0, (1 - within) / 2);
}
