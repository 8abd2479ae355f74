/* The requests of target_http.h: each has a slot, and waits there, or flies. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "base/limits.h"
#include "base/time.h"
#include "probe/target_http_internal.h"
#include "stats/random.h"

enum {
    BACKOFF_MS = 200,
    BACKOFF_MOST_MS = 20000,
    LATER_MOST_S = 300, /* a service that says to come back later than that is not waited for */
    POLL_MS = 200,      /* how soon Ctrl-C is noticed */
    DEAD_LEAST = 8
};

void http_land(tut_http *h, http_slot *s)
{
    if (s->state == SLOT_FLYING)
        (void)h->api->curl_multi_remove_handle(h->multi, s->handle);
    s->state = SLOT_FREE;
}

/* --- one request --- */
static bool is_event_stream(const tut_http *h, CURL *handle)
{
    const char *type = NULL;
    (void)h->api->curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
    return type && tut_str_starts(tut_str_of(type), TUT_LIT("text/event-stream"));
}

static size_t take_bytes(char *data, size_t size, size_t count, void *ctx)
{
    http_slot *s = ctx;
    if (!s->was_checked) {
        s->was_checked = true;
        s->is_stream = is_event_stream(s->http, s->handle);
    }
    if (s->is_stream)
        return 0;
    tut_buf_add(&s->answer, data, size * count); /* capped: what does not fit makes it fail */
    return s->answer.failed == TUT_OK ? size * count : 0;
}

#define SET(option, value) (h->api->curl_easy_setopt(handle, option, value) == CURLE_OK)

static tut_status fly(tut_http *h, http_slot *s, const http_job *job, tut_error *err)
{
    CURL *handle = s->handle;
    tut_buf_clear(&s->answer);
    s->why[0] = '\0';
    s->was_checked = s->is_stream = false;
    bool is_set = SET(CURLOPT_URL, job->url) && SET(CURLOPT_WRITEFUNCTION, take_bytes) &&
                  SET(CURLOPT_WRITEDATA, s) && SET(CURLOPT_PRIVATE, s) &&
                  SET(CURLOPT_ERRORBUFFER, s->why) &&
                  (job->is_get ? SET(CURLOPT_HTTPGET, 1L)
                               : SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDS, s->body.data) &&
                                     SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.len));
    if (!is_set || h->api->curl_multi_add_handle(h->multi, handle) != CURLM_OK)
        return tut_fail(err, TUT_USAGE, "%s is no address that this works with", h->shown);
    s->state = SLOT_FLYING;
    s->begun = tut_clock_ms();
    s->tries++;
    tut_allowance_spend_many(h->allowance, s->ask.queries);
    h->tokens -= (double)s->ask.queries;
    return TUT_SUCCESS;
}
#undef SET

/* --- what came of it --- */
/* What to do about it, where the words of TLS do not say so. */
static const char *hint(const char *why)
{
    static const struct {
        const char *says, *hint;
    } hints[] = {{"issuer certificate", "; where its CA is your own, name the CA's file (ca_file)"},
                 {"self-signed", "; where its CA is your own, name the CA's file (ca_file)"},
                 {"SSL_ERROR_SYSCALL", "; it closed the connection amid the handshake"},
                 {"unexpected eof", "; it closed the connection amid the handshake"},
                 {"wrong version number", "; it does not speak TLS: http:// instead of https://?"}};
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (strstr(why, hints[i].says))
            return hints[i].hint;
    return "";
}

static void describe_break(const tut_http *h, const http_slot *s, CURLcode code, http_answer *a)
{
    const char *why = s->why[0] ? s->why : h->api->curl_easy_strerror(code);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (code == CURLE_OPERATION_TIMEDOUT)
        tut_buf_add_z(&text,
                      a->fate == HTTP_CUT ? "it was not whole in time" : "no answer in time");
    else
        tut_buf_add_escaped(&text, tut_str_of(why), 90);
    tut_buf_add_z(&text, hint(why));
    const char *z = tut_buf_z(&text);
    (void)snprintf(a->problem, sizeof(a->problem), "%s%s",
                   a->fate == HTTP_CUT ? "an answer broke off: " : "", z ? z : why);
}

