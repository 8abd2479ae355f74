/* npy and idx as rows; archives of npy are in rows_npz.c. */
#include "data/rows_array.h"

static bool is_it(tut_span head, const char *ending)
{
    (void)ending;
    return array_is_npy(head) || array_is_idx(head);
}

static void close_array(void *ctx)
{
    array *a = ctx;
    if (a)
        array_done(a);
    tut_free(a);
}

static void tell_shape(const array *a)
{
    enum { SHOWN = sizeof(((tut_rows_facts *)0)->shape) / sizeof(uint64_t) };
    tut_rows_facts *f = &a->rows_object->facts;
    f->layout = "array";
    f->format = a->is_npy ? "npy" : "idx";
    f->rank = (unsigned)a->rank;
    memcpy(f->shape, a->dims, (a->rank < SHOWN ? a->rank : SHOWN) * sizeof(uint64_t));
}

static tut_status open_array(tut_rows *r, tut_error *err)
{
    tut_span head;
    array *a = r->ctx = tut_alloc_array(1, sizeof(*a));
    if (!a)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->no_offsets = true;
    TUT_TRY(tut_stream_peek_some(r->stream, 16, &head));
    TUT_TRY(array_open(a, r, r->stream, r->packed ? NULL : &r->source, array_is_npy(head), err));
    tell_shape(a);
    return array_add_columns(a, TUT_LIT(""), err);
}

/* np.save may append to a file; what follows the first array is not looked at. */
static void check_rest(array *a)
{
    tut_rows *r = a->rows_object;
    if (a->is_fortran || a->is_cut || tut_stream_at_end(r->stream) || r->is_over)
        return;
    rows_defect(r, TUT_ROWS_UNREAD, UINT64_MAX, r->facts.bytes,
                "bytes behind the last element of the array");
}

static tut_status next_array(tut_rows *r, tut_error *err)
{
    array *a = r->ctx;
    size_t rows = 0, want = array_batch(a);
    if (want == 0 || a->column_count == 0) {
        if (a->done > 0)
            check_rest(a);
        return TUT_SUCCESS;
    }
    TUT_TRY(array_read(a, want, &rows, err));
    r->batch.count = rows;
    r->facts.bytes = a->is_fortran ? a->done * a->row_bytes : tut_stream_pos(r->stream);
    return TUT_SUCCESS;
}

const rows_format rows_array = {
    .name = "array",
    .is_it = is_it,
    .open = open_array,
    .next = next_array,
    .free = close_array,
};
