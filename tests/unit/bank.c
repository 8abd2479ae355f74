/* The bank: it alarms as rarely as was asked for, and as soon as theory allows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "memcheck.h"
#include "stats/adwin.h"
#include "stats/bank.h"
#include "stats/halfspace.h"
#include "stats/seeded.h"

enum { LEARN = 10000 };

typedef double (*draw)(tut_seeded *r, double level);

static double share(tut_seeded *r, double level)
{
    return tut_seeded_unit(r) < level;
}

static double normal(tut_seeded *r, double level)
{
    return tut_seeded_normal(r) + level;
}

static double heavy(tut_seeded *r, double level)
{
    return exp(3 * (tut_seeded_normal(r) + level));
}

static double count(tut_seeded *r, double level)
{
    double left = exp(-level), n = 0;
    for (double p = tut_seeded_unit(r); p > left; p *= tut_seeded_unit(r))
        n++;
    return n;
}

static void learn(tut_bank *b, draw from, double level, tut_seeded *r, double interval)
{
    double *values = tut_alloc_array(3 * LEARN, sizeof(*values));
    assert_non_null(values);
    for (size_t i = 0; i < LEARN; i++)
        values[i] = from(r, level);
    tut_bank_learn(b, values, LEARN, interval, values + LEARN);
    tut_free(values);
}

/* Events between false alarms, over streams that each learnt a baseline of their own. */
static double interval_of(draw from, double level, double asked, size_t streams, size_t events)
{
    double alarms = 0;
    for (size_t k = 0; k < streams; k++) {
        tut_seeded r = tut_seeded_of(k + 1);
        tut_bank b;
        learn(&b, from, level, &r, asked);
        for (size_t i = 0; i < events; i++)
            if (tut_bank_step(&b, from(&r, level)) != SIZE_MAX) {
                alarms++;
                tut_bank_reset(&b);
            }
    }
    return (double)(streams * events) / fmax(alarms, 1);
}

static double delay_of(draw from, double before, double after, double asked, size_t streams)
{
    double sum = 0;
    for (size_t k = 0; k < streams; k++) {
        tut_seeded r = tut_seeded_of(k + 1);
        tut_bank b;
        size_t delay = 1;
        learn(&b, from, before, &r, asked);
        for (size_t i = 0; i < 1000; i++)
            (void)tut_bank_step(&b, from(&r, before));
        tut_bank_reset(&b);
        while (tut_bank_step(&b, from(&r, after)) == SIZE_MAX && delay < 1000000)
            delay++;
        sum += (double)delay;
    }
    return sum / (double)streams;
}

/* With an interval that can be waited for; bench/watch.c measures a million. */
static void false_alarms_are_as_rare_as_asked_for(void **state)
{
    (void)state;
    if (RUNNING_ON_VALGRIND)
        skip();
    assert_true(interval_of(share, 0.2, 1e4, 40, 50000) >= 1e4);
    assert_true(interval_of(count, 4, 1e4, 40, 20000) >= 1e4);
    assert_true(interval_of(normal, 0, 1e4, 40, 20000) >= 1e4);
    assert_true(interval_of(heavy, 0, 1e4, 40, 20000) >= 1e4);
}

/* 1.3 times ln(1e6) / KL: see Lorden 1971. */
static void changes_are_found_within_the_bound(void **state)
{
    (void)state;
    if (RUNNING_ON_VALGRIND)
        skip();
    assert_true(delay_of(share, 0.20, 0.30, 1e6, 30) <= 640);
    assert_true(delay_of(share, 0.20, 0.25, 1e6, 30) <= 2430);
    assert_true(delay_of(share, 0.05, 0.08, 1e6, 30) <= 2220);
    assert_true(delay_of(normal, 0, 0.3, 1e6, 30) <= 1.3 * 307);
    assert_true(delay_of(heavy, 0, 0.3, 1e6, 30) <= 1.3 * 307);
}

static void kinds_are_recognised_and_changes_named(void **state)
{
    (void)state;
    tut_seeded r = tut_seeded_of(3);
    tut_bank b;
    size_t lane = SIZE_MAX;
    learn(&b, share, 0.2, &r, 1e6);
    assert_int_equal(b.kind, TUT_BANK_SHARE);
    while (lane == SIZE_MAX)
        lane = tut_bank_step(&b, share(&r, 0.05));
    assert_int_equal(tut_bank_change(&b, lane), TUT_CHANGE_DOWN);
    learn(&b, count, 3, &r, 1e6);
    assert_int_equal(b.kind, TUT_BANK_RATE);
    learn(&b, normal, 0, &r, 1e6);
    assert_int_equal(b.kind, TUT_BANK_NUMBER);
    lane = SIZE_MAX;
    while (lane == SIZE_MAX)
        lane = tut_bank_step(&b, 2.5 * normal(&r, 0));
    assert_int_equal(tut_bank_change(&b, lane), TUT_CHANGE_WIDER);
}

