/* What text.c (reading on) and text_settle.c (looking and handing on) share. */
#ifndef TUT_GUARD_TEXT_INTERNAL_H
#define TUT_GUARD_TEXT_INTERNAL_H

#include "guard/text.h"

/* The engine looks at most 200 bytes back for words that say what a value is. */
enum { TUT_TEXT_CONTEXT = 256, TUT_TEXT_NUMBER_NEAR = 96 };

/* A word has ended at `end`: what of the text may go on. */
TUT_MUST tut_status tut_text_settle(tut_guard_text *t, size_t end, bool is_last, tut_buf *out,
                                    tut_error *err);
/* Where it stands, for people. */
tut_str tut_text_where(tut_guard_text *t);
/* Hands on what may go. */
void tut_text_send(tut_guard_text *t, tut_buf *out);
/* Blocked: nothing more goes on. What waits for a person may go on once one has decided. */
static inline bool tut_text_is_stopped(const tut_guard_text *t)
{
    return t->look->is_changing && t->look->decision->action == TUT_GUARD_BLOCK;
}

#endif
