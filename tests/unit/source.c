#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/source.h"

static uint8_t bytes[1000];

static int make_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)((i * 2654435761u) >> 13);
    return 0;
}

static int file_of(const void *data, size_t len)
{
    char path[] = "/tmp/tutela-source-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, (const uint8_t *)data + at, len - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    return fd;
}

static void only_regular_files_are_sources(void **state)
{
    (void)state;
    tut_source source = {.size = 42};
    tut_error err;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(tut_source_file(ends[0], &source, &err).code, TUT_UNSUPPORTED);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(tut_source_file(-1, &source, &err).code, TUT_IO);
    assert_int_equal(source.size, 42);
}

static void slices_never_widen(void **state)
{
    (void)state;
    int fd = file_of(bytes, 1000);
    tut_source file;
    assert_true(tut_is_ok(tut_source_file(fd, &file, NULL)));
    const tut_source wholes[] = {file, tut_source_memory(tut_span_of(bytes, 1000))};
    for (size_t i = 0; i < 2; i++) {
        tut_source a, b, c = {.size = 42};
        uint8_t to[8];
        size_t got = 9;
        assert_true(tut_is_ok(tut_source_slice(&wholes[i], 100, 50, &a)));
        assert_true(tut_is_ok(tut_source_slice(&a, 10, 40, &b)));
        assert_true(tut_is_ok(tut_source_read(&b, 0, to, 8, NULL)));
        assert_memory_equal(to, bytes + 110, 8);
        assert_true(tut_is_ok(tut_source_read(&b, 32, to, 8, NULL)));
        assert_memory_equal(to, bytes + 142, 8);
        assert_int_equal(tut_source_read(&b, 33, to, 8, NULL).code, TUT_TRUNCATED);
        assert_int_equal(tut_source_read(&b, UINT64_MAX, to, 8, NULL).code, TUT_TRUNCATED);
        assert_true(tut_is_ok(tut_source_read_some(&b, 33, to, 8, &got, NULL)));
        assert_int_equal(got, 7);
        assert_true(tut_is_ok(tut_source_read_some(&b, UINT64_MAX, to, 8, &got, NULL)));
        assert_int_equal(got, 0);
        assert_int_equal(tut_source_slice(&a, 10, 41, &c).code, TUT_TRUNCATED);
        assert_int_equal(tut_source_slice(&a, 51, 0, &c).code, TUT_TRUNCATED);
        assert_int_equal(tut_source_slice(&a, UINT64_MAX, 2, &c).code, TUT_TRUNCATED);
        assert_int_equal(tut_source_slice(&a, 1, UINT64_MAX, &c).code, TUT_TRUNCATED);
        assert_int_equal(c.size, 42);
        assert_true(tut_is_ok(tut_source_slice(&a, 50, 0, &c)));
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_regular_files_are_sources),
        cmocka_unit_test(slices_never_widen),
    };
    return cmocka_run_group_tests(tests, make_bytes, NULL);
}
