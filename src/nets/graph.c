#include "nets/graph.h"

#include <string.h>

enum { MAGIC = 0x31544e54 }; /* "TNT1" */

static const char *const op_names[] = {
#define NET_OP(symbol, name, least, most, build) name,
#include "nets/ops.def"
#undef NET_OP
};

static const uint16_t op_inputs[][2] = {
#define NET_OP(symbol, name, least, most, build) {least, most},
#include "nets/ops.def"
#undef NET_OP
};

const char *tut_net_op_name(uint8_t op)
{
    return op < TUT_NET_OPS ? op_names[op] : "?";
}

bool tut_net_op_takes(uint8_t op, size_t inputs)
{
    return op < TUT_NET_OPS && inputs >= op_inputs[op][0] && inputs <= op_inputs[op][1];
}

size_t tut_graph_type_bytes(uint8_t type)
{
    if (type == TUT_ONNX_F32 || type == TUT_ONNX_I32)
        return 4;
    return type == TUT_ONNX_F64 || type == TUT_ONNX_I64 ? 8 : 0;
}

const tut_graph_attr *tut_graph_attr_of(const tut_graph_node *n, tut_net_attr attr)
{
    for (size_t i = 0; i < n->attr_count; i++)
        if (n->attrs[i].attr == attr)
            return &n->attrs[i];
    return NULL;
}

int64_t tut_graph_int(const tut_graph_node *n, tut_net_attr attr, int64_t otherwise)
{
    const tut_graph_attr *a = tut_graph_attr_of(n, attr);
    return a && a->count > 0 ? a->ints[0] : otherwise;
}

float tut_graph_float(const tut_graph_node *n, tut_net_attr attr, float otherwise)
{
    const tut_graph_attr *a = tut_graph_attr_of(n, attr);
    return a ? a->number : otherwise;
}

/* --- to the wire --- */

static void put_float(tut_buf *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    tut_buf_add_u32le(out, bits);
}

static void put_const(tut_buf *out, const tut_graph_const *c)
{
    tut_buf_add_u32le(out, c->value);
    tut_buf_add_byte(out, c->type);
    tut_buf_add_byte(out, c->axes);
    for (size_t i = 0; i < c->axes; i++)
        tut_buf_add_u64le(out, c->dims[i]);
    tut_buf_add_byte(out, c->inlined.data != NULL);
    if (c->inlined.data) {
        tut_buf_add_sized(out, tut_str_from(c->inlined));
        return;
    }
    tut_buf_add_u64le(out, c->at);
    tut_buf_add_u64le(out, c->bytes);
}

static void put_node(tut_buf *out, const tut_graph_node *n)
{
    tut_buf_add_byte(out, n->op);
    tut_buf_add_u32le(out, n->input_count);
    for (size_t i = 0; i < n->input_count; i++)
        tut_buf_add_u32le(out, n->inputs[i]);
    tut_buf_add_u32le(out, n->output_count);
    for (size_t i = 0; i < n->output_count; i++)
        tut_buf_add_u32le(out, n->outputs[i]);
    tut_buf_add_u32le(out, n->attr_count);
    for (size_t i = 0; i < n->attr_count; i++) {
        const tut_graph_attr *a = &n->attrs[i];
        tut_buf_add_byte(out, a->attr);
        tut_buf_add_byte(out, a->count);
        for (size_t j = 0; j < a->count; j++)
            tut_buf_add_u64le(out, (uint64_t)a->ints[j]);
        put_float(out, a->number);
        tut_buf_add_byte(out, a->text);
    }
}

void tut_graph_encode(const tut_graph *g, tut_buf *out)
{
    tut_buf_add_u32le(out, MAGIC);
    tut_buf_add_u32le(out, g->opset);
    tut_buf_add_u32le(out, g->value_count);
    tut_buf_add_u32le(out, g->input);
    tut_buf_add_u32le(out, g->output);
    tut_buf_add_u64le(out, g->rows_fixed);
    tut_buf_add_byte(out, (uint8_t)g->axes);
    for (size_t i = 0; i < g->axes; i++)
        tut_buf_add_u64le(out, g->shape[i]);
    tut_buf_add_sized(out, tut_str_of(g->input_name));
    tut_buf_add_sized(out, tut_str_of(g->output_name));
    tut_buf_add_u32le(out, (uint32_t)g->const_count);
    for (size_t i = 0; i < g->const_count; i++)
        put_const(out, &g->consts[i]);
    tut_buf_add_u32le(out, (uint32_t)g->node_count);
    for (size_t i = 0; i < g->node_count; i++)
        put_node(out, &g->nodes[i]);
}

