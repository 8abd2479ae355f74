/*
 * msgpack, as Flax writes checkpoints, and as other programs use it.
 *
 *   value = nil | bool | int | float | str | bin | array | map | ext
 *   ext 1 = array(3): shape, name of the type, bytes        an array of NumPy (Flax)
 *   ext 2 = array(2): real, imaginary                       ext 3 = as ext 1, without dimensions
 *   ext -1 = a time
 *
 * msgpack_numpy writes arrays as maps with the keys nd, type, kind, shape, data; with the kind "O"
 * it unpickles the data. Nothing recurses; a count is held against the bytes that are left.
 */
#include <inttypes.h>

#include "base/buf.h"
#include "formats/blob.h"
#include "formats/key_stack.h"
#include "formats/payload.h"
#include "formats/snippet.h"

enum {
    DEPTH_MAX = 128,
    TEXT_MAX = 32 << 10,
    DIMS_MAX = 32,
    LONG_TEXT = 4096, /* from here on a text is looked at as bytes are */
    EXT_TIME = -1,
    EXT_ARRAY = 1,
    EXT_COMPLEX = 2,
    EXT_SCALAR = 3
};

typedef enum kind { NIL, NUMBER, STR, BIN, ARRAY, MAP, EXT, NEVER } kind;

/* A marker and what it carries: a length or count, or an unsigned number. */
typedef struct item {
    kind kind;
    uint64_t size;  /* bytes of STR, BIN, EXT; items of ARRAY; pairs of MAP; bytes of NUMBER */
    int64_t number; /* where it is a whole one */
    int8_t ext;
    bool is_whole;
} item;

typedef struct level {
    bool is_map, wants_key;
    uint64_t left;
    bool has_nd, has_object_kind, has_data; /* msgpack_numpy */
} level;

typedef struct unpacker {
    tut_exam *x;
    tut_key_stack keys;
    size_t depth;
    level levels[DEPTH_MAX];
    char key[64];
    size_t key_len;
    uint64_t at; /* of the value at hand */
    uint64_t arrays, parameters, duplicates, texts_told;
    bool is_flax;
    char text[TEXT_MAX];
} unpacker;

/* --- markers --- */
static uint64_t big_endian(const uint8_t *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | at[i];
    return value;
}

/* How many bytes stand behind this marker before the content. */
static size_t marker_bytes(uint8_t m)
{
    static const uint8_t bytes[32] = {
        /* c0 */ 0, 0, 0, 0, 1, 2, 4, 2, 3, 5, 4, 8, 1, 2, 4, 8,
        /* d0 */ 1, 2, 4, 8, 1, 1, 1, 1, 1, 1, 2, 4, 2, 4, 2, 4};
    return m >= 0xc0 && m <= 0xdf ? bytes[m - 0xc0] : 0;
}

/* Two's complement of 1, 2, 4 or 8 bytes. */
static int64_t signed_of(uint64_t value, size_t bytes)
{
    switch (bytes) {
    case 1:
        return (int8_t)value;
    case 2:
        return (int16_t)value;
    case 4:
        return (int32_t)value;
    default:
        return (int64_t)value;
    }
}

static item decode(uint8_t m, const uint8_t *behind)
{
    size_t n = marker_bytes(m);
    uint64_t value = big_endian(behind, n);
    if (m < 0x80 || m >= 0xe0)
        return (item){.kind = NUMBER, .number = (int8_t)m, .is_whole = true};
    if (m < 0x90)
        return (item){.kind = MAP, .size = m & 0x0f};
    if (m < 0xa0)
        return (item){.kind = ARRAY, .size = m & 0x0f};
    if (m < 0xc0)
        return (item){.kind = STR, .size = m & 0x1f};
    if (m == 0xc1)
        return (item){.kind = NEVER};
    if (m <= 0xc3)
        return (item){.kind = NIL};
    if (m <= 0xc6)
        return (item){.kind = BIN, .size = value};
    if (m <= 0xc9)
        return (item){.kind = EXT, .size = value >> 8, .ext = (int8_t)(value & 0xff)};
    if (m <= 0xcb)
        return (item){.kind = NUMBER};
    if (m <= 0xcf)
        return (item){.kind = NUMBER,
                      .number = value > INT64_MAX ? INT64_MAX : (int64_t)value,
                      .is_whole = true};
    if (m <= 0xd3)
        return (item){.kind = NUMBER, .number = signed_of(value, n), .is_whole = true};
    if (m <= 0xd8)
        return (item){.kind = EXT, .size = UINT64_C(1) << (m - 0xd4), .ext = (int8_t)value};
    if (m <= 0xdb)
        return (item){.kind = STR, .size = value};
    return (item){.kind = m <= 0xdd ? ARRAY : MAP, .size = value};
}