/* Where it redirects to, without what may be a key behind a question mark. */
static bool describe_redirect(const tut_http *h, const http_slot *s, http_answer *a)
{
    const char *to = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)h->api->curl_easy_getinfo(s->handle, CURLINFO_REDIRECT_URL, &to);
    if (!to)
        return false;
    tut_buf_add_escaped(&text, (tut_str){to, strcspn(to, "?#")}, 90);
    const char *z = tut_buf_z(&text);
    (void)snprintf(a->problem, sizeof(a->problem), "HTTP %d to %s, which is not followed",
                   a->status, z ? z : "");
    return true;
}

static void describe(const tut_http *h, const http_slot *s, CURLcode code, http_answer *a)
{
    if (s->is_stream)
        a->fate = HTTP_STREAM;
    else if (s->answer.failed == TUT_LIMIT)
        a->fate = HTTP_TOO_LARGE;
    else if (code != CURLE_OK)
        a->fate = a->status > 0 && s->answer.len > 0 ? HTTP_CUT : HTTP_SILENT;
    switch (a->fate) {
    case HTTP_STREAM:
        (void)snprintf(a->problem, sizeof(a->problem), "it streams where no stream was asked for");
        break;
    case HTTP_TOO_LARGE:
        (void)snprintf(a->problem, sizeof(a->problem), "an answer is larger than %u MiB",
                       TUT_LIMIT_PROBE_ANSWER_BYTES >> 20);
        break;
    case HTTP_CUT:
    case HTTP_SILENT:
        describe_break(h, s, code, a);
        break;
    case HTTP_ANSWERED:
        if (a->status < 300 || (a->status < 400 && describe_redirect(h, s, a)))
            break;
        TUT_CLEAN(tut_buf) reason = TUT_BUF_INIT;
        http_reason(a->body, &reason);
        (void)snprintf(a->problem, sizeof(a->problem), "HTTP %d: %.*s", a->status, (int)reason.len,
                       reason.data ? (const char *)reason.data : "");
        break;
    }
}

static http_answer answer_of(const tut_http *h, const http_slot *s, CURLcode code)
{
    long status = 0;
    (void)h->api->curl_easy_getinfo(s->handle, CURLINFO_RESPONSE_CODE, &status);
    http_answer a = {.fate = HTTP_ANSWERED,
                     .status = (int)status,
                     .body = tut_buf_span(&s->answer),
                     .ms = (uint32_t)(tut_clock_ms() - s->begun)};
    describe(h, s, code, &a);
    return a;
}

/* How long to wait before it is tried again; 0: it is not. */
static uint64_t wait_before_next(tut_http *h, const http_slot *s, CURLcode code,
                                 const http_answer *a, bool is_once)
{
    curl_off_t later = 0;
    bool says_later = a->fate == HTTP_ANSWERED &&
                      (a->status == 429 || (a->status == 503 && !is_once));
    bool is_silent = a->fate == HTTP_SILENT && code != CURLE_OPERATION_TIMEDOUT &&
                     code != CURLE_PEER_FAILED_VERIFICATION && !is_once;
    if ((!says_later && !is_silent) || s->tries >= h->tries)
        return 0;
    (void)h->api->curl_easy_getinfo(s->handle, CURLINFO_RETRY_AFTER, &later);
    if (says_later && later > 0)
        return later > LATER_MOST_S ? 0
                                    : (uint64_t)later * 1000 + tut_random_below(&h->random, 250);
    double wait = fmin(BACKOFF_MOST_MS, BACKOFF_MS * ldexp(1, (int)s->tries - 1));
    return (uint64_t)(wait * (0.5 + tut_random_unit(&h->random))) + 1;
}

static tut_status note_silence(tut_http *h, const http_answer *a, tut_error *err)
{
    if (a->fate != HTTP_SILENT) {
        h->silent = 0;
        h->has_answered = true;
        return TUT_SUCCESS;
    }
    unsigned most = h->slot_count > DEAD_LEAST ? (unsigned)h->slot_count : DEAD_LEAST;
    h->silent++;
    if (!h->has_answered)
        return tut_fail(err, TUT_IO, "%s cannot be asked: %s", h->shown, a->problem);
    if (h->silent >= most)
        return tut_fail(err, TUT_IO, "%s no longer answers: %s", h->shown, a->problem);
    return TUT_SUCCESS;
}

