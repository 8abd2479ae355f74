#include "formats/python_lex.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

enum { BRACKETS_MAX = 200 }; /* as CPython: more open ones are an error there */

typedef struct lexer {
    tut_python_tokens *t;
    size_t at;
    size_t line_at;                /* where the physical line began */
    uint32_t opened[BRACKETS_MAX]; /* indices of tokens */
    size_t depth;
    bool is_fresh; /* nothing of the logical line has been seen */
    tut_error *err;
} lexer;

void tut_python_tokens_done(tut_python_tokens *t)
{
    tut_free(t->items);
    *t = (tut_python_tokens){0};
}

static bool is_start(uint8_t c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint8_t byte_at(const lexer *l, size_t at)
{
    return at < l->t->text.len ? (uint8_t)l->t->text.data[at] : 0;
}

static tut_status add(lexer *l, tut_python_kind kind, size_t len, uint16_t indent)
{
    tut_python_tokens *t = l->t;
    if (t->count == TUT_LIMIT_PYTHON_TOKENS)
        return tut_fail(l->err, TUT_LIMIT, "more program text than is looked through");
    TUT_TRY(tut_grow(&t->items, t->count, &t->capacity, sizeof(*t->items)));
    t->items[t->count] = (tut_python_token){.at = (uint32_t)l->at,
                                            .len = (uint32_t)len,
                                            .mate = (uint32_t)t->count,
                                            .indent = indent,
                                            .kind = (uint8_t)kind,
                                            .op = (char)byte_at(l, l->at)};
    t->count++;
    l->at += len;
    l->is_fresh = kind == TUT_PYTHON_LINE;
    return TUT_SUCCESS;
}

/* --- strings --- */
/* The letters before a quote, or SIZE_MAX when no string begins here. */
static size_t prefix_len(const lexer *l)
{
    size_t n = 0;
    while (n < 3 && byte_at(l, l->at + n) && strchr("rRbBuUfFtT", byte_at(l, l->at + n)))
        n++;
    uint8_t quote = byte_at(l, l->at + n);
    return quote == '"' || quote == '\'' ? n : SIZE_MAX;
}

/* Behind the closing quotes; an unclosed short string ends with its line. */
static size_t string_end(const lexer *l, size_t at)
{
    uint8_t quote = byte_at(l, at);
    bool is_long = byte_at(l, at + 1) == quote && byte_at(l, at + 2) == quote;
    size_t end = l->t->text.len;
    for (at += is_long ? 3 : 1; at < end; at++) {
        uint8_t c = byte_at(l, at);
        if (c == '\\')
            at++;
        else if (c == '\n' && !is_long)
            return at;
        else if (c == quote && !is_long)
            return at + 1;
        else if (c == quote && byte_at(l, at + 1) == quote && byte_at(l, at + 2) == quote)
            return at + 3;
    }
    return end;
}

/* --- lines --- */
static uint16_t indent_at(const lexer *l, size_t at)
{
    size_t column = 0;
    for (; byte_at(l, at) == ' ' || byte_at(l, at) == '\t' || byte_at(l, at) == '\f'; at++)
        column = byte_at(l, at) == '\t' ? (column / 8 + 1) * 8 : column + 1;
    return column < UINT16_MAX ? (uint16_t)column : UINT16_MAX;
}

/* Empty lines and comments say nothing of the indentation. */
static size_t next_line(const lexer *l, size_t at)
{
    for (;;) {
        size_t text = at;
        while (byte_at(l, text) == ' ' || byte_at(l, text) == '\t' || byte_at(l, text) == '\f' ||
               byte_at(l, text) == '\r')
            text++;
        if (byte_at(l, text) == '#')
            while (text < l->t->text.len && byte_at(l, text) != '\n')
                text++;
        if (text >= l->t->text.len || byte_at(l, text) != '\n')
            return at;
        at = text + 1;
    }
}

static tut_status take_newline(lexer *l)
{
    if (l->depth > 0 || l->is_fresh) {
        l->at++;
        return TUT_SUCCESS;
    }
    size_t line = next_line(l, l->at + 1);
    TUT_TRY(add(l, TUT_PYTHON_LINE, 1, indent_at(l, line)));
    l->at = line;
    return TUT_SUCCESS;
}

/* --- brackets --- */
static bool fits(char open, char close)
{
    return (open == '(' && close == ')') || (open == '[' && close == ']') ||
           (open == '{' && close == '}');
}

static void match(lexer *l, uint32_t index)
{
    tut_python_token *items = l->t->items;
    char op = items[index].op;
    if (strchr("([{", op)) {
        if (l->depth < BRACKETS_MAX)
            l->opened[l->depth++] = index;
        return;
    }
    if (l->depth == 0 || !fits(items[l->opened[l->depth - 1]].op, op))
        return;
    uint32_t open = l->opened[--l->depth];
    items[open].mate = index;
    items[index].mate = open;
}

static tut_status take_op(lexer *l)
{
    TUT_TRY(add(l, TUT_PYTHON_OP, 1, 0));
    const tut_python_token *token = &l->t->items[l->t->count - 1];
    if (strchr("()[]{}", token->op))
        match(l, (uint32_t)(l->t->count - 1));
    return TUT_SUCCESS;
}

static size_t word_len(const lexer *l)
{
    size_t n = 0;
    while (is_start(byte_at(l, l->at + n)) || is_digit(byte_at(l, l->at + n)))
        n++;
    return n;
}

static size_t number_len(const lexer *l)
{
    size_t n = 0;
    while (is_start(byte_at(l, l->at + n)) || is_digit(byte_at(l, l->at + n)) ||
           byte_at(l, l->at + n) == '.')
        n++;
    return n;
}

static tut_status take(lexer *l)
{
    uint8_t c = byte_at(l, l->at);
    size_t prefix = prefix_len(l);
    if (c == '\n')
        return take_newline(l);
    if (c == '#') {
        while (l->at < l->t->text.len && byte_at(l, l->at) != '\n')
            l->at++;
        return TUT_SUCCESS;
    }
    if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == 0) {
        l->at++;
        return TUT_SUCCESS;
    }
    if (c == '\\') { /* joins two lines */
        l->at += byte_at(l, l->at + 1) == '\r' ? 3 : 2;
        return TUT_SUCCESS;
    }
    if (prefix != SIZE_MAX)
        return add(l, TUT_PYTHON_STRING, string_end(l, l->at + prefix) - l->at, 0);
    if (is_start(c))
        return add(l, TUT_PYTHON_NAME, word_len(l), 0);
    if (is_digit(c))
        return add(l, TUT_PYTHON_NUMBER, number_len(l), 0);
    return take_op(l);
}

