/* Words, numbers and signs of a plain text, each with its symbol (lexicon.h). */
#ifndef TUT_DETECT_TOKEN_H
#define TUT_DETECT_TOKEN_H

#include "base/alloc.h"
#include "base/str.h"
#include "detect/lexicon.h"

enum tut_token_flag {
    TUT_TOKEN_WORD = 1,
    TUT_TOKEN_SPACE = 2,   /* white space before it */
    TUT_TOKEN_NEWLINE = 4, /* a line begins with it */
    TUT_TOKEN_BLANK = 8,   /* an empty line before it */
    TUT_TOKEN_CAPITAL = 16,
    TUT_TOKEN_SHOUTED = 32, /* capitals only, two at least */
    TUT_TOKEN_ROT = 64      /* a word that rot13 makes of a common one */
};

typedef struct tut_token {
    uint32_t hash;
    uint32_t at;
    uint16_t len; /* longer ones are cut */
    uint8_t symbol;
    uint8_t flags;
} tut_token;

typedef struct tut_tokens {
    tut_token *items;
    size_t count, capacity;
    size_t letters, turned; /* words of one letter; with TUT_TOKEN_ROT */
    tut_str plain;          /* borrowed while tokens are made of it */
    size_t at;
    const tut_lexicon *lexicon;
} tut_tokens;

void tut_tokens_done(tut_tokens *t);
/* Begins anew; nothing is read before the first step. */
void tut_tokens_begin(tut_tokens *t, const tut_lexicon *lexicon, tut_str plain);
/* Reads on: about max_bytes, and at most a token more. */
TUT_MUST tut_status tut_tokens_step(tut_tokens *t, size_t max_bytes, bool *ret_is_done,
                                    tut_error *err);

#endif