/* --- from the wire --- */

typedef struct decoding {
    tut_reader r;
    tut_arena *arena;
    uint64_t size;
    tut_graph g;
} decoding;

static const tut_status bad = {TUT_MALFORMED};

static tut_status take_value(decoding *d, uint32_t *ret)
{
    TUT_TRY(tut_reader_u32le(&d->r, ret));
    return *ret < d->g.value_count ? TUT_SUCCESS : bad;
}

/* A count of things that take at least `each` bytes: no more than can be there. */
static tut_status take_count(decoding *d, size_t each, uint32_t most, uint32_t *ret)
{
    TUT_TRY(tut_reader_u32le(&d->r, ret));
    return *ret <= most && *ret <= tut_reader_left(&d->r) / each ? TUT_SUCCESS : bad;
}

static tut_status take_name(decoding *d, char *to, size_t cap)
{
    tut_str name;
    TUT_TRY(tut_reader_sized(&d->r, &name));
    if (name.len >= cap || memchr(name.data, 0, name.len))
        return bad;
    tut_str_copy(to, cap, name);
    return TUT_SUCCESS;
}

static tut_status take_const(decoding *d, tut_graph_const *c)
{
    uint8_t is_inlined;
    tut_str text;
    TUT_TRY(take_value(d, &c->value));
    TUT_TRY(tut_reader_u8(&d->r, &c->type));
    TUT_TRY(tut_reader_u8(&d->r, &c->axes));
    size_t each = tut_graph_type_bytes(c->type);
    if (c->value == 0 || each == 0 || c->axes > TUT_GRAPH_AXES)
        return bad;
    c->count = 1;
    for (size_t i = 0; i < c->axes; i++) {
        TUT_TRY(tut_reader_u64le(&d->r, &c->dims[i]));
        if (__builtin_mul_overflow(c->count, c->dims[i], &c->count))
            return bad;
    }
    uint64_t bytes;
    if (__builtin_mul_overflow(c->count, (uint64_t)each, &bytes))
        return bad;
    TUT_TRY(tut_reader_u8(&d->r, &is_inlined));
    if (is_inlined) {
        TUT_TRY(tut_reader_sized(&d->r, &text));
        c->inlined = tut_span_of(text.data, text.len);
        return text.len == bytes ? TUT_SUCCESS : bad;
    }
    TUT_TRY(tut_reader_u64le(&d->r, &c->at));
    TUT_TRY(tut_reader_u64le(&d->r, &c->bytes));
    bool is_there = c->bytes == bytes && c->at <= d->size && c->bytes <= d->size - c->at;
    return is_there ? TUT_SUCCESS : bad;
}

static tut_status take_values(decoding *d, uint32_t *ret_count, const uint32_t **ret_values)
{
    TUT_TRY(take_count(d, 4, TUT_GRAPH_INPUTS_MOST, ret_count));
    uint32_t *values = tut_arena_take(d->arena, *ret_count + 1, sizeof(*values));
    if (!values)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < *ret_count; i++)
        TUT_TRY(take_value(d, &values[i]));
    *ret_values = values;
    return TUT_SUCCESS;
}

static tut_status take_attr(decoding *d, tut_graph_attr *a)
{
    uint32_t bits;
    TUT_TRY(tut_reader_u8(&d->r, &a->attr));
    TUT_TRY(tut_reader_u8(&d->r, &a->count));
    if (a->attr >= TUT_NET_ATTRS || a->count > TUT_GRAPH_AXES)
        return bad;
    for (size_t i = 0; i < a->count; i++) {
        uint64_t value;
        TUT_TRY(tut_reader_u64le(&d->r, &value));
        a->ints[i] = (int64_t)value;
    }
    TUT_TRY(tut_reader_u32le(&d->r, &bits));
    memcpy(&a->number, &bits, sizeof(bits));
    TUT_TRY(tut_reader_u8(&d->r, &a->text));
    return a->text <= TUT_TEXT_VALID ? TUT_SUCCESS : bad;
}