/* --- recognising --- */
typedef struct glance {
    bool is_broken, is_map, has_text_key, has_array;
    size_t items;
} glance;

/* Walks over what is seen of the file as if it were msgpack. */
static void look_at(tut_span head, uint64_t size, glance *g)
{
    uint64_t left[DEPTH_MAX];
    size_t depth = 0, at = 0;
    *g = (glance){.is_broken = head.len == 0};
    do {
        size_t n = at < head.len ? marker_bytes(head.data[at]) : 0;
        if (at >= head.len || head.len - at <= n) {
            g->is_broken |= size <= head.len;
            return;
        }
        item i = decode(head.data[at], head.data + at + 1);
        g->is_map |= g->items == 0 && i.kind == MAP && i.size > 0;
        g->has_text_key |= g->items == 1 && i.kind == STR && i.size > 0;
        g->has_array |= i.kind == EXT && i.ext == EXT_ARRAY && head.len - at > n + 1 &&
                        head.data[at + n + 1] == 0x93;
        g->items++;
        at += 1 + n;
        if (depth > 0)
            left[depth - 1]--;
        uint64_t inside = i.kind == MAP ? 2 * i.size : i.kind == ARRAY ? i.size : 0;
        bool is_blob = i.kind == STR || i.kind == BIN || i.kind == EXT;
        if (i.kind == NEVER || depth == DEPTH_MAX || (is_blob && i.size > size - at)) {
            g->is_broken = true;
            return;
        }
        at = is_blob && i.size > head.len - at ? head.len : at + (is_blob ? (size_t)i.size : 0);
        if (inside)
            left[depth++] = inside;
        while (depth > 0 && left[depth - 1] == 0)
            depth--;
    } while (depth > 0);
}

