/* The greatest of scores, and their softmax in both precisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <cmocka.h>

#include "stats/scores.h"

static void the_first_of_equals_is_the_greatest(void **state)
{
    (void)state;
    const double scores[] = {-3, 2, 2, -INFINITY};
    const float single[] = {-3, 2, 2, -INFINITY};
    assert_int_equal(tut_greatest(scores, 4), 1);
    assert_int_equal(tut_greatest_f(single, 4), 1);
    assert_int_equal(tut_greatest(scores, 1), 0);
    assert_int_equal(tut_greatest_f(single + 3, 1), 0);
}

/* Of logarithms, softmax makes the numbers again, as shares; whatever is added to all. */
static void softmax_undoes_the_logarithm(void **state)
{
    (void)state;
    const double weights[] = {1, 2, 5, 0}, shifts[] = {0, 1000, -1000};
    for (size_t k = 0; k < 3; k++) {
        double scores[4];
        float single[4];
        for (size_t i = 0; i < 4; i++)
            single[i] = (float)(scores[i] = log(weights[i]) + shifts[k]);
        tut_softmax(scores, 4, scores);
        tut_softmax_f(single, 4, single);
        for (size_t i = 0; i < 4; i++) {
            assert_true(fabs(scores[i] - weights[i] / 8) < 1e-12);
            assert_true(fabs((double)single[i] - weights[i] / 8) < 1e-4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_equals_is_the_greatest),
        cmocka_unit_test(softmax_undoes_the_logarithm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
