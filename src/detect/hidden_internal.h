/* Between the searches of what is encoded (hidden.c) and of what is spelt otherwise
 * (hidden_words.c). */
#ifndef TUT_DETECT_HIDDEN_INTERNAL_H
#define TUT_DETECT_HIDDEN_INTERNAL_H

#include "detect/hidden.h"

/* A piece to write into, or NULL where the budget does not let it be. at: in the text. */
tut_buf *hidden_piece_begin(tut_hidden *h, tut_hidden_kind kind, uint64_t at);
/* is_sure: keeps it also when it does not read as text. */
void hidden_piece_end(tut_hidden *h, bool is_sure);

/* Each works on up to max bytes of the search's stage, and says whether the stage is done. */
bool hidden_seek_rot13(tut_hidden *h, size_t max);
bool hidden_seek_spaced(tut_hidden *h, size_t max);
bool hidden_seek_torn(tut_hidden *h, size_t max);
bool hidden_seek_markup(tut_hidden *h, size_t max);

#endif
