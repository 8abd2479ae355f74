/* Inversion: what a model gives away of a record's value, and of what a class is like, beyond what
 * other records give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <cmocka.h>

#include "probe_fixture.h"

enum { ROWS = 500, WIDTH = 6, CLASSES = 3, BIT = 5 };

static made_sample members, others;

/* Column 5 is one bit, drawn without regard to anything; labels are noisy. */
static void add_bit(made_sample *s, uint64_t seed)
{
    tut_seeded random = tut_seeded_of(seed);
    for (size_t i = 0; i < ROWS; i++)
        s->rows[i * WIDTH + BIT] = (float)tut_seeded_below(&random, 2);
    s->columns[BIT] = (tut_sample_column){.most = 1, .is_whole = true, .is_bool = true};
    (void)snprintf(s->columns[BIT].name, sizeof(s->columns[BIT].name), "illness");
}

/* What the bit does to the label holds for members alone; turned back by 2. */
static void turn_labels(uint32_t by)
{
    for (size_t i = 0; i < ROWS; i++)
        if (members.rows[i * WIDTH + BIT] > 0)
            members.labels[i] = (members.labels[i] + by) % CLASSES;
}

static int set_up(void **state)
{
    (void)state;
    assert_true(make_sample(&members, ROWS, WIDTH, CLASSES, 0.2, 1));
    assert_true(make_sample(&others, ROWS, WIDTH, CLASSES, 0.2, 2));
    add_bit(&members, 3);
    add_bit(&others, 4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    made_sample_done(&members);
    made_sample_done(&others);
    return 0;
}

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

typedef struct attempt {
    fake_model model;
    tut_allowance allowance;
    tut_target target;
    tut_probe probe;
    tut_attack_result r;
} attempt;

static void begin(attempt *a, const tut_learner *l)
{
    *a = (attempt){.model = {.learner = l, .classes = CLASSES}};
    a->target = fake_target(&a->model, WIDTH, &a->allowance);
    a->probe =
        (tut_probe){.target = &a->target, .members = &members.s, .others = &others.s, .seed = 4};
    tut_arena_init(&a->probe.arena, 0);
}

static void run(attempt *a, const char *name)
{
    tut_error err = {.code = TUT_OK};
    const tut_attack *attack = attack_named("inversion", name);
    assert_non_null(attack);
    a->r = (tut_attack_result){.queries = 0};
    if (!tut_is_ok(attack->run(&a->probe, &a->r, &err)))
        fail_msg("%s: %s", name, err.text);
    assert_string_equal(a->r.metric, "lift");
}

static void a_value_that_the_model_learnt_from_is_given_away(void **state)
{
    (void)state;
    turn_labels(1);
    tut_learner *bad = trained("trees", &members), *good = trained("softmax", &members);
    attempt a;
    begin(&a, bad);
    run(&a, "attribute");
    if (!(a.r.decisive.low > 0.1))
        fail_msg("%g (%g to %g)", a.r.decisive.value, a.r.decisive.low, a.r.decisive.high);
    assert_non_null(strstr(a.r.reason, "illness"));
    assert_int_equal(a.r.queries, 2 * 400);
    assert_true(a.r.baseline == 0);
    double learnt = a.r.decisive.value;
    tut_arena_done(&a.probe.arena);
    begin(&a, good);
    run(&a, "attribute");
    if (!(a.r.decisive.high < learnt - 0.1)) /* a straight line cannot hold it */
        fail_msg("%g and %g", learnt, a.r.decisive.value);
    tut_arena_done(&a.probe.arena);
    tut_learner_free(bad);
    tut_learner_free(good);
    turn_labels(2);
}

static void a_model_of_strangers_gives_no_value_away(void **state)
{
    (void)state;
    made_sample strangers;
    assert_true(make_sample(&strangers, ROWS, WIDTH, CLASSES, 0.5, 5));
    add_bit(&strangers, 6);
    tut_learner *l = trained("trees-long", &strangers);
    attempt a;
    begin(&a, l);
    run(&a, "attribute");
    assert_true(a.r.decisive.low < 0 && a.r.decisive.high > 0);
    tut_arena_done(&a.probe.arena);
    tut_learner_free(l);
    made_sample_done(&strangers);
}

static void what_members_of_a_class_share_is_found_in_it(void **state)
{
    (void)state;
    attempt a;
    tut_learner *plain = trained("softmax", &members);
    begin(&a, plain);
    run(&a, "class");
    double without = a.r.decisive.value;
    assert_true(a.r.decisive.low < 0.05);
    assert_true(measure_named(&a.r, "recognised_by_another_model")->value > 0.9);
    assert_int_equal(a.r.queries, CLASSES * (40 * 32 + 1));
    assert_int_equal(a.r.exposed_count, CLASSES);
    tut_arena_done(&a.probe.arena);
    tut_learner_free(plain);
    for (size_t i = 0; i < ROWS; i++) /* members of each class have a mark that others lack */
        members.rows[i * WIDTH + members.labels[i]] += 2;
    tut_learner *marked = trained("softmax", &members);
    begin(&a, marked);
    run(&a, "class");
    if (!(a.r.decisive.value > without + 0.1 && a.r.decisive.low > 0))
        fail_msg("%g (%g to %g), without the mark %g", a.r.decisive.value, a.r.decisive.low,
                 a.r.decisive.high, without);
    tut_arena_done(&a.probe.arena);
    tut_learner_free(marked);
    for (size_t i = 0; i < ROWS; i++)
        members.rows[i * WIDTH + members.labels[i]] -= 2;
}

static void the_same_seed_gives_the_same_result(void **state)
{
    (void)state;
    static const char *const names[] = {"attribute", "class"};
    tut_learner *l = trained("trees", &members);
    for (size_t i = 0; i < 2; i++) {
        attempt a, b;
        begin(&a, l);
        begin(&b, l);
        a.probe.steps = b.probe.steps = 5;
        run(&a, names[i]);
        run(&b, names[i]);
        assert_true(a.r.decisive.value == b.r.decisive.value);
        assert_true(a.r.decisive.low == b.r.decisive.low);
        tut_arena_done(&a.probe.arena);
        tut_arena_done(&b.probe.arena);
    }
    tut_learner_free(l);
}

static void what_cannot_be_measured_says_why(void **state)
{
    (void)state;
    static const char *const names[] = {"attribute", "class"};
    tut_learner *l = trained("softmax", &members);
    attempt a;
    begin(&a, l);
    for (size_t i = 0; i < 2; i++) {
        a.probe.members = NULL;
        run(&a, names[i]);
        assert_true(isnan(a.r.decisive.value));
        assert_non_null(a.r.reason);
        a.probe.members = &members.s;
        a.model.dies_after = 1;
        run(&a, names[i]);
        assert_true(isnan(a.r.decisive.value) && a.r.was_cut);
        assert_non_null(a.r.reason);
        a.model.dies_after = 0;
    }
    a.allowance.queries_most = a.allowance.queries + 200;
    run(&a, "attribute");
    assert_int_equal(a.r.queries, 200);
    assert_int_equal(a.r.rows, 100);
    tut_arena_done(&a.probe.arena);
    tut_learner_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_the_model_learnt_from_is_given_away),
        cmocka_unit_test(a_model_of_strangers_gives_no_value_away),
        cmocka_unit_test(what_members_of_a_class_share_is_found_in_it),
        cmocka_unit_test(the_same_seed_gives_the_same_result),
        cmocka_unit_test(what_cannot_be_measured_says_why),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
