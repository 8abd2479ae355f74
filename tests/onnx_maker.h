/* ONNX files for tests, written field by field; and nets made of them without a process beside. */
#ifndef TUT_TESTS_ONNX_MAKER_H
#define TUT_TESTS_ONNX_MAKER_H

#include <stdio.h>
#include <string.h>

#include "nets/net_internal.h"
#include "nets/onnx_internal.h"

typedef struct onnx_maker {
    tut_buf graph;
    unsigned opset;
    uint64_t seed;
} onnx_maker;

static inline void om_varint(tut_buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        tut_buf_add_byte(b, (uint8_t)(v | 0x80));
    tut_buf_add_byte(b, (uint8_t)v);
}

static inline void om_number(tut_buf *b, unsigned field, uint64_t v)
{
    om_varint(b, field << 3);
    om_varint(b, v);
}

static inline void om_bytes(tut_buf *b, unsigned field, const void *data, size_t len)
{
    om_varint(b, field << 3 | 2);
    om_varint(b, len);
    tut_buf_add(b, data, len);
}

static inline void om_text(tut_buf *b, unsigned field, const char *text)
{
    om_bytes(b, field, text, strlen(text));
}

/* Appends the message and empties it. */
static inline void om_message(tut_buf *b, unsigned field, tut_buf *message)
{
    om_bytes(b, field, message->data, message->len);
    tut_buf_done(message);
}

static inline void om_tensor(tut_buf *t, const char *name, unsigned type, const size_t *dims,
                             size_t axes, const void *raw, size_t len)
{
    for (size_t i = 0; i < axes; i++)
        om_number(t, 1, dims[i]);
    om_number(t, 2, type);
    om_text(t, 8, name);
    om_bytes(t, 9, raw, len);
}

static inline void om_floats(onnx_maker *m, const char *name, const size_t *dims, size_t axes,
                             const float *values)
{
    tut_buf t = TUT_BUF_INIT;
    size_t n = 1;
    for (size_t i = 0; i < axes; i++)
        n *= dims[i];
    om_tensor(&t, name, TUT_ONNX_F32, dims, axes, values, n * sizeof(*values));
    om_message(&m->graph, 5, &t);
}

/* Between low and high, from the maker's seed. */
static inline float om_draw(onnx_maker *m, float low, float high)
{
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (float)(m->seed >> 40) / (float)(1 << 24);
}

static inline void om_random(onnx_maker *m, const char *name, const size_t *dims, size_t axes,
                             float low, float high)
{
    float values[4096];
    size_t n = 1;
    for (size_t i = 0; i < axes; i++)
        n *= dims[i];
    for (size_t i = 0; i < n && i < 4096; i++)
        values[i] = om_draw(m, low, high);
    om_floats(m, name, dims, axes, values);
}

static inline void om_ints(onnx_maker *m, const char *name, size_t count, const int64_t *values)
{
    tut_buf t = TUT_BUF_INIT;
    om_tensor(&t, name, TUT_ONNX_I64, &count, 1, values, count * sizeof(*values));
    om_message(&m->graph, 5, &t);
}

/* shape: of one row; the first axis is "rows". */
static inline void om_value(onnx_maker *m, unsigned field, const char *name, const size_t *shape,
                            size_t axes)
{
    tut_buf value = TUT_BUF_INIT, type = TUT_BUF_INIT, tensor = TUT_BUF_INIT, dims = TUT_BUF_INIT;
    tut_buf dim = TUT_BUF_INIT;
    om_text(&dim, 2, "rows");
    om_message(&dims, 1, &dim);
    for (size_t i = 0; i < axes; i++) {
        om_number(&dim, 1, shape[i]);
        om_message(&dims, 1, &dim);
    }
    om_number(&tensor, 1, TUT_ONNX_F32);
    om_message(&tensor, 2, &dims);
    om_message(&type, 1, &tensor);
    om_text(&value, 1, name);
    om_message(&value, 2, &type);
    om_message(&m->graph, field, &value);
}