static tut_status take_node(decoding *d, tut_graph_node *n)
{
    enum { ATTR_BYTES = 7 };
    TUT_TRY(tut_reader_u8(&d->r, &n->op));
    if (n->op >= TUT_NET_OPS)
        return bad;
    TUT_TRY(take_values(d, &n->input_count, &n->inputs));
    TUT_TRY(take_values(d, &n->output_count, &n->outputs));
    if (!tut_net_op_takes(n->op, n->input_count) || n->output_count == 0)
        return bad;
    TUT_TRY(take_count(d, ATTR_BYTES, TUT_NET_ATTRS, &n->attr_count));
    tut_graph_attr *attrs = tut_arena_take(d->arena, n->attr_count + 1, sizeof(*attrs));
    if (!attrs)
        return (tut_status){TUT_NOMEM};
    n->attrs = attrs;
    for (size_t i = 0; i < n->attr_count; i++)
        TUT_TRY(take_attr(d, &attrs[i]));
    return TUT_SUCCESS;
}

static tut_status take_head(decoding *d)
{
    uint32_t magic;
    uint8_t axes;
    tut_graph *g = &d->g;
    TUT_TRY(tut_reader_u32le(&d->r, &magic));
    TUT_TRY(tut_reader_u32le(&d->r, &g->opset));
    TUT_TRY(tut_reader_u32le(&d->r, &g->value_count));
    if (magic != MAGIC || g->opset < TUT_GRAPH_OPSET_LEAST || g->opset > TUT_GRAPH_OPSET_MOST ||
        g->value_count > TUT_GRAPH_VALUES_MOST)
        return bad;
    TUT_TRY(take_value(d, &g->input));
    TUT_TRY(take_value(d, &g->output));
    TUT_TRY(tut_reader_u64le(&d->r, &g->rows_fixed));
    TUT_TRY(tut_reader_u8(&d->r, &axes));
    if (axes > TUT_GRAPH_AXES || g->input == 0 || g->output == 0)
        return bad;
    g->axes = axes;
    for (size_t i = 0; i < axes; i++) {
        uint64_t n;
        TUT_TRY(tut_reader_u64le(&d->r, &n));
        if (n == 0 || n > SIZE_MAX)
            return bad;
        g->shape[i] = (size_t)n;
    }
    TUT_TRY(take_name(d, g->input_name, sizeof(g->input_name)));
    return take_name(d, g->output_name, sizeof(g->output_name));
}

static tut_status decode(decoding *d)
{
    enum { CONST_BYTES = 11, NODE_BYTES = 13 };
    uint32_t count;
    TUT_TRY(take_head(d));
    TUT_TRY(take_count(d, CONST_BYTES, TUT_GRAPH_VALUES_MOST, &count));
    tut_graph_const *consts = tut_arena_take(d->arena, count + 1, sizeof(*consts));
    if (!consts)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < count; i++)
        TUT_TRY(take_const(d, &consts[i]));
    d->g.consts = consts;
    d->g.const_count = count;
    TUT_TRY(take_count(d, NODE_BYTES, TUT_GRAPH_NODES_MOST, &count));
    tut_graph_node *nodes = tut_arena_take(d->arena, count + 1, sizeof(*nodes));
    if (!nodes)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < count; i++)
        TUT_TRY(take_node(d, &nodes[i]));
    d->g.nodes = nodes;
    d->g.node_count = count;
    return tut_reader_left(&d->r) == 0 ? TUT_SUCCESS : bad;
}

tut_status tut_graph_decode(tut_span wire, uint64_t size, tut_arena *arena, tut_graph *ret_graph,
                            tut_error *err)
{
    decoding d = {.r = tut_reader_of(wire), .arena = arena, .size = size};
    tut_status status = decode(&d);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        return tut_fail(err, TUT_BUG, "the reader of nets answered with nonsense");
    *ret_graph = d.g;
    return TUT_SUCCESS;
}
