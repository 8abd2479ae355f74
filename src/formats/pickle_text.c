#include "formats/pickle_text.h"

tut_status tut_ptext_line(tut_pmachine *m, tut_str *ret)
{
    tut_pline line;
    if (!tut_pinput_line(m->in, m->keep, TUT_LIMIT_PICKLE_TEXT_BYTES, &line))
        return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside %s", tut_popcodes[m->op].name);
    if (line.is_cut)
        return tut_pm_break(m, TUT_MALFORMED, "%s has a line of %llu bytes",
                            tut_popcodes[m->op].name, (unsigned long long)line.len);
    *ret = line.text;
    return TUT_SUCCESS;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static tut_str strip(tut_str s)
{
    while (s.len && is_space(s.data[0]))
        s = (tut_str){s.data + 1, s.len - 1};
    while (s.len && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

static tut_str after(tut_str s, size_t n)
{
    return (tut_str){s.data + n, s.len - n};
}

/* 0x, 0o, 0b before the digits: only with base 0. */
static int base_of(tut_str *s, int base)
{
    if (base != 0)
        return base;
    if (s->len < 2 || s->data[0] != '0')
        return 10;
    char letter = (char)(s->data[1] | 0x20);
    int found = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    if (found != 10)
        *s = after(*s, 2);
    return found;
}

static bool parse_128(tut_str text, int base, __int128 *ret)
{
    tut_str s = strip(text);
    bool is_negative = s.len && s.data[0] == '-';
    if (s.len && (s.data[0] == '-' || s.data[0] == '+'))
        s = after(s, 1);
    base = base_of(&s, base);
    __int128 n = 0;
    bool was_digit = false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '_' && was_digit && i + 1 < s.len) {
            was_digit = false;
            continue;
        }
        int d = digit(s.data[i]);
        if (d >= base)
            return false;
        if (__builtin_mul_overflow(n, (__int128)base, &n) ||
            __builtin_add_overflow(n, (__int128)d, &n))
            return false;
        was_digit = true;
    }
    *ret = is_negative ? -n : n;
    return was_digit;
}

bool tut_ptext_int(tut_str text, int base, int64_t *ret)
{
    __int128 n;
    if (!parse_128(text, base, &n) || n > INT64_MAX || n < INT64_MIN)
        return false;
    *ret = (int64_t)n;
    return true;
}

bool tut_ptext_long(tut_str text, int base, uint8_t ret_bytes[16], size_t *ret_len)
{
    __int128 n;
    if (!parse_128(text, base, &n))
        return false;
    for (size_t i = 0; i < 16; i++)
        ret_bytes[i] = (uint8_t)((unsigned __int128)n >> (8 * i));
    uint8_t sign = n < 0 ? 0xff : 0;
    size_t len = 16;
    while (len > 1 && ret_bytes[len - 1] == sign && (ret_bytes[len - 2] & 0x80) == (sign & 0x80))
        len--;
    *ret_len = len;
    return true;
}

static size_t digits(tut_str s, size_t at)
{
    size_t i = at;
    while (i < s.len && ((s.data[i] >= '0' && s.data[i] <= '9') || (s.data[i] == '_' && i > at)))
        i++;
    return i - at;
}

bool tut_ptext_is_float(tut_str text)
{
    tut_str s = strip(text);
    if (s.len && (s.data[0] == '-' || s.data[0] == '+'))
        s = after(s, 1);
    if (tut_str_ieq(s, TUT_LIT("inf")) || tut_str_ieq(s, TUT_LIT("infinity")) ||
        tut_str_ieq(s, TUT_LIT("nan")))
        return true;
    size_t whole = digits(s, 0), at = whole, part = 0;
    if (at < s.len && s.data[at] == '.') {
        part = digits(s, at + 1);
        at += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (at < s.len && (s.data[at] | 0x20) == 'e') {
        at++;
        if (at < s.len && (s.data[at] == '-' || s.data[at] == '+'))
            at++;
        size_t exponent = digits(s, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == s.len;
}

static bool put(uint8_t byte, uint8_t *to, size_t cap, size_t *len)
{
    if (*len == cap)
        return false;
    to[(*len)++] = byte;
    return true;
}

/* \ooo: one to three octal digits. */
static uint8_t octal(tut_str s, size_t *at)
{
    unsigned n = 0;
    for (int i = 0; i < 3 && *at < s.len && s.data[*at] >= '0' && s.data[*at] <= '7'; i++)
        n = n * 8 + (unsigned)(s.data[(*at)++] - '0');
    return (uint8_t)n;
}

static bool hex(tut_str s, size_t *at, int count, uint32_t *ret)
{
    uint32_t n = 0;
    for (int i = 0; i < count; i++) {
        if (*at >= s.len || digit(s.data[*at]) > 15)
            return false;
        n = n << 4 | (uint32_t)digit(s.data[(*at)++]);
    }
    *ret = n;
    return true;
}

bool tut_ptext_unescape(tut_str s, uint8_t *to, size_t cap, size_t *ret_len, bool *ret_is_cut)
{
    static const char from[] = "\\'\"bfnrtva", into[] = "\\'\"\b\f\n\r\t\v\a";
    size_t len = 0, at = 0;
    bool fits = true;
    while (at < s.len && fits) {
        char c = s.data[at++];
        if (c != '\\') {
            fits = put((uint8_t)c, to, cap, &len);
            continue;
        }
        if (at == s.len)
            return false;
        c = s.data[at];
        const char *known = c ? strchr(from, c) : NULL;
        uint32_t byte;
        if (known) {
            at++;
            fits = put((uint8_t)into[known - from], to, cap, &len);
        } else if (c >= '0' && c <= '7') {
            fits = put(octal(s, &at), to, cap, &len);
        } else if (c == 'x') {
            at++;
            if (!hex(s, &at, 2, &byte))
                return false;
            fits = put((uint8_t)byte, to, cap, &len);
        } else {
            fits = put('\\', to, cap, &len);
        }
    }
    *ret_len = len;
    *ret_is_cut = !fits;
    return true;
}

bool tut_ptext_put_utf8(uint32_t point, uint8_t *to, size_t cap, size_t *len)
{
    uint8_t bytes[4];
    size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (n > cap - *len)
        return false;
    for (size_t i = n; i > 1; i--) {
        bytes[i - 1] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    bytes[0] = (uint8_t)(lead[n] | point);
    memcpy(to + *len, bytes, n);
    *len += n;
    return true;
}

bool tut_ptext_raw_unicode(tut_str s, uint8_t *to, size_t cap, size_t *ret_len, bool *ret_is_cut)
{
    size_t len = 0, at = 0;
    bool fits = true;
    while (at < s.len && fits) {
        uint32_t point = (uint8_t)s.data[at++];
        if (point == '\\' && at < s.len && (s.data[at] == 'u' || s.data[at] == 'U')) {
            int count = s.data[at++] == 'u' ? 4 : 8;
            if (!hex(s, &at, count, &point) || point > 0x10ffff)
                return false;
        } else if (point == '\\' && at < s.len) {
            /* Backslashes go in pairs: the second one escapes nothing. */
            fits = tut_ptext_put_utf8(point, to, cap, &len);
            point = (uint8_t)s.data[at++];
        }
        fits = fits && tut_ptext_put_utf8(point, to, cap, &len);
    }
    *ret_len = len;
    *ret_is_cut = !fits;
    return true;
}

bool tut_ptext_utf8_valid(tut_str s)
{
    size_t at = 0;
    while (at < s.len) {
        uint8_t c = (uint8_t)s.data[at];
        if (c < 0x80) {
            at++;
            continue;
        }
        /* Lone surrogates, as the loader passes them through. */
        if (c == 0xed && s.len - at >= 3 && ((uint8_t)s.data[at + 1] & 0xe0) == 0xa0 &&
            ((uint8_t)s.data[at + 2] & 0xc0) == 0x80) {
            at += 3;
            continue;
        }
        uint32_t point;
        size_t n = tut_utf8_len(after(s, at), &point);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}
