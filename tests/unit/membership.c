/* Scores of membership and what they are worth, beside a restatement in NumPy and SciPy 1.10.1:
 *
 *   M, n = 8, 40; m, i = np.meshgrid(np.arange(M), np.arange(n), indexing="ij")
 *   inside = ((m*7 + i*3 + m*i) % 5 < 2).astype(int); inside[:, 0] = 0; inside[:, 1] = 1
 *   L = 3*sin(1.7*m + 2.3*i) + 1.5*inside; member = i[0] % 3 == 0; T = 3*sin(.9*i[0]) + 1.2*member
 *   (L and T in single precision), norm.logpdf with means of rows and pooled deviations (one less
 *   freedom a row and side), a row without a side at the mean shift; RMIA pair by pair;
 *   the area by all pairs, DeLong from the placement values of all pairs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "probe/membership.h"
#include "stats/seeded.h"

enum { MODELS = 8, ROWS = 40, MANY = 20000 };

static float logits[MODELS * ROWS], target[ROWS];
static uint8_t inside[MODELS * ROWS], member[ROWS], other[ROWS];
static const tut_mia_references references = {MODELS, ROWS, logits, inside};

static int fill(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROWS; i++) {
        for (unsigned m = 0; m < MODELS; m++) {
            bool is_in = i == 1 || (i != 0 && (m * 7 + i * 3 + m * i) % 5 < 2);
            inside[m * ROWS + i] = is_in;
            logits[m * ROWS + i] = (float)(3 * sin(1.7 * m + 2.3 * i) + (is_in ? 1.5 : 0));
        }
        member[i] = i % 3 == 0;
        other[i] = !member[i];
        target[i] = (float)(3 * sin(0.9 * i) + (member[i] ? 1.2 : 0));
    }
    return 0;
}

static void assert_close(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.9g instead of %.9g", value, expected);
}

static void assert_five(const double *scores, const double expected[5])
{
    static const unsigned at[5] = {0, 1, 2, 17, 39};
    for (unsigned k = 0; k < 5; k++)
        assert_close(scores[at[k]], expected[k], 2e-5 * fmax(1, fabs(expected[k])));
}

static void one_answer_scores_as_the_papers_say(void **state)
{
    (void)state;
    static const double p[3] = {0.7, 0.2, 0.1}, sure[2] = {1, 0}, none[2] = {NAN, NAN};
    assert_close(tut_mia_loss(p, 3, 1), -1.6094379124341003, 1e-12);
    assert_close(tut_mia_entropy(p, 3), -0.8018185525433372, 1e-12);
    assert_close(tut_mia_modified_entropy(p, 3, 1), -2.140867344541218, 1e-12);
    assert_close(tut_mia_logit(p, 3, 1), -1.3862943611198906, 1e-12);
    assert_close(tut_mia_logit(sure, 2, 0), -log(1e-12), 1e-9);
    assert_close(tut_mia_entropy(sure, 2), 0, 0);
    assert_true(isnan(tut_mia_logit(none, 2, 0)) && isnan(tut_mia_loss(none, 2, 0)));
}

static void lira_is_that_of_scipy(void **state)
{
    (void)state;
    double scores[ROWS];
    tut_lira_wish wish = {.is_online = true};
    assert_true(tut_is_ok(tut_mia_lira(target, &references, &wish, scores, NULL)));
    assert_five(scores,
                (double[5]){0.0900105346, 0.374990389, 1.06841871, -0.0295969155, -1.28871696});
    wish.has_row_variance = true;
    assert_true(tut_is_ok(tut_mia_lira(target, &references, &wish, scores, NULL)));
    assert_five(scores,
                (double[5]){0.0130634361, 0.469495996, 1.23584701, 0.119285478, -48.7133835});
    wish = (tut_lira_wish){.is_online = false};
    assert_true(tut_is_ok(tut_mia_lira(target, &references, &wish, scores, NULL)));
    assert_five(scores,
                (double[5]){0.560639337, 0.966640695, 1.57890562, 0.24834947, -0.00978200937});
}

static void rmia_is_that_of_all_pairs(void **state)
{
    (void)state;
    double scores[ROWS];
    tut_rmia_wish wish = {.a = 0.4, .gamma = 1, .is_population = other};
    assert_true(tut_is_ok(tut_mia_rmia(target, &references, &wish, scores, NULL)));
    assert_five(scores,
                (double[5]){0.724016253, 0.635974524, 0.985902315, 0.557997905, 0.42266936});
    wish.is_online = true;
    assert_true(tut_is_ok(tut_mia_rmia(target, &references, &wish, scores, NULL)));
    assert_five(scores,
                (double[5]){0.800660342, 0.637107833, 0.909031904, 0.597811672, 0.384240739});
    uint8_t none[ROWS] = {0};
    wish.is_population = none;
    assert_int_equal(tut_mia_rmia(target, &references, &wish, scores, NULL).code, TUT_USAGE);
}

static void an_answer_that_is_missing_scores_nan_and_counts_nowhere(void **state)
{
    (void)state;
    double whole[ROWS], scores[ROWS];
    float gap[ROWS];
    tut_roc roc;
    memcpy(gap, target, sizeof(gap));
    gap[3] = NAN;
    tut_rmia_wish wish = {.a = 0.4, .gamma = 1, .is_population = other};
    tut_lira_wish lira = {.is_online = true};
    assert_true(tut_is_ok(tut_mia_rmia(gap, &references, &wish, scores, NULL)));
    assert_true(isnan(scores[3]));
    assert_true(tut_is_ok(tut_mia_lira(target, &references, &lira, whole, NULL)));
    assert_true(tut_is_ok(tut_mia_lira(gap, &references, &lira, scores, NULL)));
    assert_true(isnan(scores[3]));
    assert_close(scores[4], whole[4], 0);
    assert_true(tut_is_ok(tut_mia_roc(scores, member, ROWS, &roc, NULL)));
    assert_int_equal(roc.members, 13);
    assert_int_equal(roc.others, 26);
}

static void the_area_counts_ties_half_and_has_delongs_interval(void **state)
{
    (void)state;
    double scores[ROWS];
    tut_roc roc;
    for (unsigned i = 0; i < ROWS; i++)
        scores[i] = rint((double)target[i]);
    assert_true(tut_is_ok(tut_mia_roc(scores, member, ROWS, &roc, NULL)));
    assert_close(roc.auc, 0.6236263736263736, 1e-12);
    assert_close(roc.auc_low, 0.43531841439155416, 1e-12);
    assert_close(roc.auc_high, 0.8119343328611931, 1e-12);
    assert_true(isnan(roc.at[0].tpr)); /* 26 non-members cannot show one in a hundred */
    memset(other, 1, sizeof(other));
    assert_int_equal(tut_mia_roc(scores, other, ROWS, &roc, NULL).code, TUT_USAGE);
    (void)fill(NULL);
}

