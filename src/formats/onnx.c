/*
 * ONNX: one protobuf message, ModelProto, without magic or length.
 *
 *   message = { tag value }       tag: varint, field number << 3 | wire type
 *   value   = varint | 4 bytes | 8 bytes | length:varint bytes
 *
 * The walk is driven by the table of onnx_schema.c and keeps its own stack, so depth costs no
 * recursion and a file of gigabytes is passed over at the speed of skipping.
 */
#include <inttypes.h>
#include <string.h>

#include "base/reader.h"
#include "formats/onnx_internal.h"
#include "formats/snippet.h"

enum {
    LARGE_UNKNOWN = 256, /* bytes of one field that no loader knows */
    MANY_UNKNOWN = 4096, /* and of all of them */
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
        const tut_onnx_field *f = tut_onnx_field_of(TUT_ONNX_MODEL, tag >> 3);
        if (!f || (tag & 7) != (uint64_t)f->wire) {
            ret->unknown++;
            if (ret->known == 0 || (tag & 7) != TUT_WIRE_LEN)
                return ret->known > 0;
        }
        ret->known += f != NULL;
        if (f && f->use == TUT_USE_IR) {
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

/* --- primitives --- */

static tut_status malformed(tut_onnx *o, const char *why, tut_error *err)
{
    uint64_t at = tut_stream_pos(o->x->stream);
    tut_exam_observe(o->x, "onnx.malformed", at, "%s", why);
    return tut_fail_at(err, TUT_MALFORMED, at, "%s", why);
}

static tut_status cut_off(tut_onnx *o, tut_error *err)
{
    return tut_fail_at(err, TUT_TRUNCATED, tut_stream_pos(o->x->stream), "the file ends too early");
}

tut_status tut_onnx_varint(tut_onnx *o, uint64_t end, uint64_t *ret, tut_error *err)
{
    uint64_t value = 0, at = tut_stream_pos(o->x->stream);
    for (unsigned i = 0; i < 10; i++) {
        uint8_t byte = 0;
        if (at + i >= end)
            return malformed(o, "a number reaches beyond its message", err);
        if (!tut_is_ok(tut_stream_u8(o->x->stream, &byte)))
            return cut_off(o, err);
        if (i == 9 && byte > 1)
            return malformed(o, "a number of more than 64 bits", err);
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80)
            continue;
        if (i > 0 && byte == 0)
            tut_exam_observe(o->x, "onnx.padded-number", at,
                             "a number is written longer than it needs to be");
        *ret = value;
        return TUT_SUCCESS;
    }
    return malformed(o, "a number of more than ten bytes", err);
}

tut_status tut_onnx_text(tut_onnx *o, uint64_t n, char *to, size_t cap, tut_error *err)
{
    size_t keep = n < cap - 1 ? (size_t)n : cap - 1;
    const uint8_t *raw = NULL;
    if (!tut_is_ok(tut_stream_take(o->x->stream, keep, &raw)))
        return cut_off(o, err);
    memcpy(to, raw, keep);
    to[keep] = '\0';
    return tut_is_ok(tut_stream_skip(o->x->stream, n - keep)) ? TUT_SUCCESS : cut_off(o, err);
}

static tut_status skip(tut_onnx *o, uint64_t n, tut_error *err)
{
    return tut_is_ok(tut_stream_skip(o->x->stream, n)) ? TUT_SUCCESS : cut_off(o, err);
}

/* --- messages --- */

static tut_status push(tut_onnx *o, tut_onnx_message kind, uint64_t end, tut_error *err)
{
    if (o->depth == TUT_ONNX_DEPTH) {
        tut_exam_observe(o->x, "onnx.nesting", tut_stream_pos(o->x->stream),
                         "messages nested over %d deep, where protobuf stops", TUT_ONNX_DEPTH);
        return tut_fail_at(err, TUT_LIMIT, tut_stream_pos(o->x->stream), "nested too deeply");
    }
    tut_onnx_frame *f = &o->stack[o->depth++];
    f->kind = kind;
    f->at = tut_stream_pos(o->x->stream);
    f->end = end;
    f->seen = 0;
    f->number = 0;
    f->a[0] = f->b[0] = '\0';
    if (kind == TUT_ONNX_TENSOR)
        tut_onnx_begin_tensor(o, f->at);
    if (kind == TUT_ONNX_EXTERNAL)
        o->entry_len = 0;
    if (kind == TUT_ONNX_FUNCTION)
        o->function = (tut_onnx_scope){.count = 0};
    o->subgraphs += kind == TUT_ONNX_GRAPH && o->depth > 2;
    return TUT_SUCCESS;
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

/* The message at the top of the stack is read to its end. */
static tut_status end_message(tut_onnx *o, tut_error *err)
{
    const tut_onnx_frame *f = &o->stack[o->depth - 1];
    tut_status status = TUT_SUCCESS;
    if (f->kind == TUT_ONNX_NODE)
        tut_onnx_end_node(o, f);
    if (f->kind == TUT_ONNX_OPSET)
        tut_onnx_end_opset(o, f);
    if (f->kind == TUT_ONNX_METADATA)
        end_metadata(o, f);
    if (f->kind == TUT_ONNX_EXTERNAL)
        tut_onnx_end_entry(o, f);
    if (f->kind == TUT_ONNX_FUNCTION)
        status = tut_onnx_end_function(o, f, err);
    o->depth--;
    if (f->kind == TUT_ONNX_TENSOR)
        status = tut_onnx_end_tensor(o, err);
    return status;
}

static tut_status unknown_field(tut_onnx *o, const tut_onnx_frame *f, uint64_t number,
                                uint64_t wire, uint64_t len, uint64_t at, tut_error *err)
{
    uint64_t from = tut_stream_pos(o->x->stream);
    bool is_model = f->kind == TUT_ONNX_MODEL;
    if (is_model && o->unknown_at == UINT64_MAX)
        o->unknown_at = at;
    uint64_t before = o->unknown_bytes;
    o->unknown_bytes += len;
    if (len >= LARGE_UNKNOWN || (before < MANY_UNKNOWN && o->unknown_bytes >= MANY_UNKNOWN))
        tut_exam_observe(o->x, "onnx.unknown-field", at,
                         "field %" PRIu64 " of a %s, %" PRIu64 " bytes, is none that ONNX knows",
                         number, tut_onnx_message_name(f->kind), len);
    if (wire == TUT_WIRE_LEN && len >= 16)
        TUT_TRY(
            tut_payload_examine(o->x, from, from + len, "in a field that ONNX does not know", err));
    return skip(o, len, err);
}

static tut_status use_text(tut_onnx *o, tut_onnx_frame *f, const tut_onnx_field *field,
                           uint64_t len, tut_error *err)
{
    if (field->use == TUT_USE_PRODUCER)
        return tut_onnx_text(o, len, o->producer, sizeof(o->producer), err);
    if (field->use == TUT_USE_PRODUCER_VERSION)
        return tut_onnx_text(o, len, o->producer_version, sizeof(o->producer_version), err);
    if (field->use == TUT_USE_TEXT_A)
        return tut_onnx_text(o, len, f->a, sizeof(f->a), err);
    if (f->kind == TUT_ONNX_EXTERNAL)
        return tut_onnx_read_entry(o, len, err);
    return tut_onnx_text(o, len, f->b, sizeof(f->b), err);
}

/* A field that the schema knows, in a wire type that it allows; value: number or length. */
static tut_status known_field(tut_onnx *o, tut_onnx_frame *f, const tut_onnx_field *field,
                              uint64_t wire, uint64_t value, tut_error *err)
{
    switch (field->use) {
    case TUT_USE_ENTER:
        return push(o, field->into, tut_stream_pos(o->x->stream) + value, err);
    case TUT_USE_TEXT_A:
    case TUT_USE_TEXT_B:
    case TUT_USE_PRODUCER:
    case TUT_USE_PRODUCER_VERSION:
        return use_text(o, f, field, value, err);
    case TUT_USE_NUMBER:
        f->number = (int64_t)value;
        return TUT_SUCCESS;
    case TUT_USE_IR:
        o->ir = value;
        return TUT_SUCCESS;
    case TUT_USE_DIMS:
    case TUT_USE_DTYPE:
    case TUT_USE_LOCATION:
    case TUT_USE_NAME:
    case TUT_USE_RAW:
    case TUT_USE_FLOATS:
    case TUT_USE_DOUBLES:
    case TUT_USE_INTS:
    case TUT_USE_STRINGS:
        return tut_onnx_tensor_field(o, field, wire, value, err);
    case TUT_USE_SKIP:
        return wire == TUT_WIRE_LEN ? skip(o, value, err) : TUT_SUCCESS;
    }
    return TUT_SUCCESS;
}

static void check_repeat(tut_onnx *o, tut_onnx_frame *f, const tut_onnx_field *field, uint64_t at)
{
    uint64_t bit = (uint64_t)1 << field->number;
    if (!field->repeats && (f->seen & bit))
        tut_exam_observe(
            o->x, "onnx.duplicate-field", at,
            "field %u of a %s stands there twice: some loaders join the two, some take "
            "the last",
            field->number, tut_onnx_message_name(f->kind));
    f->seen |= bit;
}

/* What follows a tag: a number, or the length of what is there. Fixed-size values are passed over.
 */
static tut_status read_value(tut_onnx *o, const tut_onnx_frame *f, uint64_t wire,
                             uint64_t *ret_value, tut_error *err)
{
    *ret_value = 0;
    uint64_t at = tut_stream_pos(o->x->stream);
    if (wire == TUT_WIRE_64 || wire == TUT_WIRE_32) {
        uint64_t n = wire == TUT_WIRE_64 ? 8 : 4;
        if (n > f->end - at)
            return malformed(o, "a value reaches beyond its message", err);
        return skip(o, n, err);
    }
    if (wire != TUT_WIRE_VARINT && wire != TUT_WIRE_LEN)
        return malformed(o, "a wire type that ONNX has no use for", err);
    TUT_TRY(tut_onnx_varint(o, f->end, ret_value, err));
    if (wire == TUT_WIRE_VARINT || *ret_value <= f->end - tut_stream_pos(o->x->stream))
        return TUT_SUCCESS;
    if (o->depth > 1)
        return malformed(o, "a field reaches beyond its message", err);
    tut_exam_observe(o->x, "onnx.malformed", at, "a field claims more bytes than the file has");
    return cut_off(o, err);
}

static tut_status read_field(tut_onnx *o, tut_error *err)
{
    tut_onnx_frame *f = &o->stack[o->depth - 1];
    uint64_t at = tut_stream_pos(o->x->stream), tag = 0, value = 0;
    TUT_TRY(tut_budget_steps(o->x->budget, 1, err));
    if (o->depth == 1)
        o->field_at = at;
    TUT_TRY(tut_onnx_varint(o, f->end, &tag, err));
    uint64_t number = tag >> 3, wire = tag & 7;
    if (number == 0 || number > 0x1fffffff)
        return malformed(o, "a field number outside of protobuf's range", err);
    TUT_TRY(read_value(o, f, wire, &value, err));
    const tut_onnx_field *field = tut_onnx_field_of(f->kind, number);
    if (!field)
        return unknown_field(o, f, number, wire, wire == TUT_WIRE_LEN ? value : 0, at, err);
    bool is_packed = wire == TUT_WIRE_LEN && field->repeats && field->wire != TUT_WIRE_LEN;
    if (wire != (uint64_t)field->wire && !is_packed) {
        tut_exam_observe(o->x, "onnx.wrong-wire-type", at,
                         "field %" PRIu64 " of a %s has wire type %" PRIu64, number,
                         tut_onnx_message_name(f->kind), wire);
        return unknown_field(o, f, number, wire, wire == TUT_WIRE_LEN ? value : 0, at, err);
    }
    check_repeat(o, f, field, at);
    return known_field(o, f, field, wire, value, err);
}

static bool is_model_over(tut_onnx *o)
{
    const tut_onnx_frame *f = &o->stack[0];
    if (f->end != UINT64_MAX)
        return tut_stream_pos(o->x->stream) >= f->end;
    return tut_stream_at_end(o->x->stream);
}

static tut_status walk(tut_onnx *o, tut_error *err)
{
    TUT_TRY(push(o, TUT_ONNX_MODEL, o->x->size, err));
    for (;;) {
        bool is_inner = o->depth > 1;
        bool is_over = is_inner ? tut_stream_pos(o->x->stream) >= o->stack[o->depth - 1].end
                                : is_model_over(o);
        if (!is_over)
            TUT_TRY(read_field(o, err));
        else if (is_inner)
            TUT_TRY(end_message(o, err));
        else
            return TUT_SUCCESS;
    }
}

/* What no loader reads, from the first field that is none of the model's on. */
static tut_status look_behind(tut_onnx *o, tut_status status, tut_error *err)
{
    tut_error why = err ? *err : (tut_error){0};
    uint64_t from = o->unknown_at;
    if (status.code == TUT_MALFORMED || status.code == TUT_TRUNCATED)
        from = o->field_at < from ? o->field_at : from;
    if (o->x->source && from != UINT64_MAX)
        TUT_TRY(tut_payload_examine(o->x, from, o->x->source->size, "behind the model", err));
    TUT_TRY(tut_payload_zip_tail(o->x, "onnx.polyglot", err));
    if (err && !tut_is_ok(status))
        *err = why;
    return TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_AUTO_FREE tut_onnx *o = tut_alloc_array(1, sizeof(*o));
    tut_error own = {0};
    if (!o)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    o->x = x;
    o->unknown_at = UINT64_MAX;
    tut_extents_init(&o->functions, x->budget);
    tut_error *why = err ? err : &own;
    tut_status status = walk(o, why);
    tut_onnx_report(o);
    if (tut_is_ok(status) && !(o->stack[0].seen & (1u << 7)))
        tut_exam_observe(x, "onnx.malformed", 0, "the model has no graph");
    tut_status looked = look_behind(o, status, why);
    tut_extents_done(&o->functions);
    return tut_is_ok(looked) ? status : looked;
}

extern const tut_format tut_format_onnx;

const tut_format tut_format_onnx = {
    .name = "onnx",
    .label = "ONNX",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".onnx",
    .reads = "graph, functions, operators by domain, external data, tensors",
    .rules = "onnx data weights",
};
