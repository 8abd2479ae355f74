/* Nets trained here learn what can be learnt, and are the same for the same seed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nets/mlp.h"
#include "stats/seeded.h"

enum { ROWS = 600, WIDTH = 2 };

/* Two classes in four quarters, which no line parts. */
static void draw(float rows[ROWS * WIDTH], uint32_t labels[ROWS])
{
    tut_seeded r = tut_seeded_of(4);
    for (size_t i = 0; i < ROWS; i++) {
        rows[i * WIDTH] = (float)(2 * tut_seeded_unit(&r) - 1);
        rows[i * WIDTH + 1] = (float)(2 * tut_seeded_unit(&r) - 1);
        labels[i] = (rows[i * WIDTH] > 0) != (rows[i * WIDTH + 1] > 0);
    }
}

static double accuracy(const tut_net *net, const float *rows, const uint32_t *labels)
{
    static float p[ROWS * 2];
    size_t right = 0;
    assert_true(tut_is_ok(tut_net_predict(net, rows, ROWS, p, NULL)));
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(fabsf(p[2 * i] + p[2 * i + 1] - 1) < 1e-5f);
        right += (p[2 * i + 1] > p[2 * i]) == (labels[i] == 1);
    }
    return (double)right / ROWS;
}

static tut_net *train(const tut_mlp_wish *wish, const float *rows, const uint32_t *labels)
{
    tut_net *net = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_mlp_train(wish, rows, labels, ROWS, &net, &err)))
        fail_msg("%s", err.text);
    return net;
}

static void a_hidden_layer_learns_what_a_line_cannot(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH];
    uint32_t labels[ROWS];
    draw(rows, labels);
    tut_mlp_wish wish = {.width = WIDTH, .classes = 2, .rate = 0.01, .epochs = 60, .seed = 1};
    tut_net *line = train(&wish, rows, labels);
    assert_true(accuracy(line, rows, labels) < 0.7);
    tut_net_free(line);
    wish.hidden_count = 1;
    wish.hidden[0] = 16;
    tut_net *net = train(&wish, rows, labels);
    assert_true(accuracy(net, rows, labels) > 0.97);
    assert_int_equal(tut_net_about(net)->parameters, 2 * 16 + 16 + 16 * 2 + 2);
    assert_int_equal(tut_net_about(net)->last, TUT_NET_SCORES);
    tut_net_free(net);
}

static void a_seed_decides_everything(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH], p[3][ROWS * 2];
    uint32_t labels[ROWS];
    draw(rows, labels);
    for (size_t i = 0; i < 3; i++) {
        const tut_mlp_wish wish = {.width = WIDTH,
                                   .classes = 2,
                                   .hidden_count = 1,
                                   .hidden = {8},
                                   .epochs = 3,
                                   .seed = i == 2};
        tut_net *net = train(&wish, rows, labels);
        assert_true(tut_is_ok(tut_net_predict(net, rows, ROWS, p[i], NULL)));
        tut_net_free(net);
    }
    assert_memory_equal(p[0], p[1], sizeof(p[0]));
    assert_memory_not_equal(p[0], p[2], sizeof(p[0]));
}

static void only_picked_rows_are_learnt(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH];
    uint32_t labels[ROWS], picks[ROWS], count = 0;
    draw(rows, labels);
    for (uint32_t i = 0; i < ROWS; i++)
        if (labels[i] == 1)
            picks[count++] = i;
    const tut_mlp_wish wish = {.width = WIDTH,
                               .classes = 2,
                               .rate = 0.05,
                               .epochs = 20,
                               .picks = picks,
                               .pick_count = count};
    tut_net *net = train(&wish, rows, labels);
    assert_true(fabs(accuracy(net, rows, labels) - (double)count / ROWS) < 0.01);
    tut_net_free(net);
}

static void decay_keeps_weights_small(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH], p[2][ROWS * 2], most[2] = {0};
    uint32_t labels[ROWS];
    draw(rows, labels);
    for (size_t i = 0; i < ROWS; i++)
        labels[i] = rows[i * WIDTH] > 0;
    for (size_t i = 0; i < 2; i++) {
        const tut_mlp_wish wish = {
            .width = WIDTH, .classes = 2, .rate = 0.05, .epochs = 40, .l2 = i ? 0.1 : 0};
        tut_net *net = train(&wish, rows, labels);
        assert_true(tut_is_ok(tut_net_predict(net, rows, ROWS, p[i], NULL)));
        for (size_t j = 0; j < sizeof(p[i]) / sizeof(p[i][0]); j++)
            most[i] = fmaxf(most[i], p[i][j]);
        tut_net_free(net);
    }
    assert_true(most[0] > 0.999f);
    assert_true(most[1] < 0.95f);
}

static void wishes_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    float rows[ROWS * WIDTH];
    uint32_t labels[ROWS];
    tut_net *net = NULL;
    draw(rows, labels);
    tut_mlp_wish wish = {.width = WIDTH, .classes = 1};
    assert_int_equal(tut_mlp_train(&wish, rows, labels, ROWS, &net, NULL).code, TUT_USAGE);
    wish.classes = 2;
    labels[ROWS - 1] = 2;
    assert_int_equal(tut_mlp_train(&wish, rows, labels, ROWS, &net, NULL).code, TUT_USAGE);
    assert_int_equal(tut_mlp_train(&wish, rows, labels, 0, &net, NULL).code, TUT_USAGE);
    labels[ROWS - 1] = 0;
    for (uint64_t n = 1;; n++) {
        tut_alloc_fail_after(n);
        wish.epochs = 1;
        tut_status status = tut_mlp_train(&wish, rows, labels, ROWS, &net, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status))
            break;
        assert_int_equal(status.code, TUT_NOMEM);
    }
    tut_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hidden_layer_learns_what_a_line_cannot),
        cmocka_unit_test(a_seed_decides_everything),
        cmocka_unit_test(only_picked_rows_are_learnt),
        cmocka_unit_test(decay_keeps_weights_small),
        cmocka_unit_test(wishes_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