tut_status tut_python_lex(tut_str text, tut_python_tokens *ret_tokens, tut_error *err)
{
    if (tut_str_starts(text, TUT_LIT("\xef\xbb\xbf")))
        text = (tut_str){text.data + 3, text.len - 3};
    *ret_tokens = (tut_python_tokens){.text = text};
    lexer l = {.t = ret_tokens, .is_fresh = true, .err = err};
    l.at = next_line(&l, 0);
    /* The first line has an indentation too. */
    TUT_TRY(add(&l, TUT_PYTHON_LINE, 0, indent_at(&l, l.at)));
    while (l.at < text.len)
        TUT_TRY(take(&l));
    l.at = text.len;
    return add(&l, TUT_PYTHON_LINE, 0, 0);
}

/* --- reading tokens --- */
tut_str tut_python_text(const tut_python_tokens *t, size_t i)
{
    if (i >= t->count)
        return (tut_str){"", 0};
    return (tut_str){t->text.data + t->items[i].at, t->items[i].len};
}

bool tut_python_is_op(const tut_python_tokens *t, size_t i, char op)
{
    return i < t->count && t->items[i].kind == TUT_PYTHON_OP && t->items[i].op == op;
}

bool tut_python_is_name(const tut_python_tokens *t, size_t i)
{
    return i < t->count && t->items[i].kind == TUT_PYTHON_NAME;
}

bool tut_python_is_word(const tut_python_tokens *t, size_t i, const char *word)
{
    return tut_python_is_name(t, i) && tut_str_eq_z(tut_python_text(t, i), word);
}

static size_t letters_before_quote(tut_str literal)
{
    size_t n = 0;
    while (n < literal.len && literal.data[n] != '"' && literal.data[n] != '\'')
        n++;
    return n;
}

bool tut_python_is_format(tut_str literal)
{
    size_t n = letters_before_quote(literal);
    return n > 0 && (memchr(literal.data, 'f', n) || memchr(literal.data, 'F', n));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape at body[at] (the backslash); returns how many bytes it took. */
static size_t resolve(tut_str body, size_t at, tut_buf *out)
{
    static const char letters[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
    if (at + 1 >= body.len)
        return 1;
    char c = body.data[at + 1];
    const char *known = strchr(letters, c);
    if (c == '\n')
        return 2;
    if (known && c) {
        tut_buf_add_byte(out, (uint8_t)values[known - letters]);
        return 2;
    }
    if (c == 'x' && at + 3 < body.len && hex_digit(body.data[at + 2]) >= 0 &&
        hex_digit(body.data[at + 3]) >= 0) {
        tut_buf_add_byte(
            out, (uint8_t)(hex_digit(body.data[at + 2]) * 16 + hex_digit(body.data[at + 3])));
        return 4;
    }
    size_t n = 0, value = 0;
    while (n < 3 && at + 1 + n < body.len && body.data[at + 1 + n] >= '0' &&
           body.data[at + 1 + n] <= '7')
        value = value * 8 + (size_t)(body.data[at + 1 + n++] - '0');
    tut_buf_add_byte(out, n ? (uint8_t)value : (uint8_t)'\\');
    return n ? n + 1 : 1;
}

void tut_python_value(tut_str literal, tut_buf *out)
{
    size_t letters = letters_before_quote(literal);
    bool is_raw = letters &&
                  (memchr(literal.data, 'r', letters) || memchr(literal.data, 'R', letters));
    tut_str body = {literal.data + letters, literal.len - letters};
    size_t quotes = body.len >= 6 && body.data[0] == body.data[1] && body.data[1] == body.data[2]
                        ? 3
                        : 1;
    if (body.len < 2 * quotes)
        return;
    body = (tut_str){body.data + quotes, body.len - 2 * quotes};
    for (size_t i = 0; i < body.len;) {
        if (body.data[i] == '\\' && !is_raw) {
            i += resolve(body, i, out);
            continue;
        }
        tut_buf_add_byte(out, (uint8_t)body.data[i++]);
    }
}
