/*
 * Parquet's parts of the rows: rows_parquet.c (blocks of rows, and batches out of them),
 * rows_parquet_cells.c (stored values to cells), rows_parquet_list.c (lists to JSON),
 * rows_parquet_talk.c (what people say to models).
 */
#ifndef TUT_DATA_ROWS_PARQUET_H
#define TUT_DATA_ROWS_PARQUET_H

#include "base/json_write.h"
#include "data/rows_value.h"
#include "formats/parquet.h"

/* What a column's dictionary is as cells. */
typedef struct parquet_words {
    uint64_t number; /* of the dictionary; 0: none */
    size_t count;
    tut_cells cells;
    tut_arena texts;
    uint64_t heap; /* charged */
} parquet_words;

typedef struct parquet_column_state {
    size_t leaf;
    size_t column;
    bool has_text;         /* its cells have texts */
    bool is_talk;          /* what is said in a list of turns: texts one after another, not JSON */
    bool is_over;          /* nothing more comes in this row group */
    uint64_t levels, rows; /* of a list: seen so far, for guessing how long rows are */
    parquet_words words;
} parquet_column_state;

typedef struct parquet_rows {
    tut_rows *rows;
    tut_parquet *file;
    parquet_column_state *columns;
    size_t count;
    uint64_t bytes_at_first; /* of the budget */
    bool is_in_group;
    uint64_t group_left; /* rows that the group still has, by its own account */
    uint64_t handed;     /* cells and bytes of texts so far, against bombs */
    /* the block: rows that are decoded, handed out in one batch or several */
    size_t block, given;
    size_t list_bytes; /* JSON made for the present column of the block */
    tut_cells *shown;
    tut_arena made; /* texts of the block */
    /* where values become cells before they are put in place: TUT_PARQUET_RUN each */
    tut_cells scratch;
    tut_buf gathered, json;
    tut_str *gathered_texts;
    tut_json *writer;
} parquet_rows;

/* Where converted texts live, and what is told of them. */
typedef struct parquet_target {
    tut_cells to;
    tut_arena *arena;
    uint64_t row; /* of the first value, for defects; UINT64_MAX: of no one row */
} parquet_target;

/* --- rows_parquet_cells.c --- */
bool parquet_has_text(const tut_parquet_leaf *l);
/* The values of a run, side by side; to.texts may be NULL where parquet_has_text says so. NOMEM. */
TUT_MUST tut_status parquet_cells(parquet_rows *x, parquet_column_state *s,
                                  const tut_parquet_run *run, const parquet_target *t,
                                  tut_error *err);
void parquet_words_done(parquet_rows *x, parquet_words *w);

/* --- rows_parquet_talk.c --- */
/* Whether a leaf holds what is said in a list of turns whose other fields say who speaks; then the
 * list's own name. */
bool parquet_is_talk(const tut_parquet_facts *about, size_t leaf, tut_str *ret_name);
/* "chat" or "instruction" where the columns' names say so, else "table". */
const char *parquet_layout(const tut_parquet_facts *about);

/* --- rows_parquet_list.c --- */
/* The next `want` rows of a column of lists, as JSON or as talk; *ret_rows: so many came. */
TUT_MUST tut_status parquet_list(parquet_rows *x, parquet_column_state *s, size_t want,
                                 size_t *ret_rows, tut_error *err);

/* --- rows_parquet.c --- */
void parquet_trouble(parquet_rows *x, const parquet_column_state *s, const tut_parquet_run *run,
                     size_t row);

#endif
