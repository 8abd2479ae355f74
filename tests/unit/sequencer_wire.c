/* The sequencer's messages, its access table, and the entries that it composes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "ledger/sequencer_internal.h"

/* --- messages --- */

static void add_append(tut_buf *out)
{
    tut_seq_item items[2] = {{.seq = 7,
                              .kind = TUT_LIT("guard.decision"),
                              .producer = TUT_LIT("guard"),
                              .payload = tut_span_of("{\"a\":1}", 7)},
                             {.is_dsse = true,
                              .seq = UINT64_MAX,
                              .kind = TUT_LIT("x"),
                              .producer = TUT_LIT("y"),
                              .payload = tut_span_of("{}", 2)}};
    size_t start = tut_seq_open(out, TUT_SEQ_APPEND);
    tut_seq_put_append(out, TUT_LOG_TRAFFIC, 2);
    for (size_t i = 0; i < 2; i++)
        tut_seq_put_item(out, &items[i]);
    tut_seq_close(out, start);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    add_append(&out);
    tut_seq_frame frame;
    assert_int_equal(tut_seq_frame_next(tut_buf_span(&out), 1000, &frame), TUT_SEQ_WHOLE);
    assert_int_equal(frame.type, TUT_SEQ_APPEND);
    assert_int_equal(frame.used, out.len);
    tut_log_name log;
    size_t count;
    tut_seq_item item;
    assert_true(tut_is_ok(tut_seq_get_append(&frame.body, &log, &count, NULL)));
    assert_int_equal(log, TUT_LOG_TRAFFIC);
    assert_int_equal(count, 2);
    assert_true(tut_is_ok(tut_seq_get_item(&frame.body, &item, NULL)));
    assert_false(item.is_dsse);
    assert_int_equal(item.seq, 7);
    assert_true(tut_str_eq_z(item.kind, "guard.decision"));
    assert_true(tut_str_eq_z(item.producer, "guard"));
    assert_true(tut_str_eq_z(tut_str_from(item.payload), "{\"a\":1}"));
    assert_true(tut_is_ok(tut_seq_get_item(&frame.body, &item, NULL)));
    assert_true(item.is_dsse);
    assert_true(item.seq == UINT64_MAX);
    assert_true(tut_is_ok(tut_seq_get_end(&frame.body, NULL)));
}

static void a_message_that_is_cut_off_asks_for_more_and_knows_how_much(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    add_append(&out);
    for (size_t len = 0; len < out.len; len++) {
        tut_seq_frame frame;
        assert_int_equal(tut_seq_frame_next(tut_span_of(out.data, len), 1000, &frame),
                         TUT_SEQ_MORE);
        assert_int_equal(frame.used, len < 4 ? 0 : out.len);
    }
}

static void an_empty_message_and_one_above_the_limit_are_bad(void **state)
{
    (void)state;
    tut_seq_frame frame;
    const uint8_t empty[8] = {0};
    const uint8_t huge[8] = {0xff, 0xff, 0xff, 0xff, 1};
    const uint8_t eleven[8] = {11, 0, 0, 0, 1};
    assert_int_equal(tut_seq_frame_next(tut_span_of(empty, 8), 10, &frame), TUT_SEQ_BAD);
    assert_int_equal(tut_seq_frame_next(tut_span_of(huge, 8), 10, &frame), TUT_SEQ_BAD);
    assert_int_equal(tut_seq_frame_next(tut_span_of(eleven, 8), 10, &frame), TUT_SEQ_MORE);
    assert_int_equal(tut_seq_frame_next(tut_span_of(eleven, 8), 9, &frame), TUT_SEQ_BAD);
}

/* A body whose own lengths say more than there is. */
static void a_body_that_is_cut_off_is_malformed(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    add_append(&out);
    for (size_t len = 5; len < out.len; len++) {
        tut_reader body = tut_reader_of(tut_span_of(out.data + 5, len - 5));
        tut_log_name log;
        size_t count;
        tut_seq_item item;
        tut_status status = tut_seq_get_append(&body, &log, &count, NULL);
        for (size_t i = 0; tut_is_ok(status) && i < count; i++)
            status = tut_seq_get_item(&body, &item, NULL);
        assert_int_equal(status.code, TUT_MALFORMED);
    }
}

