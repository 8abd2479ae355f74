#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json_internal.h"
#include "base/json_write.h"

#define OK(expr) assert_true(tut_is_ok(expr))

static void object_is_sorted_at_its_end(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    OK(tut_json_new(&out, &j));
    tut_json_object(j);
    tut_json_put_int(j, "b", -7);
    tut_json_key(j, "a");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "z", NULL);
    tut_json_put_bool(j, "y", true);
    tut_json_end_object(j);
    tut_json_u64(j, UINT64_MAX);
    tut_json_array(j);
    tut_json_end_array(j);
    tut_json_end_array(j);
    tut_json_key(j, "aa");
    tut_json_object(j);
    tut_json_end_object(j);
    tut_json_put_time(j, "", 0);
    tut_json_end_object(j);
    OK(tut_json_finish(j, NULL));
    assert_string_equal(tut_buf_z(&out),
                        "{\"\":\"1970-01-01T00:00:00Z\",\"a\":[{\"y\":true,"
                        "\"z\":null},18446744073709551615,[]],\"aa\":{},\"b\":-7}");
}

/* The example of RFC 8785, 3.2.3. */
static void keys_are_ordered_by_utf16_code_units(void **state)
{
    (void)state;
    static const char *const keys[] = {"\xE2\x82\xAC",     "\r",       "\xEF\xAC\xB3", "1",
                                       "\xF0\x9F\x98\x80", "\xC2\x80", "\xC3\xB6"};
    static const char *const names[] = {"Euro Sign",
                                        "Carriage Return",
                                        "Hebrew Letter Dalet With Dagesh",
                                        "One",
                                        "Emoji: Grinning Face",
                                        "Control",
                                        "Latin Small Letter O With Diaeresis"};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    OK(tut_json_new(&out, &j));
    tut_json_object(j);
    for (size_t i = 0; i < 7; i++)
        tut_json_put_z(j, keys[i], names[i]);
    tut_json_end_object(j);
    OK(tut_json_finish(j, NULL));
    assert_string_equal(
        tut_buf_z(&out),
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
        "\"\xC3\xB6\":\"Latin Small Letter O With Diaeresis\",\"\xE2\x82\xAC\":\"Euro Sign\","
        "\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\","
        "\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

static double from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* RFC 8785, appendix B. */
static void numbers_are_written_as_ecmascript_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[TUT_JSON_NUMBER_TEXT + 1] = {0};
        tut_json_number(from_bits(cases[i].bits), text);
        assert_string_equal(text, cases[i].text);
    }
}

static void numbers_read_back_as_the_same_double(void **state)
{
    (void)state;
    uint64_t x = 0x9E3779B97F4A7C15u;
    for (int i = 0; i < 200000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        double v = from_bits(x);
        if (!isfinite(v))
            continue;
        char text[TUT_JSON_NUMBER_TEXT + 1];
        size_t n = tut_json_number(v, text);
        assert_in_range(n, 1, TUT_JSON_NUMBER_TEXT);
        text[n] = '\0';
        double back = strtod(text, NULL);
        assert_true(back == v);
    }
}

static void strings_have_minimal_escapes(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    OK(tut_json_new(&out, &j));
    tut_json_str(j, TUT_LIT("\xE2\x82\xAC$\x0F\nA'B\"\\\\\"/\x7F\b\t\f\r\0z\xE2\x80\xA8"));
    OK(tut_json_finish(j, NULL));
    assert_string_equal(tut_buf_z(&out), "\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\x7F"
                                         "\\b\\t\\f\\r\\u0000z\xE2\x80\xA8\"");
}

static void bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    OK(tut_json_new(&out, &j));
    tut_json_str(j, TUT_LIT("a\xFF\xC3(\xED\xA0\x80z\xE2\x82"));
    OK(tut_json_finish(j, NULL));
    assert_string_equal(tut_buf_z(&out),
                        "\"a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz"
                        "\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void key_twice_is_a_failure(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_AUTO(tut_json) j = NULL;
        OK(tut_json_new(&out, &j));
        tut_json_object(j);
        tut_json_put_int(j, "a", 1);
        if (order)
            tut_json_put_int(j, "b", 1);
        tut_json_put_int(j, "a", 2);
        tut_json_end_object(j);
        assert_int_equal(tut_json_finish(j, NULL).code, TUT_MALFORMED);
    }
}

static void same_key_at_different_depths_is_fine(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    OK(tut_json_new(&out, &j));
    tut_json_object(j);
    tut_json_key(j, "b");
    tut_json_object(j);
    tut_json_put_int(j, "b", 1);
    tut_json_put_int(j, "a", 1);
    tut_json_end_object(j);
    tut_json_put_int(j, "a", 1);
    tut_json_end_object(j);
    OK(tut_json_finish(j, NULL));
    assert_string_equal(tut_buf_z(&out), "{\"a\":1,\"b\":{\"a\":1,\"b\":1}}");
}

