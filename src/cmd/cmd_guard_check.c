/* tutela guard check: does the guard hold? Tried, and recorded as evidence. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/attest.h"
#include "base/cage.h"
#include "base/fs.h"
#include "cmd/guard_check.h"
#include "cmd/guard_here.h"
#include "cmd/result_mark.h"
#include "guard/trial.h"

static const tut_option options[] = {
    {"--bypass", TUT_OPTION_FLAG, NULL, "ask the model servers too: nobody may, but the guard"},
    {"--no-record", TUT_OPTION_FLAG, NULL, "try, and record nothing"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum { LIMITS, INPUT, CLOSED, BLOCK_TEST, EVIDENCE_COUNT };

typedef struct evidence {
    const char *check;
    tut_result result;
    char statement[320];
    uint64_t index; /* UINT64_MAX: not recorded */
} evidence;

typedef struct checking {
    tut_guard_here here;
    tut_guard guard;
    tut_trials trials;
    evidence evidence[EVIDENCE_COUNT];
} checking;

static void checking_done(checking *c)
{
    tut_trials_done(&c->trials);
    tut_guard_done_with(&c->guard);
    tut_guard_here_done(&c->here);
}

static size_t count_of(const tut_trials *t, tut_result state)
{
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++)
        n += t->items[i].state == state;
    return n;
}

/* --- evidence --- */
/* A server that may be asked without the guard has no limits, whatever the guard's are. */
static void sum_up(checking *c)
{
    const tut_trials *t = &c->trials;
    const tut_guard_policy *p = &c->here.policy;
    evidence *limits = &c->evidence[LIMITS], *block = &c->evidence[BLOCK_TEST];
    bool is_bypassed = t->results[TUT_TRIAL_BYPASS] == TUT_RESULT_FAIL;
    *limits = (evidence){.check = "guard.limits",
                         .result = is_bypassed ? TUT_RESULT_FAIL : t->results[TUT_TRIAL_LIMITS],
                         .index = UINT64_MAX};
    (void)snprintf(
        limits->statement, sizeof(limits->statement),
        "Identity, quotas and detectors of abuse of %zu clients were tried on %zu routes "
        "of the guard that runs: %s; the model servers %s.",
        p->client_count, p->route_count,
        t->results[TUT_TRIAL_LIMITS] == TUT_RESULT_PASS ? "all hold" : "not all hold",
        !t->bypass    ? "were not asked without it"
        : is_bypassed ? "can be asked without it"
        : t->results[TUT_TRIAL_BYPASS] == TUT_RESULT_PASS
            ? "cannot be asked without it"
            : "could not all be asked without it, so that is not known");
    *block = (evidence){
        .check = "guard.block-test", .result = t->results[TUT_TRIAL_BLOCK], .index = UINT64_MAX};
    (void)snprintf(block->statement, sizeof(block->statement),
                   "Calls that need a person were made in %zu answers, in every shape of the "
                   "routes' protocols and cut at every byte: %s.",
                   t->tried,
                   t->results[TUT_TRIAL_BLOCK] == TUT_RESULT_PASS
                       ? "none happened without an approval"
                       : "not all of them waited");
}

/* The same for what needs no more than its group's result. */
static void sum_up_rest(checking *c)
{
    const tut_trials *t = &c->trials;
    static const struct {
        int at;
        tut_trial_group group;
        const char *check, *pass, *fail;
    } rest[] = {
        {INPUT, TUT_TRIAL_INPUT, "guard.input",
         "Orders in texts of users and in data, unseen characters and numbers were tried on each "
         "route: all were stopped or cleaned by who sent them.",
         "Orders in texts of users and in data, unseen characters and numbers were tried on each "
         "route: not all were stopped or cleaned."},
        {CLOSED, TUT_TRIAL_CLOSED, "guard.fail-closed",
         "Each allocation of exchanges on each route failed once, and nothing that is stopped "
         "otherwise got through; without the ledger nothing is let in.",
         "A failure of a part let something through that is stopped otherwise, or the policy goes "
         "on without the ledger."}};
    for (size_t i = 0; i < TUT_COUNT(rest); i++) {
        evidence *e = &c->evidence[rest[i].at];
        *e = (evidence){
            .check = rest[i].check, .result = t->results[rest[i].group], .index = UINT64_MAX};
        tut_str_copy(e->statement, sizeof(e->statement),
                     tut_str_of(e->result == TUT_RESULT_PASS ? rest[i].pass : rest[i].fail));
    }
}

