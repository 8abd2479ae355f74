/*
 * Reads an ONNX file, in the cage: nodes, constants, the input and the output. Values of constants
 * are not copied: the wire says where they lie in the file, and who asked for it reads them there.
 */
#include <string.h>

#include "formats/format.h"
#include "nets/onnx_internal.h"

enum { ARENA_MOST = 128 << 20 };

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

void tut_net_reading_done(net_reading *o)
{
    for (size_t i = 0; i < o->node_count; i++) {
        tut_free(o->nodes[i].inputs.items);
        tut_free(o->nodes[i].outputs.items);
    }
    tut_free(o->node.inputs.items);
    tut_free(o->node.outputs.items);
    tut_free(o->nodes);
    tut_free(o->tensors);
    tut_free(o->inputs);
    tut_free(o->outputs);
    tut_arena_done(&o->arena);
}

static void begin(void *ctx, tut_proto_frame *f)
{
    net_reading *o = ctx;
    switch (f->kind) {
    case NET_OPSET:
        o->domain = TUT_LIT("");
        o->version = 0;
        break;
    case NET_NODE:
        tut_free(o->node.inputs.items);
        tut_free(o->node.outputs.items);
        o->node = (net_node){.attr_count = 0};
        break;
    case NET_ATTRIBUTE:
        o->attribute = (net_attribute){.count = 0};
        break;
    case NET_TENSOR:
        o->tensor = (net_tensor){.axes = 0};
        break;
    case NET_INPUT:
    case NET_OUTPUT:
        o->value = (net_value){.axes = 0};
        break;
    case NET_SHAPE:
        o->value.has_shape = true;
        o->value.axes = 0;
        break;
    case NET_DIM:
        f->number = -1;
        break;
    default:
        break;
    }
}

/* --- fields --- */

static tut_status read_text(net_reading *o, uint64_t len, tut_str *ret, tut_error *err)
{
    char text[NET_NAME_MOST];
    if (len >= sizeof(text))
        return tut_fail_at(err, TUT_LIMIT, tut_stream_pos(o->x.stream),
                           "a name of more than %d bytes", NET_NAME_MOST - 1);
    TUT_TRY(tut_proto_text(&o->p, len, text, sizeof(text), err));
    if (memchr(text, 0, (size_t)len))
        return tut_fail_at(err, TUT_MALFORMED, tut_stream_pos(o->x.stream),
                           "a name with a NUL byte in it");
    *ret = (tut_str){tut_arena_copy(&o->arena, (tut_str){text, (size_t)len}), (size_t)len};
    return ret->data ? TUT_SUCCESS : no_memory(err);
}

static tut_status add_name(net_list *l, tut_str name, tut_error *err)
{
    if (l->count == TUT_GRAPH_INPUTS_MOST)
        return tut_fail(err, TUT_LIMIT, "a node with more than %d inputs or outputs",
                        TUT_GRAPH_INPUTS_MOST);
    if (!tut_is_ok(tut_grow(&l->items, l->count, &l->capacity, sizeof(*l->items))))
        return no_memory(err);
    l->items[l->count++] = name;
    return TUT_SUCCESS;
}

static tut_status take_text(net_reading *o, const tut_proto_frame *f, unsigned number, uint64_t len,
                            tut_error *err)
{
    tut_str text;
    TUT_TRY(read_text(o, len, &text, err));
    if (f->kind == NET_NODE && number <= 2)
        return add_name(number == 1 ? &o->node.inputs : &o->node.outputs, text, err);
    tut_str *to = f->kind == NET_OPSET                      ? &o->domain
                  : f->kind == NET_TENSOR                   ? &o->tensor.name
                  : f->kind == NET_INPUT                    ? &o->value.name
                  : f->kind == NET_OUTPUT                   ? &o->value.name
                  : f->kind == NET_ATTRIBUTE && number == 1 ? &o->attribute.name
                  : f->kind == NET_ATTRIBUTE                ? &o->attribute.text
                  : number == 3                             ? &o->node.name
                  : number == 4                             ? &o->node.op
                                                            : &o->node.domain;
    *to = text;
    return TUT_SUCCESS;
}

static void take_number(net_reading *o, tut_proto_frame *f, unsigned number, uint64_t value)
{
    if (f->kind == NET_OPSET)
        o->version = (int64_t)value;
    else if (f->kind == NET_DIM)
        f->number = (int64_t)value;
    else if (f->kind == NET_TENSOR_TYPE)
        o->value.type = value;
    else if (number == 2)
        o->tensor.type = value;
    else
        o->tensor.location = value;
}

