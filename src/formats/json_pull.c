/*
 *   value  = object | array | string | number | "true" | "false" | "null"
 *   object = "{" [ string ":" value { "," string ":" value } ] "}"
 *   array  = "[" [ value { "," value } ] "]"
 */
#include "formats/json_pull.h"

#include <string.h>

#include "base/limits.h"

typedef enum pull_state {
    WANT_VALUE,        /* a value must come */
    WANT_VALUE_OR_END, /* first in an array */
    WANT_KEY_OR_END,   /* first in an object */
    WANT_KEY,          /* behind a comma in an object */
    WANT_COMMA_OR_END, /* behind a value in a container */
    IS_COMPLETE
} pull_state;

enum { HASH_SHIFT = 29 };

static uint64_t hash_bytes(uint64_t hash, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ data[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_end(uint64_t hash, uint64_t len)
{
    hash ^= len * 0x9e3779b97f4a7c15u;
    hash ^= hash >> HASH_SHIFT;
    return hash * 0xbf58476d1ce4e5b9u;
}

static const uint64_t hash_start = 0xcbf29ce484222325u;

void tut_json_pull_init(tut_json_pull *p, tut_stream *stream, uint64_t limit, uint32_t max_depth)
{
    memset(p, 0, sizeof(*p));
    p->stream = stream;
    p->left = limit;
    p->max_depth = max_depth ? max_depth : TUT_LIMIT_JSON_DEPTH;
    if (p->max_depth > TUT_JSON_PULL_DEPTH)
        p->max_depth = TUT_JSON_PULL_DEPTH;
    p->text_cap = TUT_JSON_PULL_TEXT;
    p->state = WANT_VALUE;
}

/* Moves the stream to where we are. */
static void give_back(tut_json_pull *p)
{
    size_t used = p->window - (size_t)(p->end - p->at);
    if (used > 0)
        TUT_IGNORE(tut_stream_skip(p->stream, used));
    p->left -= used;
    p->at = p->end = NULL;
    p->window = 0;
}

void tut_json_pull_done(tut_json_pull *p)
{
    give_back(p);
    tut_buf_done(&p->text);
}

static bool refill(tut_json_pull *p)
{
    tut_span next = {0};
    give_back(p);
    size_t want = p->left < TUT_LIMIT_PEEK_BYTES ? (size_t)p->left : TUT_LIMIT_PEEK_BYTES;
    if (want == 0 || !tut_is_ok(tut_stream_peek_some(p->stream, want, &next)) || next.len == 0)
        return false;
    p->at = next.data;
    p->end = next.data + next.len;
    p->window = next.len;
    return true;
}

static inline bool has_byte(tut_json_pull *p)
{
    return p->at < p->end || refill(p);
}

static uint64_t position(const tut_json_pull *p)
{
    return tut_stream_pos(p->stream) + (p->window - (size_t)(p->end - p->at));
}

static tut_status bad(tut_json_pull *p, const char *why, tut_error *err)
{
    return tut_fail_at(err, TUT_MALFORMED, position(p), "not JSON: %s", why);
}

static tut_status cut_off(tut_json_pull *p, tut_error *err)
{
    return tut_fail_at(err, TUT_TRUNCATED, position(p), "the JSON ends too early");
}

static bool skip_space(tut_json_pull *p)
{
    while (has_byte(p)) {
        uint8_t byte = *p->at;
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return true;
        p->has_raw_newline |= byte == '\n';
        p->at++;
    }
    return false;
}

static void keep(tut_json_pull *p, const uint8_t *data, size_t len)
{
    p->text_hash = hash_bytes(p->text_hash, data, len);
    p->text_total += len;
    size_t room = p->text_cap > p->text.len ? p->text_cap - p->text.len : 0;
    tut_buf_add(&p->text, data, len < room ? len : room);
}

static tut_status read_hex4(tut_json_pull *p, uint32_t *ret_unit, tut_error *err)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        if (!has_byte(p))
            return cut_off(p, err);
        uint8_t byte = *p->at;
        uint32_t digit = 0;
        if (byte >= '0' && byte <= '9')
            digit = byte - '0';
        else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
            digit = (uint32_t)(byte | 0x20) - 'a' + 10;
        else
            return bad(p, "a \\u escape without four hexadecimal digits", err);
        unit = unit << 4 | digit;
        p->at++;
    }
    *ret_unit = unit;
    return TUT_SUCCESS;
}

