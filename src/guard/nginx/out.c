/* Buffers of ours on their way to the client: copied, used again, counted while they wait. */
#include "guard/nginx/module.h"

enum { BUFFER_LEAST = 8 << 10 }; /* more than a pool keeps small, so that it can be given back */

static ngx_buf_t *new_buf(guard_ctx *c, ngx_chain_t **ret_chain, size_t size, bool is_last)
{
    ngx_pool_t *pool = c->r->pool;
    ngx_chain_t *cl = ngx_chain_get_free_buf(pool, &c->free);
    if (!cl)
        return NULL;
    ngx_buf_t *b = cl->buf;
    u_char *start = b->start;
    u_char *end = b->end;
    if ((size_t)(end - start) < size) {
        size_t room = size < BUFFER_LEAST && !is_last ? BUFFER_LEAST : size;
        if (start)
            (void)ngx_pfree(pool, start);
        start = ngx_palloc(pool, room ? room : 1);
        if (!start)
            return NULL;
        end = start + room;
    }
    ngx_memzero(b, sizeof(*b));
    b->tag = (ngx_buf_tag_t)&ngx_http_tutela_module;
    b->start = b->pos = b->last = start;
    b->end = end;
    *ret_chain = cl;
    return b;
}

static size_t bytes_of(const ngx_chain_t *cl)
{
    size_t sum = 0;
    for (; cl; cl = cl->next)
        sum += (size_t)(cl->buf->last - cl->buf->pos);
    return sum;
}

/* How long it took until the first of it was handed on, and what of that was not ours. */
static ngx_int_t next_body_timed(ngx_http_request_t *r, guard_ctx *c, ngx_chain_t *chain)
{
    uint64_t from = tut_now_ns();
    if (!c->first_ns && c->x.bytes_out)
        c->first_ns = from - c->came_ns;
    ngx_int_t rc = tut_next_body(r, chain);
    c->below_ns += tut_now_ns() - from;
    return rc;
}

ngx_int_t tut_hand_on(ngx_http_request_t *r, guard_ctx *c, ngx_chain_t *chain)
{
    ngx_int_t rc = next_body_timed(r, c, chain);
    ngx_chain_update_chains(r->pool, &c->free, &c->busy, &chain,
                            (ngx_buf_tag_t)&ngx_http_tutela_module);
    c->busy_bytes = bytes_of(c->busy);
    return rc;
}

ngx_int_t tut_send_out(ngx_http_request_t *r, guard_ctx *c, bool is_last)
{
    ngx_chain_t *chain = NULL;
    if (c->out.failed != TUT_OK)
        return NGX_ERROR;
    if (c->out.len == 0 && !is_last && !c->wants_flush)
        return c->busy ? tut_hand_on(r, c, NULL) : NGX_OK;
    ngx_buf_t *b = new_buf(c, &chain, c->out.len, is_last);
    if (!b)
        return NGX_ERROR;
    if (c->out.len) {
        b->last = ngx_cpymem(b->pos, c->out.data, c->out.len);
        b->temporary = 1;
    }
    b->flush = !is_last;
    b->last_buf = is_last;
    b->last_in_chain = 1;
    tut_bodies_note(c, tut_buf_str(&c->out));
    c->x.bytes_out += c->out.len;
    c->wants_flush = false;
    tut_buf_clear(&c->out);
    return tut_hand_on(r, c, chain);
}
