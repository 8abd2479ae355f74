/* From the names of an ONNX file to the numbers of a graph: which operator, which attribute, which
 * value. What is not run is named. */
#include <inttypes.h>
#include <string.h>

#include "base/map.h"
#include "nets/onnx_internal.h"

enum { SHOWN = 96 };

static const struct {
    const char *name;
    tut_net_attr_kind kind;
} attr_rows[] = {
#define NET_ATTR(symbol, name, kind) {name, kind},
#include "nets/attrs.def"
#undef NET_ATTR
};

/* Names are anybody's text. */
static const char *shown(tut_str text, char to[SHOWN])
{
    tut_buf b = TUT_BUF_INIT;
    tut_buf_add_escaped(&b, text, SHOWN / 4 - 2);
    tut_str_copy(to, SHOWN, tut_buf_str(&b));
    tut_buf_done(&b);
    return to;
}

/* --- attributes --- */

static uint8_t text_of(tut_str s)
{
    static const struct {
        const char *name;
        uint8_t text;
    } rows[] = {{"NOTSET", TUT_TEXT_NOTSET},
                {"SAME_UPPER", TUT_TEXT_SAME_UPPER},
                {"SAME_LOWER", TUT_TEXT_SAME_LOWER},
                {"VALID", TUT_TEXT_VALID}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (tut_str_eq_z(s, rows[i].name))
            return rows[i].text;
    return TUT_TEXT_OTHER;
}

/* The value of a Constant, however it is written. */
static tut_status take_value(net_reading *o, tut_error *err)
{
    net_attribute *a = &o->attribute;
    net_tensor *t = a->value ? a->value : tut_arena_take(&o->arena, 1, sizeof(*t));
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!a->value && a->has_int && a->count <= TUT_GRAPH_AXES) {
        t->type = TUT_ONNX_I64;
        t->axes = tut_str_eq_z(a->name, "value_ints");
        t->dims[0] = a->count;
        t->ints = tut_arena_take(&o->arena, NET_INTS_MOST, sizeof(*t->ints));
        if (!t->ints)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        memcpy(t->ints, a->ints, a->count * sizeof(*a->ints));
        t->int_count = a->count;
    } else if (!a->value && a->has_number) {
        t->type = TUT_ONNX_F32;
        t->at = a->number_at;
        t->bytes = 4;
    }
    o->node.value = t;
    return TUT_SUCCESS;
}

tut_status tut_net_onnx_take_attribute(net_reading *o, tut_error *err)
{
    const net_attribute *a = &o->attribute;
    net_node *n = &o->node;
    if (tut_str_starts(a->name, TUT_LIT("value")))
        return take_value(o, err);
    for (unsigned i = 0; i < TUT_NET_ATTRS; i++) {
        if (!tut_str_eq_z(a->name, attr_rows[i].name))
            continue;
        bool is_fit = attr_rows[i].kind == TUT_ATTR_INTS    ? a->count <= TUT_GRAPH_AXES
                      : attr_rows[i].kind == TUT_ATTR_FLOAT ? a->has_number
                                                            : true;
        if (!is_fit || n->attr_count == TUT_NET_ATTRS)
            break;
        tut_graph_attr *to = &n->attrs[n->attr_count++];
        *to = (tut_graph_attr){.attr = (uint8_t)i, .number = a->number, .text = text_of(a->text)};
        to->count = attr_rows[i].kind == TUT_ATTR_INTS ? (uint8_t)a->count : 0;
        memcpy(to->ints, a->ints, sizeof(to->ints));
        return TUT_SUCCESS;
    }
    n->unknown = a->name.data ? a->name : TUT_LIT("?");
    return TUT_SUCCESS;
}

/* --- values --- */

typedef struct naming {
    net_reading *o;
    tut_map values; /* name to number */
    tut_graph g;
    tut_graph_const *consts;
    tut_graph_node *nodes;
} naming;

static tut_status new_value(naming *m, tut_str name, uint32_t *ret, tut_error *err)
{
    char text[SHOWN];
    if (m->g.value_count == TUT_GRAPH_VALUES_MOST)
        return tut_fail(err, TUT_LIMIT, "more than %d values", TUT_GRAPH_VALUES_MOST);
    size_t value = 0;
    TUT_TRY(tut_map_put(&m->values, name, m->g.value_count, &value, err));
    if (value != m->g.value_count)
        return tut_fail(err, TUT_MALFORMED, "the value \"%s\" is made twice", shown(name, text));
    *ret = m->g.value_count++;
    return TUT_SUCCESS;
}

