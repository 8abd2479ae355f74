/* Models that probes train for themselves: each kind learns, and a seed repeats it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "memcheck.h"
#include "probe/references.h"
#include "probe_fixture.h"

enum { ROWS = 300, WIDTH = 5, CLASSES = 3 };

static made_sample sample;

static int set_up(void **state)
{
    (void)state;
    return make_sample(&sample, 2 * ROWS, WIDTH, CLASSES, 0, 1) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    made_sample_done(&sample);
    return 0;
}

static tut_lesson lesson(void)
{
    return (tut_lesson){.rows = sample.rows,
                        .width = WIDTH,
                        .classes = CLASSES,
                        .labels = sample.labels,
                        .picked = ROWS,
                        .seed = 3};
}

static tut_learner *fitted(const tut_recipe *r, const tut_lesson *l)
{
    tut_learner *ret = NULL;
    tut_error err = {.code = TUT_OK};
    if (!tut_is_ok(tut_learner_fit(r, l, &ret, &err)))
        fail_msg("%s: %s", r->name, err.text);
    return ret;
}

static double accuracy(const tut_learner *l)
{
    float p[ROWS * CLASSES];
    size_t right = 0;
    assert_true(tut_is_ok(tut_learner_predict(l, sample.rows + ROWS * WIDTH, ROWS, p, NULL)));
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t best = 0;
        for (uint32_t c = 1; c < CLASSES; c++)
            best = p[i * CLASSES + c] > p[i * CLASSES + best] ? c : best;
        right += best == sample.labels[ROWS + i];
        assert_true(fabsf(p[i * CLASSES] + p[i * CLASSES + 1] + p[i * CLASSES + 2] - 1) < 1e-4F);
    }
    return (double)right / ROWS;
}

static void every_recipe_learns_and_repeats(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    const tut_recipe *all;
    size_t count = tut_recipes(&all);
    tut_lesson x = lesson();
    assert_true(count >= 4 && count <= TUT_RECIPES_MOST);
    for (size_t i = 0; i < count; i++) {
        float p[CLASSES], q[CLASSES];
        tut_learner *a = fitted(&all[i], &x), *b = fitted(&all[i], &x);
        if (!(accuracy(a) > 0.8))
            fail_msg("%s: %g", all[i].name, accuracy(a));
        assert_true(tut_is_ok(tut_learner_predict(a, sample.rows, 1, p, NULL)));
        assert_true(tut_is_ok(tut_learner_predict(b, sample.rows, 1, q, NULL)));
        assert_memory_equal(p, q, sizeof(p));
        assert_ptr_equal(tut_recipe_find(all[i].name), &all[i]);
        tut_learner_free(a);
        tut_learner_free(b);
    }
    assert_null(tut_recipe_find("oracle"));
}

static void columns_of_unlike_units_are_told_apart_all_the_same(void **state)
{
    (void)state;
    static const float units[WIDTH] = {1e5F, 1e-3F, 1, 400, 1};
    const tut_recipe *all;
    size_t count = tut_recipes(&all);
    for (size_t i = 0; i < (size_t)2 * ROWS * WIDTH; i++)
        sample.rows[i] = sample.rows[i] * units[i % WIDTH] + (i % WIDTH == 0 ? 1e6F : 0);
    tut_lesson x = lesson();
    for (size_t i = 0; i < count; i++) {
        tut_learner *l = fitted(&all[i], &x);
        if (!(accuracy(l) > 0.8))
            fail_msg("%s: %g", all[i].name, accuracy(l));
        tut_learner_free(l);
    }
    for (size_t i = 0; i < (size_t)2 * ROWS * WIDTH; i++)
        sample.rows[i] = (sample.rows[i] - (i % WIDTH == 0 ? 1e6F : 0)) / units[i % WIDTH];
}

static void probabilities_are_learnt_as_they_are(void **state)
{
    (void)state;
    static float wanted[ROWS * CLASSES];
    const tut_recipe *all;
    size_t count = tut_recipes(&all);
    tut_lesson x = lesson();
    for (size_t i = 0; i < ROWS; i++)
        for (uint32_t c = 0; c < CLASSES; c++)
            wanted[i * CLASSES + c] = c == sample.labels[i] ? 0.6F : 0.2F;
    x.wanted = wanted;
    for (size_t i = 0; i < count; i++) {
        float p[ROWS * CLASSES];
        double right = 0;
        if (strncmp(all[i].name, "softmax", 7) == 0)
            continue; /* takes the most probable one */
        tut_learner *l = fitted(&all[i], &x);
        assert_true(tut_is_ok(tut_learner_predict(l, sample.rows, ROWS, p, NULL)));
        for (size_t k = 0; k < ROWS; k++)
            right += (double)p[k * CLASSES + sample.labels[k]] / ROWS;
        if (!(fabs(right - 0.6) < 0.12))
            fail_msg("%s: %g", all[i].name, right);
        tut_learner_free(l);
    }
}

