/* What a route does with texts and numbers: the parts of a policy that requests and answers ask. */
#include "base/fs.h"
#include "guard/policy_fields.h"
#include "guard/schema.h"

enum { SCHEMA_MOST = 256 << 10, DIGITS_MOST = 8 };

static const tut_field output_fields[] = {
    TUT_FIELD(COUNT, tut_guard_outputs, round, false, NULL),
    TUT_FIELD(COUNT, tut_guard_outputs, top_k, false, NULL),
};

static tut_status read_outputs(tut_schema *s, const tut_yaml_node *node, tut_guard_route *r)
{
    tut_guard_outputs o = {0};
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_read(s, node, output_fields, TUT_COUNT(output_fields), &o, "outputs",
                            "guard.routes.outputs"));
    if (o.round > DIGITS_MOST)
        return tut_schema_fail_node(s, node, "outputs are rounded to 0 to %d digits", DIGITS_MOST);
    r->outputs.top_k = o.top_k;
    r->outputs.round = tut_yaml_get(s->system->yaml, node, "round") ? o.round + 1 : 0;
    return TUT_SUCCESS;
}

/* A file below the system's directory, or the schema itself. */
static tut_status schema_text(tut_schema *s, const tut_yaml_node *node, tut_str word, tut_buf *text,
                              tut_error *err)
{
    if (word.data[0] == '{') {
        tut_buf_add_str(text, word);
        return tut_buf_check(text, err);
    }
    char *path = tut_asprintf("%s/%.*s", s->system->dir, (int)word.len, word.data);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_error why = {0};
    tut_status status = tut_fs_read(path, SCHEMA_MOST, text, &why);
    tut_free(path);
    return tut_is_ok(status)
               ? status
               : tut_schema_fail_node(s, node, "the schema cannot be read: %s", why.text);
}

static tut_status read_schema(tut_schema *s, const tut_yaml_node *route, tut_guard_route *r)
{
    const tut_yaml_node *node = tut_yaml_get(s->system->yaml, route, "answer_schema");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    char why[TUT_GUARD_SCHEMA_WHY];
    tut_error bad = {0};
    if (r->answer_schema_word.len == 0)
        return TUT_SUCCESS;
    TUT_TRY(schema_text(s, node, r->answer_schema_word, &text, s->err));
    if (!tut_is_ok(tut_json_parse(tut_buf_span(&text), NULL, &doc, &bad)))
        return tut_schema_fail_node(s, node, "the schema: %s", bad.text);
    TUT_TRY(tut_guard_schema_understood(tut_json_root(doc), why, s->err));
    if (why[0])
        return tut_schema_fail_node(s, node, "the schema: %s", why);
    char *copy = tut_arena_copy(&s->system->arena, tut_buf_str(&text));
    if (!copy)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    r->answer_schema = (tut_str){copy, text.len};
    return TUT_SUCCESS;
}

tut_status tut_guard_read_texts(tut_schema *s, const tut_yaml_node *node, tut_guard_route *r)
{
    r->is_normalised = !tut_str_eq_z(r->normalise, "off");
    r->counts_tokens = tut_str_eq_z(r->count_word, "on");
    r->spotlight = tut_str_eq_z(r->spotlight_word, "mark")      ? TUT_SPOTLIGHT_MARK
                   : tut_str_eq_z(r->spotlight_word, "delimit") ? TUT_SPOTLIGHT_DELIMIT
                                                                : TUT_SPOTLIGHT_OFF;
    TUT_TRY(read_outputs(s, tut_yaml_get(s->system->yaml, node, "outputs"), r));
    return read_schema(s, node, r);
}

void tut_guard_texts_json(const tut_guard_route *r, tut_json *j)
{
    static const char *const spotlights[] = {"off", "delimit", "mark"};
    tut_sha256 digest = {0};
    tut_json_put_bool(j, "normalise", r->is_normalised);
    tut_json_put_bool(j, "count_tokens", r->counts_tokens);
    tut_json_put_z(j, "spotlight", spotlights[r->spotlight]);
    tut_json_key(j, "outputs");
    tut_json_object(j);
    tut_json_key(j, "round");
    if (r->outputs.round)
        tut_json_u64(j, r->outputs.round - 1);
    else
        tut_json_null(j);
    tut_json_put_u64(j, "top_k", r->outputs.top_k);
    tut_json_end_object(j);
    tut_json_key(j, "answer_schema");
    if (r->answer_schema.len &&
        tut_is_ok(
            tut_sha256_of(tut_span_of(r->answer_schema.data, r->answer_schema.len), &digest, NULL)))
        tut_json_sha256(j, digest.bytes);
    else
        tut_json_null(j);
}
