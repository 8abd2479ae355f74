#include "guard/answer.h"

#include "guard/answer_internal.h"

enum { EVENT_BYTES = 512 }; /* of most */

static _Thread_local void *spare;

static void check_head(tut_guard_answer *a, const tut_guard_head *head)
{
    const tut_guard_request *r = a->request;
    const tut_protocol *p = r->route->protocol;
    bool is_json = tut_guard_is_type(head->content_type, "application/json");
    bool is_events = tut_guard_is_type(head->content_type, "text/event-stream");
    bool is_text = tut_guard_is_type(head->content_type, "text/plain");
    if (head->content_encoding.len && !tut_str_ieq(head->content_encoding, TUT_LIT("identity")))
        tut_guard_refuse(&a->decision, 502, "format", TUT_LIT("content-encoding"),
                         "a compressed answer is not read");
    if (is_events && p->can_stream && !p->is_text)
        a->kind = TUT_ANSWER_EVENTS;
    else if (p->is_text && is_text)
        a->kind = TUT_ANSWER_TEXT;
    else if (is_json)
        a->kind = TUT_ANSWER_JSON;
    else
        tut_guard_refuse(&a->decision, 502, "format", TUT_LIT("content-type"),
                         "an answer of a type that the route does not have");
}

/* The words of the system text, where its leaking is asked about. */
static tut_status read_system(tut_guard_answer *a, tut_error *err)
{
    const tut_guard_request *r = a->request;
    const tut_guard_setting *s = &r->checks[TUT_CHECK_PROMPT_LEAK];
    if (s->action == TUT_GUARD_ALLOW)
        return TUT_SUCCESS;
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < r->segment_count && tut_is_ok(status); i++)
        if (r->segments[i].role == TUT_ROLE_SYSTEM)
            status = tut_guard_leak_add(&a->leak, r->segments[i].text);
    if (tut_is_ok(status) && a->leak.count >= s->words)
        status = tut_guard_leak_close(&a->leak);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "memory ran out");
    a->look.leak = a->leak.heads ? &a->leak : NULL;
    return TUT_SUCCESS;
}

tut_status tut_answer_whole(tut_guard_answer *a, const char *where, tut_str text, tut_buf *out,
                            tut_error *err)
{
    tut_str_copy(a->whole.where, sizeof(a->whole.where), tut_str_of(where));
    a->whole.way = NULL;
    TUT_TRY(tut_guard_text_feed(&a->whole, text, out, err));
    return tut_guard_text_end(&a->whole, out, err);
}

tut_status tut_answer_whole_at(tut_guard_answer *a, const tut_guard_way *way, tut_str text,
                               tut_buf *out, tut_error *err)
{
    a->whole.way = way;
    tut_status status = tut_guard_text_feed(&a->whole, text, out, err);
    if (tut_is_ok(status))
        status = tut_guard_text_end(&a->whole, out, err);
    a->whole.way = NULL;
    return status;
}

/* While the server thinks about its first event there is time for this. */
static tut_status prepare_events(tut_guard_answer *a, tut_error *err)
{
    tut_buf *const bufs[] = {&a->json,  &a->ready,    &a->waiting,
                             &a->piece, &a->sse.line, &a->sse.data};
    for (size_t i = 0; i < TUT_COUNT(bufs); i++) {
        if (!tut_buf_extend(bufs[i], EVENT_BYTES))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        tut_buf_clear(bufs[i]);
    }
    return tut_json_new(&a->json, &a->writer);
}

tut_status tut_guard_answer_new(const tut_guard_request *request, const tut_guard_head *head,
                                tut_guard_answer **ret_answer, tut_error *err)
{
    if (!request->route)
        return tut_fail(err, TUT_USAGE, "a request that has no route has no answer");
    TUT_AUTO(tut_guard_answer) a = tut_spare_take(&spare, sizeof(*a));
    if (!a)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    memset(a, 0, offsetof(tut_guard_answer, decision.reasons));
    a->request = request;
    a->decision.is_enforced = request->is_enforced;
    a->look = (tut_guard_look){.policy = request->guard->policy,
                               .checks = request->checks,
                               .kinds = &request->guard->kinds,
                               .classes = tut_guard_classes(request->checks, true),
                               .scanner = request->guard->scanner,
                               .decision = &a->decision,
                               .is_changing = request->is_enforced};
    tut_arena_init(&a->arena, 0);
    tut_guard_text_init(&a->text, &a->look, "text");
    tut_guard_text_init(&a->whole, &a->look, "");
    check_head(a, head);
    tut_answer_begin_pass(a);
    if (!a->is_passed && !a->is_unread) {
        TUT_TRY(read_system(a, err));
        TUT_TRY(tut_answer_find_schema(a, err));
    }
    if (a->kind == TUT_ANSWER_EVENTS)
        TUT_TRY(prepare_events(a, err));
    *ret_answer = tut_move(&a);
    return TUT_SUCCESS;
}

