/* watch: pairs of tables, and streams of events. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "memcheck.h"
#include "watch/drift.h"
#include "watch/events.h"
#include "watch/follow.h"
#include "watch/stream_html.h"
#include "watch/tell.h"

/* --- pairs --- */
static void read_csv(tut_pair *p, tut_side side, const tut_buf *csv)
{
    tut_source source = tut_source_memory(tut_buf_span(csv));
    TUT_AUTO(tut_rows) rows = NULL;
    tut_error err = {0};
    assert_true(tut_is_ok(tut_rows_open(&source, "x.csv", &rows, &err)));
    assert_true(tut_is_ok(tut_pair_read(p, side, rows, &err)));
}

typedef struct made { /* of one side: what is planted */
    double shift, red, gaps;
    uint64_t seed;
    size_t rows;
} made;

static void make(tut_buf *csv, const made *m)
{
    tut_seeded r = tut_seeded_of(m->seed);
    tut_buf_add_z(csv, "row,height,colour,level,score\n");
    for (size_t i = 0; i < m->rows; i++) {
        tut_buf_printf(csv, "%zu,%.5f,%s,%llu,", i, tut_seeded_normal(&r) + m->shift,
                       tut_seeded_unit(&r) < m->red ? "red" : "blue",
                       (unsigned long long)tut_seeded_below(&r, 4));
        if (tut_seeded_unit(&r) >= m->gaps)
            tut_buf_printf(csv, "%.5f", tut_seeded_unit(&r));
        tut_buf_add_z(csv, "\n");
    }
}

static tut_drift *compare(const made *a, const made *b, size_t cells)
{
    TUT_CLEAN(tut_buf) first = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) second = TUT_BUF_INIT;
    TUT_CLEAN(tut_pair) pair;
    tut_drift *d = NULL;
    tut_error err = {0};
    make(&first, a);
    make(&second, b);
    tut_pair_init(&pair, 1);
    pair.cells = cells ? cells : pair.cells;
    read_csv(&pair, TUT_REFERENCE, &first);
    read_csv(&pair, TUT_CURRENT, &second);
    assert_true(tut_is_ok(tut_drift_judge(&pair, &tut_drift_by_default, &d, &err)));
    return d;
}

static const tut_drift_feature *feature(const tut_drift *d, const char *name)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->features[i].name, name) == 0)
            return &d->features[i];
    fail_msg("no feature %s", name);
    return NULL;
}

static void planted_changes_are_found_and_nothing_else(void **state)
{
    (void)state;
    const made then = {.red = 0.3, .gaps = 0.05, .seed = 1, .rows = 2000};
    const made same = {.red = 0.3, .gaps = 0.05, .seed = 2, .rows = 2000};
    const made now = {.shift = 0.5, .red = 0.5, .gaps = 0.3, .seed = 3, .rows = 2000};
    TUT_AUTO(tut_drift) none = compare(&then, &same, 0);
    TUT_AUTO(tut_drift) some = compare(&then, &now, 0);
    assert_int_equal(none->drifted, 0);
    assert_false(tut_drift_is_found(none));
    assert_string_equal(feature(none, "row")->kind, "identifier");
    assert_string_equal(feature(none, "height")->test, "ks");
    assert_string_equal(feature(none, "colour")->test, "chi2");
    assert_string_equal(feature(none, "level")->kind, "category");
    assert_true(feature(some, "height")->drifted && feature(some, "colour")->drifted);
    assert_false(feature(some, "level")->drifted);
    assert_false(feature(some, "score")->drifted);
    assert_true(feature(some, "score")->is_missing_drifted);
    assert_true(fabs(feature(some, "height")->mean_difference - 0.5) < 0.1);
    assert_int_equal(some->drifted, 3);
    assert_true(some->joint.is_there && some->joint.classifier.auc > 0.6);
}

