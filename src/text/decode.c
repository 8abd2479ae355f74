/*
 * What text is wrapped in: base64 of a configuration (Kubernetes secrets, environment variables of
 * pipelines), and \uXXXX in JSON. One layer; what decodes to anything but text is left alone after
 * its first bytes.
 */
#include <string.h>

#include "text/block.h"
#include "text/scan_internal.h"

enum { RUN_LEAST = 32, BLOCK = RUN_LEAST / 2, LINE_LEAST = 60, DECODED_MAX = 64 << 10, TASTE = 16 };

static const int8_t *sextets(void)
{
    static int8_t table[256];
    static bool is_made;
    if (!is_made) {
        memset(table, -1, sizeof(table));
        for (int i = 0; i < 26; i++) {
            table['A' + i] = (int8_t)i;
            table['a' + i] = (int8_t)(26 + i);
        }
        for (int i = 0; i < 10; i++)
            table['0' + i] = (int8_t)(52 + i);
        table['+'] = table['-'] = 62;
        table['/'] = table['_'] = 63;
        is_made = true;
    }
    return table;
}

/* A line break inside base64: its width, escaped ones too. */
static size_t break_at(tut_str t, size_t at)
{
    size_t i = at;
    while (i < t.len && (t.data[i] == '\n' || t.data[i] == '\r' || t.data[i] == ' '))
        i++;
    if (i == at && at + 1 < t.len && t.data[at] == '\\' && t.data[at + 1] == 'n')
        i = at + 2;
    return i - at;
}

/* Decodes from `at` on; *ret_end: behind the last character. Stops when it is no text. */
static bool decode_run(tut_str t, size_t at, tut_buf *out, size_t *ret_end)
{
    const int8_t *table = sextets();
    uint32_t bits = 0, have = 0;
    size_t line = 0, odd = 0;
    tut_buf_clear(out);
    for (;;) {
        int v = at < t.len ? table[(uint8_t)t.data[at]] : -1;
        if (v < 0) {
            size_t width = line >= LINE_LEAST ? break_at(t, at) : 0;
            if (width == 0 || at + width >= t.len || table[(uint8_t)t.data[at + width]] < 0)
                break;
            at += width;
            line = 0;
            continue;
        }
        at++;
        line++;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (out->len >= DECODED_MAX || odd > TASTE)
            continue;
        uint8_t byte = (uint8_t)(bits >> have);
        odd += byte < 0x20 ? byte != '\n' && byte != '\t' && byte != '\r' : byte >= 0x7f;
        tut_buf_add_byte(out, byte);
        if (out->len <= TASTE && odd * 4 > out->len + 2)
            odd = TASTE + 1; /* no text: only its end is of interest */
    }
    *ret_end = at;
    return odd * 8 <= out->len && out->len >= RUN_LEAST * 3 / 4;
}

/* Where the next run of at least RUN_LEAST begins, from `floor` on; t.len: nowhere. A run of that
 * length holds a whole block of half of it, wherever it begins. */
static size_t next_run(tut_str t, size_t floor)
{
    const int8_t *table = sextets();
    for (size_t block = floor; block + BLOCK <= t.len; block += BLOCK) {
        if (tut_block_has_sign(t.data + block))
            continue;
        size_t begin = block, end = block;
        while (begin > floor && table[(uint8_t)t.data[begin - 1]] >= 0)
            begin--;
        while (end < t.len && end - begin < RUN_LEAST && table[(uint8_t)t.data[end]] >= 0)
            end++;
        if (end - begin >= RUN_LEAST)
            return begin;
    }
    return t.len;
}

static void look_base64(tut_text_scanner *s, const tut_text_view *v, tut_buf *decoded)
{
    tut_str t = v->text;
    size_t end = 0;
    for (size_t at = next_run(t, 0); at < t.len; at = next_run(t, end)) {
        bool is_text = decode_run(t, at, decoded, &end);
        if (!is_text || !tut_is_ok(tut_buf_check(decoded, NULL)))
            continue;
        tut_text_view inner = {.text = tut_buf_str(decoded)};
        tut_text_place place = {.shift = at, .span = end - at, .how = "base64"};
        tut_text_look(s, &inner, &place);
    }
}

