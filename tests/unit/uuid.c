#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/uuid.h"

/* RFC 9562, appendix C and A.4: the space of DNS names and "www.example.com". */
static const tut_uuid dns = {{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00,
                              0xc0, 0x4f, 0xd4, 0x30, 0xc8}};
/* The space of URLs. */
static const tut_uuid url = {{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00,
                              0xc0, 0x4f, 0xd4, 0x30, 0xc8}};

static void check(const tut_uuid *space, const char *name, const char *expected)
{
    tut_uuid u;
    char text[TUT_UUID_TEXT];
    assert_true(tut_is_ok(tut_uuid_v5(space, tut_span_of(name, strlen(name)), &u, NULL)));
    tut_uuid_text(&u, text);
    assert_string_equal(text, expected);
}

static void the_example_of_the_rfc_comes_out(void **state)
{
    (void)state;
    check(&dns, "www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

static void our_space_is_what_it_says(void **state)
{
    (void)state;
    char text[TUT_UUID_TEXT];
    tut_uuid_text(&tut_uuid_space, text);
    check(&url, "urn:tutela:uuid", text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc_comes_out),
        cmocka_unit_test(our_space_is_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
