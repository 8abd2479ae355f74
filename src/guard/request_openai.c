/* Chat completions, completions, embeddings and responses: who says what, and what they offer. */
#include "guard/protocol.h"

/* A key is text too where a model is shown it: in schemas of tools; elsewhere when no program would
 * have such a key. */
static bool key_is_text(tut_str key)
{
    return key.len > 64 || memchr(key.data, ' ', key.len) || memchr(key.data, '\n', key.len);
}

/* --- parts of a message --- */
typedef struct part_row {
    const char *type;
    const char *kind; /* what it is where it cannot be looked into; NULL: text */
} part_row;

static const part_row parts[] = {
    {"text", NULL},          {"input_text", NULL},     {"output_text", NULL},
    {"refusal", NULL},       {"summary_text", NULL},   {"reasoning_text", NULL},
    {"document", NULL},      {"image_url", "images"},  {"input_image", "images"},
    {"image", "images"},     {"input_audio", "audio"}, {"audio", "audio"},
    {"audio_url", "audio"},  {"video_url", "images"},  {"file", "files"},
    {"input_file", "files"},
};

static const part_row *part_of(tut_str type)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (tut_str_eq_z(type, parts[i].type))
            return &parts[i];
    return NULL;
}

/* A file's name is shown to the model even where the file itself is not read here. */
static bool is_file_name(const tut_guard_way *way)
{
    static const char *const keys[] = {"filename", "file_name", "title"};
    tut_str key = tut_guard_way_key(way, way->depth ? way->depth - 1 : 0);
    for (size_t i = 0; !way->is_key && i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_str_eq_z(key, keys[i]))
            return way->value->type == TUT_JSON_STRING;
    return false;
}

/* A part is an item of "content" of a message. It is judged once, where it begins. */
static bool part_is_unread(tut_guard_request *r, const tut_guard_way *way, size_t message)
{
    const tut_json_value *part = tut_guard_way_at(way, message + 2);
    if (!tut_guard_way_is(way, message, "content") || !part || part->type != TUT_JSON_OBJECT)
        return false;
    tut_str type = tut_json_get_text(part, "type");
    const part_row *row = part_of(type);
    bool is_begin = way->depth == message + 2 && !way->is_key;
    if (row && !row->kind)
        return false;
    if (is_begin && row)
        tut_guard_request_unscanned(r, row->kind, way);
    if (is_begin && !row) {
        char where[TUT_GUARD_WHERE];
        tut_guard_way_text(way, where, sizeof(where));
        tut_guard_refuse(&r->decision, 415, "content", tut_str_of(where),
                         "a part of a type that is not known");
    }
    return true;
}

typedef struct role_row {
    const char *word;
    tut_guard_role role;
} role_row;

static const role_row roles[] = {
    {"system", TUT_ROLE_SYSTEM},       {"developer", TUT_ROLE_SYSTEM}, {"user", TUT_ROLE_USER},
    {"assistant", TUT_ROLE_ASSISTANT}, {"tool", TUT_ROLE_TOOL},        {"function", TUT_ROLE_TOOL},
};

static tut_guard_role role_of_word(tut_guard_request *r, const tut_guard_way *way, tut_str word)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (tut_str_eq_z(word, roles[i].word))
            return roles[i].role;
    char where[TUT_GUARD_WHERE];
    tut_guard_way_text(way, where, sizeof(where));
    tut_guard_refuse(&r->decision, 400, "format", tut_str_of(where),
                     "a message of a role that is not known");
    return TUT_ROLE_USER;
}

/* Words of a protocol rather than text: where they stand, they are one of a few. */
static bool is_word_of_protocol(const tut_guard_way *way)
{
    static const char *const keys[] = {"role", "type", "id", "tool_call_id", "call_id", "status"};
    tut_str key = tut_guard_way_key(way, way->depth ? way->depth - 1 : 0);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_str_eq_z(key, keys[i]))
            return way->value->type == TUT_JSON_STRING && way->value->as.string.len <= 64 &&
                   !memchr(way->value->as.string.data, ' ', way->value->as.string.len);
    return false;
}

