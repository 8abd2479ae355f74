#include "cmd/guard_drill.h"

#include <stdio.h>

#include "assess/attest.h"
#include "base/cage.h"
#include "base/fs.h"
#include "cmd/signer.h"
#include "guard/address.h"
#include "guard/protocol.h"
#include "guard/server.h"
#include "guard/trial.h"
#include "ledger/post.h"

enum {
    IN_TIME_MS = 1000, /* what the check asks for (guard.stop-switch) */
    LEAST_ASKED = 64,  /* each by a connection of its own, so that every worker answers some */
    ASK_MS = 2000,
    NOBODY = 503,
    NO_ROUTE = 404
};
#define NO_PATH "/tutela-drill" /* a guard that serves answers 404 */

typedef struct drilling {
    const tut_guard_here *here;
    char *base;
    tut_trial_request *requests; /* one a route that has a server */
    size_t count;
} drilling;

static void drilling_done(drilling *d)
{
    for (size_t i = 0; i < d->count; i++)
        tut_trial_request_done(&d->requests[i]);
    tut_free(d->requests);
    tut_free(d->base);
}

static tut_status prepare(drilling *d, const tut_guard_here *h, tut_error *err)
{
    const tut_guard_policy *p = &h->policy;
    d->here = h;
    d->base = tut_server_url(p);
    d->requests = tut_alloc_array(p->route_count + 1, sizeof(*d->requests));
    if (!d->base || !d->requests)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < p->route_count; i++) {
        if (!p->routes[i].upstream.len)
            continue;
        const tut_trial_place at = tut_trial_place_of(p, &p->routes[i]);
        TUT_TRY(tut_trial_request_make(p, &at, TUT_LIT("Is anybody there?"), (tut_str){"", 0},
                                       (tut_str){"", 0}, &d->requests[d->count], err));
        d->count++;
    }
    return TUT_SUCCESS;
}

/* 0: nobody answered. request NULL: of no route. */
static tut_status ask(const drilling *d, tut_trial_request *request, int *ret_status,
                      tut_error *err)
{
    TUT_CLEAN(tut_posted) posted = {0};
    tut_error failed = {0};
    tut_post post = {.url = d->base,
                     .path = request ? tut_buf_z(&request->path) : NO_PATH,
                     .content_type = "application/json",
                     .body = request ? tut_buf_span(&request->body) : tut_span_of("{}", 2),
                     .timeout_ms = ASK_MS,
                     .takes_any_certificate = true};
    tut_status status = tut_post_send(&post, &posted, &failed);
    *ret_status = tut_is_ok(status) ? posted.status : 0;
    if (tut_is_ok(status) || status.code == TUT_IO || status.code == TUT_LIMIT)
        return TUT_SUCCESS;
    return tut_fail(err, status.code, "%s", failed.text);
}

/* Until nothing but refusals came back for a whole round, or time is up. */
static tut_status watch(const drilling *d, uint64_t from, tut_guard_drill *r, tut_error *err)
{
    uint64_t refused = 0;
    while (refused < LEAST_ASKED && tut_clock_ms() - from <= IN_TIME_MS + ASK_MS) {
        int status = 0;
        TUT_TRY(ask(d, &d->requests[r->asked % d->count], &status, err));
        uint64_t took = tut_clock_ms() - from;
        r->asked++;
        if (status == NOBODY) {
            if (refused++ == 0 && r->served == 0)
                r->stop_ms = took;
            continue;
        }
        refused = 0;
        r->served++;
        r->stop_ms = took;
    }
    r->is_in_time = refused >= LEAST_ASKED && r->stop_ms < IN_TIME_MS;
    return TUT_SUCCESS;
}

typedef struct signing {
    const char *by;
    tut_records *records;
    tut_key *key;
} signing;

static void signing_done(signing *s)
{
    tut_key_free(s->key);
    tut_records_free(s->records);
}

static tut_status resume(const signing *s, const tut_guard_here *h, uint64_t from,
                         tut_guard_drill *r, tut_error *err)
{
    bool was = false;
    tut_status status = tut_guard_here_say_as(h, s->by, s->key, "guard.resumed",
                                              "The drill of the stop switch is over.",
                                              TUT_LIT("{\"name\":\"\",\"reason\":\"drill\","
                                                      "\"what\":\"system\"}"),
                                              NULL, err);
    if (tut_is_ok(status))
        status = tut_live_resume(h->live, TUT_LIVE_SYSTEM, (tut_str){"", 0}, &was, err);
    r->away_ms = tut_clock_ms() - from;
    if (tut_is_ok(status))
        return status;
    char why[200];
    tut_str_copy(why, sizeof(why), tut_str_of(err ? err->text : ""));
    return tut_fail(err, status.code,
                    "the system is still stopped, as the end of the drill could not be signed "
                    "(%s); tutela guard resume --by NAME begins it again",
                    why);
}

