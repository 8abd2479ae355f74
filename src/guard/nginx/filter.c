/*
 * The answer on its way to the client. After the copy filter, so that all is in memory; before
 * headers are added, compressed and chunked.
 *
 * A JSON answer is read whole, headers held; of a stream the headers go at once. What the library
 * hands out is copied into buffers of ours. While the client is slow nothing more is taken from the
 * server behind us, so that memory stays bounded. Without a context nothing passes.
 */
#include "guard/nginx/module.h"
#include "guard/protocol.h"

enum {
    BUSY_MOST = 256 << 10, /* bytes that wait for the client */
    REST_MOST = 256 << 10, /* of a server whose answer was refused */
    REST_NS = 2000000000
};
#define BUFFERED_BIT 0x08

static ngx_http_output_header_filter_pt next_header;
ngx_http_output_body_filter_pt tut_next_body;

/* --- headers --- */
static bool is_guarded(ngx_http_request_t *r)
{
    const guard_place *place = ngx_http_get_module_loc_conf(r, ngx_http_tutela_module);
    return place->is_on;
}

static void set_json(ngx_http_request_t *r)
{
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);
    r->headers_out.status_line.len = 0;
    ngx_http_clear_last_modified(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_etag(r);
}

/* The server behind us failed, or its answer is none: in its place stands what we say. */
static ngx_int_t replace(guard_ctx *c, ngx_uint_t status, const char *code, const char *message)
{
    tut_buf_clear(&c->out);
    tut_reply_json(&c->out, code, message, c->x.id);
    c->r->headers_out.status = status;
    c->is_over = c->is_header_held = true;
    if (c->stage == GUARD_PASSED)
        tut_live_count(tut_worker.live, c->route, TUT_COUNT_UPSTREAM_ERRORS, 1);
    return NGX_OK;
}

/* nginx itself says that it went wrong: with the request, or with the server behind us. */
static ngx_int_t replace_error(guard_ctx *c)
{
    ngx_uint_t status = c->r->headers_out.status;
    if (c->stage == GUARD_PASSED)
        return replace(c, status, "upstream", "The model server does not answer.");
    return replace(c, status, "blocked",
                   status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE ? "The body is too long."
                                                               : "The request cannot be read.");
}

/* An answer without a head: nginx takes it for one of HTTP/0.9, and would pass it on as such. */
static bool has_no_head(ngx_http_request_t *r)
{
    if (r->http_version >= NGX_HTTP_VERSION_10)
        return false;
    r->http_version = r->stream ? NGX_HTTP_VERSION_20 : r->http_major * 1000 + r->http_minor;
    return true;
}

/* Where a client would go to, past us. */
static bool is_elsewhere(ngx_http_request_t *r)
{
    return r->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE &&
           r->headers_out.status < NGX_HTTP_BAD_REQUEST &&
           r->headers_out.status != NGX_HTTP_NOT_MODIFIED;
}

static ngx_int_t begin_answer(ngx_http_request_t *r, guard_ctx *c)
{
    tut_error err = {0};
    tut_guard_head head = {
        .content_type = tut_str_of_ngx(r->headers_out.content_type),
        .content_encoding = tut_header_of(&r->headers_out.headers, "content-encoding"),
        .status = (unsigned)r->headers_out.status};
    if (!tut_is_ok(tut_guard_answer_new(c->request, &head, &c->answer, &err))) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "tutela: no answer: %s", err.text);
        return NGX_ERROR;
    }
    c->x.answer = tut_guard_answer_decision(c->answer);
    tut_guard_answer_can_wait(c->answer);
    bool is_passed = tut_guard_answer_is_passed(c->answer);
    c->is_header_held = tut_guard_done(c->x.answer) >= TUT_GUARD_HOLD ||
                        (!is_passed && tut_guard_is_type(head.content_type, "application/json"));
    c->is_passed = is_passed && !c->is_durable;
    r->main_filter_need_in_memory = !c->is_passed;
    return NGX_OK;
}

ngx_int_t tut_send_header(ngx_http_request_t *r, guard_ctx *c)
{
    c->has_header_gone = true;
    tut_reply_hide(r);
    if (tut_reply_headers(r, c) != NGX_OK)
        return NGX_ERROR;
    return next_header(r);
}

