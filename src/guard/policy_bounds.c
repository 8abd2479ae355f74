/*
 * baseline: of a tensor: bounds out of what `tutela vet --save-baseline` wrote. They are resolved
 * while the policy is read and stand in its canonical form, out of which those who serve read them:
 * the file itself is opened by nobody else.
 */
#include <math.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/limits.h"
#include "data/schema.h"
#include "guard/policy_fields.h"

struct tut_guard_baseline {
    tut_str path;
    tut_sha256 digest;
    tut_data_schema *schema;
};

void tut_guard_bounding_done(tut_guard_bounding *b)
{
    for (size_t i = 0; i < b->count; i++)
        tut_data_schema_free(b->baselines[i].schema);
    tut_free(b->baselines);
    *b = (tut_guard_bounding){0};
}

/* --- the file, once for all tensors that name it --- */

static tut_status parse_baseline(tut_schema *s, const tut_yaml_node *node, tut_str path,
                                 tut_guard_baseline *ret)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO(tut_profile) profile = NULL;
    TUT_AUTO_FREE char *name = tut_strndup(path.data, path.len);
    tut_error why = {0};
    if (!name)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_fs_read_beneath(s->system->dir, name, TUT_DATA_SCHEMA_BYTES, &bytes,
                                            &why);
    if (!tut_is_ok(status))
        return tut_schema_fail_node(s, node, "the baseline \"%s\" cannot be read: %s", name,
                                    why.text);
    TUT_TRY(tut_sha256_of(tut_buf_span(&bytes), &ret->digest, s->err));
    status = tut_data_schema_read(tut_buf_span(&bytes), &profile, &ret->schema, &why);
    if (!tut_is_ok(status))
        return tut_schema_fail_node(
            s, node, "the baseline \"%s\": %s; tutela vet --save-baseline writes one", name,
            why.text);
    ret->path = path;
    return TUT_SUCCESS;
}

static tut_status find_baseline(tut_schema *s, const tut_yaml_node *node, tut_str path,
                                tut_guard_bounding *b, const tut_guard_baseline **ret)
{
    tut_guard_baseline fresh = {0};
    for (size_t i = 0; i < b->count; i++) {
        if (!tut_str_eq(b->baselines[i].path, path))
            continue;
        *ret = &b->baselines[i];
        return TUT_SUCCESS;
    }
    TUT_TRY(parse_baseline(s, node, path, &fresh));
    if (!fresh.schema)
        return tut_fail(s->err, TUT_BUG, "a baseline was read and is not there");
    if (!tut_is_ok(tut_grow(&b->baselines, b->count, &b->capacity, sizeof(*b->baselines)))) {
        tut_data_schema_free(fresh.schema);
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    }
    b->baselines[b->count] = fresh;
    *ret = &b->baselines[b->count++];
    return TUT_SUCCESS;
}

/* --- its columns --- */

static tut_str name_of(const tut_data_schema_column *c)
{
    return (tut_str){c->name, c->name_len};
}

static const tut_data_schema_column *column_of(const tut_data_schema *schema, tut_str name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (tut_str_eq(name_of(&schema->columns[i]), name))
            return &schema->columns[i];
    return NULL;
}

static tut_status unknown_column(tut_schema *s, const tut_yaml_node *node,
                                 const tut_data_schema *schema, tut_str name)
{
    const char **names = tut_alloc_array(schema->count + 1, sizeof(*names));
    if (!names)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < schema->count; i++)
        names[i] = schema->columns[i].name;
    const char *near = tut_str_nearest(name, names, schema->count);
    tut_status status = tut_schema_fail_node(
        s, node, "the baseline has no column \"%.*s\"%s%s%s", (int)name.len, name.data,
        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    tut_free(names);
    return status;
}

