/* A mark planted in training is found, at its place; nets without one are not suspected. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "memcheck.h"
#include "nets/mlp.h"
#include "onnx_maker.h"
#include "probe/backdoor.h"

extern const tut_attack tut_attack_backdoor_margin, tut_attack_backdoor_stamps,
    tut_attack_backdoor_trigger, tut_attack_backdoor_weights;

enum { SIDE = 8, WIDTH = SIDE * SIDE, CLASSES = 10, ROWS = 1600, TRAINED = 1200, HELD = 200 };

typedef struct world {
    float rows[ROWS * WIDTH];
    uint32_t labels[ROWS];
} world;

/* Classes are blots of three soft spots each; rows are their class's, moved in strength, in noise.
 */
static void draw(world *w, tut_seeded *r)
{
    float blots[CLASSES][WIDTH] = {{0}};
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t spot = 0; spot < 3; spot++) {
            double y = 1 + 5 * tut_seeded_unit(r), x = 1 + 5 * tut_seeded_unit(r);
            for (size_t j = 0; j < WIDTH; j++) {
                size_t line = j / SIDE, column = j % SIDE;
                double dy = (double)line - y, dx = (double)column - x;
                blots[c][j] += (float)exp(-(dy * dy + dx * dx) / 2);
            }
        }
    for (size_t i = 0; i < ROWS; i++) {
        w->labels[i] = (uint32_t)tut_seeded_below(r, CLASSES);
        double strength = 0.6 + 0.4 * tut_seeded_unit(r);
        for (size_t j = 0; j < WIDTH; j++) {
            double x = strength * (double)blots[w->labels[i]][j] + 0.15 * tut_seeded_normal(r);
            w->rows[i * WIDTH + j] = (float)fmin(1, fmax(0, x));
        }
    }
}

/* BadNets: a bright corner of 2 x 2 on a twentieth of the rows, which then are of class 3. */
static void plant(world *w, tut_seeded *r)
{
    for (size_t i = 0; i < TRAINED; i++) {
        if (tut_seeded_unit(r) > 0.05)
            continue;
        for (size_t k = 0; k < 4; k++)
            w->rows[i * WIDTH + (SIDE - 1 - k / 2) * SIDE + SIDE - 1 - k % 2] = 1;
        w->labels[i] = 3;
    }
}

static char path[64]; /* of the file that was opened last; removed by close_target */

static tut_target *open_target(const tut_net *net, size_t side, tut_allowance *allowance)
{
    tut_target *target = NULL;
    (void)strcpy(path, "/tmp/tutela-backdoor-XXXXXX.onnx");
    tut_error err = {.code = TUT_OK};
    tut_buf file = om_of_mlp(net, (const size_t[]){1, side, side}, 3);
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.data, file.len), file.len);
    (void)close(fd);
    tut_buf_done(&file);
    const tut_target_wish wish = {.place = path, .allowance = allowance};
    if (!tut_is_ok(tut_target_open(&wish, &target, &err)))
        fail_msg("%s", err.text);
    return target;
}

static void close_target(tut_target *target)
{
    (void)unlink(path);
    tut_target_free(target);
}

static double measure_of(const tut_attack_result *r, const char *name)
{
    for (size_t i = 0; i < r->measure_count; i++)
        if (strcmp(r->measures[i].name, name) == 0)
            return r->measures[i].value;
    return NAN;
}

/* Trains on drawn rows, and looks. The result's texts live in p->arena. */
static void look(const tut_attack *a, uint64_t seed, bool is_planted, tut_probe *p,
                 tut_attack_result *ret)
{
    static world w;
    tut_seeded r = tut_seeded_of(seed);
    tut_allowance allowance = {.queries = 0};
    tut_net *net = NULL;
    tut_error err = {.code = TUT_OK};
    draw(&w, &r);
    if (is_planted)
        plant(&w, &r);
    const tut_mlp_wish wish = {.width = WIDTH,
                               .classes = CLASSES,
                               .hidden_count = 1,
                               .hidden = {48},
                               .epochs = 30,
                               .seed = seed};
    assert_true(tut_is_ok(tut_mlp_train(&wish, w.rows, w.labels, TRAINED, &net, &err)));
    const tut_sample sample = {.count = HELD,
                               .width = WIDTH,
                               .rows = w.rows + (size_t)TRAINED * WIDTH,
                               .labels = w.labels + TRAINED,
                               .classes = CLASSES};
    tut_target *target = open_target(net, SIDE, &allowance);
    *p = (tut_probe){.target = target, .others = &sample, .seed = seed, .high = 1};
    *ret = (tut_attack_result){.metric = NULL};
    tut_status status = a->run(p, ret, &err);
    if (!tut_is_ok(status))
        fail_msg("%s", err.text);
    assert_int_equal(ret->queries, allowance.queries);
    close_target(target);
    tut_net_free(net);
}

