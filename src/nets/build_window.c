/* Convolutions and pools, along one axis or two. */
#include <string.h>

#include "nets/net_internal.h"

enum { NUMBER_MOST = 1 << 20 }; /* of a kernel, stride, pad: nobody has larger ones */

typedef struct sizes {
    size_t axes; /* 1 or 2 */
    size_t in[2], kernel[2], stride[2], dilation[2], before[2], after[2], out[2];
} sizes;

/* One number an axis; `pads` has two. */
static tut_status take_numbers(const tut_graph_node *n, tut_net_attr attr, size_t count,
                               int64_t least, size_t otherwise, size_t *ret, tut_error *err)
{
    const tut_graph_attr *a = tut_graph_attr_of(n, attr);
    if (a && a->count != count)
        return tut_fail(err, TUT_MALFORMED, "%s with %u numbers where %zu belong",
                        tut_net_op_name(n->op), a->count, count);
    for (size_t i = 0; i < count; i++) {
        if (a && (a->ints[i] < least || a->ints[i] > NUMBER_MOST))
            return tut_fail(err, TUT_UNSUPPORTED, "%s with a stride, pad or kernel of %lld",
                            tut_net_op_name(n->op), (long long)a->ints[i]);
        ret[i] = a ? (size_t)a->ints[i] : otherwise;
    }
    return TUT_SUCCESS;
}

static size_t reach(const sizes *z, size_t i)
{
    return z->dilation[i] * (z->kernel[i] - 1) + 1;
}

/* Pads as auto_pad asks for: as many outputs as strides fit into the input. */
static void pad_same(sizes *z, bool is_upper)
{
    for (size_t i = 0; i < z->axes; i++) {
        size_t out = (z->in[i] + z->stride[i] - 1) / z->stride[i];
        size_t need = (out - 1) * z->stride[i] + reach(z, i);
        size_t total = need > z->in[i] ? need - z->in[i] : 0;
        z->before[i] = is_upper ? total / 2 : total - total / 2;
        z->after[i] = total - z->before[i];
    }
}

static tut_status take_pads(const tut_graph_node *n, sizes *z, tut_error *err)
{
    const tut_graph_attr *a = tut_graph_attr_of(n, TUT_NET_ATTR_AUTO_PAD);
    size_t pads[4] = {0};
    if (a && a->text == TUT_TEXT_OTHER)
        return tut_build_refuse(n, "with this auto_pad", err);
    if (!a || a->text == TUT_TEXT_NOTSET) {
        TUT_TRY(take_numbers(n, TUT_NET_ATTR_PADS, 2 * z->axes, 0, 0, pads, err));
        memcpy(z->before, pads, z->axes * sizeof(*pads));
        memcpy(z->after, pads + z->axes, z->axes * sizeof(*pads));
    } else if (a->text != TUT_TEXT_VALID) {
        pad_same(z, a->text == TUT_TEXT_SAME_UPPER);
    }
    return TUT_SUCCESS;
}

/* Windows that begin behind the input, or hang over it in an average that counts pads, are read
 * differently from one framework to another. */
static tut_status take_outputs(const tut_graph_node *n, sizes *z, tut_error *err)
{
    bool is_ceil = tut_graph_int(n, TUT_NET_ATTR_CEIL_MODE, 0) != 0;
    bool counts = tut_graph_int(n, TUT_NET_ATTR_COUNT_INCLUDE_PAD, 0) != 0;
    for (size_t i = 0; i < z->axes; i++) {
        size_t room = z->in[i] + z->before[i] + z->after[i];
        if (room < reach(z, i))
            return tut_fail(err, TUT_MALFORMED, "%s with a kernel larger than its input",
                            tut_net_op_name(n->op));
        size_t left = room - reach(z, i);
        bool hangs = is_ceil && left % z->stride[i] != 0;
        z->out[i] = left / z->stride[i] + 1 + hangs;
        if (hangs && (z->out[i] - 1) * z->stride[i] >= z->in[i] + z->before[i])
            return tut_build_refuse(n, "with a window behind its input (ceil_mode)", err);
        if (hangs && counts)
            return tut_build_refuse(n, "with ceil_mode and count_include_pad", err);
    }
    return TUT_SUCCESS;
}

