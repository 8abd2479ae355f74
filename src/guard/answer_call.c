/* Tool calls of an answer: gathered from pieces, judged when they are whole. */
#include <stdio.h>

#include "base/limits.h"
#include "guard/answer_internal.h"
#include "guard/span.h"

static tut_status note_tool(tut_guard_answer *a, tut_str name, tut_error *err)
{
    for (size_t i = 0; i < a->tool_count; i++)
        if (tut_str_eq(a->tools[i], name))
            return TUT_SUCCESS;
    if (!tut_is_ok(tut_grow(&a->tools, a->tool_count, &a->tool_capacity, sizeof(*a->tools))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    char *copy = tut_arena_copy(&a->arena, name);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    a->tools[a->tool_count++] = (tut_str){copy, name.len};
    return TUT_SUCCESS;
}

/* --- one whole call --- */
typedef struct arguments {
    tut_guard_answer *a;
    const tut_guard_tool *tool;
    const char *where;
    const char *source; /* where what taints it stands; NULL: nothing does */
} arguments;

/* What must not leave by an answer must not leave by a tool either; and arguments that are changed
 * would call for something else, so that there is no redacting. */
static tut_status check_text(arguments *g, tut_str text, tut_error *err)
{
    TUT_CLEAN(tut_guard_spans) spans = {0};
    tut_guard_setting checks[TUT_CHECK_COUNT];
    tut_guard_look look = g->a->look;
    memcpy(checks, look.checks, sizeof(checks));
    checks[TUT_CHECK_LINKS].action = TUT_GUARD_ALLOW; /* of addresses taint is what is asked */
    checks[TUT_CHECK_CONTACT_OUT].action = TUT_GUARD_ALLOW;
    look.checks = checks;
    look.classes = tut_guard_classes(checks, true);
    TUT_TRY(tut_guard_find(&look, text, 0, 0, &spans, err));
    for (size_t i = 0; i < spans.count; i++) {
        const tut_guard_span *s = &spans.items[i];
        tut_guard_add(&g->a->decision, tut_guard_check_name(s->check),
                      s->action == TUT_GUARD_REDACT ? TUT_GUARD_BLOCK : s->action,
                      tut_str_of(g->where), "%s in the arguments of a tool call", s->detail);
    }
    g->a->decision.scanned_bytes += text.len;
    if (memchr(text.data, 0, text.len))
        tut_guard_refuse(&g->a->decision, 403, "format", tut_str_of(g->where),
                         "the arguments hold a NUL character");
    return tut_answer_taint(g->a, g->tool, text, g->where, &g->source, err);
}

static tut_status on_argument(void *ctx, const tut_guard_way *way, tut_str text,
                              tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    arguments *g = ctx;
    (void)ret_fate;
    (void)ret_text;
    if (way->is_key || way->value->type == TUT_JSON_STRING)
        return text.len ? check_text(g, text, err) : TUT_SUCCESS;
    for (uint32_t i = 0; i < tut_json_count(way->value); i++) {
        const tut_json_value *v = tut_json_item(way->value, i);
        double n = v->type == TUT_JSON_REAL   ? v->as.real
                   : v->type == TUT_JSON_INT  ? (double)v->as.integer
                   : v->type == TUT_JSON_UINT ? (double)v->as.uinteger
                                              : 0;
        if (n != 0)
            TUT_TRY(tut_answer_taint_number(g->a, g->tool, n, g->where, &g->source, err));
    }
    return TUT_SUCCESS;
}

/* A custom tool takes text; a function JSON. */
static tut_status check_arguments(arguments *g, tut_str text, bool is_text, tut_error *err)
{
    tut_json_doc *doc = NULL;
    tut_error why = {0};
    tut_json_options options = {.max_depth = g->a->request->limits.depth};
    TUT_TRY(tut_answer_taint_all(g->a, g->tool, g->where, &g->source, err));
    if (is_text)
        return text.len ? check_text(g, text, err) : TUT_SUCCESS;
    tut_status status = tut_json_parse(tut_span_of(text.data, text.len), &options, &doc, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status)) {
        status = tut_guard_walk(tut_json_root(doc), on_argument, g, NULL, err);
        tut_json_doc_free(doc);
        return status;
    }
    if (tut_str_trim(text).len > 0)
        tut_guard_refuse(&g->a->decision, 403, "tools", tut_str_of(g->where),
                         "the arguments are no JSON: %s", why.text);
    return TUT_SUCCESS;
}

static bool is_offered(const tut_guard_request *r, tut_str name)
{
    for (size_t i = 0; i < r->tool_count; i++)
        if (tut_str_eq(r->tools[i], name))
            return true;
    return false;
}

typedef struct call_place { /* which call of the answer */
    int64_t choice, index;
} call_place;

enum { ITEM = -2 }; /* in the place of a choice: index is that of an item of a response */

/* What a person who decides about the call has to see. Events of a response repeat the call of an
 * item, and so does its end; elsewhere the same again is another call. */
static tut_status keep_held(tut_guard_answer *a, call_place place, tut_str name, const arguments *g,
                            tut_str text, const char *reason, tut_error *err)
{
    for (size_t i = 0; place.choice == ITEM && i < a->held_count; i++)
        if (a->held[i].choice == place.choice && a->held[i].index == place.index &&
            tut_str_eq(a->held[i].tool, name) && tut_str_eq(a->held[i].arguments, text))
            return TUT_SUCCESS;
    const tut_guard_held held = {.tool = name,
                                 .arguments = text,
                                 .type = g->tool ? tut_tool_class_name(g->tool->type) : NULL,
                                 .source = g->source,
                                 .reason = reason,
                                 .choice = place.choice,
                                 .index = place.index};
    return tut_answer_keep_held(a, &held, err);
}

static tut_guard_action judge_tool(tut_guard_answer *a, tut_str name, const tut_guard_tool *tool,
                                   const char *at)
{
    const tut_guard_request *r = a->request;
    tut_guard_action action = r->checks[TUT_CHECK_TOOLS].action;
    const char *what = NULL;
    if (!tool)
        what = "the tool is not declared";
    else if (r->route->tools.count && !tut_guard_is_listed(&r->route->tools, name))
        what = "the tool is not granted on this route";
    else if (!is_offered(r, name))
        what = "the request did not offer the tool";
    if (what)
        tut_guard_add(&a->decision, "tools", action, tut_str_of(at), "%s", what);
    if (!tool || !tut_str_eq_z(tool->approval, "hold"))
        return what ? action : TUT_GUARD_ALLOW;
    tut_guard_add(&a->decision, "tools", TUT_GUARD_HOLD, tut_str_of(at),
                  "class %s: a person has to approve it", tut_tool_class_name(tool->type));
    return TUT_GUARD_HOLD;
}

static tut_status judge(tut_guard_answer *a, call_place place, tut_str name, tut_str text,
                        bool is_text, tut_error *err)
{
    const tut_guard_request *r = a->request;
    const tut_guard_tool *tool = tut_guard_tool_of(r->guard->policy, name);
    TUT_CLEAN(tut_buf) where = TUT_BUF_INIT;
    tut_buf_add_z(&where, "call of ");
    tut_buf_add_escaped(&where, name, 48);
    const char *at = tut_buf_z(&where);
    if (!at)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(note_tool(a, name, err));
    tut_guard_action by_tool = judge_tool(a, name, tool, at);
    arguments g = {.a = a, .tool = tool, .where = at};
    TUT_TRY(check_arguments(&g, text, is_text, err));
    bool is_tainted = g.source && r->checks[TUT_CHECK_TAINT].action == TUT_GUARD_HOLD;
    if (by_tool != TUT_GUARD_HOLD && !is_tainted)
        return TUT_SUCCESS;
    return keep_held(a, place, name, &g, text,
                     is_tainted ? "what it was given comes from data" : "calls of it wait", err);
}

/* --- calls in pieces --- */
static tut_status call_of(tut_guard_answer *a, int64_t choice, int64_t index,
                          tut_guard_call **ret_call, tut_error *err)
{
    for (size_t i = 0; i < a->call_count; i++) {
        if (a->calls[i]->choice == choice && a->calls[i]->index == index) {
            *ret_call = a->calls[i];
            return TUT_SUCCESS;
        }
    }
    if (a->call_count == TUT_LIMIT_GUARD_CHANNELS)
        return tut_fail(err, TUT_LIMIT, "more than %u tool calls at once",
                        TUT_LIMIT_GUARD_CHANNELS);
    if (!tut_is_ok(tut_grow(&a->calls, a->call_count, &a->call_capacity, sizeof(*a->calls))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_guard_call *call = tut_alloc_array(1, sizeof(*call));
    if (!call)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    call->choice = choice;
    call->index = index;
    a->calls[a->call_count++] = call;
    *ret_call = call;
    return TUT_SUCCESS;
}

static tut_status add_pieces(tut_guard_answer *a, int64_t choice, int64_t index, tut_str name,
                             const tut_json_value *given, bool is_text, tut_error *err)
{
    tut_guard_call *call = NULL;
    TUT_TRY(call_of(a, choice, index, &call, err));
    tut_buf_add_str(&call->name, name);
    call->is_text |= is_text;
    if (given && (given->type == TUT_JSON_OBJECT || given->type == TUT_JSON_ARRAY)) {
        tut_guard_refuse(&a->decision, 502, "tools", TUT_LIT("arguments"),
                         "the arguments of a call are no text");
        return TUT_SUCCESS;
    }
    tut_buf_add_str(&call->arguments, tut_json_text(given));
    TUT_TRY(tut_buf_check(&call->name, err));
    return tut_buf_check(&call->arguments, err);
}

static tut_status collect_choice(tut_guard_answer *a, const tut_json_value *choice, int64_t number,
                                 tut_error *err)
{
    const tut_json_value *body = tut_json_get(choice, "delta");
    if (!body)
        body = tut_json_get(choice, "message");
    const tut_json_value *calls = tut_json_get(body, "tool_calls");
    for (uint32_t i = 0; i < tut_json_count(calls); i++) {
        const tut_json_value *call = tut_json_item(calls, i);
        const tut_json_value *function = tut_json_get(call, "function");
        const tut_json_value *custom = function ? NULL : tut_json_get(call, "custom");
        TUT_TRY(add_pieces(a, number, tut_json_get_int(call, "index", i),
                           tut_json_get_text(function ? function : custom, "name"),
                           function ? tut_json_get(function, "arguments")
                                    : tut_json_get(custom, "input"),
                           custom != NULL, err));
    }
    const tut_json_value *old = tut_json_get(body, "function_call");
    if (old && old->type == TUT_JSON_OBJECT)
        TUT_TRY(add_pieces(a, number, -1, tut_json_get_text(old, "name"),
                           tut_json_get(old, "arguments"), false, err));
    return TUT_SUCCESS;
}

static bool item_is_call(const tut_json_value *item)
{
    tut_str type = tut_json_get_text(item, "type");
    return (tut_str_ends(type, TUT_LIT("_call")) || tut_str_eq_z(type, "tool_use")) &&
           tut_json_get(item, "name");
}

/* An item that is there whole: {name, arguments}, {name, input: "text"} or {name, input: {...}}. */
static tut_status judge_item(tut_guard_answer *a, int64_t index, const tut_json_value *item,
                             tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const tut_json_value *input = tut_json_get(item, "input");
    tut_str name = tut_json_get_text(item, "name"), given = tut_json_get_text(item, "arguments");
    if (!input || input->type == TUT_JSON_STRING)
        return judge(a, (call_place){ITEM, index}, name, input ? input->as.string : given,
                     input != NULL, err);
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    TUT_TRY(tut_guard_copy(input, j, err));
    TUT_TRY(tut_json_finish(j, err));
    return judge(a, (call_place){ITEM, index}, name, tut_buf_str(&text), false, err);
}

static tut_status judge_items(tut_guard_answer *a, const tut_json_value *list, tut_error *err)
{
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        if (item_is_call(tut_json_item(list, i)))
            TUT_TRY(judge_item(a, i, tut_json_item(list, i), err));
    return TUT_SUCCESS;
}

static bool type_starts(const tut_json_value *event, const char *type)
{
    return tut_str_starts(tut_json_get_text(event, "type"), tut_str_of(type));
}

/* Events of one call: of a response, and of messages. What was put together from pieces is judged
 * as well as what the last of them repeats, since a client may believe either. */
static tut_status collect_item(tut_guard_answer *a, const tut_json_value *event, tut_error *err)
{
    const tut_json_value *item = tut_json_get(event, "item");
    const tut_json_value *block = tut_json_get(event, "content_block");
    const tut_json_value *json = tut_json_get(tut_json_get(event, "delta"), "partial_json");
    int64_t index = tut_json_get_int(event, block || json ? "index" : "output_index", 0);
    tut_str type = tut_json_get_text(event, "type");
    if (item_is_call(item) && tut_str_ends(type, TUT_LIT(".added")))
        return add_pieces(a, ITEM, index, tut_json_get_text(item, "name"), NULL,
                          tut_json_get(item, "input") != NULL, err);
    if (item_is_call(block))
        return add_pieces(a, ITEM, index, tut_json_get_text(block, "name"), NULL, false, err);
    if (json)
        return add_pieces(a, ITEM, index, (tut_str){"", 0}, json, false, err);
    bool is_custom = type_starts(event, "response.custom_tool_call_input");
    if (is_custom || type_starts(event, "response.function_call_arguments")) {
        if (tut_str_ends(type, TUT_LIT(".delta")))
            return add_pieces(a, ITEM, index, (tut_str){"", 0}, tut_json_get(event, "delta"),
                              is_custom, err);
        tut_guard_call *call = NULL;
        TUT_TRY(call_of(a, ITEM, index, &call, err));
        return judge(a, (call_place){ITEM, index}, tut_buf_str(&call->name),
                     tut_json_get_text(event, is_custom ? "input" : "arguments"), is_custom, err);
    }
    return item_is_call(item) ? judge_item(a, index, item, err) : TUT_SUCCESS;
}

tut_status tut_answer_collect(tut_guard_answer *a, const tut_json_value *event, tut_error *err)
{
    const tut_json_value *choices = tut_json_get(event, "choices");
    for (uint32_t i = 0; i < tut_json_count(choices); i++) {
        const tut_json_value *choice = tut_json_item(choices, i);
        TUT_TRY(collect_choice(a, choice, tut_json_get_int(choice, "index", i), err));
    }
    TUT_TRY(judge_items(a, tut_json_get(event, "output"), err));
    TUT_TRY(judge_items(a, tut_json_get(event, "content"), err));
    TUT_TRY(judge_items(a, tut_json_get(tut_json_get(event, "response"), "output"), err));
    return collect_item(a, event, err);
}

bool tut_answer_has_call(const tut_json_value *event)
{
    const tut_json_value *choices = tut_json_get(event, "choices");
    for (uint32_t i = 0; i < tut_json_count(choices); i++) {
        const tut_json_value *delta = tut_json_get(tut_json_item(choices, i), "delta");
        const tut_json_value *old = tut_json_get(delta, "function_call");
        if (tut_json_count(tut_json_get(delta, "tool_calls")) || tut_json_count(old))
            return true;
    }
    return type_starts(event, "response.function_call_arguments") ||
           type_starts(event, "response.custom_tool_call_input") ||
           item_is_call(tut_json_get(event, "item")) ||
           item_is_call(tut_json_get(event, "content_block"));
}

static void forget(tut_guard_call *call)
{
    tut_buf_done(&call->name);
    tut_buf_done(&call->arguments);
    tut_free(call);
}

static tut_status judge_some(tut_guard_answer *a, int64_t choice, int64_t index, tut_error *err)
{
    tut_status status = TUT_SUCCESS;
    size_t kept = 0;
    for (size_t i = 0; i < a->call_count; i++) {
        tut_guard_call *call = a->calls[i];
        if ((choice != -1 && call->choice != choice) || (index >= 0 && call->index != index)) {
            a->calls[kept++] = call;
            continue;
        }
        if (tut_is_ok(status))
            status = judge(a, (call_place){call->choice, call->index}, tut_buf_str(&call->name),
                           tut_buf_str(&call->arguments), call->is_text, err);
        forget(call);
    }
    a->call_count = kept;
    return status;
}

tut_status tut_answer_judge_calls(tut_guard_answer *a, int64_t choice, tut_error *err)
{
    return judge_some(a, choice, -1, err);
}

tut_status tut_answer_end_item(tut_guard_answer *a, const tut_json_value *event, tut_error *err)
{
    tut_str type = tut_json_get_text(event, "type");
    if (tut_str_eq_z(type, "response.output_item.done") &&
        item_is_call(tut_json_get(event, "item")))
        return judge_some(a, ITEM, tut_json_get_int(event, "output_index", 0), err);
    if (tut_str_eq_z(type, "content_block_stop"))
        return judge_some(a, ITEM, tut_json_get_int(event, "index", 0), err);
    bool is_end = tut_str_eq_z(type, "response.completed") ||
                  tut_str_eq_z(type, "response.incomplete") ||
                  tut_str_eq_z(type, "response.failed") || tut_str_eq_z(type, "message_stop");
    return is_end ? judge_some(a, ITEM, -1, err) : TUT_SUCCESS;
}
