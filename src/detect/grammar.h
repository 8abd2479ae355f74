/*
 * Texts made up from a grammar (user.grammar, document.grammar): lists of alternatives, some of
 * them whole texts with what they are. The same seed makes the same texts on every machine.
 */
#ifndef TUT_DETECT_GRAMMAR_H
#define TUT_DETECT_GRAMMAR_H

#include "base/buf.h"

typedef struct tut_random {
    uint64_t state;
} tut_random;
uint64_t tut_random_next(tut_random *r); /* splitmix64 */
static inline uint64_t tut_random_below(tut_random *r, uint64_t n)
{
    return n ? tut_random_next(r) % n : 0;
}

enum { TUT_GRAMMAR_LISTS = 192, TUT_GRAMMAR_DEPTH = 16 };

typedef struct tut_grammar_list {
    tut_str name;  /* of a list, or the shape of whole texts */
    tut_str group; /* whole texts: "user attack", "carrier"; else empty */
    unsigned weight;
    tut_str *lines; /* borrowed from the text */
    size_t count, capacity;
} tut_grammar_list;

typedef struct tut_grammar {
    tut_grammar_list lists[TUT_GRAMMAR_LISTS];
    size_t count;
} tut_grammar;

void tut_grammar_free(tut_grammar *g);
TUT_DEFINE_AUTO(tut_grammar)
/* text must outlive it. MALFORMED: a brace that is not closed, a list that does not exist. */
TUT_MUST tut_status tut_grammar_read(tut_str text, tut_grammar **ret_grammar, tut_error *err);
/* Adds a text of the list to out. */
TUT_MUST tut_status tut_grammar_write(const tut_grammar *g, const tut_grammar_list *list,
                                      tut_random *r, tut_buf *out, tut_error *err);
/* A shape of the group, by weight; NULL: it has none. */
const tut_grammar_list *tut_grammar_pick(const tut_grammar *g, const char *group, tut_random *r);

#endif
