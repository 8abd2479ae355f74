#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evasion_fixture.h"
#include "memcheck.h"

extern const tut_attack tut_attack_evasion_square, tut_attack_evasion_hopskipjump,
    tut_attack_evasion_boundary, tut_attack_evasion_simba_pixel, tut_attack_evasion_simba_dct;

static void attack(world *w, const tut_attack *a, tut_attack_result *ret)
{
    tut_error err = {.code = TUT_OK};
    *ret = (tut_attack_result){.metric = NULL};
    tut_status status = a->run(&w->probe, ret, &err);
    if (!tut_is_ok(status))
        fail_msg("%s: %s", a->name, err.text);
}

/* The smallest change that makes row i wrong; 0 where it is; infinite where none does. */
static double truth_of(const world *w, size_t i)
{
    const float *x = w->rows + i * WIDTH;
    uint32_t y = w->labels[i];
    double least = INFINITY;
    for (size_t c = 0; c < CLASSES; c++) {
        double ones = 0, squares = 0, margin = score(w, x, y) - score(w, x, c);
        for (size_t j = 0; j < WIDTH; j++) {
            double d = fabs((double)w->w[c][j] - w->w[y][j]);
            ones += d;
            squares += d * d;
        }
        double far = margin / (w->norm == TUT_NORM_L2 ? sqrt(squares) : ones);
        if (c != y && far < least)
            least = far < 0 ? 0 : far;
    }
    return w->is_constant ? (y == 0 ? INFINITY : 0) : least;
}

static size_t truly_robust(const world *w, double size)
{
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        n += truth_of(w, i) > size;
    return n;
}

/* Never below the truth, and above it by at most so many rows. */
static void check_truth(const tut_attack *a, tut_norm norm, double size, uint64_t queries,
                        size_t may_miss, bool is_on_leash, size_t axes)
{
    world w;
    tut_attack_result r;
    make_world(&w);
    w.target.facts.axes = axes;
    w.norm = w.probe.norm = norm;
    w.probe.size = size;
    w.probe.queries_a_row = queries;
    w.leash = is_on_leash ? size : 0;
    attack(&w, a, &r);
    size_t truth = truly_robust(&w, size), held = 0;
    for (size_t i = 0; i < ROWS; i++) {
        bool is_held = r.kept[i] == '1';
        held += is_held;
        if (truth_of(&w, i) > size)
            assert_true(is_held);
    }
    assert_true(truth > 5 && truth < ROWS - 15); /* or it would show nothing */
    assert_float_equal(r.decisive.value, (double)held / ROWS, 1e-12);
    if (held > truth + may_miss)
        fail_msg("%s: %zu of %d held, %zu in truth", a->name, held, ROWS, truth);
    assert_float_equal(measure_of(&r, "clean_accuracy"), 0.9, 1e-12);
    assert_int_equal(w.outside, 0);
    assert_int_equal(w.strayed, 0);
    assert_int_equal(r.queries, w.asked);
    assert_true(r.decisive.low <= r.decisive.value && r.decisive.value <= r.decisive.high);
    assert_true(measure_of(&r, "noise_accuracy") >= r.decisive.value);
    tut_arena_done(&w.probe.arena);
}

static void square_comes_to_the_truth_of_a_linear_model(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    check_truth(&tut_attack_evasion_square, TUT_NORM_LINF, 0.05, 500, 0, true, 3);
    check_truth(&tut_attack_evasion_square, TUT_NORM_LINF, 0.05, 500, 0, true, 0);
    check_truth(&tut_attack_evasion_square, TUT_NORM_L2, 0.2, 2000, 4, true, 3);
    check_truth(&tut_attack_evasion_square, TUT_NORM_L2, 0.2, 2000, 4, true, 0);
}

static void simba_comes_to_the_truth_of_a_linear_model(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    check_truth(&tut_attack_evasion_simba_pixel, TUT_NORM_LINF, 0.05, 500, 3, true, 3);
    check_truth(&tut_attack_evasion_simba_pixel, TUT_NORM_L2, 0.2, 500, 4, true, 3);
    check_truth(&tut_attack_evasion_simba_dct, TUT_NORM_L2, 0.2, 500, 4, true, 3);
    check_truth(&tut_attack_evasion_simba_dct, TUT_NORM_L2, 0.2, 500, 4, true, 0);
}

static void hopskipjump_comes_to_the_truth_of_a_linear_model(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    check_truth(&tut_attack_evasion_hopskipjump, TUT_NORM_L2, 0.2, 2000, 2, false, 3);
    check_truth(&tut_attack_evasion_hopskipjump, TUT_NORM_LINF, 0.05, 2000, 3, false, 3);
}

static void the_walk_comes_near_the_truth_of_a_linear_model(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    check_truth(&tut_attack_evasion_boundary, TUT_NORM_L2, 0.2, 2000, 3, false, 3);
    check_truth(&tut_attack_evasion_boundary, TUT_NORM_LINF, 0.05, 2000, 6, false, 3);
}

