/* Attacks on membership against models that are trained here: what was memorised is found, what
 * was never seen is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "memcheck.h"
#include "probe/references.h"
#include "probe_fixture.h"

enum { ROWS = 400, WIDTH = 8, CLASSES = 3 };

static made_sample members, others, strangers;
static tut_learner *memoriser, *careful;

static tut_learner *trained(const char *recipe, const made_sample *on)
{
    tut_learner *l = NULL;
    tut_lesson lesson = {.rows = on->rows,
                         .width = WIDTH,
                         .classes = CLASSES,
                         .labels = on->labels,
                         .picked = ROWS,
                         .seed = 9};
    assert_true(tut_is_ok(tut_learner_fit(tut_recipe_find(recipe), &lesson, &l, NULL)));
    return l;
}

static int set_up(void **state)
{
    (void)state;
    assert_true(make_sample(&members, ROWS, WIDTH, CLASSES, 0.2, 1));
    assert_true(make_sample(&others, ROWS, WIDTH, CLASSES, 0.2, 2));
    assert_true(make_sample(&strangers, ROWS, WIDTH, CLASSES, 0.2, 3));
    memoriser = trained("trees-long", &members);
    careful = trained("softmax", &members);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    made_sample_done(&members);
    made_sample_done(&others);
    made_sample_done(&strangers);
    tut_learner_free(memoriser);
    tut_learner_free(careful);
    return 0;
}

typedef struct audit {
    fake_model model;
    tut_allowance allowance;
    tut_target target;
    tut_probe probe;
} audit;

static void audit_begin(audit *a, const tut_learner *learner, const made_sample *inside)
{
    *a = (audit){.model = {.learner = learner, .classes = CLASSES}};
    a->target = fake_target(&a->model, WIDTH, &a->allowance);
    a->probe = (tut_probe){
        .target = &a->target, .members = &inside->s, .others = &others.s, .seed = 4, .models = 8};
    tut_arena_init(&a->probe.arena, 0);
}

static tut_attack_result run(audit *a, const char *name)
{
    tut_attack_result r = {.queries = 0};
    tut_error err = {.code = TUT_OK};
    const tut_attack *attack = attack_named("membership", name);
    assert_non_null(attack);
    if (!tut_is_ok(attack->run(&a->probe, &r, &err)))
        fail_msg("%s: %s", name, err.text);
    return r;
}

static double auc_of(const tut_attack_result *r)
{
    const tut_measure *m = measure_named(r, "auc");
    assert_non_null(m);
    return m->value;
}

static const char *const names[] = {"loss",        "entropy",      "rmia",
                                    "lira-online", "lira-offline", "label-only"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static void what_was_memorised_is_worse_than_what_was_regularised(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    audit bad, good;
    audit_begin(&bad, memoriser, &members);
    audit_begin(&good, careful, &members);
    for (size_t i = 0; i < NAMES; i++) {
        tut_attack_result b = run(&bad, names[i]), g = run(&good, names[i]);
        if (!(auc_of(&b) > auc_of(&g) + 0.05))
            fail_msg("%s: %g and %g", names[i], auc_of(&b), auc_of(&g));
        assert_string_equal(b.metric, "tpr_at_1");
        assert_true(b.decisive.value >= g.decisive.value);
        assert_true(b.decisive.low <= b.decisive.value && b.decisive.value <= b.decisive.high);
        assert_true(b.exposed_count == TUT_RESULT_EXPOSED);
        assert_true(b.exposed[0].row >= 1000 && b.exposed[0].row < 1000 + ROWS);
        assert_true(b.exposed[0].score >= b.exposed[1].score);
        assert_true(b.curve_count == 1 && b.curves[0].count > 1);
        assert_non_null(b.weakness);
        assert_non_null(b.budget);
    }
    tut_arena_done(&bad.probe.arena);
    tut_arena_done(&good.probe.arena);
}

static void a_model_that_saw_neither_is_not_accused(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    audit a;
    audit_begin(&a, memoriser, &strangers);
    for (size_t i = 0; i < NAMES; i++) {
        tut_attack_result r = run(&a, names[i]);
        const tut_measure *auc = measure_named(&r, "auc");
        assert_non_null(auc);
        if (!(auc->low < 0.5 && 0.5 < auc->high))
            fail_msg("%s: %g to %g", names[i], auc->low, auc->high);
        assert_true(measure_named(&r, "epsilon_at_least")->value < 0.5);
        assert_true(fabs(measure_named(&r, "auc_without_model")->value - 0.5) < 0.08);
    }
    tut_arena_done(&a.probe.arena);
}

static void the_same_seed_gives_the_same_result(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    audit a, b;
    audit_begin(&a, memoriser, &members);
    audit_begin(&b, memoriser, &members);
    for (size_t i = 0; i < NAMES; i++) {
        tut_attack_result x = run(&a, names[i]), y = run(&b, names[i]);
        assert_true(x.decisive.value == y.decisive.value && auc_of(&x) == auc_of(&y));
        assert_int_equal(x.queries, y.queries);
        for (size_t k = 0; k < x.exposed_count; k++)
            assert_true(x.exposed[k].row == y.exposed[k].row);
    }
    tut_arena_done(&a.probe.arena);
    tut_arena_done(&b.probe.arena);
}

static void the_rows_are_asked_once_for_all_attacks(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    audit a;
    audit_begin(&a, careful, &members);
    assert_int_equal(run(&a, "loss").queries, 2 * ROWS);
    assert_int_equal(run(&a, "lira-online").queries, 0);
    assert_int_equal(a.allowance.queries, 2 * ROWS);
    tut_target other = fake_target(&a.model, WIDTH, &a.allowance);
    a.probe.target = &other; /* the guard's side: asked anew, with the same references */
    assert_int_equal(run(&a, "lira-online").queries, 2 * ROWS);
    tut_arena_done(&a.probe.arena);
}

