#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/yaml_internal.h"

static const char sample[] = "# a system\n"
                             "system:\n"
                             "  name: \"k\xC3\xA4se\"   # quoted\n"
                             "  version: 1.2\n"
                             "\xE2\x82\xAC\xE2\x82\xAC: {a: [\xF0\x9F\x98\x80, x], b: 'y'}\r\n"
                             "assets:\n"
                             "  - id: model/one\n"
                             "    note: |\n"
                             "      line\n"
                             "  - id: model/two\n";

static tut_status parse(const char *text, bool is_lenient, tut_yaml **ret_yaml, tut_error *err)
{
    return tut_yaml_parse(tut_str_of(text), is_lenient, ret_yaml, err);
}

static tut_str source_of(const tut_yaml *y, const tut_yaml_node *n)
{
    return (tut_str){tut_yaml_source(y).data + n->start, n->end - n->start};
}

static void tree_is_as_written(void **state)
{
    (void)state;
    TUT_AUTO(tut_yaml) y = NULL;
    assert_true(tut_is_ok(parse(sample, false, &y, NULL)));
    const tut_yaml_node *root = tut_yaml_root(y);
    assert_int_equal(root->type, TUT_YAML_MAPPING);
    assert_int_equal(root->count, 3);
    const tut_yaml_node *system = tut_yaml_get(y, root, "system");
    const tut_yaml_node *name = tut_yaml_get(y, system, "name");
    assert_true(tut_str_eq_z(name->text, "k\xC3\xA4se"));
    assert_true(name->is_quoted);
    assert_false(tut_yaml_get(y, system, "version")->is_quoted);
    const tut_yaml_node *assets = tut_yaml_get(y, root, "assets");
    assert_int_equal(assets->type, TUT_YAML_SEQUENCE);
    assert_int_equal(assets->count, 2);
    const tut_yaml_node *one = tut_yaml_first(y, assets);
    assert_true(tut_str_eq_z(tut_yaml_get(y, one, "note")->text, "line\n"));
    const tut_yaml_node *two = tut_yaml_next(y, one);
    assert_true(tut_str_eq_z(tut_yaml_get(y, two, "id")->text, "model/two"));
    assert_null(tut_yaml_next(y, two));
    assert_null(tut_yaml_get(y, two, "absent"));
    assert_null(tut_yaml_get(y, assets, "id"));
}

static void places_are_bytes_also_behind_wide_characters(void **state)
{
    (void)state;
    TUT_AUTO(tut_yaml) y = NULL;
    assert_true(tut_is_ok(parse(sample, false, &y, NULL)));
    const tut_yaml_node *root = tut_yaml_root(y);
    const tut_yaml_node *name = tut_yaml_get(y, tut_yaml_get(y, root, "system"), "name");
    assert_true(tut_str_eq_z(source_of(y, name), "\"k\xC3\xA4se\""));
    assert_int_equal(name->line, 3);
    assert_int_equal(name->column, 9);
    assert_int_equal(name->key_column, 3);
    const tut_yaml_node *euro = tut_yaml_get(y, root, "\xE2\x82\xAC\xE2\x82\xAC");
    assert_int_equal(euro->line, 5);
    assert_int_equal(euro->column, 9); /* two characters of three bytes, colon, blank */
    assert_true(tut_str_eq_z(source_of(y, euro), "{a: [\xF0\x9F\x98\x80, x], b: 'y'}"));
    const tut_yaml_node *b = tut_yaml_get(y, euro, "b");
    assert_true(tut_str_eq_z(source_of(y, b), "'y'"));
    const tut_yaml_node *assets = tut_yaml_get(y, root, "assets");
    assert_int_equal(assets->line, 7);
    const tut_yaml_node *two = tut_yaml_next(y, tut_yaml_first(y, assets));
    assert_int_equal(two->line, 10);
    assert_int_equal(two->column, 5);
    assert_true(tut_str_eq_z(source_of(y, two), "id: model/two"));
}