/* The distance that is found is never shorter than the shortest, and not much longer. */
static void hopskipjump_finds_the_smallest_change(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    world w;
    tut_attack_result r;
    make_world(&w);
    w.norm = w.probe.norm = TUT_NORM_L2;
    w.gives_labels_only = true;
    w.probe.size = 0.2;
    w.probe.queries_a_row = 4000;
    attack(&w, &tut_attack_evasion_hopskipjump, &r);
    assert_true(r.exposed_count == 10);
    for (size_t k = 0; k < r.exposed_count; k++) {
        double truth = truth_of(&w, r.exposed[k].row);
        assert_true(r.exposed[k].score >= truth * (1 - 1e-5));
        assert_true(r.exposed[k].score <= truth * 1.05 + 1e-4);
    }
    tut_arena_done(&w.probe.arena);
}

static const tut_attack *const all[] = {
    &tut_attack_evasion_square, &tut_attack_evasion_simba_pixel, &tut_attack_evasion_simba_dct,
    &tut_attack_evasion_hopskipjump, &tut_attack_evasion_boundary};
enum { ALL = sizeof(all) / sizeof(all[0]) };

static void a_constant_model_keeps_its_clean_accuracy(void **state)
{
    (void)state;
    for (size_t k = 0; k < ALL; k++) {
        world w;
        tut_attack_result r;
        make_world(&w);
        w.is_constant = true;
        w.probe.queries_a_row = 300;
        attack(&w, all[k], &r);
        size_t right = 0;
        for (size_t i = 0; i < ROWS; i++)
            right += w.labels[i] == 0;
        assert_float_equal(r.decisive.value, (double)right / ROWS, 1e-12);
        assert_float_equal(measure_of(&r, "clean_accuracy"), r.decisive.value, 1e-12);
        assert_int_equal(r.exposed_count, 0);
        tut_arena_done(&w.probe.arena);
    }
}

static void the_budget_of_a_row_is_kept_to_the_query(void **state)
{
    (void)state;
    for (size_t k = 0; k < ALL; k++) {
        world w;
        tut_attack_result r;
        make_world(&w);
        w.probe.size = 1e-6; /* nothing is found: every row spends all it has */
        w.probe.queries_a_row = 137;
        attack(&w, all[k], &r);
        assert_int_equal(w.asked, ROWS + 54 * 137);
        assert_int_equal(r.queries, w.asked);
        assert_float_equal(measure_of(&r, "queries_most"), 137, 0);
        assert_false(r.was_cut);
        tut_arena_done(&w.probe.arena);
    }
}

static void the_same_seed_gives_the_same_result(void **state)
{
    (void)state;
    for (size_t k = 0; k < ALL; k++) {
        world w[3];
        tut_attack_result r[3];
        for (size_t i = 0; i < 3; i++) {
            make_world(&w[i]);
            w[i].probe.size = 0.04;
            w[i].probe.queries_a_row = 200;
            w[i].probe.seed = i == 2 ? 99 : 5;
            attack(&w[i], all[k], &r[i]);
        }
        assert_string_equal(r[0].kept, r[1].kept);
        assert_int_equal(r[0].queries, r[1].queries);
        assert_int_equal(r[0].exposed_count, r[1].exposed_count);
        assert_memory_equal(r[0].sample, r[1].sample, 32);
        bool is_other = r[0].queries != r[2].queries;
        for (size_t i = 0; i < r[0].exposed_count; i++) {
            assert_string_equal(r[0].exposed[i].text, r[1].exposed[i].text);
            is_other |= i >= r[2].exposed_count ||
                        strcmp(r[0].exposed[i].text, r[2].exposed[i].text) != 0;
        }
        assert_true(is_other);
        for (size_t i = 0; i < 3; i++)
            tut_arena_done(&w[i].probe.arena);
    }
}

static void what_is_broken_off_is_told_and_kept(void **state)
{
    (void)state;
    for (size_t k = 0; k < ALL; k++) {
        world w;
        tut_attack_result r;
        make_world(&w);
        w.allowance.queries_most = 1000;
        w.probe.size = 1e-6;
        attack(&w, all[k], &r);
        assert_true(r.was_cut);
        assert_int_equal(w.asked, 1000);
        assert_int_equal(r.queries, 1000);
        assert_int_equal(r.rows, ROWS);
        tut_arena_done(&w.probe.arena);

        make_world(&w);
        w.dies_at = 900;
        r = (tut_attack_result){.metric = NULL};
        assert_int_equal(all[k]->run(&w.probe, &r, NULL).code, TUT_IO);
        assert_true(r.was_cut);
        assert_int_equal(r.queries, 900);
        assert_true(r.decisive.value <= 0.9);
        tut_arena_done(&w.probe.arena);
    }
}

