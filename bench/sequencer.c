/*
 * Durable adds through the sequencer, beside what the disk itself can do in the same run.
 *
 *   bench_sequencer DIR [CLIENTS [SECONDS [WINDOW_MS]]]
 *
 * single: one event, waited for, through a child of our own; in turn with one append of 256 bytes
 * to a plain file and its fdatasync. The ratio of the medians. group:  CLIENTS processes submit
 * events of 256 bytes to `ledger serve`'s socket, each as fast as it is taken; all of them
 * acknowledged and durable.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "ledger/sequencer.h"

enum { EVENT_BYTES = 256, ROUNDS = 1000, CLIENTS_MAX = 64, BURST = 64 };

static const char *dir;
static tut_sequencer_options options;

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

static void single(void)
{
    static double plain[ROUNDS], ours[ROUNDS];
    char path[4096], payload[EVENT_BYTES + 1];
    tut_error err = {0};
    tut_sequencer *client = NULL;
    must_be(snprintf(path, sizeof(path), "%s/plain", dir) < (int)sizeof(path), "DIR is too long");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must_be(fd >= 0, path);
    must(tut_sequencer_connect(&options, &client, &err), &err);
    for (size_t i = 0; i < ROUNDS; i++) {
        tut_submission s = event(payload, i);
        uint64_t index;
        double start = now();
        must_be(write(fd, payload, EVENT_BYTES) == EVENT_BYTES && fdatasync(fd) == 0, path);
        double between = now();
        must(tut_sequencer_append(client, &s, 1, &index, &err), &err);
        plain[i] = between - start;
        ours[i] = now() - between;
    }
    must(tut_sequencer_close(&client, &err), &err);
    (void)close(fd);
    double p = median(plain, ROUNDS), o = median(ours, ROUNDS);
    printf("single plain_ms %.3f event_ms %.3f ratio %.3f\n", p * 1e3, o * 1e3, o / p);
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
        fprintf(stderr, "service cpu %.2f s\n", cpu(RUSAGE_CHILDREN));
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
    printf("group clients %u window_ms %u events %llu seconds %.2f per_second %.0f\n", clients,
           options.window_ms, (unsigned long long)total, took, (double)total / took);
    (void)kill(service, SIGTERM);
    int status;
    must_be(waitpid(service, &status, 0) == service && status == 0, "the service failed");
}

int main(int argc, char **argv)
{
    char state[4096];
    tut_keystore *keys = NULL;
    tut_error err = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: bench_sequencer DIR [CLIENTS [SECONDS [WINDOW_MS]]]\n");
        return 2;
    }
    dir = argv[1];
    unsigned clients = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 3;
    must_be(snprintf(state, sizeof(state), "%s/state", dir) < (int)sizeof(state),
            "DIR is too long");
    if (clients < 1 || clients > CLIENTS_MAX)
        clients = 3;
    (void)setenv("XDG_DATA_HOME", dir, 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    must(tut_keystore_open("bench", true, &keys, &err), &err);
    options = (tut_sequencer_options){.state_dir = state, .origin = "bench", .keys = keys};
    single();
    options.window_ms = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 20;
    group(clients, seconds);
    tut_keystore_free(keys);
    return 0;
}