static ngx_int_t on_header(ngx_http_request_t *r)
{
    guard_ctx *c = r == r->main ? tut_ctx_of(r) : NULL;
    if (c && c->stage == GUARD_REPLIED)
        return next_header(r);
    if (!is_guarded(r) && !c)
        return next_header(r);
    if (!c || c->has_header_gone)
        return NGX_ERROR;
    if (r->err_status || c->stage != GUARD_PASSED)
        return replace_error(c);
    if (r->headers_out.status == NGX_HTTP_SWITCHING_PROTOCOLS)
        return NGX_ERROR;
    if (has_no_head(r) || is_elsewhere(r))
        return replace(c, NGX_HTTP_BAD_GATEWAY, "upstream",
                       "The model server answers something that is no answer.");
    if (r->header_only || r->headers_out.status == NGX_HTTP_NO_CONTENT ||
        r->headers_out.status == NGX_HTTP_NOT_MODIFIED) {
        c->is_over = true;
        return tut_send_header(r, c);
    }
    if (begin_answer(r, c) != NGX_OK)
        return replace(c, NGX_HTTP_INTERNAL_SERVER_ERROR, "no_decision",
                       "The guard could not decide about the answer.");
    if (c->is_header_held)
        return NGX_OK;
    if (!c->is_passed) { /* a macro of several statements */
        ngx_http_clear_content_length(r);
    }
    ngx_http_clear_accept_ranges(r);
    return tut_send_header(r, c);
}

/* --- what comes in --- */
/* The switch holds for what is under way too: of an answer nothing more goes on. */
static void stop_where_stopped(guard_ctx *c)
{
    if (c->answer && !tut_guard_answer_is_refused(c->answer) && tut_ctx_is_stopped(c))
        tut_guard_answer_stop(c->answer);
}

static ngx_int_t take(guard_ctx *c, const ngx_buf_t *b)
{
    tut_error err = {0};
    size_t len = (size_t)(b->last - b->pos);
    if (len == 0 || c->is_over)
        return NGX_OK;
    if (!ngx_buf_in_memory(b))
        return NGX_ERROR;
    stop_where_stopped(c);
    if (tut_is_ok(tut_guard_answer_feed(c->answer, tut_span_of(b->pos, len), &c->out, &err)))
        return NGX_OK;
    ngx_log_error(NGX_LOG_ERR, c->r->connection->log, 0, "tutela: the answer is cut: %s", err.text);
    return NGX_ERROR;
}

static ngx_int_t finish_answer(guard_ctx *c)
{
    tut_error err = {0};
    if (c->is_over)
        return NGX_OK;
    c->is_over = true;
    stop_where_stopped(c);
    if (!tut_is_ok(tut_guard_answer_end(c->answer, &c->out, &err))) {
        ngx_log_error(NGX_LOG_ERR, c->r->connection->log, 0, "tutela: the answer is cut: %s",
                      err.text);
        return NGX_ERROR;
    }
    return NGX_OK;
}

/* What says to a client that the answer is whole. */
static size_t find_end(const tut_buf *out)
{
    static const char *const ends[] = {"data: [DONE]", "event: response.completed",
                                       "event: message_stop"};
    size_t least = out->len;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t at;
        if (tut_str_find(tut_buf_str(out), tut_str_of(ends[i]), &at) && at < least)
            least = at;
    }
    return least;
}

/* Of an answer that is to be durable, its end waits. */
static void keep_tail(guard_ctx *c)
{
    if (!c->is_durable || c->is_logged || c->out.len == 0)
        return;
    if (!c->is_keeping_tail) {
        size_t at = c->is_over ? 0 : find_end(&c->out);
        if (at == c->out.len)
            return;
        c->is_keeping_tail = true;
        tut_buf_add(&c->tail, c->out.data + at, c->out.len - at);
        c->out.len = at;
        return;
    }
    tut_buf_add_str(&c->tail, tut_buf_str(&c->out));
    tut_buf_clear(&c->out);
}

/* Nothing of it goes on any more, whatever else the server has to say. */
static void leave_rest(guard_ctx *c)
{
    if (!c->answer || !tut_guard_answer_is_refused(c->answer) ||
        tut_guard_answer_is_waiting(c->answer))
        return;
    for (ngx_chain_t *cl = c->in; cl; cl = c->in) {
        cl->buf->pos = cl->buf->last;
        c->in = cl->next;
        ngx_free_chain(c->r->pool, cl);
    }
    c->is_whole = c->leaves_rest = true;
    c->left_ns = tut_now_ns();
}

/* Takes what is there, while the client keeps up. */
static ngx_int_t take_in(guard_ctx *c)
{
    while (c->in && c->busy_bytes < BUSY_MOST && c->out.len < BUSY_MOST) {
        ngx_chain_t *cl = c->in;
        ngx_buf_t *b = cl->buf;
        if (take(c, b) != NGX_OK)
            return NGX_ERROR;
        b->pos = b->last;
        b->file_pos = b->file_last;
        c->wants_flush = c->wants_flush || b->flush || b->sync;
        c->is_whole = c->is_whole || b->last_buf;
        c->in = cl->next;
        ngx_free_chain(c->r->pool, cl);
        keep_tail(c);
        leave_rest(c);
    }
    if (c->is_whole && !c->in) {
        if (finish_answer(c) != NGX_OK)
            return NGX_ERROR;
        keep_tail(c);
    }
    return NGX_OK;
}

