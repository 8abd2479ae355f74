/*
 *   schema  = list of elements, depth first; the first is the root
 *   element = 1 type, 2 bytes of FIXED, 3 repetition (0 required, 1 optional, 2 repeated), 4 name,
 *             5 children (of a group), 6 converted type, 7 scale, 8 precision, 10 logical type
 *
 * A list is a group (LIST) of one repeated child: a group of one element, which may be optional; in
 * old files the repeated child is the element itself. A map is a group (MAP) of a repeated group of
 * key and value. The names of what only makes up a list or map are left out of a leaf's name.
 */
#include "formats/parquet_internal.h"

typedef enum converted {
    CONVERTED_NONE = -1,
    CONVERTED_UTF8,
    CONVERTED_MAP,
    CONVERTED_MAP_KEY_VALUE,
    CONVERTED_LIST,
    CONVERTED_ENUM,
    CONVERTED_DECIMAL,
    CONVERTED_DATE,
    CONVERTED_TIME_MS,
    CONVERTED_TIME_US,
    CONVERTED_TIMESTAMP_MS,
    CONVERTED_TIMESTAMP_US,
    CONVERTED_U8,
    CONVERTED_U16,
    CONVERTED_U32,
    CONVERTED_U64,
    CONVERTED_I8,
    CONVERTED_I16,
    CONVERTED_I32,
    CONVERTED_I64,
    CONVERTED_JSON,
    CONVERTED_BSON,
    CONVERTED_INTERVAL
} converted;

/* As LogicalType numbers its kinds. */
enum {
    LOGICAL_STRING = 1,
    LOGICAL_MAP,
    LOGICAL_LIST,
    LOGICAL_ENUM,
    LOGICAL_DECIMAL,
    LOGICAL_DATE,
    LOGICAL_TIME,
    LOGICAL_TIMESTAMP,
    LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN,
    LOGICAL_JSON,
    LOGICAL_BSON,
    LOGICAL_UUID,
    LOGICAL_FLOAT16
};

enum { REQUIRED, OPTIONAL, REPEATED };

typedef struct element {
    int32_t type, width, repetition, children, converted, logical, scale;
    bool has_type;
    tut_str name;
    /* of the logical type */
    bool is_utc, is_signed;
    int32_t unit, bits;
} element;

/* What of a group's child is hidden in names. */
typedef enum hide { HIDE_NOTHING, HIDE_REPEATED, HIDE_MAP, HIDE_ELEMENT } hide;

typedef struct group {
    int32_t left; /* children */
    uint8_t def, rep, list_def;
    size_t path; /* length of the name so far */
    hide hide;
    tut_str name;
} group;

typedef struct builder {
    tut_parquet *p;
    group groups[TUT_PARQUET_DEPTH];
    size_t depth;
    tut_buf path;
    tut_error *err;
} builder;

static tut_status unit(tut_reader *r, uint8_t type, int32_t *ret)
{
    if (type != TUT_THRIFT_STRUCT)
        return (tut_status){TUT_MALFORMED};
    for (int32_t field = 0;;) {
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            return TUT_SUCCESS;
        *ret = field;
        TUT_TRY(tut_thrift_skip(r, type, false));
    }
}

/* What a logical type says more: DECIMAL{1 scale} TIME{1 UTC, 2 unit} INTEGER{1 bits, 2 sign}. */
static tut_status logical_details(tut_reader *r, element *e)
{
    bool is_time = e->logical == LOGICAL_TIME || e->logical == LOGICAL_TIMESTAMP;
    for (int32_t field = 0;;) {
        uint8_t type;
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            return TUT_SUCCESS;
        if (is_time && field == 1)
            TUT_TRY(tut_thrift_bool(type, &e->is_utc));
        else if (is_time && field == 2)
            TUT_TRY(unit(r, type, &e->unit));
        else if (e->logical == LOGICAL_INTEGER && field == 1)
            TUT_TRY(tut_thrift_i32(r, type, &e->bits));
        else if (e->logical == LOGICAL_INTEGER && field == 2)
            TUT_TRY(tut_thrift_bool(type, &e->is_signed));
        else if (e->logical == LOGICAL_DECIMAL && field == 1)
            TUT_TRY(tut_thrift_i32(r, type, &e->scale));
        else
            TUT_TRY(tut_thrift_skip(r, type, false));
    }
}

