#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/status.h"

static void every_code_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (int i = 0; i < TUT_CODE_COUNT; i++) {
        assert_true(strlen(tut_code_name((tut_code)i)) > 1);
        assert_true(strlen(tut_code_sentence((tut_code)i)) > 5);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(tut_code_name((tut_code)i), tut_code_name((tut_code)j));
    }
    assert_string_equal(tut_code_name(TUT_OK), "OK");
    assert_string_equal(tut_code_name(TUT_TRUNCATED), "TRUNCATED");
    assert_string_equal(tut_code_sentence(TUT_TRUNCATED), "the data ends too early");
}

static void a_path_that_the_text_names_is_not_said_twice(void **state)
{
    (void)state;
    tut_error err = {0};
    assert_string_equal(tut_error_where(&err), "");
    assert_int_equal(tut_fail(&err, TUT_IO, "cannot read a/b").code, TUT_IO);
    tut_error_set_path(&err, "a/b");
    assert_string_equal(tut_error_where(&err), "");
    assert_int_equal(tut_fail(&err, TUT_IO, "cannot be read").code, TUT_IO);
    tut_error_set_path(&err, "a/b");
    assert_string_equal(tut_error_where(&err), "a/b");
}

static void unknown_code_is_a_bug(void **state)
{
    (void)state;
    assert_string_equal(tut_code_name((tut_code)1000), "BUG");
    assert_string_equal(tut_code_sentence((tut_code)-1), tut_code_sentence(TUT_BUG));
}

static void fail_fills_and_returns_the_code(void **state)
{
    (void)state;
    tut_error err = {.has_offset = true, .offset = 9};
    assert_int_equal(tut_fail(&err, TUT_LIMIT, "over %d", 7).code, TUT_LIMIT);
    assert_int_equal(err.code, TUT_LIMIT);
    assert_string_equal(err.text, "over 7");
    assert_false(err.has_offset);
    assert_int_equal(tut_fail_at(&err, TUT_MALFORMED, 1ull << 40, "%s", "bad").code, TUT_MALFORMED);
    assert_true(err.has_offset);
    assert_true(err.offset == 1ull << 40);
    assert_string_equal(err.text, "bad");
}

static void fail_without_an_error_only_returns_the_code(void **state)
{
    (void)state;
    assert_int_equal(tut_fail(NULL, TUT_IO, "x").code, TUT_IO);
    assert_int_equal(tut_fail_at(NULL, TUT_STORE, 1, "x").code, TUT_STORE);
    assert_int_equal(tut_fail_errno(NULL, EACCES, "x").code, TUT_DENIED);
    tut_error_set_path(NULL, "x");
}

static void long_text_is_cut(void **state)
{
    (void)state;
    char text[2 * TUT_ERROR_TEXT_MAX];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tut_error err = {0};
    assert_int_equal(tut_fail(&err, TUT_IO, "%s", text).code, TUT_IO);
    assert_int_equal(strlen(err.text), TUT_ERROR_TEXT_MAX - 1);
    assert_int_equal(tut_fail_errno(&err, ENOENT, "%s", text).code, TUT_IO);
    assert_int_equal(strlen(err.text), TUT_ERROR_TEXT_MAX - 1);
    tut_error_set_path(&err, text);
    assert_int_equal(strlen(err.path), TUT_ERROR_PATH_MAX - 1);
}

static void errno_chooses_the_code_and_ends_the_text(void **state)
{
    (void)state;
    tut_error err = {0};
    assert_int_equal(tut_fail_errno(&err, EPERM, "open").code, TUT_DENIED);
    assert_string_equal(err.text, "open: Operation not permitted");
    assert_int_equal(tut_fail_errno(&err, EACCES, "open").code, TUT_DENIED);
    assert_int_equal(tut_fail_errno(&err, ENOMEM, "open").code, TUT_NOMEM);
    assert_int_equal(tut_fail_errno(&err, ENOENT, "%s", "a.pkl").code, TUT_IO);
    assert_string_equal(err.text, "a.pkl: No such file or directory");
    assert_int_equal(err.code, TUT_IO);
}

static void innermost_path_wins(void **state)
{
    (void)state;
    tut_error err = {0};
    tut_error_set_path(&err, NULL);
    assert_string_equal(err.path, "");
    tut_error_set_path(&err, "a.zip!/data.pkl");
    tut_error_set_path(&err, "a.zip");
    assert_string_equal(err.path, "a.zip!/data.pkl");
}

static tut_status twice(tut_code code, int *ran)
{
    TUT_TRY((tut_status){code});
    *ran += 1;
    return TUT_SUCCESS;
}

static void try_hands_failures_up(void **state)
{
    (void)state;
    int ran = 0;
    assert_int_equal(twice(TUT_STORE, &ran).code, TUT_STORE);
    assert_int_equal(ran, 0);
    assert_true(tut_is_ok(twice(TUT_OK, &ran)));
    assert_int_equal(ran, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_and_a_sentence),
        cmocka_unit_test(unknown_code_is_a_bug),
        cmocka_unit_test(a_path_that_the_text_names_is_not_said_twice),
        cmocka_unit_test(fail_fills_and_returns_the_code),
        cmocka_unit_test(fail_without_an_error_only_returns_the_code),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(errno_chooses_the_code_and_ends_the_text),
        cmocka_unit_test(innermost_path_wins),
        cmocka_unit_test(try_hands_failures_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
