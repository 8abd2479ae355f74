/* Targets that may be attacked, what they may cost, bounds, and results as they are shown. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probe/run.h"

static void only_what_is_ours_or_declared_is_attacked(void **state)
{
    static const struct {
        const char *place;
        bool is_ours;
    } cases[] = {
        {"http://127.0.0.1:1/v2/models/m/infer", true},
        {"http://127.9.8.7/v2/models/m/infer", true},
        {"http://localhost:1/v2/models/m/infer", true},
        {"http://[::1]:1/v2/models/m/infer", true},
        {"http://127.0.0.1@example.org/v2/models/m/infer", false},
        {"http://127.0.0.1:80@example.org/v2/models/m/infer", false},
        {"http://localhost.example.org/v2/models/m/infer", false},
        {"http://127.0.0.1.example.org/v2/models/m/infer", false},
        {"http://127.1/v2/models/m/infer", false},
        {"http://[::10]/v2/models/m/infer", false},
        {"http://example.org/127.0.0.1/v2/models/m/infer", false},
        {"https://models.example.org/v1/chat/completions", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_allowance a = {.queries_most = 1};
        tut_target_wish wish = {.place = cases[i].place, .allowance = &a, .tries = 1};
        tut_error err = {0};
        TUT_AUTO(tut_target) t = NULL;
        tut_status status = tut_target_open(&wish, &t, &err);
        if (cases[i].is_ours == (status.code == TUT_DENIED))
            fail_msg("%s: %s", cases[i].place, err.text);
    }
    tut_allowance a = {.queries_most = 1};
    tut_target_wish wish = {
        .place = "http://127.1:1/v2/models/m/infer", .allowance = &a, .tries = 1};
    TUT_AUTO(tut_target) declared = NULL;
    TUT_AUTO(tut_target) authorised = NULL;
    assert_int_equal(tut_target_open(&wish, &declared, NULL).code, TUT_DENIED);
    wish.is_declared = true;
    assert_int_not_equal(tut_target_open(&wish, &declared, NULL).code, TUT_DENIED);
    wish.is_declared = false;
    wish.authorised_by = "the owner";
    assert_int_not_equal(tut_target_open(&wish, &authorised, NULL).code, TUT_DENIED);
}

static void what_is_spent_is_counted_and_ends(void **state)
{
    tut_allowance a = {.queries_most = 10, .money_most = 1, .price_query = 0.3};
    (void)state;
    assert_int_equal(tut_allowance_left(&a, 100), 3);
    tut_allowance_spend(&a, 5, 7);
    tut_allowance_spend_many(&a, 2);
    assert_int_equal(a.queries, 3);
    assert_true(fabs(a.money - 0.9) < 1e-12);
    assert_int_equal(tut_allowance_left(&a, 1), 0);
    assert_true(tut_allowance_is_spent(&a));
    tut_allowance tokens = {.tokens_most = 10, .price_million = 2e6};
    tut_allowance_spend(&tokens, 4, 5);
    assert_int_equal(tut_allowance_left(&tokens, 1), 1);
    tut_allowance_spend(&tokens, 1, 0);
    assert_true(tut_allowance_is_spent(&tokens));
    assert_true(fabs(tokens.money - 20) < 1e-9);
    tut_allowance none = {.queries = 5};
    assert_int_equal(tut_allowance_left(&none, 7), 7);
}

static void a_bound_asks_for_the_whole_interval(void **state)
{
    const tut_bound most = {.is_most = true, .value = 0.5}, least = {.value = 0.5};
    static const struct {
        double low, value, high;
        tut_outcome most, least;
    } cases[] = {
        {0.1, 0.2, 0.3, TUT_OUTCOME_PASS, TUT_OUTCOME_FAIL},
        {0.6, 0.7, 0.8, TUT_OUTCOME_FAIL, TUT_OUTCOME_PASS},
        {0.4, 0.45, 0.6, TUT_OUTCOME_OPEN, TUT_OUTCOME_OPEN},
        {0.4, 0.45, 0.5, TUT_OUTCOME_PASS, TUT_OUTCOME_OPEN},
        {NAN, 0.2, NAN, TUT_OUTCOME_PASS, TUT_OUTCOME_FAIL},
        {NAN, NAN, NAN, TUT_OUTCOME_UNMEASURED, TUT_OUTCOME_UNMEASURED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tut_measure m = {"m", cases[i].value, cases[i].low, cases[i].high};
        assert_int_equal(tut_bound_judge(&most, &m), cases[i].most);
        assert_int_equal(tut_bound_judge(&least, &m), cases[i].least);
    }
}

static void every_probe_is_found_by_its_name_and_has_a_bound(void **state)
{
    tut_bounds bounds = tut_bounds_default();
    tut_probe_kind kind;
    (void)state;
    assert_false(tut_probe_kind_parse(TUT_LIT("Membership"), &kind));
    for (unsigned i = 0; i < TUT_PROBE_KINDS; i++) {
        const tut_probe_about *about = tut_probe_about_of((tut_probe_kind)i);
        size_t found = 0;
        assert_true(tut_probe_kind_parse(tut_str_of(about->name), &kind));
        assert_int_equal(kind, i);
        for (size_t k = 0; k < bounds.count; k++)
            found += strcmp(bounds.items[k].probe, about->name) == 0;
        assert_true(found > 0);
    }
    for (size_t i = 0; tut_attacks[i]; i++) { /* and every attack belongs to one */
        assert_true(tut_probe_kind_parse(tut_str_of(tut_attacks[i]->probe), &kind));
        assert_non_null(tut_attacks[i]->source);
        for (size_t k = i + 1; tut_attacks[k]; k++)
            assert_false(strcmp(tut_attacks[i]->probe, tut_attacks[k]->probe) == 0 &&
                         strcmp(tut_attacks[i]->name, tut_attacks[k]->name) == 0);
    }
}

