#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evasion_fixture.h"
#include "memcheck.h"
#include "probe/evasion_corrupt.h"
#include "stats/robust.h"

extern const tut_attack tut_attack_evasion_tabular, tut_attack_evasion_corruption;

static void attack(world *w, const tut_attack *a, tut_attack_result *ret)
{
    tut_error err = {.code = TUT_OK};
    *ret = (tut_attack_result){.metric = NULL};
    tut_status status = a->run(&w->probe, ret, &err);
    if (!tut_is_ok(status))
        fail_msg("%s: %s", a->name, err.text);
}

/* --- the truth: of a linear model over a box, the cheapest change of at most three columns --- */

typedef struct column {
    double low, high, spread;
} column;

static void columns_of(const world *w, column *ret)
{
    double room[ROWS];
    for (size_t j = 0; j < WIDTH; j++) {
        ret[j] = (column){INFINITY, -INFINITY, 0};
        for (size_t i = 0; i < ROWS; i++) {
            room[i] = w->rows[i * WIDTH + j];
            ret[j].low = fmin(ret[j].low, room[i]);
            ret[j].high = fmax(ret[j].high, room[i]);
        }
        ret[j].spread = 1.4826 * tut_robust_of(room, ROWS).mad;
    }
}

/* Of these three columns the one that gains most a unit of cost first, to its end. */
static double cost_of_three(const double *gain, const double *most, const size_t *at, double margin)
{
    double cost = 0;
    bool is_used[3] = {false, false, false};
    for (int k = 0; k < 3 && margin > 0; k++) {
        int best = -1;
        for (int i = 0; i < 3; i++)
            if (!is_used[i] && (best < 0 || gain[at[i]] > gain[at[best]]))
                best = i;
        is_used[best] = true;
        double part = fmin(most[at[best]], margin / gain[at[best]]);
        cost += part;
        margin -= part * gain[at[best]];
    }
    return margin > 1e-12 ? INFINITY : cost;
}

static double cheapest(const world *w, const column *columns, size_t i)
{
    const float *x = w->rows + i * WIDTH;
    uint32_t y = w->labels[i];
    double least = INFINITY;
    for (size_t c = 0; c < CLASSES; c++) {
        double gain[WIDTH], most[WIDTH], margin = score(w, x, y) - score(w, x, c);
        for (size_t j = 0; j < WIDTH; j++) {
            double d = (double)w->w[c][j] - w->w[y][j],
                   room = d > 0 ? columns[j].high - x[j] : x[j] - columns[j].low;
            gain[j] = fabs(d) * columns[j].spread;
            most[j] = room / columns[j].spread;
        }
        size_t at[3];
        for (at[0] = 0; c != y && at[0] < WIDTH; at[0]++)
            for (at[1] = at[0] + 1; at[1] < WIDTH; at[1]++)
                for (at[2] = at[1] + 1; at[2] < WIDTH; at[2]++)
                    least = fmin(least, margin <= 0 ? 0 : cost_of_three(gain, most, at, margin));
    }
    return least;
}

static void the_cheapest_change_is_found_and_nothing_cheaper(void **state)
{
    (void)state;
    world w;
    column columns[WIDTH];
    tut_attack_result r;
    make_world(&w);
    w.target.facts.axes = 0;
    w.probe.size = 1.5;
    w.probe.queries_a_row = 3000;
    columns_of(&w, columns);
    attack(&w, &tut_attack_evasion_tabular, &r);
    size_t truth = 0, held = 0;
    for (size_t i = 0; i < ROWS; i++) {
        double cost = cheapest(&w, columns, i);
        truth += cost > 1.5 * (1 + 1e-4);
        held += r.kept[i] == '1';
        if (cost > 1.5 * (1 + 1e-4))
            assert_true(r.kept[i] == '1');
    }
    assert_true(truth > 5 && truth < ROWS - 20);
    if (held > truth + 2)
        fail_msg("%zu of %d held, %zu in truth", held, ROWS, truth);
    assert_int_equal(r.exposed_count, 10);
    for (size_t k = 0; k < r.exposed_count; k++) {
        double cost = cheapest(&w, columns, r.exposed[k].row);
        assert_true(r.exposed[k].score >= cost * (1 - 1e-4));
        if (r.exposed[k].score > cost * 1.02 + 1e-3)
            fail_msg("row %d: %g, in truth %g", (int)r.exposed[k].row, r.exposed[k].score, cost);
    }
    assert_int_equal(w.outside, 0);
    assert_true(measure_of(&r, "turned_by_1_column") <= measure_of(&r, "turned_by_2_columns"));
    assert_true(measure_of(&r, "turned_by_2_columns") <= measure_of(&r, "turned_by_3_columns"));
    assert_float_equal(measure_of(&r, "turned_by_3_columns"), measure_of(&r, "attack_success"),
                       1e-9);
    tut_arena_done(&w.probe.arena);
}