/* inputs: names with spaces between. attrs: what om_attr_* wrote; emptied; or NULL. */
static inline void om_node(onnx_maker *m, const char *op, const char *inputs, const char *output,
                           tut_buf *attrs)
{
    tut_buf node = TUT_BUF_INIT;
    while (*inputs) {
        size_t len = strcspn(inputs, " ");
        om_bytes(&node, 1, inputs, len);
        inputs += len + (inputs[len] == ' ');
    }
    om_text(&node, 2, output);
    om_text(&node, 4, op);
    if (attrs) {
        tut_buf_add(&node, attrs->data, attrs->len);
        tut_buf_done(attrs);
    }
    om_message(&m->graph, 1, &node);
}

static inline void om_attr_ints(tut_buf *attrs, const char *name, size_t count, const int64_t *ints)
{
    tut_buf a = TUT_BUF_INIT;
    om_text(&a, 1, name);
    for (size_t i = 0; i < count; i++)
        om_number(&a, 8, (uint64_t)ints[i]);
    om_number(&a, 20, 7);
    om_message(attrs, 5, &a);
}

static inline void om_attr_int(tut_buf *attrs, const char *name, int64_t value)
{
    tut_buf a = TUT_BUF_INIT;
    om_text(&a, 1, name);
    om_number(&a, 3, (uint64_t)value);
    om_number(&a, 20, 2);
    om_message(attrs, 5, &a);
}

static inline void om_attr_float(tut_buf *attrs, const char *name, float value)
{
    tut_buf a = TUT_BUF_INIT;
    om_text(&a, 1, name);
    om_varint(&a, 2 << 3 | 5);
    tut_buf_add(&a, &value, sizeof(value));
    om_number(&a, 20, 1);
    om_message(attrs, 5, &a);
}

static inline void om_attr_text(tut_buf *attrs, const char *name, const char *value)
{
    tut_buf a = TUT_BUF_INIT;
    om_text(&a, 1, name);
    om_text(&a, 4, value);
    om_number(&a, 20, 3);
    om_message(attrs, 5, &a);
}

/* The whole file; the maker is empty then. */
static inline tut_buf om_file(onnx_maker *m)
{
    tut_buf file = TUT_BUF_INIT, opset = TUT_BUF_INIT;
    om_number(&file, 1, 8);
    om_message(&file, 7, &m->graph);
    om_number(&opset, 2, m->opset ? m->opset : 17);
    om_message(&file, 8, &opset);
    return file;
}

/* A net that was trained here (mlp.h) as a file; shape: of one row. */
static inline tut_buf om_of_mlp(const tut_net *net, const size_t *shape, size_t axes)
{
    onnx_maker m = {.graph = TUT_BUF_INIT};
    const tut_net_facts *f = tut_net_about(net);
    char in[32] = "rows", out[32], names[128];
    om_value(&m, 11, "x", shape, axes);
    om_node(&m, "Flatten", "x", "rows", NULL);
    for (size_t i = 0; i < f->steps; i++) {
        const tut_step *s = &net->steps[i];
        (void)snprintf(out, sizeof(out), "v%zu", i);
        (void)snprintf(names, sizeof(names), "%s w%zu b%zu", in, i, i);
        if (s->kind == &tut_step_linear) {
            (void)snprintf(in, sizeof(in), "w%zu", i);
            om_floats(&m, in, (const size_t[]){s->inner, s->n}, 2, s->w);
            (void)snprintf(in, sizeof(in), "b%zu", i);
            om_floats(&m, in, (const size_t[]){s->n}, 1, s->w2);
            om_node(&m, "Gemm", names, out, NULL);
        } else {
            om_node(&m, "Relu", in, out, NULL);
        }
        memcpy(in, out, sizeof(in));
    }
    om_value(&m, 12, in, &f->outputs, 1);
    return om_file(&m);
}

/* What tut_net_load does, but for the process. */
static inline tut_status om_net(tut_span bytes, tut_net **ret_net, tut_error *err)
{
    TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
    TUT_CLEAN(tut_arena) arena = {0};
    const tut_source file = tut_source_memory(bytes);
    tut_graph graph;
    TUT_TRY(tut_net_onnx_job(NULL, &file, (tut_span){0}, &wire, err));
    TUT_TRY(tut_graph_decode(tut_buf_span(&wire), bytes.len, &arena, &graph, err));
    return tut_net_build(&graph, &file, ret_net, err);
}

#endif