static tut_status logical(tut_reader *r, uint8_t type, element *e)
{
    if (type != TUT_THRIFT_STRUCT)
        return (tut_status){TUT_MALFORMED};
    for (int32_t field = 0;;) {
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            return TUT_SUCCESS;
        e->logical = field;
        if (type != TUT_THRIFT_STRUCT)
            return (tut_status){TUT_MALFORMED};
        TUT_TRY(logical_details(r, e));
    }
}

static tut_status element_field(tut_reader *r, int32_t field, uint8_t type, element *e)
{
    switch (field) {
    case 1:
        e->has_type = true;
        return tut_thrift_i32(r, type, &e->type);
    case 2:
        return tut_thrift_i32(r, type, &e->width);
    case 3:
        return tut_thrift_i32(r, type, &e->repetition);
    case 4:
        return tut_thrift_binary(r, type, &e->name);
    case 5:
        return tut_thrift_i32(r, type, &e->children);
    case 6:
        return tut_thrift_i32(r, type, &e->converted);
    case 7:
        return tut_thrift_i32(r, type, &e->scale);
    case 10:
        return logical(r, type, e);
    default:
        return tut_thrift_skip(r, type, false);
    }
}

static tut_status read_element(tut_reader *r, element *e)
{
    *e = (element){.converted = CONVERTED_NONE};
    for (int32_t field = 0;;) {
        uint8_t type;
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            return TUT_SUCCESS;
        TUT_TRY(element_field(r, field, type, e));
    }
}

/* --- what a leaf means --- */

static void mean_integer(tut_parquet_leaf *l, int32_t bits, bool is_signed)
{
    l->meaning = TUT_PARQUET_INTEGER;
    l->bits = (uint8_t)bits;
    l->is_signed = is_signed;
}

static void mean_time(tut_parquet_leaf *l, tut_parquet_meaning meaning, uint8_t digits, bool is_utc)
{
    l->meaning = meaning;
    l->digits = digits;
    l->is_utc = is_utc;
}

static void mean_converted(tut_parquet_leaf *l, const element *e)
{
    static const tut_parquet_meaning plain[] = {
        [CONVERTED_UTF8] = TUT_PARQUET_STRING,      [CONVERTED_ENUM] = TUT_PARQUET_ENUM,
        [CONVERTED_DECIMAL] = TUT_PARQUET_DECIMAL,  [CONVERTED_DATE] = TUT_PARQUET_DATE,
        [CONVERTED_JSON] = TUT_PARQUET_JSON,        [CONVERTED_BSON] = TUT_PARQUET_BSON,
        [CONVERTED_INTERVAL] = TUT_PARQUET_INTERVAL};
    const int32_t c = e->converted;
    if (c >= CONVERTED_U8 && c <= CONVERTED_U64)
        mean_integer(l, 8 << (c - CONVERTED_U8), false);
    else if (c >= CONVERTED_I8 && c <= CONVERTED_I64)
        mean_integer(l, 8 << (c - CONVERTED_I8), true);
    else if (c == CONVERTED_TIME_MS || c == CONVERTED_TIME_US)
        mean_time(l, TUT_PARQUET_TIME, c == CONVERTED_TIME_MS ? 3 : 6, true);
    else if (c == CONVERTED_TIMESTAMP_MS || c == CONVERTED_TIMESTAMP_US)
        mean_time(l, TUT_PARQUET_TIMESTAMP, c == CONVERTED_TIMESTAMP_MS ? 3 : 6, true);
    else if (c >= 0 && c <= CONVERTED_INTERVAL)
        l->meaning = plain[c];
}

static void mean_logical(tut_parquet_leaf *l, const element *e)
{
    static const tut_parquet_meaning plain[] = {
        [LOGICAL_STRING] = TUT_PARQUET_STRING,   [LOGICAL_ENUM] = TUT_PARQUET_ENUM,
        [LOGICAL_DECIMAL] = TUT_PARQUET_DECIMAL, [LOGICAL_DATE] = TUT_PARQUET_DATE,
        [LOGICAL_UNKNOWN] = TUT_PARQUET_NOTHING, [LOGICAL_JSON] = TUT_PARQUET_JSON,
        [LOGICAL_BSON] = TUT_PARQUET_BSON,       [LOGICAL_UUID] = TUT_PARQUET_UUID,
        [LOGICAL_FLOAT16] = TUT_PARQUET_FLOAT16};
    bool has_unit = e->unit >= 1 && e->unit <= 3;
    if (e->logical == LOGICAL_INTEGER)
        mean_integer(l, e->bits, e->is_signed);
    else if ((e->logical == LOGICAL_TIME || e->logical == LOGICAL_TIMESTAMP) && has_unit)
        mean_time(l, e->logical == LOGICAL_TIME ? TUT_PARQUET_TIME : TUT_PARQUET_TIMESTAMP,
                  (uint8_t)(3 * e->unit), e->is_utc);
    else
        l->meaning = e->logical <= LOGICAL_FLOAT16 ? plain[e->logical] : TUT_PARQUET_OTHER;
}