static void labels_alone_do(void **state)
{
    (void)state;
    world w;
    column columns[WIDTH];
    tut_attack_result r;
    make_world(&w);
    w.target.facts.axes = 0;
    w.gives_labels_only = true;
    w.probe.queries_a_row = 3000;
    columns_of(&w, columns);
    attack(&w, &tut_attack_evasion_tabular, &r);
    size_t truth = 0, held = 0;
    for (size_t i = 0; i < ROWS; i++) {
        truth += cheapest(&w, columns, i) > 1;
        held += r.kept[i] == '1';
    }
    assert_true(held >= truth && held <= truth + 3);
    tut_arena_done(&w.probe.arena);
}

/* --- what may be changed --- */

enum { BOOL = 0, WHOLE = 1, FIXED = 2 };

static void look(world *w, const float *x)
{
    bool is_fixed_known = false;
    for (size_t i = 0; i < ROWS; i++)
        is_fixed_known |= w->rows[i * WIDTH + FIXED] == x[FIXED];
    if ((x[BOOL] != 0 && x[BOOL] != 1) || x[WHOLE] != floorf(x[WHOLE]) || x[WHOLE] < 0 ||
        x[WHOLE] > 9 || !is_fixed_known)
        w->strayed++;
}

static tut_sample_column names[WIDTH];

static void make_table(world *w)
{
    make_world(w);
    memset(names, 0, sizeof(names));
    for (size_t j = 0; j < WIDTH; j++)
        (void)snprintf(names[j].name, sizeof(names[j].name), "c%zu", j);
    for (size_t i = 0; i < ROWS; i++) {
        w->rows[i * WIDTH + BOOL] = i % 2;
        w->rows[i * WIDTH + WHOLE] = (float)(i % 10);
    }
    for (size_t c = 0; c < CLASSES; c++)
        w->w[c][WHOLE] /= 10;
    for (size_t i = 0; i < ROWS; i++) {
        size_t most = 0;
        for (size_t c = 1; c < CLASSES; c++)
            if (score(w, w->rows + i * WIDTH, c) > score(w, w->rows + i * WIDTH, most))
                most = c;
        w->labels[i] = (uint32_t)most;
    }
    w->sample.columns = names;
    w->probe.fixed = "c2\n";
    w->target.facts.axes = 0;
    w->look = look;
}

static void whole_stays_whole_and_what_is_fixed_stays(void **state)
{
    (void)state;
    static const tut_norm norms[] = {TUT_NORM_LINF, TUT_NORM_L0};
    for (size_t k = 0; k < 2; k++) {
        world w;
        tut_attack_result r;
        make_table(&w);
        w.probe.norm = norms[k];
        attack(&w, &tut_attack_evasion_tabular, &r);
        assert_int_equal(w.strayed, 0);
        assert_true(r.decisive.value < 1);
        for (size_t i = 0; i < r.exposed_count; i++) {
            assert_null(strstr(r.exposed[i].text, "c2 "));
            assert_non_null(strstr(r.exposed[i].text, "turns the decision to class"));
        }
        assert_non_null(strstr(r.budget, k ? "2 columns" : "cost 1"));
        tut_arena_done(&w.probe.arena);
    }
}

/* With everything but one column fixed, the answer can be read off by trying all ten values. */
static void of_one_column_the_smallest_step_is_exact(void **state)
{
    (void)state;
    world w;
    tut_attack_result r;
    char fixed[WIDTH * 4] = "";
    make_table(&w);
    for (size_t j = 0; j < WIDTH; j++)
        if (j != WHOLE)
            (void)snprintf(fixed + strlen(fixed), sizeof(fixed) - strlen(fixed), "c%zu\n", j);
    w.probe.fixed = fixed;
    w.probe.size = 100;
    attack(&w, &tut_attack_evasion_tabular, &r);
    size_t turned = 0;
    for (size_t i = 0; i < ROWS; i++) {
        float x[WIDTH];
        double least = INFINITY;
        memcpy(x, w.rows + i * WIDTH, sizeof(x));
        for (int v = 0; v < 10; v++) {
            x[WHOLE] = (float)v;
            size_t most = 0;
            for (size_t c = 1; c < CLASSES; c++)
                most = score(&w, x, c) > score(&w, x, most) ? c : most;
            if (most != w.labels[i])
                least = fmin(least, fabs(v - w.rows[i * WIDTH + WHOLE]));
        }
        turned += isfinite(least);
        assert_int_equal(r.kept[i] == '1', isinf(least));
        for (size_t k = 0; k < r.exposed_count; k++)
            if (r.exposed[k].row == i) /* MAD of 0 to 9, six times each: 2.5 */
                assert_float_equal(r.exposed[k].score * 1.4826 * 2.5, least, 1e-6);
    }
    assert_true(turned > 5);
    assert_int_equal(r.exposed_count, 10);
    tut_arena_done(&w.probe.arena);
}

