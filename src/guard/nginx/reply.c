/* What the guard answers itself. */
#include "guard/nginx/module.h"

enum { HEADER_MOST = 128 };

static ngx_int_t add_header(ngx_http_request_t *r, const char *name, const char *value)
{
    ngx_table_elt_t *h = ngx_list_push(&r->headers_out.headers);
    size_t len = strlen(value);
    u_char *copy = ngx_pnalloc(r->pool, len + 1);
    if (!h || !copy)
        return NGX_ERROR;
    ngx_memcpy(copy, value, len + 1);
    h->hash = 1;
    h->key.data = (u_char *)(uintptr_t)name;
    h->key.len = strlen(name);
    h->value.data = copy;
    h->value.len = len;
    h->lowcase_key = NULL;
    return NGX_OK;
}

/* With every answer: its number, for whoever asks about it, and that it is a machine's. */
ngx_int_t tut_reply_headers(ngx_http_request_t *r, const guard_ctx *c)
{
    if (add_header(r, "X-Tutela-Id", c->x.id) != NGX_OK ||
        add_header(r, "X-Content-Type-Options", "nosniff") != NGX_OK)
        return NGX_ERROR;
    if (!c->policy || !c->policy->policy.server.notice_text.len)
        return NGX_OK;
    return add_header(r, "AI-Notice", "/.well-known/ai-notice");
}

/* What is not looked into, and says nothing that a client of a model needs. */
void tut_reply_hide(ngx_http_request_t *r)
{
    static const char *const kept[] = {"x-request-id",   "request-id",    "retry-after",
                                       "retry-after-ms", "openai-*",      "anthropic-*",
                                       "x-ratelimit-*",  "x-should-retry"};
    ngx_list_part_t *part = &r->headers_out.headers.part;
    do {
        ngx_table_elt_t *h = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            bool is_kept = false;
            for (size_t k = 0; k < sizeof(kept) / sizeof(kept[0]) && !is_kept; k++) {
                size_t len = strlen(kept[k]);
                bool is_prefix = kept[k][len - 1] == '*';
                len -= is_prefix;
                is_kept = (is_prefix ? h[i].key.len >= len : h[i].key.len == len) &&
                          ngx_strncasecmp(h[i].key.data, (u_char *)(uintptr_t)kept[k], len) == 0;
            }
            if (!is_kept || h[i].value.len > HEADER_MOST)
                h[i].hash = 0;
        }
        part = part->next;
    } while (part);
    r->headers_out.location = NULL;
    r->headers_out.refresh = NULL;
}

void tut_reply_json(tut_buf *out, const char *code, const char *message, const char *id)
{
    TUT_AUTO(tut_json) j = NULL;
    if (!tut_is_ok(tut_json_new(out, &j)))
        return;
    tut_json_object(j);
    tut_json_key(j, "error");
    tut_json_object(j);
    tut_json_put_z(j, "type", "guard");
    tut_json_put_z(j, "code", code);
    tut_json_put_z(j, "message", message);
    tut_json_put_z(j, "id", id);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_IGNORE(tut_json_finish(j, NULL));
}

static ngx_int_t answer_with(ngx_http_request_t *r, guard_ctx *c, ngx_uint_t status, tut_buf *text)
{
    static ngx_str_t type = ngx_string("application/json");
    ngx_http_complex_value_t value = {0};
    c->stage = GUARD_REPLIED;
    if (!c->added_ns)
        c->added_ns = tut_now_ns() - c->begun_ns;
    value.value.len = text->len;
    value.value.data = ngx_pnalloc(r->pool, text->len + 1);
    if (text->failed != TUT_OK || !value.value.data || tut_reply_headers(r, c) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return NGX_DONE;
    }
    ngx_memcpy(value.value.data, text->data, text->len);
    c->x.bytes_out = text->len;
    ngx_http_finalize_request(r, ngx_http_send_response(r, status, &type, &value));
    return NGX_DONE;
}

ngx_int_t tut_reply_refusal(ngx_http_request_t *r, guard_ctx *c, const tut_guard_decision *d)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_guard_refusal(d, &text);
    if (d->status == NGX_HTTP_UNAUTHORIZED && add_header(r, "WWW-Authenticate", "Bearer") != NGX_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return answer_with(r, c, d->status ? d->status : NGX_HTTP_FORBIDDEN, &text);
}

ngx_int_t tut_reply_error(ngx_http_request_t *r, guard_ctx *c, ngx_uint_t status, const char *code,
                          const char *message, unsigned retry_after)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char seconds[16];
    (void)snprintf(seconds, sizeof(seconds), "%u", retry_after);
    tut_reply_json(&text, code, message, c->x.id);
    if (retry_after && add_header(r, "Retry-After", seconds) != NGX_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return answer_with(r, c, status, &text);
}

/* --- documents --- */
static ngx_int_t send_document(ngx_http_request_t *r, ngx_str_t *type, const tut_buf *text)
{
    ngx_http_complex_value_t value = {0};
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)))
        return NGX_HTTP_NOT_ALLOWED;
    if (text->failed != TUT_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    value.value.len = text->len;
    value.value.data = ngx_pnalloc(r->pool, text->len + 1);
    if (!value.value.data)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    ngx_memcpy(value.value.data, text->data, text->len);
    return ngx_http_send_response(r, NGX_HTTP_OK, type, &value);
}

/* /.well-known/ai-notice: that this is a machine, what about it, and whom to tell. */
ngx_int_t tut_notice_handler(ngx_http_request_t *r)
{
    static ngx_str_t type = ngx_string("application/json");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    if (!tut_worker.is_ready || !tut_take_policy(r->connection->log))
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    const tut_inforce *p = tut_worker.inforce;
    if (!p->policy.server.notice_text.len)
        return NGX_HTTP_NOT_FOUND;
    if (!tut_is_ok(tut_json_new(&text, &j)))
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.ai-notice/1");
    tut_json_put_bool(j, "is_ai", true);
    tut_json_put_str(j, "system", p->system->name);
    tut_json_put_str(j, "version", p->system->version);
    tut_json_put_str(j, "purpose", p->system->purpose);
    tut_json_put_str(j, "notice", p->policy.server.notice_text);
    tut_json_put_or_null(j, "url", p->policy.server.notice_url);
    tut_json_put_or_null(j, "report", p->policy.server.notice_report);
    tut_json_end_object(j);
    if (!tut_is_ok(tut_json_finish(j, NULL)))
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return send_document(r, &type, &text);
}

ngx_int_t tut_metrics_handler(ngx_http_request_t *r)
{
    static ngx_str_t type = ngx_string("text/plain; version=0.0.4; charset=utf-8");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!tut_worker.is_ready || !tut_is_ok(tut_live_metrics(tut_worker.live, &text, NULL)))
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    return send_document(r, &type, &text);
}
