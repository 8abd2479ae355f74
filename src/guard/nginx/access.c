/* The access phase: nothing of a request goes on before all of it was decided. */
#include "guard/nginx/module.h"

#include <openssl/rand.h>

enum { BODY_MOST = 64 << 20 };

/* --- the context --- */
/* Somebody is asked how many there were. */
static bool counts_tokens(const guard_ctx *c)
{
    const tut_guard_quota *q = c->ticket_of_quota.quota;
    return q && (q->tokens.limit || q->cost.limit);
}

/* Where the server did not count what it did, its bytes are: rather too much than nothing. */
void tut_ctx_settle(guard_ctx *c)
{
    if (c->is_settled)
        return;
    c->is_settled = true;
    tut_str model = c->request ? c->request->model : (tut_str){"", 0};
    uint64_t in = c->x.tokens_in, out = c->x.tokens_out, now = tut_ngx_now_ms();
    if (c->stage == GUARD_PASSED && in + out == 0 &&
        (counts_tokens(c) || tut_abuse_is_asked(&c->policy->policy, c->who.client))) {
        tut_quota_asked(c->request, &in, &out);
        out = c->x.bytes_out / 4;
    }
    tut_abuse_spent(tut_worker.live, c->who.quota_key, in + out, now);
    tut_quota_end(&c->ticket_of_quota, model, in, out, now);
}

static void forget(void *data)
{
    guard_ctx *c = data;
    tut_hold_forget(c);
    tut_slow_forget(c);
    tut_ctx_dequeue(c);
    if (c->slow.timer_set)
        ngx_del_timer(&c->slow);
    tut_ctx_settle(c);
    tut_guard_answer_free(c->answer);
    tut_guard_request_free(c->request);
    tut_buf_done(&c->out);
    tut_buf_done(&c->tail);
    tut_buf_done(&c->kept);
    tut_inforce_free(c->policy);
}

guard_ctx *tut_ctx_of(ngx_http_request_t *r)
{
    guard_ctx *c = ngx_http_get_module_ctx(r, ngx_http_tutela_module);
    for (ngx_pool_cleanup_t *p = r->pool->cleanup; !c && p; p = p->next)
        if (p->handler == forget)
            c = p->data;
    return c;
}

/* Many at once: asking for each costs more than using it. */
static bool take_random(uint8_t *to, size_t len)
{
    guard_worker *w = &tut_worker;
    if (w->random_left < len) {
        if (RAND_bytes(w->random, sizeof(w->random)) != 1)
            return false;
        w->random_left = sizeof(w->random);
    }
    w->random_left -= len;
    memcpy(to, w->random + w->random_left, len);
    return true;
}

static guard_ctx *new_ctx(ngx_http_request_t *r)
{
    guard_ctx *c = ngx_pcalloc(r->pool, sizeof(*c));
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);
    uint8_t id[(TUT_EXCHANGE_ID - 1) / 2];
    if (!c || !cleanup || !take_random(id, sizeof(id)))
        return NULL;
    c->r = r;
    c->begun_ns = tut_now_ns();
    cleanup->handler = forget;
    cleanup->data = c;
    tut_slow_watch(c);
    ngx_http_set_ctx(r, c, ngx_http_tutela_module);
    *ngx_hex_dump((u_char *)c->x.id, id, sizeof(id)) = '\0';
    c->x.at_ms = (int64_t)r->start_sec * 1000 + (int64_t)r->start_msec;
    c->route = tut_live_route(tut_worker.live, TUT_LIT(""));
    return c;
}

/* --- the policy --- */

/* A new one is taken at the next request; where it cannot be read the old one stays. */
bool tut_take_policy(ngx_log_t *log)
{
    guard_worker *w = &tut_worker;
    uint64_t changes = tut_live_changes(w->live);
    if (w->inforce && changes == w->changes)
        return true;
    tut_sha256 version;
    uint64_t generation = tut_live_policy(w->live, &version);
    if (w->inforce && w->inforce->generation == generation) {
        w->changes = changes;
        return true;
    }
    tut_error err = {0};
    tut_inforce *fresh = NULL;
    if (!tut_is_ok(tut_inforce_load(w->dir, &version, generation, w->inforce, &fresh, &err))) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "tutela: the new policy is not taken: %s %s", err.path,
                      err.text);
        if (w->inforce)
            w->changes = changes; /* once is enough */
        return w->inforce != NULL;
    }
    tut_inforce_free(w->inforce);
    w->inforce = fresh;
    w->changes = changes;
    for (size_t i = 0; i < fresh->policy.route_count && i < TUT_LIVE_NAMES; i++)
        w->routes[i] = tut_live_route(w->live, fresh->policy.routes[i].id);
    return true;
}