static void a_table_that_never_turns_is_kept(void **state)
{
    (void)state;
    world w;
    tut_attack_result r;
    make_table(&w);
    w.is_constant = true;
    attack(&w, &tut_attack_evasion_tabular, &r);
    assert_float_equal(r.decisive.value, measure_of(&r, "clean_accuracy"), 0);
    assert_true(measure_of(&r, "queries_most") <= 1000);
    tut_arena_done(&w.probe.arena);
    make_world(&w);
    attack(&w, &tut_attack_evasion_tabular, &r);
    assert_true(isnan(r.decisive.value)); /* an image */
    tut_arena_done(&w.probe.arena);
}

/* --- corruption --- */

static void corruption_grows_with_its_severity(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        world w;
        tut_attack_result r, again;
        make_world(&w);
        w.target.facts.axes = k ? 0 : 3;
        attack(&w, &tut_attack_evasion_corruption, &r);
        size_t kinds = k ? 5 : 7;
        assert_int_equal(r.curve_count, kinds);
        assert_int_equal(w.asked, ROWS + 54 * kinds * TUT_SEVERITIES);
        double first = 0, last = 0;
        for (size_t c = 0; c < kinds; c++) {
            assert_int_equal(r.curves[c].count, 6);
            assert_float_equal(r.curves[c].ys[0], 0.9, 1e-12);
            first += r.curves[c].ys[1];
            last += r.curves[c].ys[5];
        }
        assert_true(first > last);
        assert_true(r.decisive.low < r.decisive.value && r.decisive.value < r.decisive.high);
        attack(&w, &tut_attack_evasion_corruption, &again);
        assert_float_equal(again.decisive.value, r.decisive.value, 0);
        assert_float_equal(again.decisive.low, r.decisive.low, 0);
        tut_arena_done(&w.probe.arena);

        make_world(&w);
        w.target.facts.axes = k ? 0 : 3;
        w.is_constant = true;
        attack(&w, &tut_attack_evasion_corruption, &r);
        assert_float_equal(r.decisive.value, measure_of(&r, "clean_accuracy"), 1e-12);
        tut_arena_done(&w.probe.arena);
    }
}

/* What each does can be seen on a small image. */
static void corruptions_do_what_they_say(void **state)
{
    (void)state;
    enum { N = 20 };
    static float x[N * N], y[N * N], room[N * N], low[N * N], high[N * N], unit[N * N];
    tut_seeded random = tut_seeded_of(3);
    for (size_t i = 0; i < N * N; i++) {
        x[i] = i == 10 * N + 10;
        high[i] = unit[i] = 1;
    }
    tut_space s = {.is_image = true,
                   .width = N * N,
                   .channels = 1,
                   .tall = N,
                   .wide = N,
                   .step_channel = N * N,
                   .step_down = N,
                   .step_right = 1,
                   .low = low,
                   .high = high,
                   .unit = unit};
    tut_corruptor c = {.space = &s, .random = &random, .room = room};
    for (const tut_corruption *k = tut_corruptions_of_images; k->name; k++) {
        double sum = 0, way = 0;
        k->apply(&c, x, 3, y);
        for (size_t i = 0; i < N * N; i++) {
            assert_true(y[i] >= 0 && y[i] <= 1);
            sum += y[i];
            way += fabsf(y[i] - x[i]);
        }
        if (strcmp(k->name, "blur") == 0) /* nothing is lost */
            assert_float_equal(sum, 1, 1e-3);
        if (strcmp(k->name, "translation") == 0) { /* it is elsewhere, 0.12 of the side away */
            double dy = 0, dx = 0;
            for (size_t i = 0; i < N * N; i++) {
                dy += y[i] * ((double)(i / N) - 10);
                dx += y[i] * ((double)(i % N) - 10);
            }
            assert_float_equal(sqrt(dy * dy + dx * dx), 0.12 * N, 1e-3);
        }
        if (strcmp(k->name, "brightness") == 0)
            assert_float_equal(sum, 1 + 0.3 * (N * N - 1), 1e-3);
        if (strcmp(k->name, "occlusion") == 0)
            assert_true(way >= 6 * 6 * 0.5 && way <= 6 * 6 * 0.5 + 0.5);
        assert_true(way > 0.01);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_change_is_found_and_nothing_cheaper),
        cmocka_unit_test(labels_alone_do),
        cmocka_unit_test(whole_stays_whole_and_what_is_fixed_stays),
        cmocka_unit_test(of_one_column_the_smallest_step_is_exact),
        cmocka_unit_test(a_table_that_never_turns_is_kept),
        cmocka_unit_test(corruption_grows_with_its_severity),
        cmocka_unit_test(corruptions_do_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
