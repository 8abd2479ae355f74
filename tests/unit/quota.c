/* Quotas over sliding windows, shared by processes: never above the limit, and hardly below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/jail.h"
#include "guard/quota.h"
#include "unit/guard_fixture.h"

static const uint64_t start = 1700000000000; /* ms */

static uint64_t key_of(const tut_guard_client *c)
{
    uint64_t key = 0;
    assert_true(tut_is_ok(tut_quota_key(c, TUT_LIT(""), &key, NULL)));
    return key;
}

static bool ask(tut_live *live, const tut_guard_policy *p, uint64_t now, tut_quota_ticket *t,
                tut_quota_refusal *r)
{
    return tut_quota_begin(live, p, &p->clients[0], key_of(&p->clients[0]), now, 0, t, r);
}

static void quotas_are_read(void **state)
{
    (void)state;
    tut_system *system;
    tut_guard_policy p = read_policy("  quota:\n    requests: 60/min\n"
                                     "  prices:\n    - model: m\n      in: 2.50\n      out: 10\n"
                                     "  clients:\n    - id: a\n      quota:\n"
                                     "        tokens: 100000/hour\n        cost: 5.00/day\n"
                                     "        concurrent: 8\n"
                                     "    - id: b\n      quota:\n        requests: none\n"
                                     "    - id: c\n      quota:\n        requests: 500/10min\n"
                                     "        per: subject\n",
                                     &system);
    const tut_guard_quota *a = &p.clients[0].quota, *c = &p.clients[2].quota;
    assert_int_equal(a->requests.limit, 60);
    assert_int_equal(a->requests.window_ms, 60000);
    assert_int_equal(a->tokens.limit, 100000);
    assert_int_equal(a->tokens.window_ms, 3600000);
    assert_int_equal(a->cost.limit, 5000000);
    assert_int_equal(a->cost.window_ms, 86400000);
    assert_int_equal(a->concurrent, 8);
    assert_int_equal(p.clients[1].quota.requests.limit, 0);
    assert_int_equal(c->requests.window_ms, 600000);
    assert_true(c->is_per_subject);
    assert_int_equal(tut_quota_cost(&p, TUT_LIT("m"), 1000, 1000), 12500);
    assert_int_equal(tut_quota_cost(&p, TUT_LIT("unknown"), 1000, 1000), 12500); /* the dearest */
    assert_int_equal(tut_quota_cost(&p, TUT_LIT("m"), 1, 0), 3);                 /* rounded up */
    assert_int_equal(tut_quota_cost(&p, TUT_LIT("m"), UINT64_MAX, UINT64_MAX) >= 1000, 1);
    tut_system_free(system);
    check_refused("  quota:\n    requests: 60\n", "60/min");
    check_refused("  quota:\n    requests: 0/min\n", "60/min");
    check_refused("  quota:\n    requests: -1/min\n", "60/min");
    check_refused("  quota:\n    tokens: 5/fortnight\n", "60/min");
    check_refused("  quota:\n    tokens: 5/8day\n", "60/min");
    check_refused("  quota:\n    tokens: 5/99999999999999999999day\n", "60/min");
    check_refused("  quota:\n    cost: 5/day\n", "prices");
    check_refused("  prices:\n    - model: m\n      in: 1.1234567\n", "2.50");
    check_refused("  prices:\n    - model: m\n      in: 1\n    - model: m\n      in: 1\n", "two");
    check_refused("  quota:\n    concurrent: 70000\n", "65,535");
}

static void version_covers_quotas(void **state)
{
    (void)state;
    tut_system *one, *two;
    tut_guard_policy a = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 60/min\n",
                                     &one);
    tut_guard_policy b = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 61/min\n",
                                     &two);
    assert_false(tut_sha256_eq(&a.version, &b.version));
    tut_system_free(one);
    tut_system_free(two);
}

