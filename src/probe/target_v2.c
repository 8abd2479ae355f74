/*
 * KServe's and Triton's inference protocol v2 over HTTP with JSON: rows of numbers in one tensor,
 * out of which come probabilities, scores or labels; which of these, the first answer shows.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "probe/target_http.h"
#include "probe/target_numbers.h"

enum { BATCH = 64, AXES_MAX = 8, NAME_MAX_BYTES = 96, ASK_BYTES = 4 << 20 };

typedef struct v2 {
    tut_http *http;                                     /* first, as tut_target_http() takes it */
    char input[NAME_MAX_BYTES], output[NAME_MAX_BYTES]; /* output: "" until one is chosen */
    const char *datatype;
    size_t axes, shape[AXES_MAX]; /* of one row; 0 axes: flat */
    size_t batch;
    target_numbers numbers;
    bool was_asked, was_repeated;
    bool is_known; /* by another way: what is refused here is refused by a guard */
} v2;

extern const tut_target_driver tut_target_v2;

/* --- opening --- */
static bool takes(const char *place)
{
    return (strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0) &&
           strstr(place, "/v2/models/");
}

static tut_status take_shape(v2 *s, const tut_json_value *shape, size_t *ret_width, tut_error *err)
{
    uint32_t n = tut_json_count(shape);
    size_t width = 1;
    s->axes = 0;
    *ret_width = 0;
    if (n < 2)
        return TUT_SUCCESS;
    if (n - 1 > AXES_MAX)
        return tut_fail(err, TUT_UNSUPPORTED, "its input has %u axes", n);
    for (uint32_t i = 1; i < n; i++) {
        double v = tut_json_real_of(tut_json_item(shape, i));
        if (!(v >= 1) || v > TUT_LIMIT_PROBE_ANSWER_BYTES ||
            width > TUT_LIMIT_PROBE_ANSWER_BYTES / (size_t)v)
            return TUT_SUCCESS; /* as wide as the rows are */
        width *= (size_t)v;
        s->shape[i - 1] = (size_t)v;
    }
    s->axes = n - 1;
    *ret_width = width;
    return TUT_SUCCESS;
}

static tut_status take_metadata(tut_target *t, v2 *s, tut_span text, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (!tut_is_ok(tut_json_parse(text, NULL, &doc, NULL)))
        return TUT_SUCCESS; /* it is not offered */
    const tut_json_value *inputs = tut_json_get(tut_json_root(doc), "inputs");
    const tut_json_value *in = tut_json_item(inputs, 0);
    if (tut_json_count(inputs) == 0)
        return TUT_SUCCESS;
    if (tut_json_count(inputs) > 1)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "%s takes %u inputs; a model of rows of numbers has one", t->facts.shown,
                        tut_json_count(inputs));
    tut_str type = tut_json_get_text(in, "datatype");
    if (tut_str_eq_z(type, "FP64"))
        s->datatype = "FP64";
    else if (!tut_str_eq_z(type, "FP32"))
        return tut_fail(err, TUT_UNSUPPORTED, "%s takes %.*s, not FP32 or FP64", t->facts.shown,
                        type.len < 16 ? (int)type.len : 16, type.data ? type.data : "nothing");
    tut_str name = tut_json_get_text(in, "name");
    if (name.len && name.len < sizeof(s->input))
        tut_str_copy(s->input, sizeof(s->input), name);
    return take_shape(s, tut_json_get(in, "shape"), &t->facts.width, err);
}

static tut_status ask_metadata(tut_target *t, v2 *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    const char *infer = http_url(s->http);
    TUT_AUTO_FREE char *url = tut_strndup(infer, strlen(infer) - strlen("/infer"));
    int status = 0;
    if (!url)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(http_get(s->http, url, &status, &body, err));
    return status == 200 ? take_metadata(t, s, tut_buf_span(&body), err) : TUT_SUCCESS;
}

