/*
 * Load: floods of five kinds against one service, while good requests come at a steady pace. What
 * counts is the share of the good ones that are served within a limit; floods that are refused are
 * as it should be.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "probe/load_common.h"
#include "stats/tails.h"

enum {
    PHASE_S = 5,
    PHASE_MOST_S = 600,
    LIMIT_LEAST_MS = 1000,
    LIMIT_FACTOR = 10,
    FLOODS = 5,
    SETTLE_MOST_S = 15,
    IDLE_MOST_MS = 10000
};

typedef struct kind {
    const char *name, *measure, *p99;
    load_pace pace;
    unsigned clients;
    enum { BODY_NORMAL, BODY_LONG, BODY_OVERSIZED } body;
} kind;

static const kind kinds[FLOODS] = {
    {"token floods", "served_token_floods", "p99_token_floods", LOAD_FAST, 32, BODY_LONG},
    {"slow readers", "served_slow_readers", "p99_slow_readers", LOAD_SLOW_READER, 256, BODY_LONG},
    {"slow senders", "served_slow_senders", "p99_slow_senders", LOAD_SLOW_SENDER, 256, BODY_NORMAL},
    {"bursts", "served_bursts", "p99_bursts", LOAD_BURST, 200, BODY_NORMAL},
    {"oversized bodies", "served_oversized", "p99_oversized", LOAD_FAST, 8, BODY_OVERSIZED}};

#define OVERSIZED_BYTES (64ull << 20)

typedef struct load {
    tut_probe *p;
    load_common c;
    load_wire *wire;
    load_tally idle, tallies[FLOODS];
    tut_buf long_body;
    uint32_t phase_ms, limit_ms;
    size_t done; /* kinds */
} load;

static load_flood flood_of(const load *l, const kind *k)
{
    tut_str body = tut_buf_str(k->body == BODY_LONG ? &l->long_body : &l->c.normal);
    uint64_t length = k->body == BODY_OVERSIZED ? OVERSIZED_BYTES : body.len;
    return (load_flood){k->pace, k->clients, body, length};
}

/* --- what it came to --- */
static void add_curve(const load *l, load_tally *t, const char *name, tut_attack_result *ret)
{
    TUT_AUTO_FREE double *shares = tut_alloc_array(t->ms_count + 1, sizeof(*shares));
    if (!shares || t->ms_count < 2)
        return;
    (void)load_tally_percentile(t, 0.5); /* sorts */
    for (size_t i = 0; i < t->ms_count; i++)
        shares[i] = (double)(i + 1) / (double)t->sent;
    tut_result_add_curve(ret, &l->p->arena,
                         &(tut_curve){.name = name,
                                      .x = "milliseconds",
                                      .y = "share of the good requests served by then",
                                      .count = t->ms_count,
                                      .xs = t->ms,
                                      .ys = shares});
}

static void add_kind(const load *l, load_tally *t, const kind *k, tut_attack_result *ret)
{
    double low = NAN, high = NAN;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_binomial_interval(t->served, t->sent, 0.95, &low, &high);
    tut_result_add(ret, k->measure, (double)t->served / (double)t->sent, low, high);
    tut_result_add(ret, k->p99, load_tally_percentile(t, 0.99), NAN, NAN);
    add_curve(l, t, k->name, ret);
    tut_buf_printf(&text,
                   "%s: %llu of %llu good requests served; of %llu floods %llu were answered, %llu "
                   "refused, %llu dropped",
                   k->name, (unsigned long long)t->served, (unsigned long long)t->sent,
                   (unsigned long long)t->floods, (unsigned long long)t->floods_answered,
                   (unsigned long long)t->floods_refused, (unsigned long long)t->floods_dropped);
    if (t->served < t->sent) {
        tut_buf_add_z(&text, "; the good ones: ");
        load_tally_words(t, &text);
    }
    const char *z = tut_buf_z(&text);
    if (z)
        tut_result_add_exposed(ret, &l->p->arena, UINT64_MAX,
                               1 - (double)t->served / (double)t->sent, z);
}

static const char *remark(const load *l)
{
    if (l->p->flooding)
        return NULL;
    if (http_has_key(l->c.http))
        return "the floods came without a key; what another client with one could do was not tried";
    if (!http_is_loopback(l->c.http))
        return "the floods came from the address of the good requests: a limit by address took "
               "them "
               "for one client";
    return NULL;
}

static void report(load *l, tut_attack_result *ret)
{
    uint64_t sent = 0, served = 0;
    double low = 0, high = 1;
    for (size_t i = 0; i < l->done; i++) {
        if (l->tallies[i].sent == 0 || l->tallies[i].floods == 0)
            continue;
        sent += l->tallies[i].sent;
        served += l->tallies[i].served;
        add_kind(l, &l->tallies[i], &kinds[i], ret);
    }
    if (sent == 0) {
        ret->reason = "the budget leaves no room for floods";
        return;
    }
    tut_binomial_interval(served, sent, 0.95, &low, &high);
    ret->decisive = (tut_measure){"served", (double)served / (double)sent, low, high};
    ret->rows = sent;
    ret->baseline = NAN;
    ret->reason = ret->reason ? ret->reason : remark(l);
    tut_result_add(ret, "served", ret->decisive.value, low, high);
    tut_result_add(ret, "idle_p50", load_tally_percentile(&l->idle, 0.5), NAN, NAN);
    tut_result_add(ret, "idle_p99", load_tally_percentile(&l->idle, 0.99), NAN, NAN);
    tut_result_add(ret, "limit_ms", l->limit_ms, NAN, NAN);
    add_curve(l, &l->idle, "no flood", ret);
}

