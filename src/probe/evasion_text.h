/*
 * Changes of a text that leave what it says alone: each a row of evasion_text_ways.def. What a word
 * is known by (digits, addresses) stays as it is: a question about another order is another
 * question.
 */
#ifndef TUT_PROBE_EVASION_TEXT_H
#define TUT_PROBE_EVASION_TEXT_H

#include "base/buf.h"
#include "stats/seeded.h"

typedef enum tut_text_way {
#define TEXT_WAY(symbol, name, reach, source) TUT_TEXT_##symbol,
#include "probe/evasion_text_ways.def"
#undef TEXT_WAY
    TUT_TEXT_WAYS
} tut_text_way;

typedef enum tut_text_reach {
    TUT_REACH_WORD,
    TUT_REACH_BORDER, /* of this word and the next */
    TUT_REACH_WHOLE
} tut_text_reach;

const char *tut_text_way_name(tut_text_way way);
tut_text_reach tut_text_way_reach(tut_text_way way);

enum { TUT_TEXT_WORDS = 128 };
typedef struct tut_text_words { /* words of one text, parted by white space; borrowed */
    tut_str text;
    tut_str words[TUT_TEXT_WORDS];
    size_t count; /* those behind the last that fits stay as they are */
} tut_text_words;
void tut_text_split(tut_str text, tut_text_words *ret);

/* What is done to each word: a way, or TUT_TEXT_WAYS for none. */
typedef struct tut_text_plan {
    uint8_t of_word[TUT_TEXT_WORDS];
    uint8_t of_whole; /* a way of WHOLE, or TUT_TEXT_WAYS */
} tut_text_plan;
tut_text_plan tut_text_plan_none(void);

/* Whether the way can change this word (with the next, for BORDER). */
bool tut_text_can(const tut_text_words *w, size_t word, tut_text_way way);
/* The text with the plan carried out. What a letter becomes is drawn with the seed and the word's
 * number, so that a word is changed alike whatever else is. */
void tut_text_write(const tut_text_words *w, const tut_text_plan *plan, uint64_t seed,
                    tut_buf *out);
/* The text without one word. */
void tut_text_without(const tut_text_words *w, size_t word, tut_buf *out);

#endif