static void nothing_to_begin_with_is_no_measure(void **state)
{
    (void)state;
    world w;
    tut_attack_result r;
    make_world(&w);
    w.sample.labels = NULL;
    attack(&w, &tut_attack_evasion_square, &r);
    assert_true(isnan(r.decisive.value));
    assert_non_null(r.reason);
    make_world(&w);
    w.probe.norm = TUT_NORM_L0;
    attack(&w, &tut_attack_evasion_square, &r);
    assert_true(isnan(r.decisive.value));
    make_world(&w);
    w.probe.fixed = "no such column";
    assert_int_equal(tut_attack_evasion_square.run(&w.probe, &r, NULL).code, TUT_USAGE);
    tut_arena_done(&w.probe.arena);
}

static tut_space space_of(world *w, size_t axes, const size_t *shape)
{
    tut_space s;
    w->probe.axes = axes;
    memcpy(w->probe.shape, shape, axes * sizeof(*shape));
    assert_true(tut_is_ok(
        tut_space_of(&w->probe, &w->sample, &w->target.facts, &w->probe.arena, &s, NULL)));
    return s;
}

static void shapes_are_read_with_colours_first_and_last(void **state)
{
    (void)state;
    world w;
    make_world(&w);
    tut_space s = space_of(&w, 3, (size_t[]){1, 4, 4});
    assert_true(s.is_image && s.is_common && s.channels == 1 && s.tall == 4 && s.wide == 4);
    s = space_of(&w, 2, (size_t[]){2, 8});
    assert_true(s.is_image && s.channels == 1 && s.tall == 2 && s.wide == 8);
    s = space_of(&w, 3, (size_t[]){4, 2, 2});
    assert_true(s.channels == 4 && s.step_channel == 4 && s.step_down == 2 && s.step_right == 1);
    s = space_of(&w, 3, (size_t[]){8, 1, 2}); /* tall, wide, colours */
    assert_true(s.channels == 2 && s.tall == 8 && s.wide == 1);
    assert_true(s.step_channel == 1 && s.step_down == 2 && s.step_right == 2);
    s = space_of(&w, 1, (size_t[]){16});
    assert_true(!s.is_image && s.channels == 1 && s.tall == 1 && s.wide == 16);
    w.probe.shape[0] = 15;
    assert_int_equal(
        tut_space_of(&w.probe, &w.sample, &w.target.facts, &w.probe.arena, &s, NULL).code,
        TUT_USAGE);
    w.probe.axes = w.target.facts.axes = 0;
    w.probe.high = 0; /* no range: each column its own, as its unit */
    assert_true(
        tut_is_ok(tut_space_of(&w.probe, &w.sample, &w.target.facts, &w.probe.arena, &s, NULL)));
    assert_true(!s.is_common && s.low[0] > 0.25F && s.high[0] < 0.75F);
    assert_float_equal(s.unit[3], s.high[3] - s.low[3], 0);
    tut_arena_done(&w.probe.arena);
}

/* Curves fall, from the clean accuracy to what is left. */
static void curves_lead_to_the_result(void **state)
{
    (void)state;
    world w;
    tut_attack_result r;
    make_world(&w);
    w.probe.size = 0.05;
    w.probe.queries_a_row = 400;
    attack(&w, &tut_attack_evasion_hopskipjump, &r);
    assert_int_equal(r.curve_count, 2);
    for (size_t k = 0; k < 2; k++) {
        const tut_curve *c = &r.curves[k];
        for (size_t i = 1; i < c->count; i++) {
            assert_true(c->xs[i] > c->xs[i - 1]);
            assert_true(c->ys[i] <= c->ys[i - 1]);
        }
    }
    assert_float_equal(r.curves[0].ys[0], 0.9, 1e-12);
    assert_float_equal(r.curves[0].ys[32], r.decisive.value, 1e-12);
    assert_float_equal(r.curves[1].ys[r.curves[1].count - 1], r.decisive.value, 1e-12);
    tut_arena_done(&w.probe.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(square_comes_to_the_truth_of_a_linear_model),
        cmocka_unit_test(simba_comes_to_the_truth_of_a_linear_model),
        cmocka_unit_test(hopskipjump_comes_to_the_truth_of_a_linear_model),
        cmocka_unit_test(the_walk_comes_near_the_truth_of_a_linear_model),
        cmocka_unit_test(hopskipjump_finds_the_smallest_change),
        cmocka_unit_test(a_constant_model_keeps_its_clean_accuracy),
        cmocka_unit_test(the_budget_of_a_row_is_kept_to_the_query),
        cmocka_unit_test(the_same_seed_gives_the_same_result),
        cmocka_unit_test(what_is_broken_off_is_told_and_kept),
        cmocka_unit_test(nothing_to_begin_with_is_no_measure),
        cmocka_unit_test(shapes_are_read_with_colours_first_and_last),
        cmocka_unit_test(curves_lead_to_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
