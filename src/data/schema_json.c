/* A baseline: a profile and what follows from it, as one JSON document. */
#include <math.h>

#include "base/json.h"
#include "data/schema_internal.h"

#define SCHEMA "tutela.profile/1"

/* --- writing --- */

static void put_kinds(tut_json *j, uint8_t kinds)
{
    tut_json_key(j, "types");
    tut_json_array(j);
    for (unsigned k = 1; k < TUT_PROFILE_KINDS; k++)
        if (kinds >> k & 1)
            tut_json_z(j, tut_profile_kind_name((tut_cell_kind)k));
    tut_json_end_array(j);
}

static void put_value(tut_json *j, const tut_data_schema_value *v)
{
    if (v->text)
        tut_json_z(j, v->text);
    else
        tut_json_real(j, v->number);
}

static void put_lists(tut_json *j, const tut_data_schema_column *c)
{
    if (c->value_count) {
        tut_json_key(j, "values");
        tut_json_array(j);
        for (size_t i = 0; i < c->value_count; i++)
            put_value(j, &c->values[i]);
        tut_json_end_array(j);
    }
    if (c->shape_count) {
        tut_json_key(j, "shapes");
        tut_json_array(j);
        for (size_t i = 0; i < c->shape_count; i++)
            tut_json_z(j, c->shapes[i]);
        tut_json_end_array(j);
    }
}

static void put_column(tut_json *j, const tut_data_schema_column *c)
{
    tut_json_object(j);
    tut_json_put_str(j, "name", (tut_str){c->name, c->name_len});
    if (c->kinds)
        put_kinds(j, c->kinds);
    if (!isnan(c->least)) {
        tut_json_key(j, "least");
        tut_json_real(j, c->least);
    }
    if (!isnan(c->most)) {
        tut_json_key(j, "most");
        tut_json_real(j, c->most);
    }
    put_lists(j, c);
    if (c->null_share_most < 1) {
        tut_json_key(j, "null_share_most");
        tut_json_real(j, c->null_share_most);
    }
    if (c->is_unique)
        tut_json_put_bool(j, "unique", true);
    tut_json_end_object(j);
}

