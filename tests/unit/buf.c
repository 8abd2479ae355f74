#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/reader.h"

static void content_is_what_was_added(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add(&b, "ab", 2);
    tut_buf_add(&b, NULL, 0);
    tut_buf_add_z(&b, "cd");
    tut_buf_add_str(&b, TUT_LIT("e\0f"));
    tut_buf_add_byte(&b, 'g');
    tut_buf_printf(&b, "%d-%s", 12, "x");
    tut_buf_add_hex(&b, "\x00\xfe", 2);
    assert_true(tut_str_eq(tut_buf_str(&b), TUT_LIT("abcde\0fg12-x00fe")));
    assert_true(tut_is_ok(tut_buf_check(&b, NULL)));
}

static void numbers_are_little_endian_and_read_back(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_u32le(&b, 0x01020304);
    tut_buf_add_u64le(&b, 0x0102030405060708);
    tut_buf_add_sized(&b, TUT_LIT("xyz"));
    tut_buf_add_sized(&b, (tut_str){NULL, 0});
    assert_memory_equal(b.data, "\4\3\2\1\x8\7\6\5\4\3\2\1\3\0\0\0xyz\0\0\0\0", 23);
    assert_int_equal(b.len, 23);
    tut_reader r = tut_reader_of(tut_buf_span(&b));
    uint32_t a;
    uint64_t c;
    tut_str s;
    assert_true(tut_is_ok(tut_reader_u32le(&r, &a)) && a == 0x01020304);
    assert_true(tut_is_ok(tut_reader_u64le(&r, &c)) && c == 0x0102030405060708);
    assert_true(tut_is_ok(tut_reader_sized(&r, &s)) && tut_str_eq_z(s, "xyz"));
    assert_true(tut_is_ok(tut_reader_sized(&r, &s)) && s.len == 0);
    assert_int_equal(tut_reader_left(&r), 0);
}

static void growth_keeps_the_content(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    for (uint32_t i = 0; i < 50000; i++)
        tut_buf_add_u32le(&b, i * 2654435761u);
    assert_int_equal(b.len, 200000);
    tut_reader r = tut_reader_of(tut_buf_span(&b));
    for (uint32_t i = 0; i < 50000; i++) {
        uint32_t v;
        assert_true(tut_is_ok(tut_reader_u32le(&r, &v)));
        assert_int_equal(v, i * 2654435761u);
    }
}

static void cap_is_exact_and_remembered(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b;
    tut_error err = {0};
    tut_buf_init(&b, 5);
    tut_buf_add_z(&b, "12345");
    assert_true(tut_is_ok(tut_buf_check(&b, &err)));
    assert_string_equal(tut_buf_z(&b), "12345");
    tut_buf_add_byte(&b, '6');
    assert_int_equal(tut_buf_check(&b, &err).code, TUT_LIMIT);
    assert_int_equal(err.code, TUT_LIMIT);
    assert_null(tut_buf_z(&b));
    assert_null(tut_buf_extend(&b, 0));
    assert_null(tut_buf_steal(&b));
    assert_int_equal(b.len, 5);
    tut_buf_clear(&b);
    assert_true(tut_is_ok(tut_buf_check(&b, &err)));
    tut_buf_printf(&b, "%s", "123456");
    assert_int_equal(tut_buf_check(&b, &err).code, TUT_LIMIT);
    assert_int_equal(b.len, 0);
    tut_buf_done(&b);
    tut_buf_printf(&b, "%05d", 1);
    assert_string_equal(tut_buf_z(&b), "00001");
}

static void absurd_lengths_fail_without_touching_memory(void **state)
{
    (void)state;
    volatile size_t huge = SIZE_MAX;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_byte(&b, 'x');
    assert_null(tut_buf_extend(&b, huge));
    assert_int_equal(tut_buf_check(&b, NULL).code, TUT_NOMEM);
    tut_buf_clear(&b);
    assert_null(tut_buf_extend(&b, huge - 1));
    tut_buf_clear(&b);
    tut_buf_add_hex(&b, "", huge);
    assert_int_equal(tut_buf_check(&b, NULL).code, TUT_LIMIT);
    tut_buf_clear(&b);
    tut_buf_add_sized(&b, (tut_str){"", (size_t)UINT32_MAX + 1});
    assert_int_equal(tut_buf_check(&b, NULL).code, TUT_LIMIT);
    tut_buf_add_byte(&b, 'y');
    assert_int_equal(b.len, 0);
}