static tut_status inline_ints(naming *m, const net_tensor *t, tut_graph_const *c, tut_error *err)
{
    tut_buf b = TUT_BUF_INIT;
    for (size_t i = 0; i < t->int_count; i++)
        tut_buf_add_u64le(&b, (uint64_t)t->ints[i]);
    const char *copy = tut_arena_copy(&m->o->arena, tut_buf_str(&b));
    bool is_whole = tut_is_ok(tut_buf_check(&b, NULL));
    c->type = TUT_ONNX_I64;
    c->inlined = tut_span_of(copy, b.len);
    tut_buf_done(&b);
    return copy && is_whole ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status size_of(const net_tensor *t, const char *name, tut_graph_const *c, tut_error *err)
{
    c->axes = (uint8_t)t->axes;
    c->count = 1;
    for (size_t i = 0; i < t->axes; i++) {
        c->dims[i] = t->dims[i];
        if (__builtin_mul_overflow(c->count, t->dims[i], &c->count))
            return tut_fail(err, TUT_MALFORMED, "the tensor \"%s\" is larger than any memory",
                            name);
    }
    return TUT_SUCCESS;
}

static tut_status add_const(naming *m, tut_str name, const net_tensor *t, tut_error *err)
{
    char text[SHOWN];
    tut_graph_const *c = &m->consts[m->g.const_count];
    uint64_t bytes;
    (void)shown(name, text);
    if (t->location == 1)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the tensor \"%s\" lies in another file: save the model with its weights "
                        "inside",
                        text);
    c->type = (uint8_t)t->type;
    if (t->type > UINT8_MAX || tut_graph_type_bytes(c->type) == 0)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the tensor \"%s\" is of ONNX's type %" PRIu64
                        ": float32 and float64 are run",
                        text, t->type);
    TUT_TRY(size_of(t, text, c, err));
    bool is_typed = t->int_count > 0;
    if (t->has_pieces || (is_typed && t->bytes > 0))
        return tut_fail(err, TUT_UNSUPPORTED, "the values of tensor \"%s\" lie in pieces", text);
    if (is_typed && t->int_count > NET_INTS_MOST)
        return tut_fail(err, TUT_UNSUPPORTED, "the tensor \"%s\" of whole numbers is too long",
                        text);
    uint64_t have = is_typed ? t->int_count * 8 : t->bytes;
    size_t each = is_typed ? 8 : tut_graph_type_bytes(c->type);
    bool is_whole = c->type == TUT_ONNX_I32 || c->type == TUT_ONNX_I64;
    if (__builtin_mul_overflow(c->count, (uint64_t)each, &bytes) || bytes != have ||
        (is_typed && !is_whole))
        return tut_fail(err, TUT_MALFORMED,
                        "the tensor \"%s\" has %" PRIu64
                        " bytes, its type and shape ask for others",
                        text, have);
    c->at = t->at;
    c->bytes = t->bytes;
    if (is_typed)
        TUT_TRY(inline_ints(m, t, c, err));
    m->g.const_count++;
    return new_value(m, name, &c->value, err);
}

/* --- the graph's ends --- */

static tut_status take_shape(naming *m, const net_value *v, tut_error *err)
{
    char text[SHOWN];
    tut_graph *g = &m->g;
    (void)shown(v->name, text);
    if (v->type != TUT_ONNX_F32 && v->type != TUT_ONNX_F64)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "its input \"%s\" is of ONNX's type %" PRIu64
                        ": float32 and float64 are run",
                        text, v->type);
    if (!v->has_shape || v->axes == 0)
        return tut_fail(err, TUT_UNSUPPORTED, "its input \"%s\" has no shape with rows", text);
    g->rows_fixed = v->shape[0] > 0 ? (uint64_t)v->shape[0] : 0;
    g->axes = v->axes - 1;
    for (size_t i = 0; i < g->axes; i++) {
        if (v->shape[i + 1] <= 0)
            return tut_fail(err, TUT_UNSUPPORTED,
                            "axis %zu of its input \"%s\" has no fixed size: export the model with "
                            "a dynamic first axis only",
                            i + 1, text);
        g->shape[i] = (size_t)v->shape[i + 1];
    }
    tut_str_copy(g->input_name, sizeof(g->input_name), tut_str_of(text));
    return new_value(m, v->name, &g->input, err);
}

static tut_status take_input(naming *m, tut_error *err)
{
    const net_value *found = NULL;
    for (size_t i = 0; i < m->o->input_count; i++) {
        const net_value *v = &m->o->inputs[i];
        if (tut_map_get(&m->values, v->name) != SIZE_MAX)
            continue; /* an initializer that may be replaced */
        if (found)
            return tut_fail(err, TUT_UNSUPPORTED, "it has more than one input");
        found = v;
    }
    if (!found)
        return tut_fail(err, TUT_UNSUPPORTED, "it has no input");
    return take_shape(m, found, err);
}

/* --- nodes --- */