static void each_refusal_says_line_column_and_why(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *begins;
        const char *holds;
    } cases[] = {
        {"a: 1\nb: *x\n", "2:4: ", "alias"},
        {"a: &x 1\n", "1:4: ", "anchor"},
        {"a: &x [1]\n", "1:4: ", "anchor"},
        {"a: !!python/object:os.system x\n", "1:4: ", "tag"},
        {"a: !local {b: 1}\n", "1:4: ", "tag"},
        {"a:\n  <<: {b: 1}\n", "2:3: ", "merges"},
        {"a: 1\nb: 2\na: 3\n", "3:1: ", "line 1 already"},
        {"x:\n  \xC3\xA4: 1\n  \xC3\xA4: 2\n", "3:3: ", "line 2 already"},
        {"? [a]\n: b\n", "1:3: ", "key must be plain text"},
        {"{a: 1}: b\n", "1:1: ", "key must be plain text"},
        {"a: 1\n---\nb: 2\n", "2:1: ", "second document"},
        {": 1\n", "1:1: ", "key was expected"},
        {"{? : 1}\n", "1:", "key is missing"},
        {"a: b: c\n", "1:5: ", "no ':' can stand here"},
        {"\xC3\xA4\xC3\xA4: b: c\n", "1:8: ", "no ':' can stand here"},
        {"a:\n\t- b\n", "2:1: ", "tabs"},
        {"a: [1, 2\n", "2:1: ", "']'"},
        {"a: {b: 1\n", "2:1: ", "'}'"},
        {"a: \"b\n", "2:1: ", "inside quotes"},
        {"a: \"\\q\"\n", "1:5: ", "escape"},
        {"a: 1\n  b: 2\n", "2:4: ", "no ':' can stand here"},
        {"a: @x\n", "1:4: ", "quote the text"},
        {"a: \xFF\n", "1:4: ", "UTF-8"},
        {"a: \x01\n", "1:4: ", "control"},
        {"a\nb: 1\n", "2:2: ", "no ':' can stand here"},
        {"- a\nb: 1\n", "2:1: ", "list item"},
        {"%TAG ! tag:x,2000:\n---\na: 1\n", "1:1: ", "%TAG"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TUT_AUTO(tut_yaml) y = NULL;
        tut_error err = {0};
        assert_int_equal(parse(cases[i].text, false, &y, &err).code, TUT_MALFORMED);
        if (!tut_str_starts(tut_str_of(err.text), tut_str_of(cases[i].begins)) ||
            !strstr(err.text, cases[i].holds))
            fail_msg("case %zu: got \"%s\"", i, err.text);
        assert_true(err.has_offset);
        assert_in_range(err.offset, 0, strlen(cases[i].text));
    }
}

static void error_offset_is_the_byte(void **state)
{
    (void)state;
    TUT_AUTO(tut_yaml) y = NULL;
    tut_error err = {0};
    const char *text = "\xF0\x9F\x98\x80: 1\n\xC3\xA4: *x\n";
    assert_int_equal(parse(text, false, &y, &err).code, TUT_MALFORMED);
    assert_int_equal(text[err.offset], '*');
}

static void lenient_mode_counts_instead(void **state)
{
    (void)state;
    TUT_AUTO(tut_yaml) y = NULL;
    assert_true(tut_is_ok(parse("a: &x !!python/name:os.system 1\nb: *x\na: 2\n<<: *x\n"
                                "? [k]\n: v\n*x : 3\n---\nsecond: !t 1\n",
                                true, &y, NULL)));
    const tut_yaml_facts *f = tut_yaml_get_facts(y);
    assert_int_equal(f->aliases, 3);
    assert_int_equal(f->tags, 2);
    assert_int_equal(f->documents, 2);
    assert_int_equal(f->duplicate_keys, 1);
    assert_string_equal(f->first_tag, "tag:yaml.org,2002:python/name:os.system");
    const tut_yaml_node *root = tut_yaml_root(y);
    assert_true(tut_str_eq_z(tut_yaml_get(y, root, "b")->text, "*x"));
    assert_true(tut_str_eq_z(tut_yaml_get(y, root, "*x")->text, "3"));
    assert_true(tut_str_eq_z(tut_yaml_get(y, root, "")->text, "v"));
    assert_null(tut_yaml_get(y, root, "second"));
}