/* --- the body --- */
static ngx_int_t gather(ngx_http_request_t *r, tut_span *ret)
{
    ngx_chain_t *bufs = r->request_body ? r->request_body->bufs : NULL;
    size_t len = 0;
    *ret = tut_span_of((const uint8_t *)"", 0);
    for (ngx_chain_t *cl = bufs; cl; cl = cl->next)
        len += (size_t)ngx_buf_size(cl->buf);
    if (len == 0)
        return NGX_OK;
    if (!bufs->next && ngx_buf_in_memory(bufs->buf)) {
        *ret = tut_span_of(bufs->buf->pos, len);
        return NGX_OK;
    }
    u_char *at = len <= BODY_MOST ? ngx_palloc(r->pool, len) : NULL;
    if (!at)
        return NGX_ERROR;
    *ret = tut_span_of(at, len);
    for (ngx_chain_t *cl = bufs; cl; cl = cl->next) {
        ngx_buf_t *b = cl->buf;
        size_t n = (size_t)ngx_buf_size(b);
        if (n == 0) /* the mark at the end of a chunked body */
            continue;
        if (!ngx_buf_in_memory(b)) {
            if (ngx_read_file(b->file, at, n, b->file_pos) != (ssize_t)n)
                return NGX_ERROR;
        } else {
            ngx_memcpy(at, b->pos, n);
        }
        at += n;
    }
    return NGX_OK;
}

/* --- the decision --- */
enum {
    SLOW_BYTES = 64 << 10, /* longer ones are scored between the turns of others */
    STEP_BYTES = 16 << 10
};

static ngx_int_t no_decision(ngx_http_request_t *r, guard_ctx *c, const char *why)
{
    tut_live_count(tut_worker.live, c->route, TUT_COUNT_ERRORS, 1);
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "tutela: no decision: %s", why);
    return tut_reply_error(r, c, NGX_HTTP_INTERNAL_SERVER_ERROR, "no_decision",
                           "The guard could not decide about this request.", 0);
}

void tut_ctx_resume(guard_ctx *c)
{
    c->r->write_event_handler = ngx_http_core_run_phases;
    ngx_post_event(c->r->connection->write, &ngx_posted_events);
}

/* The phases stand still; only that the client goes away is looked at. */
static void pause_phases(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
}

static void step(ngx_event_t *ev)
{
    guard_worker *w = &tut_worker;
    bool is_done = false;
    tut_error err = {0};
    (void)ev;
    if (ngx_queue_empty(&w->scored))
        return;
    guard_ctx *c = ngx_queue_data(ngx_queue_head(&w->scored), guard_ctx, queue);
    uint64_t from = tut_now_ns();
    if (!tut_is_ok(tut_guard_request_step(c->request, STEP_BYTES, &is_done, &err))) {
        ngx_log_error(NGX_LOG_ERR, c->r->connection->log, 0, "tutela: %s", err.text);
        c->has_failed = is_done = true;
    }
    c->added_ns += tut_now_ns() - from;
    if (is_done) {
        tut_ctx_dequeue(c);
        tut_ctx_resume(c);
    }
    if (!ngx_queue_empty(&w->scored)) {
        ngx_post_event(&w->step, &ngx_posted_next_events);
    }
}

/* A detector does one text after the other: so long requests form a queue. */
static ngx_int_t begin_steps(ngx_http_request_t *r, guard_ctx *c)
{
    guard_worker *w = &tut_worker;
    bool is_first = ngx_queue_empty(&w->scored);
    c->stage = GUARD_SCORED;
    tut_ctx_enqueue(c, &w->scored);
    pause_phases(r);
    w->step.handler = step;
    w->step.log = ngx_cycle->log;
    if (is_first) { /* a macro of several statements */
        ngx_post_event(&w->step, &ngx_posted_next_events);
    }
    return NGX_AGAIN;
}

