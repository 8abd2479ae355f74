#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/decimal.h"
#include "memcheck.h"

static uint64_t state = 7;

static uint64_t draw(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

static void check(const char *text)
{
    char padded[2048] = "";
    double got = 0;
    double fast = 0;
    bool is_whole;
    size_t len = strlen(text);
    double expected = strtod(text, NULL);
    assert_true(len + TUT_DECIMAL_PAD < sizeof(padded));
    memcpy(padded, text, len);
    padded[len] = ','; /* what follows is not looked at */
    if (!tut_decimal((tut_str){text, len}, &got))
        fail_msg("%s is a number", text);
    assert_true(tut_decimal_padded((tut_str){padded, len}, &fast, &is_whole));
    if (bits_of(got) != bits_of(expected) || bits_of(fast) != bits_of(expected))
        fail_msg("%s: %a and %a, not %a", text, got, fast, expected);
}

static void hard_cases_are_rounded_as_strtod_does(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "+1",
        "-1.5",
        ".5",
        "5.",
        "0.1",
        "0.3",
        "123456789",
        "1e0",
        "1E+5",
        "1e-5",
        "9007199254740993",
        "9007199254740992",
        "9007199254740991.5",
        "1e22",
        "1e23",
        "8.5e22",
        "1e400",
        "-1e400",
        "1e-400",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
        "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
        "342711559699508093042880",
        "3."
        "237883913302901289588352412501532174863037669423108059901297049552301970670676565786835742"
        "587799557860615776559838283435514391084153169252689190564396459577394618038928365305143463"
        "9"
        "551003566966656292020173313440317300443693602052583458034314716600326995807313009548483639"
        "75"
        "54869001075153001888175818418450568634e-317",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "10000000000000000000000",
        "0.00000000000000000000000000000000000000000000000000001",
        "7.2057594037927933e16",
        "6.0221417900000000000000001e23",
        "1.00000005960464477539062499",
        "00000000000000000000000000000000000001.5",
        "12345678",
        "1234567.1234567",
        "1234567.12345678"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check(texts[i]);
}

static void long_numbers_are_decided_by_their_last_digit(void **unused)
{
    (void)unused;
    char text[1600];
    char *at = text;
    /* Halfway between 1 and its neighbour, then zeros, then a digit far behind. */
    at += sprintf(at, "1.00000000000000011102230246251565404236316680908203125");
    for (int i = 0; i < 900; i++)
        *at++ = '0';
    *at = '\0';
    check(text);
    strcpy(at, "1");
    check(text);
    memset(text, '0', 1000);
    strcpy(text + 1000, "123.5e-3");
    check(text);
    text[1] = '.';
    strcpy(text + 1000, "123e1010");
    check(text);
}

static void random_numbers_are_rounded_as_strtod_does(void **unused)
{
    (void)unused;
    char text[64];
    for (unsigned i = 0; i < 60000; i += memcheck_step(40)) {
        double v;
        uint64_t bits = draw();
        memcpy(&v, &bits, sizeof(v));
        if (v != v || v - v != 0)
            continue;
        (void)snprintf(text, sizeof(text), "%.17g", v);
        check(text);
        (void)snprintf(text, sizeof(text), "%.*e", (int)(draw() % 25), v);
        check(text);
        (void)snprintf(text, sizeof(text), "%llu.%llue%d",
                       (unsigned long long)(draw() >> draw() % 64),
                       (unsigned long long)(draw() >> draw() % 64), (int)(draw() % 640) - 320);
        check(text);
        (void)snprintf(text, sizeof(text), "%.*f", (int)(draw() % 9),
                       (double)(int64_t)(draw() >> 40) / 977);
        check(text);
    }
}

static void what_is_no_number_is_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"",        "-",     "+",         ".",
                                        "e5",      "1e",    "1e+",       "1.2.3",
                                        "0x10",    " 1",    "1 ",        "nan",
                                        "inf",     "--1",   "1-",        "1,5",
                                        "1_000",   "1e5.5", "12345678a", "1234567.1234567x",
                                        "\xc3\xa9"};
    double v = 0;
    bool is_whole;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char padded[64] = "";
        strcpy(padded, texts[i]);
        if (tut_decimal(tut_str_of(texts[i]), &v) ||
            tut_decimal_padded((tut_str){padded, strlen(texts[i])}, &v, &is_whole))
            fail_msg("%s is taken for a number", texts[i]);
    }
}

static void whole_numbers_are_told(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        bool is_whole;
    } cases[] = {
        {"1", true},      {"1.0", true},   {"-7.000", true},           {"1.5", false},
        {"1e3", true},    {"0", true},     {"9007199254740992", true}, {"9007199254740994", false},
        {"1e300", false}, {"1e999", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char padded[64] = "";
        double v;
        bool is_whole = !cases[i].is_whole;
        strcpy(padded, cases[i].text);
        assert_true(tut_decimal_padded((tut_str){padded, strlen(cases[i].text)}, &v, &is_whole));
        assert_int_equal(is_whole, cases[i].is_whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_cases_are_rounded_as_strtod_does),
        cmocka_unit_test(long_numbers_are_decided_by_their_last_digit),
        cmocka_unit_test(random_numbers_are_rounded_as_strtod_does),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(whole_numbers_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
