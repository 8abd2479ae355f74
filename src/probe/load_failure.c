/*
 * Failure: a command stops the model server and starts it again, behind whatever answers for it;
 * what users see meanwhile is counted, and how long it takes until they are served again. A service
 * that has another server to turn to serves them all the while.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "probe/load_common.h"
#include "stats/tails.h"
#include "watch/tell.h"

enum {
    OUTAGE_MS = 5000,
    BACK_MOST_MS = 60000,
    BACK_IN_A_ROW = 20,
    COMMAND_MS = 60000,
    IDLE_MS = 2000
};

typedef struct failure {
    tut_probe *p;
    load_common c;
    load_wire *wire;
    load_tally idle, out, back;
    char *text, *words[TUT_TELL_WORDS + 2];
    char last[8]; /* "stop" or "start" */
    pid_t pid;    /* of the command that runs; 0: none */
    uint64_t until;
    int status;
    uint64_t came_back_ms;
} failure;

/* --- the command --- */
/* What it writes goes to our errors: standard output belongs to the result. */
static tut_status begin_command(failure *f, const char *what, tut_error *err)
{
    size_t count = 0;
    posix_spawn_file_actions_t actions;
    while (f->words[count])
        count++;
    tut_str_copy(f->last, sizeof(f->last), tut_str_of(what));
    f->words[count] = f->last;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    int why = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (why == 0)
        why = posix_spawnp(&f->pid, f->words[0], &actions, NULL, f->words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    f->words[count] = NULL;
    f->until = tut_clock_ms() + COMMAND_MS;
    return why == 0 ? TUT_SUCCESS : tut_fail_errno(err, why, "%s cannot be run", f->words[0]);
}

/* For the loop: true as soon as the command has ended. */
static bool has_ended(void *ctx, const load_tally *t)
{
    failure *f = ctx;
    (void)t;
    if (f->pid == 0)
        return true;
    if (tut_clock_ms() >= f->until)
        (void)kill(f->pid, SIGKILL);
    pid_t got = waitpid(f->pid, &f->status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    f->pid = 0;
    return true;
}

static tut_status check_command(const failure *f, const char *what, tut_error *err)
{
    if (WIFEXITED(f->status) && WEXITSTATUS(f->status) == 0)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_IO, "%s %s ended with %d", f->words[0], what,
                    WIFEXITED(f->status) ? WEXITSTATUS(f->status) : -1);
}

static tut_status run_command(failure *f, const char *what, load_tally *tally, tut_error *err)
{
    TUT_TRY(begin_command(f, what, err));
    tut_status s = load_wire_phase(f->wire, NULL, COMMAND_MS + 1000, has_ended, f, tally, err);
    while (!has_ended(f, tally)) /* also after Ctrl-C: what was begun is ended in order */
        (void)usleep(10000);
    return tut_is_ok(s) ? check_command(f, what, err) : s;
}

/* --- measuring --- */
static void merge(load_tally *into, load_tally *from)
{
    into->sent += from->sent;
    into->served += from->served;
    for (unsigned i = 0; i < LOAD_STATUSES; i++)
        into->statuses[i] += from->statuses[i];
    load_tally_done(from);
}

static bool is_back(void *ctx, const load_tally *t)
{
    failure *f = ctx;
    (void)f;
    return t->served >= BACK_IN_A_ROW && t->first_served_ms != UINT64_MAX;
}

static tut_status measure_outage(failure *f, tut_error *err)
{
    load_tally part = {.sent = 0};
    tut_probe_step(f->p, "stopping the server", 0, 3);
    tut_status s = run_command(f, "stop", &part, err);
    merge(&f->out, &part);
    TUT_TRY(s);
    tut_probe_step(f->p, "without the server", 1, 3);
    s = load_wire_phase(f->wire, NULL, OUTAGE_MS, NULL, NULL, &part, err);
    merge(&f->out, &part);
    return s;
}

static tut_status measure_return(failure *f, tut_error *err)
{
    load_tally part = {.sent = 0};
    uint64_t begun = tut_clock_ms();
    tut_probe_step(f->p, "starting it again", 2, 3);
    tut_status s = run_command(f, "start", &part, err);
    uint64_t first = part.first_served_ms, started = tut_clock_ms();
    merge(&f->back, &part);
    TUT_TRY(s);
    s = load_wire_phase(f->wire, NULL, BACK_MOST_MS, is_back, f, &part, err);
    if (part.served >= BACK_IN_A_ROW)
        f->came_back_ms = first != UINT64_MAX ? first : started - begun + part.first_served_ms;
    merge(&f->back, &part);
    return s;
}

static void report(failure *f, tut_attack_result *ret)
{
    double low = NAN, high = NAN;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    load_tally *out = &f->out;
    if (out->sent == 0)
        return;
    tut_binomial_interval(out->served, out->sent, 0.95, &low, &high);
    ret->rows = out->sent;
    ret->decisive = (tut_measure){"served", (double)out->served / (double)out->sent, low, high};
    tut_result_add(ret, "served", ret->decisive.value, low, high);
    tut_result_add(ret, "back_after_ms",
                   f->came_back_ms == UINT64_MAX ? NAN : (double)f->came_back_ms, NAN, NAN);
    tut_buf_printf(&text, "while it was down %llu of %llu requests were served",
                   (unsigned long long)out->served, (unsigned long long)out->sent);
    if (out->served < out->sent) {
        tut_buf_add_z(&text, "; the others: ");
        load_tally_words(out, &text);
    }
    if (f->came_back_ms == UINT64_MAX)
        tut_buf_add_z(&text, "; it was not back after a minute");
    else
        tut_buf_printf(&text, "; served again %llu ms after it was to start",
                       (unsigned long long)f->came_back_ms);
    const char *z = tut_buf_z(&text);
    if (z)
        tut_result_add_exposed(ret, &f->p->arena, UINT64_MAX, 1 - ret->decisive.value, z);
    ret->budget = "5 s without the server, 20 good requests a second";
}

static tut_status measure(failure *f, tut_attack_result *ret, tut_error *err)
{
    TUT_TRY(tut_tell_split(f->text, f->words, err));
    TUT_TRY(load_common_open(&f->c, f->p, err));
    TUT_TRY(load_wire_open(f->p, tut_buf_str(&f->c.normal), &f->wire, err));
    load_wire_limit(f->wire, 2000);
    TUT_TRY(load_wire_phase(f->wire, NULL, IDLE_MS, NULL, NULL, &f->idle, err));
    if (f->idle.served * 10 < f->idle.sent * 9 || f->idle.sent == 0) {
        ret->reason = "good requests are not served while the server runs";
        return TUT_SUCCESS;
    }
    tut_status s = measure_outage(f, err);
    /* Whatever happened: what was stopped is started again. */
    tut_status started = measure_return(f, tut_is_ok(s) ? err : NULL);
    s = tut_is_ok(s) ? started : s;
    ret->was_cut = !tut_is_ok(s);
    report(f, ret);
    return s;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    failure f = {.p = p, .came_back_ms = UINT64_MAX};
    uint64_t before = p->target->allowance->queries;
    ret->metric = "served";
    ret->decisive = (tut_measure){"served", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness = "It stops the server in one way; disks, networks and memory fail in others.";
    if (!p->failure || !tut_target_http(p->target)) {
        ret->reason = p->failure ? "the target is no service that takes requests"
                                 : "no command is named that stops and starts the model server";
        return TUT_SUCCESS;
    }
    f.text = tut_strdup(p->failure);
    if (!f.text)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status s = measure(&f, ret, err);
    ret->queries = p->target->allowance->queries - before;
    load_wire_free(f.wire);
    load_common_done(&f.c);
    load_tally_done(&f.idle);
    load_tally_done(&f.out);
    load_tally_done(&f.back);
    tut_free(f.text);
    return s;
}

const tut_attack tut_attack_load_failure = {
    .probe = "load",
    .name = "failure",
    .about = "The model server is stopped and started again: what users see, and whether another "
             "takes over.",
    .source = "ETSI EN 304 223, 5.1.2-2; Basiri et al., Chaos Engineering, 2016",
    .gives = TUT_GIVES_NETWORK,
    .needs = 0,
    .run = run,
};