/* What all of them have beside their texts. */
tut_guard_role tut_role_of_rest(const tut_guard_way *way)
{
    static const char *const offers[] = {"tools", "functions", "tool_choice", "function_call"};
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
        if (tut_guard_way_is(way, 0, offers[i]))
            return TUT_ROLE_TOOL_DEFINITION;
    if (tut_guard_way_is(way, 0, "model") && way->depth == 1)
        return TUT_ROLE_NONE;
    if (tut_guard_way_is(way, 0, "documents"))
        return TUT_ROLE_DOCUMENT;
    if (way->is_key)
        return key_is_text(way->value->key) ? TUT_ROLE_USER : TUT_ROLE_NONE;
    return TUT_ROLE_USER;
}

tut_guard_role tut_role_chat(tut_guard_request *r, const tut_guard_way *way)
{
    const tut_json_value *message = tut_guard_way_at(way, 2);
    if (way->depth == 0 || !tut_guard_way_is(way, 0, "messages"))
        return way->depth ? tut_role_of_rest(way) : TUT_ROLE_NONE;
    if (way->depth < 2)
        return way->is_key ? TUT_ROLE_NONE : TUT_ROLE_USER;
    if (message->type != TUT_JSON_OBJECT)
        return TUT_ROLE_USER;
    if (way->depth == 2 && !way->is_key) /* the message itself: its role is judged once */
        return role_of_word(r, way, tut_json_get_text(message, "role"));
    if (part_is_unread(r, way, 2))
        return is_file_name(way) ? TUT_ROLE_NAME : TUT_ROLE_NONE;
    if (is_word_of_protocol(way))
        return TUT_ROLE_NONE;
    if (way->is_key && !key_is_text(way->value->key))
        return TUT_ROLE_NONE;
    if (tut_guard_way_is(way, 2, "documents"))
        return TUT_ROLE_DOCUMENT;
    if (tut_guard_way_is(way, 2, "tool_calls") || tut_guard_way_is(way, 2, "function_call"))
        return TUT_ROLE_CALL;
    const tut_json_value *part = tut_guard_way_at(way, 4);
    if (tut_guard_way_is(way, 2, "content") && part && part->type == TUT_JSON_OBJECT &&
        tut_str_eq_z(tut_json_get_text(part, "type"), "document"))
        return TUT_ROLE_DOCUMENT;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (tut_str_eq_z(tut_json_get_text(message, "role"), roles[i].word))
            return roles[i].role;
    return TUT_ROLE_USER;
}

/* --- responses --- */
static tut_guard_role role_of_item(tut_guard_request *r, const tut_guard_way *way,
                                   const tut_json_value *item)
{
    tut_str type = tut_json_get_text(item, "type");
    bool is_begin = way->depth == 2 && !way->is_key;
    if (type.len == 0 || tut_str_eq_z(type, "message")) {
        if (is_begin)
            return role_of_word(r, way, tut_json_get_text(item, "role"));
        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
            if (tut_str_eq_z(tut_json_get_text(item, "role"), roles[i].word))
                return roles[i].role;
        return TUT_ROLE_USER;
    }
    if (tut_str_ends(type, TUT_LIT("_output")))
        return TUT_ROLE_TOOL;
    if (tut_str_eq_z(type, "function_call") || tut_str_eq_z(type, "custom_tool_call"))
        return TUT_ROLE_CALL;
    if (tut_str_eq_z(type, "reasoning"))
        return TUT_ROLE_ASSISTANT;
    if (tut_str_ends(type, TUT_LIT("_call")))
        return TUT_ROLE_DOCUMENT; /* of a search, with what it found */
    if (is_begin)
        tut_guard_request_unscanned(r, "state", way); /* what only the server knows */
    return TUT_ROLE_USER;
}

tut_guard_role tut_role_responses(tut_guard_request *r, const tut_guard_way *way)
{
    static const char *const kept[] = {"previous_response_id", "conversation", "prompt"};
    if (way->depth == 0)
        return TUT_ROLE_NONE;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (way->depth == 1 && !way->is_key && tut_guard_way_is(way, 0, kept[i]))
            tut_guard_request_unscanned(r, "state", way);
    if (tut_guard_way_is(way, 0, "instructions"))
        return way->is_key ? TUT_ROLE_NONE : TUT_ROLE_SYSTEM;
    if (!tut_guard_way_is(way, 0, "input") || way->depth < 2)
        return tut_role_of_rest(way);
    const tut_json_value *item = tut_guard_way_at(way, 2);
    if (item->type != TUT_JSON_OBJECT)
        return TUT_ROLE_USER;
    if (part_is_unread(r, way, 2))
        return is_file_name(way) ? TUT_ROLE_NAME : TUT_ROLE_NONE;
    if (way->depth > 2 && is_word_of_protocol(way))
        return TUT_ROLE_NONE;
    if (way->is_key && !key_is_text(way->value->key))
        return TUT_ROLE_NONE;
    return role_of_item(r, way, item);
}

