#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/term.h"

#define OK(expr) assert_true(tut_is_ok(expr))

static const tut_term wide = {.unicode = true, .is_terminal = true, .width = 80};

static void fill(tut_table *t)
{
    tut_table_column(t, 0, "File", TUT_LEFT, true);
    tut_table_column(t, 1, "Rows", TUT_RIGHT, false);
    tut_table_column(t, 2, "Verdict", TUT_LEFT, false);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, "data/kb-articles.jsonl");
    tut_table_cellf(t, TUT_STYLE_PLAIN, "%d,%d", 8, 412);
    tut_table_cell_z(t, TUT_STYLE_GOOD, "clean");
    tut_table_cell_z(t, TUT_STYLE_PLAIN, "\xE6\xA8\xA1\xE5\x9E\x8B");
    tut_table_cell_z(t, TUT_STYLE_PLAIN, "12");
    tut_table_cell_z(t, TUT_STYLE_BAD, "");
}

static void columns_are_as_wide_as_their_content(void **state)
{
    (void)state;
    TUT_AUTO(tut_table) t = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    OK(tut_table_new(3, &t));
    fill(t);
    OK(tut_table_print(t, &wide, 2, &out));
    assert_string_equal(tut_buf_z(&out), "  File                      Rows   Verdict\n"
                                         "  data/kb-articles.jsonl   8,412   clean\n"
                                         "  \xE6\xA8\xA1\xE5\x9E\x8B                        12\n");
}

static void flexible_column_gives_way_on_a_terminal(void **state)
{
    (void)state;
    TUT_AUTO(tut_table) t = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    OK(tut_table_new(3, &t));
    fill(t);
    tut_term narrow = wide;
    narrow.width = 34;
    OK(tut_table_print(t, &narrow, 0, &out));
    assert_string_equal(tut_buf_z(&out), "File                 Rows  Verdict\n"
                                         "data/\xE2\x80\xA6"
                                         "ticles.jsonl  8,412  clean\n"
                                         "\xE6\xA8\xA1\xE5\x9E\x8B                   12\n");
}

static void no_line_exceeds_the_width(void **state)
{
    (void)state;
    for (unsigned width = 24; width < 60; width++) {
        TUT_AUTO(tut_table) t = NULL;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        OK(tut_table_new(3, &t));
        fill(t);
        tut_term narrow = wide;
        narrow.width = width;
        OK(tut_table_print(t, &narrow, 0, &out));
        tut_str all = tut_buf_str(&out);
        for (size_t at; tut_str_find(all, TUT_LIT("\n"), &at);) {
            assert_in_range(tut_utf8_columns((tut_str){all.data, at}), 0, width);
            all = (tut_str){all.data + at + 1, all.len - at - 1};
        }
        assert_int_equal(all.len, 0);
    }
}

static void nothing_is_shortened_off_a_terminal(void **state)
{
    (void)state;
    TUT_AUTO(tut_table) t = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    OK(tut_table_new(3, &t));
    fill(t);
    tut_term off = {.unicode = true, .width = 24};
    OK(tut_table_print(t, &off, 0, &out));
    assert_non_null(strstr(tut_buf_z(&out), "data/kb-articles.jsonl  8,412  clean\n"));
}

static void cells_are_escaped_and_coloured_without_their_padding(void **state)
{
    (void)state;
    TUT_AUTO(tut_table) t = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    OK(tut_table_new(2, &t));
    tut_table_cell_z(t, TUT_STYLE_BAD, "a\033");
    tut_table_cell_z(t, TUT_STYLE_PLAIN, "b");
    tut_table_cell_z(t, TUT_STYLE_WARN, "longer");
    tut_term color = wide;
    color.color = true;
    OK(tut_table_print(t, &color, 0, &out));
    assert_string_equal(tut_buf_z(&out), "\033[31ma\\x1b\033[0m    b\n\033[33mlonger\033[0m\n");
}

static void memory_running_out_is_reported(void **state)
{
    (void)state;
    bool has_succeeded = false;
    for (uint64_t n = 1; !has_succeeded; n++) {
        TUT_AUTO(tut_table) t = NULL;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        tut_status s = tut_table_new(3, &t);
        if (tut_is_ok(s)) {
            fill(t);
            s = tut_table_print(t, &wide, 0, &out);
        }
        tut_alloc_fail_after(0);
        has_succeeded = tut_is_ok(s);
        if (!has_succeeded)
            assert_int_equal(s.code, TUT_NOMEM);
        assert_in_range(n, 1, 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_content),
        cmocka_unit_test(flexible_column_gives_way_on_a_terminal),
        cmocka_unit_test(no_line_exceeds_the_width),
        cmocka_unit_test(nothing_is_shortened_off_a_terminal),
        cmocka_unit_test(cells_are_escaped_and_coloured_without_their_padding),
        cmocka_unit_test(memory_running_out_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
