/* The abuse detectors, given what they are there to notice, under the policy's own thresholds. */
#include <stdio.h>

#include "guard/abuse.h"
#include "guard/quota.h"
#include "guard/trial.h"

enum { MOST = 64, PACE_MS = 2000, STRETCH_MS = 300000, STRETCHES = 30, USUAL = 8000 };

typedef struct series {
    const tut_trials *t;
    tut_live *live;
    const tut_guard_client *client;
    uint64_t key, now;
    unsigned asked;
    tut_abuse_answer last;
} series;

static bool alarms(const series *s, tut_abuse_kind kind)
{
    for (size_t i = 0; i < s->last.alarm_count; i++)
        if (s->last.alarms[i].kind == kind)
            return true;
    return false;
}

static bool ask(series *s, const tut_abuse_query *q, tut_abuse_kind kind)
{
    s->asked++;
    s->now += PACE_MS;
    tut_abuse_look(s->live, s->t->guard->policy, s->client, s->key, q, s->now, &s->last);
    return alarms(s, kind);
}

static bool ask_text(series *s, tut_abuse_kind kind, bool asks_confidence, const char *text)
{
    tut_abuse_query q;
    tut_abuse_query_text(s->live, tut_str_of(text), asks_confidence, &q);
    return ask(s, &q, kind);
}

/* One question about many people: how a model is copied. Refused each time: how its limits are
 * found. */
static bool ask_variants(series *s, tut_abuse_kind kind)
{
    for (unsigned i = 0; i < MOST; i++) {
        char text[256];
        (void)snprintf(text, sizeof(text),
                       "Explain step by step how the scoring model of the bank decides about an "
                       "applicant whose income is %u and who lives in district %u of the north",
                       1000 + i * 137, 10 + i * 7 % 90);
        if (ask_text(s, kind, false, text))
            return true;
        if (kind == TUT_ABUSE_PROBING)
            tut_abuse_stopped(s->live, &s->last.mark);
    }
    return false;
}

/* Was this in the training data, and how sure is the model? Each is asked more than once. */
static bool ask_membership(series *s, tut_abuse_kind kind)
{
    for (unsigned i = 0; i < MOST; i++) {
        char text[256];
        unsigned n = i / 3 + 1;
        (void)snprintf(text, sizeof(text), "%x%x is a record of the patient register %x", n * 7919u,
                       n * 104729u, n * 31337u * 2654435761u);
        if (ask_text(s, kind, true, text))
            return true;
    }
    return false;
}

static bool spend(series *s, tut_abuse_kind kind)
{
    const tut_abuse_query nothing = {0};
    for (unsigned i = 0; i < STRETCHES; i++, s->now += STRETCH_MS) {
        (void)ask(s, &nothing, kind);
        tut_abuse_spent(s->live, s->key, USUAL + i * 997 % 4000, s->now);
    }
    for (uint64_t tokens = USUAL; tokens < (uint64_t)USUAL * 1000; tokens *= 2) {
        tut_abuse_spent(s->live, s->key, tokens, s->now);
        if (ask(s, &nothing, kind))
            return true;
    }
    return false;
}

static const struct {
    bool (*run)(series *s, tut_abuse_kind kind);
    const char *what;
} attempts[TUT_ABUSE_COUNT] = {
    [TUT_ABUSE_EXTRACTION] = {ask_variants, "one question about many things"},
    [TUT_ABUSE_PROBING] = {ask_variants, "variants of what was refused"},
    [TUT_ABUSE_MEMBERSHIP] = {ask_membership, "the same again, asking how sure the model is"},
    [TUT_ABUSE_SPENDING] = {spend, "tokens far above the usual"},
};

static tut_status attempt(tut_trials *t, tut_live *live, const tut_guard_client *client,
                          tut_abuse_kind kind, tut_error *err)
{
    const tut_abuse_setting *setting = client ? &client->abuse[kind]
                                              : &t->guard->policy->access.abuse[kind];
    const char *name = tut_abuse_kind_name(kind);
    char about[TUT_TRIAL_ABOUT] = "";
    series s = {.t = t,
                .live = live,
                .client = client,
                .key = 1000 + (uint64_t)kind, /* each series is somebody's of its own */
                .now = tut_live_now_ms()};
    if (client) {
        (void)snprintf(about, sizeof(about), "client %.*s", (int)client->id.len, client->id.data);
        TUT_TRY(tut_quota_key(client, tut_str_of(name), &s.key, err));
        s.key += kind;
    }
    if (setting->action == TUT_ABUSE_ALLOW)
        return tut_trial_add(t, "abuse", tut_str_of(about), TUT_RESULT_FAIL, err,
                             "%s is not looked for: the policy allows it", name);
    if (!attempts[kind].run(&s, kind))
        return tut_trial_add(t, "abuse", tut_str_of(about), TUT_RESULT_FAIL, err,
                             "%s: %u queries (%s) raised no alarm; its threshold is %g", name,
                             s.asked, attempts[kind].what, setting->threshold);
    return tut_trial_add(t, "abuse", tut_str_of(about), TUT_RESULT_PASS, err,
                         "%s: noticed at query %u (%s); then %s", name, s.asked,
                         attempts[kind].what, tut_abuse_action_name(setting->action));
}

/* A request as this route's protocol has it shows the detectors what they look at. */
static tut_status try_route(tut_trials *t, tut_live *live, const tut_guard_route *route,
                            tut_error *err)
{
    TUT_CLEAN(tut_trial_request) made = {0};
    const tut_trial_place at = tut_trial_place_of(t->guard->policy, route);
    TUT_AUTO(tut_guard_request) r = NULL;
    tut_abuse_query q;
    TUT_TRY(tut_trial_request_make(t->guard->policy, &at,
                                   TUT_LIT("Which of our lamps is the brightest of all?"),
                                   (tut_str){"", 0}, (tut_str){"", 0}, &made, err));
    TUT_TRY(tut_guard_request_begin(t->guard, &made.head, tut_buf_span(&made.body), &r, err));
    if (r->decision.action == TUT_GUARD_BLOCK)
        return tut_trial_add(t, "abuse", route->id, TUT_RESULT_NOT_CHECKED, err,
                             "a plain request was refused: %s", r->decision.reasons[0].detail);
    tut_abuse_query_of(live, r, &q);
    if (!q.has_text && !q.has_vector)
        return tut_trial_add(t, "abuse", route->id, TUT_RESULT_FAIL, err,
                             "its requests show the detectors nothing");
    return tut_trial_add(t, "abuse", route->id, TUT_RESULT_PASS, err,
                         "its requests are put down as %s", q.has_vector ? "numbers" : "texts");
}

tut_status tut_trial_abuse(tut_trials *t, tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    TUT_AUTO(tut_live) live = NULL;
    TUT_TRY(tut_trial_scratch(t, &live, err));
    for (size_t c = 0; c < (p->client_count ? p->client_count : 1); c++)
        for (unsigned k = 0; k < TUT_ABUSE_COUNT; k++)
            TUT_TRY(
                attempt(t, live, p->client_count ? &p->clients[c] : NULL, (tut_abuse_kind)k, err));
    for (size_t i = 0; i < p->route_count; i++)
        TUT_TRY(try_route(t, live, &p->routes[i], err));
    return TUT_SUCCESS;
}
