/* UTF-8, UTF-16 and windows-1252: which one a file is in, and how its texts become UTF-8. */
#include "data/rows_input.h"

/* 0x80 to 0x9f of windows-1252; 0: no character. */
static const uint16_t high_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

enum { REPLACEMENT = 0xfffd };

const char *rows_encoding_name(rows_encoding e)
{
    static const char *const names[] = {
        [ROWS_UTF8] = "utf-8",
        [ROWS_UTF16LE] = "utf-16le",
        [ROWS_UTF16BE] = "utf-16be",
        [ROWS_1252] = "windows-1252",
    };
    return names[e];
}

size_t rows_from_utf16(rows_input *in, bool is_big, const uint8_t *from, size_t len, char *to)
{
    size_t made = 0;
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint16_t unit = is_big ? (uint16_t)(from[i] << 8 | from[i + 1])
                               : (uint16_t)(from[i + 1] << 8 | from[i]);
        bool is_low = unit >= 0xdc00 && unit < 0xe000;
        if (in->has_half) {
            in->has_half = false;
            if (is_low) {
                uint32_t high = (uint32_t)in->half - 0xd800;
                made += tut_utf8_put(0x10000 + (high << 10 | (unit - 0xdc00u)), to + made);
                continue;
            }
            made += tut_utf8_put(REPLACEMENT, to + made);
        }
        if (unit >= 0xd800 && unit < 0xdc00) {
            in->has_half = true;
            in->half = unit;
            continue;
        }
        made += tut_utf8_put(is_low ? REPLACEMENT : unit, to + made);
    }
    return made;
}

/* --- which one --- */

static bool is_control(uint8_t byte)
{
    return (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte != 0x1b) || byte == 0x7f;
}

/* Text in which every other byte is 0, and the ones between are nearly all printable. */
static bool looks_like_utf16(tut_span head, bool is_big)
{
    size_t texts = 0;
    size_t pairs = head.len / 2;
    for (size_t i = 0; i < pairs; i++) {
        uint8_t high = head.data[2 * i + !is_big];
        uint8_t low = head.data[2 * i + is_big];
        texts += high == 0 && low != 0 && low < 0x7f && !is_control(low);
    }
    return pairs >= 4 && texts * 10 >= pairs * 9;
}

/* How much of it is UTF-8 beyond ASCII, and how much can be none. */
static void count_utf8(tut_span head, size_t *ret_good, size_t *ret_bad)
{
    *ret_good = *ret_bad = 0;
    for (size_t at = 0; at < head.len;) {
        uint32_t c;
        if (head.data[at] < 0x80) {
            at++;
            continue;
        }
        uint8_t byte = head.data[at];
        size_t len = tut_utf8_len((tut_str){(const char *)head.data + at, head.len - at}, &c);
        if (len == 0 && byte >= 0xc2 &&
            head.len - at < (byte >= 0xf0   ? 4u
                             : byte >= 0xe0 ? 3u
                                            : 2u))
            break; /* perhaps cut by the end of what we see */
        *ret_good += len > 0;
        *ret_bad += len == 0;
        at += len ? len : 1;
    }
}

bool rows_encoding_of(tut_span head, rows_encoding *ret_encoding, unsigned *ret_bom)
{
    const uint8_t *p = head.data;
    *ret_encoding = ROWS_UTF8;
    *ret_bom = 0;
    if (head.len >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
        *ret_encoding = p[0] == 0xff ? ROWS_UTF16LE : ROWS_UTF16BE;
        *ret_bom = 2;
        return true;
    }
    if (head.len >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
        *ret_bom = 3;
        return true;
    }
    for (unsigned is_big = 0; is_big < 2; is_big++) {
        if (!looks_like_utf16(head, is_big))
            continue;
        *ret_encoding = is_big ? ROWS_UTF16BE : ROWS_UTF16LE;
        return true;
    }
    size_t controls = 0;
    for (size_t i = 0; i < head.len; i++)
        controls += is_control(p[i]);
    size_t good;
    size_t bad;
    count_utf8(head, &good, &bad);
    if (bad > good)
        *ret_encoding = ROWS_1252;
    return controls <= head.len / 16 + 4; /* a few stray ones are a defect, and it is text */
}

