#include "data/vet_profile.h"

#include <math.h>

#include "data/profile_internal.h"

enum { BINS = 20, VALUES = 20, VALUE_BYTES = 64, SHAPES = 8, LEAST_COUNT = 5 };

/* The kind that most cells have, of those that hold something; whole numbers are numbers too. */
static const char *type_of(const tut_profile_column *c)
{
    uint64_t numbers = c->kinds[TUT_CELL_NUMBER] + c->kinds[TUT_CELL_INTEGER];
    uint64_t best = numbers;
    const char *name = !numbers ? "empty" : c->kinds[TUT_CELL_NUMBER] ? "number" : "integer";
    for (unsigned k = 0; k < TUT_PROFILE_KINDS; k++) {
        if (k == TUT_CELL_NONE || k == TUT_CELL_NUMBER || k == TUT_CELL_INTEGER ||
            c->kinds[k] <= best)
            continue;
        best = c->kinds[k];
        name = tut_profile_kind_name((tut_cell_kind)k);
    }
    return name;
}

static tut_status put_quantiles(tut_json *j, const tut_quantiles *q, tut_error *err)
{
    static const struct {
        const char *name;
        double p;
    } at[] = {{"p1", 0.01},  {"p5", 0.05},  {"p25", 0.25}, {"p50", 0.5},
              {"p75", 0.75}, {"p95", 0.95}, {"p99", 0.99}};
    tut_quantile_view view = {0};
    TUT_TRY(tut_quantiles_view(q, &view, err));
    tut_json_key(j, "quantiles");
    tut_json_object(j);
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        tut_json_put_real(j, at[i].name, tut_quantile_at(&view, at[i].p));
    tut_json_end_object(j);
    tut_quantile_view_done(&view);
    return TUT_SUCCESS;
}

static tut_status put_histogram(tut_json *j, const tut_profile_column *c, tut_error *err)
{
    double shares[BINS], low, high;
    TUT_TRY(tut_profile_histogram(c, BINS, shares, &low, &high, err));
    tut_json_key(j, "histogram");
    tut_json_object(j);
    tut_json_put_real(j, "low", low);
    tut_json_put_real(j, "high", high);
    tut_json_key(j, "shares");
    tut_json_array(j);
    for (int i = 0; i < BINS; i++)
        tut_json_real(j, shares[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return TUT_SUCCESS;
}

static tut_status put_numbers(tut_json *j, const tut_profile_column *c, tut_error *err)
{
    const tut_profile_numbers *n = &c->numbers;
    if (n->count + n->nans + n->infinite == 0)
        return TUT_SUCCESS;
    tut_json_put_real(j, "min", n->least);
    tut_json_put_real(j, "max", n->most);
    tut_json_put_real(j, "mean", n->count ? n->mean : NAN);
    tut_json_put_real(j, "deviation", tut_profile_deviation(c));
    tut_json_put_u64(j, "zeros", n->zeros);
    tut_json_put_u64(j, "negative", n->negative);
    tut_json_put_u64(j, "nan", n->nans);
    tut_json_put_u64(j, "infinite", n->infinite);
    if (n->count == 0)
        return TUT_SUCCESS;
    TUT_TRY(put_quantiles(j, &n->sketch, err));
    return put_histogram(j, c, err);
}

static void put_texts(tut_json *j, const tut_profile_column *c)
{
    const tut_profile_texts *t = &c->texts;
    if (t->count == 0)
        return;
    tut_json_key(j, "lengths");
    tut_json_object(j);
    tut_json_put_u64(j, "min", t->least);
    tut_json_put_u64(j, "max", t->most);
    tut_json_put_real(j, "mean", (double)t->bytes / (double)t->count);
    tut_json_end_object(j);
    if (c->shape_count == 0)
        return;
    tut_json_key(j, "shapes");
    tut_json_array(j);
    for (size_t i = 0; i < c->shape_count && i < SHAPES; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "shape", c->shapes[i].text);
        tut_json_put_u64(j, "count", c->shapes[i].count);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

/* Categories, not contents: what a handful of values have in common with many rows. */
static void put_values(tut_json *j, const tut_profile_column *c)
{
    const tut_heavy_item *top[VALUES];
    size_t count = tut_heavy_top(&c->values, top, VALUES);
    tut_json_key(j, "values");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++) {
        tut_str text = tut_heavy_text(&c->values, top[i]);
        if (top[i]->count < LEAST_COUNT || text.len > VALUE_BYTES)
            continue;
        tut_json_object(j);
        if (text.len)
            tut_json_put_str(j, "value", text);
        else
            tut_json_put_real(j, "value", top[i]->number);
        tut_json_put_u64(j, "count", top[i]->count);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status put_column(tut_json *j, const tut_profile_column *c, bool may_show,
                             tut_error *err)
{
    bool is_exact = false;
    double distinct = tut_profile_distinct(c, &is_exact);
    tut_json_object(j);
    tut_json_put_str(j, "name", c->name);
    tut_json_put_z(j, "type", type_of(c));
    tut_json_put_u64(j, "nulls", c->kinds[TUT_CELL_NONE]);
    tut_json_put_real(j, "null_share", tut_profile_null_share(c));
    tut_json_put_real(j, "distinct", distinct);
    tut_json_put_bool(j, "distinct_is_exact", is_exact);
    tut_json_put_real(j, "uniqueness", tut_profile_uniqueness(c));
    TUT_TRY(put_numbers(j, c, err));
    put_texts(j, c);
    if (may_show && is_exact && distinct <= VALUES)
        put_values(j, c);
    tut_json_end_object(j);
    return TUT_SUCCESS;
}

tut_status vet_profile_write(const tut_profile *p, vet_may_show may_show, const void *ctx,
                             tut_json *j, tut_error *err)
{
    size_t count = tut_profile_columns(p);
    tut_json_object(j);
    tut_json_put_u64(j, "rows", tut_profile_rows(p));
    tut_json_put_u64(j, "columns_left_out",
                     count > VET_PROFILE_COLUMNS ? count - VET_PROFILE_COLUMNS : 0);
    tut_json_key(j, "columns");
    tut_json_array(j);
    for (size_t i = 0; i < count && i < VET_PROFILE_COLUMNS; i++) {
        const tut_profile_column *c = tut_profile_column_at(p, i);
        TUT_TRY(put_column(j, c, may_show(ctx, c->name), err));
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return TUT_SUCCESS;
}
