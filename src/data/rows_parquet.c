/*
 * Parquet as rows. A block of rows of one row group is decoded column by column into the cells of
 * the batch; it is handed out in one batch, or in several where its texts are long. Columns keep in
 * step by counting: what a broken page leaves out is nothing in its rows.
 */
#include <ctype.h>
#include <math.h>

#include "data/rows_input.h"
#include "data/rows_parquet.h"

enum {
    BLOCK_BYTES = 16 << 20, /* of stored values that a block may take; rows are fewer if need be */
    FIRST_LIST_ROWS = 256,  /* of a block while nobody knows how long the lists are */
    CELL_COST = 4           /* bytes that handing out a cell counts as */
};
/* A file may make so much of each of its bytes, and in any case so much: nothing but a bomb makes
 * more. Runs of one value make a table of many rows out of a few bytes. */
static const uint64_t handed_ratio = 4096, handed_free = (uint64_t)256 << 20;

static bool is_it(tut_span head, const char *ending)
{
    (void)ending;
    return head.len >= 4 &&
           (memcmp(head.data, "PAR1", 4) == 0 || memcmp(head.data, "PARE", 4) == 0);
}

static void close_parquet(void *ctx)
{
    parquet_rows *x = ctx;
    if (!x)
        return;
    for (size_t i = 0; i < x->count; i++)
        parquet_words_done(x, &x->columns[i].words);
    tut_free(x->columns);
    tut_free(x->shown);
    tut_arena_done(&x->made);
    tut_free(x->scratch.kinds);
    tut_free(x->scratch.numbers);
    tut_free(x->scratch.texts);
    tut_free(x->gathered_texts);
    tut_buf_done(&x->gathered);
    tut_buf_done(&x->json);
    tut_json_free(x->writer);
    tut_parquet_free(x->file);
    tut_free(x);
}

/* --- columns --- */

/* What may stand in a defect's words. */
static const char *shown_name(const parquet_rows *x, size_t leaf, char out[40])
{
    tut_str name = tut_parquet_about(x->file)->leaves[leaf].name;
    tut_str_copy(out, 36, name);
    if (name.len > 35)
        memcpy(out + 32, "...", 4);
    for (char *c = out; *c; c++)
        *c = isprint((unsigned char)*c) ? *c : '?';
    return out;
}

static void not_read(parquet_rows *x, size_t leaf, const char *why)
{
    char name[40];
    rows_defect(x->rows, TUT_ROWS_UNREAD, UINT64_MAX, UINT64_MAX, "%s: %s",
                shown_name(x, leaf, name), why);
}

/* Names are bytes of the file: what is no UTF-8 is shown as "?". */
static tut_status add_column(parquet_rows *x, size_t leaf, tut_error *err)
{
    const tut_parquet_leaf *l = &tut_parquet_about(x->file)->leaves[leaf];
    parquet_column_state *s = &x->columns[x->count];
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_str shown = l->name;
    bool is_talk = parquet_is_talk(tut_parquet_about(x->file), leaf, &shown);
    tut_buf_add_str(&name, shown);
    TUT_TRY(tut_buf_check(&name, err));
    for (size_t i = 0; !tut_utf8_valid(tut_buf_str(&name)) && i < name.len; i++)
        name.data[i] = name.data[i] < 0x80 ? name.data[i] : '?';
    *s = (parquet_column_state){.leaf = leaf, .has_text = parquet_has_text(l), .is_talk = is_talk};
    x->rows->no_texts = !s->has_text && l->max_rep == 0;
    TUT_TRY(rows_column_add(x->rows, tut_buf_str(&name), &s->column, err));
    x->count++;
    return TUT_SUCCESS;
}

static bool is_twice(const parquet_rows *x, size_t leaf)
{
    const tut_parquet_leaf *all = tut_parquet_about(x->file)->leaves;
    for (size_t i = 0; i < x->count; i++) {
        if (tut_str_eq(all[x->columns[i].leaf].name, all[leaf].name))
            return true;
    }
    return false;
}

