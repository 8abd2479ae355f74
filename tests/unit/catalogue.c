/* The catalogue: 72 provisions, complete, consistent with themselves and with the evaluator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assess/covered.h"
#include "assess/evaluate_internal.h"
#include "base/fs.h"
#include "base/json.h"

static const tut_clause *rows(void)
{
    const tut_clause *clauses = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_catalogue_load(&clauses, &err)))
        fail_msg("%s", err.text);
    return clauses;
}

static void seventy_two_rows_forty_nine_of_them_duties(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    size_t shalls = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        shalls += c[i].modality == TUT_SHALL;
    assert_int_equal(shalls, 49);
}

static void phases_and_principles_have_the_counts_of_the_standard(void **state)
{
    static const size_t phases[] = {26, 31, 5, 8, 2};
    static const size_t principles[] = {5, 9, 7, 5, 7, 6, 6, 6, 6, 5, 4, 4, 2};
    static const size_t seeds[] = {6, 5, 6, 11, 1, 2, 2, 8, 14, 7, 4, 4, 2};
    (void)state;
    const tut_clause *c = rows();
    size_t by_phase[TUT_PHASE_COUNT] = {0};
    size_t by_principle[TUT_PRINCIPLES + 1] = {0};
    size_t by_seed[TUT_PRINCIPLES + 1] = {0};
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        by_phase[c[i].phase]++;
        by_principle[c[i].principle]++;
        by_seed[c[i].seed]++;
    }
    for (size_t i = 0; i < TUT_PHASE_COUNT; i++)
        assert_int_equal(by_phase[i], phases[i]);
    for (size_t i = 0; i < TUT_PRINCIPLES; i++) {
        assert_int_equal(by_principle[i + 1], principles[i]);
        assert_int_equal(by_seed[i + 1], seeds[i]);
    }
}

static void no_row_is_blank(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        assert_true(c[i].summary.len > 30);
        assert_true(c[i].want_count > 0);
        assert_true(c[i].roles != 0 && c[i].serves != 0 && c[i].attributes != 0);
        for (size_t w = 0; w < c[i].want_count; w++) {
            const tut_want *want = &c[i].wants[w];
            assert_true(want->what.len > 10);
            assert_true(tut_str_starts(want->command, TUT_LIT("tutela ")));
        }
    }
}

static void every_provision_is_compared_with_what_speaks_of_all(void **state)
{
    static const char *const complete[] = {"ai_act", "iso42001", "ai_rmf",
                                           "atlas",  "iso22989", "tr104128"};
    (void)state;
    const tut_clause *c = rows();
    const tut_framework *f = tut_catalogue_frameworks();
    for (size_t i = 0; i < TUT_FRAMEWORK_COUNT; i++) {
        bool is_complete = false;
        for (size_t k = 0; k < sizeof(complete) / sizeof(complete[0]); k++)
            is_complete = is_complete || tut_str_eq_z(f[i].key, complete[k]);
        size_t mapped = 0;
        for (size_t k = 0; k < TUT_CLAUSE_COUNT; k++)
            mapped += c[k].crosswalk[i].count > 0;
        assert_int_equal(mapped == TUT_CLAUSE_COUNT, is_complete);
        assert_int_equal(mapped == 0, f[i].is_forthcoming);
    }
}

static void every_target_is_one_of_a_map_and_named_once(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    const tut_framework *f = tut_catalogue_frameworks();
    for (size_t i = 0; i < TUT_FRAMEWORK_COUNT; i++) {
        for (size_t t = 0; t < f[i].target_count; t++) {
            bool is_used = false;
            for (size_t k = 0; k < TUT_CLAUSE_COUNT; k++)
                for (size_t m = 0; m < c[k].crosswalk[i].count; m++)
                    is_used = is_used || c[k].crosswalk[i].maps[m].target == &f[i].targets[t];
            if (!is_used)
                fail_msg("%.*s", (int)f[i].targets[t].id.len, f[i].targets[t].id.data);
            for (size_t k = 0; k < t; k++)
                assert_false(tut_str_eq(f[i].targets[k].id, f[i].targets[t].id));
        }
    }
}

/* Where only titles were compared nobody can be sure, and a term is no requirement. */
static void confidence_says_what_was_read(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    const tut_framework *f = tut_catalogue_frameworks();
    for (size_t i = 0; i < TUT_FRAMEWORK_COUNT; i++) {
        bool is_by_title = tut_str_eq_z(f[i].key, "iso27001") || tut_str_eq_z(f[i].key, "iso42001");
        bool is_terms = tut_str_eq_z(f[i].key, "iso22989");
        for (size_t k = 0; k < TUT_CLAUSE_COUNT; k++) {
            for (size_t m = 0; m < c[k].crosswalk[i].count; m++) {
                const tut_mapping *map = &c[k].crosswalk[i].maps[m];
                assert_false(is_by_title && tut_str_eq_z(map->confidence, "high"));
                assert_false(is_terms && map->relationship != TUT_INTERSECTS_WITH);
                assert_false(map->relationship == TUT_EQUIVALENT_TO);
            }
        }
    }
}