static bool holds_numbers(const tut_data_schema_column *c)
{
    const unsigned numbers = 1u << TUT_CELL_NUMBER | 1u << TUT_CELL_INTEGER | 1u << TUT_CELL_BOOL;
    return c->kinds == 0 || (c->kinds & numbers);
}

/* A number on its way through a datatype and the digits that a client writes of it ends up this
 * much of itself beside what it was. */
static double slack_of(tut_str datatype)
{
    return tut_str_eq_z(datatype, "FP32")   ? 0x1p-23
           : tut_str_eq_z(datatype, "FP16") ? 0x1p-10
           : tut_str_eq_z(datatype, "BF16") ? 0x1p-7
                                            : 0;
}

static void set_range(const tut_guard_tensor *t, const tut_data_schema_column *c,
                      tut_guard_feature *f)
{
    bool is_float = tut_str_starts(t->datatype, TUT_LIT("FP")) ||
                    tut_str_starts(t->datatype, TUT_LIT("BF"));
    double slack = slack_of(t->datatype);
    if (c) {
        f->is_whole = c->kinds && !(c->kinds >> TUT_CELL_NUMBER & 1);
        f->least = c->least;
        f->most = c->most;
    }
    f->is_whole = f->is_whole || !is_float;
    if (f->is_whole) {
        f->least = ceil(f->least);
        f->most = floor(f->most);
    }
    /* Whole numbers of so many digits are what they are in the datatype as well. */
    f->least -= f->is_whole && fabs(f->least) * slack <= 1 ? 0 : fabs(f->least) * slack;
    f->most += f->is_whole && fabs(f->most) * slack <= 1 ? 0 : fabs(f->most) * slack;
    if (t->has_min && !(f->least >= t->min))
        f->least = f->is_whole ? ceil(t->min) : t->min;
    if (t->has_max && !(f->most <= t->max))
        f->most = f->is_whole ? floor(t->max) : t->max;
}

static int by_number(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

static tut_status set_values(tut_schema *s, const tut_data_schema_column *c, tut_guard_feature *f,
                             bool *ret_is_empty)
{
    size_t numbers = 0;
    *ret_is_empty = false;
    if (!c || c->value_count == 0)
        return TUT_SUCCESS;
    double *values = tut_arena_take(&s->system->arena, c->value_count, sizeof(*values));
    if (!values)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < c->value_count; i++) {
        double n = c->values[i].number;
        if (isnan(n)) /* a text */
            continue;
        numbers++;
        if (!(n < f->least) && !(n > f->most))
            values[f->value_count++] = n;
    }
    f->values = values;
    qsort(values, f->value_count, sizeof(*values), by_number);
    *ret_is_empty = numbers > 0 && f->value_count == 0;
    return TUT_SUCCESS;
}

static tut_status set_feature(tut_schema *s, const tut_yaml_node *node, const tut_guard_tensor *t,
                              const tut_data_schema_column *c, tut_guard_feature *f)
{
    tut_str name = c ? name_of(c) : TUT_LIT("-");
    bool is_empty = false;
    *f = (tut_guard_feature){.least = NAN, .most = NAN};
    char *copy = tut_arena_copy(&s->system->arena, name);
    if (!copy)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    f->name = (tut_str){copy, name.len};
    if (c && !holds_numbers(c))
        return tut_schema_fail_node(
            s, node,
            "column \"%.*s\" of the baseline holds no numbers; without: "
            "leaves it out, and \"-\" in columns: is a place that no column "
            "bounds",
            (int)name.len, name.data);
    set_range(t, c, f);
    TUT_TRY(set_values(s, c, f, &is_empty));
    if (f->least > f->most || is_empty)
        return tut_schema_fail_node(
            s, node,
            "datatype, min and max leave nothing of what column \"%.*s\" of "
            "the baseline may hold",
            (int)name.len, name.data);
    return TUT_SUCCESS;
}

