/*
 * Arrays as rows: rows_array.c (npy and idx), rows_npz.c (archives of npy), rows_array_open.c (what
 * stands before the numbers), rows_array_read.c (rows of one array), rows_array_cells.c (elements
 * to cells).
 */
#ifndef TUT_DATA_ROWS_ARRAY_H
#define TUT_DATA_ROWS_ARRAY_H

#include "base/buf.h"
#include "data/rows_internal.h"

enum { ARRAY_DIMS = 64 };

typedef enum array_kind {
    ARRAY_BOOL,
    ARRAY_INT,
    ARRAY_UINT,
    ARRAY_FLOAT,
    ARRAY_UTF32, /* NumPy's U */
    ARRAY_BYTES, /* NumPy's S */
    ARRAY_TIME,  /* NumPy's M8: since 1970, in `unit` */
    ARRAY_UNREAD
} array_kind;

/* A field of an element; an element without fields has one, without a name. */
typedef struct array_field {
    tut_str name; /* bytes of the header; "" without */
    array_kind kind;
    bool is_big;
    uint32_t size;   /* bytes of one value */
    uint64_t offset; /* in the element */
    uint64_t count;  /* values side by side (a field that is an array itself) */
    char unit[4];    /* of TIME: "D", "ms" */
    const char *why; /* it is not read */
} array_field;

typedef struct array_column {
    size_t field, column;
    uint64_t element; /* of the row, in C order */
    uint64_t offset;  /* in the element */
} array_column;

/* One array that is read front to back (or, in Fortran's order, here and there). */
typedef struct array {
    tut_rows *rows_object;
    tut_buf header; /* of npy: what field names point to */
    array_field *fields;
    size_t field_count, field_capacity;
    bool is_npy, has_fields, is_fortran;
    size_t rank;
    uint64_t dims[ARRAY_DIMS];
    uint64_t count;      /* rows, as it says */
    uint64_t inner;      /* elements of a row */
    uint64_t item_bytes; /* of an element */
    uint64_t row_bytes;
    uint64_t done; /* rows */
    array_column *columns;
    size_t column_count;
    uint64_t left_out;   /* columns beyond TUT_ROWS_COLUMNS */
    uint64_t need_bytes; /* of a row: up to the last column */
    tut_stream *stream;  /* borrowed; at the first element */
    tut_source source;   /* of the elements, in Fortran's order */
    bool is_cut;         /* the bytes end before the rows do */
    tut_buf row;
} array;

/* --- rows_array_open.c --- */
bool array_is_npy(tut_span head);
bool array_is_idx(tut_span head);
/* stream stands at the array's first byte, then at its first element. UNSUPPORTED: elements that
 * are no numbers or texts (objects are a pickle, which nobody runs here); MALFORMED, TRUNCATED,
 * LIMIT. `whole` (may be NULL) are all of its bytes, for arrays in Fortran's order. */
TUT_MUST tut_status array_open(array *a, tut_rows *r, tut_stream *stream, const tut_source *whole,
                               bool is_npy, tut_error *err);
void array_done(array *a);
/* Adds its columns to the table, each name with `prefix` before it ("" without); what is not read
 * is told. */
TUT_MUST tut_status array_add_columns(array *a, tut_str prefix, tut_error *err);

/* --- rows_array_read.c --- */
/* Rows that a batch takes of it at most, by their bytes. */
size_t array_batch(const array *a);
/* The next rows into the cells of the batch from row 0 on; *ret_rows of up to `want` were there. */
TUT_MUST tut_status array_read(array *a, size_t want, size_t *ret_rows, tut_error *err);

/* Its cells in the rows [from, to) of the batch are nothing. */
void array_lacks(const array *a, size_t from, size_t to);

/* --- rows_array_cells.c --- */
/* n values that lie `stride` bytes apart, as cells from `row` on; first: the table's row. NOMEM. */
TUT_MUST tut_status array_cells(tut_rows *r, const array_field *f, const uint8_t *at, size_t stride,
                                size_t n, const tut_cells *to, size_t row, tut_error *err);
bool array_has_text(const array_field *f, bool is_wide_table);

#endif
