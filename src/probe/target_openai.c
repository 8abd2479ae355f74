/*
 * OpenAI's chat and completions, as most servers of language models speak them. Every text is asked
 * for with temperature 0 and the seed, so that a service that can will answer alike.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "probe/target_http.h"
#include "probe/target_said.h"

enum { LISTED = 5 };

typedef struct openai {
    tut_http *http; /* first, as tut_target_http() takes it */
    char *model;
    bool is_chat, was_asked, was_repeated;
} openai;

/* --- opening --- */
static bool is_at(const char *place, const char *ending)
{
    tut_str url = {place, strcspn(place, "?#")};
    return (strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0) &&
           tut_str_ends(url, tut_str_of(ending));
}

static bool takes_chat(const char *place)
{
    return is_at(place, "/chat/completions");
}

static bool takes_completions(const char *place)
{
    return is_at(place, "/completions") && !takes_chat(place);
}

static tut_status open_it(tut_target *t, const tut_target_wish *wish, bool is_chat, tut_error *err)
{
    openai *s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->state = s;
    s->is_chat = is_chat;
    s->model = tut_strdup(wish->model ? wish->model : "default");
    if (!s->model)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return http_open(t, wish, &s->http, err);
}

static tut_status open_chat(tut_target *t, const tut_target_wish *wish, tut_error *err)
{
    return open_it(t, wish, true, err);
}

static tut_status open_completions(tut_target *t, const tut_target_wish *wish, tut_error *err)
{
    return open_it(t, wish, false, err);
}

static void close_it(tut_target *t)
{
    openai *s = t->state;
    http_free(s->http);
    tut_free(s->model);
    tut_free(s);
}

/* --- asking --- */
/* A string, {"prompt": string}, or messages, of which the contents follow one another. */
static tut_status write_prompt(tut_json *j, tut_str messages, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(tut_span_of(messages.data, messages.len), NULL, &doc, err));
    const tut_json_value *v = tut_json_root(doc);
    if (v->type == TUT_JSON_OBJECT)
        v = tut_json_get(v, "prompt");
    if (v && v->type == TUT_JSON_STRING)
        tut_buf_add_str(&text, tut_json_text(v));
    for (uint32_t i = 0; v && v->type == TUT_JSON_ARRAY && i < tut_json_count(v); i++) {
        if (i > 0)
            tut_buf_add_byte(&text, '\n');
        tut_buf_add_str(&text, tut_json_get_text(tut_json_item(v, i), "content"));
    }
    tut_json_put_str(j, "prompt", tut_buf_str(&text));
    return tut_buf_check(&text, err);
}

