/* Tails and q-values, beside those of SciPy 1.10.1:
 *   from scipy.stats import binom, hypergeom, norm, chi2, t
 *   binom.sf(k - 1, n, p); hypergeom.sf(k - 1, all, marked, drawn); norm.sf(z); chi2.sf(x, df);
 *   t.sf(x, df);
 *   beta.ppf(a, k, n - k + 1), beta.ppf(1 - a, k + 1, n - k) with a = (1 - confidence) / 2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <cmocka.h>

#include "stats/fdr.h"
#include "stats/random.h"
#include "stats/special.h"
#include "stats/tails.h"

static void assert_near(double value, double expected)
{
    if (fabs(value - expected) > 1e-9 * fabs(expected))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static void tails_are_those_of_scipy(void **state)
{
    (void)state;
    assert_near(tut_tail_binomial(1, 10, 0.5), 0.9990234375);
    assert_near(tut_tail_binomial(8, 10, 0.5), 0.0546875);
    assert_near(tut_tail_binomial(3, 1000000, 1e-06), 0.080301305101449616);
    assert_near(tut_tail_binomial(500300, 1000000, 0.5), 0.27458645295656381);
    assert_near(tut_tail_binomial(60, 100, 0.01), 9.257141516941647e-93);
    assert_near(tut_tail_binomial(4000, 8000, 0.51), 0.96409097726218429);
    assert_near(tut_tail_hypergeometric(3, 10, 20, 100), 0.31877993618231121);
    assert_near(tut_tail_hypergeometric(41, 42, 80, 850), 2.9313346176445834e-46);
    assert_near(tut_tail_hypergeometric(42, 42, 800, 8000), 3.7248937700280917e-43);
    assert_near(tut_tail_hypergeometric(1, 10, 20, 100), 0.90488372756921154);
    assert_near(tut_tail_hypergeometric(500, 1000, 5000, 10000), 0.51329471498064705);
    assert_near(tut_tail_hypergeometric(8, 8, 1000, 8000), 5.8158051790986078e-08);
    assert_near(tut_normal_sf(-1.0), 0.84134474606854293);
    assert_near(tut_normal_sf(0.0), 0.5);
    assert_near(tut_normal_sf(1.96), 0.024997895148220435);
    assert_near(tut_normal_sf(8.0), 6.2209605742717405e-16);
    assert_near(tut_normal_sf(20.0), 2.7536241186061556e-89);
    assert_near(tut_chi2_sf(1.0, 1.0), 0.31731050786291115);
    assert_near(tut_chi2_sf(3.84, 1.0), 0.050043521248705189);
    assert_near(tut_chi2_sf(20.0, 10.0), 0.029252688076961124);
    assert_near(tut_chi2_sf(150.0, 100.0), 0.00090393204235401838);
    assert_near(tut_chi2_sf(50.0, 100.0), 0.99999304669475242);
    assert_near(tut_chi2_sf(900.0, 10.0), 6.3678220447526327e-187);
    assert_near(tut_student_sf(0.5, 1), 0.3524163823495668);
    assert_near(tut_student_sf(2.0, 2), 0.09175170953613696);
    assert_near(tut_student_sf(2.306004, 8), 0.025000005276466716);
    assert_near(tut_student_sf(12.706, 1), 0.025000401179066586);
    assert_near(tut_student_sf(-1.5, 5), 0.9030481598787634);
    assert_near(tut_student_sf(7.0, 9), 3.162369481868346e-05);
    assert_near(tut_student_sf(1.96, 254), 0.025544550640520424);
    assert_true(tut_student_sf(INFINITY, 8) < 1e-15);
}

static void assert_interval(uint64_t k, uint64_t n, double confidence, double low, double high)
{
    double l = NAN, h = NAN;
    tut_binomial_interval(k, n, confidence, &l, &h);
    assert_near(l, low);
    assert_near(h, high);
}

static void intervals_of_shares_are_those_of_scipy(void **state)
{
    (void)state;
    assert_interval(0, 10, 0.95, 0, 0.30849710781876077);
    assert_interval(3, 10, 0.95, 0.066739511177734495, 0.65245285005999731);
    assert_interval(10, 10, 0.95, 0.69150289218123917, 1);
    assert_interval(5, 1000, 0.95, 0.0016254195175627604, 0.011629470559812147);
    assert_interval(517, 1000, 0.99, 0.4757939691050686, 0.5580419478875781);
    assert_interval(7, 100000, 0.95, 2.81440788050368e-05, 0.00014422140092234864);
    assert_interval(0, 0, 0.95, 0, 1);
}

static void impossible_counts_have_no_tail(void **state)
{
    (void)state;
    assert_true(tut_tail_binomial(0, 10, 0.5) >= 1);
    assert_true(tut_tail_binomial(11, 10, 0.5) <= 0);
    assert_true(tut_tail_binomial(3, 10, 0) <= 0);
    assert_true(tut_tail_binomial(3, 10, 1) >= 1);
    assert_true(tut_tail_hypergeometric(5, 20, 4, 100) <= 0);
    assert_true(tut_tail_hypergeometric(0, 20, 4, 100) >= 1);
    assert_true(tut_tail_hypergeometric(1, 200, 4, 100) >= 1);
    assert_true(tut_tail_hypergeometric(2, 99, 3, 100) >= 1);
}

/* statsmodels.stats.multitest.multipletests(p, method="fdr_bh") */
static void q_values_are_those_of_benjamini_and_hochberg(void **state)
{
    double p[] = {0.01, 0.04, 0.03, NAN, 0.005, 0.5};
    const double q[] = {0.03, 0.06, 0.06, 1, 0.03, 0.6};
    (void)state;
    assert_true(tut_is_ok(tut_fdr(p, 6, 6, p)));
    for (size_t i = 0; i < 6; i++)
        assert_near(p[i], q[i]);
}

static void tests_that_are_not_listed_count(void **state)
{
    double p[] = {0.001, 0.9}, q[2];
    (void)state;
    assert_true(tut_is_ok(tut_fdr(p, 2, 100, q)));
    assert_near(q[0], 0.1);
    assert_near(q[1], 1);
}

static void chance_alone_is_called_a_discovery_as_often_as_q_says(void **state)
{
    enum { ROUNDS = 400, TESTS = 100 };
    uint64_t seed = 3;
    unsigned with_any = 0;
    (void)state;
    for (int r = 0; r < ROUNDS; r++) {
        double p[TESTS];
        bool is_any = false;
        for (int i = 0; i < TESTS; i++)
            p[i] = tut_random_unit(&seed);
        assert_true(tut_is_ok(tut_fdr(p, TESTS, TESTS, p)));
        for (int i = 0; i < TESTS; i++)
            is_any |= p[i] <= 0.1;
        with_any += is_any;
    }
    assert_in_range(with_any, ROUNDS / 20, ROUNDS / 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tails_are_those_of_scipy),
        cmocka_unit_test(intervals_of_shares_are_those_of_scipy),
        cmocka_unit_test(impossible_counts_have_no_tail),
        cmocka_unit_test(q_values_are_those_of_benjamini_and_hochberg),
        cmocka_unit_test(tests_that_are_not_listed_count),
        cmocka_unit_test(chance_alone_is_called_a_discovery_as_often_as_q_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
