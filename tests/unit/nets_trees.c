/* Boosted trees: what they learn, and that a seed repeats it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "nets/trees.h"
#include "stats/seeded.h"

enum { ROWS = 2000, WIDTH = 4, CLASSES = 3 };

static float rows[ROWS * WIDTH], answers[ROWS * CLASSES];
static uint32_t labels[ROWS];

/* Class 0 inside a ring, 1 and 2 outside by the sign of a product: no straight line tells them. */
static int fill(void **state)
{
    (void)state;
    tut_seeded random = tut_seeded_of(5);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = rows + i * WIDTH;
        for (unsigned c = 0; c < WIDTH; c++)
            x[c] = (float)(2 * tut_seeded_unit(&random) - 1);
        x[3] = 1; /* says nothing */
        float square = x[0] * x[0] + x[1] * x[1];
        labels[i] = square < 0.4F ? 0 : x[0] * x[1] > 0 ? 1 : 2;
    }
    return 0;
}

static double accuracy(const tut_trees *t, size_t from, size_t count)
{
    size_t right = 0;
    tut_trees_predict(t, rows + from * WIDTH, count, answers);
    for (size_t i = 0; i < count; i++) {
        const float *p = answers + i * CLASSES;
        uint32_t best = p[1] > p[0];
        best = p[2] > p[best] ? 2 : best;
        right += best == labels[from + i];
        assert_true(fabsf(p[0] + p[1] + p[2] - 1) < 1e-5F);
    }
    return (double)right / (double)count;
}

static void rows_it_never_saw_are_told(void **state)
{
    (void)state;
    TUT_AUTO(tut_trees) t = NULL;
    tut_trees_rows x = {rows, WIDTH, CLASSES, labels, NULL, NULL, 1000};
    assert_true(tut_is_ok(tut_trees_fit(&x, &(tut_trees_wish){.seed = 1}, &t, NULL)));
    assert_true(accuracy(t, 1000, 1000) > 0.93);
}

static void the_same_seed_grows_the_same_trees(void **state)
{
    (void)state;
    TUT_AUTO(tut_trees) a = NULL;
    TUT_AUTO(tut_trees) b = NULL;
    TUT_AUTO(tut_trees) c = NULL;
    float other[100 * CLASSES];
    tut_trees_rows x = {rows, WIDTH, CLASSES, labels, NULL, NULL, 500};
    tut_trees_wish wish = {.rounds = 10, .columns_most = 2, .seed = 3};
    assert_true(tut_is_ok(tut_trees_fit(&x, &wish, &a, NULL)));
    assert_true(tut_is_ok(tut_trees_fit(&x, &wish, &b, NULL)));
    wish.seed = 4;
    assert_true(tut_is_ok(tut_trees_fit(&x, &wish, &c, NULL)));
    tut_trees_predict(a, rows, 100, answers);
    tut_trees_predict(b, rows, 100, other);
    assert_memory_equal(answers, other, sizeof(other));
    tut_trees_predict(c, rows, 100, other);
    assert_memory_not_equal(answers, other, sizeof(other));
}

static void one_row_alone_is_answered_as_among_others(void **state)
{
    (void)state;
    TUT_AUTO(tut_trees) t = NULL;
    float one[CLASSES];
    uint32_t pick[200];
    for (uint32_t i = 0; i < 200; i++)
        pick[i] = 10 * i;
    tut_trees_rows x = {rows, WIDTH, CLASSES, labels, NULL, pick, 200};
    assert_true(tut_is_ok(tut_trees_fit(&x, &(tut_trees_wish){.rounds = 20}, &t, NULL)));
    tut_trees_predict(t, rows, 50, answers);
    for (size_t i = 0; i < 50; i++) {
        tut_trees_predict(t, rows + i * WIDTH, 1, one);
        assert_memory_equal(one, answers + i * CLASSES, sizeof(one));
    }
}

static void probabilities_are_learnt_where_there_are_some(void **state)
{
    (void)state;
    TUT_AUTO(tut_trees) t = NULL;
    static float wanted[ROWS * CLASSES];
    for (size_t i = 0; i < ROWS; i++) {
        bool is_right = rows[i * WIDTH] > 0;
        wanted[i * CLASSES] = is_right ? 0.7F : 0.1F;
        wanted[i * CLASSES + 1] = is_right ? 0.2F : 0.3F;
        wanted[i * CLASSES + 2] = is_right ? 0.1F : 0.6F;
    }
    tut_trees_rows x = {rows, WIDTH, CLASSES, NULL, wanted, NULL, ROWS};
    assert_true(tut_is_ok(tut_trees_fit(&x, &(tut_trees_wish){.rounds = 60}, &t, NULL)));
    tut_trees_predict(t, rows, 200, answers);
    for (size_t i = 0; i < 200 * CLASSES; i++) /* a bin is 1/32 wide */
        if (fabsf(rows[i / CLASSES * WIDTH]) > 1.0F / 32)
            assert_true(fabsf(answers[i] - wanted[i]) < 0.02F);
}

static void what_cannot_be_learnt_from_is_said(void **state)
{
    (void)state;
    TUT_AUTO(tut_trees) t = NULL;
    tut_error err = {.code = TUT_OK};
    tut_trees_rows x = {rows, WIDTH, 1, labels, NULL, NULL, 10};
    assert_int_equal(tut_trees_fit(&x, &(tut_trees_wish){.seed = 1}, &t, &err).code, TUT_USAGE);
    float same[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    uint32_t mixed[4] = {0, 1, 0, 0};
    x = (tut_trees_rows){same, 2, 2, mixed, NULL, NULL, 4};
    assert_true(
        tut_is_ok(tut_trees_fit(&x, &(tut_trees_wish){.rounds = 50, .least = 0.1}, &t, NULL)));
    tut_trees_predict(t, same, 1, answers);
    assert_true(answers[0] > 0.6F && answers[0] < 0.8F); /* the share of the classes */
}

static void memory_that_runs_out_leaves_nothing(void **state)
{
    (void)state;
    tut_trees_rows x = {rows, WIDTH, CLASSES, labels, NULL, NULL, 50};
    unsigned failed = 0;
    for (uint64_t n = 1; n < 100; n++) {
        tut_trees *t = NULL;
        tut_alloc_fail_after(n);
        tut_status s = tut_trees_fit(&x, &(tut_trees_wish){.rounds = 2}, &t, NULL);
        tut_alloc_fail_after(0);
        tut_trees_free(t);
        if (tut_is_ok(s))
            break;
        assert_int_equal(s.code, TUT_NOMEM);
        failed++;
    }
    assert_true(failed > 10 && failed < 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_it_never_saw_are_told),
        cmocka_unit_test(the_same_seed_grows_the_same_trees),
        cmocka_unit_test(one_row_alone_is_answered_as_among_others),
        cmocka_unit_test(probabilities_are_learnt_where_there_are_some),
        cmocka_unit_test(what_cannot_be_learnt_from_is_said),
        cmocka_unit_test(memory_that_runs_out_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
