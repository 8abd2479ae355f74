#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_internal.h"
#include "base/limits.h"

static tut_status parse(const char *text, tut_json_doc **ret_doc, tut_error *err)
{
    return tut_json_parse(tut_span_of(text, strlen(text)), NULL, ret_doc, err);
}

static tut_code code_of(const char *text)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    return parse(text, &doc, NULL).code;
}

static const char sample[] = "{\"name\":\"a\\u00e9\\u0000b\",\"list\":[1,-2,3.5,true,false,null,"
                             "[],{}],\"deep\":{\"x\":{\"y\":\"z\"}},\"big\":18446744073709551615}";

static void tree_is_as_written(void **state)
{
    (void)state;
    TUT_AUTO(tut_json_doc) doc = NULL;
    assert_true(tut_is_ok(parse(sample, &doc, NULL)));
    const tut_json_value *root = tut_json_root(doc);
    assert_int_equal(root->type, TUT_JSON_OBJECT);
    assert_int_equal(tut_json_count(root), 4);
    assert_true(tut_str_eq(tut_json_get_text(root, "name"), TUT_LIT("a\xC3\xA9\0b")));
    const tut_json_value *list = tut_json_get(root, "list");
    assert_int_equal(tut_json_count(list), 8);
    assert_int_equal(tut_json_item(list, 1)->as.integer, -2);
    assert_true(tut_json_item(list, 2)->as.real == 3.5);
    assert_true(tut_json_item(list, 3)->as.boolean);
    assert_int_equal(tut_json_item(list, 5)->type, TUT_JSON_NULL);
    assert_int_equal(tut_json_count(tut_json_item(list, 6)), 0);
    assert_null(tut_json_item(list, 8));
    const tut_json_value *y = tut_json_get(tut_json_get(tut_json_get(root, "deep"), "x"), "y");
    assert_true(tut_str_eq_z(tut_json_text(y), "z"));
    assert_true(tut_str_eq_z(y->key, "y"));
    assert_int_equal(tut_json_get(root, "big")->type, TUT_JSON_UINT);
    assert_true(tut_json_get(root, "big")->as.uinteger == UINT64_MAX);
    assert_null(tut_json_get(root, "absent"));
    assert_null(tut_json_get(NULL, "absent"));
    assert_int_equal(tut_json_get_int(root, "absent", 9), 9);
}

static void integers_beyond_64_bits_become_real(void **state)
{
    (void)state;
    TUT_AUTO(tut_json_doc) doc = NULL;
    assert_true(tut_is_ok(parse("{\"9\":\"99999999999999999999\",\"a\":[18446744073709551616,"
                                "-9223372036854775809,-9223372036854775808,18446744073709551615,"
                                "123456789012345678901234567890]}",
                                &doc, NULL)));
    const tut_json_value *root = tut_json_root(doc);
    assert_true(tut_str_eq_z(tut_json_get_text(root, "9"), "99999999999999999999"));
    const tut_json_value *a = tut_json_get(root, "a");
    assert_int_equal(tut_json_item(a, 0)->type, TUT_JSON_REAL);
    assert_true(tut_json_item(a, 0)->as.real == 18446744073709551616.0);
    assert_int_equal(tut_json_item(a, 1)->type, TUT_JSON_REAL);
    assert_int_equal(tut_json_item(a, 2)->type, TUT_JSON_INT);
    assert_true(tut_json_item(a, 2)->as.integer == INT64_MIN);
    assert_int_equal(tut_json_item(a, 3)->type, TUT_JSON_UINT);
    assert_true(tut_json_item(a, 4)->as.real == 123456789012345678901234567890.0);
}

static void broken_text_is_malformed_with_its_offset(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t offset;
    } cases[] = {
        {"", 0},
        {" ", 1},
        {"{", 1},
        {"[1,]", 3},
        {"[1 2]", 3},
        {"{\"a\" 1}", 5},
        {"{a:1}", 1},
        {"{\"a\":1,}", 7},
        {"[01]", 2},
        {"[1.]", 3},
        {"[1e]", 3},
        {"[tru]", 4},
        {"[\"\\x\"]", 3},
        {"[\"\\ud800\"]", 2},
        {"[\"\x01\"]", 2},
        {"[\"\xFF\"]", 2},
        {"[] []", 3},
        {"nul", 3},
        {"\xEF\xBB\xBF[]", 0},
        {"[-]", 2},
        {"'a'", 0},
        {"[NaN]", 1},
        {"{\"a\":}", 5},
        {"[\"abc", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        tut_error err = {0};
        assert_int_equal(parse(cases[i].text, &doc, &err).code, TUT_MALFORMED);
        assert_true(err.has_offset);
        if (err.offset != cases[i].offset)
            print_message("%s: %s\n", cases[i].text, err.text);
        assert_int_equal(err.offset, cases[i].offset);
    }
}

static void number_beyond_every_double_is_malformed(void **state)
{
    (void)state;
    assert_int_equal(code_of("[1e999]"), TUT_MALFORMED);
}

static void duplicate_key_is_refused_by_name(void **state)
{
    (void)state;
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error err = {0};
    assert_int_equal(parse("{\"a\":{\"x\":1,\"y\":2,\"x\":3}}", &doc, &err).code, TUT_MALFORMED);
    assert_non_null(strstr(err.text, "\"x\""));
    /* Escaped and plain spell the same key. */
    assert_int_equal(code_of("{\"ab\":1,\"\\u0061b\":2}"), TUT_MALFORMED);
    assert_int_equal(code_of("{\"ab\":1,\"ab\\u0000\":2}"), TUT_OK);
}

