/* The form of due diligence: what counts as filled in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "assess/form.h"

static tut_status read(const char *text, tut_form *form, tut_error *err)
{
    const tut_form_kind *kind = tut_form_of(TUT_LIT("bom.due-diligence"));
    assert_non_null(kind);
    return tut_form_read(kind, tut_str_of(text), form, err);
}

static const char *const whole =
    "---\nclause: 5.1.2-4\nasset: model/a\n"
    "digest: sha256:1111111111111111111111111111111111111111111111111111111111111111\n"
    "accepted by: \"Ada\"\naccepted until: 2030-06-30\n---\n# Due diligence\n## 1. Source\n"
    "https://x.example\n## Licence\nApache-2.0\n## Risk assessment:\n### What was done\nScanned.\n"
    "## Known risks\nnone known\n";

static void a_whole_form_tells_what_it_is_about(void **state)
{
    (void)state;
    tut_form f;
    tut_error err = {0};
    tut_time until;
    assert_true(tut_is_ok(read(whole, &f, &err)));
    assert_true(f.has_asset && f.has_digest && f.has_clause && f.has_by && f.has_until);
    assert_string_equal(f.asset, "model/a");
    assert_string_equal(f.by, "Ada");
    assert_string_equal(f.clause, "5.1.2-4");
    assert_true(tut_is_ok(tut_time_parse(TUT_LIT("2030-06-30"), &until)));
    assert_true(f.until == until);
}

static void front_matter_alone_will_do(void **state)
{
    (void)state;
    tut_form f;
    tut_error err = {0};
    assert_true(tut_is_ok(read("---\nsource: |\n  bought from x\nlicense: MIT\nvetting: read it\n"
                               "limitations: none\naccepted_until: 2030-01-01\n---\n",
                               &f, &err)));
    assert_true(tut_is_ok(read("- **Source:** x.example\n- **Licence:** MIT\n- Assessment: done\n"
                               "- Risks: none\n\nAccepted until: 2030-01-01\n",
                               &f, &err)));
}

static const struct {
    const char *lacks;
    const char *piece, *by; /* of the whole, and what stands there instead */
} gaps[] = {
    {"Source", "https://x.example", "TODO"},
    {"Source", "https://x.example", "<!-- https://x.example -->"},
    {"Source", "https://x.example", "https://x.example\nTODO: check"},
    {"Licence", "Apache-2.0", ""},
    {"Licence", "## Licence", "## Colour"},
    {"Assessment", "### What was done\nScanned.", "### What was done"},
    {"Known risks", "none known", "<!--\nnone known\n-->"},
    {"Known risks", "none known", "- \n> "},
    {"Known risks", "none known", "Risks: TODO"},
    {"Known risks", "none known", "- residual risk: TODO"},
    {"Known risks", "none known", "- **TODO**"},
    {"Known risks", "none known", "- none known\n- TODO"},
    {"Known risks", "none known", "none known\n- [ ] TODO: ask"},
    {"accepted until", "accepted until: 2030-06-30", "accepted until: TODO"},
    {"is no date", "2030-06-30", "next year"},
    {"is no sha256", "sha256:11", "sha256:xx"},
};

static void what_is_missing_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        const char *at = strstr(whole, gaps[i].piece);
        tut_form f;
        tut_error err = {0};
        assert_non_null(at);
        tut_buf_add(&text, whole, (size_t)(at - whole));
        tut_buf_add_z(&text, gaps[i].by);
        tut_buf_add_z(&text, at + strlen(gaps[i].piece));
        assert_int_equal(read(tut_buf_z(&text), &f, &err).code, TUT_USAGE);
        if (!strstr(err.text, gaps[i].lacks))
            fail_msg("%zu: %s", i, err.text);
    }
}

static void all_that_lacks_is_named_at_once(void **state)
{
    (void)state;
    tut_form f;
    tut_error err = {0};
    assert_int_equal(read("", &f, &err).code, TUT_USAGE);
    static const char *const words[] = {"Source", "Licence", "Assessment", "Known risks",
                                        "accepted until"};
    for (size_t i = 0; i < 5; i++)
        assert_non_null(strstr(err.text, words[i]));
}

static void no_text_is_no_form(void **state)
{
    (void)state;
    tut_form f;
    tut_error err = {0};
    assert_int_equal(read("%PDF-1.7\xff\xfe", &f, &err).code, TUT_MALFORMED);
    const tut_form_kind *kind = tut_form_of(TUT_LIT("supplier.due-diligence"));
    assert_int_equal(tut_form_read(kind, TUT_LIT("a\0b"), &f, &err).code, TUT_MALFORMED);
    assert_null(tut_form_of(TUT_LIT("declared.document")));
}

/* A heading of a deeper level belongs to the section above it; one of the same level ends it. */
static void fences_are_text_and_headings_in_them_are_none(void **state)
{
    (void)state;
    tut_form f;
    tut_error err = {0};
    assert_int_equal(read("```\n## Source\nx.example\n## Licence\nMIT\n```\n", &f, &err).code,
                     TUT_USAGE);
    assert_non_null(strstr(err.text, "Source"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_form_tells_what_it_is_about),
        cmocka_unit_test(front_matter_alone_will_do),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(all_that_lacks_is_named_at_once),
        cmocka_unit_test(no_text_is_no_form),
        cmocka_unit_test(fences_are_text_and_headings_in_them_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
