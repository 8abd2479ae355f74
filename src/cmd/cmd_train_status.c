/* tutela train status: who is trained, who has to be, and until when. */
#include <string.h>
#include <unistd.h>

#include "cmd/train_act.h"

static const tut_option options[] = {{NULL, TUT_OPTION_FLAG, NULL, NULL}};

typedef struct view {
    tut_train_act act;
    const tut_person *only; /* NULL: everybody */
    const tut_training_standing *standings;
    size_t standing_count;
    size_t counts[TUT_TRAINING_LAPSED + 1];
} view;

static void view_done(view *v)
{
    tut_train_act_done(&v->act);
}

static bool is_shown(const view *v, const tut_training_standing *s)
{
    return !v->only || s->person == v->only;
}

static tut_status look(view *v, const tut_args *args, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_train_open(&v->act, args, true, err));
    TUT_TRY(tut_ledger_open(v->act.state, false, &ledger, err));
    TUT_TRY(tut_training_verify(v->act.training, ledger, err));
    if (args->positional_count) {
        const char *name = args->positional[0];
        v->only = tut_people_find(v->act.records->people, tut_str_of(name));
        if (!v->only || !v->only->is_active)
            return tut_fail(err, TUT_USAGE, "nobody called \"%s\" is enrolled; tutela people list",
                            name);
    }
    v->standings = tut_training_standings(v->act.training, &v->standing_count);
    for (size_t i = 0; i < v->standing_count; i++)
        v->counts[v->standings[i].state] += is_shown(v, &v->standings[i]);
    return TUT_SUCCESS;
}

static void put_item(tut_json *j, const tut_training_standing *s)
{
    const tut_train_item item = {.person = s->person->name,
                                 .module = s->module,
                                 .state = tut_training_state_name(s->state),
                                 .since = s->since,
                                 .due = s->due,
                                 .index = s->record ? s->record->index : UINT64_MAX};
    tut_json_object(j);
    tut_train_put_item(j, &item);
    tut_json_put_z(j, "person", s->person->name);
    tut_json_put_z(j, "why", s->why);
    tut_json_end_object(j);
}

static tut_status write_json(const view *v, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    for (int i = 0; i <= TUT_TRAINING_LAPSED; i++)
        tut_json_put_u64(j, tut_training_state_name((tut_training_state)i), v->counts[i]);
    tut_json_put_bool(j, "enforced", tut_training_policy_of(v->act.training)->node != NULL);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < v->standing_count; i++)
        if (is_shown(v, &v->standings[i]))
            put_item(j, &v->standings[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_style style_of(tut_training_state state)
{
    static const tut_style styles[] = {TUT_STYLE_GOOD, TUT_STYLE_WARN, TUT_STYLE_WARN,
                                       TUT_STYLE_BAD};
    return styles[state];
}

static tut_status write_text(const view *v, tut_buf *out, tut_error *err)
{
    static const char *const heads[] = {"person", "module", "state", "until", "why"};
    TUT_AUTO(tut_table) t = NULL;
    tut_term term;
    char day[TUT_TIME_TEXT];
    tut_term_detect(STDOUT_FILENO, v->act.args->color, &term);
    if (!tut_is_ok(tut_table_new(5, &t)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < 5; i++)
        tut_table_column(t, i, heads[i], TUT_LEFT, i == 1 || i == 4);
    for (size_t i = 0; i < v->standing_count; i++) {
        const tut_training_standing *s = &v->standings[i];
        if (!is_shown(v, s))
            continue;
        tut_time_date(s->due, day);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, s->person->name);
        tut_table_cell(t, TUT_STYLE_PLAIN, s->module->id);
        tut_table_cell_z(t, style_of(s->state), tut_training_state_name(s->state));
        tut_table_cell_z(t, TUT_STYLE_PLAIN, day);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, s->why);
    }
    TUT_TRY(tut_table_print(t, &term, 0, out));
    tut_buf_printf(out, "%zu current, %zu due, %zu unconfirmed, %zu lapsed.\n",
                   v->counts[TUT_TRAINING_CURRENT], v->counts[TUT_TRAINING_DUE],
                   v->counts[TUT_TRAINING_UNCONFIRMED], v->counts[TUT_TRAINING_LAPSED]);
    if (!tut_training_policy_of(v->act.training)->node)
        tut_buf_add_z(out,
                      "tutela.yaml has no \"training:\" (\"training: {}\" is enough), so no right "
                      "depends on it and nothing is kept as evidence.\n");
    else if (v->counts[TUT_TRAINING_LAPSED])
        tut_buf_add_z(out, "Whose training lapsed signs no release, approval, policy or disposal; "
                           "tutela train take MODULE --by PERSON.\n");
    return tut_buf_check(out, err);
}

static int exit_of(const view *v)
{
    if (v->counts[TUT_TRAINING_LAPSED])
        return TUT_EXIT_FOUND;
    bool has_open = v->counts[TUT_TRAINING_DUE] || v->counts[TUT_TRAINING_UNCONFIRMED];
    return has_open || !v->counts[TUT_TRAINING_CURRENT] ? TUT_EXIT_DOUBT : TUT_EXIT_OK;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(view) v = {.only = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = look(&v, args, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? write_json(&v, &out, &err)
                                                   : write_text(&v, &out, &err);
    return tut_is_ok(status) ? tut_cmd_output(&out, exit_of(&v)) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_train_status = {
    .name = "train status",
    .arguments = "[PERSON]",
    .summary = "Show who is trained, who has to be, and until when",
    .help = "Of everybody who is enrolled, the modules for his roles: current, due (there is time "
            "yet), unconfirmed (passed in a hurry, a trainer has to sign) or lapsed. Each exam is "
            "graded anew.\n\n"
            "Exit status: 0 all are current; 1 something lapsed; 3 something is still to be taken, "
            "or nobody has to be trained.",
    .formats = "table json",
    .options = options,
    .least = 0,
    .most = 1,
    .run = run,
};
