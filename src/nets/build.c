/*
 * From a graph to the list of steps that is run: shapes are inferred, sizes checked, constants read
 * and what only renames or reshapes is done away with. The first axis of every tensor is the rows;
 * what would mix rows is refused.
 */
#include <string.h>

#include "nets/net_internal.h"

static tut_builder *const builders[] = {
#define NET_OP(symbol, name, least, most, build) tut_build_##build,
#include "nets/ops.def"
#undef NET_OP
};

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_build_refuse(const tut_graph_node *n, const char *why, tut_error *err)
{
    return tut_fail(err, TUT_UNSUPPORTED, "%s %s is not run", tut_net_op_name(n->op), why);
}

const tut_build_value *tut_build_input(const tut_build *b, const tut_graph_node *n, size_t i)
{
    return i < n->input_count && n->inputs[i] ? &b->values[n->inputs[i]] : NULL;
}

tut_status tut_build_rows(const tut_build *b, const tut_graph_node *n, const tut_build_value **ret,
                          tut_error *err)
{
    const tut_build_value *v = tut_build_input(b, n, 0);
    if (!v || v->known != TUT_KNOWN_TENSOR)
        return tut_build_refuse(n, "of a constant", err);
    *ret = v;
    return TUT_SUCCESS;
}

tut_status tut_shape_width(const tut_shape *s, size_t *ret_width, tut_error *err)
{
    size_t width = 1;
    for (size_t i = 0; i < s->axes; i++)
        if (s->dims[i] == 0 || __builtin_mul_overflow(width, s->dims[i], &width) ||
            width > TUT_NET_WIDTH_MOST)
            return tut_fail(err, TUT_LIMIT, "a tensor of no or too many numbers a row");
    *ret_width = width;
    return TUT_SUCCESS;
}

bool tut_shape_is(const tut_shape *a, const tut_shape *b)
{
    return a->axes == b->axes && memcmp(a->dims, b->dims, a->axes * sizeof(*a->dims)) == 0;
}

tut_status tut_build_axis(const tut_graph_node *n, int64_t axis, size_t axes, size_t *ret,
                          tut_error *err)
{
    int64_t all = (int64_t)axes;
    if (axis < -all || axis >= all)
        return tut_fail(err, TUT_MALFORMED, "%s along an axis that is not there",
                        tut_net_op_name(n->op));
    *ret = (size_t)(axis < 0 ? axis + all : axis);
    return TUT_SUCCESS;
}

tut_status tut_build_room(tut_build *b, size_t count, size_t size, void *ret, tut_error *err)
{
    void *room = tut_arena_take(&b->net->arena, count, size);
    if (!room)
        return no_memory(err);
    memcpy(ret, &room, sizeof(room));
    return TUT_SUCCESS;
}

/* --- tensors and steps --- */

static tut_status new_tensor(tut_build *b, size_t width, int32_t *ret, tut_error *err)
{
    tut_net *net = b->net;
    if (width > TUT_NET_WIDTH_MOST - net->row_numbers)
        return tut_fail(err, TUT_LIMIT, "its tensors have more than %d numbers a row",
                        TUT_NET_WIDTH_MOST);
    if (!tut_is_ok(
            tut_grow(&net->widths, net->tensor_count, &b->tensor_room, sizeof(*net->widths))))
        return no_memory(err);
    net->row_numbers += width;
    net->widths[net->tensor_count] = width;
    *ret = (int32_t)net->tensor_count++;
    return TUT_SUCCESS;
}

tut_status tut_build_inner(tut_build *b, const tut_step_kind *kind, size_t width,
                           tut_step **ret_step, tut_error *err)
{
    tut_net *net = b->net;
    int32_t out = TUT_NET_NONE;
    if (net->facts.steps == TUT_NET_STEPS_MOST)
        return tut_fail(err, TUT_LIMIT, "more than %d steps", TUT_NET_STEPS_MOST);
    TUT_TRY(new_tensor(b, width, &out, err));
    if (!tut_is_ok(tut_grow(&net->steps, net->facts.steps, &b->step_room, sizeof(*net->steps))))
        return no_memory(err);
    tut_step *s = &net->steps[net->facts.steps++];
    *s = (tut_step){.kind = kind, .in = TUT_NET_NONE, .in2 = TUT_NET_NONE, .out = out};
    *ret_step = s;
    return TUT_SUCCESS;
}

tut_status tut_build_step(tut_build *b, const tut_graph_node *n, const tut_step_kind *kind,
                          const tut_shape *shape, tut_step **ret_step, tut_error *err)
{
    size_t width = 0;
    TUT_TRY(tut_shape_width(shape, &width, err));
    TUT_TRY(tut_build_inner(b, kind, width, ret_step, err));
    (*ret_step)->op = n->op;
    if (n->outputs[0])
        b->values[n->outputs[0]] = (tut_build_value){
            .known = TUT_KNOWN_TENSOR, .shape = *shape, .tensor = (*ret_step)->out};
    return TUT_SUCCESS;
}

