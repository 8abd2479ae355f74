/* ONNX: one protobuf message, ModelProto, without magic or length (see proto.h). */
#include <inttypes.h>
#include <string.h>

#include "base/reader.h"
#include "formats/onnx_internal.h"
#include "formats/snippet.h"

enum {
    MAX_IR = 20,
};

/* --- sniffing --- */

typedef struct sniffed {
    bool has_ir, has_graph, has_opset, has_text, has_producer;
    size_t known, unknown;
} sniffed;

static bool is_text(const tut_reader *r, uint64_t len)
{
    const uint8_t *text = r->data + r->pos;
    for (size_t i = 0; i < tut_reader_left(r) && i < len; i++) {
        if (text[i] < ' ' && text[i] != '\n' && text[i] != '\t')
            return false;
    }
    return true;
}

/* Goes over the model's fields as far as the head shows them; false: this is no model. */
static bool sniff_fields(const tut_sniff *s, sniffed *ret)
{
    tut_reader r = tut_reader_of(s->head);
    while (tut_reader_left(&r) > 0) {
        uint64_t tag = 0, value = 0;
        if (!tut_is_ok(tut_reader_varint(&r, &tag)) || !tut_is_ok(tut_reader_varint(&r, &value)))
            return ret->known > 0;
        const tut_proto_field *f = tut_proto_field_of(&tut_onnx_schema, TUT_ONNX_MODEL, tag >> 3);
        if (!f || (tag & 7) != (uint64_t)f->wire) {
            ret->unknown++;
            if (ret->known == 0 || (tag & 7) != TUT_WIRE_LEN)
                return ret->known > 0;
        }
        ret->known += f != NULL;
        if (f && f->use == TUT_ONNX_IR) {
            ret->has_ir = value >= 1 && value <= MAX_IR;
            if (!ret->has_ir)
                return false;
        }
        if ((tag & 7) != TUT_WIRE_LEN)
            continue;
        if (s->size != UINT64_MAX && value > s->size)
            return ret->has_ir && ret->known > 2;
        ret->has_graph |= f && f->number == 7;
        ret->has_opset |= f && f->number == 8;
        if (f && f->number == 2 && (ret->has_producer || !is_text(&r, value)))
            return false; /* another protobuf: the producer's name stands there once, as text */
        ret->has_producer |= f && f->number == 2;
        ret->has_text |= f && (f->number == 2 || f->number == 3);
        if (!tut_is_ok(tut_reader_skip(&r, value)))
            return true;
    }
    return true;
}

static tut_match sniff(const tut_sniff *s)
{
    sniffed seen = {0};
    bool is_named = tut_sniff_ext(s, ".onnx");
    bool begins_with_ir = s->head.len >= 4 && s->head.data[0] == 0x08 && s->head.data[1] >= 1 &&
                          s->head.data[1] <= MAX_IR;
    if (s->head.len < 4 || (!begins_with_ir && !is_named))
        return TUT_MATCH_NONE;
    if (!sniff_fields(s, &seen))
        return TUT_MATCH_NONE;
    if (begins_with_ir && seen.has_graph && (seen.has_text || seen.has_opset || is_named))
        return TUT_MATCH_SURE;
    if (begins_with_ir && (seen.has_graph || is_named || (seen.has_text && seen.known >= 3)))
        return TUT_MATCH_STRONG;
    return is_named && (seen.has_graph || seen.has_opset) ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

/* --- the walk --- */

static void begin_message(void *ctx, tut_onnx_frame *f)
{
    tut_onnx *o = ctx;
    if (f->kind == TUT_ONNX_TENSOR)
        tut_onnx_begin_tensor(o, f->at);
    if (f->kind == TUT_ONNX_EXTERNAL)
        o->entry_len = 0;
    if (f->kind == TUT_ONNX_FUNCTION)
        o->function = (tut_onnx_scope){.count = 0};
    o->subgraphs += f->kind == TUT_ONNX_GRAPH && o->p.depth > 2;
}

static void end_metadata(tut_onnx *o, const tut_onnx_frame *f)
{
    bool is_licence = strcmp(f->a, "license") == 0 || strcmp(f->a, "licence") == 0;
    if (is_licence)
        tut_exam_fact(o->x, "licence", tut_str_of(f->b));
    if (strcmp(f->a, "base_model") == 0)
        tut_exam_fact(o->x, "refers.model", tut_str_of(f->b));
    tut_exam_factf(o->x, "onnx.metadata", "%s: %s", f->a, f->b);
    tut_snippet_check(o->x, tut_str_of(f->a), tut_str_of(f->b), tut_stream_pos(o->x->stream));
}

static tut_status end_message(void *ctx, const tut_onnx_frame *f, tut_error *err)
{
    tut_onnx *o = ctx;
    if (f->kind == TUT_ONNX_NODE)
        tut_onnx_end_node(o, f);
    if (f->kind == TUT_ONNX_OPSET)
        tut_onnx_end_opset(o, f);
    if (f->kind == TUT_ONNX_METADATA)
        end_metadata(o, f);
    if (f->kind == TUT_ONNX_EXTERNAL)
        tut_onnx_end_entry(o, f);
    if (f->kind == TUT_ONNX_FUNCTION)
        return tut_onnx_end_function(o, f, err);
    return f->kind == TUT_ONNX_TENSOR ? tut_onnx_end_tensor(o, err) : TUT_SUCCESS;
}

static tut_status take_value(void *ctx, tut_onnx_frame *f, const tut_proto_field *field,
                             uint64_t wire, uint64_t value, tut_error *err)
{
    tut_onnx *o = ctx;
    (void)f;
    switch (field->use) {
    case TUT_ONNX_IR:
        o->ir = value;
        return TUT_SUCCESS;
    case TUT_ONNX_PRODUCER:
        return tut_proto_text(&o->p, value, o->producer, sizeof(o->producer), err);
    case TUT_ONNX_PRODUCER_VERSION:
        return tut_proto_text(&o->p, value, o->producer_version, sizeof(o->producer_version), err);
    case TUT_ONNX_ENTRY:
        return tut_onnx_read_entry(o, value, err);
    default:
        return tut_onnx_tensor_field(o, field, wire, value, err);
    }
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    static const tut_proto_ops ops = {begin_message, take_value, end_message};
    TUT_AUTO_FREE tut_onnx *o = tut_alloc_array(1, sizeof(*o));
    tut_error own = {0};
    if (!o)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    o->x = x;
    tut_proto_init(&o->p, x, &tut_onnx_schema, &ops, o);
    tut_extents_init(&o->functions, x->budget);
    tut_error *why = err ? err : &own;
    tut_status status = tut_proto_walk(&o->p, TUT_ONNX_MODEL, x->size, why);
    tut_onnx_report(o);
    if (tut_is_ok(status) && !(o->p.stack[0].seen & (1u << 6)))
        tut_exam_observe(x, "onnx.malformed", 0, "the model has no graph");
    status = tut_proto_look_behind(&o->p, status, "onnx.polyglot", why);
    tut_extents_done(&o->functions);
    return status;
}

extern const tut_format tut_format_onnx;

const tut_format tut_format_onnx = {
    .name = "onnx",
    .label = "ONNX",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".onnx .pb",
    .reads = "graph, functions, operators by domain, external data, tensors",
    .rules = "onnx data weights",
};