/* Whether the type can carry the meaning; else it is read as it is stored. */
static bool is_carried(const tut_parquet_leaf *l)
{
    bool is_int = l->type == TUT_PARQUET_INT32 || l->type == TUT_PARQUET_INT64;
    bool is_bytes = l->type == TUT_PARQUET_BYTE_ARRAY;
    bool is_wide = l->digits != 3; /* than 32 bits */
    switch (l->meaning) {
    case TUT_PARQUET_STRING:
    case TUT_PARQUET_ENUM:
    case TUT_PARQUET_JSON:
    case TUT_PARQUET_BSON:
        return is_bytes;
    case TUT_PARQUET_DATE:
        return l->type == TUT_PARQUET_INT32;
    case TUT_PARQUET_TIME:
        return l->type == (is_wide ? TUT_PARQUET_INT64 : TUT_PARQUET_INT32);
    case TUT_PARQUET_TIMESTAMP:
        return l->type == TUT_PARQUET_INT64 || l->type == TUT_PARQUET_INT96;
    case TUT_PARQUET_DECIMAL:
        return is_int || is_bytes || l->type == TUT_PARQUET_FIXED;
    case TUT_PARQUET_INTEGER:
        return (l->bits == 8 || l->bits == 16 || l->bits == 32)
                   ? l->type == TUT_PARQUET_INT32
                   : l->bits == 64 && l->type == TUT_PARQUET_INT64;
    case TUT_PARQUET_UUID:
        return l->type == TUT_PARQUET_FIXED && l->width == 16;
    case TUT_PARQUET_FLOAT16:
        return l->type == TUT_PARQUET_FIXED && l->width == 2;
    case TUT_PARQUET_INTERVAL:
        return l->type == TUT_PARQUET_FIXED && l->width == 12;
    case TUT_PARQUET_RAW:
    case TUT_PARQUET_NOTHING:
    case TUT_PARQUET_OTHER:
        break;
    }
    return true;
}

/* --- the tree --- */

static tut_status broken(const builder *b, const char *what)
{
    return tut_fail(b->err, TUT_MALFORMED, "the schema is broken: %s", what);
}

static tut_status add_leaf(builder *b, const element *e, const group *place)
{
    static const uint8_t widths[] = {0, 4, 8, 12, 4, 8, 0, 0};
    tut_parquet *p = b->p;
    if (e->type < 0 || e->type > TUT_PARQUET_FIXED)
        return broken(b, "a column of an unknown type");
    if (e->type == TUT_PARQUET_FIXED && e->width <= 0)
        return broken(b, "a column of values without a width");
    if (p->facts.leaf_count == TUT_PARQUET_LEAVES)
        return tut_fail(b->err, TUT_LIMIT, "more than %d columns", TUT_PARQUET_LEAVES);
    TUT_TRY(tut_buf_check(&b->path, b->err));
    TUT_TRY(tut_grow(&p->leaves, p->facts.leaf_count, &p->leaf_capacity, sizeof(*p->leaves)));
    const char *name = tut_arena_copy(&p->names, tut_buf_str(&b->path));
    if (!name)
        return tut_fail(b->err, TUT_LIMIT, "the names of the columns take too much memory");
    tut_parquet_leaf *l = &p->leaves[p->facts.leaf_count++];
    *l = (tut_parquet_leaf){.name = {name, b->path.len},
                            .type = (tut_parquet_type)e->type,
                            .width = e->type == TUT_PARQUET_FIXED ? (uint32_t)e->width
                                                                  : widths[e->type],
                            .max_def = place->def,
                            .max_rep = place->rep,
                            .scale = e->scale,
                            .list_def = place->list_def};
    if (e->logical > 0)
        mean_logical(l, e);
    else
        mean_converted(l, e);
    if (l->type == TUT_PARQUET_INT96)
        mean_time(l, TUT_PARQUET_TIMESTAMP, 9, false); /* nothing else was ever stored so */
    if (!is_carried(l))
        l->meaning = TUT_PARQUET_RAW;
    return TUT_SUCCESS;
}

