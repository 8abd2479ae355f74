/* The conformance statement as assessors use it, and the words of the report. */
#include "assess/html.h"

/* contract: met = pass, not met = fail, everything else inconclusive; not applicable is an
 * exclusion. */
static const char *conformance(tut_control_verdict v)
{
    switch (v) {
    case TUT_CONTROL_MET:
        return "pass";
    case TUT_CONTROL_NOT_MET:
        return "fail";
    case TUT_CONTROL_PARTLY:
    case TUT_CONTROL_NOT_CHECKED:
        return "inconclusive";
    case TUT_CONTROL_NOT_APPLICABLE:
    case TUT_CONTROL_VERDICT_COUNT:
        break;
    }
    return "excluded";
}

static const char *supported(tut_control_verdict v)
{
    switch (v) {
    case TUT_CONTROL_MET:
        return "yes";
    case TUT_CONTROL_PARTLY:
        return "in part";
    case TUT_CONTROL_NOT_MET:
        return "no";
    case TUT_CONTROL_NOT_CHECKED:
        return "not shown";
    case TUT_CONTROL_NOT_APPLICABLE:
    case TUT_CONTROL_VERDICT_COUNT:
        break;
    }
    return "n/a";
}

static void add_row(tut_buf *out, const tut_control *c)
{
    tut_buf_add_z(out, "<tr><th scope=\"row\">");
    tut_html_clauses(out, c->clause->id);
    tut_buf_printf(out, "</th><td class=\"s1\">%s</td><td class=\"s2\">%s</td><td class=\"s3\">",
                   c->clause->modality == TUT_SHALL ? "shall" : "should", supported(c->verdict));
    tut_html_glyph(out, c->verdict);
    tut_buf_printf(out, " %s</td></tr>\n", conformance(c->verdict));
    if (c->verdict == TUT_CONTROL_NOT_APPLICABLE && c->reason_count) {
        tut_buf_add_z(out, "<tr><td></td><td class=\"ex\" colspan=\"3\">");
        tut_html_z(out, c->reasons[0]);
        tut_buf_add_z(out, "</td></tr>\n");
    }
}

void tut_html_statement(tut_buf *out, const tut_assessment *a)
{
    tut_buf_printf(out,
                   "<section class=\"wide\" id=\"statement\" aria-labelledby=\"h-statement\"><div "
                   "class=\"hd\"><div>"
                   "<span class=\"no\">9</span><h2 id=\"h-statement\">Conformance "
                   "statement</h2></div><p>For assessors: is the "
                   "provision supported, and what did the tests say. One failed test makes a fail, "
                   "whatever else passed. "
                   "Result: %zu pass, %zu fail, %zu inconclusive, %zu excluded with reason. It is "
                   "a first-party statement; the "
                   "same rows are in <code>report.json</code>, and as OSCAL in "
                   "<code>oscal/assessment-results.json</code>.</p></div>\n<div class=\"ics\">\n",
                   a->counts[TUT_CONTROL_MET], a->counts[TUT_CONTROL_NOT_MET],
                   a->counts[TUT_CONTROL_PARTLY] + a->counts[TUT_CONTROL_NOT_CHECKED],
                   a->counts[TUT_CONTROL_NOT_APPLICABLE]);
    for (unsigned p = 1, i = 0; p <= TUT_PRINCIPLES; p++) {
        tut_buf_add_z(out, "<table><caption>");
        tut_html_z(out, tut_principle_titles[p - 1]);
        tut_buf_add_z(
            out,
            "</caption><thead class=\"vh\"><tr><th scope=\"col\">Clause</th><th "
            "scope=\"col\">Duty</th>"
            "<th scope=\"col\">Supported</th><th scope=\"col\">Verdict</th></tr></thead><tbody>\n");
        for (; i < TUT_CLAUSE_COUNT && a->controls[i].clause->principle == p; i++)
            add_row(out, &a->controls[i]);
        tut_buf_add_z(out, "</tbody></table>\n");
    }
    tut_buf_add_z(out, "</div></section>\n");
}

static void add_term(tut_buf *out, const char *term, const char *meaning)
{
    tut_buf_printf(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", term, meaning);
}

void tut_html_terms(tut_buf *out, const tut_assessment *a)
{
    (void)a;
    tut_buf_add_z(out, "<section class=\"wide\" id=\"terms\" aria-labelledby=\"h-terms\"><div "
                       "class=\"hd\"><div><span class=\"no\">10"
                       "</span><h2 id=\"h-terms\">Terms and notes</h2></div><p>The wording of the "
                       "provisions is ours; the standard "
                       "itself decides.</p></div><dl class=\"gl\">\n");
    add_term(out, "Provision, clause",
             "One numbered requirement of the standard. There are 72: 49 duties (shall) and 23 "
             "recommendations (should).");
    add_term(out, "Met",
             "Everything that the control wants is proved by evidence in force about the digests "
             "that are there now.");
    add_term(
        out, "Partly",
        "Something is proved, something is missing, and nothing that is proved speaks against it.");
    add_term(out, "Not met", "Evidence in force speaks against it.");
    add_term(out, "Not checked",
             "There is no evidence in force either way. That is never counted as met.");
    add_term(
        out, "Not applicable",
        "Excluded by a person, with a reason and an end, and not contradicted by what was found.");
    add_term(out, "Test, examine, interview",
             "A machine measured it; a document was read; a person said it. What a person "
             "records never satisfies a control that wants a test.");
    add_term(out, "Grade",
             "Met counts 1, partly one half, a duty weighs twice; A from 85 of 100, B 70, C 55, D "
             "40, E 25. Then caps: "
             "a duty not met allows at most C; a duty not proved allows no A.");
    add_term(out, "P1 to P13",
             "A second numbering by theme, used by the summary of the standard; the clause id is "
             "the one that "
             "counts.");
    add_term(out, "Limits",
             "A scan shows known ways to hide code in a file; it cannot show that a model behaves "
             "well. A digest "
             "shows sameness, not goodness.");
    tut_buf_add_z(out, "</dl></section>\n");
}