/* The same model, asked another way: a guard lets inference through, and no metadata. */
static void take_after(tut_target *t, v2 *s, const tut_target *like)
{
    if (!like || like->driver != &tut_target_v2)
        return;
    const v2 *other = like->state;
    memcpy(s->input, other->input, sizeof(s->input));
    memcpy(s->shape, other->shape, sizeof(s->shape));
    s->datatype = other->datatype;
    s->axes = other->axes;
    s->is_known = true;
    t->facts.width = like->facts.width;
}

static tut_status open_v2(tut_target *t, const tut_target_wish *wish, tut_error *err)
{
    v2 *s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->state = s;
    size_t len = strcspn(wish->place, "?#");
    while (len && wish->place[len - 1] == '/')
        len--;
    bool is_whole = tut_str_ends((tut_str){wish->place, len}, TUT_LIT("/infer"));
    TUT_AUTO_FREE char *url = tut_asprintf("%.*s%s", (int)len, wish->place,
                                           is_whole ? "" : "/infer");
    if (!url)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_target_wish own = *wish;
    own.place = url;
    tut_str_copy(s->input, sizeof(s->input), TUT_LIT("input"));
    s->datatype = "FP32";
    take_after(t, s, wish->like);
    s->numbers.may_be_coarse = s->is_known;
    s->batch = wish->batch ? wish->batch : BATCH;
    s->numbers.classes = wish->classes;
    TUT_TRY(http_open(t, &own, &s->http, err));
    return ask_metadata(t, s, err);
}

static void close_v2(tut_target *t)
{
    v2 *s = t->state;
    http_free(s->http);
    tut_free(s);
}

/* --- asking --- */
typedef struct call {
    tut_target *t;
    v2 *s;
    const float *rows;
    size_t width, next, count;  /* next of todo */
    const size_t *todo;         /* rows to ask about */
    size_t *again, again_count; /* rows of requests that were refused as a whole */
    size_t batch;
    tut_predictions *ret;
    double *values; /* of one answer */
    bool any_answered;
} call;

static void add_shape(tut_json *j, const v2 *s, size_t count, size_t width)
{
    tut_json_key(j, "shape");
    tut_json_array(j);
    tut_json_u64(j, count);
    for (size_t i = 0; i < s->axes; i++)
        tut_json_u64(j, s->shape[i]);
    if (s->axes == 0)
        tut_json_u64(j, width);
    tut_json_end_array(j);
}

static tut_status write_ask(const v2 *s, tut_str data, size_t count, size_t width, tut_buf *body,
                            tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(body, &j));
    tut_json_object(j);
    tut_json_key(j, "inputs");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "name", s->input);
    tut_json_put_z(j, "datatype", s->datatype);
    add_shape(j, s, count, width);
    tut_json_key(j, "data");
    tut_json_raw(j, data);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status make(void *ctx, uint64_t room, http_ask *ask, tut_buf *body, tut_error *err)
{
    call *c = ctx;
    size_t n = c->batch, most = ASK_BYTES / (c->width * 12 + 1) + 1;
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    n = n < c->count - c->next ? n : c->count - c->next;
    n = n < room ? n : (size_t)room;
    n = n < most ? n : most;
    *ask = (http_ask){.from = c->next, .count = n, .queries = n};
    if (n == 0)
        return TUT_SUCCESS;
    c->next += n;
    tut_buf_add_byte(&data, '[');
    for (size_t i = 0; i < n; i++)
        target_numbers_add(&data, c->rows + c->todo[ask->from + i] * c->width, c->width, i > 0);
    tut_buf_add_byte(&data, ']');
    TUT_TRY(tut_buf_check(&data, err));
    return write_ask(c->s, tut_buf_str(&data), n, c->width, body, err);
}

static tut_status compose(const tut_target *t, const float *row, size_t width, tut_buf *ret_body,
                          tut_error *err)
{
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    tut_buf_add_byte(&data, '[');
    target_numbers_add(&data, row, width, false);
    tut_buf_add_byte(&data, ']');
    TUT_TRY(tut_buf_check(&data, err));
    return write_ask(t->state, tut_buf_str(&data), 1, width, ret_body, err);
}

const char *tut_target_v2_input(const tut_target *t)
{
    return t->driver == &tut_target_v2 ? ((const v2 *)t->state)->input : "";
}

