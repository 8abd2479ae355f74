#include "data/vet_show.h"

#include <math.h>
#include <stdlib.h>

enum { EACH = 12, CELL = 120 };

static int by_row(const void *a, const void *b)
{
    const tut_vet_example *left = a, *right = b;
    return left->row < right->row ? -1 : left->row > right->row;
}

tut_status vet_show_choose(vet_show *s, tut_error *err)
{
    tut_vet_dataset *d = s->d;
    size_t count = 0, kept = 0;
    d->examples = tut_alloc_array(TUT_VET_EXAMPLES, sizeof(*d->examples));
    if (!d->examples)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < d->found.count; i++)
        for (size_t k = 0; k < d->found.items[i].row_count && k < EACH && count < TUT_VET_EXAMPLES;
             k++)
            d->examples[count++].row = d->found.items[i].rows[k].row;
    qsort(d->examples, count, sizeof(*d->examples), by_row);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || d->examples[i].row != d->examples[kept - 1].row)
            d->examples[kept++] = d->examples[i];
    d->example_count = kept;
    return TUT_SUCCESS;
}

/* Pictures of one or more channels, their mean; of another range than bytes stretched to it. */
static tut_status draw(tut_vet_example *e, const tut_rows_facts *f, const tut_batch *b, size_t row,
                       tut_error *err)
{
    size_t height = (size_t)f->shape[1], width = (size_t)f->shape[2];
    size_t channels = f->rank == 4 ? (size_t)f->shape[3] : 1;
    double low = INFINITY, high = -INFINITY;
    e->pixels = tut_alloc_array(height * width, 1);
    if (!e->pixels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t k = 0; k < b->column_count; k++) {
        double v = b->cells[k].numbers[row];
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    if (low >= 0 && high <= 255 && high > 1) {
        low = 0;
        high = 255;
    }
    for (size_t i = 0; i < height * width; i++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++)
            sum += b->cells[i * channels + c].numbers[row];
        double v = high > low ? 255 * (sum / (double)channels - low) / (high - low) : 0;
        e->pixels[i] = v > 0 ? (uint8_t)(v < 255 ? v : 255) : 0; /* NaN is black */
    }
    e->width = (unsigned)width;
    e->height = (unsigned)height;
    return TUT_SUCCESS;
}

static bool is_picture(const tut_rows_facts *f, const tut_batch *b)
{
    if ((f->rank != 3 && f->rank != 4) || f->shape[1] == 0 || f->shape[2] == 0 ||
        f->shape[1] > TUT_VET_SIDE || f->shape[2] > TUT_VET_SIDE)
        return false;
    uint64_t channels = f->rank == 4 ? f->shape[3] : 1;
    return channels > 0 && channels <= 4 && f->shape[1] * f->shape[2] * channels == b->column_count;
}

static void add_cell(tut_buf *text, const vet_show *s, const tut_batch *b, size_t column,
                     size_t row)
{
    const tut_cells *c = &b->cells[column];
    tut_buf_add_escaped(text, b->names[column], 40);
    tut_buf_add_z(text, ": ");
    if (!s->may_show(s->ctx, b->names[column]))
        tut_buf_add_z(text, "(not shown)");
    else if (c->texts)
        tut_buf_add_escaped(text, c->texts[row], CELL);
    else
        tut_buf_printf(text, "%.6g", c->numbers[row]);
}

static tut_status excerpt(tut_vet_example *e, const vet_show *s, const tut_batch *b, size_t row,
                          tut_error *err)
{
    char kept[TUT_VET_EXCERPT + 1];
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t k = 0; k < b->column_count && text.len < TUT_VET_EXCERPT; k++) {
        if (b->cells[k].kinds[row] == TUT_CELL_NONE)
            continue;
        if (text.len)
            tut_buf_add_z(&text, "  ");
        add_cell(&text, s, b, k, row);
    }
    TUT_TRY(tut_buf_check(&text, err));
    tut_str whole = tut_buf_str(&text);
    while (whole.len > TUT_VET_EXCERPT || !tut_utf8_valid(whole))
        whole.len--;
    tut_str_copy(kept, sizeof(kept), whole);
    e->text = tut_strdup(kept);
    return e->text ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status vet_show_take(vet_show *s, const tut_rows_facts *facts, const tut_batch *b,
                         tut_error *err)
{
    uint64_t first = b->first + s->base;
    for (size_t i = 0; i < s->d->example_count; i++) {
        tut_vet_example *e = &s->d->examples[i];
        if (e->row < first || e->row - first >= b->count || e->text || e->pixels)
            continue;
        size_t row = (size_t)(e->row - first);
        TUT_TRY(is_picture(facts, b) ? draw(e, facts, b, row, err) : excerpt(e, s, b, row, err));
    }
    return TUT_SUCCESS;
}
