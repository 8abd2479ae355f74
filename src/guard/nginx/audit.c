/* Events to the ledger, and the exchanges whose last byte waits for theirs. */
#include "base/fs.h"
#include "guard/nginx/module.h"

enum {
    FLUSH_MS = 20, /* what a worker that is killed loses of `audit: prompt`, beside what the disk
                      has not yet; nobody waits for it */
    IDLE_MS = 250, /* looking after a connection that is not there */
    STALLED_MS = 3000,   /* then nothing new is let in */
    WAIT_MOST_MS = 10000 /* for one event; then the answer is cut */
};

static void look_after(bool sends);

static void arm(ngx_msec_t ms)
{
    ngx_event_t *tick = &tut_worker.tick;
    if (tick->timer_set &&
        (ngx_msec_int_t)(tick->timer.key - ngx_current_msec) <= (ngx_msec_int_t)ms)
        return;
    if (tick->timer_set)
        ngx_del_timer(tick);
    ngx_add_timer(tick, ms);
}

static void on_tick(ngx_event_t *ev)
{
    (void)ev;
    look_after(true);
}

static void on_link(ngx_event_t *ev)
{
    ngx_connection_t *link = ev->data;
    if (link != tut_worker.link)
        return;
    look_after(!ngx_queue_empty(&tut_worker.waiting));
}

/* nginx watches the feed's descriptor; the feed opens and closes it. */
static void unlink_old(void)
{
    ngx_connection_t *c = tut_worker.link;
    if (!c)
        return;
    tut_worker.link = NULL;
    tut_worker.link_fd = -1;
    c->fd = (ngx_socket_t)-1; /* epoll forgot it with the descriptor */
    ngx_free_connection(c);
}

static void link_new(int fd)
{
    ngx_connection_t *c = ngx_get_connection(fd, ngx_cycle->log);
    if (!c)
        return; /* the timer goes on looking */
    c->log = ngx_cycle->log;
    c->read->log = c->write->log = ngx_cycle->log;
    c->read->handler = c->write->handler = on_link;
    tut_worker.link = c;
    tut_worker.link_fd = fd;
    if (ngx_add_conn ? ngx_add_conn(c) != NGX_OK
                     : ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) != NGX_OK)
        unlink_old();
}

static void wake(guard_ctx *c)
{
    tut_ctx_dequeue(c);
    c->is_waiting = false;
    ngx_post_event(c->r->connection->write, &ngx_posted_events);
}

static void wake_durable(void)
{
    guard_worker *w = &tut_worker;
    uint64_t now = ngx_current_msec;
    ngx_queue_t *q = ngx_queue_head(&w->waiting);
    while (q != ngx_queue_sentinel(&w->waiting)) {
        guard_ctx *c = ngx_queue_data(q, guard_ctx, queue);
        q = ngx_queue_next(q);
        if (c->ticket <= tut_feed_durable(w->feed)) {
            wake(c);
        } else if (now - c->waiting_since > WAIT_MOST_MS) {
            c->has_failed = true;
            wake(c);
        }
    }
}

static void look_after(bool sends)
{
    guard_worker *w = &tut_worker;
    uint64_t now = tut_clock_ms();
    int before = tut_feed_fd(w->feed);
    if (sends)
        tut_feed_turn(w->feed, now);
    else
        tut_feed_listen(w->feed, now);
    int fd = tut_feed_fd(w->feed);
    if (fd != before || fd != w->link_fd) {
        unlink_old();
        if (fd >= 0)
            link_new(fd);
    }
    uint64_t stalled = tut_feed_stalled_since(w->feed);
    tut_live_ledger(w->live, stalled ? tut_live_now_ms() - (now - stalled) : 0);
    tut_live_acked(w->live, tut_feed_durable(w->feed));
    wake_durable();
    if (!ngx_exiting && (fd < 0 || !ngx_queue_empty(&w->waiting) || stalled))
        arm(fd < 0 ? TUT_FEED_RETRY_MS : IDLE_MS);
}

