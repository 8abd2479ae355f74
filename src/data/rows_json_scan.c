/* JSON as RFC 8259 has it: strings sixteen bytes at a time, the rest byte by byte. */
#include <math.h>

#include "base/limits.h"
#include "data/decimal.h"
#include "data/rows_json.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

json_outcome json_bad(json_at *a, const char *why)
{
    a->why = why;
    return a->p >= a->end ? JSON_MORE : JSON_BAD;
}

/* --- strings --- */

#if defined(__SSE2__)
/* To the next quote, backslash or control character; at most 15 bytes beyond the end are read. */
static inline const char *plain_run(const char *p, const char *end)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    for (; p < end; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
        unsigned mask = (unsigned)_mm_movemask_epi8(stops);
        if (mask) {
            p += __builtin_ctz(mask);
            break;
        }
    }
    return p < end ? p : end;
}
#else
static inline const char *plain_run(const char *p, const char *end)
{
    while (p < end && *p != '"' && *p != '\\' && (uint8_t)*p >= 0x20)
        p++;
    return p;
}
#endif

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* p at the backslash */
static json_outcome take_escape(json_at *a)
{
    char c = a->p[1];
    if (a->end - a->p < 2)
        return JSON_MORE;
    if (c != 'u') {
        if (!memchr("\"\\/bfnrt", c, 8))
            return json_bad(a, "an escape that there is not");
        a->p += 2;
        return JSON_OK;
    }
    if (a->end - a->p < 6)
        return JSON_MORE;
    for (int i = 2; i < 6; i++)
        if (hex_digit(a->p[i]) < 0)
            return json_bad(a, "an escape that there is not");
    a->p += 6;
    return JSON_OK;
}

json_outcome json_take_string(json_at *a, json_string *ret)
{
    const char *from = ++a->p;
    ret->has_escape = false;
    for (;;) {
        a->p = plain_run(a->p, a->end);
        if (a->p >= a->end)
            return JSON_MORE;
        if (*a->p == '"')
            break;
        if (*a->p != '\\')
            return json_bad(a, "a control character in a string");
        ret->has_escape = true;
        json_outcome outcome = take_escape(a);
        if (outcome != JSON_OK)
            return outcome;
    }
    ret->raw = (tut_str){from, (size_t)(a->p - from)};
    a->p++;
    return JSON_OK;
}

static uint32_t hex4(const char *at)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 4 | (uint32_t)hex_digit(at[i]);
    return v;
}

/* at: behind the backslash, at the "u"; returns how many bytes of raw it took. */
static size_t unescape_u(const char *at, size_t left, char *to, size_t *made, size_t *lone)
{
    uint32_t c = hex4(at + 1);
    if (c < 0xd800 || c > 0xdfff) {
        *made += tut_utf8_put(c, to);
        return 5;
    }
    if (c < 0xdc00 && left >= 11 && at[5] == '\\' && at[6] == 'u') {
        uint32_t low = hex4(at + 7);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *made += tut_utf8_put(0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00)), to);
            return 11;
        }
    }
    ++*lone;
    *made += tut_utf8_put(0xfffd, to);
    return 5;
}

size_t json_unescape(tut_str raw, char *to, size_t *lone)
{
    static const char meaning[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                      ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    size_t made = 0;
    const char *at = raw.data;
    const char *end = at + raw.len;
    for (;;) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t run = (size_t)((slash ? slash : end) - at);
        memcpy(to + made, at, run);
        made += run;
        if (!slash)
            return made;
        at = slash + 1;
        if (*at == 'u') {
            at += unescape_u(at, (size_t)(end - at), to + made, &made, lone);
            continue;
        }
        to[made++] = meaning[(uint8_t)*at++ & 0x7f];
    }
}

/* --- numbers and words --- */

json_outcome json_take_word(json_at *a, const char *word)
{
    for (const char *w = word; *w; w++, a->p++)
        if (*a->p != *w)
            return json_bad(a, "a word that there is not");
    return JSON_OK;
}

static size_t digits(json_at *a)
{
    const char *from = a->p;
    while ((unsigned)(*a->p - '0') < 10)
        a->p++;
    return (size_t)(a->p - from);
}

