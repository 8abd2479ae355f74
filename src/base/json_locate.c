/*
 * The grammar of RFC 8259, read only to say where a refused text breaks it.
 *
 *   value  = object / array / string / number / true / false / null
 *   object = { [ string : value *( , string : value ) ] }
 *   array  = [ [ value *( , value ) ] ]
 */
#include "base/json_internal.h"

enum { DEPTH_MAX = 1024 };

typedef struct scan {
    tut_str text;
    size_t pos;
    const char *why;
    size_t depth;
    char open[DEPTH_MAX]; /* '{' or '[' */
} scan;

static int peek(const scan *s)
{
    return s->pos < s->text.len ? (uint8_t)s->text.data[s->pos] : -1;
}

static bool stop(scan *s, const char *why)
{
    s->why = s->pos < s->text.len ? why : "the text ends too early";
    return false;
}

static void skip_space(scan *s)
{
    for (int c = peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(s))
        s->pos++;
}

static bool is_hex(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool read_hex4(scan *s, uint32_t *ret_value)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, s->pos++) {
        int c = peek(s);
        if (!is_hex(c))
            return stop(s, "\\u needs four hexadecimal digits");
        v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    *ret_value = v;
    return true;
}

static bool read_escape(scan *s)
{
    size_t start = s->pos++;
    int c = peek(s);
    if (c <= 0 || !strchr("\"\\/bfnrtu", c))
        return stop(s, "this escape is unknown");
    s->pos++;
    if (c != 'u')
        return true;
    uint32_t unit = 0;
    if (!read_hex4(s, &unit))
        return false;
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    uint32_t low = 0;
    if (unit <= 0xDBFF && s->text.len - s->pos >= 6 && peek(s) == '\\' &&
        s->text.data[s->pos + 1] == 'u') {
        s->pos += 2;
        if (!read_hex4(s, &low))
            return false;
    }
    if (low >= 0xDC00 && low <= 0xDFFF)
        return true;
    s->pos = start;
    return stop(s, "half a surrogate pair");
}

static bool read_string(scan *s)
{
    for (s->pos++; peek(s) != '"';) {
        int c = peek(s);
        if (c < 0)
            return stop(s, NULL);
        if (c < 0x20)
            return stop(s, "a control character stands unescaped in a string");
        if (c == '\\') {
            if (!read_escape(s))
                return false;
            continue;
        }
        uint32_t codepoint;
        size_t n = tut_utf8_len((tut_str){s->text.data + s->pos, s->text.len - s->pos}, &codepoint);
        if (n == 0)
            return stop(s, "this byte is no UTF-8");
        s->pos += n;
    }
    s->pos++;
    return true;
}

static bool read_digits(scan *s)
{
    if (peek(s) < '0' || peek(s) > '9')
        return stop(s, "a digit is missing");
    while (peek(s) >= '0' && peek(s) <= '9')
        s->pos++;
    return true;
}

static bool read_number(scan *s)
{
    if (peek(s) == '-')
        s->pos++;
    if (peek(s) == '0')
        s->pos++;
    else if (!read_digits(s))
        return false;
    if (peek(s) >= '0' && peek(s) <= '9')
        return stop(s, "a number may not begin with 0");
    if (peek(s) == '.') {
        s->pos++;
        if (!read_digits(s))
            return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->pos++;
        if (peek(s) == '+' || peek(s) == '-')
            s->pos++;
        return read_digits(s);
    }
    return true;
}

static bool read_word(scan *s, const char *word)
{
    for (; *word; word++, s->pos++) {
        if (peek(s) != *word)
            return stop(s, "a value was expected here");
    }
    return true;
}

static bool read_scalar(scan *s)
{
    int c = peek(s);
    if (c == '"')
        return read_string(s);
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(s);
    if (c == 't')
        return read_word(s, "true");
    if (c == 'f')
        return read_word(s, "false");
    if (c == 'n')
        return read_word(s, "null");
    return stop(s, "a value was expected here");
}

static bool read_key(scan *s)
{
    skip_space(s);
    if (peek(s) != '"')
        return stop(s, "a key in double quotes was expected here");
    if (!read_string(s))
        return false;
    skip_space(s);
    if (peek(s) != ':')
        return stop(s, "a ':' was expected here");
    s->pos++;
    return true;
}

/* Opens containers down to the next scalar or empty container, which is read. */
static bool read_value(scan *s)
{
    for (;;) {
        skip_space(s);
        int c = peek(s);
        if (c != '{' && c != '[')
            return read_scalar(s);
        if (s->depth == DEPTH_MAX)
            return false;
        s->open[s->depth++] = (char)c;
        s->pos++;
        skip_space(s);
        if (peek(s) == (c == '{' ? '}' : ']')) {
            s->depth--;
            s->pos++;
            return true;
        }
        if (c == '{' && !read_key(s))
            return false;
    }
}

static void read_document(scan *s)
{
    if (!read_value(s))
        return;
    while (s->depth > 0) {
        skip_space(s);
        bool in_object = s->open[s->depth - 1] == '{';
        if (peek(s) == (in_object ? '}' : ']')) {
            s->depth--;
            s->pos++;
            continue;
        }
        if (peek(s) != ',') {
            stop(s,
                 in_object ? "a ',' or '}' was expected here" : "a ',' or ']' was expected here");
            return;
        }
        s->pos++;
        if (in_object && !read_key(s))
            return;
        if (!read_value(s))
            return;
    }
    skip_space(s);
    if (s->pos < s->text.len)
        stop(s, "something follows the end of the document");
}

size_t tut_json_locate(tut_str text, const char **ret_why)
{
    scan s = {.text = text};
    read_document(&s);
    *ret_why = s.why;
    return s.pos;
}