static tut_status add_columns(parquet_rows *x, tut_error *err)
{
    const tut_parquet_facts *about = tut_parquet_about(x->file);
    size_t left_out = 0;
    for (size_t i = 0; i < about->leaf_count; i++) {
        const char *why = x->is_in_group ? tut_parquet_unread(x->file, i) : NULL;
        if (about->leaves[i].max_rep > 1)
            why = "lists in lists are not read";
        if (why) {
            not_read(x, i, why);
            continue;
        }
        if (x->count == TUT_ROWS_COLUMNS) {
            left_out++;
            continue;
        }
        if (is_twice(x, i))
            rows_defect(x->rows, TUT_ROWS_DUPLICATE, UINT64_MAX, UINT64_MAX,
                        "two columns of the same name (column %zu)", i);
        TUT_TRY(add_column(x, i, err));
    }
    if (left_out > 0)
        rows_defect(x->rows, TUT_ROWS_UNREAD, UINT64_MAX, UINT64_MAX,
                    "%zu columns beyond the first %d", left_out, TUT_ROWS_COLUMNS);
    return TUT_SUCCESS;
}

/* --- opening --- */

static tut_status next_group(parquet_rows *x, tut_error *err)
{
    bool is_end = false;
    for (size_t i = 0; i < x->count; i++)
        parquet_words_done(x, &x->columns[i].words);
    tut_arena_done(&x->made);
    TUT_TRY(tut_parquet_group(x->file, &x->group_left, &is_end, err));
    x->is_in_group = !is_end;
    for (size_t i = 0; !is_end && i < x->count; i++) {
        const char *why = tut_parquet_unread(x->file, x->columns[i].leaf);
        if (why)
            not_read(x, x->columns[i].leaf, why);
        x->columns[i].is_over = false;
    }
    return TUT_SUCCESS;
}

static tut_status make_room(parquet_rows *x, tut_error *err)
{
    const size_t leaves = tut_parquet_about(x->file)->leaf_count;
    const size_t columns = leaves < TUT_ROWS_COLUMNS ? leaves : TUT_ROWS_COLUMNS;
    x->columns = tut_alloc_array(columns + 1, sizeof(*x->columns));
    x->shown = tut_alloc_array(columns + 1, sizeof(*x->shown));
    x->scratch.kinds = tut_alloc_array(TUT_PARQUET_RUN, 1);
    x->scratch.numbers = tut_alloc_array(TUT_PARQUET_RUN, sizeof(double));
    x->scratch.texts = tut_alloc_array(TUT_PARQUET_RUN, sizeof(tut_str));
    x->gathered_texts = tut_alloc_array(TUT_PARQUET_RUN, sizeof(tut_str));
    if (!x->columns || !x->shown || !x->scratch.kinds || !x->scratch.numbers || !x->scratch.texts ||
        !x->gathered_texts || !tut_is_ok(tut_json_new(&x->json, &x->writer)))
        return rows_no_memory(err);
    return TUT_SUCCESS;
}

static tut_status open_parquet(tut_rows *r, tut_error *err)
{
    parquet_rows *x = r->ctx = tut_alloc_array(1, sizeof(*x));
    if (!x)
        return rows_no_memory(err);
    x->rows = r;
    r->no_offsets = true;
    x->bytes_at_first = r->budget.bytes_left;
    TUT_TRY(tut_parquet_open(&r->source, &r->budget, &x->file, err));
    r->facts.layout = parquet_layout(tut_parquet_about(x->file));
    TUT_TRY(make_room(x, err));
    TUT_TRY(next_group(x, err)); /* it says which codecs are used */
    return add_columns(x, err);
}

/* --- a block --- */

void parquet_trouble(parquet_rows *x, const parquet_column_state *s, const tut_parquet_run *run,
                     size_t row)
{
    char name[40];
    if (run->trouble)
        rows_defect(x->rows, TUT_ROWS_PAGE, x->rows->batch.first + row, run->offset, "%s: %s",
                    shown_name(x, s->leaf, name), run->trouble);
}

