#include "wire.h"

#include <stdio.h>

#include "acting.h"
#include "base/json_write.h"
#include "crypto/digest.h"

enum { MEMORY = 64 << 20, INPUTS = 256 };

typedef struct chat {
    tut_str model;
    char id[24]; /* from the request's digest, so that answers repeat */
    const assistant_reply *reply;
} chat;

static const char *finish_of(const chat *c)
{
    return c->reply->call_count ? "tool_calls" : "stop";
}

static void put_calls(tut_json *j, const chat *c, bool is_stream)
{
    tut_json_key(j, "tool_calls");
    tut_json_array(j);
    for (size_t i = 0; i < c->reply->call_count; i++) {
        char id[48];
        (void)snprintf(id, sizeof(id), "call_%.8s_%zu", c->id, i);
        tut_json_object(j);
        tut_json_put_z(j, "id", id);
        tut_json_put_z(j, "type", "function");
        if (is_stream)
            tut_json_put_u64(j, "index", i);
        tut_json_key(j, "function");
        tut_json_object(j);
        tut_json_put_z(j, "name", c->reply->calls[i].name);
        tut_json_put_str(j, "arguments", c->reply->calls[i].arguments);
        tut_json_end_object(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static uint64_t count_words(tut_str s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.data[i] > ' ' && (i == 0 || s.data[i - 1] <= ' ');
    return n;
}

static void put_usage(tut_json *j, uint64_t in, uint64_t out)
{
    tut_json_key(j, "usage");
    tut_json_object(j);
    tut_json_put_u64(j, "prompt_tokens", in);
    tut_json_put_u64(j, "completion_tokens", out);
    tut_json_put_u64(j, "total_tokens", in + out);
    tut_json_end_object(j);
}

static void put_head(tut_json *j, const chat *c, const char *object)
{
    tut_json_put_z(j, "id", c->id);
    tut_json_put_z(j, "object", object);
    tut_json_put_int(j, "created", 0);
    tut_json_put_str(j, "model", c->model);
    tut_json_put_z(j, "system_fingerprint", "tutela-example-assistant");
}

static tut_status write_whole(const chat *c, uint64_t words_in, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    put_head(j, c, "chat.completion");
    tut_json_key(j, "choices");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_int(j, "index", 0);
    tut_json_put_z(j, "finish_reason", finish_of(c));
    tut_json_key(j, "message");
    tut_json_object(j);
    tut_json_put_z(j, "role", "assistant");
    tut_json_put_or_null(j, "content", c->reply->text);
    if (c->reply->call_count)
        put_calls(j, c, false);
    tut_json_end_object(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
    put_usage(j, words_in, count_words(c->reply->text));
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* One event; text empty and no calls: the end. */
static tut_status write_event(const chat *c, tut_str text, bool has_calls, const char *finish,
                              tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_buf_add_z(out, "data: ");
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    put_head(j, c, "chat.completion.chunk");
    tut_json_key(j, "choices");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_int(j, "index", 0);
    tut_json_put_z(j, "finish_reason", finish);
    tut_json_key(j, "delta");
    tut_json_object(j);
    if (text.len)
        tut_json_put_str(j, "content", text);
    if (has_calls)
        put_calls(j, c, true);
    tut_json_end_object(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n\n");
    return TUT_SUCCESS;
}

static tut_status write_stream(const chat *c, tut_buf *out, tut_error *err)
{
    tut_str rest = c->reply->text;
    while (rest.len) { /* a word an event */
        const char *gap = memchr(rest.data, ' ', rest.len);
        size_t len = gap ? (size_t)(gap - rest.data) + 1 : rest.len;
        TUT_TRY(write_event(c, (tut_str){rest.data, len}, false, NULL, out, err));
        rest.data += len, rest.len -= len;
    }
    if (c->reply->call_count)
        TUT_TRY(write_event(c, rest, true, NULL, out, err));
    TUT_TRY(write_event(c, (tut_str){NULL, 0}, false, finish_of(c), out, err));
    tut_buf_add_z(out, "data: [DONE]\n\n");
    return tut_buf_check(out, err);
}

static tut_status set_id(chat *c, tut_span body, tut_error *err)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(body, &digest, err));
    tut_buf_add_z(&b, "c");
    tut_buf_add_hex(&b, digest.bytes, 8);
    tut_str_copy(c->id, sizeof(c->id), tut_buf_str(&b));
    return TUT_SUCCESS;
}

static tut_status chat_with(assistant_brain *b, const tut_json_value *v, tut_span body,
                            tut_arena *arena, tut_http_answer *ret, tut_error *err)
{
    assistant_reply reply;
    chat c = {.model = tut_json_get_text(v, "model"), .reply = &reply};
    assistant_reading *r = tut_arena_take(arena, 1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(set_id(&c, body, err));
    TUT_TRY(assistant_read(tut_json_get(v, "messages"), arena, r, err));
    TUT_TRY(assistant_act(b, r, tut_json_get(v, "tools"), &reply, err));
    if (!tut_json_get_bool(v, "stream", false))
        return write_whole(&c, count_words(tut_str_from(body)), &ret->body, err);
    ret->content_type = "text/event-stream";
    return write_stream(&c, &ret->body, err);
}

static void put_place(tut_json *j, size_t index, const float *place)
{
    tut_json_object(j);
    tut_json_put_z(j, "object", "embedding");
    tut_json_put_u64(j, "index", index);
    tut_json_key(j, "embedding");
    tut_json_array(j);
    for (size_t i = 0; i < ASSISTANT_SPACE; i++)
        tut_json_real(j, (double)place[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static tut_status write_places(const tut_json_value *v, const float *places, size_t count,
                               tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "object", "list");
    tut_json_put_str(j, "model", tut_json_get_text(v, "model"));
    tut_json_key(j, "data");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        put_place(j, i, places + i * ASSISTANT_SPACE);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status embed(assistant_brain *b, const tut_json_value *v, tut_arena *arena,
                        tut_http_answer *ret, tut_error *err)
{
    const tut_json_value *input = tut_json_get(v, "input");
    bool is_one = input && input->type == TUT_JSON_STRING;
    size_t count = is_one ? 1 : tut_json_count(input);
    if (count == 0 || count > INPUTS)
        return tut_fail(err, TUT_MALFORMED, "input: a text, or a list of 1 to %d, is wanted",
                        INPUTS);
    tut_str *texts = tut_arena_take(arena, count, sizeof(*texts));
    float *places = tut_arena_take(arena, count * ASSISTANT_SPACE, sizeof(*places));
    if (!texts || !places)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        texts[i] = tut_json_text(is_one ? input : tut_json_item(input, (uint32_t)i));
    TUT_TRY(assistant_place(b, texts, count, places, err));
    return write_places(v, places, count, &ret->body, err);
}

/* ---- requests ---- */

static void refuse(tut_http_answer *ret, int status, const char *why)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_buf_clear(&ret->body);
    ret->status = status;
    ret->content_type = "application/json";
    if (!tut_is_ok(tut_json_new(&ret->body, &j)))
        return;
    tut_json_object(j);
    tut_json_key(j, "error");
    tut_json_object(j);
    tut_json_put_z(j, "type", "invalid_request_error");
    tut_json_put_z(j, "message", why);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_IGNORE(tut_json_finish(j, NULL));
}

static tut_status respond(assistant_brain *b, tut_str path, tut_span body, tut_arena *arena,
                          tut_http_answer *ret, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(body, NULL, &doc, err));
    const tut_json_value *v = tut_json_root(doc);
    if (tut_str_eq_z(path, "/v1/embeddings"))
        return embed(b, v, arena, ret, err);
    return chat_with(b, v, body, arena, ret, err);
}

void assistant_serve(assistant_brain *b, tut_str method, tut_str path, tut_span body,
                     tut_http_answer *ret)
{
    tut_error err = {0};
    tut_arena arena;
    *ret = (tut_http_answer){.status = 200, .content_type = "application/json"};
    if (!tut_str_eq_z(path, "/v1/chat/completions") && !tut_str_eq_z(path, "/v1/embeddings")) {
        refuse(ret, 404, "there is /v1/chat/completions and /v1/embeddings");
        return;
    }
    if (!tut_str_eq_z(method, "POST")) {
        refuse(ret, 405, "POST is wanted");
        return;
    }
    tut_arena_init(&arena, MEMORY);
    tut_status status = respond(b, path, body, &arena, ret, &err);
    if (!tut_is_ok(status))
        refuse(ret, status.code == TUT_NOMEM ? 503 : 400, err.text);
    tut_arena_done(&arena);
}
