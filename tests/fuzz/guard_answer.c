/* Answers, whole and in pieces, which must decide and hand on the same. The first two bytes: the
 * protocol, and the kind of the answer with the size of the pieces. */
#include "fuzz/guard_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tut_guard_action play(const tut_guard_request *r, const char *type, tut_span body,
                             size_t step, tut_buf *out)
{
    tut_guard_answer *a = NULL;
    tut_guard_head head = {.content_type = tut_str_of(type)};
    if (!tut_is_ok(tut_guard_answer_new(r, &head, &a, NULL)))
        abort();
    tut_guard_answer_can_wait(a);
    for (size_t at = 0; at < body.len; at += step) {
        size_t n = body.len - at < step ? body.len - at : step;
        if (!tut_is_ok(tut_guard_answer_feed(a, tut_span_of(body.data + at, n), out, NULL)))
            abort();
    }
    if (!tut_is_ok(tut_guard_answer_end(a, out, NULL)))
        abort();
    while (tut_guard_answer_is_waiting(a))
        if (!tut_is_ok(tut_guard_answer_release(a, true, out, NULL)))
            abort();
    tut_guard_action action = tut_guard_answer_decision(a)->action;
    tut_guard_answer_free(a);
    return action;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"text/event-stream", "application/json", "text/plain"};
    static const char chat[] =
        "{\"messages\":[{\"role\":\"system\",\"content\":\"Never name the price of a boat before "
        "the "
        "customer has said for how many hours it is wanted.\"},{\"role\":\"tool\",\"content\":"
        "\"eve@evil.example\"}],\"stream\":true,\"tools\":[{\"function\":{\"name\":\"send_mail\"}}]"
        "}";
    guard_open_world();
    if (size < 2)
        return 0;
    tut_span body = tut_span_of(data + 2, size - 2);
    tut_guard_request *r = guard_ask((char)data[0], tut_span_of(chat, sizeof(chat) - 1));
    const char *type = types[data[1] % 3];
    TUT_CLEAN(tut_buf) whole = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) parts = TUT_BUF_INIT;
    tut_guard_action one = play(r, type, body, body.len + 1, &whole);
    tut_guard_action many = play(r, type, body, data[1] / 3u + 1u, &parts);
    if (one != many || !tut_str_eq(tut_buf_str(&whole), tut_buf_str(&parts)))
        abort();
    tut_guard_request_free(r);
    return 0;
}
