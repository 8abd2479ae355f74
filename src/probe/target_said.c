#include "probe/target_said.h"

#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "probe/target_http.h"

enum { CALLS_MAX = 256, LOGPROBS_MAX = 1 << 20, BYTES_OF_TOKEN = 4 };

static void fail(tut_said *s, const char *why)
{
    s->answered = TUT_FAILED;
    s->reason = tut_said_keep(s, tut_str_of(why));
}

tut_status target_said_failed(tut_said *s, tut_span answer, const char *problem, tut_error *err)
{
    TUT_TRY(tut_said_begin(s, answer, err));
    fail(s, problem);
    return TUT_SUCCESS;
}

tut_status target_said_refusal(tut_said *s, tut_span answer, tut_error *err)
{
    TUT_CLEAN(tut_buf) reason = TUT_BUF_INIT;
    bool is_refusal = s->status >= 400 && s->status < 500 && s->status != 429;
    if (!is_refusal)
        tut_buf_printf(&reason, "HTTP %d: ", s->status);
    http_reason(answer, &reason);
    TUT_TRY(tut_buf_check(&reason, err));
    s->answered = is_refusal ? TUT_REFUSED : TUT_FAILED;
    s->reason = tut_said_keep(s, tut_buf_str(&reason));
    return TUT_SUCCESS;
}

/* --- parts of an answer --- */
/* A string, or parts of which some are texts. */
static void take_content(tut_said *s, const tut_json_value *content)
{
    if (!content || content->type == TUT_JSON_STRING) {
        s->text = tut_said_keep(s, tut_json_text(content));
        return;
    }
    const char *begin = NULL;
    size_t len = 0;
    for (uint32_t i = 0; i < tut_json_count(content); i++) {
        tut_str part = tut_said_keep(s, tut_json_get_text(tut_json_item(content, i), "text"));
        begin = begin ? begin : part.data;
        len += part.len;
    }
    s->text = (tut_str){begin ? begin : "", len};
}

static tut_status take_calls(tut_said *s, const tut_json_value *calls, tut_error *err)
{
    uint32_t n = tut_json_count(calls);
    n = n < CALLS_MAX ? n : CALLS_MAX;
    if (!calls || calls->type != TUT_JSON_ARRAY || n == 0)
        return TUT_SUCCESS;
    s->calls = tut_alloc_array(n, sizeof(*s->calls));
    if (!s->calls)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < n; i++) {
        const tut_json_value *call = tut_json_item(calls, i);
        const tut_json_value *function = tut_json_get(call, "function");
        tut_tool_asked *to = &s->calls[s->call_count++];
        function = function ? function : call;
        to->name = tut_said_keep(s, tut_json_get_text(function, "name"));
        to->arguments = tut_said_keep(s, tut_json_get_text(function, "arguments"));
    }
    return TUT_SUCCESS;
}