/* In old lists the repeated child is the element itself when it has several fields, or one of two
 * names. */
static bool is_old_element(const element *e, tut_str list)
{
    size_t n = e->name.len;
    bool is_tuple = n == list.len + 6 && tut_str_starts(e->name, list) &&
                    tut_str_ends(e->name, TUT_LIT("_tuple"));
    return e->children > 1 || tut_str_eq_z(e->name, "array") || is_tuple;
}

static bool is_hidden(const group *g, const element *e)
{
    return g->hide == HIDE_ELEMENT ||
           ((g->hide == HIDE_REPEATED || g->hide == HIDE_MAP) && e->repetition == REPEATED);
}

static void put_name(builder *b, const element *e)
{
    if (is_hidden(&b->groups[b->depth - 1], e))
        return;
    if (b->path.len > 0)
        tut_buf_add_byte(&b->path, '.');
    tut_buf_add_str(&b->path, e->name);
}

static hide hides(const builder *b, const element *e)
{
    const group *above = &b->groups[b->depth - 1];
    if (e->logical == LOGICAL_LIST || (e->logical == 0 && e->converted == CONVERTED_LIST))
        return HIDE_REPEATED;
    if (e->logical == LOGICAL_MAP || (e->logical == 0 && (e->converted == CONVERTED_MAP ||
                                                          e->converted == CONVERTED_MAP_KEY_VALUE)))
        return e->repetition == REPEATED ? HIDE_NOTHING : HIDE_MAP;
    if (above->hide == HIDE_REPEATED && e->repetition == REPEATED &&
        !is_old_element(e, above->name))
        return HIDE_ELEMENT;
    return HIDE_NOTHING;
}

static tut_status add_child(builder *b, const element *e)
{
    group *above = &b->groups[b->depth - 1];
    if (e->repetition < REQUIRED || e->repetition > REPEATED)
        return broken(b, "a field that is neither required, optional nor repeated");
    above->left--;
    b->path.len = above->path;
    put_name(b, e);
    group place = {.left = e->children,
                   .def = (uint8_t)(above->def + (e->repetition != REQUIRED)),
                   .rep = (uint8_t)(above->rep + (e->repetition == REPEATED)),
                   .list_def = above->list_def,
                   .path = b->path.len,
                   .name = e->name};
    if (e->repetition == REPEATED)
        place.list_def = place.def;
    if (e->has_type && e->children == 0)
        return add_leaf(b, e, &place);
    if (e->children <= 0)
        return broken(b, "a group of nothing");
    if (b->depth == TUT_PARQUET_DEPTH)
        return tut_fail(b->err, TUT_LIMIT, "a schema of more than %d levels", TUT_PARQUET_DEPTH);
    place.hide = hides(b, e);
    b->groups[b->depth++] = place;
    return TUT_SUCCESS;
}

static tut_status build(builder *b, tut_reader *r, uint64_t count)
{
    element root, e;
    if (count == 0 || !tut_is_ok(read_element(r, &root)) || root.children < 0)
        return broken(b, "there is no root");
    b->groups[0] = (group){.left = root.children};
    b->depth = 1;
    for (uint64_t i = 1; i < count; i++) {
        while (b->depth > 0 && b->groups[b->depth - 1].left == 0)
            b->depth--;
        if (b->depth == 0)
            return broken(b, "more fields than the groups have");
        if (!tut_is_ok(read_element(r, &e)))
            return broken(b, "a field cannot be read");
        TUT_TRY(add_child(b, &e));
    }
    for (; b->depth > 0; b->depth--) {
        if (b->groups[b->depth - 1].left > 0)
            return broken(b, "fewer fields than the groups have");
    }
    return TUT_SUCCESS;
}

tut_status parquet_schema(tut_parquet *p, tut_reader *r, uint8_t type, tut_error *err)
{
    uint8_t item;
    uint64_t count;
    builder b = {.p = p, .err = err};
    tut_buf_init(&b.path, PARQUET_NAMES_MAX);
    if (!tut_is_ok(tut_thrift_list(r, type, &item, &count)) || item != TUT_THRIFT_STRUCT)
        return broken(&b, "it is no list");
    tut_status s = build(&b, r, count);
    tut_buf_done(&b.path);
    return s;
}
