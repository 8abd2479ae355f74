#include "guard/schema.h"

#include <math.h>
#include <stdio.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"

enum {
    PAIRS_MOST = 1 << 20, /* of one answer */
    REFS = 16,            /* that lead to one another */
    PATTERN_MOST = 1000,  /* bytes of an expression */
    STEPS = 100000        /* that it may take over one text */
};

typedef struct pair {
    const tut_json_value *schema, *value;
} pair;

typedef struct checking {
    const tut_json_value *root;
    pair *pairs;
    size_t count, capacity, done;
    char *why;
    bool ran_out;
} checking;

static void wrong(checking *c, const tut_json_value *v, const char *what)
{
    char name[40];
    if (c->why[0])
        return;
    tut_str_copy(name, sizeof(name), v->key);
    for (char *p = name; *p; p++) /* it is shown to people */
        if ((uint8_t)*p < ' ' || (uint8_t)*p > '~')
            *p = '?';
    (void)snprintf(c->why, TUT_GUARD_SCHEMA_WHY, "%s%s%s%s", v->key.len ? "\"" : "",
                   v->key.len ? name : "", v->key.len ? "\": " : "", what);
}

static void push(checking *c, const tut_json_value *schema, const tut_json_value *value)
{
    if (!schema || !value || c->ran_out)
        return;
    if (c->count == PAIRS_MOST) {
        wrong(c, value, "more values than are checked");
        return;
    }
    if (!tut_is_ok(tut_grow(&c->pairs, c->count, &c->capacity, sizeof(*c->pairs)))) {
        c->ran_out = true;
        return;
    }
    c->pairs[c->count++] = (pair){schema, value};
}

static const tut_json_value *member(const tut_json_value *v, tut_str key)
{
    for (uint32_t i = 0; v && v->type == TUT_JSON_OBJECT && i < v->count; i++)
        if (tut_str_eq(v->as.items[i].key, key))
            return &v->as.items[i];
    return NULL;
}

/* "#/$defs/Name", "#". */
static const tut_json_value *follow(const tut_json_value *root, tut_str ref)
{
    const tut_json_value *at = root;
    if (ref.len == 0 || ref.data[0] != '#')
        return NULL;
    for (size_t i = 1; i < ref.len && at;) {
        size_t end = ++i;
        while (end < ref.len && ref.data[end] != '/')
            end++;
        at = member(at, (tut_str){ref.data + i, end - i});
        i = end;
    }
    return at;
}

