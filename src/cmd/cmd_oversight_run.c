/* tutela oversight run: the tests of oversight, or those of them that are due. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "cmd/approvals_act.h"
#include "cmd/guard_check.h"
#include "cmd/guard_drill.h"
#include "cmd/oversight_act.h"
#include "cmd/people_act.h"

static const tut_option options[] = {
    {"--due", TUT_OPTION_FLAG, NULL, "only what is due"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* --- one test --- */

static tut_status run_block(tut_oversight_act *a, tut_result *ret, tut_error *err)
{
    tut_guard_checked checked;
    TUT_TRY(tut_guard_check_record(a->args, &checked, err));
    *ret = checked.block;
    return TUT_SUCCESS;
}

static tut_status run_review(tut_oversight_act *a, tut_result *ret, tut_error *err)
{
    TUT_CLEAN(tut_approvals_act) act = {0};
    TUT_CLEAN(tut_review) v = {.from = 0};
    TUT_TRY(tut_approvals_review(&act, a->args, true, &v, err));
    *ret = v.checks[0].result;
    return TUT_SUCCESS;
}

static tut_status run_drill(tut_oversight_act *a, tut_result *ret, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    tut_guard_drill d;
    TUT_TRY(tut_guard_here_open(a->args, &h, err));
    TUT_TRY(tut_guard_drill_run(a->args, &h, &d, err));
    *ret = d.is_in_time && d.did_resume ? TUT_RESULT_PASS : TUT_RESULT_FAIL;
    return TUT_SUCCESS;
}

static tut_status (*const runners[TUT_OVERSIGHT_TESTS])(tut_oversight_act *a, tut_result *ret,
                                                        tut_error *err) = {
    [TUT_OVERSIGHT_BLOCK] = run_block,
    [TUT_OVERSIGHT_APPROVALS] = run_review,
    [TUT_OVERSIGHT_STOP] = run_drill,
};

/* A missed schedule is told before the test that ends it: afterwards nothing would show it. */
static tut_status tell_missed(tut_oversight_act *a, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    bool is_missed = false;
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++)
        is_missed = is_missed ||
                    (a->o.items[i].state == TUT_OVERSIGHT_OVERDUE && !a->o.items[i].is_told);
    if (!a->o.policy.node || !is_missed)
        return TUT_SUCCESS;
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    return tut_oversight_tell_missed(a->system, ledger, &a->o, err);
}

static tut_status run_test(tut_oversight_act *a, tut_oversight_test test, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    tut_result result = TUT_RESULT_NOT_CHECKED;
    TUT_TRY(runners[test](a, &result, err));
    if (result != TUT_RESULT_NOT_CHECKED || test != TUT_OVERSIGHT_APPROVALS)
        return TUT_SUCCESS; /* a block test without anything to block is not there, not empty */
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    return tut_oversight_tell_empty(a->system, ledger, test, NULL, err);
}

/* --- all of them --- */

/* One that cannot be run does not keep the others from it: *unrun is why the first of them was not.
 */
static tut_status run_some(tut_oversight_act *a, const bool wanted[TUT_OVERSIGHT_TESTS],
                           tut_error *unrun, tut_error *err)
{
    TUT_TRY(tell_missed(a, err));
    for (int i = 0; i < TUT_OVERSIGHT_TESTS && !tut_interrupted(); i++) {
        tut_error why = {0};
        tut_status status = wanted[i] ? run_test(a, (tut_oversight_test)i, &why) : TUT_SUCCESS;
        if (!tut_is_ok(status) && unrun->text[0] == '\0')
            TUT_IGNORE(tut_fail(unrun, status.code, "%s was not run: %s",
                                tut_oversight_check((tut_oversight_test)i), why.text));
    }
    return TUT_SUCCESS;
}

