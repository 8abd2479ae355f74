#include "formats/ubj_pull.h"

#include <inttypes.h>

#include "base/limits.h"

unsigned tut_ubj_type_bytes(uint8_t type)
{
    switch (type) {
    case 'i':
    case 'U':
    case 'C':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

static bool is_empty_type(uint8_t type)
{
    return type == 'Z' || type == 'T' || type == 'F' || type == 'N';
}

void tut_ubj_pull_init(tut_ubj_pull *p, tut_stream *stream, uint64_t size)
{
    memset(p, 0, sizeof(*p));
    p->stream = stream;
    p->size = size;
    p->text_cap = TUT_JSON_PULL_TEXT;
}

void tut_ubj_pull_done(tut_ubj_pull *p)
{
    tut_buf_done(&p->text);
}

static uint64_t left_of(const tut_ubj_pull *p)
{
    uint64_t at = tut_stream_pos(p->stream);
    if (p->size == UINT64_MAX)
        return UINT64_MAX;
    return p->size > at ? p->size - at : 0;
}

static tut_status cut_off(tut_ubj_pull *p, tut_error *err)
{
    return tut_fail_at(err, TUT_TRUNCATED, tut_stream_pos(p->stream), "the UBJSON ends too early");
}

static tut_status read_byte(tut_ubj_pull *p, uint8_t *ret, tut_error *err)
{
    return tut_is_ok(tut_stream_u8(p->stream, ret)) ? TUT_SUCCESS : cut_off(p, err);
}

static tut_status peek_byte(tut_ubj_pull *p, uint8_t *ret, tut_error *err)
{
    const uint8_t *at = NULL;
    if (!tut_is_ok(tut_stream_peek(p->stream, 1, &at)))
        return cut_off(p, err);
    *ret = *at;
    return TUT_SUCCESS;
}

static tut_status bad_marker(tut_ubj_pull *p, uint8_t marker, tut_error *err)
{
    p->rule = "ubjson.bad-marker";
    return tut_fail_at(err, TUT_MALFORMED, p->offset, "no UBJSON: a value of unknown type 0x%02x",
                       marker);
}

/* An integer of `type`, which must be one. */
static tut_status read_integer(tut_ubj_pull *p, uint8_t type, int64_t *ret, tut_error *err)
{
    const uint8_t *raw = NULL;
    unsigned n = tut_ubj_type_bytes(type);
    if (n == 0 || type == 'd' || type == 'D' || type == 'C')
        return bad_marker(p, type, err);
    if (!tut_is_ok(tut_stream_take(p->stream, n, &raw)))
        return cut_off(p, err);
    uint64_t value = type != 'U' && raw[0] & 0x80 ? UINT64_MAX : 0;
    for (unsigned i = 0; i < n; i++)
        value = value << 8 | raw[i];
    *ret = (int64_t)value;
    return TUT_SUCCESS;
}

static tut_status read_size(tut_ubj_pull *p, uint64_t *ret, tut_error *err)
{
    uint8_t type = 0;
    int64_t size = 0;
    TUT_TRY(read_byte(p, &type, err));
    TUT_TRY(read_integer(p, type, &size, err));
    if (size < 0) {
        p->rule = "ubjson.size";
        return tut_fail_at(err, TUT_MALFORMED, p->offset, "a size of %" PRId64, size);
    }
    *ret = (uint64_t)size;
    return TUT_SUCCESS;
}

static tut_status beyond(tut_ubj_pull *p, uint64_t size, tut_error *err)
{
    p->rule = "ubjson.size";
    return tut_fail_at(err, TUT_MALFORMED, p->offset,
                       "a size of %" PRIu64 ", where %" PRIu64 " bytes are left", size, left_of(p));
}

static tut_status read_text(tut_ubj_pull *p, tut_error *err)
{
    uint64_t size = 0;
    TUT_TRY(read_size(p, &size, err));
    if (size > left_of(p))
        return beyond(p, size, err);
    p->text_total = size;
    p->text_hash = 0xcbf29ce484222325u;
    tut_buf_clear(&p->text);
    while (size > 0) {
        tut_span some = {0};
        size_t want = size < TUT_LIMIT_PEEK_BYTES ? (size_t)size : TUT_LIMIT_PEEK_BYTES;
        if (!tut_is_ok(tut_stream_peek_some(p->stream, want, &some)) || some.len == 0)
            return cut_off(p, err);
        for (size_t i = 0; i < some.len; i++)
            p->text_hash = (p->text_hash ^ some.data[i]) * 0x100000001b3u;
        size_t room = p->text_cap > p->text.len ? p->text_cap - p->text.len : 0;
        tut_buf_add(&p->text, some.data, some.len < room ? some.len : room);
        TUT_TRY(tut_stream_skip(p->stream, some.len));
        size -= some.len;
    }
    p->text_hash ^= p->text_total * 0x9e3779b97f4a7c15u;
    return tut_buf_check(&p->text, err);
}

/* What a declared count needs at least must be there. */
static tut_status check_count(tut_ubj_pull *p, const tut_ubj_level *l, tut_error *err)
{
    uint64_t each = tut_ubj_type_bytes(l->type), need = 0;
    if (each == 0)
        each = is_empty_type(l->type) ? 0 : 1;
    each += l->is_object ? 2 : 0; /* an empty key */
    if (__builtin_mul_overflow(each, l->left, &need) || need > left_of(p))
        return beyond(p, l->left, err);
    if (each == 0 && l->left > TUT_LIMIT_JSON_NODES) {
        p->rule = "ubjson.bomb";
        return tut_fail_at(err, TUT_LIMIT, p->offset, "%" PRIu64 " values out of a few bytes",
                           l->left);
    }
    return TUT_SUCCESS;
}

static tut_status open_container(tut_ubj_pull *p, bool is_object, tut_json_token *ret_token,
                                 tut_error *err)
{
    uint8_t next = 0;
    if (p->depth == TUT_JSON_PULL_DEPTH) {
        p->rule = "ubjson.depth";
        return tut_fail_at(err, TUT_LIMIT, p->offset, "nested deeper than %u", TUT_JSON_PULL_DEPTH);
    }
    tut_ubj_level *l = &p->levels[p->depth];
    *l = (tut_ubj_level){.is_object = is_object};
    TUT_TRY(peek_byte(p, &next, err));
    if (next == '$') {
        TUT_TRY(tut_stream_skip(p->stream, 1));
        TUT_TRY(read_byte(p, &l->type, err));
        TUT_TRY(peek_byte(p, &next, err));
        if (next != '#' || (!tut_ubj_type_bytes(l->type) && !is_empty_type(l->type) &&
                            l->type != 'S' && l->type != 'H' && l->type != '[' && l->type != '{'))
            return bad_marker(p, l->type, err);
    }
    if (next == '#') {
        TUT_TRY(tut_stream_skip(p->stream, 1));
        TUT_TRY(read_size(p, &l->left, err));
        l->is_counted = true;
        TUT_TRY(check_count(p, l, err));
    }
    p->depth++;
    *ret_token = is_object ? TUT_TOKEN_OBJECT : TUT_TOKEN_ARRAY;
    return TUT_SUCCESS;
}

static tut_status read_real(tut_ubj_pull *p, unsigned bytes, tut_error *err)
{
    p->is_integer = false;
    p->integer = 0;
    return tut_is_ok(tut_stream_skip(p->stream, bytes)) ? TUT_SUCCESS : cut_off(p, err);
}

static tut_status read_value(tut_ubj_pull *p, uint8_t type, tut_json_token *ret_token,
                             tut_error *err)
{
    switch (type) {
    case 'Z':
    case 'N':
        *ret_token = TUT_TOKEN_NULL;
        return TUT_SUCCESS;
    case 'T':
        *ret_token = TUT_TOKEN_TRUE;
        return TUT_SUCCESS;
    case 'F':
        *ret_token = TUT_TOKEN_FALSE;
        return TUT_SUCCESS;
    case '[':
    case '{':
        return open_container(p, type == '{', ret_token, err);
    case 'S':
        *ret_token = TUT_TOKEN_STRING;
        return read_text(p, err);
    case 'H': /* a number in words, of any length */
        *ret_token = TUT_TOKEN_NUMBER;
        p->is_integer = false;
        return read_text(p, err);
    case 'C':
    case 'd':
    case 'D':
        *ret_token = TUT_TOKEN_NUMBER;
        return read_real(p, tut_ubj_type_bytes(type), err);
    default:
        *ret_token = TUT_TOKEN_NUMBER;
        p->is_integer = true;
        return read_integer(p, type, &p->integer, err);
    }
}

static void close_container(tut_ubj_pull *p, tut_json_token *ret_token)
{
    p->depth--;
    *ret_token = p->levels[p->depth].is_object ? TUT_TOKEN_OBJECT_END : TUT_TOKEN_ARRAY_END;
}

/* Takes what stands for nothing, and tells the next byte. */
static tut_status next_mark(tut_ubj_pull *p, uint8_t *ret, tut_error *err)
{
    for (;;) {
        TUT_TRY(peek_byte(p, ret, err));
        if (*ret != 'N')
            return TUT_SUCCESS;
        TUT_TRY(tut_stream_skip(p->stream, 1));
    }
}

static tut_status read_item(tut_ubj_pull *p, tut_ubj_level *l, tut_json_token *ret_token,
                            tut_error *err)
{
    uint8_t mark = l->type;
    if (l->is_counted && l->left == 0 && !l->has_key) {
        close_container(p, ret_token);
        return TUT_SUCCESS;
    }
    if (l->is_object && !l->has_key) {
        if (!l->is_counted)
            TUT_TRY(next_mark(p, &mark, err));
        if (!l->is_counted && mark == '}') {
            TUT_TRY(tut_stream_skip(p->stream, 1));
            close_container(p, ret_token);
            return TUT_SUCCESS;
        }
        l->has_key = true;
        l->left -= l->is_counted;
        *ret_token = TUT_TOKEN_KEY;
        return read_text(p, err);
    }
    if (!l->type) {
        TUT_TRY(next_mark(p, &mark, err));
        TUT_TRY(tut_stream_skip(p->stream, 1));
    }
    if (!l->is_counted && !l->is_object && mark == ']') {
        close_container(p, ret_token);
        return TUT_SUCCESS;
    }
    l->left -= l->is_counted && !l->is_object;
    l->has_key = false;
    return read_value(p, mark, ret_token, err);
}

tut_status tut_ubj_pull_next(tut_ubj_pull *p, tut_json_token *ret_token, tut_error *err)
{
    uint8_t mark = 0;
    p->offset = tut_stream_pos(p->stream);
    if (p->depth > 0)
        return read_item(p, &p->levels[p->depth - 1], ret_token, err);
    if (p->is_complete) {
        *ret_token = TUT_TOKEN_END;
        return TUT_SUCCESS;
    }
    p->is_complete = true;
    TUT_TRY(next_mark(p, &mark, err));
    TUT_TRY(tut_stream_skip(p->stream, 1));
    return read_value(p, mark, ret_token, err);
}

bool tut_ubj_pull_skip_array(tut_ubj_pull *p)
{
    tut_ubj_level *l = &p->levels[p->depth - 1];
    unsigned each = tut_ubj_type_bytes(l->type);
    if (l->is_object || !l->is_counted || each == 0)
        return false;
    bool is_there = tut_is_ok(tut_stream_skip(p->stream, each * l->left)); /* see check_count */
    if (is_there)
        l->left = 0;
    return is_there;
}
