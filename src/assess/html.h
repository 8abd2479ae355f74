/* Writing the HTML report: escaping, and the marks that every part uses. */
#ifndef TUT_ASSESS_HTML_H
#define TUT_ASSESS_HTML_H

#include "assess/assessment.h"

/* Text into element content or a double-quoted attribute. Bad UTF-8 becomes U+FFFD. */
void tut_html_text(tut_buf *out, tut_str text);
void tut_html_z(tut_buf *out, const char *text);
/* A command line: no break inside an option. */
void tut_html_command(tut_buf *out, tut_str command);
/* "m", "p", "n", "u", "a": suffix of classes and symbols. */
const char *tut_html_letter(tut_control_verdict v);
void tut_html_glyph(tut_buf *out, tut_control_verdict v);
/* <a href="#c-ID">ID</a> for each id of a space separated list, comma between. */
void tut_html_clauses(tut_buf *out, tut_str ids);
/* "4 met, 2 partly": the text beside every chart. */
void tut_html_counts(tut_buf *out, const size_t counts[TUT_CONTROL_VERDICT_COUNT]);
/* Row of blocks: one a clause, tall for shall, in the fixed order of verdicts. */
typedef bool (*tut_html_pick)(const tut_clause *clause, uint32_t key);
void tut_html_blocks(tut_buf *out, const tut_assessment *a, tut_html_pick pick, uint32_t key);
void tut_html_tally(const tut_assessment *a, tut_html_pick pick, uint32_t key,
                    size_t ret_counts[TUT_CONTROL_VERDICT_COUNT]);
bool tut_html_is_seed(const tut_clause *clause, uint32_t seed); /* 1..13 */
bool tut_html_is_principle(const tut_clause *clause,
                           uint32_t principle); /* 1..13 of the standard */
/* First twelve hexadecimal digits and an ellipsis, in <code>, with the whole digest as title. */
void tut_html_digest(tut_buf *out, const tut_sha256 *digest);
void tut_html_time(tut_buf *out, tut_time t); /* <time> with people's text */

/* The parts, in the order of the page. */
void tut_html_symbols(tut_buf *out);
void tut_html_top(tut_buf *out, const tut_assessment *a);
void tut_html_verdict(tut_buf *out, const tut_assessment *a);
void tut_html_overrides(tut_buf *out, const tut_assessment *a);
void tut_html_principles(tut_buf *out, const tut_assessment *a);
void tut_html_views(tut_buf *out, const tut_assessment *a);
void tut_html_next(tut_buf *out, const tut_assessment *a);
void tut_html_findings(tut_buf *out, const tut_assessment *a);
void tut_html_inventory(tut_buf *out, const tut_assessment *a);
void tut_html_threats(tut_buf *out, const tut_assessment *a);
void tut_html_every_clause(tut_buf *out, const tut_assessment *a);
void tut_html_unchecked(tut_buf *out, const tut_assessment *a);
void tut_html_statement(tut_buf *out, const tut_assessment *a);
void tut_html_terms(tut_buf *out, const tut_assessment *a);

#endif