/* --- completions and embeddings --- */
/* A prompt of token numbers is text that cannot be read here. */
static void refuse_tokens(tut_guard_request *r, const tut_guard_way *way)
{
    const tut_json_value *v = way->value;
    if (way->is_key || v->type != TUT_JSON_ARRAY || v->count == 0)
        return;
    tut_json_type first = v->as.items[0].type;
    for (uint32_t i = 0; i < v->count; i++)
        if (v->as.items[i].type != TUT_JSON_STRING && v->as.items[i].type != TUT_JSON_ARRAY)
            first = v->as.items[i].type;
    if (first == TUT_JSON_INT || first == TUT_JSON_UINT || first == TUT_JSON_REAL)
        tut_guard_request_unscanned(r, "tokens", way);
}

tut_guard_role tut_role_prompt(tut_guard_request *r, const tut_guard_way *way)
{
    if (way->depth == 0)
        return TUT_ROLE_NONE;
    if (tut_guard_way_is(way, 0, "prompt") || tut_guard_way_is(way, 0, "input"))
        refuse_tokens(r, way);
    return tut_role_of_rest(way);
}

/* --- rules of the whole --- */
static void check_tokens(tut_guard_request *r, const tut_json_value *root)
{
    static const char *const keys[] = {"max_tokens", "max_completion_tokens", "max_output_tokens"};
    bool is_stated = false;
    if (r->limits.tokens == 0)
        return;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const tut_json_value *v = tut_json_get(root, keys[i]);
        if (!v || v->type == TUT_JSON_NULL)
            continue;
        is_stated = true;
        if (v->type != TUT_JSON_INT || v->as.integer < 0 || v->as.integer > r->limits.tokens)
            tut_guard_refuse(&r->decision, 400, "limits", tut_str_of(keys[i]),
                             "the route answers with at most %u tokens", r->limits.tokens);
    }
    if (!is_stated)
        tut_guard_refuse(&r->decision, 400, "limits", TUT_LIT("max_tokens"),
                         "the request states no limit of tokens; the route's is %u",
                         r->limits.tokens);
}

static void check_offer(tut_guard_request *r, const tut_json_value *offer, const char *list,
                        uint32_t at)
{
    const tut_json_value *function = tut_json_get(offer, "function");
    tut_str name = tut_json_get_text(function ? function : offer, "name");
    char where[TUT_GUARD_WHERE];
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    if (name.len == 0) /* a tool of the server: "web_search" */
        name = tut_json_get_text(offer, "type");
    tut_buf_printf(&shown, "%s[%u]", list, at);
    tut_str_copy(where, sizeof(where), tut_buf_str(&shown));
    if (!tut_is_ok(tut_guard_request_tool(r, name)))
        tut_guard_refuse(&r->decision, 500, "tools", tut_str_of(where), "memory ran out");
    tut_buf_clear(&shown);
    tut_buf_add_escaped(&shown, name, 60);
    const char *z = tut_buf_z(&shown);
    const tut_guard_policy *p = r->guard->policy;
    tut_guard_action action = r->checks[TUT_CHECK_TOOLS].action;
    if (!tut_guard_tool_of(p, name))
        tut_guard_add(&r->decision, "tools", action, tut_str_of(where),
                      "\"%s\" is offered but not declared", z ? z : "?");
    else if (r->route->tools.count && !tut_guard_is_listed(&r->route->tools, name))
        tut_guard_add(&r->decision, "tools", action, tut_str_of(where),
                      "\"%s\" is not granted on this route", z ? z : "?");
}

void tut_check_openai(tut_guard_request *r)
{
    static const char *const lists[] = {"tools", "functions"};
    const tut_json_value *root = tut_json_root(r->doc);
    r->model = tut_json_get_text(root, "model");
    r->is_stream = tut_json_get_bool(root, "stream", false);
    check_tokens(r, root);
    for (size_t k = 0; k < 2; k++) {
        const tut_json_value *list = tut_json_get(root, lists[k]);
        for (uint32_t i = 0; i < tut_json_count(list); i++)
            check_offer(r, tut_json_item(list, i), lists[k], i);
    }
}