/* With enough rows everything is significant: without an effect it is no alarm. */
static void a_tiny_change_is_significant_and_no_drift(void **state)
{
    (void)state;
    const size_t rows = 40000 / memcheck_step(20);
    const made then = {.red = 0.3, .seed = 1, .rows = rows};
    const made now = {.shift = 0.06, .red = 0.3, .seed = 2, .rows = rows};
    TUT_AUTO(tut_drift) d = compare(&then, &now, 0);
    if (!RUNNING_ON_VALGRIND)
        assert_true(feature(d, "height")->q < 0.001);
    assert_false(feature(d, "height")->drifted);
    assert_int_equal(d->drifted, 0);
}

static void too_few_rows_are_not_judged(void **state)
{
    (void)state;
    const made then = {.seed = 1, .rows = 500}, now = {.seed = 2, .rows = 8};
    TUT_AUTO(tut_drift) d = compare(&then, &now, 0);
    assert_false(d->is_enough);
    assert_non_null(strstr(d->why, "8 now"));
}

static void beyond_what_is_kept_a_sample_stands_for_all(void **state)
{
    (void)state;
    const made then = {.red = 0.3, .seed = 1, .rows = 5000};
    const made now = {.shift = 0.5, .red = 0.3, .seed = 2, .rows = 5000};
    TUT_AUTO(tut_drift) d = compare(&then, &now, 5000);
    assert_int_equal(d->rows[0], 5000);
    assert_int_equal(d->kept[0], 1000);
    assert_true(feature(d, "height")->drifted);
    assert_int_equal(d->drifted, 1);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    const made then = {.red = 0.3, .seed = 1, .rows = 300};
    const made now = {.shift = 1, .red = 0.3, .gaps = 0.5, .seed = 2, .rows = 300};
    TUT_AUTO(tut_drift) d = compare(&then, &now, 0);
    TUT_AUTO(tut_drift) again = NULL;
    TUT_CLEAN(tut_buf) first = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) second = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    static const char *const names[] = {"<a>", "b"};
    for (unsigned pass = 0; pass < 2; pass++) {
        TUT_AUTO(tut_json) j = NULL;
        tut_buf *out = pass ? &second : &first;
        assert_true(tut_is_ok(tut_json_new(out, &j)));
        tut_json_object(j);
        tut_drift_json(pass ? again : d, j);
        tut_json_end_object(j);
        assert_true(tut_is_ok(tut_json_finish(j, NULL)));
        if (!pass)
            assert_true(tut_is_ok(tut_drift_read(tut_buf_span(&first), &again, NULL)));
    }
    assert_true(tut_str_eq(tut_buf_str(&first), tut_buf_str(&second)));
    assert_true(tut_is_ok(tut_drift_html(d, names, &page, NULL)));
    assert_non_null(strstr(tut_buf_z(&page), "&lt;a&gt;"));
}

/* --- streams --- */
typedef struct heard {
    tut_buf text;
    size_t count;
    tut_alarm last;
    char kinds[64][16];
} heard;

static tut_status hear(void *ctx, const tut_alarm *a, tut_error *err)
{
    heard *h = ctx;
    (void)err;
    if (h->count < 64)
        (void)snprintf(h->kinds[h->count], 16, "%s", a->kind);
    h->count++;
    h->last = *a;
    tut_alarm_text(a, &h->text);
    tut_buf_add_z(&h->text, "\n");
    return TUT_SUCCESS;
}

static const tut_monitor_options plain = {.series = {.interval = 1e6, .learn = 500}};

typedef struct world {
    heard heard;
    tut_monitor *m;
    tut_events_reader *r;
} world;

static void world_open(world *w, const tut_monitor_options *o, const char *text)
{
    *w = (world){.m = NULL};
    assert_true(tut_is_ok(tut_monitor_new(o, hear, &w->heard, &w->m, NULL)));
    assert_true(tut_is_ok(tut_events_reader_new(w->m, tut_str_of(text), &w->r, NULL)));
}

static void world_done(world *w)
{
    tut_events_reader_free(w->r);
    tut_monitor_free(w->m);
    tut_buf_done(&w->heard.text);
}

