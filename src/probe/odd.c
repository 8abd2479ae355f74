/*
 * Odd input: bodies that no client of good will sends, one after the other, each followed by a
 * normal request. Each has to be answered or refused; a failure of the server (5xx), a connection
 * that is dropped, no answer in time, or a service that is not there afterwards is a failure.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "probe/odd_inputs.h"
#include "probe/target_http.h"

typedef struct odd {
    tut_probe *p;
    tut_http *http;
    tut_buf normal; /* a request that is answered */
    odd_marks marks;
    const odd_input *input; /* NULL: the normal request */
    bool was_asked;
    http_fate fate;
    int status;
    uint32_t ms;
    char problem[160];
    uint64_t asked, answered, refused, failures, limited;
    double slowest;
} odd;

static void odd_done(odd *o)
{
    tut_buf_done(&o->normal);
    odd_marks_done(&o->marks);
}

static tut_status make(void *ctx, uint64_t room, http_ask *ask, tut_buf *body, tut_error *err)
{
    odd *o = ctx;
    (void)room;
    ask->queries = !o->was_asked;
    if (o->was_asked)
        return TUT_SUCCESS;
    o->was_asked = true;
    if (!o->input) {
        tut_buf_add_str(body, tut_buf_str(&o->normal));
        return tut_buf_check(body, err);
    }
    odd_input_write(o->input, &o->marks, body);
    return tut_buf_check(body, err);
}

static tut_status take(void *ctx, const http_ask *ask, const http_answer *a, tut_error *err)
{
    odd *o = ctx;
    (void)ask, (void)err;
    o->fate = a->fate;
    o->status = a->status;
    o->ms = a->ms;
    tut_str_copy(o->problem, sizeof(o->problem), tut_str_of(a->problem));
    return TUT_SUCCESS;
}

/* input: NULL: the normal request. */
static tut_status send_one(odd *o, const odd_input *input, bool is_once, tut_error *err)
{
    const http_job job = {
        .url = http_url(o->http), .is_once = is_once, .make = make, .take = take, .ctx = o};
    o->input = input;
    o->was_asked = false;
    o->fate = HTTP_SILENT;
    o->status = 0;
    (void)snprintf(o->problem, sizeof(o->problem), "the budget is spent");
    return http_run(o->http, &job, err);
}

static bool is_served(const odd *o)
{
    return o->fate == HTTP_ANSWERED && o->status == 200;
}

static tut_status prepare(odd *o, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    odd_marks *m = &o->marks;
    const tut_target *t = o->p->target;
    const float *row = NULL;
    size_t width = 0;
    TUT_TRY(odd_marks_set(m, o->p, &row, &width, err));
    TUT_TRY(t->driver->compose(t, row, width, &o->normal, err));
    TUT_TRY(tut_json_parse(tut_buf_span(&o->normal), NULL, &doc, err));
    tut_json_add_inside(&m->name, tut_str_of(tut_target_v2_input(t)));
    tut_buf_add_byte(&m->model, '"');
    tut_json_add_inside(&m->model, tut_json_get_text(tut_json_root(doc), "model"));
    tut_buf_add_byte(&m->model, '"');
    tut_buf_add_z(&m->head, "\"model\":");
    tut_buf_add_str(&m->head, tut_buf_str(&m->model));
    return tut_buf_check(&m->head, err);
}

/* --- one after the other --- */
static void expose(odd *o, const odd_input *input, const char *what, tut_attack_result *ret)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%s: %s%s", input->name, what, o->problem);
    if (o->fate == HTTP_ANSWERED && !o->problem[0])
        tut_buf_printf(&text, "HTTP %d", o->status);
    const char *z = tut_buf_z(&text);
    if (z)
        tut_result_add_exposed(ret, &o->p->arena, UINT64_MAX, 1, z);
}

/* False: it does not come back. */
static tut_status see_after(odd *o, const odd_input *input, bool has_failed, bool *ret_is_back,
                            tut_attack_result *ret, tut_error *err)
{
    tut_error why = {.code = TUT_OK};
    *ret_is_back = true;
    TUT_TRY(send_one(o, NULL, true, err));
    if (is_served(o) || tut_allowance_is_spent(o->p->target->allowance))
        return TUT_SUCCESS;
    if (!has_failed) {
        o->failures++;
        expose(o, input, "afterwards a normal request: ", ret);
    }
    tut_status s = send_one(o, NULL, false, &why); /* with patience: something may start it again */
    if (s.code == TUT_CANCELLED)
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    *ret_is_back = tut_is_ok(s) && is_served(o);
    return TUT_SUCCESS;
}