tut_status tut_build_alias(tut_build *b, const tut_graph_node *n, const tut_build_value *from,
                           const tut_shape *shape, tut_error *err)
{
    size_t before = 0, after = 0;
    TUT_TRY(tut_shape_width(&from->shape, &before, err));
    TUT_TRY(tut_shape_width(shape, &after, err));
    if (before != after)
        return tut_fail(err, TUT_MALFORMED, "%s of %zu numbers into %zu", tut_net_op_name(n->op),
                        before, after);
    tut_build_value made = *from;
    made.shape = *shape;
    if (n->outputs[0])
        b->values[n->outputs[0]] = made;
    return TUT_SUCCESS;
}

tut_status tut_build_spread(tut_build *b, const tut_shape *from, const tut_shape *to,
                            const uint32_t **ret_map, tut_error *err)
{
    size_t width = 0, strides[TUT_GRAPH_AXES] = {0}, stride = 1;
    uint32_t *map = NULL;
    TUT_TRY(tut_shape_width(to, &width, err));
    TUT_TRY(tut_build_room(b, width, sizeof(*map), &map, err));
    for (size_t i = from->axes; i-- > 0;) {
        strides[i + to->axes - from->axes] = from->dims[i] > 1 ? stride : 0;
        stride *= from->dims[i];
    }
    size_t index[TUT_GRAPH_AXES] = {0}, at = 0;
    for (size_t i = 0; i < width; i++) {
        map[i] = (uint32_t)at;
        for (size_t axis = to->axes; axis-- > 0;) {
            at += strides[axis];
            if (++index[axis] < to->dims[axis])
                break;
            at -= strides[axis] * to->dims[axis];
            index[axis] = 0;
        }
    }
    *ret_map = map;
    return TUT_SUCCESS;
}

/* --- constants --- */

static tut_status read_at(const tut_build *b, const tut_graph_const *c, uint64_t at, uint8_t *to,
                          size_t len, tut_error *err)
{
    if (c->inlined.data) {
        memcpy(to, c->inlined.data + at, len);
        return TUT_SUCCESS;
    }
    if (!b->file)
        return tut_fail(err, TUT_BUG, "a constant lies in no file");
    return tut_source_read(b->file, c->at + at, to, len, err);
}

static tut_status read_doubles(tut_build *b, const tut_graph_const *c, float *to, tut_error *err)
{
    double block[512];
    for (uint64_t done = 0; done < c->count;) {
        size_t n = c->count - done < 512 ? (size_t)(c->count - done) : 512;
        TUT_TRY(read_at(b, c, done * 8, (uint8_t *)block, n * 8, err));
        for (size_t i = 0; i < n; i++)
            to[done + i] = (float)block[i];
        done += n;
    }
    return TUT_SUCCESS;
}

static tut_status read_ints(tut_build *b, const tut_graph_const *c, tut_build_value *v,
                            tut_error *err)
{
    size_t each = tut_graph_type_bytes(c->type);
    uint8_t raw[8] = {0};
    int64_t *ints = NULL;
    v->known = TUT_KNOWN_INTS;
    if (c->count > TUT_GRAPH_INLINE_MOST / 8) { /* no shape: what uses it is refused */
        v->count = 0;
        return TUT_SUCCESS;
    }
    ints = tut_arena_take(&b->net->arena, (size_t)c->count + 1, sizeof(*ints));
    if (!ints)
        return no_memory(err);
    for (size_t i = 0; i < c->count; i++) {
        int32_t narrow;
        TUT_TRY(read_at(b, c, i * each, raw, each, err));
        memcpy(&narrow, raw, sizeof(narrow));
        memcpy(&ints[i], raw, sizeof(ints[i]));
        ints[i] = each == 4 ? narrow : ints[i];
    }
    v->ints = ints;
    return TUT_SUCCESS;
}

static tut_status read_const(tut_build *b, const tut_graph_const *c, tut_error *err)
{
    tut_build_value *v = &b->values[c->value];
    float *numbers = NULL;
    if (v->known != TUT_KNOWN_NOT)
        return tut_fail(err, TUT_BUG, "a constant is made twice");
    *v = (tut_build_value){.known = TUT_KNOWN_NUMBERS, .count = (size_t)c->count};
    v->shape.axes = c->axes;
    for (size_t i = 0; i < c->axes; i++)
        v->shape.dims[i] = (size_t)c->dims[i];
    if (c->type == TUT_ONNX_I32 || c->type == TUT_ONNX_I64)
        return read_ints(b, c, v, err);
    if (c->count > TUT_NET_PARAMETERS_MOST - b->net->facts.parameters)
        return tut_fail(err, TUT_LIMIT, "it has more than %d parameters", TUT_NET_PARAMETERS_MOST);
    b->net->facts.parameters += (size_t)c->count;
    numbers = tut_arena_take(&b->net->arena, (size_t)c->count + 1, sizeof(*numbers));
    if (!numbers)
        return no_memory(err);
    v->numbers = numbers;
    if (c->type == TUT_ONNX_F64)
        return read_doubles(b, c, numbers, err);
    return read_at(b, c, 0, (uint8_t *)numbers, (size_t)c->count * 4, err);
}

