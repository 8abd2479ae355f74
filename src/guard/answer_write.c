/* Every string of an event or a document is looked at; what was changed is written anew. */
#include <stdio.h>

#include "base/limits.h"
#include "guard/answer_internal.h"

typedef struct writing {
    tut_guard_answer *a;
    const tut_json_value *event;
    bool is_stream;
    bool has_calls; /* there may be calls in it */
} writing;

/* The visitor's text lives until it has been written, before the next is asked for. */
static tut_status give(writing *w, tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    *ret_text = tut_buf_str(&w->a->piece);
    *ret_fate = TUT_GUARD_REPLACE;
    return tut_buf_check(&w->a->piece, err);
}

/* --- texts in pieces --- */
static int64_t choice_of(const tut_guard_way *way)
{
    if (way->depth < 3 || !tut_guard_way_is(way, 0, "choices"))
        return -1;
    return tut_json_get_int(way->steps[2].container, "index", way->steps[1].at);
}

/* Of a response, or of another protocol without choices: which of its texts the event adds to. */
static void name_text(const writing *w, const tut_guard_way *way, char key[TUT_GUARD_KEY])
{
    tut_str type = tut_json_get_text(w->event, "type");
    tut_str item = tut_json_get_text(w->event, "item_id");
    tut_str last = tut_guard_way_key(way, way->depth - 1);
    (void)snprintf(key, TUT_GUARD_KEY, "%.*s %lld.%lld.%lld.%lld %.*s %.*s", (int)type.len,
                   type.data, (long long)tut_json_get_int(w->event, "output_index", -1),
                   (long long)tut_json_get_int(w->event, "content_index", -1),
                   (long long)tut_json_get_int(w->event, "summary_index", -1),
                   (long long)tut_json_get_int(w->event, "index", -1), (int)last.len, last.data,
                   (int)item.len, item.data);
}

/* The text of the answer itself, which a schema is about. */
static bool is_output(const writing *w, const tut_guard_way *way)
{
    tut_str type = tut_json_get_text(w->event, "type");
    size_t last = way->depth - 1;
    if (tut_guard_way_is(way, 0, "choices"))
        return tut_guard_way_is(way, last, "content") && way->depth == 4;
    if (w->is_stream)
        return tut_str_eq_z(type, "response.output_text.delta") ||
               tut_str_eq_z(tut_json_get_text(tut_json_get(w->event, "delta"), "type"),
                            "text_delta");
    if (tut_guard_way_is(way, 0, "content"))
        return tut_guard_way_is(way, last, "text") && way->depth == 3;
    return tut_guard_way_is(way, 0, "output") && tut_guard_way_is(way, last, "text") &&
           way->depth == 5;
}