/* An object of n keys, the last of which repeats the one at `again`. */
static char *big_object(int n, int again)
{
    size_t cap = (size_t)n * 24 + 32;
    char *text = malloc(cap);
    size_t at = (size_t)snprintf(text, cap, "{");
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, cap - at, "%s\"key-%d\":%d", i ? "," : "",
                               i == n - 1 && again >= 0 ? again : i, i);
    snprintf(text + at, cap - at, "}");
    return text;
}

static void duplicates_are_counted_where_allowed(void **state)
{
    (void)state;
    static const int sizes[] = {3, 16, 17, 1000};
    tut_json_options options = {.allow_duplicates = true};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        tut_str first;
        char *text = big_object(sizes[i], 1);
        assert_int_equal(code_of(text), TUT_MALFORMED);
        assert_true(
            tut_is_ok(tut_json_parse(tut_span_of(text, strlen(text)), &options, &doc, NULL)));
        assert_int_equal(tut_json_duplicates(doc, &first), 1);
        assert_true(tut_str_eq_z(first, "key-1"));
        assert_int_equal(tut_json_count(tut_json_root(doc)), sizes[i]);
        assert_int_equal(tut_json_get_int(tut_json_root(doc), "key-1", -1), 1);
        free(text);
        text = big_object(sizes[i], -1);
        assert_int_equal(code_of(text), TUT_OK);
        free(text);
    }
}

static tut_code code_at_depth(uint32_t depth, uint32_t max_depth)
{
    char *text = malloc(2 * depth);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_json_options options = {.max_depth = max_depth};
    tut_code code = tut_json_parse(tut_span_of(text, 2 * depth), &options, &doc, NULL).code;
    free(text);
    return code;
}

static void depth_is_limited_exactly(void **state)
{
    (void)state;
    assert_int_equal(code_at_depth(TUT_LIMIT_JSON_DEPTH, 0), TUT_OK);
    assert_int_equal(code_at_depth(TUT_LIMIT_JSON_DEPTH + 1, 0), TUT_LIMIT);
    assert_int_equal(code_at_depth(1, 1), TUT_OK);
    assert_int_equal(code_at_depth(2, 1), TUT_LIMIT);
    assert_int_equal(code_at_depth(100000, 0), TUT_LIMIT);
    assert_int_equal(code_at_depth(500, 1000), TUT_OK);
}

static void number_of_values_is_limited(void **state)
{
    (void)state;
    size_t n = (size_t)TUT_LIMIT_JSON_NODES + 8;
    char *text = malloc(2 * n + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(text + 2 * i, ",0", 2);
    text[0] = '[';
    text[2 * n] = ']';
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error err = {0};
    assert_int_equal(tut_json_parse(tut_span_of(text, 2 * n + 1), NULL, &doc, &err).code,
                     TUT_LIMIT);
    free(text);
}

static void every_truncation_is_malformed(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof sample - 1; n++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        tut_error err = {0};
        char *exact = malloc(n ? n : 1); /* so that a read beyond shows under ASan */
        memcpy(exact, sample, n);
        tut_status s = tut_json_parse(tut_span_of(exact, n), NULL, &doc, &err);
        free(exact);
        assert_int_equal(s.code, TUT_MALFORMED);
        assert_true(err.has_offset);
        assert_in_range(err.offset, 0, n);
    }
}

static void flipped_bits_never_break_the_reader(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * (sizeof sample - 1); bit++) {
        char text[sizeof sample];
        memcpy(text, sample, sizeof sample);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        TUT_AUTO(tut_json_doc) doc = NULL;
        tut_error err = {0};
        tut_span span = tut_span_of(text, sizeof sample - 1);
        tut_status s = tut_json_parse(span, NULL, &doc, &err);
        const char *why = NULL;
        size_t at = tut_json_locate(tut_str_from(span), &why);
        /* The parser and the grammar that explains its refusals agree. */
        if (tut_is_ok(s)) {
            assert_null(why);
            assert_int_equal(at, span.len);
        } else if (!strstr(err.text, "twice") && !strstr(err.text, "range")) {
            assert_non_null(why);
        }
    }
}

static void memory_running_out_is_an_ordinary_error(void **state)
{
    (void)state;
    bool has_succeeded = false;
    for (uint64_t n = 1; !has_succeeded; n++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        char *text = big_object(40, -1);
        tut_alloc_fail_after(n);
        tut_status s = tut_json_parse(tut_span_of(text, strlen(text)), NULL, &doc, NULL);
        tut_alloc_fail_after(0);
        free(text);
        has_succeeded = tut_is_ok(s);
        if (!has_succeeded)
            assert_int_equal(s.code, TUT_NOMEM);
        assert_in_range(n, 1, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_is_as_written),
        cmocka_unit_test(integers_beyond_64_bits_become_real),
        cmocka_unit_test(broken_text_is_malformed_with_its_offset),
        cmocka_unit_test(number_beyond_every_double_is_malformed),
        cmocka_unit_test(duplicate_key_is_refused_by_name),
        cmocka_unit_test(duplicates_are_counted_where_allowed),
        cmocka_unit_test(depth_is_limited_exactly),
        cmocka_unit_test(number_of_values_is_limited),
        cmocka_unit_test(every_truncation_is_malformed),
        cmocka_unit_test(flipped_bits_never_break_the_reader),
        cmocka_unit_test(memory_running_out_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
