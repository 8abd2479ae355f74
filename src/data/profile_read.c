/* A profile out of JSON: nothing in it is believed that does not fit together. */
#include <math.h>

#include "base/json.h"
#include "data/profile_internal.h"

enum { LEVEL_MOST = 4096, K_MOST = 4096, TEXT_MOST = 3 * TUT_HEAVY_TEXT };

static tut_status bad(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "the profile is damaged: %s", what);
}

static bool count_of(const tut_json_value *v, const char *key, uint64_t *ret)
{
    v = tut_json_get(v, key);
    *ret = 0;
    if (!v)
        return true; /* left out: none */
    if (v->type == TUT_JSON_INT && v->as.integer >= 0)
        *ret = (uint64_t)v->as.integer;
    else if (v->type == TUT_JSON_UINT)
        *ret = v->as.uinteger;
    else
        return false;
    return *ret <= UINT64_MAX >> 8; /* so that sums of them cannot run over */
}

static double get_real(const tut_json_value *v, const char *key)
{
    return tut_json_real_of(tut_json_get(v, key));
}

/* --- sketches --- */

static tut_status read_level(tut_quantiles *q, const tut_json_value *level, unsigned at,
                             uint64_t *total, tut_error *err)
{
    uint32_t count = tut_json_count(level);
    tut_quantile_level *l = &q->levels[at];
    if (level->type != TUT_JSON_ARRAY || count > LEVEL_MOST)
        return bad(err, "a level of a sketch");
    if (count == 0)
        return TUT_SUCCESS;
    l->items = tut_alloc_array(count, sizeof(*l->items));
    if (!l->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    l->size = l->capacity = count;
    q->top = at;
    for (uint32_t i = 0; i < count; i++) {
        l->items[i] = tut_json_real_of(tut_json_item(level, i));
        if (!isfinite(l->items[i]))
            return bad(err, "an item of a sketch");
    }
    *total += (uint64_t)count << at; /* at most 2^12 * 2^46 each */
    return TUT_SUCCESS;
}

static tut_status read_sketch(const tut_json_value *v, tut_quantiles *q, uint64_t count,
                              tut_error *err)
{
    uint64_t k = q->k;
    uint64_t total = 0;
    uint64_t said = 0;
    const tut_json_value *levels = tut_json_get(v, "levels");
    if (v && (!count_of(v, "k", &k) || k < TUT_QUANTILE_K_LEAN || k > K_MOST))
        return bad(err, "the size of a sketch");
    q->k = (unsigned)k;
    if (tut_json_count(levels) > TUT_QUANTILE_LEVELS - 1)
        return bad(err, "the levels of a sketch");
    for (uint32_t i = 0; i < tut_json_count(levels); i++)
        TUT_TRY(read_level(q, tut_json_item(levels, i), i, &total, err));
    if (!count_of(v, "count", &said) || total != count || said != count)
        return bad(err, "the count of a sketch");
    q->count = count;
    return TUT_SUCCESS;
}

/* --- parts of a column --- */

static tut_status read_kinds(const tut_json_value *v, tut_profile_column *c, uint64_t rows,
                             tut_error *err)
{
    uint64_t total = 0;
    const tut_json_value *kinds = tut_json_get(v, "kinds");
    for (size_t i = 0; i < TUT_PROFILE_KINDS; i++) {
        if (!count_of(kinds, tut_profile_kind_name((tut_cell_kind)i), &c->kinds[i]))
            return bad(err, "a count of cells");
        total += c->kinds[i];
    }
    return total == rows ? TUT_SUCCESS : bad(err, "the cells are not as many as the rows");
}

static tut_status read_numbers(const tut_json_value *v, tut_profile_column *c, tut_error *err)
{
    tut_profile_numbers *n = &c->numbers;
    uint64_t cells = c->kinds[TUT_CELL_NUMBER] + c->kinds[TUT_CELL_INTEGER] +
                     c->kinds[TUT_CELL_BOOL];
    v = tut_json_get(v, "numbers");
    if (!count_of(v, "count", &n->count) || !count_of(v, "nans", &n->nans) ||
        !count_of(v, "infinite", &n->infinite) || !count_of(v, "zeros", &n->zeros) ||
        !count_of(v, "negative", &n->negative))
        return bad(err, "a count of numbers");
    if (n->count + n->nans + n->infinite != cells || n->zeros + n->negative > n->count)
        return bad(err, "the counts of numbers");
    if (n->count) {
        n->least = get_real(v, "least");
        n->most = get_real(v, "most");
        n->mean = get_real(v, "mean");
        n->m2 = get_real(v, "m2");
        /* Sums of huge numbers run over, and are null then. */
        if (!isfinite(n->least) || !isfinite(n->most) || n->least > n->most || n->m2 < 0)
            return bad(err, "a range of numbers");
    }
    return read_sketch(tut_json_get(v, "sketch"), &n->sketch, n->count, err);
}

static tut_status read_texts(const tut_json_value *v, tut_profile_column *c, tut_error *err)
{
    tut_profile_texts *t = &c->texts;
    v = tut_json_get(v, "texts");
    if (!count_of(v, "count", &t->count) || !count_of(v, "empty", &t->empty) ||
        !count_of(v, "bytes", &t->bytes) || !count_of(v, "least", &t->least) ||
        !count_of(v, "most", &t->most))
        return bad(err, "a count of texts");
    if (t->count > c->kinds[TUT_CELL_TEXT] + c->kinds[TUT_CELL_NESTED] || t->empty > t->count ||
        t->least > t->most)
        return bad(err, "the counts of texts");
    return read_sketch(tut_json_get(v, "lengths"), &t->lengths, t->count, err);
}

static bool read_hash(tut_str text, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < text.len; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;
        if (!digit)
            return false;
        *ret = *ret << 4 | (uint64_t)(digit - digits);
    }
    return text.len == 16;
}

