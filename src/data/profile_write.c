/* A profile as JSON. */
#include <stdio.h>

#include "data/profile_internal.h"

/* A register of HyperLogLog is below 64: a character of base64 each. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const char *const kind_names[TUT_PROFILE_KINDS] = {
    [TUT_CELL_NONE] = "none", [TUT_CELL_NUMBER] = "number", [TUT_CELL_INTEGER] = "integer",
    [TUT_CELL_BOOL] = "bool", [TUT_CELL_TEXT] = "text",     [TUT_CELL_NESTED] = "nested",
};

const char *tut_profile_kind_name(tut_cell_kind kind)
{
    return kind_names[kind];
}

static void put_sketch(tut_json *j, const char *key, const tut_quantiles *q)
{
    if (q->count == 0)
        return;
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_u64(j, "k", q->k);
    tut_json_put_u64(j, "count", q->count);
    tut_json_key(j, "levels");
    tut_json_array(j);
    for (unsigned i = 0; i <= q->top; i++) {
        tut_json_array(j);
        for (uint32_t k = 0; k < q->levels[i].size; k++)
            tut_json_real(j, q->levels[i].items[k]);
        tut_json_end_array(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_numbers(tut_json *j, const tut_profile_numbers *n)
{
    if (n->count + n->nans + n->infinite == 0)
        return;
    tut_json_key(j, "numbers");
    tut_json_object(j);
    tut_json_put_u64(j, "count", n->count);
    tut_json_put_u64(j, "nans", n->nans);
    tut_json_put_u64(j, "infinite", n->infinite);
    tut_json_put_u64(j, "zeros", n->zeros);
    tut_json_put_u64(j, "negative", n->negative);
    tut_json_put_real(j, "least", n->least);
    tut_json_put_real(j, "most", n->most);
    tut_json_put_real(j, "mean", n->mean);
    tut_json_put_real(j, "m2", n->m2);
    put_sketch(j, "sketch", &n->sketch);
    tut_json_end_object(j);
}

static void put_texts(tut_json *j, const tut_profile_texts *t)
{
    if (t->count == 0)
        return;
    tut_json_key(j, "texts");
    tut_json_object(j);
    tut_json_put_u64(j, "count", t->count);
    tut_json_put_u64(j, "empty", t->empty);
    tut_json_put_u64(j, "bytes", t->bytes);
    tut_json_put_u64(j, "least", t->least);
    tut_json_put_u64(j, "most", t->most);
    put_sketch(j, "lengths", &t->lengths);
    tut_json_end_object(j);
}

static void put_value(tut_json *j, const tut_heavy *h, const tut_heavy_item *item)
{
    char hash[17];
    tut_json_object(j);
    tut_json_put_u64(j, "count", item->count);
    if (item->number == item->number) {
        tut_json_put_real(j, "number", item->number);
    } else {
        (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)item->hash);
        tut_json_put_str(j, "text", tut_heavy_text(h, item));
        tut_json_put_z(j, "hash", hash);
        if (item->mark < TUT_PROFILE_SHAPES)
            tut_json_put_u64(j, "shape", item->mark);
        if (item->len > TUT_HEAVY_TEXT)
            tut_json_put_bool(j, "cut", true);
    }
    tut_json_end_object(j);
}

static void put_values(tut_json *j, const tut_profile_column *c)
{
    const tut_heavy_item *items[TUT_HEAVY_COUNTERS + 1];
    size_t count = tut_heavy_top(&c->values, items, TUT_HEAVY_COUNTERS + 1);
    tut_json_key(j, "values");
    tut_json_object(j);
    tut_json_put_u64(j, "taken", c->values.taken);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        put_value(j, &c->values, items[i]);
    tut_json_end_array(j);
    if (c->distinct) {
        char text[TUT_DISTINCT_REGISTERS];
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = alphabet[c->distinct->registers[i] & 63];
        tut_json_put_str(j, "distinct", (tut_str){text, sizeof(text)});
    }
    tut_json_end_object(j);
}

static void put_shapes(tut_json *j, const tut_profile_column *c)
{
    tut_json_key(j, "shapes");
    tut_json_array(j);
    for (size_t i = 0; i < c->shape_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "shape", c->shapes[i].text);
        tut_json_put_u64(j, "count", c->shapes[i].count);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_put_u64(j, "shapeless", c->shapeless);
}

static void put_column(tut_json *j, const tut_profile_column *c)
{
    tut_json_object(j);
    tut_json_put_str(j, "name", c->name);
    tut_json_key(j, "kinds");
    tut_json_object(j);
    for (size_t i = 0; i < TUT_PROFILE_KINDS; i++)
        tut_json_put_u64(j, kind_names[i], c->kinds[i]);
    tut_json_end_object(j);
    put_numbers(j, &c->numbers);
    put_texts(j, &c->texts);
    if (c->has_values)
        put_values(j, c);
    if (c->texts.count)
        put_shapes(j, c);
    if (c->is_increasing && c->numbers.count) {
        tut_json_key(j, "increasing");
        tut_json_object(j);
        tut_json_put_real(j, "first", c->first);
        tut_json_put_real(j, "last", c->last);
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
}

void tut_profile_write_json(const tut_profile *p, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_u64(j, "rows", p->rows);
    if (p->is_lean)
        tut_json_put_bool(j, "lean", true);
    tut_json_key(j, "columns");
    tut_json_array(j);
    for (size_t i = 0; i < p->count; i++)
        put_column(j, p->columns[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}
