#include "probe/target_http_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/limits.h"
#include "base/time.h"
#include "crypto/key.h"

enum {
    CONCURRENCY = 8,
    CONCURRENCY_MAX = 1024,
    TIMEOUT_MS = 60000,
    CONNECT_MS = 10000,
    TRIES = 5,
    CA_BYTES = 4 << 20
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

static tut_status take_ca(tut_http *h, const char *path, tut_error *err)
{
    TUT_CLEAN(tut_buf) pem = TUT_BUF_INIT;
    size_t at = 0;
    TUT_TRY(tut_fs_read(path, CA_BYTES, &pem, err));
    if (!tut_str_find(tut_buf_str(&pem), TUT_LIT("-----BEGIN CERTIFICATE-----"), &at))
        return tut_fail(err, TUT_USAGE, "%s holds no certificate of a CA (PEM)", path);
    h->ca_file = tut_strdup(path);
    return h->ca_file ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
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
        http_slot *s = &h->slots[i];
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
    if (wish->ca_file)
        TUT_TRY(take_ca(h, wish->ca_file, err));
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

void http_free(tut_http *h)
{
    if (!h)
        return;
    for (size_t i = 0; h->slots && i < h->slot_count; i++) {
        http_slot *s = &h->slots[i];
        http_land(h, s);
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
    tut_free(h->ca_file);
    tut_free(h);
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
        SET(CURLOPT_URL, h->url) && (!h->is_loopback || SET(CURLOPT_PROXY, "")) &&
        (!h->ca_file || (SET(CURLOPT_CAINFO, h->ca_file) && SET(CURLOPT_CAPATH, NULL)));
    return is_set ? TUT_SUCCESS
                  : tut_fail(err, TUT_USAGE, "%s is no address that this works with", h->shown);
}
#undef SET

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
        return tut_fail(err, TUT_USAGE, "%s redirects (%s): name the address that it leads to",
                        h->shown, a->problem);
    return TUT_SUCCESS;
}

tut_http *tut_target_http(const tut_target *t)
{
    /* The states of these drivers begin with it. */
    return t->driver->gives & TUT_GIVES_NETWORK ? *(tut_http *const *)t->state : NULL;
}