static void put_schema(tut_json *j, const tut_data_schema *s)
{
    tut_json_key(j, "constraints");
    tut_json_object(j);
    tut_json_put_u64(j, "rows_least", s->rows_least);
    tut_json_put_u64(j, "rows_most", s->rows_most);
    tut_json_key(j, "columns");
    tut_json_array(j);
    for (size_t i = 0; i < s->count; i++)
        put_column(j, &s->columns[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

tut_status tut_data_schema_write(const tut_profile *p, const tut_data_schema *s, tut_time at,
                                 tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    if (!tut_is_ok(tut_json_new(out, &j)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_json_head(j, SCHEMA, at);
    put_schema(j, s);
    tut_json_key(j, "profile");
    tut_profile_write_json(p, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* --- reading --- */

static tut_status bad(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "the baseline is damaged: %s", what);
}

static bool read_real(const tut_json_value *v, double otherwise, double *ret)
{
    *ret = otherwise;
    if (!v)
        return true;
    if (v->type == TUT_JSON_INT)
        *ret = (double)v->as.integer;
    else if (v->type == TUT_JSON_UINT)
        *ret = (double)v->as.uinteger;
    else if (v->type == TUT_JSON_REAL)
        *ret = v->as.real;
    return *ret == *ret;
}

static bool read_count(const tut_json_value *v, uint64_t otherwise, uint64_t *ret)
{
    *ret = otherwise;
    if (!v)
        return true;
    if (v->type == TUT_JSON_INT && v->as.integer >= 0)
        *ret = (uint64_t)v->as.integer;
    else if (v->type == TUT_JSON_UINT)
        *ret = v->as.uinteger;
    else
        return false;
    return true;
}

static tut_status read_kinds(const tut_json_value *v, tut_data_schema_column *c, tut_error *err)
{
    for (uint32_t i = 0; i < tut_json_count(v); i++) {
        tut_str name = tut_json_text(tut_json_item(v, i));
        unsigned k = 1;
        while (k < TUT_PROFILE_KINDS &&
               !tut_str_eq_z(name, tut_profile_kind_name((tut_cell_kind)k)))
            k++;
        if (k == TUT_PROFILE_KINDS)
            return bad(err, "a type that there is not");
        c->kinds |= (uint8_t)(1u << k);
    }
    return TUT_SUCCESS;
}

static tut_status read_values(const tut_json_value *v, tut_data_schema_column *c, tut_error *err)
{
    uint32_t count = tut_json_count(v);
    if (count == 0)
        return TUT_SUCCESS;
    TUT_TRY(schema_values_reserve(c, count, err));
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *item = tut_json_item(v, i);
        tut_data_schema_value *to = &c->values[c->value_count++];
        *to = (tut_data_schema_value){.number = NAN};
        if (item->type == TUT_JSON_STRING) {
            tut_str text = tut_json_text(item);
            if (memchr(text.data, '\0', text.len))
                return bad(err, "a value");
            to->hash = tut_profile_hash_text(text);
            to->text = tut_strndup(text.data, text.len);
            if (!to->text)
                return tut_fail(err, TUT_NOMEM, "memory ran out");
            continue;
        }
        if (!read_real(item, NAN, &to->number))
            return bad(err, "a value");
        to->hash = tut_profile_hash_number(to->number);
    }
    schema_values_sort(c);
    return TUT_SUCCESS;
}

static tut_status read_shapes(const tut_json_value *v, tut_data_schema_column *c, tut_error *err)
{
    if (tut_json_count(v) > TUT_DATA_SCHEMA_SHAPES)
        return bad(err, "the shapes");
    for (uint32_t i = 0; i < tut_json_count(v); i++) {
        tut_str text = tut_json_text(tut_json_item(v, i));
        if (text.len >= TUT_PROFILE_SHAPE || memchr(text.data, '\0', text.len))
            return bad(err, "a shape");
        tut_str_copy(c->shapes[c->shape_count++], TUT_PROFILE_SHAPE, text);
    }
    return TUT_SUCCESS;
}

static tut_status read_column(tut_data_schema *s, const tut_json_value *v, tut_error *err)
{
    tut_data_schema_column *c;
    const tut_json_value *name = tut_json_get(v, "name");
    if (!name || name->type != TUT_JSON_STRING)
        return bad(err, "a column without a name");
    TUT_TRY(schema_column_new(s, tut_json_text(name), &c, err));
    TUT_TRY(read_kinds(tut_json_get(v, "types"), c, err));
    TUT_TRY(read_values(tut_json_get(v, "values"), c, err));
    TUT_TRY(read_shapes(tut_json_get(v, "shapes"), c, err));
    c->is_unique = tut_json_get_bool(v, "unique", false);
    if ((tut_json_get(v, "least") && !read_real(tut_json_get(v, "least"), NAN, &c->least)) ||
        (tut_json_get(v, "most") && !read_real(tut_json_get(v, "most"), NAN, &c->most)) ||
        !read_real(tut_json_get(v, "null_share_most"), 1, &c->null_share_most))
        return bad(err, "a number of a column");
    return TUT_SUCCESS;
}

static tut_status read_schema(const tut_json_value *v, tut_data_schema *s, tut_error *err)
{
    const tut_json_value *columns = tut_json_get(v, "columns");
    if (!read_count(tut_json_get(v, "rows_least"), 0, &s->rows_least) ||
        !read_count(tut_json_get(v, "rows_most"), UINT64_MAX, &s->rows_most))
        return bad(err, "the count of rows");
    for (uint32_t i = 0; i < tut_json_count(columns); i++)
        TUT_TRY(read_column(s, tut_json_item(columns, i), err));
    return TUT_SUCCESS;
}

tut_status tut_data_schema_read(tut_span json, tut_profile **ret_profile,
                                tut_data_schema **ret_schema, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO(tut_profile) p = NULL;
    TUT_AUTO(tut_data_schema) s = NULL;
    if (json.len > TUT_DATA_SCHEMA_BYTES)
        return tut_fail(err, TUT_LIMIT, "a baseline of more than %d MiB",
                        TUT_DATA_SCHEMA_BYTES >> 20);
    TUT_TRY(tut_json_parse(json, NULL, &doc, err));
    const tut_json_value *root = tut_json_root(doc);
    if (!tut_str_eq_z(tut_json_get_text(root, "schema"), SCHEMA))
        return tut_fail(err, TUT_UNSUPPORTED, "this is no baseline of the schema " SCHEMA);
    s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_profile_read_json(tut_json_get(root, "profile"), &p, err));
    TUT_TRY(read_schema(tut_json_get(root, "constraints"), s, err));
    *ret_profile = tut_move(&p);
    *ret_schema = tut_move(&s);
    return TUT_SUCCESS;
}
