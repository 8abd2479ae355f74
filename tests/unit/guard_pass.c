/* Answers that no check looks into: what goes on unread, and what does not all the same; and that
 * what is used again knows nothing of the exchange before. */
#include "unit/guard_world.h"

#define PASS_ROUTE(id, path, protocol, rest)                                                       \
    "    - id: " id "\n      path: " path "\n      protocol: " protocol "\n" rest
#define ALL "      unscanned: [images, audio]\n"

static const char pass_yaml[] =
    "schema: tutela.system/1\n"
    "system:\n"
    "  name: demo\n"
    "guard:\n"
    "  tools:\n"
    "    - name: look_up\n"
    "      class: read\n"
    "  checks: {injection: allow, injection_data: allow, secrets_in: allow, personal_in: allow,\n"
    "           secrets_out: allow, personal_out: allow, contact_out: allow, canary: allow,\n"
    "           prompt_leak: allow, links: allow, logprobs: allow, taint: allow, schema: allow}\n"
    "  routes:\n" PASS_ROUTE("chat", "/chat", "openai-chat", ALL)
        PASS_ROUTE("short", "/short", "openai-chat", ALL "      limits: {answer_bytes: 100}\n")
            PASS_ROUTE("responses", "/responses", "openai-responses", ALL)
                PASS_ROUTE("messages", "/messages", "anthropic-messages", ALL)
                    PASS_ROUTE("embed", "/embed", "openai-embeddings", ALL)
                        PASS_ROUTE("media", "/media", "openai-chat", "") PASS_ROUTE(
                            "counted", "/counted", "openai-chat", ALL "      count_tokens: on\n");

static tut_system *pass_system;
static tut_guard_policy pass_policy;
static tut_guard pass_guard;

static int open_pass(void **state)
{
    tut_error err = {0};
    (void)state;
    if (!tut_is_ok(tut_system_parse(".", "tutela.yaml", tut_str_of(pass_yaml), &pass_system, NULL,
                                    &err)) ||
        !tut_is_ok(tut_guard_policy_read(pass_system, &pass_policy, NULL, &err)) ||
        !tut_is_ok(tut_guard_open(&pass_policy, &pass_guard, &err))) {
        print_error("%s\n", err.text);
        return 1;
    }
    return 0;
}

static int close_pass(void **state)
{
    (void)state;
    tut_guard_done_with(&pass_guard);
    tut_system_free(pass_system);
    return 0;
}

#define HELLO "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"
#define WITH_TOOL                                                                                  \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"tools\":[{"       \
    "\"type\":\"function\",\"function\":{\"name\":\"look_up\"}}]}"
#define SAID "{ \"choices\" : [{\"index\":0,\"message\":{\"content\":\"the " GITHUB " stays\"}}] }"
#define CALL_OF(name)                                                                              \
    "{\"choices\":[{\"index\":0,\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"" name      \
    "\",\"arguments\":\"{}\"}}]}}]}"

static tut_guard_request *asked(const char *path, const char *body)
{
    tut_guard_request *r = NULL;
    tut_error err = {0};
    tut_guard_head head = {.method = TUT_LIT("POST"),
                           .path = tut_str_of(path),
                           .content_type = TUT_LIT("application/json")};
    assert_true(tut_is_ok(
        tut_guard_request_read(&pass_guard, &head, tut_span_of(body, strlen(body)), &r, &err)));
    if (r->decision.action != TUT_GUARD_ALLOW)
        fail_msg("%s: %s", path, r->decision.reasons[0].detail);
    return r;
}

static void answered(const tut_guard_request *r, const char *type, tut_str body, result *res)
{
    tut_buf_clear(&res->out);
    answer(r, type, body, 0, 37, res);
}

static void expect_same(const char *path, const char *type, const char *body)
{
    TUT_AUTO(tut_guard_request) r = asked(path, HELLO);
    result res = {0};
    answered(r, type, tut_str_of(body), &res);
    assert_true(tut_str_eq_z(tut_buf_str(&res.out), body));
    assert_int_equal(res.decision.action, TUT_GUARD_ALLOW);
    assert_int_equal(res.decision.unscanned_count, 1);
    assert_string_equal(res.decision.unscanned[0].where, "answer");
    tut_buf_done(&res.out);
}

