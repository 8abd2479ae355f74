#include "probe/target_http.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/limits.h"
#include "base/time.h"
#include "crypto/key.h"
#include "stats/random.h"

enum {
    CONCURRENCY = 8,
    CONCURRENCY_MAX = 1024,
    TIMEOUT_MS = 60000,
    CONNECT_MS = 10000,
    TRIES = 5,
    BACKOFF_MS = 200,
    BACKOFF_MOST_MS = 20000,
    LATER_MOST_S = 300, /* a service that says to come back later than that is not waited for */
    POLL_MS = 200,      /* how soon Ctrl-C is noticed */
    DEAD_LEAST = 8
};

typedef enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_FLYING } slot_state;

typedef struct slot {
    const tut_http *http;
    CURL *handle;
    slot_state state;
    http_ask ask;
    tut_buf body, answer;
    unsigned tries;
    uint64_t due, begun; /* tut_clock_ms() */
    bool was_checked, is_stream;
} slot;

struct tut_http {
    const tut_curl *api;
    CURLM *multi;
    struct curl_slist *headers, *plain_headers; /* with the key, and without */
    tut_allowance *allowance;
    char *url;
    char shown[256];
    bool is_loopback, has_key;
    uint32_t timeout_ms, tries;
    double per_second, tokens; /* a bucket; large requests may leave it in debt */
    uint64_t filled, paused_until;
    uint64_t random;
    slot *slots;
    size_t slot_count;
    unsigned silent;   /* requests in a row that nobody answered */
    bool has_answered; /* ever */
};

const tut_curl *http_api(const tut_http *h)
{
    return h->api;
}

const char *http_url(const tut_http *h)
{
    return h->url;
}

uint32_t http_timeout_ms(const tut_http *h)
{
    return h->timeout_ms;
}

bool http_has_key(const tut_http *h)
{
    return h->has_key;
}

bool http_is_loopback(const tut_http *h)
{
    return h->is_loopback && strstr(h->url, "://127.");
}

/* --- opening --- */
static bool is_printable(tut_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.data[i] < 0x21 || (uint8_t)s.data[i] > 0x7e)
            return false;
    return s.len > 0;
}

static tut_status add_key(tut_http *h, const char *path, tut_error *err)
{
    tut_buf key = TUT_BUF_INIT, value = TUT_BUF_INIT;
    tut_status s = tut_fs_read(path, TUT_LIMIT_JWT_BYTES, &key, err);
    tut_str text = tut_str_trim(tut_buf_str(&key));
    if (tut_is_ok(s) && !is_printable(text))
        s = tut_fail(err, TUT_DENIED, "%s holds no key: one line of printable characters", path);
    tut_buf_printf(&value, "Bearer %.*s", (int)text.len, text.data ? text.data : "");
    const char *z = tut_buf_z(&value);
    if (tut_is_ok(s) && (!z || !tut_curl_add_header(h->api, &h->headers, "Authorization", z)))
        s = tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_secret_wipe(&key);
    tut_secret_wipe(&value);
    return s;
}

static bool add_plain(const tut_curl *api, struct curl_slist **list)
{
    struct curl_slist *longer = api->curl_slist_append(*list, "Expect:");
    if (longer)
        *list = longer;
    return longer && tut_curl_add_header(api, list, "Content-Type", "application/json") &&
           tut_curl_add_header(api, list, "Accept", "application/json");
}

static tut_status make_slots(tut_http *h, tut_error *err)
{
    h->slots = tut_alloc_array(h->slot_count, sizeof(*h->slots));
    if (!h->slots)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < h->slot_count; i++) {
        slot *s = &h->slots[i];
        s->http = h;
        s->handle = h->api->curl_easy_init();
        tut_buf_init(&s->answer, TUT_LIMIT_PROBE_ANSWER_BYTES);
        if (!s->handle)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(http_equip(h, s->handle, true, err));
    }
    return TUT_SUCCESS;
}