/* Members from a normal distribution `shift` to the right of the others'. */
static void two_normals(double shift, uint64_t seed, double *scores, uint8_t *is_member)
{
    tut_seeded random = tut_seeded_of(seed);
    for (size_t i = 0; i < MANY; i++) {
        is_member[i] = i % 2 == 0;
        scores[i] = tut_seeded_normal(&random) + (is_member[i] ? shift : 0);
    }
}

static double scores_many[MANY];
static uint8_t member_many[MANY];

static void the_low_end_is_that_of_two_normals(void **state)
{
    (void)state;
    tut_roc roc;
    two_normals(1, 7, scores_many, member_many);
    assert_true(tut_is_ok(tut_mia_roc(scores_many, member_many, MANY, &roc, NULL)));
    assert_close(roc.auc, 0.7602, 0.01); /* Phi(1 / sqrt 2) */
    assert_true(roc.auc_low < 0.7602 && 0.7602 < roc.auc_high);
    assert_close(roc.at[0].tpr, 0.0924, 0.015); /* Phi(1 - 2.3263) */
    assert_true(roc.at[0].low < roc.at[0].tpr && roc.at[0].tpr < roc.at[0].high);
    assert_close(roc.at[1].tpr, 0.0183, 0.01);
    assert_false(isnan(roc.at[2].tpr)); /* 10,000 non-members: just enough */
    for (size_t k = 1; k < roc.points; k++)
        assert_true(roc.fpr[k] >= roc.fpr[k - 1] && roc.tpr[k] >= roc.tpr[k - 1]);
    assert_true(roc.points > 100 && roc.fpr[0] <= 1e-3);
    assert_close(roc.fpr[roc.points - 1], 1, 0);
    assert_close(roc.tpr[roc.points - 1], 1, 0);
}

