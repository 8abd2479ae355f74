/*
 * Two tables side by side, the reference and the current one, by column: what drift is judged by.
 * Numbers are kept up to a number of cells a side; beyond it a sample of whole rows, drawn with a
 * seed, stands for all, and that is told. Texts are counted exactly while there are not too many
 * different ones.
 */
#ifndef TUT_WATCH_PAIR_H
#define TUT_WATCH_PAIR_H

#include "base/arena.h"
#include "data/rows.h"
#include "stats/seeded.h"

enum {
    TUT_PAIR_CELLS = 8 << 20,   /* numbers kept a side: what a worker has room for */
    TUT_PAIR_ROWS = 1 << 20,    /* rows kept a side, at most */
    TUT_PAIR_CATEGORIES = 1024, /* different texts of a column that are told apart */
    TUT_PAIR_TEXTS = 2000,      /* texts kept a side of the columns that are read as language */
    TUT_PAIR_TEXT_BYTES = 4096, /* of each, from its start */
    TUT_PAIR_TEXT_MAX = 64 << 20
};

typedef enum tut_side { TUT_REFERENCE, TUT_CURRENT, TUT_SIDES } tut_side;

typedef struct tut_category {
    tut_str text;
    uint64_t counts[TUT_SIDES];
} tut_category;

typedef struct tut_pair_column {
    tut_str name;
    bool is_there[TUT_SIDES]; /* the side has such a column */
    bool is_language;         /* its texts are kept, for n-grams */
    uint64_t missing[TUT_SIDES], numbers[TUT_SIDES], texts[TUT_SIDES];
    bool rises[TUT_SIDES]; /* every number is above the one before: row numbers, times */
    double last[TUT_SIDES];
    double *values[TUT_SIDES]; /* kept_rows[side] of them; NaN where there is no number */
    size_t capacity[TUT_SIDES];
    tut_category *categories;
    size_t category_count, category_capacity;
    uint32_t *slots; /* of the categories, by hash */
    size_t slot_count;
    uint64_t others[TUT_SIDES]; /* texts beyond the categories that are told apart */
    tut_str *kept[TUT_SIDES];   /* of is_language; at most TUT_PAIR_TEXTS */
    size_t kept_count[TUT_SIDES];
} tut_pair_column;

typedef struct tut_pair {
    tut_pair_column *columns;
    size_t column_count, column_capacity;
    size_t *places[TUT_SIDES]; /* of a side's columns among these; SIZE_MAX: not looked at */
    size_t placed[TUT_SIDES], place_capacity[TUT_SIDES];
    uint64_t rows[TUT_SIDES];
    size_t kept_rows[TUT_SIDES], row_cap[TUT_SIDES];
    uint64_t ragged[TUT_SIDES]; /* defects that the reader told of */
    tut_arena texts;
    const tut_str *only; /* columns that are looked at; NULL: all. Borrowed, as `language` */
    size_t only_count;
    tut_str language; /* the column that is read as language; empty: none */
    size_t cells;     /* numbers kept a side; TUT_PAIR_CELLS, less in tests */
    tut_seeded random;
    uint32_t hash_seed;
} tut_pair;

void tut_pair_init(tut_pair *p, uint64_t seed);
void tut_pair_done(tut_pair *p);
TUT_MUST tut_status tut_pair_add(tut_pair *p, tut_side side, const tut_batch *batch,
                                 tut_error *err);
/* Reads all of it. What is broken in the file ends the reading of this side only when nothing was
 * read before. */
TUT_MUST tut_status tut_pair_read(tut_pair *p, tut_side side, tut_rows *rows, tut_error *err);
/* NULL: no such column. */
tut_pair_column *tut_pair_find(const tut_pair *p, tut_str name);
#endif