/* --- what goes out --- */
/* The headers that were held: what the answer came to is known now. */
static ngx_int_t send_held_header(ngx_http_request_t *r, guard_ctx *c)
{
    if (!c->is_header_held || c->has_header_gone)
        return NGX_OK;
    const tut_guard_decision *d = c->x.answer;
    if (!c->answer || tut_guard_answer_is_refused(c->answer)) {
        set_json(r);
        if (c->answer)
            r->headers_out.status = d->status ? d->status : NGX_HTTP_FORBIDDEN;
    }
    r->headers_out.content_length_n = (off_t)c->out.len;
    if (r->headers_out.content_length)
        r->headers_out.content_length->hash = 0;
    r->headers_out.content_length = NULL;
    ngx_int_t rc = tut_send_header(r, c);
    return rc == NGX_ERROR || rc > NGX_OK ? NGX_ERROR : NGX_OK;
}

/* The last byte of a durable answer waits until its event is on the disk. True: it may go. */
static bool may_end(guard_ctx *c)
{
    if (!c->is_durable)
        return true;
    if (!c->is_logged && !tut_audit_log(c)) {
        c->has_failed = true;
        return false;
    }
    if (!tut_audit_is_durable(c)) {
        tut_audit_wait(c);
        return false;
    }
    return true;
}

/* What the answer came to, for its event. */
static void note_end(guard_ctx *c)
{
    const tut_str *tools;
    if (!c->answer)
        return;
    keep_tail(c);
    c->x.tool_count = tut_guard_answer_tools(c->answer, &tools);
    c->x.tools = tools;
    (void)tut_guard_answer_usage(c->answer, &c->x.tokens_in, &c->x.tokens_out);
}

static ngx_int_t go_on(ngx_http_request_t *r, guard_ctx *c)
{
    bool is_stuck = false;
    while (!is_stuck) {
        if (take_in(c) != NGX_OK || c->has_failed)
            return NGX_ERROR;
        if (c->has_end_gone) /* what the client has not taken yet */
            return tut_hand_on(r, c, NULL);
        if (c->is_header_held && !c->is_whole) /* a document is judged when it is whole */
            return NGX_OK;
        bool waits = false;
        if (tut_wait_for_calls(c, &waits) != NGX_OK)
            return NGX_ERROR;
        bool is_last = c->is_whole && !c->in;
        if (is_last && !waits)
            note_end(c);
        waits = waits || (is_last && !may_end(c));
        if (c->has_failed)
            return NGX_ERROR;
        if (waits) {
            r->buffered |= BUFFERED_BIT;
            if (c->is_header_held)
                return NGX_AGAIN;
            return tut_send_out(r, c, false) == NGX_ERROR ? NGX_ERROR : NGX_AGAIN;
        }
        if (is_last) {
            if (c->tail.len) {
                tut_buf_add_str(&c->out, tut_buf_str(&c->tail));
                tut_buf_clear(&c->tail);
            }
            r->buffered &= ~BUFFERED_BIT;
            if (send_held_header(r, c) != NGX_OK)
                return NGX_ERROR;
            if (r->header_only)
                return NGX_OK;
            tut_ctx_settle(c);
            c->is_whole = false; /* the end goes once */
            c->has_end_gone = true;
            c->is_over = true;
            return tut_send_out(r, c, true);
        }
        ngx_int_t rc = tut_send_out(r, c, false);
        if (rc == NGX_ERROR)
            return rc;
        is_stuck = !c->in || c->busy_bytes >= BUSY_MOST;
    }
    if (c->in)
        r->buffered |= BUFFERED_BIT;
    else
        r->buffered &= ~BUFFERED_BIT;
    return c->in || c->busy ? NGX_AGAIN : NGX_OK;
}

/* Something failed before a byte went: the client is told so. */
static ngx_int_t fail(ngx_http_request_t *r, guard_ctx *c)
{
    c->x.is_cut = true;
    if (!c->is_header_held || c->has_header_gone) {
        r->connection->error = 1;
        return NGX_ERROR;
    }
    tut_buf_clear(&c->out);
    tut_reply_json(&c->out, "no_decision", "The guard could not decide about the answer.", c->x.id);
    r->headers_out.status = NGX_HTTP_INTERNAL_SERVER_ERROR;
    r->headers_out.content_length_n = (off_t)c->out.len;
    r->headers_out.content_length = NULL;
    r->buffered &= ~BUFFERED_BIT;
    r->keepalive = 0;
    set_json(r);
    c->has_failed = c->is_whole = false;
    c->is_over = true;
    if (tut_send_header(r, c) == NGX_ERROR)
        return NGX_ERROR;
    return tut_send_out(r, c, true);
}

