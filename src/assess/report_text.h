/* Lines that the texts for terminals share. */
#ifndef TUT_ASSESS_REPORT_TEXT_H
#define TUT_ASSESS_REPORT_TEXT_H

#include "base/term.h"

/* A title in the middle of a line: its first letter small, unless it is a name or an abbreviation.
 */
void tut_report_sentence(const tut_term *t, tut_buf *out, size_t indent, const char *title);
/* "Next     ": a label of nine columns, bold never, then the text wrapped beside it. */
void tut_report_labelled(const tut_term *t, tut_buf *out, const char *label, tut_str text);

#endif
