/* The batch that a format fills, and what is counted as broken on the way. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "data/decimal.h"
#include "data/rows_internal.h"

enum {
    CELLS = 32 << 10,       /* of a batch: what fits the processor's second cache */
    ROWS_LEAST = 64,        /* a batch has room for, however many columns there are */
    TEXT_BLOCK = 256 << 10, /* bytes of texts that are asked for at once */
    TEXT_PAD = 64,          /* behind a text that may be read */
    SPARES = 16             /* blocks kept for the next batch */
};

struct rows_text_block {
    rows_text_block *next;
    size_t size, used;
    char data[];
};

typedef struct words {
    const char *id, *text;
} words;
static const words defects[TUT_ROWS_DEFECT_COUNT] = {
#define DEFECT(name, id, text) {id, text},
    TUT_ROWS_DEFECTS(DEFECT)
#undef DEFECT
};

const char *tut_rows_defect_id(tut_rows_defect_kind kind)
{
    return defects[kind].id;
}

const char *tut_rows_defect_words(tut_rows_defect_kind kind)
{
    return defects[kind].text;
}

/* --- columns --- */

static bool grow_columns(tut_rows *r)
{
    size_t capacity = r->column_capacity ? 2 * r->column_capacity : 16;
    tut_cells *cells = tut_realloc_array(r->cells, capacity, sizeof(*cells));
    r->cells = cells ? cells : r->cells;
    size_t *capacities = tut_realloc_array(r->capacities, capacity, sizeof(*capacities));
    r->capacities = capacities ? capacities : r->capacities;
    tut_str *names = tut_realloc_array(r->names, capacity, sizeof(*names));
    r->names = names ? names : r->names;
    if (!cells || !capacities || !names)
        return false;
    r->column_capacity = capacity;
    return true;
}

static size_t row_limit(size_t columns)
{
    size_t rows = columns ? CELLS / columns : TUT_ROWS_BATCH;
    rows = rows < TUT_ROWS_BATCH ? rows : TUT_ROWS_BATCH;
    return rows > ROWS_LEAST ? rows : ROWS_LEAST;
}

static void unset(tut_cells *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        c->kinds[i] = TUT_CELL_NONE;
        c->numbers[i] = NAN;
        if (c->texts)
            c->texts[i] = (tut_str){"", 0};
    }
}

/* One block: texts, numbers, kinds. */
static bool make_cells(tut_rows *r, size_t capacity, tut_cells *ret_cells)
{
    size_t texts = r->no_texts ? 0 : sizeof(tut_str);
    uint8_t *block = tut_realloc_array(NULL, capacity, texts + sizeof(double) + 1);
    if (!block)
        return false;
    ret_cells->texts = texts ? (tut_str *)(void *)block : NULL;
    ret_cells->numbers = (double *)(void *)(block + capacity * texts);
    ret_cells->kinds = block + capacity * (texts + sizeof(double));
    return true;
}

static void free_cells(const tut_cells *c)
{
    tut_free(c->texts ? (void *)c->texts : (void *)c->numbers);
}

static void point_batch(tut_rows *r)
{
    r->batch.cells = r->cells;
    r->batch.names = r->names;
    r->batch.column_count = r->column_count;
    r->batch.offsets = r->no_offsets ? NULL : r->offsets;
}

tut_status rows_column_add(tut_rows *r, tut_str name, size_t *ret_index, tut_error *err)
{
    if (r->column_count == TUT_ROWS_COLUMNS)
        return tut_fail(err, TUT_LIMIT, "the table has more than %d columns", TUT_ROWS_COLUMNS);
    if (r->column_count == r->column_capacity && !grow_columns(r))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    char *copy = tut_arena_copy(&r->lasting, name);
    /* The limit only falls: a column that is as large as it is now stays large enough. */
    r->row_limit = row_limit(r->column_count + 1);
    size_t capacity = r->batch.count > r->row_limit ? r->batch.count : r->row_limit;
    tut_cells cells = {0};
    if (!copy || !make_cells(r, capacity, &cells))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    unset(&cells, 0, r->batch.count);
    r->cells[r->column_count] = cells;
    r->capacities[r->column_count] = capacity;
    r->names[r->column_count] = (tut_str){copy, name.len};
    *ret_index = r->column_count++;
    point_batch(r);
    return TUT_SUCCESS;
}

/* --- rows --- */

void rows_batch_clear(tut_rows *r)
{
    r->batch.first += r->batch.count;
    r->batch.count = 0;
    point_batch(r);
    while (r->texts) {
        rows_text_block *block = r->texts;
        r->texts = block->next;
        if (block->size > TEXT_BLOCK || r->spare_count == SPARES) {
            tut_free(block);
            continue;
        }
        r->spare_count++;
        block->next = r->spares;
        r->spares = block;
    }
    r->text_bytes = 0;
}

static void free_blocks(rows_text_block *block)
{
    while (block) {
        rows_text_block *next = block->next;
        tut_free(block);
        block = next;
    }
}

void rows_batch_done(tut_rows *r)
{
    for (size_t i = 0; i < r->column_count; i++)
        free_cells(&r->cells[i]);
    tut_free(r->cells);
    tut_free(r->capacities);
    tut_free(r->names);
    tut_free(r->offsets);
    free_blocks(r->texts);
    free_blocks(r->spares);
    tut_arena_done(&r->lasting);
}

