/* What works on one tensor number by number, or only changes its shape or order. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "nets/net_internal.h"

/* --- functions of one number --- */

static tut_status clip_bound(const tut_build *b, const tut_graph_node *n, size_t i, float *to,
                             tut_error *err)
{
    const tut_build_value *v = tut_build_input(b, n, i);
    if (v && (v->known != TUT_KNOWN_NUMBERS || v->count != 1))
        return tut_build_refuse(n, "to bounds that are no constants", err);
    if (v)
        *to = v->numbers[0];
    return TUT_SUCCESS;
}

tut_status tut_build_unary(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x;
    tut_step *s = NULL;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    float alpha = tut_graph_float(n, TUT_NET_ATTR_ALPHA, n->op == TUT_NET_OP_ELU ? 1 : 0.01f);
    float beta = 0;
    if (n->op == TUT_NET_OP_CLIP) {
        alpha = tut_graph_float(n, TUT_NET_ATTR_MIN, -INFINITY);
        beta = tut_graph_float(n, TUT_NET_ATTR_MAX, INFINITY);
        TUT_TRY(clip_bound(b, n, 1, &alpha, err));
        TUT_TRY(clip_bound(b, n, 2, &beta, err));
    }
    int32_t in = x->tensor;
    const tut_shape shape = x->shape;
    TUT_TRY(tut_build_step(b, n, &tut_step_unary, &shape, &s, err));
    s->in = in;
    s->alpha = alpha;
    s->beta = beta;
    return TUT_SUCCESS;
}

/* Up to version 12 over all axes from `axis` on, the first by default; then along one, the last. */
tut_status tut_build_softmax(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x;
    tut_step *s = NULL;
    size_t axis = 0, width = 0, outer = 1, along = 1;
    bool is_old = b->graph->opset < 13;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    TUT_TRY(tut_build_axis(n, tut_graph_int(n, TUT_NET_ATTR_AXIS, is_old ? 1 : -1),
                           x->shape.axes + 1, &axis, err));
    if (axis == 0)
        return tut_build_refuse(n, "along the rows", err);
    const tut_shape shape = x->shape;
    TUT_TRY(tut_shape_width(&shape, &width, err));
    for (size_t i = 0; i + 1 < axis; i++)
        outer *= shape.dims[i];
    along = is_old ? width / outer : shape.dims[axis - 1];
    int32_t in = x->tensor;
    TUT_TRY(tut_build_step(b, n, &tut_step_softmax, &shape, &s, err));
    s->in = in;
    s->outer = outer;
    s->n = along;
    s->inner = width / outer / along;
    return TUT_SUCCESS;
}

/* --- the same numbers --- */

tut_status tut_build_same(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x = tut_build_input(b, n, 0);
    const tut_build_value *training = tut_build_input(b, n, 2);
    if (training)
        return tut_build_refuse(n, "that may be in training", err);
    if (!x)
        return tut_build_refuse(n, "of nothing", err);
    const tut_build_value made = *x;
    if (n->outputs[0])
        b->values[n->outputs[0]] = made;
    return TUT_SUCCESS;
}

tut_status tut_build_cast(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x = tut_build_input(b, n, 0);
    int64_t to = tut_graph_int(n, TUT_NET_ATTR_TO, 0);
    bool is_whole = x && x->known == TUT_KNOWN_INTS;
    bool keeps = is_whole ? to == TUT_ONNX_I64 || to == TUT_ONNX_I32
                          : to == TUT_ONNX_F32 || to == TUT_ONNX_F64;
    if (!keeps)
        return tut_build_refuse(n, "between numbers of different kinds", err);
    return tut_build_same(b, n, err);
}

tut_status tut_build_flatten(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x;
    size_t axis = 0;
    tut_shape shape = {.axes = 1};
    TUT_TRY(tut_build_rows(b, n, &x, err));
    TUT_TRY(
        tut_build_axis(n, tut_graph_int(n, TUT_NET_ATTR_AXIS, 1), x->shape.axes + 2, &axis, err));
    if (axis != 1)
        return tut_build_refuse(n, "that mixes rows", err);
    TUT_TRY(tut_shape_width(&x->shape, &shape.dims[0], err));
    return tut_build_alias(b, n, x, &shape, err);
}

/* --- shapes --- */