bool tut_audit_begin(void)
{
    guard_worker *w = &tut_worker;
    TUT_CLEAN(tut_buf) origin = TUT_BUF_INIT;
    TUT_AUTO_FREE char *state = tut_asprintf("%s/..", w->dir);
    TUT_AUTO_FREE char *path = tut_asprintf("%s/../origin", w->dir);
    char prefix[64], about[96];
    if (!state || !path || !tut_is_ok(tut_fs_read(path, 1024, &origin, NULL)))
        return false;
    while (origin.len && origin.data[origin.len - 1] <= ' ')
        origin.len--;
    (void)snprintf(prefix, sizeof(prefix), "guard/%08llx/%llu",
                   (unsigned long long)tut_live_boot(w->live) & 0xffffffffu,
                   (unsigned long long)tut_live_worker_generation(w->live));
    (void)snprintf(about, sizeof(about), "{\"boot\":\"%016llx\",\"generation\":%llu,\"pid\":%d}",
                   (unsigned long long)tut_live_boot(w->live),
                   (unsigned long long)tut_live_worker_generation(w->live), (int)getpid());
    const char *name = tut_buf_z(&origin);
    if (!name || !tut_is_ok(tut_feed_new(state, name, prefix, tut_str_of(about), &w->feed, NULL)))
        return false;
    tut_bodies_begin_worker(prefix);
    w->tick.handler = on_tick;
    w->tick.log = ngx_cycle->log;
    w->tick.data = w;
    w->tick.cancelable = 1;
    look_after(true);
    return true;
}

void tut_audit_end(void)
{
    tut_error err = {0};
    unlink_old();
    tut_bodies_end_worker();
    if (tut_worker.tick.timer_set)
        ngx_del_timer(&tut_worker.tick);
    if (!tut_is_ok(tut_feed_close(&tut_worker.feed, 5000, &err)))
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "tutela: %s", err.text);
}

bool tut_audit_is_there(const tut_inforce *p)
{
    uint64_t stalled = tut_feed_stalled_since(tut_worker.feed);
    return !stalled || tut_clock_ms() - stalled < STALLED_MS ||
           tut_str_eq_z(p->policy.server.ledger_down, "open");
}

static bool put(guard_ctx *c, const char *kind, const tut_buf *text)
{
    tut_error err = {0};
    if (text->failed != TUT_OK ||
        !tut_is_ok(tut_feed_put(tut_worker.feed, kind, tut_buf_str(text), &c->ticket, &err))) {
        ngx_log_error(NGX_LOG_ERR, c->r->connection->log, 0, "tutela: an event is lost: %s",
                      err.text);
        return false;
    }
    tut_live_sent(tut_worker.live, c->ticket);
    arm(FLUSH_MS);
    return true;
}

void tut_audit_alarms(guard_ctx *c)
{
    for (size_t i = 0; i < c->abuse.alarm_count; i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        const tut_abuse_alarm *alarm = &c->abuse.alarms[i];
        if (alarm->is_new &&
            tut_is_ok(tut_exchange_alarm_json(&c->x, alarm, tut_worker.keys, &text, NULL)))
            (void)put(c, TUT_ALARM_KIND, &text);
    }
}

bool tut_audit_admit(guard_ctx *c)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)tut_ctx_trace(c);
    if (!tut_is_ok(tut_exchange_admitted_json(&c->x, tut_worker.keys, &text, NULL)))
        return false;
    return put(c, TUT_ADMITTED_KIND, &text);
}

