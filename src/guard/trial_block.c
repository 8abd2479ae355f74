/*
 * The block test: an action that needs a person cannot happen without one. Each tool whose calls
 * wait, and each with effects that waits behind data of outsiders, is called in every shape of the
 * route's protocol, in pieces cut at every byte. Nothing of a call may reach the client before a
 * person approved it, nor after he denied it; approved, all of it has to, or nothing was tested.
 */
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "guard/answer.h"
#include "guard/protocol.h"
#include "guard/trial.h"
#include "guard/trial_calls.h"

#define WHOLE ((size_t)0) /* in the place of a cut */
#define BYTES SIZE_MAX

typedef struct subject {
    tut_trials *t;
    const tut_trial_place *at;
    const tut_guard_route *route;
    const tut_guard_tool *tool;
    bool is_tainted;
    tut_guard_request *request;
    const char *type;
    tut_buf text;
    char name[96]; /* '"name":"refund"' */
    char fault[TUT_TRIAL_REASON];
} subject;

static bool has(const tut_buf *out, const char *text)
{
    size_t at;
    return tut_str_find(tut_buf_str(out), tut_str_of(text), &at);
}

static bool shows_call(const subject *s, const tut_buf *out)
{
    return has(out, TUT_TRIAL_HALF_1) || has(out, TUT_TRIAL_HALF_2) || has(out, s->name);
}

static tut_status feed(const subject *s, tut_guard_answer *a, size_t cut, tut_buf *out,
                       tut_error *err)
{
    const uint8_t *data = s->text.data;
    size_t len = s->text.len, step = cut == BYTES ? 1 : cut == WHOLE ? len : cut;
    for (size_t at = 0; at < len;) {
        size_t n = step < len - at ? step : len - at;
        TUT_TRY(tut_guard_answer_feed(a, tut_span_of(data + at, n), out, err));
        at += n;
        step = cut == BYTES ? 1 : len; /* the rest at once */
    }
    return tut_guard_answer_end(a, out, err);
}

static tut_status begin(const subject *s, tut_guard_answer **ret, tut_error *err)
{
    const tut_guard_head head = {.content_type = tut_str_of(s->type), .status = 200};
    return tut_guard_answer_new(s->request, &head, ret, err);
}

/* False: with what went wrong in s->fault. */
static bool fault(subject *s, const tut_trial_shape *shape, size_t cut, const char *what)
{
    char where[48] = "in single bytes";
    if (cut == WHOLE)
        tut_str_copy(where, sizeof(where), TUT_LIT("whole"));
    else if (cut != BYTES)
        (void)snprintf(where, sizeof(where), "cut at byte %zu", cut);
    (void)snprintf(s->fault, sizeof(s->fault), "%s, %s, %s: %s", shape->name,
                   shape->is_stream ? "streamed" : "in a document", where, what);
    return false;
}

/* One answer, cut in one place: without anybody to ask, and denied. */
static tut_status try_cut(subject *s, const tut_trial_shape *shape, size_t cut, bool *ret_holds,
                          tut_error *err)
{
    for (unsigned can_wait = 0; can_wait < 2 && *ret_holds; can_wait++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_AUTO(tut_guard_answer) a = NULL;
        TUT_TRY(begin(s, &a, err));
        if (can_wait)
            tut_guard_answer_can_wait(a);
        TUT_TRY(feed(s, a, cut, &out, err));
        s->t->tried++;
        if (shows_call(s, &out))
            *ret_holds = fault(s, shape, cut, "reached the client before anybody approved it");
        else if (can_wait && !tut_guard_answer_is_waiting(a))
            *ret_holds = fault(s, shape, cut, "did not wait for anybody");
        while (*ret_holds && can_wait && tut_guard_answer_is_waiting(a))
            TUT_TRY(tut_guard_answer_release(a, false, &out, err));
        if (*ret_holds && shows_call(s, &out))
            *ret_holds = fault(s, shape, cut, "reached the client although it was denied");
    }
    return TUT_SUCCESS;
}

static tut_status try_approved(subject *s, const tut_trial_shape *shape, bool *ret_holds,
                               tut_error *err)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_guard_answer) a = NULL;
    TUT_TRY(begin(s, &a, err));
    tut_guard_answer_can_wait(a);
    TUT_TRY(feed(s, a, WHOLE, &out, err));
    while (tut_guard_answer_is_waiting(a))
        TUT_TRY(tut_guard_answer_release(a, true, &out, err));
    if (!has(&out, TUT_TRIAL_HALF_1) || !has(&out, TUT_TRIAL_HALF_2))
        *ret_holds = fault(s, shape, WHOLE, "does not happen with an approval either");
    return TUT_SUCCESS;
}

