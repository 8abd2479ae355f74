/* Nets from ONNX files: outputs against sums written out, gradients against differences, and what
 * is refused. Against ONNX Runtime: tests/integration/nets.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memcheck.h"
#include "onnx_maker.h"

enum { ROWS = 3 };

#define DIMS(...)                                                                                  \
    ((const size_t[]){__VA_ARGS__}), sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t)
#define INTS(...)                                                                                  \
    sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t), ((const int64_t[]){__VA_ARGS__})

static tut_net *make(onnx_maker *m)
{
    tut_net *net = NULL;
    tut_error err = {0};
    tut_buf file = om_file(m);
    tut_status status = om_net(tut_buf_span(&file), &net, &err);
    tut_buf_done(&file);
    if (!tut_is_ok(status))
        fail_msg("%s", err.text);
    return net;
}

static void refused(onnx_maker *m, tut_code code, const char *says)
{
    tut_net *net = NULL;
    tut_error err = {0};
    tut_buf file = om_file(m);
    tut_status status = om_net(tut_buf_span(&file), &net, &err);
    tut_buf_done(&file);
    if (status.code != code || !strstr(err.text, says))
        fail_msg("%s: %s", tut_code_name(status.code), err.text);
}

/* Central differences of a fixed combination of the scores, row by row, against the way back. */
static void check_gradient(tut_net *net)
{
    const tut_net_facts *f = tut_net_about(net);
    onnx_maker draw = {.seed = 7};
    tut_pass *pass = NULL;
    const float *out = NULL;
    size_t width = f->width, outputs = f->outputs;
    float *rows = tut_alloc_array(ROWS * width, sizeof(*rows));
    float *back = tut_alloc_array(ROWS * width, sizeof(*back));
    float *up = tut_alloc_array(ROWS * outputs, sizeof(*up));
    for (size_t i = 0; i < ROWS * width; i++)
        rows[i] = om_draw(&draw, -1, 1);
    for (size_t i = 0; i < ROWS * outputs; i++)
        up[i] = om_draw(&draw, -1, 1);
    assert_true(tut_is_ok(tut_pass_new(net, ROWS, &pass, NULL)));
    assert_true(tut_is_ok(tut_pass_run(pass, rows, ROWS, &out, NULL)));
    assert_true(tut_is_ok(tut_pass_back(pass, up, back, NULL)));
    size_t wrong = 0;
    for (size_t i = 0; i < ROWS * width; i++) {
        double sums[2] = {0};
        float kept = rows[i], step = 1e-2f;
        for (int side = 0; side < 2; side++) {
            rows[i] = kept + (side ? step : -step);
            assert_true(tut_is_ok(tut_pass_run(pass, rows, ROWS, &out, NULL)));
            for (size_t j = 0; j < ROWS * outputs; j++)
                sums[side] += (double)up[j] * (double)tut_pass_scores(pass)[j];
        }
        rows[i] = kept;
        double slope = (sums[1] - sums[0]) / (2 * (double)step);
        wrong += fabs(slope - (double)back[i]) > 0.02 * (1 + fabs(slope));
    }
    /* A step across a kink of Relu, a pool or a bound changes the slope: few do. */
    assert_true(wrong * 12 <= ROWS * width);
    tut_free(rows);
    tut_free(back);
    tut_free(up);
    tut_pass_free(pass);
    tut_net_free(net);
}

/* --- outputs --- */

