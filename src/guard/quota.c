#include "guard/quota.h"

#include "guard/live_internal.h"

enum {
    RETRY_LOAD_S = 1,
    RETRY_CONCURRENT_S = 1,
    RETRY_TABLE_S = 60,
    OUT_GUESS = 1024,
    CLOCK_BACK_MS = 60000,
    TAKE_TRIES = 16,
    KEEP_LEAST_MS = 60000
};

tut_status tut_quota_key(const tut_guard_client *client, tut_str subject, uint64_t *ret_key,
                         tut_error *err)
{
    static _Thread_local uint64_t of_nobody; /* the same for all that no client is known of */
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_sha256 digest;
    uint64_t key;
    if (!client && of_nobody) {
        *ret_key = of_nobody;
        return TUT_SUCCESS;
    }
    tut_buf_add_byte(&name, client != NULL);
    if (client)
        tut_buf_add_sized(&name, client->id);
    if (client && client->quota.is_per_subject)
        tut_buf_add_sized(&name, subject);
    TUT_TRY(tut_buf_check(&name, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&name), &digest, err));
    memcpy(&key, digest.bytes, sizeof(key));
    *ret_key = key ? key : 1;
    if (!client)
        of_nobody = *ret_key;
    return TUT_SUCCESS;
}

/* --- spans --- */
/* 127 whole spans are a window or a little more. */
static uint32_t span_ms_of(const tut_guard_rate *rate)
{
    return (rate->window_ms + LIVE_SPANS - 2) / (LIVE_SPANS - 1);
}

/* All spans that a window ending now touches; one ahead too. */
static uint64_t window_sum(const live_u64 *spans, uint64_t span)
{
    uint64_t sum = 0;
    uint64_t first = span + 1 - LIVE_SPANS;
    for (size_t i = 0; i < LIVE_SPANS; i++) {
        uint64_t cell = atomic_load(&spans[i]);
        if (live_cell_number(live_cell_of(cell) - first) <= LIVE_SPANS)
            sum += cell & LIVE_CELL_MOST;
    }
    return sum;
}

/* When so much will have left the window that the rest fits below the limit. */
static uint32_t retry_after(const live_u64 *spans, const tut_guard_rate *rate, uint64_t n,
                            uint64_t now_ms)
{
    uint32_t ms = span_ms_of(rate);
    uint64_t span = now_ms / ms, sum = window_sum(spans, span);
    for (uint64_t old = span + 1 - LIVE_SPANS; old <= span + 1; old++) {
        sum -= tut_live_cell_get(spans, LIVE_SPANS, old);
        if (sum + n <= rate->limit) {
            uint64_t wait = (old + LIVE_SPANS) * ms - now_ms;
            return (uint32_t)(wait / 1000 + 1);
        }
    }
    return rate->window_ms / 1000 + 1; /* more than the whole quota */
}

/* Adds unless that would pass the limit. Of several that add at once the last sees all the others,
 * as tut_live_admit does; and since all move the clock before they add, one that was held up
 * between looking at the clock and adding learns that others are spans ahead, and comes again. */
static bool take(tut_live *live, live_u64 *spans, const tut_guard_rate *rate, uint64_t n,
                 uint64_t now_ms, tut_quota_reserve *ret_reserve)
{
    uint32_t ms = span_ms_of(rate);
    for (unsigned tries = 0; tries < TAKE_TRIES; tries++) {
        uint64_t span = now_ms / ms;
        if (n > rate->limit || window_sum(spans, span) + n > rate->limit)
            return false;
        tut_live_cell_add(spans, LIVE_SPANS, span, n);
        now_ms = atomic_load(&live->map->clock_ms);
        if (now_ms / ms == span && window_sum(spans, span) <= rate->limit) {
            *ret_reserve = (tut_quota_reserve){n, span, ms};
            return true;
        }
        tut_live_cell_take(spans, LIVE_SPANS, span, n);
        if (now_ms / ms == span)
            return false;
    }
    return false;
}

static void settle(live_u64 *spans, const tut_quota_reserve *reserve, uint64_t n, uint64_t now_ms)
{
    if (n > reserve->amount)
        tut_live_cell_add(spans, LIVE_SPANS, now_ms / reserve->span_ms, n - reserve->amount);
    if (n < reserve->amount)
        tut_live_cell_take(spans, LIVE_SPANS, reserve->span, reserve->amount - n);
}

/* --- a client's slot: found by its key within LIVE_PROBES places; an abandoned one is given on ---
 */
