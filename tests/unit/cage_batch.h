/* Running batches of tasks through a cage, and what must hold after each test. */
#ifndef TUT_TEST_CAGE_BATCH_H
#define TUT_TEST_CAGE_BATCH_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/cage_jobs.h"

/* --- running them --- */

typedef struct result {
    bool is_done;
    tut_cage_outcome outcome;
    size_t len;
    char reply[64];
    tut_error error;
} result;

typedef struct batch {
    result results[2000];
    size_t count; /* delivered */
    tut_code fail_with;
} batch;

static batch b; /* large */

static inline tut_status take(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                              const tut_error *error, tut_error *err)
{
    batch *all = ctx;
    size_t index = (size_t)(uintptr_t)tag;
    assert_int_equal(index, all->count); /* in order of submission */
    result *r = &all->results[all->count++];
    *r = (result){.is_done = true, .outcome = outcome, .len = reply.len};
    tut_str_copy(r->reply, sizeof(r->reply), tut_str_from(reply));
    assert_true((outcome == TUT_CAGE_DONE) == (error == NULL));
    if (error)
        r->error = *error;
    if (all->fail_with != TUT_OK)
        return tut_fail(err, all->fail_with, "the visitor failed");
    return TUT_SUCCESS;
}

static inline tut_cage *open_cage(unsigned workers, uint64_t task_ms)
{
    tut_cage *cage = NULL;
    tut_cage_options o = {.workers = workers, .task_ms = task_ms};
    b = (batch){0};
    assert_true(tut_is_ok(tut_cage_open(job, &o, &cage, NULL)));
    return cage;
}

static inline tut_status submit_with(tut_cage *cage, size_t index, const char *argument, int fd,
                                     int dirfd)
{
    tut_cage_request r = {.fd = fd,
                          .sibling_dirfd = dirfd,
                          .argument = tut_span_of(argument, strlen(argument)),
                          .tag = (void *)(uintptr_t)index};
    tut_error err = {0};
    tut_status status = tut_cage_submit(cage, &r, take, &b, &err);
    if (!tut_is_ok(status))
        print_message("submit: %s\n", err.text);
    return status;
}

/* The task at hand in the middle of harmless ones, which must all come back right. */
static inline result *run_among_others(unsigned workers, uint64_t task_ms, const char *argument,
                                       int fd, int dirfd)
{
    enum { BEFORE = 12, ALL = 25 };
    TUT_AUTO(tut_cage) cage = open_cage(workers, task_ms);
    for (size_t i = 0; i < ALL; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "echo:%zu", i);
        assert_true(tut_is_ok(i == BEFORE ? submit_with(cage, i, argument, fd, dirfd)
                                          : submit_with(cage, i, text, -1, -1)));
    }
    tut_error err = {0};
    tut_status status = tut_cage_drain(cage, take, &b, &err);
    if (!tut_is_ok(status))
        print_message("drain: %s\n", err.text);
    assert_true(tut_is_ok(status));
    assert_int_equal(b.count, ALL);
    for (size_t i = 0; i < ALL; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "%zu", i);
        if (i == BEFORE)
            continue;
        assert_int_equal(b.results[i].outcome, TUT_CAGE_DONE);
        assert_string_equal(b.results[i].reply, text);
    }
    return &b.results[BEFORE];
}

static inline uint64_t patience_ms(uint64_t ms)
{
    return tut_cage_is_instrumented() ? ms * 10 : ms;
}

static inline void assert_crashed(const char *argument, const char *text)
{
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        const result *r = run_among_others(workers, patience_ms(5000), argument, -1, -1);
        assert_int_equal(r->outcome, TUT_CAGE_CRASHED);
        if (!strstr(r->error.text, text))
            print_error("%s: %s\n", argument, r->error.text);
        assert_non_null(strstr(r->error.text, text));
    }
}

/* A call that the jail punishes; sanitizer builds answer EPERM, valgrind has no filter. */
static inline void assert_forbidden(const char *argument)
{
    if (!tut_cage_is_instrumented()) {
        assert_crashed(argument, "forbidden system call");
        return;
    }
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (!jail.seccomp)
        return;
    const result *r = run_among_others(1, patience_ms(5000), argument, -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_string_equal(r->reply, "1"); /* EPERM */
}

static inline size_t open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;
    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

static size_t fds_before;

static inline int count_before(void **state)
{
    (void)state;
    tut_cage_pretend(-1, true);
    fds_before = open_descriptors();
    return 0;
}

/* After each test: no descriptor and no child process is left. */
static inline int count_after(void **state)
{
    (void)state;
    size_t now = open_descriptors();
    if (now != fds_before)
        print_error("%zu descriptors before, %zu after\n", fds_before, now);
    errno = 0;
    bool has_child = waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
    if (has_child)
        print_error("a worker was not waited for\n");
    return now == fds_before && !has_child ? 0 : -1;
}

static inline bool is_jailed(void)
{
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    return jail.landlock_abi > 0 || jail.seccomp;
}

/* In a child of its own; returns its exit status. */
static inline int in_child(int (*what)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(what());
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