static void gemm_and_sigmoid_are_computed(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT};
    tut_pass *pass = NULL;
    const float *out = NULL;
    const float w[] = {1, 2, -1}, b[] = {0.5f}, rows[] = {1, 1, 1, 0, 1, 4};
    om_floats(&m, "w", DIMS(3, 1), w);
    om_floats(&m, "b", DIMS(1), b);
    om_value(&m, 11, "x", DIMS(3));
    om_value(&m, 12, "y", DIMS(1));
    om_node(&m, "Gemm", "x w b", "z", NULL);
    om_node(&m, "Sigmoid", "z", "y", NULL);
    tut_net *net = make(&m);
    const tut_net_facts *f = tut_net_about(net);
    assert_int_equal(f->last, TUT_NET_SIGMOID);
    assert_int_equal(f->width, 3);
    assert_int_equal(f->outputs, 1);
    assert_int_equal(f->classes, 2);
    assert_int_equal(f->parameters, 4);
    assert_string_equal(f->input, "x");
    assert_true(tut_is_ok(tut_pass_new(net, 2, &pass, NULL)));
    assert_true(tut_is_ok(tut_pass_run(pass, rows, 2, &out, NULL)));
    assert_true(fabsf(out[0] - 1 / (1 + expf(-2.5f))) < 1e-6f);
    assert_true(fabsf(out[1] - 1 / (1 + expf(1.5f))) < 1e-6f);
    assert_true(fabsf(tut_pass_scores(pass)[1] + 1.5f) < 1e-6f);
    assert_int_equal(tut_pass_run(pass, rows, 3, &out, NULL).code, TUT_USAGE);
    tut_pass_free(pass);
    tut_net_free(net);
}

static void a_convolution_is_the_sum_over_its_window(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT, .seed = 3};
    tut_buf attrs = TUT_BUF_INIT;
    tut_pass *pass = NULL;
    const float *out = NULL;
    float w[2 * 2 * 3 * 2], rows[2 * 5 * 4];
    for (size_t i = 0; i < 24; i++)
        w[i] = om_draw(&m, -1, 1);
    for (size_t i = 0; i < 40; i++)
        rows[i] = om_draw(&m, -1, 1);
    om_floats(&m, "w", DIMS(2, 2, 3, 2), w);
    om_value(&m, 11, "x", DIMS(2, 5, 4));
    om_value(&m, 12, "y", DIMS(2, 2, 4));
    om_attr_ints(&attrs, "pads", INTS(1, 2, 0, 1));
    om_attr_ints(&attrs, "strides", INTS(2, 1));
    om_attr_ints(&attrs, "dilations", INTS(1, 3));
    om_node(&m, "Conv", "x w", "y", &attrs);
    tut_net *net = make(&m);
    assert_true(tut_is_ok(tut_pass_new(net, 1, &pass, NULL)));
    assert_true(tut_is_ok(tut_pass_run(pass, rows, 1, &out, NULL)));
    for (int o = 0; o < 2; o++)
        for (int y = 0; y < 2; y++)
            for (int x = 0; x < 4; x++) {
                float sum = 0;
                for (int k = 0; k < 12; k++) {
                    int c = k / 6, iy = y * 2 + k % 6 / 2 - 1, ix = x + k % 2 * 3 - 2;
                    if (iy >= 0 && iy < 5 && ix >= 0 && ix < 4)
                        sum += w[o * 12 + k] * rows[c * 20 + iy * 4 + ix];
                }
                assert_true(fabsf(out[(o * 2 + y) * 4 + x] - sum) < 1e-5f);
            }
    tut_pass_free(pass);
    tut_net_free(net);
}

static void what_only_reshapes_is_no_step(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT};
    tut_buf attrs = TUT_BUF_INIT;
    om_ints(&m, "shape", INTS(0, -1));
    om_ints(&m, "axes", INTS(1));
    om_value(&m, 11, "x", DIMS(2, 3));
    om_value(&m, 12, "y", DIMS(6));
    om_node(&m, "Identity", "x", "a", NULL);
    om_node(&m, "Unsqueeze", "a axes", "b", NULL);
    om_node(&m, "Squeeze", "b axes", "c", NULL);
    om_node(&m, "Dropout", "c", "d", NULL);
    om_attr_int(&attrs, "to", TUT_ONNX_F32);
    om_node(&m, "Cast", "d", "e", &attrs);
    om_node(&m, "Reshape", "e shape", "f", NULL);
    om_node(&m, "Flatten", "f", "g", NULL);
    om_node(&m, "Softmax", "g", "y", NULL);
    tut_net *net = make(&m);
    assert_int_equal(tut_net_about(net)->steps, 1);
    assert_int_equal(tut_net_about(net)->last, TUT_NET_SOFTMAX);
    tut_net_free(net);
}

/* --- gradients, for every operator --- */

