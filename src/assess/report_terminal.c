/* The assessment on a terminal: a bar a principle, caps, worst findings, what to do next. */
#include "assess/assessment.h"
#include "assess/report_text.h"
#include "assess/threat_view.h"

enum { WORST_SHOWN = 5, UNREAD_SHOWN = 3, BAR_WIDTH = 16, NAME_WIDTH = 26 };

static const tut_glyph glyph_of[TUT_CONTROL_VERDICT_COUNT] = {
    [TUT_CONTROL_MET] = TUT_GLYPH_MET,
    [TUT_CONTROL_PARTLY] = TUT_GLYPH_PARTLY,
    [TUT_CONTROL_NOT_MET] = TUT_GLYPH_NOT_MET,
    [TUT_CONTROL_NOT_CHECKED] = TUT_GLYPH_NOT_CHECKED,
    [TUT_CONTROL_NOT_APPLICABLE] = TUT_GLYPH_NOT_APPLICABLE,
};
static const tut_style style_of[TUT_CONTROL_VERDICT_COUNT] = {
    [TUT_CONTROL_MET] = TUT_STYLE_GOOD,           [TUT_CONTROL_PARTLY] = TUT_STYLE_WARN,
    [TUT_CONTROL_NOT_MET] = TUT_STYLE_BAD,        [TUT_CONTROL_NOT_CHECKED] = TUT_STYLE_PLAIN,
    [TUT_CONTROL_NOT_APPLICABLE] = TUT_STYLE_DIM,
};
static const unsigned number_widths[TUT_CONTROL_VERDICT_COUNT] = {
    [TUT_CONTROL_MET] = 3,          [TUT_CONTROL_PARTLY] = 7,         [TUT_CONTROL_NOT_MET] = 8,
    [TUT_CONTROL_NOT_CHECKED] = 10, [TUT_CONTROL_NOT_APPLICABLE] = 4,
};

static void print_spaces(tut_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tut_buf_add_byte(out, ' ');
}

static void print_head(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    char records[32];
    char when[TUT_TIME_TEXT];
    tut_human_count(a->records ? a->records->log_size : 0, records);
    tut_buf_add_escaped(&name, tut_str_of(a->system_name[0] ? a->system_name : "(no name)"), 60);
    if (a->system_version[0]) {
        tut_buf_add_byte(&name, ' ');
        tut_buf_add_escaped(&name, tut_str_of(a->system_version), 30);
    }
    TUT_CLEAN(tut_buf) about = TUT_BUF_INIT;
    tut_buf_printf(&about, "EN 304 223 V2.1.1, 72 provisions, %s records", records);
    tut_term_text(t, out, TUT_STYLE_BOLD, tut_buf_str(&name));
    size_t used = tut_utf8_columns(tut_buf_str(&name)) + about.len;
    print_spaces(out, used + 2 <= t->width ? 80 > used ? 80 - used : 2 : 0);
    if (used + 2 > t->width)
        tut_buf_add_byte(out, '\n');
    tut_term_text(t, out, TUT_STYLE_DIM, tut_buf_str(&about));
    tut_time_people(a->evaluated_at, when);
    tut_buf_add_byte(out, '\n');
    tut_term_printf(t, out, TUT_STYLE_DIM, "evaluated as of %s", when);
    tut_buf_add_z(out, "\n\n");
}

static void print_grade(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, a->grade_sentence);
    if (a->grade && a->grade != a->grade_without_caps && a->grade_without_caps)
        tut_buf_printf(&text, " Without caps: %c.", a->grade_without_caps);
    tut_buf_add_z(out, "  ");
    tut_term_printf(t, out, TUT_STYLE_BOLD, "%c", a->grade ? a->grade : '-');
    tut_buf_add_z(out, "   ");
    tut_term_wrap(t, out, 6, tut_buf_str(&text));
    tut_buf_add_z(out, "\n");
}

static void print_numbers(const size_t counts[TUT_CONTROL_VERDICT_COUNT], tut_buf *out)
{
    static const tut_control_verdict order[] = {TUT_CONTROL_MET, TUT_CONTROL_PARTLY,
                                                TUT_CONTROL_NOT_MET, TUT_CONTROL_NOT_CHECKED,
                                                TUT_CONTROL_NOT_APPLICABLE};
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    for (size_t i = 0; i < TUT_CONTROL_VERDICT_COUNT; i++) {
        unsigned width = number_widths[order[i]];
        if (counts[order[i]])
            tut_buf_printf(&line, "%*zu", (int)width, counts[order[i]]);
        else
            print_spaces(&line, width);
    }
    while (line.len && line.data[line.len - 1] == ' ')
        line.len--;
    tut_buf_add(out, line.data, line.len);
    tut_buf_add_byte(out, '\n');
}

