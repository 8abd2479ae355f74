/* The tables of the threat model: risks, elements, flows, and what does not count. */
#include "assess/html_threats.h"

static void add_member(tut_buf *out, const tut_json_value *of, const char *key)
{
    tut_html_text(out, tut_json_get_text(of, key));
}

static void add_joined(tut_buf *out, const tut_json_value *list)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_view_join(list, &text);
    tut_html_text(out, tut_buf_str(&text));
}

static bool is_null(const tut_json_value *v)
{
    return !v || v->type == TUT_JSON_NULL;
}

/* --- risks --- */

static void add_controls(const tut_threat_html *h, const tut_json_value *list)
{
    uint32_t all = tut_json_count(list), counted = 0;
    for (uint32_t i = 0; i < all; i++)
        counted += tut_json_get_bool(tut_json_item(list, i), "counted", false);
    if (all == 0) {
        tut_buf_add_z(h->out, "none known");
        return;
    }
    tut_buf_printf(h->out, "<details class=\"td\"><summary>%u of %u count</summary><ul>", counted,
                   all);
    for (uint32_t i = 0; i < all; i++) {
        const tut_json_value *m = tut_json_item(list, i);
        bool is_counted = tut_json_get_bool(m, "counted", false);
        bool is_claimed = tut_str_eq_z(tut_json_get_text(m, "state"), "claimed");
        tut_buf_add_z(h->out, "<li>");
        tut_html_glyph(h->out, is_counted   ? TUT_CONTROL_MET
                               : is_claimed ? TUT_CONTROL_PARTLY
                                            : TUT_CONTROL_NOT_CHECKED);
        tut_buf_add_z(h->out, " <b>");
        add_member(h->out, m, "control");
        tut_buf_printf(h->out, "</b> %s<small>",
                       is_counted   ? "counts"
                       : is_claimed ? "claimed, not counted"
                                    : "not counted");
        add_member(h->out, m, "title");
        tut_buf_add_z(h->out, ". <code>");
        add_member(h->out, m, "proof");
        tut_buf_add_z(h->out, "</code>: ");
        add_member(h->out, m, "why");
        tut_buf_add_z(h->out, "</small></li>");
    }
    tut_buf_add_z(h->out, "</ul></details>");
}

static void add_decision(const tut_threat_html *h, const tut_view_risk *r)
{
    const tut_json_value *treatment = tut_json_get(r->json, "treatment");
    const tut_json_value *acceptance = tut_json_get(r->json, "acceptance");
    tut_buf_add_z(h->out, "<b>");
    tut_html_text(h->out, r->state);
    tut_buf_add_z(h->out, "</b><small>");
    add_member(h->out, r->json, "why");
    tut_buf_add_z(h->out, "</small>");
    if (!is_null(treatment)) {
        tut_buf_add_z(h->out, "<small>to ");
        add_member(h->out, treatment, "treatment");
        tut_str owner = tut_json_get_text(treatment, "owner");
        tut_str cost = tut_json_get_text(treatment, "cost");
        tut_buf_add_z(h->out, owner.len ? ", owner " : "");
        tut_html_text(h->out, owner);
        tut_buf_add_z(h->out, cost.len ? ", cost " : "");
        tut_html_text(h->out, cost);
        tut_buf_add_z(h->out, "</small>");
    }
    if (!is_null(acceptance)) {
        tut_buf_add_z(h->out, "<small>accepted by ");
        add_member(h->out, acceptance, "by");
        tut_buf_add_z(h->out, "</small>");
    }
}

static void add_risk(const tut_threat_html *h, const tut_view_risk *r, size_t number)
{
    TUT_CLEAN(tut_buf) clauses = TUT_BUF_INIT;
    const tut_json_value *list = tut_json_get(r->json, "clauses");
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        tut_buf_add_z(&clauses, i ? " " : "");
        tut_buf_add_str(&clauses, tut_json_text(tut_json_item(list, i)));
    }
    tut_buf_printf(h->out, "<tr id=\"t-k-%zu\"><td>", number);
    tut_html_threat_level(h->out, r->residual.level);
    tut_buf_printf(h->out, "<small>%s, %s</small></td><td>",
                   tut_view_likelihoods[r->residual.likelihood - 1],
                   tut_view_impacts[r->residual.impact - 1]);
    tut_html_threat_level(h->out, r->inherent.level);
    tut_buf_printf(h->out, "<small>%s, %s</small></td><td><b>",
                   tut_view_likelihoods[r->inherent.likelihood - 1],
                   tut_view_impacts[r->inherent.impact - 1]);
    tut_html_text(h->out, r->title);
    tut_buf_add_z(h->out, "</b><small><code>");
    tut_html_text(h->out, r->id);
    tut_buf_add_z(h->out, "</code></small><small>");
    add_joined(h->out, tut_json_get(r->json, "atlas"));
    tut_buf_add_z(h->out, clauses.len ? " \xc2\xb7 " : "");
    if (h->has_clauses)
        tut_html_clauses(h->out, tut_buf_str(&clauses));
    else
        tut_html_text(h->out, tut_buf_str(&clauses));
    tut_buf_add_z(h->out, "</small></td><td>");
    add_controls(h, tut_json_get(r->json, "mitigations"));
    tut_buf_add_z(h->out, "</td><td>");
    add_decision(h, r);
    tut_buf_add_z(h->out, "</td></tr>\n");
}

