/* tutela guard status: what runs, by which policy, and what it did. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/json_write.h"
#include "cmd/guard_observed.h"

static const struct shown {
    tut_live_counter counter;
    const char *name;
} counters[] = {
    {TUT_COUNT_REQUESTS, "requests"}, {TUT_COUNT_ALLOWED, "allow"}, {TUT_COUNT_FLAGGED, "flag"},
    {TUT_COUNT_REDACTED, "redact"},   {TUT_COUNT_HELD, "hold"},     {TUT_COUNT_BLOCKED, "block"},
    {TUT_COUNT_LIMITED, "limited"},   {TUT_COUNT_SHED, "shed"},     {TUT_COUNT_UNKNOWN, "unknown"},
    {TUT_COUNT_ERRORS, "errors"},
};

static const tut_option options[] = {
    {"--record", TUT_OPTION_FLAG, NULL, "read the log of traffic, and record what it shows"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status write_json(const tut_guard_here *h, const tut_observed *o, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_live_stopped stops[TUT_LIVE_STOPS];
    tut_live_worker workers[TUT_LIVE_WORKERS];
    tut_sha256 version = {{0}};
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.guard-status/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_bool(j, "runs", h->keeper > 0);
    if (h->live) {
        uint64_t generation = tut_live_policy(h->live, &version);
        tut_json_put_u64(j, "generation", generation);
        tut_json_key(j, "policy");
        tut_json_sha256(j, version.bytes);
        tut_json_put_u64(j, "workers", h->keeper > 0 ? tut_live_workers(h->live, workers) : 0);
        tut_json_put_int(j, "in_flight", tut_live_sum(h->live, TUT_GAUGE_IN_FLIGHT));
        tut_json_put_int(j, "held", tut_live_sum(h->live, TUT_GAUGE_HELD));
        tut_json_put_bool(j, "ledger_down", tut_live_ledger_down(h->live) > 0);
        tut_json_put_u64(j, "added_p99_us", tut_live_quantile(h->live, TUT_CLOCK_ADDED, 0.99));
        tut_json_put_u64(j, "first_p99_us", tut_live_quantile(h->live, TUT_CLOCK_FIRST, 0.99));
        for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
            tut_json_put_u64(j, counters[i].name,
                             tut_live_counted_all(h->live, counters[i].counter));
    }
    if (o) {
        tut_json_key(j, "observed");
        tut_json_object(j);
        tut_observed_json(o, j);
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    size_t count = h->live ? tut_live_stops(h->live, stops) : 0;
    for (size_t i = 0; i < count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "id", stops[i].name);
        tut_json_put_z(j, "kind", tut_live_kind_name(stops[i].kind));
        tut_json_put_z(j, "state", "stopped");
        tut_json_put_time(j, "since", (tut_time)(stops[i].since_ms / 1000));
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static void add_routes(const tut_guard_here *h, tut_table *t)
{
    for (size_t i = 0; i < h->policy.route_count; i++) {
        const tut_guard_route *r = &h->policy.routes[i];
        unsigned place = tut_live_route(h->live, r->id);
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%.*s", (int)r->id.len, r->id.data);
        for (size_t k = 0; k < sizeof(counters) / sizeof(counters[0]); k++) {
            uint64_t n = tut_live_counted(h->live, place, counters[k].counter);
            tut_table_cellf(t, n ? TUT_STYLE_PLAIN : TUT_STYLE_DIM, "%llu", (unsigned long long)n);
        }
    }
}

static tut_status write_table(const tut_args *args, const tut_guard_here *h, tut_buf *out,
                              tut_error *err)
{
    tut_term term;
    TUT_AUTO(tut_table) t = NULL;
    tut_live_stopped stops[TUT_LIVE_STOPS];
    tut_live_worker workers[TUT_LIVE_WORKERS];
    tut_sha256 version;
    char hex[TUT_SHA256_HEX], want[TUT_SHA256_HEX];
    size_t columns = sizeof(counters) / sizeof(counters[0]);
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    if (!h->live) {
        tut_buf_add_z(out, "No guard ran here yet. tutela guard up starts it.\n");
        return tut_buf_check(out, err);
    }
    uint64_t generation = tut_live_policy(h->live, &version);
    tut_sha256_hex(&version, hex);
    tut_sha256_hex(&h->policy.version, want);
    if (h->keeper > 0)
        tut_buf_printf(
            out, "The guard runs (process %d, %zu workers) by policy %.12s, number %llu here.\n",
            (int)h->keeper, tut_live_workers(h->live, workers), hex,
            (unsigned long long)generation);
    else
        tut_buf_printf(out, "The guard does not run. Its policy was %.12s.\n", hex);
    if (strcmp(hex, want) != 0)
        tut_buf_printf(out, "tutela.yaml has another one, %.12s: tutela guard reload takes it.\n",
                       want);
    if (tut_live_ledger_down(h->live))
        tut_term_printf(&term, out, TUT_STYLE_BAD, "The ledger does not take events.\n");
    size_t count = tut_live_stops(h->live, stops);
    for (size_t i = 0; i < count; i++)
        tut_term_printf(&term, out, TUT_STYLE_BAD, "Stopped: %s %s\n",
                        tut_live_kind_name(stops[i].kind), stops[i].name);
    tut_buf_add_z(out, "\n");
    TUT_TRY(tut_table_new(columns + 1, &t));
    tut_table_column(t, 0, "Route", TUT_LEFT, false);
    for (size_t k = 0; k < columns; k++)
        tut_table_column(t, k + 1, counters[k].name, TUT_RIGHT, false);
    add_routes(h, t);
    TUT_TRY(tut_table_print(t, &term, 0, out));
    tut_buf_printf(out,
                   "\nIn flight %lld, held %lld. Added by the guard: half under %llu us, 99 of 100 "
                   "under %llu us.\n",
                   (long long)tut_live_sum(h->live, TUT_GAUGE_IN_FLIGHT),
                   (long long)tut_live_sum(h->live, TUT_GAUGE_HELD),
                   (unsigned long long)tut_live_quantile(h->live, TUT_CLOCK_ADDED, 0.5),
                   (unsigned long long)tut_live_quantile(h->live, TUT_CLOCK_ADDED, 0.99));
    return tut_buf_check(out, err);
}

static int exit_of(const tut_guard_here *h, const tut_observed *o)
{
    int status = h->keeper > 0 ? TUT_EXIT_OK : TUT_EXIT_DOUBT;
    for (size_t i = 0; o && i < TUT_OBSERVED_COUNT; i++) {
        if (o->checks[i].result == TUT_RESULT_FAIL)
            return TUT_EXIT_FOUND;
        if (o->checks[i].result == TUT_RESULT_NOT_CHECKED)
            status = TUT_EXIT_DOUBT;
    }
    return status;
}

static tut_status show(const tut_args *args, const tut_guard_here *h, const tut_observed *o,
                       tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "json") == 0)
        return write_json(h, o, out, err);
    TUT_TRY(write_table(args, h, out, err));
    return o ? tut_observed_table(args, o, out, err) : TUT_SUCCESS;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    TUT_CLEAN(tut_observed) observed = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    const tut_observed *o = tut_args_has(args, "--record") ? &observed : NULL;
    tut_interrupt_install();
    tut_status status = tut_guard_here_open(args, &h, &err);
    if (tut_is_ok(status) && o)
        status = tut_observed_run(args, &h, &observed, &err);
    if (tut_is_ok(status))
        status = show(args, &h, o, &out, &err);
    return tut_is_ok(status) ? tut_cmd_output(&out, exit_of(&h, o)) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_guard_status = {
    .name = "guard status",
    .summary = "What runs, by which policy, what is stopped, and what was decided",
    .help =
        "With --record the log of traffic is read: is it whole, does the guard write to it now, "
        "and which of the granted tools were used? Recorded as evidence (guard.log, "
        "ledger.operation, guard.tool-use).\n\n"
        "Exit status: 0 it runs; 1 with --record: something does not hold; 3 it does not run, "
        "or there was nothing to judge by.",
    .formats = "table json",
    .options = options,
    .run = run,
};
