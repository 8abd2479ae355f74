/* For src/data/features*.c. */
#ifndef TUT_DATA_FEATURES_INTERNAL_H
#define TUT_DATA_FEATURES_INTERNAL_H

#include "base/map.h"
#include "data/features.h"

typedef enum column_role {
    COLUMN_IGNORED,
    COLUMN_NUMBER,
    COLUMN_CATEGORY,
    COLUMN_TEXT,
    COLUMN_LABEL,
    COLUMN_SOURCE
} column_role;

typedef struct column {
    column_role role;
    size_t at; /* its place among the numbers or the categories of a row */
} column;

/* Names in the order in which they came. */
typedef struct name_list {
    tut_map map;
    const char **names;
    size_t count, capacity;
} name_list;

typedef struct kept_row {
    uint64_t row;
    uint32_t label;
    uint32_t word_count, word_capacity;
    uint32_t *words;
} kept_row;

struct tut_features {
    tut_features_options options;
    tut_arena names;
    bool is_planned, has_outside_labels, is_array, is_full_of_rows;
    column *columns;
    size_t column_count, number_count, category_count;
    bool has_texts, has_label, has_source, too_many_classes, too_many_sources, too_many_words;
    name_list classes, sources, words;
    uint32_t *labels, *row_sources; /* of all rows */
    size_t label_count, source_count, label_capacity, source_capacity;
    uint64_t seen, unlabelled;
    uint64_t random;
    kept_row *kept;       /* most of them */
    float *numbers;       /* most x number_count; NaN: not there */
    uint32_t *categories; /* most x category_count: hashes; 0: not there */
    size_t kept_count, most;
    tut_features_matrix matrix;
};

/* --- features_words.c --- */
TUT_MUST tut_status features_name(tut_features *f, name_list *l, tut_str name, size_t most,
                                  uint32_t *ret_at, tut_error *err);
void name_list_done(name_list *l);
TUT_MUST tut_status features_words(tut_features *f, tut_str text, kept_row *row, tut_error *err);

/* --- features_matrix.c --- */
TUT_MUST tut_status features_matrix(tut_features *f, tut_error *err);
void features_matrix_done(tut_features_matrix *m);

#endif