static tut_status attest(const tut_args *args, const tut_guard_here *h, tut_guard_drill *r,
                         tut_error *err)
{
    char text[320];
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&h->policy.version, hex);
    tut_buf_printf(&body,
                   "{\"asked\":%llu,\"away_ms\":%llu,\"limit_ms\":%d,\"policy\":\"%s\","
                   "\"schema\":\"tutela.stop-drill/1\",\"served\":%llu,\"stop_ms\":%llu}",
                   (unsigned long long)r->asked, (unsigned long long)r->away_ms, IN_TIME_MS, hex,
                   (unsigned long long)r->served, (unsigned long long)r->stop_ms);
    TUT_TRY(tut_buf_check(&body, err));
    (void)snprintf(text, sizeof(text),
                   "In a drill the stop switch took %llu ms: of %llu requests after it %llu were "
                   "not refused; it was begun again with a signature after %llu ms%s.",
                   (unsigned long long)r->stop_ms, (unsigned long long)r->asked,
                   (unsigned long long)r->served, (unsigned long long)r->away_ms,
                   r->did_resume ? "" : ", and did not serve then");
    const tut_attestation a = {.check = "guard.stop-switch",
                               .result = r->is_in_time && r->did_resume ? TUT_RESULT_PASS
                                                                        : TUT_RESULT_FAIL,
                               .statement = text,
                               .body = tut_buf_span(&body)};
    return tut_attest(args->system ? args->system : h->system_dir, h->state, &a, &r->index, err);
}

/* What keeps a drill from being one, before anybody is turned away. */
static tut_status check(const drilling *d, tut_error *err)
{
    const tut_guard_here *h = d->here;
    tut_sha256 version;
    int status = 0;
    (void)tut_live_policy(h->live, &version);
    if (!tut_sha256_eq(&version, &h->policy.version))
        return tut_fail(err, TUT_USAGE,
                        "another policy is in force than tutela.yaml has; tutela guard reload");
    if (tut_live_is_stopped(h->live, (tut_str){"", 0}, (tut_str){"", 0}, (tut_str){"", 0}, NULL))
        return tut_fail(err, TUT_USAGE, "the system is stopped already");
    TUT_TRY(ask(d, NULL, &status, err));
    if (status != NO_ROUTE || d->count == 0)
        return tut_fail(err, TUT_IO, "the guard at %s does not serve now (%d)", d->base, status);
    return TUT_SUCCESS;
}

tut_status tut_guard_drill_run(const tut_args *args, tut_guard_here *h, tut_guard_drill *ret_drill,
                               tut_error *err)
{
    __attribute__((cleanup(drilling_done))) drilling d = {0};
    __attribute__((cleanup(signing_done))) signing s = {.by = tut_args_get(args, "--by")};
    tut_guard_drill r = {0};
    int status = 0;
    TUT_TRY(tut_guard_here_runs(h, err));
    TUT_TRY(prepare(&d, h, err));
    TUT_TRY(check(&d, err));
    TUT_TRY(tut_guard_here_signer(args, h, &s.by, &s.records, &s.key, err));
    TUT_TRY(tut_guard_here_trained(args, err)); /* who cannot resume does not stop for a drill */
    TUT_TRY(tut_guard_here_say_as(h, s.by, s.key, "guard.stopped", "A drill of the stop switch.",
                                  TUT_LIT("{\"name\":\"\",\"reason\":\"drill\","
                                          "\"what\":\"system\"}"),
                                  NULL, err));
    uint64_t from = tut_clock_ms();
    TUT_TRY(tut_live_stop(h->live, TUT_LIVE_SYSTEM, (tut_str){"", 0}, tut_live_now_ms(), err));
    tut_status watched = watch(&d, from, &r, err);
    tut_error ignored = {0};
    TUT_TRY(resume(&s, h, from, &r, tut_is_ok(watched) ? err : &ignored));
    TUT_TRY(watched);
    TUT_TRY(ask(&d, NULL, &status, err));
    r.did_resume = status == NO_ROUTE;
    TUT_TRY(attest(args, h, &r, err));
    *ret_drill = r;
    return TUT_SUCCESS;
}
