/* Counters and times of the workers, and all of it as Prometheus text. */
#include "guard/live_internal.h"

enum { OTHER = TUT_LIVE_NAMES - 1, SUBS = 4, SUB_BITS = 2 };

typedef struct counter_row {
    const char *name, *about;
} counter_row;

static const counter_row rows[TUT_LIVE_COUNTER_COUNT] = {
#define X(id, name, about) {name, about},
    TUT_LIVE_COUNTERS(X)
#undef X
};

/* A place for each name, the last one for all that find no room. */
static unsigned place_of(live_name *names, tut_str name)
{
    uint64_t hash = tut_live_hash(0, name);
    for (unsigned i = 0; i < OTHER; i++) {
        uint64_t had = atomic_load_explicit(&names[i].hash, memory_order_acquire);
        if (had == 0 && atomic_compare_exchange_strong(&names[i].hash, &had, hash)) {
            tut_live_put_name(names[i].words, name);
            return i;
        }
        if (had == hash)
            return i;
    }
    return OTHER;
}

unsigned tut_live_route(tut_live *live, tut_str id)
{
    return place_of(live->map->routes, id);
}

/* Nobody else writes it: no need of a locked add. */
static void add(live_u64 *counter, uint64_t by)
{
    uint64_t had = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, had + by, memory_order_relaxed);
}

void tut_live_count(tut_live *live, unsigned route, tut_live_counter counter, uint64_t by)
{
    if (live->worker >= 0 && route < TUT_LIVE_NAMES)
        add(&live->map->workers[live->worker].counters[route][counter], by);
}

void tut_live_count_check(tut_live *live, tut_str check)
{
    if (live->worker >= 0)
        add(&live->map->workers[live->worker].checks[place_of(live->map->checks, check)], 1);
}

/* --- times: four buckets to each power of two --- */
static size_t bucket_of(uint64_t us)
{
    if (us < SUBS)
        return (size_t)us;
    unsigned top = 63u - (unsigned)__builtin_clzll(us);
    size_t i = SUBS * (size_t)(top - 1) + ((us >> (top - SUB_BITS)) & (SUBS - 1));
    return i < TUT_LIVE_BUCKETS ? i : TUT_LIVE_BUCKETS - 1;
}

/* The first value above bucket i. */
static uint64_t end_of(size_t i)
{
    if (i < SUBS)
        return i + 1;
    unsigned top = (unsigned)(i / SUBS) + 1;
    return (uint64_t)(SUBS + i % SUBS + 1) << (top - SUB_BITS);
}

void tut_live_time(tut_live *live, tut_live_clock clock, uint64_t us)
{
    if (live->worker < 0)
        return;
    live_worker *w = &live->map->workers[live->worker];
    add(&w->times[clock][bucket_of(us)], 1);
    add(&w->time_sums[clock], us);
}

static uint64_t bucket_sum(const tut_live *live, tut_live_clock clock, size_t i)
{
    uint64_t sum = 0;
    for (size_t w = 0; w < live_high(live); w++)
        sum += atomic_load_explicit(&live->map->workers[w].times[clock][i], memory_order_relaxed);
    return sum;
}

uint64_t tut_live_quantile(const tut_live *live, tut_live_clock clock, double share)
{
    uint64_t buckets[TUT_LIVE_BUCKETS];
    uint64_t all = 0, so_far = 0;
    for (size_t i = 0; i < TUT_LIVE_BUCKETS; i++) {
        buckets[i] = bucket_sum(live, clock, i);
        all += buckets[i];
    }
    for (size_t i = 0; i < TUT_LIVE_BUCKETS; i++) {
        so_far += buckets[i];
        if (buckets[i] && (double)so_far >= share * (double)all)
            return end_of(i);
    }
    return 0;
}

/* --- sums --- */
uint64_t tut_live_counted(const tut_live *live, unsigned route, tut_live_counter counter)
{
    uint64_t sum = 0;
    for (size_t w = 0; w < live_high(live) && route < TUT_LIVE_NAMES; w++)
        sum += atomic_load_explicit(&live->map->workers[w].counters[route][counter],
                                    memory_order_relaxed);
    return sum;
}

uint64_t tut_live_counted_all(const tut_live *live, tut_live_counter counter)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < TUT_LIVE_NAMES; i++)
        sum += tut_live_counted(live, i, counter);
    return sum;
}

static uint64_t check_sum(const tut_live *live, size_t place)
{
    uint64_t sum = 0;
    for (size_t w = 0; w < live_high(live); w++)
        sum += atomic_load_explicit(&live->map->workers[w].checks[place], memory_order_relaxed);
    return sum;
}

uint64_t tut_live_counted_check(const tut_live *live, tut_str check)
{
    uint64_t hash = tut_live_hash(0, check);
    for (size_t i = 0; i < OTHER; i++)
        if (atomic_load(&live->map->checks[i].hash) == hash)
            return check_sum(live, i);
    return 0;
}

