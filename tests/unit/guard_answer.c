/* The matrix of answers: every protocol, whole and streamed, cut at every byte, decides and hands
 * on the same, and leaks nothing. */
#include "unit/guard_world.h"

/* A text with everything in it, and nothing of which may come out. */
#define LEAKY                                                                                      \
    "Sure. The key is " GITHUB ", card 4539 1488 0343 6467 ok; " CANARY                            \
    " said. See ![p](https://evil.example/?d=1 \\\"t\\\") and [m](https://docs.example.org/a). "   \
    "Gr\\u00fc\\u00dfe \\ud83d\\ude00 \xe5\xaf\x86\xe7\xa0\x81"
static const char *const secrets[] = {"ghp_7kYq", "4539 1488", "quartz 77", "evil.example/"};

static void expect_no_leak(const result *res)
{
    for (size_t i = 0; i < 4; i++)
        if (contains(&res->out, secrets[i]))
            fail_msg("%s leaks: %.*s", secrets[i], (int)res->out.len, (const char *)res->out.data);
    assert_true(contains(&res->out, "docs.example.org/a"));
    assert_true(contains(&res->out, "[removed: GitHub"));
    assert_int_equal(res->decision.action, TUT_GUARD_REDACT);
    assert_true(res->decision.redactions >= 4);
}

typedef struct shape {
    const char *path, *type, *request, *before, *after;
} shape;

static const shape wholes[] = {
    {CHAT, "application/json", OK_CHAT,
     "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"", "\"}}]}"},
    {"/v1/completions", "application/json", "{\"prompt\":\"x\"}",
     "{\"choices\":[{\"index\":0,\"text\":\"", "\"}]}"},
    {"/v1/responses", "application/json", "{\"input\":\"x\"}",
     "{\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"",
     "\"}]}]}"},
    {"/v1/embeddings", "application/json", "{\"input\":\"x\"}",
     "{\"data\":[{\"embedding\":[0.1]}],\"note\":\"", "\"}"},
    {INFER, "application/json", TENSOR("[1,2]", "[0,0]"),
     "{\"outputs\":[{\"name\":\"y\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"", "\"]}]}"},
};

static void whole_answers_leak_nothing_wherever_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        TUT_AUTO(tut_guard_request) r = ask(wholes[i].path, "application/json", wholes[i].request);
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        result res = {0};
        assert_int_equal(r->decision.action, TUT_GUARD_ALLOW);
        tut_buf_printf(&body, "%s%s%s", wholes[i].before, LEAKY, wholes[i].after);
        expect_same_everywhere(r, wholes[i].type, tut_buf_z(&body), &res);
        expect_no_leak(&res);
        tut_buf_done(&res.out);
    }
}

/* LEAKY, `size` bytes an event; never inside an escape. */
static void add_stream(tut_buf *out, const char *before, const char *after, size_t size)
{
    const char *text = LEAKY;
    for (size_t at = 0; text[at];) {
        size_t n = 0;
        while (text[at + n] && n < size) {
            if (text[at + n] == '\\')
                n += text[at + n + 1] != 'u'                     ? 2
                     : strncmp(text + at + n, "\\ud83d", 6) == 0 ? 12
                                                                 : 6;
            else if ((uint8_t)text[at + n] >= 0xc0)
                n += 3;
            else
                n++;
        }
        tut_buf_printf(out, "data: %s%.*s%s\r\n\r\n", before, (int)n, text + at, after);
        at += n;
    }
}

static const shape streams[] = {
    {CHAT, "text/event-stream", OK_CHAT,
     "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":1,\"delta\":{"
     "\"content\":\"",
     "\"},\"finish_reason\":null}]}"},
    {CHAT, "text/event-stream", OK_CHAT,
     "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"", "\"}}]}"},
    {"/v1/completions", "text/event-stream", "{\"prompt\":\"x\"}",
     "{\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":\"", "\"}]}"},
    {"/v1/responses", "text/event-stream", "{\"input\":\"x\"}",
     "{\"type\":\"response.output_text.delta\",\"item_id\":\"i\",\"output_index\":0,"
     "\"content_index\":0,\"delta\":\"",
     "\"}"},
};

