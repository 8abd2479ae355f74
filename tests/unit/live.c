#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/live.h"

static char dir[64], path[96];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/tutela-live-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/live", dir);
    return 0;
}

static int drop_dir(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* Children of these tests end as they stand; what they have open is not lost, for all that. */
enum { OPENED = 64 };
static tut_live *volatile opened[OPENED];
static size_t opened_count;

static tut_live *open_one(bool create)
{
    tut_live *live = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_live_open(path, create, &live, NULL, &err)))
        fail_msg("%s", err.text);
    opened[opened_count++ % OPENED] = live;
    return live;
}

static void wait_for(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void file_is_made_and_kept(void **state)
{
    (void)state;
    tut_live *live = NULL;
    tut_error err = {0};
    bool is_new = false;
    struct stat st;
    uint64_t boot = 0, boot_again = 0;
    assert_int_equal(tut_live_open(path, false, &live, NULL, &err).code, TUT_IO);
    assert_true(tut_is_ok(tut_live_open(path, true, &live, &is_new, &err)));
    assert_true(is_new);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(st.st_blocks * 512 >= st.st_size); /* no page of it can fail later */
    assert_true(tut_is_ok(tut_live_begin(live, &boot, &err)));
    tut_live_free(live);
    assert_true(tut_is_ok(tut_live_open(path, true, &live, &is_new, &err)));
    assert_false(is_new);
    assert_int_equal(tut_live_boot(live), boot);
    assert_true(tut_is_ok(tut_live_begin(live, &boot_again, &err)));
    assert_true(boot_again != boot);
    tut_live_free(live);
}

static void other_layout_is_made_anew_never_read(void **state)
{
    (void)state;
    tut_live *live = NULL, *old = open_one(true);
    tut_error err = {0};
    bool is_new = false;
    assert_true(tut_is_ok(tut_live_stop(old, TUT_LIVE_SYSTEM, TUT_LIT(""), 1, &err)));
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 8, SEEK_SET), 0);
    assert_int_equal(fputc(77, f), 77); /* another layout number */
    fclose(f);
    assert_int_equal(tut_live_open(path, false, &live, NULL, &err).code, TUT_STORE);
    assert_true(tut_is_ok(tut_live_open(path, true, &live, &is_new, &err)));
    assert_true(is_new);
    assert_false(tut_live_is_stopped(live, TUT_LIT("chat"), TUT_LIT(""), TUT_LIT(""), NULL));
    /* who maps the old one keeps it */
    assert_true(tut_live_is_stopped(old, TUT_LIT("chat"), TUT_LIT(""), TUT_LIT(""), NULL));
    tut_live_free(live);
    tut_live_free(old);
    assert_int_equal(truncate(path, 4096), 0);
    assert_int_equal(tut_live_open(path, false, &live, NULL, &err).code, TUT_STORE);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(tut_live_open(path, true, &live, NULL, &err).code, TUT_DENIED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/tmp/elsewhere", path), 0);
    assert_false(tut_is_ok(tut_live_open(path, true, &live, NULL, &err)));
}

static void policy_and_decisions_move_the_change_counter(void **state)
{
    (void)state;
    tut_live *live = open_one(true), *other = open_one(false);
    tut_sha256 digest, got;
    uint64_t generation = 0, before = tut_live_changes(other);
    assert_int_equal(tut_live_generation(other), 0);
    for (unsigned i = 1; i <= 9; i++) {
        memset(digest.bytes, (int)i, sizeof(digest.bytes));
        assert_true(tut_is_ok(tut_live_set_policy(live, &digest, &generation, NULL)));
        assert_int_equal(generation, i);
        assert_int_equal(tut_live_policy(other, &got), i);
        assert_memory_equal(&got, &digest, sizeof(got));
    }
    tut_live_decided(live);
    assert_int_equal(tut_live_decisions(other), 1);
    assert_int_equal(tut_live_changes(other), before + 10);
    tut_live_free(other);
    tut_live_free(live);
}

/* A digest is that of its generation at every moment, while another process changes it. */
static void policy_is_never_torn(void **state)
{
    (void)state;
    tut_live *live = open_one(true);
    tut_sha256 digest;
    uint64_t generation;
    pid_t pid = fork();
    if (pid == 0) {
        tut_live *own = open_one(false);
        for (unsigned i = 1; i <= 20000; i++) {
            memset(digest.bytes, (int)(i % 251), sizeof(digest.bytes));
            if (!tut_is_ok(tut_live_set_policy(own, &digest, &generation, NULL)))
                _exit(1);
        }
        _exit(0);
    }
    uint64_t seen = 0;
    while (seen < 20000) {
        uint64_t g = tut_live_policy(live, &digest);
        assert_true(g >= seen);
        for (size_t i = 0; g && i < sizeof(digest.bytes); i++)
            assert_int_equal(digest.bytes[i], g % 251);
        seen = g;
    }
    wait_for(pid);
    tut_live_free(live);
}

