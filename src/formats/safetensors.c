/*
 * safetensors:
 *
 *   file   = length header data          length: u64 little endian, at most 100,000,000
 *   header = JSON object, first byte "{", padded with spaces:
 *            { ["__metadata__": { string: string }]
 *              name: { "dtype": type, "shape": [n ...], "data_offsets": [begin, end] } ... }
 *   data   = the tensors side by side, without gap or overlap, to the end of the file
 *
 * The header is read as a stream, so that one of 100 MB needs no more memory than its table of
 * offsets.
 */
#include <string.h>

#include "base/buf.h"
#include "formats/extents.h"
#include "formats/format.h"
#include "formats/json_pull.h"
#include "formats/payload.h"
#include "formats/snippet.h"

enum { LENGTH_BYTES = 8, DTYPE_MAX = 16, MAX_DIMS_SHOWN = 64 };

typedef struct dtype_row {
    const char *name;
    uint8_t bits;
} dtype_row;

static const dtype_row dtypes[] = {
    {"F32", 32},    {"F16", 16},    {"BF16", 16},   {"F64", 64},    {"I64", 64},
    {"I32", 32},    {"I16", 16},    {"I8", 8},      {"U64", 64},    {"U32", 32},
    {"U16", 16},    {"U8", 8},      {"BOOL", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8},
    {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},      {"C64", 64},
};
enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

/* One tensor as its entry says. */
typedef struct tensor {
    char name[256]; /* for messages */
    uint64_t at;    /* of the entry in the file */
    int dtype;      /* index, or -1 */
    bool has_dtype, has_shape, has_offsets;
    bool is_sound; /* so far */
    uint64_t dims[MAX_DIMS_SHOWN];
    size_t dim_count;
    uint64_t elements;
    bool is_overflow;
    uint64_t begin, end;
} tensor;

typedef struct safetensors {
    tut_exam *x;
    tut_json_pull pull;
    uint64_t data_at;
    uint64_t data_size; /* UINT64_MAX: not known */
    uint64_t data_end;  /* highest end of a tensor */
    tut_extents extents;
    uint64_t counts[DTYPES];
    uint64_t tensors, parameters;
    bool has_metadata;
} safetensors;

