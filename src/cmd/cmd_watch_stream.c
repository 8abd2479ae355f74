/* tutela watch stream: values as they come, alarms when they change. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/reader.h"
#include "cmd/watch_sink.h"
#include "crypto/private_file.h"
#include "ledger/post.h"
#include "watch/events.h"
#include "watch/follow.h"
#include "watch/listen.h"
#include "watch/stream_html.h"

static const tut_option options[] = {
    {"--follow", TUT_OPTION_VALUE, "FILE", "read a file that grows, through rotation; else stdin"},
    {"--listen", TUT_OPTION_VALUE, "SOCKET", "take datagrams of lines there: the client's way"},
    {"--scrape", TUT_OPTION_VALUE, "URL", "ask for Prometheus metrics: http://, or unix:SOCKET"},
    {"--every", TUT_OPTION_VALUE, "SECONDS", "how often to ask, 10"},
    {"--for", TUT_OPTION_VALUE, "SECONDS", "end after so long; else at the end of stdin or Ctrl-C"},
    {"--arl", TUT_OPTION_VALUE, "EVENTS", "mean events of a stream between false alarms, 1e6"},
    {"--learn", TUT_OPTION_VALUE, "EVENTS", "what a baseline is learnt from, 2000"},
    {"--rate", TUT_OPTION_VALUE, "SECONDS", "watch events an interval as well"},
    {"--late", TUT_OPTION_VALUE, "SECONDS", "wait so long for events that come late, 0"},
    {"--text", TUT_OPTION_VALUE, "NAME", "a member of texts: is their language another?"},
    {"--trees", TUT_OPTION_FLAG, NULL, "numbers of an object together, by half-space trees"},
    {"--adwin", TUT_OPTION_FLAG, NULL, "watch by ADWIN as well"},
    {"--no-seasons", TUT_OPTION_FLAG, NULL, "do not look for what follows the clock"},
    {"--keep", TUT_OPTION_FLAG, NULL, "keep the first baseline: what stays changed stays an alarm"},
    {"--checkpoint", TUT_OPTION_VALUE, "FILE", "keep what was learnt there, and go on from it"},
    {"--html", TUT_OPTION_VALUE, "FILE", "write a chart of each stream with its alarms"},
    {"--exec", TUT_OPTION_VALUE, "COMMAND", "run for each alarm, with its JSON on stdin; no shell"},
    {"--webhook", TUT_OPTION_VALUE, "URL", "post each alarm there"},
    {"--webhook-key", TUT_OPTION_VALUE, "FILE", "sign what is posted with this secret"},
    {"--syslog", TUT_OPTION_FLAG, NULL, "write alarms to syslog"},
    {"--record", TUT_OPTION_FLAG, NULL, "alarms and the watching itself into the ledger"},
    {"--as", TUT_OPTION_VALUE, "analysis|internal|performance", "what the streams are evidence of"},
    {"--fail-on", TUT_OPTION_VALUE, "SEVERITY",
     "above medium alarms do not make the exit status 1"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum { NOTE_MS = 3600000, SAVE_MS = 10000, WAIT_MS = 200, KEY_MAX = 4096, STATE_MAX = 1 << 30 };

typedef struct stream {
    const tut_args *args;
    tut_monitor_options options;
    tut_watch_sink sink;
    tut_monitor *monitor;
    tut_events_reader *reader;
    tut_follow follow;
    tut_listen listen;
    tut_buf key, state_bytes;
    double every_s, for_s;
    uint64_t started_ms, saved_ms, asked_ms, ticked_ms, noted_ms, unanswered;
    int64_t from_ms;
} stream;

static void stream_done(stream *s)
{
    tut_events_reader_free(s->reader);
    tut_monitor_free(s->monitor);
    tut_follow_done(&s->follow);
    tut_listen_done(&s->listen);
    tut_buf_done(&s->key);
    tut_buf_done(&s->state_bytes);
    tut_watch_sink_done(&s->sink);
}

static int64_t wall_ms(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        return (int64_t)tut_time_now() * 1000;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- options --- */
static tut_status take_number(const tut_args *args, const char *option, double least, double most,
                              double *value, tut_error *err)
{
    const char *text = tut_args_get(args, option);
    char *end = NULL;
    if (!text)
        return TUT_SUCCESS;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= least && v <= most))
        return tut_fail(err, TUT_USAGE, "%s takes a number from %g to %g, not \"%s\"", option,
                        least, most, text);
    *value = v;
    return TUT_SUCCESS;
}