static void nonsense_in_a_body_is_malformed_with_the_reason(void **state)
{
    (void)state;
    tut_error err = {0};
    tut_log_name log;
    size_t count;
    tut_seq_item item;
    const uint8_t third_log[] = {2, 1, 0, 0, 0};
    const uint8_t none[] = {0, 0, 0, 0, 0};
    const uint8_t many[] = {0, 0xff, 0xff, 0, 0};
    const uint8_t form[21] = {2};
    tut_reader r = tut_reader_of(tut_span_of(third_log, sizeof(third_log)));
    assert_int_equal(tut_seq_get_append(&r, &log, &count, &err).code, TUT_MALFORMED);
    assert_string_equal(err.text, "there is no log 2");
    r = tut_reader_of(tut_span_of(none, sizeof(none)));
    assert_int_equal(tut_seq_get_append(&r, &log, &count, &err).code, TUT_MALFORMED);
    r = tut_reader_of(tut_span_of(many, sizeof(many)));
    assert_int_equal(tut_seq_get_append(&r, &log, &count, &err).code, TUT_MALFORMED);
    r = tut_reader_of(tut_span_of(form, sizeof(form)));
    assert_int_equal(tut_seq_get_item(&r, &item, &err).code, TUT_MALFORMED);
    assert_string_equal(err.text, "there is no form 2 of an entry");
    r = tut_reader_of(tut_span_of(form, 1));
    assert_int_equal(tut_seq_get_end(&r, &err).code, TUT_MALFORMED);
}

static void an_error_travels_by_name_and_text(void **state)
{
    (void)state;
    for (int code = TUT_OK + 1; code < TUT_CODE_COUNT; code++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_seq_frame frame;
        tut_error error;
        tut_seq_put_error(&out, TUT_SEQ_REFUSED, (tut_code)code, "what, and what to do");
        assert_int_equal(tut_seq_frame_next(tut_buf_span(&out), 1000, &frame), TUT_SEQ_WHOLE);
        assert_true(tut_is_ok(tut_seq_get_error(&frame.body, &error)));
        assert_int_equal(error.code, code);
        assert_string_equal(error.text, "what, and what to do");
    }
    const uint8_t no_code[] = {2, 0, 0, 0, 'O', 'K', 0, 0, 0, 0};
    tut_reader r = tut_reader_of(tut_span_of(no_code, sizeof(no_code)));
    tut_error error;
    assert_int_equal(tut_seq_get_error(&r, &error).code, TUT_MALFORMED);
}

/* --- the access table --- */

static tut_seq_access table(const char *text)
{
    tut_seq_access access = {0};
    tut_error err = {0};
    if (!tut_is_ok(tut_seq_access_parse(tut_str_of(text), &access, &err)))
        fail_msg("%s", err.text);
    return access;
}

static bool allows(const tut_seq_access *access, uid_t uid, const char *kind)
{
    return tut_seq_access_allows(access, uid, tut_str_of(kind));
}

static void the_tables_word_is_all_there_is(void **state)
{
    (void)state;
    TUT_CLEAN(tut_seq_access)
    access = table("# the guard\n33 guard.*   # and nothing else\r\n\n*\tscan.content\n5 *\n6 x.y");
    assert_int_equal(access.count, 4);
    assert_true(allows(&access, 33, "guard.decision"));
    assert_true(allows(&access, 33, "guard."));
    assert_false(allows(&access, 33, "guard"));
    assert_false(allows(&access, 33, "scan.other"));
    assert_true(allows(&access, 33, "scan.content"));
    assert_true(allows(&access, 4000, "scan.content"));
    assert_false(allows(&access, 4000, "scan.content2"));
    assert_true(allows(&access, 5, "anything"));
    assert_true(allows(&access, 6, "x.y"));
    assert_false(allows(&access, 6, "x.yz"));
    assert_true(tut_seq_access_knows(&access, 4000)); /* by the line of '*' */
    assert_true(tut_seq_access_names_others(&access, 33));
    tut_seq_access_done(&access);
    access = table("33 guard.*\n");
    assert_false(tut_seq_access_knows(&access, 34));
    assert_false(tut_seq_access_names_others(&access, 33));
    assert_true(tut_seq_access_names_others(&access, 0));
    tut_seq_access_done(&access);
    access = table("");
    assert_false(allows(&access, 0, "anything"));
}

