/* Mail through libcurl: one connection for all letters of a channel, one letter a reader, so that
 * nobody sees who else was told. */
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "govern/message_channel.h"
#include "ledger/curl.h"

enum { CONNECT_MS = 15000 };

static const tut_curl *api;

typedef struct upload {
    tut_str rest;
} upload;

static size_t give(char *to, size_t size, size_t count, void *ctx)
{
    upload *u = ctx;
    size_t n = size * count < u->rest.len ? size * count : u->rest.len;
    memcpy(to, u->rest.data, n);
    u->rest = (tut_str){u->rest.data + n, u->rest.len - n};
    return n;
}

/* What a server says is not ours to show. */
static size_t drop(char *data, size_t size, size_t count, void *ctx)
{
    (void)data, (void)ctx;
    return size * count;
}

static int go_on(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)ctx, (void)a, (void)b, (void)c, (void)d;
    return tut_interrupted();
}

void tut_link_smtp_close(tut_link *l)
{
    if (l->handle)
        api->curl_easy_cleanup(l->handle);
    l->handle = NULL;
}

#define SET(option, value) (api->curl_easy_setopt(l->handle, option, value) == CURLE_OK)

/* smtp://server:port/NAME: the name that it is greeted with is the domain of `from`. */
static bool set_server(tut_link *l)
{
    const tut_channel *c = l->channel;
    TUT_CLEAN(tut_buf) url = TUT_BUF_INIT;
    size_t at = 0;
    bool is_v6 = memchr(c->server.data, ':', c->server.len) != NULL;
    (void)tut_str_find(c->from, TUT_LIT("@"), &at);
    tut_buf_printf(&url, "%s://%s%.*s%s:%u/%.*s", tut_str_eq_z(c->tls, "tls") ? "smtps" : "smtp",
                   is_v6 ? "[" : "", (int)c->server.len, c->server.data, is_v6 ? "]" : "", c->port,
                   (int)(c->from.len - at - 1), c->from.data + at + 1);
    const char *z = tut_buf_z(&url);
    return z && SET(CURLOPT_URL, z);
}

static bool set_login(tut_link *l)
{
    const tut_channel *c = l->channel;
    if (!c->user.len)
        return true;
    TUT_AUTO_FREE char *user = tut_strndup(c->user.data, c->user.len);
    const char *password = tut_buf_z(&l->secret);
    return user && password && SET(CURLOPT_USERNAME, user) && SET(CURLOPT_PASSWORD, password);
}

static bool set_up(tut_link *l)
{
    const tut_channel *c = l->channel;
    long timeout = 1000L * (long)c->timeout_seconds;
    return SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps") && set_server(l) && set_login(l) &&
           SET(CURLOPT_PROXY, "") && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_USE_SSL,
               (long)(tut_str_eq_z(c->tls, "none") ? CURLUSESSL_NONE : CURLUSESSL_ALL)) &&
           SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (!l->path || SET(CURLOPT_CAINFO, l->path)) && SET(CURLOPT_TIMEOUT_MS, timeout) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_MS ? timeout : (long)CONNECT_MS) &&
           SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_READFUNCTION, give) &&
           SET(CURLOPT_WRITEFUNCTION, drop) && SET(CURLOPT_XFERINFOFUNCTION, go_on) &&
           SET(CURLOPT_NOPROGRESS, 0L);
}

static bool set_letter(tut_link *l, const tut_letter *letter, tut_str mail, upload *u,
                       struct curl_slist **readers)
{
    TUT_CLEAN(tut_buf) from = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) to = TUT_BUF_INIT;
    tut_buf_printf(&from, "<%.*s>", (int)l->channel->from.len, l->channel->from.data);
    tut_buf_printf(&to, "<%.*s>", (int)letter->address.len, letter->address.data);
    const char *from_z = tut_buf_z(&from), *to_z = tut_buf_z(&to);
    *readers = to_z ? api->curl_slist_append(NULL, to_z) : NULL;
    *u = (upload){mail};
    return from_z && *readers && SET(CURLOPT_MAIL_FROM, from_z) &&
           SET(CURLOPT_MAIL_RCPT, *readers) && SET(CURLOPT_READDATA, u) &&
           SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail.len);
}

