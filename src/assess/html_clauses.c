/* Every clause with its reasons and its evidence. */
#include "assess/html.h"

static const char *duty(const tut_clause *c)
{
    return c->modality == TUT_SHALL ? "shall" : c->modality == TUT_SHOULD ? "should" : "can";
}

static void add_roles(tut_buf *out, uint32_t bits)
{
    bool is_first = true;
    for (int r = 0; r < TUT_ROLE_COUNT; r++) {
        if (!(bits & (1u << r)))
            continue;
        tut_buf_printf(out, "%s%s", is_first ? "" : ", ", tut_role_names[r]);
        is_first = false;
    }
    if (is_first)
        tut_buf_add_z(out, "\xe2\x80\x93");
}

static void add_pair(tut_buf *out, tut_str label, tut_str text)
{
    if (text.len == 0)
        return;
    tut_buf_add_z(out, "<dt>");
    tut_html_text(out, label);
    tut_buf_add_z(out, "</dt><dd>");
    tut_html_text(out, text);
    tut_buf_add_z(out, "</dd>");
}

static void add_comparison(tut_buf *out, const tut_clause *c)
{
    const tut_framework *frameworks = tut_catalogue_frameworks();
    for (size_t i = 0; i < TUT_FRAMEWORK_COUNT; i++)
        add_pair(out, frameworks[i].label, c->crosswalk[i].text);
}

static void add_wants(tut_buf *out, const tut_clause *c)
{
    tut_buf_add_z(out, "<h4>What counts</h4><ul>");
    for (size_t i = 0; i < c->want_count; i++) {
        const tut_want *w = &c->wants[i];
        tut_buf_add_z(out, "<li>");
        tut_html_text(out, w->what);
        tut_buf_add_z(out, " <code>");
        tut_html_text(out, w->check);
        tut_buf_printf(out, "</code>, %s, at most %u days old%s</li>", tut_method_name(w->method),
                       w->max_age_days, w->is_available ? "" : "; not in this version");
    }
    tut_buf_add_z(out, "</ul>");
}

static void add_evidence_row(tut_buf *out, const tut_evidence_use *e, tut_time at)
{
    const tut_record *r = e->record;
    char date[TUT_TIME_TEXT];
    tut_control_verdict glyph = e->use == TUT_USE_COUNTS        ? TUT_CONTROL_MET
                                : e->use == TUT_USE_CONTRADICTS ? TUT_CONTROL_NOT_MET
                                                                : TUT_CONTROL_NOT_CHECKED;
    tut_buf_add_z(out, "<tr><td><code>");
    tut_html_z(out, r->check);
    tut_buf_add_z(out, "</code></td><td>");
    for (size_t i = 0; i < r->subject_count && i < 3; i++) {
        tut_buf_add_z(out, i ? ", " : "");
        tut_html_z(out, r->subjects[i].name);
    }
    tut_buf_add_z(out, "</td><td>");
    tut_html_glyph(out, glyph);
    tut_buf_printf(out, " %s, %s</td><td>%s</td><td>", tut_result_name(r->result),
                   tut_use_name(e->use), tut_method_name(r->method));
    if (r->has_body)
        tut_html_digest(out, &r->body);
    tut_time_date(r->at, date);
    tut_buf_printf(out, "</td><td>%s</td>", date);
    tut_time_date(r->expires, date);
    tut_buf_printf(out, "<td>%s%s</td><td>", date, r->expires <= at ? ", ran out" : "");
    tut_html_z(out, r->actor);
    tut_buf_printf(out, "</td><td><code>#%llu</code></td></tr>\n", (unsigned long long)r->index);
}

static void add_evidence(tut_buf *out, const tut_control *c, tut_time at)
{
    if (c->evidence_count == 0) {
        tut_buf_add_z(
            out, "<div class=\"evt\"><p class=\"noev\">No evidence names this clause.</p></div>");
        return;
    }
    tut_buf_add_z(
        out, "<div class=\"evt scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Evidence for ");
    tut_html_text(out, c->clause->id);
    tut_buf_add_z(out, "\"><table><thead><tr><th scope=\"col\">Check</th><th "
                       "scope=\"col\">About</th><th scope=\"col\">Result"
                       "</th><th scope=\"col\">Method</th><th scope=\"col\">Content</th><th "
                       "scope=\"col\">Collected</th>"
                       "<th scope=\"col\">Expires</th><th scope=\"col\">By</th><th "
                       "scope=\"col\">Record</th></tr></thead>"
                       "<tbody>\n");
    for (size_t i = 0; i < c->evidence_count; i++)
        add_evidence_row(out, &c->evidence[i], at);
    tut_buf_add_z(out, "</tbody></table></div>");
}