static void stops_hold_for_other_processes_and_restarts(void **state)
{
    (void)state;
    const tut_str none = {"", 0};
    tut_live *live = open_one(true), *other = open_one(false);
    tut_live_kind what = TUT_LIVE_SYSTEM;
    tut_live_stopped stops[TUT_LIVE_STOPS];
    bool was = false;
    uint64_t boot;
    assert_false(tut_live_is_stopped(other, TUT_LIT("chat"), TUT_LIT("m"), TUT_LIT("c"), NULL));
    assert_true(tut_is_ok(tut_live_stop(live, TUT_LIVE_MODEL, TUT_LIT("m"), 42, NULL)));
    assert_true(tut_is_ok(tut_live_stop(live, TUT_LIVE_MODEL, TUT_LIT("m"), 43, NULL)));
    assert_true(tut_live_is_stopped(other, TUT_LIT("chat"), TUT_LIT("m"), none, &what));
    assert_int_equal(what, TUT_LIVE_MODEL);
    assert_false(tut_live_is_stopped(other, TUT_LIT("m"), TUT_LIT("n"), TUT_LIT("m"), NULL));
    assert_false(tut_live_is_stopped(other, TUT_LIT("chat"), none, none, NULL));
    assert_int_equal(tut_live_stops(other, stops), 1);
    assert_string_equal(stops[0].name, "m");
    assert_int_equal(stops[0].since_ms, 42);
    assert_true(tut_is_ok(tut_live_begin(live, &boot, NULL)));
    assert_true(tut_live_is_stopped(other, none, TUT_LIT("m"), none, NULL));
    assert_true(tut_is_ok(tut_live_stop(live, TUT_LIVE_SYSTEM, TUT_LIT("any"), 50, NULL)));
    assert_true(tut_live_is_stopped(other, TUT_LIT("x"), none, none, &what));
    assert_int_equal(what, TUT_LIVE_SYSTEM);
    assert_true(tut_is_ok(tut_live_resume(live, TUT_LIVE_SYSTEM, none, &was, NULL)));
    assert_true(was);
    assert_true(tut_is_ok(tut_live_resume(live, TUT_LIVE_ROUTE, TUT_LIT("m"), &was, NULL)));
    assert_false(was);
    assert_true(tut_live_is_stopped(other, none, TUT_LIT("m"), none, NULL));
    assert_true(tut_is_ok(tut_live_resume(live, TUT_LIVE_MODEL, TUT_LIT("m"), &was, NULL)));
    assert_false(tut_live_is_stopped(other, none, TUT_LIT("m"), none, NULL));
    tut_live_free(other);
    tut_live_free(live);
}

static void full_table_of_stops_is_said(void **state)
{
    (void)state;
    tut_live *live = open_one(true);
    tut_error err = {0};
    char name[96];
    for (int i = 0; i < TUT_LIVE_STOPS; i++) {
        snprintf(name, sizeof(name), "route-%d-%070d", i, i);
        assert_true(tut_is_ok(tut_live_stop(live, TUT_LIVE_ROUTE, tut_str_of(name), 1, &err)));
    }
    assert_int_equal(tut_live_stop(live, TUT_LIVE_ROUTE, TUT_LIT("more"), 1, &err).code, TUT_LIMIT);
    assert_int_equal(tut_live_stop(live, TUT_LIVE_ROUTE, TUT_LIT(""), 1, &err).code, TUT_USAGE);
    /* names that are cut for display are told apart all the same */
    snprintf(name, sizeof(name), "route-0-%070d", 1);
    assert_false(tut_live_is_stopped(live, tut_str_of(name), TUT_LIT(""), TUT_LIT(""), NULL));
    snprintf(name, sizeof(name), "route-63-%070d", 63);
    assert_true(tut_live_is_stopped(live, tut_str_of(name), TUT_LIT(""), TUT_LIT(""), NULL));
    tut_live_free(live);
}

/* --- workers --- */
enum { PROCESSES = 8, ROUNDS = 4000, LIMIT = 5 };