static void empty_text_has_no_root(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# only a comment\n", "\n\n"};
    for (size_t i = 0; i < 3; i++) {
        TUT_AUTO(tut_yaml) y = NULL;
        assert_true(tut_is_ok(parse(texts[i], false, &y, NULL)));
        assert_null(tut_yaml_root(y));
    }
}

static void limits_hold(void **state)
{
    (void)state;
    char deep[2 * TUT_LIMIT_YAML_DEPTH + 8];
    for (uint32_t depth = TUT_LIMIT_YAML_DEPTH; depth <= TUT_LIMIT_YAML_DEPTH + 1; depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        TUT_AUTO(tut_yaml) y = NULL;
        assert_int_equal(tut_yaml_parse((tut_str){deep, 2 * depth}, true, &y, NULL).code,
                         depth > TUT_LIMIT_YAML_DEPTH ? TUT_LIMIT : TUT_OK);
    }
    size_t n = 2 * ((size_t)TUT_LIMIT_YAML_NODES + 2);
    char *many = malloc(n);
    for (size_t i = 0; i < n; i += 2)
        memcpy(many + i, ",1", 2);
    many[0] = '[';
    TUT_AUTO(tut_yaml) y = NULL;
    assert_int_equal(tut_yaml_parse((tut_str){many, n}, false, &y, NULL).code, TUT_LIMIT);
    free(many);
    char *large = calloc(1, (size_t)TUT_LIMIT_YAML_BYTES + 1);
    assert_int_equal(
        tut_yaml_parse((tut_str){large, (size_t)TUT_LIMIT_YAML_BYTES + 1}, false, &y, NULL).code,
        TUT_LIMIT);
    free(large);
}

static void truncation_and_flipped_bits_are_survived(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof sample; n++) {
        TUT_AUTO(tut_yaml) y = NULL;
        tut_error err = {0};
        tut_status s = tut_yaml_parse((tut_str){sample, n}, n % 2 == 0, &y, &err);
        assert_true(tut_is_ok(s) || err.text[0]);
    }
    for (size_t bit = 0; bit < 8 * (sizeof sample - 1); bit++) {
        char text[sizeof sample];
        memcpy(text, sample, sizeof sample);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        TUT_AUTO(tut_yaml) y = NULL;
        tut_error err = {0};
        tut_status s = tut_yaml_parse((tut_str){text, sizeof sample - 1}, bit % 2 == 0, &y, &err);
        assert_true(tut_is_ok(s) || err.text[0]);
        if (tut_is_ok(s))
            assert_true(bit % 2 == 0 || tut_is_ok(tut_yaml_check_tree(y, NULL)));
    }
}

static void quoted_scalars_read_back_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "plain",
        "two words",
        "",
        " lead",
        "trail ",
        "a: b",
        "a #b",
        "#x",
        "- x",
        "*x",
        "&x",
        "!x",
        "%x",
        "@x",
        "`x",
        "'q'",
        "\"dq\"",
        "a\\b",
        "[a]",
        "{a}",
        "a,b",
        "null",
        "Null",
        "~",
        "true",
        "No",
        "on",
        "y",
        "1",
        "1.5",
        "0x1F",
        "1e5",
        ".inf",
        "-1",
        "+1",
        "2026-11-23",
        "12:30:00",
        "1_000",
        "=",
        "<<",
        "---",
        "...",
        "line\nbreak",
        "tab\there",
        "\x01\x7F",
        "k\xC3\xA4se",
        "\xE2\x80\xAEx",
        "\xF0\x9F\x98\x80",
        "\xC2\x85",
        "\xEF\xBB\xBFx",
        "models/a.gguf",
        "./a",
        "7b/model.gguf",
        "a:",
        "?",
        "? x",
        "|",
        ">",
        "a\rb",
        "TODO",
        "https://example.org/x?y=1",
        "someone@example.org",
        "a  b",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int place = 0; place < 3; place++) {
            static const char *const before[] = {"k: ", "- ", "x: ["};
            static const char *const after[] = {"\n", "\n", ", z]\n"};
            TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
            tut_buf_add_z(&out, before[place]);
            tut_yaml_quote(&out, tut_str_of(texts[i]));
            tut_buf_add_z(&out, after[place]);
            TUT_AUTO(tut_yaml) y = NULL;
            if (!tut_is_ok(tut_yaml_parse(tut_buf_str(&out), false, &y, NULL)))
                fail_msg("%s", tut_buf_z(&out));
            const tut_yaml_node *n = tut_yaml_first(y, tut_yaml_root(y));
            if (place == 2)
                n = tut_yaml_first(y, n);
            assert_true(tut_str_eq_z(n->text, texts[i]));
        }
    }
}

