/* The arena: aligned zeroed memory, a cap, growth by blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    tut_arena a;
    tut_arena_init(&a, 0);
    for (size_t size = 1; size < 40000; size = size * 3 + 1) {
        uint8_t *p = tut_arena_take(&a, size, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    tut_arena_done(&a);
}

static void the_cap_and_overflow_yield_null(void **state)
{
    (void)state;
    tut_arena a;
    tut_arena_init(&a, 1000);
    assert_non_null(tut_arena_take(&a, 900, 1));
    assert_null(tut_arena_take(&a, 200, 1));
    assert_null(tut_arena_take(&a, SIZE_MAX / 2, 4));
    tut_arena_done(&a);
    assert_non_null(tut_arena_take(&a, 900, 1));
    tut_arena_done(&a);
}

static void a_copy_ends_in_nul(void **state)
{
    (void)state;
    tut_arena a;
    tut_arena_init(&a, 0);
    assert_string_equal(tut_arena_copy(&a, (tut_str){"abcdef", 3}), "abc");
    assert_string_equal(tut_arena_copy(&a, (tut_str){NULL, 0}), "");
    tut_arena_done(&a);
}

static void failing_allocation_is_null(void **state)
{
    (void)state;
    tut_arena a;
    tut_arena_init(&a, 0);
    tut_alloc_fail_after(1);
    assert_null(tut_arena_take(&a, 1, 1));
    tut_alloc_fail_after(0);
    assert_non_null(tut_arena_take(&a, 1, 1));
    tut_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(the_cap_and_overflow_yield_null),
        cmocka_unit_test(a_copy_ends_in_nul),
        cmocka_unit_test(failing_allocation_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