static tut_status add_int(net_reading *o, const tut_proto_frame *f, unsigned number, uint64_t value,
                          tut_error *err)
{
    net_tensor *t = &o->tensor;
    net_attribute *a = &o->attribute;
    uint64_t at = tut_stream_pos(o->x.stream);
    if (f->kind == NET_ATTRIBUTE) {
        a->has_int = true;
        if (a->count < TUT_GRAPH_AXES)
            a->ints[a->count] = (int64_t)value;
        a->count += a->count <= TUT_GRAPH_AXES; /* one more than there is room for: too many */
        return TUT_SUCCESS;
    }
    if (number == 1) {
        if (t->axes == TUT_GRAPH_AXES)
            return tut_fail_at(err, TUT_UNSUPPORTED, at, "a tensor of more than %d axes",
                               TUT_GRAPH_AXES);
        if (value > INT64_MAX)
            return tut_fail_at(err, TUT_MALFORMED, at, "a tensor with a negative dimension");
        t->dims[t->axes++] = value;
        return TUT_SUCCESS;
    }
    if (!t->ints)
        t->ints = tut_arena_take(&o->arena, NET_INTS_MOST, sizeof(*t->ints));
    if (!t->ints)
        return no_memory(err);
    if (t->int_count < NET_INTS_MOST)
        t->ints[t->int_count] = (int64_t)value;
    t->int_count += t->int_count <= NET_INTS_MOST;
    return TUT_SUCCESS;
}

static tut_status take_ints(net_reading *o, const tut_proto_frame *f, unsigned number,
                            uint64_t wire, uint64_t value, tut_error *err)
{
    if (wire != TUT_WIRE_LEN)
        return add_int(o, f, number, value, err);
    uint64_t end = tut_stream_pos(o->x.stream) + value;
    while (tut_stream_pos(o->x.stream) < end) {
        TUT_TRY(tut_budget_steps(o->x.budget, 1, err));
        TUT_TRY(tut_proto_varint(&o->p, end, &value, err));
        TUT_TRY(add_int(o, f, number, value, err));
    }
    return TUT_SUCCESS;
}

/* Values in a row. Where they are cut into pieces, nobody writes them so and nobody reads them. */
static tut_status take_bytes(net_reading *o, unsigned number, uint64_t wire, uint64_t value,
                             tut_error *err)
{
    net_tensor *t = &o->tensor;
    uint64_t at = tut_stream_pos(o->x.stream);
    uint64_t bytes = wire == TUT_WIRE_LEN ? value : wire == TUT_WIRE_32 ? 4 : 8;
    if (bytes > 0 && t->bytes > 0)
        t->has_pieces = true;
    if (bytes > 0) {
        t->at = wire == TUT_WIRE_LEN ? at : at - bytes;
        t->bytes = bytes;
        t->raw = number == 9;
    }
    return wire == TUT_WIRE_LEN ? tut_proto_skip(&o->p, value, err) : TUT_SUCCESS;
}

static tut_status take_float(net_reading *o, tut_error *err)
{
    uint8_t raw[4];
    o->attribute.number_at = tut_stream_pos(o->x.stream) - 4;
    TUT_TRY(tut_source_read(o->x.source, o->attribute.number_at, raw, 4, err));
    tut_reader r = tut_reader_of(tut_span_of(raw, 4));
    uint32_t bits = 0;
    TUT_TRY(tut_reader_u32le(&r, &bits));
    memcpy(&o->attribute.number, &bits, sizeof(bits));
    o->attribute.has_number = true;
    return TUT_SUCCESS;
}

static tut_status take(void *ctx, tut_proto_frame *f, const tut_proto_field *field, uint64_t wire,
                       uint64_t value, tut_error *err)
{
    net_reading *o = ctx;
    switch (field->use) {
    case NET_TEXT:
        return take_text(o, f, field->number, value, err);
    case NET_NUMBER:
        take_number(o, f, field->number, value);
        return TUT_SUCCESS;
    case NET_FLOAT:
        return take_float(o, err);
    case NET_BYTES:
        return take_bytes(o, field->number, wire, value, err);
    case NET_INTS:
        return take_ints(o, f, field->number, wire, value, err);
    default:
        return tut_fail_at(err, TUT_UNSUPPORTED, tut_stream_pos(o->x.stream),
                           "sparse tensors, segments and attributes by reference are not run");
    }
}

/* --- ends of messages --- */