static bool is_quoted_by_us(const char *text)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_yaml_quote(&out, tut_str_of(text));
    return tut_buf_z(&out)[0] == '"';
}

static void words_with_a_meaning_are_quoted_and_ordinary_ones_are_not(void **state)
{
    (void)state;
    static const char *const quoted[] = {"true",       "NO",   "null", "~",    "1",
                                         "1.5",        "0x1F", "1e5",  ".nan", "-1",
                                         "2026-11-23", "1:30", "",     "off"};
    static const char *const plain[] = {"models/assistant-q4.gguf",
                                        "k\xC3\xA4se",
                                        "a b",
                                        "Apache-2.0",
                                        "none",
                                        "7b/model.gguf",
                                        "TODO"};
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++)
        assert_true(is_quoted_by_us(quoted[i]));
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        assert_false(is_quoted_by_us(plain[i]));
}

static void error_is_shown_with_its_line_and_a_caret(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_yaml_show("tutela.yaml", TUT_LIT("a: 1\n    sensitvity: internal\n    origin: x\nb: 2\n"),
                  2, 5, 10, "unknown key \"sensitvity\" in asset a; did you mean \"sensitivity\"?",
                  &out);
    assert_string_equal(tut_buf_z(&out), "tutela.yaml:2:5: unknown key \"sensitvity\" in asset a\n"
                                         "\n"
                                         "    1 | a: 1\n"
                                         "    2 |     sensitvity: internal\n"
                                         "      |     ^~~~~~~~~~  did you mean \"sensitivity\"?\n"
                                         "    3 |     origin: x\n");
}

static void caret_stands_under_its_character(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    /* a tab, a letter of two bytes, an emoji two columns wide, then the place */
    tut_yaml_show("f", TUT_LIT("\t\xC3\xA4\xF0\x9F\x98\x80xy\x1B[31m\n"), 1, 8, 2, "no", &out);
    assert_string_equal(tut_buf_z(&out), "f:1:8: no\n"
                                         "\n"
                                         "    1 |  \xC3\xA4\xF0\x9F\x98\x80xy\\x1b[31m\n"
                                         "      |     ^~\n");
    tut_buf_clear(&out);
    /* a column inside a character, and one whose text is no UTF-8 */
    tut_yaml_show("f", TUT_LIT("\xC3\xA4z"), 1, 2, 2, "in", &out);
    assert_string_equal(tut_buf_z(&out), "f:1:2: in\n\n    1 | \xC3\xA4z\n      |  ^\n");
    tut_buf_clear(&out);
    tut_yaml_show("f", TUT_LIT("a\xA4\xA4z"), 1, 2, 1, "in", &out);
    assert_in_range(out.len, 20, 80);
    tut_buf_clear(&out);
    tut_yaml_show("f", TUT_LIT("a"), 9, 1, 1, "beyond", &out);
    assert_string_equal(tut_buf_z(&out), "f:9:1: beyond\n");
    tut_buf_clear(&out);
    tut_yaml_show("f", TUT_LIT("a\n"), 1, 500, 4000000000u, "far", &out);
    assert_string_equal(tut_buf_z(&out), "f:1:500: far\n\n    1 | a\n      |  ^\n");
}

static void encode(const char *text, tut_buf *out)
{
    TUT_AUTO(tut_yaml) y = NULL;
    assert_true(tut_is_ok(parse(text, false, &y, NULL)));
    tut_yaml_encode(y, out);
    assert_true(tut_is_ok(tut_buf_check(out, NULL)));
}

static void codec_keeps_the_whole_tree(void **state)
{
    (void)state;
    static const char *const texts[] = {sample, "", "x", "[]", "{}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        TUT_CLEAN(tut_buf) once = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
        TUT_AUTO(tut_yaml) y = NULL;
        encode(texts[i], &once);
        assert_true(
            tut_is_ok(tut_yaml_decode(tut_str_of(texts[i]), tut_buf_span(&once), &y, NULL)));
        tut_yaml_encode(y, &again);
        assert_true(tut_str_eq(tut_buf_str(&once), tut_buf_str(&again)));
    }
}

