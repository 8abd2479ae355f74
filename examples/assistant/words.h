/*
 * Text as the example's nets take it: words, pairs of words and runs of three bytes within a word,
 * hashed into ASSISTANT_WIDTH buckets (examples/generate/assistant_text.py says the same again).
 */
#ifndef ASSISTANT_WORDS_H
#define ASSISTANT_WORDS_H

#include "base/buf.h"

enum { ASSISTANT_WIDTH = 2048 };

/* ret_row: ASSISTANT_WIDTH numbers. */
void assistant_numbers(tut_str text, float *ret_row);

/* The next run without white space from *at on; empty at the end. */
tut_str assistant_chunk(tut_str text, size_t *at);
/* A chunk that names an order, without punctuation around it: four digits at least, or a letter
 * and digits behind a hyphen. Empty: it names none. */
tut_str assistant_order(tut_str chunk);

#endif