static void an_attested_duty_wants_two_registered_people_in_named_roles(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        if (c[i].modality != TUT_SHALL || !tut_str_eq_z(c[i].evidence_kind, "attested"))
            continue;
        bool is_signed = false;
        for (size_t w = 0; w < c[i].want_count; w++)
            is_signed = is_signed ||
                        (c[i].wants[w].signers >= 2 && c[i].wants[w].signer_roles != 0);
        assert_true(is_signed);
    }
}

static void a_duty_never_rests_on_a_self_declared_document(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t w = 0; w < c[i].want_count; w++)
            if (tut_str_eq_z(c[i].wants[w].check, TUT_CHECK_DOCUMENT))
                assert_true(c[i].modality == TUT_SHOULD && c[i].want_count > 1);
}

static void rows_of_enforced_provisions_want_a_test(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        bool has_test = !tut_str_eq_z(c[i].evidence_kind, "enforced");
        for (size_t w = 0; w < c[i].want_count; w++)
            has_test = has_test || c[i].wants[w].method == TUT_METHOD_TEST;
        if (!has_test)
            fail_msg("%.*s", (int)c[i].id.len, c[i].id.data);
    }
}

static void every_contradicting_word_is_one_that_the_evaluator_decides(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    tut_error err = {0};
    tut_assessment *a = tut_alloc_array(1, sizeof(*a));
    tut_evaluation e = {.a = a, .dir = ".", .err = &err};
    tut_arena_init(&e.arena, 0);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        for (size_t k = 0; k < c[i].contradicted_count; k++) {
            bool holds;
            const char *why;
            if (!tut_is_ok(tut_fact_holds(&e, c[i].contradicted_by[k], &holds, &why)))
                fail_msg("%s", err.text);
        }
    }
    bool holds;
    const char *why;
    assert_int_equal(tut_fact_holds(&e, TUT_LIT("has-no-such-word"), &holds, &why).code, TUT_BUG);
    tut_arena_done(&e.arena);
    tut_free(a);
}

static void an_unconditional_duty_always_applies(void **state)
{
    (void)state;
    const tut_clause *c = rows();
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        bool is_unconditional = c[i].modality == TUT_SHALL && c[i].applies_when.len == 0;
        bool says_always = c[i].contradicted_count == 1 &&
                           tut_str_eq_z(c[i].contradicted_by[0], "always");
        if (is_unconditional != says_always)
            fail_msg("%.*s", (int)c[i].id.len, c[i].id.data);
    }
}

static void the_inventory_alone_decides_5_2_1_1(void **state)
{
    (void)state;
    rows();
    const tut_clause *c = tut_catalogue_find(TUT_LIT("5.2.1-1"));
    assert_non_null(c);
    assert_int_equal(c->want_count, 1);
    assert_true(tut_str_eq_z(c->wants[0].check, TUT_CHECK_INVENTORY));
    assert_true(c->wants[0].is_available);
    assert_int_equal(c->wants[0].method, TUT_METHOD_TEST);
}

static void a_clause_that_is_none_is_not_found(void **state)
{
    (void)state;
    assert_null(tut_catalogue_find(TUT_LIT("5.9.9-1")));
    assert_null(tut_catalogue_find(TUT_LIT("")));
}