static tut_status open_channel(writing *w, const tut_guard_way *way, int64_t choice,
                               const char *key, tut_guard_channel **ret_channel, tut_error *err)
{
    tut_guard_answer *a = w->a;
    if (a->channel_count == TUT_LIMIT_GUARD_CHANNELS)
        return tut_fail(err, TUT_LIMIT, "more than %u texts at once", TUT_LIMIT_GUARD_CHANNELS);
    if (!tut_is_ok(
            tut_grow(&a->channels, a->channel_count, &a->channel_capacity, sizeof(*a->channels))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    char *field = tut_arena_copy(&a->arena, tut_guard_way_key(way, way->depth - 1));
    tut_guard_channel *c = field ? tut_alloc_array(1, sizeof(*c)) : NULL;
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->choice = choice;
    c->field = tut_str_of(field);
    tut_str_copy(c->key, sizeof(c->key), tut_str_of(key));
    if (choice >= 0)
        (void)snprintf(c->key, sizeof(c->key), "choices[%lld].%s", (long long)choice, field);
    c->is_structured = tut_answer_has_schema(a) && is_output(w, way);
    tut_guard_text_init(&c->text, &a->look, c->key);
    a->channels[a->channel_count++] = c;
    *ret_channel = c;
    return TUT_SUCCESS;
}

static tut_status channel_of(writing *w, const tut_guard_way *way, tut_guard_channel **ret_channel,
                             tut_error *err)
{
    char key[TUT_GUARD_KEY];
    int64_t choice = choice_of(way);
    tut_str last = tut_guard_way_key(way, way->depth - 1);
    if (choice < 0)
        name_text(w, way, key);
    for (size_t i = 0; i < w->a->channel_count; i++) {
        tut_guard_channel *c = w->a->channels[i];
        if (choice >= 0 ? c->choice == choice && tut_str_eq(c->field, last)
                        : c->choice < 0 && strcmp(c->key, key) == 0) {
            *ret_channel = c;
            return TUT_SUCCESS;
        }
    }
    return open_channel(w, way, choice, choice < 0 ? key : "", ret_channel, err);
}

/* What names the text of a response: its rest may have to be added as an event of its own. */
static tut_status remember_item(writing *w, tut_guard_channel *c, tut_error *err)
{
    static const char *const numbers[] = {"output_index", "content_index", "summary_index",
                                          "index"};
    if (c->choice >= 0 || c->last)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) item = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_answer_whole(w->a, "item_id", tut_json_get_text(w->event, "item_id"), &item, err));
    TUT_TRY(tut_json_new(&text, &j));
    tut_json_object(j);
    tut_json_put_str(j, "type", tut_json_get_text(w->event, "type"));
    if (item.len)
        tut_json_put_str(j, "item_id", tut_buf_str(&item));
    for (size_t i = 0; i < TUT_COUNT(numbers); i++)
        if (tut_json_get(w->event, numbers[i]))
            tut_json_put_int(j, numbers[i], tut_json_get_int(w->event, numbers[i], 0));
    tut_json_put_str(j, "kind", tut_json_get_text(tut_json_get(w->event, "delta"), "type"));
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    return tut_json_parse(tut_buf_span(&text), NULL, &c->last, err);
}

bool tut_answer_choice_ends(const tut_json_value *event, int64_t choice)
{
    const tut_json_value *choices = tut_json_get(event, "choices");
    for (uint32_t i = 0; i < tut_json_count(choices); i++) {
        const tut_json_value *c = tut_json_item(choices, i);
        if (tut_json_get_int(c, "index", i) == choice &&
            tut_json_get_text(c, "finish_reason").len > 0)
            return true;
    }
    return false;
}

/* What goes on of structured output in the place of a->piece: nothing, and at the end all of it. */
tut_status tut_answer_keep_whole(tut_guard_answer *a, tut_guard_channel *c, bool is_end,
                                 tut_error *err)
{
    if (!c->is_structured)
        return TUT_SUCCESS;
    if (c->whole.len + a->piece.len > a->request->limits.answer_bytes)
        return tut_fail(err, TUT_LIMIT, "structured output of more than %u bytes",
                        a->request->limits.answer_bytes);
    tut_buf_add(&c->whole, a->piece.data, a->piece.len);
    TUT_TRY(tut_buf_check(&c->whole, err));
    bool is_kept = tut_answer_keeps_whole(a);
    if (is_kept)
        tut_buf_clear(&a->piece);
    if (!is_end || c->whole.len == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_answer_check_schema(a, tut_buf_str(&c->whole), c->key, err));
    if (is_kept)
        tut_buf_add(&a->piece, c->whole.data, c->whole.len);
    tut_buf_clear(&c->whole);
    return tut_buf_check(&a->piece, err);
}

static tut_status on_piece(writing *w, const tut_guard_way *way, tut_str text,
                           tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    tut_guard_channel *c = NULL;
    TUT_TRY(channel_of(w, way, &c, err));
    TUT_TRY(remember_item(w, c, err));
    tut_buf_clear(&w->a->piece);
    TUT_TRY(tut_guard_text_feed(&c->text, text, &w->a->piece, err));
    bool is_end = c->choice >= 0 && tut_answer_choice_ends(w->event, c->choice);
    if (is_end)
        TUT_TRY(tut_guard_text_end(&c->text, &w->a->piece, err));
    TUT_TRY(tut_answer_keep_whole(w->a, c, is_end, err));
    w->a->pieces++;
    w->a->last_channel = c;
    return give(w, ret_fate, ret_text, err);
}

