/*
 * Structured output: the text of an answer against the schema that its request asked for, or that
 * the route has. Of a stream such a text is kept until it is whole, as nobody can use a part of it,
 * and then goes on at once.
 */
#include "guard/answer_internal.h"
#include "guard/schema.h"

/* {"response_format": {"json_schema": {"schema"}}}, {"text": {"format": {"schema"}}}. */
static const tut_json_value *asked_for(const tut_guard_request *r, bool *ret_is_any)
{
    const tut_json_value *root = r->doc ? tut_json_root(r->doc) : NULL;
    const tut_json_value *format = tut_json_get(root, "response_format");
    const tut_json_value *text = tut_json_get(tut_json_get(root, "text"), "format");
    format = format ? format : text;
    *ret_is_any = tut_str_eq_z(tut_json_get_text(format, "type"), "json_object");
    if (!tut_str_eq_z(tut_json_get_text(format, "type"), "json_schema"))
        return NULL;
    const tut_json_value *inner = tut_json_get(format, "json_schema");
    return tut_json_get(inner ? inner : format, "schema");
}

tut_status tut_answer_find_schema(tut_guard_answer *a, tut_error *err)
{
    const tut_guard_request *r = a->request;
    char why[TUT_GUARD_SCHEMA_WHY] = "";
    if (a->look.checks[TUT_CHECK_SCHEMA].action == TUT_GUARD_ALLOW)
        return TUT_SUCCESS;
    if (r->route->answer_schema.len) {
        tut_str text = r->route->answer_schema;
        TUT_TRY(tut_json_parse(tut_span_of(text.data, text.len), NULL, &a->schema_doc, err));
        a->schema = tut_json_root(a->schema_doc);
        return TUT_SUCCESS;
    }
    a->schema = asked_for(r, &a->is_any_object);
    if (!a->schema)
        return TUT_SUCCESS;
    TUT_TRY(tut_guard_schema_understood(a->schema, why, err));
    if (why[0])
        tut_guard_not_scanned(&a->decision, "schema", TUT_LIT("request"), "%s", why);
    return TUT_SUCCESS;
}

bool tut_answer_has_schema(const tut_guard_answer *a)
{
    return a->schema || a->is_any_object;
}

bool tut_answer_keeps_whole(const tut_guard_answer *a)
{
    return tut_answer_has_schema(a) && a->look.is_changing &&
           a->look.checks[TUT_CHECK_SCHEMA].action >= TUT_GUARD_HOLD;
}

tut_status tut_answer_check_schema(tut_guard_answer *a, tut_str text, const char *where,
                                   tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error bad = {0};
    char why[TUT_GUARD_SCHEMA_WHY] = "";
    tut_guard_action action = a->look.checks[TUT_CHECK_SCHEMA].action;
    tut_json_options options = {.max_depth = a->request->limits.depth};
    tut_status status = tut_json_parse(tut_span_of(text.data, text.len), &options, &doc, &bad);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        tut_guard_add(&a->decision, "schema", action, tut_str_of(where), "no JSON: %s", bad.text);
        return TUT_SUCCESS;
    }
    if (a->schema)
        TUT_TRY(tut_guard_schema_check(a->schema, tut_json_root(doc), why, err));
    else if (tut_json_root(doc)->type != TUT_JSON_OBJECT)
        tut_str_copy(why, sizeof(why), TUT_LIT("no JSON object"));
    if (why[0])
        tut_guard_add(&a->decision, "schema", action, tut_str_of(where), "%s", why);
    return TUT_SUCCESS;
}