/* --- hearing --- */
static unsigned rank_of(const tut_json_value *o)
{
    tut_str name = tut_json_get_text(o, "name"), type = tut_json_get_text(o, "datatype");
    bool is_real = tut_str_starts(type, TUT_LIT("FP"));
    if (tut_str_eq_z(type, "BYTES"))
        return 0;
    for (size_t i = 0; i + 4 <= name.len; i++)
        if (tut_str_ieq((tut_str){name.data + i, 4}, TUT_LIT("prob")))
            return is_real ? 4 : 1;
    return is_real ? 3 : 2;
}

/* Probabilities by their name, or else the first real numbers, or else labels; then always it. */
static const tut_json_value *choose(v2 *s, const tut_json_value *outputs)
{
    const tut_json_value *best = NULL;
    for (uint32_t i = 0; i < tut_json_count(outputs); i++) {
        const tut_json_value *o = tut_json_item(outputs, i);
        if (s->output[0] && tut_str_eq_z(tut_json_get_text(o, "name"), s->output))
            return o;
        if (!s->output[0] && rank_of(o) > (best ? rank_of(best) : 0))
            best = o;
    }
    if (best)
        tut_str_copy(s->output, sizeof(s->output), tut_json_get_text(best, "name"));
    return best;
}

static bool hear_batch(call *c, size_t n, tut_span body)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {.code = TUT_OK};
    tut_predictions *ret = c->ret;
    if (!tut_is_ok(tut_json_parse(body, NULL, &doc, &why))) {
        tut_target_note(ret, "an answer is no JSON: %s", why.text);
        return false;
    }
    const tut_json_value *out = choose(c->s, tut_json_get(tut_json_root(doc), "outputs"));
    if (!out) {
        tut_target_note(ret, "an answer has no output of numbers%s%s",
                        c->s->output[0] ? " called " : "", c->s->output);
        return false;
    }
    tut_str type = tut_json_get_text(out, "datatype");
    bool are_labels = !tut_str_starts(type, TUT_LIT("FP"));
    return target_numbers_take(&c->s->numbers, c->t, ret, tut_json_get(out, "data"), n, are_labels,
                               &c->values);
}

static tut_status settle(call *c, const http_ask *ask, tut_answered what, tut_error *err)
{
    for (size_t i = 0; i < ask->count; i++) {
        size_t row = c->todo[ask->from + i];
        c->ret->answered[row] = (uint8_t)what;
        if (what == TUT_ANSWERED)
            target_numbers_put(&c->s->numbers, c->ret, row, c->values, i);
        c->t->allowance->refused += what == TUT_REFUSED;
        c->t->allowance->failed += what == TUT_FAILED;
        TUT_TRY(tut_target_settled(c->t, c->ret, row, err));
    }
    return TUT_SUCCESS;
}

static tut_status take(void *ctx, const http_ask *ask, const http_answer *a, tut_error *err)
{
    call *c = ctx;
    v2 *s = c->s;
    if (!s->was_asked)
        TUT_TRY(http_check_first(s->http, a, err));
    bool is_answer = a->fate == HTTP_ANSWERED && a->status == 200;
    s->was_asked |= is_answer;
    if (is_answer)
        return settle(c, ask, hear_batch(c, ask->count, a->body) ? TUT_ANSWERED : TUT_FAILED, err);
    bool is_error = a->fate == HTTP_ANSWERED && a->status >= 400 && a->status != 429;
    if (is_error && a->status != 503 && ask->count > 1) {
        for (size_t i = 0; i < ask->count; i++) /* one by one: which of them it is */
            c->again[c->again_count++] = c->todo[ask->from + i];
        return TUT_SUCCESS;
    }
    bool is_misfit = a->status == 400 || a->status == 415 || a->status == 422;
    if (is_error && is_misfit && !s->was_asked && !s->is_known)
        return tut_fail(err, TUT_USAGE, "%s does not take rows of %zu numbers: %s",
                        c->t->facts.shown, c->width, a->problem);
    tut_target_note(c->ret, "%s", a->problem);
    return settle(c, ask, is_error && a->status < 500 ? TUT_REFUSED : TUT_FAILED, err);
}

