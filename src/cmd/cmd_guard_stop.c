/* tutela guard stop, resume: the switch that ends it at once, and the signature that begins it
 * again. */
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "cmd/guard_drill.h"
#include "cmd/people_act.h"

static const tut_option stop_options[] = {
    {"--route", TUT_OPTION_VALUE, "ID", "this route alone"},
    {"--model", TUT_OPTION_VALUE, "NAME", "this model alone, on every route"},
    {"--client", TUT_OPTION_VALUE, "ID", "this client alone"},
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why, for the ledger"},
    {"--drill", TUT_OPTION_FLAG, NULL, "measure how long it takes, and begin it again; with --by"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct switching {
    tut_live_kind kind;
    const char *name;
} switching;

static tut_status read_switch(const tut_args *args, switching *ret, tut_error *err)
{
    static const struct {
        const char *option;
        tut_live_kind kind;
    } kinds[] = {
        {"--route", TUT_LIVE_ROUTE}, {"--model", TUT_LIVE_MODEL}, {"--client", TUT_LIVE_CLIENT}};
    *ret = (switching){TUT_LIVE_SYSTEM, ""};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *name = tut_args_get(args, kinds[i].option);
        if (!name)
            continue;
        if (ret->kind != TUT_LIVE_SYSTEM)
            return tut_fail(err, TUT_USAGE, "one of --route, --model and --client at a time");
        *ret = (switching){kinds[i].kind, name};
    }
    return TUT_SUCCESS;
}

static void describe(const switching *w, char *text, size_t cap)
{
    if (w->kind == TUT_LIVE_SYSTEM)
        tut_str_copy(text, cap, TUT_LIT("everything"));
    else
        (void)snprintf(text, cap, "%s %.80s", tut_live_kind_name(w->kind), w->name);
}

/* A name that the policy does not have would stop nothing. */
static tut_status check_name(const tut_guard_policy *p, const switching *w, tut_error *err)
{
    tut_str name = tut_str_of(w->name);
    bool is_known = w->kind == TUT_LIVE_SYSTEM || w->kind == TUT_LIVE_MODEL;
    for (size_t i = 0; i < p->route_count; i++)
        is_known = is_known || (w->kind == TUT_LIVE_ROUTE && tut_str_eq(p->routes[i].id, name));
    is_known = is_known || (w->kind == TUT_LIVE_CLIENT && tut_guard_client_of(p, name));
    return is_known ? TUT_SUCCESS
                    : tut_fail(err, TUT_USAGE, "the policy has no %s \"%.80s\"",
                               tut_live_kind_name(w->kind), w->name);
}

static tut_status write_data(const switching *w, const char *reason, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "what", tut_live_kind_name(w->kind));
    tut_json_put_z(j, "name", w->name);
    tut_json_put_z(j, "reason", reason);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* The switch first: it works even where the ledger does not. */
static tut_status stop(const tut_args *args, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    switching w;
    char what[128];
    uint64_t index = 0;
    TUT_TRY(read_switch(args, &w, err));
    if (w.kind == TUT_LIVE_SYSTEM) { /* nothing that is wrong with tutela.yaml keeps it */
        TUT_TRY(tut_guard_here_find(args, &h, err));
    } else {
        TUT_TRY(tut_guard_here_open(args, &h, err));
        TUT_TRY(check_name(&h.policy, &w, err));
    }
    if (!h.live)
        return tut_fail(err, TUT_USAGE, "no guard ran here yet: nothing is to be stopped");
    TUT_TRY(tut_live_stop(h.live, w.kind, tut_str_of(w.name), tut_live_now_ms(), err));
    describe(&w, what, sizeof(what));
    if (!args->quiet)
        (void)printf("Stopped: %s. tutela guard resume begins it again, with a signature.\n", what);
    (void)fflush(stdout);
    TUT_TRY(write_data(&w, tut_args_get(args, "--reason"), &data, err));
    return tut_guard_here_say(args, &h, "guard.stopped", "The stop switch was thrown.",
                              tut_buf_str(&data), false, &index, err);
}

static tut_status drill(const tut_args *args, bool *ret_is_fine, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    tut_guard_drill d;
    switching w;
    TUT_TRY(read_switch(args, &w, err));
    if (w.kind != TUT_LIVE_SYSTEM)
        return tut_fail(err, TUT_USAGE, "a drill stops the whole system: --drill alone");
    TUT_TRY(tut_guard_here_open(args, &h, err));
    TUT_TRY(tut_guard_drill_run(args, &h, &d, err));
    *ret_is_fine = d.is_in_time && d.did_resume;
    if (args->quiet)
        return TUT_SUCCESS;
    (void)printf("The switch took %llu ms: of %llu requests after it %llu were not refused.\n"
                 "Nobody was served for %llu ms; %s.\n"
                 "Recorded as entry %llu: guard.stop-switch, %s.\n",
                 (unsigned long long)d.stop_ms, (unsigned long long)d.asked,
                 (unsigned long long)d.served, (unsigned long long)d.away_ms,
                 d.did_resume ? "it serves again" : "it does not serve again, look at guard status",
                 (unsigned long long)d.index, *ret_is_fine ? "pass" : "fail");
    return TUT_SUCCESS;
}

static int run_stop(const tut_args *args)
{
    tut_error err = {0};
    bool is_fine = false;
    if (tut_args_has(args, "--drill")) {
        tut_interrupt_install();
        if (!tut_is_ok(drill(args, &is_fine, &err)))
            return tut_cmd_fail(&err);
        return is_fine ? TUT_EXIT_OK : TUT_EXIT_FOUND;
    }
    return tut_is_ok(stop(args, &err)) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_guard_stop = {
    .name = "guard stop",
    .summary = "Stop the system, a route, a model or a client, at once",
    .help = "The next request is refused, in every worker, and of answers under way nothing more "
            "goes on. It holds over restarts, until tutela guard resume.\n\n"
            "tutela guard stop --reason \"odd answers\"\ntutela guard stop --model assistant-q4\n"
            "tutela guard stop --drill --by \"Ada Byron\"     measured, for a moment, as evidence",
    .formats = "table",
    .options = stop_options,
    .run = run_stop,
};

/* --- resume --- */
static const tut_option resume_options[] = {
    {"--route", TUT_OPTION_VALUE, "ID", "this route"},
    {"--model", TUT_OPTION_VALUE, "NAME", "this model"},
    {"--client", TUT_OPTION_VALUE, "ID", "this client"},
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why it may go on, for the ledger"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static bool is_stopped(const tut_live *live, const switching *w)
{
    tut_live_stopped stops[TUT_LIVE_STOPS];
    size_t count = tut_live_stops(live, stops);
    for (size_t i = 0; i < count; i++)
        if (stops[i].kind == w->kind && strcmp(stops[i].name, w->name) == 0)
            return true;
    return false;
}

/* The signature first: what is not in the ledger does not begin again. */
static tut_status resume(const tut_args *args, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    switching w;
    char what[128];
    uint64_t index = 0;
    bool was = false;
    TUT_TRY(read_switch(args, &w, err));
    TUT_TRY(tut_guard_here_open(args, &h, err));
    describe(&w, what, sizeof(what));
    if (!h.live || !is_stopped(h.live, &w))
        return tut_fail(err, TUT_USAGE, "%s is not stopped", what);
    TUT_TRY(tut_guard_here_trained(args, err));
    TUT_TRY(write_data(&w, tut_args_get(args, "--reason"), &data, err));
    TUT_TRY(tut_guard_here_say(args, &h, "guard.resumed", "What was stopped was begun again.",
                               tut_buf_str(&data), true, &index, err));
    TUT_TRY(tut_live_resume(h.live, w.kind, tut_str_of(w.name), &was, err));
    if (!args->quiet)
        (void)printf("Resumed: %s, with entry %llu of the ledger.\n", what,
                     (unsigned long long)index);
    return TUT_SUCCESS;
}

static int run_resume(const tut_args *args)
{
    tut_error err = {0};
    return tut_is_ok(resume(args, &err)) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_guard_resume = {
    .name = "guard resume",
    .summary = "Begin again what was stopped; a registered person signs it",
    .help = "tutela guard resume --by \"Ada Byron\" --reason \"the index was rebuilt\"",
    .formats = "table",
    .options = resume_options,
    .run = run_resume,
};