static tut_match sniff(const tut_sniff *s)
{
    glance g;
    bool is_named = tut_sniff_ext(s, ".msgpack .mpk .flax");
    if (tut_sniff_text(s) || s->head.len < 2)
        return TUT_MATCH_NONE;
    look_at(s->head, s->size, &g);
    if (!g.is_broken && g.is_map && g.has_text_key && (g.has_array || is_named))
        return TUT_MATCH_STRONG;
    return is_named ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

/* --- reading --- */
static uint64_t position(const unpacker *u)
{
    return tut_stream_pos(u->x->stream);
}

static uint64_t left_of(const unpacker *u)
{
    return u->x->size == UINT64_MAX   ? UINT64_MAX
           : u->x->size > position(u) ? u->x->size - position(u)
                                      : 0;
}

static tut_status cut_off(unpacker *u, tut_error *err)
{
    return tut_fail_at(err, TUT_TRUNCATED, position(u), "the msgpack ends too early");
}

static tut_status skip(unpacker *u, uint64_t n, tut_error *err)
{
    return tut_is_ok(tut_stream_skip(u->x->stream, n)) ? TUT_SUCCESS : cut_off(u, err);
}

static tut_status beyond(unpacker *u, uint64_t size, tut_error *err)
{
    tut_exam_observe(u->x, "msgpack.size", u->at,
                     "a size of %" PRIu64 ", where %" PRIu64 " bytes are left", size, left_of(u));
    return tut_fail_at(err, TUT_MALFORMED, u->at, "a size that the file cannot hold");
}

static tut_status next_item(unpacker *u, item *ret, tut_error *err)
{
    const uint8_t *raw = NULL;
    u->at = position(u);
    if (!tut_is_ok(tut_stream_peek(u->x->stream, 1, &raw)))
        return cut_off(u, err);
    size_t n = 1 + marker_bytes(raw[0]);
    if (!tut_is_ok(tut_stream_take(u->x->stream, n, &raw)))
        return cut_off(u, err);
    *ret = decode(raw[0], raw + 1);
    if (ret->kind == NEVER) {
        tut_exam_observe(u->x, "msgpack.bad-type", u->at, "a value of the type 0xc1");
        return tut_fail_at(err, TUT_MALFORMED, u->at, "a value of a type that is never used");
    }
    bool has_size = ret->kind != NUMBER && ret->kind != NIL;
    uint64_t need = ret->kind == MAP && ret->size <= UINT64_MAX / 2 ? 2 * ret->size : ret->size;
    return has_size && need > left_of(u) ? beyond(u, ret->size, err) : TUT_SUCCESS;
}

/* At most TEXT_MAX of it into u->text; the rest is passed over. */
static tut_status read_text(unpacker *u, uint64_t size, tut_str *ret, uint64_t *ret_hash,
                            tut_error *err)
{
    const uint8_t *raw = NULL;
    size_t kept = size < TEXT_MAX ? (size_t)size : TEXT_MAX;
    if (kept > 0 && !tut_is_ok(tut_stream_take(u->x->stream, kept, &raw)))
        return cut_off(u, err);
    if (kept > 0)
        memcpy(u->text, raw, kept);
    *ret = (tut_str){u->text, kept};
    *ret_hash = 0xcbf29ce484222325u ^ size;
    for (size_t i = 0; i < kept; i++)
        *ret_hash = (*ret_hash ^ (uint8_t)u->text[i]) * 0x100000001b3u;
    return skip(u, size - kept, err);
}

/* Names by which deserialisers of Python find what they are to call. */
static bool is_object_key(tut_str key)
{
    static const char *const keys[] = {
        "__reduce__",      "__reduce_ex__", "__setstate__", "__getstate__", "__class__",
        "__globals__",     "__builtins__",  "__import__",   "__code__",     "__subclasses__",
        "__init__",        "__new__",       "__call__",     "__pickle__",   "__dill__",
        "__cloudpickle__", "py/object",     "py/reduce",    "py/function",  "py/type",
        "py/repr",         "py/method"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_str_eq_z(key, keys[i]))
            return true;
    return false;
}

static tut_status read_key(unpacker *u, const item *i, tut_error *err)
{
    tut_str text = {"", 0};
    uint64_t hash = (uint64_t)i->number * 0x9e3779b97f4a7c15u ^ (uint64_t)i->kind;
    u->key[0] = '\0';
    if (i->kind == STR || i->kind == BIN)
        TUT_TRY(read_text(u, i->size, &text, &hash, err));
    else if (i->kind == EXT)
        TUT_TRY(skip(u, i->size, err));
    tut_str_copy(u->key, sizeof(u->key), text);
    tut_snippet_check(u->x, TUT_LIT("a key"), text, u->at);
    if (is_object_key(text))
        tut_exam_observe(u->x, "msgpack.object-key", u->at, "a key is %s", u->key);
    level *l = &u->levels[u->depth - 1];
    l->has_nd |= tut_str_eq_z(text, "nd");
    l->has_data |= tut_str_eq_z(text, "data");
    if (!i->is_whole && i->kind != STR && i->kind != BIN)
        return TUT_SUCCESS; /* nothing to compare */
    return tut_key_stack_add(&u->keys, hash, err);
}

/* --- arrays of Flax --- */
typedef struct dtype {
    const char *name, *told;
    uint8_t bytes;
} dtype;

static const dtype dtypes[] = {
    {"float32", "F32", 4},
    {"bfloat16", "BF16", 2},
    {"float16", "F16", 2},
    {"float64", "F64", 8},
    {"int8", "I8", 1},
    {"uint8", "U8", 1},
    {"int16", "I16", 2},
    {"uint16", "U16", 2},
    {"int32", "I32", 4},
    {"uint32", "U32", 4},
    {"int64", "I64", 8},
    {"uint64", "U64", 8},
    {"bool", "BOOL", 1},
    {"complex64", "C64", 8},
    {"complex128", "C128", 16},
    {"float8_e4m3fn", "F8_E4M3", 1},
    {"float8_e5m2", "F8_E5M2", 1},
    {"int4", "I4", 1},
    {"uint4", "U4", 1},
};

static tut_status bad_array(unpacker *u, uint64_t at, uint64_t end, const char *why, tut_error *err)
{
    tut_exam_observe(u->x, "msgpack.bad-array", at, "%s", why);
    return position(u) <= end ? skip(u, end - position(u), err) : cut_off(u, err);
}

typedef struct array {
    uint64_t at, end;
    uint64_t elements;
    bool is_overflow, is_bad;
    tut_buf shape;
    char dtype[32];
} array;

static tut_status read_shape(unpacker *u, array *a, uint64_t dims, tut_error *err)
{
    tut_buf_add_byte(&a->shape, '[');
    for (uint64_t d = 0; d < dims; d++) {
        item i;
        TUT_TRY(next_item(u, &i, err));
        a->is_bad |= !i.is_whole || i.number < 0;
        if (a->is_bad)
            return TUT_SUCCESS;
        a->is_overflow |= __builtin_mul_overflow(a->elements, (uint64_t)i.number, &a->elements);
        tut_buf_printf(&a->shape, "%s%" PRId64, d ? ", " : "", i.number);
    }
    tut_buf_add_byte(&a->shape, ']');
    return tut_buf_check(&a->shape, err);
}

static void tell_array(unpacker *u, array *a, uint64_t bytes)
{
    const dtype *d = NULL;
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
        if (strcmp(dtypes[i].name, a->dtype) == 0)
            d = &dtypes[i];
    uint64_t need = 0;
    u->arrays++;
    if (strncmp(a->dtype, "object", 6) == 0 || strcmp(a->dtype, "O") == 0) {
        tut_exam_observe(u->x, "msgpack.bad-array", a->at, "an array of Python objects");
        return;
    }
    if (!d)
        return;
    if (a->is_overflow || __builtin_mul_overflow(a->elements, d->bytes, &need) || need != bytes) {
        tut_exam_observe(u->x, "msgpack.bad-array", a->at,
                         "an array of %s and the shape %s has %" PRIu64 " bytes", a->dtype,
                         tut_buf_z(&a->shape), bytes);
        return;
    }
    u->parameters += a->elements;
    if (!u->x->ops->tensor)
        return;
    const tut_tensor told = {.name = {u->key, strlen(u->key)},
                             .dtype = d->told,
                             .shape = tut_buf_str(&a->shape),
                             .begin = position(u),
                             .end = position(u) + bytes};
    u->x->ops->tensor(u->x->ctx, &told);
}

static tut_status read_array_parts(unpacker *u, array *a, tut_error *err)
{
    item i;
    tut_str text;
    uint64_t hash;
    TUT_TRY(next_item(u, &i, err));
    if (i.kind != ARRAY || i.size != 3)
        return bad_array(u, a->at, a->end, "an array that is not shape, type and bytes", err);
    TUT_TRY(next_item(u, &i, err));
    if (i.kind != ARRAY || i.size > DIMS_MAX)
        return bad_array(u, a->at, a->end, "an array whose shape is no list of sizes", err);
    TUT_TRY(read_shape(u, a, i.size, err));
    if (a->is_bad)
        return bad_array(u, a->at, a->end, "an array whose shape is no list of sizes", err);
    TUT_TRY(next_item(u, &i, err));
    if ((i.kind != STR && i.kind != BIN) || i.size > sizeof(a->dtype))
        return bad_array(u, a->at, a->end, "an array whose type is no name", err);
    TUT_TRY(read_text(u, i.size, &text, &hash, err));
    tut_str_copy(a->dtype, sizeof(a->dtype), text);
    TUT_TRY(next_item(u, &i, err));
    if ((i.kind != BIN && i.kind != STR) || position(u) > a->end || a->end - position(u) != i.size)
        return bad_array(u, a->at, a->end, "an array whose bytes are not what the rest of it holds",
                         err);
    tell_array(u, a, i.size);
    return skip(u, i.size, err);
}

static tut_status read_array(unpacker *u, uint64_t size, tut_error *err)
{
    array a = {.at = u->at, .end = position(u) + size, .elements = 1};
    tut_buf_init(&a.shape, 1024);
    u->is_flax = true;
    tut_status status = read_array_parts(u, &a, err);
    tut_buf_done(&a.shape);
    return status;
}

/* --- blobs --- */
static tut_status read_ext(unpacker *u, const item *i, tut_error *err)
{
    if (i->ext == EXT_ARRAY || i->ext == EXT_SCALAR)
        return read_array(u, i->size, err);
    if (i->ext == EXT_COMPLEX)
        return skip(u, i->size, err);
    if (i->ext == EXT_TIME) {
        if (i->size != 4 && i->size != 8 && i->size != 12)
            tut_exam_observe(u->x, "msgpack.bad-type", u->at, "a time of %" PRIu64 " bytes",
                             i->size);
        return skip(u, i->size, err);
    }
    tut_exam_observe(u->x, "msgpack.unknown-ext", u->at,
                     "a value of the extension type %d, %" PRIu64 " bytes", i->ext, i->size);
    return tut_blob_look(u->x, i->size, "extension", err);
}

static tut_status read_value_text(unpacker *u, const item *i, tut_error *err)
{
    tut_str text;
    uint64_t hash;
    if (i->size >= LONG_TEXT || i->kind == BIN) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(u->x->stream, i->size < TEXT_MAX ? (size_t)i->size : TEXT_MAX,
                                     &some));
        tut_str head = tut_str_from(some);
        if (tut_utf8_valid(head))
            tut_snippet_check(u->x, tut_str_of(u->key[0] ? u->key : "a value"), head, u->at);
        if (i->kind == BIN && i->size == 1 && some.len == 1 && some.data[0] == 'O' && u->depth > 0)
            u->levels[u->depth - 1].has_object_kind |= strcmp(u->key, "kind") == 0;
        return tut_blob_look(u->x, i->size, i->kind == BIN ? "bytes" : "text", err);
    }
    TUT_TRY(read_text(u, i->size, &text, &hash, err));
    tut_snippet_check(u->x, tut_str_of(u->key[0] ? u->key : "a value"), text, u->at);
    if (u->depth > 0 && strcmp(u->key, "kind") == 0 && tut_str_eq_z(text, "O"))
        u->levels[u->depth - 1].has_object_kind = true;
    return TUT_SUCCESS;
}