/* --- Prometheus --- */
static void put_label(tut_buf *out, const live_name *names, size_t i)
{
    char name[TUT_LIVE_NAME];
    tut_live_get_name(names[i].words, name);
    if (i == OTHER)
        tut_str_copy(name, sizeof(name), TUT_LIT("other"));
    for (const char *c = name; *c; c++) {
        if (*c == '\\' || *c == '"')
            tut_buf_add_byte(out, '\\');
        if ((unsigned char)*c >= 0x20)
            tut_buf_add_byte(out, (uint8_t)*c);
    }
}

static void put_head(tut_buf *out, const char *name, const char *type, const char *about)
{
    tut_buf_printf(out, "# HELP tutela_guard_%s %s.\n# TYPE tutela_guard_%s %s\n", name, about,
                   name, type);
}

static void put_counters(const tut_live *live, tut_buf *out)
{
    for (unsigned c = 0; c < TUT_LIVE_COUNTER_COUNT; c++) {
        char name[64] = "";
        tut_str_copy(name, sizeof(name) - 6, tut_str_of(rows[c].name));
        memcpy(name + strlen(name), "_total", 7);
        put_head(out, name, "counter", rows[c].about);
        for (unsigned i = 0; i < TUT_LIVE_NAMES; i++) {
            uint64_t n = tut_live_counted(live, i, (tut_live_counter)c);
            if (n == 0 && (c != TUT_COUNT_REQUESTS || !atomic_load(&live->map->routes[i].hash)))
                continue;
            tut_buf_printf(out, "tutela_guard_%s{route=\"", name);
            put_label(out, live->map->routes, i);
            tut_buf_printf(out, "\"} %llu\n", (unsigned long long)n);
        }
    }
    put_head(out, "reasons_total", "counter", "Reasons of decisions, by check");
    for (size_t i = 0; i < TUT_LIVE_NAMES; i++) {
        uint64_t n = check_sum(live, i);
        if (n == 0)
            continue;
        tut_buf_add_z(out, "tutela_guard_reasons_total{check=\"");
        put_label(out, live->map->checks, i);
        tut_buf_printf(out, "\"} %llu\n", (unsigned long long)n);
    }
}

static void put_times(const tut_live *live, tut_buf *out)
{
    static const struct {
        const char *name, *about;
    } clocks[TUT_CLOCK_COUNT] = {
        {"request_seconds", "From accept to the last byte"},
        {"added_seconds", "What the guard itself took of it"},
        {"first_seconds", "From an answer's first byte received to the first handed on"}};
    for (unsigned c = 0; c < TUT_CLOCK_COUNT; c++) {
        uint64_t count = 0, sum = 0;
        put_head(out, clocks[c].name, "histogram", clocks[c].about);
        for (size_t i = 0; i < TUT_LIVE_BUCKETS; i++) {
            count += bucket_sum(live, (tut_live_clock)c, i);
            if (i % SUBS == SUBS - 1) /* a whole power of two */
                tut_buf_printf(out, "tutela_guard_%s_bucket{le=\"%.6f\"} %llu\n", clocks[c].name,
                               (double)end_of(i) / 1e6, (unsigned long long)count);
        }
        for (size_t w = 0; w < live_high(live); w++)
            sum += atomic_load_explicit(&live->map->workers[w].time_sums[c], memory_order_relaxed);
        tut_buf_printf(out,
                       "tutela_guard_%s_bucket{le=\"+Inf\"} %llu\ntutela_guard_%s_sum %.6f\n"
                       "tutela_guard_%s_count %llu\n",
                       clocks[c].name, (unsigned long long)count, clocks[c].name, (double)sum / 1e6,
                       clocks[c].name, (unsigned long long)count);
    }
}

static void put_gauge(tut_buf *out, const char *name, const char *about, int64_t value)
{
    put_head(out, name, "gauge", about);
    tut_buf_printf(out, "tutela_guard_%s %lld\n", name, (long long)value);
}

tut_status tut_live_metrics(const tut_live *live, tut_buf *out, tut_error *err)
{
    tut_live_worker workers[TUT_LIVE_WORKERS];
    tut_live_stopped stops[TUT_LIVE_STOPS];
    uint64_t down = tut_live_ledger_down(live), now = tut_live_now_ms();
    put_counters(live, out);
    put_times(live, out);
    put_gauge(out, "in_flight", "Requests under way", tut_live_sum(live, TUT_GAUGE_IN_FLIGHT));
    put_gauge(out, "waiting", "Exchanges that wait for a person",
              tut_live_sum(live, TUT_GAUGE_HELD));
    put_gauge(out, "body_bytes", "Bytes of bodies in memory",
              tut_live_sum(live, TUT_GAUGE_BODY_BYTES));
    put_gauge(out, "workers", "Worker processes", (int64_t)tut_live_workers(live, workers));
    put_gauge(out, "stopped", "Stop switches that are set", (int64_t)tut_live_stops(live, stops));
    put_gauge(out, "policy_generation", "Policies that were put in force so far",
              (int64_t)tut_live_generation(live));
    put_gauge(out, "ledger_down_seconds", "For how long some worker has missed the ledger",
              down && now > down ? (int64_t)((now - down) / 1000u) : 0);
    return tut_buf_check(out, err);
}
