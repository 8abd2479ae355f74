/* Answers of which nothing is asked: past the filter, as they came. */
#include "guard/nginx/module.h"

/* Nothing looks into it: its bytes are counted, and that is all. */
ngx_int_t tut_pass(ngx_http_request_t *r, guard_ctx *c, ngx_chain_t *in)
{
    size_t len = 0;
    tut_error err = {0};
    for (const ngx_chain_t *cl = in; cl; cl = cl->next) {
        len += (size_t)ngx_buf_size(cl->buf);
        if (ngx_buf_in_memory(cl->buf))
            tut_bodies_note(
                c, (tut_str){(const char *)cl->buf->pos, (size_t)(cl->buf->last - cl->buf->pos)});
        c->is_over = c->is_over || cl->buf->last_buf;
    }
    if (!tut_is_ok(tut_guard_answer_pass(c->answer, len, &err))) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "tutela: the answer is cut: %s",
                      err.text);
        c->is_over = false;
        r->connection->error = 1;
        return NGX_ERROR;
    }
    c->x.bytes_out += len;
    if (c->is_over)
        tut_ctx_settle(c);
    return tut_next_body(r, in);
}

/* The whole answer in one buffer, as most are, and nothing is asked of it. */
bool tut_pass_may(ngx_http_request_t *r, guard_ctx *c, const ngx_chain_t *in)
{
    const ngx_buf_t *b = in ? in->buf : NULL;
    if (!b || c->has_header_gone || !c->is_header_held || c->is_over || c->is_durable || c->in ||
        c->is_whole || c->request->route->seals_bodies || tut_ctx_is_stopped(c) ||
        !ngx_buf_in_memory(b) || b->last == b->pos ||
        r->headers_out.content_length_n != b->last - b->pos)
        return false;
    return tut_guard_answer_may_pass(c->answer, tut_span_of(b->pos, (size_t)(b->last - b->pos)));
}

ngx_int_t tut_pass_begin(ngx_http_request_t *r, guard_ctx *c, ngx_chain_t *in)
{
    c->is_passed = true;
    ngx_http_clear_accept_ranges(r);
    ngx_int_t rc = tut_send_header(r, c);
    if (rc == NGX_ERROR || rc > NGX_OK)
        return NGX_ERROR;
    return tut_pass(r, c, in);
}