static void unary_gradients_are_slopes(void **state)
{
    (void)state;
    static const char *const ops[] = {"Relu", "LeakyRelu", "Elu", "Sigmoid", "Tanh"};
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        onnx_maker m = {.graph = TUT_BUF_INIT, .seed = i};
        om_value(&m, 11, "x", DIMS(40));
        om_value(&m, 12, "y", DIMS(40));
        om_node(&m, ops[i], "x", "z", NULL);
        om_node(&m, "Add", "z x", "y", NULL); /* a sigmoid at the end would be left out */
        check_gradient(make(&m));
    }
    onnx_maker m = {.graph = TUT_BUF_INIT};
    const float bounds[] = {-0.5f, 0.4f};
    om_floats(&m, "low", NULL, 0, bounds);
    om_floats(&m, "high", NULL, 0, bounds + 1);
    om_value(&m, 11, "x", DIMS(40));
    om_value(&m, 12, "y", DIMS(40));
    om_node(&m, "Clip", "x low high", "y", NULL);
    check_gradient(make(&m));
}

static void binary_gradients_are_slopes(void **state)
{
    (void)state;
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div"};
    for (size_t i = 0; i < 8; i++) {
        onnx_maker m = {.graph = TUT_BUF_INIT, .seed = i};
        om_random(&m, "c", DIMS(1, 3, 1, 1), 1, 2);
        om_random(&m, "three", DIMS(1), 3, 3);
        om_value(&m, 11, "x", DIMS(3, 2, 2));
        om_value(&m, 12, "y", DIMS(3, 2, 2));
        om_node(&m, "Add", "x three", "far", NULL); /* away from 0, for Div */
        om_node(&m, "GlobalAveragePool", "far", "mean", NULL);
        om_node(&m, ops[i % 4], i < 4 ? "far mean" : "mean far", "z", NULL);
        om_node(&m, ops[i % 4], i < 4 ? "z c" : "c far", "y2", NULL);
        om_node(&m, "Add", "y2 z", "y", NULL);
        check_gradient(make(&m));
    }
}

static void products_have_the_gradient_of_their_weights(void **state)
{
    (void)state;
    for (int64_t turned = 0; turned < 2; turned++) {
        onnx_maker m = {.graph = TUT_BUF_INIT, .seed = 5};
        tut_buf attrs = TUT_BUF_INIT;
        om_random(&m, "w", turned ? (const size_t[]){5, 7} : (const size_t[]){7, 5}, 2, -1, 1);
        om_random(&m, "b", DIMS(5), -1, 1);
        om_random(&m, "v", DIMS(5, 4), -1, 1);
        om_value(&m, 11, "x", DIMS(7));
        om_value(&m, 12, "y", DIMS(4));
        om_attr_int(&attrs, "transB", turned);
        om_attr_float(&attrs, "alpha", 0.5f);
        om_attr_float(&attrs, "beta", 2);
        om_node(&m, "Gemm", "x w b", "z", &attrs);
        om_node(&m, "MatMul", "z v", "y", NULL);
        check_gradient(make(&m));
    }
    onnx_maker m = {.graph = TUT_BUF_INIT, .seed = 5};
    om_random(&m, "w", DIMS(7, 2), -1, 1);
    om_value(&m, 11, "x", DIMS(3, 7));
    om_value(&m, 12, "y", DIMS(3, 2));
    om_node(&m, "MatMul", "x w", "y", NULL);
    check_gradient(make(&m));
}

