/* JSON and lines of "key = value" as events of a configuration. */
#include <string.h>

#include "formats/conf.h"
#include "formats/json_pull.h"
#include "formats/text.h"

/* Failures of the text, as against failures of the machine. */
static bool is_about_text(tut_status s)
{
    return s.code == TUT_MALFORMED || s.code == TUT_TRUNCATED || s.code == TUT_UNSUPPORTED;
}

/* The last key, kept until its value comes. */
typedef struct key_slot {
    char bytes[TUT_CONF_KEY];
    size_t len;
} key_slot;

static tut_str take_key(key_slot *slot)
{
    tut_str key = {slot->bytes, slot->len};
    slot->len = 0;
    return key;
}

static tut_status json_token(tut_conf *c, tut_json_pull *p, tut_json_token token, key_slot *slot)
{
    tut_str text = tut_json_pull_text(p);
    c->offset = p->offset;
    switch (token) {
    case TUT_TOKEN_OBJECT:
    case TUT_TOKEN_ARRAY:
        return tut_conf_open(c, take_key(slot), token == TUT_TOKEN_OBJECT);
    case TUT_TOKEN_OBJECT_END:
    case TUT_TOKEN_ARRAY_END:
        tut_conf_close(c);
        return TUT_SUCCESS;
    case TUT_TOKEN_KEY:
        slot->len = text.len < sizeof(slot->bytes) ? text.len : sizeof(slot->bytes);
        if (slot->len)
            memcpy(slot->bytes, text.data, slot->len);
        return TUT_SUCCESS;
    case TUT_TOKEN_STRING:
        return tut_conf_scalar(c, take_key(slot), text, true);
    case TUT_TOKEN_NUMBER:
        return tut_conf_scalar(c, take_key(slot), text, false);
    case TUT_TOKEN_TRUE:
        return tut_conf_scalar(c, take_key(slot), TUT_LIT("true"), false);
    case TUT_TOKEN_FALSE:
        return tut_conf_scalar(c, take_key(slot), TUT_LIT("false"), false);
    case TUT_TOKEN_NULL:
        return tut_conf_scalar(c, take_key(slot), TUT_LIT("null"), false);
    case TUT_TOKEN_END:
        break;
    }
    return TUT_SUCCESS;
}

static void skip_mark(tut_exam *x)
{
    tut_span some;
    if (tut_is_ok(tut_stream_peek_some(x->stream, 3, &some)) && some.len == 3 &&
        memcmp(some.data, "\xef\xbb\xbf", 3) == 0)
        TUT_IGNORE(tut_stream_skip(x->stream, 3));
}

tut_status tut_conf_read_json(tut_conf *c)
{
    tut_json_pull p;
    tut_error why = {0};
    key_slot slot = {.len = 0};
    tut_json_token token = TUT_TOKEN_NULL;
    tut_status status = TUT_SUCCESS, handled = TUT_SUCCESS;
    skip_mark(c->x);
    tut_json_pull_init(&p, c->x->stream, UINT64_MAX, TUT_CONF_DEPTH);
    while (token != TUT_TOKEN_END && tut_is_ok(status) && tut_is_ok(handled)) {
        status = tut_json_pull_next(&p, &token, &why);
        if (tut_is_ok(status))
            handled = json_token(c, &p, token, &slot);
    }
    tut_json_pull_done(&p);
    TUT_TRY(handled);
    if (tut_is_ok(status))
        return TUT_SUCCESS;
    if (!is_about_text(status))
        return tut_fail(c->err, status.code, "%s", why.text);
    return tut_conf_search(c);
}

/* --- key = value --- */
static tut_str unquote(tut_str s)
{
    s = tut_str_trim(s);
    bool is_quoted = s.len >= 2 && (s.data[0] == '"' || s.data[0] == '\'') &&
                     s.data[s.len - 1] == s.data[0];
    return is_quoted ? (tut_str){s.data + 1, s.len - 2} : s;
}

typedef struct line_reader {
    tut_conf *c;
    tut_status status;
} line_reader;

static bool read_line(void *ctx, tut_str line, bool is_cut)
{
    line_reader *r = ctx;
    line = tut_str_trim(line);
    if (is_cut || line.len == 0 || line.data[0] == '#' || line.data[0] == ';')
        return true;
    const char *sign = memchr(line.data, '=', line.len);
    if (!sign)
        sign = memchr(line.data, ':', line.len);
    if (!sign)
        return true;
    size_t at = (size_t)(sign - line.data);
    tut_str key = unquote((tut_str){line.data, at});
    tut_str value = unquote((tut_str){sign + 1, line.len - at - 1});
    r->status = tut_conf_scalar(r->c, key, value, true);
    return tut_is_ok(r->status);
}

tut_status tut_conf_read_lines(tut_conf *c)
{
    line_reader r = {.c = c, .status = TUT_SUCCESS};
    TUT_TRY(tut_conf_open(c, (tut_str){"", 0}, true));
    TUT_TRY(tut_text_each_line(c->x, read_line, &r, c->err));
    TUT_TRY(r.status);
    tut_conf_close(c);
    return TUT_SUCCESS;
}