static void line(world *w, const char *format, ...) TUT_PRINTF(2, 3);
static void line(world *w, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    int len = vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    assert_true(len >= 0 && (size_t)len < sizeof(text));
    assert_true(tut_is_ok(tut_events_line(w->r, (tut_str){text, (size_t)len}, NULL)));
}

static const tut_series *stream(const world *w, const char *name)
{
    for (size_t i = 0; i < tut_monitor_count(w->m); i++)
        if (strcmp(tut_monitor_at(w->m, i)->name, name) == 0)
            return tut_monitor_at(w->m, i);
    return NULL;
}

static void a_change_is_told_once_and_cleared_once(void **state)
{
    (void)state;
    world w;
    tut_seeded r = tut_seeded_of(1);
    world_open(&w, &plain, NULL);
    for (size_t i = 0; i < 2000; i++)
        line(&w, "{\"stream\":\"x\",\"at\":%zu,\"value\":%.4f}", 1790000000 + i,
             tut_seeded_normal(&r) + (i >= 1000 && i < 1200 ? 3 : 0));
    assert_int_equal(w.heard.count, 2);
    assert_string_equal(w.heard.kinds[0], "up");
    assert_string_equal(w.heard.kinds[1], "cleared");
    assert_non_null(strstr(tut_buf_z(&w.heard.text), "x: up at 2026-09-21T"));
    world_done(&w);
}

static void what_stays_changed_settles_unless_the_first_is_kept(void **state)
{
    (void)state;
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        world w;
        tut_seeded r = tut_seeded_of(2);
        tut_monitor_options o = plain;
        o.series.keeps = keeps;
        world_open(&w, &o, NULL);
        for (size_t i = 0; i < 3000; i++)
            line(&w, "{\"stream\":\"x\",\"value\":%.4f}",
                 tut_seeded_normal(&r) + (i < 800 ? 0 : 4));
        assert_string_equal(w.heard.kinds[0], "up");
        assert_int_equal(stream(&w, "x")->is_open, keeps);
        if (!keeps)
            assert_string_equal(w.heard.kinds[w.heard.count - 1], "settled");
        world_done(&w);
    }
}

static void missing_values_and_silence_are_alarms(void **state)
{
    (void)state;
    world w;
    tut_seeded r = tut_seeded_of(3);
    world_open(&w, &plain, NULL);
    for (size_t i = 0; i < 900; i++)
        line(&w, "{\"stream\":\"x\",\"at\":%zu,\"value\":%.3f}", 1790000000 + i,
             tut_seeded_normal(&r));
    assert_null(stream(&w, "x.missing"));
    for (size_t i = 900; i < 960; i++)
        line(&w, "{\"stream\":\"x\",\"at\":%zu,\"value\":null}", 1790000000 + i);
    assert_non_null(stream(&w, "x.missing"));
    assert_int_equal(stream(&w, "x")->missing, 60);
    assert_int_equal(w.heard.count, 1);
    assert_true(tut_is_ok(tut_monitor_tick(w.m, (1790000960 + 5) * 1000LL, NULL)));
    assert_int_equal(w.heard.count, 1);
    assert_true(tut_is_ok(tut_monitor_tick(w.m, (1790000960 + 600) * 1000LL, NULL)));
    assert_true(tut_is_ok(tut_monitor_tick(w.m, (1790000960 + 900) * 1000LL, NULL)));
    assert_non_null(strstr(tut_buf_z(&w.heard.text), "x: silence"));
    size_t told = w.heard.count;
    line(&w, "{\"stream\":\"x\",\"at\":1790009000,\"value\":0}");
    assert_int_equal(w.heard.count, told + 1);
    assert_string_equal(w.heard.last.kind, "cleared");
    world_done(&w);
}