static void convolutions_have_the_gradient_of_their_window(void **state)
{
    (void)state;
    static const struct {
        size_t groups, kernel, outputs;
        int64_t stride, dilation, pad;
    } rows[] = {{1, 3, 5, 1, 1, 1}, {1, 3, 2, 2, 1, 0}, {2, 3, 4, 1, 2, 2},
                {4, 3, 4, 2, 1, 1}, {1, 1, 3, 1, 1, 0}, {1, 1, 3, 2, 1, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        onnx_maker m = {.graph = TUT_BUF_INIT, .seed = i};
        tut_buf attrs = TUT_BUF_INIT;
        size_t kernel = rows[i].kernel, channels = 4;
        om_random(&m, "w", DIMS(rows[i].outputs, channels / rows[i].groups, kernel, kernel), -1, 1);
        om_random(&m, "b", DIMS(rows[i].outputs), -1, 1);
        om_value(&m, 11, "x", DIMS(channels, 6, 7));
        om_value(&m, 12, "y", DIMS(1));
        om_attr_int(&attrs, "group", (int64_t)rows[i].groups);
        om_attr_ints(&attrs, "strides", INTS(rows[i].stride, rows[i].stride));
        om_attr_ints(&attrs, "dilations", INTS(rows[i].dilation, rows[i].dilation));
        om_attr_ints(&attrs, "pads", INTS(rows[i].pad, rows[i].pad, rows[i].pad, rows[i].pad));
        om_node(&m, "Conv", "x w b", "z", &attrs);
        om_node(&m, "Flatten", "z", "y", NULL);
        check_gradient(make(&m));
    }
}

static void pools_have_the_gradient_of_their_window(void **state)
{
    (void)state;
    static const char *const ops[] = {"MaxPool", "AveragePool"};
    for (int64_t i = 0; i < 8; i++) {
        onnx_maker m = {.graph = TUT_BUF_INIT, .seed = (uint64_t)i};
        tut_buf attrs = TUT_BUF_INIT;
        om_value(&m, 11, "x", DIMS(2, 7, 6));
        om_value(&m, 12, "y", DIMS(1));
        om_attr_ints(&attrs, "kernel_shape", INTS(3, 2));
        om_attr_ints(&attrs, "strides", INTS(2, 1 + i % 2));
        if (i & 2)
            om_attr_ints(&attrs, "pads", INTS(1, 1, 1, 0));
        if (i & 4)
            om_attr_int(&attrs, i & 2 ? "count_include_pad" : "ceil_mode", 1);
        om_node(&m, ops[i % 2], "x", "z", &attrs);
        om_node(&m, "Flatten", "z", "y", NULL);
        check_gradient(make(&m));
    }
}

static void softmax_and_order_have_their_gradient(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        onnx_maker m = {.graph = TUT_BUF_INIT, .seed = i, .opset = i & 1 ? 11 : 17};
        tut_buf attrs = TUT_BUF_INIT;
        om_random(&m, "one", DIMS(1), 1, 1);
        om_value(&m, 11, "x", DIMS(3, 4));
        om_value(&m, 12, "y", DIMS(24));
        om_attr_ints(&attrs, "perm", INTS(0, 2, 1));
        om_node(&m, "Transpose", "x", "t", &attrs);
        om_attr_int(&attrs, "axis", 1 + (i & 2) / 2);
        om_node(&m, i < 3 ? "Softmax" : "LogSoftmax", "t", "s", &attrs);
        om_node(&m, "Mul", "s one", "s1", NULL);
        om_attr_int(&attrs, "axis", 2);
        om_node(&m, "Concat", "s1 t", "z", &attrs);
        om_node(&m, "Flatten", "z", "y", NULL);
        check_gradient(make(&m));
    }
}

static void small_cnn(onnx_maker *m)
{
    tut_buf attrs = TUT_BUF_INIT;
    om_random(m, "w1", DIMS(4, 1, 3, 3), -1, 1);
    om_random(m, "b1", DIMS(4), -1, 1);
    om_random(m, "scale", DIMS(4), 0.5f, 1.5f);
    om_random(m, "shift", DIMS(4), -1, 1);
    om_random(m, "variance", DIMS(4), 0.5f, 1.5f);
    om_random(m, "w2", DIMS(4, 4, 3, 3), -0.5f, 0.5f);
    om_random(m, "w3", DIMS(36, 3), -0.5f, 0.5f);
    om_value(m, 11, "x", DIMS(1, 6, 6));
    om_value(m, 12, "y", DIMS(3));
    om_attr_text(&attrs, "auto_pad", "SAME_UPPER");
    om_node(m, "Conv", "x w1 b1", "c1", &attrs);
    om_node(m, "BatchNormalization", "c1 scale shift b1 variance", "n1", NULL);
    om_node(m, "Relu", "n1", "r1", NULL);
    om_attr_ints(&attrs, "pads", INTS(1, 1, 1, 1));
    om_node(m, "Conv", "r1 w2", "c2", &attrs);
    om_node(m, "Add", "c2 r1", "s", NULL);
    om_attr_ints(&attrs, "kernel_shape", INTS(2, 2));
    om_attr_ints(&attrs, "strides", INTS(2, 2));
    om_node(m, "AveragePool", "s", "p", &attrs);
    om_node(m, "Flatten", "p", "f", NULL);
    om_node(m, "MatMul", "f w3", "z", NULL);
    om_node(m, "Softmax", "z", "y", NULL);
}