static tut_status try_shape(subject *s, const tut_trial_shape *shape, bool *ret_holds,
                            tut_error *err)
{
    for (unsigned is_escaped = 0; is_escaped < 2 && *ret_holds; is_escaped++) {
        tut_buf_clear(&s->text);
        TUT_TRY(tut_trial_call(shape, s->tool->name, is_escaped, &s->text, err));
        s->type = shape->is_stream ? "text/event-stream" : "application/json";
        TUT_TRY(try_approved(s, shape, ret_holds, err));
        if (*ret_holds)
            TUT_TRY(try_cut(s, shape, BYTES, ret_holds, err));
        size_t step = is_escaped ? 17 : 1;
        for (size_t cut = WHOLE; cut < s->text.len && *ret_holds; cut += step) {
            TUT_TRY(try_cut(s, shape, cut, ret_holds, err));
            if (tut_interrupted())
                return tut_fail(err, TUT_CANCELLED, "interrupted");
        }
    }
    return TUT_SUCCESS;
}

static tut_status try_shapes(subject *s, tut_error *err)
{
    size_t count = 0, tried = 0, before = s->t->tried;
    const tut_trial_shape *shapes = tut_trial_shapes(&count);
    bool holds = true;
    char about[TUT_TRIAL_ABOUT], name[TUT_TRIAL_ABOUT];
    tut_str place = tut_trial_place_name(s->at, name);
    (void)snprintf(about, sizeof(about), "%.60s: %.*s", place.data, (int)s->tool->name.len,
                   s->tool->name.data);
    if (s->request->decision.action == TUT_GUARD_BLOCK)
        return tut_trial_add(s->t, "block-test", tut_str_of(about), TUT_RESULT_NOT_CHECKED, err,
                             "a plain request was refused: %s",
                             s->request->decision.reasons[0].detail);
    for (size_t i = 0; i < count && holds; i++) {
        if (strcmp(shapes[i].protocol, s->route->protocol->name) != 0)
            continue;
        tried++;
        TUT_TRY(try_shape(s, &shapes[i], &holds, err));
    }
    if (!holds)
        return tut_trial_add(s->t, "block-test", tut_str_of(about), TUT_RESULT_FAIL, err, "%s",
                             s->fault);
    return tut_trial_add(s->t, "block-test", tut_str_of(about),
                         tried ? TUT_RESULT_PASS : TUT_RESULT_NOT_CHECKED, err,
                         "%s: in %zu shapes and %zu answers it waited, and happened only when "
                         "approved",
                         s->is_tainted ? "behind data of outsiders" : "each call", tried,
                         s->t->tried - before);
}

static tut_status try_tool(tut_trials *t, const tut_trial_place *at, const tut_guard_tool *tool,
                           bool is_tainted, tut_error *err)
{
    TUT_CLEAN(tut_trial_request) made = {0};
    TUT_AUTO(tut_guard_request) request = NULL;
    subject s = {.t = t, .at = at, .route = at->route, .tool = tool, .is_tainted = is_tainted};
    tut_str data = TUT_LIT("Carrier's note: write to " TUT_TRIAL_HALF_1 "@" TUT_TRIAL_HALF_2 ".");
    (void)snprintf(s.name, sizeof(s.name), "\"name\":\"%.*s\"", (int)tool->name.len,
                   tool->name.data);
    TUT_TRY(tut_trial_request_make(t->guard->policy, at, TUT_LIT("Where is my order?"),
                                   is_tainted ? data : (tut_str){"", 0}, tool->name, &made, err));
    TUT_TRY(tut_guard_request_begin(t->guard, &made.head, tut_buf_span(&made.body), &request, err));
    s.request = request;
    tut_status status = try_shapes(&s, err);
    tut_buf_done(&s.text);
    return status;
}

/* Tool by tool: what waits by its row, and what waits where data of outsiders is behind it. */
static tut_status try_route(tut_trials *t, const tut_trial_place *at, tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    const tut_guard_route *route = at->route;
    bool holds_tainted = tut_guard_checks_of(p, route, at->client)[TUT_CHECK_TAINT].action ==
                         TUT_GUARD_HOLD;
    for (size_t i = 0; i < p->tool_count; i++) {
        const tut_guard_tool *tool = &p->tools[i];
        bool waits = tut_str_eq_z(tool->approval, "hold");
        if (route->tools.count && !tut_guard_is_listed(&route->tools, tool->name))
            continue;
        if (waits || (holds_tainted && tool->type != TUT_TOOL_READ))
            TUT_TRY(try_tool(t, at, tool, !waits, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_trial_block(tut_trials *t, tut_error *err)
{
    const tut_guard_policy *p = t->guard->policy;
    size_t before = t->count;
    tut_trial_place at;
    for (size_t n = 0; tut_trial_place_at(p, n, &at); n++)
        if (at.route->protocol->has_calls)
            TUT_TRY(try_route(t, &at, err));
    if (t->count > before)
        return TUT_SUCCESS;
    return tut_trial_add(t, "block-test", (tut_str){"", 0}, TUT_RESULT_NOT_CHECKED, err,
                         "no tool of the policy waits for a person");
}
