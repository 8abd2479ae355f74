/* Attacks by gradients on a linear model, whose smallest adversarial changes are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "evasion_fixture.h"
#include "onnx_maker.h"

extern const tut_attack tut_attack_evasion_apgd_ce, tut_attack_evasion_apgd_dlr,
    tut_attack_evasion_pgd;

static const tut_attack *const attacks[] = {&tut_attack_evasion_apgd_ce,
                                            &tut_attack_evasion_apgd_dlr, &tut_attack_evasion_pgd};

/* The world's model as a file, opened as a target with gradients. */
static tut_target *open_target(world *w)
{
    onnx_maker m = {.graph = TUT_BUF_INIT};
    char path[] = "/tmp/tutela-white-XXXXXX.onnx";
    tut_target *target = NULL;
    tut_error err = {.code = TUT_OK};
    om_floats(&m, "w", (const size_t[]){CLASSES, WIDTH}, 2, w->w[0]);
    om_floats(&m, "b", (const size_t[]){CLASSES}, 1, w->bias);
    om_value(&m, 11, "x", (const size_t[]){1, SIDE, SIDE}, 3);
    om_value(&m, 12, "y", (const size_t[]){CLASSES}, 1);
    tut_buf attrs = TUT_BUF_INIT;
    om_attr_int(&attrs, "transB", 1);
    om_node(&m, "Flatten", "x", "f", NULL);
    om_node(&m, "Gemm", "f w b", "s", &attrs);
    om_node(&m, "Softmax", "s", "y", NULL);
    tut_buf file = om_file(&m);
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.data, file.len), file.len);
    (void)close(fd);
    tut_buf_done(&file);
    const tut_target_wish wish = {.place = path, .allowance = &w->allowance};
    tut_status status = tut_target_open(&wish, &target, &err);
    (void)unlink(path);
    if (!tut_is_ok(status))
        fail_msg("%s", err.text);
    return target;
}

/* The smallest change that makes row i wrong; 0 where it is. */
static double truth_of(const world *w, size_t i)
{
    const float *x = w->rows + i * WIDTH;
    uint32_t y = w->labels[i];
    double least = INFINITY;
    for (size_t c = 0; c < CLASSES; c++) {
        double ones = 0, squares = 0, margin = score(w, x, y) - score(w, x, c);
        for (size_t j = 0; j < WIDTH; j++) {
            double d = fabs((double)w->w[c][j] - (double)w->w[y][j]);
            ones += d;
            squares += d * d;
        }
        double far = margin / (w->norm == TUT_NORM_L2 ? sqrt(squares) : ones);
        if (c != y && far < least)
            least = far < 0 ? 0 : far;
    }
    return least;
}

static void attack(world *w, const tut_attack *a, tut_attack_result *ret)
{
    tut_error err = {.code = TUT_OK};
    tut_target *target = open_target(w);
    *ret = (tut_attack_result){.metric = NULL};
    w->probe.target = target;
    tut_status status = a->run(&w->probe, ret, &err);
    tut_target_free(target);
    if (!tut_is_ok(status))
        fail_msg("%s: %s", a->name, err.text);
}

/* The corner of the cube where the cross entropy is greatest: is the model wrong there? Where two
 * classes are near, it need not be, though it is wrong elsewhere. */
static bool is_wrong_at_the_top(const world *w, size_t row, double size)
{
    double most = -INFINITY;
    bool is_wrong = false;
    uint32_t y = w->labels[row];
    for (unsigned corner = 0; corner < 1u << WIDTH; corner++) {
        float x[WIDTH];
        double z[CLASSES], sum = 0, other = -INFINITY;
        for (size_t j = 0; j < WIDTH; j++)
            x[j] = w->rows[row * WIDTH + j] + (float)(corner >> j & 1 ? size : -size);
        for (size_t c = 0; c < CLASSES; c++) {
            z[c] = score(w, x, c);
            sum += exp(z[c]);
            other = c != y ? fmax(other, z[c]) : other;
        }
        if (log(sum) - z[y] > most) {
            most = log(sum) - z[y];
            is_wrong = other > z[y] + 1e-4;
        }
    }
    return is_wrong;
}

