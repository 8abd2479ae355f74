/* What to do, what was found, what there is, what was not checked. */
#include "assess/html.h"

static void open_section(tut_buf *out, const char *id, unsigned number, const char *title,
                         bool is_wide)
{
    tut_buf_printf(out,
                   "<section%s id=\"%s\" aria-labelledby=\"h-%s\"><div class=\"hd\">%s<span "
                   "class=\"no\">%u</span>"
                   "<h2 id=\"h-%s\">%s</h2>%s",
                   is_wide ? " class=\"wide\"" : "", id, id, is_wide ? "<div>" : "", number, id,
                   title, is_wide ? "</div>" : "");
}

void tut_html_next(tut_buf *out, const tut_assessment *a)
{
    open_section(out, "next", 3, "What to do next", false);
    tut_buf_add_z(out, "<p>The commands that change most, in order. Run <code>tutela assess</code> "
                       "after each.</p></div>"
                       "<div class=\"bd\"><ol class=\"next\">\n");
    for (size_t i = 0; i < a->next_count; i++) {
        const tut_next_step *step = &a->next[i];
        tut_buf_add_z(out, "<li><div><h3>");
        tut_html_z(out, step->title);
        tut_buf_add_z(out, "</h3><code class=\"cmd\">");
        tut_html_command(out, tut_str_of(step->command));
        tut_buf_add_z(out, "</code></div><p class=\"ef\"><b>");
        tut_html_z(out, step->why);
        tut_buf_add_z(out, "</b>");
        tut_html_clauses(out, tut_str_of(step->clauses));
        tut_buf_add_z(out, "</p></li>\n");
    }
    if (a->next_count == 0)
        tut_buf_add_z(out, "<li><div><h3>Nothing is open</h3></div></li>\n");
    tut_buf_add_z(out, "</ol></div></section>\n");
}

static void add_finding(tut_buf *out, const tut_report_finding *f)
{
    tut_buf_printf(out,
                   "<tr><td class=\"w\"><svg class=\"sev\" aria-hidden=\"true\"><use "
                   "href=\"#v-%d\"/></svg>%s</td>"
                   "<td class=\"as\">",
                   (int)f->severity, tut_severity_name(f->severity));
    tut_html_z(out, f->asset);
    tut_buf_add_z(out, "<code>");
    tut_html_z(out, f->location);
    tut_buf_add_z(out, "</code>");
    if (f->has_offset)
        tut_buf_printf(out, "<code>+0x%04llx</code>", (unsigned long long)f->offset);
    tut_buf_add_z(out, "</td><td class=\"wh\"><b>");
    tut_html_z(out, f->title);
    tut_buf_add_z(out, "</b><small>");
    tut_html_z(out, f->message);
    if (f->accepted) {
        tut_buf_add_z(out, "</small><small>Accepted ");
        tut_html_z(out, f->accepted);
    }
    tut_buf_add_z(out, "</small><small><code>");
    tut_html_z(out, f->rule);
    tut_buf_add_z(out, "</code> \xc2\xb7 ");
    tut_html_clauses(out, tut_str_of(f->clauses));
    if (f->threats && *f->threats) {
        tut_buf_add_z(out, " \xc2\xb7 ");
        tut_html_z(out, f->threats);
    }
    tut_buf_add_z(out, "</small></td><td class=\"fx\">");
    bool is_command = f->fix && strncmp(f->fix, "tutela ", 7) == 0;
    tut_buf_add_z(out, is_command ? "<code class=\"cm\">" : "<small>");
    tut_html_command(out, tut_str_of(f->fix ? f->fix : ""));
    tut_buf_add_z(out, is_command ? "</code>" : "</small>");
    tut_buf_add_z(out, "</td></tr>\n");
}