static void what_nobody_asks_about_goes_on_as_it_came(void **state)
{
    (void)state;
    expect_same("/chat", "application/json", SAID);
    expect_same("/embed", "application/json", "[no JSON at all, and nobody asked]");
    expect_same("/chat", "text/event-stream",
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" GITHUB "\"}}]}\n\n"
                "data: [DONE]\n\n");
    expect_same("/messages", "text/event-stream",
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
                "\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n");
}

static void expect_stopped(const char *path, const char *request, const char *type, tut_str body,
                           const char *check)
{
    TUT_AUTO(tut_guard_request) r = asked(path, request);
    result res = {0};
    answered(r, type, body, &res);
    if (res.decision.action != TUT_GUARD_BLOCK)
        fail_msg("%s: %.*s goes on", path, (int)body.len, body.data);
    assert_string_equal(res.decision.reasons[0].check, check);
    assert_false(contains(&res.out, "shell"));
    tut_buf_done(&res.out);
}

static void calls_are_judged_however_they_are_written(void **state)
{
    (void)state;
    static const char utf16[] = "{\0\"\0t\0o\0o\0l\0_\0c\0a\0l\0l\0s\0\"\0:\0[\0]\0}";
    static const char *const documents[] = {
        CALL_OF("shell"),
        ("{\"choices\":[{\"index\":0,\"message\":{\"tool\\u005fcalls\":[{\"function\":{\"name\":"
         "\"shell\",\"arguments\":\"{}\"}}]}}]}"),
        "{\"choices\":[{\"index\":0,\"message\":{\"function_call\":{\"name\":\"shell\"}}}]}",
    };
    for (size_t i = 0; i < TUT_COUNT(documents); i++)
        expect_stopped("/chat", WITH_TOOL, "application/json", tut_str_of(documents[i]), "tools");
    expect_stopped("/chat", WITH_TOOL, "application/json", (tut_str){utf16, sizeof(utf16) - 1},
                   "format");
    expect_stopped("/responses", "{\"model\":\"m\",\"input\":\"hello\"}", "application/json",
                   TUT_LIT("{\"output\":[{\"type\":\"function_call\",\"name\":\"shell\","
                           "\"arguments\":\"{}\"}]}"),
                   "tools");
    expect_stopped(
        "/messages", HELLO, "application/json",
        TUT_LIT("{\"content\":[{\"type\":\"tool_use\",\"name\":\"shell\",\"input\":{}}]}"),
        "tools");
    expect_stopped("/chat", WITH_TOOL, "text/event-stream",
                   TUT_LIT("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"so\"}}]}\n\n"
                           "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":"
                           "0,\"function\":{\"name\":\"sh\",\"arguments\":\"{}\"}}]}}]}\n\n"
                           "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":"
                           "0,\"function\":{\"name\":\"ell\"}}]}}]}\n\n"
                           "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
                           "\"tool_calls\"}]}\n\ndata: [DONE]\n\n"),
                   "tools");
    TUT_AUTO(tut_guard_request) r = asked("/chat", WITH_TOOL);
    result res = {0};
    answered(r, "application/json", TUT_LIT(CALL_OF("look_up")), &res);
    assert_int_equal(res.decision.action, TUT_GUARD_ALLOW);
    assert_true(contains(&res.out, "look_up"));
    tut_buf_done(&res.out);
}

static void the_head_is_always_judged(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = asked("/embed", "{\"model\":\"m\",\"input\":\"hello\"}");
    static const tut_guard_head heads[] = {
        {.content_type = TUT_LIT("text/html")},
        {.content_type = TUT_LIT("text/event-stream")},
        {.content_type = TUT_LIT("application/json"), .content_encoding = TUT_LIT("gzip")},
    };
    for (size_t i = 0; i < TUT_COUNT(heads); i++) {
        TUT_AUTO(tut_guard_answer) a = NULL;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        assert_true(tut_is_ok(tut_guard_answer_new(r, &heads[i], &a, NULL)));
        assert_false(tut_guard_answer_is_passed(a));
        assert_true(tut_guard_answer_is_refused(a));
        assert_false(tut_guard_answer_may_pass(a, tut_span_of("{}", 2)));
        assert_true(tut_is_ok(tut_guard_answer_feed(a, tut_span_of("secret", 6), &out, NULL)));
        assert_true(tut_is_ok(tut_guard_answer_end(a, &out, NULL)));
        assert_false(contains(&out, "secret"));
    }
}

