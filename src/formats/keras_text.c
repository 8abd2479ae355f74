#include "formats/keras_text.h"

typedef struct encoding {
    const char *name;
    unsigned width; /* bytes of a unit */
    bool is_big;
    size_t mark; /* bytes of the byte order mark */
} encoding;

/* json.detect_encoding() of Python's json/__init__.py */
static encoding detect(tut_span b)
{
    const uint8_t *p = b.data;
    if (b.len >= 4 && p[0] == 0xff && p[1] == 0xfe && !p[2] && !p[3])
        return (encoding){"UTF-32", 4, false, 4};
    if (b.len >= 4 && !p[0] && !p[1] && p[2] == 0xfe && p[3] == 0xff)
        return (encoding){"UTF-32", 4, true, 4};
    if (b.len >= 2 && p[0] == 0xff && p[1] == 0xfe)
        return (encoding){"UTF-16", 2, false, 2};
    if (b.len >= 2 && p[0] == 0xfe && p[1] == 0xff)
        return (encoding){"UTF-16", 2, true, 2};
    if (b.len >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
        return (encoding){"UTF-8 with a mark", 1, false, 3};
    if (b.len >= 4 && !p[0])
        return p[1] ? (encoding){"UTF-16", 2, true, 0} : (encoding){"UTF-32", 4, true, 0};
    if (b.len >= 4 && !p[1])
        return p[2] || p[3] ? (encoding){"UTF-16", 2, false, 0} : (encoding){"UTF-32", 4, false, 0};
    if (b.len == 2 && (!p[0] || !p[1]))
        return (encoding){"UTF-16", 2, !p[0], 0};
    return (encoding){"UTF-8", 1, false, 0};
}

static void add_point(tut_buf *out, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    char utf8[4];
    tut_buf_add(out, utf8, tut_utf8_put(c, utf8));
}

static uint32_t unit_at(tut_span b, size_t at, const encoding *e)
{
    uint32_t c = 0;
    for (unsigned i = 0; i < e->width; i++)
        c |= (uint32_t)b.data[at + i] << 8 * (e->is_big ? e->width - 1 - i : i);
    return c;
}

static void decode_wide(tut_span b, const encoding *e, tut_buf *out)
{
    for (size_t at = e->mark; b.len - at >= e->width; at += e->width) {
        uint32_t c = unit_at(b, at, e);
        bool is_high = e->width == 2 && c >= 0xd800 && c < 0xdc00;
        if (is_high && b.len - at >= 4) {
            uint32_t low = unit_at(b, at + 2, e);
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                at += 2;
            }
        }
        add_point(out, c);
    }
}

/* --- what Python takes beyond the standard --- */

static bool starts(const tut_buf *b, size_t at, const char *word, size_t len)
{
    return b->len - at >= len && memcmp(b->data + at, word, len) == 0;
}

/* A number of the same length in place of a word. */
static size_t make_number(tut_buf *b, size_t at)
{
    static const struct {
        const char *word, *number;
    } words[] = {{"NaN", "0.0"}, {"Infinity", "0.000000"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i].word);
        if (!starts(b, at, words[i].word, len))
            continue;
        memcpy(b->data + at, words[i].number, len);
        return len;
    }
    return 1;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of "\uXXXX" at `at`, or -1. */
static int32_t escape_at(const tut_buf *b, size_t at)
{
    int32_t value = 0;
    if (b->len - at < 6 || b->data[at] != '\\' || b->data[at + 1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_value(b->data[at + i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* An escape inside a string; returns its length. */
static size_t step_escape(tut_buf *b, size_t at)
{
    int32_t value = escape_at(b, at);
    if (value < 0)
        return 2;
    if (value < 0xd800 || value > 0xdfff)
        return 6;
    int32_t low = value < 0xdc00 && b->len - at >= 12 ? escape_at(b, at + 6) : -1;
    if (low >= 0xdc00 && low <= 0xdfff)
        return 12;
    memcpy(b->data + at + 2, "fffd", 4);
    return 6;
}

static void relax(tut_buf *b)
{
    bool in_string = false;
    for (size_t at = 0; at < b->len;) {
        uint8_t c = b->data[at];
        if (in_string && c == '\\') {
            at += step_escape(b, at);
            continue;
        }
        if (c == '"')
            in_string = !in_string;
        at += !in_string && (c == 'N' || c == 'I') ? make_number(b, at) : 1;
    }
}

void tut_keras_text(tut_span bytes, tut_buf *out, const char **ret_encoding)
{
    encoding e = detect(bytes);
    *ret_encoding = e.name;
    if (e.width == 1)
        tut_buf_add(out, bytes.data + e.mark, bytes.len - e.mark);
    else
        decode_wide(bytes, &e, out);
    relax(out);
}
