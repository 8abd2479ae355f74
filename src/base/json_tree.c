/* Looking into a parsed document. */
#include "base/json.h"

static bool is_container(const tut_json_value *v)
{
    return v && (v->type == TUT_JSON_ARRAY || v->type == TUT_JSON_OBJECT);
}

const tut_json_value *tut_json_get(const tut_json_value *v, const char *key)
{
    if (!v || v->type != TUT_JSON_OBJECT)
        return NULL;
    tut_str wanted = tut_str_of(key);
    for (uint32_t i = 0; i < v->count; i++) {
        if (tut_str_eq(v->as.items[i].key, wanted))
            return &v->as.items[i];
    }
    return NULL;
}

uint32_t tut_json_count(const tut_json_value *v)
{
    return is_container(v) ? v->count : 0;
}

const tut_json_value *tut_json_item(const tut_json_value *v, uint32_t i)
{
    return i < tut_json_count(v) ? &v->as.items[i] : NULL;
}

tut_str tut_json_text(const tut_json_value *v)
{
    return v && v->type == TUT_JSON_STRING ? v->as.string : TUT_LIT("");
}

tut_str tut_json_get_text(const tut_json_value *v, const char *key)
{
    return tut_json_text(tut_json_get(v, key));
}

int64_t tut_json_get_int(const tut_json_value *v, const char *key, int64_t otherwise)
{
    const tut_json_value *member = tut_json_get(v, key);
    return member && member->type == TUT_JSON_INT ? member->as.integer : otherwise;
}

bool tut_json_get_bool(const tut_json_value *v, const char *key, bool otherwise)
{
    const tut_json_value *member = tut_json_get(v, key);
    return member && member->type == TUT_JSON_BOOL ? member->as.boolean : otherwise;
}
