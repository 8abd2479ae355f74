/*
 * Can a model server be asked without the guard? A socket of the file system: by whom its rights
 * let in. A port: it is asked without the guard's key, at the address of the policy and at each
 * other one of this machine; only a server that refuses (401, 403, no TLS without a certificate)
 * cannot be.
 */
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "guard/address.h"
#include "guard/trial.h"
#include "ledger/post.h"

enum { ASK_MS = 3000, HTTP_UNAUTHORIZED = 401, HTTP_FORBIDDEN = 403 };

/* --- sockets of the file system --- */
/* Whether the rights of all folders above let a class of users through to it. */
static bool may_pass(const char *path, mode_t bit)
{
    TUT_AUTO_FREE char *at = tut_strdup(path);
    struct stat st;
    if (!at)
        return true;
    for (char *slash = strrchr(at, '/'); slash; slash = strrchr(at, '/')) {
        *slash = '\0';
        if (stat(*at ? at : "/", &st) == 0 && !(st.st_mode & bit))
            return false;
    }
    return true;
}

static tut_status try_socket(tut_trials *t, tut_str upstream, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_asprintf("%.*s", (int)upstream.len - 5, upstream.data + 5);
    struct stat st;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return tut_trial_add(t, "bypass", upstream, TUT_RESULT_NOT_CHECKED, err,
                             "no socket is there: the model server does not run");
    if ((st.st_mode & S_IWOTH) && may_pass(path, S_IXOTH))
        return tut_trial_add(t, "bypass", upstream, TUT_RESULT_FAIL, err,
                             "every user of this machine may connect to it; chmod o-w, or a folder "
                             "that others cannot enter");
    bool has_group = (st.st_mode & S_IWGRP) && may_pass(path, S_IXGRP);
    return tut_trial_add(t, "bypass", upstream, TUT_RESULT_PASS, err,
                         has_group ? "user %u and group %u alone may connect to it"
                                   : "user %u alone may connect to it",
                         (unsigned)st.st_uid, (unsigned)st.st_gid);
}

/* --- ports --- */
typedef struct server {
    bool is_tls;
    tut_address at;
} server;

static bool read_upstream(tut_str text, server *ret)
{
    static const char *const beginnings[] = {"http://", "https://"};
    size_t skip = 0;
    for (size_t i = 0; i < TUT_COUNT(beginnings); i++)
        if (tut_str_starts(text, tut_str_of(beginnings[i])))
            skip = strlen(beginnings[i]);
    ret->is_tls = skip == strlen(beginnings[1]);
    tut_str at = {text.data + skip, text.len - skip};
    while (at.len && at.data[at.len - 1] == '/')
        at.len--;
    if (tut_address_parse(at, &ret->at))
        return true;
    tut_str_copy(ret->at.host, sizeof(ret->at.host), at);
    tut_str_copy(ret->at.port, sizeof(ret->at.port), ret->is_tls ? TUT_LIT("443") : TUT_LIT("80"));
    return at.len > 0 && at.len < sizeof(ret->at.host);
}

/* An address of this machine that others reach, where the server answers too. */
static bool answers_outside(const server *u, char *where, size_t cap)
{
    struct ifaddrs *list = NULL;
    bool does = false;
    if (getifaddrs(&list) != 0)
        return false;
    for (const struct ifaddrs *i = list; i && !does; i = i->ifa_next) {
        tut_address a = u->at;
        int family = i->ifa_addr ? i->ifa_addr->sa_family : 0;
        socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in)
                                          : sizeof(struct sockaddr_in6);
        if ((family != AF_INET && family != AF_INET6) ||
            getnameinfo(i->ifa_addr, len, a.host, sizeof(a.host), NULL, 0, NI_NUMERICHOST) != 0 ||
            tut_address_is_loopback(&a))
            continue;
        does = tut_address_answers(&a);
        if (does)
            tut_str_copy(where, cap, tut_str_of(a.host));
    }
    freeifaddrs(list);
    return does;
}

