#include "guard/protocol.h"

/* --- answers: which strings are pieces --- */
/* choices[n].delta.*: all texts of a delta are pieces; its names and ids are not. */
static bool chat_is_delta(const tut_json_value *event, const tut_guard_way *way)
{
    (void)event;
    if (!tut_guard_way_is(way, 0, "choices") || !tut_guard_way_is(way, 2, "delta"))
        return false;
    tut_str last = tut_guard_way_key(way, way->depth - 1);
    static const char *const whole[] = {"role", "id", "type", "name"};
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        if (tut_str_eq_z(last, whole[i]))
            return false;
    return true;
}

static bool completions_is_delta(const tut_json_value *event, const tut_guard_way *way)
{
    (void)event;
    return tut_guard_way_is(way, 0, "choices") && tut_guard_way_is(way, 2, "text") &&
           way->depth == 3;
}

static bool responses_is_delta(const tut_json_value *event, const tut_guard_way *way)
{
    (void)event;
    return way->depth == 1 && tut_guard_way_is(way, 0, "delta");
}

static void put_place(tut_json *j, const tut_json_value *last)
{
    static const char *const keys[] = {"output_index", "content_index", "summary_index", "index"};
    tut_json_put_str(j, "type", tut_json_get_text(last, "type"));
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_json_get(last, keys[i]))
            tut_json_put_int(j, keys[i], tut_json_get_int(last, keys[i], 0));
}

static void responses_put_rest(tut_json *j, const tut_json_value *last, tut_str field, tut_str text)
{
    (void)field;
    put_place(j, last);
    tut_json_put_str(j, "item_id", tut_json_get_text(last, "item_id"));
    tut_json_put_str(j, "delta", text);
}

static bool messages_is_delta(const tut_json_value *event, const tut_guard_way *way)
{
    (void)event;
    return way->depth == 2 && tut_guard_way_is(way, 0, "delta") &&
           (tut_guard_way_is(way, 1, "text") || tut_guard_way_is(way, 1, "thinking"));
}

static void messages_put_rest(tut_json *j, const tut_json_value *last, tut_str field, tut_str text)
{
    put_place(j, last);
    tut_json_key(j, "delta");
    tut_json_object(j);
    tut_json_put_str(j, "type", tut_json_get_text(last, "kind"));
    tut_json_key_str(j, field);
    tut_json_str(j, text);
    tut_json_end_object(j);
}

static void no_rest(tut_json *j, const tut_json_value *last, tut_str field, tut_str text)
{
    (void)last;
    tut_json_key_str(j, field);
    tut_json_str(j, text);
}

static bool never_delta(const tut_json_value *event, const tut_guard_way *way)
{
    (void)event;
    (void)way;
    return false;
}

static tut_guard_role role_of_text(tut_guard_request *r, const tut_guard_way *way)
{
    (void)r;
    (void)way;
    return TUT_ROLE_USER;
}

static void check_nothing(tut_guard_request *r)
{
    (void)r;
}

static const tut_protocol protocols[] = {
    {"openai-chat", "POST", false, true, true, true, tut_role_chat, tut_check_openai, chat_is_delta,
     no_rest, NULL},
    {"openai-completions", "POST", false, true, false, true, tut_role_prompt, tut_check_openai,
     completions_is_delta, no_rest, NULL},
    {"openai-responses", "POST", false, true, true, false, tut_role_responses, tut_check_openai,
     responses_is_delta, responses_put_rest, NULL},
    {"anthropic-messages", "POST", false, true, true, false, tut_role_messages, tut_check_openai,
     messages_is_delta, messages_put_rest, "error"},
    {"openai-embeddings", "POST", false, false, false, false, tut_role_prompt, tut_check_openai,
     never_delta, no_rest, NULL},
    {"kserve-v2", "POST", false, false, false, false, tut_role_v2, tut_check_v2, never_delta,
     no_rest, NULL},
    {"text", "POST", true, true, false, false, role_of_text, check_nothing, never_delta, no_rest,
     NULL},
};

#define WORDS                                                                                      \
    "openai-chat openai-completions openai-responses anthropic-messages openai-embeddings "        \
    "kserve-v2 text"

const char *tut_protocol_words(void)
{
    return WORDS;
}

const tut_protocol *tut_protocol_of(tut_str name)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (tut_str_eq_z(name, protocols[i].name))
            return &protocols[i];
    return NULL;
}