static tut_status take_options(stream *s, tut_error *err)
{
    const tut_args *args = s->args;
    double arl = 1e6, learn = 2000, rate = 0, late = 0;
    s->every_s = 10;
    TUT_TRY(take_number(args, "--arl", 100, 1e12, &arl, err));
    TUT_TRY(take_number(args, "--learn", TUT_BANK_LEAST, TUT_SERIES_LEARN_MAX, &learn, err));
    TUT_TRY(take_number(args, "--rate", 0.001, 1e7, &rate, err));
    TUT_TRY(take_number(args, "--late", 0, 1e6, &late, err));
    TUT_TRY(take_number(args, "--every", 0.1, 86400, &s->every_s, err));
    TUT_TRY(take_number(args, "--for", 0, 1e9, &s->for_s, err));
    s->options = (tut_monitor_options){
        .series = {.interval = arl,
                   .learn = (uint32_t)learn,
                   .has_adwin = tut_args_has(args, "--adwin"),
                   .no_seasons = tut_args_has(args, "--no-seasons"),
                   .keeps = tut_args_has(args, "--keep")},
        .late_ms = (int64_t)(late * 1000),
        .rate_ms = (int64_t)(rate * 1000),
        .has_trees = tut_args_has(args, "--trees"),
    };
    if (!!tut_args_get(args, "--follow") + !!tut_args_get(args, "--scrape") +
            !!tut_args_get(args, "--listen") >
        1)
        return tut_fail(err, TUT_USAGE, "--follow, --listen and --scrape are three ways: take one");
    if (tut_args_get(args, "--webhook-key") && !tut_args_get(args, "--webhook"))
        return tut_fail(err, TUT_USAGE, "--webhook-key signs what goes to --webhook URL");
    return TUT_SUCCESS;
}

static tut_status take_key(stream *s, tut_error *err)
{
    const char *path = tut_args_get(s->args, "--webhook-key");
    if (!path)
        return TUT_SUCCESS;
    TUT_TRY(tut_private_file_read(path, "the webhook's key", KEY_MAX, &s->key, err));
    s->sink.tell.key = tut_str_trim(tut_buf_str(&s->key));
    return s->sink.tell.key.len ? TUT_SUCCESS : tut_fail(err, TUT_USAGE, "%s holds no key", path);
}

/* --- the state --- */
static tut_status load(stream *s, tut_error *err)
{
    const char *path = tut_args_get(s->args, "--checkpoint");
    tut_str extra;
    uint64_t device = 0, inode = 0, position = 0;
    if (!path || !tut_fs_exists(path))
        return tut_monitor_new(&s->options, tut_watch_sink_tell, &s->sink, &s->monitor, err);
    TUT_TRY(tut_fs_read(path, STATE_MAX, &s->state_bytes, err));
    tut_status status = tut_monitor_load(tut_buf_span(&s->state_bytes), &s->options,
                                         tut_watch_sink_tell, &s->sink, &s->monitor, &extra, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, path);
        return status;
    }
    tut_reader r = tut_reader_of(tut_span_of(extra.data, extra.len));
    if (s->follow.path && tut_is_ok(tut_reader_u64le(&r, &device)) &&
        tut_is_ok(tut_reader_u64le(&r, &inode)) && tut_is_ok(tut_reader_u64le(&r, &position)))
        tut_follow_resume(&s->follow, device, inode, position);
    return TUT_SUCCESS;
}

static tut_status save(stream *s, bool at_end, tut_error *err)
{
    const char *path = tut_args_get(s->args, "--checkpoint");
    uint64_t now = tut_clock_ms();
    TUT_CLEAN(tut_buf) extra = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (!path || (!at_end && now - s->saved_ms < SAVE_MS))
        return TUT_SUCCESS;
    s->saved_ms = now;
    if (at_end || s->options.late_ms > 0)
        TUT_TRY(tut_monitor_flush(s->monitor, err));
    tut_buf_add_u64le(&extra, s->follow.device);
    tut_buf_add_u64le(&extra, s->follow.inode);
    tut_buf_add_u64le(&extra, s->follow.position);
    TUT_TRY(tut_monitor_save(s->monitor, tut_buf_str(&extra), &bytes, err));
    return tut_fs_write(path, tut_buf_span(&bytes), 0600, err);
}

/* --- reading --- */
static bool is_over(const stream *s)
{
    return tut_interrupted() ||
           (s->for_s > 0 && (double)(tut_clock_ms() - s->started_ms) >= s->for_s * 1000);
}