static tut_status find_op(const net_node *n, uint8_t *ret, tut_error *err)
{
    char op[SHOWN], text[SHOWN];
    bool is_own = n->domain.len > 0 && !tut_str_eq_z(n->domain, "ai.onnx");
    if (is_own)
        return tut_fail(err, TUT_UNSUPPORTED, "the operator %s of domain \"%s\" is not run",
                        shown(n->op, op), shown(n->domain, text));
    for (unsigned i = 0; i < TUT_NET_OPS; i++) {
        if (!tut_str_eq_z(n->op, tut_net_op_name((uint8_t)i)))
            continue;
        if (n->unknown.data)
            return tut_fail(err, TUT_UNSUPPORTED, "the attribute %s of %s is not run",
                            shown(n->unknown, text), tut_net_op_name((uint8_t)i));
        if (!tut_net_op_takes((uint8_t)i, n->inputs.count) || n->outputs.count == 0)
            return tut_fail(err, TUT_UNSUPPORTED, "%s with %zu inputs and %zu outputs is not run",
                            tut_net_op_name((uint8_t)i), n->inputs.count, n->outputs.count);
        *ret = (uint8_t)i;
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_UNSUPPORTED,
                    "the operator %s is not run (docs/probe-nets.md lists those)",
                    shown(n->op, op));
}

static tut_status number_names(naming *m, const net_list *names, bool are_made,
                               const uint32_t **ret, tut_error *err)
{
    char text[SHOWN];
    uint32_t *numbers = tut_arena_take(&m->o->arena, names->count + 1, sizeof(*numbers));
    if (!numbers)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < names->count; i++) {
        if (names->items[i].len == 0)
            continue; /* left out */
        if (are_made) {
            TUT_TRY(new_value(m, names->items[i], &numbers[i], err));
            continue;
        }
        size_t value = tut_map_get(&m->values, names->items[i]);
        if (value == SIZE_MAX)
            return tut_fail(err, TUT_MALFORMED, "the value \"%s\" is used before it is made",
                            shown(names->items[i], text));
        numbers[i] = (uint32_t)value;
    }
    *ret = numbers;
    return TUT_SUCCESS;
}

static tut_status add_node(naming *m, const net_node *n, tut_error *err)
{
    if (tut_str_eq_z(n->op, "Constant") && n->domain.len == 0) {
        if (!n->value || n->outputs.count != 1)
            return tut_fail(err, TUT_UNSUPPORTED, "a Constant that holds no tensor of numbers");
        return add_const(m, n->outputs.items[0], n->value, err);
    }
    tut_graph_node *to = &m->nodes[m->g.node_count];
    TUT_TRY(find_op(n, &to->op, err));
    to->input_count = (uint32_t)n->inputs.count;
    to->output_count = (uint32_t)n->outputs.count;
    to->attr_count = (uint32_t)n->attr_count;
    to->attrs = n->attrs;
    TUT_TRY(number_names(m, &n->inputs, false, &to->inputs, err));
    TUT_TRY(number_names(m, &n->outputs, true, &to->outputs, err));
    m->g.node_count++;
    return TUT_SUCCESS;
}

static tut_status name_all(naming *m, tut_error *err)
{
    net_reading *o = m->o;
    char text[SHOWN];
    for (size_t i = 0; i < o->tensor_count; i++)
        TUT_TRY(add_const(m, o->tensors[i].name, &o->tensors[i], err));
    TUT_TRY(take_input(m, err));
    for (size_t i = 0; i < o->node_count; i++)
        TUT_TRY(add_node(m, &o->nodes[i], err));
    if (o->output_count != 1)
        return tut_fail(err, TUT_UNSUPPORTED, "it has %zu outputs: one is run", o->output_count);
    size_t output = tut_map_get(&m->values, o->outputs[0].name);
    if (output == SIZE_MAX)
        return tut_fail(err, TUT_MALFORMED, "nothing makes its output \"%s\"",
                        shown(o->outputs[0].name, text));
    m->g.output = (uint32_t)output;
    tut_str_copy(m->g.output_name, sizeof(m->g.output_name),
                 tut_str_of(shown(o->outputs[0].name, text)));
    return TUT_SUCCESS;
}

tut_status tut_net_onnx_resolve(net_reading *o, tut_buf *out, tut_error *err)
{
    if (o->opset < TUT_GRAPH_OPSET_LEAST || o->opset > TUT_GRAPH_OPSET_MOST)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "it is written for version %" PRId64
                        " of ONNX's operators: %d to %d are run",
                        o->opset, TUT_GRAPH_OPSET_LEAST, TUT_GRAPH_OPSET_MOST);
    naming m = {.o = o, .g = {.opset = (uint32_t)o->opset, .value_count = 1}};
    m.consts = tut_arena_take(&o->arena, o->tensor_count + o->node_count + 1, sizeof(*m.consts));
    m.nodes = tut_arena_take(&o->arena, o->node_count + 1, sizeof(*m.nodes));
    if (!m.consts || !m.nodes)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    m.g.consts = m.consts;
    m.g.nodes = m.nodes;
    tut_status status = name_all(&m, err);
    tut_map_done(&m.values);
    TUT_TRY(status);
    tut_graph_encode(&m.g, out);
    return TUT_SUCCESS;
}
