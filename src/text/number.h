/* What the files of the walk over the digits share: number.c (the walk), number_rule.c (people,
 * cards, accounts), number_phone.c, number_word.c (letters and digits), number_near.c (the words
 * beside them). */
#ifndef TUT_TEXT_NUMBER_H
#define TUT_TEXT_NUMBER_H

#include "text/rule.h"

enum { TUT_NUMBER_GROUPS = 12, TUT_NUMBER_DIGITS = 40, TUT_NUMBER_PREFIX = 6 };

typedef struct tut_number_group {
    size_t begin, end; /* in the text */
    size_t first;      /* of its digits in tut_number_run.digits */
    char before;       /* the sign between it and the one before; ')' for ") " and ")-" */
} tut_number_group;

typedef struct tut_number_run {
    const tut_text_view *v;
    tut_number_group groups[TUT_NUMBER_GROUPS];
    size_t count;
    uint8_t digits[TUT_NUMBER_DIGITS];
    size_t total;
    size_t next;      /* where the walk goes on */
    bool has_letters; /* somewhere near */
} tut_number_run;

typedef struct tut_number_walk {
    const tut_text_view *v;
    unsigned classes;
    tut_number_fn found;
    void *ctx;
} tut_number_walk;

/* A stretch of a run: groups from..to, both in. */
typedef struct tut_number_stretch {
    const tut_number_run *r;
    size_t from, to;
    size_t begin, end; /* in the text */
    const uint8_t *digits;
    size_t total;
    uint64_t near; /* tut_number_lists_near, once it is asked for */
    bool is_near_known;
} tut_number_stretch;

/* What is believed without a word beside it. */
typedef enum tut_number_alone { ANY, GROUPED, NEVER, CARD } tut_number_alone;

static inline size_t tut_number_group_len(const tut_number_run *r, size_t i)
{
    return r->groups[i].end - r->groups[i].begin;
}
/* The character directly before it, or NUL. */
static inline char tut_number_sign_before(const tut_number_stretch *s)
{
    return s->begin > 0 ? s->r->v->text.data[s->begin - 1] : '\0';
}
/* All its groups are parted by the same sign. */
bool tut_number_one_sign(const tut_number_stretch *s);

/* A list of words for each rule of the tables, in their order, and that of telephones. */
enum {
#define NUMBER(id, label, class, least, most, check, groups, alone, words) +1
    TUT_NUMBER_RULES = 0
#include "text/rules_number.def"
#undef NUMBER
    ,
#define WORD(id, label, class, form, check, alone, words) +1
    TUT_NUMBER_PHONES = TUT_NUMBER_RULES
#include "text/rules_word.def"
#undef WORD
    ,
    TUT_NUMBER_LISTS
};
/* A bit for each list that has a word before `begin` on this line or the one before, at most 80
 * bytes away, or shortly behind `end`. */
uint64_t tut_number_lists_near(tut_str text, size_t begin, size_t end);
bool tut_number_has_word(tut_number_stretch *s, unsigned list);

/* Each tells what it finds, and whether it did. */
bool tut_number_try(const tut_number_walk *w, tut_number_stretch *s);
bool tut_number_try_phone(const tut_number_walk *w, tut_number_stretch *s);
bool tut_number_try_iban(const tut_number_walk *w, const tut_number_run *r);
bool tut_number_try_words(const tut_number_walk *w, const tut_number_run *r, size_t begin);
bool tut_number_try_hetu(const tut_number_walk *w, const tut_number_run *r);

void tut_number_rules_write(tut_buf *out);
void tut_number_words_write(tut_buf *out);

#endif