/* Values that lie side by side go to where their levels are, from the last one on. */
static void spread(const tut_cells *c, const uint8_t *defs, uint8_t max, size_t levels,
                   size_t values)
{
    for (size_t i = levels; i-- > 0;) {
        if (defs[i] != max) {
            rows_no_cells(c, i, i + 1);
            continue;
        }
        values--;
        c->kinds[i] = c->kinds[values];
        c->numbers[i] = c->numbers[values];
        if (c->texts)
            c->texts[i] = c->texts[values];
    }
}

static tut_cells cells_from(const tut_cells *c, size_t row)
{
    return (tut_cells){.kinds = c->kinds + row,
                       .numbers = c->numbers + row,
                       .texts = c->texts ? c->texts + row : NULL};
}

static tut_status flat_run(parquet_rows *x, parquet_column_state *s, const tut_parquet_run *run,
                           size_t row, tut_error *err)
{
    const parquet_target t = {.to = cells_from(&x->rows->cells[s->column], row),
                              .arena = &x->made,
                              .row = run->defs ? UINT64_MAX : x->rows->batch.first + row};
    if (run->is_lost) {
        rows_no_cells(&t.to, 0, run->levels);
        return TUT_SUCCESS;
    }
    TUT_TRY(parquet_cells(x, s, run, &t, err));
    if (run->defs)
        spread(&t.to, run->defs, tut_parquet_about(x->file)->leaves[s->leaf].max_def, run->levels,
               run->values);
    return TUT_SUCCESS;
}

static tut_status flat_column(parquet_rows *x, parquet_column_state *s, size_t want,
                              size_t *ret_rows, tut_error *err)
{
    size_t row = 0;
    while (row < want && !s->is_over) {
        tut_parquet_run run;
        TUT_TRY(tut_parquet_read(x->file, s->leaf, want - row, &run, err));
        parquet_trouble(x, s, &run, row);
        s->is_over = run.levels == 0 && !run.trouble;
        TUT_TRY(flat_run(x, s, &run, row, err));
        row += run.levels;
    }
    *ret_rows = row;
    return TUT_SUCCESS;
}

/* Bytes that a row of a column takes, about. */
static tut_status weigh(parquet_rows *x, const parquet_column_state *s, uint64_t *ret_bytes,
                        tut_error *err)
{
    const tut_parquet_leaf *l = &tut_parquet_about(x->file)->leaves[s->leaf];
    TUT_TRY(tut_parquet_weight(x->file, s->leaf, ret_bytes, err));
    if (l->max_rep > 0)
        *ret_bytes *= s->rows ? (s->levels + s->rows - 1) / s->rows : 1;
    return TUT_SUCCESS;
}

static tut_status block_size(parquet_rows *x, size_t *ret_rows, tut_error *err)
{
    const size_t limit = x->rows->row_limit ? x->rows->row_limit : TUT_ROWS_BATCH;
    uint64_t rows = x->group_left < limit ? x->group_left : limit, weight = 1;
    for (size_t i = 0; i < x->count; i++) {
        const parquet_column_state *s = &x->columns[i];
        uint64_t bytes = 0;
        if (!s->is_over)
            TUT_TRY(weigh(x, s, &bytes, err));
        weight += bytes;
        bool is_list = tut_parquet_about(x->file)->leaves[s->leaf].max_rep > 0;
        if (is_list && s->rows == 0 && rows > FIRST_LIST_ROWS)
            rows = FIRST_LIST_ROWS;
    }
    uint64_t fit = BLOCK_BYTES / weight;
    rows = fit < rows ? fit : rows;
    *ret_rows = rows ? (size_t)rows : 1;
    return TUT_SUCCESS;
}