static void a_long_curve_keeps_its_ends(void **state)
{
    double xs[5000], ys[5000];
    tut_attack_result r = {.metric = NULL};
    tut_arena arena;
    (void)state;
    tut_arena_init(&arena, 0);
    for (size_t i = 0; i < 5000; i++)
        xs[i] = ys[i] = (double)i;
    for (size_t i = 0; i < TUT_RESULT_CURVES + 2; i++)
        tut_result_add_curve(&r, &arena,
                             &(tut_curve){.name = "c", .count = 5000, .xs = xs, .ys = ys});
    assert_int_equal(r.curve_count, TUT_RESULT_CURVES);
    assert_int_equal(r.curves[0].count, 512);
    assert_true(r.curves[0].xs[0] <= 0 && r.curves[0].xs[511] >= 4999);
    tut_arena_done(&arena);
}

/* --- as it is shown --- */

static tut_probe_run *make_run(void)
{
    static const tut_attack attack = {.probe = "injection",
                                      .name = "x<script>",
                                      .about = "\"quoted\" & <b>bold</b>",
                                      .source = "none"};
    tut_probe_run *r = tut_alloc_array(1, sizeof(*r));
    assert_non_null(r);
    tut_arena_init(&r->arena, 0);
    r->kind = TUT_PROBE_INJECTION;
    r->is_guarded = true;
    r->count = 1;
    r->attacks[0].attack = &attack;
    static const double xs[] = {0.001, 0.1, 1}, ys[] = {0.01, 0.5, 1};
    for (unsigned way = 0; way < TUT_PROBE_WAYS; way++) {
        tut_attack_result *a = &r->attacks[0].ways[way];
        a->metric = "success";
        a->decisive = (tut_measure){"success", way ? 0.1 : 0.4, 0.05, 0.2};
        a->baseline = NAN;
        tut_result_add(a, "refused", 0.3, NAN, NAN);
        tut_result_add_curve(a, &r->arena,
                             &(tut_curve){.name = "c",
                                          .x = "q",
                                          .y = "s",
                                          .is_logarithmic = true,
                                          .count = 3,
                                          .xs = xs,
                                          .ys = ys});
        tut_result_add_exposed(a, &r->arena, UINT64_MAX, 1,
                               "</td><script>alert(1)</script>\xe2\x80\xae");
    }
    return r;
}

static void a_page_holds_nothing_that_acts(void **state)
{
    TUT_AUTO(tut_probe_run) r = make_run();
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    (void)state;
    assert_true(tut_is_ok(tut_probe_run_html(r, &page, NULL)));
    const char *z = tut_buf_z(&page);
    assert_non_null(z);
    assert_null(strstr(z, "<script"));
    assert_null(strstr(z, "\xe2\x80\xae"));
    assert_non_null(strstr(z, "without the guard"));
    assert_non_null(strstr(z, "line dash"));
}

static void a_document_has_both_ways(void **state)
{
    TUT_AUTO(tut_probe_run) r = make_run();
    TUT_AUTO(tut_json) j = NULL;
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)state;
    assert_true(tut_is_ok(tut_json_new(&text, &j)));
    tut_json_object(j);
    tut_probe_run_json(r, j);
    tut_json_end_object(j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&text), NULL, &doc, NULL)));
    const tut_json_value *a = tut_json_item(tut_json_get(tut_json_root(doc), "attacks"), 0);
    assert_true(fabs(tut_json_real_of(tut_json_get(a, "value")) - 0.1) < 1e-12);
    assert_true(fabs(tut_json_real_of(tut_json_get(tut_json_get(a, "unguarded"), "value")) - 0.4) <
                1e-12);
    assert_int_equal(tut_json_get(a, "baseline")->type, TUT_JSON_NULL);
    assert_int_equal(tut_json_count(tut_json_get(a, "atlas")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_ours_or_declared_is_attacked),
        cmocka_unit_test(what_is_spent_is_counted_and_ends),
        cmocka_unit_test(a_bound_asks_for_the_whole_interval),
        cmocka_unit_test(every_probe_is_found_by_its_name_and_has_a_bound),
        cmocka_unit_test(a_long_curve_keeps_its_ends),
        cmocka_unit_test(a_page_holds_nothing_that_acts),
        cmocka_unit_test(a_document_has_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
