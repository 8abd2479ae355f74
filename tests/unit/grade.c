/* The grade by the contract: weights, letters, caps, what is withheld, and the exit status. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assess/evaluate_internal.h"

static tut_assessment *new_assessment(tut_control_verdict all)
{
    const tut_clause *clauses = NULL;
    assert_true(tut_is_ok(tut_catalogue_load(&clauses, NULL)));
    tut_assessment *a = tut_alloc_array(1, sizeof(*a));
    assert_non_null(a);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        a->controls[i].clause = &clauses[i];
        a->controls[i].verdict = all;
    }
    return a;
}

static void set(tut_assessment *a, tut_modality modality, size_t count, tut_control_verdict v)
{
    for (size_t i = 0; i < TUT_CLAUSE_COUNT && count > 0; i++) {
        if (a->controls[i].clause->modality == modality && a->controls[i].verdict != v) {
            a->controls[i].verdict = v;
            count--;
        }
    }
    assert_int_equal(count, 0);
}

static void grade(tut_assessment *a)
{
    assert_true(tut_is_ok(tut_grade_assessment(a, NULL, 0, NULL)));
}

static void all_met_is_a_hundred_and_an_a(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_MET);
    grade(a);
    assert_int_equal(a->grade, 'A');
    assert_true(fabs(a->score - 100.0) < 1e-9);
    assert_string_equal(a->grade_sentence, "Every applicable duty is met.");
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_HIGH), 0);
}

static void a_shall_weighs_twice(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_MET);
    TUT_AUTO(tut_assessment) b = new_assessment(TUT_CONTROL_MET);
    set(a, TUT_SHALL, 1, TUT_CONTROL_NOT_MET);
    set(b, TUT_SHOULD, 2, TUT_CONTROL_NOT_MET);
    grade(a);
    grade(b);
    assert_true(fabs(a->score - b->score) < 1e-9);
    assert_true(fabs(a->score - 100.0 * (121.0 - 2.0) / 121.0) < 1e-9);
}

static void partly_is_worth_half(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_PARTLY);
    grade(a);
    assert_true(fabs(a->score - 50.0) < 1e-9);
    assert_int_equal(a->grade, 'D');
}

static void not_applicable_is_left_out(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_MET);
    set(a, TUT_SHOULD, 23, TUT_CONTROL_NOT_APPLICABLE);
    grade(a);
    assert_true(fabs(a->score - 100.0) < 1e-9);
    assert_int_equal(a->grade, 'A');
}

static void one_duty_not_met_caps_at_c(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_MET);
    set(a, TUT_SHALL, 1, TUT_CONTROL_NOT_MET);
    grade(a);
    assert_int_equal(a->grade_without_caps, 'A');
    assert_int_equal(a->grade, 'C');
    assert_true(a->caps[0].applies && a->caps[0].bit);
    assert_string_equal(a->caps[0].reason, "a shall is not met: 5.1.1-1");
    assert_string_equal(a->grade_sentence, "One duty is not met, so the grade stops at C.");
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_HIGH), 1);
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_CRITICAL), 0);
}

static void one_duty_not_proved_is_no_a(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_MET);
    set(a, TUT_SHALL, 1, TUT_CONTROL_PARTLY);
    grade(a);
    assert_int_equal(a->grade_without_caps, 'A');
    assert_int_equal(a->grade, 'B');
    assert_string_equal(a->grade_sentence, "One duty is not proved, so the grade stops at B.");
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_HIGH), 0);
}

static void a_should_not_met_caps_nothing_and_fails_from_low(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_MET);
    set(a, TUT_SHOULD, 1, TUT_CONTROL_NOT_MET);
    grade(a);
    assert_int_equal(a->grade, 'A');
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_HIGH), 0);
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_LOW), 1);
}

static void altered_records_are_an_f(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_MET);
    assert_true(tut_is_ok(tut_grade_assessment(a, "record 3: altered", 0, NULL)));
    assert_int_equal(a->grade, 'F');
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_CRITICAL), 1);
}

static void fewer_than_half_of_the_duties_checked_is_no_grade(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_NOT_CHECKED);
    TUT_AUTO(tut_assessment) b = new_assessment(TUT_CONTROL_NOT_CHECKED);
    set(a, TUT_SHALL, 24, TUT_CONTROL_MET);
    set(b, TUT_SHALL, 25, TUT_CONTROL_MET);
    grade(a);
    grade(b);
    assert_int_equal(a->grade, 0);
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_HIGH), 3);
    assert_int_equal(b->grade, 'D');
}

static void nothing_applicable_is_no_grade(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_NOT_APPLICABLE);
    grade(a);
    assert_int_equal(a->grade, 0);
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_HIGH), 3);
}

static void a_finding_beats_doubt(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_NOT_CHECKED);
    grade(a);
    a->findings = tut_alloc_array(1, sizeof(*a->findings));
    a->finding_count = 1;
    a->findings[0].severity = TUT_SEVERITY_MEDIUM;
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_HIGH), 3);
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_MEDIUM), 1);
}

static void what_was_not_read_leaves_doubt(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = new_assessment(TUT_CONTROL_MET);
    grade(a);
    a->unchecked = tut_alloc_array(1, sizeof(*a->unchecked));
    a->unchecked_count = 1;
    assert_int_equal(tut_assessment_exit(a, TUT_SEVERITY_HIGH), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_met_is_a_hundred_and_an_a),
        cmocka_unit_test(a_shall_weighs_twice),
        cmocka_unit_test(partly_is_worth_half),
        cmocka_unit_test(not_applicable_is_left_out),
        cmocka_unit_test(one_duty_not_met_caps_at_c),
        cmocka_unit_test(one_duty_not_proved_is_no_a),
        cmocka_unit_test(a_should_not_met_caps_nothing_and_fails_from_low),
        cmocka_unit_test(altered_records_are_an_f),
        cmocka_unit_test(fewer_than_half_of_the_duties_checked_is_no_grade),
        cmocka_unit_test(nothing_applicable_is_no_grade),
        cmocka_unit_test(a_finding_beats_doubt),
        cmocka_unit_test(what_was_not_read_leaves_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
