#include "cmd/probe_view.h"

#include <math.h>
#include <unistd.h>

tut_style tut_outcome_style(tut_outcome o)
{
    static const tut_style styles[] = {[TUT_OUTCOME_UNMEASURED] = TUT_STYLE_DIM,
                                       [TUT_OUTCOME_PASS] = TUT_STYLE_GOOD,
                                       [TUT_OUTCOME_FAIL] = TUT_STYLE_BAD,
                                       [TUT_OUTCOME_OPEN] = TUT_STYLE_WARN};
    return styles[o];
}

static void add_value(tut_table *t, double v)
{
    if (isnan(v))
        tut_table_cell_z(t, TUT_STYLE_DIM, "-");
    else
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%.4g", v);
}

static void add_interval(tut_table *t, const tut_measure *m)
{
    if (isnan(m->low) || isnan(m->high))
        tut_table_cell_z(t, TUT_STYLE_DIM, "");
    else
        tut_table_cellf(t, TUT_STYLE_DIM, "%.4g to %.4g", m->low, m->high);
}

static void add_attack(tut_table *t, const tut_probe_run *r, const struct tut_probe_done *d)
{
    const tut_attack_result *used = &d->ways[r->is_guarded];
    tut_table_cell_z(t, TUT_STYLE_BOLD, d->attack->name);
    if (!used->metric) {
        tut_table_cell_z(t, TUT_STYLE_DIM, "-");
        tut_table_cell_z(t, TUT_STYLE_DIM, "");
        tut_table_cell_z(t, TUT_STYLE_DIM, "");
    } else {
        tut_table_cell_z(t, TUT_STYLE_DIM, used->metric);
        add_value(t, used->decisive.value);
        add_interval(t, &used->decisive);
    }
    if (r->is_guarded)
        add_value(t, d->ways[TUT_WAY_STRAIGHT].metric ? d->ways[TUT_WAY_STRAIGHT].decisive.value
                                                      : NAN);
    add_value(t, used->metric ? used->baseline : NAN);
    tut_table_cellf(t, TUT_STYLE_DIM, "%llu", (unsigned long long)used->queries);
    tut_table_cell_z(t, tut_outcome_style(d->outcome), tut_outcome_name(d->outcome));
}

static tut_status add_table(const tut_term *term, const tut_probe_run *r, tut_buf *out,
                            tut_error *err)
{
    const char *const heads[] = {"Attack",
                                 "Measure",
                                 "Value",
                                 "95 %",
                                 r->is_guarded ? "Unguarded" : "Baseline",
                                 r->is_guarded ? "Baseline" : "Queries",
                                 r->is_guarded ? "Queries" : "",
                                 ""};
    size_t columns = r->is_guarded ? 8 : 7;
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(columns, &t));
    for (size_t i = 0; i < columns; i++)
        tut_table_column(t, i, heads[i], i >= 2 && i + 1 < columns ? TUT_RIGHT : TUT_LEFT, i == 0);
    for (size_t i = 0; i < r->count; i++)
        add_attack(t, r, &r->attacks[i]);
    TUT_TRY(tut_table_print(t, term, 0, out));
    return tut_buf_check(out, err);
}

static const char *remark_of(const tut_probe_run *r, size_t i)
{
    return r->attacks[i].ways[r->is_guarded].reason;
}

static bool says_the_same(const char *a, const char *b)
{
    return b && strcmp(a, b) == 0;
}

/* Once, with the names of all attacks that it is about. */
static void add_remarks(const tut_term *term, const tut_probe_run *r, tut_buf *out)
{
    for (size_t i = 0; i < r->count; i++) {
        TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
        const char *text = remark_of(r, i);
        size_t first = 0;
        while (text && first < i && !says_the_same(text, remark_of(r, first)))
            first++;
        if (!text || first < i)
            continue;
        for (size_t k = i; k < r->count; k++)
            if (says_the_same(text, remark_of(r, k)))
                tut_buf_printf(&names, "%s%s", k > i ? ", " : "", r->attacks[k].attack->name);
        tut_buf_printf(&names, ": %s", text);
        tut_term_wrap(term, out, 0, tut_buf_str(&names));
    }
}

static void add_exposed_of(const tut_term *term, const struct tut_probe_done *d,
                           const tut_attack_result *used, tut_buf *out)
{
    enum { SHOWN = 3 };
    for (size_t k = 0; k < used->exposed_count && k < SHOWN; k++) {
        const tut_exposed *e = &used->exposed[k];
        tut_buf_printf(out, "  %s: ", d->attack->name);
        if (e->row != UINT64_MAX)
            tut_buf_printf(out, "row %llu ", (unsigned long long)e->row);
        tut_buf_printf(out, "(%.4g) ", e->score);
        tut_term_wrap(term, out, 4, tut_str_of(e->text ? e->text : ""));
    }
}

static void add_exposed(const tut_term *term, const tut_probe_run *r, tut_buf *out)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->attacks[i].outcome == TUT_OUTCOME_FAIL || r->attacks[i].attack->shows_rows)
            add_exposed_of(term, &r->attacks[i], &r->attacks[i].ways[r->is_guarded], out);
}

static void add_spent(const tut_probe_run *r, tut_buf *out)
{
    for (unsigned way = 0; way < (r->is_guarded ? 2u : 1u); way++) {
        const tut_allowance *a = &r->spent[way];
        tut_buf_printf(out, "%s %s: %llu queries", way ? "Guard " : "Target", r->targets[way].shown,
                       (unsigned long long)a->queries);
        if (a->from_journal)
            tut_buf_printf(out, " and %llu answers from before the break",
                           (unsigned long long)a->from_journal);
        if (a->refused || a->failed)
            tut_buf_printf(out, ", %llu refused, %llu failed", (unsigned long long)a->refused,
                           (unsigned long long)a->failed);
        if (a->money > 0)
            tut_buf_printf(out, ", %.2f spent", a->money);
        if (r->targets[way].is_unstable)
            tut_buf_add_z(out, "; it answered the same question differently");
        tut_buf_add_z(out, "\n");
    }
}

tut_status tut_probe_view(const tut_args *args, const tut_probe_run *r, tut_buf *out,
                          tut_error *err)
{
    const tut_probe_about *about = tut_probe_about_of(r->kind);
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    tut_term_printf(&term, out, TUT_STYLE_BOLD, "%s", about->title);
    tut_buf_add_z(out, "\n");
    tut_term_printf(&term, out, tut_outcome_style(r->outcome), "%s", tut_outcome_name(r->outcome));
    if (r->reason[0]) {
        tut_buf_add_z(out, "  ");
        tut_term_wrap(&term, out, 9, tut_str_of(r->reason));
    } else {
        tut_buf_add_z(out, "\n");
    }
    tut_buf_add_z(out, "\n");
    TUT_TRY(add_table(&term, r, out, err));
    tut_buf_add_z(out, "\n");
    add_remarks(&term, r, out);
    add_exposed(&term, r, out);
    add_spent(r, out);
    if (r->was_cut)
        tut_buf_add_z(out, "Broken off: the same command goes on where it stopped, with the "
                           "answers that it has.\n");
    return tut_buf_check(out, err);
}
