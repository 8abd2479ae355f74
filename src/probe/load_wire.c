#include "probe/load_wire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cage.h"
#include "base/time.h"
#include "probe/target_http.h"

enum {
    GOOD_EVERY_MS = 50,
    GOOD_MOST = 128, /* under way at once; one that finds no room was not served */
    FLOOD_MOST = 512,
    ANSWER_MOST = 4 << 20,
    DRIP_MS = 1000, /* between two bytes of a slow sender */
    REFUSED_PAUSE_MS = 10,
    STREAMS = 4,
    STREAM_PAUSE_MS = 250,
    STREAM_MOST_MS = 60000,
    POLL_MS = 10
};

typedef struct client {
    load_wire *wire;
    CURL *handle;
    bool is_good, is_stream, is_flying, is_paused;
    const load_flood *flood;
    uint64_t given;     /* bytes of the body so far */
    uint64_t due, drip; /* tut_clock_ms(); due: of a good one when it was to be sent */
    tut_buf answer;     /* of a good one, or a stream */
} client;

struct load_wire {
    const tut_curl *api;
    tut_http *http, *flood_http;
    bool flood_has_key;
    CURLM *multi;
    tut_allowance *allowance;
    tut_str normal;
    tut_str stream;
    client good[GOOD_MOST], floods[FLOOD_MOST], streams[STREAMS];
    uint32_t limit_ms;
    uint64_t begun, last_served; /* tut_clock_ms(); 0: none yet */
    load_tally *tally;
};

/* --- tallies --- */
void load_tally_done(load_tally *t)
{
    tut_free(t->ms);
    *t = (load_tally){.sent = 0};
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double load_tally_percentile(load_tally *t, double share)
{
    if (t->ms_count == 0)
        return NAN;
    qsort(t->ms, t->ms_count, sizeof(*t->ms), by_size);
    size_t at = (size_t)(share * (double)t->ms_count);
    return t->ms[at < t->ms_count ? at : t->ms_count - 1];
}

void load_tally_words(const load_tally *t, tut_buf *to)
{
    const char *between = "";
    for (unsigned i = 0; i < LOAD_STATUSES; i++) {
        if (t->statuses[i] == 0)
            continue;
        if (i > 0)
            tut_buf_printf(to, "%sHTTP %u", between, i);
        else
            tut_buf_printf(to, "%sno answer in time", between);
        tut_buf_printf(to, " %u times", t->statuses[i]);
        between = ", ";
    }
}

static void count_good(load_wire *w, const client *c, long status, bool is_served)
{
    load_tally *t = w->tally;
    uint64_t now = tut_clock_ms();
    double ms = (double)(now - c->due);
    if (!is_served || ms > w->limit_ms) {
        t->statuses[!is_served && status > 0 && status < LOAD_STATUSES ? status : 0]++;
        return;
    }
    t->served++;
    if (t->first_served_ms == UINT64_MAX)
        t->first_served_ms = now - w->begun;
    if (w->last_served && now - w->last_served > t->gap_ms)
        t->gap_ms = now - w->last_served;
    w->last_served = now;
    if (tut_is_ok(tut_grow(&t->ms, t->ms_count, &t->ms_capacity, sizeof(*t->ms))))
        t->ms[t->ms_count++] = ms;
}

/* --- what libcurl calls --- */
static size_t take_bytes(char *data, size_t size, size_t count, void *ctx)
{
    client *c = ctx;
    if (c->flood && c->flood->pace == LOAD_SLOW_READER)
        return CURL_WRITEFUNC_PAUSE; /* and it never goes on: what comes fills the way to here */
    if (c->is_good || c->is_stream)
        tut_buf_add(&c->answer, data, size * count);
    return c->answer.failed != TUT_OK ? 0 : size * count;
}

static size_t give_bytes(char *to, size_t size, size_t count, void *ctx)
{
    client *c = ctx;
    size_t most = size * count, text = c->flood->body.len;
    uint64_t left = c->flood->length - c->given;
    if (c->flood->pace == LOAD_SLOW_SENDER) {
        if (tut_clock_ms() < c->drip) {
            c->is_paused = true;
            return CURL_READFUNC_PAUSE;
        }
        c->drip = tut_clock_ms() + DRIP_MS;
        most = 1;
    }
    most = most < left ? most : (size_t)left;
    for (size_t i = 0; i < most; i++)
        to[i] = c->given + i < text ? c->flood->body.data[c->given + i] : ' ';
    c->given += most;
    return most;
}

/* A reader that takes little has little room. */
static int shrink(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    int bytes = 2048;
    (void)ctx, (void)purpose;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    return CURL_SOCKOPT_OK;
}

/* --- opening --- */
static tut_status make_client(load_wire *w, client *c, bool is_good, tut_error *err)
{
    const tut_curl *api = w->api;
    c->wire = w;
    c->is_good = is_good;
    c->handle = api->curl_easy_init();
    if (!c->handle)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_buf_init(&c->answer, ANSWER_MOST);
    TUT_TRY(
        http_equip(is_good ? w->http : w->flood_http, c->handle, is_good || w->flood_has_key, err));
    bool is_set = api->curl_easy_setopt(c->handle, CURLOPT_PRIVATE, c) == CURLE_OK &&
                  api->curl_easy_setopt(c->handle, CURLOPT_WRITEFUNCTION, take_bytes) == CURLE_OK &&
                  api->curl_easy_setopt(c->handle, CURLOPT_WRITEDATA, c) == CURLE_OK &&
                  api->curl_easy_setopt(c->handle, CURLOPT_POST, 1L) == CURLE_OK;
    /* From another address of this machine, so that a limit by address tells them apart. */
    if (is_set && !is_good && http_is_loopback(w->flood_http))
        is_set = api->curl_easy_setopt(c->handle, CURLOPT_INTERFACE, "host!127.0.0.2") == CURLE_OK;
    return is_set ? TUT_SUCCESS : tut_fail(err, TUT_BUG, "libcurl takes an option no more");
}

tut_status load_wire_open(tut_probe *p, tut_str normal, load_wire **ret_wire, tut_error *err)
{
    load_wire *w = tut_alloc_array(1, sizeof(*w));
    if (!w)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    w->http = tut_target_http(p->target);
    w->flood_http = p->flooding ? tut_target_http(p->flooding) : NULL;
    w->flood_has_key = w->flood_http && http_has_key(w->flood_http);
    w->flood_http = w->flood_http ? w->flood_http : w->http;
    w->api = http_api(w->http);
    w->allowance = p->target->allowance;
    w->normal = normal;
    w->limit_ms = http_timeout_ms(w->http);
    w->multi = w->api->curl_multi_init();
    tut_status s = w->multi ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(s))
        (void)w->api->curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, (long)GOOD_MOST);
    for (size_t i = 0; tut_is_ok(s) && i < GOOD_MOST; i++)
        s = make_client(w, &w->good[i], true, err);
    if (!tut_is_ok(s)) {
        load_wire_free(w);
        return s;
    }
    *ret_wire = w;
    return TUT_SUCCESS;
}