static uint64_t keep_ms(const tut_guard_quota *q)
{
    uint64_t most = KEEP_LEAST_MS;
    most = q->requests.window_ms > most ? q->requests.window_ms : most;
    most = q->tokens.window_ms > most ? q->tokens.window_ms : most;
    most = q->cost.window_ms > most ? q->cost.window_ms : most;
    return most + most / (LIVE_SPANS - 1) + 1000;
}

static unsigned busy_sum(const tut_live *live, const live_slot *slot)
{
    unsigned sum = 0;
    for (size_t i = 0; i < live_high(live); i++)
        sum += atomic_load(&slot->busy[i]);
    return sum;
}

static live_slot *place(const tut_live *live, uint64_t key, size_t i)
{
    return &live->map->slots[(key + i) % LIVE_SLOTS];
}

static live_slot *find_slot(const tut_live *live, uint64_t key)
{
    for (size_t i = 0; i < LIVE_PROBES; i++) {
        uint64_t had = atomic_load_explicit(&place(live, key, i)->key, memory_order_acquire);
        if (had == key)
            return place(live, key, i);
        if (had == 0)
            return NULL; /* places are given on, never emptied: it is nowhere behind */
    }
    return NULL;
}

/* What was counted for the one before is older than any window, or its client has no quota of that
 * kind: but it may count with another width now, so all of it goes. */
static live_slot *claim_slot(tut_live *live, uint64_t key, uint64_t now_ms)
{
    for (size_t i = 0; i < LIVE_PROBES; i++) {
        live_slot *s = place(live, key, i);
        uint64_t had = atomic_load(&s->key);
        bool is_abandoned = had && atomic_load(&s->keep_until_ms) < now_ms &&
                            busy_sum(live, s) == 0;
        if (had != 0 && had != key && !is_abandoned)
            continue;
        if (had != key && !atomic_compare_exchange_strong(&s->key, &had, key) && had != key) {
            i--; /* somebody else took it: look again */
            continue;
        }
        for (size_t m = 0; is_abandoned && m < LIVE_METERS; m++)
            for (size_t k = 0; k < LIVE_SPANS; k++)
                atomic_store(&s->spans[m][k], 0);
        return s;
    }
    return NULL;
}

/* --- load --- */
static bool refuse(tut_quota_refusal *ret, tut_quota_verdict verdict, uint32_t retry_after_s)
{
    static const struct {
        unsigned status;
        const char *what;
    } rows[] = {
        [TUT_QUOTA_OK] = {200, ""},
        [TUT_QUOTA_LOAD] = {503, "the guard is at its limit of requests or bytes at once"},
        [TUT_QUOTA_TABLE] = {503, "there is no room to count another client"},
        [TUT_QUOTA_REQUESTS] = {429, "the client's quota of requests is used up"},
        [TUT_QUOTA_CONCURRENT] = {429, "the client has as many requests under way as it may"},
        [TUT_QUOTA_TOKENS] = {429, "the client's quota of tokens does not cover this"},
        [TUT_QUOTA_COST] = {429, "the client's quota of cost does not cover this"},
    };
    *ret = (tut_quota_refusal){verdict, rows[verdict].status, retry_after_s ? retry_after_s : 1,
                               rows[verdict].what};
    return false;
}

/* The wall clock may be set back: a minute is waited out, rather than counted twice. */
static uint64_t steady(tut_live *live, uint64_t now_ms)
{
    uint64_t latest = atomic_load_explicit(&live->map->clock_ms, memory_order_relaxed);
    while (latest < now_ms || latest - now_ms > CLOCK_BACK_MS)
        if (atomic_compare_exchange_weak(&live->map->clock_ms, &latest, now_ms))
            return now_ms;
    return latest;
}

static void leave_load(tut_quota_ticket *t)
{
    tut_live_move(t->live, TUT_GAUGE_IN_FLIGHT, -1);
    tut_quota_shrink(t);
}

static bool enter_load(tut_quota_ticket *t, uint64_t body_bytes, tut_quota_refusal *ret_refusal)
{
    const tut_guard_load *load = &t->policy->access.load;
    if (t->live->worker < 0)
        return refuse(ret_refusal, TUT_QUOTA_TABLE, RETRY_TABLE_S);
    if (!tut_live_admit(t->live, TUT_GAUGE_IN_FLIGHT, 1, load->in_flight))
        return refuse(ret_refusal, TUT_QUOTA_LOAD, RETRY_LOAD_S);
    if (tut_quota_grow(t, body_bytes, ret_refusal))
        return true;
    tut_live_move(t->live, TUT_GAUGE_IN_FLIGHT, -1);
    return false;
}