static void print_bar(const size_t counts[TUT_CONTROL_VERDICT_COUNT], const tut_term *t,
                      tut_buf *out)
{
    size_t drawn = 0;
    for (size_t v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++) {
        TUT_CLEAN(tut_buf) run = TUT_BUF_INIT;
        for (size_t i = 0; i < counts[v]; i++, drawn++)
            tut_buf_add_z(&run, tut_term_glyph(t, glyph_of[v]));
        tut_term_text(t, out, style_of[v], tut_buf_str(&run));
    }
    print_spaces(out, drawn < BAR_WIDTH ? BAR_WIDTH - drawn : 0);
}

static void print_principles(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    print_spaces(out, 48);
    tut_term_text(t, out, TUT_STYLE_DIM, TUT_LIT("met partly not met unchecked n/a"));
    tut_buf_add_byte(out, '\n');
    for (unsigned p = 1; p <= TUT_PRINCIPLES; p++) {
        size_t counts[TUT_CONTROL_VERDICT_COUNT] = {0};
        for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
            if (a->controls[i].clause->seed == p)
                counts[a->controls[i].verdict]++;
        tut_buf_printf(out, "  P%-2u %-*s", p, NAME_WIDTH, tut_seed_titles[p - 1]);
        print_bar(counts, t, out);
        print_numbers(counts, out);
    }
    tut_buf_printf(out, "      %-*s", NAME_WIDTH + BAR_WIDTH, "All 72");
    print_numbers(a->counts, out);
    tut_buf_add_byte(out, '\n');
}

static void print_caps(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    const char *label = "Caps";
    for (size_t i = 0; i < a->cap_count; i++) {
        const tut_cap *cap = &a->caps[i];
        if (!cap->applies)
            continue;
        tut_buf_printf(out, "%-9s%c  %-13s", label, cap->grade,
                       cap->bit ? "applied" : "would apply");
        tut_term_wrap(t, out, 25, tut_str_of(cap->reason));
        label = "";
    }
    if (!label[0])
        tut_buf_add_byte(out, '\n');
}

static bool is_repeat(const tut_assessment *a, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(a->findings[i].asset, a->findings[at].asset) == 0 &&
            strcmp(a->findings[i].rule, a->findings[at].rule) == 0)
            return true;
    return false;
}

static void print_worst(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    size_t shown = 0;
    for (size_t i = 0; i < a->finding_count && shown < WORST_SHOWN; i++) {
        const tut_report_finding *f = &a->findings[i];
        char label[32] = "";
        if (is_repeat(a, i))
            continue;
        if (shown == 0)
            snprintf(label, sizeof(label), "Worst");
        else if (shown == 1)
            snprintf(label, sizeof(label), "of %zu", a->finding_count);
        tut_buf_printf(out, "%-9s", label);
        tut_style style = f->severity >= TUT_SEVERITY_HIGH     ? TUT_STYLE_BAD
                          : f->severity == TUT_SEVERITY_MEDIUM ? TUT_STYLE_WARN
                                                               : TUT_STYLE_PLAIN;
        tut_term_printf(t, out, style, "%-10s", tut_severity_name(f->severity));
        TUT_CLEAN(tut_buf) asset = TUT_BUF_INIT;
        tut_term_path(t, &asset, tut_str_of(f->asset), 20);
        size_t columns = tut_utf8_columns(tut_buf_str(&asset));
        tut_buf_add_str(out, tut_buf_str(&asset));
        print_spaces(out, columns < 20 ? 21 - columns : 1);
        tut_report_sentence(t, out, columns < 20 ? 40 : 20 + columns, f->title);
        shown++;
    }
    if (shown)
        tut_buf_add_byte(out, '\n');
}

typedef struct accepted_view {
    const tut_term *term;
    tut_buf *out;
    size_t lines;
} accepted_view;

static void print_accepted_line(void *ctx, tut_str text)
{
    accepted_view *v = ctx;
    tut_buf_printf(v->out, "%-9s", v->lines++ == 0 ? "Accepted" : "");
    tut_term_wrap(v->term, v->out, 9, text);
}

/* What was set aside is said as loudly as what was found. */
static void print_accepted(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    accepted_view v = {.term = t, .out = out};
    for (size_t i = 0; i < a->accepted_count && i < WORST_SHOWN; i++) {
        const tut_report_finding *f = &a->accepted[i];
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "%s (%s) in %s, %s", f->rule, tut_severity_name(f->severity),
                       f->asset, f->accepted);
        print_accepted_line(&v, tut_buf_str(&text));
    }
    if (a->accepted_count > WORST_SHOWN) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "and %zu more; the report lists them",
                       a->accepted_count - WORST_SHOWN);
        print_accepted_line(&v, tut_buf_str(&text));
    }
    tut_assessment_idle_entries(a, print_accepted_line, &v);
    if (v.lines)
        tut_buf_add_byte(out, '\n');
}

