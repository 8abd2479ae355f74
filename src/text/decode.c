/*
 * What text is wrapped in: base64 of a configuration (Kubernetes secrets, environment variables of
 * pipelines), and \uXXXX in JSON. One layer; what decodes to anything but text is left alone after
 * its first bytes.
 */
#include <string.h>

#include "text/block.h"
#include "text/scan_internal.h"

enum { RUN_LEAST = 32, HALF = RUN_LEAST / 2, LINE_LEAST = 60, DECODED_MAX = 64 << 10, TASTE = 16 };

static const int8_t *sextets(void)
{
    static int8_t table[256];
    static bool is_made;
    if (!is_made) {
        for (int i = 0; i < 256; i++)
            table[i] = (int8_t)tut_base64_digit((char)i);
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

/* A bit for each byte of the block that base64 is made of. */
static uint64_t alphabet(const char *at)
{
    return tut_block_letters(at) | tut_block_of(at, 0, '/', '9') | tut_block_is(at, '+') |
           tut_block_is(at, '-') | tut_block_is(at, '_');
}

static size_t run_end(tut_str t, size_t at)
{
    for (; at + TUT_BLOCK <= t.len; at += TUT_BLOCK) {
        uint64_t others = ~alphabet(t.data + at);
        if (others)
            return at + (size_t)__builtin_ctzll(others);
    }
    while (at < t.len && sextets()[(uint8_t)t.data[at]] >= 0)
        at++;
    return at;
}

typedef struct decoding {
    tut_buf *out;
    uint32_t bits, have;
    size_t odd; /* bytes that are no text; above TASTE: no text */
} decoding;

static void decode(decoding *d, tut_str run)
{
    const int8_t *table = sextets();
    for (size_t i = 0; i < run.len && d->out->len < DECODED_MAX && d->odd <= TASTE; i++) {
        d->bits = d->bits << 6 | (uint32_t)table[(uint8_t)run.data[i]];
        d->have += 6;
        if (d->have < 8)
            continue;
        d->have -= 8;
        uint8_t byte = (uint8_t)(d->bits >> d->have);
        d->odd += byte < 0x20 ? byte != '\n' && byte != '\t' && byte != '\r' : byte >= 0x7f;
        tut_buf_add_byte(d->out, byte);
        if (d->out->len <= TASTE && d->odd * 4 > d->out->len + 2)
            d->odd = TASTE + 1;
    }
}

/* Decodes from `at` on, over breaks of lines; *ret_end: behind the last character. Of what is no
 * text only its end is of interest. */
static bool decode_run(tut_str t, size_t at, tut_buf *out, size_t *ret_end)
{
    decoding d = {.out = out};
    tut_buf_clear(out);
    for (;;) {
        size_t end = run_end(t, at);
        decode(&d, (tut_str){t.data + at, end - at});
        size_t width = end - at >= LINE_LEAST ? break_at(t, end) : 0;
        at = end + width;
        if (width == 0 || at >= t.len || sextets()[(uint8_t)t.data[at]] < 0) {
            *ret_end = end;
            break;
        }
    }
    return d.odd * 8 <= out->len && out->len >= RUN_LEAST * 3 / 4;
}

/* A bit in every run that may be long enough: all of RUN_LEAST is in the block, or half of it up to
 * the block's edge, as one of the two blocks has where a run lies across. */
static uint64_t runs_of(const char *at)
{
    uint64_t half = alphabet(at);
    for (int width = 1; width < HALF; width *= 2)
        half &= half >> width;
    const uint64_t edges = 1 | UINT64_C(1) << (TUT_BLOCK - HALF);
    return (half & half >> HALF) | (half & edges);
}

/* The run around `at`, no farther to the left than `floor`, if it is long enough. */
static bool is_run(tut_str t, size_t floor, size_t at, size_t *ret_begin)
{
    const int8_t *table = sextets();
    size_t begin = at, end = at;
    while (begin > floor && table[(uint8_t)t.data[begin - 1]] >= 0)
        begin--;
    while (end < t.len && end - begin < RUN_LEAST && table[(uint8_t)t.data[end]] >= 0)
        end++;
    *ret_begin = begin;
    return end - begin >= RUN_LEAST;
}

/* Where the next run of at least RUN_LEAST begins, from `floor` on; t.len: nowhere. */
static size_t next_run(tut_str t, size_t floor)
{
    size_t at = floor, begin;
    for (; at + TUT_BLOCK <= t.len; at += TUT_BLOCK) {
        for (uint64_t bits = runs_of(t.data + at); bits; bits &= bits - 1) {
            if (is_run(t, floor, at + (size_t)__builtin_ctzll(bits), &begin))
                return begin;
        }
    }
    for (; at + HALF <= t.len; at += HALF) {
        if (is_run(t, floor, at, &begin))
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

/* From `at` on; last: where it was found before, which may still be ahead. */
static size_t next_sign(tut_str t, size_t at, char sign, size_t last)
{
    if (last >= at && last > 0)
        return last;
    const char *found = at < t.len ? memchr(t.data + at, sign, t.len - at) : NULL;
    return found ? (size_t)(found - t.data) : t.len;
}

/* From the first escape on; Vectorscan has seen it. */
static void look_escapes(tut_text_scanner *s, const tut_text_view *v, tut_buf *plain)
{
    tut_str t = v->text;
    size_t known = s->count, percent = 0, slash = 0;
    for (size_t at = s->first_escape; at < t.len;) {
        bool is_percent = percent_at(t, at) >= 0x20;
        if (is_percent || escape_at(t, at) >= 0x20)
            at = look_escaped(s, v, at, is_percent ? '%' : '\\', plain);
        else
            at++;
        percent = next_sign(t, at, '%', percent);
        slash = next_sign(t, at, '\\', slash);
        at = percent < slash ? percent : slash;
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
