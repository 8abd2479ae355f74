/*
 * Durable adds through the sequencer, beside what the disk can do in the same run. `bench_sequencer
 * DIR [CLIENTS [SECONDS [WINDOW_MS]]]` works in a new directory below DIR (on the disk that is
 * meant) and prints one line a figure. Exit 1 when a target is missed.
 *
 * one event:  waited for, through a child of our own; in turn with one append of 256 bytes to a
 *             plain file and its fdatasync, one signature, and one message to another process and
 *             back. Medians.
 * many:       CLIENTS processes submit events of 256 bytes to `ledger serve`'s socket, each as fast
 *             as it is taken; all of them acknowledged.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "ledger/sequencer.h"

enum { EVENT_BYTES = 256, ROUNDS = 600, CLIENTS_MAX = 64, BURST = 64, PATH_BYTES = 4200 };

static char dir[4096];
static tut_sequencer_options options;
static tut_keystore *keys;
static unsigned missed;

static void must(tut_status status, const tut_error *err)
{
    if (tut_is_ok(status))
        return;
    fprintf(stderr, "bench_sequencer: %s%s%s\n", err->path, err->path[0] ? ": " : "", err->text);
    exit(1);
}

static void must_be(bool is_good, const char *what)
{
    if (is_good)
        return;
    fprintf(stderr, "bench_sequencer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void line(const char *what, const char *figure, const char *target, bool is_met,
                 const char *beside)
{
    printf("%-44s %-18s %-18s %-7s %s\n", what, figure, target, is_met ? "ok" : "MISSED", beside);
    missed += !is_met;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(int who)
{
    struct rusage u;
    (void)getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* A payload such that the whole submission is a guard's decision of 256 bytes. */
static tut_submission event(char payload[EVENT_BYTES + 1], uint64_t seq)
{
    int n = snprintf(payload, EVENT_BYTES + 1,
                     "{\"action\":\"allow\",\"id\":\"%016llx\",\"prompt\":\"",
                     (unsigned long long)seq);
    memset(payload + n, 'a', (size_t)(EVENT_BYTES - n));
    memcpy(payload + EVENT_BYTES - 2, "\"}", 3);
    return (tut_submission){.log = TUT_LOG_TRAFFIC,
                            .kind = "guard.decision",
                            .producer = "bench",
                            .seq = seq,
                            .payload = tut_span_of(payload, EVENT_BYTES)};
}

