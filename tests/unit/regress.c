#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "memcheck.h"
#include "probe/regress.h"

static tut_regress_side side(double value, uint64_t rows)
{
    return (tut_regress_side){
        .metric = TUT_LIT("robust_accuracy"), .budget = TUT_LIT("b"), .value = value, .rows = rows};
}

static tut_regress judge(tut_regress_side a, tut_regress_side b, bool is_most)
{
    tut_regress r;
    tut_regress_judge(&a, &b, is_most, &r);
    return r;
}

static void other_rows_are_judged_by_fisher(void **state)
{
    (void)state;
    tut_regress r = judge(side(0.8, 100), side(0.65, 100), false);
    assert_false(r.is_paired);
    assert_float_equal(r.p, 0.013058976062527183, 1e-12); /* scipy.stats.fisher_exact */
    assert_int_equal(r.verdict, TUT_REGRESS_WORSE);
    assert_int_equal(judge(side(0.8, 100), side(0.65, 100), true).verdict, TUT_REGRESS_BETTER);
    assert_int_equal(judge(side(0.65, 100), side(0.8, 100), false).verdict, TUT_REGRESS_BETTER);
    assert_int_equal(judge(side(0.8, 100), side(0.75, 100), false).verdict, TUT_REGRESS_HELD);
    assert_int_equal(judge(side(0.8, 100), side(0.8, 100), false).verdict, TUT_REGRESS_HELD);
}

/* The first example of Newcombe 1998: 56 of 70 less 48 of 80. */
static void the_interval_is_newcombes(void **state)
{
    (void)state;
    tut_regress r = judge(side(0.6, 80), side(0.8, 70), false);
    assert_float_equal(r.change, 0.2, 1e-12);
    assert_float_equal(r.low, 0.052431472402365065, 1e-9);
    assert_float_equal(r.high, 0.333872654036906, 1e-9);
}

static const char *const digest =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/* 18 lost and 6 gained of 60. */
static void the_same_rows_are_judged_by_mcnemar(void **state)
{
    (void)state;
    char before[61], after[61];
    for (int i = 0; i < 60; i++) {
        before[i] = (char)('0' + (i < 40));
        after[i] = (char)('0' + ((i >= 18 && i < 40) || i >= 54));
    }
    before[60] = after[60] = 0;
    tut_regress_side a = side(40 / 60.0, 60), b = side(28 / 60.0, 60);
    a.kept = tut_str_of(before);
    b.kept = tut_str_of(after);
    a.sample = b.sample = tut_str_of(digest);
    tut_regress r = judge(a, b, false);
    assert_true(r.is_paired);
    assert_int_equal(r.lost, 18);
    assert_int_equal(r.gained, 6);
    assert_float_equal(r.p, 0.011327922344207764, 1e-12); /* scipy.stats.binomtest */
    assert_int_equal(r.verdict, TUT_REGRESS_WORSE);
    assert_true(r.low < -0.2 && r.high > -0.2 && r.high < 0);
    assert_non_null(strstr(r.why, "18 lost, 6 gained"));
    b.sample = TUT_LIT("bb"); /* other rows */
    r = judge(a, b, false);
    assert_false(r.is_paired);
    assert_float_equal(r.p, 0.021123694734428485, 1e-12); /* pairs tell more than shares */
}

static void what_cannot_be_compared_is_not(void **state)
{
    (void)state;
    tut_regress_side a = side(0.8, 100), b = side(0.2, 100);
    a.budget = TUT_LIT("L2 1, 5,000 queries a row");
    tut_regress r = judge(a, b, false);
    assert_int_equal(r.verdict, TUT_REGRESS_UNKNOWN);
    assert_non_null(strstr(r.why, "size or budget"));
    a = side(0.8, 100);
    a.metric = TUT_LIT("auc");
    assert_int_equal(judge(a, b, false).verdict, TUT_REGRESS_UNKNOWN);
    assert_int_equal(judge(side(NAN, 100), b, false).verdict, TUT_REGRESS_UNKNOWN);
    assert_int_equal(judge(side(0.8, 0), b, false).verdict, TUT_REGRESS_UNKNOWN);
    assert_int_equal(judge(b, side(NAN, 100), false).verdict, TUT_REGRESS_UNKNOWN);
}

static tut_status read_text(const char *text, tut_regress_side *ret, tut_regress *judged)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error err = {.code = TUT_OK};
    TUT_TRY(tut_json_parse(tut_span_of(text, strlen(text)), NULL, &doc, &err));
    TUT_TRY(tut_regress_read(tut_json_root(doc), "evasion", "square", ret, &err));
    if (judged) { /* while the document lives */
        tut_attack_result now = {.metric = "robust_accuracy",
                                 .budget = "b",
                                 .rows = 4,
                                 .kept = "0000",
                                 .has_sample = true,
                                 .decisive = {"robust_accuracy", 0, 0, 0.6}};
        memset(now.sample, 0xaa, sizeof(now.sample));
        char hex[65];
        tut_regress_side side_now;
        tut_regress_of(&now, hex, &side_now);
        tut_regress_judge(ret, &side_now, false, judged);
    }
    return TUT_SUCCESS;
}

static void an_earlier_document_is_read(void **state)
{
    (void)state;
    tut_regress_side s;
    tut_regress r;
    const char *good =
        "{\"schema\":\"tutela.probe/1\",\"attacks\":[{\"name\":\"simba-dct\"},{\"name\":\"square\","
        "\"metric\":\"robust_accuracy\",\"value\":0.75,\"rows\":4,\"budget\":\"b\",\"kept\":"
        "\"1110\",\"sample\":{\"sha256\":"
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}]}";
    assert_true(tut_is_ok(read_text(good, &s, &r)));
    assert_int_equal(s.rows, 4);
    assert_float_equal(s.value, 0.75, 0);
    assert_true(r.is_paired);
    assert_int_equal(r.lost, 3);
    assert_int_equal(r.verdict, TUT_REGRESS_HELD); /* three of three: one in eight by chance */
    assert_int_equal(read_text("{\"schema\":\"tutela.scan/1\"}", &s, NULL).code, TUT_MALFORMED);
    assert_int_equal(read_text("[1]", &s, NULL).code, TUT_MALFORMED);
    assert_int_equal(read_text("{\"schema\":\"tutela.probe/1\",\"attacks\":[]}", &s, NULL).code,
                     TUT_UNSUPPORTED);
    assert_int_equal(
        read_text("{\"schema\":\"tutela.probe/1\",\"attacks\":[{\"name\":\"square\"}]}", &s, NULL)
            .code,
        TUT_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_rows_are_judged_by_fisher),
        cmocka_unit_test(the_interval_is_newcombes),
        cmocka_unit_test(the_same_rows_are_judged_by_mcnemar),
        cmocka_unit_test(what_cannot_be_compared_is_not),
        cmocka_unit_test(an_earlier_document_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