/* However the requests fall: no stretch of a window's length has more than the limit. */
static void no_stretch_has_more_than_the_limit(void **state)
{
    (void)state;
    enum { LIMIT = 50, MOST = 40000 };
    static uint64_t times[MOST];
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 50/min\n",
                                     &system);
    tut_quota_ticket t;
    tut_quota_refusal r;
    size_t count = 0;
    uint64_t now = start, random = 12345;
    for (unsigned i = 0; i < MOST; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned how = (unsigned)(random >> 60); /* bursts, pauses, and steady */
        now += how < 12 ? random >> 40 & 63 : how < 15 ? random >> 40 & 4095 : 40000;
        if (ask(live, &p, now, &t, &r)) {
            times[count++] = now;
            tut_quota_end(&t, TUT_LIT(""), 0, 0, now);
        } else {
            assert_int_equal(r.status, 429);
            assert_int_equal(r.verdict, TUT_QUOTA_REQUESTS);
        }
    }
    assert_true(count > 1000);
    for (size_t i = LIMIT; i < count; i++)
        assert_true(times[i] - times[i - LIMIT] >= 60000);
    tut_system_free(system);
    tut_live_free(live);
}

/* The well-timed burst that gets nearly twice the limit out of two weighted counters. */
static void burst_at_the_end_of_a_window_gains_nothing(void **state)
{
    (void)state;
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 100/min\n",
                                     &system);
    tut_quota_ticket t;
    tut_quota_refusal r;
    unsigned first = 0, second = 0;
    uint64_t window = (start / 60000 + 1) * 60000;
    for (unsigned i = 0; i < 300; i++)
        if (ask(live, &p, window + 59990, &t, &r)) {
            first++;
            tut_quota_end(&t, TUT_LIT(""), 0, 0, window + 59990);
        }
    for (uint64_t at = window + 60000; at < window + 119980; at += 100)
        second += ask(live, &p, at, &t, &r);
    assert_int_equal(first, 100);
    assert_int_equal(second, 0);
    tut_system_free(system);
    tut_live_free(live);
}

static void retry_after_is_when_it_passes(void **state)
{
    (void)state;
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 10/hour\n",
                                     &system);
    tut_quota_ticket t;
    tut_quota_refusal r;
    uint64_t now = start;
    for (unsigned i = 0; i < 10; i++, now += 60000)
        assert_true(ask(live, &p, now, &t, &r));
    assert_false(ask(live, &p, now, &t, &r));
    uint64_t wait = 1000u * (uint64_t)r.retry_after_s;
    assert_in_range(wait, 3000000, 3100000);
    assert_false(ask(live, &p, now + wait - 2000, &t, &r));
    assert_true(ask(live, &p, now + wait, &t, &r));
    tut_system_free(system);
    tut_live_free(live);
}

/* --- processes --- */
enum { PROCESSES = 8 };

typedef struct passing { /* it was let in at some time between */
    uint64_t before, after;
} passing;

static void hammer(const tut_guard_policy *p, uint64_t until, size_t most, int to)
{
    tut_live *own = open_live(false);
    uint64_t key = key_of(&p->clients[0]);
    passing *all = calloc(most, sizeof(*all));
    tut_quota_ticket t;
    tut_quota_refusal r;
    size_t count = 0;
    uint64_t now;
    while (all && count < most && (now = tut_live_now_ms()) < until) {
        if (!tut_quota_begin(own, p, &p->clients[0], key, now, 0, &t, &r))
            continue;
        all[count++] = (passing){now, tut_live_now_ms()};
        tut_quota_end(&t, TUT_LIT(""), 0, 0, now);
    }
    tut_live_leave(own);
    bool fine = all != NULL;
    for (size_t i = 0; i < count && fine; i++)
        fine = write(to, &all[i], sizeof(all[i])) == (ssize_t)sizeof(all[i]);
    free(all);
    _exit(fine ? 0 : 1);
}

