#include "guard/replay.h"
#include "guard/replay_who.h"

#include <stdio.h>

void tut_guard_replay_done(tut_guard_replay *r)
{
    tut_buf_done(&r->forward);
    tut_buf_done(&r->out);
    tut_arena_done(&r->arena);
}

/* A body: text as it stands, anything else as JSON. */
static tut_status add_body(const tut_json_value *v, tut_buf *out, tut_error *err)
{
    if (!v || v->type == TUT_JSON_NULL)
        return TUT_SUCCESS;
    if (v->type == TUT_JSON_STRING) {
        tut_buf_add_str(out, v->as.string);
        return tut_buf_check(out, err);
    }
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    TUT_TRY(tut_guard_copy(v, j, err));
    return tut_json_finish(j, err);
}

static tut_str header(const tut_json_value *message, const char *name, const char *otherwise)
{
    const tut_json_value *headers = tut_json_get(message, "headers");
    for (uint32_t i = 0; i < tut_json_count(headers); i++) {
        const tut_json_value *v = tut_json_item(headers, i);
        if (tut_str_ieq(v->key, tut_str_of(name)))
            return tut_json_text(v);
    }
    return tut_str_of(otherwise);
}

static tut_guard_head head_of(const tut_json_value *line, const tut_json_value *message,
                              const char *type)
{
    tut_str method = tut_json_get_text(message, "method");
    return (tut_guard_head){.method = method.len ? method : TUT_LIT("POST"),
                            .path = tut_json_get_text(message, "path"),
                            .content_type = header(message, "content-type", type),
                            .content_encoding = header(message, "content-encoding", ""),
                            .upgrade = header(message, "upgrade", ""),
                            .client = tut_json_get_text(line, "client"),
                            .status = (unsigned)tut_json_get_int(message, "status", 200)};
}

/* "events": a stream of these, and its end. */
static tut_status add_events(const tut_json_value *events, tut_buf *out, tut_error *err)
{
    for (uint32_t i = 0; i < tut_json_count(events); i++) {
        const tut_json_value *event = tut_json_item(events, i);
        tut_str type = tut_json_get_text(event, "type");
        if (type.len) {
            tut_buf_add_z(out, "event: ");
            tut_buf_add_str(out, type);
            tut_buf_add_z(out, "\n");
        }
        tut_buf_add_z(out, "data: ");
        TUT_TRY(add_body(event, out, err));
        tut_buf_add_z(out, "\n\n");
    }
    tut_buf_add_z(out, "data: [DONE]\n\n");
    return tut_buf_check(out, err);
}

static tut_status keep_called(const tut_guard_answer *a, tut_guard_replay *r, tut_error *err)
{
    const tut_str *names = NULL;
    size_t count = tut_guard_answer_tools(a, &names);
    r->called.items = tut_arena_take(&r->arena, count + 1, sizeof(*r->called.items));
    if (!r->called.items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        char *copy = tut_arena_copy(&r->arena, names[i]);
        if (!copy)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        r->called.items[r->called.count++] = tut_str_of(copy);
    }
    return TUT_SUCCESS;
}

static tut_status play_answer(const tut_guard_request *request, const tut_guard_head *head,
                              const tut_buf *bytes, size_t chunk_bytes, tut_guard_replay *r,
                              tut_error *err)
{
    TUT_AUTO(tut_guard_answer) a = NULL;
    size_t step = chunk_bytes ? chunk_bytes : bytes->len + 1;
    TUT_TRY(tut_guard_answer_new(request, head, &a, err));
    for (size_t at = 0; at < bytes->len; at += step) {
        size_t n = bytes->len - at < step ? bytes->len - at : step;
        TUT_TRY(tut_guard_answer_feed(a, tut_span_of(bytes->data + at, n), &r->out, err));
    }
    TUT_TRY(tut_guard_answer_end(a, &r->out, err));
    r->answer = *tut_guard_answer_decision(a);
    r->has_answer = true;
    return keep_called(a, r, err);
}