/* The body that goes on, where it is not the one that came. */
static bool replace_body(ngx_http_request_t *r, guard_ctx *c, const tut_buf *text)
{
    ngx_buf_t *b = ngx_create_temp_buf(r->pool, text->len);
    ngx_chain_t *cl = ngx_alloc_chain_link(r->pool);
    u_char *number = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
    if (!b || !cl || !number)
        return false;
    b->last = ngx_cpymem(b->pos, text->data, text->len);
    b->last_buf = b->last_in_chain = 1;
    c->sent = tut_span_of(b->pos, text->len);
    cl->buf = b;
    cl->next = NULL;
    r->request_body->bufs = cl;
    r->headers_in.content_length_n = (off_t)text->len;
    if (r->headers_in.content_length) {
        r->headers_in.content_length->value.data = number;
        r->headers_in.content_length->value.len =
            (size_t)(ngx_sprintf(number, "%uz", text->len) - number);
    }
    return true;
}

static bool forward(ngx_http_request_t *r, guard_ctx *c)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    bool is_changed = false;
    c->request->counts_tokens = counts_tokens(c);
    if (!tut_is_ok(tut_guard_request_forward(c->request, &text, &is_changed, NULL)))
        return false;
    return !is_changed || replace_body(r, c, &text);
}

static ngx_int_t send_on(ngx_http_request_t *r, guard_ctx *c)
{
    tut_quota_refusal over;
    uint64_t in, out;
    if (tut_live_is_stopped(tut_worker.live, (tut_str){"", 0}, c->request->model, (tut_str){"", 0},
                            NULL))
        return tut_refuse(r, c, NGX_HTTP_SERVICE_UNAVAILABLE, "stop", "a person has stopped this");
    if (counts_tokens(c)) {
        tut_quota_asked(c->request, &in, &out);
        if (!tut_quota_reserve_tokens(&c->ticket_of_quota, c->request->model, in, out,
                                      tut_ngx_now_ms(), &over))
            return tut_over_quota(r, c, &over);
    }
    if (!forward(r, c))
        return no_decision(r, c, "the body that goes on cannot be made");
    c->is_durable = c->request->route->audit == TUT_AUDIT_DURABLE;
    if (c->is_durable && !tut_audit_admit(c))
        return tut_shed(r, c, "The log of this system cannot be written.");
    c->stage = GUARD_PASSED;
    return NGX_DECLINED;
}

/* The user's texts, for whoever has to judge them. */
static tut_status show_texts(const tut_guard_request *r, tut_buf *out, tut_error *err)
{
    for (size_t i = 0; i < r->segment_count && out->len <= TUT_HOLD_WHAT_BYTES; i++) {
        if (r->segments[i].role != TUT_ROLE_USER)
            continue;
        if (out->len)
            tut_buf_add_z(out, "\n\n");
        tut_buf_add_str(out, r->segments[i].text);
    }
    return tut_buf_check(out, err);
}

static ngx_int_t hold(ngx_http_request_t *r, guard_ctx *c)
{
    TUT_CLEAN(tut_buf) what = TUT_BUF_INIT;
    if (!tut_is_ok(show_texts(c->request, &what, NULL)))
        return no_decision(r, c, "memory ran out");
    tut_hold_facts facts = {.kind = TUT_HOLD_REQUEST,
                            .request = c->request,
                            .decision = &c->request->decision,
                            .what = tut_buf_str(&what),
                            .person = c->who.client ? c->who.client->access.person
                                                    : (tut_str){"", 0},
                            .bytes = c->body,
                            .now_ms = tut_hold_now_ms()};
    if (!tut_hold_begin(c, &facts))
        return tut_reply_refusal(r, c, &c->request->decision);
    c->stage = GUARD_HELD;
    pause_phases(r);
    return NGX_AGAIN;
}

/* --- clients that ask too much alike are slowed --- */
static void on_slow(ngx_event_t *ev)
{
    tut_ctx_resume(ev->data);
}

static ngx_int_t slow_down(ngx_http_request_t *r, guard_ctx *c)
{
    c->stage = GUARD_SLOWED;
    c->slow.handler = on_slow;
    c->slow.data = c;
    c->slow.log = ngx_cycle->log;
    pause_phases(r);
    ngx_add_timer(&c->slow, c->abuse.delay_ms);
    return NGX_AGAIN;
}