static void put_items(const tut_trials *t, tut_json *j)
{
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < t->count; i++) {
        const tut_trial *item = &t->items[i];
        tut_json_object(j);
        tut_json_put_z(j, "id", item->id);
        tut_json_put_z(j, "about", item->about);
        tut_json_put_z(j, "state", tut_result_name(item->state));
        tut_json_put_z(j, "reason", item->reason);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_summary(const checking *c, tut_json *j)
{
    const tut_trials *t = &c->trials;
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_key(j, "policy");
    tut_json_sha256(j, c->here.policy.version.bytes);
    tut_json_put_bool(j, "runs", t->runs);
    tut_json_put_bool(j, "bypass", t->bypass);
    tut_json_put_u64(j, "pass", count_of(t, TUT_RESULT_PASS));
    tut_json_put_u64(j, "fail", count_of(t, TUT_RESULT_FAIL));
    tut_json_put_u64(j, "not_checked", count_of(t, TUT_RESULT_NOT_CHECKED));
    tut_json_put_u64(j, "answers", t->tried);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < EVIDENCE_COUNT; i++) {
        const evidence *e = &c->evidence[i];
        tut_json_object(j);
        tut_json_put_z(j, "check", e->check);
        tut_json_put_z(j, "state", tut_result_name(e->result));
        tut_json_put_z(j, "statement", e->statement);
        if (e->index != UINT64_MAX)
            tut_json_put_u64(j, "entry", e->index);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static tut_status write_json(const checking *c, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.guard-check/1", tut_time_generated());
    put_summary(c, j);
    put_items(&c->trials, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* What was not checked is no evidence of anything. */
static tut_status record(checking *c, const tut_args *args, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_TRY(write_json(c, &body, err));
    for (size_t i = 0; i < EVIDENCE_COUNT; i++) {
        evidence *e = &c->evidence[i];
        const tut_attestation a = {.check = e->check,
                                   .result = e->result,
                                   .statement = e->statement,
                                   .body = tut_buf_span(&body)};
        if (e->result != TUT_RESULT_NOT_CHECKED)
            TUT_TRY(tut_attest(args->system ? args->system : c->here.system_dir, c->here.state, &a,
                               &e->index, err));
    }
    return TUT_SUCCESS;
}

/* --- for people --- */
static tut_status write_table(const checking *c, const tut_args *args, tut_buf *out, tut_error *err)
{
    tut_term term;
    TUT_AUTO(tut_table) table = NULL;
    const tut_trials *t = &c->trials;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    TUT_TRY(tut_table_new(4, &table));
    tut_table_column(table, 0, "", TUT_LEFT, false);
    tut_table_column(table, 1, "Check", TUT_LEFT, false);
    tut_table_column(table, 2, "Of", TUT_LEFT, false);
    tut_table_column(table, 3, "What was tried", TUT_LEFT, true);
    for (size_t i = 0; i < t->count; i++) {
        const tut_trial *item = &t->items[i];
        bool is_same = i > 0 && strcmp(item->id, t->items[i - 1].id) == 0;
        tut_result_mark mark = tut_result_mark_of(&term, item->state);
        tut_table_cell_z(table, mark.style, mark.glyph);
        tut_table_cell_z(table, TUT_STYLE_PLAIN, is_same ? "" : item->id);
        tut_table_cell_z(table, TUT_STYLE_DIM, item->about);
        tut_table_cell_z(table, TUT_STYLE_PLAIN, item->reason);
    }
    TUT_TRY(tut_table_print(table, &term, 0, out));
    tut_buf_printf(out, "\n%zu hold, %zu failed, %zu could not be tried.\n",
                   count_of(t, TUT_RESULT_PASS), count_of(t, TUT_RESULT_FAIL),
                   count_of(t, TUT_RESULT_NOT_CHECKED));
    for (size_t i = 0; i < EVIDENCE_COUNT; i++) {
        const evidence *e = &c->evidence[i];
        if (e->index != UINT64_MAX)
            tut_buf_printf(out, "Recorded as entry %llu: %s, %s.\n", (unsigned long long)e->index,
                           e->check, tut_result_name(e->result));
    }
    if (!t->bypass)
        tut_buf_add_z(out,
                      "Next: tutela guard check --bypass asks the model servers without it.\n");
    return tut_buf_check(out, err);
}

static tut_status check(checking *c, const tut_args *args, tut_error *err)
{
    TUT_TRY(tut_guard_here_open(args, &c->here, err));
    TUT_TRY(tut_guard_open(&c->here.policy, &c->guard, err));
    TUT_TRY(tut_fs_mkdirs(c->here.dir, 0700, err));
    c->trials = (tut_trials){.guard = &c->guard,
                             .live = c->here.live,
                             .runs = c->here.keeper > 0 && c->here.live,
                             .dir = c->here.dir,
                             .system_dir = c->here.system_dir,
                             .bypass = tut_args_has(args, "--bypass")};
    TUT_TRY(tut_trial_run(&c->trials, err));
    sum_up(c);
    sum_up_rest(c);
    return tut_args_has(args, "--no-record") ? TUT_SUCCESS : record(c, args, err);
}

tut_status tut_guard_check_record(const tut_args *args, tut_guard_checked *ret, tut_error *err)
{
    __attribute__((cleanup(checking_done))) checking c = {0};
    TUT_TRY(check(&c, args, err));
    *ret = (tut_guard_checked){.block = c.evidence[BLOCK_TEST].result,
                               .index = c.evidence[BLOCK_TEST].index,
                               .failed = count_of(&c.trials, TUT_RESULT_FAIL)};
    return TUT_SUCCESS;
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(checking_done))) checking c = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_interrupt_install();
    if (!tut_is_ok(check(&c, args, &err)) ||
        !tut_is_ok(strcmp(args->format, "json") == 0 ? write_json(&c, &out, &err)
                                                     : write_table(&c, args, &out, &err)))
        return tut_cmd_fail(&err);
    if (count_of(&c.trials, TUT_RESULT_FAIL))
        return tut_cmd_output(&out, TUT_EXIT_FOUND);
    return tut_cmd_output(&out, count_of(&c.trials, TUT_RESULT_NOT_CHECKED) ? TUT_EXIT_DOUBT
                                                                            : TUT_EXIT_OK);
}

const tut_command tut_cmd_guard_check = {
    .name = "guard check",
    .summary = "Try whether the guard holds: identity, limits, abuse, input, failures, held calls, "
               "ways around it",
    .help =
        "Quotas are used up and abuse is acted out on a copy of the shared memory, calls that need "
        "a person are made in every shape and cut at every byte, and the guard that runs is asked "
        "by nobody whom it knows. What holds is recorded as evidence (guard.limits, "
        "guard.input, guard.fail-closed, guard.block-test).\n\n"
        "tutela guard check\ntutela guard check --bypass\n\n"
        "Exit status: 0 all holds; 1 something does not; 3 something could not be tried.",
    .formats = "table json",
    .options = options,
    .run = run,
};