static tut_status take_sizes(const tut_graph_node *n, const tut_shape *shape, sizes *z,
                             tut_error *err)
{
    TUT_TRY(take_numbers(n, TUT_NET_ATTR_STRIDES, z->axes, 1, 1, z->stride, err));
    TUT_TRY(take_numbers(n, TUT_NET_ATTR_DILATIONS, z->axes, 1, 1, z->dilation, err));
    for (size_t i = 0; i < z->axes; i++)
        z->in[i] = shape->dims[i + 1];
    TUT_TRY(take_pads(n, z, err));
    return take_outputs(n, z, err);
}

/* The sizes of one axis are those of planes of one line. */
static tut_window window_of(const sizes *z)
{
    size_t h = 0, w = z->axes - 1;
    tut_window win = {.in_w = z->in[w],
                      .out_w = z->out[w],
                      .kernel_w = z->kernel[w],
                      .stride_w = z->stride[w],
                      .dilation_w = z->dilation[w],
                      .pad_left = z->before[w]};
    bool is_plane = z->axes == 2;
    win.in_h = is_plane ? z->in[h] : 1;
    win.out_h = is_plane ? z->out[h] : 1;
    win.kernel_h = is_plane ? z->kernel[h] : 1;
    win.stride_h = is_plane ? z->stride[h] : 1;
    win.dilation_h = is_plane ? z->dilation[h] : 1;
    win.pad_top = is_plane ? z->before[h] : 0;
    return win;
}

static tut_status plane_axes(const tut_graph_node *n, const tut_shape *shape, size_t *ret,
                             tut_error *err)
{
    if (shape->axes < 2 || shape->axes > 3)
        return tut_build_refuse(n, "along other than one or two axes", err);
    *ret = shape->axes - 1;
    return TUT_SUCCESS;
}

static tut_shape shape_of(const sizes *z, size_t channels)
{
    tut_shape shape = {.axes = z->axes + 1, .dims = {channels}};
    memcpy(shape.dims + 1, z->out, z->axes * sizeof(*z->out));
    return shape;
}

/* --- convolutions --- */

static tut_status check_weights(const tut_graph_node *n, const tut_build_value *x,
                                const tut_build_value *w, const tut_build_value *bias, sizes *z,
                                size_t groups, tut_error *err)
{
    size_t kernel[2] = {0};
    if (!w || w->known != TUT_KNOWN_NUMBERS || (bias && bias->known != TUT_KNOWN_NUMBERS))
        return tut_build_refuse(n, "with weights that are no constants", err);
    bool fits = w->shape.axes == z->axes + 2 && w->shape.dims[0] > 0 && groups > 0 &&
                x->shape.dims[0] % groups == 0 && w->shape.dims[0] % groups == 0 &&
                w->shape.dims[1] == x->shape.dims[0] / groups &&
                (!bias || bias->count == w->shape.dims[0]);
    for (size_t i = 0; fits && i < z->axes; i++) {
        z->kernel[i] = w->shape.dims[i + 2];
        fits = z->kernel[i] > 0 && z->kernel[i] <= NUMBER_MOST;
    }
    if (!fits)
        return tut_fail(err, TUT_MALFORMED, "Conv of shapes that do not fit");
    if (!tut_graph_attr_of(n, TUT_NET_ATTR_KERNEL_SHAPE))
        return TUT_SUCCESS;
    TUT_TRY(take_numbers(n, TUT_NET_ATTR_KERNEL_SHAPE, z->axes, 1, 1, kernel, err));
    if (memcmp(kernel, z->kernel, z->axes * sizeof(*kernel)) != 0)
        return tut_fail(err, TUT_MALFORMED, "Conv with a kernel_shape that is not its weights'");
    return TUT_SUCCESS;
}