static void land(load_wire *w, client *c)
{
    if (c->is_flying)
        (void)w->api->curl_multi_remove_handle(w->multi, c->handle);
    c->is_flying = c->is_paused = false;
}

static void free_client(load_wire *w, client *c)
{
    if (!c->handle)
        return;
    land(w, c);
    w->api->curl_easy_cleanup(c->handle);
    tut_buf_done(&c->answer);
    *c = (client){.wire = NULL};
}

void load_wire_free(load_wire *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < GOOD_MOST; i++)
        free_client(w, &w->good[i]);
    for (size_t i = 0; i < FLOOD_MOST; i++)
        free_client(w, &w->floods[i]);
    for (size_t i = 0; i < STREAMS; i++)
        free_client(w, &w->streams[i]);
    if (w->multi)
        (void)w->api->curl_multi_cleanup(w->multi);
    tut_free(w);
}

void load_wire_limit(load_wire *w, uint32_t ms)
{
    w->limit_ms = ms;
}

void load_wire_stream(load_wire *w, tut_str body)
{
    w->stream = body;
    for (size_t i = 0; body.len == 0 && i < STREAMS; i++)
        free_client(w, &w->streams[i]);
}

/* --- sending --- */
#define SET(option, value) (w->api->curl_easy_setopt(c->handle, option, value) == CURLE_OK)