static void an_allowance_takes_a_fair_part(void **state)
{
    (void)state;
    audit a;
    audit_begin(&a, memoriser, &members);
    a.allowance.queries_most = 300;
    tut_attack_result r = run(&a, "loss");
    assert_int_equal(r.queries, 300);
    assert_int_equal(r.rows, 300);
    assert_true(auc_of(&r) > 0.6);
    assert_non_null(strstr(r.reason, "left out"));
    tut_arena_done(&a.probe.arena);
}

static void a_target_that_dies_leaves_what_it_said(void **state)
{
    (void)state;
    audit a;
    audit_begin(&a, memoriser, &members);
    a.model.dies_after = 32 * 32 + 1;
    tut_attack_result r = run(&a, "label-only");
    assert_true(r.was_cut);
    assert_int_equal(r.rows, 32);
    a.model.dies_after = 1;
    r = run(&a, "loss");
    assert_true(r.was_cut && isnan(r.decisive.value));
    assert_non_null(r.reason);
    tut_arena_done(&a.probe.arena);
}

static void few_rows_are_told_as_too_few(void **state)
{
    (void)state;
    audit a;
    audit_begin(&a, memoriser, &members);
    tut_sample few = others.s;
    few.count = 60;
    a.probe.others = &few;
    tut_attack_result r = run(&a, "loss");
    assert_true(isnan(r.decisive.value) && !isnan(auc_of(&r)));
    assert_non_null(strstr(r.reason, "at least 100"));
    a.probe.others = NULL;
    a.probe.kept = NULL;
    r = run(&a, "loss");
    assert_true(isnan(r.decisive.value));
    assert_non_null(r.reason);
    tut_arena_done(&a.probe.arena);
}

static void recorded_references_are_used_as_they_are(void **state)
{
    (void)state;
    enum { MODELS = 4, ALL = 2 * ROWS };
    audit a;
    audit_begin(&a, memoriser, &members);
    float *values = tut_alloc_array((size_t)MODELS * ALL * CLASSES, sizeof(*values));
    uint8_t *inside = tut_alloc_array((size_t)MODELS * ALL, 1);
    assert_non_null(values);
    assert_non_null(inside);
    tut_seeded random = tut_seeded_of(1);
    for (size_t i = 0; i < (size_t)MODELS * ALL; i++) {
        inside[i] = (uint8_t)tut_seeded_below(&random, 2);
        for (size_t c = 0; c < CLASSES; c++)
            values[i * CLASSES + c] = 1.0F / CLASSES;
    }
    tut_references r = {MODELS, ALL, CLASSES, values, inside};
    a.probe.references = &r;
    members.s.numbers = others.s.numbers = NULL; /* as they stand in their files */
    /* References that say nothing leave LiRA what the loss says. */
    tut_attack_result plain = run(&a, "loss"), lira = run(&a, "lira-offline");
    assert_true(fabs(auc_of(&plain) - auc_of(&lira)) < 0.01);
    assert_non_null(strstr(lira.budget, "recorded"));
    a.probe.kept = NULL;
    r.rows = 10;
    lira = run(&a, "lira-offline");
    assert_true(isnan(lira.decisive.value));
    assert_non_null(strstr(lira.reason, "is not among them"));
    members.s.numbers = members.numbers;
    others.s.numbers = others.numbers;
    tut_free(values);
    tut_free(inside);
    tut_arena_done(&a.probe.arena);
}

