/* What texts carry: pickles, programs and archives, encoded or as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exam_recorder.h"
#include "formats/encoded.h"

/* pickle.dumps of an object that calls os.system, protocol 2: base64, and hexadecimal. */
static const char pickle64[] = "gAJjcG9zaXgKc3lzdGVtCnEAWAsAAABlY2hvIGNhbmFyeXEBhXECUnEDLg==";
static const char pickle_hex[] =
    "800263706f7369780a73797374656d0a7100580b0000006563686f2063616e61727971018571025271032e";
/* An ELF header. */
static const char elf64[] = "f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAAeABAAAAAAAA=";

static void look(const char *text, bool is_seen, tut_buf *log)
{
    exam_recorder r = {.depth = 0};
    tut_budget_init(&r.budget);
    tut_exam x = {.budget = &r.budget, .ops = &recorder_ops, .ctx = &r};
    tut_error err = {0};
    assert_int_equal(tut_encoded_look(&x, tut_str_of(text), 7, is_seen, &err).code, TUT_OK);
    *log = r.log;
}

static bool says(const char *text, const char *wanted)
{
    TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
    look(text, false, &log);
    const char *said = tut_buf_z(&log);
    return said && strstr(said, wanted);
}

static void what_is_encoded_is_found(void **state)
{
    (void)state;
    assert_true(says(pickle64, "base64 text@7"));
    assert_true(says(pickle_hex, "hex text@7"));
    assert_true(says("data:application/octet-stream;base64,"
                     "gAJjcG9zaXgKc3lzdGVtCnEAWAsAAABlY2hvIGNhbmFyeXEBhXECUnEDLg==",
                     "base64 text@7"));
    assert_true(says("cposix\nsystem\np0\n(Vecho canary\np1\ntp2\nRp3\n.", "text@7"));
    assert_true(says(elf64, "data.hidden-payload"));
}

static void what_texts_usually_are_is_not(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "a description of the model, in some words",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "f0VMRg==",
        "{\"a\": [1, 2, 3], \"b\": \"gAJjcG9zaXgKc3lzdGVtCnEA\"}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
        look(texts[i], false, &log);
        if (log.len > 0)
            fail_msg("%s\ngave:\n%s", texts[i], tut_buf_z(&log));
    }
}

static void what_was_seen_as_it_is_is_not_told_again(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) coded = TUT_BUF_INIT;
    look("cposix\nsystem\np0\n(Vecho canary\np1\ntp2\nRp3\n.", true, &plain);
    assert_int_equal(plain.len, 0);
    look(pickle64, true, &coded);
    assert_true(coded.len > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_found),
        cmocka_unit_test(what_texts_usually_are_is_not),
        cmocka_unit_test(what_was_seen_as_it_is_is_not_told_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