static size_t count_from(const tut_yaml *y, const tut_yaml_node *root)
{
    /* Depth first without a stack is not possible here; a bounded one shows that it ends. */
    const tut_yaml_node *stack[64];
    size_t depth = 0;
    size_t count = 0;
    if (root)
        stack[depth++] = root;
    while (depth > 0) {
        const tut_yaml_node *n = stack[--depth];
        assert_in_range(++count, 1, 1000);
        for (const tut_yaml_node *c = tut_yaml_first(y, n); c; c = tut_yaml_next(y, c)) {
            assert_in_range(depth, 0, 63);
            stack[depth++] = c;
        }
    }
    return count;
}

static void hostile_replies_are_refused_or_harmless(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) good = TUT_BUF_INIT;
    encode(sample, &good);
    for (size_t n = 0; n < good.len; n++) {
        TUT_AUTO(tut_yaml) y = NULL;
        assert_int_equal(
            tut_yaml_decode(tut_str_of(sample), tut_span_of(good.data, n), &y, NULL).code,
            TUT_MALFORMED);
    }
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * good.len; bit++) {
        TUT_AUTO(tut_yaml) y = NULL;
        good.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        tut_status s = tut_yaml_decode(tut_str_of(sample), tut_buf_span(&good), &y, NULL);
        good.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (!tut_is_ok(s)) {
            assert_int_equal(s.code, TUT_MALFORMED);
            refused++;
            continue;
        }
        assert_int_equal(count_from(y, tut_yaml_root(y)), 15);
    }
    assert_true(refused > good.len); /* every link and range counts */
}

static void caged_parse_gives_the_same_tree_and_errors(void **state)
{
    (void)state;
    TUT_AUTO(tut_yaml) y = NULL;
    TUT_CLEAN(tut_buf) direct = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) caged = TUT_BUF_INIT;
    tut_error err = {0};
    encode(sample, &direct);
    tut_status s = tut_yaml_parse_caged(tut_str_of(sample), &y, &err);
    if (!tut_is_ok(s))
        fail_msg("%s", err.text);
    tut_yaml_encode(y, &caged);
    assert_true(tut_str_eq(tut_buf_str(&direct), tut_buf_str(&caged)));
    TUT_AUTO(tut_yaml) none = NULL;
    assert_int_equal(tut_yaml_parse_caged(TUT_LIT("a: 1\nb: *x\n"), &none, &err).code,
                     TUT_MALFORMED);
    assert_true(tut_str_starts(tut_str_of(err.text), TUT_LIT("2:4: ")));
}

static void memory_running_out_is_an_ordinary_error(void **state)
{
    (void)state;
    bool has_succeeded = false;
    for (uint64_t n = 1; !has_succeeded; n++) {
        TUT_AUTO(tut_yaml) y = NULL;
        tut_alloc_fail_after(n);
        tut_status s = parse(sample, false, &y, NULL);
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
        cmocka_unit_test(tree_is_as_written),
        cmocka_unit_test(places_are_bytes_also_behind_wide_characters),
        cmocka_unit_test(each_refusal_says_line_column_and_why),
        cmocka_unit_test(error_offset_is_the_byte),
        cmocka_unit_test(lenient_mode_counts_instead),
        cmocka_unit_test(empty_text_has_no_root),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(truncation_and_flipped_bits_are_survived),
        cmocka_unit_test(quoted_scalars_read_back_the_same),
        cmocka_unit_test(words_with_a_meaning_are_quoted_and_ordinary_ones_are_not),
        cmocka_unit_test(error_is_shown_with_its_line_and_a_caret),
        cmocka_unit_test(caret_stands_under_its_character),
        cmocka_unit_test(codec_keeps_the_whole_tree),
        cmocka_unit_test(hostile_replies_are_refused_or_harmless),
        cmocka_unit_test(caged_parse_gives_the_same_tree_and_errors),
        cmocka_unit_test(memory_running_out_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