void tut_guard_answer_free(tut_guard_answer *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->channel_count; i++) {
        tut_guard_text_done(&a->channels[i]->text);
        tut_json_doc_free(a->channels[i]->last);
        tut_buf_done(&a->channels[i]->whole);
        tut_free(a->channels[i]);
    }
    for (size_t i = 0; i < a->call_count; i++) {
        tut_buf_done(&a->calls[i]->name);
        tut_buf_done(&a->calls[i]->arguments);
        tut_free(a->calls[i]);
    }
    tut_free(a->channels);
    tut_free(a->calls);
    tut_free(a->tools);
    tut_free(a->held);
    tut_guard_taint_free(a->taint);
    tut_json_doc_free(a->schema_doc);
    tut_buf_done(&a->later);
    tut_buf_done(&a->body);
    for (size_t i = 0; i < a->same_count; i++)
        tut_guard_same_done(&a->same[i]);
    tut_buf_done(&a->waiting);
    tut_buf_done(&a->piece);
    tut_buf_done(&a->json);
    tut_buf_done(&a->ready);
    tut_buf_done(&a->plain);
    tut_json_free(a->writer);
    tut_buf_done(&a->sse.line);
    tut_buf_done(&a->sse.event);
    tut_buf_done(&a->sse.data);
    tut_guard_text_done(&a->text);
    tut_guard_text_done(&a->whole);
    tut_guard_leak_done(&a->leak);
    tut_arena_done(&a->arena);
    tut_spare_give(&spare, a);
}

const tut_guard_decision *tut_guard_answer_decision(const tut_guard_answer *a)
{
    return &a->decision;
}

size_t tut_guard_answer_tools(const tut_guard_answer *a, const tut_str **ret_names)
{
    *ret_names = a->tools;
    return a->tool_count;
}

bool tut_answer_is_stopped(const tut_guard_answer *a)
{
    tut_guard_action done = tut_guard_done(&a->decision);
    return done == TUT_GUARD_BLOCK || (done == TUT_GUARD_HOLD && a->is_waiting);
}

void tut_guard_refusal(const tut_guard_decision *d, tut_buf *out)
{
    bool is_held = d->action == TUT_GUARD_HOLD;
    TUT_AUTO(tut_json) j = NULL;
    if (!tut_is_ok(tut_json_new(out, &j)))
        return;
    tut_json_object(j);
    tut_json_put_z(j, "type", "error");
    tut_json_key(j, "error");
    tut_json_object(j);
    tut_json_put_z(j, "type", "guard");
    tut_json_put_z(j, "code", is_held ? "held" : "blocked");
    tut_json_put_z(j, "message",
                   is_held ? "This waits for the approval of a person."
                           : "This was refused by the policy of the system.");
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_IGNORE(tut_json_finish(j, NULL));
}

/* What the client is told in the place of the rest; once. */
static void close_stopped(tut_guard_answer *a, tut_buf *out)
{
    if (a->is_over || tut_guard_answer_is_waiting(a))
        return;
    a->is_over = true;
    const char *event = a->request->route->protocol->error_event;
    if (a->kind == TUT_ANSWER_EVENTS && event)
        tut_buf_printf(out, "event: %s\n", event);
    if (a->kind == TUT_ANSWER_EVENTS)
        tut_buf_add_z(out, "data: ");
    tut_guard_refusal(&a->decision, out);
    if (a->kind == TUT_ANSWER_EVENTS)
        tut_buf_add_z(out, event ? "\n\n" : "\n\ndata: [DONE]\n\n");
}

static tut_status take(tut_guard_answer *a, tut_span piece, size_t *ret_read, tut_buf *out,
                       tut_error *err)
{
    *ret_read = piece.len;
    switch (a->kind) {
    case TUT_ANSWER_EVENTS:
        return tut_sse_feed(a, piece, ret_read, out, err);
    case TUT_ANSWER_TEXT:
        return tut_guard_text_feed(&a->text, tut_str_from(piece), out, err);
    case TUT_ANSWER_JSON:
        break;
    }
    if (piece.len > a->request->limits.answer_bytes - a->body.len) {
        tut_guard_refuse(&a->decision, 502, "format", TUT_LIT("answer"), "more than %u bytes",
                         a->request->limits.answer_bytes);
        return TUT_SUCCESS;
    }
    tut_buf_add(&a->body, piece.data, piece.len);
    return tut_buf_check(&a->body, err);
}

/* What comes while a person decides. */
static tut_status keep_later(tut_guard_answer *a, tut_span piece, tut_error *err)
{
    if (piece.len > a->request->limits.held_bytes ||
        a->later.len > a->request->limits.held_bytes - piece.len) {
        tut_guard_refuse(&a->decision, 502, "tools", TUT_LIT("answer"),
                         "more than %u bytes behind what waits", a->request->limits.held_bytes);
        return TUT_SUCCESS;
    }
    tut_buf_add(&a->later, piece.data, piece.len);
    return tut_buf_check(&a->later, err);
}

