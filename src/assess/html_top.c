/* Head of the page: whose assessment, when, by what, and the grade with what limits it. */
#include "assess/html.h"

static void add_fact(tut_buf *out, const char *label)
{
    tut_buf_printf(out, "<div><dt>%s</dt><dd>", label);
}

static void add_system(tut_buf *out, const tut_assessment *a)
{
    add_fact(out, "System");
    tut_buf_add_z(out, "<b>");
    tut_html_z(out, a->system_name);
    tut_buf_add_z(out, " ");
    tut_html_z(out, a->system_version);
    tut_buf_add_z(out, "</b>");
    if (a->system) {
        tut_buf_add_z(out, "<small>description ");
        tut_html_digest(out, &a->system->digest);
        tut_buf_add_z(out, "</small>");
    }
    tut_buf_printf(out, "<small>%zu asset%s</small></dd></div>\n", a->asset_count,
                   a->asset_count == 1 ? "" : "s");
}

static void add_times(tut_buf *out, const tut_assessment *a)
{
    tut_time first = 0, last = 0, expiry = 0;
    for (size_t i = 0; i < a->records->count; i++) {
        const tut_record *r = &a->records->items[i];
        if (r->type != TUT_RECORD_EVIDENCE)
            continue;
        first = !first || r->from < first ? r->from : first;
        last = r->to > last ? r->to : last;
        if (r->expires > a->evaluated_at && (!expiry || r->expires < expiry))
            expiry = r->expires;
    }
    char from[TUT_TIME_TEXT], to[TUT_TIME_TEXT], end[TUT_TIME_TEXT];
    add_fact(out, "Evaluated at");
    tut_buf_add_z(out, "<b>");
    tut_html_time(out, a->evaluated_at);
    tut_buf_add_z(out, "</b>");
    if (first) {
        tut_time_date(first, from);
        tut_time_date(last, to);
        tut_buf_printf(out, "<small>observed %s to %s</small>", from, to);
    }
    if (expiry) {
        tut_time_date(expiry, end);
        tut_buf_printf(out, "<small>first evidence expires %s</small>", end);
    }
    tut_buf_add_z(out, "</dd></div>\n");
}

static void add_tool(tut_buf *out, const tut_assessment *a)
{
    add_fact(out, "Tool");
    tut_buf_add_z(out, "<b>tutela " TUTELA_VERSION "</b><small>program ");
    tut_html_digest(out, &a->tool_binary);
    tut_buf_add_z(out, "</small><small>catalogue ");
    tut_html_digest(out, &a->tool_catalogue);
    tut_buf_add_z(out, "</small><small>rules ");
    tut_html_digest(out, &a->tool_rules);
    tut_buf_add_z(out, "</small></dd></div>\n");
}

/* Who else than the key that signs the log stands for it. */
static void add_trust(tut_buf *out, const tut_assessment *a)
{
    tut_buf_add_z(out, "<small>");
    if (a->log_trust == TUT_TRUST_OWN_KEY || !a->log_proven.is_there) {
        tut_buf_add_z(out,
                      a->is_log_unvouched
                          ? "vouched for by its own key, and by none of those who should</small>"
                          : "vouched for by nothing but its own key</small>");
        return;
    }
    tut_buf_printf(out, "%s: its first %llu entries, by ",
                   a->log_trust == TUT_TRUST_WITNESSED ? "witnessed by a quorum" : "time-stamped",
                   (unsigned long long)a->log_proven.size);
    tut_html_time(out, a->log_proven.at);
    tut_buf_add_z(out, "</small>");
}

static void add_records(tut_buf *out, const tut_assessment *a)
{
    size_t evidence = 0;
    for (size_t i = 0; i < a->records->count; i++)
        evidence += a->records->items[i].type == TUT_RECORD_EVIDENCE;
    add_fact(out, "Records");
    tut_buf_printf(out, "<b class=\"num\">%zu records, %zu of them evidence</b>", a->records->count,
                   evidence);
    if (a->log_origin[0]) {
        tut_buf_printf(out, "<small>of %llu in the log ", (unsigned long long)a->records->log_size);
        tut_html_z(out, a->log_origin);
        tut_buf_add_z(out, "</small><small>signed tree, root ");
        tut_html_digest(out, &a->log_root);
        tut_buf_add_z(out, "</small>");
        add_trust(out, a);
    }
    tut_buf_add_z(out, "<small>files read under: ");
    tut_html_z(out, a->sandbox && *a->sandbox ? a->sandbox : "not recorded");
    tut_buf_add_z(out, "</small></dd></div>\n");
}

