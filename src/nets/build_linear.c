/* Products with matrices, normalisation, and what joins two tensors number by number. */
#include <math.h>
#include <string.h>

#include "nets/net_internal.h"

/* A constant of this many axes; NULL in *ret: left out. */
static tut_status constant(const tut_build *b, const tut_graph_node *n, size_t i,
                           const tut_build_value **ret, tut_error *err)
{
    *ret = tut_build_input(b, n, i);
    if (*ret && (*ret)->known != TUT_KNOWN_NUMBERS)
        return tut_build_refuse(n, "with weights that are no constants", err);
    return TUT_SUCCESS;
}

/* Bias of n outputs from what may be broadcast to them, times beta. */
static tut_status spread_bias(tut_build *b, const tut_graph_node *n, const tut_build_value *c,
                              size_t outputs, float beta, const float **ret, tut_error *err)
{
    float *bias = NULL;
    size_t first = c->shape.axes > 1 ? c->shape.axes - 1 : 0;
    for (size_t i = 0; i < first; i++)
        if (c->shape.dims[i] != 1)
            return tut_build_refuse(n, "with a bias that differs from row to row", err);
    if (c->count != outputs && c->count != 1)
        return tut_fail(err, TUT_MALFORMED, "%s with a bias of %zu numbers for %zu outputs",
                        tut_net_op_name(n->op), c->count, outputs);
    TUT_TRY(tut_build_room(b, outputs, sizeof(*bias), &bias, err));
    for (size_t i = 0; i < outputs; i++)
        bias[i] = beta * c->numbers[c->count == 1 ? 0 : i];
    *ret = bias;
    return TUT_SUCCESS;
}

tut_status tut_build_gemm(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *a, *w, *c;
    tut_step *s = NULL;
    TUT_TRY(tut_build_rows(b, n, &a, err));
    TUT_TRY(constant(b, n, 1, &w, err));
    TUT_TRY(constant(b, n, 2, &c, err));
    bool turned = tut_graph_int(n, TUT_NET_ATTR_TRANS_B, 0) != 0;
    if (tut_graph_int(n, TUT_NET_ATTR_TRANS_A, 0) != 0)
        return tut_build_refuse(n, "with transA", err);
    if (!w || a->shape.axes != 1 || w->shape.axes != 2 || w->shape.dims[turned] != a->shape.dims[0])
        return tut_fail(err, TUT_MALFORMED, "Gemm of shapes that do not fit");
    const tut_shape shape = {.axes = 1, .dims = {w->shape.dims[!turned]}};
    const float *bias = NULL;
    if (c)
        TUT_TRY(spread_bias(b, n, c, shape.dims[0], tut_graph_float(n, TUT_NET_ATTR_BETA, 1), &bias,
                            err));
    const tut_step from = {.in = a->tensor, .w = w->numbers, .inner = a->shape.dims[0]};
    TUT_TRY(tut_build_step(b, n, &tut_step_linear, &shape, &s, err));
    s->in = from.in;
    s->w = from.w;
    s->w2 = bias;
    s->outer = 1;
    s->inner = from.inner;
    s->n = shape.dims[0];
    s->turned = turned;
    s->alpha = tut_graph_float(n, TUT_NET_ATTR_ALPHA, 1);
    return TUT_SUCCESS;
}

tut_status tut_build_matmul(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *a, *w;
    tut_step *s = NULL;
    size_t width = 0;
    TUT_TRY(tut_build_rows(b, n, &a, err));
    TUT_TRY(constant(b, n, 1, &w, err));
    if (!w || w->shape.axes < 1 || w->shape.axes > 2)
        return tut_build_refuse(n, "with a stack of matrices", err);
    if (a->shape.axes < 1 || a->shape.dims[a->shape.axes - 1] != w->shape.dims[0])
        return tut_fail(err, TUT_MALFORMED, "MatMul of shapes that do not fit");
    tut_shape shape = a->shape;
    size_t inner = w->shape.dims[0], outputs = w->shape.axes == 2 ? w->shape.dims[1] : 1;
    shape.dims[shape.axes - 1] = outputs;
    if (w->shape.axes == 1)
        shape.axes--;
    TUT_TRY(tut_shape_width(&a->shape, &width, err));
    const tut_step from = {.in = a->tensor, .w = w->numbers};
    TUT_TRY(tut_build_step(b, n, &tut_step_linear, &shape, &s, err));
    s->in = from.in;
    s->w = from.w;
    s->outer = width / inner;
    s->inner = inner;
    s->n = outputs;
    s->alpha = 1;
    return TUT_SUCCESS;
}