static void an_hour_that_is_always_busy_is_no_alarm(void **state)
{
    (void)state;
    world w;
    tut_seeded r = tut_seeded_of(4);
    tut_monitor_options o = plain;
    o.series.learn = 24 * 12 * 4;
    world_open(&w, &o, NULL);
    for (size_t i = 0; i < 24 * 12 * 10; i++) {
        double hour = (double)(i / 12 % 24);
        line(&w, "{\"stream\":\"x\",\"at\":%zu,\"value\":%.3f}", 1790035200 + i * 300,
             tut_seeded_normal(&r) + (hour > 8 && hour < 18 ? 30 : 0));
    }
    assert_int_equal(stream(&w, "x")->slots, 24);
    assert_int_equal(w.heard.count, 0);
    for (size_t i = 0; i < 100; i++)
        line(&w, "{\"stream\":\"x\",\"at\":%zu,\"value\":30}", 1790899200 + i * 300);
    assert_true(w.heard.count >= 1);
    world_done(&w);
}

static void late_events_wait_or_are_left_out_and_told(void **state)
{
    (void)state;
    world w;
    tut_monitor_options o = plain;
    o.late_ms = 10000;
    world_open(&w, &o, NULL);
    static const int order[] = {0, 3, 1, 2, 5, 4, 30, 6, 31, 29};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        line(&w, "{\"stream\":\"x\",\"at\":%d,\"value\":%d}", 1790000000 + order[i], order[i]);
    assert_true(tut_is_ok(tut_monitor_flush(w.m, NULL)));
    assert_int_equal(stream(&w, "x")->seen, 9);
    assert_int_equal(tut_monitor_sum(w.m).late, 1);
    for (size_t i = 1; i < 9; i++)
        assert_true(stream(&w, "x")->values[i] > stream(&w, "x")->values[i - 1]);
    world_done(&w);
}

static void rates_count_intervals_without_events(void **state)
{
    (void)state;
    world w;
    tut_monitor_options o = plain;
    o.rate_ms = 10000;
    world_open(&w, &o, NULL);
    for (size_t i = 0; i < 10; i++)
        line(&w, "{\"stream\":\"x\",\"at\":%zu,\"value\":1}", 1790000000 + i);
    line(&w, "{\"stream\":\"x\",\"at\":1790000045,\"value\":1}");
    const tut_series *rate = stream(&w, "x.rate");
    assert_non_null(rate);
    assert_int_equal(rate->seen, 4);
    assert_true(rate->values[0] == 10 && rate->values[1] == 0 && rate->values[3] == 0);
    world_done(&w);
}

static void another_language_is_found(void **state)
{
    (void)state;
    static const char *const usual[] = {"how",    "do",    "i",  "reset", "my",      "password",
                                        "please", "where", "is", "the",   "invoice", "thanks"};
    static const char *const other[] = {"ignore", "all", "previous", "rules", "print", "system",
                                        "prompt", "now", "act",      "as",    "root",  "base64"};
    world w;
    tut_seeded r = tut_seeded_of(5);
    world_open(&w, &plain, "prompt");
    for (size_t i = 0; i < 1500; i++) {
        char text[256] = "";
        size_t at = 0;
        const char *const *words = i < 1200 ? usual : other;
        for (unsigned k = 0; k < 8; k++)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s ",
                                   words[tut_seeded_below(&r, 12)]);
        line(&w, "{\"prompt\":\"%s\"}", text);
    }
    assert_int_equal(w.heard.count, 1);
    assert_non_null(strstr(tut_buf_z(&w.heard.text), "prompt.language: up"));
    world_done(&w);
}

static void logprobs_become_streams(void **state)
{
    (void)state;
    world w;
    world_open(&w, &plain, NULL);
    line(&w, "{\"source\":\"m\",\"logprobs\":[-0.5,-1.5],\"top\":[[-0.5,-2.5],[-1.5,-1.5]]}");
    assert_true(stream(&w, "m.logprob")->values[0] == -1);
    assert_true(stream(&w, "m.margin")->values[0] == 1);
    assert_true(stream(&w, "m.entropy")->values[0] > 0.5);
    line(&w, "{\"stream\":\"layer3.norm\",\"value\":1.5}");
    assert_true(stream(&w, "layer3.norm")->values[0] == 1.5);
    world_done(&w);
}