bool tut_quota_grow(tut_quota_ticket *t, uint64_t bytes, tut_quota_refusal *ret_refusal)
{
    int64_t limit = t->policy->access.load.body_bytes;
    if (bytes == 0)
        return true;
    if (bytes > (uint64_t)limit ||
        !tut_live_admit(t->live, TUT_GAUGE_BODY_BYTES, (int64_t)bytes, limit))
        return refuse(ret_refusal, TUT_QUOTA_LOAD, RETRY_LOAD_S);
    t->body_bytes += (int64_t)bytes;
    return true;
}

void tut_quota_shrink(tut_quota_ticket *t)
{
    if (t->body_bytes)
        tut_live_move(t->live, TUT_GAUGE_BODY_BYTES, -t->body_bytes);
    t->body_bytes = 0;
}

/* --- a client's quota --- */
static live_slot *slot_of(const tut_quota_ticket *t)
{
    return &t->live->map->slots[t->slot - 1];
}

/* As gauges are: added first, then summed. */
static bool enter_busy(tut_quota_ticket *t)
{
    _Atomic uint16_t *own = &slot_of(t)->busy[t->live->worker];
    if (atomic_load(own) == UINT16_MAX)
        return false;
    atomic_fetch_add(own, 1);
    if (t->quota->concurrent == 0 || busy_sum(t->live, slot_of(t)) <= t->quota->concurrent)
        return true;
    atomic_fetch_sub(own, 1);
    return false;
}

static bool enter_client(tut_quota_ticket *t, uint64_t key, uint64_t now_ms,
                         tut_quota_refusal *ret_refusal)
{
    const tut_guard_quota *q = t->quota;
    tut_quota_reserve one;
    live_slot *s = find_slot(t->live, key);
    if (!s)
        s = claim_slot(t->live, key, now_ms);
    if (!s)
        return refuse(ret_refusal, TUT_QUOTA_TABLE, RETRY_TABLE_S);
    atomic_store_explicit(&s->keep_until_ms, now_ms + keep_ms(q), memory_order_relaxed);
    t->slot = (uint32_t)(s - t->live->map->slots) + 1;
    if (q->tokens.limit &&
        window_sum(s->spans[LIVE_TOKENS], now_ms / span_ms_of(&q->tokens)) >= q->tokens.limit)
        return refuse(ret_refusal, TUT_QUOTA_TOKENS,
                      retry_after(s->spans[LIVE_TOKENS], &q->tokens, 1, now_ms));
    if (q->cost.limit &&
        window_sum(s->spans[LIVE_COST], now_ms / span_ms_of(&q->cost)) >= q->cost.limit)
        return refuse(ret_refusal, TUT_QUOTA_COST,
                      retry_after(s->spans[LIVE_COST], &q->cost, 1, now_ms));
    if (!enter_busy(t))
        return refuse(ret_refusal, TUT_QUOTA_CONCURRENT, RETRY_CONCURRENT_S);
    if (atomic_load(&s->key) != key) { /* abandoned, and given on in this very moment */
        atomic_fetch_sub(&s->busy[t->live->worker], 1);
        return refuse(ret_refusal, TUT_QUOTA_TABLE, RETRY_LOAD_S);
    }
    if (q->requests.limit &&
        !take(t->live, s->spans[LIVE_REQUESTS], &q->requests, 1, now_ms, &one)) {
        atomic_fetch_sub(&s->busy[t->live->worker], 1);
        return refuse(ret_refusal, TUT_QUOTA_REQUESTS,
                      retry_after(s->spans[LIVE_REQUESTS], &q->requests, 1, now_ms));
    }
    return true;
}

bool tut_quota_begin(tut_live *live, const tut_guard_policy *p, const tut_guard_client *client,
                     uint64_t key, uint64_t now_ms, uint64_t body_bytes,
                     tut_quota_ticket *ret_ticket, tut_quota_refusal *ret_refusal)
{
    tut_quota_ticket t = {.live = live,
                          .policy = p,
                          .quota = client ? &client->quota : &p->access.quota,
                          .is_open = true};
    const tut_guard_quota *q = t.quota;
    *ret_ticket = (tut_quota_ticket){0};
    *ret_refusal = (tut_quota_refusal){0};
    if (!enter_load(&t, body_bytes, ret_refusal))
        return false;
    bool has_quota = q->requests.limit || q->tokens.limit || q->cost.limit || q->concurrent;
    if (has_quota && !enter_client(&t, key, steady(live, now_ms), ret_refusal)) {
        leave_load(&t);
        return false;
    }
    *ret_ticket = t;
    return true;
}

