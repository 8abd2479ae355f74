/* tutela threats explain: one risk, one rule, or all rules. */
#include <string.h>
#include <unistd.h>

#include "cmd/threats_act.h"

static void add_wrapped(const tut_term *term, tut_buf *out, const char *label, tut_str text)
{
    enum { INDENT = 13 };
    if (text.len == 0)
        return;
    tut_buf_printf(out, "  %-11s", label);
    tut_term_wrap(term, out, INDENT, text);
}

static void add_list(const tut_term *term, tut_buf *out, const char *label,
                     const tut_str_list *list)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < list->count; i++) {
        tut_buf_add_z(&text, i ? ", " : "");
        tut_buf_add_str(&text, list->items[i]);
    }
    add_wrapped(term, out, label, tut_buf_str(&text));
}

/* --- a rule --- */

static void explain_rule(const tut_threat_rule *r, const tut_term *term, tut_buf *out)
{
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    tut_buf_add_str(&title, r->id);
    tut_buf_add_z(&title, "  ");
    tut_buf_add_str(&title, r->title);
    tut_term_wrap(term, out, 0, tut_buf_str(&title));
    add_wrapped(term, out, "threat", r->threat);
    add_wrapped(term, out, "on", r->on_word);
    add_wrapped(term, out, "when", r->when);
    add_wrapped(term, out, "likelihood", r->likelihood);
    add_wrapped(term, out, "impact", r->impact);
    add_list(term, out, "ATLAS", &r->atlas);
    add_list(term, out, "OWASP LLM", &r->llm);
    add_list(term, out, "OWASP ML", &r->ml);
    add_list(term, out, "clauses", &r->clauses);
    add_wrapped(term, out, "why", r->description);
    add_wrapped(term, out, "what to do", r->advice);
    for (size_t i = 0; i < r->mitigation_count; i++) {
        const tut_threat_mitigation *m = &r->mitigations[i];
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_add_str(&text, m->control);
        tut_buf_printf(&text, ": %.*s; %.*s -%u while %.*s is proved", (int)m->title.len,
                       m->title.data, (int)m->reduces.len, m->reduces.data, m->by,
                       (int)m->proof.len, m->proof.data);
        add_wrapped(term, out, i ? "" : "controls", tut_buf_str(&text));
    }
}

/* --- a risk --- */

static void add_size(tut_buf *out, const char *label, const tut_risk_size *s)
{
    tut_buf_printf(out, "  %-11s%s: likelihood %d (%s), impact %d (%s)\n", label,
                   tut_risk_level_names[s->level], s->likelihood,
                   tut_likelihood_names[s->likelihood - 1], s->impact,
                   tut_impact_names[s->impact - 1]);
}

static void add_mitigation(const tut_term *term, tut_buf *out, const tut_risk_mitigation *m)
{
    static const struct {
        tut_glyph glyph;
        tut_style style;
        const char *word;
    } marks[] = {[TUT_COUNTED] = {TUT_GLYPH_TICK, TUT_STYLE_GOOD, "counts"},
                 [TUT_CLAIMED] = {TUT_GLYPH_PARTLY, TUT_STYLE_WARN, "claimed, not counted"},
                 [TUT_NOT_IN_PLACE] = {TUT_GLYPH_CROSS, TUT_STYLE_DIM, "not counted"}};
    const tut_threat_mitigation *x = m->mitigation;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%.*s: %s (%.*s -%u). %.*s. %.*s: %s", (int)x->control.len,
                   x->control.data, marks[m->counted].word, (int)x->reduces.len, x->reduces.data,
                   x->by, (int)x->title.len, x->title.data, (int)x->proof.len, x->proof.data,
                   m->why);
    if (m->record)
        tut_buf_printf(&text, ", entry %llu", (unsigned long long)m->record->index);
    tut_buf_add_z(out, "    ");
    tut_term_text(term, out, marks[m->counted].style,
                  tut_str_of(tut_term_glyph(term, marks[m->counted].glyph)));
    tut_buf_add_z(out, " ");
    tut_term_wrap(term, out, 6, tut_buf_str(&text));
}

