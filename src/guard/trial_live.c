/* The guard that runs, asked by somebody whom its policy does not know. */
#include <stdio.h>

#include "guard/address.h"
#include "guard/protocol.h"
#include "guard/server.h"
#include "guard/trial.h"
#include "ledger/post.h"

enum { ASK_MS = 5000 };
#define NO_KEY "Bearer tut_nobody-has-this-key"

tut_status tut_trial_in_force(tut_trials *t, tut_error *err)
{
    char hex[TUT_SHA256_HEX], other[TUT_SHA256_HEX];
    tut_sha256 version = {{0}};
    if (!t->runs || !t->live)
        return tut_trial_add(t, "in-force", (tut_str){"", 0}, TUT_RESULT_NOT_CHECKED, err,
                             "the guard does not run: tutela guard up starts it");
    (void)tut_live_policy(t->live, &version);
    tut_sha256_hex(&version, other);
    tut_sha256_hex(&t->guard->policy->version, hex);
    if (!tut_sha256_eq(&version, &t->guard->policy->version))
        return tut_trial_add(t, "in-force", (tut_str){"", 0}, TUT_RESULT_FAIL, err,
                             "policy %.12s is in force, tutela.yaml has %.12s: tutela guard reload",
                             other, hex);
    return tut_trial_add(t, "in-force", (tut_str){"", 0}, TUT_RESULT_PASS, err,
                         "the guard that runs has the policy of tutela.yaml, %.12s", hex);
}

/* --- is it heard by others? --- */
static tut_status check_listening(tut_trials *t, const tut_address *at, tut_error *err)
{
    const tut_guard_server *v = &t->guard->policy->server;
    if (v->certificate.len)
        return tut_trial_add(t, "tls", (tut_str){"", 0}, TUT_RESULT_PASS, err,
                             "it speaks TLS 1.3 alone");
    if (tut_address_is_loopback(at))
        return tut_trial_add(t, "tls", (tut_str){"", 0}, TUT_RESULT_PASS, err,
                             "without TLS, and it listens to this machine alone (%s)", at->host);
    return tut_trial_add(t, "tls", (tut_str){"", 0}, TUT_RESULT_FAIL, err,
                         "it listens at %s without TLS: keys and texts pass in clear", at->host);
}

/* --- strangers --- */
static int status_of(const tut_post *post, char *why, size_t cap, tut_error *err, tut_status *ret)
{
    TUT_CLEAN(tut_posted) posted = {0};
    tut_error failed = {0};
    tut_status status = tut_post_send(post, &posted, &failed);
    *ret = TUT_SUCCESS;
    if (status.code == TUT_CANCELLED || status.code == TUT_NOMEM)
        *ret = tut_fail(err, status.code, "%s", failed.text);
    tut_str_copy(why, cap, tut_str_of(failed.text));
    return tut_is_ok(status) ? posted.status : 0;
}

static tut_status try_route(tut_trials *t, const char *base, const tut_guard_route *route,
                            tut_error *err)
{
    TUT_CLEAN(tut_trial_request) made = {0};
    const tut_trial_place at = tut_trial_place_of(t->guard->policy, route);
    char why[TUT_TRIAL_REASON];
    TUT_TRY(tut_trial_request_make(t->guard->policy, &at, TUT_LIT("Is anybody there?"),
                                   (tut_str){"", 0}, (tut_str){"", 0}, &made, err));
    const char *const keys[] = {NULL, NO_KEY};
    for (size_t i = 0; i < TUT_COUNT(keys); i++) {
        tut_status failed;
        tut_post post = {.url = base,
                         .path = tut_buf_z(&made.path),
                         .content_type = route->protocol->is_text ? "text/plain"
                                                                  : "application/json",
                         .authorization = keys[i],
                         .body = tut_buf_span(&made.body),
                         .timeout_ms = ASK_MS,
                         .takes_any_certificate = true};
        if (!post.path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        int status = status_of(&post, why, sizeof(why), err, &failed);
        TUT_TRY(failed);
        if (status == 401)
            continue;
        if (status == 0)
            return tut_trial_add(t, "strangers", route->id, TUT_RESULT_NOT_CHECKED, err, "%s", why);
        if (status == 503)
            return tut_trial_add(t, "strangers", route->id, TUT_RESULT_NOT_CHECKED, err,
                                 "nobody is let in now (503): it is stopped, or busy");
        return tut_trial_add(t, "strangers", route->id, TUT_RESULT_FAIL, err,
                             "a request with %s was answered with status %d, not refused with 401",
                             keys[i] ? "a key that nobody has" : "no key", status);
    }
    return tut_trial_add(t, "strangers", route->id, TUT_RESULT_PASS, err,
                         "without a key, and with one that nobody has, it answers 401");
}

static bool is_open(const tut_guard_policy *p)
{
    bool is = p->client_count == 0;
    for (size_t i = 0; i < p->client_count; i++)
        is = is || p->clients[i].access.is_open;
    return is;
}

tut_status tut_trial_strangers(tut_trials *t, tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    tut_address at;
    if (!tut_address_parse(tut_server_listen(p), &at))
        return tut_fail(err, TUT_USAGE, "guard.listen is no address");
    TUT_TRY(check_listening(t, &at, err));
    if (!t->runs || is_open(p)) /* in-force and identity say so */
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *base = tut_server_url(p);
    if (!base)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < p->route_count; i++)
        if (p->routes[i].upstream.len)
            TUT_TRY(try_route(t, base, &p->routes[i], err));
    return TUT_SUCCESS;
}