static void keep_point(tut_json_pull *p, uint32_t point)
{
    char utf8[4];
    size_t len = tut_utf8_put(point, utf8);
    keep(p, (const uint8_t *)utf8, len);
}

static tut_status read_escape(tut_json_pull *p, tut_error *err);

/* Behind "\u". A lone surrogate is kept as U+FFFD and remembered. */
static tut_status read_unicode(tut_json_pull *p, tut_error *err)
{
    uint32_t unit = 0, low = 0;
    TUT_TRY(read_hex4(p, &unit, err));
    while (unit >= 0xd800 && unit < 0xdc00) {
        if (!has_byte(p) || *p->at != '\\')
            break;
        p->at++;
        if (!has_byte(p))
            return cut_off(p, err);
        if (*p->at != 'u') {
            p->has_lone_surrogate = true;
            keep_point(p, 0xfffd);
            return read_escape(p, err);
        }
        p->at++;
        TUT_TRY(read_hex4(p, &low, err));
        if (low >= 0xdc00 && low < 0xe000) {
            keep_point(p, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            return TUT_SUCCESS;
        }
        p->has_lone_surrogate = true;
        keep_point(p, 0xfffd);
        unit = low;
    }
    bool is_lone = unit >= 0xd800 && unit < 0xe000;
    p->has_lone_surrogate |= is_lone;
    keep_point(p, is_lone ? 0xfffd : unit);
    return TUT_SUCCESS;
}

static tut_status read_escape(tut_json_pull *p, tut_error *err)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (!has_byte(p))
        return cut_off(p, err);
    uint8_t byte = *p->at++;
    if (byte == 'u')
        return read_unicode(p, err);
    const char *hit = byte ? strchr(from, byte) : NULL;
    if (!hit)
        return bad(p, "an unknown escape", err);
    uint8_t plain = (uint8_t)to[hit - from];
    keep(p, &plain, 1);
    return TUT_SUCCESS;
}

static tut_status read_string(tut_json_pull *p, tut_error *err)
{
    tut_buf_clear(&p->text);
    p->text_total = 0;
    p->text_hash = hash_start;
    while (has_byte(p)) {
        const uint8_t *run = p->at;
        while (p->at < p->end && *p->at != '"' && *p->at != '\\' && *p->at >= 0x20)
            p->at++;
        keep(p, run, (size_t)(p->at - run));
        if (p->at == p->end)
            continue;
        if (*p->at < 0x20)
            return bad(p, "a control character inside a string", err);
        uint8_t byte = *p->at++;
        if (byte == '"') {
            p->text_hash = hash_end(p->text_hash, p->text_total);
            if (p->text.len == p->text_total && !tut_utf8_valid(tut_buf_str(&p->text)))
                return bad(p, "a string that is not UTF-8", err);
            return tut_buf_check(&p->text, err);
        }
        TUT_TRY(read_escape(p, err));
    }
    return cut_off(p, err);
}

/* "-"? digits [ "." digits ] [ "e" sign? digits ], no leading zero. */
static bool is_number(tut_str s)
{
    size_t at = 0;
    if (at < s.len && s.data[at] == '-')
        at++;
    size_t first = at;
    while (at < s.len && s.data[at] >= '0' && s.data[at] <= '9')
        at++;
    if (at == first || (s.data[first] == '0' && at - first > 1))
        return false;
    if (at < s.len && s.data[at] == '.') {
        size_t dot = ++at;
        while (at < s.len && s.data[at] >= '0' && s.data[at] <= '9')
            at++;
        if (at == dot)
            return false;
    }
    if (at < s.len && (s.data[at] | 0x20) == 'e') {
        at++;
        if (at < s.len && (s.data[at] == '+' || s.data[at] == '-'))
            at++;
        size_t digits = at;
        while (at < s.len && s.data[at] >= '0' && s.data[at] <= '9')
            at++;
        if (at == digits)
            return false;
    }
    return at == s.len;
}

static bool is_no_number(tut_str s)
{
    return tut_str_eq_z(s, "NaN") || tut_str_eq_z(s, "Infinity") || tut_str_eq_z(s, "-Infinity");
}