/* A walk that always comes back is no change, however long it stays on one side. */
static void values_that_follow_one_another_do_not_alarm(void **state)
{
    (void)state;
    enum { EVENTS = 100000 };
    tut_seeded r = tut_seeded_of(5);
    tut_bank b;
    double x = 0, alarms = 0;
    double *values = tut_alloc_array(3 * LEARN, sizeof(*values));
    assert_non_null(values);
    for (size_t i = 0; i < LEARN; i++)
        values[i] = x = 0.9 * x + tut_seeded_normal(&r);
    tut_bank_learn(&b, values, LEARN, 1e6, values + LEARN);
    tut_free(values);
    assert_true(fabs((double)b.follows - 0.9) < 0.05);
    for (size_t i = 0; i < EVENTS / memcheck_step(50); i++) {
        x = 0.9 * x + tut_seeded_normal(&r);
        if (tut_bank_step(&b, x) != SIZE_MAX) {
            alarms++;
            tut_bank_reset(&b);
        }
    }
    assert_true(alarms <= 1);
}

static void constants_and_short_baselines_do_no_harm(void **state)
{
    (void)state;
    double values[3 * TUT_BANK_LEAST];
    tut_bank b;
    for (size_t i = 0; i < TUT_BANK_LEAST; i++)
        values[i] = 7.5;
    tut_bank_learn(&b, values, TUT_BANK_LEAST, 1e6, values + TUT_BANK_LEAST);
    for (size_t i = 0; i < 1000; i++)
        assert_true(tut_bank_step(&b, 7.5) == SIZE_MAX);
    for (size_t i = 0; i < TUT_BANK_LEAST; i++)
        values[i] = 1;
    tut_bank other;
    tut_bank_learn(&other, values, TUT_BANK_LEAST, 1e6, values + TUT_BANK_LEAST);
    for (size_t i = 0; i < 300000 / memcheck_step(50); i++)
        assert_true(tut_bank_step(&other, 1) == SIZE_MAX);
    size_t delay = 0;
    while (delay < 1000 && tut_bank_step(&other, 0) == SIZE_MAX)
        delay++;
    assert_true(delay < 20);
    delay = 0;
    while (delay < 1000 && tut_bank_step(&b, 9) == SIZE_MAX)
        delay++;
    assert_true(delay < 100);
}

static void adwin_drops_what_is_no_longer_so(void **state)
{
    (void)state;
    tut_seeded r = tut_seeded_of(1);
    tut_adwin w;
    double before = 0;
    size_t delay = 0;
    tut_adwin_init(&w, 0.002);
    for (size_t i = 0; i < 10000; i++)
        assert_false(tut_adwin_step(&w, share(&r, 0.2), NULL));
    assert_int_equal(w.width, 10000);
    assert_true(fabs(tut_adwin_mean(&w) - 0.2) < 0.02);
    while (!tut_adwin_step(&w, share(&r, 0.4), &before))
        delay++;
    assert_true(delay < 500 && fabs(before - 0.2) < 0.03 && w.width < 10000);
}

static void adwin_keeps_the_variance_of_its_window(void **state)
{
    (void)state;
    tut_seeded r = tut_seeded_of(2);
    tut_adwin w;
    tut_adwin_init(&w, 1e-6);
    for (size_t i = 0; i < 5000; i++)
        (void)tut_adwin_step(&w, normal(&r, 3), NULL);
    assert_true(fabs(w.variance / (double)w.width - 1) < 0.06);
    assert_true(fabs(tut_adwin_mean(&w) - 3) < 0.06);
}

static void trees_find_the_strange_among_the_common(void **state)
{
    (void)state;
    static const double low[] = {-4, -4, -4}, high[] = {4, 4, 4}, strange[] = {3, -3, 3};
    tut_seeded r = tut_seeded_of(4);
    tut_halfspace *f = NULL;
    double most = 0;
    assert_true(tut_is_ok(tut_halfspace_new(low, high, 3, 1, &f, NULL)));
    for (size_t i = 0; i < 2000; i++) {
        double p[] = {normal(&r, 0) / 2, normal(&r, 0) / 2, normal(&r, 0) / 2};
        double score = tut_halfspace_step(f, p);
        assert_true(i >= TUT_HALFSPACE_WINDOW || score < 0);
        most = fmax(most, i < 1000 ? 0 : score);
    }
    assert_true(tut_halfspace_step(f, strange) > 0.8 && most < 0.8);
    tut_halfspace_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(false_alarms_are_as_rare_as_asked_for),
        cmocka_unit_test(changes_are_found_within_the_bound),
        cmocka_unit_test(kinds_are_recognised_and_changes_named),
        cmocka_unit_test(values_that_follow_one_another_do_not_alarm),
        cmocka_unit_test(constants_and_short_baselines_do_no_harm),
        cmocka_unit_test(adwin_drops_what_is_no_longer_so),
        cmocka_unit_test(adwin_keeps_the_variance_of_its_window),
        cmocka_unit_test(trees_find_the_strange_among_the_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