/* Turns the wanted sizes of a row (0: as it was; -1: what is left) into a shape. */
static tut_status fill_shape(const tut_graph_node *n, const tut_shape *from, const int64_t *wanted,
                             size_t count, size_t width, tut_shape *ret, tut_error *err)
{
    size_t known = 1, open = SIZE_MAX;
    ret->axes = count;
    for (size_t i = 0; i < count; i++) {
        int64_t w = wanted[i];
        if (w == 0 && i < from->axes)
            w = (int64_t)from->dims[i];
        if (w == -1 && open == SIZE_MAX) {
            open = i;
            continue;
        }
        if (w <= 0 || w > TUT_NET_WIDTH_MOST || __builtin_mul_overflow(known, (size_t)w, &known) ||
            known > width)
            return tut_fail(err, TUT_MALFORMED, "%s into a shape that does not fit",
                            tut_net_op_name(n->op));
        ret->dims[i] = (size_t)w;
    }
    if (open != SIZE_MAX)
        ret->dims[open] = width / known;
    return TUT_SUCCESS;
}

static bool keeps_rows(const tut_build *b, const int64_t *wanted, size_t count, size_t width)
{
    uint64_t fixed = b->graph->rows_fixed;
    if (wanted[0] == 0 || (fixed && wanted[0] > 0 && (uint64_t)wanted[0] == fixed))
        return true;
    size_t product = 1; /* -1: rows, if the others take all numbers of one */
    for (size_t i = 1; i < count; i++)
        if (wanted[i] <= 0 || __builtin_mul_overflow(product, (size_t)wanted[i], &product))
            return false;
    return wanted[0] == -1 && product == width;
}

tut_status tut_build_reshape(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x, *to = tut_build_input(b, n, 1);
    tut_shape shape = {.axes = 0};
    size_t width = 0;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    if (!to || to->known != TUT_KNOWN_INTS || to->count == 0 || to->count > TUT_GRAPH_AXES)
        return tut_build_refuse(n, "to a shape that is no constant", err);
    if (tut_graph_int(n, TUT_NET_ATTR_ALLOWZERO, 0) != 0)
        return tut_build_refuse(n, "with allowzero", err);
    TUT_TRY(tut_shape_width(&x->shape, &width, err));
    if (!keeps_rows(b, to->ints, to->count, width))
        return tut_build_refuse(n, "that mixes rows", err);
    TUT_TRY(fill_shape(n, &x->shape, to->ints + 1, to->count - 1, width, &shape, err));
    return tut_build_alias(b, n, x, &shape, err);
}

/* Axes by attribute up to version 12, then by input; counted in what has `axes` axes with rows. */
static tut_status take_axes(const tut_build *b, const tut_graph_node *n, size_t axes,
                            bool ret_is_named[TUT_GRAPH_AXES + 1], bool *ret_has, tut_error *err)
{
    const tut_build_value *v = tut_build_input(b, n, 1);
    const tut_graph_attr *a = tut_graph_attr_of(n, TUT_NET_ATTR_AXES);
    if (v && (v->known != TUT_KNOWN_INTS || v->count > TUT_GRAPH_AXES))
        return tut_build_refuse(n, "along axes that are no constants", err);
    const int64_t *ints = v ? v->ints : a ? a->ints : NULL;
    size_t count = v ? v->count : a ? a->count : 0;
    if (axes > TUT_GRAPH_AXES)
        return tut_build_refuse(n, "into so many axes", err);
    for (size_t i = 0; i < count; i++) {
        size_t axis = 0;
        TUT_TRY(tut_build_axis(n, ints[i], axes, &axis, err));
        if (axis == 0)
            return tut_build_refuse(n, "of the axis of rows", err);
        ret_is_named[axis] = true;
    }
    *ret_has = ints != NULL;
    return TUT_SUCCESS;
}

tut_status tut_build_squeeze(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x;
    bool is_named[TUT_GRAPH_AXES + 1] = {false}, has = false;
    tut_shape shape = {.axes = 0};
    TUT_TRY(tut_build_rows(b, n, &x, err));
    TUT_TRY(take_axes(b, n, x->shape.axes + 1, is_named, &has, err));
    for (size_t i = 0; i < x->shape.axes; i++) {
        bool goes = has ? is_named[i + 1] : x->shape.dims[i] == 1;
        if (goes && x->shape.dims[i] != 1)
            return tut_fail(err, TUT_MALFORMED, "Squeeze of an axis that is not 1");
        if (!goes)
            shape.dims[shape.axes++] = x->shape.dims[i];
    }
    return tut_build_alias(b, n, x, &shape, err);
}

tut_status tut_build_unsqueeze(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x, *v = tut_build_input(b, n, 1);
    const tut_graph_attr *a = tut_graph_attr_of(n, TUT_NET_ATTR_AXES);
    bool is_named[TUT_GRAPH_AXES + 1] = {false}, has = false;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    size_t more = v ? v->count : a ? a->count : 0, from = 0;
    tut_shape shape = {.axes = x->shape.axes + more};
    TUT_TRY(take_axes(b, n, shape.axes + 1, is_named, &has, err));
    for (size_t i = 0; i < shape.axes; i++) {
        if (!is_named[i + 1] && from == x->shape.axes)
            return tut_fail(err, TUT_MALFORMED, "Unsqueeze of one axis twice");
        shape.dims[i] = is_named[i + 1] ? 1 : x->shape.dims[from++];
    }
    return tut_build_alias(b, n, x, &shape, err);
}

