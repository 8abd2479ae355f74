#include "crypto/base64.h"

#include <pthread.h>

enum { LINE_BYTES = 48, BAD = 0xff };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode(uint8_t *to, tut_span bytes)
{
    size_t i = 0;
    for (; bytes.len - i >= 3; i += 3, to += 4) {
        uint32_t v = (uint32_t)bytes.data[i] << 16 | (uint32_t)bytes.data[i + 1] << 8 |
                     bytes.data[i + 2];
        to[0] = (uint8_t)alphabet[v >> 18];
        to[1] = (uint8_t)alphabet[v >> 12 & 63];
        to[2] = (uint8_t)alphabet[v >> 6 & 63];
        to[3] = (uint8_t)alphabet[v & 63];
    }
    size_t left = bytes.len - i;
    if (left == 0)
        return;
    uint32_t v = (uint32_t)bytes.data[i] << 16;
    if (left == 2)
        v |= (uint32_t)bytes.data[i + 1] << 8;
    to[0] = (uint8_t)alphabet[v >> 18];
    to[1] = (uint8_t)alphabet[v >> 12 & 63];
    to[2] = left == 2 ? (uint8_t)alphabet[v >> 6 & 63] : '=';
    to[3] = '=';
}

void tut_base64_add(tut_buf *out, tut_span bytes)
{
    if (bytes.len == 0)
        return;
    if (bytes.len > SIZE_MAX / 2) { /* no room for it could be had either */
        out->failed = out->failed == TUT_OK ? TUT_NOMEM : out->failed;
        return;
    }
    uint8_t *to = tut_buf_extend(out, (bytes.len / 3 + (bytes.len % 3 != 0)) * 4);
    if (to)
        encode(to, bytes);
}

void tut_base64_add_lines(tut_buf *out, tut_span bytes)
{
    for (size_t at = 0; at < bytes.len; at += LINE_BYTES) {
        size_t n = bytes.len - at < LINE_BYTES ? bytes.len - at : LINE_BYTES;
        tut_base64_add(out, (tut_span){bytes.data + at, n});
        tut_buf_add_byte(out, '\n');
    }
}

/* 0 to 63, or BAD: of the standard alphabet, then of that for URLs as well. */
static uint8_t values[2][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_values(void)
{
    memset(values, BAD, sizeof(values));
    for (uint8_t i = 0; i < 64; i++)
        values[0][(uint8_t)alphabet[i]] = values[1][(uint8_t)alphabet[i]] = i;
    values[1]['-'] = 62;
    values[1]['_'] = 63;
}

static uint8_t value_of(char c, bool url_too)
{
    return values[url_too][(uint8_t)c];
}

/* One group of four, the last `padding` of which are '='. */
static bool read_group(const char *from, bool url_too, size_t padding, uint8_t out[3])
{
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        uint8_t digit = i < 4 - padding ? value_of(from[i], url_too) : 0;
        if (digit == BAD || (i >= 4 - padding && from[i] != '='))
            return false;
        v = v << 6 | digit;
    }
    out[0] = (uint8_t)(v >> 16);
    out[1] = (uint8_t)(v >> 8);
    out[2] = (uint8_t)v;
    /* Bits behind the last byte must be zero, else two texts would mean the same bytes. */
    return (padding < 1 || out[2] == 0) && (padding < 2 || out[1] == 0);
}

static bool read_groups(tut_str text, bool url_too, size_t padding, uint8_t *to)
{
    uint8_t last[3];
    size_t whole = text.len / 4 - (padding != 0);
    for (size_t i = 0; i < whole; i++)
        if (!read_group(text.data + 4 * i, url_too, 0, to + 3 * i))
            return false;
    if (padding == 0)
        return true;
    if (!read_group(text.data + 4 * whole, url_too, padding, last))
        return false;
    memcpy(to + 3 * whole, last, 3 - padding);
    return true;
}

tut_status tut_base64_read(tut_str text, bool url_too, tut_buf *out)
{
    if (text.len % 4 != 0)
        return (tut_status){TUT_MALFORMED};
    if (text.len == 0)
        return tut_buf_check(out, NULL);
    (void)pthread_once(&once, fill_values);
    size_t padding = text.data[text.len - 1] != '=' ? 0 : text.data[text.len - 2] != '=' ? 1 : 2;
    uint8_t *to = tut_buf_extend(out, text.len / 4 * 3 - padding);
    if (!to)
        return tut_buf_check(out, NULL);
    if (!read_groups(text, url_too, padding, to)) {
        out->len = (size_t)(to - out->data);
        return (tut_status){TUT_MALFORMED};
    }
    return TUT_SUCCESS;
}
