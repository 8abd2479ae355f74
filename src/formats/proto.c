/* The walk over protobuf messages (see proto.h for their grammar). */
#include "formats/proto.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "formats/encoded.h"
#include "formats/payload.h"

enum {
    GROUP = 3, /* wire types of old: loaders pass over what stands between the two */
    GROUP_END = 4,
    LARGE_UNKNOWN = 256, /* bytes of one field that no loader knows */
    MANY_UNKNOWN = 4096, /* and of all of them */
    TELLING = 8,         /* known fields that make up for an unknown one behind them */
};

void tut_proto_init(tut_proto *p, tut_exam *x, const tut_proto_schema *schema,
                    const tut_proto_ops *ops, void *ctx)
{
    p->x = x;
    p->schema = schema;
    p->ops = ops;
    p->ctx = ctx;
    p->depth = 0;
    p->unknown_bytes = p->field_at = 0;
    p->unknown_at = UINT64_MAX;
    size_t row = 0;
    for (size_t kind = 0; kind <= TUT_PROTO_KINDS; kind++) {
        while (row < schema->count && schema->fields[row].in < kind)
            row++;
        p->first[kind] = (uint16_t)row;
    }
}

static void observe(tut_proto *p, const char *rule, uint64_t at, const char *what)
{
    if (rule)
        tut_exam_observe(p->x, rule, at, "%s", what);
}

tut_status tut_proto_bad(tut_proto *p, const char *why, tut_error *err)
{
    uint64_t at = tut_stream_pos(p->x->stream);
    observe(p, p->schema->malformed, at, why);
    return tut_fail_at(err, TUT_MALFORMED, at, "%s", why);
}

tut_status tut_proto_cut(tut_proto *p, tut_error *err)
{
    return tut_fail_at(err, TUT_TRUNCATED, tut_stream_pos(p->x->stream), "the file ends too early");
}

tut_status tut_proto_varint(tut_proto *p, uint64_t end, uint64_t *ret, tut_error *err)
{
    uint64_t value = 0, at = tut_stream_pos(p->x->stream);
    for (unsigned i = 0; i < 10; i++) {
        uint8_t byte = 0;
        if (at + i >= end)
            return tut_proto_bad(p, "a number reaches beyond its message", err);
        if (!tut_is_ok(tut_stream_u8(p->x->stream, &byte)))
            return tut_proto_cut(p, err);
        if (i == 9 && byte > 1)
            return tut_proto_bad(p, "a number of more than 64 bits", err);
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80)
            continue;
        if (i > 0 && byte == 0)
            observe(p, p->schema->padded, at, "a number is written longer than it needs to be");
        *ret = value;
        return TUT_SUCCESS;
    }
    return tut_proto_bad(p, "a number of more than ten bytes", err);
}

tut_status tut_proto_text(tut_proto *p, uint64_t n, char *to, size_t cap, tut_error *err)
{
    size_t keep = n < cap - 1 ? (size_t)n : cap - 1;
    const uint8_t *raw = NULL;
    if (!tut_is_ok(tut_stream_take(p->x->stream, keep, &raw)))
        return tut_proto_cut(p, err);
    memcpy(to, raw, keep);
    to[keep] = '\0';
    return tut_proto_skip(p, n - keep, err);
}

tut_status tut_proto_skip(tut_proto *p, uint64_t n, tut_error *err)
{
    return tut_is_ok(tut_stream_skip(p->x->stream, n)) ? TUT_SUCCESS : tut_proto_cut(p, err);
}

/* Varints end at bytes without the high bit. */
tut_status tut_proto_count(tut_proto *p, uint64_t n, uint64_t *count, tut_error *err)
{
    while (n > 0) {
        tut_span some = {0};
        size_t want = n < TUT_LIMIT_PEEK_BYTES ? (size_t)n : TUT_LIMIT_PEEK_BYTES;
        TUT_TRY(tut_stream_peek_some(p->x->stream, want, &some));
        if (some.len < want)
            return tut_fail(err, TUT_TRUNCATED, "the file ends inside a tensor");
        for (size_t i = 0; i < want; i++)
            *count += !(some.data[i] & 0x80);
        TUT_TRY(tut_stream_skip(p->x->stream, want));
        n -= want;
    }
    return TUT_SUCCESS;
}

/* --- messages --- */

static tut_status push(tut_proto *p, uint8_t kind, uint64_t end, tut_error *err)
{
    if (p->depth == TUT_PROTO_DEPTH) {
        observe(p, p->schema->nesting, tut_stream_pos(p->x->stream),
                "messages nested over 100 deep, where protobuf stops");
        return tut_fail_at(err, TUT_LIMIT, tut_stream_pos(p->x->stream), "nested too deeply");
    }
    tut_proto_frame *f = &p->stack[p->depth++];
    f->kind = kind;
    f->at = tut_stream_pos(p->x->stream);
    f->end = end;
    f->seen = 0;
    f->number = 0;
    f->a[0] = f->b[0] = '\0';
    if (p->ops->begin)
        p->ops->begin(p->ctx, f);
    return TUT_SUCCESS;
}

