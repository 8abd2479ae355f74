/* One provision: what it asks, of whom, how it stands here, on what evidence, and what to do next.
 */
#include "assess/assessment.h"
#include "assess/report_text.h"

static const char *const modality_words[] = {"shall", "should", "can"};

static const tut_glyph glyph_of[TUT_CONTROL_VERDICT_COUNT] = {
    [TUT_CONTROL_MET] = TUT_GLYPH_MET,
    [TUT_CONTROL_PARTLY] = TUT_GLYPH_PARTLY,
    [TUT_CONTROL_NOT_MET] = TUT_GLYPH_NOT_MET,
    [TUT_CONTROL_NOT_CHECKED] = TUT_GLYPH_NOT_CHECKED,
    [TUT_CONTROL_NOT_APPLICABLE] = TUT_GLYPH_NOT_APPLICABLE,
};

static void add_roles(tut_buf *out, uint32_t roles)
{
    bool is_first = true;
    for (size_t i = 0; i < TUT_ROLE_COUNT; i++) {
        if (!(roles & (1u << i)))
            continue;
        tut_buf_printf(out, "%s%s", is_first ? "" : ", ", tut_role_names[i]);
        is_first = false;
    }
}

static void print_head(const tut_clause *c, const tut_term *t, tut_buf *out)
{
    TUT_CLEAN(tut_buf) left = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) right = TUT_BUF_INIT;
    tut_buf_printf(&left, "%-12.*s%-8s", (int)c->id.len, c->id.data, modality_words[c->modality]);
    add_roles(&left, c->roles);
    tut_buf_printf(&right, "P%u %s", c->seed, tut_seed_titles[c->seed - 1]);
    tut_term_text(t, out, TUT_STYLE_BOLD, tut_buf_str(&left));
    size_t used = left.len + right.len;
    size_t line = t->width < 80 ? t->width : 80;
    if (used + 2 > line) {
        tut_buf_add_z(out, "\n");
        used = line - 1;
        tut_buf_add_z(out, "            ");
    }
    for (size_t i = used; i < line && used < line - 1; i++)
        tut_buf_add_byte(out, ' ');
    tut_buf_add_str(out, tut_buf_str(&right));
    tut_buf_add_z(out, "\n\n  ");
    tut_term_wrap(t, out, 2, c->summary);
    for (size_t i = 0; i < c->secondary_count; i++) {
        tut_buf_add_z(out, "  ");
        tut_term_wrap(t, out, 2, c->secondary[i]);
    }
    if (c->applies_when.len) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "Applies if %.*s.", (int)c->applies_when.len, c->applies_when.data);
        tut_buf_add_z(out, "  ");
        tut_term_wrap(t, out, 2, tut_buf_str(&text));
    }
    tut_buf_add_byte(out, '\n');
}

static void print_state(const tut_assessment *a, const tut_control *c, const tut_term *t,
                        tut_buf *out)
{
    char when[TUT_TIME_TEXT];
    tut_time_people(a->evaluated_at, when);
    tut_buf_printf(out, "State    %s %s, computed for %s\n",
                   tut_term_glyph(t, glyph_of[c->verdict]), tut_control_verdict_label(c->verdict),
                   when);
    for (size_t i = 0; i < c->reason_count; i++)
        tut_report_labelled(t, out, "", tut_str_of(c->reasons[i]));
    tut_buf_add_byte(out, '\n');
}

static const char *sign_of(const tut_term *t, tut_use use)
{
    switch (use) {
    case TUT_USE_COUNTS:
        return tut_term_glyph(t, TUT_GLYPH_TICK);
    case TUT_USE_CONTRADICTS:
        return tut_term_glyph(t, TUT_GLYPH_CROSS);
    case TUT_USE_STALE:
    case TUT_USE_OTHER_DIGEST:
    case TUT_USE_SUPERSEDED:
    case TUT_USE_NOT_ENOUGH:
        return tut_term_glyph(t, TUT_GLYPH_NOT_CHECKED);
    }
    return "";
}

static void print_evidence(const tut_assessment *a, const tut_control *c, const tut_term *t,
                           tut_buf *out)
{
    for (size_t i = 0; i < c->evidence_count; i++) {
        const tut_evidence_use *use = &c->evidence[i];
        const tut_record *r = use->record;
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        char day[TUT_TIME_TEXT];
        tut_time_date(r->at, day);
        int64_t left = (r->expires - a->evaluated_at) / TUT_DAY_SECONDS;
        tut_buf_printf(&text, "%s  %s  %s, %s, %s  #%llu  %s", sign_of(t, use->use), r->check,
                       tut_method_name(r->method), day, r->subjects[0].name,
                       (unsigned long long)r->index, use->why);
        if (left >= 0 && use->use != TUT_USE_STALE)
            tut_buf_printf(&text, ", %lld d left", (long long)left);
        tut_report_labelled(t, out, i == 0 ? "Evidence" : "", tut_buf_str(&text));
    }
    if (c->evidence_count)
        tut_buf_add_byte(out, '\n');
}

