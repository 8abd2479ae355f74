#include "base/buf.h"

#include <stdio.h>

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

/* Room for `more` bytes and a NUL behind them. */
static bool reserve(tut_buf *b, size_t more)
{
    size_t need;
    if (b->failed != TUT_OK)
        return false;
    if (__builtin_add_overflow(b->len, more, &need) || need == SIZE_MAX ||
        (b->max && need > b->max)) {
        b->failed = b->max ? TUT_LIMIT : TUT_NOMEM;
        return false;
    }
    if (need < b->cap)
        return true;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap <= need && cap <= SIZE_MAX / 2)
        cap *= 2;
    uint8_t *grown = cap > need ? tut_realloc_array(b->data, cap, 1) : NULL;
    if (!grown) {
        b->failed = TUT_NOMEM;
        return false;
    }
    b->data = grown;
    b->cap = cap;
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

static void add_le(tut_buf *b, uint64_t v, size_t bytes)
{
    uint8_t *at = tut_buf_extend(b, bytes);
    for (size_t i = 0; at && i < bytes; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

void tut_buf_add_u32le(tut_buf *b, uint32_t v)
{
    add_le(b, v, 4);
}

void tut_buf_add_u64le(tut_buf *b, uint64_t v)
{
    add_le(b, v, 8);
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
    for (size_t i = 0; i < len; i++) {
        tut_buf_add_byte(b, (uint8_t)hex[bytes[i] >> 4]);
        tut_buf_add_byte(b, (uint8_t)hex[bytes[i] & 15]);
    }
}

/* What could move the cursor, hide, or turn the direction of what follows. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           c == 0x061c || c == 0x00ad || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

void tut_buf_add_escaped(tut_buf *b, tut_str s, size_t max_chars)
{
    size_t shown = 0;
    for (size_t i = 0; i < s.len; shown++) {
        if (shown == max_chars) {
            tut_buf_add_z(b, "\xe2\x80\xa6");
            return;
        }
        uint32_t c = 0;
        size_t len = tut_utf8_len((tut_str){s.data + i, s.len - i}, &c);
        if (len == 0)
            tut_buf_printf(b, "\\x%02x", (unsigned)(uint8_t)s.data[i]);
        else if (c == '\n')
            tut_buf_add_z(b, "\\n");
        else if (c == '\t')
            tut_buf_add_z(b, "\\t");
        else if (is_unsafe(c) && c < 0x80)
            tut_buf_printf(b, "\\x%02x", (unsigned)c);
        else if (is_unsafe(c))
            tut_buf_printf(b, "\\u{%04x}", (unsigned)c);
        else
            tut_buf_add(b, s.data + i, len);
        i += len ? len : 1;
    }
}

void tut_buf_vprintf(tut_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    if (len < 0) {
        if (b->failed == TUT_OK)
            b->failed = TUT_BUG;
    } else if (reserve(b, (size_t)len)) {
        vsnprintf((char *)b->data + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
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
    return (tut_str){b->len ? (const char *)b->data : "", b->len};
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
    if (!tut_buf_z(b))
        return NULL;
    char *text = (char *)b->data;
    *b = (tut_buf){.max = b->max};
    return text;
}

tut_status tut_buf_check(const tut_buf *b, tut_error *err)
{
    if (b->failed == TUT_OK)
        return TUT_SUCCESS;
    return tut_fail(err, b->failed, "%s", tut_code_sentence(b->failed));
}
