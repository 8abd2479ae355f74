/* The digest of a large file, made by a task of its own beside the examination: the report is the
 * one that a single task makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "scan/exam.h"

/* pickle.dumps of an object that reduces to os.system, 2 */
static const char shell[] = "\x80\x02"
                            "cposix\nsystem\nq\0X\x02\0\0\0idq\x01\x85q\x02Rq\x03.";

typedef struct fixture {
    char path[64];
    int fd;
} fixture;

static void make(fixture *f, uint64_t size)
{
    (void)snprintf(f->path, sizeof(f->path), "/tmp/test-scan-digest-XXXXXX");
    f->fd = mkstemp(f->path);
    assert_true(f->fd >= 0);
    assert_int_equal(write(f->fd, shell, sizeof(shell) - 1), sizeof(shell) - 1);
    assert_int_equal(ftruncate(f->fd, (off_t)size), 0);
}

static void done(fixture *f)
{
    assert_int_equal(close(f->fd), 0);
    assert_int_equal(unlink(f->path), 0);
}

static void scan(const fixture *f, unsigned workers, tut_buf *ret_report, tut_sha256 *ret_digest)
{
    TUT_AUTO(tut_scan) found = NULL;
    const char *path = f->path;
    tut_scan_options options = {.content = true, .every_file = true, .workers = workers};
    assert_true(tut_is_ok(tut_scan_run(&path, 1, &options, &found, NULL)));
    assert_int_equal(found->count, 1);
    assert_true(found->files[0].has_digest);
    *ret_digest = found->files[0].digest;
    tut_report_encode(&found->files[0], ret_report);
    assert_true(tut_is_ok(tut_buf_check(ret_report, NULL)));
}

static void one_task_or_two_say_the_same(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {4096, TUT_LIMIT_DIGEST_APART_BYTES};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fixture f;
        tut_source bytes;
        tut_sha256 due, digests[2];
        TUT_CLEAN(tut_buf) alone = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) beside = TUT_BUF_INIT;
        make(&f, sizes[i]);
        scan(&f, 1, &alone, &digests[0]);
        scan(&f, 4, &beside, &digests[1]);
        assert_true(tut_is_ok(tut_source_file(f.fd, &bytes, NULL)));
        assert_true(tut_is_ok(tut_sha256_source(&bytes, &due, NULL)));
        assert_true(tut_sha256_eq(&due, &digests[0]));
        assert_true(tut_sha256_eq(&due, &digests[1]));
        assert_int_equal(alone.len, beside.len);
        assert_memory_equal(alone.data, beside.data, alone.len);
        done(&f);
    }
}

/* What is there when it is read is less than what was there when it was opened. */
static void a_file_that_shrank_has_no_digest(void **state)
{
    (void)state;
    fixture f;
    tut_source bytes;
    TUT_CLEAN(tut_buf) argument = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    tut_exam_request request = {
        .content = true, .digest = TUT_EXAM_DIGEST_ONLY, .rel = TUT_LIT("a.pkl")};
    make(&f, 4096);
    tut_exam_request_encode(&request, &argument);
    assert_true(tut_is_ok(tut_source_file(f.fd, &bytes, NULL)));
    assert_true(tut_is_ok(tut_exam_job(NULL, &bytes, tut_buf_span(&argument), &reply, NULL)));
    assert_int_equal(reply.len, sizeof(tut_sha256));
    tut_buf_clear(&reply);
    assert_int_equal(ftruncate(f.fd, 100), 0);
    assert_true(tut_is_ok(tut_exam_job(NULL, &bytes, tut_buf_span(&argument), &reply, NULL)));
    assert_int_equal(reply.len, 0);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_task_or_two_say_the_same),
        cmocka_unit_test(a_file_that_shrank_has_no_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