static void a_residual_net_has_the_gradient_of_its_scores(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT, .seed = 11};
    small_cnn(&m);
    tut_net *net = make(&m);
    assert_int_equal(tut_net_about(net)->last, TUT_NET_SOFTMAX);
    check_gradient(net);
}

/* --- what is refused --- */

static void what_is_not_run_is_named(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT};
    tut_buf attrs = TUT_BUF_INIT;
    om_value(&m, 11, "x", DIMS(4));
    om_value(&m, 12, "y", DIMS(4));
    om_node(&m, "Einsum", "x", "y", NULL);
    refused(&m, TUT_UNSUPPORTED, "Einsum");
    om_value(&m, 11, "x", DIMS(4));
    om_value(&m, 12, "y", DIMS(4));
    om_attr_float(&attrs, "gamma", 1);
    om_node(&m, "Relu", "x", "y", &attrs);
    refused(&m, TUT_UNSUPPORTED, "gamma");
    om_value(&m, 11, "x", DIMS(4));
    om_value(&m, 12, "y", DIMS(4));
    om_node(&m, "Relu", "later", "y", NULL);
    om_node(&m, "Relu", "x", "later", NULL);
    refused(&m, TUT_MALFORMED, "before it is made");
    om_ints(&m, "shape", INTS(2, 2));
    om_value(&m, 11, "x", DIMS(4));
    om_value(&m, 12, "y", DIMS(4));
    om_node(&m, "Reshape", "x shape", "y", NULL);
    refused(&m, TUT_UNSUPPORTED, "mixes rows");
    m.opset = 6;
    om_value(&m, 11, "x", DIMS(4));
    om_value(&m, 12, "y", DIMS(4));
    refused(&m, TUT_UNSUPPORTED, "version 6");
}

static void weights_in_another_file_are_refused(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT};
    tut_buf t = TUT_BUF_INIT;
    om_number(&t, 1, 4);
    om_number(&t, 2, TUT_ONNX_F32);
    om_text(&t, 8, "w\x1b[31m");
    om_number(&t, 14, 1);
    om_message(&m.graph, 5, &t);
    om_value(&m, 11, "x", DIMS(4));
    om_value(&m, 12, "y", DIMS(4));
    refused(&m, TUT_UNSUPPORTED, "another file");
}

static void more_bytes_than_the_shape_asks_for_are_malformed(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT};
    tut_buf t = TUT_BUF_INIT;
    const float values[4] = {0};
    om_tensor(&t, "w", TUT_ONNX_F32, DIMS(3), values, sizeof(values));
    om_message(&m.graph, 5, &t);
    om_value(&m, 11, "x", DIMS(4));
    om_value(&m, 12, "y", DIMS(4));
    refused(&m, TUT_MALFORMED, "16 bytes");
}

/* Whatever is cut or flipped ends in an error or a net that runs. */
static void try_bytes(const uint8_t *data, size_t len)
{
    tut_net *net = NULL;
    tut_pass *pass = NULL;
    const float *out = NULL;
    float rows[256] = {0}, back[256], up[256] = {0};
    tut_error err = {0};
    if (!tut_is_ok(om_net(tut_span_of(data, len), &net, &err))) {
        assert_true(err.text[0] != '\0');
        return;
    }
    const tut_net_facts *f = tut_net_about(net);
    if (f->width <= 256 && f->outputs <= 256 && net->row_numbers < 1 << 16 &&
        tut_is_ok(tut_pass_new(net, 1, &pass, NULL))) {
        assert_true(tut_is_ok(tut_pass_run(pass, rows, 1, &out, NULL)));
        assert_true(tut_is_ok(tut_pass_back(pass, up, back, NULL)));
    }
    tut_pass_free(pass);
    tut_net_free(net);
}

