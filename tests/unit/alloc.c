#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/budget.h"
#include "base/limits.h"

/* Volatile, so that no compiler warns of the sizes that the tests ask for on purpose. */
static volatile size_t huge = SIZE_MAX;

static void memory_is_zeroed(void **state)
{
    (void)state;
    TUT_AUTO_FREE uint8_t *p = tut_alloc_array(1000, 7);
    assert_non_null(p);
    for (size_t i = 0; i < 7000; i++)
        assert_int_equal(p[i], 0);
}

static void zero_items_are_a_valid_block(void **state)
{
    (void)state;
    TUT_AUTO_FREE void *p = tut_alloc_array(0, 8);
    assert_non_null(p);
    TUT_AUTO_FREE void *q = tut_alloc_array(8, 0);
    assert_non_null(q);
    void *r = tut_realloc_array(NULL, 0, 8);
    assert_non_null(r);
    tut_free(r);
    tut_free(NULL);
}

static void overflow_is_null(void **state)
{
    (void)state;
    assert_null(tut_alloc_array(huge, 2));
    assert_null(tut_alloc_array(huge / 4 + 2, 4));
    char *p = tut_strdup("kept");
    assert_non_null(p);
    assert_null(tut_realloc_array(p, huge, 2));
    assert_string_equal(p, "kept");
    tut_free(p);
    assert_null(tut_strndup("x", huge));
}

static void copies_end_in_nul(void **state)
{
    (void)state;
    TUT_AUTO_FREE char *a = tut_strdup("");
    TUT_AUTO_FREE char *b = tut_strndup("abcdef", 3);
    TUT_AUTO_FREE char *c = tut_strndup(NULL, 0);
    TUT_AUTO_FREE char *d = tut_asprintf("%s-%03d", "x", 7);
    TUT_AUTO_FREE char *e = tut_asprintf("%2000d", 1);
    assert_string_equal(a, "");
    assert_string_equal(b, "abc");
    assert_string_equal(c, "");
    assert_string_equal(d, "x-007");
    assert_int_equal(strlen(e), 2000);
}

static void the_nth_allocation_fails_and_no_other(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 5; n++) {
        char *kept = tut_strdup("k");
        tut_alloc_fail_after(n);
        void *p[5];
        p[0] = tut_alloc_array(1, 1);
        p[1] = tut_strdup("a");
        p[2] = tut_strndup("ab", 1);
        p[3] = tut_asprintf("%d", 1);
        p[4] = tut_realloc_array(NULL, 4, 4);
        for (uint64_t i = 0; i < 5; i++)
            assert_int_equal(p[i] == NULL, i + 1 == n);
        for (size_t i = 0; i < 5; i++)
            tut_free(p[i]);
        tut_free(kept);
        void *after = tut_alloc_array(1, 1);
        assert_non_null(after);
        tut_free(after);
    }
    tut_alloc_fail_after(1);
    tut_alloc_fail_after(0);
    void *p = tut_alloc_array(1, 1);
    assert_non_null(p);
    tut_free(p);
}

static void grow_keeps_items_and_makes_room(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(tut_is_ok(tut_grow(&items, (size_t)i, &capacity, sizeof(*items))));
        assert_true(capacity > (size_t)i);
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_true(capacity < 4000);
    tut_free(items);
}

static void grow_that_fails_changes_nothing(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    assert_true(tut_is_ok(tut_grow(&items, 0, &capacity, sizeof(*items))));
    items[0] = 42;
    size_t before = capacity;
    int *same = items;
    tut_alloc_fail_after(1);
    assert_int_equal(tut_grow(&items, capacity, &capacity, sizeof(*items)).code, TUT_NOMEM);
    tut_alloc_fail_after(0);
    assert_int_equal(capacity, before);
    assert_ptr_equal(items, same);
    assert_int_equal(items[0], 42);
    size_t large = huge / 2 + 1;
    assert_int_equal(tut_grow(&items, large, &large, sizeof(*items)).code, TUT_NOMEM);
    assert_int_equal(large, huge / 2 + 1);
    large = huge / 4;
    assert_int_equal(tut_grow(&items, large, &large, sizeof(*items)).code, TUT_NOMEM);
    tut_free(items);
}

static void move_clears_the_owner(void **state)
{
    (void)state;
    char *owner = tut_strdup("x");
    char *taken = tut_move(&owner);
    assert_null(owner);
    assert_string_equal(taken, "x");
    tut_free(taken);
}

static void budget_takes_all_or_nothing(void **state)
{
    (void)state;
    tut_budget b;
    tut_budget_init(&b);
    assert_true(b.bytes_left == TUT_LIMIT_DECODED_BYTES);
    assert_true(b.heap_left == TUT_LIMIT_HEAP_BYTES);
    assert_int_equal(b.depth_left, TUT_LIMIT_DEPTH);
    tut_error err = {0};
    b.steps_left = 10;
    assert_true(tut_is_ok(tut_budget_steps(&b, 9, &err)));
    assert_int_equal(tut_budget_steps(&b, 2, &err).code, TUT_LIMIT);
    assert_non_null(strstr(err.text, "steps"));
    assert_int_equal(b.steps_left, 1);
    assert_true(tut_is_ok(tut_budget_steps(&b, 1, NULL)));
    assert_int_equal(tut_budget_steps(&b, 1, NULL).code, TUT_LIMIT);
    assert_true(tut_is_ok(tut_budget_steps(&b, 0, NULL)));
    assert_int_equal(tut_budget_bytes(&b, UINT64_MAX, NULL).code, TUT_LIMIT);
    assert_true(tut_is_ok(tut_budget_bytes(&b, TUT_LIMIT_DECODED_BYTES, NULL)));
    assert_int_equal(tut_budget_bytes(&b, 1, NULL).code, TUT_LIMIT);
    assert_true(tut_is_ok(tut_budget_heap(&b, TUT_LIMIT_HEAP_BYTES, NULL)));
    assert_int_equal(tut_budget_heap(&b, 1, NULL).code, TUT_LIMIT);
    tut_budget_heap_return(&b, 5);
    assert_true(tut_is_ok(tut_budget_heap(&b, 5, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed),
        cmocka_unit_test(zero_items_are_a_valid_block),
        cmocka_unit_test(overflow_is_null),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(the_nth_allocation_fails_and_no_other),
        cmocka_unit_test(grow_keeps_items_and_makes_room),
        cmocka_unit_test(grow_that_fails_changes_nothing),
        cmocka_unit_test(move_clears_the_owner),
        cmocka_unit_test(budget_takes_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