static tut_status read_text(const char *text, tut_references **ret, tut_error *err)
{
    char path[] = "/tmp/references-XXXXXX.csv";
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    tut_status s = tut_references_read(path, TUT_CAGE_AUTO, ret, err);
    assert_int_equal(unlink(path), 0);
    return s;
}

static void references_are_read_from_a_table(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"answers.0,answers.1,inside.0\n0.5,0.4,1\n", "adds up to 0.9"},
        {"answers.0,answers.1,inside.0\n1.5,-0.5,1\n", "no probability"},
        {"answers.0,answers.1,inside.0\n0.5,0.5,2\n", "inside is 1 or 0"},
        {"answers.0,answers.1,answers.2,inside.0,inside.1\n1,0,0,1,0\n", "do not belong"},
        {"answers.0,answers.1,age\n0.5,0.5,3\n", "there is a column age"},
    };
    TUT_AUTO(tut_references) r = NULL;
    tut_error err = {.code = TUT_OK};
    assert_true(tut_is_ok(read_text("answers.0,answers.1,answers.2,answers.3,inside.0,inside.1\n"
                                    "0.25,0.75,0.5,0.5,1,0\n1,0,0.125,0.875,0,1\n",
                                    &r, &err)));
    assert_true(r->models == 2 && r->rows == 2 && r->classes == 2);
    static const float values[] = {0.25F, 0.75F, 1, 0, 0.5F, 0.5F, 0.125F, 0.875F};
    assert_memory_equal(r->values, values, sizeof(values));
    assert_true(r->inside[0] == 1 && r->inside[1] == 0 && r->inside[2] == 0 && r->inside[3] == 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_AUTO(tut_references) none = NULL;
        assert_int_equal(read_text(bad[i][0], &none, &err).code, TUT_USAGE);
        if (!strstr(err.text, bad[i][1]))
            fail_msg("%s", err.text);
    }
}

static void the_kind_of_model_that_it_is_agrees_most(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    audit a;
    audit_begin(&a, memoriser, &members);
    tut_attack_result r = run(&a, "lira-online");
    assert_non_null(strstr(r.budget, "120 rounds"));
    tut_arena_done(&a.probe.arena);
    audit_begin(&a, careful, &members);
    r = run(&a, "lira-online");
    assert_non_null(strstr(r.budget, "softmax regression"));
    assert_true(measure_named(&r, "reference_agreement")->value > 0.9);
    tut_arena_done(&a.probe.arena);
}

static void rounded_answers_tell_less(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    audit open, guarded;
    audit_begin(&open, memoriser, &members);
    audit_begin(&guarded, memoriser, &members);
    guarded.model.has_labels_only = true;
    tut_attack_result x = run(&open, "lira-online"), y = run(&guarded, "lira-online");
    assert_true(auc_of(&x) > auc_of(&y));
    tut_arena_done(&open.probe.arena);
    tut_arena_done(&guarded.probe.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_memorised_is_worse_than_what_was_regularised),
        cmocka_unit_test(a_model_that_saw_neither_is_not_accused),
        cmocka_unit_test(the_same_seed_gives_the_same_result),
        cmocka_unit_test(the_rows_are_asked_once_for_all_attacks),
        cmocka_unit_test(an_allowance_takes_a_fair_part),
        cmocka_unit_test(a_target_that_dies_leaves_what_it_said),
        cmocka_unit_test(few_rows_are_told_as_too_few),
        cmocka_unit_test(recorded_references_are_used_as_they_are),
        cmocka_unit_test(references_are_read_from_a_table),
        cmocka_unit_test(the_kind_of_model_that_it_is_agrees_most),
        cmocka_unit_test(rounded_answers_tell_less),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
