/* What people sign about threats: acceptance of a risk, review of the model, and the assessment of
 * what is granted. */
#include <string.h>
#include <unistd.h>

#include "cmd/people_act.h"
#include "cmd/threats_act.h"
#include "govern/threat_judge.h"
#include "ledger/people.h"

static const uint32_t reviewers = TUT_PERSON_DEVELOPER | TUT_PERSON_OPERATOR;

/* --- one item as JSON --- */

typedef struct told {
    const char *id, *state, *by;
    tut_time since, due;
    uint64_t entries[2];
    size_t entry_count;
} told;

static void put_item(tut_json *j, const told *x)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", x->id);
    tut_json_put_z(j, "state", x->state);
    tut_json_put_time(j, "since", x->since);
    tut_json_key(j, "due");
    if (x->due)
        tut_json_time(j, x->due);
    else
        tut_json_null(j);
    tut_json_key(j, "actors");
    tut_json_array(j);
    if (x->by)
        tut_json_z(j, x->by);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < x->entry_count; i++)
        tut_json_u64(j, x->entries[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static tut_status write_item(const told *x, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.threats/1", tut_time_generated());
    tut_json_key(j, "items");
    tut_json_array(j);
    put_item(j, x);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static bool is_json(const tut_args *args)
{
    return strcmp(args->format, "json") == 0;
}

/* --- accept --- */

static const tut_option accept_options[] = {
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why the risk is taken"},
    {"--expires", TUT_OPTION_VALUE, "DATE", "until when; two years at most"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status accept(tut_threats_act *a, tut_buf *out, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    tut_accepting x = {.reason = tut_args_get(a->args, "--reason")};
    const char *expires = tut_args_get(a->args, "--expires");
    told said = {.state = "accepted", .entry_count = 1};
    if (!x.reason || !expires)
        return tut_fail(err, TUT_USAGE, "threats accept needs --reason, --expires and --by");
    if (!tut_is_ok(tut_time_parse(tut_str_of(expires), &x.expires)))
        return tut_fail(err, TUT_USAGE, "--expires takes a date such as 2027-06-30, not \"%s\"",
                        expires);
    TUT_TRY(tut_threats_act_open(a, a->args, NULL, err));
    TUT_TRY(tut_threats_act_recorded(a, err));
    TUT_TRY(tut_threats_act_risk(a, a->args->positional[0], &x.risk, err));
    TUT_TRY(tut_threats_act_signer(a, TUT_PERSON_OPERATOR, "the acceptance of a risk", &x.by,
                                   &records, &key, err));
    x.signer = key;
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    TUT_TRY(tut_threat_accept(ledger, &x, &said.entries[0], err));
    said.id = x.risk->id;
    said.by = x.by;
    said.since = tut_time_now();
    said.due = x.expires;
    if (is_json(a->args))
        return write_item(&said, out, err);
    char day[TUT_TIME_TEXT];
    tut_time_date(x.expires, day);
    tut_buf_printf(out, "Accepted at %s by %s until %s, entry %llu: ",
                   tut_risk_level_names[x.risk->residual.level], x.by, day,
                   (unsigned long long)said.entries[0]);
    tut_buf_add_escaped(out, tut_str_of(x.risk->id), 200);
    tut_buf_add_z(out, "\nIt lapses when the element or the rule changes, or the risk grows.\n");
    return tut_buf_check(out, err);
}

static int finish(tut_status status, const tut_error *err, const tut_buf *out, int exit_status)
{
    return tut_is_ok(status) ? tut_cmd_output(out, exit_status) : tut_cmd_fail(err);
}

static int run_accept(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_threats_act) a = {.args = args};
    tut_error err = {0};
    return finish(accept(&a, &out, &err), &err, &out, TUT_EXIT_OK);
}

const tut_command tut_cmd_threats_accept = {
    .name = "threats accept",
    .arguments = "RISK",
    .summary = "Take a risk, with a reason, until a date, by signature",
    .help =
        "Signed by a person with the role of operator. It is about the risk as it is: it lapses "
        "when the element changes, when the rule does, when the risk grows, and on its date. It "
        "stays in the log and in every report.",
    .formats = "table json",
    .options = accept_options,
    .least = 1,
    .most = 1,
    .run = run_accept,
};

/* --- review --- */

static const tut_option review_options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static void add_changes(const tut_threats_act *a, tut_buf *out)
{
    const tut_threat_reviews *r = &a->reviews;
    char day[TUT_TIME_TEXT];
    tut_time_date(r->at, day);
    if (!r->has_newest) {
        tut_buf_printf(out,
                       "Nobody who counts has reviewed this model: %zu risks, %zu of them "
                       "open.\n",
                       a->threats->count, a->threats->by_state[TUT_RISK_OPEN]);
        return;
    }
    bool is_same = tut_sha256_eq(&r->model, &a->threats->digest);
    tut_buf_printf(out, "%s reviewed it on %s. Since then %s\n", r->by, day,
                   r->change_count ? "these risks changed:"
                   : is_same       ? "nothing changed."
                                   : "the model changed, and no risk did.");
    for (size_t i = 0; i < r->change_count; i++) {
        tut_buf_printf(out, "  %-7s ", r->changes[i].what);
        tut_buf_add_escaped(out, tut_str_of(r->changes[i].id), 200);
        tut_buf_add_z(out, "\n");
    }
}

static tut_status sign_review(tut_threats_act *a, told *said, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    const tut_threats *t = a->threats;
    tut_examining x = {.check = TUT_CHECK_REVIEW};
    TUT_TRY(tut_threats_act_recorded(a, err));
    TUT_TRY(tut_threats_act_signer(a, reviewers, "the review of the threat model", &x.by, &records,
                                   &key, err));
    TUT_TRY(tut_threats_body(t, &a->from, &body, err));
    x.signer = key;
    x.body = tut_buf_span(&body);
    TUT_AUTO_FREE char *reviewed = tut_asprintf("Reviewed the threat model: %zu risks.", t->count);
    TUT_AUTO_FREE char *remains =
        tut_asprintf("Acknowledged what remains: of %zu risks %zu open, "
                     "%zu treated, %zu accepted, %zu tolerated.",
                     t->count, t->by_state[TUT_RISK_OPEN], t->by_state[TUT_RISK_TREATED],
                     t->by_state[TUT_RISK_ACCEPTED], t->by_state[TUT_RISK_TOLERATED]);
    if (!reviewed || !remains)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    x.statement = reviewed;
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    TUT_TRY(tut_threat_examine(ledger, a->system, &x, &said->entries[0], err));
    x.check = TUT_CHECK_RESIDUAL;
    x.statement = remains;
    TUT_TRY(tut_threat_examine(ledger, a->system, &x, &said->entries[1], err));
    tut_ledger_close(tut_move(&ledger));
    TUT_TRY(tut_threats_act_record(a, err));
    said->entry_count = 2;
    said->since = tut_time_now();
    said->due = said->since + (tut_time)t->policy.review_days * TUT_DAY_SECONDS;
    said->state = "reviewed";
    said->by = tut_args_get(a->args, "--by");
    return TUT_SUCCESS;
}

static tut_status review(tut_threats_act *a, tut_buf *out, int *ret_exit, tut_error *err)
{
    told said = {.id = "model", .state = "due"};
    bool signs = tut_args_has(a->args, "--by");
    TUT_TRY(tut_threats_act_open(a, a->args, NULL, err));
    const tut_threat_reviews *r = &a->reviews;
    bool is_current = r->has_newest && tut_sha256_eq(&r->model, &a->threats->digest);
    if (!is_json(a->args))
        add_changes(a, out);
    *ret_exit = signs || is_current ? TUT_EXIT_OK : TUT_EXIT_DOUBT;
    if (signs) {
        TUT_TRY(sign_review(a, &said, err));
    } else if (r->has_newest) {
        said.by = r->by;
        said.since = r->at;
        said.due = r->at + (tut_time)a->threats->policy.review_days * TUT_DAY_SECONDS;
        said.state = is_current ? "reviewed" : "changed";
    }
    if (is_json(a->args))
        return write_item(&said, out, err);
    if (!signs)
        tut_buf_add_z(out, "tutela threats review --by PERSON signs that it was looked at.\n");
    else {
        char day[TUT_TIME_TEXT];
        tut_time_date(said.due, day);
        tut_buf_printf(out, "Signed by %s, entries %llu and %llu. The next review is due on %s.\n",
                       said.by, (unsigned long long)said.entries[0],
                       (unsigned long long)said.entries[1], day);
    }
    return tut_buf_check(out, err);
}

static int run_review(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_threats_act) a = {.args = args};
    tut_error err = {0};
    int exit_status = TUT_EXIT_OK;
    tut_status status = review(&a, &out, &exit_status, &err);
    return finish(status, &err, &out, exit_status);
}

const tut_command tut_cmd_threats_review = {
    .name = "threats review",
    .summary = "What changed since somebody last looked at the threats, and sign that you did",
    .help =
        "Without --by: which risks are new, gone or higher since the last review that counts. "
        "With --by, a developer or system operator signs the model as it is, and what risk "
        "remains (threats.review, threats.residual). The signature is about this tutela.yaml.\n\n"
        "Exit status: 0 reviewed as it is; 3 not yet.",
    .formats = "table json",
    .options = review_options,
    .run = run_review,
};

/* --- permissions --- */

static const tut_risk *worst_of(const tut_threats *t, const tut_threat_element *e)
{
    for (size_t i = 0; i < t->count; i++) /* the worst stand first */
        if (t->risks[i].element == e)
            return &t->risks[i];
    return NULL;
}

static tut_status add_permissions(const tut_threats_act *a, tut_buf *out)
{
    static const char *const headers[] = {"Residual", "State", "Permission", "Worst risk"};
    const tut_threat_model *m = a->threats->model;
    tut_term term;
    TUT_AUTO(tut_table) table = NULL;
    tut_term_detect(STDOUT_FILENO, a->args->color, &term);
    TUT_TRY(tut_table_new(4, &table));
    for (size_t i = 0; i < 4; i++)
        tut_table_column(table, i, headers[i], TUT_LEFT, i == 3);
    for (size_t i = m->first[TUT_THREAT_ON_PERMISSION]; i < m->first[TUT_THREAT_ON_SYSTEM]; i++) {
        const tut_risk *r = worst_of(a->threats, &m->elements[i]);
        tut_table_cell_z(table, r ? tut_risk_style(r->residual.level) : TUT_STYLE_PLAIN,
                         r ? tut_risk_level_names[r->residual.level] : "none found");
        tut_table_cell_z(table, TUT_STYLE_PLAIN, r ? tut_risk_state_names[r->state] : "-");
        tut_table_cell_z(table, TUT_STYLE_PLAIN, m->elements[i].id);
        tut_table_cell(table, TUT_STYLE_DIM, r ? r->rule->title : TUT_LIT(""));
    }
    return tut_table_print(table, &term, 0, out);
}

static tut_status sign_permissions(tut_threats_act *a, size_t count, told *said, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_examining x = {.check = TUT_CHECK_PERMISSIONS};
    TUT_TRY(tut_threats_act_recorded(a, err));
    TUT_TRY(tut_threats_act_signer(a, reviewers, "the assessment of permissions", &x.by, &records,
                                   &key, err));
    TUT_TRY(tut_threats_body(a->threats, &a->from, &body, err));
    TUT_AUTO_FREE char *statement =
        tut_asprintf("Assessed the risk of each of %zu granted permissions.", count);
    if (!statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    x.statement = statement;
    x.signer = key;
    x.body = tut_buf_span(&body);
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    TUT_TRY(tut_threat_examine(ledger, a->system, &x, &said->entries[0], err));
    said->entry_count = 1;
    said->since = tut_time_now();
    said->state = "assessed";
    said->by = tut_args_get(a->args, "--by");
    return TUT_SUCCESS;
}

static size_t count_open(const tut_threats *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++)
        count += t->risks[i].element->on == TUT_THREAT_ON_PERMISSION &&
                 t->risks[i].state == TUT_RISK_OPEN;
    return count;
}

static tut_status permissions(tut_threats_act *a, tut_buf *out, int *ret_exit, tut_error *err)
{
    told said = {.id = "permissions", .state = "shown"};
    TUT_TRY(tut_threats_act_open(a, a->args, NULL, err));
    const size_t *first = a->threats->model->first;
    size_t count = first[TUT_THREAT_ON_SYSTEM] - first[TUT_THREAT_ON_PERMISSION];
    size_t open = count_open(a->threats);
    bool signs = tut_args_has(a->args, "--by");
    *ret_exit = count == 0 ? TUT_EXIT_DOUBT : open ? TUT_EXIT_FOUND : TUT_EXIT_OK;
    if (signs && open)
        return tut_fail(err, TUT_USAGE,
                        "%zu risks of what is granted are open; treat or accept them first: tutela "
                        "threats permissions lists them",
                        open);
    if (signs && count == 0)
        return tut_fail(err, TUT_USAGE,
                        "nothing is granted: tutela.yaml names neither agent.tools "
                        "nor clients of the guard");
    said.since = a->from.at;
    if (signs)
        TUT_TRY(sign_permissions(a, count, &said, err));
    if (is_json(a->args))
        return write_item(&said, out, err);
    if (count)
        TUT_TRY(add_permissions(a, out));
    tut_buf_printf(out, "%s%zu %s granted; risks of %zu are open.\n", count ? "\n" : "", count,
                   count == 1 ? "permission is" : "permissions are", open);
    if (signs)
        tut_buf_printf(out, "Signed by %s, entry %llu.\n", said.by,
                       (unsigned long long)said.entries[0]);
    else if (count && !open)
        tut_buf_add_z(out, "tutela threats permissions --by PERSON signs this assessment.\n");
    return tut_buf_check(out, err);
}

static int run_permissions(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_threats_act) a = {.args = args};
    tut_error err = {0};
    int exit_status = TUT_EXIT_OK;
    tut_status status = permissions(&a, &out, &exit_status, &err);
    return finish(status, &err, &out, exit_status);
}

const tut_command tut_cmd_threats_permissions = {
    .name = "threats permissions",
    .summary = "What agents and clients may do, the risk of each, and sign that it was assessed",
    .help =
        "Lists the tools that agents may call and the routes of the guard that clients may use, "
        "with the worst risk of each. With --by, a developer or system operator signs the "
        "assessment (threats.permissions of 5.1.2-6), once no risk of a permission is open.\n\n"
        "Exit status: 0 none is open; 1 one is; 3 nothing is granted.",
    .formats = "table json",
    .options = review_options,
    .run = run_permissions,
};
