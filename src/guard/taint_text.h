/*
 * Texts as taint compares them: letters and digits alone, in small letters, with what percent signs
 * and base64 wrap undone; and the numbers that they hold, however their digits are grouped.
 */
#ifndef TUT_GUARD_TAINT_TEXT_H
#define TUT_GUARD_TAINT_TEXT_H

#include "base/buf.h"

/* Adds the letters and digits of the text. */
void tut_taint_squeeze(tut_str text, tut_buf *out);
/* Adds the text with its percent signs undone where there are any, and what its base64 decodes to;
 * false: it wraps nothing. */
bool tut_taint_unwrap(tut_str text, tut_buf *out);

/* "1,250.00", "1.250,00", "1 250": the next number from *at on; false: none. */
bool tut_taint_number(tut_str text, size_t *at, double *ret_value);

#endif
