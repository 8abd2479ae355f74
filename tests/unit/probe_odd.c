/* Odd inputs as they are written, what a program says that it takes, and files of authorities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "probe/odd_inputs.h"
#include "probe/target_command.h"
#include "probe/target_internal.h"

enum { LARGEST = 8 << 20 };

static void set_marks(odd_marks *m)
{
    const struct {
        tut_buf *to;
        const char *text;
    } all[] = {{&m->name, "x"},
               {&m->width, "2"},
               {&m->row, "0.5,1"},
               {&m->large, "3.4e38,3.4e38"},
               {&m->small, "-1e-45,-1e-45"},
               {&m->model, "\"m\""},
               {&m->id, "7"}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        tut_buf_add_z(all[i].to, all[i].text);
}

/* What a line holds that ends it is another line. */
static void an_odd_line_is_one_line_and_no_mark_is_left(void **state)
{
    TUT_CLEAN(odd_marks) m = {.name = TUT_BUF_INIT};
    size_t lines = 0;
    (void)state;
    set_marks(&m);
    for (size_t i = 0; i < odd_input_count; i++) {
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        const odd_input *in = &odd_inputs[i];
        bool is_line = in->to & (ODD_ROWS | ODD_TALK);
        tut_buf_clear(&m.head);
        tut_buf_add_z(&m.head, is_line ? "\"id\":7" : "\"model\":\"m\"");
        odd_input_write(in, &m, &body);
        assert_true(tut_is_ok(tut_buf_check(&body, NULL)));
        assert_true(body.len < LARGEST);
        assert_true(in->to != 0 && in->name[0]);
        lines += is_line;
        if (body.len == 0)
            continue;
        assert_null(memchr(body.data, '@', body.len));
        if (is_line)
            assert_null(memchr(body.data, '\n', body.len));
    }
    assert_true(lines > 60);
}

/* Names are shown in results: of one interface none stands twice. */
static void no_two_inputs_of_an_interface_have_one_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < odd_input_count; i++)
        for (size_t k = 0; k < i; k++)
            if (odd_inputs[i].to & odd_inputs[k].to)
                assert_string_not_equal(odd_inputs[i].name, odd_inputs[k].name);
}

static unsigned gives_after(const char *line)
{
    tut_allowance allowance = {.queries_most = 0};
    const tut_target_wish wish = {.place = "command:cat", .allowance = &allowance};
    TUT_AUTO(tut_target) t = NULL;
    TUT_AUTO(tut_json_doc) doc = NULL;
    char *const *words = NULL;
    uint32_t timeout = 0;
    assert_true(tut_is_ok(tut_target_open(&wish, &t, NULL)));
    assert_non_null(tut_target_command_child(t, &words, &timeout));
    assert_string_equal(words[0], "cat");
    assert_int_equal(timeout, 60000);
    unsigned before = t->facts.gives;
    assert_true(tut_is_ok(tut_json_parse(tut_span_of(line, strlen(line)), NULL, &doc, NULL)));
    bool does = tut_target_command_claims(t, tut_json_root(doc));
    assert_true(does || t->facts.gives == before);
    return does ? t->facts.gives : 0;
}

static void a_program_says_what_it_takes(void **state)
{
    enum { ROWS = TUT_GIVES_LABELS, TEXTS = TUT_GIVES_TEXT, BOTH = ROWS | TEXTS };
    static const struct {
        const char *line;
        unsigned gives;
    } cases[] = {{"{\"takes\":\"rows\"}", ROWS},
                 {"{\"takes\":[\"texts\"]}", TEXTS},
                 {"{\"takes\":[\"texts\",\"rows\",7]}", BOTH},
                 {"{\"id\":3,\"takes\":[\"rows\",\"smells\"]}", ROWS},
                 {"{\"takes\":[]}", 0},
                 {"{\"takes\":{\"rows\":1}}", 0},
                 {"{\"takes\":[[\"rows\"]]}", 0},
                 {"{\"gives\":\"rows\"}", 0},
                 {"[\"takes\"]", 0},
                 {"null", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(gives_after(cases[i].line) & BOTH, cases[i].gives);
}

static tut_code open_with(const char *ca, tut_error *err)
{
    tut_allowance allowance = {.queries_most = 0};
    const tut_target_wish wish = {
        .place = "https://127.0.0.1:1/v1/chat/completions", .ca_file = ca, .allowance = &allowance};
    TUT_AUTO(tut_target) t = NULL;
    return tut_target_open(&wish, &t, err).code;
}

static void a_file_of_authorities_holds_a_certificate(void **state)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    char path[64];
    tut_error err = {0};
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/tutela-odd-%d.pem", (int)getpid());
    assert_int_equal(open_with(path, &err), TUT_IO);
    assert_true(tut_is_ok(tut_fs_write(path, tut_span_of("hello", 5), 0600, NULL)));
    assert_int_equal(open_with(path, &err), TUT_USAGE);
    assert_non_null(strstr(err.text, "holds no certificate"));
    assert_true(tut_is_ok(tut_fs_write(path, tut_span_of(pem, sizeof(pem) - 1), 0600, NULL)));
    assert_int_equal(open_with(path, &err), TUT_OK);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_odd_line_is_one_line_and_no_mark_is_left),
        cmocka_unit_test(no_two_inputs_of_an_interface_have_one_name),
        cmocka_unit_test(a_program_says_what_it_takes),
        cmocka_unit_test(a_file_of_authorities_holds_a_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