static const tut_proto_field *find_row(const tut_proto *p, uint8_t kind, uint64_t number)
{
    for (size_t i = p->first[kind]; i < p->first[kind + 1]; i++)
        if (p->schema->fields[i].number == number)
            return &p->schema->fields[i];
    return NULL;
}

const tut_proto_field *tut_proto_field_of(const tut_proto_schema *s, uint8_t in, uint64_t number)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->fields[i].in == in && s->fields[i].number == number)
            return &s->fields[i];
    return NULL;
}

static tut_status unknown_field(tut_proto *p, const tut_proto_frame *f, uint64_t number,
                                uint64_t wire, uint64_t len, uint64_t at, tut_error *err)
{
    uint64_t from = tut_stream_pos(p->x->stream), before = p->unknown_bytes;
    if (p->depth == 1 && p->unknown_at == UINT64_MAX)
        p->unknown_at = at;
    p->unknown_bytes += len;
    bool is_much = len >= LARGE_UNKNOWN ||
                   (before < MANY_UNKNOWN && p->unknown_bytes >= MANY_UNKNOWN);
    if (is_much && p->schema->unknown)
        tut_exam_observe(p->x, p->schema->unknown, at,
                         "field %" PRIu64 " of a %s, %" PRIu64 " bytes, is none that %s knows",
                         number, p->schema->names[f->kind], len, p->schema->family);
    if (wire == TUT_WIRE_LEN && len >= 16) {
        char where[80];
        (void)snprintf(where, sizeof(where), "in a field that %s does not know", p->schema->family);
        TUT_TRY(tut_payload_examine(p->x, from, from + len, where, err));
    }
    return tut_proto_skip(p, len, err);
}

/* A field that the schema knows, in a wire type that it allows; value: number or length. */
static tut_status known_field(tut_proto *p, tut_proto_frame *f, const tut_proto_field *field,
                              uint64_t wire, uint64_t value, tut_error *err)
{
    switch (field->use) {
    case TUT_PROTO_SKIP:
        return wire == TUT_WIRE_LEN ? tut_proto_skip(p, value, err) : TUT_SUCCESS;
    case TUT_PROTO_ENTER:
        return push(p, field->into, tut_stream_pos(p->x->stream) + value, err);
    case TUT_PROTO_PROSE:
        TUT_TRY(tut_encoded_look_ahead(p->x, value, false, err));
        return tut_proto_skip(p, value, err);
    case TUT_PROTO_TEXT_A:
        TUT_TRY(tut_encoded_look_ahead(p->x, value, false, err));
        return tut_proto_text(p, value, f->a, sizeof(f->a), err);
    case TUT_PROTO_TEXT_B:
        TUT_TRY(tut_encoded_look_ahead(p->x, value, false, err));
        return tut_proto_text(p, value, f->b, sizeof(f->b), err);
    case TUT_PROTO_NUMBER:
        f->number = (int64_t)value;
        return TUT_SUCCESS;
    default:
        return p->ops->value(p->ctx, f, field, wire, value, err);
    }
}

static void check_repeat(tut_proto *p, tut_proto_frame *f, const tut_proto_field *field,
                         uint64_t at)
{
    size_t row = (size_t)(field - p->schema->fields) - p->first[f->kind];
    uint64_t bit = (uint64_t)1 << (row & 63);
    if (!field->repeats && (f->seen & bit) && p->schema->duplicate)
        tut_exam_observe(
            p->x, p->schema->duplicate, at,
            "field %u of a %s stands there twice: some loaders join the two, some take "
            "the last",
            field->number, p->schema->names[f->kind]);
    f->seen |= bit;
}

/* What follows a tag: a number, or the length of what is there. Fixed-size values are passed over.
 */
static tut_status read_value(tut_proto *p, const tut_proto_frame *f, uint64_t wire,
                             uint64_t *ret_value, tut_error *err)
{
    *ret_value = 0;
    uint64_t at = tut_stream_pos(p->x->stream);
    if (wire == TUT_WIRE_64 || wire == TUT_WIRE_32) {
        uint64_t n = wire == TUT_WIRE_64 ? 8 : 4;
        if (n > f->end - at)
            return tut_proto_bad(p, "a value reaches beyond its message", err);
        return tut_proto_skip(p, n, err);
    }
    if (wire != TUT_WIRE_VARINT && wire != TUT_WIRE_LEN)
        return tut_proto_bad(p, "a wire type that the format has no use for", err);
    TUT_TRY(tut_proto_varint(p, f->end, ret_value, err));
    if (wire == TUT_WIRE_VARINT || *ret_value <= f->end - tut_stream_pos(p->x->stream))
        return TUT_SUCCESS;
    if (p->depth > 1)
        return tut_proto_bad(p, "a field reaches beyond its message", err);
    observe(p, p->schema->malformed, at, "a field claims more bytes than the file has");
    return tut_proto_cut(p, err);
}