void tut_html_threat_risks(const tut_threat_html *h)
{
    if (h->v->risk_count == 0)
        return;
    tut_html_threat_heading(h->out, "Risks", "The worst residual risk first.");
    tut_html_threat_table(h->out, "Table of risks", "Residual|Inherent|Risk|Controls|Decision");
    for (size_t i = 0; i < h->v->risk_count; i++)
        add_risk(h, &h->v->risks[i], i);
    tut_html_threat_end(h->out);
}

/* --- elements --- */

static void add_risk_links(const tut_threat_html *h, size_t at)
{
    size_t shown = 0;
    for (size_t i = 0; i < h->v->risk_count; i++) {
        if (h->v->risks[i].at != at)
            continue;
        tut_buf_printf(h->out, "%s<a href=\"#t-k-%zu\">", shown++ ? ", " : "", i);
        tut_html_text(h->out, h->v->risks[i].rule);
        tut_buf_add_z(h->out, "</a>");
    }
    if (shown == 0)
        tut_buf_add_z(h->out, "no risk found");
}

static void add_element(const tut_threat_html *h, size_t at)
{
    const tut_view_element *e = &h->v->elements[at];
    tut_buf_printf(h->out, "<tr id=\"t-e-%zu\"><th scope=\"row\">", at);
    tut_html_text(h->out, e->id);
    tut_buf_add_z(h->out, "</th><td>");
    tut_html_text(h->out, e->on);
    tut_buf_add_z(h->out, e->kind.len ? ", " : "");
    tut_html_text(h->out, e->kind);
    tut_buf_add_z(h->out, "</td><td>");
    if (e->boundary != SIZE_MAX)
        tut_html_text(h->out, h->v->elements[e->boundary].id);
    tut_buf_add_z(h->out, "</td><td>");
    tut_html_threat_level(h->out, e->residual);
    tut_buf_add_z(h->out, "</td><td>");
    tut_html_threat_level(h->out, e->inherent);
    tut_buf_printf(h->out, "</td><td>%zu</td><td>", e->open);
    add_risk_links(h, at);
    tut_buf_add_z(h->out, "</td></tr>\n");
}

void tut_html_threat_elements(const tut_threat_html *h)
{
    tut_html_threat_heading(h->out, "By element",
                            "Every element that rules were held against, with the worst of its "
                            "risks.");
    tut_html_threat_table(h->out, "Table of elements",
                          "Element|What it is|Boundary|Residual|Inherent|Open|Rules that found a "
                          "risk");
    for (size_t i = 0; i < h->v->count; i++)
        add_element(h, i);
    tut_html_threat_end(h->out);
}

static void add_end_of_flow(const tut_threat_html *h, size_t at)
{
    if (at == SIZE_MAX)
        tut_buf_add_z(h->out, "no component");
    else
        tut_html_text(h->out, h->v->elements[at].id);
}

void tut_html_threat_flows(const tut_threat_html *h)
{
    size_t count = 0;
    for (size_t i = 0; i < h->v->count; i++) {
        const tut_view_element *e = &h->v->elements[i];
        if (!tut_view_is(e, "flow"))
            continue;
        if (count++ == 0) {
            tut_html_threat_heading(h->out, "Flows", "What the diagram shows, in words.");
            tut_html_threat_table(h->out, "Table of flows",
                                  "Flow|From|To|Carries|Authentication|Encryption|Crosses a "
                                  "boundary|Residual");
        }
        tut_str auth = tut_view_word(e, "auth"), encryption = tut_view_word(e, "encryption");
        tut_buf_add_z(h->out, "<tr><th scope=\"row\">");
        tut_html_text(h->out, e->id);
        tut_buf_add_z(h->out, "</th><td>");
        add_end_of_flow(h, e->from);
        tut_buf_add_z(h->out, "</td><td>");
        add_end_of_flow(h, e->to);
        tut_buf_add_z(h->out, "</td><td>");
        add_joined(h->out, tut_json_get(e->attributes, "data"));
        tut_buf_add_z(h->out, "</td><td>");
        tut_html_text(h->out, auth);
        tut_buf_add_z(h->out, "</td><td>");
        tut_html_text(h->out, encryption);
        tut_buf_printf(h->out, "</td><td>%s</td><td>", tut_view_flag(e, "crosses") ? "yes" : "no");
        tut_html_threat_level(h->out, e->residual);
        tut_buf_add_z(h->out, "</td></tr>\n");
    }
    if (count)
        tut_html_threat_end(h->out);
}

/* --- what does not count, what was taken on --- */