static void a_line_that_makes_no_sense_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "root x",       "33",     "33 X", "33 a*b",       "33 **",        "33 a b",     "-1 x",
        "4294967295 x", "33 a/b", "* ",   "4294967296 x", "33 # guard.*", "33 \xc3\xa9"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[64];
        tut_seq_access access;
        tut_error err = {0};
        (void)snprintf(text, sizeof(text), "1 ok\n%s\n", bad[i]);
        assert_int_equal(tut_seq_access_parse(tut_str_of(text), &access, &err).code, TUT_MALFORMED);
        assert_non_null(strstr(err.text, "line 2"));
    }
    TUT_CLEAN(tut_buf) many = TUT_BUF_INIT;
    for (unsigned i = 0; i <= TUT_LIMIT_ACCESS_RULES; i++)
        tut_buf_add_z(&many, "1 x\n");
    tut_seq_access access;
    assert_int_equal(tut_seq_access_parse(tut_buf_str(&many), &access, NULL).code, TUT_LIMIT);
}

static void without_a_table_the_owner_may_and_nobody_else(void **state)
{
    (void)state;
    tut_seq_access access;
    assert_true(tut_is_ok(tut_seq_access_load("/nonexistent/access", &access, NULL)));
    assert_true(allows(&access, geteuid(), "anything.at-all"));
    assert_false(allows(&access, geteuid() + 1, "anything"));
    assert_false(tut_seq_access_names_others(&access, geteuid()));
    tut_seq_access_done(&access);
}

static void a_table_that_others_may_write_is_denied(void **state)
{
    (void)state;
    char path[] = "/tmp/tutela-test-access-XXXXXX";
    int fd = mkstemp(path);
    tut_seq_access access;
    tut_error err = {0};
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "7 a.*\n", 6), 6);
    assert_true(tut_is_ok(tut_seq_access_load(path, &access, NULL)));
    assert_true(allows(&access, 7, "a.b"));
    tut_seq_access_done(&access);
    assert_int_equal(fchmod(fd, 0622), 0);
    assert_int_equal(tut_seq_access_load(path, &access, &err).code, TUT_DENIED);
    assert_string_equal(err.path, path);
    (void)close(fd);
    (void)unlink(path);
}

/* --- entries --- */

static const tut_seq_peer_id peer = {.uid = 33, .gid = 44, .pid = 55};

static tut_status compose(const char *kind, const char *producer, uint64_t seq, const char *payload,
                          tut_buf *out, tut_error *err)
{
    tut_seq_item item = {.seq = seq,
                         .kind = tut_str_of(kind),
                         .producer = tut_str_of(producer),
                         .payload = tut_span_of(payload, strlen(payload))};
    return tut_seq_entry_add(&item, &peer, 1794224444, out, err);
}

static void an_entry_is_canonical_around_its_payload(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(
        tut_is_ok(compose("guard.decision", "guard 1", 9, "{\"b\": 1, \"a\":[]}", &out, NULL)));
    assert_string_equal(tut_buf_z(&out),
                        "{\"at\":\"2026-11-09T11:40:44Z\",\"event\":{\"b\": 1, \"a\":[]},\"kind\":"
                        "\"guard.decision\",\"peer\":{\"gid\":44,\"pid\":55,\"uid\":33},"
                        "\"producer\":\"guard 1\",\"seq\":9}");
}