/* --- measuring --- */
static tut_status measure_idle(load *l, tut_attack_result *ret, bool *ret_is_fit, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    load_wire_limit(l->wire, IDLE_MOST_MS);
    TUT_TRY(load_wire_phase(l->wire, NULL, l->phase_ms, NULL, NULL, &l->idle, err));
    double median = load_tally_percentile(&l->idle, 0.5);
    *ret_is_fit = l->idle.sent > 0 && l->idle.served * 10 >= l->idle.sent * 9;
    if (!*ret_is_fit) {
        tut_buf_printf(&text, "without a flood %llu of %llu good requests are served: ",
                       (unsigned long long)l->idle.served, (unsigned long long)l->idle.sent);
        load_tally_words(&l->idle, &text);
        ret->reason = tut_arena_copy(&l->p->arena, tut_buf_str(&text));
        return TUT_SUCCESS;
    }
    l->limit_ms = (uint32_t)fmax(LIMIT_LEAST_MS, LIMIT_FACTOR * median);
    load_wire_limit(l->wire, l->limit_ms);
    return TUT_SUCCESS;
}

/* What one flood has left behind is not put to the account of the next. */
static tut_status settle(load *l, tut_error *err)
{
    bool is_calm = false;
    for (unsigned i = 0; i < SETTLE_MOST_S && !is_calm; i++) {
        load_tally t = {.sent = 0};
        tut_status s = load_wire_phase(l->wire, NULL, 1000, NULL, NULL, &t, err);
        is_calm = t.served * 10 >= t.sent * 9;
        load_tally_done(&t);
        TUT_TRY(s);
    }
    return TUT_SUCCESS;
}

static tut_status measure_floods(load *l, tut_error *err)
{
    while (l->done < FLOODS) {
        const load_flood f = flood_of(l, &kinds[l->done]);
        load_tally *t = &l->tallies[l->done];
        tut_probe_step(l->p, kinds[l->done].name, l->done, FLOODS);
        l->done++;
        TUT_TRY(load_wire_phase(l->wire, &f, l->phase_ms, NULL, NULL, t, err));
        TUT_TRY(settle(l, err));
    }
    return TUT_SUCCESS;
}

static tut_status measure(load *l, tut_attack_result *ret, tut_error *err)
{
    bool is_fit = false;
    char budget[128];
    TUT_TRY(load_common_open(&l->c, l->p, err));
    TUT_TRY(load_common_long(&l->c, l->p, &l->long_body, err));
    TUT_TRY(load_wire_open(l->p, tut_buf_str(&l->c.normal), &l->wire, err));
    TUT_TRY(measure_idle(l, ret, &is_fit, err));
    if (!is_fit)
        return TUT_SUCCESS;
    tut_status s = measure_floods(l, err);
    ret->was_cut = !tut_is_ok(s);
    report(l, ret);
    (void)snprintf(budget, sizeof(budget),
                   "%u s of each flood, 20 good requests a second, each within %u ms",
                   l->phase_ms / 1000, l->limit_ms);
    ret->budget = tut_arena_copy(&l->p->arena, tut_str_of(budget));
    return s;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    uint32_t seconds = p->steps ? p->steps : PHASE_S;
    load l = {.p = p,
              .phase_ms = 1000 * (seconds < PHASE_MOST_S ? seconds : PHASE_MOST_S),
              .limit_ms = LIMIT_LEAST_MS};
    uint64_t before = p->target->allowance->queries;
    ret->metric = "served";
    ret->decisive = (tut_measure){"served", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness =
        "The floods come from one machine: many do more, and where the service runs on it too they "
        "share its processors.";
    if (!tut_target_http(p->target)) {
        ret->reason = "the target is no service that takes requests";
        return TUT_SUCCESS;
    }
    tut_status s = measure(&l, ret, err);
    ret->queries = p->target->allowance->queries - before;
    load_wire_free(l.wire);
    load_common_done(&l.c);
    load_tally_done(&l.idle);
    for (size_t i = 0; i < FLOODS; i++)
        load_tally_done(&l.tallies[i]);
    tut_buf_done(&l.long_body);
    return s;
}

const tut_attack tut_attack_load_floods = {
    .probe = "load",
    .name = "floods",
    .about = "Floods of tokens, slow readers and senders, bursts and oversized bodies, while good "
             "requests come at a steady pace.",
    .source = "OWASP, LLM10 Unbounded Consumption, 2025; Hansen, Slowloris, 2009",
    .gives = TUT_GIVES_NETWORK,
    .needs = 0,
    .run = run,
};