static tut_status read_value(const tut_json_value *v, tut_profile_column *c, tut_error *err)
{
    uint64_t count;
    uint64_t mark = TUT_PROFILE_SHAPES;
    tut_heavy_item *item;
    double number = get_real(v, "number");
    const tut_json_value *text = tut_json_get(v, "text");
    bool is_cut = tut_json_get_bool(v, "cut", false);
    if (!count_of(v, "count", &count) || count == 0)
        return bad(err, "a count of a value");
    if (!text) {
        if (!isfinite(number))
            return bad(err, "a value that is nothing");
        return tut_heavy_add(&c->values, tut_profile_hash_number(number), count, number,
                             (tut_str){NULL, 0}, false, &item, err);
    }
    uint64_t hash = 0;
    tut_str s = tut_json_text(text);
    bool has_hash = read_hash(tut_json_get_text(v, "hash"), &hash);
    if (text->type != TUT_JSON_STRING || s.len > TEXT_MOST || (is_cut && !has_hash))
        return bad(err, "a value's text");
    if (!has_hash)
        hash = tut_profile_hash_text(s);
    if (tut_json_get(v, "shape") && (!count_of(v, "shape", &mark) || mark >= c->shape_count))
        return bad(err, "a value's shape");
    TUT_TRY(tut_heavy_add(&c->values, hash, count, NAN, s, false, &item, err));
    if (!item)
        return bad(err, "too many values");
    item->mark = (uint8_t)mark;
    if (is_cut)
        item->len = TUT_HEAVY_TEXT + 1;
    return TUT_SUCCESS;
}

static tut_status read_distinct(tut_str text, tut_profile_column *c, tut_error *err)
{
    if (text.len != TUT_DISTINCT_REGISTERS)
        return bad(err, "the sketch of different values");
    c->distinct = tut_alloc_array(1, sizeof(*c->distinct));
    if (!c->distinct)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < text.len; i++) {
        int digit = tut_base64_digit(text.data[i]);
        if (digit < 0 || digit > 64 - TUT_DISTINCT_BITS + 1)
            return bad(err, "the sketch of different values");
        c->distinct->registers[i] = (uint8_t)digit;
    }
    return TUT_SUCCESS;
}

