/* tutela oversight, oversight status: which tests of oversight were run, and which are due. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/oversight_act.h"

tut_status tut_oversight_look_again(tut_oversight_act *a, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(a->state, false, &ledger, err));
    return tut_oversight_look(a->system, ledger, tut_time_now(), &a->o, err);
}

tut_status tut_oversight_open(tut_oversight_act *a, const tut_args *args, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_oversight_policy policy;
    a->args = args;
    TUT_TRY(tut_cmd_locate(args, NULL, &a->dir, &a->state, err));
    if (!a->state) {
        tut_error_set_path(err, a->dir);
        return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
    }
    tut_status status = tut_system_load(args->system ? args->system : a->dir, &a->system, &shown,
                                        err);
    if (tut_is_ok(status))
        status = tut_oversight_policy_read(a->system, &policy, &shown, err);
    if (!tut_is_ok(status) && shown.len) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    TUT_TRY(status);
    return tut_oversight_look_again(a, err);
}

void tut_oversight_act_done(tut_oversight_act *a)
{
    tut_system_free(a->system);
    tut_free(a->dir);
    tut_free(a->state);
}

/* --- as JSON --- */

static void put_time_or_null(tut_json *j, const char *key, tut_time at)
{
    tut_json_key(j, key);
    if (at)
        tut_json_time(j, at);
    else
        tut_json_null(j);
}

static void put_item(tut_json *j, const tut_oversight_item *i)
{
    bool was_run = i->index != UINT64_MAX;
    tut_json_object(j);
    tut_json_put_z(j, "id", tut_oversight_check(i->test));
    tut_json_put_z(j, "state", tut_oversight_state_name(i->state));
    put_time_or_null(j, "since", i->since);
    put_time_or_null(j, "due", i->due);
    tut_json_key(j, "actors");
    tut_json_array(j);
    if (was_run)
        tut_json_z(j, i->actor);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    if (was_run)
        tut_json_u64(j, i->index);
    tut_json_end_array(j);
    tut_json_put_u64(j, "every_days", i->every_days);
    tut_json_put_bool(j, "unattended", i->unattended);
    tut_json_put_z(j, "refresh", tut_oversight_command(i->test));
    tut_json_end_object(j);
}

static tut_status write_json(const tut_oversight_act *a, tut_buf *out, tut_error *err)
{
    size_t by_state[TUT_OVERSIGHT_STATES] = {0};
    TUT_AUTO(tut_json) j = NULL;
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++)
        by_state[a->o.items[i].state]++;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.oversight/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    for (int i = 0; i < TUT_OVERSIGHT_STATES; i++)
        tut_json_put_u64(j, tut_oversight_state_name((tut_oversight_state)i), by_state[i]);
    tut_json_put_bool(j, "scheduled", a->o.policy.node != NULL);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++)
        put_item(j, &a->o.items[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- for people --- */

static tut_style style_of(tut_oversight_state state)
{
    static const tut_style styles[TUT_OVERSIGHT_STATES] = {TUT_STYLE_GOOD, TUT_STYLE_PLAIN,
                                                           TUT_STYLE_BAD,  TUT_STYLE_WARN,
                                                           TUT_STYLE_WARN, TUT_STYLE_WARN};
    return styles[state];
}

static void add_day(tut_table *table, tut_time at, const char *otherwise)
{
    char day[TUT_TIME_TEXT];
    tut_time_date(at, day);
    tut_table_cell_z(table, TUT_STYLE_PLAIN, at ? day : otherwise);
}

static void add_row(tut_table *table, const tut_oversight_item *i)
{
    tut_table_cell_z(table, TUT_STYLE_PLAIN, tut_oversight_check(i->test));
    tut_table_cell_z(table, style_of(i->state), tut_oversight_state_name(i->state));
    add_day(table, i->since, "never");
    add_day(table, i->due, "now");
    tut_table_cellf(table, TUT_STYLE_DIM, "%u days%s", i->every_days,
                    i->unattended ? ", by the guard" : "");
    tut_table_cell_z(table, TUT_STYLE_PLAIN, i->index == UINT64_MAX ? "" : i->actor);
    if (i->index == UINT64_MAX)
        tut_table_cell_z(table, TUT_STYLE_PLAIN, "");
    else
        tut_table_cellf(table, TUT_STYLE_PLAIN, "%llu", (unsigned long long)i->index);
}

static tut_status write_text(const tut_oversight_act *a, tut_buf *out, tut_error *err)
{
    static const char *const titles[] = {"Test",  "State", "Last run", "Due",
                                         "Every", "By",    "Entry"};
    enum { COLUMNS = sizeof(titles) / sizeof(titles[0]) };
    TUT_AUTO(tut_table) table = NULL;
    tut_term term;
    size_t due = 0;
    tut_term_detect(STDOUT_FILENO, a->args->color, &term);
    TUT_TRY(tut_table_new(COLUMNS, &table));
    for (size_t i = 0; i < COLUMNS; i++)
        tut_table_column(table, i, titles[i], i + 1 == COLUMNS ? TUT_RIGHT : TUT_LEFT, false);
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++)
        add_row(table, &a->o.items[i]);
    TUT_TRY(tut_table_print(table, &term, 0, out));
    tut_buf_add_z(out, "\n");
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++) {
        if (!tut_oversight_is_due(&a->o.items[i]))
            continue;
        due++;
        tut_buf_printf(out, "%-17s %s\n", tut_oversight_check((tut_oversight_test)i),
                       tut_oversight_command((tut_oversight_test)i));
    }
    if (due == 0)
        tut_buf_add_z(out, "Nothing is due.\n");
    else
        tut_buf_add_z(out, "tutela oversight run --due runs what is due; the drill with --by.\n");
    return tut_buf_check(out, err);
}

tut_status tut_oversight_write(const tut_oversight_act *a, tut_buf *out, tut_error *err)
{
    return strcmp(a->args->format, "json") == 0 ? write_json(a, out, err) : write_text(a, out, err);
}

int tut_oversight_exit(const tut_oversight_act *a)
{
    int status = TUT_EXIT_OK;
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++) {
        if (a->o.items[i].state == TUT_OVERSIGHT_FAILED)
            return TUT_EXIT_FOUND;
        if (tut_oversight_is_due(&a->o.items[i]))
            status = TUT_EXIT_DOUBT;
    }
    return status;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_oversight_act) a = {.args = args};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = tut_oversight_open(&a, args, &err);
    if (tut_is_ok(status))
        status = tut_oversight_write(&a, &out, &err);
    return tut_is_ok(status) ? tut_cmd_output(&out, tut_oversight_exit(&a)) : tut_cmd_fail(&err);
}

#define STATUS_HELP                                                                                \
    "Reads the evidence log: when the block test, the review of approvals and the drill of the "   \
    "stop switch were run last with this tutela.yaml, and by when each has to be run again "       \
    "(oversight.every). docs/oversight.md has the rest.\n\n"                                       \
    "Exit status: 0 all were run in time; 1 one failed; 3 one is due."

const tut_command tut_cmd_oversight_status = {
    .name = "oversight status",
    .summary = "Show when each test of oversight was run last, and which are due",
    .help = STATUS_HELP,
    .formats = "table json",
    .run = run,
};

static const tut_command *const members[] = {&tut_cmd_oversight_status, &tut_cmd_oversight_run,
                                             NULL};

const tut_command tut_cmd_oversight = {
    .name = "oversight",
    .summary = "Tests of oversight on a schedule: block test, review of approvals, stop drill",
    .help = STATUS_HELP,
    .formats = "table json",
    .run = run,
    .subcommands = members,
};