static ngx_int_t decided(ngx_http_request_t *r, guard_ctx *c)
{
    if (c->has_failed)
        return no_decision(r, c, "scoring failed");
    c->x.has_prompt = c->request->route && c->request->route->audit != TUT_AUDIT_NONE &&
                      tut_is_ok(tut_exchange_keyed(tut_worker.keys, c->body, &c->x.prompt, NULL));
    tut_abuse_judge(tut_worker.live, c->request, c->who.quota_key, tut_ngx_now_ms(), &c->abuse);
    if (c->abuse.alarm_count)
        tut_audit_alarms(c);
    tut_guard_action done = tut_guard_done(&c->request->decision);
    if (done >= TUT_GUARD_HOLD)
        tut_abuse_stopped(tut_worker.live, &c->abuse.mark);
    if (done == TUT_GUARD_HOLD)
        return hold(r, c);
    if (done == TUT_GUARD_BLOCK)
        return tut_reply_refusal(r, c, &c->request->decision);
    return c->abuse.delay_ms ? slow_down(r, c) : send_on(r, c);
}

static ngx_int_t decide(ngx_http_request_t *r, guard_ctx *c)
{
    tut_error err = {0};
    bool is_done = true;
    tut_guard_head head = tut_head_of(r, c);
    tut_quota_refusal over;
    if (gather(r, &c->body) != NGX_OK)
        return no_decision(r, c, "the body cannot be read");
    c->x.bytes_in = c->body.len;
    if (r->headers_in.content_length_n < 0 &&
        !tut_quota_grow(&c->ticket_of_quota, c->body.len, &over))
        return tut_over_quota(r, c, &over);
    bool is_slow = c->body.len > SLOW_BYTES;
    const tut_guard *g = is_slow ? &c->policy->slow : &c->policy->guard;
    tut_status status = is_slow ? tut_guard_request_begin(g, &head, c->body, &c->request, &err)
                                : tut_guard_request_read(g, &head, c->body, &c->request, &err);
    if (!tut_is_ok(status))
        return no_decision(r, c, err.text);
    c->x.request = c->request;
    is_done = !is_slow || tut_guard_done(&c->request->decision) == TUT_GUARD_BLOCK;
    return is_done ? decided(r, c) : begin_steps(r, c);
}

/* A person has decided, or time has. */
static ngx_int_t after_hold(ngx_http_request_t *r, guard_ctx *c)
{
    if (!c->is_decided)
        return NGX_AGAIN;
    bool is_approved = strcmp(c->x.approved, tut_hold_state_name(TUT_HOLD_APPROVED)) == 0;
    if (!tut_is_ok(tut_guard_request_release(c->request, is_approved, NULL)))
        return no_decision(r, c, "the request cannot be released");
    return tut_guard_request_may_go(c->request) ? send_on(r, c)
                                                : tut_reply_refusal(r, c, &c->request->decision);
}

static void on_body(ngx_http_request_t *r)
{
    guard_ctx *c = tut_ctx_of(r);
    if (c)
        c->stage = GUARD_READ;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}

static ngx_int_t enter(ngx_http_request_t *r)
{
    guard_ctx *c = new_ctx(r);
    if (!c)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    ngx_int_t rc = tut_gate(r, c);
    if (rc != NGX_DECLINED)
        return rc;
    c->added_ns += tut_now_ns() - c->begun_ns;
    rc = ngx_http_read_client_request_body(r, on_body);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE)
        return rc;
    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;
}

ngx_int_t tut_access_handler(ngx_http_request_t *r)
{
    const guard_place *place = ngx_http_get_module_loc_conf(r, ngx_http_tutela_module);
    if (!place->is_on)
        return NGX_DECLINED;
    if (!tut_worker.is_ready)
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    if (r != r->main) /* it has no body of its own that could be looked into */
        return NGX_HTTP_FORBIDDEN;
    guard_ctx *c = tut_ctx_of(r);
    if (!c)
        return r->internal && !place->is_for_strangers ? NGX_HTTP_FORBIDDEN : enter(r);
    uint64_t from = tut_now_ns();
    ngx_int_t rc = NGX_DONE;
    switch (c->stage) {
    case GUARD_BEGUN:
        return NGX_DONE;
    case GUARD_READ:
        rc = decide(r, c);
        break;
    case GUARD_SCORED:
        rc = c->is_in_queue ? NGX_AGAIN : decided(r, c);
        break;
    case GUARD_HELD:
        rc = after_hold(r, c);
        break;
    case GUARD_SLOWED:
        rc = c->slow.timer_set ? NGX_AGAIN : send_on(r, c);
        break;
    case GUARD_PASSED: /* redirected within nginx: it was decided already */
        return NGX_DECLINED;
    case GUARD_REPLIED:
        return NGX_HTTP_FORBIDDEN;
    }
    c->added_ns += tut_now_ns() - from;
    return rc;
}