static tut_status make_logprobs(tut_said *s, uint32_t n, tut_error *err)
{
    s->logprobs = tut_alloc_array((size_t)n + 1, sizeof(*s->logprobs));
    return s->logprobs ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static void add_logprob(tut_said *s, const tut_json_value *v)
{
    double p = tut_json_real_of(v);
    if (isfinite(p) && p <= 0)
        s->logprobs[s->logprob_count++] = p;
}

/* How far a token stands out among those that are listed at its place, in standard deviations of
 * their logarithms; what they leave over counts as if it lay on the least likely of them. NaN: too
 * few are listed, or all are alike. */
static double stand_out(double logprob, const tut_json_value *listed)
{
    double mass = 0, mean = 0, squares = 0, least = 0;
    uint32_t n = tut_json_count(listed), told = 0;
    for (uint32_t i = 0; listed && listed->type == TUT_JSON_OBJECT && i < n; i++) {
        double v = tut_json_real_of(tut_json_item(listed, i));
        if (!isfinite(v) || v > 0)
            continue;
        told++;
        mass += exp(v);
        mean += exp(v) * v;
        squares += exp(v) * v * v;
        least = fmin(least, v);
    }
    double left = fmax(1 - mass, 0);
    mean = (mean + left * least) / (mass + left);
    double variance = (squares + left * least * least) / (mass + left) - mean * mean;
    if (told < 2 || !(variance > 1e-12))
        return NAN;
    double relative = (logprob - mean) / sqrt(variance);
    return isfinite(relative) ? relative : NAN;
}

/* "logprobs": {"content": [{"logprob"}]} */
static tut_status take_chat_logprobs(tut_said *s, const tut_json_value *logprobs, tut_error *err)
{
    const tut_json_value *content = tut_json_get(logprobs, "content");
    uint32_t n = tut_json_count(content);
    if (n == 0 || n > LOGPROBS_MAX)
        return TUT_SUCCESS;
    TUT_TRY(make_logprobs(s, n, err));
    for (uint32_t i = 0; i < n; i++)
        add_logprob(s, tut_json_get(tut_json_item(content, i), "logprob"));
    return TUT_SUCCESS;
}

static size_t characters(tut_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((uint8_t)s.data[i] & 0xc0) != 0x80;
    return n;
}

/* "logprobs": {"token_logprobs", "text_offset"}: with echo those of the prompt alone, which is as
 * long as the text is without what was generated. The first token has none. */
static tut_status take_token_logprobs(tut_said *s, const tut_json_value *logprobs, bool is_echo,
                                      size_t prompt, tut_error *err)
{
    const tut_json_value *all = tut_json_get(logprobs, "token_logprobs");
    const tut_json_value *offsets = tut_json_get(logprobs, "text_offset");
    const tut_json_value *listed = tut_json_get(logprobs, "top_logprobs");
    uint32_t n = tut_json_count(all);
    bool has_listed = is_echo && listed && listed->type == TUT_JSON_ARRAY;
    if (n == 0 || n > LOGPROBS_MAX)
        return TUT_SUCCESS;
    TUT_TRY(make_logprobs(s, n, err));
    s->relative = has_listed ? tut_alloc_array((size_t)n + 1, sizeof(*s->relative)) : NULL;
    if (has_listed && !s->relative)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < n; i++) {
        double at = tut_json_real_of(tut_json_item(offsets, i));
        size_t before = s->logprob_count;
        if (!is_echo || !(at >= (double)prompt))
            add_logprob(s, tut_json_item(all, i));
        if (s->relative && s->logprob_count > before)
            s->relative[before] = stand_out(s->logprobs[before], tut_json_item(listed, i));
    }
    return TUT_SUCCESS;
}

static uint64_t count_of(const tut_json_value *usage, const char *key, size_t bytes)
{
    int64_t n = tut_json_get_int(usage, key, -1);
    return n >= 0 ? (uint64_t)n : bytes / BYTES_OF_TOKEN;
}

/* The prompt of completions: what was asked for with echo comes back before the answer. */
static void drop_prompt(tut_said *s, const tut_asked *asked, size_t *ret_characters)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    *ret_characters = SIZE_MAX;
    if (!tut_is_ok(tut_json_parse(tut_span_of(asked->messages.data, asked->messages.len), NULL,
                                  &doc, NULL)))
        return;
    const tut_json_value *v = tut_json_root(doc);
    tut_str prompt = v->type == TUT_JSON_OBJECT ? tut_json_get_text(v, "prompt") : tut_json_text(v);
    if (prompt.len == 0 || !tut_str_starts(s->text, prompt))
        return;
    *ret_characters = characters(prompt);
    s->text.data += prompt.len;
    s->text.len -= prompt.len;
}