/* --- every string --- */
enum { KNOWN_MOST = 128 };

enum { LEAST = 5, MOST = 28 }; /* nothing that is looked for is shorter; of the words below */

/* A text that holds nothing: too short, or a word of the protocols, which stands in every answer.
 */
bool tut_answer_is_plain(tut_str text)
{
    if (text.len < LEAST)
        return text.len == 0 || !memchr(text.data, 0, text.len);
    if (text.len > MOST)
        return false;
    /* clang-format off */
    static const tut_str words[] = {
        TUT_LIT("chat.completion"), TUT_LIT("chat.completion.chunk"), TUT_LIT("text_completion"),
        TUT_LIT("assistant"), TUT_LIT("stop"), TUT_LIT("length"), TUT_LIT("tool_calls"),
        TUT_LIT("function"), TUT_LIT("message"), TUT_LIT("text"), TUT_LIT("output_text"),
        TUT_LIT("response"), TUT_LIT("completed"), TUT_LIT("end_turn"), TUT_LIT("list"),
        TUT_LIT("embedding"), TUT_LIT("default"),
        /* names of numbers; some are as long as keys */
        TUT_LIT("completion_tokens"), TUT_LIT("completion_tokens_details"),
        TUT_LIT("prompt_tokens_details"), TUT_LIT("input_tokens_details"),
        TUT_LIT("output_tokens_details"), TUT_LIT("reasoning_tokens"),
        TUT_LIT("accepted_prediction_tokens"), TUT_LIT("rejected_prediction_tokens"),
        TUT_LIT("system_fingerprint"),
    };
    /* clang-format on */
    for (size_t i = 0; i < TUT_COUNT(words); i++)
        if (text.len == words[i].len && memcmp(text.data, words[i].data, text.len) == 0)
            return true;
    return false;
}

/* Names and ids come again with every event: what was found clean once is. */
static bool is_known(const tut_guard_answer *a, tut_str text)
{
    if (tut_answer_is_plain(text))
        return true;
    for (size_t i = 0; i < a->known_count; i++)
        if (tut_str_eq(a->known[i], text))
            return true;
    return false;
}

size_t tut_answer_findings(const tut_guard_answer *a)
{
    const tut_guard_decision *d = &a->decision;
    return d->reason_count + d->reasons_dropped + d->unscanned_count + (size_t)d->redactions;
}

static tut_status on_whole(writing *w, const tut_guard_way *way, tut_str text,
                           tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    tut_guard_answer *a = w->a;
    size_t before = tut_answer_findings(a);
    bool has_schema = !w->is_stream && tut_answer_has_schema(a) && is_output(w, way);
    if (!has_schema && is_known(a, text)) { /* a schema is asked of "{}" too */
        a->decision.scanned_bytes += text.len;
        return TUT_SUCCESS;
    }
    tut_buf_clear(&a->piece);
    TUT_TRY(tut_answer_whole_at(a, way, text, &a->piece, err));
    if (has_schema) {
        char where[TUT_GUARD_WHERE];
        tut_guard_way_text(way, where, sizeof(where));
        TUT_TRY(tut_answer_check_schema(a, tut_buf_str(&a->piece), where, err));
    }
    if (!tut_str_eq(tut_buf_str(&a->piece), text))
        return give(w, ret_fate, ret_text, err);
    if (w->is_stream && tut_answer_findings(a) == before && text.len <= KNOWN_MOST &&
        a->known_count < TUT_COUNT(a->known)) {
        char *copy = tut_arena_copy(&a->arena, text);
        if (!copy)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        a->known[a->known_count++] = (tut_str){copy, text.len};
    }
    return TUT_SUCCESS;
}