static void streams_leak_nothing_however_events_and_pieces_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        TUT_AUTO(tut_guard_request)
        r = ask(streams[i].path, "application/json", streams[i].request);
        TUT_CLEAN(tut_buf) first = TUT_BUF_INIT;
        for (size_t size = 1; size < 90; size += size < 12 ? 1 : 7) {
            TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
            TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
            result res = {0};
            add_stream(&body, streams[i].before, streams[i].after, size);
            tut_buf_add_z(&body, "data: [DONE]\n\n");
            if (size == 5)
                expect_same_everywhere(r, streams[i].type, tut_buf_z(&body), &res);
            else
                answer(r, streams[i].type, tut_buf_str(&body), 0, body.len, &res);
            join_texts(&res.out, &text);
            tut_buf all = res.out;
            res.out = text;
            expect_no_leak(&res);
            res.out = all;
            assert_true(contains(&all, "data: [DONE]"));
            if (size == 1)
                tut_buf_add(&first, text.data, text.len);
            if (!tut_str_eq(tut_buf_str(&first), tut_buf_str(&text)))
                fail_msg("events of %zu bytes: %.*s", size, (int)text.len, (const char *)text.data);
            tut_buf_done(&res.out);
        }
    }
}

static void plain_text_streams_alike(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = ask("/generate", "text/plain", "hello");
    result res = {0};
    expect_same_everywhere(r, "text/plain",
                           "The key " GITHUB " and " CANARY
                           ", 4539 1488 0343 6467, ![x](https://evil.example/a) "
                           "[m](https://docs.example.org/a) gr\xc3\xbc\xc3\x9f end",
                           &res);
    expect_no_leak(&res);
    tut_buf_done(&res.out);
}

static void prose_is_not_kept_back(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = ask("/generate", "text/plain", "hello");
    TUT_AUTO(tut_guard_answer) a = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_guard_head head = {.content_type = TUT_LIT("text/plain")};
    assert_true(tut_is_ok(tut_guard_answer_new(r, &head, &a, NULL)));
    const char *text = "Hold the button for ten seconds, then ";
    assert_true(tut_is_ok(tut_guard_answer_feed(a, tut_span_of(text, strlen(text)), &out, NULL)));
    assert_int_equal(out.len, strlen(text));
}

static void long_texts_stay_within_bounds_and_keys_across_them_are_found(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = ask("/generate", "text/plain", "hello");
    for (size_t before = TUT_GUARD_HELD - 60; before < TUT_GUARD_HELD + 60; before += 3) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        result res = {0}, pieces = {0};
        for (size_t i = 0; i < before; i++)
            tut_buf_add_byte(&text, (uint8_t)(i % 7 ? 'a' + i % 5 : '.'));
        tut_buf_add_z(&text, ",\"" GITHUB "\",");
        for (size_t i = 0; i < 9000; i++)
            tut_buf_add_byte(&text, (uint8_t)(i % 7 ? 'a' + i % 5 : '.'));
        answer(r, "text/plain", tut_buf_str(&text), 0, text.len, &res);
        answer(r, "text/plain", tut_buf_str(&text), 0, 13, &pieces);
        assert_false(contains(&res.out, "ghp_7kYq"));
        assert_true(tut_str_eq(tut_buf_str(&res.out), tut_buf_str(&pieces.out)));
        tut_buf_done(&res.out);
        tut_buf_done(&pieces.out);
    }
}

static void answers_that_cannot_be_read_do_not_go_on(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"text/html", "<html>" GITHUB "</html>"},
        {"application/json", "{\"a\":\"" GITHUB "\""},
        {"application/json", "{\"a\":1,\"a\":\"" GITHUB "\"}"},
        {"application/json", "[\"" GITHUB "\"]"},
        {"text/event-stream", "data: " GITHUB "\n\n"},
        {"text/event-stream",
         "data: {\"choices\":[{\"index\":0,\"delta\":{\"new\":{\"x\":\"a\"}}}]}"
         "\n\n"},
        {"application/json", "{\"choices\":[{\"message\":{\"audio\":{\"data\":\"" GITHUB "\"}}}]}"},
    };
    TUT_AUTO(tut_guard_request) r = ask(CHAT, "application/json", OK_CHAT);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        result res = {0};
        answer(r, bad[i][0], tut_str_of(bad[i][1]), 0, 3, &res);
        if (res.decision.action != TUT_GUARD_BLOCK || res.decision.status != 502)
            fail_msg("%s: %s", bad[i][1], tut_guard_action_name(res.decision.action));
        assert_false(contains(&res.out, "ghp_"));
        assert_true(contains(&res.out, "refused by the policy"));
        tut_buf_done(&res.out);
    }
}

static void a_monitored_route_tells_and_changes_nothing(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = ask("/watched", "application/json", "{" MESSAGES "}");
    result res = {0};
    answer(r, "application/json", tut_str_of(CALL("wipe", "{}")), 0, 9, &res);
    assert_int_equal(res.decision.action, TUT_GUARD_BLOCK);
    assert_int_equal(tut_guard_done(&res.decision), TUT_GUARD_FLAG);
    assert_true(contains(&res.out, "wipe"));
    tut_buf_done(&res.out);
    res = (result){0};
    answer(r, "application/json", tut_str_of("{\"a\":\"" GITHUB "\"}"), 0, 9, &res);
    assert_string_equal(tut_buf_z(&res.out), "{\"a\":\"" GITHUB "\"}");
    assert_int_equal(res.decision.redactions, 0);
    tut_buf_done(&res.out);
}