static tut_status set_up(tut_http *h, const tut_target *t, const tut_target_wish *wish,
                         tut_error *err)
{
    const char *host = strstr(wish->place, "://");
    if (host && memchr(host + 3, '@', strcspn(host + 3, "/?#")))
        return tut_fail(err, TUT_USAGE,
                        "%s: a user or key does not belong into an address; name "
                        "a file that holds the key",
                        t->facts.shown);
    h->allowance = t->allowance;
    h->is_loopback = tut_target_is_loopback(wish->place);
    h->timeout_ms = wish->timeout_ms ? wish->timeout_ms : TIMEOUT_MS;
    h->tries = wish->tries ? wish->tries : TRIES;
    h->per_second = wish->per_second;
    h->tokens = 1;
    h->filled = tut_clock_ms();
    h->random = 1;
    h->slot_count = wish->concurrency ? wish->concurrency : CONCURRENCY;
    if (h->slot_count > CONCURRENCY_MAX)
        h->slot_count = CONCURRENCY_MAX;
    tut_str_copy(h->shown, sizeof(h->shown), tut_str_of(t->facts.shown));
    h->url = tut_strdup(wish->place);
    h->multi = h->api->curl_multi_init();
    if (!h->url || !h->multi || !add_plain(h->api, &h->headers) ||
        !add_plain(h->api, &h->plain_headers))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    h->has_key = wish->key_file != NULL;
    if (h->has_key)
        TUT_TRY(add_key(h, wish->key_file, err));
    return make_slots(h, err);
}

tut_status http_open(tut_target *t, const tut_target_wish *wish, tut_http **ret_http,
                     tut_error *err)
{
    const tut_curl *api = NULL;
    TUT_TRY(tut_curl_load(&api, err));
    tut_http *h = tut_alloc_array(1, sizeof(*h));
    if (!h)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    h->api = api;
    tut_status s = set_up(h, t, wish, err);
    if (!tut_is_ok(s)) {
        http_free(h);
        return s;
    }
    *ret_http = h;
    return TUT_SUCCESS;
}

static void land(tut_http *h, slot *s)
{
    if (s->state == SLOT_FLYING)
        (void)h->api->curl_multi_remove_handle(h->multi, s->handle);
    s->state = SLOT_FREE;
}

void http_free(tut_http *h)
{
    if (!h)
        return;
    for (size_t i = 0; h->slots && i < h->slot_count; i++) {
        slot *s = &h->slots[i];
        land(h, s);
        if (s->handle)
            h->api->curl_easy_cleanup(s->handle);
        tut_buf_done(&s->body);
        tut_buf_done(&s->answer);
    }
    if (h->multi)
        (void)h->api->curl_multi_cleanup(h->multi);
    h->api->curl_slist_free_all(h->headers);
    h->api->curl_slist_free_all(h->plain_headers);
    tut_free(h->slots);
    tut_free(h->url);
    tut_free(h);
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
    slot *s = ctx;
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

tut_status http_equip(const tut_http *h, CURL *handle, bool with_key, tut_error *err)
{
    long timeout = (long)h->timeout_ms;
    bool is_set =
        SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(CURLOPT_NOSIGNAL, 1L) &&
        SET(CURLOPT_TIMEOUT_MS, timeout) && SET(CURLOPT_TCP_NODELAY, 1L) &&
        SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_MS ? timeout : (long)CONNECT_MS) &&
        SET(CURLOPT_USERAGENT, "tutela/" TUTELA_VERSION) && SET(CURLOPT_NOPROGRESS, 1L) &&
        SET(CURLOPT_HTTPHEADER, with_key ? h->headers : h->plain_headers) &&
        SET(CURLOPT_URL, h->url) && (!h->is_loopback || SET(CURLOPT_PROXY, ""));
    return is_set ? TUT_SUCCESS
                  : tut_fail(err, TUT_USAGE, "%s is no address that this works with", h->shown);
}

static tut_status fly(tut_http *h, slot *s, const http_job *job, tut_error *err)
{
    CURL *handle = s->handle;
    tut_buf_clear(&s->answer);
    s->was_checked = s->is_stream = false;
    bool is_set = SET(CURLOPT_URL, job->url) && SET(CURLOPT_WRITEFUNCTION, take_bytes) &&
                  SET(CURLOPT_WRITEDATA, s) && SET(CURLOPT_PRIVATE, s) &&
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
static void describe(const tut_http *h, const slot *s, CURLcode code, http_answer *a)
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
        (void)snprintf(a->problem, sizeof(a->problem), "%s%s",
                       a->fate == HTTP_CUT ? "an answer broke off: " : "",
                       code == CURLE_OPERATION_TIMEDOUT ? "no answer in time"
                                                        : h->api->curl_easy_strerror(code));
        break;
    case HTTP_ANSWERED:
        if (a->status < 300)
            break;
        TUT_CLEAN(tut_buf) reason = TUT_BUF_INIT;
        http_reason(a->body, &reason);
        (void)snprintf(a->problem, sizeof(a->problem), "HTTP %d: %.*s", a->status, (int)reason.len,
                       reason.data ? (const char *)reason.data : "");
        break;
    }
}

