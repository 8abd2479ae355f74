/* tutela approvals serve: the listener for approvals by itself; `guard up` runs it otherwise. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/approvals_act.h"

enum { TEND_MS = 2000 };

typedef struct serving {
    const tut_approvals_act *a;
    uint64_t tended_ms;
    char told[TUT_ERROR_TEXT_MAX]; /* the last trouble, told once */
} serving;

static void say_ready(void *ctx, const char *url)
{
    (void)ctx;
    printf("Approvals are served at %s/approvals\n", url);
    (void)fflush(stdout);
}

static bool tend(void *ctx)
{
    serving *s = ctx;
    tut_error err = {0};
    uint64_t now = tut_clock_ms();
    if (s->tended_ms && now - s->tended_ms < TEND_MS)
        return true;
    s->tended_ms = now;
    if (tut_is_ok(tut_approve_tend(&s->a->place, &err))) {
        s->told[0] = 0;
    } else if (strcmp(s->told, err.text) != 0) {
        tut_str_copy(s->told, sizeof(s->told), tut_str_of(err.text));
        (void)tut_cmd_fail(&err);
    }
    return true;
}

tut_status tut_approvals_serve(tut_approvals_act *a, const tut_args *args, bool may_be_silent,
                               tut_error *err)
{
    serving s = {.a = a};
    TUT_TRY(tut_approvals_open(a, args, false, err));
    tut_interrupt_install();
    if (may_be_silent && a->place.policy->listen.len == 0) {
        while (!tut_interrupted() && tend(&s))
            (void)usleep(100000);
        return TUT_SUCCESS;
    }
    const tut_approve_server server = {
        .place = &a->place, .ready = say_ready, .turn = tend, .ctx = &s};
    return tut_approve_serve(&server, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_approvals_act) a = {0};
    tut_error err = {0};
    return tut_is_ok(tut_approvals_serve(&a, args, false, &err)) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_approvals_serve = {
    .name = "approvals serve",
    .summary = "Serve what waits, and take decisions, over HTTP",
    .help = "On guard.approvals.listen, until interrupted; tutela guard up does the same. GET "
            "/approvals and /approvals/ID want a key of guard.approvals.keys (Authorization: "
            "Bearer); POST /approvals/ID takes a decision that an approver signed; docs/guard.md.",
    .formats = "table",
    .run = run,
};