static void print_counts(const tut_clause *c, const tut_term *t, tut_buf *out)
{
    for (size_t i = 0; i < c->want_count; i++) {
        const tut_want *w = &c->wants[i];
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "%.*s (%s, at most %u days old", (int)w->what.len, w->what.data,
                       tut_method_name(w->method), w->max_age_days);
        if (w->least.len)
            tut_buf_printf(&text, ", %.*s", (int)w->least.len, w->least.data);
        if (w->signers)
            tut_buf_printf(&text, ", signed by %u registered %s", w->signers,
                           w->signers == 1 ? "person" : "people");
        tut_buf_printf(&text, "; %.*s%s)", (int)w->command.len, w->command.data,
                       w->is_available ? "" : ", not in this version");
        tut_report_labelled(t, out, i == 0 ? "Counts" : "", tut_buf_str(&text));
    }
    tut_buf_add_byte(out, '\n');
}

/* "Art. 12; Art. 15(5)" -> "AI Act Art. 12, 15(5)" */
static void add_crosswalk(tut_buf *out, const tut_framework *framework, tut_str ids)
{
    if (ids.len == 0)
        return;
    tut_str repeated = framework->repeated;
    tut_buf_printf(out, "%s%.*s ", out->len ? "; " : "", (int)framework->label.len,
                   framework->label.data);
    for (bool is_first = true; ids.len; is_first = false) {
        size_t end;
        if (!tut_str_find(ids, TUT_LIT("; "), &end))
            end = ids.len;
        tut_str one = {ids.data, end};
        if (!is_first) {
            tut_buf_add_z(out, ", ");
            if (repeated.len && tut_str_starts(one, repeated))
                one = (tut_str){one.data + repeated.len, one.len - repeated.len};
        }
        tut_buf_add_str(out, one);
        size_t step = end + 2 < ids.len ? end + 2 : ids.len;
        ids = (tut_str){ids.data + step, ids.len - step};
    }
}

static void print_context(const tut_clause *c, const tut_term *t, tut_buf *out)
{
    TUT_CLEAN(tut_buf) helps = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) compare = TUT_BUF_INIT;
    for (size_t i = 0; i < TUT_THREAT_COUNT; i++) {
        if (!(c->threats & (1u << i)))
            continue;
        tut_buf_add_z(&helps, helps.len ? ", " : "against ");
        for (const char *p = tut_threat_names[i]; *p; p++)
            tut_buf_add_byte(&helps, *p == '_' ? ' ' : (uint8_t)*p);
    }
    const tut_framework *frameworks = tut_catalogue_frameworks();
    for (size_t i = 0; i < TUT_FRAMEWORK_COUNT; i++)
        add_crosswalk(&compare, &frameworks[i], c->crosswalk[i].text);
    if (helps.len)
        tut_report_labelled(t, out, "Helps", tut_buf_str(&helps));
    if (compare.len)
        tut_report_labelled(t, out, "Compare", tut_buf_str(&compare));
}

static void print_next(const tut_control *c, const tut_term *t, tut_buf *out)
{
    if (c->refresh.len == 0)
        return;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_str(&text, c->refresh);
    if (!c->is_refresh_available)
        tut_buf_add_z(&text, " (would not move it yet)");
    tut_buf_add_byte(out, '\n');
    tut_report_labelled(t, out, "Next", tut_buf_str(&text));
}

tut_status tut_report_explain(const tut_assessment *a_or_null, const tut_clause *clause,
                              const tut_term *term, tut_buf *out, tut_error *err)
{
    const tut_control *control = NULL;
    for (size_t i = 0; a_or_null && i < TUT_CLAUSE_COUNT; i++)
        if (tut_str_eq(a_or_null->controls[i].clause->id, clause->id))
            control = &a_or_null->controls[i];
    print_head(clause, term, out);
    if (control) {
        print_state(a_or_null, control, term, out);
        print_evidence(a_or_null, control, term, out);
    }
    print_counts(clause, term, out);
    print_context(clause, term, out);
    if (control)
        print_next(control, term, out);
    return tut_buf_check(out, err);
}