static tut_status play(const tut_guard *g, const tut_json_value *line, size_t chunk_bytes,
                       tut_guard_replay *r, tut_error *err)
{
    const tut_json_value *request = tut_json_get(line, "request");
    const tut_json_value *answer = tut_json_get(line, "answer");
    const tut_json_value *events = tut_json_get(answer, "events");
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO(tut_guard_request) read = NULL;
    TUT_TRY(add_body(tut_json_get(request, "body"), &body, err));
    tut_guard_head head = head_of(line, request, "application/json");
    tut_replay_caller caller;
    tut_replay_who(g, line, &caller);
    head.client = caller.client;
    TUT_TRY(tut_guard_request_read(g, &head, tut_buf_span(&body), &read, err));
    tut_replay_judge(&caller, read);
    r->request = read->decision;
    r->action = tut_guard_done(&read->decision);
    if (read->route)
        tut_str_copy(r->route, sizeof(r->route), read->route->id);
    if (r->action >= TUT_GUARD_HOLD) {
        tut_guard_refusal(&read->decision, &r->out);
        return tut_buf_check(&r->out, err);
    }
    bool is_changed = false;
    TUT_TRY(tut_guard_request_forward(read, &r->forward, &is_changed, err));
    r->request = read->decision; /* with what was put away */
    if (!answer)
        return TUT_SUCCESS;
    if (events)
        TUT_TRY(add_events(events, &bytes, err));
    else
        TUT_TRY(add_body(tut_json_get(answer, "body"), &bytes, err));
    head = head_of(line, answer, events ? "text/event-stream" : "application/json");
    TUT_TRY(play_answer(read, &head, &bytes, chunk_bytes, r, err));
    tut_guard_action done = tut_guard_done(&r->answer);
    r->action = done > r->action ? done : r->action;
    return TUT_SUCCESS;
}

tut_status tut_guard_replay_line(const tut_guard *g, tut_str line, size_t number,
                                 size_t chunk_bytes, tut_guard_replay *ret_replay, tut_error *err)
{
    tut_json_doc *doc = NULL;
    tut_guard_replay r = {0};
    tut_arena_init(&r.arena, 0);
    tut_status status = tut_json_parse(tut_span_of(line.data, line.len), NULL, &doc, err);
    const tut_json_value *root = tut_is_ok(status) ? tut_json_root(doc) : NULL;
    if (tut_is_ok(status) && !tut_json_get(tut_json_get(root, "request"), "path"))
        status = tut_fail(err, TUT_MALFORMED, "no \"request\" with a \"path\"");
    tut_str id = tut_json_get_text(root, "id"), expect = tut_json_get_text(root, "expect");
    if (id.len)
        tut_str_copy(r.id, sizeof(r.id), id);
    else
        (void)snprintf(r.id, sizeof(r.id), "line %zu", number);
    r.has_expect = tut_json_get(root, "expect") != NULL;
    if (tut_is_ok(status) && r.has_expect && !tut_guard_action_parse(expect, &r.expected))
        status = tut_fail(err, TUT_MALFORMED, "\"expect\" is one of: allow flag redact hold block");
    if (tut_is_ok(status))
        status = play(g, root, chunk_bytes, &r, err);
    tut_json_doc_free(doc);
    if (!tut_is_ok(status)) {
        tut_guard_replay_done(&r);
        return status;
    }
    r.is_as_expected = r.has_expect && r.expected == r.action;
    *ret_replay = r;
    return TUT_SUCCESS;
}

void tut_guard_replay_json(const tut_guard_replay *r, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", r->id);
    tut_json_put_or_null(j, "route", tut_str_of(r->route));
    tut_json_put_z(j, "action", tut_guard_action_name(r->action));
    tut_json_put_z(j, "expected", r->has_expect ? tut_guard_action_name(r->expected) : NULL);
    tut_json_key(j, "request");
    tut_guard_decision_json(&r->request, j);
    tut_json_key(j, "answer");
    if (r->has_answer)
        tut_guard_decision_json(&r->answer, j);
    else
        tut_json_null(j);
    tut_json_key(j, "called");
    tut_json_array(j);
    for (size_t i = 0; i < r->called.count; i++)
        tut_json_str(j, r->called.items[i]);
    tut_json_end_array(j);
    tut_json_put_or_null(j, "forwarded", tut_buf_str(&r->forward));
    tut_json_put_str(j, "output", tut_buf_str(&r->out));
    tut_json_end_object(j);
}
