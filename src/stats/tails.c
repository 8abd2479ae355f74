#include "stats/tails.h"

#include <math.h>
#include <stdbool.h>

#include "stats/special.h"

static const double enough = 1e-17; /* what a term adds at least, of the sum */

static double log_factorial(double n)
{
    return tut_log_gamma(n + 1);
}

static double log_choose(double n, double k)
{
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

static double cut(double p)
{
    return p > 1 ? 1 : p < 0 ? 0 : p;
}

/* The sum from term k upwards, or (is_lower) downwards, over the first term: ratio(k) is term k+1
 * over term k. */
typedef struct series {
    double a, b, c; /* ratio: (a - k)(b - k) / ((k + 1)(c + k)), or with odds */
    double odds;    /* of the binomial; 0: hypergeometric */
} series;

static double ratio(const series *s, double k)
{
    if (s->odds > 0)
        return (s->a - k) / (k + 1) * s->odds;
    return (s->a - k) / (k + 1) * ((s->b - k) / (s->c + k + 1));
}

static double sum_up(const series *s, double k, double last)
{
    double sum = 1, term = 1;
    while (k < last && term >= sum * enough) {
        term *= ratio(s, k);
        sum += term;
        k += 1;
    }
    return sum;
}

static double sum_down(const series *s, double k, double first)
{
    double sum = 1, term = 1;
    while (k > first && term >= sum * enough) {
        k -= 1;
        term /= ratio(s, k);
        sum += term;
    }
    return sum;
}

double tut_tail_binomial(uint64_t k, uint64_t n, double p)
{
    if (k == 0)
        return 1;
    if (k > n || !(p > 0))
        return 0;
    if (p >= 1)
        return 1;
    double count = (double)n, at = (double)k;
    series s = {.a = count, .odds = p / (1 - p)};
    bool is_upper = at > count * p;
    double from = is_upper ? at : at - 1;
    double first = exp(log_choose(count, from) + from * log(p) + (count - from) * log1p(-p));
    return is_upper ? cut(first * sum_up(&s, from, count)) : cut(1 - first * sum_down(&s, from, 0));
}

double tut_tail_hypergeometric(uint64_t k, uint64_t drawn, uint64_t marked, uint64_t all)
{
    if (drawn > all || marked > all || k == 0)
        return 1;
    double n = (double)drawn, m = (double)marked, t = (double)all, at = (double)k;
    double most = n < m ? n : m, least = n + m > t ? n + m - t : 0;
    if (at > most)
        return 0;
    if (at <= least)
        return 1;
    series s = {.a = n, .b = m, .c = t - m - n};
    bool is_upper = at > n * m / t;
    double from = is_upper ? at : at - 1;
    double first = exp(log_choose(m, from) + log_choose(t - m, n - from) - log_choose(t, n));
    return is_upper ? cut(first * sum_up(&s, from, most))
                    : cut(1 - first * sum_down(&s, from, least));
}

/* The p at which the chance of k or more of n is `tail`: it rises with p. */
static double share_with_tail(uint64_t k, uint64_t n, double tail)
{
    double low = 0, high = 1;
    for (unsigned i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (tut_tail_binomial(k, n, middle) < tail)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

void tut_binomial_interval(uint64_t k, uint64_t n, double confidence, double *ret_low,
                           double *ret_high)
{
    double tail = (1 - confidence) / 2;
    *ret_low = k == 0 ? 0 : share_with_tail(k, n, tail);
    *ret_high = k >= n ? 1 : share_with_tail(k + 1, n, 1 - tail);
}
