/* Who may ask, and how much: read from the policy, and the quotas used up. */
#include <stdio.h>

#include "guard/access.h"
#include "guard/quota.h"
#include "guard/trial.h"

enum {
    MOST_REQUESTS = 2000000, /* that a quota is used up with */
    PART = 16,               /* tokens are asked for in so many parts */
    APART_MS = 0x7fffffff    /* of one quota from the next: more than any window */
};

/* --- identity --- */
typedef struct telling {
    tut_trials *t;
    tut_status status;
    tut_error *err;
    size_t serious;
} telling;

static void on_remark(void *ctx, bool is_serious, const char *text)
{
    telling *g = ctx;
    if (!is_serious || !tut_is_ok(g->status))
        return;
    g->serious++;
    g->status = tut_trial_add(g->t, "identity", TUT_LIT(""), TUT_RESULT_FAIL, g->err, "%s", text);
}

tut_status tut_trial_identity(tut_trials *t, tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    telling g = {.t = t, .status = TUT_SUCCESS, .err = err};
    tut_access_check(p, tut_time_now(), on_remark, &g);
    TUT_TRY(g.status);
    if (g.serious)
        return TUT_SUCCESS;
    return tut_trial_add(t, "identity", TUT_LIT(""), TUT_RESULT_PASS, err,
                         "each of %zu clients has to show a key, token or certificate of its own",
                         p->client_count);
}

/* --- quotas --- */
typedef struct using_up {
    tut_trials *t;
    tut_live *live;
    const tut_guard_client *client;
    const tut_guard_quota *quota;
    char about[TUT_TRIAL_ABOUT];
    uint64_t key, now;
    tut_str model;
} using_up;

static bool begin(const using_up *u, tut_quota_ticket *ticket, tut_quota_refusal *why)
{
    return tut_quota_begin(u->live, u->t->guard->policy, u->client, u->key, u->now, 0, ticket, why);
}

static tut_status told(using_up *u, const char *what, uint64_t limit, uint64_t used, bool is_held,
                       tut_error *err)
{
    u->now += APART_MS;
    if (is_held && used <= limit)
        return tut_trial_add(u->t, "quotas", tut_str_of(u->about), TUT_RESULT_PASS, err,
                             "%s: at %llu of %llu the next one was refused", what,
                             (unsigned long long)used, (unsigned long long)limit);
    return tut_trial_add(u->t, "quotas", tut_str_of(u->about), TUT_RESULT_FAIL, err,
                         "%s: %llu were let in where the limit is %llu", what,
                         (unsigned long long)used, (unsigned long long)limit);
}

static tut_status use_up_requests(using_up *u, tut_error *err)
{
    uint64_t limit = u->quota->requests.limit, in = 0;
    tut_quota_ticket ticket;
    tut_quota_refusal why = {0};
    if (limit > MOST_REQUESTS)
        return tut_trial_add(u->t, "quotas", tut_str_of(u->about), TUT_RESULT_FAIL, err,
                             "requests: %llu are no limit that anybody reaches",
                             (unsigned long long)limit);
    while (in <= limit && begin(u, &ticket, &why)) {
        in++;
        tut_quota_end(&ticket, u->model, 0, 0, u->now);
    }
    return told(u, "requests", limit, in, why.verdict == TUT_QUOTA_REQUESTS, err);
}

/* As many as the limit at once, and one more. The limit of requests may come first, and then ends
 * it as well. */