static void what_is_not_fit_to_be_written_leaves_no_trace(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *producer, *payload;
        uint64_t seq;
        tut_code code;
    } bad[] = {
        {"", "p", "{}", 0, TUT_MALFORMED},
        {"Kind", "p", "{}", 0, TUT_MALFORMED},
        {"a/b", "p", "{}", 0, TUT_MALFORMED},
        {"k", "", "{}", 0, TUT_MALFORMED},
        {"k", "p\n", "{}", 0, TUT_MALFORMED},
        {"k", "p\"", "{}", 0, TUT_MALFORMED},
        {"k", "\xc3\xa9", "{}", 0, TUT_MALFORMED},
        {"k", "p", "{}", 1ull << 53, TUT_MALFORMED},
        {"k", "p", "", 0, TUT_MALFORMED},
        {"k", "p", "[]", 0, TUT_MALFORMED},
        {"k", "p", "null", 0, TUT_MALFORMED},
        {"k", "p", "{} ", 0, TUT_MALFORMED},
        {"k", "p", " {}", 0, TUT_MALFORMED},
        {"k", "p", "\xef\xbb\xbf{}", 0, TUT_MALFORMED},
        {"k", "p", "{}{}", 0, TUT_MALFORMED},
        {"k", "p", "{\"a\":1,\"a\":2}", 0, TUT_MALFORMED},
        {"k", "p", "{\"a\":\"\xff\"}", 0, TUT_MALFORMED},
        /* out of its place, into the entry's own keys */
        {"k", "p", "{},\"extra\":{}", 0, TUT_MALFORMED},
        {"k", "p", "{},\"kind\":\"other\",\"x\":{}", 0, TUT_MALFORMED},
        {"k", "p",
         "{},\"kind\":\"k\",\"peer\":{\"gid\":0,\"pid\":1,\"uid\":0},\"producer\":\"p\",\"seq\":0}",
         0, TUT_MALFORMED},
        {"k", "p", "{\"a\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", 0, TUT_LIMIT},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_error err = {0};
        tut_buf_add_z(&out, "before");
        tut_code code =
            compose(bad[i].kind, bad[i].producer, bad[i].seq, bad[i].payload, &out, &err).code;
        if (code != bad[i].code)
            fail_msg("%s: %s (%s)", bad[i].payload, tut_code_name(code), err.text);
        assert_int_equal(out.len, 6);
        assert_true(err.text[0] != '\0');
    }
}

static void an_entry_may_have_its_full_size_and_no_more(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(compose("k", "p", 0, "{\"a\":\"\"}", &out, NULL)));
    size_t room = TUT_LOG_ENTRY_MAX - out.len;
    char *payload = malloc(room + 64);
    assert_non_null(payload);
    for (size_t more = 0; more < 2; more++) {
        (void)snprintf(payload, room + 64, "{\"a\":\"%0*d\"}", (int)(room + more), 0);
        tut_buf_clear(&out);
        tut_error err = {0};
        tut_code code = compose("k", "p", 0, payload, &out, &err).code;
        assert_int_equal(code, more ? TUT_LIMIT : TUT_OK);
        assert_int_equal(out.len, more ? 0 : TUT_LOG_ENTRY_MAX);
    }
    free(payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_message_that_is_cut_off_asks_for_more_and_knows_how_much),
        cmocka_unit_test(an_empty_message_and_one_above_the_limit_are_bad),
        cmocka_unit_test(a_body_that_is_cut_off_is_malformed),
        cmocka_unit_test(nonsense_in_a_body_is_malformed_with_the_reason),
        cmocka_unit_test(an_error_travels_by_name_and_text),
        cmocka_unit_test(the_tables_word_is_all_there_is),
        cmocka_unit_test(a_line_that_makes_no_sense_is_named),
        cmocka_unit_test(without_a_table_the_owner_may_and_nobody_else),
        cmocka_unit_test(a_table_that_others_may_write_is_denied),
        cmocka_unit_test(an_entry_is_canonical_around_its_payload),
        cmocka_unit_test(what_is_not_fit_to_be_written_leaves_no_trace),
        cmocka_unit_test(an_entry_may_have_its_full_size_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