static bool is_bare(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

static tut_status read_bare(tut_json_pull *p, tut_json_token *ret_token, tut_error *err)
{
    enum { BARE_MAX = 1024 };
    tut_buf_clear(&p->text);
    p->text_total = 0;
    while (has_byte(p) && is_bare(*p->at)) {
        tut_buf_add_byte(&p->text, *p->at++);
        if (++p->text_total > BARE_MAX)
            return bad(p, "a number of over a thousand digits", err);
    }
    TUT_TRY(tut_buf_check(&p->text, err));
    tut_str word = tut_buf_str(&p->text);
    if (tut_str_eq_z(word, "true"))
        *ret_token = TUT_TOKEN_TRUE;
    else if (tut_str_eq_z(word, "false"))
        *ret_token = TUT_TOKEN_FALSE;
    else if (tut_str_eq_z(word, "null"))
        *ret_token = TUT_TOKEN_NULL;
    else if (is_number(word) || (p->allows_nan && is_no_number(word)))
        *ret_token = TUT_TOKEN_NUMBER;
    else
        return bad(p, "no value where one is due", err);
    return TUT_SUCCESS;
}

static void after_value(tut_json_pull *p)
{
    p->state = p->depth > 0 ? WANT_COMMA_OR_END : IS_COMPLETE;
}

static tut_status open_container(tut_json_pull *p, bool is_object, tut_json_token *ret_token,
                                 tut_error *err)
{
    if (p->depth >= p->max_depth)
        return tut_fail_at(err, TUT_LIMIT, p->offset, "JSON nested deeper than %u", p->max_depth);
    p->at++;
    p->is_object[p->depth++] = is_object;
    p->state = is_object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
    *ret_token = is_object ? TUT_TOKEN_OBJECT : TUT_TOKEN_ARRAY;
    return TUT_SUCCESS;
}

static void close_container(tut_json_pull *p, tut_json_token *ret_token)
{
    p->at++;
    p->depth--;
    *ret_token = p->is_object[p->depth] ? TUT_TOKEN_OBJECT_END : TUT_TOKEN_ARRAY_END;
    after_value(p);
}

static tut_status read_key(tut_json_pull *p, tut_json_token *ret_token, tut_error *err)
{
    if (*p->at != '"')
        return bad(p, "an object's key is not a string", err);
    p->at++;
    TUT_TRY(read_string(p, err));
    if (!skip_space(p))
        return cut_off(p, err);
    if (*p->at != ':')
        return bad(p, "no colon behind a key", err);
    p->at++;
    p->state = WANT_VALUE;
    *ret_token = TUT_TOKEN_KEY;
    return TUT_SUCCESS;
}

static tut_status read_value(tut_json_pull *p, tut_json_token *ret_token, tut_error *err)
{
    uint8_t byte = *p->at;
    if (byte == '{' || byte == '[')
        return open_container(p, byte == '{', ret_token, err);
    if (byte == '"') {
        p->at++;
        *ret_token = TUT_TOKEN_STRING;
        TUT_TRY(read_string(p, err));
    } else {
        TUT_TRY(read_bare(p, ret_token, err));
    }
    after_value(p);
    return TUT_SUCCESS;
}

tut_status tut_json_pull_next(tut_json_pull *p, tut_json_token *ret_token, tut_error *err)
{
    if (p->state == IS_COMPLETE) {
        *ret_token = TUT_TOKEN_END;
        return TUT_SUCCESS;
    }
    if (!skip_space(p))
        return cut_off(p, err);
    bool is_object = p->depth > 0 && p->is_object[p->depth - 1];
    if (p->state == WANT_COMMA_OR_END && *p->at == ',') {
        p->at++;
        p->state = is_object ? WANT_KEY : WANT_VALUE;
        if (!skip_space(p))
            return cut_off(p, err);
    }
    p->offset = position(p);
    bool may_end = p->state == WANT_COMMA_OR_END || p->state == WANT_KEY_OR_END ||
                   p->state == WANT_VALUE_OR_END;
    if (may_end && *p->at == (is_object ? '}' : ']')) {
        close_container(p, ret_token);
        return TUT_SUCCESS;
    }
    if (p->state == WANT_COMMA_OR_END)
        return bad(p, "neither comma nor end behind a value", err);
    if (p->state == WANT_KEY || p->state == WANT_KEY_OR_END)
        return read_key(p, ret_token, err);
    return read_value(p, ret_token, err);
}

bool tut_json_pull_is_exhausted(tut_json_pull *p)
{
    return !skip_space(p);
}

tut_str tut_json_pull_text(const tut_json_pull *p)
{
    return tut_buf_str(&p->text);
}

bool tut_json_pull_u64(const tut_json_pull *p, uint64_t *ret_value)
{
    return tut_str_u64(tut_buf_str(&p->text), ret_value);
}