static tut_status write_ask(const openai *s, const tut_asked *a, tut_buf *body, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    uint32_t most = a->max_tokens ? a->max_tokens : a->wants_echo ? 1 : 0;
    TUT_TRY(tut_json_new(body, &j));
    tut_json_object(j);
    tut_json_put_z(j, "model", s->model);
    tut_json_put_int(j, "temperature", 0);
    tut_json_put_u64(j, "seed", a->seed & 0x7fffffff);
    tut_json_put_bool(j, "stream", false);
    if (most)
        tut_json_put_u64(j, "max_tokens", most);
    if (s->is_chat) {
        tut_json_key(j, "messages");
        tut_json_raw(j, a->messages);
        if (a->tools.len) {
            tut_json_key(j, "tools");
            tut_json_raw(j, a->tools);
        }
        if (a->wants_logprobs)
            tut_json_put_bool(j, "logprobs", true);
    } else {
        TUT_TRY(write_prompt(j, a->messages, err));
        /* With echo as many of the likeliest words at each place as OpenAI's interface has. */
        if (a->wants_logprobs || a->wants_echo)
            tut_json_put_int(j, "logprobs", a->wants_echo ? LISTED : 1);
        if (a->wants_echo)
            tut_json_put_bool(j, "echo", true);
    }
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

typedef struct call {
    tut_target *t;
    openai *s;
    const tut_asked *asked;
    size_t count, next;
    tut_said *said;
} call;

static tut_status make(void *ctx, uint64_t room, http_ask *ask, tut_buf *body, tut_error *err)
{
    call *c = ctx;
    (void)room;
    if (c->next == c->count)
        return TUT_SUCCESS;
    *ask = (http_ask){.from = c->next++, .count = 1, .queries = 1};
    return write_ask(c->s, &c->asked[ask->from], body, err);
}

static tut_status compose(const tut_target *t, const float *row, size_t width, tut_buf *ret_body,
                          tut_error *err)
{
    const openai *s = t->state;
    const tut_asked greeting = {
        .messages = s->is_chat ? TUT_LIT("[{\"role\":\"user\",\"content\":\"Hello\"}]")
                               : TUT_LIT("\"Hello\""),
        .max_tokens = 8};
    (void)row, (void)width;
    return write_ask(s, &greeting, ret_body, err);
}

/* --- hearing --- */
static tut_status hear(tut_target *t, const tut_asked *asked, tut_span answer, tut_said *said,
                       tut_error *err)
{
    const openai *s = t->state;
    TUT_TRY(tut_said_begin(said, answer, err));
    if (said->status != 200)
        return target_said_refusal(said, answer, err);
    TUT_TRY(target_said_openai(said, asked, answer, s->is_chat, err));
    if (said->answered == TUT_ANSWERED && said->logprob_count == 0) {
        if (asked->wants_echo)
            t->facts.gives &= ~(unsigned)TUT_GIVES_ECHO;
        if (asked->wants_logprobs)
            t->facts.gives &= ~(unsigned)TUT_GIVES_LOGPROBS;
    }
    return TUT_SUCCESS;
}

static tut_status take(void *ctx, const http_ask *ask, const http_answer *a, tut_error *err)
{
    call *c = ctx;
    tut_said *said = &c->said[ask->from];
    tut_allowance *allowance = c->t->allowance;
    if (!c->s->was_asked)
        TUT_TRY(http_check_first(c->s->http, a, err));
    c->s->was_asked |= a->fate == HTTP_ANSWERED && a->status == 200;
    said->status = a->status;
    if (a->fate == HTTP_ANSWERED)
        TUT_TRY(hear(c->t, &c->asked[ask->from], a->body, said, err));
    else
        TUT_TRY(target_said_failed(said, a->body, a->problem, err));
    said->ms = a->ms;
    tut_allowance_add_tokens(allowance, said->tokens_in, said->tokens_out);
    allowance->refused += said->answered == TUT_REFUSED;
    allowance->failed += said->answered == TUT_FAILED;
    return tut_target_heard(c->t, said, ask->from, err);
}

static tut_status run(call *c, tut_error *err)
{
    const http_job job = {.url = http_url(c->s->http), .make = make, .take = take, .ctx = c};
    return http_run(c->s->http, &job, err);
}

/* Once a run: is the first text answered alike when it is asked again? */
static tut_status repeat_first(const call *all, tut_error *err)
{
    tut_target *t = all->t;
    const tut_sha256 *keys = t->keys;
    TUT_CLEAN(tut_said) again = {.answered = TUT_UNASKED};
    if (all->s->was_repeated || all->said[0].answered != TUT_ANSWERED ||
        tut_allowance_left(t->allowance, 1) == 0)
        return TUT_SUCCESS;
    all->s->was_repeated = true;
    call once = {.t = t, .s = all->s, .asked = all->asked, .count = 1, .said = &again};
    t->keys = NULL; /* it is no answer of the run */
    tut_status s = run(&once, err);
    t->keys = keys;
    if (tut_is_ok(s) && again.answered == TUT_ANSWERED)
        t->facts.is_unstable = !tut_str_eq(again.text, all->said[0].text);
    return s;
}

static tut_status ask(tut_target *t, const tut_asked *asked, size_t count, tut_said *ret_said,
                      tut_error *err)
{
    call c = {.t = t, .s = t->state, .asked = asked, .count = count, .said = ret_said};
    if (count == 0)
        return TUT_SUCCESS;
    TUT_TRY(run(&c, err));
    return repeat_first(&c, err);
}

const tut_target_driver tut_target_openai_chat = {
    .kind = "openai-chat",
    .gives = TUT_GIVES_TEXT | TUT_GIVES_LOGPROBS | TUT_GIVES_NETWORK,
    .needs_leave = true,
    .keeps = true,
    .takes = takes_chat,
    .open = open_chat,
    .close = close_it,
    .ask = ask,
    .compose = compose,
    .hear = hear,
};

const tut_target_driver tut_target_openai_completions = {
    .kind = "openai-completions",
    .gives = TUT_GIVES_TEXT | TUT_GIVES_LOGPROBS | TUT_GIVES_ECHO | TUT_GIVES_NETWORK,
    .needs_leave = true,
    .keeps = true,
    .takes = takes_completions,
    .open = open_completions,
    .close = close_it,
    .ask = ask,
    .compose = compose,
    .hear = hear,
};