static tut_status feed(tut_guard_answer *a, tut_span piece, tut_buf *out, tut_error *err)
{
    size_t read = 0, from = out->len;
    if (!tut_answer_is_stopped(a) && !a->is_over)
        TUT_TRY(take(a, piece, &read, out, err));
    if (a->kind == TUT_ANSWER_TEXT)
        TUT_TRY(tut_answer_hold(a, out, from, err));
    if (tut_guard_answer_is_waiting(a) && read < piece.len)
        TUT_TRY(keep_later(a, tut_span_of(piece.data + read, piece.len - read), err));
    if (tut_answer_is_stopped(a))
        close_stopped(a, out);
    return TUT_SUCCESS;
}

tut_status tut_guard_answer_feed(tut_guard_answer *a, tut_span piece, tut_buf *out, tut_error *err)
{
    uint64_t failures = tut_alloc_failures();
    if (tut_guard_answer_is_passed(a)) {
        TUT_TRY(tut_guard_answer_pass(a, piece.len, err));
        tut_buf_add(out, piece.data, piece.len);
        return tut_buf_check(out, err);
    }
    a->read += piece.len;
    TUT_TRY(feed(a, piece, out, err));
    if (tut_alloc_failures() != failures) /* something may have been missed */
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_buf_check(out, err);
}

static tut_status end(tut_guard_answer *a, tut_buf *out, tut_error *err)
{
    switch (a->kind) {
    case TUT_ANSWER_EVENTS: /* an event without its empty line is none, for clients too */
        return tut_answer_flush(a, out, err);
    case TUT_ANSWER_TEXT:
        return tut_guard_text_end(&a->text, out, err);
    case TUT_ANSWER_JSON:
        return tut_answer_document(a, tut_buf_str(&a->body), out, err);
    }
    return TUT_SUCCESS;
}

static tut_status finish(tut_guard_answer *a, tut_buf *out, tut_error *err)
{
    size_t from = out->len;
    if (!tut_answer_is_stopped(a) && !a->is_over)
        TUT_TRY(end(a, out, err));
    if (a->kind == TUT_ANSWER_TEXT)
        TUT_TRY(tut_answer_hold(a, out, from, err));
    a->has_ended = true;
    if (tut_guard_answer_is_waiting(a))
        return TUT_SUCCESS;
    if (tut_answer_is_stopped(a))
        close_stopped(a, out);
    a->is_over = true;
    return TUT_SUCCESS;
}

tut_status tut_guard_answer_end(tut_guard_answer *a, tut_buf *out, tut_error *err)
{
    uint64_t failures = tut_alloc_failures();
    a->is_over = a->is_over || tut_guard_answer_is_passed(a);
    TUT_TRY(finish(a, out, err));
    if (tut_alloc_failures() != failures)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_buf_check(out, err);
}

/* --- people --- */
void tut_guard_answer_can_wait(tut_guard_answer *a)
{
    a->can_release = true;
}

bool tut_guard_answer_is_waiting(const tut_guard_answer *a)
{
    return a->can_release && a->is_waiting && tut_guard_done(&a->decision) == TUT_GUARD_HOLD;
}

void tut_guard_answer_stop(tut_guard_answer *a)
{
    a->decision.is_enforced = true;
    tut_guard_refuse(&a->decision, 503, "stop", TUT_LIT("answer"), "a person has stopped this");
}

bool tut_guard_answer_is_refused(const tut_guard_answer *a)
{
    return tut_answer_is_stopped(a);
}

size_t tut_guard_answer_held(const tut_guard_answer *a, const tut_guard_held **ret_held)
{
    *ret_held = a->held;
    return a->held_count;
}

tut_status tut_guard_answer_release(tut_guard_answer *a, bool is_approved, tut_buf *out,
                                    tut_error *err)
{
    uint64_t failures = tut_alloc_failures();
    if (!tut_guard_answer_is_waiting(a))
        return tut_fail(err, TUT_USAGE, "the answer does not wait for a person");
    if (!is_approved) {
        tut_guard_refuse(&a->decision, 403, "approval", TUT_LIT("answer"), "no person approved it");
        close_stopped(a, out);
        return tut_buf_check(out, err);
    }
    bool had_ended = a->has_ended;
    TUT_CLEAN(tut_buf) later = a->later;
    a->later = TUT_BUF_INIT;
    a->is_waiting = a->has_ended = false;
    tut_answer_pass_on(a, out);
    if (a->kind == TUT_ANSWER_JSON) {
        a->is_over = true;
    } else {
        TUT_TRY(feed(a, tut_buf_span(&later), out, err));
        if (had_ended)
            TUT_TRY(finish(a, out, err));
    }
    if (tut_alloc_failures() != failures)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_buf_check(out, err);
}

/* --- tokens --- */
bool tut_guard_answer_usage(const tut_guard_answer *a, uint64_t *ret_in, uint64_t *ret_out)
{
    *ret_in = a->tokens_in;
    *ret_out = a->tokens_out;
    return a->tokens_in || a->tokens_out;
}
