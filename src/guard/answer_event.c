/* One event of a stream, or a whole document: every string is looked at, and what was changed is
 * written anew. */
#include <stdio.h>

#include "base/limits.h"
#include "guard/answer_internal.h"

/* --- events that are added --- */
void tut_answer_frame(tut_str name, tut_str json, tut_buf *out)
{
    if (name.len) {
        tut_buf_add_z(out, "event: ");
        tut_buf_add_str(out, name);
        tut_buf_add_z(out, "\n");
    }
    tut_buf_add_z(out, "data: ");
    tut_buf_add_str(out, json);
    tut_buf_add_z(out, "\n\n");
}

static void put_choice(tut_json *j, const tut_guard_channel *c, bool is_completion, tut_str text)
{
    tut_json_key(j, "choices");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_int(j, "index", c->choice);
    tut_json_key(j, "finish_reason");
    tut_json_null(j);
    if (!is_completion) {
        tut_json_key(j, "delta");
        tut_json_object(j);
    }
    tut_json_key_str(j, c->field);
    tut_json_str(j, text);
    if (!is_completion)
        tut_json_end_object(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

/* The rest of a text, as an event of its own. */
static tut_status flush_channel(tut_guard_answer *a, tut_guard_channel *c, tut_buf *out,
                                tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_clear(&a->piece);
    TUT_TRY(tut_guard_text_end(&c->text, &a->piece, err));
    TUT_TRY(tut_answer_keep_whole(a, c, true, err));
    if (a->piece.len == 0)
        return tut_buf_check(&a->piece, err);
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    tut_json_object(j);
    tut_str name = {"", 0};
    if (c->choice >= 0) {
        tut_json_put_str(j, "id", a->id);
        tut_json_put_str(j, "model", a->model);
        tut_json_put_str(j, "object", a->object);
        tut_json_put_int(j, "created", a->created);
        put_choice(j, c,
                   tut_str_eq_z(a->object, "text_completion") || tut_str_eq_z(c->field, "text"),
                   tut_buf_str(&a->piece));
    } else {
        const tut_json_value *last = tut_json_root(c->last);
        name = tut_json_get_text(last, "type");
        a->request->route->protocol->put_rest(j, last, c->field, tut_buf_str(&a->piece));
    }
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_answer_frame(name, tut_buf_str(&text), out);
    return tut_buf_check(out, err);
}

/* choice -1: of all. */
static tut_status flush_texts(tut_guard_answer *a, int64_t choice, tut_buf *out, tut_error *err)
{
    for (size_t i = 0; i < a->channel_count; i++)
        if (choice < 0 || a->channels[i]->choice == choice)
            TUT_TRY(flush_channel(a, a->channels[i], out, err));
    return TUT_SUCCESS;
}

/* --- the order of things --- */
static tut_status remember(tut_guard_answer *a, const tut_json_value *event, tut_error *err)
{
    static const char *const keys[] = {"id", "model", "object"};
    tut_str *kept[] = {&a->id, &a->model, &a->object};
    a->created = tut_json_get_int(event, "created", a->created);
    for (size_t i = 0; i < 3; i++) {
        tut_str text = tut_json_get_text(event, keys[i]);
        if (text.len == 0 || text.len > 128 || tut_str_eq(text, *kept[i]))
            continue;
        /* Of one stream they stay the same; one that changes with every event is not followed. */
        if (kept[i]->len)
            continue;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        bool is_plain = tut_answer_is_plain(text);
        if (!is_plain)
            TUT_TRY(tut_answer_whole(a, keys[i], text, &out, err));
        char *copy = tut_arena_copy(&a->arena, is_plain ? text : tut_buf_str(&out));
        if (!copy)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        *kept[i] = tut_str_of(copy);
    }
    return TUT_SUCCESS;
}

/* Events that end texts: the choice's finish, and for a response each "done". What was kept back
 * goes before them. */
static tut_status finish_texts(tut_guard_answer *a, const tut_json_value *event, tut_buf *out,
                               tut_error *err)
{
    const tut_json_value *choices = tut_json_get(event, "choices");
    tut_str type = tut_json_get_text(event, "type");
    for (uint32_t i = 0; i < tut_json_count(choices); i++) {
        int64_t choice = tut_json_get_int(tut_json_item(choices, i), "index", i);
        if (tut_answer_choice_ends(event, choice))
            TUT_TRY(flush_texts(a, choice, out, err));
    }
    if (tut_str_ends(type, TUT_LIT(".done")) || tut_str_eq_z(type, "content_block_stop") ||
        tut_str_eq_z(type, "message_stop") || tut_str_eq_z(type, "response.completed") ||
        tut_str_eq_z(type, "response.incomplete") || tut_str_eq_z(type, "response.failed"))
        return flush_texts(a, -1, out, err);
    return TUT_SUCCESS;
}

static tut_status finish_calls(tut_guard_answer *a, const tut_json_value *event, tut_error *err)
{
    const tut_json_value *choices = tut_json_get(event, "choices");
    for (uint32_t i = 0; i < tut_json_count(choices); i++) {
        int64_t choice = tut_json_get_int(tut_json_item(choices, i), "index", i);
        if (tut_answer_choice_ends(event, choice))
            TUT_TRY(tut_answer_judge_calls(a, choice, err));
    }
    TUT_TRY(tut_answer_end_item(a, event, err));
    a->has_call = a->call_count > 0;
    return TUT_SUCCESS;
}

/* Out goes what no call keeps waiting. */
void tut_answer_pass_on(tut_guard_answer *a, tut_buf *out)
{
    if (a->has_call || tut_answer_is_stopped(a))
        return;
    tut_buf_add(out, a->waiting.data, a->waiting.len);
    tut_buf_clear(&a->waiting);
}

static void pass(tut_guard_answer *a, const tut_buf *ready, tut_buf *out)
{
    tut_buf_add(&a->waiting, ready->data, ready->len);
    if (a->waiting.len > a->request->limits.held_bytes && a->has_call)
        tut_guard_refuse(&a->decision, 502, "tools", TUT_LIT("answer"),
                         "a tool call with more than %u bytes of events",
                         a->request->limits.held_bytes);
    tut_answer_pass_on(a, out);
}

static tut_status parse(tut_guard_answer *a, tut_str text, tut_json_doc **ret_doc, tut_error *err)
{
    tut_error why = {0};
    tut_json_options options = {.max_depth = a->request->limits.depth};
    tut_status status = tut_json_parse(tut_span_of(text.data, text.len), &options, ret_doc, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_BUG)
        return tut_fail(err, status.code, "%s", why.text);
    if (!tut_is_ok(status))
        tut_guard_refuse(&a->decision, 502, "format", TUT_LIT("answer"), "%s", why.text);
    else if (tut_json_root(*ret_doc)->type != TUT_JSON_OBJECT)
        tut_guard_refuse(&a->decision, 502, "format", TUT_LIT("answer"), "not a JSON object");
    return TUT_SUCCESS;
}

/* The event that was asked for here, and not by the client. */
static bool is_usage(const tut_json_value *event)
{
    const tut_json_value *choices = tut_json_get(event, "choices");
    return choices && choices->type == TUT_JSON_ARRAY && choices->count == 0 &&
           tut_json_count(tut_json_get(event, "usage")) > 0;
}

static tut_status one_event(tut_guard_answer *a, tut_str name, const tut_json_value *event,
                            tut_error *err)
{
    TUT_TRY(remember(a, event, err));
    a->has_call |= tut_answer_has_call(event);
    TUT_TRY(tut_answer_collect(a, event, err));
    TUT_TRY(tut_answer_write(a, event, err));
    TUT_TRY(finish_texts(a, event, &a->ready, err));
    TUT_TRY(finish_calls(a, event, err));
    tut_answer_note_usage(a, event);
    if (a->request->adds_usage && is_usage(event))
        return tut_buf_check(&a->ready, err);
    tut_answer_frame(name, tut_buf_str(&a->json), &a->ready);
    return tut_buf_check(&a->ready, err);
}

static bool name_is_word(tut_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return name.len <= 64;
}

static tut_status event_of(tut_guard_answer *a, tut_str name, tut_str data, tut_error *err)
{
    tut_json_doc *doc = NULL;
    size_t before = tut_answer_findings(a);
    uint64_t scanned = a->decision.scanned_bytes;
    tut_buf_clear(&a->ready);
    tut_status status = parse(a, data, &doc, err);
    if (tut_is_ok(status) && !tut_answer_is_stopped(a) && doc &&
        tut_json_root(doc)->type == TUT_JSON_OBJECT) {
        status = one_event(a, name, tut_json_root(doc), err);
        if (tut_is_ok(status) && tut_answer_findings(a) == before && !a->has_call && a->has_begun)
            status = tut_answer_learn(a, name, data, tut_json_root(doc),
                                      a->decision.scanned_bytes - scanned, err);
    }
    tut_json_doc_free(doc);
    a->has_begun = true;
    return status;
}

/* Nothing is asked of it, no call is under way, and it is one line. */
static bool is_passed(const tut_guard_answer *a, tut_str name, tut_str data)
{
    return a->is_unread && data.len && !memchr(data.data, '\n', data.len) &&
           !memchr(data.data, '\r', data.len) && !a->has_call && name_is_word(name) &&
           !tut_str_eq_z(data, "[DONE]") && !tut_answer_may_call(data);
}

static tut_status take_event(tut_guard_answer *a, tut_str name, tut_str data, tut_buf *out,
                             tut_error *err)
{
    bool is_done = false;
    if (is_passed(a, name, data)) {
        tut_answer_note_pass(a);
        tut_answer_frame(name, data, out);
        return tut_buf_check(out, err);
    }
    TUT_TRY(tut_answer_same(a, name, data, out, &is_done, err));
    if (is_done)
        return TUT_SUCCESS;
    if (!name_is_word(name)) {
        tut_guard_refuse(&a->decision, 502, "format", TUT_LIT("answer"),
                         "an event whose name is no word");
        return TUT_SUCCESS;
    }
    if (tut_str_eq_z(data, "[DONE]")) {
        TUT_TRY(tut_answer_flush(a, out, err));
        if (tut_guard_answer_is_waiting(a)) {
            tut_buf_add_z(&a->waiting, "data: [DONE]\n\n");
        } else if (!tut_answer_is_stopped(a)) {
            tut_buf_add_z(out, "data: [DONE]\n\n");
            a->is_over = true;
        }
        return TUT_SUCCESS;
    }
    tut_status status = event_of(a, name, data, err);
    if (status.code == TUT_LIMIT) {
        tut_guard_refuse(&a->decision, 502, "format", TUT_LIT("answer"), "%s",
                         err ? err->text : "a limit was reached");
        return TUT_SUCCESS;
    }
    TUT_TRY(status);
    pass(a, &a->ready, out);
    return tut_buf_check(&a->waiting, err);
}

tut_status tut_answer_event(tut_guard_answer *a, tut_str name, tut_str data, tut_buf *out,
                            tut_error *err)
{
    size_t from = out->len;
    TUT_TRY(take_event(a, name, data, out, err));
    return tut_answer_hold(a, out, from, err);
}

tut_status tut_answer_flush(tut_guard_answer *a, tut_buf *out, tut_error *err)
{
    size_t from = out->len;
    tut_buf_clear(&a->ready);
    TUT_TRY(flush_texts(a, -1, &a->ready, err));
    TUT_TRY(tut_answer_judge_calls(a, -1, err));
    a->has_call = false;
    pass(a, &a->ready, out);
    TUT_TRY(tut_answer_hold(a, out, from, err));
    return tut_buf_check(&a->waiting, err);
}

tut_status tut_answer_document(tut_guard_answer *a, tut_str json, tut_buf *out, tut_error *err)
{
    tut_json_doc *doc = NULL;
    bool is_changed = false;
    tut_buf_clear(&a->json);
    bool may_call = tut_answer_may_call(json);
    if (a->is_unread && !may_call) {
        tut_answer_note_pass(a);
        tut_buf_add_str(out, json);
        return tut_buf_check(out, err);
    }
    tut_status status = parse(a, json, &doc, err);
    if (tut_is_ok(status) && doc && tut_json_root(doc)->type == TUT_JSON_OBJECT) {
        tut_answer_note_usage(a, tut_json_root(doc));
        if (may_call)
            status = tut_answer_collect(a, tut_json_root(doc), err);
        if (tut_is_ok(status) && may_call)
            status = tut_answer_judge_calls(a, -1, err);
        if (tut_is_ok(status))
            status = tut_answer_write_document(a, tut_json_root(doc), may_call, &is_changed, err);
    }
    tut_json_doc_free(doc);
    TUT_TRY(status);
    size_t from = out->len;
    if (tut_guard_answer_is_waiting(a) || !tut_answer_is_stopped(a))
        tut_buf_add_str(out, is_changed ? tut_buf_str(&a->json) : json);
    TUT_TRY(tut_answer_hold(a, out, from, err));
    if (out->len > from && a->is_waiting && tut_answer_is_stopped(a)) { /* a call waits */
        tut_buf_add(&a->waiting, out->data + from, out->len - from);
        out->len = from;
    }
    TUT_TRY(tut_buf_check(&a->json, err));
    return tut_buf_check(out, err);
}