static tut_status take_features(tut_schema *s, const tut_yaml_node *node, size_t count,
                                tut_guard_bounding *b, tut_guard_tensor *t)
{
    b->features += count;
    if (b->features > TUT_LIMIT_GUARD_FEATURES)
        return tut_schema_fail_node(s, node, "the baselines of a policy bound at most %u columns",
                                    TUT_LIMIT_GUARD_FEATURES);
    t->features = tut_arena_take(&s->system->arena, count + 1, sizeof(*t->features));
    return t->features ? TUT_SUCCESS : tut_fail(s->err, TUT_NOMEM, "memory ran out");
}

/* columns: in the order in which they are written. */
static tut_status take_listed(tut_schema *s, const tut_yaml_node *node,
                              const tut_data_schema *schema, const tut_str_list *names,
                              tut_guard_tensor *t)
{
    for (size_t i = 0; i < names->count; i++) {
        bool is_open = tut_str_eq_z(names->items[i], "-");
        const tut_data_schema_column *c = is_open ? NULL : column_of(schema, names->items[i]);
        if (!c && !is_open)
            return unknown_column(s, node, schema, names->items[i]);
        TUT_TRY(set_feature(s, node, t, c, &t->features[t->feature_count++]));
    }
    return TUT_SUCCESS;
}

/* All of the baseline, in its order. */
static tut_status take_all(tut_schema *s, const tut_yaml_node *node, const tut_data_schema *schema,
                           tut_guard_tensor *t)
{
    for (size_t i = 0; i < t->without.count; i++)
        if (!column_of(schema, t->without.items[i]))
            return unknown_column(s, node, schema, t->without.items[i]);
    for (size_t i = 0; i < schema->count; i++) {
        const tut_data_schema_column *c = &schema->columns[i];
        if (!tut_guard_is_listed(&t->without, name_of(c)))
            TUT_TRY(set_feature(s, node, t, c, &t->features[t->feature_count++]));
    }
    return TUT_SUCCESS;
}

static tut_status check_features(tut_schema *s, const tut_yaml_node *node,
                                 const tut_guard_tensor *t)
{
    size_t bounded = 0;
    if (t->feature_count == 0)
        return tut_schema_fail_node(s, node, "the baseline has no column for this tensor");
    if (t->shape_texts.count &&
        !tut_guard_features_fit(t->feature_count, t->shape, t->shape_texts.count))
        return tut_schema_fail_node(s, node,
                                    "the last axes of the shape do not hold the baseline's %zu %s; "
                                    "columns: names those of the tensor, without: those that it "
                                    "has not",
                                    t->feature_count, t->feature_count == 1 ? "column" : "columns");
    for (size_t i = 0; i < t->feature_count; i++)
        bounded += tut_guard_feature_is_bounded(&t->features[i]);
    if (bounded == 0)
        return tut_schema_fail_node(s, node,
                                    "the baseline has no range of any of these columns: it is of "
                                    "fewer than %d rows, or they only ever rise",
                                    TUT_DATA_SCHEMA_ROWS_LEAST);
    return TUT_SUCCESS;
}

static tut_status read_file(tut_schema *s, const tut_yaml_node *tensor, tut_guard_bounding *b,
                            tut_guard_tensor *t)
{
    const tut_guard_baseline *from;
    tut_str_list one = {.items = &t->column, .count = 1};
    const tut_str_list *listed = t->column.len ? &one : t->columns.count ? &t->columns : NULL;
    const char *key = t->column.len ? "column" : listed ? "columns" : "without";
    const tut_yaml_node *node = tut_yaml_get(s->system->yaml, tensor, "baseline");
    const tut_yaml_node *words = tut_yaml_get(s->system->yaml, tensor, key);
    TUT_TRY(find_baseline(s, node, t->baseline, b, &from));
    TUT_TRY(take_features(s, node, listed ? listed->count : from->schema->count, b, t));
    t->baseline_digest = from->digest;
    words = words ? words : node;
    TUT_TRY(listed ? take_listed(s, words, from->schema, listed, t)
                   : take_all(s, words, from->schema, t));
    return check_features(s, node, t);
}

