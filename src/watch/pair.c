#include "watch/pair.h"

#include <math.h>

#include "base/alloc.h"

void tut_pair_init(tut_pair *p, uint64_t seed)
{
    *p = (tut_pair){.cells = TUT_PAIR_CELLS};
    p->random = tut_seeded_of(seed);
    p->hash_seed = (uint32_t)tut_seeded_next(&p->random);
    tut_arena_init(&p->texts, TUT_PAIR_TEXT_MAX);
}

void tut_pair_done(tut_pair *p)
{
    for (size_t i = 0; i < p->column_count; i++) {
        tut_pair_column *c = &p->columns[i];
        for (unsigned s = 0; s < TUT_SIDES; s++) {
            tut_free(c->values[s]);
            tut_free(c->kept[s]);
        }
        tut_free(c->categories);
        tut_free(c->slots);
    }
    for (unsigned s = 0; s < TUT_SIDES; s++)
        tut_free(p->places[s]);
    tut_free(p->columns);
    tut_arena_done(&p->texts);
    *p = (tut_pair){0};
}

tut_pair_column *tut_pair_find(const tut_pair *p, tut_str name)
{
    for (size_t i = 0; i < p->column_count; i++)
        if (tut_str_eq(p->columns[i].name, name))
            return &p->columns[i];
    return NULL;
}

static bool is_wanted(const tut_pair *p, tut_str name)
{
    for (size_t i = 0; i < p->only_count; i++)
        if (tut_str_eq(p->only[i], name))
            return true;
    return p->only_count == 0;
}

static tut_status keep_text(tut_pair *p, tut_str text, tut_str *ret_kept, tut_error *err)
{
    char *copy = tut_arena_copy(&p->texts, text);
    if (!copy)
        return tut_fail(err, TUT_LIMIT, "the texts take more than %d MB", TUT_PAIR_TEXT_MAX >> 20);
    *ret_kept = (tut_str){copy, text.len};
    return TUT_SUCCESS;
}

static tut_status column_of(tut_pair *p, tut_str name, tut_pair_column **ret_column, tut_error *err)
{
    tut_pair_column *c = tut_pair_find(p, name);
    *ret_column = c;
    if (c || !is_wanted(p, name))
        return TUT_SUCCESS;
    TUT_TRY(tut_grow(&p->columns, p->column_count, &p->column_capacity, sizeof(*p->columns)));
    c = &p->columns[p->column_count];
    *c = (tut_pair_column){.rises = {true, true}, .last = {-INFINITY, -INFINITY}};
    TUT_TRY(keep_text(p, name, &c->name, err));
    c->is_language = p->language.len > 0 && tut_str_eq(name, p->language);
    p->column_count++;
    *ret_column = c;
    return TUT_SUCCESS;
}

/* --- categories --- */
static uint32_t hash_of(const tut_pair *p, tut_str text)
{
    uint64_t h = p->hash_seed;
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (uint8_t)text.data[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ (h >> 29));
}

enum { SLOTS = 4 * TUT_PAIR_CATEGORIES };