static http_answer answer_of(const tut_http *h, const slot *s, CURLcode code)
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
static uint64_t wait_before_next(tut_http *h, const slot *s, CURLcode code, const http_answer *a,
                                 bool is_once)
{
    curl_off_t later = 0;
    bool says_later = a->fate == HTTP_ANSWERED &&
                      (a->status == 429 || (a->status == 503 && !is_once));
    bool is_silent = a->fate == HTTP_SILENT && code != CURLE_OPERATION_TIMEDOUT && !is_once;
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

static tut_status finish(tut_http *h, slot *s, CURLcode code, const http_job *job, tut_error *err)
{
    http_answer a = answer_of(h, s, code);
    uint64_t wait = wait_before_next(h, s, code, &a, job->is_once);
    land(h, s);
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

static uint64_t may_fly_at(const tut_http *h, const slot *s, uint64_t now)
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

static tut_status fill_slot(tut_http *h, slot *s, const http_job *job, pass *p, tut_error *err)
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
        slot *s = &h->slots[i];
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
        slot *s = NULL;
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
        land(h, &h->slots[i]); /* what was broken off counts as not asked */
    return s;
}

/* --- small things --- */
typedef struct one_get {
    bool is_done;
    int status;
    tut_buf *body;
} one_get;

static tut_status make_get(void *ctx, uint64_t room, http_ask *ret_ask, tut_buf *ret_body,
                           tut_error *err)
{
    one_get *g = ctx;
    (void)room, (void)ret_body, (void)err;
    ret_ask->queries = !g->is_done;
    g->is_done = true;
    return TUT_SUCCESS;
}

static tut_status take_get(void *ctx, const http_ask *ask, const http_answer *a, tut_error *err)
{
    one_get *g = ctx;
    (void)ask, (void)err;
    g->status = a->fate == HTTP_ANSWERED ? a->status : 0;
    tut_buf_add(g->body, a->body.data, a->body.len);
    return TUT_SUCCESS;
}

tut_status http_get(tut_http *h, const char *url, int *ret_status, tut_buf *ret_body,
                    tut_error *err)
{
    tut_allowance free_of_charge = {.queries_most = 0}, *own = h->allowance;
    one_get g = {.body = ret_body};
    const http_job job = {
        .url = url, .is_get = true, .make = make_get, .take = take_get, .ctx = &g};
    h->allowance = &free_of_charge;
    tut_status s = http_run(h, &job, err);
    h->allowance = own;
    *ret_status = g.status;
    return s;
}

void http_reason(tut_span body, tut_buf *ret_reason)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_str code = {NULL, 0}, text = tut_str_from(body);
    if (tut_is_ok(
            tut_json_parse(body, &(tut_json_options){.allow_duplicates = true}, &doc, NULL))) {
        const tut_json_value *root = tut_json_root(doc), *e = tut_json_get(root, "error");
        tut_str said = e && e->type == TUT_JSON_STRING ? tut_json_text(e)
                                                       : tut_json_get_text(e ? e : root, "message");
        code = tut_json_get_text(e, "code");
        text = said.len ? said : text;
    }
    if (code.len) {
        tut_buf_add_escaped(ret_reason, code, 40);
        tut_buf_add_z(ret_reason, ": ");
    }
    tut_buf_add_escaped(ret_reason, text, 100);
}

tut_status http_check_first(const tut_http *h, const http_answer *a, tut_error *err)
{
    if (a->fate != HTTP_ANSWERED)
        return TUT_SUCCESS;
    if (a->status == 401)
        return tut_fail(err, TUT_DENIED, "%s wants a key: %s", h->shown, a->problem);
    if (a->status == 404 || a->status == 405)
        return tut_fail(err, TUT_USAGE, "%s is not where the model is asked: %s", h->shown,
                        a->problem);
    if (a->status >= 300 && a->status < 400)
        return tut_fail(err, TUT_USAGE, "%s redirects (HTTP %d): name the address that it leads to",
                        h->shown, a->status);
    return TUT_SUCCESS;
}

tut_http *tut_target_http(const tut_target *t)
{
    /* The states of these drivers begin with it. */
    return t->driver->gives & TUT_GIVES_NETWORK ? *(tut_http *const *)t->state : NULL;
}