/* --- cells --- */

typedef struct decoded {
    size_t len;
    size_t bad; /* bytes that mean nothing */
} decoded;

/* Each byte that is no UTF-8 becomes what it is in windows-1252, or U+FFFD. */
static decoded decode(tut_str raw, bool is_1252, char *to)
{
    decoded d = {0};
    for (size_t at = 0; at < raw.len;) {
        uint32_t c;
        uint8_t byte = (uint8_t)raw.data[at];
        size_t len = is_1252 && byte >= 0x80
                         ? 0
                         : tut_utf8_len((tut_str){raw.data + at, raw.len - at}, &c);
        if (len > 0) {
            memcpy(to + d.len, raw.data + at, len);
            d.len += len;
            at += len;
            continue;
        }
        c = !is_1252 ? 0 : byte < 0xa0 ? high_1252[byte - 0x80] : byte;
        d.bad += c == 0;
        d.len += tut_utf8_put(c ? c : REPLACEMENT, to + d.len);
        at++;
    }
    return d;
}

static bool has_multibyte(tut_str raw)
{
    size_t good;
    size_t bad;
    count_utf8(tut_span_of(raw.data, raw.len), &good, &bad);
    return good > 0;
}

static bool is_ascii(tut_str raw)
{
    for (size_t i = 0; i < raw.len; i++)
        if ((uint8_t)raw.data[i] >= 0x80)
            return false;
    return true;
}

static void settle_encoding(rows_input *in, uint64_t row)
{
    tut_rows *r = in->rows;
    if (r->encoding == ROWS_1252)
        return;
    if (in->saw_multibyte) {
        rows_defect(r, TUT_ROWS_TYPE, row, UINT64_MAX, "windows-1252 in a file of UTF-8");
        return;
    }
    r->encoding = ROWS_1252; /* so far all was ASCII, which is the same in both */
    r->facts.encoding = rows_encoding_name(ROWS_1252);
}

tut_status rows_input_text(rows_input *in, tut_str raw, uint64_t row, tut_str *ret_text,
                           tut_error *err)
{
    tut_rows *r = in->rows;
    *ret_text = raw;
    if (memchr(raw.data, '\0', raw.len))
        rows_defect(r, TUT_ROWS_NUL, row, UINT64_MAX, "a NUL byte in a text of %zu bytes", raw.len);
    if (is_ascii(raw))
        return TUT_SUCCESS;
    if (rows_utf8_valid(raw.data, raw.len)) {
        if (r->encoding == ROWS_1252)
            rows_defect(r, TUT_ROWS_TYPE, row, UINT64_MAX, "UTF-8 in a file of windows-1252");
        else
            in->saw_multibyte = true;
        return TUT_SUCCESS;
    }
    size_t room;
    if (__builtin_mul_overflow(raw.len, (size_t)3, &room))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    char *to = rows_keep(r, room);
    if (!to)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    bool is_1252 = !has_multibyte(raw);
    if (is_1252)
        settle_encoding(in, row);
    decoded d = decode(raw, is_1252, to);
    if (d.bad)
        rows_defect(r, TUT_ROWS_ENCODING, row, UINT64_MAX, "%zu bytes that are no character",
                    d.bad);
    *ret_text = (tut_str){to, d.len};
    return TUT_SUCCESS;
}

tut_str rows_cut(tut_str text)
{
    if (text.len <= TUT_ROWS_CELL_BYTES)
        return text;
    size_t len = TUT_ROWS_CELL_BYTES;
    while (len > TUT_ROWS_CELL_BYTES - 4 && ((uint8_t)text.data[len] & 0xc0) == 0x80)
        len--;
    return (tut_str){text.data, len};
}