/* All hammer for some windows. Of any second: those that were surely let in within it. */
static void processes_share_one_limit_within_a_percent(void **state)
{
    (void)state;
    enum { LIMIT = 1000, WINDOW_MS = 1000, WINDOWS = 3, MOST = LIMIT * (WINDOWS + 2) };
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 1000/s\n",
                                     &system);
    uint64_t from = tut_live_now_ms(), until = from + WINDOWS * WINDOW_MS + 500;
    pid_t pids[PROCESSES];
    int results[2];
    static passing passed[PROCESSES * MOST];
    size_t count = 0, most = 0;
    assert_int_equal(pipe(results), 0);
    for (size_t n = 0; n < PROCESSES; n++) {
        pids[n] = fork();
        if (pids[n] == 0)
            hammer(&p, until, MOST, results[1]);
    }
    close(results[1]);
    while (read(results[0], &passed[count], sizeof(passed[0])) == (ssize_t)sizeof(passed[0]))
        count++;
    close(results[0]);
    for (size_t n = 0; n < PROCESSES; n++)
        wait_for(pids[n]);
    for (uint64_t at = from; at < until; at++) {
        size_t within = 0;
        for (size_t i = 0; i < count; i++)
            within += passed[i].before >= at && passed[i].after < at + WINDOW_MS;
        most = within > most ? within : most;
    }
    print_message("    %zu let in by %d processes in %d windows and a half, at most %zu in any, "
                  "limit %d\n",
                  count, PROCESSES, WINDOWS, most, LIMIT);
    assert_true(most <= LIMIT);
    assert_true(count >= LIMIT * WINDOWS * 99 / 100);
    tut_system_free(system);
    tut_live_free(live);
}

static void processes_share_one_limit_at_once(void **state)
{
    (void)state;
    enum { ROUNDS = 3000, LIMIT = 3 };
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        concurrent: 3\n",
                                     &system);
    uint64_t key = key_of(&p.clients[0]);
    pid_t pids[PROCESSES];
    for (size_t n = 0; n < PROCESSES; n++) {
        pids[n] = fork();
        if (pids[n] != 0)
            continue;
        tut_live *own = open_live(false);
        tut_quota_ticket t;
        tut_quota_refusal r;
        unsigned count = 0;
        for (unsigned i = 0; i < ROUNDS; i++) {
            if (!tut_quota_begin(own, &p, &p.clients[0], key, start, 0, &t, &r))
                continue;
            count++;
            tut_live_move(own, TUT_GAUGE_HELD, 1); /* between: how many are inside */
            if (tut_live_sum(own, TUT_GAUGE_HELD) > LIMIT)
                _exit(2);
            tut_live_move(own, TUT_GAUGE_HELD, -1);
            tut_quota_end(&t, TUT_LIT(""), 0, 0, start);
        }
        tut_live_leave(own);
        _exit(count > 10 ? 0 : 3);
    }
    for (size_t n = 0; n < PROCESSES; n++)
        wait_for(pids[n]);
    tut_quota_use use;
    tut_quota_used(live, &p.clients[0].quota, key, start, &use);
    assert_int_equal(use.concurrent, 0);
    tut_system_free(system);
    tut_live_free(live);
}

static void killed_worker_gives_its_places_back(void **state)
{
    (void)state;
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        concurrent: 2\n",
                                     &system);
    tut_quota_ticket t;
    tut_quota_refusal r;
    int ready[2];
    char c;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        tut_live *own = open_live(false);
        if (!ask(own, &p, start, &t, &r) || !ask(own, &p, start, &t, &r) ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_false(ask(live, &p, start, &t, &r));
    assert_int_equal(r.verdict, TUT_QUOTA_CONCURRENT);
    kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    assert_int_equal(tut_live_reap(live, pid), 1);
    assert_true(ask(live, &p, start, &t, &r));
    assert_int_equal(tut_live_sum(live, TUT_GAUGE_IN_FLIGHT), 1);
    tut_system_free(system);
    tut_live_free(live);
}