static void steal_hands_over_and_empties(void **state)
{
    (void)state;
    tut_buf b = TUT_BUF_INIT;
    TUT_AUTO_FREE char *empty = tut_buf_steal(&b);
    assert_string_equal(empty, "");
    tut_buf_add_z(&b, "text");
    TUT_AUTO_FREE char *text = tut_buf_steal(&b);
    assert_string_equal(text, "text");
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    tut_buf_done(&b);
    tut_buf_done(&b);
}

static void long_printf_is_whole(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    for (int width = 0; width < 300; width++) {
        tut_buf_clear(&b);
        tut_buf_printf(&b, "<%*d>", width, 7);
        size_t expected = 2 + (size_t)(width ? width : 1);
        assert_int_equal(b.len, expected);
        assert_int_equal(b.data[expected - 1], '>');
        assert_int_equal(b.data[expected - 2], '7');
        assert_int_equal(strlen(tut_buf_z(&b)), expected);
    }
}

static void every_failing_allocation_is_remembered(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        for (int i = 0; i < 100; i++)
            tut_buf_printf(&b, "%d ", i);
        tut_buf_add_escaped(&b, TUT_LIT("\x1b"), 100);
        char *text = tut_buf_steal(&b);
        tut_alloc_fail_after(0);
        if (text) {
            assert_int_equal(strlen(text), 10 * 2 + 90 * 3 + 4);
            tut_free(text);
            assert_true(n > 3);
            break;
        }
        assert_int_equal(tut_buf_check(&b, NULL).code, TUT_NOMEM);
        assert_null(tut_buf_extend(&b, 1));
    }
}

static void check_escaped(tut_str in, size_t max, const char *expected)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_escaped(&b, in, max);
    assert_string_equal(tut_buf_z(&b), expected);
}

static void what_could_deceive_is_escaped(void **state)
{
    (void)state;
    const size_t all = (size_t)-1;
    check_escaped(TUT_LIT("plain é 日本 😀 e\u0301"), all, "plain é 日本 😀 e\u0301");
    check_escaped(TUT_LIT("a\x1b[31m\n\t\0\x7f"), all, "a\\x1b[31m\\x0a\\x09\\x00\\x7f");
    check_escaped(TUT_LIT("\xc2\x85"), all, "\\u{0085}");
    check_escaped(TUT_LIT("\xff\xe2\x82"), all, "\\xff\\xe2\\x82");
    check_escaped(TUT_LIT("a\u202egpj"), all, "a\\u{202e}gpj");
    check_escaped(TUT_LIT("\u2066\u2069\u200f\u061c\ufeff\u2028"), all,
                  "\\u{2066}\\u{2069}\\u{200f}\\u{061c}\\u{feff}\\u{2028}");
    check_escaped(TUT_LIT("\U000e0041"), all, "\\u{e0041}");
    check_escaped((tut_str){NULL, 0}, all, "");
}

static void escaped_text_is_cut_to_characters(void **state)
{
    (void)state;
    check_escaped(TUT_LIT("abcdef"), 6, "abcdef");
    check_escaped(TUT_LIT("abcdef"), 5, "abcde…");
    check_escaped(TUT_LIT("éééé"), 3, "ééé…");
    check_escaped(TUT_LIT("ab\n"), 5, "ab…");
    check_escaped(TUT_LIT("ab\n"), 6, "ab\\x0a");
    check_escaped(TUT_LIT("x"), 0, "…");
    check_escaped(TUT_LIT(""), 0, "");
}

/* No byte of any input reaches a terminal as a control or breaks the encoding. */
static void escaped_output_is_always_clean(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char in[24];
        for (size_t i = 0; i < sizeof(in); i++) {
            seed = seed * 1664525u + 1013904223u;
            in[i] = (char)(seed >> 24);
        }
        TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
        tut_buf_add_escaped(&b, (tut_str){in, sizeof(in)}, 1 + (size_t)round % 120);
        assert_true(tut_utf8_valid(tut_buf_str(&b)));
        for (size_t at = 0; at < b.len;) {
            uint32_t c;
            at += tut_utf8_len((tut_str){(char *)b.data + at, b.len - at}, &c);
            assert_true(c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0x202a && c <= 0x202e));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_what_was_added),
        cmocka_unit_test(numbers_are_little_endian_and_read_back),
        cmocka_unit_test(growth_keeps_the_content),
        cmocka_unit_test(cap_is_exact_and_remembered),
        cmocka_unit_test(absurd_lengths_fail_without_touching_memory),
        cmocka_unit_test(steal_hands_over_and_empties),
        cmocka_unit_test(long_printf_is_whole),
        cmocka_unit_test(every_failing_allocation_is_remembered),
        cmocka_unit_test(what_could_deceive_is_escaped),
        cmocka_unit_test(escaped_text_is_cut_to_characters),
        cmocka_unit_test(escaped_output_is_always_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
