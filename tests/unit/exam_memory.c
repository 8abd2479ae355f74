/* Memory runs out at any point while a file is examined, of every format that is fuzzed: then the
 * examination says so, or it is not complete. A report that lacks something and looks whole would
 * be worse than none. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/jail.h"
#include "scan/exam.h"

#define SEEDS "tests/fuzz/seeds"
enum { SEED_BYTES_MAX = 64 << 10, TRIES_MAX = 100000 };

static tut_status examine(const char *name, tut_span bytes, tut_buf *ret_report, bool *ret_is_whole)
{
    tut_file_report report = {0};
    tut_source source = tut_source_memory(bytes);
    tut_exam_request request = {.content = true, .rel = tut_str_of(name)};
    tut_status status = tut_exam_file(NULL, &source, &request, &report, NULL);
    *ret_is_whole = report.status == TUT_SCAN_COMPLETE || report.status == TUT_SCAN_UNSUPPORTED;
    tut_alloc_fail_after(0);
    if (tut_is_ok(status))
        tut_report_encode(&report, ret_report);
    tut_file_report_done(&report);
    return status;
}

/* Every allocation at first, then ever fewer of them. */
static uint64_t after(uint64_t n)
{
    uint64_t share = tut_jail_is_instrumented() ? 4 : 16;
    return n + 1 + n / share;
}

static void starve(const char *path, const char *name, size_t *count)
{
    TUT_CLEAN(tut_buf) seed = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) due = TUT_BUF_INIT;
    bool is_whole;
    if (!tut_is_ok(tut_fs_read(path, SEED_BYTES_MAX, &seed, NULL)) ||
        !tut_is_ok(examine(name, tut_buf_span(&seed), &due, &is_whole)))
        return;
    for (uint64_t n = 1; n < TRIES_MAX; n = after(n)) {
        TUT_CLEAN(tut_buf) got = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        tut_status status = examine(name, tut_buf_span(&seed), &got, &is_whole);
        ++*count;
        if (!tut_is_ok(status)) {
            assert_int_equal(status.code, TUT_NOMEM);
            continue;
        }
        if (got.len == due.len && memcmp(got.data, due.data, due.len) == 0)
            return; /* there was enough */
        if (is_whole)
            fail_msg("%s: without the %llu. piece of memory it says something else, as if all "
                     "were read",
                     path, (unsigned long long)n);
    }
    fail_msg("%s: never enough memory", path);
}

static void each_in(const char *dir, void (*what)(const char *, const char *, size_t *),
                    size_t *count)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        TUT_AUTO_FREE char *path = tut_fs_join(dir, e->d_name);
        assert_non_null(path);
        if (e->d_name[0] != '.')
            what(path, e->d_name, count);
    }
    assert_int_equal(closedir(d), 0);
}

static void starve_all(const char *path, const char *name, size_t *count)
{
    (void)name;
    each_in(path, starve, count);
}

static void a_report_without_memory_does_not_look_whole(void **state)
{
    (void)state;
    size_t count = 0;
    each_in(SEEDS, starve_all, &count);
    print_message("%zu examinations\n", count);
    assert_true(count > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_without_memory_does_not_look_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