/* --- tokens and cost --- */
static void tokens_are_reserved_and_settled(void **state)
{
    (void)state;
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        tokens: 1000/min\n",
                                     &system);
    const tut_guard_quota *q = &p.clients[0].quota;
    uint64_t key = key_of(&p.clients[0]);
    tut_quota_ticket a, b, c;
    tut_quota_refusal r;
    tut_quota_use use;
    assert_true(ask(live, &p, start, &a, &r));
    assert_true(tut_quota_reserve_tokens(&a, TUT_LIT("m"), 100, 500, start, &r));
    assert_true(ask(live, &p, start, &b, &r));
    assert_false(tut_quota_reserve_tokens(&b, TUT_LIT("m"), 100, 500, start, &r)); /* in flight */
    assert_int_equal(r.verdict, TUT_QUOTA_TOKENS);
    tut_quota_end(&b, TUT_LIT("m"), 0, 0, start);
    tut_quota_used(live, q, key, start, &use);
    assert_int_equal(use.tokens, 600);
    tut_quota_end(&a, TUT_LIT("m"), 100, 50, start + 2000);
    tut_quota_end(&a, TUT_LIT("m"), 100, 50, start + 2000); /* once is enough */
    tut_quota_used(live, q, key, start, &use);
    assert_int_equal(use.tokens, 150);
    assert_true(ask(live, &p, start + 3000, &c, &r));
    assert_true(tut_quota_reserve_tokens(&c, TUT_LIT("m"), 50, 0, start + 3000, &r)); /* 125 */
    tut_quota_end(&c, TUT_LIT("m"), 50, 900, start + 4000); /* the server said more */
    tut_quota_used(live, q, key, start + 4000, &use);
    assert_int_equal(use.tokens, 1100);
    assert_false(ask(live, &p, start + 5000, &a, &r));
    assert_int_equal(r.verdict, TUT_QUOTA_TOKENS);
    assert_true(ask(live, &p, start + 5000 + 1000u * r.retry_after_s, &a, &r));
    assert_false(tut_quota_reserve_tokens(&a, TUT_LIT("m"), 2000, 1, start + 900000, &r));
    tut_system_free(system);
    tut_live_free(live);
}

static void cost_is_counted_by_price(void **state)
{
    (void)state;
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  prices:\n    - model: m\n      in: 2.50\n      out: 10\n"
                                     "  clients:\n    - id: a\n      quota:\n"
                                     "        cost: 0.10/day\n",
                                     &system);
    tut_quota_ticket t;
    tut_quota_refusal r;
    tut_quota_use use;
    unsigned passed = 0;
    for (unsigned i = 0; i < 30; i++) {
        if (!ask(live, &p, start + i, &t, &r))
            break;
        if (tut_quota_reserve_tokens(&t, TUT_LIT("m"), 1000, 1000, start + i, &r))
            passed++; /* 0.0125 each */
        tut_quota_end(&t, TUT_LIT("m"), passed == i + 1 ? 1000 : 0, passed == i + 1 ? 1000 : 0,
                      start + i);
    }
    assert_int_equal(passed, 8);
    assert_int_equal(r.verdict, TUT_QUOTA_COST);
    tut_quota_used(live, &p.clients[0].quota, key_of(&p.clients[0]), start, &use);
    assert_int_equal(use.cost, 100000);
    tut_system_free(system);
    tut_live_free(live);
}

static void load_is_shed_before_any_work(void **state)
{
    (void)state;
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  load:\n    in_flight: 3\n    body_bytes: 1000\n", &system);
    tut_quota_ticket t[4];
    tut_quota_refusal r;
    assert_true(tut_quota_begin(live, &p, NULL, 1, start, 400, &t[0], &r));
    assert_true(tut_quota_begin(live, &p, NULL, 1, start, 400, &t[1], &r));
    assert_false(tut_quota_begin(live, &p, NULL, 1, start, 400, &t[2], &r));
    assert_int_equal(r.verdict, TUT_QUOTA_LOAD);
    assert_int_equal(r.status, 503);
    assert_int_equal(r.retry_after_s, 1);
    assert_int_equal(tut_live_sum(live, TUT_GAUGE_IN_FLIGHT), 2); /* nothing of it stays */
    assert_true(tut_quota_begin(live, &p, NULL, 1, start, 0, &t[2], &r));
    assert_false(tut_quota_begin(live, &p, NULL, 1, start, 0, &t[3], &r));
    assert_true(tut_quota_grow(&t[2], 200, &r));
    assert_false(tut_quota_grow(&t[2], 1, &r));
    assert_false(tut_quota_grow(&t[2], UINT64_MAX, &r));
    tut_quota_shrink(&t[0]);
    assert_true(tut_quota_grow(&t[2], 1, &r));
    for (size_t i = 0; i < 3; i++)
        tut_quota_end(&t[i], TUT_LIT(""), 0, 0, start);
    tut_quota_end(&t[3], TUT_LIT(""), 0, 0, start); /* was refused */
    assert_int_equal(tut_live_sum(live, TUT_GAUGE_IN_FLIGHT), 0);
    assert_int_equal(tut_live_sum(live, TUT_GAUGE_BODY_BYTES), 0);
    tut_system_free(system);
    tut_live_free(live);
}