void tut_html_top(tut_buf *out, const tut_assessment *a)
{
    tut_buf_add_z(
        out,
        "<header class=\"top\"><p class=\"kick\">Assessment against ETSI EN 304 223 V2.1.1, all 72 "
        "provisions</p><h1>");
    tut_html_z(out, a->system_name);
    tut_buf_add_z(out, "</h1><p class=\"lead\">");
    if (a->system && a->system->purpose.len)
        tut_html_text(out, a->system->purpose);
    else
        tut_buf_add_z(out, "Its description does not say yet what it is for.");
    tut_buf_add_z(out, "</p>\n<dl class=\"prov\">\n");
    add_system(out, a);
    add_times(out, a);
    add_tool(out, a);
    add_records(out, a);
    tut_buf_add_z(out, "</dl></header>\n");
}

/* "5.1.2-4 5.2.1-1" inside a sentence becomes links; the rest is text. */
static void add_cap_reason(tut_buf *out, const char *reason)
{
    const char *colon = strrchr(reason, ':');
    if (!colon || colon[1] != ' ' || colon[2] < '0' || colon[2] > '9') {
        tut_html_z(out, reason);
        return;
    }
    tut_html_text(out, (tut_str){reason, (size_t)(colon - reason) + 2});
    tut_html_clauses(out, tut_str_of(colon + 2));
}

static void add_cap(tut_buf *out, const tut_cap *cap)
{
    const char *state = cap->bit ? "applied" : cap->applies ? "would apply" : "clear";
    tut_buf_printf(out, "<tr class=\"%s\"><th scope=\"row\">%c</th><td>",
                   cap->bit       ? "hit"
                   : cap->applies ? ""
                                  : "un",
                   cap->grade ? cap->grade : '-');
    add_cap_reason(out, cap->reason);
    tut_buf_add_z(out, "</td><td>");
    if (cap->bit)
        tut_html_glyph(out, TUT_CONTROL_NOT_MET);
    tut_buf_printf(out, "%s%s</td></tr>\n", cap->bit ? " " : "", state);
}

static void add_legend_item(tut_buf *out, const tut_assessment *a, tut_control_verdict v,
                            const char *meaning)
{
    tut_buf_add_z(out, "<li>");
    tut_html_glyph(out, v);
    tut_buf_printf(out, "<b class=\"num\">%zu</b><span>%s<em>%s</em></span></li>\n", a->counts[v],
                   tut_control_verdict_label(v), meaning);
}

static void add_legend(tut_buf *out, const tut_assessment *a)
{
    tut_buf_add_z(out, "<ul class=\"legend\" aria-label=\"Verdicts\">\n");
    add_legend_item(out, a, TUT_CONTROL_MET, "all that is wanted is proved and in force");
    add_legend_item(out, a, TUT_CONTROL_PARTLY, "some is proved, nothing speaks against it");
    add_legend_item(out, a, TUT_CONTROL_NOT_MET, "something that is proved speaks against it");
    add_legend_item(out, a, TUT_CONTROL_NOT_CHECKED, "no evidence in force, either way");
    add_legend_item(out, a, TUT_CONTROL_NOT_APPLICABLE, "with reason, name and end");
    tut_buf_add_z(out, "</ul>\n");
}

void tut_html_dial(tut_buf *out, const tut_assessment *a);

void tut_html_verdict(tut_buf *out, const tut_assessment *a)
{
    char grade[2] = {a->grade, '\0'};
    tut_buf_add_z(out, "<div class=\"verdict\" id=\"summary\"><div><div class=\"gradebox\">");
    tut_buf_printf(out, "<div class=\"grade\" role=\"img\" aria-label=\"%s%s\">%s</div><div><h2>",
                   a->grade ? "Grade " : "No grade", grade, a->grade ? grade : "\xe2\x80\x93");
    tut_html_z(out, a->grade_sentence);
    tut_buf_add_z(out, "</h2><p>");
    if (a->grade && a->grade_without_caps && a->grade != a->grade_without_caps)
        tut_buf_printf(out, "Without caps it would be %c, at %.0f of 100 points.",
                       a->grade_without_caps, a->score);
    else if (a->grade)
        tut_buf_printf(out, "%.0f of 100 points: a duty weighs twice, partly counts half.",
                       a->score);
    else
        tut_buf_add_z(out, "A grade needs evidence for at least half of the duties that apply.");
    tut_buf_add_z(out,
                  "</p></div></div>\n<table class=\"caps\"><caption>Highest grade that each rule "
                  "allows</caption><tbody>\n");
    for (size_t i = 0; i < a->cap_count; i++)
        add_cap(out, &a->caps[i]);
    tut_buf_add_z(out, "</tbody></table></div>");
    tut_html_dial(out, a);
    tut_buf_add_z(out, "</div>\n");
    add_legend(out, a);
}
