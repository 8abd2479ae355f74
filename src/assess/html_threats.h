/* The threat model within a page: of the report, or of its own. */
#ifndef TUT_ASSESS_HTML_THREATS_H
#define TUT_ASSESS_HTML_THREATS_H

#include "assess/html.h"
#include "assess/threat_view.h"

typedef struct tut_threat_html {
    const tut_threat_view *v;
    tut_buf *out;
    bool has_clauses; /* the page has the clauses that rows may link to */
} tut_threat_html;

/* The whole: counts, picture, matrix, risks, elements, what does not count, what lacks. */
void tut_html_threat_model(const tut_threat_html *h);

/* Its parts (html_threats_matrix.c, html_threats_rows.c). */
void tut_html_threat_matrix(const tut_threat_html *h);
void tut_html_threat_risks(const tut_threat_html *h);
void tut_html_threat_elements(const tut_threat_html *h);
void tut_html_threat_flows(const tut_threat_html *h);
void tut_html_threat_claimed(const tut_threat_html *h);
void tut_html_threat_accepted(const tut_threat_html *h);
void tut_html_threat_failures(const tut_threat_html *h);
void tut_html_threat_coverage(const tut_threat_html *h);

void tut_html_threat_level(tut_buf *out, int level); /* bars and word; a dash below 0 */
void tut_html_threat_heading(tut_buf *out, const char *title, const char *note);
/* words: the heads of the columns, separated by '|'. */
void tut_html_threat_table(tut_buf *out, const char *title, const char *words);
void tut_html_threat_end(tut_buf *out);

/* A page with nothing but the model. name: of the system. */
TUT_MUST tut_status tut_threat_page(const tut_threat_view *v, const char *name, tut_time at,
                                    tut_buf *out, tut_error *err);

#endif