static tut_status count_text(tut_pair *p, tut_pair_column *c, tut_side side, tut_str text,
                             tut_error *err)
{
    if (!c->slots) {
        c->slots = tut_alloc_array(SLOTS, sizeof(*c->slots));
        if (!c->slots)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    size_t at = hash_of(p, text) % SLOTS;
    for (; c->slots[at]; at = (at + 1) % SLOTS) {
        tut_category *k = &c->categories[c->slots[at] - 1];
        if (tut_str_eq(k->text, text)) {
            k->counts[side]++;
            return TUT_SUCCESS;
        }
    }
    if (c->category_count == TUT_PAIR_CATEGORIES) {
        c->others[side]++;
        return TUT_SUCCESS;
    }
    TUT_TRY(
        tut_grow(&c->categories, c->category_count, &c->category_capacity, sizeof(*c->categories)));
    tut_category *k = &c->categories[c->category_count];
    *k = (tut_category){.counts = {0, 0}};
    TUT_TRY(keep_text(p, text, &k->text, err));
    k->counts[side] = 1;
    c->slots[at] = (uint32_t)++c->category_count;
    return TUT_SUCCESS;
}

/* The same share of all texts, whenever they come. */
static tut_status keep_language(tut_pair *p, tut_pair_column *c, tut_side side, tut_str text,
                                tut_error *err)
{
    size_t at = c->kept_count[side];
    if (!c->kept[side]) {
        c->kept[side] = tut_alloc_array(TUT_PAIR_TEXTS, sizeof(tut_str));
        if (!c->kept[side])
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    if (at == TUT_PAIR_TEXTS) {
        at = tut_seeded_below(&p->random, c->texts[side]);
        if (at >= TUT_PAIR_TEXTS)
            return TUT_SUCCESS;
    } else {
        c->kept_count[side]++;
    }
    text.len = text.len < TUT_PAIR_TEXT_BYTES ? text.len : TUT_PAIR_TEXT_BYTES;
    return keep_text(p, text, &c->kept[side][at], err);
}

/* --- rows --- */

/* Where the next row of this side is kept; SIZE_MAX: nowhere. */
static size_t place_of(tut_pair *p, tut_side side, size_t columns)
{
    if (p->row_cap[side] == 0) {
        size_t cap = p->cells / (columns ? columns : 1);
        p->row_cap[side] = cap < 64 ? 64 : cap < TUT_PAIR_ROWS ? cap : TUT_PAIR_ROWS;
    }
    uint64_t row = p->rows[side]++;
    if (row < p->row_cap[side]) {
        p->kept_rows[side] = (size_t)row + 1;
        return (size_t)row;
    }
    uint64_t at = tut_seeded_below(&p->random, row + 1);
    return at < p->row_cap[side] ? (size_t)at : SIZE_MAX;
}

static tut_status put(tut_pair_column *c, tut_side side, size_t at, double value, tut_error *err)
{
    if (at >= c->capacity[side]) {
        size_t more = c->capacity[side] ? 2 * c->capacity[side] : 256;
        more = at < more ? more : at + 1;
        double *grown = tut_realloc_array(c->values[side], more, sizeof(*grown));
        if (!grown)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        for (size_t i = c->capacity[side]; i < more; i++)
            grown[i] = NAN;
        c->values[side] = grown;
        c->capacity[side] = more;
    }
    c->values[side][at] = value;
    return TUT_SUCCESS;
}

static tut_status add_cell(tut_pair *p, tut_pair_column *c, tut_side side, const tut_cells *cells,
                           size_t row, size_t at, tut_error *err)
{
    double value = NAN;
    tut_cell_kind kind = (tut_cell_kind)cells->kinds[row];
    tut_str text = cells->texts ? cells->texts[row] : (tut_str){NULL, 0};
    if (kind == TUT_CELL_NUMBER || kind == TUT_CELL_INTEGER || kind == TUT_CELL_BOOL)
        value = cells->numbers[row];
    if (kind == TUT_CELL_TEXT || kind == TUT_CELL_NESTED) {
        c->texts[side]++;
        c->rises[side] = false;
        TUT_TRY(c->is_language ? keep_language(p, c, side, text, err)
                               : count_text(p, c, side, text, err));
    } else if (isnan(value)) {
        c->missing[side]++;
    } else {
        c->numbers[side]++;
        c->rises[side] = c->rises[side] && value > c->last[side];
        c->last[side] = value;
    }
    return at == SIZE_MAX ? TUT_SUCCESS : put(c, side, at, value, err);
}

/* Columns of a side are only ever appended: each is looked for once. */
static tut_status place_columns(tut_pair *p, tut_side side, const tut_batch *batch, uint64_t before,
                                tut_error *err)
{
    for (size_t k = p->placed[side]; k < batch->column_count; k++) {
        tut_pair_column *c = NULL;
        TUT_TRY(tut_grow(&p->places[side], p->placed[side], &p->place_capacity[side],
                         sizeof(*p->places[side])));
        TUT_TRY(column_of(p, batch->names[k], &c, err));
        p->places[side][p->placed[side]++] = c ? (size_t)(c - p->columns) : SIZE_MAX;
        if (!c)
            continue;
        /* A column that appears late had nothing in the rows before. */
        c->missing[side] = before;
        c->is_there[side] = true;
    }
    return TUT_SUCCESS;
}

tut_status tut_pair_add(tut_pair *p, tut_side side, const tut_batch *batch, tut_error *err)
{
    TUT_AUTO_FREE size_t *at = tut_alloc_array(batch->count, sizeof(*at));
    uint64_t before = p->rows[side];
    if (!at)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < batch->count; i++)
        at[i] = place_of(p, side, batch->column_count);
    TUT_TRY(place_columns(p, side, batch, before, err));
    for (size_t k = 0; k < batch->column_count; k++) {
        size_t place = p->places[side][k];
        if (place == SIZE_MAX)
            continue;
        for (size_t i = 0; i < batch->count; i++)
            TUT_TRY(add_cell(p, &p->columns[place], side, &batch->cells[k], i, at[i], err));
    }
    return TUT_SUCCESS;
}

tut_status tut_pair_read(tut_pair *p, tut_side side, tut_rows *rows, tut_error *err)
{
    const tut_batch *batch = NULL;
    tut_error why = {0};
    tut_status status = tut_rows_next(rows, &batch, &why);
    for (; tut_is_ok(status) && batch; status = tut_rows_next(rows, &batch, &why))
        TUT_TRY(tut_pair_add(p, side, batch, err));
    if (!tut_is_ok(status) && p->rows[side] == 0)
        return tut_fail(err, status.code, "%s", why.text);
    const tut_rows_facts *facts = tut_rows_about(rows);
    for (unsigned k = 0; k < TUT_ROWS_DEFECT_COUNT; k++)
        p->ragged[side] += facts->defects[k].count;
    p->ragged[side] += !tut_is_ok(status);
    /* Every column has as many places as rows are kept. */
    for (size_t i = 0; i < p->column_count; i++)
        if (p->kept_rows[side] > p->columns[i].capacity[side])
            TUT_TRY(put(&p->columns[i], side, p->kept_rows[side] - 1, NAN, err));
    return TUT_SUCCESS;
}