tut_status tut_build_conv(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x, *w = tut_build_input(b, n, 1), *bias = tut_build_input(b, n, 2);
    sizes z = {.axes = 0};
    tut_step *s = NULL;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    TUT_TRY(plane_axes(n, &x->shape, &z.axes, err));
    int64_t groups = tut_graph_int(n, TUT_NET_ATTR_GROUP, 1);
    TUT_TRY(check_weights(n, x, w, bias, &z, groups > 0 ? (size_t)groups : 0, err));
    TUT_TRY(take_sizes(n, &x->shape, &z, err));
    const tut_shape shape = shape_of(&z, w->shape.dims[0]);
    const tut_step from = {
        .in = x->tensor, .w = w->numbers, .w2 = bias ? bias->numbers : NULL, .n = x->shape.dims[0]};
    TUT_TRY(tut_build_step(b, n, &tut_step_conv, &shape, &s, err));
    s->in = from.in;
    s->w = from.w;
    s->w2 = from.w2;
    s->window = window_of(&z);
    s->window.channels = from.n;
    s->window.groups = (size_t)groups;
    s->window.out_channels = shape.dims[0];
    tut_shape unfolded = {.axes = 5,
                          .dims = {from.n / (size_t)groups, s->window.kernel_h, s->window.kernel_w,
                                   s->window.out_h, s->window.out_w}};
    size_t columns = 0;
    TUT_TRY(tut_shape_width(&unfolded, &columns, err));
    if (columns > b->net->columns)
        b->net->columns = columns;
    return TUT_SUCCESS;
}

/* --- pools --- */

tut_status tut_build_pool(tut_build *b, const tut_graph_node *n, tut_error *err)
{
    const tut_build_value *x;
    sizes z = {.axes = 0};
    tut_step *s = NULL;
    TUT_TRY(tut_build_rows(b, n, &x, err));
    TUT_TRY(plane_axes(n, &x->shape, &z.axes, err));
    bool is_global = n->op == TUT_NET_OP_GLOBAL_AVERAGE_POOL || n->op == TUT_NET_OP_GLOBAL_MAX_POOL;
    bool is_max = n->op == TUT_NET_OP_MAX_POOL || n->op == TUT_NET_OP_GLOBAL_MAX_POOL;
    if (n->output_count > 1 && n->outputs[1])
        return tut_build_refuse(n, "that gives its choices", err);
    if (!is_global && !tut_graph_attr_of(n, TUT_NET_ATTR_KERNEL_SHAPE))
        return tut_fail(err, TUT_MALFORMED, "%s without a kernel_shape", tut_net_op_name(n->op));
    if (is_global)
        memcpy(z.kernel, x->shape.dims + 1, z.axes * sizeof(*z.kernel));
    else
        TUT_TRY(take_numbers(n, TUT_NET_ATTR_KERNEL_SHAPE, z.axes, 1, 1, z.kernel, err));
    TUT_TRY(take_sizes(n, &x->shape, &z, err));
    for (size_t i = 0; i < z.axes; i++)
        if (z.before[i] >= reach(&z, i) || z.after[i] >= reach(&z, i))
            return tut_build_refuse(n, "with windows of nothing but pads", err);
    size_t channels = x->shape.dims[0], width = 0;
    int32_t in = x->tensor;
    const tut_shape shape = shape_of(&z, channels);
    TUT_TRY(tut_shape_width(&shape, &width, err));
    TUT_TRY(tut_build_step(b, n, is_max ? &tut_step_max_pool : &tut_step_average_pool, &shape, &s,
                           err));
    s->in = in;
    s->window = window_of(&z);
    s->window.channels = s->window.groups = s->window.out_channels = channels;
    s->window.counts_pads = tut_graph_int(n, TUT_NET_ATTR_COUNT_INCLUDE_PAD, 0) != 0;
    s->picks = b->net->picks;
    if (is_max)
        b->net->picks += width;
    return TUT_SUCCESS;
}