static tut_status finish(tut_http *h, http_slot *s, CURLcode code, const http_job *job,
                         tut_error *err)
{
    http_answer a = answer_of(h, s, code);
    uint64_t wait = wait_before_next(h, s, code, &a, job->is_once);
    http_land(h, s);
    if (wait > 0 && tut_allowance_left(h->allowance, s->ask.queries) >= s->ask.queries) {
        s->state = SLOT_WAITING;
        s->due = tut_clock_ms() + wait;
        if (a.status == 429 && s->due > h->paused_until)
            h->paused_until = s->due; /* it is too much for it, whoever asks */
        return TUT_SUCCESS;
    }
    TUT_TRY(job->take(job->ctx, &s->ask, &a, err));
    return job->is_once ? TUT_SUCCESS : note_silence(h, &a, err);
}

/* --- the loop --- */
static void fill_bucket(tut_http *h, uint64_t now)
{
    double most = fmax(1, h->per_second / 10);
    if (h->per_second <= 0)
        return;
    h->tokens = fmin(most, h->tokens + h->per_second * (double)(now - h->filled) / 1000);
    h->filled = now;
}

static uint64_t may_fly_at(const tut_http *h, const http_slot *s, uint64_t now)
{
    uint64_t at = s->due > h->paused_until ? s->due : h->paused_until;
    if (h->per_second > 0 && h->tokens < 1) {
        uint64_t full = now + (uint64_t)((1 - h->tokens) / h->per_second * 1000) + 1;
        at = at > full ? at : full;
    }
    return at;
}

typedef struct pass { /* over all slots */
    bool is_empty;    /* there is nothing left to ask */
    size_t waiting, flying;
    uint64_t next; /* when the first that waits may fly */
} pass;

static tut_status fill_slot(tut_http *h, http_slot *s, const http_job *job, pass *p, tut_error *err)
{
    uint64_t room = tut_allowance_left(h->allowance, UINT64_MAX);
    if (s->state != SLOT_FREE || p->is_empty)
        return TUT_SUCCESS;
    if (room == 0) {
        p->is_empty = true;
        return TUT_SUCCESS;
    }
    tut_buf_clear(&s->body);
    s->ask = (http_ask){.queries = 0};
    TUT_TRY(job->make(job->ctx, room, &s->ask, &s->body, err));
    TUT_TRY(tut_buf_check(&s->body, err));
    p->is_empty = s->ask.queries == 0;
    if (!p->is_empty) {
        s->state = SLOT_WAITING;
        s->tries = 0;
        s->due = 0;
    }
    return TUT_SUCCESS;
}

static tut_status start_all(tut_http *h, const http_job *job, pass *p, tut_error *err)
{
    uint64_t now = tut_clock_ms();
    p->waiting = p->flying = 0;
    p->next = UINT64_MAX;
    fill_bucket(h, now);
    for (size_t i = 0; i < h->slot_count; i++) {
        http_slot *s = &h->slots[i];
        TUT_TRY(fill_slot(h, s, job, p, err));
        if (s->state == SLOT_WAITING) {
            uint64_t at = may_fly_at(h, s, now);
            if (at <= now)
                TUT_TRY(fly(h, s, job, err));
            else if (at < p->next)
                p->next = at;
        }
        p->waiting += s->state == SLOT_WAITING;
        p->flying += s->state == SLOT_FLYING;
    }
    return TUT_SUCCESS;
}

static tut_status collect(tut_http *h, const http_job *job, bool *ret_any, tut_error *err)
{
    int running = 0, left = 0;
    CURLMsg *m = NULL;
    *ret_any = false;
    (void)h->api->curl_multi_perform(h->multi, &running);
    while ((m = h->api->curl_multi_info_read(h->multi, &left))) {
        http_slot *s = NULL;
        CURLcode code = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        (void)h->api->curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        TUT_TRY(finish(h, s, code, job, err));
        *ret_any = true;
    }
    return TUT_SUCCESS;
}

static tut_status loop(tut_http *h, const http_job *job, tut_error *err)
{
    pass p = {.is_empty = false};
    bool any = false;
    for (;;) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(start_all(h, job, &p, err));
        if (p.waiting + p.flying == 0)
            return TUT_SUCCESS;
        TUT_TRY(collect(h, job, &any, err));
        uint64_t now = tut_clock_ms(), wait = POLL_MS;
        if (p.next <= now + POLL_MS)
            wait = p.next > now ? p.next - now : 0;
        if (!any)
            (void)h->api->curl_multi_poll(h->multi, NULL, 0, (int)wait, NULL);
    }
}

tut_status http_run(tut_http *h, const http_job *job, tut_error *err)
{
    tut_status s = loop(h, job, err);
    for (size_t i = 0; i < h->slot_count; i++)
        http_land(h, &h->slots[i]); /* what was broken off counts as not asked */
    return s;
}
