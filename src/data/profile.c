#include <math.h>

#include "data/profile_internal.h"

tut_status tut_profile_new(tut_profile **ret_profile, tut_error *err)
{
    *ret_profile = tut_alloc_array(1, sizeof(**ret_profile));
    return *ret_profile ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static void free_column(tut_profile_column *c)
{
    tut_free((void *)(uintptr_t)c->name.data);
    tut_quantiles_done(&c->numbers.sketch);
    tut_quantiles_done(&c->texts.lengths);
    tut_heavy_done(&c->values);
    tut_free(c->distinct);
    tut_free(c);
}

void tut_profile_free(tut_profile *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        free_column(p->columns[i]);
    tut_free(p->columns);
    tut_free(p->places);
    tut_free(p->numbers);
    tut_free(p->rows_at);
    tut_map_done(&p->by_name);
    tut_free(p);
}

tut_status profile_column_new(tut_profile *p, tut_str name, tut_profile_column **ret,
                              tut_error *err)
{
    if (p->count == TUT_ROWS_COLUMNS)
        return tut_fail(err, TUT_LIMIT, "the profile has more than %d columns", TUT_ROWS_COLUMNS);
    if (!tut_is_ok(tut_grow(&p->columns, p->count, &p->capacity, sizeof(*p->columns))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_profile_column *c = tut_alloc_array(1, sizeof(*c));
    char *copy = tut_strndup(name.data, name.len);
    if (!c || !copy) {
        tut_free(c);
        tut_free(copy);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    unsigned k = p->is_lean ? TUT_QUANTILE_K_LEAN : TUT_QUANTILE_K;
    c->name = (tut_str){copy, name.len};
    c->kinds[TUT_CELL_NONE] = p->rows;
    c->numbers.least = c->numbers.most = NAN;
    c->random = p->count + 1;
    c->has_values = !p->is_lean;
    c->is_increasing = p->rows == 0;
    tut_quantiles_init(&c->numbers.sketch, k, 2 * p->count);
    tut_quantiles_init(&c->texts.lengths, k, 2 * p->count + 1);
    p->columns[p->count++] = c; /* owned from here on */
    *ret = c;
    return tut_map_put(&p->by_name, c->name, p->count - 1, NULL, err);
}

/* The profile's column for each of the batch: a reader appends columns, and leaves the rest. */
static tut_status place_columns(tut_profile *p, const tut_batch *batch, tut_error *err)
{
    while (p->place_count < batch->column_count) {
        tut_str name = batch->names[p->place_count];
        if (!tut_is_ok(
                tut_grow(&p->places, p->place_count, &p->place_capacity, sizeof(*p->places))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        size_t place = tut_map_get(&p->by_name, name);
        if (place == SIZE_MAX) {
            tut_profile_column *c;
            TUT_TRY(profile_column_new(p, name, &c, err));
            place = p->count - 1;
        }
        p->places[p->place_count++] = place;
    }
    return TUT_SUCCESS;
}

/* A batch of another reader than the one before may have its columns in another order. */
static bool is_placed(const tut_profile *p, const tut_batch *batch)
{
    if (batch->column_count < p->place_count)
        return false;
    for (size_t i = 0; i < p->place_count; i++)
        if (!tut_str_eq(p->columns[p->places[i]]->name, batch->names[i]))
            return false;
    return true;
}

static tut_status make_room(tut_profile *p, size_t rows, tut_error *err)
{
    if (rows <= p->numbers_capacity)
        return TUT_SUCCESS;
    double *numbers = tut_realloc_array(p->numbers, rows, sizeof(*numbers));
    p->numbers = numbers ? numbers : p->numbers;
    uint32_t *at = tut_realloc_array(p->rows_at, rows, sizeof(*at));
    p->rows_at = at ? at : p->rows_at;
    if (!numbers || !at)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->numbers_capacity = rows;
    return TUT_SUCCESS;
}

tut_status tut_profile_add(tut_profile *p, const tut_batch *batch, tut_error *err)
{
    if (batch->count > TUT_ROWS_BATCH)
        return tut_fail(err, TUT_BUG, "a batch of more than %d rows", TUT_ROWS_BATCH);
    TUT_TRY(make_room(p, batch->count, err));
    if (p->rows == 0 && p->count == 0)
        p->is_lean = batch->column_count > TUT_PROFILE_LEAN;
    if (!is_placed(p, batch))
        p->place_count = 0;
    TUT_TRY(place_columns(p, batch, err));
    for (size_t i = 0; i < batch->column_count; i++) {
        tut_profile_column *c = p->columns[p->places[i]];
        TUT_TRY(profile_column_add(c, &batch->cells[i], batch->count, p->numbers, p->rows_at, err));
    }
    p->rows += batch->count;
    for (size_t i = 0; i < p->count; i++) { /* those that the batch does not have */
        uint64_t cells = 0;
        for (size_t k = 0; k < TUT_PROFILE_KINDS; k++)
            cells += p->columns[i]->kinds[k];
        p->columns[i]->kinds[TUT_CELL_NONE] += p->rows - cells;
        p->columns[i]->is_increasing &= cells == p->rows;
    }
    return TUT_SUCCESS;
}

tut_status tut_profile_merge(tut_profile *p, const tut_profile *from, tut_error *err)
{
    if (p->rows == 0 && p->count == 0)
        p->is_lean = from->is_lean;
    for (size_t i = 0; i < from->count; i++) {
        size_t place = tut_map_get(&p->by_name, from->columns[i]->name);
        tut_profile_column *c = place == SIZE_MAX ? NULL : p->columns[place];
        if (!c)
            TUT_TRY(profile_column_new(p, from->columns[i]->name, &c, err));
        TUT_TRY(profile_column_merge(c, from->columns[i], err));
    }
    for (size_t i = 0; i < p->count; i++) {
        if (tut_map_get(&from->by_name, p->columns[i]->name) != SIZE_MAX)
            continue;
        p->columns[i]->kinds[TUT_CELL_NONE] += from->rows;
        p->columns[i]->is_increasing &= from->rows == 0;
    }
    p->rows += from->rows;
    return TUT_SUCCESS;
}

uint64_t tut_profile_rows(const tut_profile *p)
{
    return p->rows;
}

size_t tut_profile_columns(const tut_profile *p)
{
    return p->count;
}

const tut_profile_column *tut_profile_column_at(const tut_profile *p, size_t i)
{
    return i < p->count ? p->columns[i] : NULL;
}

const tut_profile_column *tut_profile_find(const tut_profile *p, tut_str name)
{
    return tut_profile_column_at(p, tut_map_get(&p->by_name, name));
}

/* --- questions --- */

static uint64_t filled(const tut_profile_column *c)
{
    uint64_t cells = 0;
    for (size_t k = 0; k < TUT_PROFILE_KINDS; k++)
        cells += k == TUT_CELL_NONE ? 0 : c->kinds[k];
    return cells;
}

double tut_profile_deviation(const tut_profile_column *c)
{
    return c->numbers.count < 2 ? NAN : sqrt(c->numbers.m2 / (double)(c->numbers.count - 1));
}

double tut_profile_null_share(const tut_profile_column *c)
{
    double empty = (double)c->kinds[TUT_CELL_NONE];
    return empty / (empty + (double)filled(c)); /* 0 / 0 is NaN */
}

double tut_profile_distinct(const tut_profile_column *c, bool *ret_is_exact)
{
    *ret_is_exact = c->has_values && !c->distinct;
    if (!c->has_values)
        return NAN;
    return c->distinct ? tut_distinct_estimate(c->distinct) : (double)c->values.used;
}

double tut_profile_uniqueness(const tut_profile_column *c)
{
    bool is_exact;
    double cells = (double)filled(c);
    if (c->is_increasing && cells > 0)
        return 1;
    double share = tut_profile_distinct(c, &is_exact) / cells;
    return share > 1 ? 1 : share;
}

tut_status tut_profile_histogram(const tut_profile_column *c, size_t bins, double *ret_shares,
                                 double *ret_low, double *ret_high, tut_error *err)
{
    tut_quantile_view v;
    TUT_TRY(tut_quantiles_view(&c->numbers.sketch, &v, err));
    double low = c->numbers.least;
    double high = c->numbers.most;
    double inner_low = tut_quantile_at(&v, 0.001);
    double inner_high = tut_quantile_at(&v, 0.999);
    if (inner_high > inner_low && high - low > 4 * (inner_high - inner_low)) {
        low = inner_low;
        high = inner_high;
    }
    double below = 0; /* what is at most the lower edge belongs to the first part */
    if (low > c->numbers.least)
        below = tut_quantile_share(&v, low);
    for (size_t i = 0; i < bins; i++) {
        double edge = i + 1 == bins ? high : low + (high - low) * ((double)(i + 1) / (double)bins);
        double share = v.count ? tut_quantile_share(&v, edge) : 0;
        ret_shares[i] = share - below;
        below = share;
    }
    tut_quantile_view_done(&v);
    *ret_low = low;
    *ret_high = high;
    return TUT_SUCCESS;
}
