/* A schema out of a profile. */
#include "data/schema.h"

#include <math.h>
#include <stdlib.h>

#include "data/schema_internal.h"

enum { SHAPED_LEAST = 5 * TUT_DATA_SCHEMA_ROWS_LEAST }; /* texts, before shapes are inferred */

void tut_data_schema_free(tut_data_schema *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++) {
        tut_data_schema_column *c = &s->columns[i];
        for (size_t k = 0; k < c->value_count; k++)
            tut_free(c->values[k].text);
        tut_free(c->values);
        tut_free(c->name);
    }
    tut_free(s->columns);
    tut_free(s);
}

tut_status schema_column_new(tut_data_schema *s, tut_str name, tut_data_schema_column **ret,
                             tut_error *err)
{
    if (s->count == TUT_ROWS_COLUMNS)
        return tut_fail(err, TUT_LIMIT, "more than %d columns", TUT_ROWS_COLUMNS);
    char *copy = tut_strndup(name.data, name.len);
    if (!copy || !tut_is_ok(tut_grow(&s->columns, s->count, &s->capacity, sizeof(*s->columns)))) {
        tut_free(copy);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    *ret = &s->columns[s->count++];
    **ret = (tut_data_schema_column){
        .name = copy, .name_len = name.len, .least = NAN, .most = NAN, .null_share_most = 1};
    return TUT_SUCCESS;
}

tut_status schema_values_reserve(tut_data_schema_column *c, size_t count, tut_error *err)
{
    c->values = tut_alloc_array(count ? count : 1, sizeof(*c->values));
    return c->values ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const tut_data_schema_value *)a)->hash;
    uint64_t y = ((const tut_data_schema_value *)b)->hash;
    return (x > y) - (x < y);
}

void schema_values_sort(tut_data_schema_column *c)
{
    qsort(c->values, c->value_count, sizeof(*c->values), by_hash);
}

/* --- inference --- */

static void infer_kinds(tut_data_schema_column *to, const tut_profile_column *c,
                        uint64_t *ret_filled)
{
    *ret_filled = 0;
    for (unsigned k = TUT_CELL_NONE + 1; k < TUT_PROFILE_KINDS; k++) {
        to->kinds |= (uint8_t)((c->kinds[k] > 0) << k);
        *ret_filled += c->kinds[k];
    }
    if (c->kinds[TUT_CELL_NUMBER]) /* that one of them is whole says nothing */
        to->kinds |= 1u << TUT_CELL_INTEGER;
}

static void infer_range(tut_data_schema_column *to, const tut_profile_column *c)
{
    const tut_profile_numbers *n = &c->numbers;
    bool are_truths = c->kinds[TUT_CELL_NUMBER] + c->kinds[TUT_CELL_INTEGER] == 0;
    double slack = (n->most - n->least) * TUT_DATA_SCHEMA_SLACK;
    if (n->count < TUT_DATA_SCHEMA_ROWS_LEAST || are_truths || c->is_increasing || n->infinite ||
        !isfinite(slack))
        return;
    to->least = n->least >= 0 && n->least - slack < 0 ? 0 : n->least - slack;
    to->most = n->most <= 0 && n->most + slack > 0 ? 0 : n->most + slack;
}

static tut_status infer_set(tut_data_schema_column *to, const tut_profile_column *c,
                            uint64_t filled, tut_error *err)
{
    const tut_heavy *h = &c->values;
    bool has_numbers = c->kinds[TUT_CELL_NUMBER] > 0 || c->numbers.infinite + c->numbers.nans > 0;
    uint64_t each = c->texts.count ? 10 : 50; /* a count of something may well go on */
    uint32_t most = c->texts.count ? TUT_DATA_SCHEMA_VALUES : 16;
    if (!c->has_values || c->distinct || has_numbers || c->kinds[TUT_CELL_NESTED] ||
        h->used > most || h->used < 2 || filled < each * h->used ||
        filled < TUT_DATA_SCHEMA_ROWS_LEAST)
        return TUT_SUCCESS;
    for (uint32_t i = 0; i < h->slots; i++)
        if (h->items[i].count && h->items[i].len > TUT_HEAVY_TEXT)
            return TUT_SUCCESS;
    TUT_TRY(schema_values_reserve(to, h->used, err));
    for (uint32_t i = 0; i < h->slots; i++) {
        const tut_heavy_item *item = &h->items[i];
        if (!item->count)
            continue;
        tut_data_schema_value *v = &to->values[to->value_count++];
        *v = (tut_data_schema_value){.hash = item->hash, .number = item->number};
        tut_str text = tut_heavy_text(h, item);
        if (isnan(item->number) && !(v->text = tut_strndup(text.data, text.len)))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    schema_values_sort(to);
    return TUT_SUCCESS;
}

static void infer_shapes(tut_data_schema_column *to, const tut_profile_column *c)
{
    bool are_many = c->shape_count > TUT_DATA_SCHEMA_SHAPES || c->shape_count == 0 || c->shapeless;
    if (are_many || to->value_count || c->texts.count < SHAPED_LEAST)
        return;
    for (size_t i = 0; i < c->shape_count; i++)
        memcpy(to->shapes[i], c->shapes[i].text, TUT_PROFILE_SHAPE);
    to->shape_count = c->shape_count;
}

static void infer_nulls(tut_data_schema_column *to, const tut_profile_column *c, uint64_t rows)
{
    if (rows < TUT_DATA_SCHEMA_ROWS_LEAST)
        return;
    double share = tut_profile_null_share(c);
    double most = share + TUT_DATA_SCHEMA_NULL_SLACK + 3 * sqrt(share * (1 - share) / (double)rows);
    to->null_share_most = share <= 0 ? 0 : most < 1 ? most : 1;
}

static void infer_unique(tut_data_schema_column *to, const tut_profile_column *c, uint64_t filled)
{
    bool are_counted = c->has_values && !c->distinct && c->values.taken == 0;
    bool is_other = c->numbers.nans + c->numbers.infinite > 0;
    if (filled < TUT_DATA_SCHEMA_ROWS_LEAST || is_other)
        return;
    /* Measured numbers differ by chance; identifiers are whole numbers or texts. */
    bool is_name = c->kinds[TUT_CELL_NUMBER] == 0;
    to->is_unique = is_name && (c->is_increasing || (are_counted && c->values.used == filled));
}

static tut_status infer(const tut_profile *p, tut_data_schema *s, tut_error *err)
{
    uint64_t rows = tut_profile_rows(p);
    s->rows_least = rows / 2;
    s->rows_most = rows > UINT64_MAX / 2 ? UINT64_MAX : 2 * rows;
    for (size_t i = 0; i < tut_profile_columns(p); i++) {
        const tut_profile_column *c = tut_profile_column_at(p, i);
        tut_data_schema_column *to;
        uint64_t filled;
        TUT_TRY(schema_column_new(s, c->name, &to, err));
        infer_kinds(to, c, &filled);
        infer_range(to, c);
        TUT_TRY(infer_set(to, c, filled, err));
        infer_shapes(to, c);
        infer_nulls(to, c, rows);
        infer_unique(to, c, filled);
    }
    return TUT_SUCCESS;
}

tut_status tut_data_schema_infer(const tut_profile *p, tut_data_schema **ret_schema, tut_error *err)
{
    TUT_AUTO(tut_data_schema) s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(infer(p, s, err));
    *ret_schema = tut_move(&s);
    return TUT_SUCCESS;
}
