#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

static tut_code parse(const char *text, tut_time *ret_time)
{
    return tut_time_parse(tut_str_of(text), ret_time).code;
}

static void known_moments_print_and_parse(void **state)
{
    (void)state;
    static const struct {
        tut_time t;
        const char *machine, *date, *people;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z", "1 Jan 1970", "1 Jan 1970, 00:00:00 UTC"},
        {1795426867, "2026-11-23T09:41:07Z", "23 Nov 2026", "23 Nov 2026, 09:41:07 UTC"},
        {951782400, "2000-02-29T00:00:00Z", "29 Feb 2000", "29 Feb 2000, 00:00:00 UTC"},
        {-1, "1969-12-31T23:59:59Z", "31 Dec 1969", "31 Dec 1969, 23:59:59 UTC"},
        {253402300799, "9999-12-31T23:59:59Z", "31 Dec 9999", "31 Dec 9999, 23:59:59 UTC"},
        {-62167219200, "0000-01-01T00:00:00Z", "1 Jan 0000", "1 Jan 0000, 00:00:00 UTC"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[TUT_TIME_TEXT];
        tut_time t = 42;
        tut_time_rfc3339(cases[i].t, text);
        assert_string_equal(text, cases[i].machine);
        assert_int_equal(parse(text, &t), TUT_OK);
        assert_true(t == cases[i].t);
        tut_time_date(cases[i].t, text);
        assert_string_equal(text, cases[i].date);
        tut_time_people(cases[i].t, text);
        assert_string_equal(text, cases[i].people);
    }
}

/* Against the C library, over 1,200 years in steps that meet every day of the week and of the year.
 */
static void calendar_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (tut_time t = -20000000000; t < 20000000000; t += 86399 * 3) {
        time_t seconds = (time_t)t;
        struct tm tm;
        char text[TUT_TIME_TEXT], expected[64];
        tut_time back;
        assert_non_null(gmtime_r(&seconds, &tm));
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
        tut_time_rfc3339(t, text);
        assert_string_equal(text, expected);
        assert_int_equal(parse(text, &back), TUT_OK);
        assert_true(back == t);
    }
}

static void offsets_fractions_and_dates_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tut_time t;
    } cases[] = {
        {"2026-11-23", 1795392000},
        {"2026-11-23T09:41:07.999999999Z", 1795426867},
        {"2026-11-23t09:41:07z", 1795426867},
        {"2026-11-23 09:41:07Z", 1795426867},
        {"2026-11-23T11:41:07+02:00", 1795426867},
        {"2026-11-23T04:11:07.5-05:30", 1795426867},
        {"2024-02-29T00:00:00+00:00", 1709164800},
        {"2016-12-31T23:59:60Z", 1483228799}, /* a leap second is the second before it */
        {"1970-01-01T00:00:00+23:59", -86340},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_time t = 42;
        assert_int_equal(parse(cases[i].text, &t), TUT_OK);
        assert_true(t == cases[i].t);
    }
}

static void everything_else_is_malformed(void **state)
{
    (void)state;
    const char *const bad[] = {"",
                               "2026",
                               "2026-11",
                               "2026-1-23",
                               "26-11-23",
                               "2026-13-01",
                               "2026-00-01",
                               "2026-01-00",
                               "2026-04-31",
                               "2025-02-29",
                               "1900-02-29",
                               "2026-11-23Z",
                               "2026-11-23T",
                               "2026-11-23T09:41:07",
                               "2026-11-23T24:00:00Z",
                               "2026-11-23T09:60:00Z",
                               "2026-11-23T09:41:61Z",
                               "2026-11-23T09:41Z",
                               "2026-11-23T09:41:07.Z",
                               "2026-11-23T09:41:07+0200",
                               "2026-11-23T09:41:07+24:00",
                               "2026-11-23T09:41:07+02:60",
                               "2026-11-23T09:41:07+02:00x",
                               "2026-11-23T09:41:07ZZ",
                               "2026/11/23",
                               "+026-11-23",
                               " 2026-11-23",
                               "2026-11-23 ",
                               "２026-11-23"};
    tut_time t = 42;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse(bad[i], &t), TUT_MALFORMED);
    assert_int_equal(tut_time_parse(TUT_LIT("2026-11-23T09:41:07\0"), &t).code, TUT_MALFORMED);
    assert_int_equal(tut_time_parse((tut_str){NULL, 0}, &t).code, TUT_MALFORMED);
    assert_int_equal(t, 42);
}

static void every_cut_is_malformed_or_the_date(void **state)
{
    (void)state;
    static const char text[] = "2026-11-23T09:41:07.125+02:00";
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        tut_status s;
        tut_time t = 42;
        char *exact = malloc(len ? len : 1); /* reading on would show */
        assert_non_null(exact);
        memcpy(exact, text, len);
        s = tut_time_parse((tut_str){exact, len}, &t);
        free(exact);
        assert_int_equal(s.code, len == 10 ? TUT_OK : TUT_MALFORMED);
    }
}

static void times_out_of_range_print_at_its_edge(void **state)
{
    (void)state;
    char text[TUT_TIME_TEXT];
    tut_time_rfc3339(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    tut_time_people(INT64_MIN, text);
    assert_string_equal(text, "1 Jan 0000, 00:00:00 UTC");
}

static void generated_follows_the_environment_when_sound(void **state)
{
    (void)state;
    setenv("SOURCE_DATE_EPOCH", "1795426867", 1);
    assert_true(tut_time_generated() == 1795426867);
    const char *const unsound[] = {"", "-5", "soon", "99999999999999999999", "253402300800"};
    for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++) {
        setenv("SOURCE_DATE_EPOCH", unsound[i], 1);
        tut_time before = tut_time_now();
        tut_time t = tut_time_generated();
        assert_true(t >= before && t <= tut_time_now());
    }
    unsetenv("SOURCE_DATE_EPOCH");
    assert_true(tut_time_generated() >= 1600000000);
}

static void the_clock_does_not_go_back(void **state)
{
    (void)state;
    uint64_t start = tut_clock_ms(), last = start;
    struct timespec wait = {.tv_nsec = 3000000};
    nanosleep(&wait, NULL);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = tut_clock_ms();
        assert_true(now >= last);
        last = now;
    }
    assert_true(last >= start + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_print_and_parse),
        cmocka_unit_test(calendar_agrees_with_the_c_library),
        cmocka_unit_test(offsets_fractions_and_dates_are_understood),
        cmocka_unit_test(everything_else_is_malformed),
        cmocka_unit_test(every_cut_is_malformed_or_the_date),
        cmocka_unit_test(times_out_of_range_print_at_its_edge),
        cmocka_unit_test(generated_follows_the_environment_when_sound),
        cmocka_unit_test(the_clock_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
