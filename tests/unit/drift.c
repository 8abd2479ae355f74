/* Tests of drift: their figures beside those of scipy 1.10 and beside the plain way to them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "stats/category.h"
#include "stats/divergence.h"
#include "stats/ks.h"
#include "stats/mmd.h"
#include "stats/order.h"
#include "stats/seeded.h"
#include "stats/special.h"

#define NEAR(a, b, relative) assert_true(fabs((a) - (b)) <= (relative)*fabs(b) + 1e-300)

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct pair {
    double *a, *b;
    float *fa, *fb;
    size_t n, m;
} pair;

enum { NORMAL, ROUNDED, HEAVY, CONSTANT, SHAPES };

static double drawn(tut_seeded *r, unsigned shape, double shift)
{
    double z = tut_seeded_normal(r) + shift;
    return shape == NORMAL ? z : shape == ROUNDED ? nearbyint(z) : shape == HEAVY ? exp(5 * z) : 3;
}

static pair pair_of(size_t n, size_t m, unsigned shape, double shift)
{
    pair p = {.n = n, .m = m};
    tut_seeded r = tut_seeded_of(n + m + shape);
    p.a = tut_alloc_array(n + m, sizeof(double));
    p.fa = tut_alloc_array(n + m, sizeof(float));
    assert_true(p.a && p.fa);
    p.b = p.a + n;
    p.fb = p.fa + n;
    for (size_t i = 0; i < n + m; i++) {
        p.a[i] = drawn(&r, shape, i < n ? 0 : shift);
        p.fa[i] = (float)p.a[i];
    }
    return p;
}

static void pair_done(pair *p)
{
    tut_free(p->a);
    tut_free(p->fa);
}

static double plain_ks(const double *a, size_t n, const double *b, size_t m)
{
    double best = 0;
    for (size_t i = 0, j = 0; i < n || j < m;) {
        double x = j == m || (i < n && a[i] <= b[j]) ? a[i] : b[j];
        while (i < n && a[i] == x)
            i++;
        while (j < m && b[j] == x)
            j++;
        best = fmax(best, fabs((double)i / (double)n - (double)j / (double)m));
    }
    return best;
}

static void check_against_sorted(size_t n, size_t m, unsigned shape, double shift)
{
    pair p = pair_of(n, m, shape, shift);
    tut_ks t64, t32;
    assert_true(tut_is_ok(tut_ks_f64(p.a, n, p.b, m, &t64, NULL)));
    assert_true(tut_is_ok(tut_ks_f32(p.fa, n, p.fb, m, &t32, NULL)));
    qsort(p.a, n, sizeof(double), by_size);
    qsort(p.b, m, sizeof(double), by_size);
    assert_true(t64.statistic == plain_ks(p.a, n, p.b, m));
    assert_true(tut_ks_ordered(p.a, n, p.b, m).statistic == t64.statistic);
    for (size_t i = 0; i < n; i++)
        p.a[i] = (double)(float)p.a[i];
    for (size_t i = 0; i < m; i++)
        p.b[i] = (double)(float)p.b[i];
    assert_true(t32.statistic == plain_ks(p.a, n, p.b, m));
    pair_done(&p);
}

static void statistic_is_that_of_sorted_samples(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {7, 90}, {9000, 9100}, {40000, 700}, {30000, 50000}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (unsigned shape = 0; shape < SHAPES; shape++)
            for (unsigned k = 0; k < 3; k++)
                check_against_sorted(sizes[i][0], sizes[i][1], shape, 0.01 * k * k);
}

static void infinite_numbers_have_their_place(void **state)
{
    (void)state;
    double a[] = {-INFINITY, 1, 2, INFINITY}, b[] = {-INFINITY, -INFINITY, 1, INFINITY};
    tut_ks t;
    assert_true(tut_is_ok(tut_ks_f64(a, 4, b, 4, &t, NULL)));
    assert_true(t.statistic == 0.25);
}

/* scipy.stats.ks_2samp([...]).pvalue for samples with this statistic; the last ones by
 * scipy.stats.kstwo.sf(d, round(n * m / (n + m))). */