static void cut_and_flipped_files_do_no_harm(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT, .seed = 11};
    small_cnn(&m);
    tut_buf file = om_file(&m);
    for (size_t len = 0; len < file.len; len += memcheck_step(17))
        try_bytes(file.data, len);
    for (size_t bit = 0; bit < file.len * 8; bit += memcheck_step(101)) {
        file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        try_bytes(file.data, file.len);
        file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    tut_buf_done(&file);
}

static void the_wire_is_not_trusted(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT, .seed = 11};
    small_cnn(&m);
    tut_buf file = om_file(&m), wire = TUT_BUF_INIT;
    const tut_source source = tut_source_memory(tut_buf_span(&file));
    assert_true(tut_is_ok(tut_net_onnx_job(NULL, &source, (tut_span){0}, &wire, NULL)));
    for (size_t bit = 0; bit < wire.len * 8; bit += memcheck_step(101)) {
        tut_arena arena = {0};
        tut_graph graph;
        tut_net *net = NULL;
        wire.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (tut_is_ok(tut_graph_decode(tut_buf_span(&wire), file.len, &arena, &graph, NULL)) &&
            tut_is_ok(tut_net_build(&graph, &source, &net, NULL)))
            tut_net_free(net);
        wire.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        tut_arena_done(&arena);
    }
    for (size_t len = 0; len < wire.len; len++) {
        tut_arena arena = {0};
        tut_graph graph;
        tut_span part = {wire.data, len};
        assert_int_equal(tut_graph_decode(part, file.len, &arena, &graph, NULL).code, TUT_BUG);
        tut_arena_done(&arena);
    }
    tut_buf_done(&wire);
    tut_buf_done(&file);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    onnx_maker m = {.graph = TUT_BUF_INIT, .seed = 11};
    small_cnn(&m);
    tut_buf file = om_file(&m);
    for (uint64_t n = 1;; n++) {
        tut_net *net = NULL;
        tut_pass *pass = NULL;
        tut_alloc_fail_after(n);
        tut_status status = om_net(tut_buf_span(&file), &net, NULL);
        if (tut_is_ok(status))
            status = tut_pass_new(net, 2, &pass, NULL);
        tut_alloc_fail_after(0);
        tut_pass_free(pass);
        tut_net_free(net);
        if (tut_is_ok(status))
            break;
        assert_int_equal(status.code, TUT_NOMEM);
        assert_true(n < 10000);
    }
    tut_buf_done(&file);
}

static void the_example_loads_in_the_cage(void **state)
{
    (void)state;
    tut_net *net = NULL;
    tut_error err = {0};
    const char *path = "examples/credit-scoring/models/classifier.onnx";
    if (!tut_is_ok(tut_net_load(path, TUT_CAGE_AUTO, &net, &err)))
        fail_msg("%s", err.text);
    assert_int_equal(tut_net_about(net)->width, 5);
    assert_int_equal(tut_net_about(net)->last, TUT_NET_SIGMOID);
    tut_net_free(net);
    assert_int_equal(tut_net_load("examples", TUT_CAGE_AUTO, &net, &err).code, TUT_USAGE);
    assert_int_equal(tut_net_load("not/there.onnx", TUT_CAGE_AUTO, &net, &err).code, TUT_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_and_sigmoid_are_computed),
        cmocka_unit_test(a_convolution_is_the_sum_over_its_window),
        cmocka_unit_test(what_only_reshapes_is_no_step),
        cmocka_unit_test(unary_gradients_are_slopes),
        cmocka_unit_test(binary_gradients_are_slopes),
        cmocka_unit_test(products_have_the_gradient_of_their_weights),
        cmocka_unit_test(convolutions_have_the_gradient_of_their_window),
        cmocka_unit_test(pools_have_the_gradient_of_their_window),
        cmocka_unit_test(softmax_and_order_have_their_gradient),
        cmocka_unit_test(a_residual_net_has_the_gradient_of_its_scores),
        cmocka_unit_test(what_is_not_run_is_named),
        cmocka_unit_test(weights_in_another_file_are_refused),
        cmocka_unit_test(more_bytes_than_the_shape_asks_for_are_malformed),
        cmocka_unit_test(cut_and_flipped_files_do_no_harm),
        cmocka_unit_test(the_wire_is_not_trusted),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
        cmocka_unit_test(the_example_loads_in_the_cage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