static void admitted_never_pass_the_limit(void **state)
{
    (void)state;
    tut_live *live = open_one(true);
    pid_t pids[PROCESSES];
    for (size_t p = 0; p < PROCESSES; p++) {
        pids[p] = fork();
        if (pids[p] != 0)
            continue;
        tut_live *own = open_one(false);
        unsigned admitted = 0;
        if (!tut_is_ok(tut_live_join(own, NULL)))
            _exit(1);
        for (unsigned i = 0; i < ROUNDS; i++) {
            if (!tut_live_admit(own, TUT_GAUGE_IN_FLIGHT, 1, LIMIT))
                continue;
            admitted++;
            tut_live_move(own, TUT_GAUGE_HELD, 1); /* only those who were let in */
            if (tut_live_sum(own, TUT_GAUGE_HELD) > LIMIT)
                _exit(2);
            tut_live_move(own, TUT_GAUGE_HELD, -1);
            tut_live_move(own, TUT_GAUGE_IN_FLIGHT, -1);
        }
        tut_live_leave(own);
        _exit(admitted > ROUNDS / 100 ? 0 : 3);
    }
    for (size_t p = 0; p < PROCESSES; p++)
        wait_for(pids[p]);
    assert_int_equal(tut_live_sum(live, TUT_GAUGE_IN_FLIGHT), 0);
    tut_live_free(live);
}

static void gauges_of_a_killed_worker_come_back_its_counters_stay(void **state)
{
    (void)state;
    tut_live *live = open_one(true);
    tut_live_worker workers[TUT_LIVE_WORKERS];
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        tut_live *own = open_one(false);
        if (!tut_is_ok(tut_live_join(own, NULL)))
            _exit(1);
        tut_live_move(own, TUT_GAUGE_BODY_BYTES, 1000);
        tut_live_move(own, TUT_GAUGE_IN_FLIGHT, 3);
        tut_live_count(own, tut_live_route(own, TUT_LIT("chat")), TUT_COUNT_REQUESTS, 7);
        tut_live_ledger(own, 12345);
        tut_live_sent(own, 9);
        tut_live_acked(own, 8);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    char c;
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    assert_int_equal(tut_live_workers(live, workers), 1);
    assert_int_equal(workers[0].pid, pid);
    assert_int_equal(workers[0].last_seq, 9);
    assert_int_equal(workers[0].last_acked, 8);
    assert_int_equal(workers[0].generation, 1);
    assert_true(workers[0].epoch != 0);
    assert_int_equal(tut_live_ledger_down(live), 12345);
    assert_int_equal(tut_live_sum(live, TUT_GAUGE_BODY_BYTES), 1000);
    assert_int_equal(tut_live_reap(live, 0), 0); /* it lives */
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(tut_live_reap(live, 0), 1); /* nobody has waited for it yet */
    (void)waitpid(pid, NULL, 0);
    assert_int_equal(tut_live_sum(live, TUT_GAUGE_BODY_BYTES), 0);
    assert_int_equal(tut_live_sum(live, TUT_GAUGE_IN_FLIGHT), 0);
    assert_int_equal(tut_live_ledger_down(live), 0);
    assert_int_equal(tut_live_workers(live, workers), 0);
    unsigned route = tut_live_route(live, TUT_LIT("chat"));
    assert_int_equal(tut_live_counted(live, route, TUT_COUNT_REQUESTS), 7);
    assert_true(tut_is_ok(tut_live_join(live, NULL))); /* the same slot: counts on */
    tut_live_count(live, route, TUT_COUNT_REQUESTS, 1);
    assert_int_equal(tut_live_counted(live, route, TUT_COUNT_REQUESTS), 8);
    assert_int_equal(tut_live_worker_generation(live), 2);
    tut_live_leave(live);
    tut_live_free(live);
}

static void slots_run_out_and_come_back(void **state)
{
    (void)state;
    tut_live *lives[TUT_LIVE_WORKERS + 1];
    tut_error err = {0};
    for (size_t i = 0; i < TUT_LIVE_WORKERS; i++) {
        lives[i] = open_one(true);
        assert_true(tut_is_ok(tut_live_join(lives[i], &err)));
    }
    lives[TUT_LIVE_WORKERS] = open_one(false);
    assert_int_equal(tut_live_join(lives[TUT_LIVE_WORKERS], &err).code, TUT_LIMIT);
    tut_live_leave(lives[17]);
    assert_true(tut_is_ok(tut_live_join(lives[TUT_LIVE_WORKERS], &err)));
    for (size_t i = 0; i <= TUT_LIVE_WORKERS; i++)
        tut_live_free(lives[i]);
}

static void without_a_slot_nothing_is_let_in(void **state)
{
    (void)state;
    tut_live *live = open_one(true);
    assert_false(tut_live_admit(live, TUT_GAUGE_IN_FLIGHT, 1, 10));
    tut_live_count(live, 0, TUT_COUNT_REQUESTS, 1);
    assert_int_equal(tut_live_counted_all(live, TUT_COUNT_REQUESTS), 0);
    tut_live_free(live);
}