/* A line of the guard's access log. */
static void a_status_becomes_shares_of_errors(void **state)
{
    (void)state;
    world w;
    world_open(&w, &plain, NULL);
    line(&w, "{\"at\":\"2026-11-29T12:00:00+00:00\",\"method\":\"POST\",\"status\":503,"
             "\"bytes_in\":12,\"took_s\":0.004,\"upstream_s\":\"0.003\"}");
    assert_null(stream(&w, "status"));
    assert_true(stream(&w, "status.5xx")->values[0] == 1);
    assert_true(stream(&w, "status.4xx")->values[0] == 0);
    assert_int_equal(stream(&w, "took_s")->first_ms, 1795953600000);
    world_done(&w);
}

static void tables_and_metrics_are_read(void **state)
{
    (void)state;
    world w;
    world_open(&w, &plain, NULL);
    line(&w, "timestamp,cpu,errors");
    line(&w, "2014-07-01 00:30:00,0.5,1");
    line(&w, "2014-07-01 01:00:00,,2");
    line(&w, "2014-07-01 01:30:00,1");
    assert_int_equal(stream(&w, "cpu")->seen, 2);
    assert_int_equal(stream(&w, "cpu")->missing, 1);
    assert_int_equal(stream(&w, "errors")->first_ms, 1404174600000LL);
    assert_int_equal(tut_events_broken(w.r)->count, 1);
    tut_events_restart(w.r);
    line(&w, "# TYPE requests_total counter");
    line(&w, "requests_total{route=\"a b\"} 10");
    line(&w, "# TYPE temperature gauge");
    line(&w, "temperature 21.5");
    line(&w, "# TYPE requests_total counter");
    line(&w, "requests_total{route=\"a b\"} 17");
    assert_true(stream(&w, "requests_total{route=\"a b\"}")->values[0] == 7);
    assert_true(stream(&w, "temperature")->values[0] == 21.5);
    world_done(&w);
}

static void what_is_no_event_is_counted_and_passed_over(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"stream\":\"x\"", "{}", "{\"stream\":\"x\"}",
                                      "{\"logprobs\":[]}", "{\"a\":[1]}"};
    world w;
    world_open(&w, &plain, NULL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        line(&w, "%s", bad[i]);
    assert_true(tut_is_ok(tut_events_line(w.r, (tut_str){"\xff\xfe{", 3}, NULL)));
    assert_true(tut_is_ok(tut_events_line(w.r, (tut_str){"{\0}", 3}, NULL)));
    assert_int_equal(tut_events_broken(w.r)->count, 7);
    assert_int_equal(tut_monitor_count(w.m), 0);
    world_done(&w);
}

/* --- a state that survives --- */
static void feed(world *w, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        tut_seeded r = tut_seeded_of(i);
        line(w, "{\"at\":%zu,\"x\":%.4f,\"y\":%d}", 1790000000 + 60 * i,
             tut_seeded_normal(&r) + (i >= 900 && i < 1000 ? 2 : 0), tut_seeded_unit(&r) < 0.3);
    }
}