static void fill(guard_ctx *c)
{
    ngx_http_request_t *r = c->r;
    int64_t ms = (int64_t)ngx_cached_time->sec * 1000 + (int64_t)ngx_cached_time->msec;
    c->x.status = (unsigned)r->headers_out.status;
    (void)tut_ctx_trace(c);
    c->x.is_cut = !c->is_over && c->stage == GUARD_PASSED;
    c->x.took_us = (uint64_t)(ms > c->x.at_ms ? ms - c->x.at_ms : 0) * 1000;
    uint64_t own_us = (tut_now_ns() - c->begun_ns) /
                      1000; /* nginx's clock stands still meanwhile */
    if (own_us > c->x.took_us)
        c->x.took_us = own_us;
    c->x.added_us = c->added_ns / 1000;
    c->x.first_us = c->first_ns / 1000;
}

bool tut_audit_log(guard_ctx *c)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    fill(c);
    tut_bodies_seal(c);
    c->is_logged = true;
    if (!tut_is_ok(tut_exchange_json(&c->x, tut_worker.keys, &text, NULL)))
        return false;
    return put(c, TUT_EXCHANGE_KIND, &text);
}

bool tut_audit_is_durable(const guard_ctx *c)
{
    return c->ticket <= tut_feed_durable(tut_worker.feed);
}

void tut_audit_wait(guard_ctx *c)
{
    if (c->is_waiting)
        return;
    c->is_waiting = true;
    c->waiting_since = ngx_current_msec;
    tut_ctx_enqueue(c, &tut_worker.waiting);
    arm(0);
}

/* --- the end of an exchange --- */
static void count(const guard_ctx *c)
{
    static const tut_live_counter of_action[TUT_GUARD_ACTION_COUNT] = {
        [TUT_GUARD_ALLOW] = TUT_COUNT_ALLOWED,
        [TUT_GUARD_FLAG] = TUT_COUNT_FLAGGED,
        [TUT_GUARD_REDACT] = TUT_COUNT_REDACTED,
        [TUT_GUARD_HOLD] = TUT_COUNT_HELD,
        [TUT_GUARD_BLOCK] = TUT_COUNT_BLOCKED};
    tut_live *live = tut_worker.live;
    const tut_guard_decision *in = c->x.refused   ? c->x.refused
                                   : c->x.request ? &c->x.request->decision
                                                  : NULL;
    tut_guard_action done = in ? tut_guard_done(in) : TUT_GUARD_ALLOW;
    if (c->x.answer && tut_guard_done(c->x.answer) > done)
        done = tut_guard_done(c->x.answer);
    tut_live_count(live, c->route, TUT_COUNT_REQUESTS, 1);
    tut_live_count(live, c->route, of_action[done], 1);
    tut_live_count(live, c->route, TUT_COUNT_BYTES_IN, c->x.bytes_in);
    tut_live_count(live, c->route, TUT_COUNT_BYTES_OUT, c->x.bytes_out);
    tut_live_count(live, c->route, TUT_COUNT_TOKENS_IN, c->x.tokens_in);
    tut_live_count(live, c->route, TUT_COUNT_TOKENS_OUT, c->x.tokens_out);
    const tut_guard_decision *both[] = {in, c->x.answer};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; both[k] && i < both[k]->reason_count; i++)
            tut_live_count_check(live, tut_str_of(both[k]->reasons[i].check));
    tut_live_time(live, TUT_CLOCK_TOTAL, c->x.took_us);
    tut_live_time(live, TUT_CLOCK_ADDED, c->x.added_us);
    if (c->x.first_us)
        tut_live_time(live, TUT_CLOCK_FIRST, c->x.first_us);
}

ngx_int_t tut_log_handler(ngx_http_request_t *r)
{
    guard_ctx *c = r == r->main ? tut_ctx_of(r) : NULL;
    if (!c || !tut_worker.is_ready)
        return NGX_OK;
    fill(c);
    bool is_wanted = !c->request || !c->request->route ||
                     c->request->route->audit != TUT_AUDIT_NONE;
    if (!c->is_logged && c->policy && is_wanted)
        (void)tut_audit_log(c);
    count(c);
    return NGX_OK;
}
