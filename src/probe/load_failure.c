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
    BACK_AGAIN = 20,
    COMMAND_MS = 60000,
    IDLE_MS = 2000
};

typedef struct failure {
    tut_probe *p;
    load_common c;
    load_wire *wire;
    load_tally idle, out, back;
    tut_buf stream;
    char *text, *words[TUT_TELL_WORDS + 2];
    char last[8];          /* "stop" or "start" */
    pid_t pid;             /* of the command that runs; 0: none */
    uint64_t until, ended; /* tut_clock_ms(); ended: of the command; 0: it runs */
    int status;
    bool has_half;
    uint64_t sent_half, served_half; /* when half of the outage was over */
    uint64_t served_started;         /* when `start` had ended */
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
    f->ended = 0;
    return why == 0 ? TUT_SUCCESS : tut_fail_errno(err, why, "%s cannot be run", f->words[0]);
}

/* Of the command that runs, if one does. */
static bool has_ended(failure *f)
{
    if (f->pid == 0)
        return true;
    if (tut_clock_ms() >= f->until)
        (void)kill(f->pid, SIGKILL);
    pid_t got = waitpid(f->pid, &f->status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    f->pid = 0;
    f->ended = tut_clock_ms();
    return true;
}

static bool has_worked(const failure *f)
{
    return WIFEXITED(f->status) && WEXITSTATUS(f->status) == 0;
}

/* Good requests all the while, from the call of the command on until `is_over`. */
static tut_status run_command(failure *f, const char *what,
                              bool (*is_over)(void *ctx, const load_tally *t), load_tally *tally,
                              tut_error *err)
{
    TUT_TRY(begin_command(f, what, err));
    tut_status s = load_wire_phase(f->wire, NULL, COMMAND_MS + BACK_MOST_MS, is_over, f, tally,
                                   err);
    while (!has_ended(f)) /* also after Ctrl-C: what was begun is ended in order */
        (void)usleep(10000);
    if (tut_is_ok(s) && !has_worked(f))
        return tut_fail(err, TUT_IO, "%s %s ended with %d", f->words[0], what,
                        WIFEXITED(f->status) ? WEXITSTATUS(f->status) : -1);
    return s;
}

/* --- measuring --- */
static bool outage_is_over(void *ctx, const load_tally *t)
{
    failure *f = ctx;
    if (!has_ended(f))
        return false;
    uint64_t now = tut_clock_ms();
    if (!f->has_half && now >= f->ended + OUTAGE_MS / 2) {
        f->has_half = true;
        f->sent_half = t->sent;
        f->served_half = t->served;
    }
    return !has_worked(f) || now >= f->ended + OUTAGE_MS;
}

static bool is_back(void *ctx, const load_tally *t)
{
    failure *f = ctx;
    if (f->pid != 0) {
        f->served_started = t->served;
        if (!has_ended(f))
            return false;
    }
    return !has_worked(f) || t->served >= f->served_started + BACK_AGAIN ||
           tut_clock_ms() >= f->ended + BACK_MOST_MS;
}

static tut_status measure_outage(failure *f, tut_error *err)
{
    tut_probe_step(f->p, "without the server", 0, 2);
    return run_command(f, "stop", outage_is_over, &f->out, err);
}

static tut_status measure_return(failure *f, tut_error *err)
{
    tut_probe_step(f->p, "starting it again", 1, 2);
    TUT_TRY(run_command(f, "start", is_back, &f->back, err));
    if (f->back.served >= f->served_started + BACK_AGAIN)
        f->came_back_ms = f->back.first_served_ms;
    return TUT_SUCCESS;
}

/* Served again while the server was still away: whatever a switch-over costs is over by half of
 * the outage. */
static bool has_failed_over(const failure *f)
{
    uint64_t sent = f->out.sent - f->sent_half, served = f->out.served - f->served_half;
    return f->has_half && sent > 0 && served * 10 >= sent * 9;
}

static double longest_gap(const failure *f)
{
    if (f->came_back_ms == UINT64_MAX)
        return NAN;
    return (double)(f->out.gap_ms > f->back.gap_ms ? f->out.gap_ms : f->back.gap_ms);
}

/* What those see who are in the middle of an answer. */
static void report_streams(const failure *f, tut_buf *text, tut_attack_result *ret)
{
    const load_streams *a = &f->out.streams, *b = &f->back.streams;
    uint64_t whole = a->whole + b->whole, told = a->told + b->told, broken = a->broken + b->broken;
    uint64_t silent = a->silent + b->silent, all = whole + told + broken + silent;
    if (f->stream.len == 0 || all == 0)
        return;
    tut_result_add(ret, "streams", (double)all, NAN, NAN);
    tut_result_add(ret, "streams_told", (double)told, NAN, NAN);
    tut_result_add(ret, "streams_broken", (double)broken, NAN, NAN);
    tut_result_add(ret, "streams_silent", (double)silent, NAN, NAN);
    tut_buf_printf(text,
                   "; of %llu streams %llu came whole, %llu said that they failed, %llu broke off, "
                   "%llu ended as if they were whole",
                   (unsigned long long)all, (unsigned long long)whole, (unsigned long long)told,
                   (unsigned long long)broken, (unsigned long long)silent);
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
    tut_result_add(ret, "fails_over", f->has_half ? has_failed_over(f) : NAN, NAN, NAN);
    tut_result_add(ret, "gap_ms", longest_gap(f), NAN, NAN);
    tut_buf_printf(&text, "while it was down %llu of %llu requests were served",
                   (unsigned long long)out->served, (unsigned long long)out->sent);
    if (out->served < out->sent) {
        tut_buf_add_z(&text, "; the others: ");
        load_tally_words(out, &text);
    }
    if (f->has_half)
        tut_buf_add_z(&text, !has_failed_over(f)        ? "; none took over"
                             : out->served == out->sent ? "; another took over at once, or the "
                                                          "command stopped nothing"
                                                        : "; another took over");
    if (!isnan(longest_gap(f)))
        tut_buf_printf(&text, ", the longest time without an answer was %.0f ms", longest_gap(f));
    if (f->came_back_ms == UINT64_MAX)
        tut_buf_add_z(&text, "; it was not back after a minute");
    else
        tut_buf_printf(&text, "; served again %llu ms after it was to start",
                       (unsigned long long)f->came_back_ms);
    report_streams(f, &text, ret);
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
    TUT_TRY(load_common_stream(&f->c, &f->stream, err));
    load_wire_stream(f->wire, tut_buf_str(&f->stream));
    TUT_TRY(load_wire_phase(f->wire, NULL, IDLE_MS, NULL, NULL, &f->idle, err));
    const load_streams *s0 = &f->idle.streams;
    if (s0->told + s0->broken + s0->silent + s0->not_begun > 0) {
        tut_buf_clear(&f->stream); /* it has none, or none that tell their end */
        load_wire_stream(f->wire, (tut_str){"", 0});
    }
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
    tut_buf_done(&f.stream);
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