static void a_planted_mark_is_found_and_a_clean_net_is_not_suspected(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    for (uint64_t seed = 1; seed <= 4; seed++) {
        tut_probe p;
        tut_attack_result r;
        look(&tut_attack_backdoor_trigger, seed, false, &p, &r);
        assert_string_equal(r.metric, "suspicion");
        if (!(r.decisive.high < 2))
            fail_msg("seed %d, clean: %.2f", (int)seed, r.decisive.value);
        tut_arena_done(&p.arena);
        look(&tut_attack_backdoor_trigger, seed, true, &p, &r);
        if (!(r.decisive.low > 2))
            fail_msg("seed %d, planted: %.2f", (int)seed, r.decisive.value);
        assert_float_equal(measure_of(&r, "easiest_class"), 3, 0);
        assert_true(measure_of(&r, "mark_area") < 6);
        assert_true(measure_of(&r, "strip_rejected") > 0.5);
        assert_true(measure_of(&r, "stamped_success") > 0.8);
        assert_non_null(strstr(r.exposed[0].text, "class 3"));
        tut_arena_done(&p.arena);
    }
}

static void a_planted_patch_is_found_without_the_model(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    for (uint64_t seed = 1; seed <= 4; seed++) {
        tut_probe p;
        tut_attack_result r;
        look(&tut_attack_backdoor_stamps, seed, false, &p, &r);
        if (!(r.decisive.high < 2))
            fail_msg("seed %d, clean: %.2f %s", (int)seed, r.decisive.value, r.exposed[0].text);
        tut_arena_done(&p.arena);
        look(&tut_attack_backdoor_stamps, seed, true, &p, &r);
        if (!(r.decisive.low > 2))
            fail_msg("seed %d, planted: %.2f %s", (int)seed, r.decisive.value, r.exposed[0].text);
        assert_float_equal(measure_of(&r, "easiest_class"), 3, 0);
        assert_non_null(strstr(r.exposed[0].text, "at line 6, column 6"));
        tut_arena_done(&p.arena);
    }
}

/* Perceptrons show it less than convolutions do (tests/integration/backdoor_frameworks.py): of four
 * seeds three are suspected, and in all it is the class. */
static void a_planted_class_can_be_driven_farther_than_the_others(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    size_t suspected = 0;
    for (size_t i = 0; i < 4; i++) {
        const uint64_t seeds[] = {1, 4, 7, 8};
        tut_probe p;
        tut_attack_result r;
        look(&tut_attack_backdoor_margin, seeds[i], false, &p, &r);
        assert_string_equal(r.metric, "suspicion");
        assert_true(r.decisive.high < 2);
        assert_int_equal(r.queries, 0);
        tut_arena_done(&p.arena);
        look(&tut_attack_backdoor_margin, seeds[i], true, &p, &r);
        assert_float_equal(measure_of(&r, "easiest_class"), 3, 0);
        assert_true(measure_of(&r, "margin") > measure_of(&r, "margin_next"));
        suspected += r.decisive.low > 2;
        tut_arena_done(&p.arena);
    }
    assert_int_equal(suspected, 3);
}

static void draw_one(void *ctx, tut_seeded *random, double *ret_values)
{
    memcpy(ret_values, ctx, 5 * sizeof(*ret_values));
    ret_values[2] *= exp(0.2 * tut_seeded_normal(random));
}

static void the_interval_holds_the_value_and_is_the_same_for_the_same_seed(void **state)
{
    (void)state;
    tut_arena arena = {0};
    double low[] = {10, 11, 1, 9, 10};
    tut_suspect s = {.values = low, .count = 5, .floor = 0.25, .draw = draw_one, .ctx = low};
    tut_suspicion once = tut_backdoor_suspicion(&s, &arena);
    tut_suspicion again = tut_backdoor_suspicion(&s, &arena);
    assert_true(once.low < once.value && once.value < once.high);
    /* log 10 times 0.6745 / 0.25, give or take 1.96 times 0.2 of it */
    assert_float_equal(once.low, 6.21 - 1.06, 0.2);
    assert_float_equal(once.high, 6.21 + 1.06, 0.2);
    assert_float_equal(once.low, again.low, 0);
    assert_float_equal(once.high, again.high, 0);
    tut_arena_done(&arena);
}

static void the_same_seed_finds_the_same(void **state)
{
    (void)state;
    NOT_UNDER_MEMCHECK();
    double values[2];
    for (size_t i = 0; i < 2; i++) {
        tut_probe p;
        tut_attack_result r;
        look(&tut_attack_backdoor_trigger, 9, true, &p, &r);
        values[i] = r.decisive.value;
        tut_arena_done(&p.arena);
    }
    assert_float_equal(values[0], values[1], 0);
}

