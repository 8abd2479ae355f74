/* The cage: batches, outcomes, deadlines, order, interruption. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/cage_batch.h"

static void a_job_sees_its_file_and_its_argument(void **state)
{
    (void)state;
    char path[] = "/tmp/tutela-test-cage-XXXXXX";
    int out = mkstemp(path);
    assert_int_equal(write(out, "content", 7), 7);
    int in = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(unlink(path), 0);
    const result *r = run_among_others(2, 0, "read", in, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_string_equal(r->reply, "content");
    r = run_among_others(2, 0, "read", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_int_equal(r->len, 0);
    /* open for writing here, read-only there */
    r = run_among_others(2, 0, "read", out, -1);
    assert_string_equal(r->reply, "content");
    r = run_among_others(2, 0, "overwrite", out, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_int_equal(strtol(r->reply, NULL, 10), EBADF);
    (void)close(in);
    (void)close(out);
}

static void a_job_that_never_ends_is_late(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        uint64_t before = tut_clock_ms();
        const result *r = run_among_others(workers, patience_ms(100), "loop", -1, -1);
        assert_int_equal(r->outcome, TUT_CAGE_TIMEOUT);
        assert_int_equal(r->error.code, TUT_LIMIT);
        assert_non_null(strstr(r->error.text, "twice"));
        uint64_t took = tut_clock_ms() - before;
        assert_true(took >= patience_ms(200) && took < patience_ms(2000));
    }
}

/* Stops the worker at hand for so long (0: for good), gives it a task, and says how long that took.
 */