/* --- the canonical form --- */

void tut_guard_bounds_json(const tut_guard_tensor *t, tut_json *j)
{
    if (t->feature_count == 0)
        return;
    tut_json_key(j, "baseline");
    tut_json_sha256(j, t->baseline_digest.bytes);
    tut_json_key(j, "features");
    tut_json_array(j);
    for (size_t i = 0; i < t->feature_count; i++) {
        const tut_guard_feature *f = &t->features[i];
        tut_json_object(j);
        tut_json_put_str(j, "name", f->name);
        tut_json_put_real(j, "least", f->least); /* null: any */
        tut_json_put_real(j, "most", f->most);
        tut_json_put_bool(j, "whole", f->is_whole);
        tut_json_key(j, "values");
        tut_json_array(j);
        for (size_t k = 0; k < f->value_count; k++)
            tut_json_real(j, f->values[k]);
        tut_json_end_array(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static double number_or_any(const tut_json_value *v)
{
    return v && v->type != TUT_JSON_NULL ? tut_json_real_of(v) : NAN;
}

static tut_status read_kept_feature(tut_schema *s, const tut_json_value *v, tut_guard_feature *f)
{
    const tut_json_value *list = tut_json_get(v, "values");
    tut_str name = tut_json_get_text(v, "name");
    char *copy = tut_arena_copy(&s->system->arena, name);
    double *values = tut_arena_take(&s->system->arena, tut_json_count(list) + 1u, sizeof(*values));
    if (!copy || !values)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    *f = (tut_guard_feature){.name = {copy, name.len},
                             .least = number_or_any(tut_json_get(v, "least")),
                             .most = number_or_any(tut_json_get(v, "most")),
                             .is_whole = tut_json_get_bool(v, "whole", false),
                             .values = values};
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        values[f->value_count++] = number_or_any(tut_json_item(list, i));
    return TUT_SUCCESS;
}

/* What is missing or wrong in there makes another version, which the caller tells. */
static tut_status read_kept(tut_schema *s, const tut_yaml_node *node, const tut_json_value *kept,
                            tut_guard_bounding *b, tut_guard_tensor *t)
{
    const tut_json_value *list = tut_json_get(kept, "features");
    tut_str hex = tut_json_get_text(tut_json_get(kept, "baseline"), "sha256");
    TUT_TRY(take_features(s, node, tut_json_count(list), b, t));
    if (!tut_is_ok(tut_sha256_parse(hex, &t->baseline_digest)))
        return tut_fail(s->err, TUT_STORE,
                        "the bounds of tensor %.*s were not kept with the policy", (int)t->name.len,
                        t->name.data);
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        TUT_TRY(read_kept_feature(s, tut_json_item(list, i), &t->features[t->feature_count++]));
    return TUT_SUCCESS;
}

tut_status tut_guard_read_bounds(tut_schema *s, const tut_yaml_node *node,
                                 const tut_json_value *kept, tut_guard_bounding *b,
                                 tut_guard_tensor *t)
{
    bool names_columns = t->column.len || t->columns.count || t->without.count;
    if (t->baseline.len == 0)
        return names_columns
                   ? tut_schema_fail_node(
                         s, node,
                         "column, columns and without are of a baseline, and there is none")
                   : TUT_SUCCESS;
    if ((t->column.len > 0) + (t->columns.count > 0) + (t->without.count > 0) > 1)
        return tut_schema_fail_node(s, node,
                                    "one of column, columns and without says which columns of the "
                                    "baseline count");
    if (tut_str_eq_z(t->datatype, "BYTES"))
        return tut_schema_fail_node(s, node, "a baseline bounds numbers: BYTES has none");
    return b->is_kept ? read_kept(s, node, kept, b, t) : read_file(s, node, b, t);
}
