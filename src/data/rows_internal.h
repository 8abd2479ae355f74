/* What the formats of tables have in common. For src/data/rows*.c. */
#ifndef TUT_DATA_ROWS_INTERNAL_H
#define TUT_DATA_ROWS_INTERNAL_H

#include "base/arena.h"
#include "base/budget.h"
#include "data/decimal.h"
#include "data/rows.h"

typedef enum rows_encoding { ROWS_UTF8, ROWS_UTF16LE, ROWS_UTF16BE, ROWS_1252 } rows_encoding;

typedef struct rows_text_block rows_text_block;

typedef struct rows_format {
    const char *name;
    bool needs_source; /* reads here and there (Parquet, npz): else from a stream, front to back */
    /* head: the first bytes after decompression, up to TUT_LIMIT_PEEK_BYTES of them; where they
     * are UTF-16, what they say in UTF-8; without a byte order mark. ending: ".csv" of the name
     * without ".gz" and the like, "" where there is none. */
    bool (*is_it)(tut_span head, const char *ending);
    /* Sets r->ctx, zeroed, first of all (freed with `free`, after a failure too; it may be NULL
     * then), and of r->facts what differs from no encoding, layout "table". r->stream stands at the
     * first byte; r->source holds all of them, decompressed, when needs_source. A format of arrays
     * sets no_texts and no_offsets before it adds a column, and counts facts.bytes itself. */
    tut_status (*open)(tut_rows *r, tut_error *err);
    /* Fills r->batch through rows_batch_*; leaves it empty at the end. */
    tut_status (*next)(tut_rows *r, tut_error *err);
    void (*free)(void *ctx);
} rows_format;

/* rows_csv.c, rows_json.c, rows_parquet.c, rows_array.c (npy, idx), rows_npz.c, rows_text.c; in the
 * order in which they are asked. */
extern const rows_format rows_parquet, rows_npz, rows_array, rows_json, rows_csv, rows_text;

struct tut_rows {
    const rows_format *format;
    void *ctx;
    const char *name;  /* of the file; may be NULL */
    tut_source source; /* the file, or (compressed and needs_source) what it decodes to */
    tut_stream *stream;
    tut_stream *packed; /* beneath stream, of a compressed file */
    tut_buf held;       /* what source points to then */
    tut_budget budget;
    bool is_over; /* nothing more can be read */
    tut_rows_facts facts;
    tut_batch batch;
    rows_encoding encoding; /* of what the stream gives: found before the format is asked */
    unsigned bom_bytes;     /* at its beginning */
    /* what batch points to; rows_batch.c */
    tut_cells *cells;
    size_t *capacities; /* rows that the cells of each column have room for */
    tut_str *names;
    uint64_t *offsets;
    size_t column_capacity, column_count;
    size_t row_limit;       /* rows of a batch: fewer when there are many columns */
    tut_arena lasting;      /* names */
    rows_text_block *texts; /* of this batch: emptied with the next one */
    rows_text_block *spares;
    unsigned spare_count;
    uint64_t defects, defects_before; /* of all kinds; when the last row began */
    uint64_t counts_before[TUT_ROWS_DEFECT_COUNT];
    size_t text_bytes; /* taken by rows_keep */
    bool no_texts;     /* set by open: cells have no texts (arrays) */
    bool no_offsets;   /* set by open: rows have no place in the bytes */
};

/* --- rows_batch.c --- */
/* Appends a column; name is copied, and its cells in rows before are NONE. LIMIT beyond
 * TUT_ROWS_COLUMNS. */
TUT_MUST tut_status rows_column_add(tut_rows *r, tut_str name, size_t *ret_index, tut_error *err);
/* Empties the batch and its texts. */
void rows_batch_clear(tut_rows *r);
/* A row with all cells NONE; false when the batch is full (rows or bytes). */
bool rows_row_begin(tut_rows *r, uint64_t offset);
/* The same with whatever was in its cells: the caller sets each of them. */
bool rows_row_begin_unset(tut_rows *r, uint64_t offset);
/* Takes the last row back, and what was counted as broken since it began. */
void rows_row_drop(tut_rows *r);
/* The cell of the last row; text is borrowed until the batch is cleared, or kept with rows_keep. */
static inline void rows_set(tut_rows *r, size_t column, tut_cell_kind kind, double number,
                            tut_str text)
{
    const tut_cells *c = &r->cells[column];
    size_t row = r->batch.count - 1;
    c->kinds[row] = (uint8_t)kind;
    c->numbers[row] = number;
    if (c->texts)
        c->texts[row] = text;
}
/* The number that the next row will have, from 0. */
uint64_t rows_row_number(const tut_rows *r);
/* Room for so many bytes that live as long as the batch; NULL: memory ran out. */
char *rows_keep(tut_rows *r, size_t len);
/* Frees what the functions above hold. */
void rows_batch_done(tut_rows *r);
void rows_defect(tut_rows *r, tut_rows_defect_kind kind, uint64_t row, uint64_t offset,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* INTEGER or NUMBER. */
static inline tut_cell_kind rows_number_kind(double value)
{
    return tut_decimal_is_whole(value) ? TUT_CELL_INTEGER : TUT_CELL_NUMBER;
}
/* What a text is by its look: NUMBER or INTEGER (RFC 8259's numbers, also with a leading "+", "."
 * or zeros, and nan, inf, NA, null as nothing in any case), BOOL (true, false), NONE, else TEXT. */
tut_cell_kind rows_look(tut_str text, double *ret_number);

#endif