static void after_a_restart_everything_goes_on(void **state)
{
    (void)state;
    static const size_t stops[] = {10, 499, 500, 930, 1010};
    tut_monitor_options o = plain;
    world whole;
    o.series.has_adwin = true;
    world_open(&whole, &o, NULL);
    feed(&whole, 0, 1400);
    assert_true(whole.heard.count > 0);
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        world w;
        TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
        tut_str extra;
        world_open(&w, &o, NULL);
        feed(&w, 0, stops[i]);
        assert_true(tut_is_ok(tut_monitor_save(w.m, TUT_LIT("here"), &bytes, NULL)));
        tut_events_reader_free(w.r);
        tut_monitor_free(w.m);
        assert_true(tut_is_ok(
            tut_monitor_load(tut_buf_span(&bytes), &o, hear, &w.heard, &w.m, &extra, NULL)));
        assert_true(tut_str_eq(extra, TUT_LIT("here")));
        assert_true(tut_is_ok(tut_monitor_save(w.m, extra, &again, NULL)));
        assert_true(tut_str_eq(tut_buf_str(&bytes), tut_buf_str(&again)));
        assert_true(tut_is_ok(tut_events_reader_new(w.m, TUT_LIT(""), &w.r, NULL)));
        feed(&w, stops[i], 1400);
        assert_string_equal(tut_buf_z(&w.heard.text), tut_buf_z(&whole.heard.text));
        world_done(&w);
    }
    world_done(&whole);
}

static void a_state_that_is_cut_or_turned_is_refused_or_sound(void **state)
{
    (void)state;
    world w;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    world_open(&w, &plain, NULL);
    feed(&w, 0, 600);
    assert_true(tut_is_ok(tut_monitor_save(w.m, TUT_LIT(""), &bytes, NULL)));
    for (size_t i = 0; i < bytes.len; i += 7 * memcheck_step(50)) {
        tut_monitor *m = NULL;
        tut_str extra;
        tut_error err = {0};
        assert_false(tut_is_ok(
            tut_monitor_load((tut_span){bytes.data, i}, &plain, hear, &w.heard, &m, &extra, &err)));
        assert_true(err.text[0]);
        bytes.data[i] ^= 0x55;
        if (tut_is_ok(
                tut_monitor_load(tut_buf_span(&bytes), &plain, hear, &w.heard, &m, &extra, NULL)))
            tut_monitor_free(m);
        bytes.data[i] ^= 0x55;
    }
    world_done(&w);
}

static void pictures_are_drawn(void **state)
{
    (void)state;
    world w;
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) spark = TUT_BUF_INIT;
    world_open(&w, &plain, NULL);
    feed(&w, 0, 1400);
    line(&w, "{\"stream\":\"<script>\",\"value\":1}");
    assert_true(tut_is_ok(tut_stream_html(w.m, &page, NULL)));
    assert_null(strstr(tut_buf_z(&page), "<script"));
    assert_non_null(strstr(tut_buf_z(&page), "class=\"alarm\""));
    tut_sparkline(stream(&w, "x"), 30, false, &spark);
    assert_int_equal(spark.len, 30);
    world_done(&w);
}

/* --- files that grow --- */
static void next_line(tut_follow *f, const char *expected)
{
    tut_str text;
    tut_followed what;
    assert_true(tut_is_ok(tut_follow_next(f, &text, &what, NULL)));
    if (!expected) {
        assert_int_equal(what, TUT_FOLLOWED_NONE);
        return;
    }
    assert_int_equal(what, TUT_FOLLOWED_LINE);
    assert_true(tut_str_eq(text, tut_str_of(expected)));
}

