/*
 * Every call by which the log changes the disk is made to fail, to fall short and to be the last
 * one, in turn. After each, opening again finds every acknowledged entry and nothing torn, without
 * help, and the log goes on.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/fs.h"
#include "log_fixture.h"
#include "memcheck.h"

static log_fixture fx;

static int make(void **state)
{
    (void)state;
    fixture_make(&fx, "logfault");
    return 0;
}

static int wipe(void **state)
{
    (void)state;
    tut_log_io_fault(TUT_LOG_FAULT_NONE, 0, 0);
    fixture_wipe(&fx);
    return 0;
}

static int done(void **state)
{
    (void)state;
    fixture_done(&fx);
    return 0;
}

/* What was promised to whom appended, and what was tried. */
typedef struct promise {
    uint64_t acknowledged, tried;
} promise;

static bool append(tut_log *log, size_t count, promise *p)
{
    tut_error err = {0};
    p->tried = tut_log_size(log) + count;
    if (tut_is_ok(fixture_try_append(log, count, &err))) {
        p->acknowledged = tut_log_size(log);
        assert_int_equal(p->acknowledged, p->tried);
        return true;
    }
    assert_true(err.text[0] != '\0');
    assert_int_equal(tut_log_size(log), p->tried - count);
    assert_int_equal(fixture_try_append(log, 1, NULL).code, TUT_STORE);
    assert_int_equal(tut_log_fold(log, NULL).code, TUT_STORE);
    assert_int_equal(tut_log_renew(log, NULL).code, TUT_STORE);
    return false;
}

/* A life of a log with everything in it. Folding may fail and appending go on. */
static bool live(tut_log *log, promise *p)
{
    if (!append(log, 3, p) || !append(log, 260, p))
        return false;
    TUT_IGNORE(tut_log_fold(log, NULL));
    if (!append(log, 5, p))
        return false;
    TUT_IGNORE(tut_log_fold(log, NULL));
    if (!append(log, 1, p) || !tut_is_ok(tut_log_renew(log, NULL)))
        return false;
    return append(log, 2, p);
}

static void run_life(promise *p)
{
    tut_log *log = NULL;
    if (!tut_is_ok(tut_log_open(&fx.options, true, &log, NULL)))
        return;
    assert_true(tut_log_size(log) >= p->acknowledged);
    if (live(log, p))
        TUT_IGNORE(tut_log_close(&log, NULL));
    tut_log_free(log);
}

static void never_found(void *ctx, const char *name, const char *detail)
{
    (void)ctx;
    fail_msg("%s: %s", name, detail);
}

/* What a crash leaves is no damage, and is told apart from it. */
static void only_torn(void *ctx, const char *name, const char *detail)
{
    (void)ctx;
    if (!strstr(detail, "a crash leaves that") && strcmp(name, "anchor") != 0)
        fail_msg("%s: %s", name, detail);
}

static void assert_content(tut_log *log, const promise *p)
{
    tut_merkle_range range;
    tut_sha256 want, got;
    uint64_t size = tut_log_size(log);
    assert_in_range(size, p->acknowledged, p->tried > p->acknowledged ? p->tried : p->acknowledged);
    fixture_range(size, &range);
    tut_merkle_range_root(&range, &want);
    tut_log_root(log, &got);
    assert_memory_equal(&got, &want, sizeof(want));
    for (uint64_t i = 0; i < size; i++) {
        uint8_t room[FIXTURE_ENTRY_MAX];
        tut_span entry = fixture_entry(i, room);
        TUT_CLEAN(tut_buf) found = TUT_BUF_INIT;
        assert_true(tut_is_ok(tut_log_entry(log, i, &found, NULL)));
        assert_int_equal(found.len, entry.len);
        assert_memory_equal(found.data, entry.data, entry.len);
    }
}

/* By a reader before anything was put right, by a writer, and by a reader after it went on. */
static void assert_recovers(promise *p)
{
    tut_error err = {0};
    tut_log *log = NULL;
    tut_status status = tut_log_open(&fx.options, false, &log, &err);
    if (tut_is_ok(status)) {
        assert_content(log, p);
        fixture_must(tut_log_verify(log, only_torn, NULL, &err), &err, "verify");
        tut_log_free(log);
    } else if (p->acknowledged || status.code != TUT_IO) {
        fail_msg("%s", err.text);
    }
    log = fixture_open(&fx, true);
    assert_content(log, p);
    fixture_append(log, 1);
    p->tried = p->acknowledged = tut_log_size(log);
    fixture_close(log);
    log = fixture_open(&fx, false);
    assert_content(log, p);
    fixture_must(tut_log_verify(log, never_found, NULL, &err), &err, "verify");
    tut_log_free(log);
}

