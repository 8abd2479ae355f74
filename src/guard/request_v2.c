/* KServe and Triton v2 REST: the tensors of a request against those that the policy lists. */
#include <math.h>

#include "guard/protocol.h"

tut_guard_role tut_role_v2(tut_guard_request *r, const tut_guard_way *way)
{
    static const char *const words[] = {"name", "datatype", "id", "model_name"};
    (void)r;
    if (way->is_key || way->depth == 0)
        return TUT_ROLE_NONE;
    tut_str key = tut_guard_way_key(way, way->depth - 1);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (tut_str_eq_z(key, words[i]) && way->value->type == TUT_JSON_STRING &&
            way->value->as.string.len <= 64)
            return TUT_ROLE_NONE;
    return TUT_ROLE_USER;
}

typedef struct type_row {
    const char *name;
    bool is_whole, is_text, is_bool;
    double min, max;
} type_row;

static const type_row types[] = {
    {"BOOL", false, false, true, 0, 1},
    {"UINT8", true, false, false, 0, 255},
    {"UINT16", true, false, false, 0, 65535},
    {"UINT32", true, false, false, 0, 4294967295.0},
    {"UINT64", true, false, false, 0, 18446744073709551615.0},
    {"INT8", true, false, false, -128, 127},
    {"INT16", true, false, false, -32768, 32767},
    {"INT32", true, false, false, -2147483648.0, 2147483647.0},
    {"INT64", true, false, false, -9223372036854775808.0, 9223372036854775807.0},
    {"FP16", false, false, false, -65504, 65504},
    {"BF16", false, false, false, -3.4e38, 3.4e38},
    {"FP32", false, false, false, -3.4028235e38, 3.4028235e38},
    {"FP64", false, false, false, -1.7976931348623157e308, 1.7976931348623157e308},
    {"BYTES", false, true, false, 0, 0},
};

static const type_row *type_of(tut_str name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (tut_str_eq_z(name, types[i].name))
            return &types[i];
    return NULL;
}

typedef struct input {
    tut_guard_request *r;
    const tut_guard_tensor *schema; /* NULL: the route lists none */
    const type_row *type;
    char where[TUT_GUARD_WHERE];
    uint64_t values;
    bool is_wrong; /* told already */
} input;

static void wrong(input *in, const char *what)
{
    if (!in->is_wrong)
        tut_guard_refuse(&in->r->decision, 400, "tensors", tut_str_of(in->where), "%s", what);
    in->is_wrong = true;
}

static bool number_of(const tut_json_value *v, double *ret)
{
    switch (v->type) {
    case TUT_JSON_INT:
        *ret = (double)v->as.integer;
        return true;
    case TUT_JSON_UINT:
        *ret = (double)v->as.uinteger;
        return true;
    case TUT_JSON_REAL:
        *ret = v->as.real;
        return true;
    case TUT_JSON_NULL:
    case TUT_JSON_BOOL:
    case TUT_JSON_STRING:
    case TUT_JSON_ARRAY:
    case TUT_JSON_OBJECT:
        break;
    }
    return false;
}

/* By the baseline of the tensor. */
static void check_feature(input *in, double n, uint64_t at)
{
    size_t count = in->schema->feature_count;
    const tut_guard_feature *f = &in->schema->features[at % count];
    const char *what = tut_guard_feature_refuses(f, n);
    if (!what || in->is_wrong)
        return;
    char name[TUT_GUARD_WHERE], range[64];
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, f->name, 40);
    tut_str_copy(name, sizeof(name), tut_buf_str(&shown));
    tut_guard_feature_range(f, range, sizeof(range));
    tut_guard_refuse(&in->r->decision, 400, "tensors", tut_str_of(in->where),
                     "row %llu, feature %zu \"%s\": a value is %s (%s)",
                     (unsigned long long)(at / count), (size_t)(at % count), name, what, range);
    in->is_wrong = true;
}

static void check_value(input *in, const tut_json_value *v)
{
    double n = 0;
    bool has_features = in->schema && in->schema->feature_count;
    uint64_t at = in->values++;
    if (in->type->is_text) {
        if (v->type != TUT_JSON_STRING)
            wrong(in, "a value of BYTES is no string");
        return;
    }
    if (in->type->is_bool) {
        if (v->type != TUT_JSON_BOOL && !(v->type == TUT_JSON_INT && (uint64_t)v->as.integer <= 1))
            wrong(in, "a value of BOOL is neither true nor false");
        else if (has_features)
            check_feature(in, v->type == TUT_JSON_BOOL ? v->as.boolean : (double)v->as.integer, at);
        return;
    }
    if (!number_of(v, &n)) {
        wrong(in, "a value is no number");
    } else if (!isfinite(n)) {
        wrong(in, "a value is not finite");
    } else if (in->type->is_whole && v->type == TUT_JSON_REAL && n != floor(n)) {
        wrong(in, "a value of a whole type has a fraction");
    } else if (n < in->type->min || n > in->type->max) {
        wrong(in, "a value is out of the range of its datatype");
    } else if (has_features) {
        check_feature(in, n, at);
    } else if (in->schema && ((in->schema->has_min && n < in->schema->min) ||
                              (in->schema->has_max && n > in->schema->max))) {
        wrong(in, "a value is out of the range that the policy states");
    }
}