static void append(const char *path, const char *mode, const char *text)
{
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void a_file_is_followed_through_rotation_and_cuts(void **state)
{
    (void)state;
    char dir[] = "/tmp/tutela-follow-XXXXXX", path[64], old[64];
    tut_follow f;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    (void)snprintf(old, sizeof(old), "%s/log.1", dir);
    append(path, "w", "one\ntw");
    assert_true(tut_is_ok(tut_follow_open(path, 16, &f, NULL)));
    next_line(&f, "one");
    next_line(&f, NULL);
    assert_int_equal(f.position, 4);
    append(path, "a", "o\n");
    next_line(&f, "two");
    append(path, "a", "three\n");
    assert_int_equal(rename(path, old), 0);
    append(path, "w", "four\n");
    next_line(&f, "three");
    next_line(&f, "four");
    assert_int_equal(f.rotations, 1);
    append(path, "w", "5\n");
    next_line(&f, "5");
    assert_int_equal(f.truncations, 1);
    append(path, "a", "a line that is longer than sixteen bytes\nsix\n");
    next_line(&f, "a line that is longer than sixteen bytes");
    append(path, "a", "another one that has no end as yet, which");
    next_line(&f, "six");
    next_line(&f, NULL);
    append(path, "a", " is here\nseven\n");
    next_line(&f, "seven");
    assert_int_equal(f.cut_lines, 1);
    tut_follow_done(&f);
    (void)unlink(path);
    (void)unlink(old);
    (void)rmdir(dir);
}

/* --- telling --- */
static void commands_are_split_without_a_shell(void **state)
{
    (void)state;
    char *words[TUT_TELL_WORDS + 1];
    char text[] = "  notify --to 'on call' \"a;b $x\"  last";
    char open[] = "a 'b", none[] = "  ";
    assert_true(tut_is_ok(tut_tell_split(text, words, NULL)));
    assert_string_equal(words[0], "notify");
    assert_string_equal(words[2], "on call");
    assert_string_equal(words[3], "a;b $x");
    assert_string_equal(words[4], "last");
    assert_null(words[5]);
    assert_false(tut_is_ok(tut_tell_split(open, words, NULL)));
    assert_false(tut_is_ok(tut_tell_split(none, words, NULL)));
}

/* printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret */
static void a_webhook_is_signed_over_time_and_body(void **state)
{
    (void)state;
    char value[TUT_TELL_SIGNATURE];
    assert_true(
        tut_is_ok(tut_tell_sign(TUT_LIT("secret"), 1700000000, TUT_LIT("{\"a\":1}"), value, NULL)));
    assert_string_equal(
        value, "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686");
}

static void times_are_read(void **state)
{
    (void)state;
    int64_t ms = 0;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"2026-11-29T12:00:00Z", 1795953600000},
                {"2026-11-29 12:00:00", 1795953600000},
                {"2026-11-29T12:00:00.25Z", 1795953600250},
                {"2026-11-29T13:00:00+01:00", 1795953600000},
                {"2026-11-29", 1795910400000},
                {"1795953600", 1795953600000},
                {"1795953600250", 1795953600250}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(tut_events_time(tut_str_of(rows[i].text), &ms));
        assert_int_equal(ms, rows[i].ms);
    }
    assert_false(tut_events_time(TUT_LIT("yesterday"), &ms));
    assert_false(tut_events_time(TUT_LIT("1e300"), &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_changes_are_found_and_nothing_else),
        cmocka_unit_test(a_tiny_change_is_significant_and_no_drift),
        cmocka_unit_test(too_few_rows_are_not_judged),
        cmocka_unit_test(beyond_what_is_kept_a_sample_stands_for_all),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_change_is_told_once_and_cleared_once),
        cmocka_unit_test(what_stays_changed_settles_unless_the_first_is_kept),
        cmocka_unit_test(missing_values_and_silence_are_alarms),
        cmocka_unit_test(an_hour_that_is_always_busy_is_no_alarm),
        cmocka_unit_test(late_events_wait_or_are_left_out_and_told),
        cmocka_unit_test(rates_count_intervals_without_events),
        cmocka_unit_test(another_language_is_found),
        cmocka_unit_test(logprobs_become_streams),
        cmocka_unit_test(a_status_becomes_shares_of_errors),
        cmocka_unit_test(tables_and_metrics_are_read),
        cmocka_unit_test(what_is_no_event_is_counted_and_passed_over),
        cmocka_unit_test(after_a_restart_everything_goes_on),
        cmocka_unit_test(a_state_that_is_cut_or_turned_is_refused_or_sound),
        cmocka_unit_test(pictures_are_drawn),
        cmocka_unit_test(a_file_is_followed_through_rotation_and_cuts),
        cmocka_unit_test(commands_are_split_without_a_shell),
        cmocka_unit_test(a_webhook_is_signed_over_time_and_body),
        cmocka_unit_test(times_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
