#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "memcheck.h"
#include "unit/rows_shown.h"

static void lines_are_rows(void **state)
{
    (void)state;
    READS_AS("a.jsonl", "{\"a\":1,\"b\":1.50,\"c\":\"x\"}\n\n{\"a\":null,\"b\":true,\"d\":\"\"}",
             "a|b|c|d\ni1|n1.50|tx|-\n-|btrue|-|t\n");
}

static void objects_are_columns_and_lists_stay_whole(void **state)
{
    (void)state;
    READS_AS("a.jsonl", "{\"a\":{\"b\":{\"c\":1},\"d\":[1, {\"x\":2}]},\"e\":{},\"f\":[]}\n",
             "a.b.c|a.d|e|f\ni1|l[1, {\"x\":2}]|l{}|l[]\n");
}

static void escapes_are_read(void **state)
{
    (void)state;
    READS_AS("a.jsonl", "{\"\\u0061\":\"\\\"\\\\\\/\\n\\t\\u00e9\\u20ac\\ud83d\\ude00\"}\n",
             "a\nt\"\\/\n\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n");
    static const char text[] = "{\"a\":\"x\\ud800y\"}\n";
    shown s = show("a.jsonl", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a\ntx\xef\xbf\xbdy\n");
    assert_int_equal(broken(&s, TUT_ROWS_ENCODING), 1);
    tut_buf_done(&s.text);
}

static void talk_is_one_text(void **state)
{
    (void)state;
    static const char text[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi \\\"x\\\"\"},{\"role\":\"assistant\","
        "\"content\":[{\"type\":\"text\",\"text\":\"yo\"},{\"type\":\"image\"}]}],\"n\":1}\n"
        "{\"messages\":[{\"from\":\"human\",\"value\":\"q\"}],\"n\":2}\n"
        "{\"messages\":[{\"x\":1}],\"n\":3}\n";
    shown s = show("a.jsonl", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text),
                        "messages|n\nthi \"x\"\nyo|i1\ntq|i2\nl[{\"x\":1}]|i3\n");
    assert_string_equal(s.facts.layout, "chat");
    assert_string_equal(s.facts.format, "jsonl");
    tut_buf_done(&s.text);
}

static void instructions_are_recognised(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[{\"instruction\":\"a\",\"input\":\"\",\"output\":\"b\"}]",
        "[{\"prompt\":\"a\",\"completion\":\"b\"}]",
        "[{\"question\":\"a\",\"answer\":\"b\"}]",
    };
    for (size_t i = 0; i < 3; i++) {
        shown s = show("a.json", texts[i], strlen(texts[i]));
        assert_string_equal(s.facts.layout, "instruction");
        assert_string_equal(s.facts.format, "json");
        tut_buf_done(&s.text);
    }
}

static void lists_of_objects_and_of_lists_are_rows(void **state)
{
    (void)state;
    READS_AS("a.json", " [ {\"a\":1} , {\"a\":-2e3} ] ", "a\ni1\ni-2e3\n");
    READS_AS("a.json", "[[1,\"x\"],[2],[]]", "0|1\ni1|tx\ni2|-\n-|-\n");
    READS_AS("a.json", "[1,\"x\",null]", "value\ni1\ntx\n-\n");
    READS_AS("a.jsonl", "[1,2]\n[3,4]\n", "0|1\ni1|i2\ni3|i4\n");
}

static void a_list_within_an_object_is_found(void **state)
{
    (void)state;
    static const char text[] =
        "{\"meta\":{\"v\":[1,2],\"t\":\"]}\"},\n \"data\":[{\"x\":1},{\"x\":2}],\"n\":[[3]],\n"
        "\"more\":[{\"y\":2}]}";
    shown s = show("a.json", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text), "x\ni1\ni2\n");
    assert_int_equal(broken(&s, TUT_ROWS_UNREAD), 1);
    tut_buf_done(&s.text);
    READS_AS("a.json", "{\"data\":[{\"a\":1},{\"a\":2}]}", "a\ni1\ni2\n");
    READS_AS("a.jsonl", "{\"data\":[{\"a\":1},{\"a\":2}]}", "data\nl[{\"a\":1},{\"a\":2}]\n");
    shown none = show("a.json", "{\n\"a\":1}", 8);
    assert_int_equal(none.err.code, TUT_UNSUPPORTED);
    tut_buf_done(&none.text);
}

static void a_broken_line_is_counted_and_the_next_is_read(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1}\n{\"a\":}\n{\"a\":2}\n{\"a\":3\n{\"a\":4} x\n{\"a\":01}\n"
                               "{\"a\":\"\t\"}\n{\"a\":\"\\x\"}\nnul\n{\"a\":5}\n{\"a\":6";
    shown s = show("a.jsonl", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a\ni1\ni2\ni5\n");
    assert_int_equal(broken(&s, TUT_ROWS_SYNTAX), 8);
    assert_string_equal(s.facts.defects[TUT_ROWS_SYNTAX].items[1].detail,
                        "line 4: it ends too early");
    assert_int_equal(s.facts.defects[TUT_ROWS_SYNTAX].items[1].row, 2);
    assert_int_equal(s.facts.defects[TUT_ROWS_SYNTAX].items[1].offset, 23);
    tut_buf_done(&s.text);
}

static void a_broken_item_is_left_out_of_a_list(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"a\":1},{\"a\":nope,\"b\":\"],{\"},{\"a\":2},{\"a\":[1,2},{\"a\":3}]";
    shown s = show("a.json", text, sizeof(text) - 1);
    assert_true(s.facts.rows >= 2);
    assert_true(broken(&s, TUT_ROWS_SYNTAX) >= 2);
    tut_buf_done(&s.text);
    static const char cut[] = "[{\"a\":1},{\"a\":2";
    s = show("a.json", cut, sizeof(cut) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a\ni1\n");
    assert_int_equal(broken(&s, TUT_ROWS_CUT), 1);
    tut_buf_done(&s.text);
}

static void a_key_twice_is_a_defect(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1,\"b\":{\"a\":2},\"a\":3}\n{\"a\":4}\n";
    shown s = show("a.jsonl", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a|b.a\ni3|i2\ni4|-\n");
    assert_int_equal(broken(&s, TUT_ROWS_DUPLICATE), 1);
    tut_buf_done(&s.text);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (int is_list = 0; is_list < 2; is_list++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        for (int k = 0; k < 100000; k++)
            tut_buf_add_z(&text, is_list && k ? "[" : "{\"a\":");
        tut_buf_add_z(&text, "\n{\"b\":1}\n");
        shown s = show("a.jsonl", text.data, text.len);
        assert_int_equal(broken(&s, TUT_ROWS_DEPTH), 1);
        assert_int_equal(s.facts.rows, 1);
        tut_buf_done(&s.text);
    }
}

static void other_bytes_than_utf8_are_told(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":\"caf\xe9\"}\n{\"a\":\"x\"}\n";
    shown s = show("a.jsonl", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a\ntcaf\xc3\xa9\ntx\n");
    assert_string_equal(s.facts.encoding, "windows-1252");
    tut_buf_done(&s.text);
    static const char utf16[] = "\xff\xfe{\0\"\0a\0\"\0:\0\"\0\xe9\0\"\0}\0\n\0";
    s = show("a.jsonl", utf16, sizeof(utf16) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a\nt\xc3\xa9\n");
    tut_buf_done(&s.text);
}

static void batches_join_without_a_seam(void **state)
{
    (void)state;
    unsigned count = RUNNING_ON_VALGRIND ? 3000 : 40000;
    for (int is_list = 0; is_list < 2; is_list++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_AUTO(tut_rows) rows = NULL;
        const tut_batch *b = NULL;
        uint64_t next = 0;
        tut_buf_add_z(&text, is_list ? "[" : "");
        for (unsigned i = 0; i < count; i++)
            tut_buf_printf(&text, "%s{\"id\":%u,\"o\":{\"t\":\"%0*d \\n\"}}\n",
                           is_list && i ? "," : "", i, (int)(i % 900), 7);
        tut_buf_add_z(&text, is_list ? "]" : "");
        tut_source source = tut_source_memory(tut_buf_span(&text));
        assert_true(tut_is_ok(tut_rows_open(&source, "x", &rows, NULL)));
        while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b) {
            for (size_t i = 0; i < b->count; i++, next++) {
                size_t width = next % 900 ? next % 900 : 1;
                assert_true(b->cells[0].numbers[i] == (double)next);
                assert_int_equal(b->cells[1].texts[i].len, width + 2);
                assert_int_equal(text.data[b->offsets[i]], '{');
            }
        }
        assert_int_equal(next, count);
    }
}

static void a_record_that_is_too_long_is_left_out(void **state)
{
    (void)state;
    if (RUNNING_ON_VALGRIND)
        skip();
    for (int is_list = 0; is_list < 2; is_list++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_add_z(&text, is_list ? "[{\"a\":1}\n,{\"a\":\"" : "{\"a\":1}\n{\"a\":\"");
        uint8_t *to = tut_buf_extend(&text, 40u << 20);
        assert_non_null(to);
        memset(to, 'x', 40u << 20);
        tut_buf_add_z(&text, is_list ? "\"}\n,{\"a\":2}]" : "\"}\n{\"a\":2}\n");
        shown s = show("a", text.data, text.len);
        assert_string_equal(tut_buf_z(&s.text), "a\ni1\ni2\n");
        assert_int_equal(broken(&s, TUT_ROWS_LONG), 1);
        tut_buf_done(&s.text);
    }
}

static void every_cut_of_a_file_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"m\":{\"x\":[]},\n\"d\":[{\"a\":\"\\u00e9\\n\",\"b\":[{\"role\":\"u\","
        "\"content\":\"\\\\\"}]},\n{\"a\":-1.5e3,\"b\":null}],\"e\":true}";
    for (size_t len = 1; len < sizeof(text); len++) {
        shown s = show("x.json", text, len);
        assert_true(s.err.code == TUT_OK || s.err.code == TUT_UNSUPPORTED);
        tut_buf_done(&s.text);
    }
}

static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":\"\\n\",\"b\":{\"c\":[{\"role\":\"u\",\"content\":\"x\"}]}}\n";
    for (uint64_t n = 1; n < 60; n++) {
        tut_alloc_fail_after(n);
        shown s = show("x.jsonl", text, sizeof(text) - 1);
        tut_alloc_fail_after(0);
        assert_true(s.err.code == TUT_OK || s.err.code == TUT_NOMEM);
        tut_buf_done(&s.text);
    }
}

/* The other parser of the tree is the oracle: it takes the whole file. */
static void a_public_file_reads_as_simdjson_does(void **state)
{
    (void)state;
    static const char path[] = "../shared/data/data/pii/synth_dataset_v2.json";
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_AUTO(tut_rows) rows = NULL;
    TUT_AUTO(tut_json_doc) doc = NULL;
    const tut_batch *b = NULL;
    uint32_t at = 0;
    if (!tut_is_ok(tut_fs_read(path, 64 << 20, &file, NULL))) {
        print_message("%s is not here: skipped\n", path);
        skip();
    }
    tut_source source = tut_source_memory(tut_buf_span(&file));
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&file), NULL, &doc, NULL)));
    assert_true(tut_is_ok(tut_rows_open(&source, path, &rows, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b) {
        assert_true(tut_str_eq_z(b->names[0], "full_text"));
        for (size_t i = 0; i < b->count; i++, at++) {
            const tut_json_value *v = tut_json_item(tut_json_root(doc), at);
            assert_true(tut_str_eq(b->cells[0].texts[i], tut_json_get_text(v, "full_text")));
            assert_true(tut_str_eq(b->cells[1].texts[i], tut_json_get_text(v, "masked")));
        }
    }
    assert_int_equal(at, 1500);
    assert_int_equal(at, tut_json_count(tut_json_root(doc)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_rows),
        cmocka_unit_test(objects_are_columns_and_lists_stay_whole),
        cmocka_unit_test(escapes_are_read),
        cmocka_unit_test(talk_is_one_text),
        cmocka_unit_test(instructions_are_recognised),
        cmocka_unit_test(lists_of_objects_and_of_lists_are_rows),
        cmocka_unit_test(a_list_within_an_object_is_found),
        cmocka_unit_test(a_broken_line_is_counted_and_the_next_is_read),
        cmocka_unit_test(a_broken_item_is_left_out_of_a_list),
        cmocka_unit_test(a_key_twice_is_a_defect),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(other_bytes_than_utf8_are_told),
        cmocka_unit_test(batches_join_without_a_seam),
        cmocka_unit_test(a_record_that_is_too_long_is_left_out),
        cmocka_unit_test(every_cut_of_a_file_is_read),
        cmocka_unit_test(memory_that_runs_out_is_told),
        cmocka_unit_test(a_public_file_reads_as_simdjson_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