static void numbers_and_texts_agree_with_the_reference_catalogue(void **state)
{
    (void)state;
    static const char reference[] = "../shared/catalogue.json";
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!tut_fs_exists(reference)) {
        print_message("skipped: %s is not there\n", reference);
        skip();
    }
    assert_true(tut_is_ok(tut_fs_read(reference, 1u << 20, &text, NULL)));
    TUT_AUTO(tut_json_doc) doc = NULL;
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&text), NULL, &doc, NULL)));
    const tut_json_value *list = tut_json_root(doc);
    assert_int_equal(tut_json_count(list), TUT_CLAUSE_COUNT);
    const tut_clause *c = rows();
    for (uint32_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_json_value *v = tut_json_item(list, i);
        char seed[8];
        snprintf(seed, sizeof(seed), "P%u", c[i].seed);
        assert_true(tut_str_eq(c[i].id, tut_json_get_text(v, "id")));
        assert_int_equal(c[i].principle, tut_json_get_int(v, "principle", 0));
        assert_true(tut_str_eq_z(tut_json_get_text(v, "seed_principle"), seed));
        assert_int_equal(c[i].modality == TUT_SHALL,
                         tut_str_eq_z(tut_json_get_text(v, "modality"), "shall"));
        assert_int_equal(c[i].is_gate, tut_json_get_bool(v, "gate", false));
        assert_int_equal(c[i].applies_when.len > 0,
                         tut_json_get(v, "applies_when")->type == TUT_JSON_STRING);
    }
}

/* Who adds a probe has its findings handed over too. */
static void a_receipt_covers_every_probe_and_nothing_drawn_from_them(void **state)
{
    static const char *const drawn[] = {"probe.assessment", "probe.deployment", TUT_CHECK_SHARED};
    const tut_want *shared = tut_catalogue_find_want(TUT_LIT(TUT_CHECK_SHARED));
    (void)state;
    assert_non_null(shared);
    assert_true(shared->covers_count > 0);
    for (size_t i = 0; i < shared->covers_count; i++)
        assert_non_null(tut_catalogue_find_want(shared->covers[i]));
    const tut_clause *c = rows();
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t w = 0; w < c[i].want_count; w++) {
            const tut_want *want = &c[i].wants[w];
            bool is_drawn = false;
            bool is_covered = false;
            for (size_t k = 0; k < sizeof(drawn) / sizeof(drawn[0]); k++)
                is_drawn = is_drawn || tut_str_eq_z(want->check, drawn[k]);
            for (size_t k = 0; k < shared->covers_count; k++)
                is_covered = is_covered || tut_str_eq(want->check, shared->covers[k]);
            assert_int_equal(is_covered,
                             tut_str_starts(want->check, TUT_LIT("probe.")) && !is_drawn);
            assert_true(want == shared || want->covers_count == 0);
        }
}

/* A row is met by what was measured: what may not apply is never all that it asks of a subject. */
static void what_may_not_apply_stands_beside_what_always_does(void **state)
{
    const tut_clause *c = rows();
    size_t seen = 0;
    (void)state;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t w = 0; w < c[i].want_count; w++) {
            const tut_want *want = &c[i].wants[w];
            bool has_other = false;
            if (!want->may_not_apply)
                continue;
            seen++;
            assert_int_equal(want->method, TUT_METHOD_TEST);
            for (size_t k = 0; k < c[i].want_count; k++)
                has_other = has_other ||
                            (!c[i].wants[k].may_not_apply && c[i].wants[k].scope == want->scope &&
                             c[i].wants[k].kinds == want->kinds);
            assert_true(has_other);
        }
    assert_int_equal(seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_not_apply_stands_beside_what_always_does),
        cmocka_unit_test(a_receipt_covers_every_probe_and_nothing_drawn_from_them),
        cmocka_unit_test(seventy_two_rows_forty_nine_of_them_duties),
        cmocka_unit_test(phases_and_principles_have_the_counts_of_the_standard),
        cmocka_unit_test(no_row_is_blank),
        cmocka_unit_test(every_provision_is_compared_with_what_speaks_of_all),
        cmocka_unit_test(every_target_is_one_of_a_map_and_named_once),
        cmocka_unit_test(confidence_says_what_was_read),
        cmocka_unit_test(an_attested_duty_wants_two_registered_people_in_named_roles),
        cmocka_unit_test(a_duty_never_rests_on_a_self_declared_document),
        cmocka_unit_test(rows_of_enforced_provisions_want_a_test),
        cmocka_unit_test(every_contradicting_word_is_one_that_the_evaluator_decides),
        cmocka_unit_test(an_unconditional_duty_always_applies),
        cmocka_unit_test(the_inventory_alone_decides_5_2_1_1),
        cmocka_unit_test(a_clause_that_is_none_is_not_found),
        cmocka_unit_test(numbers_and_texts_agree_with_the_reference_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
