/* A page for people: one file, nothing from elsewhere; no scripts but one that the page itself
 * brings and names by its digest. */
#ifndef TUT_BASE_PAGE_H
#define TUT_BASE_PAGE_H

#include "base/buf.h"

void tut_page_begin(tut_buf *out, const char *title);
typedef struct tut_page_more {
    tut_str css;               /* beside what all pages share */
    const char *script_source; /* "'sha256-...'" of the one script that may run; NULL: none may */
    const char *class_name;    /* of <main>; NULL: none */
} tut_page_more;
void tut_page_begin_with(tut_buf *out, const char *title, const tut_page_more *more);
void tut_page_end(tut_buf *out);
/* Untrusted text: nothing in it is markup, and nothing turns the order of what is shown. */
void tut_page_text(tut_buf *out, tut_str text);
void tut_page_z(tut_buf *out, const char *text);
/* "<td class=n>0.123</td>"; a dash for NaN. */
void tut_page_number(tut_buf *out, double v);

#endif