/* --- tokens and their price --- */
static uint64_t price_of(uint64_t for_million, uint64_t tokens)
{
    unsigned __int128 all = (unsigned __int128)for_million * tokens;
    unsigned __int128 cost = (all + 999999) / 1000000;
    return cost > UINT64_MAX / 2 ? UINT64_MAX / 2 : (uint64_t)cost;
}

uint64_t tut_quota_cost(const tut_guard_policy *p, tut_str model, uint64_t in, uint64_t out)
{
    uint64_t dear_in = 0, dear_out = 0;
    for (size_t i = 0; i < p->access.price_count; i++) {
        const tut_guard_price *price = &p->access.prices[i];
        if (tut_str_eq(price->model, model))
            return price_of(price->in, in) + price_of(price->out, out);
        dear_in = price->in > dear_in ? price->in : dear_in;
        dear_out = price->out > dear_out ? price->out : dear_out;
    }
    return price_of(dear_in, in) + price_of(dear_out, out);
}

static uint64_t guess_out(const tut_quota_ticket *t)
{
    uint64_t eighth = t->quota->tokens.limit / 8;
    return eighth && eighth < OUT_GUESS ? eighth : OUT_GUESS;
}

bool tut_quota_reserve_tokens(tut_quota_ticket *t, tut_str model, uint64_t in, uint64_t out,
                              uint64_t now_ms, tut_quota_refusal *ret_refusal)
{
    const tut_guard_quota *q = t->quota;
    *ret_refusal = (tut_quota_refusal){0};
    if (!t->is_open || t->slot == 0 || (q->tokens.limit == 0 && q->cost.limit == 0))
        return true;
    live_slot *s = slot_of(t);
    now_ms = steady(t->live, now_ms);
    in = in < LIVE_CELL_MOST ? in : LIVE_CELL_MOST;
    out = out ? out : guess_out(t);
    out = out < LIVE_CELL_MOST ? out : LIVE_CELL_MOST;
    if (q->tokens.limit && t->tokens.amount == 0 &&
        !take(t->live, s->spans[LIVE_TOKENS], &q->tokens, in + out, now_ms, &t->tokens))
        return refuse(ret_refusal, TUT_QUOTA_TOKENS,
                      retry_after(s->spans[LIVE_TOKENS], &q->tokens, in + out, now_ms));
    uint64_t cost = tut_quota_cost(t->policy, model, in, out);
    if (q->cost.limit && t->cost.amount == 0 &&
        !take(t->live, s->spans[LIVE_COST], &q->cost, cost, now_ms, &t->cost))
        return refuse(ret_refusal, TUT_QUOTA_COST,
                      retry_after(s->spans[LIVE_COST], &q->cost, cost, now_ms));
    return true;
}

void tut_quota_end(tut_quota_ticket *t, tut_str model, uint64_t in, uint64_t out, uint64_t now_ms)
{
    if (!t->is_open)
        return;
    t->is_open = false;
    leave_load(t);
    if (t->slot == 0)
        return;
    live_slot *s = slot_of(t);
    now_ms = steady(t->live, now_ms);
    in = in < LIVE_CELL_MOST ? in : LIVE_CELL_MOST;
    out = out < LIVE_CELL_MOST ? out : LIVE_CELL_MOST;
    if (t->quota->tokens.limit) {
        t->tokens.span_ms = span_ms_of(&t->quota->tokens);
        settle(s->spans[LIVE_TOKENS], &t->tokens, in + out, now_ms);
    }
    if (t->quota->cost.limit) {
        t->cost.span_ms = span_ms_of(&t->quota->cost);
        settle(s->spans[LIVE_COST], &t->cost, tut_quota_cost(t->policy, model, in, out), now_ms);
    }
    atomic_fetch_sub(&s->busy[t->live->worker], 1);
}

void tut_quota_used(const tut_live *live, const tut_guard_quota *q, uint64_t key, uint64_t now_ms,
                    tut_quota_use *ret_use)
{
    const live_slot *s = find_slot(live, key);
    *ret_use = (tut_quota_use){0};
    if (!s)
        return;
    if (q->requests.limit)
        ret_use->requests = window_sum(s->spans[LIVE_REQUESTS], now_ms / span_ms_of(&q->requests));
    if (q->tokens.limit)
        ret_use->tokens = window_sum(s->spans[LIVE_TOKENS], now_ms / span_ms_of(&q->tokens));
    if (q->cost.limit)
        ret_use->cost = window_sum(s->spans[LIVE_COST], now_ms / span_ms_of(&q->cost));
    ret_use->concurrent = busy_sum(live, s);
}
