#include "assess/html_threats.h"

#include "assess/threat_picture.h"

extern const char tut_report_css[], tut_report_css_end[];
extern const char tut_picture_css[], tut_picture_css_end[];

void tut_html_threat_level(tut_buf *out, int level)
{
    if (level < 0) {
        tut_buf_add_z(out, "\xe2\x80\x93");
        return;
    }
    tut_buf_printf(out,
                   "<span class=\"nb\"><svg class=\"sev\" aria-hidden=\"true\"><use "
                   "href=\"#v-%d\"/></svg>%s</span>",
                   level, tut_view_levels[level]);
}

void tut_html_threat_heading(tut_buf *out, const char *title, const char *note)
{
    tut_buf_printf(out, "<div class=\"mh\"><h3>%s</h3><p>%s</p></div>\n", title, note);
}

void tut_html_threat_table(tut_buf *out, const char *title, const char *words)
{
    tut_buf_printf(out,
                   "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table "
                   "class=\"ls tr\"><thead><tr>",
                   title);
    while (*words) {
        size_t len = strcspn(words, "|");
        tut_buf_printf(out, "<th scope=\"col\">%.*s</th>", (int)len, words);
        words += len + (words[len] == '|');
    }
    tut_buf_add_z(out, "</tr></thead><tbody>\n");
}

void tut_html_threat_end(tut_buf *out)
{
    tut_buf_add_z(out, "</tbody></table></div>\n");
}

/* --- counts and picture --- */

static void add_counts(const tut_threat_html *h)
{
    size_t n = h->v->risk_count;
    tut_buf_printf(h->out, "<p class=\"tl\">%zu risk%s", n, n == 1 ? "" : "s");
    const char *before = ": ";
    for (size_t i = 0; tut_view_states[i]; i++) {
        size_t count = tut_view_in_state(h->v, tut_view_states[i]);
        if (count == 0)
            continue;
        tut_buf_printf(h->out, "%s<b>%zu</b> %s", before, count, tut_view_states[i]);
        before = ", ";
    }
    tut_buf_printf(h->out, ". %lld rules asked about %zu elements; they go by ",
                   (long long)tut_json_get_int(h->v->summary, "rule_count", 0), h->v->count);
    tut_html_text(h->out, tut_json_get_text(h->v->summary, "catalogue"));
    tut_buf_add_z(h->out, ".</p>\n");
}

static void add_picture(const tut_threat_html *h)
{
    TUT_CLEAN(tut_buf) svg = TUT_BUF_INIT;
    tut_error err = {0};
    tut_html_threat_heading(h->out, "The system as it is described",
                            "Frames are trust boundaries; a line with a diamond crosses one. The "
                            "table of flows says the same in words.");
    if (tut_is_ok(tut_threat_svg(h->v, TUT_PICTURE_IN_PAGE, &svg, &err))) {
        tut_buf_add_z(h->out, "<figure class=\"scroll tf\" tabindex=\"0\" role=\"region\" "
                              "aria-label=\"Diagram of the threat model\">\n");
        tut_buf_add_str(h->out, tut_buf_str(&svg));
        tut_buf_add_z(h->out, "</figure>\n");
        return;
    }
    tut_buf_add_z(h->out, "<p class=\"tn\">The diagram is missing: ");
    tut_html_z(h->out, err.text);
    tut_buf_add_z(h->out, ". The tables below say all that it would show.</p>\n");
}

void tut_html_threat_model(const tut_threat_html *h)
{
    add_counts(h);
    add_picture(h);
    tut_html_threat_matrix(h);
    tut_html_threat_risks(h);
    tut_html_threat_elements(h);
    tut_html_threat_flows(h);
    tut_html_threat_claimed(h);
    tut_html_threat_accepted(h);
    tut_html_threat_failures(h);
    tut_html_threat_coverage(h);
}

/* --- the section of the report --- */

static void add_absent(tut_buf *out, const tut_assessment *a)
{
    (void)a;
    tut_buf_add_z(out, "<p>No threat model of this description is recorded. It is made of the "
                       "components, flows and boundaries of tutela.yaml once that has a section "
                       "<code>threats:</code>; <code>tutela threats</code> shows it before.</p>\n");
}

void tut_html_threats(tut_buf *out, const tut_assessment *a)
{
    TUT_AUTO(tut_threat_view) v = NULL;
    tut_error err = {0};
    tut_buf_add_z(out, "<section class=\"wide\" id=\"threats\" aria-labelledby=\"h-threats\"><div "
                       "class=\"hd\"><div><span class=\"no\">6</span><h2 id=\"h-threats\">Threat "
                       "model</h2></div><p>Rules held against the described system, as recorded "
                       "with the evidence <code>threats.model</code>. A control takes something "
                       "off a risk only while it is proved.</p></div>\n<div class=\"bd\">\n");
    if (a->threat_model.len == 0)
        add_absent(out, a);
    else if (tut_is_ok(tut_threat_view_new(tut_buf_span(&a->threat_model), &v, &err)))
        tut_html_threat_model(&(tut_threat_html){.v = v, .out = out, .has_clauses = true});
    else {
        tut_buf_add_z(out, "<p class=\"tn\">");
        tut_html_z(out, err.text);
        tut_buf_add_z(out, ".</p>\n");
    }
    tut_buf_add_z(out, "</div></section>\n");
}

/* --- a page of its own --- */

static void add_head(tut_buf *out, const char *name)
{
    tut_buf_add_z(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
                       "name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta "
                       "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"><title>");
    tut_html_z(out, name);
    tut_buf_add_z(out,
                  ": threat model</title><meta name=\"generator\" content=\"tutela " TUTELA_VERSION
                  "\"><meta name=\"color-scheme\" content=\"light dark\">"
                  "<style>\n");
    tut_buf_add(out, tut_report_css, (size_t)(tut_report_css_end - tut_report_css));
    tut_buf_add(out, tut_picture_css, (size_t)(tut_picture_css_end - tut_picture_css));
    tut_buf_add_z(out, "</style></head><body>\n");
}

tut_status tut_threat_page(const tut_threat_view *v, const char *name, tut_time at, tut_buf *out,
                           tut_error *err)
{
    const tut_threat_html h = {.v = v, .out = out};
    add_head(out, name);
    tut_html_symbols(out);
    tut_buf_add_z(out, "<a class=\"skip\" href=\"#threats\">Skip to the model</a>\n<div "
                       "class=\"page\" id=\"top\"><header class=\"top\"><p class=\"kick\">Threat "
                       "model</p><h1>");
    tut_html_z(out, name);
    tut_buf_add_z(out, "</h1><p class=\"lead\">As it is described and proved at ");
    tut_html_time(out, at);
    tut_buf_add_z(
        out,
        ".</p></header><main><section class=\"wide\" id=\"threats\" "
        "aria-labelledby=\"h-threats\"><div class=\"bd\"><h2 class=\"vh\" id=\"h-threats\">Risks"
        "</h2>\n");
    tut_html_threat_model(&h);
    tut_buf_add_z(out, "</div></section></main>\n<footer><span>Written by tutela " TUTELA_VERSION
                       ". The same inputs give the same bytes.</span></footer></div></body>"
                       "</html>\n");
    return tut_buf_check(out, err);
}
