#include "guard/traffic.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/cage.h"
#include "guard/exchange.h"
#include "guard/protocol.h"
#include "ledger/entry.h"
#include "ledger/feed.h"
#include "state/place.h"

void tut_traffic_done(tut_traffic *t)
{
    for (size_t i = 0; i < t->producer_count; i++)
        tut_free(t->producers[i]);
    tut_free(t->producers);
    tut_map_done(&t->producer_names);
    tut_free(t->uses);
    tut_free(t->undeclared);
}

/* --- the log --- */
typedef struct opened {
    tut_place place;
    tut_log *log; /* NULL: there is none */
} opened;

static void opened_done(opened *o)
{
    tut_log_free(o->log);
    tut_place_done(&o->place);
}

static tut_status open_log(const char *state_dir, opened *ret, tut_error *err)
{
    tut_error why = {0};
    tut_status status = tut_place_find(state_dir, "traffic", &ret->place, &why);
    if (status.code == TUT_USAGE)
        return TUT_SUCCESS; /* nothing was ever recorded there */
    if (tut_is_ok(status))
        status = tut_place_open(&ret->place, &ret->log, &why);
    if (!tut_is_ok(status) && status.code != TUT_IO)
        return tut_fail(err, status.code, "the traffic log: %s", why.text);
    return TUT_SUCCESS;
}

static tut_status time_of(tut_log *log, uint64_t index, tut_time *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_arena arena;
    tut_entry e = {0};
    TUT_TRY(tut_log_entry(log, index, &bytes, err));
    tut_arena_init(&arena, 0);
    tut_status status = tut_entry_parse(tut_buf_span(&bytes), &arena, &e, err);
    *ret = e.head.at;
    tut_entry_done(&e);
    tut_arena_done(&arena);
    return status;
}

/* The first entry of that time or later; the sequencer's clock only goes forward. */
static tut_status find_first(tut_log *log, tut_time from, uint64_t *ret, tut_error *err)
{
    uint64_t low = tut_log_pruned(log), high = tut_log_size(log);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        tut_time at = 0;
        TUT_TRY(time_of(log, middle, &at, err));
        if (at < from)
            low = middle + 1;
        else
            high = middle;
    }
    *ret = low;
    return TUT_SUCCESS;
}

/* --- producers --- */
static tut_traffic_producer *producer_of(tut_traffic *t, const char *name)
{
    size_t at = tut_map_get(&t->producer_names, tut_str_of(name));
    return at == SIZE_MAX ? NULL : t->producers[at];
}

