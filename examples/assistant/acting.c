#include "acting.h"

#include "asking.h"
#include "base/json_write.h"
#include "finding.h"

static const char *const tools_of[ASSISTANT_KINDS] = {
    [ASSISTANT_SEARCH] = "search_articles",
    [ASSISTANT_TICKET] = "open_ticket",
    [ASSISTANT_RETURN] = "start_return",
};

static bool is_offered(const tut_json_value *tools, const char *name)
{
    for (uint32_t i = 0; i < tut_json_count(tools); i++) {
        const tut_json_value *f = tut_json_get(tut_json_item(tools, i), "function");
        if (tut_str_eq_z(tut_json_get_text(f, "name"), name))
            return true;
    }
    return false;
}

static bool is_same(const assistant_call *c, tut_str name, tut_str arguments)
{
    return tut_str_eq_z(name, c->name) && tut_str_eq(arguments, c->arguments);
}

/* What the conversation shows as called already is not called again. */
static bool is_done(const assistant_reading *r, const assistant_reply *reply,
                    const assistant_call *c)
{
    for (size_t i = 0; i < reply->call_count; i++)
        if (is_same(&reply->calls[i], tut_str_of(c->name), c->arguments))
            return true;
    for (uint32_t i = 0; i < r->messages->count; i++) {
        const tut_json_value *calls = tut_json_get(tut_json_item(r->messages, i), "tool_calls");
        for (uint32_t k = 0; k < tut_json_count(calls); k++) {
            const tut_json_value *f = tut_json_get(tut_json_item(calls, k), "function");
            if (is_same(c, tut_json_get_text(f, "name"), tut_json_get_text(f, "arguments")))
                return true;
        }
    }
    return false;
}

static tut_status write_arguments(assistant_kind kind, tut_str sentence, tut_buf *out,
                                  tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_str order = assistant_asked_order(sentence);
    tut_str address = assistant_asked_address(sentence);
    tut_json_object(j);
    if (kind == ASSISTANT_SEARCH)
        tut_json_put_str(j, "query", assistant_asked_text(sentence));
    if (kind == ASSISTANT_TICKET)
        tut_json_put_str(j, "summary", sentence);
    if (kind == ASSISTANT_TICKET && address.len)
        tut_json_put_str(j, "contact", address);
    if (kind == ASSISTANT_RETURN)
        tut_json_put_str(j, "order", order);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status add_call(const assistant_reading *r, assistant_kind kind, tut_str sentence,
                           assistant_reply *reply, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (kind == ASSISTANT_RETURN && !assistant_asked_order(sentence).len)
        return TUT_SUCCESS; /* it does not say of what */
    TUT_TRY(write_arguments(kind, sentence, &text, err));
    assistant_call call = {.name = tools_of[kind], .arguments = tut_buf_str(&text)};
    if (reply->call_count == ASSISTANT_CALLS || is_done(r, reply, &call))
        return TUT_SUCCESS;
    const char *kept = tut_arena_copy(r->arena, call.arguments);
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    call.arguments = tut_str_of(kept);
    reply->calls[reply->call_count++] = call;
    return TUT_SUCCESS;
}

static void add_line(tut_buf *b, tut_str line)
{
    if (b->len)
        tut_buf_add_z(b, "\n\n");
    tut_buf_add_str(b, line);
}

static tut_status obey(const assistant_reading *r, const tut_json_value *tools,
                       const assistant_kind *kinds, assistant_reply *ret, tut_buf *text,
                       tut_error *err)
{
    bool has_recited = false;
    for (size_t i = 0; i < r->sentence_count; i++) {
        const char *tool = tools_of[kinds[i]];
        if (kinds[i] == ASSISTANT_SAY)
            add_line(text, assistant_asked_text(r->sentences[i]));
        if (kinds[i] == ASSISTANT_RECITE && r->system.len && !has_recited) {
            add_line(text, r->system);
            has_recited = true;
        }
        if (tool && is_offered(tools, tool))
            TUT_TRY(add_call(r, kinds[i], r->sentences[i], ret, err));
    }
    return TUT_SUCCESS;
}

tut_status assistant_act(assistant_brain *b, assistant_reading *r, const tut_json_value *tools,
                         assistant_reply *ret, tut_error *err)
{
    assistant_kind kinds[ASSISTANT_SENTENCES];
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const assistant_article *article;
    *ret = (assistant_reply){.call_count = 0};
    TUT_TRY(assistant_nearest(b, r, &article, err));
    if (article) /* what it found it reads like everything else */
        assistant_read_more(r, article->text);
    TUT_TRY(assistant_classify(b, r->sentences, r->sentence_count, kinds, err));
    TUT_TRY(obey(r, tools, kinds, ret, &text, err));
    if (ret->call_count == 0)
        assistant_find(r, kinds, article, &text);
    TUT_TRY(tut_buf_check(&text, err));
    const char *kept = tut_arena_copy(r->arena, tut_buf_str(&text));
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    ret->text = tut_str_of(kept);
    return TUT_SUCCESS;
}
