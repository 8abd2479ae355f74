/* Extraction: copies of models that are trained here, against what a copy costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <cmocka.h>

#include "memcheck.h"
#include "probe_fixture.h"

enum { ROWS = 600, WIDTH = 6, CLASSES = 4 };

static made_sample members, others;
static tut_learner *victim;

static int set_up(void **state)
{
    (void)state;
    assert_true(make_sample(&members, ROWS, WIDTH, CLASSES, 0.3, 1));
    assert_true(make_sample(&others, ROWS, WIDTH, CLASSES, 0.3, 2));
    tut_lesson lesson = {.rows = members.rows,
                         .width = WIDTH,
                         .classes = CLASSES,
                         .labels = members.labels,
                         .picked = ROWS,
                         .seed = 9};
    for (size_t c = 0; c < WIDTH; c++)
        others.columns[c] = (tut_sample_column){.least = -6, .most = 6};
    return tut_is_ok(tut_learner_fit(tut_recipe_find("trees"), &lesson, &victim, NULL)) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    made_sample_done(&members);
    made_sample_done(&others);
    tut_learner_free(victim);
    return 0;
}

typedef struct theft {
    fake_model model;
    tut_allowance allowance;
    tut_target target;
    tut_probe probe;
} theft;

static void begin(theft *t)
{
    *t = (theft){.model = {.learner = victim, .classes = CLASSES}};
    t->target = fake_target(&t->model, WIDTH, &t->allowance);
    t->probe = (tut_probe){.target = &t->target, .others = &others.s, .seed = 4};
    t->allowance.queries_most = 1300;
    tut_arena_init(&t->probe.arena, 0);
}

static tut_attack_result run(theft *t, const char *name)
{
    tut_attack_result r = {.queries = 0};
    tut_error err = {.code = TUT_OK};
    const tut_attack *attack = attack_named("extraction", name);
    assert_non_null(attack);
    if (!tut_is_ok(attack->run(&t->probe, &r, &err)))
        fail_msg("%s: %s", name, err.text);
    return r;
}

static const char *const names[] = {"random", "active", "labels-only"};

static void more_queries_make_a_better_copy(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    for (size_t i = 0; i < 3; i++) {
        theft t;
        begin(&t);
        tut_attack_result r = run(&t, names[i]);
        assert_string_equal(r.metric, "fidelity");
        assert_int_equal(r.queries, 1300);
        assert_int_equal(r.rows, 200);
        assert_true(r.curve_count == 1 && r.curves[0].count >= 4);
        const tut_curve *c = &r.curves[0];
        assert_true(c->xs[0] == 64 && c->xs[c->count - 1] == 1100);
        if (!(c->ys[c->count - 1] > c->ys[0] + 0.05 && r.decisive.value > r.baseline + 0.02))
            fail_msg("%s: %g, then %g; without %g", names[i], c->ys[0], r.decisive.value,
                     r.baseline);
        assert_true(r.decisive.low < r.decisive.value && r.decisive.value < r.decisive.high);
        tut_arena_done(&t.probe.arena);
    }
}

static void coarse_answers_and_a_quota_cost_the_thief(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    theft open, guarded;
    begin(&open);
    begin(&guarded);
    guarded.allowance.queries_most = 400;
    guarded.model.has_labels_only = true;
    tut_attack_result x = run(&open, "active"), y = run(&guarded, "active");
    assert_true(x.decisive.value > y.decisive.value);
    assert_int_equal(y.queries, 400);
    tut_arena_done(&open.probe.arena);
    tut_arena_done(&guarded.probe.arena);
}

static void the_same_seed_gives_the_same_curve(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    theft a, b;
    begin(&a);
    begin(&b);
    tut_attack_result x = run(&a, "active"), y = run(&b, "active");
    assert_int_equal(x.curves[0].count, y.curves[0].count);
    for (size_t i = 0; i < x.curves[0].count; i++)
        assert_true(x.curves[0].ys[i] == y.curves[0].ys[i]);
    tut_arena_done(&a.probe.arena);
    tut_arena_done(&b.probe.arena);
}

static void recorded_rows_are_asked_once_each(void **state)
{
    (void)state;
    theft t;
    begin(&t);
    t.target.facts.gives = TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES;
    tut_attack_result r = run(&t, "random");
    assert_int_equal(r.queries, ROWS);
    assert_true(r.decisive.value > 0.5);
    tut_arena_done(&t.probe.arena);
}

static void a_target_that_dies_leaves_the_curve_so_far(void **state)
{
    (void)state;
    theft t;
    begin(&t);
    t.model.dies_after = 200 + 300;
    tut_attack_result r = run(&t, "random");
    assert_true(r.was_cut);
    assert_true(r.curve_count == 1 && r.curves[0].xs[0] == 64);
    tut_arena_done(&t.probe.arena);
    begin(&t);
    t.probe.others = NULL;
    r = run(&t, "random");
    assert_true(isnan(r.decisive.value));
    assert_non_null(r.reason);
    tut_arena_done(&t.probe.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_queries_make_a_better_copy),
        cmocka_unit_test(coarse_answers_and_a_quota_cost_the_thief),
        cmocka_unit_test(the_same_seed_gives_the_same_curve),
        cmocka_unit_test(recorded_rows_are_asked_once_each),
        cmocka_unit_test(a_target_that_dies_leaves_the_curve_so_far),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
