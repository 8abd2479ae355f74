#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "data/rows_internal.h"
#include "unit/rows_shown.h"

static void a_text_is_one_row(void **state)
{
    (void)state;
    static const char text[] = "# Title\n\nSome words, and more.\n";
    shown s = show("a.md", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text), "text\nt# Title\n\nSome words, and more.\n\n");
    assert_string_equal(s.facts.format, "text");
    assert_string_equal(s.facts.layout, "document");
    tut_buf_done(&s.text);
}

static void a_long_text_comes_in_pieces(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t len = (size_t)TUT_ROWS_CELL_BYTES + 5;
    uint8_t *to = tut_buf_extend(&text, len);
    assert_non_null(to);
    for (size_t i = 0; i < len; i++) /* a character across the cut */
        to[i] = i == TUT_ROWS_CELL_BYTES - 1 ? 0xc3 : i == TUT_ROWS_CELL_BYTES ? 0xa9 : 'x';
    TUT_AUTO(tut_rows) rows = NULL;
    const tut_batch *b = NULL;
    tut_source source = tut_source_memory(tut_buf_span(&text));
    assert_true(tut_is_ok(tut_rows_open(&source, "a.txt", &rows, NULL)));
    assert_true(tut_is_ok(tut_rows_next(rows, &b, NULL)) && b && b->count == 1);
    assert_int_equal(b->cells[0].texts[0].len, TUT_ROWS_CELL_BYTES - 1);
    assert_true(tut_is_ok(tut_rows_next(rows, &b, NULL)) && b && b->count == 1);
    assert_int_equal(b->first, 1);
    assert_int_equal(b->offsets[0], TUT_ROWS_CELL_BYTES - 1);
    assert_int_equal(b->cells[0].texts[0].len, 6);
    assert_true(tut_is_ok(tut_rows_next(rows, &b, NULL)) && !b);
}

static void what_is_no_dataset_is_refused(void **state)
{
    (void)state;
    char noise[4096];
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * 2654435761u >> 13);
    shown s = show("a.csv", noise, sizeof(noise));
    assert_int_equal(s.err.code, TUT_UNSUPPORTED);
    tut_buf_done(&s.text);
    s = show("a.csv", "", 0);
    assert_int_equal(s.err.code, TUT_UNSUPPORTED);
    tut_buf_done(&s.text);
}

/* printf 'a,b\n1,x\n2,y\n' | gzip -n9 | xxd -i */
static const uint8_t as_gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b,
                                  0xd4, 0x49, 0xe2, 0x32, 0xd4, 0xa9, 0xe0, 0x32, 0xd2, 0xa9, 0xe4,
                                  0x02, 0x00, 0xc2, 0x96, 0x7e, 0x9d, 0x0c, 0x00, 0x00, 0x00};

static void packed_files_are_unpacked(void **state)
{
    (void)state;
    shown s = show("a.csv.gz", as_gzip, sizeof(as_gzip));
    assert_string_equal(tut_buf_z(&s.text), "a|b\ni1|tx\ni2|ty\n");
    assert_string_equal(s.facts.compression, "gzip");
    assert_string_equal(s.facts.format, "csv");
    assert_int_equal(s.facts.bytes, 12);
    tut_buf_done(&s.text);
}

static void a_packed_file_that_breaks_off_is_told(void **state)
{
    (void)state;
    shown s = show("a.csv.gz", as_gzip, sizeof(as_gzip) - 6);
    assert_int_equal(s.err.code, TUT_TRUNCATED);
    assert_int_equal(s.facts.rows, 2);
    assert_int_equal(broken(&s, TUT_ROWS_CUT), 1);
    tut_buf_done(&s.text);
}

static void looks_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tut_cell_kind kind;
        double number;
    } cases[] = {
        {"1", TUT_CELL_INTEGER, 1},
        {"1.0", TUT_CELL_INTEGER, 1},
        {"+.5", TUT_CELL_NUMBER, 0.5},
        {"007", TUT_CELL_INTEGER, 7},
        {"1e400", TUT_CELL_NUMBER, INFINITY},
        {"-inf", TUT_CELL_NUMBER, -INFINITY},
        {"TRUE", TUT_CELL_BOOL, 1},
        {"false", TUT_CELL_BOOL, 0},
        {"", TUT_CELL_NONE, NAN},
        {"N/A", TUT_CELL_NONE, NAN},
        {"NULL", TUT_CELL_NONE, NAN},
        {"NaN", TUT_CELL_NUMBER, NAN},
        {"none", TUT_CELL_TEXT, NAN},
        {"1 2", TUT_CELL_TEXT, NAN},
        {"0x10", TUT_CELL_TEXT, NAN},
        {"t", TUT_CELL_TEXT, NAN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double number = 7;
        if (rows_look(tut_str_of(cases[i].text), &number) != cases[i].kind)
            fail_msg("%s", cases[i].text);
        assert_true(number == cases[i].number || (isnan(number) && isnan(cases[i].number)));
    }
}

static void columns_are_bounded(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (int i = 0; i <= TUT_ROWS_COLUMNS; i++)
        tut_buf_printf(&text, "%sc%d", i ? "," : "", i);
    tut_buf_add_z(&text, "\n1,2\n");
    shown s = show("a.csv", text.data, text.len);
    assert_int_equal(s.err.code, TUT_LIMIT);
    tut_buf_done(&s.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_one_row),
        cmocka_unit_test(a_long_text_comes_in_pieces),
        cmocka_unit_test(what_is_no_dataset_is_refused),
        cmocka_unit_test(packed_files_are_unpacked),
        cmocka_unit_test(a_packed_file_that_breaks_off_is_told),
        cmocka_unit_test(looks_are_told),
        cmocka_unit_test(columns_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
