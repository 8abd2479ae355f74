#include "data/vet_diff.h"

#include <stdlib.h>

#include "stats/sketch.h"

void vet_diff_done(vet_diff *d)
{
    tut_free(d->now.rows);
    tut_free(d->then.rows);
    tut_buf_done(&d->now.text);
    tut_buf_done(&d->then.text);
}

/* Equal bytes for equal rows, whatever format they come in: 1 and 1.0 are one number. */
static void put_row(tut_buf *to, const tut_batch *b, size_t row)
{
    tut_buf_clear(to);
    for (size_t k = 0; k < b->column_count; k++) {
        const tut_cells *c = &b->cells[k];
        uint8_t kind = c->kinds[row] == TUT_CELL_INTEGER ? TUT_CELL_NUMBER : c->kinds[row];
        if (kind == TUT_CELL_NONE)
            continue; /* a column that the other version does not have changes no empty cell */
        tut_buf_add_sized(to, b->names[k]);
        tut_buf_add_byte(to, kind);
        if (kind == TUT_CELL_NUMBER || kind == TUT_CELL_BOOL)
            tut_buf_add(to, &c->numbers[row], sizeof(c->numbers[row]));
        else if (c->texts)
            tut_buf_add_sized(to, c->texts[row]);
    }
}

static tut_status grow(vet_diff_side *s, size_t more, tut_error *err)
{
    if (s->count + more <= s->capacity)
        return TUT_SUCCESS;
    if (s->count + more > VET_DIFF_ROWS)
        return tut_fail(err, TUT_LIMIT, "versions of more than %d rows are not compared row by row",
                        VET_DIFF_ROWS);
    size_t capacity = s->capacity ? 2 * s->capacity : 4096;
    while (capacity < s->count + more)
        capacity *= 2;
    vet_diff_row *rows = tut_realloc_array(s->rows, capacity, sizeof(*rows));
    if (!rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->rows = rows;
    s->capacity = capacity;
    return TUT_SUCCESS;
}

tut_status vet_diff_add(vet_diff_side *s, const tut_batch *b, tut_error *err)
{
    static const uint64_t seeds[2] = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f};
    TUT_TRY(grow(s, b->count, err));
    for (size_t i = 0; i < b->count; i++) {
        put_row(&s->text, b, i);
        vet_diff_row *r = &s->rows[s->count++];
        r->row = b->first + i;
        for (int k = 0; k < 2; k++)
            r->hash[k] = tut_sketch_digest(s->text.data, s->text.len, seeds[k]);
    }
    return tut_buf_check(&s->text, err);
}

static int compare(const vet_diff_row *a, const vet_diff_row *b)
{
    for (int k = 0; k < 2; k++)
        if (a->hash[k] != b->hash[k])
            return a->hash[k] < b->hash[k] ? -1 : 1;
    return 0;
}

static int by_hash(const void *a, const void *b)
{
    const vet_diff_row *left = a, *right = b;
    int order = compare(left, right);
    return order ? order : left->row < right->row ? -1 : left->row > right->row;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

typedef struct list {
    uint64_t *rows;
    size_t count;
} list;

static void settle(list *l, uint64_t *shown, size_t *ret_shown)
{
    qsort(l->rows, l->count, sizeof(*l->rows), by_number);
    *ret_shown = l->count < TUT_VET_CHANGED ? l->count : TUT_VET_CHANGED;
    for (size_t i = 0; i < *ret_shown; i++)
        shown[i] = l->rows[i];
}

tut_status vet_diff_finish(vet_diff *d, tut_vet_change *ret, tut_error *err)
{
    vet_diff_side *now = &d->now, *then = &d->then;
    TUT_AUTO_FREE uint64_t *added = tut_alloc_array(now->count + 1, sizeof(*added));
    TUT_AUTO_FREE uint64_t *removed = tut_alloc_array(then->count + 1, sizeof(*removed));
    list in = {added, 0}, out = {removed, 0};
    if (!added || !removed)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (now->count)
        qsort(now->rows, now->count, sizeof(*now->rows), by_hash);
    if (then->count)
        qsort(then->rows, then->count, sizeof(*then->rows), by_hash);
    *ret = (tut_vet_change){.is_known = true};
    for (size_t i = 0, k = 0; i < now->count || k < then->count;) {
        int order = i == now->count    ? 1
                    : k == then->count ? -1
                                       : compare(&now->rows[i], &then->rows[k]);
        if (order < 0)
            in.rows[in.count++] = now->rows[i++].row;
        else if (order > 0)
            out.rows[out.count++] = then->rows[k++].row;
        else
            ret->kept++, i++, k++;
    }
    ret->added = in.count;
    ret->removed = out.count;
    settle(&in, ret->added_rows, &ret->added_shown);
    settle(&out, ret->removed_rows, &ret->removed_shown);
    return TUT_SUCCESS;
}