static tut_status ask(tut_trials *t, const tut_guard_route *route, tut_str upstream,
                      const server *u, tut_error *err)
{
    TUT_CLEAN(tut_posted) posted = {0};
    TUT_CLEAN(tut_trial_request) made = {0};
    const tut_trial_place at = tut_trial_place_of(t->guard->policy, route);
    tut_error failed = {0};
    bool is_v6 = strchr(u->at.host, ':') != NULL;
    TUT_AUTO_FREE char *base = tut_asprintf("%s://%s%s%s:%s", u->is_tls ? "https" : "http",
                                            is_v6 ? "[" : "", u->at.host, is_v6 ? "]" : "",
                                            u->at.port);
    TUT_TRY(tut_trial_request_make(t->guard->policy, &at, TUT_LIT("x"), (tut_str){"", 0},
                                   (tut_str){"", 0}, &made, err));
    tut_post post = {.url = base,
                     .path = tut_buf_z(&made.path),
                     .method = "GET",
                     .timeout_ms = ASK_MS,
                     .takes_any_certificate = true};
    if (!base || !post.path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_post_send(&post, &posted, &failed);
    if (status.code == TUT_CANCELLED || status.code == TUT_NOMEM)
        return tut_fail(err, status.code, "%s", failed.text);
    if (tut_is_ok(status) &&
        (posted.status == HTTP_UNAUTHORIZED || posted.status == HTTP_FORBIDDEN))
        return tut_trial_add(t, "bypass", upstream, TUT_RESULT_PASS, err,
                             "asked without the guard's key it answers %d", posted.status);
    if (tut_is_ok(status))
        return tut_trial_add(t, "bypass", upstream, TUT_RESULT_FAIL, err,
                             "whoever reaches it is answered (%d) without the guard: give it a key "
                             "(upstream_key), or a socket of the file system",
                             posted.status);
    if (posted.did_connect && u->is_tls && !posted.did_time_out)
        return tut_trial_add(t, "bypass", upstream, TUT_RESULT_PASS, err,
                             "it speaks with nobody who shows no certificate");
    return tut_trial_add(t, "bypass", upstream, TUT_RESULT_NOT_CHECKED, err,
                         "it does not answer, so nothing is proved: %s", failed.text);
}

static tut_status try_port(tut_trials *t, const tut_guard_route *route, tut_str upstream,
                           tut_error *err)
{
    server u;
    char where[TUT_ADDRESS_HOST];
    if (!read_upstream(upstream, &u))
        return tut_trial_add(t, "bypass", upstream, TUT_RESULT_NOT_CHECKED, err,
                             "no address that can be asked");
    if (tut_address_is_loopback(&u.at) && answers_outside(&u, where, sizeof(where)))
        return tut_trial_add(t, "bypass", upstream, TUT_RESULT_FAIL, err,
                             "it answers at %.64s too, where others reach it: bind it to %s alone",
                             where, u.at.host);
    return ask(t, route, upstream, &u, err);
}

static tut_str server_of(const tut_guard_policy *p, size_t number)
{
    const tut_guard_route *r = &p->routes[number / 2];
    return number % 2 ? r->standby : r->upstream;
}

tut_status tut_trial_bypass(tut_trials *t, tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    for (size_t i = 0; t->bypass && i < 2 * p->route_count; i++) {
        tut_str upstream = server_of(p, i);
        bool is_known = upstream.len == 0;
        for (size_t k = 0; k < i; k++)
            is_known = is_known || tut_str_eq(server_of(p, k), upstream);
        if (is_known)
            continue;
        if (tut_str_starts(upstream, TUT_LIT("unix:")))
            TUT_TRY(try_socket(t, upstream, err));
        else
            TUT_TRY(try_port(t, &p->routes[i / 2], upstream, err));
    }
    return TUT_SUCCESS;
}
