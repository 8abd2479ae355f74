/* Looking into a parsed document. */
#include "base/json.h"

#include <math.h>

static bool is_container(const tut_json_value *v)
{
    return v && (v->type == TUT_JSON_ARRAY || v->type == TUT_JSON_OBJECT);
}

const tut_json_value *tut_json_get(const tut_json_value *v, const char *key)
{
    if (!v || v->type != TUT_JSON_OBJECT)
        return NULL;
    for (uint32_t i = 0; i < v->count; i++)
        if (tut_str_eq_z(v->as.items[i].key, key))
            return &v->as.items[i];
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

double tut_json_real_of(const tut_json_value *v)
{
    if (!v)
        return NAN;
    if (v->type == TUT_JSON_INT)
        return (double)v->as.integer;
    if (v->type == TUT_JSON_UINT)
        return (double)v->as.uinteger;
    return v->type == TUT_JSON_REAL ? v->as.real : NAN;
}