/* y = scale * (x - mean) / sqrt(variance + epsilon) + shift, by channel. */
tut_status tut_build_batch_normalization(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x, *of[4];
    tut_step *s = NULL;
    float *w = NULL;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    if (tut_graph_int(n, TUT_NET_ATTR_TRAINING_MODE, 0) != 0)
        return tut_build_refuse(n, "in training", err);
    if (tut_graph_int(n, TUT_NET_ATTR_SPATIAL, 1) == 0)
        return tut_build_refuse(n, "that is not by channel", err);
    if (x->shape.axes == 0)
        return tut_build_refuse(n, "of a tensor without channels", err);
    size_t channels = x->shape.dims[0], width = 0;
    for (size_t i = 0; i < 4; i++) {
        TUT_TRY(constant(b, n, i + 1, &of[i], err));
        if (!of[i] || of[i]->count != channels)
            return tut_fail(err, TUT_MALFORMED, "BatchNormalization of shapes that do not fit");
    }
    TUT_TRY(tut_build_room(b, 2 * channels, sizeof(*w), &w, err));
    float epsilon = tut_graph_float(n, TUT_NET_ATTR_EPSILON, 1e-5f);
    for (size_t i = 0; i < channels; i++) {
        double scale = of[0]->numbers[i] / sqrt((double)of[3]->numbers[i] + epsilon);
        w[i] = (float)scale;
        w[channels + i] = (float)(of[1]->numbers[i] - scale * of[2]->numbers[i]);
    }
    int32_t in = x->tensor;
    const tut_shape shape = x->shape;
    TUT_TRY(tut_shape_width(&shape, &width, err));
    TUT_TRY(tut_build_step(b, n, &tut_step_affine, &shape, &s, err));
    s->in = in;
    s->w = w;
    s->w2 = w + channels;
    s->n = channels;
    s->inner = width / channels;
    return TUT_SUCCESS;
}

/* --- two operands --- */

/* A constant's axis of rows, if it has one, must be 1; *ret is its shape in a row. */
static tut_status shape_in_row(const tut_graph_node *n, const tut_build_value *v, size_t axes,
                               tut_shape *ret, tut_error *err)
{
    *ret = v->shape;
    if (v->known == TUT_KNOWN_TENSOR || v->shape.axes <= axes)
        return TUT_SUCCESS;
    if (v->shape.axes > axes + 1 || v->shape.dims[0] != 1)
        return tut_build_refuse(n, "with a constant that differs from row to row", err);
    ret->axes--;
    memmove(ret->dims, ret->dims + 1, ret->axes * sizeof(*ret->dims));
    return TUT_SUCCESS;
}

static tut_status join_shapes(const tut_graph_node *n, const tut_shape *a, const tut_shape *b,
                              tut_shape *ret, tut_error *err)
{
    *ret = a->axes >= b->axes ? *a : *b;
    const tut_shape *shorter = a->axes >= b->axes ? b : a;
    for (size_t i = 0; i < shorter->axes; i++) {
        size_t *to = &ret->dims[ret->axes - shorter->axes + i];
        if (*to == 1)
            *to = shorter->dims[i];
        else if (shorter->dims[i] != 1 && shorter->dims[i] != *to)
            return tut_fail(err, TUT_MALFORMED, "%s of shapes that do not fit",
                            tut_net_op_name(n->op));
    }
    return TUT_SUCCESS;
}

/* An operand in the shape of the result: a tensor, or numbers. */
static tut_status spread_operand(tut_build *b, const tut_build_value *v, const tut_shape *own,
                                 const tut_shape *to, int32_t *ret_tensor,
                                 const float **ret_numbers, tut_error *err)
{
    const uint32_t *map = NULL;
    const tut_build_value from = *v;
    size_t width = 0;
    *ret_tensor = from.known == TUT_KNOWN_TENSOR ? from.tensor : TUT_NET_NONE;
    if (from.known == TUT_KNOWN_TENSOR && tut_shape_is(own, to))
        return TUT_SUCCESS;
    TUT_TRY(tut_shape_width(to, &width, err));
    TUT_TRY(tut_build_spread(b, own, to, &map, err));
    if (from.known == TUT_KNOWN_TENSOR) {
        tut_step *s = NULL;
        TUT_TRY(tut_build_inner(b, &tut_step_gather, width, &s, err));
        s->in = from.tensor;
        s->map = map;
        *ret_tensor = s->out;
        return TUT_SUCCESS;
    }
    float *numbers = NULL;
    TUT_TRY(tut_build_room(b, width, sizeof(*numbers), &numbers, err));
    for (size_t i = 0; i < width; i++)
        numbers[i] = from.numbers[map[i]];
    *ret_numbers = numbers;
    return TUT_SUCCESS;
}

tut_status tut_build_binary(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *v[2];
    tut_shape own[2], shape;
    int32_t tensors[2];
    const float *numbers[2] = {NULL, NULL};
    tut_step *s = NULL;
    size_t axes = 0;
    bool has_rows = false;
    for (size_t i = 0; i < 2; i++) {
        v[i] = tut_build_input(b, n, i);
        if (!v[i] || v[i]->known == TUT_KNOWN_INTS)
            return tut_build_refuse(n, "of whole numbers", err);
        bool is_tensor = v[i]->known == TUT_KNOWN_TENSOR;
        if (is_tensor && has_rows && v[i]->shape.axes != axes)
            return tut_build_refuse(n, "of tensors with different axes", err);
        if (is_tensor)
            axes = v[i]->shape.axes;
        has_rows |= is_tensor;
    }
    if (!has_rows)
        return tut_build_refuse(n, "of two constants", err);
    for (size_t i = 0; i < 2; i++)
        TUT_TRY(shape_in_row(n, v[i], axes, &own[i], err));
    TUT_TRY(join_shapes(n, &own[0], &own[1], &shape, err));
    for (size_t i = 0; i < 2; i++)
        TUT_TRY(spread_operand(b, v[i], &own[i], &shape, &tensors[i], &numbers[i], err));
    TUT_TRY(tut_build_step(b, n, &tut_step_binary, &shape, &s, err));
    s->in = tensors[0];
    s->in2 = tensors[1];
    s->w = numbers[0];
    s->w2 = numbers[1];
    return TUT_SUCCESS;
}
