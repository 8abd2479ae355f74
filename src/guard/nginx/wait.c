/* What waits for a person: looked at when the live map says that something was decided, and when
 * time is up. */
#include "guard/nginx/module.h"

enum { LOOK_MS = 50, LOOK_AGAIN_MS = 1000, SEND_MS = 60000 };

static void arm(void)
{
    ngx_event_t *look = &tut_worker.look;
    if (!look->timer_set)
        ngx_add_timer(look, LOOK_MS);
}

/* True: it waits no longer. What could not be read, or counts as none so far (whoever signed it may
 * have been enrolled a moment ago), is looked at again. */
static bool is_decided(guard_ctx *c, int64_t now_ms)
{
    tut_hold_look look = {0};
    tut_error err = {0};
    if (!tut_is_ok(
            tut_hold_look_at(tut_worker.dir, c->hold, c->policy->approvers, now_ms, &look, &err))) {
        ngx_log_error(NGX_LOG_ERR, c->r->connection->log, 0, "tutela: hold %s: %s", c->hold->id,
                      err.text);
        tut_worker.looks_again = true;
        return false;
    }
    if (look.ignored && look.state == TUT_HOLD_WAITING)
        tut_worker.looks_again = true;
    if (look.ignored)
        ngx_log_error(NGX_LOG_WARN, c->r->connection->log, 0,
                      "tutela: hold %s: %uz decisions count as none: %s", c->hold->id, look.ignored,
                      look.why);
    if (look.state == TUT_HOLD_WAITING)
        return false;
    c->x.approved = tut_hold_state_name(look.state);
    c->x.waited_ms = (uint64_t)(now_ms > c->hold->at_ms ? now_ms - c->hold->at_ms : 0);
    return true;
}

/* An answer that waits for a person is not one that its client does not take. */
static void keep_alive(guard_ctx *c)
{
    ngx_event_t *write = c->r->connection->write;
    if (c->stage == GUARD_PASSED && write->timer_set)
        ngx_add_timer(write, SEND_MS);
}

static void on_look(ngx_event_t *ev)
{
    guard_worker *w = &tut_worker;
    uint64_t decisions = tut_live_decisions(w->live);
    int64_t now_ms = tut_hold_now_ms();
    bool is_new = decisions != w->decisions ||
                  (w->looks_again && now_ms - w->looked_ms >= LOOK_AGAIN_MS);
    ngx_queue_t *q = ngx_queue_head(&w->held);
    (void)ev;
    w->decisions = decisions;
    if (is_new) {
        w->looks_again = false;
        w->looked_ms = now_ms;
    }
    if (is_new && w->inforce) /* whoever was enrolled meanwhile counts */
        TUT_IGNORE(tut_inforce_approvers(w->inforce, w->dir, NULL));
    while (q != ngx_queue_sentinel(&w->held)) {
        guard_ctx *c = ngx_queue_data(q, guard_ctx, queue);
        q = ngx_queue_next(q);
        keep_alive(c);
        if ((!is_new && now_ms < c->hold->expires_ms) || !is_decided(c, now_ms))
            continue;
        tut_ctx_dequeue(c);
        tut_live_move(w->live, TUT_GAUGE_HELD, -1);
        c->is_decided = true;
        if (c->stage == GUARD_HELD) {
            tut_ctx_resume(c);
        } else {
            ngx_post_event(c->r->connection->write, &ngx_posted_events);
        }
    }
    if (!ngx_queue_empty(&w->held))
        arm();
}

bool tut_hold_begin(guard_ctx *c, const tut_hold_facts *facts)
{
    tut_error err = {0};
    tut_hold *hold = ngx_pcalloc(c->r->pool, sizeof(*hold));
    tut_status status = hold ? tut_hold_make(facts, hold, &err) : (tut_status){TUT_NOMEM};
    if (tut_is_ok(status)) {
        status = tut_hold_write(tut_worker.dir, hold, &err);
        if (!tut_is_ok(status))
            tut_hold_done(hold);
    }
    if (!tut_is_ok(status)) {
        ngx_log_error(NGX_LOG_ERR, c->r->connection->log, 0, "tutela: nothing can be held: %s",
                      err.text);
        return false;
    }
    c->hold = hold;
    memcpy(c->hold_id, hold->id, sizeof(c->hold_id)); /* it outlives the hold */
    c->x.approval = c->hold_id;
    c->x.approved = tut_hold_state_name(TUT_HOLD_WAITING);
    tut_live_move(tut_worker.live, TUT_GAUGE_HELD, 1);
    tut_ctx_enqueue(c, &tut_worker.held);
    arm();
    return true;
}

/* The exchange ends: where it still waits, the client has gone. */
void tut_hold_forget(guard_ctx *c)
{
    if (!c->hold)
        return;
    if (c->is_in_queue && !c->is_decided && !c->is_waiting) {
        tut_live_move(tut_worker.live, TUT_GAUGE_HELD, -1);
        TUT_IGNORE(tut_hold_withdraw(tut_worker.dir, c->hold, NULL));
    }
    tut_hold_done(c->hold);
    c->hold = NULL;
}

void tut_wait_begin(void)
{
    guard_worker *w = &tut_worker;
    ngx_queue_init(&w->held);
    ngx_queue_init(&w->scored);
    w->look.handler = on_look;
    w->look.log = ngx_cycle->log;
    w->look.data = w;
    w->decisions = tut_live_decisions(w->live);
}

void tut_wait_end(void)
{
    if (tut_worker.look.timer_set)
        ngx_del_timer(&tut_worker.look);
}

/* --- calls that wait for a person --- */
static tut_status release(guard_ctx *c, bool is_approved, tut_error *err)
{
    TUT_TRY(tut_guard_answer_release(c->answer, is_approved, &c->out, err));
    return tut_buf_check(&c->out, err);
}

/* All calls that wait now: a person sees each that he lets go. */
static bool hold_calls(guard_ctx *c)
{
    const tut_guard_held *held;
    size_t count = tut_guard_answer_held(c->answer, &held);
    if (count <= c->calls_shown)
        return false;
    tut_hold_facts facts = {.kind = TUT_HOLD_CALL,
                            .request = c->request,
                            .decision = c->x.answer,
                            .calls = held + c->calls_shown,
                            .call_count = count - c->calls_shown,
                            .person = c->who.client ? c->who.client->access.person
                                                    : (tut_str){"", 0},
                            .now_ms = tut_hold_now_ms()};
    c->calls_shown = count;
    return tut_hold_begin(c, &facts);
}

/* Approved, nothing waits that was not shown, and nobody has stopped it meanwhile. */
static bool may_release(const guard_ctx *c)
{
    const tut_guard_held *held;
    return !tut_ctx_is_stopped(c) && tut_guard_answer_held(c->answer, &held) == c->calls_shown &&
           strcmp(c->x.approved, tut_hold_state_name(TUT_HOLD_APPROVED)) == 0;
}

ngx_int_t tut_wait_for_calls(guard_ctx *c, bool *ret_waits)
{
    tut_error err = {0};
    *ret_waits = false;
    while (c->answer && tut_guard_answer_is_waiting(c->answer)) {
        bool is_approved = false;
        if (c->hold && !c->is_decided) {
            *ret_waits = true;
            return NGX_OK;
        }
        if (c->hold) {
            is_approved = may_release(c);
            tut_hold_forget(c);
            c->is_decided = false;
        } else if (hold_calls(c)) {
            continue;
        }
        if (!tut_is_ok(release(c, is_approved, &err))) {
            ngx_log_error(NGX_LOG_ERR, c->r->connection->log, 0, "tutela: the answer is cut: %s",
                          err.text);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
