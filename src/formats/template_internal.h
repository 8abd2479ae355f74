/* What the files of the template check share: template.c (tags), template_words.c (tokens of an
 * expression and what in them climbs out), template_hidden.c (conditions and what they bring in).
 */
#ifndef TUT_FORMATS_TEMPLATE_INTERNAL_H
#define TUT_FORMATS_TEMPLATE_INTERNAL_H

#include "formats/template.h"

typedef enum tut_word_kind {
    TUT_WORD_END,
    TUT_WORD_NAME,
    TUT_WORD_TEXT, /* a literal; text is what is between the quotes, as written */
    TUT_WORD_NUMBER,
    TUT_WORD_SIGN /* one character */
} tut_word_kind;

typedef struct tut_word {
    tut_word_kind kind;
    tut_str text;
} tut_word;

/* The next word of an expression; moves *rest behind it. */
tut_word tut_word_next(tut_str *rest);
bool tut_word_is(tut_word w, const char *name); /* NAME of that spelling */
bool tut_word_is_sign(tut_word w, char sign);

/* What in this expression reaches out of the template, or NULL. */
const char *tut_template_climbs(tut_str expression);

enum { TUT_TEMPLATE_TAINTED = 64, TUT_TEMPLATE_DEPTH = 64 };

/* Goes over the tags of one template in order. */
typedef struct tut_hidden {
    tut_exam *x;
    uint64_t offset;
    tut_str tainted[TUT_TEMPLATE_TAINTED]; /* variables that hold what a message says */
    size_t tainted_count;
    struct {
        bool is_if;
        bool is_content; /* the branch is taken because of what a message says, or of the date */
        uint32_t words;  /* fixed words that the branch brings in */
        uint64_t at;
    } open[TUT_TEMPLATE_DEPTH];
    size_t depth;
    size_t depth_lost; /* opened beyond TUT_TEMPLATE_DEPTH */
} tut_hidden;

void tut_hidden_text(tut_hidden *h, tut_str text);                        /* outside of tags */
void tut_hidden_output(tut_hidden *h, tut_str expression, uint64_t at);   /* {{ }} */
void tut_hidden_statement(tut_hidden *h, tut_str statement, uint64_t at); /* {% %} */

#endif