static tut_status choose(const tut_oversight_act *a, bool wanted[TUT_OVERSIGHT_TESTS],
                         tut_error *err)
{
    const tut_args *args = a->args;
    bool only_due = tut_args_has(args, "--due");
    for (size_t i = 0; i < args->positional_count; i++) {
        tut_oversight_test test;
        if (!tut_oversight_find(tut_str_of(args->positional[i]), &test))
            return tut_fail(err, TUT_USAGE,
                            "\"%.60s\" is no test of oversight; they are: guard.block-test "
                            "guard.approvals guard.stop-switch",
                            args->positional[i]);
        wanted[test] = true;
        if (test == TUT_OVERSIGHT_STOP && !tut_args_has(args, "--by"))
            return tut_fail(err, TUT_USAGE,
                            "the drill turns people away for a moment, and a person signs it: "
                            "--by PERSON");
    }
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++) {
        if (args->positional_count == 0)
            wanted[i] = i != TUT_OVERSIGHT_STOP || tut_args_has(args, "--by");
        if (only_due)
            wanted[i] = wanted[i] && tut_oversight_is_due(&a->o.items[i]);
    }
    return TUT_SUCCESS;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_oversight_act) a = {.args = args};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    bool wanted[TUT_OVERSIGHT_TESTS] = {false};
    tut_error err = {0}, unrun = {0};
    tut_interrupt_install();
    tut_status status = tut_oversight_open(&a, args, &err);
    if (tut_is_ok(status))
        status = choose(&a, wanted, &err);
    if (tut_is_ok(status))
        status = run_some(&a, wanted, &unrun, &err);
    if (tut_is_ok(status))
        status = tut_oversight_look_again(&a, &err);
    if (tut_is_ok(status) && !args->quiet)
        status = tut_oversight_write(&a, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    int found = tut_cmd_output(&out, tut_oversight_exit(&a));
    int failed = unrun.text[0] ? tut_cmd_fail(&unrun) : TUT_EXIT_OK;
    return failed == TUT_EXIT_OK || found == TUT_EXIT_FOUND ? found : failed;
}

const tut_command tut_cmd_oversight_run = {
    .name = "oversight run",
    .arguments = "[TEST...]",
    .summary = "Run the tests of oversight, or those that are due, and record what they come to",
    .help = "The block test (guard check) and the review of approvals; the drill of the stop "
            "switch, which turns people away for a moment, only with --by. A line for cron or a "
            "systemd timer: docs/oversight.md.\n\n"
            "tutela oversight run --due\ntutela oversight run guard.stop-switch --by \"Ada Byron\""
            "\n\nExit status: 0 all were run in time; 1 one failed; 2 one could not be run; 3 one "
            "is still due.",
    .formats = "table json",
    .options = options,
    .most = TUT_OVERSIGHT_TESTS,
    .run = run,
};

/* --- by the guard that runs --- */

enum { HOUR_SECONDS = 3600, LEAST_URGENT = 19 };

/* Whether an hour is over since the last look; then this one is noted, whatever it comes to. */
static bool is_time(const char *dir)
{
    struct stat st;
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "oversight.looked");
    tut_time now = tut_time_now();
    if (!path)
        return false;
    bool is_recent = stat(path, &st) == 0 && st.st_mtim.tv_sec <= now &&
                     now - st.st_mtim.tv_sec < HOUR_SECONDS;
    return !is_recent && tut_is_ok(tut_fs_write(path, tut_span_of("", 0), 0600, NULL));
}

tut_status tut_oversight_tend(const tut_args *args, const char *dir, tut_error *err)
{
    TUT_CLEAN(tut_oversight_act) a = {.args = args};
    bool wanted[TUT_OVERSIGHT_TESTS] = {false}, any = false;
    tut_error unrun = {0};
    if (!is_time(dir))
        return TUT_SUCCESS;
    TUT_TRY(tut_oversight_open(&a, args, err));
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++) {
        wanted[i] = a.o.items[i].unattended && tut_oversight_is_due(&a.o.items[i]);
        any = any || wanted[i];
    }
    if (!any)
        return TUT_SUCCESS;
    (void)setpriority(PRIO_PROCESS, 0, LEAST_URGENT); /* of this process alone, which ends then */
    TUT_TRY(run_some(&a, wanted, &unrun, err));
    return unrun.text[0] ? tut_fail(err, TUT_IO, "%s", unrun.text) : TUT_SUCCESS;
}