static uint64_t run_stopped(uint64_t stopped_ms, bool *ret_is_replaced)
{
    TUT_AUTO(tut_cage) cage = open_cage(1, patience_ms(600));
    assert_true(tut_is_ok(submit_with(cage, 0, "echo:0", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    pid_t worker = cage->workers[0].pid;
    assert_int_equal(kill(worker, SIGSTOP), 0);
    uint64_t before = tut_clock_ms();
    pid_t waker = stopped_ms ? fork() : 0;
    if (stopped_ms && waker == 0) {
        (void)usleep((useconds_t)(stopped_ms * 1000));
        (void)kill(worker, SIGCONT);
        _exit(0);
    }
    assert_true(tut_is_ok(submit_with(cage, 1, "echo:1", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    if (stopped_ms)
        assert_int_equal(waitpid(waker, NULL, 0), waker);
    assert_int_equal(b.results[1].outcome, TUT_CAGE_DONE);
    *ret_is_replaced = cage->workers[0].pid != worker;
    return tut_clock_ms() - before;
}

static void a_job_that_waits_for_its_turn_is_not_late(void **state)
{
    (void)state;
    bool is_replaced;
    assert_true(run_stopped(patience_ms(700), &is_replaced) >= patience_ms(700));
    assert_false(is_replaced);
    assert_true(run_stopped(0, &is_replaced) >= patience_ms(2400));
    assert_true(is_replaced);
}

static void a_job_that_crashes_is_named_with_its_signal(void **state)
{
    (void)state;
    assert_crashed("segv", "signal 11");
    assert_crashed("exit", "status 7");
}

static void several_bad_ones_in_a_row_each_get_their_own_outcome(void **state)
{
    (void)state;
    static const char *const arguments[] = {"segv", "echo:a", "loop",   "exit", "segv",
                                            "loop", "error:", "echo:b", "exit", "echo:c"};
    static const tut_cage_outcome outcomes[] = {
        TUT_CAGE_CRASHED, TUT_CAGE_DONE,   TUT_CAGE_TIMEOUT, TUT_CAGE_CRASHED, TUT_CAGE_CRASHED,
        TUT_CAGE_TIMEOUT, TUT_CAGE_FAILED, TUT_CAGE_DONE,    TUT_CAGE_CRASHED, TUT_CAGE_DONE};
    for (unsigned workers = 1; workers <= 4; workers++) {
        TUT_AUTO(tut_cage) cage = open_cage(workers, patience_ms(60));
        for (size_t i = 0; i < 10; i++)
            assert_true(tut_is_ok(submit_with(cage, i, arguments[i], -1, -1)));
        assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
        assert_int_equal(b.count, 10);
        for (size_t i = 0; i < 10; i++)
            assert_int_equal(b.results[i].outcome, outcomes[i]);
        assert_string_equal(b.results[9].reply, "c");
    }
}

static void a_jobs_error_arrives_whole(void **state)
{
    (void)state;
    const result *r = run_among_others(2, 0, "error:really", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_FAILED);
    assert_int_equal(r->error.code, TUT_MALFORMED);
    assert_true(r->error.has_offset);
    assert_int_equal(r->error.offset, 42);
    assert_string_equal(r->error.text, "no good: really");
    assert_string_equal(r->error.path, "inner/name");
    assert_int_equal(r->len, 0);
}

static void a_reply_may_have_its_full_size_and_no_more(void **state)
{
    (void)state;
    char argument[32];
    (void)snprintf(argument, sizeof(argument), "large:%u", TUT_LIMIT_REPLY_BYTES);
    const result *r = run_among_others(2, 0, argument, -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_int_equal(r->len, TUT_LIMIT_REPLY_BYTES);
    (void)snprintf(argument, sizeof(argument), "large:%u", TUT_LIMIT_REPLY_BYTES + 1);
    r = run_among_others(2, 0, argument, -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_FAILED);
    assert_int_equal(r->error.code, TUT_LIMIT);
}

static uint64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void two_thousand_tasks_come_back_in_order(void **state)
{
    (void)state;
    uint64_t best_us = UINT64_MAX;
    for (int round = 0; round < 3; round++) {
        uint64_t start = now_us();
        TUT_AUTO(tut_cage) cage = open_cage(0, 0);
        int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        int dirfd = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < 2000; i++) {
            char text[32];
            (void)snprintf(text, sizeof(text), "echo:%zu", i);
            assert_true(tut_is_ok(submit_with(cage, i, text, fd, dirfd)));
        }
        assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
        (void)close(fd);
        (void)close(dirfd);
        assert_int_equal(b.count, 2000);
        for (size_t i = 0; i < 2000; i++)
            assert_int_equal(strtoul(b.results[i].reply, NULL, 10), i);
        uint64_t us = now_us() - start;
        best_us = us < best_us ? us : best_us;
    }
    print_message("2,000 tasks in %llu us\n", (unsigned long long)best_us);
}

static void one_call_takes_little_time(void **state)
{
    (void)state;
    uint64_t best_us = UINT64_MAX;
    for (int round = 0; round < 10; round++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        uint64_t start = now_us();
        tut_buf_add_z(&out, "kept ");
        assert_true(tut_is_ok(tut_cage_call(job, NULL, -1, tut_span_of("echo:x", 6), &out, NULL)));
        uint64_t us = now_us() - start;
        best_us = us < best_us ? us : best_us;
        assert_string_equal(tut_buf_z(&out), "kept x");
    }
    print_message("one call in %llu us\n", (unsigned long long)best_us);
}

static void a_call_hands_its_failure_up(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_cage_options o = {.task_ms = patience_ms(60)};
    assert_int_equal(tut_cage_call(job, &o, -1, tut_span_of("error:x", 7), &out, &err).code,
                     TUT_MALFORMED);
    assert_string_equal(err.text, "no good: x");
    assert_int_equal(tut_cage_call(job, &o, -1, tut_span_of("segv", 4), &out, &err).code, TUT_BUG);
    assert_int_equal(tut_cage_call(job, &o, -1, tut_span_of("loop", 4), &out, &err).code,
                     TUT_LIMIT);
    assert_int_equal(out.len, 0);
}

static void a_large_argument_arrives_whole(void **state)
{
    (void)state;
    size_t len = 6u << 20;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'y', len);
    memcpy(text, "echo:", 5);
    text[len] = '\0';
    TUT_AUTO(tut_cage) cage = open_cage(2, 0);
    for (size_t i = 0; i < 6; i++)
        assert_true(tut_is_ok(submit_with(cage, i, text, -1, -1)));
    free(text);
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    assert_int_equal(b.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(b.results[i].outcome, TUT_CAGE_DONE);
        assert_int_equal(b.results[i].len, 8191 - 5); /* what the job's own text holds of it */
    }
}

static void a_visitor_that_fails_ends_the_drain(void **state)
{
    (void)state;
    TUT_AUTO(tut_cage) cage = open_cage(2, 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(tut_is_ok(submit_with(cage, i, "echo:x", -1, -1)));
    b.fail_with = TUT_STORE;
    tut_error err = {0};
    assert_int_equal(tut_cage_drain(cage, take, &b, &err).code, TUT_STORE);
    assert_string_equal(err.text, "the visitor failed");
    assert_int_equal(b.count, 1);
}

static void a_cage_freed_with_tasks_under_way_leaves_nothing(void **state)
{
    (void)state;
    TUT_AUTO(tut_cage) cage = open_cage(3, 0);
    for (size_t i = 0; i < 7; i++)
        assert_true(tut_is_ok(submit_with(cage, i, "loop", -1, -1)));
    /* count_after() looks for descriptors and children */
}

static void on_alarm(int number)
{
    (void)number;
    (void)raise(SIGINT);
}

static int interrupted_drain(void)
{
    tut_interrupt_install();
    (void)signal(SIGALRM, on_alarm);
    tut_cage *cage = open_cage(2, 0);
    for (size_t i = 0; i < 4; i++)
        if (!tut_is_ok(submit_with(cage, i, "loop", -1, -1)))
            return 1;
    (void)alarm(1);
    tut_error err = {0};
    if (tut_cage_drain(cage, take, &b, &err).code != TUT_CANCELLED || !tut_interrupted())
        return 2;
    if (waitpid(-1, NULL, WNOHANG) != -1)
        return 3; /* the workers are gone by then */
    tut_cage_free(cage);
    return b.count == 0 ? 0 : 4;
}

static int second_interrupt(void)
{
    tut_interrupt_install();
    (void)raise(SIGTERM);
    (void)raise(SIGINT);
    return 0;
}

static void interruption_ends_the_drain_and_a_second_the_process(void **state)
{
    (void)state;
    assert_int_equal(in_child(interrupted_drain), 0);
    assert_int_equal(in_child(second_interrupt), 128 + SIGINT);
}

/* Ctrl-C reaches the whole group of processes: workers leave it to their parent. */
static void workers_ignore_ctrl_c(void **state)
{
    (void)state;
    TUT_AUTO(tut_cage) cage = open_cage(1, 0);
    assert_true(tut_is_ok(submit_with(cage, 0, "echo:a", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    pid_t worker = cage->workers[0].pid;
    assert_int_equal(kill(worker, SIGINT), 0);
    assert_true(tut_is_ok(submit_with(cage, 1, "echo:b", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    assert_int_equal(cage->workers[0].pid, worker);
    assert_string_equal(b.results[1].reply, "b");
}

static void workers_die_with_their_parent(void **state)
{
    (void)state;
    int tell[2];
    assert_int_equal(pipe(tell), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        tut_cage *cage = open_cage(1, 0);
        if (!tut_is_ok(submit_with(cage, 0, "echo:a", -1, -1)) ||
            !tut_is_ok(tut_cage_drain(cage, take, &b, NULL)) ||
            !tut_is_ok(submit_with(cage, 1, "loop", -1, -1)))
            _exit(1);
        pid_t worker = cage->workers[0].pid;
        _exit(write(tell[1], &worker, sizeof(worker)) == sizeof(worker) ? 0 : 1);
    }
    pid_t worker = 0;
    int status = 0;
    assert_int_equal(read(tell[0], &worker, sizeof(worker)), sizeof(worker));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    /* orphaned to us; it must end by itself */
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
    (void)close(tell[0]);
    (void)close(tell[1]);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 12; n++) {
        tut_alloc_fail_after(n);
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_status status = tut_cage_call(job, NULL, -1, tut_span_of("echo:x", 6), &out, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status))
            assert_string_equal(tut_buf_z(&out), "x");
    }
}

static int with_few_descriptors(void)
{
    struct rlimit few = {.rlim_cur = 40, .rlim_max = 40};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0)
        return 1;
    TUT_AUTO(tut_cage) cage = open_cage(2, 0);
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < 200; i++)
        if (!tut_is_ok(submit_with(cage, i, "echo:x", fd, -1)))
            return 2;
    return tut_is_ok(tut_cage_drain(cage, take, &b, NULL)) && b.count == 200 ? 0 : 3;
}

static void few_descriptors_are_enough(void **state)
{
    (void)state;
    if (tut_cage_is_instrumented())
        skip(); /* such tools keep some for themselves */
    assert_int_equal(in_child(with_few_descriptors), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_sees_its_file_and_its_argument),
        TEST(a_job_that_never_ends_is_late),
        TEST(a_job_that_waits_for_its_turn_is_not_late),
        TEST(a_job_that_crashes_is_named_with_its_signal),
        TEST(several_bad_ones_in_a_row_each_get_their_own_outcome),
        TEST(a_jobs_error_arrives_whole),
        TEST(a_reply_may_have_its_full_size_and_no_more),
        TEST(two_thousand_tasks_come_back_in_order),
        TEST(one_call_takes_little_time),
        TEST(a_call_hands_its_failure_up),
        TEST(a_large_argument_arrives_whole),
        TEST(a_visitor_that_fails_ends_the_drain),
        TEST(a_cage_freed_with_tasks_under_way_leaves_nothing),
        TEST(interruption_ends_the_drain_and_a_second_the_process),
        TEST(workers_ignore_ctrl_c),
        TEST(workers_die_with_their_parent),
        TEST(running_out_of_memory_is_an_ordinary_error),
        TEST(few_descriptors_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