/* --- containers --- */
static tut_status on_logprobs(writing *w, const tut_guard_way *way, const char *where,
                              tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    tut_guard_answer *a = w->a;
    const tut_guard_setting *s = &a->look.checks[TUT_CHECK_LOGPROBS];
    bool is_changed = false;
    if (s->action != TUT_GUARD_ALLOW) {
        tut_guard_add(&a->decision, "logprobs", s->action, tut_str_of(where),
                      "probabilities of tokens");
        if (a->look.is_changing && s->action >= TUT_GUARD_REDACT) {
            *ret_fate = TUT_GUARD_NULL;
            a->decision.redactions++;
            return TUT_SUCCESS;
        }
    }
    if (s->action == TUT_GUARD_ALLOW)
        tut_guard_not_scanned(&a->decision, "logprobs", tut_str_of(where),
                              "tokens one by one: the policy passes them");
    if (a->look.is_changing)
        TUT_TRY(tut_answer_logprobs(a, way->value, &is_changed, err));
    if (is_changed) {
        *ret_fate = TUT_GUARD_RAW;
        *ret_text = tut_buf_str(&a->piece);
    }
    return TUT_SUCCESS;
}

static void on_media(writing *w, tut_str key, const char *where)
{
    tut_guard_answer *a = w->a;
    const char *kind = tut_str_eq_z(key, "audio") ? "audio" : "images";
    if (tut_guard_is_listed(&a->request->route->unscanned, tut_str_of(kind)))
        tut_guard_not_scanned(&a->decision, "content", tut_str_of(where),
                              "%s: the policy passes them", kind);
    else
        tut_guard_refuse(&a->decision, 502, "content", tut_str_of(where),
                         "%s cannot be looked into, and the route does not pass them", kind);
}

/* Whole objects that have no place in a scanned answer, or not as they are. */
static tut_status on_container(writing *w, const tut_guard_way *way, tut_guard_fate *ret_fate,
                               tut_str *ret_text, tut_error *err)
{
    tut_str key = tut_guard_way_key(way, way->depth ? way->depth - 1 : 0);
    char where[TUT_GUARD_WHERE];
    bool is_changed = false;
    bool is_logprobs = tut_str_eq_z(key, "logprobs");
    bool is_media = tut_str_eq_z(key, "audio") || tut_str_eq_z(key, "images");
    bool is_tensor = way->depth == 3 && tut_guard_way_is(way, 0, "outputs") &&
                     tut_guard_way_is(way, 2, "data");
    if (way->depth == 0 || tut_json_count(way->value) == 0 ||
        !(is_logprobs || is_media || is_tensor))
        return TUT_SUCCESS;
    tut_guard_way_text(way, where, sizeof(where));
    if (is_logprobs)
        return on_logprobs(w, way, where, ret_fate, ret_text, err);
    if (is_media)
        on_media(w, key, where);
    if (is_tensor && w->a->look.is_changing)
        TUT_TRY(tut_answer_tensor(w->a, way->steps[2].container, way->value, &is_changed, err));
    if (is_changed) {
        *ret_fate = TUT_GUARD_RAW;
        *ret_text = tut_buf_str(&w->a->piece);
    }
    return TUT_SUCCESS;
}

/* Names and arguments of calls are judged when the call is whole (answer_call.c); all else of a
 * call is a text as any other. */
static bool is_of_call(const writing *w, const tut_guard_way *way)
{
    static const char *const judged[] = {"name", "arguments", "input", "partial_json", "delta"};
    tut_str type = tut_json_get_text(w->event, "type");
    bool is_input = false; /* members of an input that is an object are parts of it */
    for (size_t i = 0; i < way->depth; i++)
        is_input |= tut_guard_way_is(way, i, "input");
    tut_str last = tut_guard_way_key(way, way->depth - 1);
    for (size_t i = 0; i < TUT_COUNT(judged) && !is_input; i++)
        is_input = tut_str_eq_z(last, judged[i]) && (!way->is_key || way->depth > 1);
    if (!is_input)
        return false;
    if (way->depth == 1)
        return tut_str_starts(type, TUT_LIT("response.function_call_arguments")) ||
               tut_str_starts(type, TUT_LIT("response.custom_tool_call_input"));
    for (size_t i = 0; i < way->depth; i++) {
        const tut_json_value *v = way->steps[i].container;
        bool is_call = tut_str_ends(tut_json_get_text(v, "type"), TUT_LIT("_call")) ||
                       tut_str_eq_z(tut_json_get_text(v, "type"), "tool_use") ||
                       tut_str_eq_z(tut_json_get_text(v, "type"), "input_json_delta");
        if (is_call || tut_guard_way_is(way, i, "tool_calls") ||
            tut_guard_way_is(way, i, "function_call"))
            return true;
    }
    return false;
}

