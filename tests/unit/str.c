#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/str.h"

static tut_str z(const char *text)
{
    return tut_str_of(text);
}

static const tut_str null = {NULL, 0};

static void comparison_is_bytewise(void **state)
{
    (void)state;
    assert_true(tut_str_eq(z("abc"), z("abc")));
    assert_false(tut_str_eq(z("abc"), z("abd")));
    assert_false(tut_str_eq(z("abc"), z("ab")));
    assert_false(tut_str_eq(TUT_LIT("a\0b"), TUT_LIT("a\0c")));
    assert_true(tut_str_eq(null, z("")));
    assert_true(tut_str_eq_z(null, NULL));
    assert_true(tut_str_cmp(z("a"), z("b")) < 0);
    assert_true(tut_str_cmp(z("b"), z("a")) > 0);
    assert_true(tut_str_cmp(z("a"), z("ab")) < 0);
    assert_true(tut_str_cmp(z("ab"), z("a")) > 0);
    assert_true(tut_str_cmp(z("\x7f"), z("\xc3")) < 0);
    assert_int_equal(tut_str_cmp(null, null), 0);
    assert_true(tut_str_ieq(z("AbZ["), z("aBz[")));
    assert_false(tut_str_ieq(z("["), z("{")));
    assert_false(tut_str_ieq(z("a"), z("ab")));
}

static void prefix_suffix_and_search(void **state)
{
    (void)state;
    size_t at = 99;
    assert_true(tut_str_starts(z("model.pkl"), z("model")));
    assert_true(tut_str_starts(z("x"), null));
    assert_false(tut_str_starts(z("mo"), z("model")));
    assert_true(tut_str_ends(z("model.pkl"), z(".pkl")));
    assert_true(tut_str_ends(null, null));
    assert_false(tut_str_ends(z("pkl"), z(".pkl")));
    assert_true(tut_str_find(z("abcabc"), z("bc"), &at));
    assert_int_equal(at, 1);
    assert_true(tut_str_find(z("abc"), null, &at));
    assert_int_equal(at, 0);
    at = 99;
    assert_false(tut_str_find(z("abc"), z("cd"), &at));
    assert_false(tut_str_find(null, z("a"), &at));
    assert_int_equal(at, 99);
}

static void trim_takes_white_space_from_both_ends(void **state)
{
    (void)state;
    assert_true(tut_str_eq_z(tut_str_trim(z(" \t\r\n a b \v\f")), "a b"));
    assert_int_equal(tut_str_trim(z("  \n")).len, 0);
    assert_int_equal(tut_str_trim(null).len, 0);
}

static void copy_is_cut_and_ended(void **state)
{
    (void)state;
    char to[4] = "###";
    tut_str_copy(to, sizeof(to), z("abcdef"));
    assert_string_equal(to, "abc");
    tut_str_copy(to, sizeof(to), z("ab"));
    assert_string_equal(to, "ab");
    tut_str_copy(to, sizeof(to), null);
    assert_string_equal(to, "");
    char one[1] = {'#'};
    tut_str_copy(one, 1, z("abc"));
    assert_int_equal(one[0], 0);
}

static void u64_takes_digits_that_fit_and_nothing_else(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_true(tut_str_u64(z("0"), &v) && v == 0);
    assert_true(tut_str_u64(z("007"), &v) && v == 7);
    assert_true(tut_str_u64(z("18446744073709551615"), &v) && v == UINT64_MAX);
    v = 7;
    const char *const bad[] = {
        "", "18446744073709551616", "99999999999999999999", "-1", "+1", " 1", "1 ", "0x1", "1.0"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(tut_str_u64(z(bad[i]), &v));
    assert_int_equal(v, 7);
}

/* Every code point there is, encoded by the rule, reads back; surrogates do not. */
static void every_code_point_reads_back(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char b[4];
        size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        uint32_t rest = c;
        for (size_t i = len; i > 1; i--, rest >>= 6)
            b[i - 1] = (char)(0x80 | (rest & 0x3f));
        b[0] = (char)(lead[len] | rest);
        uint32_t got = 0;
        size_t n = tut_utf8_len((tut_str){b, len}, &got);
        if (c >= 0xd800 && c < 0xe000) {
            assert_int_equal(n, 0);
            continue;
        }
        assert_int_equal(n, len);
        assert_int_equal(got, c);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(tut_utf8_len((tut_str){b, cut}, &got), 0);
    }
}

