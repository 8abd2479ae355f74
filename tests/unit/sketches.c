#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "memcheck.h"
#include "stats/distinct.h"
#include "stats/heavy.h"
#include "stats/quantile.h"

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* --- quantiles --- */

static void add_sampled(tut_quantiles *q, const double *v, size_t count, uint64_t *random)
{
    static uint32_t at[2048 + 32];
    static uint8_t shifts[2048 + 32];
    for (size_t from = 0; from < count; from += 2000) {
        size_t n = count - from < 2000 ? count - from : 2000;
        size_t taken = tut_sample(n, tut_sample_shift(from), random, at, shifts);
        for (size_t i = 0; i < taken; i++)
            assert_true(tut_is_ok(tut_quantiles_add(q, &v[from + at[i]], 1, shifts[i], NULL)));
    }
    assert_int_equal(q->count, count);
}

static uint64_t weight_of(const tut_quantiles *q)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < TUT_QUANTILE_LEVELS; i++)
        all += (uint64_t)q->levels[i].size << i;
    return all;
}

/* Of 0 to count-1 in the order given, how far the rank of a quantile is off, at nine places. */
static void errors_of(const tut_quantiles *q, size_t count, double *to)
{
    tut_quantile_view v;
    assert_true(tut_is_ok(tut_quantiles_view(q, &v, NULL)));
    for (int i = 1; i < 10; i++)
        to[i - 1] = fabs(tut_quantile_at(&v, i / 10.0) / (double)count - i / 10.0);
    tut_quantile_view_done(&v);
}

static void few_numbers_are_exact(void **state)
{
    (void)state;
    tut_quantiles q;
    tut_quantile_view v;
    tut_quantiles_init(&q, TUT_QUANTILE_K, 1);
    for (int i = 100; i > 0; i--)
        assert_true(tut_is_ok(tut_quantiles_add(&q, &(double){i}, 1, 0, NULL)));
    assert_true(tut_is_ok(tut_quantiles_view(&q, &v, NULL)));
    assert_true(tut_quantile_at(&v, 0) == 1 && tut_quantile_at(&v, 0.5) == 50);
    assert_true(tut_quantile_at(&v, 1) == 100 && tut_quantile_at(&v, 0.991) == 100);
    assert_true(tut_quantile_share(&v, 0.5) == 0 && tut_quantile_share(&v, 25) == 0.25);
    assert_true(tut_quantiles_share(&q, 25.5) == 0.25);
    tut_quantile_view_done(&v);
    tut_quantiles_done(&q);
}

static int upward(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What quantile.h states: 1.33 % in 99 of 100 cases, sampled as a profile does. */
static void ranks_are_as_near_as_stated(void **state)
{
    (void)state;
    size_t count = RUNNING_ON_VALGRIND ? 20000 : 200000;
    unsigned rounds = RUNNING_ON_VALGRIND ? 3 : 40;
    double *v = calloc(count, sizeof(*v));
    double *errors = calloc((size_t)9 * rounds, sizeof(*errors));
    assert_true(v && errors);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t random = round;
        tut_quantiles q;
        tut_quantiles_init(&q, TUT_QUANTILE_K, round);
        for (size_t i = 0; i < count; i++)
            v[i] = (double)i;
        for (size_t i = count - 1; i > 0 && round % 4; i--) { /* each fourth one in order */
            size_t k = (size_t)(draw(&random) % (i + 1));
            double x = v[i];
            v[i] = v[k];
            v[k] = x;
        }
        add_sampled(&q, v, count, &random);
        assert_true(weight_of(&q) == count);
        assert_true(tut_quantiles_items(&q) < 4 * TUT_QUANTILE_K);
        errors_of(&q, count, errors + (size_t)9 * round);
        tut_quantiles_done(&q);
    }
    size_t all = (size_t)9 * rounds;
    qsort(errors, all, sizeof(*errors), upward);
    print_message("rank error: median %.3f %%, of 99 in 100 at most %.3f %%\n",
                  100 * errors[all / 2], 100 * errors[all * 99 / 100]);
    assert_true(errors[all * 99 / 100] < 0.0133);
    free(v);
    free(errors);
}

static void merged_sketches_are_as_near(void **state)
{
    (void)state;
    uint64_t random = 5;
    tut_quantiles all;
    tut_quantiles_init(&all, TUT_QUANTILE_K, 9);
    size_t count = 40000;
    for (int part = 0; part < 8; part++) {
        tut_quantiles q;
        static double v[5000];
        tut_quantiles_init(&q, TUT_QUANTILE_K, (uint64_t)part);
        for (size_t i = 0; i < 5000; i++)
            v[i] = (double)(i * 8 + (size_t)part);
        add_sampled(&q, v, 5000, &random);
        assert_true(tut_is_ok(tut_quantiles_merge(&all, &q, NULL)));
        tut_quantiles_done(&q);
    }
    double errors[9];
    assert_true(all.count == count && weight_of(&all) == count);
    errors_of(&all, count, errors);
    for (int i = 0; i < 9; i++)
        assert_true(errors[i] < 0.0133);
    tut_quantiles_done(&all);
}

