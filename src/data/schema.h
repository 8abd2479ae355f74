/*
 * What a dataset has to be like: inferred from a profile, kept in a baseline, and enforced on
 * another version of the data, row by row.
 *
 * Inferred are, for each column: the kinds of its cells; the range of its numbers, widened on each
 * side by TUT_DATA_SCHEMA_SLACK of its width (not where numbers only ever rise, nor below zero
 * where none was); the set of its values, where all of them are counted and each came ten times on
 * average; the shapes of its texts, where there are few; the share of empty cells and some more
 * (TUT_DATA_SCHEMA_NULL_SLACK, and three standard errors); that no value comes twice, where that is
 * proved. Of the whole: the columns, and half to twice as many rows. The data it was inferred from
 * passes.
 */
#ifndef TUT_DATA_SCHEMA_H
#define TUT_DATA_SCHEMA_H

#include "data/found.h"
#include "data/profile.h"

#define TUT_DATA_SCHEMA_SLACK 0.1
#define TUT_DATA_SCHEMA_NULL_SLACK 0.05

enum {
    TUT_DATA_SCHEMA_VALUES = 64, /* of a set */
    TUT_DATA_SCHEMA_SHAPES = 8,  /* of a column */
    TUT_DATA_SCHEMA_ROWS_LEAST =
        20, /* cells that hold something, before anything but kinds is inferred */
    TUT_DATA_SCHEMA_UNIQUE = 4 << 20, /* values that are remembered for uniqueness, of one column */
    TUT_DATA_SCHEMA_BYTES = 64 << 20  /* of a baseline */
};

typedef struct tut_data_schema_value {
    uint64_t hash;
    double number; /* NaN: a text */
    char *text;    /* owned, NUL-ended; NULL: a number */
} tut_data_schema_value;

typedef struct tut_data_schema_column {
    char *name; /* owned */
    size_t name_len;
    uint8_t kinds;                 /* a bit for each tut_cell_kind but NONE; 0: any */
    double least, most;            /* NaN: any */
    tut_data_schema_value *values; /* in order of hash */
    size_t value_count;            /* 0: any */
    char shapes[TUT_DATA_SCHEMA_SHAPES][TUT_PROFILE_SHAPE];
    size_t shape_count;     /* 0: any */
    double null_share_most; /* 1: any */
    bool is_unique;
} tut_data_schema_column;

typedef struct tut_data_schema {
    tut_data_schema_column *columns;
    size_t count, capacity;
    uint64_t rows_least, rows_most;
} tut_data_schema;

TUT_MUST tut_status tut_data_schema_infer(const tut_profile *p, tut_data_schema **ret_schema,
                                          tut_error *err);
void tut_data_schema_free(tut_data_schema *s);
TUT_DEFINE_AUTO(tut_data_schema)

/* --- the baseline: a document {"schema": "tutela.profile/1", "profile", "constraints"} --- */
TUT_MUST tut_status tut_data_schema_write(const tut_profile *p, const tut_data_schema *s,
                                          tut_time at, tut_buf *out, tut_error *err);
/* MALFORMED, LIMIT, UNSUPPORTED (another schema string). */
TUT_MUST tut_status tut_data_schema_read(tut_span json, tut_profile **ret_profile,
                                         tut_data_schema **ret_schema, tut_error *err);

/* --- enforcement --- */
typedef struct tut_data_schema_check tut_data_schema_check;

/* s is borrowed for the object's life. */
TUT_MUST tut_status tut_data_schema_check_new(const tut_data_schema *s, tut_data_schema_check **ret,
                                              tut_error *err);
void tut_data_schema_check_free(tut_data_schema_check *c);
TUT_DEFINE_AUTO(tut_data_schema_check)
TUT_MUST tut_status tut_data_schema_check_add(tut_data_schema_check *c, const tut_batch *batch,
                                              tut_error *err);
/* What was violated, one finding for each rule and column with its first rows:
 * dataset.schema-type, -range, -set, -pattern, -null, -unique, -columns, -rows. */
TUT_MUST tut_status tut_data_schema_check_end(tut_data_schema_check *c, tut_data_findings *to,
                                              tut_error *err);

#endif
