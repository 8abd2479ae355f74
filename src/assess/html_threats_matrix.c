/* Likelihood against impact, before and after what is proved; each number leads to its risks. */
#include "assess/html_threats.h"

static void add_cell(const tut_threat_html *h, bool is_residual, int likelihood, int impact)
{
    size_t count = tut_view_cell(h->v, is_residual, likelihood, impact);
    int level = tut_view_level_at(likelihood, impact);
    tut_buf_printf(h->out, "<td class=\"rm-%d\">", level);
    if (count)
        tut_buf_printf(h->out,
                       "<a href=\"#t-%c-%d-%d\"><b>%zu</b><span class=\"vh\"> risk%s,</span> ",
                       is_residual ? 'r' : 'i', likelihood, impact, count, count == 1 ? "" : "s");
    tut_buf_printf(h->out, "<small>%s</small>%s</td>", tut_view_levels[level], count ? "</a>" : "");
}

static void add_matrix(const tut_threat_html *h, bool is_residual)
{
    const char *title = is_residual ? "Residual: with what is proved" : "Inherent: with no control";
    tut_buf_printf(h->out,
                   "<table class=\"rm\"><caption>%s</caption><thead><tr><th "
                   "scope=\"col\">Impact</th>",
                   title);
    for (int l = 0; l < TUT_VIEW_SCALE; l++)
        tut_buf_printf(h->out, "<th scope=\"col\">%s%s</th>",
                       l ? ""
                         : "<span class=\"vh\">"
                           "Likelihood </span>",
                       tut_view_likelihoods[l]);
    tut_buf_add_z(h->out, "</tr></thead><tbody>\n");
    for (int i = TUT_VIEW_SCALE; i >= 1; i--) {
        tut_buf_printf(h->out, "<tr><th scope=\"row\">%s</th>", tut_view_impacts[i - 1]);
        for (int l = 1; l <= TUT_VIEW_SCALE; l++)
            add_cell(h, is_residual, l, i);
        tut_buf_add_z(h->out, "</tr>\n");
    }
    tut_buf_add_z(h->out, "</tbody></table>\n");
}

static void add_links(const tut_threat_html *h, bool is_residual, int likelihood, int impact)
{
    size_t shown = 0;
    for (size_t i = 0; i < h->v->risk_count; i++) {
        const tut_view_risk *r = &h->v->risks[i];
        const tut_view_size *s = is_residual ? &r->residual : &r->inherent;
        if (s->likelihood != likelihood || s->impact != impact)
            continue;
        tut_buf_printf(h->out, "%s<a href=\"#t-k-%zu\">", shown++ ? ", " : "", i);
        tut_html_text(h->out, r->id);
        tut_buf_add_z(h->out, "</a>");
    }
}

static void add_lists(const tut_threat_html *h, bool is_residual)
{
    tut_buf_printf(h->out,
                   "<details class=\"tc\"><summary>Which %s risks stand where</summary><dl>\n",
                   is_residual ? "residual" : "inherent");
    for (int i = TUT_VIEW_SCALE; i >= 1; i--)
        for (int l = TUT_VIEW_SCALE; l >= 1; l--) {
            if (tut_view_cell(h->v, is_residual, l, i) == 0)
                continue;
            tut_buf_printf(h->out, "<div id=\"t-%c-%d-%d\"><dt>%s, %s: %s</dt><dd>",
                           is_residual ? 'r' : 'i', l, i, tut_view_likelihoods[l - 1],
                           tut_view_impacts[i - 1], tut_view_levels[tut_view_level_at(l, i)]);
            add_links(h, is_residual, l, i);
            tut_buf_add_z(h->out, "</dd></div>\n");
        }
    tut_buf_add_z(h->out, "</dl></details>\n");
}

void tut_html_threat_matrix(const tut_threat_html *h)
{
    if (h->v->risk_count == 0)
        return;
    tut_html_threat_heading(h->out, "Risk matrix",
                            "How many risks stand at each likelihood (across) and impact (down).");
    tut_buf_add_z(h->out, "<div class=\"rmx\"><div class=\"scroll\">\n");
    add_matrix(h, false);
    tut_buf_add_z(h->out, "</div><div class=\"scroll\">\n");
    add_matrix(h, true);
    tut_buf_add_z(h->out, "</div></div>\n");
    add_lists(h, false);
    add_lists(h, true);
}