/* A field below a delta whose pieces nothing here puts together. (Id and type of a call come once,
 * and whole.) */
static bool is_unknown_piece(const writing *w, const tut_guard_way *way)
{
    tut_str last = tut_guard_way_key(way, way->depth - 1);
    if (tut_guard_way_is(way, 3, "tool_calls") &&
        (tut_str_eq_z(last, "id") || tut_str_eq_z(last, "type")))
        return false;
    return w->is_stream && way->depth > 4 && tut_guard_way_is(way, 0, "choices") &&
           tut_guard_way_is(way, 2, "delta") && !tut_guard_way_is(way, 3, "annotations");
}

enum { KEY_LEAST = 16 }; /* shorter ones are names of fields */

static tut_status on_value(void *ctx, const tut_guard_way *way, tut_str text,
                           tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    writing *w = ctx;
    const tut_protocol *p = w->a->request->route->protocol;
    if (way->is_key && way->depth == 1 && w->is_stream && w->a->request->adds_usage &&
        tut_str_eq_z(text, "usage")) {
        *ret_fate = TUT_GUARD_NULL; /* the client did not ask */
        return TUT_SUCCESS;
    }
    if (!way->is_key && way->value->type != TUT_JSON_STRING)
        return on_container(w, way, ret_fate, ret_text, err);
    if (text.len == 0 && !w->is_stream)
        return TUT_SUCCESS;
    if (w->has_calls && is_of_call(w, way))
        return TUT_SUCCESS;
    if (way->is_key)
        return text.len < KEY_LEAST ? TUT_SUCCESS : on_whole(w, way, text, ret_fate, ret_text, err);
    if (w->is_stream && is_unknown_piece(w, way)) {
        tut_guard_refuse(&w->a->decision, 502, "format", tut_guard_way_key(way, 3),
                         "a streamed field that is not known");
        return TUT_SUCCESS;
    }
    if (w->is_stream && p->is_delta(w->event, way))
        return on_piece(w, way, text, ret_fate, ret_text, err);
    return on_whole(w, way, text, ret_fate, ret_text, err);
}

tut_status tut_answer_write(tut_guard_answer *a, const tut_json_value *event, tut_error *err)
{
    /* Events of chats without a call under way have none; others say so in many places. */
    bool has_calls = a->has_call || tut_json_get(event, "type");
    writing w = {.a = a, .event = event, .is_stream = true, .has_calls = has_calls};
    a->pieces = 0;
    tut_buf_clear(&a->json);
    if (!a->writer)
        TUT_TRY(tut_json_new(&a->json, &a->writer));
    tut_status status = tut_guard_walk(event, on_value, &w, a->writer, err);
    if (tut_is_ok(status))
        status = tut_json_finish(a->writer, err);
    if (!tut_is_ok(status)) { /* something may be left open */
        tut_json_free(a->writer);
        a->writer = NULL;
    }
    return status;
}

tut_status tut_answer_write_document(tut_guard_answer *a, const tut_json_value *root, bool may_call,
                                     bool *ret_is_changed, tut_error *err)
{
    writing w = {.a = a, .event = root, .has_calls = may_call};
    tut_buf_clear(&a->json);
    return tut_guard_walk_edit(root, on_value, &w, &a->json, ret_is_changed, err);
}