static bool number_of(const tut_json_value *v, double *ret)
{
    if (!v)
        return false;
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

/* --- type --- */
static bool is_of_type(const tut_json_value *v, tut_str name)
{
    double n = 0;
    bool is_number = number_of(v, &n);
    if (tut_str_eq_z(name, "integer"))
        return is_number && n == floor(n);
    if (tut_str_eq_z(name, "number"))
        return is_number;
    static const struct {
        const char *name;
        tut_json_type type;
    } rows[] = {{"string", TUT_JSON_STRING},
                {"boolean", TUT_JSON_BOOL},
                {"null", TUT_JSON_NULL},
                {"array", TUT_JSON_ARRAY},
                {"object", TUT_JSON_OBJECT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (tut_str_eq_z(name, rows[i].name))
            return v->type == rows[i].type;
    return false;
}

static bool allows_type(const tut_json_value *type, const tut_json_value *v)
{
    if (type->type == TUT_JSON_STRING)
        return is_of_type(v, type->as.string);
    for (uint32_t i = 0; i < tut_json_count(type); i++)
        if (is_of_type(v, tut_json_text(tut_json_item(type, i))))
            return true;
    return false;
}

/* --- enum, const: values without structure, and empty ones --- */
static bool is_same(const tut_json_value *a, const tut_json_value *b)
{
    double x = 0, y = 0;
    if (number_of(a, &x) && number_of(b, &y))
        return x == y;
    if (a->type != b->type)
        return false;
    if (a->type == TUT_JSON_STRING)
        return tut_str_eq(a->as.string, b->as.string);
    if (a->type == TUT_JSON_BOOL)
        return a->as.boolean == b->as.boolean;
    return a->type == TUT_JSON_NULL || (a->count == 0 && b->count == 0);
}

static bool is_one_of(const tut_json_value *list, const tut_json_value *v)
{
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        if (is_same(tut_json_item(list, i), v))
            return true;
    return false;
}

/* --- limits --- */
static bool is_within(const tut_json_value *schema, const char *least, const char *most, double n)
{
    double limit;
    if (number_of(tut_json_get(schema, least), &limit) && n < limit)
        return false;
    return !number_of(tut_json_get(schema, most), &limit) || n <= limit;
}

static void check_number(checking *c, const tut_json_value *s, const tut_json_value *v)
{
    double n, limit;
    if (!number_of(v, &n))
        return;
    bool is_beyond = (number_of(tut_json_get(s, "exclusiveMinimum"), &limit) && n <= limit) ||
                     (number_of(tut_json_get(s, "exclusiveMaximum"), &limit) && n >= limit);
    if (is_beyond || !is_within(s, "minimum", "maximum", n))
        wrong(c, v, "out of its limits");
    if (number_of(tut_json_get(s, "multipleOf"), &limit) && limit > 0 &&
        fabs(n / limit - round(n / limit)) > 1e-9)
        wrong(c, v, "no multiple of what it has to be");
}

static pcre2_code *compile(tut_str pattern)
{
    int code;
    PCRE2_SIZE at;
    if (pattern.len > PATTERN_MOST)
        return NULL;
    return pcre2_compile((PCRE2_SPTR)pattern.data, pattern.len,
                         PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY, &code, &at,
                         NULL);
}

/* What takes too many steps is not of the pattern, as far as anybody can tell. */
static bool has_pattern(tut_str pattern, tut_str text)
{
    pcre2_code *code = compile(pattern);
    pcre2_match_data *data = code ? pcre2_match_data_create(1, NULL) : NULL;
    pcre2_match_context *limits = data ? pcre2_match_context_create(NULL) : NULL;
    int found = -1;
    if (limits) {
        (void)pcre2_set_match_limit(limits, STEPS);
        (void)pcre2_set_depth_limit(limits, 1000);
        (void)pcre2_set_heap_limit(limits, 1024);
        found = pcre2_match(code, (PCRE2_SPTR)text.data, text.len, 0, 0, data, limits);
    }
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return found >= 0;
}

static size_t characters(tut_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((uint8_t)s.data[i] & 0xc0) != 0x80;
    return n;
}

static void check_string(checking *c, const tut_json_value *s, const tut_json_value *v)
{
    const tut_json_value *pattern = tut_json_get(s, "pattern");
    if (v->type != TUT_JSON_STRING)
        return;
    if (!is_within(s, "minLength", "maxLength", (double)characters(v->as.string)))
        wrong(c, v, "of another length than it may have");
    if (pattern && !has_pattern(tut_json_text(pattern), v->as.string))
        wrong(c, v, "not of its pattern");
}

static void check_array(checking *c, const tut_json_value *s, const tut_json_value *v)
{
    const tut_json_value *items = tut_json_get(s, "items");
    const tut_json_value *first = tut_json_get(s, "prefixItems");
    if (v->type != TUT_JSON_ARRAY)
        return;
    if (!is_within(s, "minItems", "maxItems", v->count))
        wrong(c, v, "with another number of items than it may have");
    for (uint32_t i = 0; i < v->count; i++) {
        const tut_json_value *own = tut_json_item(first, i);
        push(c, own ? own : items, &v->as.items[i]);
    }
    for (uint32_t i = 1; tut_json_get_bool(s, "uniqueItems", false) && i < v->count && i < 1000;
         i++)
        for (uint32_t k = 0; k < i; k++)
            if (is_same(&v->as.items[i], &v->as.items[k]))
                wrong(c, v, "with an item twice");
}

static void check_object(checking *c, const tut_json_value *s, const tut_json_value *v)
{
    const tut_json_value *properties = tut_json_get(s, "properties");
    const tut_json_value *required = tut_json_get(s, "required");
    const tut_json_value *others = tut_json_get(s, "additionalProperties");
    if (v->type != TUT_JSON_OBJECT)
        return;
    for (uint32_t i = 0; i < tut_json_count(required); i++)
        if (!member(v, tut_json_text(tut_json_item(required, i))))
            wrong(c, v, "without what it has to hold");
    if (!is_within(s, "minProperties", "maxProperties", v->count))
        wrong(c, v, "with another number of members than it may have");
    for (uint32_t i = 0; i < v->count; i++) {
        const tut_json_value *item = &v->as.items[i], *own = member(properties, item->key);
        if (own)
            push(c, own, item);
        else if (others && others->type == TUT_JSON_BOOL && !others->as.boolean)
            wrong(c, item, "not a member of the schema");
        else if (others && others->type == TUT_JSON_OBJECT)
            push(c, others, item);
    }
}

/* --- one schema over one value --- */
/* [S, {"type": "null"}], in either order: S, or NULL where it is another list. */
static const tut_json_value *or_null(const tut_json_value *list)
{
    const tut_json_value *other = NULL;
    uint32_t nulls = 0;
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        const tut_json_value *s = tut_json_item(list, i);
        if (tut_str_eq_z(tut_json_get_text(s, "type"), "null"))
            nulls++;
        else
            other = s;
    }
    return tut_json_count(list) == 2 && nulls == 1 ? other : NULL;
}

static void check_one(checking *c, const tut_json_value *s, const tut_json_value *v)
{
    if (s->type == TUT_JSON_BOOL && !s->as.boolean)
        wrong(c, v, "not allowed here");
    if (s->type != TUT_JSON_OBJECT)
        return;
    const tut_json_value *type = tut_json_get(s, "type"), *list = tut_json_get(s, "enum");
    const tut_json_value *only = tut_json_get(s, "const"), *any = tut_json_get(s, "anyOf");
    if (type && !allows_type(type, v))
        wrong(c, v, "of another type");
    if (list && !is_one_of(list, v))
        wrong(c, v, "none of the values that it may have");
    if (only && !is_same(only, v))
        wrong(c, v, "not the value that it has to have");
    if (any && or_null(any) && v->type != TUT_JSON_NULL)
        push(c, or_null(any), v);
    check_number(c, s, v);
    check_string(c, s, v);
    check_array(c, s, v);
    check_object(c, s, v);
}

tut_status tut_guard_schema_check(const tut_json_value *schema, const tut_json_value *value,
                                  char why[TUT_GUARD_SCHEMA_WHY], tut_error *err)
{
    checking c = {.root = schema, .why = why};
    why[0] = '\0';
    push(&c, schema, value);
    for (; c.done < c.count && !why[0] && !c.ran_out; c.done++) {
        pair p = c.pairs[c.done];
        check_one(&c, p.schema, p.value);
        const tut_json_value *ref = tut_json_get(p.schema, "$ref");
        for (size_t i = 0; ref && i < REFS; i++) {
            const tut_json_value *to = follow(c.root, tut_json_text(ref));
            if (!to) {
                wrong(&c, p.value, "of a schema that refers to nothing");
                break;
            }
            check_one(&c, to, p.value);
            ref = tut_json_get(to, "$ref");
            if (ref && i + 1 == REFS)
                wrong(&c, p.value, "of a schema that refers to itself");
        }
    }
    tut_free(c.pairs);
    return c.ran_out ? tut_fail(err, TUT_NOMEM, "memory ran out") : TUT_SUCCESS;
}

/* --- what is understood --- */
static bool is_in(tut_str word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(word, list[i]))
            return true;
    return false;
}

static const char *const known[] = {
    "type", "properties", "required", "additionalProperties", "items", "prefixItems", "enum",
    "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
    "uniqueItems", "pattern", "$ref", "$defs", "definitions", "anyOf",
    /* they say nothing about the value */
    "title", "description", "default", "examples", "$schema", "$id", "$comment", "strict",
    "deprecated", "readOnly", "writeOnly", "nullable"};

static bool has_structure(const tut_json_value *list)
{
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        if (tut_json_count(tut_json_item(list, i)))
            return true;
    return false;
}

static void push_all(checking *c, const tut_json_value *map)
{
    for (uint32_t i = 0; i < tut_json_count(map); i++)
        push(c, tut_json_item(map, i), tut_json_item(map, i));
}

static void look(checking *c, const tut_json_value *s)
{
    for (uint32_t i = 0; s->type == TUT_JSON_OBJECT && i < s->count; i++) {
        const tut_json_value *m = &s->as.items[i];
        if (!is_in(m->key, known, sizeof(known) / sizeof(known[0])))
            wrong(c, m, "a keyword that is not checked");
        if (tut_str_eq_z(m->key, "pattern")) {
            pcre2_code *code = compile(tut_json_text(m));
            if (!code)
                wrong(c, m, "an expression that cannot be read");
            pcre2_code_free(code);
        }
        if (tut_str_eq_z(m->key, "anyOf") && !or_null(m))
            wrong(c, m, "checked of one schema and null only");
        if (tut_str_eq_z(m->key, "$ref") && !follow(c->root, tut_json_text(m)))
            wrong(c, m, "refers to nothing in the schema");
        if ((tut_str_eq_z(m->key, "enum") && has_structure(m)) ||
            (tut_str_eq_z(m->key, "const") && tut_json_count(m)))
            wrong(c, m, "checked of values without members only");
        if (tut_str_eq_z(m->key, "properties") || tut_str_eq_z(m->key, "$defs") ||
            tut_str_eq_z(m->key, "definitions") || tut_str_eq_z(m->key, "prefixItems") ||
            tut_str_eq_z(m->key, "anyOf"))
            push_all(c, m);
        if (tut_str_eq_z(m->key, "items") || tut_str_eq_z(m->key, "additionalProperties"))
            push(c, m, m);
    }
}

tut_status tut_guard_schema_understood(const tut_json_value *schema, char why[TUT_GUARD_SCHEMA_WHY],
                                       tut_error *err)
{
    checking c = {.root = schema, .why = why};
    why[0] = '\0';
    push(&c, schema, schema);
    for (; c.done < c.count && !why[0] && !c.ran_out; c.done++)
        look(&c, c.pairs[c.done].schema);
    tut_free(c.pairs);
    return c.ran_out ? tut_fail(err, TUT_NOMEM, "memory ran out") : TUT_SUCCESS;
}