/* --- order --- */

tut_status tut_build_transpose(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x;
    const tut_graph_attr *perm = tut_graph_attr_of(n, TUT_NET_ATTR_PERM);
    tut_shape shape = {.axes = 0};
    size_t strides[TUT_GRAPH_AXES] = {0}, from[TUT_GRAPH_AXES] = {0}, width = 0, stride = 1;
    bool is_taken[TUT_GRAPH_AXES] = {false};
    uint32_t *map = NULL;
    tut_step *s = NULL;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    shape.axes = x->shape.axes;
    if (!perm || perm->count != shape.axes + 1 || perm->ints[0] != 0)
        return tut_build_refuse(n, "that moves the axis of rows", err);
    for (size_t i = 0; i < shape.axes; i++) {
        int64_t axis = perm->ints[i + 1];
        if (axis < 1 || axis > (int64_t)shape.axes || is_taken[axis - 1])
            return tut_fail(err, TUT_MALFORMED, "Transpose to an order that is none");
        is_taken[axis - 1] = true;
        from[i] = (size_t)axis - 1;
        shape.dims[i] = x->shape.dims[axis - 1];
    }
    for (size_t i = shape.axes; i-- > 0; stride *= x->shape.dims[i])
        strides[i] = stride;
    TUT_TRY(tut_shape_width(&shape, &width, err));
    TUT_TRY(tut_build_room(b, width, sizeof(*map), &map, err));
    size_t index[TUT_GRAPH_AXES] = {0}, at = 0;
    for (size_t i = 0; i < width; i++) {
        map[i] = (uint32_t)at;
        for (size_t axis = shape.axes; axis-- > 0;) {
            at += strides[from[axis]];
            if (++index[axis] < shape.dims[axis])
                break;
            at -= strides[from[axis]] * shape.dims[axis];
            index[axis] = 0;
        }
    }
    int32_t in = x->tensor;
    TUT_TRY(tut_build_step(b, n, &tut_step_gather, &shape, &s, err));
    s->in = in;
    s->map = map;
    return TUT_SUCCESS;
}

/* --- several tensors side by side --- */

static tut_status concat_shape(const tut_build *b, const tut_graph_node *n, size_t axis,
                               tut_shape *ret, tut_error *err)
{
    for (size_t i = 0; i < n->input_count; i++) {
        const tut_build_value *v = tut_build_input(b, n, i);
        if (!v || v->known != TUT_KNOWN_TENSOR)
            return tut_build_refuse(n, "of constants", err);
        tut_shape with = v->shape;
        if (with.axes != ret->axes)
            return tut_fail(err, TUT_MALFORMED, "Concat of shapes that do not fit");
        size_t more = with.dims[axis];
        with.dims[axis] = ret->dims[axis];
        if (!tut_shape_is(&with, ret))
            return tut_fail(err, TUT_MALFORMED, "Concat of shapes that do not fit");
        ret->dims[axis] += i > 0 ? more : 0;
        if (ret->dims[axis] > TUT_NET_WIDTH_MOST)
            return tut_fail(err, TUT_LIMIT, "Concat of too many numbers");
    }
    return TUT_SUCCESS;
}

tut_status tut_build_concat(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x;
    size_t axis = 0, outer = 1, after = 1, at = 0;
    int32_t out = TUT_NET_NONE;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    TUT_TRY(
        tut_build_axis(n, tut_graph_int(n, TUT_NET_ATTR_AXIS, 1), x->shape.axes + 1, &axis, err));
    if (axis == 0)
        return tut_build_refuse(n, "of rows", err);
    axis--;
    tut_shape shape = x->shape;
    TUT_TRY(concat_shape(b, n, axis, &shape, err));
    for (size_t i = 0; i < axis; i++)
        outer *= shape.dims[i];
    for (size_t i = axis + 1; i < shape.axes; i++)
        after *= shape.dims[i];
    for (size_t i = 0; i < n->input_count; i++) {
        const tut_build_value from = *tut_build_input(b, n, i);
        tut_step *s = NULL;
        if (i == 0)
            TUT_TRY(tut_build_step(b, n, &tut_step_place, &shape, &s, err));
        else
            TUT_TRY(tut_build_inner(b, &tut_step_place, 0, &s, err));
        out = i == 0 ? s->out : out;
        s->out = out;
        s->in = from.tensor;
        s->outer = outer;
        s->n = from.shape.dims[axis] * after;
        s->stride = shape.dims[axis] * after;
        s->at = at;
        at += s->n;
    }
    return TUT_SUCCESS;
}