static tut_status read_values(const tut_json_value *v, tut_profile_column *c, tut_error *err)
{
    v = tut_json_get(v, "values");
    c->has_values = v != NULL;
    const tut_json_value *items = tut_json_get(v, "items");
    const tut_json_value *distinct = tut_json_get(v, "distinct");
    uint64_t taken;
    if (!count_of(v, "taken", &taken) || tut_json_count(items) > TUT_HEAVY_COUNTERS + 1)
        return bad(err, "the values");
    for (uint32_t i = 0; i < tut_json_count(items); i++)
        TUT_TRY(read_value(tut_json_item(items, i), c, err));
    c->values.taken = taken;
    return distinct ? read_distinct(tut_json_text(distinct), c, err) : TUT_SUCCESS;
}

static tut_status read_shapes(const tut_json_value *v, tut_profile_column *c, tut_error *err)
{
    const tut_json_value *shapes = tut_json_get(v, "shapes");
    uint64_t total;
    if (!count_of(v, "shapeless", &c->shapeless) || tut_json_count(shapes) > TUT_PROFILE_SHAPES)
        return bad(err, "the shapes");
    total = c->shapeless;
    for (uint32_t i = 0; i < tut_json_count(shapes); i++) {
        tut_profile_shape *to = &c->shapes[c->shape_count++];
        tut_str text = tut_json_get_text(tut_json_item(shapes, i), "shape");
        if (text.len >= sizeof(to->text) || memchr(text.data, '\0', text.len) ||
            !count_of(tut_json_item(shapes, i), "count", &to->count))
            return bad(err, "a shape");
        tut_str_copy(to->text, sizeof(to->text), text);
        total += to->count;
    }
    return total == c->texts.count ? TUT_SUCCESS : bad(err, "the counts of shapes");
}

static tut_status read_column(tut_profile *p, const tut_json_value *v, tut_error *err)
{
    tut_profile_column *c;
    const tut_json_value *name = tut_json_get(v, "name");
    const tut_json_value *increasing = tut_json_get(v, "increasing");
    if (!name || name->type != TUT_JSON_STRING || tut_profile_find(p, tut_json_text(name)))
        return bad(err, "a column's name");
    TUT_TRY(profile_column_new(p, tut_json_text(name), &c, err));
    TUT_TRY(read_kinds(v, c, p->rows, err));
    TUT_TRY(read_numbers(v, c, err));
    TUT_TRY(read_texts(v, c, err));
    TUT_TRY(read_shapes(v, c, err));
    TUT_TRY(read_values(v, c, err));
    c->is_increasing = increasing || p->rows == 0;
    if (!increasing)
        return TUT_SUCCESS;
    c->first = get_real(increasing, "first");
    c->last = get_real(increasing, "last");
    bool is_right = c->numbers.count == p->rows && c->first <= c->last;
    return is_right ? TUT_SUCCESS : bad(err, "the order of numbers");
}

static tut_status read_profile(tut_profile *p, const tut_json_value *v, tut_error *err)
{
    const tut_json_value *columns = tut_json_get(v, "columns");
    if (!v || v->type != TUT_JSON_OBJECT || !columns || columns->type != TUT_JSON_ARRAY)
        return bad(err, "there are no columns");
    if (!count_of(v, "rows", &p->rows))
        return bad(err, "the count of rows");
    p->is_lean = tut_json_get_bool(v, "lean", false);
    for (uint32_t i = 0; i < tut_json_count(columns); i++)
        TUT_TRY(read_column(p, tut_json_item(columns, i), err));
    return TUT_SUCCESS;
}

tut_status tut_profile_read_json(const tut_json_value *v, tut_profile **ret_profile, tut_error *err)
{
    TUT_AUTO(tut_profile) p = NULL;
    TUT_TRY(tut_profile_new(&p, err));
    TUT_TRY(read_profile(p, v, err));
    *ret_profile = tut_move(&p);
    return TUT_SUCCESS;
}