static tut_status take_chat(tut_said *s, const tut_json_value *choice, tut_error *err)
{
    const tut_json_value *message = tut_json_get(choice, "message");
    tut_str refusal = tut_json_get_text(message, "refusal");
    if (!message || message->type != TUT_JSON_OBJECT) {
        fail(s, "an answer has no message");
        return TUT_SUCCESS;
    }
    take_content(s, tut_json_get(message, "content"));
    if (s->text.len == 0 && refusal.len)
        s->text = tut_said_keep(s, refusal);
    TUT_TRY(take_calls(s, tut_json_get(message, "tool_calls"), err));
    return take_chat_logprobs(s, tut_json_get(choice, "logprobs"), err);
}

static tut_status take_choice(tut_said *s, const tut_asked *asked, const tut_json_value *choice,
                              bool is_chat, tut_error *err)
{
    s->answered = TUT_ANSWERED;
    if (tut_str_eq_z(tut_json_get_text(choice, "finish_reason"), "content_filter")) {
        s->answered = TUT_REFUSED;
        s->reason = tut_said_keep(s, TUT_LIT("content_filter"));
    }
    if (is_chat)
        return take_chat(s, choice, err);
    size_t prompt = SIZE_MAX;
    take_content(s, tut_json_get(choice, "text"));
    if (asked->wants_echo)
        drop_prompt(s, asked, &prompt);
    return take_token_logprobs(s, tut_json_get(choice, "logprobs"), asked->wants_echo, prompt, err);
}

tut_status target_said_openai(tut_said *s, const tut_asked *asked, tut_span answer, bool is_chat,
                              tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {.code = TUT_OK};
    char text[200];
    if (!tut_is_ok(tut_json_parse(answer, NULL, &doc, &why))) {
        (void)snprintf(text, sizeof(text), "an answer is no JSON: %.160s", why.text);
        fail(s, text);
        return TUT_SUCCESS;
    }
    const tut_json_value *root = tut_json_root(doc);
    const tut_json_value *choice = tut_json_item(tut_json_get(root, "choices"), 0);
    const tut_json_value *usage = tut_json_get(root, "usage");
    if (!choice || choice->type != TUT_JSON_OBJECT) {
        fail(s,
             tut_json_get(root, "error") ? "an error with status 200" : "an answer has no choice");
        return TUT_SUCCESS;
    }
    TUT_TRY(take_choice(s, asked, choice, is_chat, err));
    s->tokens_in = count_of(usage, "prompt_tokens", asked->messages.len + asked->tools.len);
    s->tokens_out = count_of(usage, "completion_tokens", s->text.len);
    return TUT_SUCCESS;
}

tut_status target_said_command(tut_said *s, const tut_asked *asked, const tut_json_value *line,
                               tut_error *err)
{
    tut_str refused = tut_json_get_text(line, "refused"), error = tut_json_get_text(line, "error");
    s->answered = TUT_ANSWERED;
    if (refused.len || error.len) {
        s->answered = refused.len ? TUT_REFUSED : TUT_FAILED;
        s->reason = tut_said_keep(s, refused.len ? refused : error);
        return TUT_SUCCESS;
    }
    const tut_json_value *text = tut_json_get(line, "text");
    const tut_json_value *calls = tut_json_get(line, "tool_calls");
    const tut_json_value *logprobs = tut_json_get(line, "logprobs");
    uint32_t n = tut_json_count(logprobs);
    if (!(text && text->type == TUT_JSON_STRING) && tut_json_count(calls) == 0) {
        fail(s, "an answer has neither text nor tool_calls");
        return TUT_SUCCESS;
    }
    take_content(s, text);
    TUT_TRY(take_calls(s, calls, err));
    if (n > 0 && n <= LOGPROBS_MAX) {
        TUT_TRY(make_logprobs(s, n, err));
        for (uint32_t i = 0; i < n; i++)
            add_logprob(s, tut_json_item(logprobs, i));
    }
    s->tokens_in = (asked->messages.len + asked->tools.len) / BYTES_OF_TOKEN;
    s->tokens_out = s->text.len / BYTES_OF_TOKEN;
    return TUT_SUCCESS;
}