static void add_next(const tut_threats_act *a, const tut_risk *r, tut_buf *out)
{
    if (r->state != TUT_RISK_OPEN)
        return;
    for (size_t i = 0; i < r->mitigation_count; i++) {
        const tut_want *want = tut_catalogue_find_want(r->mitigations[i].mitigation->proof);
        if (r->mitigations[i].counted == TUT_COUNTED || !want || !want->is_available)
            continue;
        tut_buf_printf(out, "Next     %.*s\n", (int)want->command.len, want->command.data);
        break; /* its own help says how it finds the system */
    }
    tut_threats_act_command(a, "Or", "tutela threats accept", r->id,
                            " --reason TEXT --expires DATE --by PERSON", out);
}

static void add_acceptance(const tut_term *term, tut_buf *out, const tut_acceptance *a)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char day[TUT_TIME_TEXT];
    if (!a->record)
        return;
    tut_time_date(a->expires, day);
    tut_buf_printf(&text, "by %s until %s (entry %llu): %s", a->by, day,
                   (unsigned long long)a->record->index, a->reason);
    add_wrapped(term, out, "accepted", tut_buf_str(&text));
}

static void explain_risk(const tut_threats_act *a, const tut_risk *r, const tut_term *term,
                         tut_buf *out)
{
    TUT_CLEAN(tut_buf) way = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    const tut_threat_element *from = r->element->links[TUT_THREAT_FROM];
    const tut_threat_element *e = from ? from : r->element;
    tut_threat_way(e->source ? e : NULL, &way);
    tut_buf_printf(&title, "%s  %.*s", r->id, (int)r->rule->title.len, r->rule->title.data);
    tut_term_wrap(term, out, 0, tut_buf_str(&title));
    add_size(out, "inherent", &r->inherent);
    add_size(out, "residual", &r->residual);
    tut_buf_printf(out, "  %-11s%s at this impact\n", "tolerated",
                   tut_risk_level_names[r->tolerated]);
    add_wrapped(term, out, tut_risk_state_names[r->state], tut_str_of(r->why));
    add_acceptance(term, out, &r->acceptance);
    add_wrapped(term, out, "threat", r->rule->threat);
    add_list(term, out, "ATLAS", &r->rule->atlas);
    add_list(term, out, "OWASP LLM", &r->rule->llm);
    add_list(term, out, "OWASP ML", &r->rule->ml);
    add_list(term, out, "clauses", &r->rule->clauses);
    add_wrapped(term, out, "way", tut_buf_str(&way));
    add_wrapped(term, out, "why", r->rule->description);
    add_wrapped(term, out, "what to do", r->rule->advice);
    if (r->mitigation_count)
        tut_buf_add_z(out, "  controls\n");
    for (size_t i = 0; i < r->mitigation_count; i++)
        add_mitigation(term, out, &r->mitigations[i]);
    add_next(a, r, out);
}

/* --- which --- */

static tut_status explain(tut_threats_act *a, tut_buf *out, tut_error *err)
{
    const char *word = a->args->positional[0];
    bool is_json = strcmp(a->args->format, "json") == 0;
    tut_term term;
    tut_term_detect(STDOUT_FILENO, a->args->color, &term);
    TUT_TRY(tut_threats_act_open(a, a->args, NULL, err));
    const tut_threat_rule *rule = tut_threat_rule_find(a->threats->rules, tut_str_of(word));
    if (rule && !is_json) {
        explain_rule(rule, &term, out);
        return tut_buf_check(out, err);
    }
    if (rule)
        return tut_fail(err, TUT_USAGE, "--format json is for a risk: RULE@ELEMENT");
    const tut_risk *risk;
    TUT_TRY(tut_threats_act_risk(a, word, &risk, err));
    if (is_json)
        return tut_threats_json(a->threats, &a->from, risk, out, err);
    explain_risk(a, risk, &term, out);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_threats_act) a = {.args = args};
    tut_error err = {0};
    bool is_markdown = strcmp(args->format, "markdown") == 0;
    bool is_list = strcmp(args->positional[0], "rules") == 0;
    if (is_markdown != is_list)
        return tut_cmd_usage(args, "all rules are written as: tutela threats explain rules "
                                   "--format markdown");
    tut_status status = is_list ? tut_threat_rules_markdown(&out, &err) : explain(&a, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_threats_explain = {
    .name = "threats explain",
    .arguments = "RISK | RULE | rules",
    .summary = "What a risk comes from, what counts against it, and what would help",
    .help =
        "A risk is named RULE@ELEMENT as tutela threats lists it, a rule by its name. \"rules\" "
        "with --format markdown writes docs/threat-rules.md.",
    .formats = "table json markdown",
    .least = 1,
    .most = 1,
    .run = run,
};
