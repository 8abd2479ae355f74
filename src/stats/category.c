#include "stats/category.h"

#include <math.h>

#include "base/alloc.h"
#include "stats/seeded.h"
#include "stats/special.h"

enum { PERMUTATIONS = 2000, PERMUTED_MAX = 5000 };
static const double expected_least = 5;

typedef struct table {
    uint64_t *a, *b;
    size_t count, pooled;
    double n, m;
} table;

static double statistic(const table *t, double *ret_g)
{
    double chi2 = 0, g = 0, all = t->n + t->m;
    for (size_t i = 0; i < t->count; i++) {
        double a = (double)t->a[i], b = (double)t->b[i], sum = a + b;
        if (sum == 0)
            continue;
        double ea = sum * t->n / all, eb = sum * t->m / all;
        chi2 += (a - ea) * (a - ea) / ea + (b - eb) * (b - eb) / eb;
        g += 2 * ((a > 0 ? a * log(a / ea) : 0) + (b > 0 ? b * log(b / eb) : 0));
    }
    *ret_g = g;
    return chi2;
}

static double expected(const table *t, size_t i)
{
    return (double)(t->a[i] + t->b[i]) * fmin(t->n, t->m) / (t->n + t->m);
}

/* Cells that expect too little go into one, which takes the smallest of the others as well when it
 * still does. False: it would, and the table is small enough to be permuted instead. */
static bool pool(table *t)
{
    uint64_t pool_a = 0, pool_b = 0;
    size_t kept = 0, small = 0;
    for (size_t i = 0; i < t->count; i++)
        small += expected(t, i) < expected_least && t->a[i] + t->b[i] > 0;
    for (size_t i = 0; i < t->count; i++) {
        bool is_small = expected(t, i) < expected_least;
        pool_a += is_small ? t->a[i] : 0;
        pool_b += is_small ? t->b[i] : 0;
        if (!is_small) {
            t->a[kept] = t->a[i];
            t->b[kept++] = t->b[i];
        }
    }
    double share = (double)(pool_a + pool_b) * fmin(t->n, t->m) / (t->n + t->m);
    bool is_enough = small == 0 || t->n + t->m > PERMUTED_MAX ||
                     (share >= expected_least && kept > 0);
    t->count = kept;
    t->pooled = small;
    if (small == 0)
        return true;
    if (share < expected_least && kept > 0) {
        size_t least = 0;
        for (size_t i = 1; i < kept; i++)
            least = t->a[i] + t->b[i] < t->a[least] + t->b[least] ? i : least;
        t->a[least] += pool_a;
        t->b[least] += pool_b;
        return is_enough;
    }
    t->a[kept] = pool_a;
    t->b[kept] = pool_b;
    t->count = kept + 1;
    return is_enough;
}

static void draw(const uint32_t *labels, size_t all, size_t first, uint32_t *shuffled, table *t,
                 tut_seeded *random)
{
    for (size_t i = 0; i < t->count; i++)
        t->a[i] = t->b[i] = 0;
    for (size_t i = 0; i < all; i++)
        shuffled[i] = labels[i];
    for (size_t i = 0; i < all; i++) {
        size_t k = i + (i < first ? tut_seeded_below(random, all - i) : 0);
        uint32_t swap = shuffled[i];
        shuffled[i] = shuffled[k];
        shuffled[k] = swap;
        (i < first ? t->a : t->b)[shuffled[i]]++;
    }
}

static tut_status permute(const table *seen, uint64_t seed, double *ret_p, tut_error *err)
{
    size_t all = (size_t)(seen->n + seen->m), at = 0, first = (size_t)seen->n, as_far = 1;
    double g = 0, observed = statistic(seen, &g);
    TUT_AUTO_FREE uint32_t *labels = tut_alloc_array(2 * all, sizeof(*labels));
    TUT_AUTO_FREE uint64_t *cells = tut_alloc_array(2 * seen->count, sizeof(*cells));
    if (!labels || !cells)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    table t = {
        .a = cells, .b = cells + seen->count, .count = seen->count, .n = seen->n, .m = seen->m};
    tut_seeded random = tut_seeded_of(seed);
    for (size_t i = 0; i < seen->count; i++)
        for (uint64_t k = seen->a[i] + seen->b[i]; k > 0; k--)
            labels[at++] = (uint32_t)i;
    for (unsigned r = 0; r < PERMUTATIONS; r++) {
        draw(labels, all, first, labels + all, &t, &random);
        as_far += statistic(&t, &g) >= observed * (1 - 1e-12);
    }
    *ret_p = (double)as_far / (PERMUTATIONS + 1);
    return TUT_SUCCESS;
}

static double total(const uint64_t *counts, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)counts[i];
    return sum;
}

tut_status tut_category_compare(const uint64_t *a, const uint64_t *b, size_t count, uint64_t seed,
                                tut_category_test *ret_test, tut_error *err)
{
    tut_category_test test = {.p = 1, .p_chi2 = 1, .p_g = 1};
    table t = {.count = count, .n = total(a, count), .m = total(b, count)};
    TUT_AUTO_FREE uint64_t *cells = tut_alloc_array(2 * (count + 1), sizeof(*cells));
    if (!cells)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_test = test;
    if (t.n == 0 || t.m == 0)
        return TUT_SUCCESS;
    t.a = cells;
    t.b = cells + count + 1;
    for (size_t i = 0; i < count; i++) {
        t.a[i] = a[i];
        t.b[i] = b[i];
    }
    bool is_enough = pool(&t);
    test.pooled = t.pooled;
    test.chi2 = statistic(&t, &test.g);
    test.df = t.count > 0 ? (double)t.count - 1 : 0;
    test.w = sqrt(test.chi2 / (t.n + t.m));
    test.p = test.p_chi2 = tut_chi2_sf(test.chi2, test.df);
    test.p_g = tut_chi2_sf(test.g, test.df);
    if (!is_enough) {
        for (size_t i = 0; i < count; i++) {
            t.a[i] = a[i];
            t.b[i] = b[i];
        }
        t.count = count;
        test.is_permuted = true;
        test.w = sqrt(statistic(&t, &test.g) / (t.n + t.m));
        TUT_TRY(permute(&t, seed, &test.p, err));
    }
    *ret_test = test;
    return TUT_SUCCESS;
}

/* Non-centrality that the power needs. */
static double lambda_for(double df, double alpha, double power)
{
    double critical = tut_chi2_isf(alpha, df), low = 0, high = 16;
    while (tut_chi2_noncentral_sf(critical, df, high) < power && high < 1e6)
        high *= 2;
    for (unsigned i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (tut_chi2_noncentral_sf(critical, df, middle) < power)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double tut_category_detectable(double n, double m, double df, double alpha, double power)
{
    return df > 0 && n + m > 0 ? sqrt(lambda_for(df, alpha, power) / (n + m)) : INFINITY;
}

double tut_category_needed(double w, double df, double alpha, double power)
{
    return df > 0 ? ceil(lambda_for(df, alpha, power) / (w * w) / 2) : INFINITY;
}