static void a_sample_stands_for_all(void **state)
{
    (void)state;
    uint32_t at[600];
    uint8_t shifts[600];
    uint64_t random = 3;
    for (size_t count = 0; count < 500; count++) {
        for (unsigned shift = 0; shift < 8; shift++) {
            size_t n = tut_sample(count, shift, &random, at, shifts);
            uint64_t weight = 0;
            assert_true(n <= (count >> shift) + shift);
            for (size_t i = 0; i < n; i++) {
                assert_true(at[i] < count && (i == 0 || at[i] > at[i - 1]));
                weight += 1ull << shifts[i];
            }
            assert_int_equal(weight, count);
        }
    }
    assert_int_equal(tut_sample_shift(0), 0);
    assert_true(tut_sample_shift(1u << 20) > 2);
}

/* --- distinct --- */

static void different_things_are_estimated_within_their_error(void **state)
{
    (void)state;
    static const unsigned sizes[] = {0, 1, 10, 100, 1000, 10000, 40000, 100000, 1000000};
    uint64_t random = 1;
    size_t cases = sizeof(sizes) / sizeof(sizes[0]) - (RUNNING_ON_VALGRIND ? 3 : 0);
    for (size_t s = 0; s < cases; s++) {
        double squares = 0;
        for (int round = 0; round < 8; round++) {
            static tut_distinct d;
            d = (tut_distinct){{0}};
            for (unsigned i = 0; i < sizes[s]; i++)
                tut_distinct_add(&d, draw(&random));
            double off = sizes[s] ? tut_distinct_estimate(&d) / sizes[s] - 1
                                  : tut_distinct_estimate(&d);
            squares += off * off;
        }
        assert_true(sqrt(squares / 8) < 0.0081 * 2); /* two deviations, of eight */
    }
}

static void merged_counts_are_those_of_all(void **state)
{
    (void)state;
    static tut_distinct a;
    static tut_distinct b;
    static tut_distinct all;
    uint64_t random = 2;
    for (int i = 0; i < 30000; i++) {
        uint64_t hash = draw(&random);
        if (i < 20000)
            tut_distinct_add(&a, hash);
        if (i >= 10000)
            tut_distinct_add(&b, hash);
        tut_distinct_add(&all, hash);
    }
    tut_distinct_merge(&a, &b);
    assert_memory_equal(&a, &all, sizeof(all));
}

/* --- heavy --- */

static void add(tut_heavy *h, uint64_t thing, bool may_drop)
{
    tut_heavy_item *item;
    uint64_t state = thing;
    assert_true(tut_is_ok(tut_heavy_add(h, draw(&state), 1, (double)thing, (tut_str){NULL, 0},
                                        may_drop, &item, NULL)));
}

static void few_things_are_counted_exactly(void **state)
{
    (void)state;
    tut_heavy h = {0};
    for (unsigned i = 0; i < 700 * 3; i++)
        add(&h, i % 700, false);
    assert_int_equal(h.used, 700);
    assert_int_equal(h.taken, 0);
    for (uint32_t i = 0; i < h.slots; i++)
        assert_true(h.items[i].count == 0 || h.items[i].count == 3);
    tut_heavy_done(&h);
}

static void frequent_things_are_found_among_many(void **state)
{
    (void)state;
    tut_heavy h = {0};
    uint64_t random = 4;
    unsigned count = RUNNING_ON_VALGRIND ? 20000 : 300000;
    uint64_t truth[5] = {0};
    for (unsigned i = 0; i < count; i++) {
        unsigned dice = (unsigned)(draw(&random) % 100);
        uint64_t thing = dice < 2    ? 0
                         : dice < 5  ? 1
                         : dice < 10 ? 2
                                     : 100 + draw(&random) % 1000000;
        if (thing < 5)
            truth[thing]++;
        add(&h, thing, true);
    }
    const tut_heavy_item *top[3];
    assert_int_equal(tut_heavy_top(&h, top, 3), 3);
    for (unsigned i = 0; i < 3; i++) {
        unsigned thing = 2 - i;
        assert_true(top[i]->number == thing);
        assert_true(top[i]->count <= truth[thing] && top[i]->count + h.taken >= truth[thing]);
    }
    assert_true(h.taken <= count / (TUT_HEAVY_COUNTERS / 3)); /* the bound of the batched form */
    tut_heavy_done(&h);
}

static void texts_are_kept_to_be_shown(void **state)
{
    (void)state;
    tut_heavy h = {0};
    tut_heavy_item *item;
    static const char text[] = "a text of more than forty bytes is cut where they end";
    for (uint64_t i = 0; i < 200; i++)
        assert_true(tut_is_ok(
            tut_heavy_add(&h, i, 1 + (i == 7), NAN, (tut_str){text, i % 50}, false, &item, NULL)));
    const tut_heavy_item *top;
    assert_int_equal(tut_heavy_top(&h, &top, 1), 1);
    assert_true(tut_str_eq(tut_heavy_text(&h, top), (tut_str){text, 7}));
    item = tut_heavy_find(&h, 145);
    assert_int_equal(item->len, TUT_HEAVY_TEXT + 1);
    assert_int_equal(tut_heavy_text(&h, item).len, TUT_HEAVY_TEXT);
    tut_heavy_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_numbers_are_exact),
        cmocka_unit_test(ranks_are_as_near_as_stated),
        cmocka_unit_test(merged_sketches_are_as_near),
        cmocka_unit_test(a_sample_stands_for_all),
        cmocka_unit_test(different_things_are_estimated_within_their_error),
        cmocka_unit_test(merged_counts_are_those_of_all),
        cmocka_unit_test(few_things_are_counted_exactly),
        cmocka_unit_test(frequent_things_are_found_among_many),
        cmocka_unit_test(texts_are_kept_to_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