static void scores_that_know_nothing_have_half_the_area_and_no_epsilon(void **state)
{
    (void)state;
    unsigned outside = 0, shown = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        tut_roc roc;
        double epsilon;
        two_normals(0, seed, scores_many, member_many);
        assert_true(tut_is_ok(tut_mia_roc(scores_many, member_many, MANY / 10, &roc, NULL)));
        assert_true(tut_is_ok(
            tut_mia_epsilon(scores_many, member_many, MANY / 10, 0, seed + 99, &epsilon, NULL)));
        outside += roc.auc_low > 0.5 || roc.auc_high < 0.5;
        shown += epsilon > 0;
    }
    assert_true(outside <= 6 && shown <= 5); /* 1 in 20 each; 6 of 40 by chance 1 in 70 */
}

static void epsilon_is_below_that_of_the_mechanism_and_near_it(void **state)
{
    (void)state;
    /* Randomised response that tells the truth at odds of e^2: (2, 0)-private exactly. */
    double truth = exp(2) / (1 + exp(2)), epsilon;
    unsigned above = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        tut_seeded random = tut_seeded_of(seed);
        for (size_t i = 0; i < MANY; i++) {
            member_many[i] = i % 2 == 0;
            bool is_true = tut_seeded_unit(&random) < truth;
            scores_many[i] = is_true == (i % 2 == 0);
        }
        assert_true(tut_is_ok(
            tut_mia_epsilon(scores_many, member_many, MANY, 0, seed + 99, &epsilon, NULL)));
        above += epsilon > 2;
        assert_true(epsilon > 1.7);
    }
    assert_true(above <= 3);
    assert_true(tut_is_ok(tut_mia_epsilon(scores_many, member_many, 2, 0, 1, &epsilon, NULL)));
    assert_close(epsilon, 0, 0);
}

static void the_correction_is_chosen_by_attacking_references(void **state)
{
    (void)state;
    double a = -1;
    tut_mia_references one = {1, ROWS, logits, inside};
    assert_true(tut_is_ok(tut_mia_rmia_choose_a(&one, &a, NULL)));
    assert_close(a, 0.3, 0);
    assert_true(tut_is_ok(tut_mia_rmia_choose_a(&references, &a, NULL)));
    assert_true(a >= 0 && a <= 1);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    double scores[ROWS], x;
    tut_roc roc;
    tut_lira_wish lira = {.is_online = true};
    tut_rmia_wish rmia = {.a = 0.4, .gamma = 1, .is_population = other};
    tut_alloc_fail_after(1);
    assert_int_equal(tut_mia_lira(target, &references, &lira, scores, NULL).code, TUT_NOMEM);
    tut_alloc_fail_after(1);
    assert_int_equal(tut_mia_rmia(target, &references, &rmia, scores, NULL).code, TUT_NOMEM);
    tut_alloc_fail_after(1);
    assert_int_equal(tut_mia_roc(scores, member, ROWS, &roc, NULL).code, TUT_NOMEM);
    tut_alloc_fail_after(1);
    assert_int_equal(tut_mia_epsilon(scores, member, ROWS, 0, 1, &x, NULL).code, TUT_NOMEM);
    tut_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_answer_scores_as_the_papers_say),
        cmocka_unit_test(lira_is_that_of_scipy),
        cmocka_unit_test(rmia_is_that_of_all_pairs),
        cmocka_unit_test(an_answer_that_is_missing_scores_nan_and_counts_nowhere),
        cmocka_unit_test(the_area_counts_ties_half_and_has_delongs_interval),
        cmocka_unit_test(the_low_end_is_that_of_two_normals),
        cmocka_unit_test(scores_that_know_nothing_have_half_the_area_and_no_epsilon),
        cmocka_unit_test(epsilon_is_below_that_of_the_mechanism_and_near_it),
        cmocka_unit_test(the_correction_is_chosen_by_attacking_references),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