/* data: flat, or nested as the shape is. */
static void check_data(input *in, const tut_json_value *data)
{
    const tut_json_value *stack[TUT_GUARD_WALK_DEPTH];
    uint32_t at[TUT_GUARD_WALK_DEPTH];
    size_t depth = 1;
    if (!data || data->type != TUT_JSON_ARRAY) {
        wrong(in, "no data: tensors in shared memory or binary parts are not read");
        return;
    }
    stack[0] = data;
    at[0] = 0;
    while (depth > 0) {
        const tut_json_value *v = tut_json_item(stack[depth - 1], at[depth - 1]++);
        if (!v) {
            depth--;
        } else if (v->type == TUT_JSON_ARRAY && depth < TUT_GUARD_WALK_DEPTH) {
            stack[depth] = v;
            at[depth++] = 0;
        } else {
            check_value(in, v);
        }
    }
}

static void check_shape(input *in, const tut_json_value *shape)
{
    uint64_t product = 1;
    size_t wanted = in->schema ? in->schema->shape_texts.count : 0;
    if (!shape || shape->type != TUT_JSON_ARRAY) {
        wrong(in, "no shape");
        return;
    }
    if (wanted && shape->count != wanted)
        wrong(in, "the shape has another number of dimensions than the policy states");
    for (uint32_t i = 0; i < shape->count && !in->is_wrong; i++) {
        const tut_json_value *v = tut_json_item(shape, i);
        int64_t n = v->type == TUT_JSON_INT ? v->as.integer : -1;
        if (n < 0 || __builtin_mul_overflow(product, (uint64_t)n, &product))
            wrong(in, "a dimension is no whole number");
        else if (wanted && in->schema->shape[i] >= 0 && in->schema->shape[i] != n)
            wrong(in, "the shape is another than the policy states");
    }
    if (!in->is_wrong && product != in->values)
        wrong(in, "the data has another number of values than the shape states");
}

/* Before the data: which feature a value belongs to follows from the shape. */
static bool fits_features(const input *in, const tut_json_value *shape)
{
    int64_t axes[TUT_COUNT(in->schema->shape)];
    uint32_t rank = tut_json_count(shape);
    if (rank > TUT_COUNT(axes))
        return false;
    for (uint32_t i = 0; i < rank; i++) {
        const tut_json_value *v = tut_json_item(shape, i);
        if (v->type != TUT_JSON_INT || v->as.integer < 0)
            return false;
        axes[i] = v->as.integer;
    }
    return tut_guard_features_fit(in->schema->feature_count, axes, rank);
}

static const tut_guard_tensor *tensor_of(const tut_guard_route *route, tut_str name)
{
    for (size_t i = 0; i < route->tensor_count; i++)
        if (tut_str_eq(route->tensors[i].name, name))
            return &route->tensors[i];
    return NULL;
}

static void check_input(tut_guard_request *r, const tut_json_value *v, uint32_t at, bool *seen)
{
    input in = {.r = r};
    TUT_CLEAN(tut_buf) where = TUT_BUF_INIT;
    tut_buf_printf(&where, "inputs[%u]", at);
    tut_str_copy(in.where, sizeof(in.where), tut_buf_str(&where));
    tut_str name = tut_json_get_text(v, "name"), datatype = tut_json_get_text(v, "datatype");
    in.type = type_of(datatype);
    in.schema = tensor_of(r->route, name);
    if (!in.type) {
        wrong(&in, "a datatype that is not known");
        return;
    }
    if (r->route->tensor_count && !in.schema) {
        wrong(&in, "the policy lists no such tensor");
        return;
    }
    if (in.schema && !tut_str_eq(in.schema->datatype, datatype)) {
        wrong(&in, "the datatype is another than the policy states");
        return;
    }
    if (in.schema && seen[in.schema - r->route->tensors]) {
        wrong(&in, "the tensor is there twice");
        return;
    }
    if (in.schema)
        seen[in.schema - r->route->tensors] = true;
    if (in.schema && in.schema->feature_count && !fits_features(&in, tut_json_get(v, "shape"))) {
        wrong(&in, "the last axes of the shape do not hold the columns of the baseline");
        return;
    }
    check_data(&in, tut_json_get(v, "data"));
    check_shape(&in, tut_json_get(v, "shape"));
}

void tut_check_v2(tut_guard_request *r)
{
    const tut_json_value *inputs = tut_json_get(tut_json_root(r->doc), "inputs");
    size_t wanted = r->route->tensor_count;
    bool *seen = tut_arena_take(&r->arena, wanted + 1, sizeof(*seen));
    if (!seen || !inputs || inputs->type != TUT_JSON_ARRAY || inputs->count == 0) {
        tut_guard_refuse(&r->decision, 400, "tensors", TUT_LIT("inputs"), "no inputs");
        return;
    }
    for (uint32_t i = 0; i < inputs->count; i++)
        check_input(r, tut_json_item(inputs, i), i, seen);
    for (size_t i = 0; i < wanted; i++)
        if (!seen[i])
            tut_guard_refuse(&r->decision, 400, "tensors", TUT_LIT("inputs"),
                             "the tensor %.*s is missing", (int)r->route->tensors[i].name.len,
                             r->route->tensors[i].name.data);
}