/* The server behind us ended within its answer: nginx says so by a flush, when it has let go of the
 * connection. */
static bool is_cut_short(ngx_http_request_t *r, const guard_ctx *c, const ngx_chain_t *in)
{
    return in && in->buf->flush && !in->buf->last_buf && ngx_buf_special(in->buf) && r->upstream &&
           !r->upstream->peer.connection && !c->is_whole && !c->is_over && c->stage == GUARD_PASSED;
}

/* A document was not begun: the client gets an error in its place. A stream ends with an event that
 * says so, and without the end that would make it look whole. */
static ngx_int_t end_short(ngx_http_request_t *r, guard_ctx *c)
{
    static const char why[] = "The model server ended within its answer.";
    bool is_document = c->is_header_held && !c->has_header_gone;
    if (is_document) {
        c->x.is_cut = true;
        (void)replace(c, NGX_HTTP_BAD_GATEWAY, "upstream", why);
        set_json(r);
        r->headers_out.content_length_n = (off_t)c->out.len;
        r->headers_out.content_length = NULL;
        if (tut_send_header(r, c) == NGX_ERROR)
            return NGX_ERROR;
        return tut_send_out(r, c, true);
    }
    tut_live_count(tut_worker.live, c->route, TUT_COUNT_UPSTREAM_ERRORS, 1);
    if (tut_guard_is_type(tut_str_of_ngx(r->headers_out.content_type), "text/event-stream")) {
        const char *name = c->request->route->protocol->error_event;
        tut_buf_clear(&c->out);
        if (name)
            tut_buf_printf(&c->out, "event: %s\n", name);
        tut_buf_add_z(&c->out, "data: ");
        tut_reply_json(&c->out, "upstream", why, c->x.id);
        tut_buf_add_z(&c->out, "\n\n");
        (void)tut_send_out(r, c, false);
    }
    return NGX_ERROR;
}

/* The client has all that it gets. What little the server still has to say is read, so that both
 * connections can be used again; then they are ended. */
static ngx_int_t drop_rest(ngx_http_request_t *r, guard_ctx *c, ngx_chain_t *in)
{
    bool is_last = false;
    for (; in; in = in->next) {
        c->left_bytes += (size_t)(in->buf->last - in->buf->pos);
        in->buf->pos = in->buf->last;
        is_last = is_last || in->buf->last_buf;
    }
    if (c->busy || r->connection->buffered)
        return tut_hand_on(r, c, NULL);
    bool is_enough = c->left_bytes > REST_MOST || tut_now_ns() - c->left_ns > REST_NS;
    return is_enough && !is_last ? NGX_ERROR : NGX_OK;
}

static ngx_int_t on_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    guard_ctx *c = r == r->main ? tut_ctx_of(r) : NULL;
    if (!c || c->stage == GUARD_REPLIED)
        return tut_next_body(r, in);
    if (c->is_passed)
        return tut_pass(r, c, in);
    c->came_ns = tut_now_ns();
    c->below_ns = 0;
    if (is_cut_short(r, c, in))
        return end_short(r, c);
    if (c->leaves_rest && !c->is_whole) /* its end has gone */
        return drop_rest(r, c, in);
    if (c->answer && tut_pass_may(r, c, in)) {
        c->first_ns = tut_now_ns() - c->came_ns;
        c->added_ns += c->first_ns;
        return tut_pass_begin(r, c, in);
    }
    if (in && ngx_chain_add_copy(r->pool, &c->in, in) != NGX_OK)
        return NGX_ERROR;
    if (!in && !c->in && !c->is_whole && !c->busy && !r->connection->buffered)
        return NGX_OK;
    ngx_int_t rc = go_on(r, c);
    if (rc == NGX_ERROR)
        rc = fail(r, c);
    c->added_ns += tut_now_ns() - c->came_ns - c->below_ns;
    return rc;
}

ngx_int_t tut_filter_init(ngx_conf_t *cf)
{
    (void)cf;
    next_header = ngx_http_top_header_filter;
    ngx_http_top_header_filter = on_header;
    tut_next_body = ngx_http_top_body_filter;
    ngx_http_top_body_filter = on_body;
    return NGX_OK;
}