/* What nothing within the size makes wrong is held; else it is found, but for those few rows where
 * the loss leads elsewhere. */
static void check_truth(const tut_attack *a, tut_norm norm, double size, size_t may_miss)
{
    world w;
    tut_attack_result r;
    make_world(&w);
    w.norm = w.probe.norm = norm;
    w.probe.size = size;
    attack(&w, a, &r);
    size_t truth = 0, held = 0;
    for (size_t i = 0; i < ROWS; i++) {
        bool is_held = r.kept[i] == '1', is_robust = truth_of(&w, i) > size;
        held += is_held;
        truth += is_robust;
        if (is_robust)
            assert_true(is_held);
        else if (is_held && norm == TUT_NORM_LINF && a != &tut_attack_evasion_apgd_dlr)
            assert_false(is_wrong_at_the_top(&w, i, size));
    }
    assert_true(truth > 5 && truth < ROWS - 15);
    if (held > truth + may_miss)
        fail_msg("%s: %zu held, %zu in truth", a->name, held, truth);
    assert_float_equal(r.decisive.value, (double)held / ROWS, 1e-12);
    assert_true(r.decisive.low < r.decisive.value && r.decisive.value < r.decisive.high);
    assert_int_equal(r.queries, w.allowance.queries);
    assert_float_equal(measure_of(&r, "clean_accuracy"), 0.9, 1e-12);
    tut_arena_done(&w.probe.arena);
}

static void what_is_found_is_the_truth_in_both_norms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        size_t may_miss = attacks[i] == &tut_attack_evasion_apgd_dlr ? 1 : 8;
        check_truth(attacks[i], TUT_NORM_LINF, 0.03, may_miss);
        check_truth(attacks[i], TUT_NORM_L2, 0.12, may_miss);
    }
}

static void curves_fall_with_the_size_and_fgsm_is_above(void **state)
{
    (void)state;
    world w;
    tut_attack_result r;
    make_world(&w);
    w.probe.size = 0.03;
    attack(&w, &tut_attack_evasion_apgd_ce, &r);
    const tut_curve *own = NULL, *fgsm = NULL;
    for (size_t i = 0; i < r.curve_count; i++) {
        own = strcmp(r.curves[i].name, "APGD-CE") == 0 ? &r.curves[i] : own;
        fgsm = strcmp(r.curves[i].name, "FGSM") == 0 ? &r.curves[i] : fgsm;
    }
    assert_non_null(own);
    assert_non_null(fgsm);
    if (!own || !fgsm)
        return;
    assert_float_equal(own->ys[0], 0.9, 1e-12);
    for (size_t i = 0; i < own->count; i++) {
        assert_true(i == 0 || own->ys[i] <= own->ys[i - 1]);
        assert_true(own->ys[i] <= fgsm->ys[i] + 1e-9);
    }
    tut_arena_done(&w.probe.arena);
}

static void the_same_seed_finds_the_same(void **state)
{
    (void)state;
    char kept[2][ROWS];
    for (size_t i = 0; i < 2; i++) {
        world w;
        tut_attack_result r;
        make_world(&w);
        w.probe.size = 0.03;
        attack(&w, &tut_attack_evasion_apgd_dlr, &r);
        memcpy(kept[i], r.kept, ROWS);
        tut_arena_done(&w.probe.arena);
    }
    assert_memory_equal(kept[0], kept[1], ROWS);
}

static void what_the_allowance_does_not_cover_is_marked(void **state)
{
    (void)state;
    world w;
    tut_attack_result r;
    make_world(&w);
    w.allowance.queries_most = ROWS + 20;
    w.probe.size = 0.03;
    attack(&w, &tut_attack_evasion_apgd_ce, &r);
    assert_true(r.was_cut);
    assert_int_equal(w.allowance.queries, ROWS + 20);
    tut_arena_done(&w.probe.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_is_the_truth_in_both_norms),
        cmocka_unit_test(curves_fall_with_the_size_and_fgsm_is_above),
        cmocka_unit_test(the_same_seed_finds_the_same),
        cmocka_unit_test(what_the_allowance_does_not_cover_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