static tut_status end_tensor(net_reading *o, tut_error *err)
{
    bool is_attribute = o->p.depth > 0 && o->p.stack[o->p.depth - 1].kind == NET_ATTRIBUTE;
    if (is_attribute) {
        o->attribute.value = tut_arena_take(&o->arena, 1, sizeof(net_tensor));
        if (!o->attribute.value)
            return no_memory(err);
        *o->attribute.value = o->tensor;
        return TUT_SUCCESS;
    }
    if (o->tensor_count == TUT_GRAPH_VALUES_MOST)
        return tut_fail(err, TUT_LIMIT, "more than %d constants", TUT_GRAPH_VALUES_MOST);
    if (!tut_is_ok(
            tut_grow(&o->tensors, o->tensor_count, &o->tensor_capacity, sizeof(*o->tensors))))
        return no_memory(err);
    o->tensors[o->tensor_count++] = o->tensor;
    return TUT_SUCCESS;
}

static tut_status end_node(net_reading *o, tut_error *err)
{
    if (o->node_count == TUT_GRAPH_NODES_MOST)
        return tut_fail(err, TUT_LIMIT, "more than %d nodes", TUT_GRAPH_NODES_MOST);
    if (!tut_is_ok(tut_grow(&o->nodes, o->node_count, &o->node_capacity, sizeof(*o->nodes))))
        return no_memory(err);
    o->nodes[o->node_count++] = o->node;
    o->node = (net_node){.attr_count = 0};
    return TUT_SUCCESS;
}

static tut_status end_value(net_reading *o, bool is_input, tut_error *err)
{
    net_value **list = is_input ? &o->inputs : &o->outputs;
    size_t *count = is_input ? &o->input_count : &o->output_count;
    size_t *capacity = is_input ? &o->input_capacity : &o->output_capacity;
    if (*count == TUT_GRAPH_VALUES_MOST)
        return tut_fail(err, TUT_LIMIT, "more than %d inputs", TUT_GRAPH_VALUES_MOST);
    if (!tut_is_ok(tut_grow(list, *count, capacity, sizeof(**list))))
        return no_memory(err);
    (*list)[(*count)++] = o->value;
    return TUT_SUCCESS;
}

static tut_status end_dim(net_reading *o, int64_t size, tut_error *err)
{
    net_value *v = &o->value;
    if (v->axes == TUT_GRAPH_AXES)
        return tut_fail(err, TUT_UNSUPPORTED, "an input of more than %d axes", TUT_GRAPH_AXES);
    v->shape[v->axes++] = size;
    return TUT_SUCCESS;
}

static tut_status end(void *ctx, const tut_proto_frame *f, tut_error *err)
{
    net_reading *o = ctx;
    switch (f->kind) {
    case NET_OPSET:
        if (o->domain.len == 0 || tut_str_eq_z(o->domain, "ai.onnx"))
            o->opset = o->version;
        return TUT_SUCCESS;
    case NET_ATTRIBUTE:
        return tut_net_onnx_take_attribute(o, err);
    case NET_TENSOR:
        return end_tensor(o, err);
    case NET_NODE:
        return end_node(o, err);
    case NET_DIM:
        return end_dim(o, f->number, err);
    case NET_INPUT:
    case NET_OUTPUT:
        return end_value(o, f->kind == NET_INPUT, err);
    default:
        return TUT_SUCCESS;
    }
}

/* --- the job --- */

static tut_status read_into(net_reading *o, const tut_source *bytes, tut_buf *out, tut_error *err)
{
    static const tut_proto_ops ops = {begin, take, end};
    tut_proto_init(&o->p, &o->x, &tut_net_onnx_schema, &ops, o);
    TUT_TRY(tut_proto_walk(&o->p, NET_MODEL, bytes->size, err));
    return tut_net_onnx_resolve(o, out, err);
}

tut_status tut_net_onnx_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                            tut_buf *out, tut_error *err)
{
    static const tut_exam_ops ops = {.fact = NULL};
    TUT_AUTO(tut_stream) stream = NULL;
    TUT_AUTO_FREE net_reading *o = tut_alloc_array(1, sizeof(*o));
    tut_budget budget;
    (void)task;
    (void)argument;
    if (!o)
        return no_memory(err);
    tut_budget_init(&budget);
    TUT_TRY(tut_stream_open_source(bytes, &stream));
    tut_arena_init(&o->arena, ARENA_MOST);
    o->x = (tut_exam){.stream = stream,
                      .source = bytes,
                      .size = bytes->size,
                      .name = TUT_LIT("model"),
                      .budget = &budget,
                      .ops = &ops,
                      .ctx = o};
    tut_status status = read_into(o, bytes, out, err);
    tut_net_reading_done(o);
    TUT_TRY(status);
    return tut_buf_check(out, err);
}
