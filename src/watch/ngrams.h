/* Words and pairs of words of a text, hashed into a fixed number of cells. */
#ifndef TUT_WATCH_NGRAMS_H
#define TUT_WATCH_NGRAMS_H

#include "base/str.h"

enum { TUT_GRAM_CELLS = 2048, TUT_GRAMS = 256 };

/* At most TUT_GRAMS cells of the text's beginning. */
size_t tut_grams_of(tut_str text, uint16_t *ret_cells);

#endif