/* --- containers --- */
static tut_status open_container(unpacker *u, const item *i, tut_error *err)
{
    bool is_map = i->kind == MAP;
    if (u->depth == DEPTH_MAX) {
        tut_exam_observe(u->x, "msgpack.depth", u->at, "nested deeper than %d", DEPTH_MAX);
        return tut_fail_at(err, TUT_LIMIT, u->at, "nested deeper than %d", DEPTH_MAX);
    }
    u->levels[u->depth++] = (level){.is_map = is_map, .wants_key = is_map, .left = i->size};
    if (is_map)
        tut_key_stack_open(&u->keys);
    return TUT_SUCCESS;
}

static void close_container(unpacker *u)
{
    const level *l = &u->levels[--u->depth];
    if (l->is_map)
        u->duplicates += tut_key_stack_close(&u->keys);
    if (l->has_nd && l->has_object_kind && l->has_data)
        tut_exam_observe(u->x, "msgpack.pickled-array", position(u),
                         "an array of the kind \"O\", whose data is unpickled");
}

static tut_status read_value(unpacker *u, tut_error *err)
{
    item i;
    level *l = u->depth > 0 ? &u->levels[u->depth - 1] : NULL;
    TUT_TRY(tut_budget_steps(u->x->budget, 1, err));
    TUT_TRY(next_item(u, &i, err));
    if (l && l->wants_key && i.kind != ARRAY && i.kind != MAP) {
        l->wants_key = false;
        return read_key(u, &i, err);
    }
    if (l) {
        /* A container as a key: no language has it, and its value follows all the same. */
        bool is_key = l->wants_key;
        l->wants_key = l->is_map && !is_key;
        l->left -= !is_key;
    }
    switch (i.kind) {
    case STR:
    case BIN:
        return read_value_text(u, &i, err);
    case ARRAY:
    case MAP:
        return open_container(u, &i, err);
    case EXT:
        return read_ext(u, &i, err);
    case NIL:
    case NUMBER:
    case NEVER:
        break;
    }
    return TUT_SUCCESS;
}