/* --- the whole --- */

static tut_status check_values(const tut_build *b, const tut_graph_node *n, tut_error *err)
{
    for (size_t i = 0; i < n->input_count; i++)
        if (n->inputs[i] && b->values[n->inputs[i]].known == TUT_KNOWN_NOT)
            return tut_fail(err, TUT_UNSUPPORTED,
                            "%s uses a value that no operator which is run makes",
                            tut_net_op_name(n->op));
    for (size_t i = 0; i < n->output_count; i++)
        if (n->outputs[i] && b->values[n->outputs[i]].known != TUT_KNOWN_NOT)
            return tut_fail(err, TUT_BUG, "a value is made twice");
    return TUT_SUCCESS;
}

static tut_status build_input(tut_build *b, tut_error *err)
{
    const tut_graph *g = b->graph;
    tut_net_facts *f = &b->net->facts;
    tut_build_value *v = &b->values[g->input];
    if (v->known != TUT_KNOWN_NOT)
        return tut_fail(err, TUT_BUG, "the input is a constant");
    *v = (tut_build_value){.known = TUT_KNOWN_TENSOR, .shape = {.axes = g->axes}};
    memcpy(v->shape.dims, g->shape, sizeof(g->shape));
    TUT_TRY(tut_shape_width(&v->shape, &f->width, err));
    f->axes = g->axes;
    memcpy(f->shape, g->shape, sizeof(f->shape));
    memcpy(f->input, g->input_name, sizeof(f->input));
    memcpy(f->output, g->output_name, sizeof(f->output));
    return new_tensor(b, f->width, &v->tensor, err);
}

static const tut_step *maker_of(const tut_net *net, int32_t tensor)
{
    for (size_t i = net->facts.steps; i-- > 0;)
        if (net->steps[i].out == tensor)
            return &net->steps[i];
    return NULL;
}

/* Softmax over all outputs, or a sigmoid, at the end: what is before them are the scores. */
static tut_status build_output(tut_build *b, tut_error *err)
{
    tut_net *net = b->net;
    tut_net_facts *f = &net->facts;
    const tut_build_value *v = &b->values[b->graph->output];
    if (v->known != TUT_KNOWN_TENSOR)
        return tut_fail(err, TUT_UNSUPPORTED, "its output does not depend on its input");
    net->output = net->scores = v->tensor;
    f->outputs = f->classes = net->widths[v->tensor];
    const tut_step *s = maker_of(net, v->tensor);
    f->last = TUT_NET_SCORES;
    if (s && s->kind == &tut_step_softmax && s->op == TUT_NET_OP_SOFTMAX) {
        bool is_whole = s->n == f->outputs && f->outputs > 1;
        f->last = is_whole ? TUT_NET_SOFTMAX : TUT_NET_OTHER;
    } else if (s && s->kind == &tut_step_unary && s->op == TUT_NET_OP_SIGMOID) {
        f->last = f->outputs == 1 ? TUT_NET_SIGMOID : TUT_NET_OTHER;
    }
    if (f->last == TUT_NET_SOFTMAX || f->last == TUT_NET_SIGMOID)
        net->scores = s->in;
    if (f->outputs == 1)
        f->classes = 2;
    return TUT_SUCCESS;
}

static tut_status build(tut_build *b, tut_error *err)
{
    const tut_graph *g = b->graph;
    for (size_t i = 0; i < g->const_count; i++)
        TUT_TRY(read_const(b, &g->consts[i], err));
    TUT_TRY(build_input(b, err));
    for (size_t i = 0; i < g->node_count; i++) {
        TUT_TRY(check_values(b, &g->nodes[i], err));
        TUT_TRY(builders[g->nodes[i].op](b, &g->nodes[i], err));
    }
    return build_output(b, err);
}

tut_status tut_net_build(const tut_graph *g, const tut_source *file, tut_net **ret_net,
                         tut_error *err)
{
    TUT_AUTO(tut_net) net = tut_alloc_array(1, sizeof(*net));
    TUT_AUTO_FREE tut_build_value *values = tut_alloc_array(g->value_count + 1u, sizeof(*values));
    if (!net || !values)
        return no_memory(err);
    tut_arena_init(&net->arena, 0);
    tut_build b = {.net = net, .graph = g, .file = file, .values = values};
    TUT_TRY(build(&b, err));
    *ret_net = tut_move(&net);
    return TUT_SUCCESS;
}