/* --- the table --- */
static void full_table_refuses_those_it_does_not_know(void **state)
{
    (void)state;
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 5/min\n        per: subject\n",
                                     &system);
    tut_quota_ticket t;
    tut_quota_refusal r;
    unsigned refused = 0;
    for (uint64_t i = 1; i <= 6000; i++) {
        uint64_t key = i * 0x9e3779b97f4a7c15u;
        if (!tut_quota_begin(live, &p, &p.clients[0], key, start, 0, &t, &r)) {
            assert_int_equal(r.verdict, TUT_QUOTA_TABLE);
            assert_int_equal(r.status, 503);
            refused++;
            continue;
        }
        tut_quota_end(&t, TUT_LIT(""), 0, 0, start);
    }
    assert_in_range(refused, 6000 - 4096, 6000 - 4096 + 400);
    for (unsigned i = 0; i < 4; i++) /* who has a place keeps it, and its count */
        assert_true(
            tut_quota_begin(live, &p, &p.clients[0], 0x9e3779b97f4a7c15u, start, 0, &t, &r));
    assert_false(tut_quota_begin(live, &p, &p.clients[0], 0x9e3779b97f4a7c15u, start, 0, &t, &r));
    assert_int_equal(r.verdict, TUT_QUOTA_REQUESTS);
    uint64_t later = start + 200000; /* abandoned places are given on, and count anew */
    for (uint64_t i = 10001; i <= 12000; i++) {
        uint64_t key = i * 0x9e3779b97f4a7c15u;
        for (unsigned k = 0; k < 5; k++) {
            assert_true(tut_quota_begin(live, &p, &p.clients[0], key, later, 0, &t, &r));
            tut_quota_end(&t, TUT_LIT(""), 0, 0, later);
        }
        assert_false(tut_quota_begin(live, &p, &p.clients[0], key, later, 0, &t, &r));
    }
    tut_system_free(system);
    tut_live_free(live);
}

static void clients_and_subjects_have_counters_of_their_own(void **state)
{
    (void)state;
    tut_system *system;
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        per: subject\n    - id: b\n",
                                     &system);
    uint64_t keys[6];
    assert_true(tut_is_ok(tut_quota_key(&p.clients[0], TUT_LIT("x"), &keys[0], NULL)));
    assert_true(tut_is_ok(tut_quota_key(&p.clients[0], TUT_LIT("y"), &keys[1], NULL)));
    assert_true(tut_is_ok(tut_quota_key(&p.clients[1], TUT_LIT("x"), &keys[2], NULL)));
    assert_true(tut_is_ok(tut_quota_key(&p.clients[1], TUT_LIT("y"), &keys[3], NULL)));
    assert_true(tut_is_ok(tut_quota_key(NULL, TUT_LIT("x"), &keys[4], NULL)));
    assert_true(tut_is_ok(tut_quota_key(NULL, TUT_LIT("y"), &keys[5], NULL)));
    assert_true(keys[0] != keys[1] && keys[0] != keys[2] && keys[2] == keys[3]);
    assert_true(keys[4] == keys[5] && keys[4] != keys[2]);
    tut_system_free(system);
}

static void clock_set_back_does_not_open_a_new_window(void **state)
{
    (void)state;
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 5/s\n",
                                     &system);
    tut_quota_ticket t;
    tut_quota_refusal r;
    for (unsigned i = 0; i < 5; i++)
        assert_true(ask(live, &p, start, &t, &r));
    assert_false(ask(live, &p, start - 30000, &t, &r));
    assert_true(ask(live, &p, start + 1100, &t, &r));
    tut_system_free(system);
    tut_live_free(live);
}

