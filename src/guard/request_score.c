/* The texts of a request under the detector, in bounded steps. */
#include <stdio.h>

#include "guard/request.h"

static tut_guard_check check_of(tut_guard_role role)
{
    return tut_role_is_data(role) ? TUT_CHECK_INJECTION_DATA : TUT_CHECK_INJECTION;
}

/* System text is the deployer's own; what the assistant said before has been looked at then. */
static bool is_scored(const tut_guard_request *r, const tut_guard_segment *s)
{
    return s->role != TUT_ROLE_SYSTEM && s->role != TUT_ROLE_ASSISTANT &&
           r->checks[check_of(s->role)].action != TUT_GUARD_ALLOW;
}

static void tell(tut_guard_request *r, tut_guard_segment *s, const char *why)
{
    tut_guard_check check = check_of(s->role);
    const tut_guard_setting *setting = &r->checks[check];
    if (s->score < setting->low && s->score < setting->threshold)
        return;
    bool is_above = s->score >= setting->threshold;
    s->is_suspect = true;
    tut_guard_add(&r->decision, tut_guard_check_name(check),
                  is_above ? setting->action : TUT_GUARD_FLAG, tut_str_of(s->where),
                  "score %.3f in %s text%s%s%s", s->score, tut_guard_role_name(s->role),
                  is_above || check == TUT_CHECK_INJECTION ? "" : ", taints what follows from it",
                  why[0] ? ": " : "", why);
}

static tut_detect_role role_of(tut_guard_role role)
{
    if (role == TUT_ROLE_DOCUMENT || role == TUT_ROLE_NAME)
        return TUT_DETECT_DOCUMENT;
    return tut_role_is_data(role) ? TUT_DETECT_TOOL : TUT_DETECT_USER;
}

static void name_reasons(const tut_detect_verdict *v, char *why, size_t cap)
{
    size_t len = 0;
    why[0] = '\0';
    for (size_t i = 0; i < v->reason_count && len + 1 < cap; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i && is_new; k++)
            is_new = strcmp(v->reasons[k].code, v->reasons[i].code) != 0;
        int n = is_new ? snprintf(why + len, cap - len, "%s%s", len ? ", " : "", v->reasons[i].code)
                       : 0;
        len += n > 0 ? (size_t)n : 0;
    }
}

/* A step of one segment; its score is there when it is done. */
static tut_status step_segment(tut_guard_request *r, tut_guard_segment *s, size_t max_bytes,
                               bool *ret_is_done, tut_error *err)
{
    const tut_guard *g = r->guard;
    char why[TUT_GUARD_DETAIL / 2] = "";
    *ret_is_done = true;
    if (g->score) {
        TUT_TRY(g->score(g->score_ctx, s->role, s->raw, &s->score, why, sizeof(why), err));
        tell(r, s, why);
        return TUT_SUCCESS;
    }
    if (!g->detector)
        return tut_fail(err, TUT_BUG, "the guard was opened without the detector");
    if (!r->is_under_way)
        TUT_TRY(tut_detect_begin(g->detector, role_of(s->role), s->raw, err));
    r->is_under_way = true;
    TUT_TRY(tut_detect_step(g->detector, max_bytes, ret_is_done, err));
    if (!*ret_is_done)
        return TUT_SUCCESS;
    tut_detect_verdict v;
    r->is_under_way = false;
    TUT_TRY(tut_detect_end(g->detector, &v, err));
    s->score = v.is_scored ? v.score : -1;
    name_reasons(&v, why, sizeof(why));
    tell(r, s, why);
    return TUT_SUCCESS;
}

bool tut_guard_request_may_go(const tut_guard_request *r)
{
    tut_guard_action done = tut_guard_done(&r->decision);
    return done < TUT_GUARD_HOLD || (done == TUT_GUARD_HOLD && r->is_approved);
}

tut_status tut_guard_request_release(tut_guard_request *r, bool is_approved, tut_error *err)
{
    if (tut_guard_done(&r->decision) != TUT_GUARD_HOLD || r->is_approved)
        return tut_fail(err, TUT_USAGE, "the request does not wait for a person");
    r->is_approved = is_approved;
    if (!is_approved)
        tut_guard_refuse(&r->decision, 403, "approval", TUT_LIT("request"),
                         "no person approved the request");
    return TUT_SUCCESS;
}

tut_status tut_guard_request_step(tut_guard_request *r, size_t max_bytes, bool *ret_is_done,
                                  tut_error *err)
{
    uint64_t failures = tut_alloc_failures();
    size_t spent = 0;
    *ret_is_done = false;
    /* What is refused already needs no score. */
    while (r->scored < r->segment_count && tut_guard_done(&r->decision) != TUT_GUARD_BLOCK) {
        tut_guard_segment *s = &r->segments[r->scored];
        bool is_done = true;
        if (spent >= max_bytes)
            return TUT_SUCCESS;
        if (is_scored(r, s)) {
            spent += s->text.len + 64;
            TUT_TRY(step_segment(r, s, max_bytes, &is_done, err));
        }
        if (!is_done)
            return TUT_SUCCESS;
        r->scored++;
    }
    if (tut_alloc_failures() != failures)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_is_done = true;
    return TUT_SUCCESS;
}
