/* The rows of one array, front to back; in Fortran's order each column lies in one piece. */
#include "base/limits.h"
#include "data/rows_array.h"
#include "data/rows_value.h"

enum {
    ROW_MAX = 64 << 20,    /* bytes of a row up to its last column */
    BATCH_BYTES = 32 << 20 /* of a batch as it is stored, unless one row is larger */
};

size_t array_batch(const array *a)
{
    const tut_rows *r = a->rows_object;
    size_t limit = r->row_limit ? r->row_limit : TUT_ROWS_BATCH;
    uint64_t left = a->count - a->done;
    uint64_t fit = a->need_bytes ? BATCH_BYTES / a->need_bytes : limit;
    fit = fit ? fit : 1;
    fit = fit < limit ? fit : limit;
    return (size_t)(left < fit ? left : fit);
}

/* n rows that lie one behind the other, into the batch from `row` on. */
static tut_status put_rows(array *a, const uint8_t *at, size_t n, size_t row, tut_error *err)
{
    tut_rows *r = a->rows_object;
    for (size_t i = 0; i < a->column_count; i++) {
        const array_column *c = &a->columns[i];
        uint64_t offset = c->element * a->item_bytes + c->offset;
        TUT_TRY(array_cells(r, &a->fields[c->field], at + offset, (size_t)a->row_bytes, n,
                            &r->cells[c->column], row, err));
    }
    return TUT_SUCCESS;
}

void array_lacks(const array *a, size_t from, size_t to)
{
    for (size_t i = 0; i < a->column_count; i++)
        rows_no_cells(&a->rows_object->cells[a->columns[i].column], from, to);
}

static tut_status narrow_rows(array *a, size_t want, size_t *ret_rows, tut_error *err)
{
    const size_t row_bytes = (size_t)a->row_bytes;
    size_t row = 0;
    while (row < want) {
        tut_span some;
        size_t n = TUT_LIMIT_PEEK_BYTES / row_bytes;
        n = n < want - row ? n : want - row;
        TUT_TRY(tut_stream_peek_some(a->stream, n * row_bytes, &some));
        a->is_cut = some.len < n * row_bytes;
        n = some.len / row_bytes;
        TUT_TRY(put_rows(a, some.data, n, row, err));
        TUT_TRY(tut_stream_skip(a->stream, a->is_cut ? some.len : n * row_bytes));
        row += n;
        if (a->is_cut)
            break;
    }
    *ret_rows = row;
    return TUT_SUCCESS;
}

/* The columns of a wide row; what they do not need is passed over. */
static tut_status wide_row(array *a, size_t row, tut_error *err)
{
    tut_buf_clear(&a->row);
    while (a->row.len < a->need_bytes) {
        tut_span some;
        uint64_t left = a->need_bytes - a->row.len;
        TUT_TRY(tut_stream_peek_some(
            a->stream, left < TUT_LIMIT_PEEK_BYTES ? (size_t)left : TUT_LIMIT_PEEK_BYTES, &some));
        a->is_cut = some.len == 0;
        if (a->is_cut)
            return TUT_SUCCESS;
        tut_buf_add(&a->row, some.data, some.len);
        TUT_TRY(tut_buf_check(&a->row, err));
        TUT_TRY(tut_stream_skip(a->stream, some.len));
    }
    a->is_cut = !tut_is_ok(tut_stream_skip(a->stream, a->row_bytes - a->need_bytes));
    return a->is_cut ? TUT_SUCCESS : put_rows(a, a->row.data, 1, row, err);
}

static tut_status wide_rows(array *a, size_t want, size_t *ret_rows, tut_error *err)
{
    size_t row = 0;
    if (a->need_bytes > ROW_MAX)
        return tut_fail(err, TUT_LIMIT, "rows of %llu bytes; up to %d are read",
                        (unsigned long long)a->need_bytes, ROW_MAX);
    while (row < want) {
        TUT_TRY(wide_row(a, row, err));
        if (a->is_cut)
            break;
        row++;
    }
    *ret_rows = row;
    return TUT_SUCCESS;
}

/* --- Fortran's order --- */

/* Where an element of a row, counted in C order, stands among the columns. */
static uint64_t fortran_index(const array *a, uint64_t element)
{
    uint64_t index = 0, stride = a->inner;
    for (size_t i = a->rank; i-- > 1;) {
        stride /= a->dims[i];
        index += element % a->dims[i] * stride;
        element /= a->dims[i];
    }
    return index;
}

static tut_status fortran_column(array *a, const array_column *c, size_t want, tut_error *err)
{
    tut_rows *r = a->rows_object;
    uint64_t at = (fortran_index(a, c->element) * a->count + a->done) * a->item_bytes;
    size_t bytes = want * (size_t)a->item_bytes, got = 0;
    tut_buf_clear(&a->row);
    uint8_t *to = tut_buf_extend(&a->row, bytes);
    TUT_TRY(tut_buf_check(&a->row, err));
    if (at < a->source.size)
        TUT_TRY(tut_source_read_some(&a->source, at, to, bytes, &got, err));
    size_t n = got / (size_t)a->item_bytes;
    a->is_cut |= n < want;
    TUT_TRY(array_cells(r, &a->fields[c->field], to + c->offset, (size_t)a->item_bytes, n,
                        &r->cells[c->column], 0, err));
    rows_no_cells(&r->cells[c->column], n, want);
    return TUT_SUCCESS;
}

/* A column that is cut off is nothing in the rows that it lacks; the others stand. */
static tut_status fortran_rows(array *a, size_t want, size_t *ret_rows, tut_error *err)
{
    if (a->item_bytes > ROW_MAX)
        return tut_fail(err, TUT_LIMIT, "elements of %llu bytes; up to %d are read",
                        (unsigned long long)a->item_bytes, ROW_MAX);
    for (size_t i = 0; i < a->column_count; i++)
        TUT_TRY(fortran_column(a, &a->columns[i], want, err));
    *ret_rows = want;
    return TUT_SUCCESS;
}

/* What the bytes cannot hold is not there, whatever the shape says. */
static void tell_cut(array *a, size_t rows)
{
    uint64_t row = a->done + rows;
    rows_defect(a->rows_object, TUT_ROWS_CUT, row, UINT64_MAX,
                "the shape says %llu rows, the bytes end in row %llu", (unsigned long long)a->count,
                (unsigned long long)row);
    a->count = row;
}

tut_status array_read(array *a, size_t want, size_t *ret_rows, tut_error *err)
{
    if (a->is_fortran)
        TUT_TRY(fortran_rows(a, want, ret_rows, err));
    else if (a->row_bytes <= TUT_LIMIT_PEEK_BYTES)
        TUT_TRY(narrow_rows(a, want, ret_rows, err));
    else
        TUT_TRY(wide_rows(a, want, ret_rows, err));
    if (a->is_cut)
        tell_cut(a, *ret_rows);
    a->done += *ret_rows;
    return TUT_SUCCESS;
}