static tut_status try_one(odd *o, const odd_input *input, bool *ret_is_back, tut_attack_result *ret,
                          tut_error *err)
{
    TUT_TRY(send_one(o, input, true, err));
    bool is_answer = o->fate == HTTP_ANSWERED || o->fate == HTTP_STREAM;
    bool has_failed = !is_answer || o->status >= 500;
    o->asked++;
    if (o->status == 429)
        o->limited++;
    else if (has_failed)
        o->failures++;
    else if (o->status >= 400)
        o->refused++;
    else
        o->answered++;
    o->slowest = fmax(o->slowest, o->ms);
    if (has_failed)
        expose(o, input, "", ret);
    return see_after(o, input, has_failed, ret_is_back, ret, err);
}

static unsigned kind_of(const tut_target *t)
{
    if (strcmp(t->facts.kind, "v2") == 0)
        return ODD_V2;
    return strcmp(t->facts.kind, "openai-chat") == 0 ? ODD_CHAT : ODD_COMPLETIONS;
}

static tut_status try_all(odd *o, tut_attack_result *ret, tut_error *err)
{
    size_t count = odd_input_count;
    unsigned kind = kind_of(o->p->target);
    for (size_t i = 0; i < count; i++) {
        bool is_back = true;
        if (!(odd_inputs[i].to & kind))
            continue;
        if (tut_allowance_left(o->p->target->allowance, 2) < 2) {
            ret->was_cut = true;
            ret->reason = "the budget was spent before all inputs were tried";
            return TUT_SUCCESS;
        }
        tut_probe_step(o->p, "odd input", i, count);
        TUT_TRY(try_one(o, &odd_inputs[i], &is_back, ret, err));
        if (!is_back) {
            ret->was_cut = true;
            ret->reason = "the service did not come back: the inputs behind the last one shown "
                          "were not tried";
            return TUT_SUCCESS;
        }
    }
    if (o->limited)
        ret->reason = "some inputs were held back by a limit on requests and tell nothing";
    return TUT_SUCCESS;
}

static void report(const odd *o, tut_attack_result *ret)
{
    char budget[96];
    ret->rows = o->asked;
    ret->decisive = (tut_measure){"failures", (double)o->failures, NAN, NAN};
    tut_result_add(ret, "inputs", (double)o->asked, NAN, NAN);
    tut_result_add(ret, "answered", (double)o->answered, NAN, NAN);
    tut_result_add(ret, "refused", (double)o->refused, NAN, NAN);
    tut_result_add(ret, "failures", (double)o->failures, NAN, NAN);
    tut_result_add(ret, "limited", (double)o->limited, NAN, NAN);
    tut_result_add(ret, "slowest_ms", o->slowest, NAN, NAN);
    (void)snprintf(budget, sizeof(budget), "%llu inputs, each followed by a normal request",
                   (unsigned long long)o->asked);
    ret->budget = tut_arena_copy(&o->p->arena, tut_str_of(budget));
}

static tut_status measure(odd *o, tut_attack_result *ret, tut_error *err)
{
    char reason[240];
    TUT_TRY(prepare(o, err));
    TUT_TRY(send_one(o, NULL, false, err));
    if (!is_served(o)) {
        (void)snprintf(reason, sizeof(reason), "a normal request is not answered: %s", o->problem);
        ret->reason = tut_arena_copy(&o->p->arena, tut_str_of(reason));
        return TUT_SUCCESS;
    }
    tut_status s = try_all(o, ret, err);
    ret->was_cut |= !tut_is_ok(s);
    if (o->asked > 0)
        report(o, ret);
    return s;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    odd o = {.p = p, .http = tut_target_http(p->target)};
    uint64_t before = p->target->allowance->queries;
    ret->metric = "failures";
    ret->decisive = (tut_measure){"failures", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness = "It tries a list of known oddities and does not search for others.";
    if (!o.http) {
        ret->reason = "the target is no service that takes requests";
        return TUT_SUCCESS;
    }
    tut_status s = measure(&o, ret, err);
    ret->queries = p->target->allowance->queries - before;
    odd_done(&o);
    return s;
}

const tut_attack tut_attack_odd_input = {
    .probe = "odd-input",
    .name = "bodies",
    .about = "Bodies that no client of good will sends: each has to be answered or refused.",
    .source = "own list; for the JSON of it Seriot, Parsing JSON is a Minefield, 2016",
    .gives = TUT_GIVES_NETWORK,
    .needs = 0,
    .run = run,
};
