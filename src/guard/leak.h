/*
 * Runs of words that an answer has in common with the system text of its request. Words are
 * compared by their letters and digits alone, in either case; a run begins where four words in a
 * row are the same.
 */
#ifndef TUT_GUARD_LEAK_H
#define TUT_GUARD_LEAK_H

#include "base/alloc.h"
#include "base/str.h"

enum { TUT_LEAK_GRAM = 4 };

typedef struct tut_guard_leak {     /* of a system text */
    uint32_t *words, *next, *heads; /* next, heads: place + 1 of a gram with that hash */
    size_t count, capacity, mask;
    uint64_t known[32]; /* a bit for some hashes of its words: most words of an answer have none */
} tut_guard_leak;

/* Fewer than `least` words in all: nothing is kept. Texts are added one by one, then closed. */
TUT_MUST tut_status tut_guard_leak_add(tut_guard_leak *l, tut_str text);
TUT_MUST tut_status tut_guard_leak_close(tut_guard_leak *l);
void tut_guard_leak_done(tut_guard_leak *l);

typedef struct tut_leak_run { /* of one text of an answer */
    uint32_t recent[TUT_LEAK_GRAM];
    size_t starts[TUT_LEAK_GRAM]; /* where those words begin */
    unsigned known, run;          /* words in a row that the text may have; of the run, 0: none */
    size_t at, begin;             /* next word of the system text; where the run begins */
} tut_leak_run;

/* One word more. False: it has no letter or digit, and is passed over. */
bool tut_leak_step(const tut_guard_leak *l, tut_leak_run *r, tut_str word, size_t start);
void tut_leak_shift(tut_leak_run *r, size_t by);

#endif
