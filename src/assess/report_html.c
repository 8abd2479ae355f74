/* report.html: one file, no request, readable without scripts. The parts are in html_*.c. */
#include "assess/html.h"

extern const char tut_report_css[], tut_report_css_end[];
extern const char tut_picture_css[], tut_picture_css_end[];
extern const char tut_report_js[], tut_report_js_end[];

static tut_str embedded(const char *from, const char *to)
{
    return (tut_str){from, (size_t)(to - from)};
}

static const struct {
    const char *id, *title;
} sections[] = {
    {"summary", "Result"},      {"principles", "Principles"}, {"views", "Views"},
    {"next", "Next"},           {"findings", "Findings"},     {"assets", "Assets"},
    {"threats", "Threats"},     {"clauses", "Clauses"},       {"unchecked", "Not checked"},
    {"statement", "Statement"}, {"terms", "Terms"},
};

static void add_head(tut_buf *out, const tut_assessment *a)
{
    tut_buf_add_z(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; "
        "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"><title>");
    tut_html_z(out, a->system_name);
    if (a->grade)
        tut_buf_printf(out, ": assessment against EN 304 223, grade %c</title>", a->grade);
    else
        tut_buf_add_z(out, ": assessment against EN 304 223, no grade</title>");
    tut_buf_add_z(out, "<meta name=\"generator\" content=\"tutela " TUTELA_VERSION
                       "\"><meta name=\"color-scheme\" "
                       "content=\"light dark\"><style>\n");
    tut_buf_add_str(out, embedded(tut_report_css, tut_report_css_end));
    tut_buf_add_str(out, embedded(tut_picture_css, tut_picture_css_end));
    tut_buf_add_z(out, "</style></head><body>\n");
}

static void add_navigation(tut_buf *out, const tut_assessment *a)
{
    tut_buf_add_z(out, "<a class=\"skip\" href=\"#summary\">Skip to the result</a>\n<nav "
                       "class=\"bar\" aria-label=\"Sections\"><div>"
                       "<a class=\"wm\" href=\"#top\">Tutela</a>");
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        tut_buf_printf(out, "<a href=\"#%s\">%s</a>", sections[i].id, sections[i].title);
    tut_buf_add_z(out, "<span class=\"gr\">");
    tut_html_z(out, a->system_name);
    if (a->grade)
        tut_buf_printf(out, " <b>%c</b>", a->grade);
    tut_buf_add_z(out, "</span></div></nav>\n");
}

static void add_footer(tut_buf *out, const tut_assessment *a)
{
    tut_buf_printf(out, "<footer><span>Written by tutela " TUTELA_VERSION " from %llu records, ",
                   (unsigned long long)a->records->log_size);
    tut_html_time(out, a->generated);
    tut_buf_add_z(out, ". The same inputs give the same bytes.</span><span>rules ");
    tut_html_digest(out, &a->tool_rules);
    tut_buf_add_z(out, "</span></footer>\n");
}

tut_status tut_report_html(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    add_head(out, a);
    tut_html_symbols(out);
    add_navigation(out, a);
    tut_buf_add_z(out, "<div class=\"page\" id=\"top\">");
    tut_html_top(out, a);
    tut_buf_add_z(out, "<main>\n");
    tut_html_verdict(out, a);
    tut_html_overrides(out, a);
    tut_html_principles(out, a);
    tut_html_views(out, a);
    tut_html_next(out, a);
    tut_html_findings(out, a);
    tut_html_inventory(out, a);
    tut_html_threats(out, a);
    tut_html_every_clause(out, a);
    tut_html_unchecked(out, a);
    tut_html_statement(out, a);
    tut_html_terms(out, a);
    tut_buf_add_z(out, "</main>\n");
    add_footer(out, a);
    tut_buf_add_z(out, "</div>\n<script>\n");
    tut_buf_add_str(out, embedded(tut_report_js, tut_report_js_end));
    tut_buf_add_z(out, "</script></body></html>\n");
    return tut_buf_check(out, err);
}