/* What follows the clock: of what comes live that of the wall, else that of the events. */
static tut_status tick(stream *s, bool is_live, tut_error *err)
{
    enum { EACH_MS = 1000 };
    uint64_t now = tut_clock_ms();
    int64_t newest = tut_monitor_sum(s->monitor).newest_ms, wall = wall_ms();
    bool is_near = newest != TUT_NO_TIME && llabs(wall - newest) < 86400000LL;
    if (now - s->ticked_ms < EACH_MS)
        return TUT_SUCCESS;
    s->ticked_ms = now;
    if (is_live && (s->noted_ms == 0 || now - s->noted_ms >= NOTE_MS)) {
        bool has_learnt = tut_monitor_sum(s->monitor).learning < tut_monitor_count(s->monitor);
        s->noted_ms = has_learnt ? now : 0;
        TUT_TRY(tut_watch_sink_note(&s->sink, s->monitor, s->from_ms, err));
    }
    if (is_live && is_near)
        return tut_monitor_tick(s->monitor, wall, err);
    return newest == TUT_NO_TIME ? TUT_SUCCESS : tut_monitor_tick(s->monitor, newest, err);
}

static tut_status wait_more(stream *s, tut_error *err)
{
    struct pollfd p = {.fd = s->follow.fd, .events = POLLIN};
    if (s->follow.path)
        (void)usleep(WAIT_MS * 1000);
    else if (poll(&p, 1, WAIT_MS) < 0 && errno != EINTR)
        return tut_fail_errno(err, errno, "standard input");
    return TUT_SUCCESS;
}

static tut_status read_lines(stream *s, tut_error *err)
{
    enum { MANY = 4096 };
    tut_followed what = TUT_FOLLOWED_LINE;
    for (uint64_t lines = 0; what != TUT_FOLLOWED_END && !is_over(s); lines++) {
        tut_str line;
        TUT_TRY(tut_follow_next(&s->follow, &line, &what, err));
        if (what == TUT_FOLLOWED_NONE) {
            TUT_TRY(tick(s, true, err));
            TUT_TRY(save(s, false, err));
            TUT_TRY(wait_more(s, err));
            continue;
        }
        if (s->follow.has_new)
            tut_events_restart(s->reader);
        s->follow.has_new = false;
        if (what == TUT_FOLLOWED_LINE || line.len > 0)
            TUT_TRY(tut_events_line(s->reader, line, err));
        if (lines % MANY == 0) {
            TUT_TRY(tick(s, false, err));
            TUT_TRY(save(s, false, err));
        }
    }
    return TUT_SUCCESS;
}

/* What has no time of its own is of now. */
static tut_status take_page(stream *s, tut_str body, tut_error *err)
{
    tut_events_now(s->reader, wall_ms());
    while (body.len > 0) {
        const char *end = memchr(body.data, '\n', body.len);
        size_t len = end ? (size_t)(end - body.data) : body.len;
        TUT_TRY(tut_events_line(s->reader, (tut_str){body.data, len}, err));
        size_t used = end ? len + 1 : len;
        body = (tut_str){body.data + used, body.len - used};
    }
    return TUT_SUCCESS;
}

static tut_status listen_lines(stream *s, tut_error *err)
{
    while (!is_over(s)) {
        tut_str lines;
        TUT_TRY(tut_listen_next(&s->listen, WAIT_MS, &lines, err));
        if (lines.len > 0)
            TUT_TRY(take_page(s, lines, err));
        TUT_TRY(tick(s, true, err));
        TUT_TRY(save(s, false, err));
    }
    return TUT_SUCCESS;
}

/* A page that is not answered is missing data: the share of answers is a stream of its own. */
static tut_status scrape(stream *s, const char *url, tut_error *err)
{
    enum { TIMEOUT_MS = 10000, FINE = 200 };
    bool is_socket = tut_str_starts(tut_str_of(url), TUT_LIT("unix:"));
    while (!is_over(s)) {
        uint64_t now = tut_clock_ms();
        if (s->asked_ms && (double)(now - s->asked_ms) < s->every_s * 1000) {
            (void)usleep(50000);
            continue;
        }
        tut_error why = {0};
        TUT_CLEAN(tut_posted) answer = {0};
        const tut_post get = {.url = url,
                              .path = is_socket ? "/metrics" : NULL,
                              .method = "GET",
                              .timeout_ms = TIMEOUT_MS};
        s->asked_ms = now;
        tut_status status = tut_post_send(&get, &answer, &why);
        bool is_fine = tut_is_ok(status) && answer.status == FINE;
        if (status.code == TUT_UNSUPPORTED || status.code == TUT_NOMEM)
            return tut_fail(err, status.code, "%s", why.text);
        if (!is_fine && s->unanswered++ == 0)
            fprintf(stderr, "tutela: %s does not answer; watching for it\n", url);
        TUT_TRY(tut_monitor_value(s->monitor, TUT_LIT("scrape.answered"), wall_ms(), is_fine, err));
        if (is_fine)
            TUT_TRY(take_page(s, tut_buf_str(&answer.body), err));
        TUT_TRY(tick(s, true, err));
        TUT_TRY(save(s, false, err));
    }
    return TUT_SUCCESS;
}

