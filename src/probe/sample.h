/*
 * Rows of a dataset as the model takes them: numbers in the order of its columns, with the label
 * apart. Read in the cage (data/rows.h), so CSV, JSON, Parquet, npy, npz and idx, compressed or
 * not.
 */
#ifndef TUT_PROBE_SAMPLE_H
#define TUT_PROBE_SAMPLE_H

#include "base/alloc.h"
#include "base/cage.h"
#include "base/status.h"

typedef struct tut_sample_column {
    char name[96];
    double least, most;     /* of the numbers that were read */
    bool is_whole, is_bool; /* only whole numbers; only 0 and 1 */
} tut_sample_column;

typedef struct tut_sample {
    size_t count, width;
    float *rows;      /* count x width, finite */
    uint32_t *labels; /* below `classes`; NULL: there are none */
    size_t classes;
    uint64_t *numbers;          /* of each row in the file, from 0 */
    tut_sample_column *columns; /* width */
    char (*class_names)[64];    /* classes; as they stand there */
    uint64_t left_out;          /* rows with something that is no number */
    uint64_t whole;             /* rows of the file, those left out and not drawn among them */
} tut_sample;

typedef struct tut_sample_wish {
    const char *path;
    const char *label; /* column of the labels, or a file of them (npy, idx); NULL: none */
    const char *const
        *names; /* columns that are features, in this order; NULL: all but the label */
    size_t name_count;
    size_t most; /* rows, drawn with the seed where there are more; 0: all */
    uint64_t seed;
    double scale; /* numbers are multiplied by it (1/255 of bytes); 0: 1 */
    tut_cage_mode sandbox;
} tut_sample_wish;

TUT_MUST tut_status tut_sample_read(const tut_sample_wish *wish, tut_sample **ret_sample,
                                    tut_error *err);
/* Labels of both by one list of classes, in the order of their names (numbers by value). USAGE: the
 * columns differ. */
TUT_MUST tut_status tut_sample_align(tut_sample *a, tut_sample *b, tut_error *err);
void tut_sample_free(tut_sample *s);
TUT_DEFINE_AUTO(tut_sample)

#endif
