/* Plain text, Markdown and the like: one row with the column "text", in pieces where it is long. */
#include <math.h>

#include "data/rows_input.h"

typedef struct text {
    rows_input input;
    bool is_done;
} text;

static bool is_it(tut_span head, const char *ending)
{
    (void)ending;
    (void)head; /* text it is, or nobody would be asked; the formats before did not want it */
    return true;
}

static void close_text(void *ctx)
{
    text *t = ctx;
    if (t)
        rows_input_done(&t->input);
    tut_free(t);
}

static tut_status open_text(tut_rows *r, tut_error *err)
{
    text *t = r->ctx = tut_alloc_array(1, sizeof(*t));
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t column;
    r->facts.layout = "document";
    TUT_TRY(rows_input_open(r, &t->input, err));
    return rows_column_add(r, TUT_LIT("text"), &column, err);
}

static tut_status next_text(tut_rows *r, tut_error *err)
{
    text *t = r->ctx;
    rows_input *in = &t->input;
    while (!t->is_done && !in->is_end && in->end - in->begin <= TUT_ROWS_CELL_BYTES)
        TUT_TRY(rows_input_fill(in, err));
    tut_str piece = rows_cut((tut_str){in->data + in->begin, in->end - in->begin});
    if (piece.len == 0)
        return TUT_SUCCESS;
    (void)rows_row_begin(r, rows_input_offset(in, in->begin));
    tut_str shown = piece;
    if (!rows_input_is_plain(in, in->begin))
        TUT_TRY(rows_input_text(in, piece, rows_row_number(r) - 1, &shown, err));
    rows_set(r, 0, TUT_CELL_TEXT, NAN, shown);
    in->begin += piece.len;
    t->is_done = in->is_end && in->begin == in->end;
    return TUT_SUCCESS;
}

const rows_format rows_text = {
    .name = "text",
    .is_it = is_it,
    .open = open_text,
    .next = next_text,
    .free = close_text,
};