/* A group holds fields of any kind, further groups among them. Nothing in use has one. */
static tut_status skip_group(tut_proto *p, const tut_proto_frame *f, uint64_t number, uint64_t at,
                             tut_error *err)
{
    uint64_t open[TUT_PROTO_DEPTH] = {number}, tag = 0, value = 0;
    size_t depth = 1;
    if (p->depth == 1 && p->unknown_at == UINT64_MAX)
        p->unknown_at = at;
    if (p->schema->wrong_wire)
        tut_exam_observe(p->x, p->schema->wrong_wire, at, "field %" PRIu64 " of a %s is a group",
                         number, p->schema->names[f->kind]);
    while (depth > 0) {
        TUT_TRY(tut_budget_steps(p->x->budget, 1, err));
        TUT_TRY(tut_proto_varint(p, f->end, &tag, err));
        uint64_t wire = tag & 7;
        if (wire == GROUP && depth == TUT_PROTO_DEPTH)
            return tut_proto_bad(p, "groups nested over 100 deep", err);
        if (wire == GROUP_END && open[depth - 1] != tag >> 3)
            return tut_proto_bad(p, "a group ends under another number", err);
        if (wire == GROUP)
            open[depth++] = tag >> 3;
        else if (wire == GROUP_END)
            depth--;
        else
            TUT_TRY(read_value(p, f, wire, &value, err));
        if (wire == TUT_WIRE_LEN)
            TUT_TRY(tut_proto_skip(p, value, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_field(tut_proto *p, tut_error *err)
{
    tut_proto_frame *f = &p->stack[p->depth - 1];
    uint64_t at = tut_stream_pos(p->x->stream), tag = 0, value = 0;
    TUT_TRY(tut_budget_steps(p->x->budget, 1, err));
    if (p->depth == 1)
        p->field_at = at;
    TUT_TRY(tut_proto_varint(p, f->end, &tag, err));
    uint64_t number = tag >> 3, wire = tag & 7;
    if (number == 0 || number > 0x1fffffff)
        return tut_proto_bad(p, "a field number outside of protobuf's range", err);
    if (wire == GROUP)
        return skip_group(p, f, number, at, err);
    TUT_TRY(read_value(p, f, wire, &value, err));
    const tut_proto_field *field = find_row(p, f->kind, number);
    uint64_t len = wire == TUT_WIRE_LEN ? value : 0;
    if (!field)
        return unknown_field(p, f, number, wire, len, at, err);
    bool is_packed = wire == TUT_WIRE_LEN && field->repeats && field->wire != TUT_WIRE_LEN;
    if (wire != field->wire && !is_packed) {
        if (p->schema->wrong_wire)
            tut_exam_observe(p->x, p->schema->wrong_wire, at,
                             "field %" PRIu64 " of a %s has wire type %" PRIu64, number,
                             p->schema->names[f->kind], wire);
        return unknown_field(p, f, number, wire, len, at, err);
    }
    check_repeat(p, f, field, at);
    return known_field(p, f, field, wire, value, err);
}

static tut_status end_message(tut_proto *p, tut_error *err)
{
    const tut_proto_frame *f = &p->stack[--p->depth];
    return p->ops->end ? p->ops->end(p->ctx, f, err) : TUT_SUCCESS;
}

static bool is_over(tut_proto *p)
{
    const tut_proto_frame *f = &p->stack[p->depth - 1];
    if (f->end != UINT64_MAX)
        return tut_stream_pos(p->x->stream) >= f->end;
    return tut_stream_at_end(p->x->stream);
}

tut_status tut_proto_walk(tut_proto *p, uint8_t kind, uint64_t end, tut_error *err)
{
    TUT_TRY(push(p, kind, end, err));
    for (;;) {
        if (!is_over(p))
            TUT_TRY(read_field(p, err));
        else if (p->depth > 1)
            TUT_TRY(end_message(p, err));
        else
            return TUT_SUCCESS;
    }
}

tut_status tut_proto_look_behind(tut_proto *p, tut_status status, const char *polyglot,
                                 tut_error *err)
{
    tut_error why = err ? *err : (tut_error){0};
    uint64_t from = p->unknown_at;
    if (status.code == TUT_MALFORMED || status.code == TUT_TRUNCATED)
        from = p->field_at < from ? p->field_at : from;
    if (p->x->source && from != UINT64_MAX)
        TUT_TRY(tut_payload_examine(p->x, from, p->x->source->size, "behind the model", err));
    TUT_TRY(tut_payload_zip_tail(p->x, polyglot, err));
    if (err && !tut_is_ok(status))
        *err = why;
    return status;
}

/* --- sniffing --- */

static bool is_text(const tut_reader *r, uint64_t len)
{
    const uint8_t *text = r->data + r->pos;
    for (size_t i = 0; i < tut_reader_left(r) && i < len; i++) {
        if ((text[i] < ' ' && text[i] != '\n' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    }
    return true;
}

typedef struct sniffing {
    const tut_proto_schema *schema;
    tut_reader r;
    uint64_t ends[TUT_PROTO_DEPTH];
    uint8_t kinds[TUT_PROTO_DEPTH];
    size_t depth, known;
} sniffing;

/* One field of the innermost message; false: it does not fit. *ret_more: the head goes on. */
static bool sniff_field(sniffing *s, bool *ret_more)
{
    uint64_t tag = 0, value = 0, end = s->ends[s->depth - 1];
    *ret_more = false;
    tut_reader before = s->r;
    if (!tut_is_ok(tut_reader_varint(&s->r, &tag)))
        return tut_reader_left(&before) < 10;
    const tut_proto_field *f = tut_proto_field_of(s->schema, s->kinds[s->depth - 1], tag >> 3);
    uint64_t wire = tag & 7;
    if (!f || (wire != f->wire && !(wire == TUT_WIRE_LEN && f->repeats)))
        return false;
    if (wire == TUT_WIRE_32 || wire == TUT_WIRE_64) {
        s->known++;
        *ret_more = tut_is_ok(tut_reader_skip(&s->r, wire == TUT_WIRE_32 ? 4 : 8));
        return true;
    }
    before = s->r;
    if (!tut_is_ok(tut_reader_varint(&s->r, &value)))
        return tut_reader_left(&before) < 10;
    if (wire == TUT_WIRE_LEN && (s->r.pos > end || value > end - s->r.pos))
        return false;
    s->known++;
    bool is_named = f->use == TUT_PROTO_TEXT_A || f->use == TUT_PROTO_TEXT_B;
    if (is_named && !is_text(&s->r, value))
        return false;
    if (f->use == TUT_PROTO_ENTER && s->depth < TUT_PROTO_DEPTH) {
        s->ends[s->depth] = s->r.pos + value;
        s->kinds[s->depth++] = f->into;
        *ret_more = true;
        return true;
    }
    *ret_more = wire != TUT_WIRE_LEN || tut_is_ok(tut_reader_skip(&s->r, value));
    return true;
}

bool tut_proto_shows(const tut_proto_schema *schema, uint8_t kind, const tut_sniff *sniff)
{
    tut_reader r = tut_reader_of(sniff->head);
    size_t groups = 0;
    uint64_t tag = 0, value = 0;
    while (tut_is_ok(tut_reader_varint(&r, &tag))) {
        uint64_t number = tag >> 3, wire = tag & 7;
        const tut_proto_field *f = tut_proto_field_of(schema, kind, number);
        if (number == 0 || number > 0x1fffffff || wire > TUT_WIRE_32 ||
            (wire == GROUP_END && groups == 0))
            return false;
        if (f && groups == 0 && wire == f->wire)
            return true;
        groups += wire == GROUP;
        groups -= wire == GROUP_END;
        if (wire == GROUP || wire == GROUP_END)
            continue;
        bool is_number = wire == TUT_WIRE_VARINT || wire == TUT_WIRE_LEN;
        if (is_number && !tut_is_ok(tut_reader_varint(&r, &value)))
            return false;
        uint64_t n = wire == TUT_WIRE_64 ? 8 : wire == TUT_WIRE_32 ? 4 : 0;
        n = wire == TUT_WIRE_LEN ? value : n;
        if (n > sniff->size - r.pos)
            return false;
        if (!tut_is_ok(tut_reader_skip(&r, n)))
            return true; /* beyond the head */
    }
    return false;
}

size_t tut_proto_sniff(const tut_proto_schema *schema, uint8_t kind, const tut_sniff *sniff)
{
    sniffing s = {.schema = schema, .r = tut_reader_of(sniff->head), .depth = 1};
    s.ends[0] = sniff->size;
    s.kinds[0] = kind;
    bool more = true;
    while (more && tut_reader_left(&s.r) > 0) {
        while (s.depth > 1 && s.r.pos >= s.ends[s.depth - 1])
            s.depth--;
        bool is_outermost = s.depth == 1;
        /* Whoever appends to a sound message must not make it unknown by that. */
        if (!sniff_field(&s, &more))
            return is_outermost && s.known >= TELLING ? s.known : 0;
    }
    return s.known;
}