/* --- what came of it --- */

static void say(tut_posted_letter *ret, tut_posting posting, const char *why)
{
    ret->posting = posting;
    tut_str_copy(ret->why, sizeof(ret->why), tut_str_of(why));
}

static void judge_code(tut_posted_letter *ret, int code)
{
    ret->code = code;
    ret->posting = code >= 500 ? TUT_POST_REFUSED : TUT_POST_LATER;
    (void)snprintf(ret->why, sizeof(ret->why),
                   code >= 500 ? "the server refused it (%d)"
                               : "the server asked to try again later (%d)",
                   code);
}

/* Of libcurl's codes those that say more than the number that the server answered. */
static const struct meaning {
    CURLcode code;
    tut_posting posting;
    const char *why;
} meanings[] = {
    {CURLE_COULDNT_RESOLVE_HOST, TUT_POST_DEAD, "the server's name is not known"},
    {CURLE_COULDNT_CONNECT, TUT_POST_DEAD, "nobody answers at the server's port"},
    {CURLE_OPERATION_TIMEDOUT, TUT_POST_DEAD, "the server did not answer in time"},
    {CURLE_LOGIN_DENIED, TUT_POST_REFUSED, "the server did not take user and password"},
    {CURLE_USE_SSL_FAILED, TUT_POST_REFUSED,
     "the server offers no TLS, and without it nothing is sent"},
    {CURLE_PEER_FAILED_VERIFICATION, TUT_POST_REFUSED,
     "the server's certificate is not to be believed"},
    {CURLE_SSL_CACERT_BADFILE, TUT_POST_REFUSED, "the file of certificates (ca_file) is none"},
};

static void judge(CURLcode code, int answer, tut_posted_letter *ret)
{
    ret->code = answer;
    if (code == CURLE_OK) {
        ret->posting = TUT_POSTED;
        return;
    }
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (meanings[i].code == code) {
            say(ret, meanings[i].posting, meanings[i].why);
            return;
        }
    if (answer >= 400 && answer < 600) {
        judge_code(ret, answer);
        return;
    }
    ret->posting = TUT_POST_LATER; /* in words of libcurl, which knows no address */
    (void)snprintf(ret->why, sizeof(ret->why), "broken off: %s", api->curl_easy_strerror(code));
}

tut_status tut_link_smtp(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                         tut_error *err)
{
    TUT_CLEAN(tut_buf) mail = TUT_BUF_INIT;
    struct curl_slist *readers = NULL;
    upload u;
    long answer = 0;
    tut_error why = {0};
    if (!tut_is_ok(tut_curl_load(&api, &why))) {
        say(ret, TUT_POST_REFUSED, why.text);
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_mail_write(letter, l->channel->from, &mail, err));
    if (!l->handle) {
        l->handle = api->curl_easy_init();
        if (!l->handle || !set_up(l)) {
            tut_link_smtp_close(l);
            say(ret, TUT_POST_REFUSED, "libcurl cannot send mail");
            return TUT_SUCCESS;
        }
    }
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (set_letter(l, letter, tut_buf_str(&mail), &u, &readers))
        code = api->curl_easy_perform(l->handle);
    (void)api->curl_easy_getinfo(l->handle, CURLINFO_RESPONSE_CODE, &answer);
    (void)api->curl_easy_setopt(l->handle, CURLOPT_MAIL_RCPT, NULL);
    api->curl_slist_free_all(readers);
    if (tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    if (code == CURLE_OUT_OF_MEMORY)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    judge(code, (int)answer, ret);
    return TUT_SUCCESS;
}