static tut_status begin(stream *s, tut_error *err)
{
    const char *file = tut_args_get(s->args, "--follow");
    TUT_TRY(take_options(s, err));
    TUT_TRY(take_key(s, err));
    TUT_TRY(tut_watch_sink_open(s->args, &s->sink, err));
    if (file)
        TUT_TRY(tut_follow_open(file, TUT_EVENTS_LINE, &s->follow, err));
    else if (tut_args_get(s->args, "--listen"))
        TUT_TRY(tut_listen_open(tut_args_get(s->args, "--listen"), &s->listen, err));
    else if (!tut_args_get(s->args, "--scrape"))
        tut_follow_fd(STDIN_FILENO, TUT_EVENTS_LINE, &s->follow);
    TUT_TRY(load(s, err));
    s->started_ms = s->saved_ms = tut_clock_ms();
    s->from_ms = wall_ms();
    return tut_events_reader_new(s->monitor, tut_str_of(tut_args_get(s->args, "--text")),
                                 &s->reader, err);
}

static tut_status finish(stream *s, tut_error *err)
{
    const char *html = tut_args_get(s->args, "--html");
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    TUT_TRY(tut_monitor_flush(s->monitor, err));
    int64_t newest = tut_monitor_sum(s->monitor).newest_ms;
    if (newest != TUT_NO_TIME)
        TUT_TRY(tut_monitor_tick(s->monitor, newest, err));
    TUT_TRY(save(s, true, err));
    if (html) {
        TUT_TRY(tut_stream_html(s->monitor, &page, err));
        TUT_TRY(tut_fs_write(html, tut_buf_span(&page), 0644, err));
    }
    return tut_watch_sink_close(&s->sink, s->monitor, s->from_ms, err);
}

static void say_broken(const stream *s)
{
    const tut_events_defects *d = tut_events_broken(s->reader);
    if (d->count)
        fprintf(stderr, "tutela: %llu lines are no events, the first is line %llu: %s\n",
                (unsigned long long)d->count, (unsigned long long)d->first_line, d->detail);
    if (s->follow.cut_lines)
        fprintf(stderr, "tutela: %llu lines of more than a megabyte were passed over\n",
                (unsigned long long)s->follow.cut_lines);
    if (s->follow.truncations)
        fprintf(stderr, "tutela: the file was cut back %llu times\n",
                (unsigned long long)s->follow.truncations);
    if (s->sink.tell.failed)
        fprintf(stderr, "tutela: %llu alarms could not be told: %s\n",
                (unsigned long long)s->sink.tell.failed, s->sink.tell.why);
    if (tut_monitor_sum(s->monitor).refused)
        fprintf(stderr, "tutela: more than %d streams; the rest was left out\n",
                TUT_MONITOR_STREAMS);
}

static int exit_of(const stream *s)
{
    tut_monitor_sums sums = tut_monitor_sum(s->monitor);
    if (s->sink.alarms > 0)
        return s->sink.fail_on_alarms ? TUT_EXIT_FOUND : TUT_EXIT_OK;
    return sums.learning == tut_monitor_count(s->monitor) ? TUT_EXIT_DOUBT : TUT_EXIT_OK;
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(stream_done)))
    stream s = {.args = args, .follow = {.fd = -1}, .listen = {.fd = -1}};
    const char *url = tut_args_get(args, "--scrape");
    tut_error err = {0};
    tut_interrupt_install();
    tut_status status = begin(&s, &err);
    if (tut_is_ok(status))
        status = url                ? scrape(&s, url, &err)
                 : s.listen.fd >= 0 ? listen_lines(&s, &err)
                                    : read_lines(&s, &err);
    if (tut_is_ok(status))
        status = finish(&s, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    say_broken(&s);
    return tut_cmd_output(&s.sink.out, exit_of(&s));
}

const tut_command tut_cmd_watch_stream = {
    .name = "watch stream",
    .summary = "Alarms when values that come one after another change",
    .help =
        "Events are lines of JSON, CSV with a header, or Prometheus text, on standard input, from "
        "a file that grows, or asked for. Each stream learns first, then is watched; an alarm is "
        "raised once and cleared when all is back. Missing values and silence are alarms too.\n"
        "\n"
        "  tutela watch stream --follow access.log --rate 60 --checkpoint state --html chart.html",
    .formats = "table json jsonl",
    .options = options,
    .run = run,
};