static void what_is_asked_for_is_read(void **state)
{
    (void)state;
    static const char *const paths[] = {"/media", "/counted"};
    static const char image[] = "{\"choices\":[{\"index\":0,\"message\":{\"images\":[{\"a\":1}]}}],"
                                "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}";
    for (size_t i = 0; i < TUT_COUNT(paths); i++) {
        TUT_AUTO(tut_guard_request) r = asked(paths[i], HELLO);
        tut_guard_head head = {.content_type = TUT_LIT("application/json")};
        TUT_AUTO(tut_guard_answer) a = NULL;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        uint64_t in = 0, made = 0;
        assert_true(tut_is_ok(tut_guard_answer_new(r, &head, &a, NULL)));
        assert_false(tut_guard_answer_may_pass(a, tut_span_of(image, sizeof(image) - 1)));
        assert_true(
            tut_is_ok(tut_guard_answer_feed(a, tut_span_of(image, sizeof(image) - 1), &out, NULL)));
        assert_true(tut_is_ok(tut_guard_answer_end(a, &out, NULL)));
        assert_true(tut_guard_answer_usage(a, &in, &made));
        assert_int_equal(in, 3);
        assert_int_equal(tut_guard_answer_is_refused(a), i == 0);
    }
    TUT_AUTO(tut_guard_request) r = asked("/short", HELLO);
    result res = {0};
    char text[400];
    memset(text, 'a', sizeof(text));
    answered(r, "application/json", (tut_str){text, sizeof(text)}, &res);
    assert_int_equal(res.decision.status, 502);
    assert_false(contains(&res.out, "aaaa"));
    tut_buf_done(&res.out);
}

/* Events of several lines are put together as ever: no line of one becomes a field of its own. */
static void lines_of_an_event_stay_in_it(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = asked("/chat", HELLO);
    result res = {0};
    answered(r, "text/event-stream",
             TUT_LIT("data: {\"choices\":[],\ndata: \"id\":\"event: shell\"}\n\n"), &res);
    assert_true(
        tut_str_eq_z(tut_buf_str(&res.out), "data: {\"choices\":[],\"id\":\"event: shell\"}\n\n"));
    tut_buf_done(&res.out);
}

/* --- what is used again --- */
static void nothing_is_left_of_the_exchange_before(void **state)
{
    static const char bad[] =
        "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"zanzibar\",\"content\":"
        "\"" GITHUB
        "\"},{\"role\":\"user\",\"content\":[{\"type\":\"zanzibar\"}]}],\"tools\":[{\"type\":"
        "\"function\",\"function\":{\"name\":\"zanzibar\"}}]}";
    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        tut_guard_head head = {.method = TUT_LIT("POST"),
                               .path = TUT_LIT("/chat"),
                               .content_type = TUT_LIT("application/json")};
        tut_guard_request *loud = NULL;
        assert_true(tut_is_ok(tut_guard_request_read(
            &pass_guard, &head, tut_span_of(bad, sizeof(bad) - 1), &loud, NULL)));
        assert_true(loud->decision.reason_count >= 3);
        result res = {0};
        TUT_AUTO(tut_guard_request) first = asked("/chat", WITH_TOOL);
        answered(first, "application/json", TUT_LIT(CALL_OF("shell")), &res);
        assert_int_equal(res.decision.action, TUT_GUARD_BLOCK);
        tut_buf_done(&res.out);
        tut_guard_request_free(loud); /* what comes next is given its memory */
        TUT_AUTO(tut_guard_request) r = asked("/chat", HELLO);
        assert_int_equal(r->decision.reason_count, 0);
        assert_int_equal(r->decision.unscanned_count, 0);
        assert_int_equal(r->decision.status, 0);
        assert_int_equal(r->segment_count, 1);
        assert_int_equal(r->tool_count, 0);
        assert_int_equal(r->cut_count, 0);
        assert_false(r->is_stream);
        result quiet = {0};
        answered(r, "application/json", TUT_LIT(SAID), &quiet);
        assert_int_equal(quiet.decision.reason_count, 0);
        assert_true(tut_str_eq_z(tut_buf_str(&quiet.out), SAID));
        tut_buf_done(&quiet.out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_asks_about_goes_on_as_it_came),
        cmocka_unit_test(calls_are_judged_however_they_are_written),
        cmocka_unit_test(the_head_is_always_judged),
        cmocka_unit_test(what_is_asked_for_is_read),
        cmocka_unit_test(lines_of_an_event_stay_in_it),
        cmocka_unit_test(nothing_is_left_of_the_exchange_before),
    };
    return cmocka_run_group_tests(tests, open_pass, close_pass);
}