static void start_empty(promise *p)
{
    (void)p;
}

/* Frames in the journal that no fold has seen. */
static void start_unfolded(promise *p)
{
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 250);
    fixture_must(tut_log_renew(log, NULL), NULL, "renew");
    fixture_append(log, 10);
    p->tried = p->acknowledged = tut_log_size(log);
    tut_log_free(log);
}

static void start_closed(promise *p)
{
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 255);
    p->tried = p->acknowledged = tut_log_size(log);
    fixture_close(log);
}

static void start_torn(promise *p)
{
    start_unfolded(p);
    fixture_run("printf 'TLF1 what a crash left' >> log/journal", fx.root);
}

static void fault_each_call(void (*start)(promise *), tut_log_fault kind, int errno_value)
{
    uint64_t n = 0, calls = 0;
    do {
        promise p = {0};
        n += memcheck_step(11);
        start(&p);
        tut_log_io_fault(kind, n, errno_value);
        run_life(&p);
        calls = tut_log_io_calls();
        tut_log_io_fault(TUT_LOG_FAULT_NONE, 0, 0);
        if (calls < n) /* the fault came too late: this was a life without one */
            assert_int_equal(p.acknowledged, p.tried);
        assert_recovers(&p);
        fixture_wipe(&fx);
    } while (n <= calls);
    print_message("%llu calls\n", (unsigned long long)(n - 1));
    assert_true(n > 50);
}

#define FAULT_TEST(name, start, kind, errno_value)                                                 \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        fault_each_call(start, kind, errno_value);                                                 \
    }

FAULT_TEST(a_full_disk_at_each_call, start_empty, TUT_LOG_FAULT_FAIL, ENOSPC)
FAULT_TEST(an_io_error_at_each_call_of_a_closed_log, start_closed, TUT_LOG_FAULT_FAIL, EIO)
FAULT_TEST(a_short_write_at_each_call, start_unfolded, TUT_LOG_FAULT_SHORT, ENOSPC)
FAULT_TEST(a_crash_at_each_call_from_nothing, start_empty, TUT_LOG_FAULT_CRASH, EIO)
FAULT_TEST(a_crash_at_each_call_of_a_closed_log, start_closed, TUT_LOG_FAULT_CRASH, EIO)
FAULT_TEST(a_crash_at_each_call_after_a_crash, start_torn, TUT_LOG_FAULT_CRASH, EIO)

/* Every allocation of opening, appending, folding and closing fails in turn. */
static void running_out_of_memory_anywhere_is_an_ordinary_error(void **state)
{
    (void)state;
    /* Some failures are made good on the spot; the end is where none was left to happen. */
    enum { UNTOUCHED = 40 };
    unsigned untouched = 0;
    uint64_t n = 1;
    for (; untouched < UNTOUCHED; n += memcheck_step(9)) {
        promise p = {0};
        start_unfolded(&p);
        tut_alloc_fail_after(n);
        tut_log *log = NULL;
        bool is_done = false;
        if (tut_is_ok(tut_log_open(&fx.options, true, &log, NULL))) {
            uint64_t first = 0;
            tut_span entry;
            uint8_t room[FIXTURE_ENTRY_MAX];
            entry = fixture_entry(tut_log_size(log), room);
            p.tried++;
            if (tut_is_ok(tut_log_append(log, &entry, 1, &first, NULL))) {
                p.acknowledged++;
                is_done = tut_is_ok(tut_log_close(&log, NULL));
            }
        }
        tut_alloc_fail_after(0);
        tut_log_free(log);
        assert_recovers(&p);
        fixture_wipe(&fx);
        untouched = is_done ? untouched + 1 : 0;
    }
    print_message("%llu allocations\n", (unsigned long long)n - UNTOUCHED - 1);
    assert_true(n > UNTOUCHED + 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_full_disk_at_each_call, wipe),
        cmocka_unit_test_teardown(an_io_error_at_each_call_of_a_closed_log, wipe),
        cmocka_unit_test_teardown(a_short_write_at_each_call, wipe),
        cmocka_unit_test_teardown(a_crash_at_each_call_from_nothing, wipe),
        cmocka_unit_test_teardown(a_crash_at_each_call_of_a_closed_log, wipe),
        cmocka_unit_test_teardown(a_crash_at_each_call_after_a_crash, wipe),
        cmocka_unit_test_teardown(running_out_of_memory_anywhere_is_an_ordinary_error, wipe),
    };
    return cmocka_run_group_tests(tests, make, done);
}
