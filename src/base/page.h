/* A page for people: one file, nothing from elsewhere, no scripts. */
#ifndef TUT_BASE_PAGE_H
#define TUT_BASE_PAGE_H

#include "base/buf.h"

void tut_page_begin(tut_buf *out, const char *title);
void tut_page_end(tut_buf *out);
/* Untrusted text: nothing in it is markup, and nothing turns the order of what is shown. */
void tut_page_text(tut_buf *out, tut_str text);
void tut_page_z(tut_buf *out, const char *text);
/* "<td class=n>0.123</td>"; a dash for NaN. */
void tut_page_number(tut_buf *out, double v);

#endif
