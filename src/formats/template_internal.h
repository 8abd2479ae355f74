/* What the files of the template check share: template.c (tags), template_words.c (tokens of an
 * expression and what in them climbs out), template_flow.c (what variables hold), template_hidden.c
 * (conditions and what they bring in),
 * template_sound.c (whether it can be rendered at all, and where it leads).
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

enum { TUT_TEMPLATE_VARIABLES = 128, TUT_TEMPLATE_MACROS = 32, TUT_TEMPLATE_DEPTH = 64 };

/* What a variable of a template holds. Assignments anywhere in the template count everywhere. */
typedef struct tut_variable {
    tut_str name;      /* members of namespaces and dictionaries go by their last name */
    tut_str macro;     /* that it stands in, or empty */
    bool is_content;   /* what a message says, or made of it */
    bool is_dependent; /* set because of what a message says, how long it is, or of the date */
    bool is_phrase;    /* a phrase that can be looked for */
    bool is_date, is_count;
    uint32_t words; /* fixed words */
} tut_variable;

/* Goes over the tags of one template in order: first to learn its variables, then to judge. */
typedef struct tut_hidden {
    tut_exam *x;
    uint64_t offset;
    bool is_first, is_judging; /* time over the tags */
    bool is_of_messages;       /* it goes over the messages of a conversation */
    bool has_address, has_open_tag;
    uint64_t open_tag_at;
    tut_str macro; /* that the tag stands in, or empty */
    tut_variable variables[TUT_TEMPLATE_VARIABLES];
    size_t variable_count;
    struct {
        tut_str name, parameters;
    } macros[TUT_TEMPLATE_MACROS];
    size_t macro_count;
    struct {
        bool is_if;
        bool is_asked;   /* some branch so far asked what a message says */
        bool is_content; /* the branch is taken because of what a message says, or of the date */
        tut_variable *filled; /* by what stands inside: {% set x %}, a macro; or NULL */
        uint32_t words;       /* fixed words that the branch brings in */
        uint64_t at;
    } open[TUT_TEMPLATE_DEPTH];
    size_t depth;
    size_t depth_lost; /* opened beyond TUT_TEMPLATE_DEPTH */
} tut_hidden;

/* template_flow.c: what an expression is about, by the variables known so far. */
/* Made when it is new; NULL when there are too many. */
tut_variable *tut_flow_variable(tut_hidden *h, tut_str name, tut_str macro);
uint32_t tut_flow_count_words(tut_str text);
uint32_t tut_flow_words(const tut_hidden *h, tut_str expression); /* fixed ones it brings in */
/* A condition that asks what a message says, how long it is, or what day it is. */
bool tut_flow_asks(const tut_hidden *h, tut_str condition);
/* An expression that looks for a phrase in what a message says. */
bool tut_flow_tests(const tut_hidden *h, tut_str expression);
bool tut_flow_is_content(const tut_hidden *h, tut_str expression);
/* Makes *v what the expression is, on top of what it was. */
void tut_flow_assign(const tut_hidden *h, tut_variable *v, tut_str expression);
void tut_flow_macro(tut_hidden *h, tut_str name_and_parameters);
void tut_flow_calls(tut_hidden *h, tut_str expression); /* hands content over to macros */
/* content|replace('word', 'word and a sentence more') */
bool tut_flow_replaces(const tut_hidden *h, tut_str expression);
/* answers.get(content): prose chosen by what a message says */
bool tut_flow_looks_up(const tut_hidden *h, tut_str expression);

/* template_sound.c */
void tut_sound_text(tut_hidden *h, tut_str text); /* that comes out, in or outside of tags */
void tut_sound_expression(tut_hidden *h, tut_str expression, uint64_t at);
void tut_sound_end(tut_hidden *h, tut_str text, bool is_cut); /* behind the last tag */
/* What in this expression takes all memory or time, or NULL. */
const char *tut_template_exhausts(tut_str expression);

void tut_hidden_text(tut_hidden *h, tut_str text);                        /* outside of tags */
void tut_hidden_output(tut_hidden *h, tut_str expression, uint64_t at);   /* {{ }} */
void tut_hidden_statement(tut_hidden *h, tut_str statement, uint64_t at); /* {% %} */

#endif
