#include "base/buf.h"

#include <stdio.h>

enum { FIRST_BYTES = 64 };

void tut_buf_init(tut_buf *b, size_t max_bytes)
{
    *b = (tut_buf){.max = max_bytes};
}

void tut_buf_done(tut_buf *b)
{
    tut_free(b->data);
    *b = (tut_buf){.max = b->max};
}

void tut_buf_clear(tut_buf *b)
{
    b->len = 0;
    b->failed = TUT_OK;
}

/* Memory for extra bytes of content and a NUL behind them. */
static bool reserve(tut_buf *b, size_t extra)
{
    if (b->failed != TUT_OK)
        return false;
    if (b->max && extra > b->max - b->len) {
        b->failed = TUT_LIMIT;
        return false;
    }
    if (extra < b->cap - b->len)
        return true;
    size_t need, grown;
    if (__builtin_add_overflow(b->len, extra, &need) || need > SIZE_MAX - 1) {
        b->failed = TUT_NOMEM;
        return false;
    }
    need++;
    if (__builtin_mul_overflow(b->cap, (size_t)2, &grown) || grown < need)
        grown = need;
    if (grown < FIRST_BYTES)
        grown = FIRST_BYTES;
    uint8_t *data = tut_realloc_array(b->data, grown, 1);
    if (!data) {
        b->failed = TUT_NOMEM;
        return false;
    }
    b->data = data;
    b->cap = grown;
    return true;
}

uint8_t *tut_buf_extend(tut_buf *b, size_t len)
{
    if (!reserve(b, len))
        return NULL;
    uint8_t *at = b->data + b->len;
    b->len += len;
    return at;
}

void tut_buf_add(tut_buf *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    uint8_t *at = tut_buf_extend(b, len);
    if (at)
        memcpy(at, data, len);
}

void tut_buf_add_str(tut_buf *b, tut_str s)
{
    tut_buf_add(b, s.data, s.len);
}

void tut_buf_add_z(tut_buf *b, const char *z)
{
    tut_buf_add_str(b, tut_str_of(z));
}

void tut_buf_add_byte(tut_buf *b, uint8_t byte)
{
    tut_buf_add(b, &byte, 1);
}

void tut_buf_add_u32le(tut_buf *b, uint32_t v)
{
    uint8_t bytes[4];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    tut_buf_add(b, bytes, sizeof(bytes));
}

void tut_buf_add_u64le(tut_buf *b, uint64_t v)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    tut_buf_add(b, bytes, sizeof(bytes));
}

void tut_buf_add_sized(tut_buf *b, tut_str s)
{
    if (s.len > UINT32_MAX) {
        if (b->failed == TUT_OK)
            b->failed = TUT_LIMIT;
        return;
    }
    tut_buf_add_u32le(b, (uint32_t)s.len);
    tut_buf_add_str(b, s);
}

void tut_buf_add_hex(tut_buf *b, const void *data, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    if (len > SIZE_MAX / 2) {
        if (b->failed == TUT_OK)
            b->failed = TUT_LIMIT;
        return;
    }
    uint8_t *at = tut_buf_extend(b, 2 * len);
    for (size_t i = 0; at && i < len; i++) {
        *at++ = (uint8_t)hex[bytes[i] >> 4];
        *at++ = (uint8_t)hex[bytes[i] & 15];
    }
}

/* Changes what the text around it looks like, or shows as nothing: Unicode's format characters (Cf)
 * and its line and paragraph separators. */
static bool is_deceptive(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x00ad, 0x00ad},   {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},
        {0x070f, 0x070f},   {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x180e, 0x180e},
        {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},
        {0xfff9, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
        {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    }
    return false;
}

void tut_buf_add_escaped(tut_buf *b, tut_str s, size_t max_chars)
{
    size_t used = 0;
    for (size_t at = 0; at < s.len;) {
        uint32_t c = 0;
        char escape[16];
        tut_str shown = {escape, 0};
        size_t chars = 1;
        size_t len = tut_utf8_len((tut_str){s.data + at, s.len - at}, &c);
        if (len == 0 || c < 0x20 || c == 0x7f) {
            len = 1;
            shown.len = chars = (size_t)snprintf(escape, sizeof(escape), "\\x%02x",
                                                 (unsigned)(uint8_t)s.data[at]);
        } else if ((c >= 0x80 && c < 0xa0) || is_deceptive(c)) {
            shown.len = chars = (size_t)snprintf(escape, sizeof(escape), "\\u{%04x}", c);
        } else {
            shown = (tut_str){s.data + at, len};
        }
        if (chars > max_chars - used) {
            tut_buf_add_z(b, "…");
            return;
        }
        tut_buf_add_str(b, shown);
        used += chars;
        at += len;
    }
}

void tut_buf_vprintf(tut_buf *b, const char *fmt, va_list ap)
{
    if (!reserve(b, 0))
        return;
    va_list again;
    va_copy(again, ap);
    size_t room = b->cap - b->len;
    int n = vsnprintf((char *)b->data + b->len, room, fmt, ap);
    if (n < 0)
        b->failed = TUT_BUG; /* not a valid format, or beyond INT_MAX */
    else if (reserve(b, (size_t)n)) {
        if ((size_t)n >= room)
            vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void tut_buf_printf(tut_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tut_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

tut_span tut_buf_span(const tut_buf *b)
{
    return (tut_span){b->data, b->len};
}

tut_str tut_buf_str(const tut_buf *b)
{
    return tut_str_from(tut_buf_span(b));
}

const char *tut_buf_z(tut_buf *b)
{
    if (!reserve(b, 0))
        return NULL;
    b->data[b->len] = '\0';
    return (const char *)b->data;
}

char *tut_buf_steal(tut_buf *b)
{
    char *text = NULL;
    if (tut_buf_z(b)) {
        text = (char *)b->data;
        *b = (tut_buf){.max = b->max};
    }
    return text;
}

tut_status tut_buf_check(const tut_buf *b, tut_error *err)
{
    if (b->failed == TUT_LIMIT)
        return tut_fail(err, TUT_LIMIT, "the output is larger than its limit");
    if (b->failed != TUT_OK)
        return tut_fail(err, b->failed, "%s", tut_code_sentence(b->failed));
    return TUT_SUCCESS;
}