static void a_lesson_that_teaches_nothing_is_refused(void **state)
{
    (void)state;
    tut_learner *l = NULL;
    tut_lesson x = lesson();
    x.picked = 0;
    assert_int_equal(tut_learner_fit(tut_recipe_find("softmax"), &x, &l, NULL).code, TUT_USAGE);
    x = lesson();
    x.classes = 1;
    assert_int_equal(tut_learner_fit(tut_recipe_find("trees"), &x, &l, NULL).code, TUT_USAGE);
    assert_null(l);
}

static void every_row_is_in_half_of_the_references(void **state)
{
    (void)state;
    tut_probe probe = {.seed = 1};
    tut_reference_set set;
    tut_reference_rows rows = {.rows = sample.rows,
                               .count = ROWS,
                               .width = WIDTH,
                               .classes = CLASSES,
                               .labels = sample.labels};
    for (size_t models = 4; models <= 5; models++) {
        tut_reference_wish wish = {
            .models = models, .recipe = tut_recipe_find("softmax"), .seed = models};
        assert_true(tut_is_ok(tut_references_train(&probe, &rows, &wish, &set, NULL)));
        assert_int_equal(set.r.models, models);
        for (size_t i = 0; i < ROWS; i++) {
            size_t in = 0;
            for (size_t m = 0; m < models; m++) {
                in += set.r.inside[m * ROWS + i];
                assert_true(isfinite(set.r.logits[m * ROWS + i]));
            }
            assert_true(in == models / 2 || in == (models + 1) / 2);
        }
        tut_reference_set_done(&set);
    }
}

/* Threads train beside one another. */
static void references_are_the_same_again(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    tut_probe probe = {.seed = 1};
    const tut_recipe *network = tut_recipe_find("network");
    tut_reference_rows rows = {.rows = sample.rows,
                               .count = ROWS,
                               .width = WIDTH,
                               .classes = CLASSES,
                               .labels = sample.labels};
    tut_reference_wish wish = {.models = 8, .recipe = network, .seed = 2};
    tut_reference_set first;
    if (!tut_is_ok(tut_references_train(&probe, &rows, &wish, &first, NULL)))
        skip(); /* there is no OpenBLAS */
    for (unsigned i = 0; i < 10; i++) {
        tut_reference_set again;
        assert_true(tut_is_ok(tut_references_train(&probe, &rows, &wish, &again, NULL)));
        assert_memory_equal(first.logits, again.logits, 8 * ROWS * sizeof(*first.logits));
        tut_reference_set_done(&again);
    }
    tut_reference_set_done(&first);
}

static void memory_that_runs_out_leaves_nothing(void **state)
{
    (void)state;
    tut_lesson x = lesson();
    x.picked = 40;
    for (uint64_t n = 1; n < 60; n++) {
        tut_learner *l = NULL;
        tut_alloc_fail_after(n);
        tut_status s = tut_learner_fit(tut_recipe_find("softmax"), &x, &l, NULL);
        tut_alloc_fail_after(0);
        tut_learner_free(l);
        if (tut_is_ok(s)) {
            assert_true(n > 4);
            return;
        }
        assert_int_equal(s.code, TUT_NOMEM);
    }
    fail_msg("it never succeeds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recipe_learns_and_repeats),
        cmocka_unit_test(columns_of_unlike_units_are_told_apart_all_the_same),
        cmocka_unit_test(probabilities_are_learnt_as_they_are),
        cmocka_unit_test(a_lesson_that_teaches_nothing_is_refused),
        cmocka_unit_test(every_row_is_in_half_of_the_references),
        cmocka_unit_test(references_are_the_same_again),
        cmocka_unit_test(memory_that_runs_out_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