static void ill_formed_sequences_are_refused(void **state)
{
    (void)state;
    const char *const bad[] = {
        "\x80",         "\xbf",         "\xc0\x80",         "\xc1\xbf",         "\xc3(",
        "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "\xe2\x82(",    "\xf0\x9f\x98("};
    uint32_t c;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(tut_utf8_len(z(bad[i]), &c), 0);
        assert_false(tut_utf8_valid(z(bad[i])));
    }
    assert_true(tut_utf8_valid(z("aé€😀")));
    assert_true(tut_utf8_valid(null));
    assert_false(tut_utf8_valid(z("a\xe2\x82")));
}

static void columns_follow_the_width_of_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t columns;
    } cases[] = {{"", 0},         {"abc", 3},     {"é", 1},
                 {"e\u0301", 1},  {"日本語", 6},  {"한국", 4},
                 {"ｆｕｌｌ", 8}, {"😀", 2},       {"a\u200bb", 2},
                 {"…", 1},        {"✓ ● ◐", 5},   {"\xff\xfe", 2},
                 {"\u00ad", 1},   {"\x1b[1m", 3}, {"𠀀", 2},
                 {"ก็", 1},        {"█▌", 2},      {"\u1100\u1161\u11a8", 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(tut_utf8_columns(z(cases[i].text)), cases[i].columns);
}

static void distance_counts_single_slips(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t d;
    } cases[] = {{"", "", 0},
                 {"", "abc", 3},
                 {"abc", "", 3},
                 {"scan", "scan", 0},
                 {"scan", "scna", 1},
                 {"scan", "san", 1},
                 {"scan", "scaan", 1},
                 {"scan", "skan", 1},
                 {"kitten", "sitting", 3},
                 {"ca", "abc", 2},
                 {"ab", "ba", 1},
                 {"abcd", "badc", 2},
                 {"saturday", "sunday", 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(tut_str_distance(z(cases[i].a), z(cases[i].b)), cases[i].d);
        assert_int_equal(tut_str_distance(z(cases[i].b), z(cases[i].a)), cases[i].d);
    }
}

static void distance_is_a_metric(void **state)
{
    (void)state;
    char words[31][5];
    size_t count = 0;
    for (unsigned len = 0; len <= 4; len++) {
        for (unsigned bits = 0; bits < 1u << len; bits++, count++) {
            for (unsigned i = 0; i < len; i++)
                words[count][i] = bits >> i & 1 ? 'b' : 'a';
            words[count][len] = '\0';
        }
    }
    assert_int_equal(count, 31);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            size_t ij = tut_str_distance(z(words[i]), z(words[j]));
            assert_int_equal(ij == 0, i == j);
            assert_int_equal(ij, tut_str_distance(z(words[j]), z(words[i])));
            for (size_t k = 0; k < count; k++)
                assert_true(ij <= tut_str_distance(z(words[i]), z(words[k])) +
                                      tut_str_distance(z(words[k]), z(words[j])));
        }
    }
}

static void long_words_have_no_distance(void **state)
{
    (void)state;
    char text[66];
    memset(text, 'a', sizeof(text));
    assert_int_equal(tut_str_distance((tut_str){text, 64}, z("")), 64);
    assert_int_equal(tut_str_distance((tut_str){text, 64}, (tut_str){text, 64}), 0);
    assert_true(tut_str_distance((tut_str){text, 65}, z("a")) == SIZE_MAX);
    assert_true(tut_str_distance(z("a"), (tut_str){text, 65}) == SIZE_MAX);
    const char *const candidates[] = {"aaaa"};
    assert_null(tut_str_nearest((tut_str){text, 65}, candidates, 1));
}

static void nearest_is_found_only_when_near(void **state)
{
    (void)state;
    const char *const words[] = {"scan", "assess", "report", "inventory", "init", "verify"};
    const size_t n = sizeof(words) / sizeof(words[0]);
    assert_string_equal(tut_str_nearest(z("scna"), words, n), "scan");
    assert_string_equal(tut_str_nearest(z("SCAN"), words, n), "scan");
    assert_string_equal(tut_str_nearest(z("asses"), words, n), "assess");
    assert_string_equal(tut_str_nearest(z("invetnroy"), words, n), "inventory");
    assert_string_equal(tut_str_nearest(z("reprot"), words, n), "report");
    assert_string_equal(tut_str_nearest(z("veriffy"), words, n), "verify");
    assert_null(tut_str_nearest(z("sing"), words, n));
    assert_null(tut_str_nearest(z("deploy"), words, n));
    assert_null(tut_str_nearest(z(""), words, n));
    assert_null(tut_str_nearest(z("scan"), words, 0));
    const char *const letters[] = {"a", "bc"};
    assert_null(tut_str_nearest(z("x"), letters, 2));
    assert_string_equal(tut_str_nearest(z("b"), letters, 2), "bc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_is_bytewise),
        cmocka_unit_test(prefix_suffix_and_search),
        cmocka_unit_test(trim_takes_white_space_from_both_ends),
        cmocka_unit_test(copy_is_cut_and_ended),
        cmocka_unit_test(u64_takes_digits_that_fit_and_nothing_else),
        cmocka_unit_test(every_code_point_reads_back),
        cmocka_unit_test(ill_formed_sequences_are_refused),
        cmocka_unit_test(columns_follow_the_width_of_characters),
        cmocka_unit_test(distance_counts_single_slips),
        cmocka_unit_test(distance_is_a_metric),
        cmocka_unit_test(long_words_have_no_distance),
        cmocka_unit_test(nearest_is_found_only_when_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
