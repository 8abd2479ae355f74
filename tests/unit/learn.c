/* Neighbours and logistic regression, beside plain counting and known answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <cmocka.h>

#include "memcheck.h"
#include "stats/knn.h"
#include "stats/logistic.h"
#include "stats/random.h"

static float *draw_rows(size_t count, size_t width, uint64_t seed, unsigned levels)
{
    float *rows = tut_alloc_array(count, width * sizeof(*rows));
    assert_non_null(rows);
    for (size_t i = 0; i < count * width; i++)
        rows[i] = levels ? (float)tut_random_below(&seed, levels)
                         : (float)(tut_random_unit(&seed) * 10 + 100);
    return rows;
}

static double distance(const float *rows, size_t width, size_t a, size_t b)
{
    double sum = 0;
    for (size_t j = 0; j < width; j++) {
        double d = (double)rows[a * width + j] - (double)rows[b * width + j];
        sum += d * d;
    }
    return sum;
}

/* Each row's neighbours are sorted, right in distance, and none that is left out is nearer. */
static void check_neighbours(size_t count, size_t width, size_t k, unsigned levels)
{
    float *rows = draw_rows(count, width, count + width, levels);
    tut_neighbour *found = tut_alloc_array(count * k, sizeof(*found));
    assert_true(tut_is_ok(tut_knn(rows, count, width, k, found, NULL)));
    for (size_t i = 0; i < count; i++) {
        const tut_neighbour *near = found + i * k;
        size_t nearer = 0;
        for (size_t n = 0; n < k; n++) {
            double d = distance(rows, width, i, near[n].row);
            assert_int_not_equal(near[n].row, i);
            assert_true(fabs(d - (double)near[n].distance) <= 1e-6 * (1 + d));
            assert_true(n == 0 || near[n].distance >= near[n - 1].distance);
        }
        for (size_t j = 0; j < count; j++)
            nearer += j != i &&
                      distance(rows, width, i, j) < (double)near[k - 1].distance * (1 - 1e-5);
        assert_true(nearer <= k - 1);
    }
    tut_free(rows);
    tut_free(found);
}

static void neighbours_are_the_nearest(void **state)
{
    (void)state;
    check_neighbours(300 / memcheck_step(4), 7, 10, 0);
    check_neighbours(65, 300, 5, 0);
    check_neighbours(17, 1, 16, 0);
    check_neighbours(33, 784, 3, 0);
}

static void ties_are_no_trouble(void **state)
{
    (void)state;
    check_neighbours(200 / memcheck_step(4), 3, 10, 2);
}

static void more_neighbours_than_rows_are_refused(void **state)
{
    float rows[4] = {0};
    tut_neighbour found[4];
    (void)state;
    assert_int_equal(tut_knn(rows, 4, 1, 4, found, NULL).code, TUT_USAGE);
    assert_int_equal(tut_knn(rows, 4, 1, 0, found, NULL).code, TUT_USAGE);
    assert_int_equal(tut_knn(rows, 4, 0, 1, found, NULL).code, TUT_USAGE);
}

/* One column, labels 0 0 1 1 at -2 -1 1 2, C = 1: by symmetry no intercept, and the weight solves
 * w = 2 s(-2w) * 2 + 2 s(-w), s the logistic function (the gradient is zero). */
static void two_classes_have_the_weight_that_the_gradient_asks_for(void **state)
{
    const float rows[] = {-2, -1, 1, 2};
    const uint32_t labels[] = {0, 0, 1, 1};
    tut_design x = {.count = 4, .dense = rows, .dense_width = 1};
    tut_logistic_wish wish = {.tolerance = 1e-9, .rounds = 500};
    tut_logistic m;
    (void)state;
    assert_true(tut_is_ok(tut_logistic_fit(&x, labels, 2, NULL, 0, &wish, &m, NULL)));
    double w = m.weights[0], s1 = 1 / (1 + exp(w)), s2 = 1 / (1 + exp(2 * w));
    assert_true(fabs(w - (4 * s2 + 2 * s1)) < 1e-6);
    assert_true(fabs(m.weights[m.along]) < 1e-6);
    tut_logistic_done(&m);
}

/* The same rows dense and sparse, and with three classes of which one never comes. */
static void sparse_rows_give_what_dense_ones_do(void **state)
{
    enum { ROWS = 60, WIDTH = 5 };
    float *rows = draw_rows(ROWS, WIDTH, 5, 3), values[ROWS * WIDTH];
    uint64_t starts[ROWS + 1];
    uint32_t columns[ROWS * WIDTH], labels[ROWS];
    size_t at = 0;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        starts[i] = at;
        labels[i] = rows[i * WIDTH] + rows[i * WIDTH + 1] > 2 ? 2 : 0;
        for (uint32_t j = 0; j < WIDTH; j++)
            if (rows[i * WIDTH + j] > 0) {
                columns[at] = j;
                values[at++] = rows[i * WIDTH + j];
            }
    }
    starts[ROWS] = at;
    tut_design dense = {.count = ROWS, .dense = rows, .dense_width = WIDTH};
    tut_design sparse = {.count = ROWS,
                         .starts = starts,
                         .columns = columns,
                         .values = values,
                         .sparse_width = WIDTH};
    tut_logistic_wish wish = {.tolerance = 1e-8, .rounds = 500};
    tut_logistic a, b;
    double scores[3], p[3], q[3];
    assert_true(tut_is_ok(tut_logistic_fit(&dense, labels, 3, NULL, 0, &wish, &a, NULL)));
    assert_true(tut_is_ok(tut_logistic_fit(&sparse, labels, 3, NULL, 0, &wish, &b, NULL)));
    for (size_t i = 0; i < ROWS; i++) {
        tut_logistic_scores(&a, &dense, i, scores);
        tut_logistic_softmax(&a, scores, p);
        tut_logistic_scores(&b, &sparse, i, scores);
        tut_logistic_softmax(&b, scores, q);
        assert_true(fabs(p[0] + p[1] + p[2] - 1) < 1e-12);
        for (int c = 0; c < 3; c++)
            assert_true(fabs(p[c] - q[c]) < 1e-5);
        assert_int_equal(p[2] > p[0], labels[i] == 2);
    }
    tut_logistic_done(&a);
    tut_logistic_done(&b);
    tut_free(rows);
}

static void only_picked_rows_are_learnt_from(void **state)
{
    const float rows[] = {-1, 1, -1, 1};
    const uint32_t labels[] = {0, 1, 1, 0}, pick[] = {0, 1};
    tut_design x = {.count = 4, .dense = rows, .dense_width = 1};
    tut_logistic_wish wish = {0};
    tut_logistic m;
    (void)state;
    assert_true(tut_is_ok(tut_logistic_fit(&x, labels, 2, pick, 2, &wish, &m, NULL)));
    assert_true(m.weights[0] > 0.3);
    tut_logistic_done(&m);
    assert_int_equal(tut_logistic_fit(&x, labels, 1, NULL, 0, &wish, &m, NULL).code, TUT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_the_nearest),
        cmocka_unit_test(ties_are_no_trouble),
        cmocka_unit_test(more_neighbours_than_rows_are_refused),
        cmocka_unit_test(two_classes_have_the_weight_that_the_gradient_asks_for),
        cmocka_unit_test(sparse_rows_give_what_dense_ones_do),
        cmocka_unit_test(only_picked_rows_are_learnt_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
