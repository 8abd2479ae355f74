/*
 * What a text says only after decoding: base64, hexadecimal, percent and other escapes, rot13,
 * letters with spaces between, characters that nobody sees, words torn apart by markup. Each piece
 * found is handed over once; a budget bounds how many bytes come of it all.
 */
#ifndef TUT_DETECT_HIDDEN_H
#define TUT_DETECT_HIDDEN_H

#include "detect/plain.h"
#include "detect/token.h"

typedef enum tut_hidden_kind {
    TUT_HIDDEN_NOT, /* stands there to be read */
    TUT_HIDDEN_BASE64,
    TUT_HIDDEN_HEX,
    TUT_HIDDEN_ESCAPED,
    TUT_HIDDEN_ROT13,
    TUT_HIDDEN_SPACED,
    TUT_HIDDEN_UNSEEN,
    TUT_HIDDEN_MARKUP,
    TUT_HIDDEN_COUNT
} tut_hidden_kind;
const char *tut_hidden_name(tut_hidden_kind kind); /* "base64" */

enum {
    TUT_HIDDEN_DEPTH = 3,         /* base64 of base64 of hex */
    TUT_HIDDEN_BYTES = 256 << 10, /* that decoding may yield for one text */
    TUT_HIDDEN_PIECES = 64
};

typedef struct tut_hidden_piece {
    tut_hidden_kind kind;
    unsigned depth;
    uint64_t at;  /* in the outermost text, of what was decoded */
    tut_buf text; /* its own */
} tut_hidden_piece;

typedef enum tut_hidden_stage {
    TUT_SEEK_UNSEEN,
    TUT_SEEK_ENCODED,
    TUT_SEEK_ESCAPES,
    TUT_SEEK_ESCAPED,
    TUT_SEEK_ROT13,
    TUT_SEEK_SPACED,
    TUT_SEEK_TORN,
    TUT_SEEK_MARKUP,
    TUT_SEEK_NOTHING
} tut_hidden_stage;

/* What is looked through, borrowed, and how far it is. */
typedef struct tut_hidden_search {
    const tut_plain *plain;
    const tut_tokens *tokens;
    const tut_lexicon *lexicon;
    tut_str text;
    unsigned depth;
    uint64_t from; /* the text's place in the outermost one */
    tut_hidden_stage stage;
    size_t at, count, first, last;
    unsigned part;
    tut_buf *open; /* the piece that is written */
} tut_hidden_search;

typedef struct tut_hidden {
    tut_hidden_piece items[TUT_HIDDEN_PIECES];
    size_t count; /* items beyond keep their memory for the next text */
    size_t bytes_left;
    bool is_cut; /* the budget was spent: there may be more */
    tut_hidden_search search;
} tut_hidden;

void tut_hidden_done(tut_hidden *h);
void tut_hidden_begin(tut_hidden *h);
/* The text that is looked through next; depth and from: its own. All is borrowed until it is
 * done. */
void tut_hidden_seek(tut_hidden *h, const tut_plain *plain, tut_str text, const tut_tokens *tokens,
                     const tut_lexicon *lexicon, unsigned depth, uint64_t from);
/* Adds what it hides; goes on by about max_bytes. */
TUT_MUST tut_status tut_hidden_step(tut_hidden *h, size_t max_bytes, bool *ret_is_done,
                                    tut_error *err);

/* True: what stands at `at` in HTML or Markdown is not shown (comments, hidden elements). */
bool tut_hidden_is_invisible(tut_str text, uint64_t at);

#endif