static tut_status run(call *c, tut_error *err)
{
    const http_job job = {.url = http_url(c->s->http), .make = make, .take = take, .ctx = c};
    return http_run(c->s->http, &job, err);
}

/* Rows of requests that were refused as a whole, one by one; where that goes, the requests were too
 * large. */
static tut_status run_again(call *c, size_t *ret_todo, tut_error *err)
{
    size_t n = c->again_count;
    if (n == 0)
        return TUT_SUCCESS;
    memcpy(ret_todo, c->again, n * sizeof(*ret_todo));
    c->todo = ret_todo;
    c->count = n;
    c->next = c->again_count = 0;
    c->batch = 1;
    tut_status s = run(c, err);
    size_t answered = 0;
    for (size_t i = 0; i < n; i++)
        answered += c->ret->answered[ret_todo[i]] == TUT_ANSWERED;
    if (answered == n && c->s->batch > 1)
        c->s->batch /= 4;
    if (c->s->batch == 0)
        c->s->batch = 1;
    return s;
}

/* Once a run: does the first row get the same answer again? */
static tut_status repeat_first(call *c, const tut_predictions *first, tut_error *err)
{
    tut_target *t = c->t;
    const tut_sha256 *keys = t->keys;
    TUT_CLEAN(tut_predictions) p = {.count = 1};
    size_t only = 0;
    if (c->s->was_repeated || first->answered[0] != TUT_ANSWERED ||
        tut_allowance_left(t->allowance, 1) == 0)
        return TUT_SUCCESS;
    c->s->was_repeated = true;
    p.answered = tut_alloc_array(2, 1);
    if (!p.answered || !tut_target_fix_classes(t, &p, t->facts.classes))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p.answered[0] = TUT_UNASKED;
    call once = {.t = t,
                 .s = c->s,
                 .rows = c->rows,
                 .width = c->width,
                 .count = 1,
                 .todo = &only,
                 .batch = 1,
                 .ret = &p};
    t->keys = NULL; /* it is no answer of the run */
    tut_status s = run(&once, err);
    t->keys = keys;
    tut_free(once.values);
    if (tut_is_ok(s))
        t->facts.is_unstable = target_numbers_differ(&p, 0, first, 0);
    return s;
}

static tut_status predict_all(call *c, size_t *again, size_t *todo, tut_error *err)
{
    if (!again || !todo)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < c->count; i++)
        todo[i] = i;
    c->todo = todo;
    c->again = again;
    TUT_TRY(target_numbers_begin(&c->s->numbers, c->t, c->ret, err));
    tut_status s = run(c, err);
    if (tut_is_ok(s))
        s = run_again(c, todo, err);
    TUT_TRY(target_numbers_end(&c->s->numbers, c->t, c->ret, tut_is_ok(s) ? err : NULL));
    return tut_is_ok(s) ? repeat_first(c, c->ret, err) : s;
}

static tut_status predict(tut_target *t, const float *rows, size_t count, size_t width,
                          uint64_t first, tut_predictions *ret, tut_error *err)
{
    v2 *s = t->state;
    call c = {.t = t,
              .s = s,
              .rows = rows,
              .width = width,
              .count = count,
              .batch = s->batch,
              .ret = ret};
    (void)first;
    if (count == 0)
        return TUT_SUCCESS;
    TUT_AUTO_FREE size_t *again = tut_alloc_array(count, sizeof(*again));
    TUT_AUTO_FREE size_t *todo = tut_alloc_array(count, sizeof(*todo));
    tut_status status = predict_all(&c, again, todo, err);
    tut_free(c.values);
    return status;
}

const tut_target_driver tut_target_v2 = {
    .kind = "v2",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES | TUT_GIVES_ANY_ROW | TUT_GIVES_NETWORK,
    .needs_leave = true,
    .keeps = true,
    .takes = takes,
    .open = open_v2,
    .close = close_v2,
    .predict = predict,
    .compose = compose,
};