static json_outcome take_infinity(json_at *a, double *ret_value)
{
    double sign = *a->p == '-' ? -1 : 1;
    a->p += *a->p == '-';
    bool is_nan = *a->p == 'N';
    *ret_value = is_nan ? NAN : sign * INFINITY;
    return json_take_word(a, is_nan ? "NaN" : "Infinity");
}

json_outcome json_take_number(json_at *a, tut_str *ret_raw, double *ret_value)
{
    const char *from = a->p;
    a->p += *a->p == '-';
    if (*a->p == 'N' || *a->p == 'I') {
        a->p = from;
        json_outcome outcome = take_infinity(a, ret_value);
        *ret_raw = (tut_str){from, (size_t)(a->p - from)};
        return outcome;
    }
    bool is_zero = *a->p == '0';
    size_t whole = digits(a);
    if (whole == 0 || (is_zero && whole > 1))
        return json_bad(a, "a number that is none");
    if (*a->p == '.') {
        a->p++;
        if (digits(a) == 0)
            return json_bad(a, "a number that is none");
    }
    if (*a->p == 'e' || *a->p == 'E') {
        a->p++;
        a->p += *a->p == '+' || *a->p == '-';
        if (digits(a) == 0)
            return json_bad(a, "a number that is none");
    }
    if (a->p >= a->end && !a->is_whole)
        return JSON_MORE; /* another digit may follow */
    *ret_raw = (tut_str){from, (size_t)(a->p - from)};
    (void)tut_decimal_padded(*ret_raw, ret_value, &is_zero);
    return JSON_OK;
}

/* --- any value --- */

typedef struct nest {
    uint64_t objects; /* a bit a level: it is one */
    unsigned depth;
} nest;

static bool is_object(const nest *n)
{
    return n->objects >> (n->depth - 1) & 1;
}

static json_outcome take_scalar(json_at *a)
{
    json_string s;
    tut_str raw;
    double value;
    switch (*a->p) {
    case '"':
        return json_take_string(a, &s);
    case 't':
        return json_take_word(a, "true");
    case 'f':
        return json_take_word(a, "false");
    case 'n':
        return json_take_word(a, "null");
    default:
        return json_take_number(a, &raw, &value);
    }
}

static json_outcome take_key(json_at *a)
{
    json_string s;
    json_space(a);
    if (*a->p != '"')
        return json_bad(a, "no key where one belongs");
    json_outcome outcome = json_take_string(a, &s);
    if (outcome != JSON_OK)
        return outcome;
    json_space(a);
    if (*a->p != ':')
        return json_bad(a, "no colon behind a key");
    a->p++;
    return JSON_OK;
}

/* A bracket or brace opens; *ret_is_empty: and closes at once. */
static json_outcome open_nest(json_at *a, nest *n, bool *ret_is_empty)
{
    bool is_brace = *a->p == '{';
    if (n->depth == TUT_LIMIT_JSON_DEPTH)
        return JSON_DEEP;
    n->objects = (n->objects & ~(1ull << n->depth)) | (uint64_t)is_brace << n->depth;
    n->depth++;
    a->p++;
    json_space(a);
    *ret_is_empty = *a->p == (is_brace ? '}' : ']');
    if (*ret_is_empty) {
        a->p++;
        n->depth--;
        return JSON_OK;
    }
    return is_brace ? take_key(a) : JSON_OK;
}

/* What follows a value, up to where the next one begins; or all is closed. */
static json_outcome close_nests(json_at *a, nest *n)
{
    while (n->depth > 0) {
        json_space(a);
        char c = *a->p;
        if (c == ',') {
            a->p++;
            return is_object(n) ? take_key(a) : JSON_OK;
        }
        if (c != (is_object(n) ? '}' : ']'))
            return json_bad(a, "neither a comma nor the end where one belongs");
        a->p++;
        n->depth--;
    }
    return JSON_OK;
}

json_outcome json_take_value(json_at *a, tut_str *ret_raw)
{
    nest n = {0};
    json_space(a);
    const char *from = a->p;
    do {
        json_space(a);
        bool is_closed = true;
        json_outcome outcome = *a->p == '{' || *a->p == '[' ? open_nest(a, &n, &is_closed)
                                                            : take_scalar(a);
        if (outcome == JSON_OK && is_closed)
            outcome = close_nests(a, &n);
        if (outcome != JSON_OK)
            return outcome;
    } while (n.depth > 0);
    *ret_raw = (tut_str){from, (size_t)(a->p - from)};
    return JSON_OK;
}
