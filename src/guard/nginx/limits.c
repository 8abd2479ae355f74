/*
 * Clients that send too much, or take their time.
 *
 * A body in chunks says nowhere how long it is: it is counted as it comes.
 * nginx ends a connection on which nothing moves for a while; one on
 * which a byte moves now and then it keeps for ever. Here every exchange is looked at once a
 * second: beyond the time that the policy gives, a client has to send its body, and to take its
 * answer, at LEAST_PER_MS at least.
 */
#include "guard/nginx/module.h"

enum { LOOK_MS = 1000, LEAST_PER_MS = 16 };

static ngx_http_request_body_filter_pt next_body_filter;

static ngx_int_t on_piece(ngx_http_request_t *r, ngx_chain_t *in)
{
    guard_ctx *c = r == r->main ? tut_ctx_of(r) : NULL;
    if (!c || !c->x.route)
        return next_body_filter(r, in);
    for (ngx_chain_t *cl = in; cl; cl = cl->next)
        c->came_bytes += (size_t)(cl->buf->last - cl->buf->pos);
    if (c->came_bytes <= c->x.route->limits.body_bytes)
        return next_body_filter(r, in);
    if (!c->refused)
        c->refused = ngx_pcalloc(r->pool, sizeof(*c->refused));
    if (c->refused) {
        c->refused->is_enforced = true;
        tut_guard_refuse(c->refused, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "format",
                         TUT_LIT("request"), "the body is too long");
        c->x.refused = c->refused;
    }
    return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
}

void tut_limits_init(void)
{
    next_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = on_piece;
}

static void arm(void)
{
    ngx_event_t *e = &tut_worker.slow;
    if (!e->timer_set)
        ngx_add_timer(e, LOOK_MS);
}

static bool is_too_slow(guard_ctx *c)
{
    const tut_guard_server *v = &c->policy->policy.server;
    uint64_t now = tut_now_ns(), taken = c->x.bytes_out - c->busy_bytes;
    uint64_t elapsed_ms = (now - c->begun_ns) / 1000000;
    if (c->stage == GUARD_BEGUN)
        return elapsed_ms >
               (uint64_t)v->body_s * 1000u + (uint64_t)c->r->request_length / LEAST_PER_MS;
    if (c->stage != GUARD_PASSED || c->busy_bytes == 0) {
        c->behind_ns = 0;
        return false;
    }
    if (c->behind_ns == 0) {
        c->behind_ns = now;
        c->behind_bytes = taken;
    }
    return (now - c->behind_ns) / 1000000 >
           (uint64_t)v->send_s * 1000u + (taken - c->behind_bytes) / LEAST_PER_MS;
}

/* As if nginx's own time had run out: by the connection's event, when this look is over, since it
 * may take others of the same connection with it. */
static void cut(guard_ctx *c)
{
    ngx_connection_t *connection = c->r->connection;
    ngx_event_t *ev = c->stage == GUARD_BEGUN ? connection->read : connection->write;
    ngx_log_error(NGX_LOG_INFO, connection->log, 0, "tutela: the client is too slow");
    c->is_too_slow = true;
    ev->timedout = 1;
    ngx_post_event(ev, &ngx_posted_events);
}

static void on_look(ngx_event_t *ev)
{
    guard_worker *w = &tut_worker;
    (void)ev;
    for (ngx_queue_t *q = ngx_queue_head(&w->all); q != ngx_queue_sentinel(&w->all);
         q = ngx_queue_next(q)) {
        guard_ctx *c = ngx_queue_data(q, guard_ctx, of_all);
        if (!c->is_too_slow && c->policy && is_too_slow(c))
            cut(c);
    }
    if (!ngx_queue_empty(&w->all))
        arm();
}

void tut_slow_begin(void)
{
    guard_worker *w = &tut_worker;
    ngx_queue_init(&w->all);
    w->slow.handler = on_look;
    w->slow.log = ngx_cycle->log;
    w->slow.data = w;
    w->slow.cancelable = 1;
}

void tut_slow_watch(guard_ctx *c)
{
    ngx_queue_insert_tail(&tut_worker.all, &c->of_all);
    arm();
}

void tut_slow_forget(guard_ctx *c)
{
    ngx_queue_remove(&c->of_all);
}

void tut_slow_end(void)
{
    if (tut_worker.slow.timer_set)
        ngx_del_timer(&tut_worker.slow);
}