static void add_claim(const tut_threat_html *h, const tut_view_risk *r, size_t number,
                      const tut_json_value *m)
{
    tut_buf_add_z(h->out, "<tr><th scope=\"row\">");
    add_member(h->out, m, "control");
    tut_buf_printf(h->out, "</th><td><a href=\"#t-k-%zu\">", number);
    tut_html_text(h->out, r->id);
    tut_buf_add_z(h->out, "</a></td><td><code>");
    add_member(h->out, m, "proof");
    tut_buf_add_z(h->out, "</code></td><td>");
    add_member(h->out, m, "why");
    tut_buf_add_z(h->out, "</td></tr>\n");
}

void tut_html_threat_claimed(const tut_threat_html *h)
{
    size_t count = 0;
    for (size_t i = 0; i < h->v->risk_count; i++) {
        const tut_json_value *list = tut_json_get(h->v->risks[i].json, "mitigations");
        for (uint32_t k = 0; k < tut_json_count(list); k++) {
            const tut_json_value *m = tut_json_item(list, k);
            if (!tut_str_eq_z(tut_json_get_text(m, "state"), "claimed"))
                continue;
            if (count++ == 0) {
                tut_html_threat_heading(h->out, "Claimed, not counted",
                                        "Controls that tutela.yaml says are there, and nothing "
                                        "proves. They take nothing off.");
                tut_html_threat_table(h->out, "Table of claims",
                                      "Control|Against|What would prove it|Why it does not count");
            }
            add_claim(h, &h->v->risks[i], i, m);
        }
    }
    if (count)
        tut_html_threat_end(h->out);
}

static void add_acceptance(const tut_threat_html *h, size_t number, const tut_json_value *a)
{
    tut_str expires = tut_json_get_text(a, "expires");
    bool counts = tut_json_get_bool(a, "counts", false);
    tut_buf_printf(h->out, "<tr><th scope=\"row\"><a href=\"#t-k-%zu\">", number);
    tut_html_text(h->out, h->v->risks[number].id);
    tut_buf_add_z(h->out, "</a></th><td>");
    add_member(h->out, a, "by");
    tut_buf_add_z(h->out, "</td><td class=\"nb\">");
    tut_html_text(h->out, (tut_str){expires.data, expires.len > 10 ? 10 : expires.len});
    tut_buf_add_z(h->out, "</td><td>");
    tut_html_glyph(h->out, counts ? TUT_CONTROL_MET : TUT_CONTROL_NOT_MET);
    tut_buf_add_z(h->out, counts ? " in force" : " lapsed<small>");
    if (!counts) {
        add_member(h->out, a, "why");
        tut_buf_add_z(h->out, "</small>");
    }
    tut_buf_add_z(h->out, "</td><td>");
    add_member(h->out, a, "reason");
    tut_buf_add_z(h->out, "</td></tr>\n");
}

void tut_html_threat_accepted(const tut_threat_html *h)
{
    size_t count = 0;
    for (size_t i = 0; i < h->v->risk_count; i++) {
        const tut_json_value *a = tut_json_get(h->v->risks[i].json, "acceptance");
        if (is_null(a))
            continue;
        if (count++ == 0) {
            tut_html_threat_heading(h->out, "Accepted risks",
                                    "By signature. An acceptance ends at its day, and when its "
                                    "element changes.");
            tut_html_threat_table(h->out, "Table of acceptances", "Risk|By|Until|State|Reason");
        }
        add_acceptance(h, i, a);
    }
    if (count)
        tut_html_threat_end(h->out);
}

/* --- what lacks --- */

void tut_html_threat_failures(const tut_threat_html *h)
{
    tut_html_threat_heading(h->out, "Model failures",
                            "What is described in vain, or too little to be judged.");
    if (h->v->failure_count == 0) {
        tut_buf_add_z(h->out, "<p>None was found.</p>\n");
        return;
    }
    tut_html_threat_table(h->out, "Table of model failures", "What|Why");
    for (size_t i = 0; i < h->v->failure_count; i++) {
        tut_buf_add_z(h->out, "<tr><th scope=\"row\">");
        tut_html_text(h->out, h->v->failures[i].what);
        tut_buf_add_z(h->out, "</th><td>");
        tut_html_z(h->out, h->v->failures[i].why);
        tut_buf_add_z(h->out, "</td></tr>\n");
    }
    tut_html_threat_end(h->out);
}

void tut_html_threat_coverage(const tut_threat_html *h)
{
    const tut_json_value *list = tut_json_get(h->v->root, "coverage");
    tut_html_threat_heading(h->out, "Attack classes",
                            "How many rules look for each, how often they asked, what they found.");
    tut_html_threat_table(h->out, "Table of attack classes",
                          "Attack class|Rules|Elements asked about|Risks");
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        const tut_json_value *c = tut_json_item(list, i);
        tut_buf_add_z(h->out, "<tr><th scope=\"row\">");
        add_member(h->out, c, "threat");
        tut_buf_printf(h->out, "</th><td>%lld</td><td>%lld</td><td>%lld</td></tr>\n",
                       (long long)tut_json_get_int(c, "rules", 0),
                       (long long)tut_json_get_int(c, "looked_at", 0),
                       (long long)tut_json_get_int(c, "risks", 0));
    }
    tut_html_threat_end(h->out);
}
