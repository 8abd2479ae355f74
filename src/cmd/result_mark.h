/* How a result looks on a terminal: a tick, a cross, or the sign of what was not checked. */
#ifndef TUT_CMD_RESULT_MARK_H
#define TUT_CMD_RESULT_MARK_H

#include "base/term.h"
#include "ledger/record.h"

typedef struct tut_result_mark {
    tut_style style;
    const char *glyph;
} tut_result_mark;

tut_result_mark tut_result_mark_of(const tut_term *term, tut_result result);

#endif