static void it_costs_little(void **state)
{
    (void)state;
    if (tut_jail_is_instrumented())
        skip(); /* what memcheck and the sanitizers cost says nothing */
    enum { ROUNDS = 100000 };
    tut_system *system;
    tut_live *live = open_live(true);
    tut_guard_policy p = read_policy("  prices:\n    - model: m\n      in: 1\n"
                                     "  clients:\n    - id: a\n      quota:\n"
                                     "        requests: 1000000/min\n        tokens: 1000000000/h\n"
                                     "        cost: 100000/day\n        concurrent: 100\n",
                                     &system);
    uint64_t key = key_of(&p.clients[0]), from = cpu_ns();
    tut_quota_ticket t;
    tut_quota_refusal r;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t now = tut_live_now_ms();
        assert_true(tut_quota_begin(live, &p, &p.clients[0], key, now, 1000, &t, &r));
        assert_true(tut_quota_reserve_tokens(&t, TUT_LIT("m"), 10, 10, now, &r));
        tut_quota_end(&t, TUT_LIT("m"), 10, 10, now);
    }
    uint64_t ns = (cpu_ns() - from) / ROUNDS;
    print_message("    %llu ns a request, with all four quotas\n", (unsigned long long)ns);
    assert_true(ns < 20000);
    tut_system_free(system);
    tut_live_free(live);
}

/* Scripts of which each character is about a token are not counted as a quarter of one. */
static void what_is_asked_is_counted_by_script(void **state)
{
    (void)state;
    static const char *const texts[] = {"aaaabbbbccccdddd", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
                                        "\xd0\xb4\xd0\xb0 abcd"};
    static const uint64_t expected[] = {1 + 4, 1 + 3, 1 + 2 + 1};
    tut_system *system;
    tut_guard guard;
    tut_guard_policy p = read_policy("", &system);
    assert_true(tut_is_ok(tut_guard_open(&p, &guard, NULL)));
    for (size_t i = 0; i < TUT_COUNT(texts); i++) {
        tut_guard_request *r = NULL;
        uint64_t in = 0, out = 0;
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        tut_guard_head head = {.method = TUT_LIT("POST"),
                               .path = TUT_LIT("/v1/chat/completions"),
                               .content_type = TUT_LIT("application/json")};
        tut_buf_printf(&body,
                       "{\"model\":\"m\",\"max_tokens\":7,\"n\":2,\"messages\":[{\"role\":\"user\","
                       "\"content\":\"%s\"}]}",
                       texts[i]);
        assert_true(
            tut_is_ok(tut_guard_request_read(&guard, &head, tut_buf_span(&body), &r, NULL)));
        tut_quota_asked(r, &in, &out);
        assert_int_equal(in, expected[i]);
        assert_int_equal(out, 14);
        tut_guard_request_free(r);
    }
    tut_guard_done_with(&guard);
    tut_system_free(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(quotas_are_read),
        IN_WORLD(version_covers_quotas),
        IN_WORLD(no_stretch_has_more_than_the_limit),
        IN_WORLD(burst_at_the_end_of_a_window_gains_nothing),
        IN_WORLD(retry_after_is_when_it_passes),
        IN_WORLD(processes_share_one_limit_within_a_percent),
        IN_WORLD(processes_share_one_limit_at_once),
        IN_WORLD(killed_worker_gives_its_places_back),
        IN_WORLD(tokens_are_reserved_and_settled),
        IN_WORLD(cost_is_counted_by_price),
        IN_WORLD(load_is_shed_before_any_work),
        IN_WORLD(full_table_refuses_those_it_does_not_know),
        IN_WORLD(clients_and_subjects_have_counters_of_their_own),
        IN_WORLD(clock_set_back_does_not_open_a_new_window),
        IN_WORLD(it_costs_little),
        IN_WORLD(what_is_asked_is_counted_by_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