static tut_status unpack(unpacker *u, tut_error *err)
{
    do {
        TUT_TRY(read_value(u, err));
        while (u->depth > 0 && u->levels[u->depth - 1].left == 0)
            close_container(u);
    } while (u->depth > 0);
    return TUT_SUCCESS;
}

static tut_status look_behind(unpacker *u, tut_error *err)
{
    if (tut_stream_at_end(u->x->stream))
        return TUT_SUCCESS;
    uint64_t at = position(u);
    tut_exam_observe(u->x, "msgpack.trailing-data", at, "bytes follow the value");
    return u->x->source ? tut_payload_examine(u->x, at, u->x->source->size, "behind the value", err)
                        : TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_AUTO_FREE unpacker *u = tut_alloc_array(1, sizeof(*u));
    if (!u)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    u->x = x;
    tut_key_stack_init(&u->keys, x->budget);
    tut_status status = unpack(u, err);
    if (u->duplicates)
        tut_exam_observe(x, "msgpack.duplicate-key", TUT_NO_OFFSET,
                         "%" PRIu64 " keys stand in their map more than once", u->duplicates);
    if (u->is_flax) {
        tut_exam_factf(x, "msgpack.arrays", "%" PRIu64, u->arrays);
        tut_exam_factf(x, "parameters", "%" PRIu64, u->parameters);
    }
    if (tut_is_ok(status))
        status = look_behind(u, err);
    tut_key_stack_done(&u->keys);
    return status;
}

extern const tut_format tut_format_msgpack;

const tut_format tut_format_msgpack = {
    .name = "msgpack",
    .label = "msgpack (Flax)",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".msgpack .mpk .flax",
    .reads =
        "every value: sizes, nesting, extension types, arrays of Flax, blobs by their own format",
    .rules = "msgpack data",
};