static tut_status new_producer(tut_traffic *t, tut_str name, tut_traffic_producer **ret,
                               tut_error *err)
{
    if (!tut_is_ok(tut_grow(&t->producers, t->producer_count, &t->producer_capacity,
                            sizeof(*t->producers))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_traffic_producer *p = tut_alloc_array(1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_str_copy(p->name, sizeof(p->name), name);
    t->producers[t->producer_count++] = p;
    *ret = p;
    return tut_map_put(&t->producer_names, tut_str_of(p->name), t->producer_count - 1, NULL, err);
}

/* Where its first entry of this time is not its first at all, the numbers before are not asked
 * about. */
static tut_status count_number(tut_traffic *t, uint64_t index, const tut_entry *e, tut_error *err)
{
    char name[TUT_TRAFFIC_NAME];
    tut_str_copy(name, sizeof(name), e->head.producer);
    tut_traffic_producer *p = producer_of(t, name);
    if (!p) {
        TUT_TRY(new_producer(t, e->head.producer, &p, err));
        p->next = e->head.seq;
    }
    if (e->head.seq != p->next) {
        t->gaps += e->head.seq > p->next ? e->head.seq - p->next : 1;
        (void)snprintf(t->gap, sizeof(t->gap), "%s, entry %llu: number %llu where %llu comes next",
                       p->name, (unsigned long long)index, (unsigned long long)e->head.seq,
                       (unsigned long long)p->next);
    }
    p->next = e->head.seq + 1;
    p->last_index = index;
    p->is_over = tut_str_eq_z(e->head.kind, TUT_FEED_CLOSE);
    if (!tut_str_eq_z(e->head.kind, TUT_FEED_OPEN))
        return TUT_SUCCESS;
    const tut_json_value *event = tut_json_get(tut_json_root(e->outer), "event");
    tut_str_copy(name, sizeof(name), tut_json_get_text(event, "continues"));
    tut_traffic_producer *before = producer_of(t, name);
    if (before && before != p)
        before->is_over = true;
    return TUT_SUCCESS;
}

/* "guard/BOOT/GENERATION/N" of a worker that lives. */
static void mark_running(tut_traffic *t)
{
    tut_live_worker workers[TUT_LIVE_WORKERS];
    size_t count = t->live ? tut_live_workers(t->live, workers) : 0;
    for (size_t w = 0; w < count; w++) {
        char prefix[64];
        if (kill(workers[w].pid, 0) != 0 && errno == ESRCH)
            continue; /* its place is not given to another yet */
        (void)snprintf(prefix, sizeof(prefix), "guard/%08llx/%llu/",
                       (unsigned long long)tut_live_boot(t->live) & 0xffffffffu,
                       (unsigned long long)workers[w].generation);
        for (size_t i = 0; i < t->producer_count; i++)
            if (tut_str_starts(tut_str_of(t->producers[i]->name), tut_str_of(prefix)))
                t->producers[i]->is_running = true;
    }
}

size_t tut_traffic_lost_tails(const tut_traffic *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->producer_count; i++)
        n += !t->producers[i]->is_over && !t->producers[i]->is_running &&
             tut_str_starts(tut_str_of(t->producers[i]->name), TUT_LIT("guard/"));
    return n;
}

/* --- tools --- */
static tut_status grant(tut_traffic *t, tut_error *err)
{
    const tut_guard_policy *p = t->policy;
    t->uses = tut_alloc_array(p->route_count * p->tool_count + 1, sizeof(*t->uses));
    t->undeclared = tut_alloc_array(TUT_TRAFFIC_UNDECLARED, sizeof(*t->undeclared));
    if (!t->uses || !t->undeclared)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t r = 0; r < p->route_count; r++)
        for (size_t k = 0; p->routes[r].protocol->has_calls && k < p->tool_count; k++)
            if (!p->routes[r].tools.count ||
                tut_guard_is_listed(&p->routes[r].tools, p->tools[k].name))
                t->uses[t->use_count++] = (tut_traffic_use){.route = &p->routes[r],
                                                            .tool = &p->tools[k]};
    return TUT_SUCCESS;
}

static tut_traffic_undeclared *undeclared_of(tut_traffic *t, tut_str route, tut_str name)
{
    for (size_t i = 0; i < t->undeclared_count; i++)
        if (tut_str_eq_z(name, t->undeclared[i].name) &&
            tut_str_eq_z(route, t->undeclared[i].route))
            return &t->undeclared[i];
    if (t->undeclared_count == TUT_TRAFFIC_UNDECLARED)
        return NULL;
    tut_traffic_undeclared *fresh = &t->undeclared[t->undeclared_count++];
    tut_str_copy(fresh->name, sizeof(fresh->name), name);
    tut_str_copy(fresh->route, sizeof(fresh->route), route);
    return fresh;
}

static void count_undeclared(tut_traffic *t, tut_str route, tut_str name, bool is_stopped)
{
    tut_traffic_undeclared *u = undeclared_of(t, route, name);
    if (!u) {
        t->undeclared_dropped += !is_stopped;
        return;
    }
    u->called++;
    u->passed += !is_stopped;
}

static void count_call(tut_traffic *t, tut_str route, tut_str name, bool is_stopped)
{
    t->calls++;
    for (size_t i = 0; i < t->use_count; i++) {
        tut_traffic_use *u = &t->uses[i];
        if (!tut_str_eq(u->route->id, route) || !tut_str_eq(u->tool->name, name))
            continue;
        u->called++;
        u->stopped += is_stopped;
        return;
    }
    count_undeclared(t, route, name, is_stopped);
}

/* Refused, or held and not approved. */
static bool is_stopped(const tut_json_value *event)
{
    tut_str action = tut_json_get_text(tut_json_get(event, "answer"), "action");
    bool is_held = tut_str_eq_z(action, "hold") &&
                   !tut_str_eq_z(tut_json_get_text(event, "hold_end"), "approved");
    return is_held || tut_str_eq_z(action, "block");
}

static void count_exchange(tut_traffic *t, const tut_entry *e)
{
    const tut_json_value *event = tut_json_get(tut_json_root(e->outer), "event");
    const tut_json_value *called = tut_json_get(event, "called");
    tut_str action = tut_json_get_text(tut_json_get(event, "request"), "action");
    if (e->head.at >= t->from) {
        t->exchanges++;
        t->blocked += tut_str_eq_z(action, "block") || is_stopped(event);
        t->held += tut_json_get(event, "hold") != NULL;
        t->last_at = e->head.at;
    }
    for (uint32_t i = 0; e->head.at >= t->uses_from && i < tut_json_count(called); i++)
        count_call(t, tut_json_get_text(event, "route"), tut_json_text(tut_json_item(called, i)),
                   is_stopped(event));
}

/* --- the pass --- */
static tut_status take(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    tut_traffic *t = ctx;
    tut_arena arena;
    tut_entry e = {0};
    if (tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    tut_arena_init(&arena, 0);
    tut_status status = tut_entry_parse(bytes, &arena, &e, err);
    if (tut_is_ok(status) && e.head.at >= t->from) {
        t->entries++;
        status = count_number(t, index, &e, err);
    }
    if (tut_is_ok(status) && tut_str_eq_z(e.head.kind, TUT_EXCHANGE_KIND))
        count_exchange(t, &e);
    tut_entry_done(&e);
    tut_arena_done(&arena);
    return status;
}

tut_status tut_traffic_read(const char *state_dir, tut_traffic *t, tut_error *err)
{
    __attribute__((cleanup(opened_done))) opened o = {0};
    tut_time from = t->from < t->uses_from ? t->from : t->uses_from;
    TUT_TRY(grant(t, err));
    TUT_TRY(open_log(state_dir, &o, err));
    t->size = o.log ? tut_log_size(o.log) : 0;
    if (t->size == 0)
        return TUT_SUCCESS;
    t->pruned = tut_log_pruned(o.log);
    TUT_TRY(time_of(o.log, t->pruned, &t->kept_since, err));
    TUT_TRY(find_first(o.log, from, &t->first, err));
    TUT_TRY(tut_log_each(o.log, t->first, t->size, take, t, err));
    mark_running(t);
    return TUT_SUCCESS;
}

/* --- one more entry --- */
typedef struct awaited {
    unsigned status;
    bool is_there;
} awaited;

static tut_status look(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    awaited *w = ctx;
    tut_arena arena;
    tut_entry e = {0};
    (void)index;
    tut_arena_init(&arena, 0);
    tut_status status = tut_entry_parse(bytes, &arena, &e, err);
    if (tut_is_ok(status) && tut_str_eq_z(e.head.kind, TUT_EXCHANGE_KIND)) {
        const tut_json_value *event = tut_json_get(tut_json_root(e.outer), "event");
        w->is_there = w->is_there || tut_json_get_int(event, "status", 0) == (int64_t)w->status;
    }
    tut_entry_done(&e);
    tut_arena_done(&arena);
    return status;
}

tut_status tut_traffic_has_since(const char *state_dir, uint64_t after, unsigned status,
                                 bool *ret_has, uint64_t *ret_size, tut_error *err)
{
    __attribute__((cleanup(opened_done))) opened o = {0};
    awaited w = {.status = status};
    TUT_TRY(open_log(state_dir, &o, err));
    *ret_size = o.log ? tut_log_size(o.log) : 0;
    if (*ret_size > after)
        TUT_TRY(tut_log_each(o.log, after, *ret_size, look, &w, err));
    *ret_has = w.is_there;
    return TUT_SUCCESS;
}