/* --- one at a time --- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

/* Another process that answers each message of an event's size with one of an answer's. */
static int start_echo(void)
{
    int pair[2];
    must_be(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
    pid_t pid = fork();
    must_be(pid >= 0, "fork");
    if (pid == 0) {
        char bytes[1024];
        (void)close(pair[0]);
        while (recv(pair[1], bytes, sizeof(bytes), 0) > 0)
            must_be(send(pair[1], bytes, 17, MSG_NOSIGNAL) == 17, "send");
        _exit(0);
    }
    (void)close(pair[1]);
    return pair[0];
}

typedef struct rounds {
    double plain[ROUNDS], sign[ROUNDS], hop[ROUNDS], ours[ROUNDS];
} rounds;

static double plain_once(int fd)
{
    char payload[EVENT_BYTES] = {0};
    double start = now();
    must_be(write(fd, payload, EVENT_BYTES) == EVENT_BYTES && fdatasync(fd) == 0, "plain file");
    return now() - start;
}

static double ours_once(tut_sequencer *c, uint64_t seq)
{
    char payload[EVENT_BYTES + 1];
    tut_submission s = event(payload, seq);
    uint64_t index;
    tut_error err = {0};
    double start = now();
    must(tut_sequencer_append(c, &s, 1, &index, &err), &err);
    return now() - start;
}

/* Each goes first in turn: a disk may take its time over the second of two that follow closely. */
static void one_round(rounds *r, size_t i, int fd, int echo, const tut_key *key, tut_sequencer *c)
{
    char bytes[1024] = {0};
    tut_error err = {0};
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    if (i % 2)
        r->ours[i] = ours_once(c, i);
    r->plain[i] = plain_once(fd);
    if (i % 2 == 0)
        r->ours[i] = ours_once(c, i);
    double start = now();
    must(tut_key_sign(key, tut_span_of(bytes, EVENT_BYTES), &signature, &err), &err);
    r->sign[i] = now() - start;
    start = now();
    must_be(send(echo, bytes, EVENT_BYTES, 0) == EVENT_BYTES &&
                recv(echo, bytes, sizeof(bytes), 0) == 17,
            "echo");
    r->hop[i] = now() - start;
}

/* Where the disk takes less than five times what signing and changing processes take, those count
 * as part of the floor, and the line says that it was judged so. */
static void tell_single(rounds *r)
{
    char figure[64], beside[256];
    double plain = median(r->plain, ROUNDS), ours = median(r->ours, ROUNDS);
    double more = median(r->sign, ROUNDS) + median(r->hop, ROUNDS);
    double ratio = ours / plain, wide = ours / (plain + more);
    (void)snprintf(figure, sizeof(figure), "%.2f x floor", ratio);
    (void)snprintf(beside, sizeof(beside),
                   "%.3f ms beside %.3f ms, 256 B + fdatasync, in turn; %.2f x with the %.3f ms of "
                   "a signature and a round trip",
                   ours * 1e3, plain * 1e3, wide, more * 1e3);
    bool is_too_fast = plain < 5 * more && ratio > 1.2;
    line("one synchronous event through the sequencer", figure,
         is_too_fast ? "<= 1.2 x signed" : "<= 1.2 x", is_too_fast ? wide <= 1.2 : ratio <= 1.2,
         beside);
}

static void single(void)
{
    static rounds r;
    char path[PATH_BYTES];
    tut_error err = {0};
    tut_sequencer *client = NULL;
    TUT_AUTO(tut_key) key = NULL;
    (void)snprintf(path, sizeof(path), "%s/plain", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must_be(fd >= 0, path);
    int echo = start_echo();
    must(tut_key_generate(TUT_KEY_ED25519, &key, &err), &err);
    must(tut_sequencer_connect(&options, &client, &err), &err);
    for (size_t i = 0; i < ROUNDS; i++)
        one_round(&r, i, fd, echo, key, client);
    must(tut_sequencer_close(&client, &err), &err);
    (void)close(echo);
    (void)wait(NULL);
    (void)close(fd);
    tell_single(&r);
}

/* --- many --- */

static int ready_pipe[2];

static void ready(void *ctx, const char *socket)
{
    (void)ctx;
    (void)socket;
    must_be(write(ready_pipe[1], "r", 1) == 1, "pipe");
}

static pid_t start_service(void)
{
    must_be(pipe(ready_pipe) == 0, "pipe");
    pid_t pid = fork();
    must_be(pid >= 0, "fork");
    if (pid == 0) {
        tut_error err = {0};
        must(tut_sequencer_serve(&options, ready, NULL, &err), &err);
        exit(0);
    }
    char byte;
    must_be(read(ready_pipe[0], &byte, 1) == 1, "the service did not start");
    return pid;
}

/* How many were durable by the end, written to the pipe. */
static void produce(double until, int to)
{
    char payload[EVENT_BYTES + 1];
    tut_error err = {0};
    tut_sequencer *client = NULL;
    uint64_t sent = 0, durable = 0;
    tut_sequencer_options o = options;
    o.keys = NULL; /* the socket, or nothing */
    must(tut_sequencer_connect(&o, &client, &err), &err);
    while (now() < until) {
        for (int i = 0; i < BURST; i++) {
            tut_submission s = event(payload, sent);
            tut_status status = tut_sequencer_submit(client, &s, &err);
            if (status.code == TUT_LIMIT) {
                must(tut_sequencer_poll(client, 10, &durable, &err), &err);
                break;
            }
            must(status, &err);
            sent++;
        }
    }
    must(tut_sequencer_poll(client, -1, &durable, &err), &err);
    must_be(durable == sent, "not all were acknowledged");
    must(tut_sequencer_close(&client, &err), &err);
    must_be(write(to, &durable, sizeof(durable)) == sizeof(durable), "pipe");
    exit(0);
}

static void group(unsigned clients, double seconds)
{
    int results[2];
    must_be(pipe(results) == 0, "pipe");
    pid_t service = start_service();
    double before = cpu(RUSAGE_CHILDREN);
    double start = now();
    pid_t pids[CLIENTS_MAX];
    for (unsigned i = 0; i < clients; i++) {
        pids[i] = fork();
        must_be(pids[i] >= 0, "fork");
        if (pids[i] == 0)
            produce(start + seconds, results[1]);
    }
    uint64_t total = 0;
    for (unsigned i = 0; i < clients; i++) {
        uint64_t durable = 0;
        int status;
        must_be(waitpid(pids[i], &status, 0) == pids[i] && status == 0, "a client failed");
        must_be(read(results[0], &durable, sizeof(durable)) == sizeof(durable), "pipe");
        total += durable;
    }
    double took = now() - start;
    double clients_cpu = cpu(RUSAGE_CHILDREN);
    (void)kill(service, SIGTERM);
    int status;
    must_be(waitpid(service, &status, 0) == service && status == 0, "the service failed");
    double all_cpu = cpu(RUSAGE_CHILDREN);
    char figure[64], beside[256];
    double rate = (double)total / took;
    (void)snprintf(figure, sizeof(figure), "%.0f /s", rate);
    (void)snprintf(beside, sizeof(beside),
                   "%u clients, window %u ms; CPU of an event: clients %.1f us, sequencer %.1f us",
                   clients, options.window_ms, (clients_cpu - before) / (double)total * 1e6,
                   (all_cpu - clients_cpu) / (double)total * 1e6);
    line("durable adds through the sequencer, 256 B", figure, ">= 50,000 /s", rate >= 50000,
         beside);
}

static void tidy_up(void)
{
    char sweep[PATH_BYTES];
    (void)snprintf(sweep, sizeof(sweep), "rm -rf -- '%s'", dir);
    FILE *p = popen(sweep, "r");
    must_be(p && pclose(p) == 0, "cannot tidy up");
}

int main(int argc, char **argv)
{
    char state[PATH_BYTES];
    tut_error err = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: bench_sequencer DIR [CLIENTS [SECONDS [WINDOW_MS]]]\n");
        return 2;
    }
    unsigned clients = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 3;
    if (clients < 1 || clients > CLIENTS_MAX)
        clients = 3;
    (void)snprintf(dir, sizeof(dir), "%s/bench-sequencer-XXXXXX", argv[1]);
    must_be(mkdtemp(dir) != NULL, "cannot make a directory");
    (void)snprintf(state, sizeof(state), "%s/state", dir);
    (void)setenv("XDG_DATA_HOME", dir, 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    must(tut_keystore_open("bench", true, &keys, &err), &err);
    options = (tut_sequencer_options){.state_dir = state, .origin = "bench", .keys = keys};
    single();
    options.window_ms = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 50;
    group(clients, seconds);
    tut_keystore_free(keys);
    tidy_up();
    return missed ? 1 : 0;
}