static void add_table(tut_buf *out, const tut_report_finding *findings, size_t count)
{
    if (count == 0)
        return;
    tut_buf_add_z(out, "<table class=\"ls fd\"><thead><tr><th scope=\"col\">Severity</th><th "
                       "scope=\"col\">Asset and place"
                       "</th><th scope=\"col\">What was seen</th><th scope=\"col\">How to "
                       "fix</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++)
        add_finding(out, &findings[i]);
    tut_buf_add_z(out, "</tbody></table>\n");
}

static void add_idle(void *ctx, tut_str text)
{
    tut_buf_add_z(ctx, "<p>");
    tut_html_text(ctx, text);
    tut_buf_add_z(ctx, ".</p>\n");
}

/* What was set aside by the description, and what there has no effect. */
static void add_accepted(tut_buf *out, const tut_assessment *a)
{
    if (a->accepted_count) {
        tut_buf_printf(out,
                       "<div class=\"mh\"><h3>Accepted for a time</h3><p>%zu finding%s set "
                       "aside by tutela.yaml; %s no verdict.</p></div>\n",
                       a->accepted_count, a->accepted_count == 1 ? "" : "s",
                       a->accepted_count == 1 ? "it decides" : "they decide");
        add_table(out, a->accepted, a->accepted_count);
    }
    tut_assessment_idle_entries(a, add_idle, out);
}

void tut_html_findings(tut_buf *out, const tut_assessment *a)
{
    size_t by_severity[TUT_SEVERITY_COUNT] = {0};
    for (size_t i = 0; i < a->finding_count; i++)
        by_severity[a->findings[i].severity]++;
    open_section(out, "findings", 4, "Findings", true);
    tut_buf_printf(out, "<p>%zu finding%s in %zu asset%s", a->finding_count,
                   a->finding_count == 1 ? "" : "s", a->asset_count,
                   a->asset_count == 1 ? "" : "s");
    const char *before = ": ";
    for (int s = TUT_SEVERITY_COUNT - 1; s >= 0; s--) {
        if (!by_severity[s])
            continue;
        tut_buf_printf(out, "%s%zu %s", before, by_severity[s], tut_severity_name((tut_severity)s));
        before = ", ";
    }
    tut_buf_add_z(out, ".</p></div>\n");
    add_table(out, a->findings, a->finding_count);
    add_accepted(out, a);
    tut_buf_add_z(out, "</section>\n");
}

static void add_asset(tut_buf *out, const tut_asset_summary *s)
{
    bool is_sound = strcmp(s->state, "declared") == 0;
    tut_buf_add_z(out, "<tr><th scope=\"row\">");
    tut_html_z(out, s->id);
    tut_buf_add_z(out, "</th><td><code>");
    tut_html_z(out, s->path);
    tut_buf_add_z(out, "</code></td><td>");
    tut_html_z(out, s->detail);
    tut_buf_add_z(out, "</td><td>");
    tut_html_glyph(out, is_sound ? TUT_CONTROL_MET : TUT_CONTROL_NOT_MET);
    tut_buf_add_z(out, " ");
    tut_html_z(out, is_sound ? "as accepted" : s->state);
    tut_buf_add_z(out, "</td><td>");
    for (size_t i = 0; i < s->depends_count; i++) {
        tut_buf_add_z(out, i ? ", " : "");
        tut_html_z(out, s->depends_on[i]);
    }
    tut_buf_add_z(out, "</td></tr>\n");
}

void tut_html_inventory(tut_buf *out, const tut_assessment *a)
{
    open_section(out, "assets", 5, "Assets", true);
    tut_buf_add_z(
        out, "<p>What the system is made of, held against its description. Changed: not what was "
             "last accepted.</p>"
             "</div>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
             "aria-label=\"Table of assets\"><table class=\"ls\">"
             "<thead><tr><th scope=\"col\">Asset</th><th scope=\"col\">Path</th><th "
             "scope=\"col\">What it is</th>"
             "<th scope=\"col\">State</th><th scope=\"col\">Depends on</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < a->asset_count; i++)
        add_asset(out, &a->assets[i]);
    tut_buf_add_z(out, "</tbody></table></div></section>\n");
}

static void add_open_clause(tut_buf *out, const tut_control *c)
{
    tut_buf_add_z(out, "<tr><th scope=\"row\" class=\"nb\">");
    tut_html_glyph(out, c->verdict);
    tut_buf_add_z(out, " ");
    tut_html_clauses(out, c->clause->id);
    tut_buf_printf(out, "</th><td class=\"lbl\">%s</td><td>",
                   c->clause->modality == TUT_SHALL ? "shall" : "should");
    tut_html_z(out, c->reason_count ? c->reasons[0] : "No evidence is recorded.");
    tut_buf_add_z(out, "</td><td><code>");
    tut_html_command(out, c->refresh);
    tut_buf_add_z(out, "</code>");
    if (c->refresh.len && !c->is_refresh_available)
        tut_buf_add_z(out, "<small class=\"lbl\"> not in this version</small>");
    tut_buf_add_z(out, "</td></tr>\n");
}

static size_t count_stale(const tut_assessment *a)
{
    size_t stale = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        stale += a->controls[i].is_stale;
    return stale;
}

void tut_html_unchecked(tut_buf *out, const tut_assessment *a)
{
    open_section(out, "unchecked", 8, "What was not checked", true);
    tut_buf_printf(out,
                   "<p>%zu provisions have no evidence in force either way (%zu because it ran "
                   "out), %zu do not apply. None "
                   "of them counts as met.</p></div><div class=\"bd\">\n",
                   a->counts[TUT_CONTROL_NOT_CHECKED], count_stale(a),
                   a->counts[TUT_CONTROL_NOT_APPLICABLE]);
    if (a->unchecked_count) {
        tut_buf_add_z(out, "<div class=\"mh\"><h3>Files and subjects</h3></div><table "
                           "class=\"ls\"><thead><tr><th scope=\"col\">What"
                           "</th><th scope=\"col\">Why not</th></tr></thead><tbody>\n");
        for (size_t i = 0; i < a->unchecked_count; i++) {
            tut_buf_add_z(out, "<tr><th scope=\"row\"><code>");
            tut_html_z(out, a->unchecked[i].what);
            tut_buf_add_z(out, "</code></th><td>");
            tut_html_z(out, a->unchecked[i].why);
            tut_buf_add_z(out, "</td></tr>\n");
        }
        tut_buf_add_z(out, "</tbody></table>\n");
    }
    tut_buf_add_z(out, "<div class=\"mh\"><h3>Provisions</h3></div><table "
                       "class=\"ls\"><thead><tr><th scope=\"col\">Clause</th>"
                       "<th scope=\"col\">Duty</th><th scope=\"col\">Why not</th><th "
                       "scope=\"col\">What decides it</th></tr></thead>"
                       "<tbody>\n");
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (a->controls[i].verdict == TUT_CONTROL_NOT_CHECKED ||
            a->controls[i].verdict == TUT_CONTROL_NOT_APPLICABLE)
            add_open_clause(out, &a->controls[i]);
    tut_buf_add_z(out, "</tbody></table></div></section>\n");
}