static tut_status fly(load_wire *w, client *c, bool is_set, tut_error *err)
{
    if (!is_set || w->api->curl_multi_add_handle(w->multi, c->handle) != CURLM_OK)
        return tut_fail(err, TUT_BUG, "libcurl takes an option no more");
    c->is_flying = true;
    tut_allowance_spend_many(w->allowance, 1);
    return TUT_SUCCESS;
}

static tut_status send_good(load_wire *w, uint64_t due, tut_error *err)
{
    w->tally->sent++;
    for (size_t i = 0; i < GOOD_MOST; i++) {
        client *c = &w->good[i];
        if (c->is_flying)
            continue;
        tut_buf_clear(&c->answer);
        c->due = due;
        return fly(w, c,
                   SET(CURLOPT_POSTFIELDS, w->normal.data) &&
                       SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)w->normal.len) &&
                       SET(CURLOPT_TIMEOUT_MS, (long)w->limit_ms + 100),
                   err);
    }
    w->tally->statuses[0]++;
    return TUT_SUCCESS;
}

static tut_status send_flood(load_wire *w, client *c, const load_flood *f, tut_error *err)
{
    bool is_plain = f->pace != LOAD_SLOW_SENDER && f->length == f->body.len;
    bool is_new = f->pace == LOAD_BURST;
    c->flood = f;
    c->given = 0;
    c->drip = 0;
    w->tally->floods++;
    bool is_set = SET(CURLOPT_POSTFIELDS, is_plain ? f->body.data : NULL) &&
                  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->length) &&
                  SET(CURLOPT_TIMEOUT_MS, 600000L) && SET(CURLOPT_FRESH_CONNECT, (long)is_new) &&
                  SET(CURLOPT_FORBID_REUSE, (long)is_new);
    if (is_set && !is_plain)
        is_set = SET(CURLOPT_READFUNCTION, give_bytes) && SET(CURLOPT_READDATA, c);
    if (is_set && f->pace == LOAD_SLOW_READER)
        is_set = SET(CURLOPT_BUFFERSIZE, 1024L) && SET(CURLOPT_SOCKOPTFUNCTION, shrink);
    return fly(w, c, is_set, err);
}

static tut_status send_streams(load_wire *w, tut_error *err)
{
    uint64_t now = tut_clock_ms();
    for (size_t i = 0; w->stream.len && i < STREAMS; i++) {
        client *c = &w->streams[i];
        if (!c->handle)
            TUT_TRY(make_client(w, c, true, err));
        c->is_good = false;
        c->is_stream = true;
        if (c->is_flying || now < c->due || tut_allowance_is_spent(w->allowance))
            continue;
        tut_buf_clear(&c->answer);
        TUT_TRY(fly(w, c,
                    SET(CURLOPT_POSTFIELDS, w->stream.data) &&
                        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)w->stream.len) &&
                        SET(CURLOPT_TIMEOUT_MS, (long)STREAM_MOST_MS),
                    err));
    }
    return TUT_SUCCESS;
}
#undef SET

/* The floods leave room for the good ones in what may be spent. */
static bool may_flood(const load_wire *w)
{
    return tut_allowance_left(w->allowance, 1000) == 1000;
}

static tut_status send_floods(load_wire *w, const load_flood *f, uint64_t *next_burst,
                              tut_error *err)
{
    uint64_t now = tut_clock_ms();
    bool is_burst = f->pace == LOAD_BURST;
    if (!may_flood(w) || (is_burst && now < *next_burst))
        return TUT_SUCCESS;
    if (is_burst)
        *next_burst = now + 1000;
    for (size_t i = 0; i < f->clients && i < FLOOD_MOST; i++) {
        client *c = &w->floods[i];
        if (!c->handle)
            TUT_TRY(make_client(w, c, false, err));
        if (!c->is_flying && (is_burst || now >= c->due))
            TUT_TRY(send_flood(w, c, f, err));
    }
    return TUT_SUCCESS;
}

/* --- what comes back --- */
static bool is_answer(const client *c)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (!tut_is_ok(tut_json_parse(tut_buf_span(&c->answer), NULL, &doc, NULL)))
        return false;
    const tut_json_value *root = tut_json_root(doc);
    return tut_json_count(tut_json_get(root, "outputs")) +
               tut_json_count(tut_json_get(root, "choices")) >
           0;
}

static bool holds(tut_str text, const char *word)
{
    size_t at = 0;
    return tut_str_find(text, tut_str_of(word), &at);
}