static void probabilities_of_tokens_do_not_spell_the_text(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = ask(CHAT, "application/json", OK_CHAT);
    result res = {0};
    answer(
        r, "application/json",
        tut_str_of("{\"choices\":[{\"index\":0,\"logprobs\":{\"content\":[{\"token\":\"ghp_7kYq\""
                   "}]}}]}"),
        0, 100, &res);
    assert_true(contains(&res.out, "\"logprobs\":null"));
    assert_false(contains(&res.out, "ghp_7kYq"));
    tut_buf_done(&res.out);
}

/* --- places --- */
static void expect_found_at(const tut_guard_request *r, size_t before, size_t behind, size_t step)
{
    static const char prose[] = "The lake was calm, and in the morning we saw a few boats. ";
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    result res = {0};
    while (text.len < before)
        tut_buf_add_byte(&text, (uint8_t)prose[text.len % (sizeof(prose) - 1)]);
    tut_buf_add_z(&text, " " GITHUB " ");
    for (size_t i = 0; i < behind; i++)
        tut_buf_add_byte(&text, (uint8_t)prose[i % (sizeof(prose) - 1)]);
    answer(r, "text/plain", tut_buf_str(&text), 0, step, &res);
    if (res.decision.action != TUT_GUARD_REDACT || contains(&res.out, "ghp_7kYq") ||
        res.out.len !=
            text.len - strlen(GITHUB) + strlen("[removed: GitHub personal access token]"))
        fail_msg("at %zu of %zu: %s", before, text.len, tut_guard_action_name(res.decision.action));
    tut_buf_done(&res.out);
}

static void a_key_is_found_wherever_it_stands(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = ask("/generate", "text/plain", "hello");
    for (size_t at = 0; at < 2 * 1024; at++)
        expect_found_at(r, at, at % 700, 1 + at % 97);
    /* around what is held, kept before, and read at once */
    for (size_t border = 512; border <= 1 << 20; border *= 2)
        for (size_t at = border - 43; at <= border + 2; at += border > 65536 ? 15 : 3)
            expect_found_at(r, at, 300, border);
    uint32_t seed = 7731;
    for (size_t i = 0; i < 60; i++) {
        seed = seed * 1664525u + 1013904223u;
        expect_found_at(r, (seed >> 8) % (1 << 18), 2000, 4096);
    }
}

/* --- memory --- */
static void memory_that_runs_out_lets_nothing_through(void **state)
{
    (void)state;
    static const char body[] = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a " GITHUB
                               " b\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    bool is_whole = false;
    for (uint64_t n = 1; !is_whole && n < 2000; n++) {
        tut_guard_head head = {.method = TUT_LIT("POST"),
                               .path = TUT_LIT(CHAT),
                               .content_type = TUT_LIT("application/json")};
        tut_guard_head events = {.content_type = TUT_LIT("text/event-stream")};
        TUT_AUTO(tut_guard_request) r = NULL;
        TUT_AUTO(tut_guard_answer) a = NULL;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        tut_status s = tut_guard_request_read(&guard, &head, tut_span_of(OK_CHAT, strlen(OK_CHAT)),
                                              &r, NULL);
        if (tut_is_ok(s))
            s = tut_guard_answer_new(r, &events, &a, NULL);
        if (tut_is_ok(s))
            s = tut_guard_answer_feed(a, tut_span_of(body, sizeof(body) - 1), &out, NULL);
        if (tut_is_ok(s))
            s = tut_guard_answer_end(a, &out, NULL);
        tut_alloc_fail_after(0);
        is_whole = tut_is_ok(s);
        assert_false(contains(&out, "ghp_7kYq"));
        if (is_whole)
            assert_true(contains(&out, "[removed"));
    }
    assert_true(is_whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers_leak_nothing_wherever_they_are_cut),
        cmocka_unit_test(streams_leak_nothing_however_events_and_pieces_are_cut),
        cmocka_unit_test(plain_text_streams_alike),
        cmocka_unit_test(prose_is_not_kept_back),
        cmocka_unit_test(long_texts_stay_within_bounds_and_keys_across_them_are_found),
        cmocka_unit_test(answers_that_cannot_be_read_do_not_go_on),
        cmocka_unit_test(a_monitored_route_tells_and_changes_nothing),
        cmocka_unit_test(probabilities_of_tokens_do_not_spell_the_text),
        cmocka_unit_test(a_key_is_found_wherever_it_stands),
        cmocka_unit_test(memory_that_runs_out_lets_nothing_through),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
