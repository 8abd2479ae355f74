/* tutela threats: the risks of the described system, the worst first. */
#include <string.h>
#include <unistd.h>

#include "cmd/threats_act.h"
#include "cmd/threats_picture.h"
#include "govern/threat_coverage.h"

static const tut_option options[] = {
    {"--html", TUT_OPTION_VALUE, "FILE", "also write the model as a page: diagram, matrix, tables"},
    {"--open", TUT_OPTION_FLAG, NULL, "only risks that nobody took on yet"},
    {"--record", TUT_OPTION_FLAG, NULL, "record what the model comes to, as evidence"},
    {"--svg", TUT_OPTION_VALUE, "FILE", "also write the diagram (by Graphviz)"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static void count_mitigations(const tut_risk *r, size_t *counted, size_t *claimed)
{
    for (size_t i = 0; i < r->mitigation_count; i++) {
        *counted += r->mitigations[i].counted == TUT_COUNTED;
        *claimed += r->mitigations[i].counted == TUT_CLAIMED;
    }
}

static void add_row(tut_table *t, const tut_risk *r)
{
    size_t counted = 0, claimed = 0;
    count_mitigations(r, &counted, &claimed);
    tut_table_cell_z(t, tut_risk_style(r->residual.level), tut_risk_level_names[r->residual.level]);
    tut_table_cell_z(t, TUT_STYLE_DIM, tut_risk_level_names[r->inherent.level]);
    tut_table_cell_z(t, r->state == TUT_RISK_OPEN ? TUT_STYLE_BOLD : TUT_STYLE_PLAIN,
                     tut_risk_state_names[r->state]);
    if (claimed)
        tut_table_cellf(t, TUT_STYLE_WARN, "%zu of %zu, %zu claimed", counted, r->mitigation_count,
                        claimed);
    else
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%zu of %zu", counted, r->mitigation_count);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, r->id);
}

static tut_status add_table(const tut_threats_act *a, const tut_term *term, tut_buf *out)
{
    static const char *const headers[] = {"Residual", "Inherent", "State", "Controls", "Risk"};
    enum { COLUMNS = sizeof(headers) / sizeof(headers[0]) };
    TUT_AUTO(tut_table) table = NULL;
    size_t rows = 0;
    TUT_TRY(tut_table_new(COLUMNS, &table));
    for (size_t i = 0; i < COLUMNS; i++)
        tut_table_column(table, i, headers[i], TUT_LEFT, i == COLUMNS - 1);
    for (size_t i = 0; i < a->threats->count; i++) {
        const tut_risk *r = &a->threats->risks[i];
        if (tut_args_has(a->args, "--open") && r->state != TUT_RISK_OPEN)
            continue;
        add_row(table, r);
        rows++;
    }
    return rows ? tut_table_print(table, term, 0, out) : TUT_SUCCESS;
}

static tut_status add_gaps(const tut_threats_act *a, const tut_term *term, tut_buf *out,
                           tut_error *err)
{
    TUT_CLEAN(tut_gaps) gaps = {0};
    TUT_TRY(tut_gaps_find(a->threats, a->system, &gaps, err));
    if (gaps.count)
        tut_buf_add_z(out, "\nNot seen by the rules:\n");
    for (size_t i = 0; i < gaps.count; i++) {
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        tut_buf_printf(&line, "%s: %s", gaps.items[i].what, gaps.items[i].why);
        tut_buf_add_z(out, gaps.items[i].decides ? "  ! " : "  - ");
        tut_term_wrap(term, out, 4, tut_buf_str(&line));
    }
    return TUT_SUCCESS;
}

static void add_review(const tut_threats_act *a, tut_buf *out)
{
    const tut_threat_reviews *r = &a->reviews;
    char day[TUT_TIME_TEXT];
    tut_time_date(r->at, day);
    if (!r->has_newest)
        tut_buf_add_z(out, "Nobody who counts has reviewed this model.\n");
    else if (tut_sha256_eq(&r->model, &a->threats->digest))
        tut_buf_printf(out, "Reviewed as it is by %s on %s.\n", r->by, day);
    else
        tut_buf_printf(out, "Changed since %s reviewed it on %s: %zu new, %zu gone, %zu higher.\n",
                       r->by, day, r->new_count, r->gone_count, r->higher_count);
}

/* The risk to look at first. */
static const tut_risk *first_open(const tut_threats *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->risks[i].state == TUT_RISK_OPEN)
            return &t->risks[i];
    return NULL;
}

static void add_next(const tut_threats_act *a, tut_buf *out)
{
    const tut_risk *open = first_open(a->threats);
    bool is_current = a->reviews.has_newest &&
                      tut_sha256_eq(&a->reviews.model, &a->threats->digest);
    if (!a->is_recorded)
        tut_buf_add_z(out, "This tutela.yaml was not assessed yet, so nothing is proved of it.\n");
    if (a->is_recorded && !open && is_current)
        return;
    if (!a->is_recorded)
        tut_threats_act_command(a, "Next", "tutela assess", NULL, "", out);
    else if (open)
        tut_threats_act_command(a, "Next", "tutela threats explain", open->id, "", out);
    else
        tut_threats_act_command(a, "Next", "tutela threats review --by PERSON", NULL, "", out);
}

static tut_status compose(const tut_threats_act *a, tut_buf *out, tut_error *err)
{
    const tut_threats *t = a->threats;
    tut_term term;
    tut_term_detect(STDOUT_FILENO, a->args->color, &term);
    TUT_TRY(add_table(a, &term, out));
    tut_buf_printf(out,
                   "%s%zu rules, %zu elements, %zu %s: %zu open, %zu treated, %zu accepted, "
                   "%zu tolerated.\n",
                   out->len ? "\n" : "", t->rules->count, t->model->count, t->count,
                   t->count == 1 ? "risk" : "risks", t->by_state[TUT_RISK_OPEN],
                   t->by_state[TUT_RISK_TREATED], t->by_state[TUT_RISK_ACCEPTED],
                   t->by_state[TUT_RISK_TOLERATED]);
    TUT_TRY(add_gaps(a, &term, out, err));
    if (tut_args_has(a->args, "--record"))
        tut_buf_add_z(out, "Recorded as evidence; tutela report takes it into account.\n");
    else if (!t->policy.is_there)
        tut_buf_add_z(out, "Without a threats: section in tutela.yaml only --record keeps this as "
                           "evidence.\n");
    add_review(a, out);
    add_next(a, out);
    return tut_buf_check(out, err);
}

static tut_status write_as(const tut_threats_act *a, tut_buf *out, tut_error *err)
{
    if (strcmp(a->args->format, "json") == 0)
        return tut_threats_json(a->threats, &a->from, NULL, out, err);
    if (strcmp(a->args->format, "dot") == 0)
        return tut_threats_dot(a, out, err);
    if (strcmp(a->args->format, "svg") == 0)
        return tut_threats_svg(a, out, err);
    return compose(a, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_threats_act) a = {0};
    tut_error err = {0};
    const char *dir = args->positional_count ? args->positional[0] : NULL;
    tut_status status = tut_threats_act_open(&a, args, dir, &err);
    if (tut_is_ok(status) && tut_args_has(args, "--record"))
        status = tut_threats_act_record(&a, &err);
    if (tut_is_ok(status))
        status = tut_threats_pictures(&a, &err);
    if (tut_is_ok(status))
        status = write_as(&a, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, tut_threats_act_exit(&a));
}

static const tut_command *const members[] = {
    &tut_cmd_threats_explain,     &tut_cmd_threats_accept, &tut_cmd_threats_review,
    &tut_cmd_threats_permissions, &tut_cmd_threats_notify, &tut_cmd_threats_received,
    &tut_cmd_threats_notices,     &tut_cmd_threats_import, NULL};

const tut_command tut_cmd_threats = {
    .name = "threats",
    .arguments = "[DIR]",
    .summary = "The threats to the described system, and what is proved against each",
    .help = "Holds the components, flows, boundaries, assets and granted permissions of "
            "tutela.yaml against rules (docs/threat-rules.md) and lists what they find, the worst "
            "residual risk first. A control takes something off only while evidence of it is "
            "there, whole, signed by whom the catalogue wants, in force, and about this digest; "
            "what is only claimed is listed as claimed.\n\n"
            "--svg and --format svg draw the components within their trust boundaries; Graphviz "
            "places them, and --format dot is what it is given.\n\n"
            "Exit status: 0 no risk is open; 1 a risk is above what is tolerated and nobody took "
            "it on; 2 it could not be told; 3 nothing is described, or this description was not "
            "assessed yet.",
    .formats = "table json dot svg",
    .options = options,
    .most = 1,
    .run = run,
    .subcommands = members,
};