static void remember_defects(tut_rows *r)
{
    r->defects_before = r->defects;
    for (size_t i = 0; i < TUT_ROWS_DEFECT_COUNT; i++)
        r->counts_before[i] = r->facts.defects[i].count;
}

bool rows_row_begin_unset(tut_rows *r, uint64_t offset)
{
    size_t limit = r->row_limit ? r->row_limit : TUT_ROWS_BATCH;
    if (r->batch.count >= limit || (r->batch.count && r->text_bytes >= TUT_ROWS_BATCH_BYTES))
        return false;
    if (!r->no_offsets)
        r->offsets[r->batch.count] = offset;
    if (r->defects != r->defects_before)
        remember_defects(r);
    r->batch.count++;
    return true;
}

bool rows_row_begin(tut_rows *r, uint64_t offset)
{
    if (!rows_row_begin_unset(r, offset))
        return false;
    for (size_t i = 0; i < r->column_count; i++)
        unset(&r->cells[i], r->batch.count - 1, r->batch.count);
    return true;
}

void rows_row_drop(tut_rows *r)
{
    r->batch.count--;
    if (r->defects == r->defects_before)
        return;
    r->defects = r->defects_before;
    for (size_t i = 0; i < TUT_ROWS_DEFECT_COUNT; i++) {
        tut_rows_defects *d = &r->facts.defects[i];
        d->count = r->counts_before[i];
        d->kept = d->count < TUT_ROWS_DEFECTS_KEPT ? (size_t)d->count : TUT_ROWS_DEFECTS_KEPT;
    }
}

uint64_t rows_row_number(const tut_rows *r)
{
    return r->batch.first + r->batch.count;
}

static rows_text_block *block_for(tut_rows *r, size_t len)
{
    rows_text_block *block = r->spares;
    if (block && len <= TEXT_BLOCK) {
        r->spares = block->next;
        r->spare_count--;
    } else {
        size_t size = len > TEXT_BLOCK ? len : TEXT_BLOCK;
        if (size > SIZE_MAX / 2)
            return NULL;
        block = tut_alloc_array(sizeof(*block) + size + TEXT_PAD, 1);
        if (!block)
            return NULL;
        block->size = size;
    }
    block->used = 0;
    block->next = r->texts;
    r->texts = block;
    return block;
}

char *rows_keep(tut_rows *r, size_t len)
{
    rows_text_block *block = r->texts;
    if (!block || len > block->size - block->used)
        block = block_for(r, len);
    if (!block)
        return NULL;
    char *p = block->data + block->used;
    block->used += len;
    r->text_bytes += len;
    return p;
}

/* --- what is broken --- */

void rows_defect(tut_rows *r, tut_rows_defect_kind kind, uint64_t row, uint64_t offset,
                 const char *format, ...)
{
    va_list args;
    tut_rows_defects *d = &r->facts.defects[kind];
    d->count++;
    r->defects++;
    if (d->kept == TUT_ROWS_DEFECTS_KEPT)
        return;
    tut_rows_defect *made = &d->items[d->kept++];
    *made = (tut_rows_defect){.row = row, .offset = offset};
    va_start(args, format);
    (void)vsnprintf(made->detail, sizeof(made->detail), format, args);
    va_end(args);
    for (char *c = made->detail; *c; c++)
        if (!isprint((unsigned char)*c))
            *c = '?';
}

/* --- what a text looks like --- */

typedef struct look {
    const char *word;
    tut_cell_kind kind;
    double number;
} look;

static tut_cell_kind look_of_word(tut_str text, double *ret_number)
{
    static const look looks[] = {
        {"true", TUT_CELL_BOOL, 1},
        {"false", TUT_CELL_BOOL, 0},
        {"nan", TUT_CELL_NUMBER, NAN},
        {"+nan", TUT_CELL_NUMBER, NAN},
        {"-nan", TUT_CELL_NUMBER, NAN},
        {"inf", TUT_CELL_NUMBER, INFINITY},
        {"+inf", TUT_CELL_NUMBER, INFINITY},
        {"-inf", TUT_CELL_NUMBER, -INFINITY},
        {"infinity", TUT_CELL_NUMBER, INFINITY},
        {"+infinity", TUT_CELL_NUMBER, INFINITY},
        {"-infinity", TUT_CELL_NUMBER, -INFINITY},
        {"na", TUT_CELL_NONE, NAN},
        {"n/a", TUT_CELL_NONE, NAN},
        {"#n/a", TUT_CELL_NONE, NAN},
        {"null", TUT_CELL_NONE, NAN},
    };
    *ret_number = NAN;
    if (text.len == 0)
        return TUT_CELL_NONE;
    if (text.len < 2 || text.len > 9 || !memchr("tTfFnN#iI+-", text.data[0], 11))
        return TUT_CELL_TEXT;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        if (!tut_str_ieq(text, tut_str_of(looks[i].word)))
            continue;
        *ret_number = looks[i].number;
        return looks[i].kind;
    }
    return TUT_CELL_TEXT;
}

tut_cell_kind rows_look(tut_str text, double *ret_number)
{
    if (tut_decimal(text, ret_number))
        return rows_number_kind(*ret_number);
    return look_of_word(text, ret_number);
}
