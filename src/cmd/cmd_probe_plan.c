/* tutela probe plan: what the provisions ask to be probed, what is declared for it, and how it
 * stands. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/probed.h"
#include "cmd/probe_order.h"
#include "state/records.h"

static const tut_option options[] = {{NULL, TUT_OPTION_FLAG, NULL, NULL}};

typedef struct plan {
    tut_probe_here here;
    tut_probed_model *models;
    size_t model_count;
    tut_records *records;
    tut_probed_list list;
} plan;

static void plan_done(plan *p)
{
    tut_probed_list_done(&p->list);
    tut_records_free(p->records);
    tut_probe_here_done(&p->here);
}

static tut_status look(plan *p, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    const tut_system *s = p->here.system;
    p->models = tut_arena_take(&p->here.arena, s->asset_count + 1, sizeof(*p->models));
    if (!p->models)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < s->asset_count; i++)
        if (s->assets[i].kind == TUT_KIND_MODEL)
            p->models[p->model_count++] =
                (tut_probed_model){s->assets[i].id, s->assets[i].has_digest, s->assets[i].digest};
    TUT_TRY(tut_ledger_open(p->here.state, false, &ledger, err));
    TUT_TRY(tut_state_read(ledger, tut_time_now(), &p->records, err));
    return tut_probed_look(s, p->models, p->model_count, &p->here.policy, p->records,
                           tut_time_now(), &p->list, err);
}

static void command_of(const tut_probed *p, tut_buf *out)
{
    if (p->target)
        tut_buf_printf(out, "tutela probe %s --target %.*s", tut_probe_about_of(p->kind)->name,
                       (int)p->target->id.len, p->target->id.data);
    else
        tut_buf_printf(out, "declare a target for %s in tutela.yaml (docs/probe.md)",
                       p->model ? p->model->id : "the service");
}

static void put_item(tut_json *j, const tut_probed *p, tut_buf *command)
{
    const tut_probe_about *about = tut_probe_about_of(p->kind);
    tut_buf_clear(command);
    command_of(p, command);
    tut_json_object(j);
    tut_json_put_z(j, "probe", about->name);
    tut_json_put_z(j, "check", about->check);
    tut_json_put_z(j, "asset", p->model ? p->model->id : NULL);
    tut_json_put_or_null(j, "target", p->target ? p->target->id : (tut_str){NULL, 0});
    tut_json_put_z(j, "state", tut_probed_state_name(p->state));
    tut_json_key(j, "entry");
    if (p->record)
        tut_json_u64(j, p->record->index);
    else
        tut_json_null(j);
    tut_json_put_str(j, "command", tut_buf_str(command));
    tut_json_end_object(j);
}

static tut_status write_json(const plan *p, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.probe-plan/1", tut_time_generated());
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < p->list.count; i++)
        put_item(j, &p->list.items[i], &command);
    tut_json_end_array(j);
    tut_json_key(j, "bounds");
    tut_json_array(j);
    for (size_t i = 0; i < p->here.policy.bounds.count; i++) {
        const tut_bound *b = &p->here.policy.bounds.items[i];
        tut_json_object(j);
        tut_json_put_z(j, "probe", b->probe);
        tut_json_put_z(j, "metric", b->metric);
        tut_json_put_real(j, b->is_most ? "at_most" : "at_least", b->value);
        tut_json_put_z(j, "about", b->about);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "asked", p->list.count);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_style style_of(tut_probed_state s)
{
    switch (s) {
    case TUT_PROBED_PASS:
        return TUT_STYLE_GOOD;
    case TUT_PROBED_FAIL:
        return TUT_STYLE_BAD;
    case TUT_PROBED_OPEN:
    case TUT_PROBED_STALE:
    case TUT_PROBED_OTHER:
        return TUT_STYLE_WARN;
    case TUT_PROBED_EXEMPT:
    case TUT_PROBED_MISSING:
    case TUT_PROBED_NO_TARGET:
        return TUT_STYLE_DIM;
    }
    return TUT_STYLE_PLAIN;
}

static bool is_settled(tut_probed_state s)
{
    return s == TUT_PROBED_PASS || s == TUT_PROBED_EXEMPT;
}

static tut_status write_table(const tut_args *args, const plan *p, tut_buf *out, tut_error *err)
{
    static const char *const heads[] = {"Of", "Probe", "State", "Next"};
    tut_term term;
    TUT_AUTO(tut_table) t = NULL;
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    TUT_TRY(tut_table_new(sizeof(heads) / sizeof(heads[0]), &t));
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        tut_table_column(t, i, heads[i], TUT_LEFT, i == 0 || i == 3);
    for (size_t i = 0; i < p->list.count; i++) {
        const tut_probed *item = &p->list.items[i];
        tut_buf_clear(&command);
        if (!is_settled(item->state))
            command_of(item, &command);
        TUT_TRY(tut_buf_check(&command, err));
        tut_table_cell_z(t, TUT_STYLE_BOLD, item->model ? item->model->id : "system");
        tut_table_cell_z(t, TUT_STYLE_PLAIN, tut_probe_about_of(item->kind)->name);
        tut_table_cell_z(t, style_of(item->state), tut_probed_state_name(item->state));
        tut_table_cell(t, TUT_STYLE_DIM, tut_buf_str(&command));
    }
    TUT_TRY(tut_table_print(t, &term, 0, out));
    return tut_buf_check(out, err);
}

static bool all_passed(const tut_probed_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (!is_settled(l->items[i].state) && tut_probe_about_of(l->items[i].kind)->check)
            return false;
    return true;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(plan) p = {.models = NULL};
    tut_error err = {0};
    tut_status status = tut_probe_here_open(args, &p.here, &err);
    if (tut_is_ok(status) && !p.here.system)
        return tut_cmd_usage(args, "no tutela.yaml is here; tutela init writes one");
    if (tut_is_ok(status))
        status = look(&p, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? write_json(&p, &out, &err)
                                                   : write_table(args, &p, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, all_passed(&p.list) ? TUT_EXIT_OK : TUT_EXIT_DOUBT);
}

const tut_command tut_cmd_probe_plan = {
    .name = "probe plan",
    .summary = "What is to be probed, with which command, and how it stands",
    .help =
        "By the models and targets of tutela.yaml. Exit status: 0 when everything that is asked "
        "for, and applies, passed, about the bytes that are there; else 3.",
    .formats = "table json",
    .options = options,
    .run = run,
};