static void p_is_that_of_scipy(void **state)
{
    (void)state;
    static const struct {
        size_t n, m;
        double d, p;
        bool is_exact;
    } rows[] = {
        {5, 7, 0.4, 0.6388888888888888, true},
        {5, 7, 0.6, 0.16666666666666663, true},
        {100, 100, 0.15, 0.21117008625127576, true},
        {100, 37, 0.2454054054054054, 0.06310287107113646, true},
        {2000, 3000, 0.027666666666666673, 0.3132819110014444, true},
        {9999, 10000, 0.027962736273627362, 0.0007726630611584914, true},
        {10000, 10000, 0.023, 0.010081483182653565, true},
        {20, 20000, 0.19874999999999998, 0.36006228261994877, false},
        {300, 50000, 0.06565333333333334, 0.14652369775120377, false},
        {50000, 60000, 0.0026866666666666705, 0.9889936820903052, false},
        {200000, 100000, 0.003974999999999951, 0.24218573897061169, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_exact = false;
        double p = tut_ks_p(rows[i].d, rows[i].n, rows[i].m, &is_exact);
        NEAR(p, rows[i].p, 1e-9);
        assert_int_equal(is_exact, rows[i].is_exact);
    }
}

static void order_is_ascending(void **state)
{
    (void)state;
    pair p = pair_of(5000, 5000, HEAVY, -1);
    double *spare = tut_alloc_array(10000, sizeof(double));
    assert_non_null(spare);
    p.a[0] = -0.0;
    p.a[1] = INFINITY;
    p.a[2] = -INFINITY;
    for (size_t i = 3; i < 5000; i += 2)
        p.a[i] = -p.a[i];
    tut_order_f64(p.a, spare, 10000);
    tut_order_f32(p.fa, (float *)spare, 10000);
    for (size_t i = 1; i < 10000; i++)
        assert_true(p.a[i - 1] <= p.a[i] && p.fa[i - 1] <= p.fa[i]);
    assert_true(isinf(p.a[0]) && isinf(p.a[9999]));
    tut_free(spare);
    pair_done(&p);
}

static void distribution_functions_are_those_of_scipy(void **state)
{
    (void)state;
    NEAR(tut_chi2_sf(3.84, 1), 0.05004352124870519, 1e-12);    /* chi2.sf(3.84, 1) */
    NEAR(tut_chi2_sf(120, 50), 1.0958807112599678e-07, 1e-11); /* chi2.sf(120, 50) */
    NEAR(tut_normal_quantile(0.975), 1.959963984540054, 1e-14);
    NEAR(tut_normal_quantile(1e-9), -5.997807015007687, 1e-13);
    NEAR(tut_normal_sf(3), 0.0013498980316300946, 1e-13);
    NEAR(tut_chi2_isf(0.05, 4), 9.487729036781154, 1e-10);                   /* chi2.isf(0.05, 4) */
    NEAR(tut_chi2_noncentral_sf(9.4877, 4, 11.9), 0.7986685832517374, 1e-9); /* ncx2.sf */
}

static void distances_of_shifted_normals_are_near_the_known(void **state)
{
    (void)state;
    pair p = pair_of(200000, 200000, NORMAL, 0.1);
    double sample[4000];
    tut_bins a, b;
    for (size_t i = 0; i < 4000; i++)
        sample[i] = p.a[i * 50];
    tut_bins_place(&a, sample, 4000);
    tut_bins_like(&b, &a);
    tut_bins_add_f64(&a, p.a, p.n);
    tut_bins_add_f64(&b, p.b, p.m);
    assert_int_equal(tut_bins_count(&a), p.n);
    tut_divergence d = tut_divergence_of(&a, &b);
    assert_int_equal(d.coarse, 10);
    assert_true(fabs(d.psi - 0.0095) < 0.002 && fabs(d.js - 0.0414) < 0.004);
    assert_true(fabs(d.wasserstein - 0.1) < 0.01);
    qsort(p.a, p.n, sizeof(double), by_size);
    qsort(p.b, p.m, sizeof(double), by_size);
    NEAR(d.wasserstein, tut_wasserstein_ordered(p.a, p.n, p.b, p.m), 2e-3);
    pair_done(&p);
}

static void missing_and_infinite_numbers_are_counted_apart(void **state)
{
    (void)state;
    double sample[] = {0, 1, 2, NAN}, values[] = {NAN, 0.5, INFINITY, -INFINITY, 100, NAN};
    tut_bins bins;
    tut_bins_place(&bins, sample, 4);
    tut_bins_add_f64(&bins, values, 6);
    assert_int_equal(bins.nans, 2);
    assert_int_equal(bins.infinite, 2);
    assert_int_equal(tut_bins_count(&bins), 4);
    assert_true(bins.above > 97 && bins.above < 98.1 && bins.below == 0);
}

/* scipy.stats.chi2_contingency(table, correction=False), and lambda_="log-likelihood". */
static void categories_compare_as_in_scipy(void **state)
{
    (void)state;
    static const uint64_t a[] = {30, 20, 50}, b[] = {20, 30, 40};
    tut_category_test t;
    assert_true(tut_is_ok(tut_category_compare(a, b, 3, 1, &t, NULL)));
    NEAR(t.chi2, 4.597530864197531, 1e-12);
    NEAR(t.p_chi2, 0.1003826965096855, 1e-10);
    NEAR(t.g, 4.613952374549264, 1e-12);
    NEAR(t.p_g, 0.09956185324780814, 1e-10);
    assert_false(t.is_permuted);
}

static void small_tables_are_permuted_and_large_ones_pooled(void **state)
{
    (void)state;
    static const uint64_t a[] = {3, 1, 2}, b[] = {1, 4, 1}, c[] = {50000, 10000, 1},
                          d[] = {60000, 9000, 3};
    tut_category_test t;
    assert_true(tut_is_ok(tut_category_compare(a, b, 3, 1, &t, NULL)));
    assert_true(t.is_permuted);
    assert_true(t.p > 0.2 && t.p < 0.6);
    assert_true(tut_is_ok(tut_category_compare(c, d, 3, 1, &t, NULL)));
    assert_false(t.is_permuted);
    assert_int_equal(t.pooled, 1);
    assert_true(t.p < 1e-9);
}

static void one_category_or_nothing_is_no_difference(void **state)
{
    (void)state;
    static const uint64_t a[] = {5, 0}, b[] = {70, 0}, none[] = {0, 0};
    tut_category_test t;
    assert_true(tut_is_ok(tut_category_compare(a, b, 2, 1, &t, NULL)));
    assert_true(t.p == 1);
    assert_true(tut_is_ok(tut_category_compare(a, none, 2, 1, &t, NULL)));
    assert_true(t.p == 1 && t.w == 0);
}

enum { POINTS = 1500 };

static double *points(uint64_t seed, double together)
{
    tut_seeded r = tut_seeded_of(seed);
    double *x = tut_alloc_array(POINTS * 3, sizeof(*x));
    assert_non_null(x);
    for (size_t i = 0; i < POINTS; i++) {
        for (size_t d = 0; d < 3; d++)
            x[i * 3 + d] = tut_seeded_normal(&r);
        x[i * 3 + 1] = together * x[i * 3] + sqrt(1 - together * together) * x[i * 3 + 1];
    }
    return x;
}

/* Each feature by itself stays as it was. */
static void features_that_begin_to_go_together_are_found(void **state)
{
    (void)state;
    double *a = points(11, 0), *b = points(12, 0), *c = points(13, 0.6);
    tut_mmd same, other;
    tut_auc alike, apart;
    assert_true(tut_is_ok(tut_mmd_test(a, POINTS, b, POINTS, 3, 7, &same, NULL)));
    assert_true(tut_is_ok(tut_mmd_test(a, POINTS, c, POINTS, 3, 7, &other, NULL)));
    assert_true(same.p > 0.02 && other.p < 0.005);
    assert_true(tut_is_ok(tut_told_apart(a, POINTS, b, POINTS, 3, 7, &alike, NULL)));
    assert_true(tut_is_ok(tut_told_apart(a, POINTS, c, POINTS, 3, 7, &apart, NULL)));
    assert_true(alike.low <= 0.5 && alike.auc < 0.55);
    assert_true(apart.low > 0.6 && apart.p < 1e-9);
    tut_free(a);
    tut_free(b);
    tut_free(c);
}

static void detectable_differences_are_detected_as_often_as_said(void **state)
{
    (void)state;
    enum { RUNS = 300, N = 1000 };
    double shift = 0.14, d = erf(shift / 2 / sqrt(2)); /* sup |F - G| of normals that far apart */
    double needed = tut_ks_needed(d, 0.05, 0.8), found = 0;
    for (unsigned r = 0; r < RUNS; r++) {
        double a[N], b[N];
        tut_seeded random = tut_seeded_of(r);
        tut_ks t;
        for (size_t i = 0; i < N; i++) {
            a[i] = tut_seeded_normal(&random);
            b[i] = tut_seeded_normal(&random) + shift;
        }
        assert_true(tut_is_ok(tut_ks_f64(a, N, b, N, &t, NULL)));
        found += t.p < 0.05;
    }
    assert_true(tut_ks_detectable(needed, needed, 0.05, 0.8) <= d * 1.001);
    /* At the needed number power is at least 0.8; at N, which is less, below that. */
    assert_true(N < needed && found / RUNS > 0.6 && found / RUNS < 0.95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistic_is_that_of_sorted_samples),
        cmocka_unit_test(infinite_numbers_have_their_place),
        cmocka_unit_test(p_is_that_of_scipy),
        cmocka_unit_test(order_is_ascending),
        cmocka_unit_test(distribution_functions_are_those_of_scipy),
        cmocka_unit_test(distances_of_shifted_normals_are_near_the_known),
        cmocka_unit_test(missing_and_infinite_numbers_are_counted_apart),
        cmocka_unit_test(categories_compare_as_in_scipy),
        cmocka_unit_test(small_tables_are_permuted_and_large_ones_pooled),
        cmocka_unit_test(one_category_or_nothing_is_no_difference),
        cmocka_unit_test(features_that_begin_to_go_together_are_found),
        cmocka_unit_test(detectable_differences_are_detected_as_often_as_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
