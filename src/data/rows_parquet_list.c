/*
 * Lists of Parquet as JSON text, or (of talk) as what is said, a line a turn. A repetition level of
 * 0 begins a row; from the leaf's list_def on an element stands at a level, one below it the list
 * is empty, and further below there is none (Melnik et al., "Dremel", 2010).
 */
#include <math.h>

#include "data/rows_parquet.h"

enum {
    COLUMN_BYTES = 32 << 20 /* of JSON that one column makes in a block; its other rows are left
                               out */
};

typedef struct lister {
    parquet_rows *x;
    parquet_column_state *s;
    const tut_parquet_leaf *leaf;
    tut_cells to; /* of the rows */
    size_t rows;  /* begun */
    size_t begin; /* of the present row's JSON */
    bool is_open; /* a list is being written */
    bool is_cut;  /* it got too long */
} lister;

static void end_row(lister *w)
{
    if (!w->is_open)
        return;
    size_t row = w->rows - 1;
    if (!w->s->is_talk)
        tut_json_end_array(w->x->writer);
    w->is_open = false;
    w->to.kinds[row] = w->s->is_talk ? TUT_CELL_TEXT : TUT_CELL_NESTED;
    w->to.texts[row].len = w->x->json.len - w->begin;
}

static void begin_row(lister *w)
{
    end_row(w);
    rows_no_cells(&w->to, w->rows, w->rows + 1);
    w->rows++;
    w->begin = w->x->json.len;
    w->is_cut = false;
}

static void open_list(lister *w)
{
    parquet_rows *x = w->x;
    if (w->is_open || w->is_cut)
        return;
    if (x->json.len > COLUMN_BYTES) {
        w->is_cut = true;
        rows_defect(x->rows, TUT_ROWS_LONG, x->rows->batch.first + w->rows - 1, UINT64_MAX,
                    "a list is left out: %d MiB of them are read at a time", COLUMN_BYTES >> 20);
        return;
    }
    w->is_open = true;
    if (w->s->is_talk)
        return;
    tut_json_onto(x->writer, &x->json);
    tut_json_array(x->writer);
}

/* Whether a value more might be too much: each byte of a text takes up to six. */
static bool is_full(lister *w, size_t text_bytes)
{
    enum { ESCAPE = 6, MARKS = 40 };
    size_t used = w->x->json.len - w->begin;
    if (text_bytes <= TUT_ROWS_CELL_BYTES / ESCAPE &&
        used + ESCAPE * text_bytes + MARKS <= TUT_ROWS_CELL_BYTES)
        return false;
    w->is_cut = true;
    rows_defect(w->x->rows, TUT_ROWS_LONG, w->x->rows->batch.first + w->rows - 1, UINT64_MAX,
                "a list of more than %d MiB is cut", TUT_ROWS_CELL_BYTES >> 20);
    return true;
}

static void put_value(lister *w, const tut_cells *from, size_t i)
{
    tut_json *j = w->x->writer;
    if (!w->is_open || w->is_cut)
        return;
    tut_str text = from->texts ? from->texts[i] : (tut_str){NULL, 0};
    if (is_full(w, text.len))
        return;
    if (w->s->is_talk) {
        tut_buf_add_z(&w->x->json, w->x->json.len > w->begin ? "\n" : "");
        tut_buf_add_str(&w->x->json, text);
        return;
    }
    switch ((tut_cell_kind)from->kinds[i]) {
    case TUT_CELL_TEXT:
    case TUT_CELL_NESTED:
        tut_json_str(j, text);
        break;
    case TUT_CELL_BOOL:
        tut_json_bool(j, from->numbers[i] != 0);
        break;
    case TUT_CELL_NUMBER:
    case TUT_CELL_INTEGER:
        if (text.len > 0)
            tut_json_raw(j, text);
        else
            tut_json_real(j, from->numbers[i]);
        break;
    case TUT_CELL_NONE:
        tut_json_null(j);
        break;
    }
}

static void put_null(lister *w)
{
    if (w->is_open && !w->is_cut && !w->s->is_talk && !is_full(w, 0))
        tut_json_null(w->x->writer);
}

/* False: the column goes on with a row that never began. */
static bool put_levels(lister *w, const tut_parquet_run *run, const tut_cells *from)
{
    const uint8_t list = w->leaf->list_def, max = w->leaf->max_def;
    size_t value = 0;
    for (size_t i = 0; i < run->levels; i++) {
        uint8_t def = run->defs ? run->defs[i] : max;
        if (!run->reps || run->reps[i] == 0)
            begin_row(w);
        if (w->rows == 0)
            return false;
        if (def + 1 >= list)
            open_list(w);
        if (def == max)
            put_value(w, from, value++);
        else if (def >= list)
            put_null(w);
    }
    return true;
}

static tut_status put_run(lister *w, tut_parquet_run *run, tut_error *err)
{
    parquet_rows *x = w->x;
    parquet_target t = {.to = x->scratch, .arena = &x->made, .row = UINT64_MAX};
    if (!w->s->has_text)
        t.to.texts = NULL;
    TUT_TRY(parquet_cells(x, w->s, run, &t, err));
    if (put_levels(w, run, &t.to))
        return TUT_SUCCESS;
    run->trouble = "a list goes on that never began";
    parquet_trouble(x, w->s, run, 0);
    w->s->is_over = true;
    return TUT_SUCCESS;
}

static tut_status put_rows(lister *w, size_t want, tut_error *err)
{
    bool is_whole = false; /* the last row */
    while (!w->s->is_over && !is_whole) {
        tut_parquet_run run;
        size_t ask = want - w->rows;
        TUT_TRY(tut_parquet_read(w->x->file, w->s->leaf, ask, &run, err));
        parquet_trouble(w->x, w->s, &run, w->rows);
        if (run.levels == 0 && !run.trouble) {
            is_whole = ask == 0;
            w->s->is_over = !is_whole;
        } else if (run.is_lost) { /* nobody knows how many rows that is */
            w->s->is_over = true;
        } else {
            w->s->levels += run.levels;
            TUT_TRY(put_run(w, &run, err));
        }
    }
    end_row(w);
    return TUT_SUCCESS;
}

/* The JSON moves to where it stays as long as the block. */
static tut_status settle(lister *w, tut_error *err)
{
    TUT_TRY(tut_buf_check(&w->x->json, err));
    char *base = tut_arena_take(&w->x->made, w->x->json.len + 1, 1);
    if (!base)
        return rows_no_memory(err);
    memcpy(base, w->x->json.data ? w->x->json.data : (const uint8_t *)"", w->x->json.len);
    for (size_t i = 0; i < w->rows; i++) {
        if (w->to.kinds[i] == TUT_CELL_NONE)
            continue;
        w->to.texts[i].data = base;
        base += w->to.texts[i].len;
    }
    return TUT_SUCCESS;
}

tut_status parquet_list(parquet_rows *x, parquet_column_state *s, size_t want, size_t *ret_rows,
                        tut_error *err)
{
    lister w = {.x = x,
                .s = s,
                .leaf = &tut_parquet_about(x->file)->leaves[s->leaf],
                .to = x->rows->cells[s->column]};
    tut_buf_clear(&x->json);
    TUT_TRY(put_rows(&w, want, err));
    TUT_TRY(settle(&w, err));
    s->rows += w.rows;
    *ret_rows = w.rows;
    return TUT_SUCCESS;
}
