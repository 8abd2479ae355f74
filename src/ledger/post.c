#include "ledger/post.h"

#include "base/cage.h"
#include "base/limits.h"
#include "ledger/curl.h"

enum { TIMEOUT_MS = 30000, CONNECT_MS = 10000 };

static const tut_curl *api;

static void easy_clean(CURL **handle)
{
    if (*handle)
        api->curl_easy_cleanup(*handle);
}

static void list_clean(struct curl_slist **list)
{
    api->curl_slist_free_all(*list);
}

static size_t take(char *data, size_t size, size_t count, void *ctx)
{
    tut_buf *body = ctx; /* capped: what does not fit makes it fail */
    tut_buf_add(body, data, size * count);
    return body->failed == TUT_OK ? size * count : 0;
}

static int go_on(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)ctx, (void)a, (void)b, (void)c, (void)d;
    return tut_interrupted();
}

static bool set_address(CURL *h, const tut_post *p, tut_buf *url)
{
    bool is_fine = true;
    if (tut_str_starts(tut_str_of(p->url), TUT_LIT("unix:"))) {
        is_fine = api->curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, p->url + 5) == CURLE_OK &&
                  api->curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK;
        tut_buf_add_z(url, "http://localhost");
    } else {
        tut_str given = tut_str_of(p->url);
        while (p->path && given.len && given.data[given.len - 1] == '/')
            given.len--;
        tut_buf_add_str(url, given);
    }
    tut_buf_add_z(url, p->path ? p->path : "");
    const char *text = tut_buf_z(url);
    return is_fine && text && api->curl_easy_setopt(h, CURLOPT_URL, text) == CURLE_OK;
}

static bool set_options(CURL *h, const tut_post *p, struct curl_slist *headers, tut_buf *body)
{
    long timeout = (long)(p->timeout_ms ? p->timeout_ms : TIMEOUT_MS);
#define SET(option, value) (api->curl_easy_setopt(h, option, value) == CURLE_OK)
    return SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_TIMEOUT_MS, timeout) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_MS ? timeout : (long)CONNECT_MS) &&
           SET(CURLOPT_USERAGENT, "tutela/" TUTELA_VERSION) && SET(CURLOPT_HTTPHEADER, headers) &&
           (p->method ? SET(CURLOPT_HTTPGET, 1L)
                      : SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDS, p->body.data) &&
                            SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->body.len)) &&
           (!p->takes_any_certificate ||
            (SET(CURLOPT_SSL_VERIFYPEER, 0L) && SET(CURLOPT_SSL_VERIFYHOST, 0L) &&
             SET(CURLOPT_PROXY, ""))) &&
           (!p->ca_file || SET(CURLOPT_CAINFO, p->ca_file)) && SET(CURLOPT_WRITEFUNCTION, take) &&
           SET(CURLOPT_WRITEDATA, body) && SET(CURLOPT_XFERINFOFUNCTION, go_on) &&
           SET(CURLOPT_NOPROGRESS, 0L);
#undef SET
}

static tut_status perform(CURL *h, const tut_post *p, tut_posted *posted, tut_error *err)
{
    CURLcode code = api->curl_easy_perform(h);
    long port = 0;
    (void)api->curl_easy_getinfo(h, CURLINFO_PRIMARY_PORT, &port);
    posted->did_connect = port > 0;
    posted->did_time_out = code == CURLE_OPERATION_TIMEDOUT;
    long status = 0;
    (void)api->curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    posted->status = (int)status;
    posted->why = code == CURLE_OK ? NULL : api->curl_easy_strerror(code);
    if (tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    if (posted->body.failed != TUT_OK)
        return tut_fail(err, TUT_LIMIT, "the answer of %s is too large (at most %u bytes)", p->url,
                        TUT_LIMIT_POST_BYTES);
    if (code != CURLE_OK)
        return tut_fail(err, TUT_IO, "%s cannot be asked: %s", p->url,
                        api->curl_easy_strerror(code));
    const char *type = NULL;
    (void)api->curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type);
    tut_str_copy(posted->content_type, sizeof(posted->content_type), tut_str_of(type));
    return TUT_SUCCESS;
}

tut_status tut_post_send(const tut_post *post, tut_posted *ret_posted, tut_error *err)
{
    TUT_TRY(tut_curl_load(&api, err));
    TUT_CLEAN(tut_posted) posted = {0};
    TUT_CLEAN(tut_buf) url = TUT_BUF_INIT;
    __attribute__((cleanup(list_clean))) struct curl_slist *headers = NULL;
    __attribute__((cleanup(easy_clean))) CURL *h = api->curl_easy_init();
    tut_buf_init(&posted.body, TUT_LIMIT_POST_BYTES);
    bool has_headers = h &&
                       tut_curl_add_header(api, &headers, "Content-Type", post->content_type) &&
                       tut_curl_add_header(api, &headers, "Authorization", post->authorization) &&
                       tut_curl_add_header(api, &headers, post->header, post->header_value);
    if (!has_headers || !set_address(h, post, &url) || !set_options(h, post, headers, &posted.body))
        return tut_fail(err, TUT_IO, "%s cannot be asked: it is no URL that this works with",
                        post->url);
    tut_status status = perform(h, post, &posted, err);
    *ret_posted = posted;
    posted = (tut_posted){0};
    return status;
}

void tut_posted_done(tut_posted *p)
{
    tut_buf_done(&p->body);
    *p = (tut_posted){0};
}