/* All of them, also those that ran out. */
static void print_overrides(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    for (size_t i = 0; i < a->override_count; i++) {
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_override_line(&a->overrides[i], &line);
        tut_buf_add_escaped(&text, tut_buf_str(&line), 600);
        tut_buf_printf(out, "%-9s", i == 0 ? "Override" : "");
        tut_term_wrap(t, out, 9, tut_buf_str(&text));
    }
    if (a->override_count)
        tut_buf_add_byte(out, '\n');
}

static void print_unread(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    for (size_t i = 0; i < a->unchecked_count && i < UNREAD_SHOWN; i++) {
        char label[32] = "";
        if (i == 0)
            snprintf(label, sizeof(label), "Not read");
        else if (i == 1)
            snprintf(label, sizeof(label), "of %zu", a->unchecked_count);
        tut_buf_printf(out, "%-9s", label);
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "%s: %s", a->unchecked[i].what, a->unchecked[i].why);
        tut_term_wrap(t, out, 9, tut_buf_str(&text));
    }
    if (a->unchecked_count)
        tut_buf_add_byte(out, '\n');
}

static void print_threats(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    TUT_AUTO(tut_threat_view) v = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_error err = {0};
    if (a->threat_model.len == 0)
        return;
    tut_buf_add_z(out, "Threats  ");
    if (!tut_is_ok(tut_threat_view_new(tut_buf_span(&a->threat_model), &v, &err)))
        tut_buf_add_z(&text, err.text);
    else if (v->risk_count == 0)
        tut_buf_printf(&text, "no risk in %zu elements", v->count);
    else {
        tut_buf_printf(&text, "%zu risk%s, %zu open; the worst left is %s: ", v->risk_count,
                       v->risk_count == 1 ? "" : "s", tut_view_in_state(v, "open"),
                       tut_view_levels[v->risks[0].residual.level]);
        tut_buf_add_escaped(&text, v->risks[0].id, 100);
    }
    tut_term_wrap(t, out, 9, tut_buf_str(&text));
    tut_buf_add_byte(out, '\n');
}

static void print_next(const tut_assessment *a, const tut_term *t, tut_buf *out)
{
    for (size_t i = 0; i < a->next_count; i++) {
        const tut_next_step *n = &a->next[i];
        TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
        tut_buf_add_escaped(&command, tut_str_of(n->command), 400);
        size_t columns = tut_utf8_columns(tut_buf_str(&command));
        tut_buf_printf(out, "%-9s", i == 0 ? "Next" : "");
        if (columns <= 44 && 9 + 46 + strlen(n->why) <= t->width) {
            tut_buf_add_str(out, tut_buf_str(&command));
            print_spaces(out, 46 - columns);
            tut_term_text(t, out, TUT_STYLE_DIM, tut_str_of(n->why));
            tut_buf_add_byte(out, '\n');
            continue;
        }
        tut_term_wrap(t, out, 9, tut_buf_str(&command));
        print_spaces(out, 11);
        tut_term_wrap(t, out, 11, tut_str_of(n->why));
    }
    if (a->next_count)
        tut_buf_add_byte(out, '\n');
}

/* Only where somebody else than the log's own key stands for it; what is wrong with it is a cap. */
static void print_trust(const tut_assessment *a, tut_buf *out)
{
    char at[TUT_TIME_TEXT];
    if (a->is_log_unvouched)
        tut_buf_add_z(out, "Log      own-key; nobody whom tutela.yaml believes vouches for it\n");
    if (a->log_trust == TUT_TRUST_OWN_KEY || !a->log_proven.is_there)
        return;
    tut_time_people(a->log_proven.at, at);
    tut_buf_printf(out, "Log      %s, %llu of %llu records by %s\n", tut_trust_name(a->log_trust),
                   (unsigned long long)a->log_proven.size, (unsigned long long)a->records->log_size,
                   at);
}

tut_status tut_report_terminal(const tut_assessment *a, const tut_term *term,
                               const char *report_path, uint64_t took_ms, tut_buf *out,
                               tut_error *err)
{
    print_head(a, term, out);
    print_grade(a, term, out);
    print_principles(a, term, out);
    print_caps(a, term, out);
    print_worst(a, term, out);
    print_accepted(a, term, out);
    print_overrides(a, term, out);
    print_unread(a, term, out);
    print_threats(a, term, out);
    print_next(a, term, out);
    print_trust(a, out);
    if (report_path) {
        tut_buf_add_z(out, "Report   ");
        tut_term_path(term, out, tut_str_of(report_path), term->width > 20 ? term->width - 9 : 20);
        tut_buf_add_byte(out, '\n');
    }
    if (took_ms)
        tut_buf_printf(out, "Took     %llu.%02llu s\n", (unsigned long long)took_ms / 1000,
                       (unsigned long long)took_ms % 1000 / 10);
    return tut_buf_check(out, err);
}