/* The rows that no column has are not there, whatever the footer says. */
static tut_status decode_block(parquet_rows *x, tut_error *err)
{
    size_t want = 0, most = 0;
    tut_parquet_release(x->file);
    tut_arena_done(&x->made);
    TUT_TRY(block_size(x, &want, err));
    for (size_t i = 0; i < x->count; i++) {
        parquet_column_state *s = &x->columns[i];
        size_t rows = 0;
        if (tut_parquet_about(x->file)->leaves[s->leaf].max_rep > 0)
            TUT_TRY(parquet_list(x, s, want, &rows, err));
        else
            TUT_TRY(flat_column(x, s, want, &rows, err));
        rows_no_cells(&x->rows->cells[s->column], rows, want);
        most = rows > most ? rows : most;
    }
    if (most < want)
        rows_defect(x->rows, TUT_ROWS_PAGE, x->rows->batch.first + most, UINT64_MAX,
                    "%llu rows of a row group are not there",
                    (unsigned long long)(x->group_left - most));
    x->group_left = most < want ? 0 : x->group_left - want;
    x->block = most;
    x->given = 0;
    return TUT_SUCCESS;
}

/* Values that are left when a row group has had all its rows. */
static tut_status end_group(parquet_rows *x, tut_error *err)
{
    for (size_t i = 0; i < x->count; i++) {
        parquet_column_state *s = &x->columns[i];
        tut_parquet_run run = {0};
        if (s->is_over)
            continue;
        TUT_TRY(tut_parquet_read(x->file, s->leaf, 1, &run, err));
        if (run.levels > 0)
            run.trouble = "holds more values than the row group has rows";
        parquet_trouble(x, s, &run, 0);
    }
    x->is_in_group = false;
    return TUT_SUCCESS;
}

/* --- batches --- */

/* Rows of the block from `given` on whose texts fit a batch, and how many bytes they are. */
static size_t batch_rows(const parquet_rows *x, uint64_t *ret_bytes)
{
    const size_t left = x->block - x->given;
    uint64_t sizes[TUT_ROWS_BATCH], total = 0;
    memset(sizes, 0, left * sizeof(*sizes));
    for (size_t c = 0; c < x->count; c++) {
        const tut_str *texts = x->rows->cells[x->columns[c].column].texts;
        for (size_t i = 0; texts && i < left; i++)
            sizes[i] += texts[x->given + i].len;
    }
    size_t rows = 0;
    while (rows < left && (rows == 0 || total + sizes[rows] <= TUT_ROWS_BATCH_BYTES))
        total += sizes[rows++];
    *ret_bytes = total;
    return rows;
}

static tut_status check_bomb(parquet_rows *x, uint64_t bytes, tut_error *err)
{
    uint64_t limit;
    x->handed += bytes;
    if (__builtin_mul_overflow(x->rows->source.size, handed_ratio, &limit) ||
        __builtin_add_overflow(limit, handed_free, &limit))
        limit = UINT64_MAX;
    if (x->handed <= limit)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_LIMIT, "%llu bytes of Parquet make more than %llu MiB of cells",
                    (unsigned long long)x->rows->source.size, (unsigned long long)(limit >> 20));
}

static tut_status hand_out(parquet_rows *x, tut_error *err)
{
    tut_rows *r = x->rows;
    uint64_t bytes = 0;
    size_t rows = batch_rows(x, &bytes);
    TUT_TRY(check_bomb(x, bytes + rows * (uint64_t)x->count * CELL_COST, err));
    for (size_t i = 0; i < x->count; i++)
        x->shown[i] = cells_from(&r->cells[i], x->given);
    r->batch.cells = x->shown;
    r->batch.count = rows;
    x->given += rows;
    r->facts.bytes = x->bytes_at_first - r->budget.bytes_left;
    return TUT_SUCCESS;
}

static tut_status next_parquet(tut_rows *r, tut_error *err)
{
    parquet_rows *x = r->ctx;
    while (x->given == x->block) {
        if (x->count == 0)
            return TUT_SUCCESS;
        if (x->is_in_group && x->group_left == 0)
            TUT_TRY(end_group(x, err));
        if (!x->is_in_group)
            TUT_TRY(next_group(x, err));
        if (!x->is_in_group)
            return TUT_SUCCESS;
        x->block = x->given = 0;
        if (x->group_left > 0)
            TUT_TRY(decode_block(x, err));
    }
    return hand_out(x, err);
}

const rows_format rows_parquet = {
    .name = "parquet",
    .needs_source = true,
    .is_it = is_it,
    .open = open_parquet,
    .next = next_parquet,
    .free = close_parquet,
};