static void add_detail(tut_buf *out, const tut_control *c, tut_time at)
{
    const tut_clause *k = c->clause;
    tut_buf_add_z(out, "<div class=\"det\"><div><h4>Why</h4><ul>");
    for (size_t i = 0; i < c->reason_count; i++) {
        tut_buf_add_z(out, "<li>");
        tut_html_z(out, c->reasons[i]);
        tut_buf_add_z(out, "</li>");
    }
    tut_buf_add_z(out, "</ul>");
    add_wants(out, k);
    if (c->refresh.len && c->is_refresh_available) {
        tut_buf_add_z(out, "<h4>Next</h4><code class=\"cmd\">");
        tut_html_command(out, c->refresh);
        tut_buf_add_z(out, "</code>");
    }
    tut_buf_add_z(out, "</div><dl><dt>Who</dt><dd>");
    add_roles(out, k->roles);
    tut_buf_add_z(out, "</dd>");
    if (k->serves) {
        tut_buf_add_z(out, "<dt>Serves</dt><dd>");
        add_roles(out, k->serves);
        tut_buf_add_z(out, "</dd>");
    }
    tut_buf_printf(out, "<dt>Principle</dt><dd>%u of the standard, P%u; UK code ", k->principle,
                   k->seed);
    tut_html_text(out, k->uk_id);
    tut_buf_add_z(out, "</dd>");
    add_pair(out, TUT_LIT("Proof"), k->evidence_kind);
    add_pair(out, TUT_LIT("Applies if"), k->applies_when);
    add_comparison(out, k);
    tut_buf_add_z(out, "</dl>");
    add_evidence(out, c, at);
    tut_buf_add_z(out, "</div>");
}

static void add_clause(tut_buf *out, const tut_control *c, tut_time at)
{
    const tut_clause *k = c->clause;
    const char *letter = tut_html_letter(c->verdict);
    tut_buf_add_z(out, "<details class=\"c\" id=\"c-");
    tut_html_text(out, k->id);
    tut_buf_printf(out, "\" data-v=\"%s\" data-m=\"%s\"><summary>", letter, duty(k));
    tut_html_glyph(out, c->verdict);
    tut_buf_add_z(out, "<span class=\"id\">");
    tut_html_text(out, k->id);
    tut_buf_add_z(out, "</span><span class=\"tx\">");
    tut_html_text(out, k->summary);
    tut_buf_printf(out,
                   "</span><span class=\"md%s\">%s</span><span class=\"vd %s-i\">%s</span><span "
                   "class=\"evn\">",
                   k->modality == TUT_SHALL ? " sh" : "", duty(k), letter,
                   tut_control_verdict_label(c->verdict));
    tut_buf_printf(out, "%zu record%s</span></summary>", c->evidence_count,
                   c->evidence_count == 1 ? "" : "s");
    add_detail(out, c, at);
    tut_buf_add_z(out, "</details>\n");
}

static void add_filter(tut_buf *out)
{
    tut_buf_add_z(out, "<form class=\"filt\" id=\"f\" aria-label=\"Filter\"><input type=\"search\" "
                       "aria-label=\"Search clauses and "
                       "evidence\" placeholder=\"Search clauses and evidence\">");
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++) {
        tut_buf_printf(out, "<label><input type=\"checkbox\" value=\"%s\" checked>",
                       tut_html_letter((tut_control_verdict)v));
        tut_html_glyph(out, (tut_control_verdict)v);
        tut_buf_printf(out, " %s</label>", tut_control_verdict_label((tut_control_verdict)v));
    }
    tut_buf_add_z(out, "<label><input type=\"checkbox\" value=\"shall\">shall only</label><button "
                       "type=\"button\" id=\"oa\">Open "
                       "all</button><span class=\"out\" role=\"status\"></span></form>\n");
}

void tut_html_every_clause(tut_buf *out, const tut_assessment *a)
{
    tut_buf_add_z(out, "<section class=\"wide\" id=\"clauses\" aria-labelledby=\"h-clauses\"><div "
                       "class=\"hd\"><div>"
                       "<span class=\"no\">7</span><h2 id=\"h-clauses\">Every "
                       "clause</h2></div><p>The standard's own numbering, in "
                       "our words. Open a clause for its reasons and its evidence. A verdict is "
                       "computed from the evidence each "
                       "time; nobody can type it in.</p></div>\n");
    add_filter(out);
    for (unsigned p = 1, i = 0; p <= TUT_PRINCIPLES; p++) {
        tut_str id = a->controls[i].clause->id;
        size_t group = 0;
        while (group < id.len && id.data[group] != '-')
            group++;
        tut_buf_add_z(out, "<div class=\"grp\"><h3 class=\"gh\">");
        tut_html_text(out, (tut_str){id.data, group});
        tut_buf_add_z(out, " ");
        tut_html_z(out, tut_principle_titles[p - 1]);
        tut_html_blocks(out, a, tut_html_is_principle, p);
        tut_buf_add_z(out, "</h3>\n");
        for (; i < TUT_CLAUSE_COUNT && a->controls[i].clause->principle == p; i++)
            add_clause(out, &a->controls[i], a->evaluated_at);
        tut_buf_add_z(out, "</div>\n");
    }
    tut_buf_add_z(out, "</section>\n");
}