static tut_status use_up_places(using_up *u, tut_error *err)
{
    uint32_t limit = u->quota->concurrent, in = 0;
    tut_quota_refusal why = {0};
    tut_quota_ticket *tickets = tut_alloc_array((size_t)limit + 1, sizeof(*tickets));
    if (!tickets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    while (in <= limit && begin(u, &tickets[in], &why))
        in++;
    for (uint32_t i = 0; i < in; i++)
        tut_quota_end(&tickets[i], u->model, 0, 0, u->now);
    tut_free(tickets);
    return told(u, "requests at once", limit, in, why.status != 0, err);
}

/* Asked for in parts, each of which is then used in full. */
static tut_status use_up_tokens(using_up *u, bool is_cost, tut_error *err)
{
    const tut_guard_policy *p = u->t->guard->policy;
    uint64_t limit = is_cost ? u->quota->cost.limit : u->quota->tokens.limit, used = 0;
    uint64_t price = is_cost ? tut_quota_cost(p, u->model, 1000000, 0) : 1000000;
    uint64_t most = u->quota->tokens.limit ? u->quota->tokens.limit : UINT64_MAX;
    uint64_t part = price ? limit / PART * 1000000 / price : 0;
    bool is_held = false;
    tut_quota_refusal why = {0};
    if (is_cost && (part == 0 || part > most / (PART + 1))) /* tokens would end it before */
        return tut_trial_add(u->t, "quotas", tut_str_of(u->about), TUT_RESULT_PASS, err,
                             "cost: the quota of tokens is used up before it");
    part = part ? part : 1;
    for (unsigned i = 0; i < 2 * PART && !is_held; i++) {
        tut_quota_ticket ticket;
        if (!begin(u, &ticket, &why)) {
            is_held = true;
            break;
        }
        is_held = !tut_quota_reserve_tokens(&ticket, u->model, part - 1, 1, u->now, &why);
        used += is_held ? 0 : is_cost ? tut_quota_cost(p, u->model, part - 1, 1) : part;
        tut_quota_end(&ticket, u->model, is_held ? 0 : part - 1, is_held ? 0 : 1, u->now);
    }
    return told(u, is_cost ? "cost, in millionths" : "tokens", limit, used, is_held, err);
}

static tut_status use_up(using_up *u, tut_error *err)
{
    const tut_guard_quota *q = u->quota;
    if (!q->requests.limit && !q->tokens.limit && !q->cost.limit && !q->concurrent)
        return tut_trial_add(u->t, "quotas", tut_str_of(u->about), TUT_RESULT_FAIL, err,
                             "it may ask as much as it likes; guard.quota, or the client's own");
    if (q->requests.limit)
        TUT_TRY(use_up_requests(u, err));
    if (q->concurrent)
        TUT_TRY(use_up_places(u, err));
    if (q->tokens.limit)
        TUT_TRY(use_up_tokens(u, false, err));
    return q->cost.limit ? use_up_tokens(u, true, err) : TUT_SUCCESS;
}

static tut_status use_up_of(tut_trials *t, tut_live *live, const tut_guard_client *client,
                            tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    using_up u = {.t = t,
                  .live = live,
                  .client = client,
                  .quota = client ? &client->quota : &p->access.quota,
                  .now = tut_live_now_ms(),
                  .model = p->access.price_count ? p->access.prices[0].model : (tut_str){"", 0}};
    if (client)
        (void)snprintf(u.about, sizeof(u.about), "client %.*s", (int)client->id.len,
                       client->id.data);
    TUT_TRY(tut_quota_key(client, (tut_str){"", 0}, &u.key, err));
    return use_up(&u, err);
}

tut_status tut_trial_quotas(tut_trials *t, tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    TUT_AUTO(tut_live) live = NULL;
    TUT_TRY(tut_trial_scratch(t, &live, err));
    if (p->client_count == 0)
        return use_up_of(t, live, NULL, err);
    for (size_t i = 0; i < p->client_count; i++)
        TUT_TRY(use_up_of(t, live, &p->clients[i], err));
    return TUT_SUCCESS;
}

/* --- what only tells --- */
tut_status tut_trial_modes(tut_trials *t, tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    size_t monitored = 0;
    for (size_t i = 0; i < p->route_count; i++) {
        const tut_guard_route *r = &p->routes[i];
        if (!r->is_monitored)
            continue;
        monitored++;
        TUT_TRY(tut_trial_add(t, "mode", r->id, TUT_RESULT_FAIL, err,
                              "monitored: what its checks find is told, and nothing is done"));
    }
    for (size_t i = 0; i < p->client_count; i++) {
        const tut_guard_client *c = &p->clients[i];
        if (!tut_str_eq_z(c->mode_word, "monitor"))
            continue;
        monitored++;
        TUT_TRY(
            tut_trial_add(t, "mode", c->id, TUT_RESULT_FAIL, err,
                          "client in monitor mode: what is found is told, and nothing is done"));
    }
    if (monitored)
        return TUT_SUCCESS;
    return tut_trial_add(t, "mode", TUT_LIT(""), TUT_RESULT_PASS, err,
                         "what the checks find is done on each of %zu routes", p->route_count);
}
