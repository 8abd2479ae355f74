/* The texts for terminals: width, signs without UTF-8, every principle and every clause in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assess/evaluate_internal.h"

static const tut_term ascii = {.width = 80};
static const tut_term wide = {.width = 80, .unicode = true};

/* Verdicts in turn, so that every sign occurs. */
static tut_assessment *mixed(void)
{
    const tut_clause *clauses = NULL;
    assert_true(tut_is_ok(tut_catalogue_load(&clauses, NULL)));
    tut_assessment *a = tut_alloc_array(1, sizeof(*a));
    assert_non_null(a);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        a->controls[i].clause = &clauses[i];
        a->controls[i].verdict = (tut_control_verdict)(i % TUT_CONTROL_VERDICT_COUNT);
    }
    a->system_name = tut_strdup("support-assistant");
    a->system_version = tut_strdup("2.3.0");
    a->evaluated_at = 1700000000;
    assert_true(tut_is_ok(tut_grade_assessment(a, NULL, 2, NULL)));
    return a;
}

static void assert_lines_fit(const tut_buf *text, size_t width)
{
    size_t start = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] != '\n')
            continue;
        tut_str line = {(const char *)text->data + start, i - start};
        if (tut_utf8_columns(line) > width)
            fail_msg("too wide: %.*s", (int)line.len, line.data);
        if (line.len && line.data[line.len - 1] == ' ')
            fail_msg("ends in a space: %.*s", (int)line.len, line.data);
        start = i + 1;
    }
}

static void the_assessment_fits_eighty_columns(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = mixed();
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(
        tut_report_terminal(a, &wide, ".tutela/reports/latest/report.html", 420, &out, NULL)));
    assert_lines_fit(&out, 80);
    assert_non_null(strstr(tut_buf_z(&out), "Took     0.42 s\n"));
}

static void without_utf8_there_is_only_ascii(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = mixed();
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_report_terminal(a, &ascii, NULL, 0, &out, NULL)));
    for (size_t i = 0; i < out.len; i++)
        assert_true(out.data[i] == '\n' || (out.data[i] >= 0x20 && out.data[i] < 0x7f));
    static const char row[] = "  P9  Supply chain, incidents   ";
    const char *bar = strstr(tut_buf_z(&out), row);
    assert_non_null(bar);
    bar += strlen(row);
    assert_int_equal(strspn(bar, "#/x.-"), 14); /* one sign a provision */
}

static void numbers_stand_under_their_words(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = mixed();
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_report_terminal(a, &ascii, NULL, 0, &out, NULL)));
    const char *all = strstr(tut_buf_z(&out), "      All 72");
    const char *head = strstr(tut_buf_z(&out), "met partly not met unchecked n/a\n");
    assert_true(all && head);
    while (head[-1] != '\n')
        head--;
    /* 72 provisions in turn: 15 met, 15 partly, 14, 14, 14. */
    static const struct {
        const char *word, *number;
    } columns[] = {
        {"met ", "15"}, {"partly", "15"}, {"not met", "14"}, {"unchecked", "14"}, {"n/a", "14"}};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        const char *word = strstr(head, columns[i].word);
        size_t end = (size_t)(word - head) + strlen(columns[i].word) - (i == 0);
        assert_memory_equal(all + end - 2, columns[i].number, 2);
    }
}

static void untrusted_names_cannot_steer_the_terminal(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = mixed();
    tut_free(a->system_name);
    a->system_name = tut_strdup("evil\033[2J\nname");
    a->findings = tut_alloc_array(1, sizeof(*a->findings));
    a->finding_count = 1;
    a->findings[0] = (tut_report_finding){.asset = tut_strdup("model/\033]0;x"),
                                          .rule = tut_strdup("r"),
                                          .title = tut_strdup("Title\033[31m"),
                                          .severity = TUT_SEVERITY_HIGH};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_report_terminal(a, &wide, NULL, 0, &out, NULL)));
    assert_null(memchr(out.data, '\033', out.len));
}

static void every_clause_can_be_explained_in_eighty_columns(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = mixed();
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_clause *c = a->controls[i].clause;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) bare = TUT_BUF_INIT;
        assert_true(tut_is_ok(tut_report_explain(a, c, &wide, &out, NULL)));
        assert_true(tut_is_ok(tut_report_explain(NULL, c, &ascii, &bare, NULL)));
        assert_lines_fit(&out, 80);
        assert_lines_fit(&bare, 80);
        assert_memory_equal(out.data, c->id.data, c->id.len);
        assert_non_null(strstr(tut_buf_z(&out), "State    "));
        assert_null(strstr(tut_buf_z(&bare), "State    "));
        assert_non_null(strstr(tut_buf_z(&bare), "Counts   "));
        assert_non_null(strstr(tut_buf_z(&bare), "Compare  AI Act Art. "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_assessment_fits_eighty_columns),
        cmocka_unit_test(without_utf8_there_is_only_ascii),
        cmocka_unit_test(numbers_stand_under_their_words),
        cmocka_unit_test(untrusted_names_cannot_steer_the_terminal),
        cmocka_unit_test(every_clause_can_be_explained_in_eighty_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