/* --- \u0041 --- */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* An escape of an ASCII character at `at`, or -1. */
static int escape_at(tut_str t, size_t at)
{
    if (at + 6 > t.len || t.data[at] != '\\' || t.data[at + 1] != 'u' || t.data[at + 2] != '0' ||
        t.data[at + 3] != '0')
        return -1;
    int high = hex_value(t.data[at + 4]), low = hex_value(t.data[at + 5]);
    return high < 0 || low < 0 || high > 7 ? -1 : high * 16 + low;
}

static int percent_at(tut_str t, size_t at)
{
    if (at + 3 > t.len || t.data[at] != '%')
        return -1;
    int high = hex_value(t.data[at + 1]), low = hex_value(t.data[at + 2]);
    return high < 0 || low < 0 || high > 7 ? -1 : high * 16 + low;
}

enum { AROUND = 512 };

/* The line around an escape, or as much of it as a key takes, with its escapes undone. */
static size_t look_escaped(tut_text_scanner *s, const tut_text_view *v, size_t at, char sign,
                           tut_buf *plain)
{
    tut_str t = v->text;
    size_t begin = at, end = at, width = sign == '%' ? 3 : 6;
    while (begin > 0 && at - begin < AROUND && t.data[begin - 1] != '\n')
        begin--;
    while (end < t.len && end - at < (size_t)4 * AROUND && t.data[end] != '\n')
        end++;
    tut_buf_clear(plain);
    for (size_t i = begin; i < end;) {
        int c = sign == '%' ? percent_at(t, i) : escape_at(t, i);
        tut_buf_add_byte(plain, c < 0 ? (uint8_t)t.data[i] : (uint8_t)c);
        i += c < 0 ? 1 : width;
    }
    if (tut_is_ok(tut_buf_check(plain, NULL))) {
        tut_text_view inner = {.text = tut_buf_str(plain)};
        tut_text_place place = {.shift = at, .span = 1, .how = "escapes"};
        tut_text_look(s, &inner, &place);
    }
    return end;
}

static bool is_known(const tut_text_scanner *s, size_t count, const tut_text_candidate *c)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(s->items[i].found.id, c->found.id) == 0 &&
            strcmp(s->items[i].shown, c->shown) == 0)
            return true;
    }
    return false;
}

/* From the first escape on; Vectorscan has seen it. */
static void look_escapes(tut_text_scanner *s, const tut_text_view *v, tut_buf *plain)
{
    tut_str t = v->text;
    size_t known = s->count;
    for (size_t at = s->first_escape; at < t.len;) {
        bool is_percent = percent_at(t, at) >= 0x20;
        if (is_percent || escape_at(t, at) >= 0x20)
            at = look_escaped(s, v, at, is_percent ? '%' : '\\', plain);
        else
            at++;
        const char *percent = at < t.len ? memchr(t.data + at, '%', t.len - at) : NULL;
        const char *slash = at < t.len ? memchr(t.data + at, '\\', t.len - at) : NULL;
        const char *next = !percent || (slash && slash < percent) ? slash : percent;
        at = next ? (size_t)(next - t.data) : t.len;
    }
    size_t kept = known;
    for (size_t i = known; i < s->count; i++) {
        if (!is_known(s, kept, &s->items[i]))
            s->items[kept++] = s->items[i];
    }
    s->count = kept;
}

void tut_text_look_decoded(tut_text_scanner *s, const tut_text_view *v)
{
    TUT_CLEAN(tut_buf) decoded = TUT_BUF_INIT;
    size_t first = s->first_escape; /* looking at what is decoded finds others */
    look_base64(s, v, &decoded);
    s->first_escape = first;
    if (first < v->text.len)
        look_escapes(s, v, &decoded);
}
