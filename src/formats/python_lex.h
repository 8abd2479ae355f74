/*
 * Python source as tokens (The Python Language Reference, chapter 2): names, numbers, strings,
 * operators by their characters, and the ends of logical lines. Text that is no Python gives tokens
 * too: nothing is refused, as whoever reads them looks for what could run, and judges nothing else.
 */
#ifndef TUT_FORMATS_PYTHON_LEX_H
#define TUT_FORMATS_PYTHON_LEX_H

#include "base/buf.h"
#include "base/status.h"

typedef enum tut_python_kind {
    TUT_PYTHON_NAME,
    TUT_PYTHON_NUMBER,
    TUT_PYTHON_STRING,
    TUT_PYTHON_OP,  /* one character */
    TUT_PYTHON_LINE /* a logical line ends; `indent` is that of the next */
} tut_python_kind;

typedef struct tut_python_token {
    uint32_t at, len;
    uint32_t mate; /* of a bracket: the index of the one that closes or opens it; else its own */
    uint16_t indent;
    uint8_t kind;
    char op;
} tut_python_token;

typedef struct tut_python_tokens {
    tut_str text; /* borrowed */
    tut_python_token *items;
    size_t count, capacity;
} tut_python_tokens;

/* LIMIT beyond TUT_LIMIT_PYTHON_TOKENS, with what came before kept. text.len < 2^32. */
TUT_MUST tut_status tut_python_lex(tut_str text, tut_python_tokens *ret_tokens, tut_error *err);
void tut_python_tokens_done(tut_python_tokens *t);

tut_str tut_python_text(const tut_python_tokens *t, size_t i); /* empty beyond the end */
bool tut_python_is_op(const tut_python_tokens *t, size_t i, char op);
bool tut_python_is_name(const tut_python_tokens *t, size_t i);
bool tut_python_is_word(const tut_python_tokens *t, size_t i, const char *word);
/* Of strings: what stands between the quotes, escapes resolved (those of one byte; others stay). */
void tut_python_value(tut_str literal, tut_buf *out);
/* "f", in any case, among the letters before the quotes: braces hold code. */
bool tut_python_is_format(tut_str literal);

#endif