static void count_stream(load_streams *s, const client *c, CURLcode code, long status)
{
    tut_str text = tut_buf_str(&c->answer);
    if (status != 200 || (code != CURLE_OK && text.len == 0))
        s->not_begun++;
    else if (holds(text, "\"error\":{") || holds(text, "\"error\": {"))
        s->told++;
    else if (code != CURLE_OK)
        s->broken++;
    else if (holds(text, "data: [DONE]") || holds(text, "data:[DONE]"))
        s->whole++;
    else
        s->silent++;
}

static void finish(load_wire *w, client *c, CURLcode code)
{
    long status = 0;
    (void)w->api->curl_easy_getinfo(c->handle, CURLINFO_RESPONSE_CODE, &status);
    land(w, c);
    if (c->is_stream) {
        count_stream(&w->tally->streams, c, code, status);
        c->due = tut_clock_ms() + STREAM_PAUSE_MS;
        return;
    }
    if (c->is_good) {
        bool is_whole = code == CURLE_OK;
        count_good(w, c, is_whole ? status : 0, is_whole && status == 200 && is_answer(c));
        return;
    }
    bool is_refused = status >= 400 && status < 600;
    w->tally->floods_refused += is_refused;
    w->tally->floods_answered += code == CURLE_OK && !is_refused;
    w->tally->floods_dropped += code != CURLE_OK && !is_refused;
    c->due = tut_clock_ms() + (code != CURLE_OK || is_refused ? REFUSED_PAUSE_MS : 0);
}

static void collect(load_wire *w)
{
    int running = 0, left = 0;
    CURLMsg *m = NULL;
    (void)w->api->curl_multi_perform(w->multi, &running);
    while ((m = w->api->curl_multi_info_read(w->multi, &left))) {
        client *c = NULL;
        CURLcode code = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        (void)w->api->curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        finish(w, c, code);
    }
}

/* Those whose next byte is due. */
static void wake_senders(load_wire *w)
{
    uint64_t now = tut_clock_ms();
    for (size_t i = 0; i < FLOOD_MOST; i++) {
        client *c = &w->floods[i];
        if (!c->is_paused || now < c->drip)
            continue;
        c->is_paused = false;
        (void)w->api->curl_easy_pause(c->handle, CURLPAUSE_CONT);
    }
}

/* --- a phase --- */
static bool has_good(const load_wire *w)
{
    for (size_t i = 0; i < GOOD_MOST; i++)
        if (w->good[i].is_flying)
            return true;
    return false;
}

static tut_status loop(load_wire *w, const load_flood *flood, uint32_t ms,
                       bool (*is_over)(void *, const load_tally *), void *ctx, tut_error *err)
{
    uint64_t next = w->begun, next_burst = 0, end = w->begun + ms;
    for (;;) {
        uint64_t now = tut_clock_ms();
        bool is_open = now < end && !(is_over && is_over(ctx, w->tally));
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        if (!is_open && !has_good(w)) /* each good one gets its time, under the flood */
            return TUT_SUCCESS;
        for (; is_open && next <= now; next += GOOD_EVERY_MS) {
            if (tut_allowance_is_spent(w->allowance))
                return TUT_SUCCESS;
            TUT_TRY(send_good(w, next, err));
        }
        TUT_TRY(send_streams(w, err));
        if (flood)
            TUT_TRY(send_floods(w, flood, &next_burst, err));
        wake_senders(w);
        collect(w);
        now = tut_clock_ms();
        int wait = is_open && next <= now + POLL_MS ? (int)(next > now ? next - now : 0) : POLL_MS;
        (void)w->api->curl_multi_poll(w->multi, NULL, 0, wait, NULL);
    }
}

tut_status load_wire_phase(load_wire *w, const load_flood *flood, uint32_t ms,
                           bool (*is_over)(void *ctx, const load_tally *t), void *ctx,
                           load_tally *ret_tally, tut_error *err)
{
    *ret_tally = (load_tally){.first_served_ms = UINT64_MAX};
    w->tally = ret_tally;
    w->begun = tut_clock_ms();
    tut_status s = loop(w, flood, ms, is_over, ctx, err);
    for (size_t i = 0; i < FLOOD_MOST; i++)
        free_client(w, &w->floods[i]);
    for (size_t i = 0; i < GOOD_MOST; i++)
        land(w, &w->good[i]);
    return s;
}
