/* A module as people see it: on a terminal, and as a page. */
#ifndef TUT_GOVERN_TRAINING_VIEW_H
#define TUT_GOVERN_TRAINING_VIEW_H

#include "base/term.h"
#include "govern/training_quiz.h"

/* --- within a block --- */

typedef enum tut_inline_type { TUT_INLINE_TEXT, TUT_INLINE_CODE, TUT_INLINE_LINK } tut_inline_type;

typedef struct tut_inline { /* a run of text in one style */
    tut_inline_type type;
    bool is_strong, is_emphasised;
    tut_str text;
    tut_str url; /* of a link: http, https or mailto; else empty */
} tut_inline;

typedef struct tut_inline_reader {
    tut_str rest;
    bool is_strong, is_emphasised;
} tut_inline_reader;

/* False at the end. `code`, **strong**, *emphasised*, [link](https://...), <https://...>, \escapes;
 * anything else is text. */
bool tut_inline_next(tut_inline_reader *r, tut_inline *ret);
/* The lines of a block as one: blanks folded, the marks of a quote left out. */
void tut_inline_fold(tut_str lines, tut_buf *out);

/* A row of a table: "| a | b |" as its cells, trimmed; at most `most` of them. */
size_t tut_table_row_cells(tut_str line, tut_str *cells, size_t most);

/* --- on a terminal: folded at its width, untrusted text escaped --- */

void tut_training_text(const tut_training_module *m, const tut_term *term, tut_buf *out);
/* "3. Which ...?" with its text and its answers, as drawn. */
void tut_training_question_text(const tut_quiz *e, size_t at, const tut_term *term, tut_buf *out);
/* Which answers were right, and why: after the fact. */
void tut_training_explain_text(const tut_quiz *e, size_t at, const tut_term *term, tut_buf *out);
/* A table of Markdown, in columns that are folded to fit. */
void tut_training_table_text(tut_str lines, const tut_term *term, tut_buf *out);

/* --- as a page: one file, nothing from elsewhere --- */

/* With a quiz, the questions as drawn, and a sheet of answers to hand in; it does not hold which
 * answers are right. Without, the text alone. */
void tut_training_page(const tut_training_module *m, const tut_quiz *e, const char *person,
                       tut_buf *out);

#endif