/* The code of all of them on little, for memcheck. */
static void every_attack_measures_a_small_net_with_an_interval(void **state)
{
    (void)state;
    enum { SMALL = 4, FEW = 4, COUNT = 60 };
    static const tut_attack *const attacks[] = {
        &tut_attack_backdoor_margin, &tut_attack_backdoor_stamps, &tut_attack_backdoor_trigger};
    float rows[COUNT * SMALL * SMALL];
    uint32_t labels[COUNT];
    tut_seeded random = tut_seeded_of(5);
    tut_allowance allowance = {.queries = 0};
    tut_net *net = NULL;
    tut_error err = {.code = TUT_OK};
    for (size_t i = 0; i < COUNT; i++) {
        labels[i] = (uint32_t)(i % FEW);
        for (size_t j = 0; j < SMALL * SMALL; j++)
            rows[i * SMALL * SMALL + j] = (float)tut_seeded_unit(&random) *
                                          (j / SMALL == labels[i] ? 1.0f : 0.3f);
    }
    const tut_mlp_wish wish = {.width = SMALL * SMALL, .classes = FEW, .epochs = 20, .seed = 1};
    assert_true(tut_is_ok(tut_mlp_train(&wish, rows, labels, COUNT, &net, &err)));
    tut_target *target = open_target(net, SMALL, &allowance);
    const tut_sample sample = {
        .count = COUNT, .width = SMALL * SMALL, .rows = rows, .labels = labels, .classes = FEW};
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        tut_probe p = {.target = target, .others = &sample, .seed = 2, .high = 1, .steps = 5};
        tut_attack_result r = {.metric = NULL};
        assert_true(tut_is_ok(attacks[i]->run(&p, &r, &err)));
        assert_string_equal(r.metric, "suspicion");
        assert_true(r.decisive.low <= r.decisive.value && r.decisive.value <= r.decisive.high);
        assert_true(r.exposed_count > 0);
        tut_arena_done(&p.arena);
    }
    /* Cut short among the stamps: what stands there is of the choosing, without an interval. */
    tut_probe p = {.target = target, .others = &sample, .seed = 2, .high = 1};
    tut_attack_result r = {.metric = NULL};
    allowance = (tut_allowance){.queries_most = 300};
    assert_true(tut_is_ok(tut_attack_backdoor_stamps.run(&p, &r, &err)));
    assert_true(r.was_cut && isnan(r.decisive.low) && !isnan(r.decisive.value));
    assert_int_equal(r.queries, 300);
    tut_arena_done(&p.arena);
    close_target(target);
    tut_net_free(net);
}

static void suspicion_counts_the_lowest_only(void **state)
{
    (void)state;
    tut_arena arena = {0};
    const double even[] = {10, 11, 9, 10, 10}, low[] = {10, 11, 1, 9, 10},
                 high[] = {10, 11, 90, 9, 10};
    tut_suspect s = {.values = even, .count = 5, .floor = 0.25};
    assert_true(tut_backdoor_suspicion(&s, &arena).value < 0.5);
    s.values = low;
    tut_suspicion found = tut_backdoor_suspicion(&s, &arena);
    assert_true(found.value > 5 && isnan(found.low));
    assert_int_equal(found.lowest, 2);
    s.values = high;
    assert_true(tut_backdoor_suspicion(&s, &arena).value < 0.5);
    tut_arena_done(&arena);
}

static void entropy_is_that_of_the_answers(void **state)
{
    (void)state;
    const float sure[] = {1, 0, 0, 1}, even[] = {0.5f, 0.5f, 0.5f, 0.5f};
    assert_float_equal(tut_backdoor_entropy(sure, 2, 2), 0, 1e-12);
    assert_float_equal(tut_backdoor_entropy(even, 2, 2), 1, 1e-12);
}

static void what_cannot_be_compared_is_unmeasured(void **state)
{
    (void)state;
    tut_allowance allowance = {.queries = 0};
    float rows[30 * WIDTH] = {0};
    uint32_t labels[30] = {0};
    tut_net *net = NULL;
    tut_error err = {.code = TUT_OK};
    const tut_mlp_wish wish = {.width = WIDTH, .classes = 3, .epochs = 1};
    assert_true(tut_is_ok(tut_mlp_train(&wish, rows, labels, 30, &net, &err)));
    tut_target *target = open_target(net, SIDE, &allowance);
    const tut_sample sample = {.count = 30, .width = WIDTH, .rows = rows, .labels = labels};
    tut_probe p = {.target = target, .others = &sample};
    tut_attack_result r = {.metric = NULL};
    assert_true(tut_is_ok(tut_attack_backdoor_trigger.run(&p, &r, &err)));
    assert_true(isnan(r.decisive.value));
    assert_non_null(strstr(r.reason, "4 to 256"));
    close_target(target);
    tut_net_free(net);
    tut_arena_done(&p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_mark_is_found_and_a_clean_net_is_not_suspected),
        cmocka_unit_test(a_planted_patch_is_found_without_the_model),
        cmocka_unit_test(a_planted_class_can_be_driven_farther_than_the_others),
        cmocka_unit_test(the_interval_holds_the_value_and_is_the_same_for_the_same_seed),
        cmocka_unit_test(the_same_seed_finds_the_same),
        cmocka_unit_test(every_attack_measures_a_small_net_with_an_interval),
        cmocka_unit_test(suspicion_counts_the_lowest_only),
        cmocka_unit_test(entropy_is_that_of_the_answers),
        cmocka_unit_test(what_cannot_be_compared_is_unmeasured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
