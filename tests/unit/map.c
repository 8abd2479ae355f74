#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/map.h"

enum { MANY = 20000, NAME = 24 };

static void what_was_put_is_found_and_nothing_else(void **state)
{
    (void)state;
    static char names[MANY][NAME];
    TUT_CLEAN(tut_map) m = TUT_MAP_INIT;
    assert_true(tut_map_get(&m, TUT_LIT("a")) == SIZE_MAX);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], NAME, "model/m%zu", i);
        assert_true(tut_is_ok(tut_map_put(&m, tut_str_of(names[i]), i, NULL, NULL)));
    }
    assert_int_equal(m.count, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(tut_map_get(&m, tut_str_of(names[i])), i);
    assert_true(tut_map_get(&m, TUT_LIT("model/m")) == SIZE_MAX);
    assert_true(tut_map_get(&m, TUT_LIT("model/m20000")) == SIZE_MAX);
    assert_true(tut_map_get(&m, TUT_LIT("")) == SIZE_MAX);
}

static void the_first_value_of_a_key_stays(void **state)
{
    (void)state;
    TUT_CLEAN(tut_map) m = TUT_MAP_INIT;
    size_t value = 0;
    assert_true(tut_is_ok(tut_map_put(&m, TUT_LIT("key"), 7, &value, NULL)));
    assert_int_equal(value, 7);
    assert_true(tut_is_ok(tut_map_put(&m, TUT_LIT("key"), 8, &value, NULL)));
    assert_int_equal(value, 7);
    assert_int_equal(m.count, 1);
}

/* A NUL within, no text at all, and keys that share all but the length differ. */
static void keys_are_bytes(void **state)
{
    (void)state;
    TUT_CLEAN(tut_map) m = TUT_MAP_INIT;
    static const char zeros[16];
    for (size_t len = 0; len <= sizeof(zeros); len++)
        assert_true(tut_is_ok(tut_map_put(&m, (tut_str){zeros, len}, len, NULL, NULL)));
    for (size_t len = 0; len <= sizeof(zeros); len++)
        assert_int_equal(tut_map_get(&m, (tut_str){zeros, len}), len);
    assert_int_equal(tut_map_get(&m, (tut_str){NULL, 0}), 0);
}

static void running_out_of_memory_loses_nothing(void **state)
{
    (void)state;
    static char names[200][NAME];
    TUT_CLEAN(tut_map) m = TUT_MAP_INIT;
    size_t put = 0;
    for (size_t i = 0; i < 200; i++) {
        snprintf(names[i], NAME, "%zu", i);
        tut_alloc_fail_after(1);
        tut_status status = tut_map_put(&m, tut_str_of(names[i]), i, NULL, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status)) {
            put++;
            continue;
        }
        assert_int_equal(status.code, TUT_NOMEM);
        assert_true(tut_map_get(&m, tut_str_of(names[i])) == SIZE_MAX);
        assert_true(tut_is_ok(tut_map_put(&m, tut_str_of(names[i]), i, NULL, NULL)));
    }
    assert_true(put > 0 && put < 200);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(tut_map_get(&m, tut_str_of(names[i])), i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_and_nothing_else),
        cmocka_unit_test(the_first_value_of_a_key_stays),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(running_out_of_memory_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