static uint64_t u64le(const uint8_t *p)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static tut_match sniff(const tut_sniff *s)
{
    bool is_named = tut_sniff_ext(s, ".safetensors");
    if (s->head.len < LENGTH_BYTES + 1)
        return is_named && s->head.len >= LENGTH_BYTES ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
    uint64_t len = u64le(s->head.data);
    size_t at = LENGTH_BYTES;
    if (s->head.data[at] != '{')
        return is_named && len <= TUT_LIMIT_SAFETENSORS_HEADER ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
    for (at++; at < s->head.len && is_space(s->head.data[at]); at++)
        ;
    bool is_json = at < s->head.len && (s->head.data[at] == '"' || s->head.data[at] == '}');
    bool is_fit = len >= 2 && len <= TUT_LIMIT_SAFETENSORS_HEADER &&
                  (s->size == UINT64_MAX || len <= s->size - LENGTH_BYTES);
    tut_str text = tut_str_from(s->head);
    size_t hit = 0;
    bool has_words = tut_str_find(text, TUT_LIT("\"dtype\""), &hit) ||
                     tut_str_find(text, TUT_LIT("__metadata__"), &hit);
    if (is_json && is_fit)
        return has_words || s->head.data[at] == '}' ? TUT_MATCH_SURE : TUT_MATCH_STRONG;
    if (has_words)
        return TUT_MATCH_STRONG;
    return is_named ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

/* --- the header, value by value --- */

static tut_status next(safetensors *s, tut_json_token *ret_token, tut_error *err)
{
    TUT_TRY(tut_budget_steps(s->x->budget, 1, err));
    return tut_json_pull_next(&s->pull, ret_token, err);
}

/* The rest of a value whose first token is at hand. */
static tut_status skip_value(safetensors *s, tut_json_token token, tut_error *err)
{
    uint32_t depth = 0;
    for (;;) {
        if (token == TUT_TOKEN_OBJECT || token == TUT_TOKEN_ARRAY)
            depth++;
        if (token == TUT_TOKEN_OBJECT_END || token == TUT_TOKEN_ARRAY_END)
            depth--;
        if (depth == 0)
            return TUT_SUCCESS;
        TUT_TRY(next(s, &token, err));
    }
}

static bool name_is(const safetensors *s, const char *name)
{
    return s->pull.text_total == s->pull.text.len &&
           tut_str_eq_z(tut_json_pull_text(&s->pull), name);
}

static void metadata_fact(safetensors *s, tut_str key, tut_str value)
{
    static const struct {
        const char *key, *fact;
    } rows[] = {
        {"format", "safetensors.format"},
        {"architecture", "safetensors.architecture"},
        {"modelspec.architecture", "safetensors.architecture"},
        {"license", "licence"},
        {"licence", "licence"},
        {"modelspec.license", "licence"},
        {"base_model", "refers.model"},
        {"ss_sd_model_name", "refers.model"},
    };
    tut_snippet_check(s->x, key, value, s->pull.offset);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (tut_str_eq_z(key, rows[i].key) && value.len > 0)
            tut_exam_fact(s->x, rows[i].fact, value);
}

static tut_status read_metadata(safetensors *s, tut_error *err)
{
    tut_json_token token = TUT_TOKEN_NULL;
    char key[64];
    if (s->has_metadata)
        tut_exam_observe(s->x, "safetensors.duplicate-key", s->pull.offset,
                         "__metadata__ stands there twice");
    s->has_metadata = true;
    TUT_TRY(next(s, &token, err));
    if (token != TUT_TOKEN_OBJECT) {
        tut_exam_observe(s->x, "safetensors.bad-metadata", s->pull.offset,
                         "__metadata__ is not an object");
        return skip_value(s, token, err);
    }
    for (;;) {
        TUT_TRY(next(s, &token, err));
        if (token == TUT_TOKEN_OBJECT_END)
            return TUT_SUCCESS;
        tut_str_copy(key, sizeof(key), tut_json_pull_text(&s->pull));
        /* The names of tensors are a set of their own. */
        TUT_TRY(tut_extents_name(&s->extents, ~s->pull.text_hash, err));
        TUT_TRY(next(s, &token, err));
        if (token == TUT_TOKEN_STRING)
            metadata_fact(s, tut_str_of(key), tut_json_pull_text(&s->pull));
        else
            tut_exam_observe(s->x, "safetensors.bad-metadata", s->pull.offset,
                             "the metadata value %s is not a string", key);
        TUT_TRY(skip_value(s, token, err));
    }
}

static void spoil(safetensors *s, tensor *t, const char *rule, const char *what)
{
    t->is_sound = false;
    tut_exam_observe(s->x, rule, t->at, "tensor %s: %s", t->name, what);
}

static tut_status read_dtype(safetensors *s, tensor *t, tut_json_token token, tut_error *err)
{
    if (token != TUT_TOKEN_STRING) {
        spoil(s, t, "safetensors.bad-entry", "its dtype is not a string");
        return skip_value(s, token, err);
    }
    for (int i = 0; i < DTYPES; i++)
        if (name_is(s, dtypes[i].name))
            t->dtype = i;
    if (t->dtype < 0) {
        t->is_sound = false;
        tut_exam_observe(s->x, "safetensors.unknown-dtype", t->at, "tensor %s: type %.*s", t->name,
                         s->pull.text.len < DTYPE_MAX ? (int)s->pull.text.len : DTYPE_MAX,
                         tut_json_pull_text(&s->pull).data);
    }
    return TUT_SUCCESS;
}

/* Numbers of an array, at most `cap` are kept. *ret_count is how many there are; *ret_is_plain that
 * all are whole and not negative. */
static tut_status read_numbers(safetensors *s, tut_json_token token, uint64_t *numbers, size_t cap,
                               size_t *ret_count, bool *ret_is_plain, tut_error *err)
{
    size_t count = 0;
    bool is_plain = token == TUT_TOKEN_ARRAY;
    if (!is_plain)
        TUT_TRY(skip_value(s, token, err));
    while (token == TUT_TOKEN_ARRAY) {
        tut_json_token item = TUT_TOKEN_NULL;
        uint64_t value = 0;
        TUT_TRY(next(s, &item, err));
        if (item == TUT_TOKEN_ARRAY_END)
            break;
        if (item != TUT_TOKEN_NUMBER || !tut_json_pull_u64(&s->pull, &value))
            is_plain = false;
        TUT_TRY(skip_value(s, item, err));
        if (count < cap)
            numbers[count] = value;
        count++;
    }
    *ret_count = count;
    *ret_is_plain = is_plain;
    return TUT_SUCCESS;
}

static tut_status read_shape(safetensors *s, tensor *t, tut_json_token token, tut_error *err)
{
    uint64_t *dims = t->dims;
    size_t count = 0;
    bool is_plain = false;
    TUT_TRY(read_numbers(s, token, dims, MAX_DIMS_SHOWN, &count, &is_plain, err));
    if (!is_plain) {
        spoil(s, t, "safetensors.bad-shape", "its shape is not a list of whole numbers");
        return TUT_SUCCESS;
    }
    if (count > MAX_DIMS_SHOWN) {
        spoil(s, t, "safetensors.bad-shape", "more dimensions than any tensor has");
        return TUT_SUCCESS;
    }
    t->dim_count = count;
    t->elements = 1;
    /* Loaders multiply in this order too, so an overflow in front of a zero is one all the same. */
    for (size_t i = 0; i < count; i++)
        t->is_overflow |= __builtin_mul_overflow(t->elements, dims[i], &t->elements);
    return TUT_SUCCESS;
}

static tut_status read_offsets(safetensors *s, tensor *t, tut_json_token token, tut_error *err)
{
    uint64_t offsets[2] = {0};
    size_t count = 0;
    bool is_plain = false;
    TUT_TRY(read_numbers(s, token, offsets, 2, &count, &is_plain, err));
    if (!is_plain || count != 2)
        spoil(s, t, "safetensors.bad-offsets", "its offsets are not two whole numbers");
    else if (offsets[0] > offsets[1])
        spoil(s, t, "safetensors.bad-offsets", "it ends before it begins");
    t->begin = offsets[0];
    t->end = offsets[1];
    return TUT_SUCCESS;
}

static tut_status read_field(safetensors *s, tensor *t, tut_error *err)
{
    static const char *const names[] = {"dtype", "shape", "data_offsets"};
    bool *const seen[] = {&t->has_dtype, &t->has_shape, &t->has_offsets};
    int field = -1;
    tut_json_token token = TUT_TOKEN_NULL;
    for (int i = 0; i < 3; i++)
        if (name_is(s, names[i]))
            field = i;
    if (field >= 0 && *seen[field])
        spoil(s, t, "safetensors.duplicate-key", "a field stands there twice");
    if (field >= 0)
        *seen[field] = true;
    else
        tut_exam_observe(s->x, "safetensors.extra-field", s->pull.offset,
                         "tensor %s has a field that the format does not know", t->name);
    TUT_TRY(next(s, &token, err));
    if (field == 0)
        return read_dtype(s, t, token, err);
    if (field == 1)
        return read_shape(s, t, token, err);
    if (field == 2)
        return read_offsets(s, t, token, err);
    return skip_value(s, token, err);
}

static void tell_tensor(const safetensors *s, const tensor *t)
{
    TUT_CLEAN(tut_buf) shape = TUT_BUF_INIT;
    if (!s->x->ops->tensor)
        return;
    for (size_t i = 0; i < t->dim_count; i++)
        tut_buf_printf(&shape, "%s%llu", i ? ", " : "[", (unsigned long long)t->dims[i]);
    tut_buf_add_z(&shape, t->dim_count ? "]" : "[]");
    const tut_tensor told = {.name = tut_str_of(t->name),
                             .dtype = dtypes[t->dtype].name,
                             .shape = tut_buf_str(&shape),
                             .begin = s->data_at + t->begin,
                             .end = s->data_at + t->end};
    s->x->ops->tensor(s->x->ctx, &told);
}

static tut_status check_tensor(safetensors *s, tensor *t, tut_error *err)
{
    uint64_t bits = 0;
    if (!t->has_dtype || !t->has_shape || !t->has_offsets) {
        spoil(s, t, "safetensors.bad-entry", "dtype, shape or data_offsets is missing");
        return TUT_SUCCESS;
    }
    if (t->dtype >= 0)
        t->is_overflow |= __builtin_mul_overflow(t->elements, (uint64_t)dtypes[t->dtype].bits,
                                                 &bits);
    if (t->is_overflow)
        spoil(s, t, "safetensors.shape-overflow", "the product of its shape exceeds 64 bits");
    else if (t->is_sound && (bits % 8 != 0 || bits / 8 != t->end - t->begin))
        spoil(s, t, "safetensors.size-mismatch", "its bytes are not those of its type and shape");
    if (t->begin > t->end || !t->has_offsets)
        return TUT_SUCCESS;
    if (s->data_size != UINT64_MAX && t->end > s->data_size)
        spoil(s, t, "safetensors.out-of-range", "it lies beyond the end of the file");
    TUT_TRY(tut_extents_add(&s->extents, t->begin, t->end, err));
    s->data_end = t->end > s->data_end ? t->end : s->data_end;
    if (!t->is_sound)
        return TUT_SUCCESS;
    s->counts[t->dtype]++;
    s->parameters += t->elements;
    tell_tensor(s, t);
    return TUT_SUCCESS;
}

static tut_status read_tensor(safetensors *s, tut_error *err)
{
    tut_json_token token = TUT_TOKEN_NULL;
    tensor t = {.dtype = -1, .is_sound = true, .at = s->pull.offset};
    tut_str_copy(t.name, sizeof(t.name), tut_json_pull_text(&s->pull));
    TUT_TRY(tut_extents_name(&s->extents, s->pull.text_hash, err));
    s->tensors++;
    TUT_TRY(next(s, &token, err));
    if (token != TUT_TOKEN_OBJECT) {
        spoil(s, &t, "safetensors.bad-entry", "its entry is not an object");
        return skip_value(s, token, err);
    }
    for (;;) {
        TUT_TRY(next(s, &token, err));
        if (token == TUT_TOKEN_OBJECT_END)
            return check_tensor(s, &t, err);
        TUT_TRY(read_field(s, &t, err));
    }
}

static tut_status read_header(safetensors *s, tut_error *err)
{
    tut_json_token token = TUT_TOKEN_NULL;
    TUT_TRY(next(s, &token, err));
    if (token != TUT_TOKEN_OBJECT)
        return tut_fail_at(err, TUT_MALFORMED, LENGTH_BYTES, "the header is not a JSON object");
    for (;;) {
        TUT_TRY(next(s, &token, err));
        if (token == TUT_TOKEN_OBJECT_END)
            break;
        if (name_is(s, "__metadata__"))
            TUT_TRY(read_metadata(s, err));
        else
            TUT_TRY(read_tensor(s, err));
    }
    if (s->pull.has_lone_surrogate)
        tut_exam_observe(s->x, "safetensors.bad-header", LENGTH_BYTES,
                         "half a surrogate pair stands in the header: some loaders refuse it, some "
                         "take it for another name");
    if (!tut_json_pull_is_exhausted(&s->pull))
        return tut_fail_at(err, TUT_MALFORMED, s->pull.offset,
                           "bytes follow the JSON inside the header");
    return TUT_SUCCESS;
}

/* --- what the header makes of the data --- */

static void report_facts(safetensors *s)
{
    TUT_CLEAN(tut_buf) list;
    tut_buf_init(&list, 512);
    for (int i = 0; i < DTYPES; i++)
        if (s->counts[i])
            tut_buf_printf(&list, "%s%s %llu", list.len ? ", " : "", dtypes[i].name,
                           (unsigned long long)s->counts[i]);
    tut_exam_factf(s->x, "safetensors.tensors", "%llu", (unsigned long long)s->tensors);
    tut_exam_factf(s->x, "parameters", "%llu", (unsigned long long)s->parameters);
    if (list.len)
        tut_exam_fact(s->x, "safetensors.dtypes", tut_buf_str(&list));
}

static tut_status check_layout(safetensors *s, tut_error *err)
{
    uint64_t covered = 0;
    tut_extents_sort(&s->extents);
    for (size_t i = 0; i < s->extents.count; i++) {
        const tut_extent *e = &s->extents.items[i];
        if (e->start < covered && e->end > e->start)
            tut_exam_observe(s->x, "safetensors.overlap", s->data_at + e->start,
                             "two tensors share bytes from offset %llu of the data on",
                             (unsigned long long)e->start);
        if (e->start > covered) {
            tut_exam_observe(s->x, "safetensors.hole", s->data_at + covered,
                             "%llu bytes of the data belong to no tensor",
                             (unsigned long long)(e->start - covered));
            TUT_TRY(tut_payload_examine(s->x, s->data_at + covered, s->data_at + e->start,
                                        "between two tensors", err));
        }
        covered = e->end > covered ? e->end : covered;
    }
    size_t again = tut_extents_duplicates(&s->extents);
    if (again)
        tut_exam_observe(s->x, "safetensors.duplicate-key", LENGTH_BYTES,
                         "%zu names stand in the header more than once", again);
    return TUT_SUCCESS;
}

static tut_status check_tail(safetensors *s, tut_error *err)
{
    tut_stream *stream = s->x->stream;
    if (!tut_is_ok(tut_stream_skip(stream, s->data_end))) {
        if (s->data_size == UINT64_MAX) /* else each tensor was told of */
            tut_exam_observe(s->x, "safetensors.out-of-range", s->data_at,
                             "the tensors end behind the data that there is");
        return tut_fail(err, TUT_TRUNCATED, "the data is shorter than the header says");
    }
    if (tut_stream_at_end(stream))
        return TUT_SUCCESS;
    uint64_t at = tut_stream_pos(stream);
    tut_exam_observe(s->x, "safetensors.trailing-data", at, "bytes follow the last tensor");
    if (s->x->source)
        return tut_payload_examine(s->x, at, s->x->source->size, "behind the last tensor", err);
    return s->x->ops->member
               ? s->x->ops->member(s->x->ctx, TUT_LIT("[trailing]"), NULL, stream, UINT64_MAX, err)
               : TUT_SUCCESS;
}

/* A length whose first byte is 'V' (pickle's UNICODE, which runs to the next newline) and a newline
 * in the header: whoever unpickles the file goes on behind that newline. */
static void check_pickle_reading(safetensors *s, uint64_t len)
{
    if ((len & 0xff) == 'V' && s->pull.has_raw_newline)
        tut_exam_observe(s->x, "safetensors.polyglot", 0,
                         "read as a pickle, the length and the header are one string, and what "
                         "follows its first newline is run");
}

static tut_status header_failed(safetensors *s, tut_status status, tut_error *err)
{
    tut_error why = err ? *err : (tut_error){0};
    if (status.code == TUT_MALFORMED || status.code == TUT_TRUNCATED)
        tut_exam_observe(s->x, "safetensors.bad-header", why.has_offset ? why.offset : LENGTH_BYTES,
                         "%s", why.text[0] ? why.text : "the header is no JSON object");
    else if (status.code == TUT_LIMIT && s->pull.depth >= s->pull.max_depth)
        tut_exam_observe(s->x, "safetensors.header-depth", s->pull.offset,
                         "the header is nested over %u deep, where three will do",
                         s->pull.max_depth);
    if (s->data_size != UINT64_MAX)
        TUT_TRY(tut_payload_examine(s->x, s->data_at, s->data_at + s->data_size,
                                    "behind the header", err));
    if (err)
        *err = why;
    return status;
}

static tut_status examine_header(safetensors *s, uint64_t len, tut_error *err)
{
    tut_error own = {0};
    tut_error *why = err ? err : &own;
    tut_status status = read_header(s, why);
    check_pickle_reading(s, len);
    report_facts(s);
    if (!tut_is_ok(status))
        return header_failed(s, status, why);
    tut_json_pull_done(&s->pull);
    TUT_TRY(check_layout(s, err));
    return check_tail(s, err);
}

/* Where the header ends must lie inside the file and the cap. */
static tut_status check_length(tut_exam *x, uint64_t len, tut_error *err)
{
    bool is_beyond = x->size != UINT64_MAX && len > x->size - LENGTH_BYTES;
    if (len > TUT_LIMIT_SAFETENSORS_HEADER) {
        tut_exam_observe(x, "safetensors.header-length", 0,
                         "a header of %llu bytes; loaders refuse more than %u",
                         (unsigned long long)len, TUT_LIMIT_SAFETENSORS_HEADER);
        return tut_fail_at(err, is_beyond ? TUT_MALFORMED : TUT_LIMIT, 0,
                           "the header is too large to be one");
    }
    if (is_beyond) {
        tut_exam_observe(x, "safetensors.header-length", 0,
                         "a header of %llu bytes in a file of %llu", (unsigned long long)len,
                         (unsigned long long)x->size);
        return tut_fail_at(err, TUT_TRUNCATED, 0, "the header ends behind the file");
    }
    return TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    const uint8_t *raw = NULL;
    safetensors s = {.x = x, .data_size = UINT64_MAX};
    if (!tut_is_ok(tut_stream_take(x->stream, LENGTH_BYTES, &raw)))
        return tut_fail(err, TUT_TRUNCATED, "no room for the header's length");
    uint64_t len = u64le(raw);
    TUT_TRY(tut_payload_zip_tail(x, "safetensors.polyglot", err));
    TUT_TRY(check_length(x, len, err));
    if (tut_is_ok(tut_stream_peek(x->stream, 1, &raw)) && raw[0] != '{')
        tut_exam_observe(x, "safetensors.bad-header", LENGTH_BYTES,
                         "the header does not begin with a brace");
    s.data_at = LENGTH_BYTES + len;
    if (x->size != UINT64_MAX)
        s.data_size = x->size - s.data_at;
    tut_extents_init(&s.extents, x->budget);
    tut_json_pull_init(&s.pull, x->stream, len, 0);
    tut_status status = examine_header(&s, len, err);
    tut_json_pull_done(&s.pull);
    tut_extents_done(&s.extents);
    return status;
}

extern const tut_format tut_format_safetensors;

const tut_format tut_format_safetensors = {
    .name = "safetensors",
    .label = "safetensors",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".safetensors",
    .reads = "header, ranges of tensors, low bits and starts of tensors, what follows",
    .rules = "safetensors data weights",
};