/* --- counters --- */
static void times_fall_into_buckets_that_hold_them(void **state)
{
    (void)state;
    tut_live *live = open_one(true);
    assert_int_equal(tut_live_quantile(live, TUT_CLOCK_TOTAL, 0.5), 0);
    assert_true(tut_is_ok(tut_live_join(live, NULL)));
    uint64_t us = 1;
    for (unsigned i = 0; i < 60; i++, us = us * 13 / 10 + 1) {
        tut_live *one = NULL;
        assert_int_equal(unlink(path), 0);
        one = open_one(true);
        assert_true(tut_is_ok(tut_live_join(one, NULL)));
        tut_live_time(one, TUT_CLOCK_TOTAL, us);
        uint64_t top = tut_live_quantile(one, TUT_CLOCK_TOTAL, 0.99);
        if (us < 100000000) {
            assert_true(top > us);
            assert_true(top <= us + us / 4 + 1);
        }
        tut_live_free(one);
    }
    for (uint64_t i = 0; i < 1000; i++)
        tut_live_time(live, TUT_CLOCK_ADDED, i < 990 ? 100 : 10000);
    assert_in_range(tut_live_quantile(live, TUT_CLOCK_ADDED, 0.5), 101, 126);
    assert_in_range(tut_live_quantile(live, TUT_CLOCK_ADDED, 0.99), 101, 126);
    assert_in_range(tut_live_quantile(live, TUT_CLOCK_ADDED, 0.995), 10001, 12501);
    tut_live_time(live, TUT_CLOCK_FIRST, UINT64_MAX / 2); /* beyond the last: in the last */
    assert_true(tut_live_quantile(live, TUT_CLOCK_FIRST, 1) > 60000000);
    tut_live_free(live);
}

static void routes_beyond_the_table_are_counted_together(void **state)
{
    (void)state;
    tut_live *live = open_one(true);
    char name[32];
    unsigned last = 0;
    assert_true(tut_is_ok(tut_live_join(live, NULL)));
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        last = tut_live_route(live, tut_str_of(name));
        assert_int_equal(last, i < TUT_LIVE_NAMES - 1 ? i : TUT_LIVE_NAMES - 1);
        assert_int_equal(tut_live_route(live, tut_str_of(name)), last);
        tut_live_count(live, last, TUT_COUNT_BYTES_IN, 10);
    }
    assert_int_equal(tut_live_counted_all(live, TUT_COUNT_BYTES_IN), 1000);
    assert_int_equal(tut_live_counted(live, last, TUT_COUNT_BYTES_IN), 370);
    tut_live_free(live);
}

static void metrics_are_prometheus_text(void **state)
{
    (void)state;
    tut_live *live = open_one(true);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_live_join(live, NULL)));
    unsigned route = tut_live_route(live, TUT_LIT("cha\"t"));
    tut_live_count(live, route, TUT_COUNT_REQUESTS, 3);
    tut_live_count_check(live, TUT_LIT("secrets_out"));
    tut_live_count_check(live, TUT_LIT("secrets_out"));
    tut_live_time(live, TUT_CLOCK_TOTAL, 1500);
    tut_live_move(live, TUT_GAUGE_IN_FLIGHT, 2);
    assert_int_equal(tut_live_counted_check(live, TUT_LIT("secrets_out")), 2);
    assert_true(tut_is_ok(tut_live_metrics(live, &out, NULL)));
    const char *text = tut_buf_z(&out);
    assert_non_null(strstr(text, "\ntutela_guard_requests_total{route=\"cha\\\"t\"} 3\n"));
    assert_non_null(strstr(text, "\ntutela_guard_reasons_total{check=\"secrets_out\"} 2\n"));
    assert_non_null(strstr(text, "\ntutela_guard_in_flight 2\n"));
    assert_non_null(strstr(text, "\ntutela_guard_request_seconds_bucket{le=\"0.001024\"} 0\n"));
    assert_non_null(strstr(text, "\ntutela_guard_request_seconds_bucket{le=\"0.002048\"} 1\n"));
    assert_non_null(strstr(text, "\ntutela_guard_request_seconds_count 1\n"));
    tut_live_free(live);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(file_is_made_and_kept),
        IN_DIR(other_layout_is_made_anew_never_read),
        IN_DIR(policy_and_decisions_move_the_change_counter),
        IN_DIR(policy_is_never_torn),
        IN_DIR(stops_hold_for_other_processes_and_restarts),
        IN_DIR(full_table_of_stops_is_said),
        IN_DIR(admitted_never_pass_the_limit),
        IN_DIR(gauges_of_a_killed_worker_come_back_its_counters_stay),
        IN_DIR(slots_run_out_and_come_back),
        IN_DIR(without_a_slot_nothing_is_let_in),
        IN_DIR(times_fall_into_buckets_that_hold_them),
        IN_DIR(routes_beyond_the_table_are_counted_together),
        IN_DIR(metrics_are_prometheus_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
