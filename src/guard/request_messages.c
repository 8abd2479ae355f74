/* Anthropic messages: who says what. Tools answer inside a user's message, as blocks of their own.
 */
#include "guard/protocol.h"

typedef struct block_row {
    const char *type;
    const char *kind;    /* what it is where it cannot be looked into; NULL: text */
    tut_guard_role role; /* NONE: that of its message */
} block_row;

static const block_row blocks[] = {
    {"text", NULL, TUT_ROLE_NONE},
    {"thinking", NULL, TUT_ROLE_ASSISTANT},
    {"redacted_thinking", "state", TUT_ROLE_NONE},
    {"tool_use", NULL, TUT_ROLE_CALL},
    {"server_tool_use", NULL, TUT_ROLE_CALL},
    {"tool_result", NULL, TUT_ROLE_TOOL},
    {"web_search_tool_result", NULL, TUT_ROLE_DOCUMENT},
    {"search_result", NULL, TUT_ROLE_DOCUMENT},
    {"document", NULL, TUT_ROLE_DOCUMENT},
    {"image", "images", TUT_ROLE_NONE},
};

static const block_row *block_of(tut_str type)
{
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        if (tut_str_eq_z(type, blocks[i].type))
            return &blocks[i];
    return NULL;
}

/* A document is read where it comes as text; else it is a file. */
static const char *kind_of(const block_row *row, const tut_json_value *block)
{
    tut_str from = tut_json_get_text(tut_json_get(block, "source"), "type");
    if (row->role == TUT_ROLE_DOCUMENT && from.len && !tut_str_eq_z(from, "text") &&
        !tut_str_eq_z(from, "content"))
        return "files";
    return row->kind;
}

/* The block at that depth, judged once, where it begins; false: nothing of it is read here. */
static bool enter_block(tut_guard_request *r, const tut_guard_way *way, size_t depth,
                        tut_guard_role *role)
{
    const tut_json_value *block = tut_guard_way_at(way, depth);
    if (!tut_guard_way_is(way, depth - 2, "content") || !block || block->type != TUT_JSON_OBJECT)
        return true;
    const block_row *row = block_of(tut_json_get_text(block, "type"));
    bool is_begin = way->depth == depth && !way->is_key;
    const char *kind = row ? kind_of(row, block) : NULL;
    if (is_begin && kind)
        tut_guard_request_unscanned(r, kind, way);
    if (is_begin && !row) {
        char where[TUT_GUARD_WHERE];
        tut_guard_way_text(way, where, sizeof(where));
        tut_guard_refuse(&r->decision, 415, "content", tut_str_of(where),
                         "a block of a type that is not known");
    }
    if (row && row->role != TUT_ROLE_NONE)
        *role = row->role;
    return row && !kind;
}

static bool is_word(const tut_guard_way *way)
{
    static const char *const keys[] = {"role", "type", "id", "tool_use_id", "media_type", "ttl"};
    tut_str key = tut_guard_way_key(way, way->depth - 1);
    for (size_t i = 0; !way->is_key && i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_str_eq_z(key, keys[i]))
            return way->value->type == TUT_JSON_STRING && way->value->as.string.len <= 64 &&
                   !memchr(way->value->as.string.data, ' ', way->value->as.string.len);
    return false;
}

static tut_guard_role role_of_message(tut_guard_request *r, const tut_guard_way *way)
{
    tut_str word = tut_json_get_text(tut_guard_way_at(way, 2), "role");
    bool is_assistant = tut_str_eq_z(word, "assistant");
    char where[TUT_GUARD_WHERE];
    if (!is_assistant && !tut_str_eq_z(word, "user") && way->depth == 2 && !way->is_key) {
        tut_guard_way_text(way, where, sizeof(where));
        tut_guard_refuse(&r->decision, 400, "format", tut_str_of(where),
                         "a message of a role that is not known");
    }
    return is_assistant ? TUT_ROLE_ASSISTANT : TUT_ROLE_USER;
}

tut_guard_role tut_role_messages(tut_guard_request *r, const tut_guard_way *way)
{
    if (way->depth == 0)
        return TUT_ROLE_NONE;
    bool is_name = way->is_key && way->value->key.len <= 64 &&
                   !memchr(way->value->key.data, ' ', way->value->key.len);
    if (tut_guard_way_is(way, 0, "system"))
        return is_name || (way->depth > 1 && is_word(way)) ? TUT_ROLE_NONE : TUT_ROLE_SYSTEM;
    if (!tut_guard_way_is(way, 0, "messages"))
        return tut_role_of_rest(way);
    if (way->depth < 2)
        return way->is_key ? TUT_ROLE_NONE : TUT_ROLE_USER;
    if (tut_guard_way_at(way, 2)->type != TUT_JSON_OBJECT)
        return TUT_ROLE_USER;
    tut_guard_role role = role_of_message(r, way);
    for (size_t depth = 4; depth <= way->depth && depth <= 6; depth += 2)
        if (!enter_block(r, way, depth, &role))
            return TUT_ROLE_NONE;
    if (is_word(way) || (is_name && role != TUT_ROLE_CALL))
        return TUT_ROLE_NONE;
    return role;
}