typedef void (*misuse)(tut_json *j);

static void value_without_key(tut_json *j)
{
    tut_json_object(j);
    tut_json_int(j, 1);
    tut_json_end_object(j);
}

static void key_without_value(tut_json *j)
{
    tut_json_object(j);
    tut_json_key(j, "a");
    tut_json_end_object(j);
}

static void wrong_end(tut_json *j)
{
    tut_json_array(j);
    tut_json_end_object(j);
}

static void two_roots(tut_json *j)
{
    tut_json_int(j, 1);
    tut_json_int(j, 2);
}

static void left_open(tut_json *j)
{
    tut_json_array(j);
}

static void nothing(tut_json *j)
{
    (void)j;
}

static void misuse_is_a_bug_not_bad_json(void **state)
{
    (void)state;
    static const misuse cases[] = {value_without_key, key_without_value, wrong_end,
                                   two_roots,         left_open,         nothing};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_AUTO(tut_json) j = NULL;
        OK(tut_json_new(&out, &j));
        cases[i](j);
        assert_int_equal(tut_json_finish(j, NULL).code, TUT_BUG);
    }
}

static void nesting_beyond_the_limit_fails(void **state)
{
    (void)state;
    for (int depth = TUT_JSON_WRITE_DEPTH; depth <= TUT_JSON_WRITE_DEPTH + 1; depth++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_AUTO(tut_json) j = NULL;
        OK(tut_json_new(&out, &j));
        for (int i = 0; i < depth; i++)
            tut_json_array(j);
        for (int i = 0; i < depth; i++)
            tut_json_end_array(j);
        assert_int_equal(tut_json_finish(j, NULL).code,
                         depth > TUT_JSON_WRITE_DEPTH ? TUT_LIMIT : TUT_OK);
    }
}

static void real_that_is_no_number_is_null(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    OK(tut_json_new(&out, &j));
    tut_json_array(j);
    tut_json_real(j, (double)NAN);
    tut_json_real(j, (double)INFINITY);
    tut_json_real(j, 0.5);
    uint8_t digest[32] = {0xAB};
    tut_json_sha256(j, digest);
    tut_json_raw(j, TUT_LIT("{\"k\":1}"));
    tut_json_end_array(j);
    OK(tut_json_finish(j, NULL));
    assert_string_equal(tut_buf_z(&out),
                        "[null,null,0.5,{\"sha256\":\"ab000000000000000000000000000000000000000000"
                        "00000000000000000000\"},{\"k\":1}]");
}

static void one_writer_makes_many_lines(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    OK(tut_json_new(&out, &j));
    for (int i = 0; i < 3; i++) {
        tut_json_object(j);
        tut_json_put_int(j, "n", i);
        tut_json_end_object(j);
        OK(tut_json_finish(j, NULL));
        tut_buf_add_byte(&out, '\n');
    }
    assert_string_equal(tut_buf_z(&out), "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
}

static void write_sample(tut_json *j)
{
    tut_json_object(j);
    for (int i = 40; i > 0; i--) {
        char key[8] = {'k', (char)('0' + i / 10), (char)('0' + i % 10)};
        tut_json_put_int(j, key, i);
    }
    tut_json_end_object(j);
}

static void memory_running_out_shows_in_finish(void **state)
{
    (void)state;
    bool has_succeeded = false;
    for (uint64_t n = 1; !has_succeeded; n++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_AUTO(tut_json) j = NULL;
        tut_alloc_fail_after(n);
        tut_status s = tut_json_new(&out, &j);
        if (tut_is_ok(s)) {
            write_sample(j);
            s = tut_json_finish(j, NULL);
        }
        tut_alloc_fail_after(0);
        has_succeeded = tut_is_ok(s);
        if (!has_succeeded)
            assert_int_equal(s.code, TUT_NOMEM);
        assert_in_range(n, 1, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_is_sorted_at_its_end),
        cmocka_unit_test(keys_are_ordered_by_utf16_code_units),
        cmocka_unit_test(numbers_are_written_as_ecmascript_does),
        cmocka_unit_test(numbers_read_back_as_the_same_double),
        cmocka_unit_test(strings_have_minimal_escapes),
        cmocka_unit_test(bytes_that_are_no_utf8_become_replacement_characters),
        cmocka_unit_test(key_twice_is_a_failure),
        cmocka_unit_test(same_key_at_different_depths_is_fine),
        cmocka_unit_test(misuse_is_a_bug_not_bad_json),
        cmocka_unit_test(nesting_beyond_the_limit_fails),
        cmocka_unit_test(real_that_is_no_number_is_null),
        cmocka_unit_test(one_writer_makes_many_lines),
        cmocka_unit_test(memory_running_out_shows_in_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
