/*
 * The rows of a dataset as numbers, for what is asked of labels and neighbours.
 *
 * One column is the label, one may name the source. Of the others, by what the first batch looks
 * like: numbers are put around their median and divided by their spread (median absolute
 * deviation; the standard deviation where that is 0), and cut at eight; categories become one
 * column for each frequent value; texts are words, hashed with signs into 256 columns (Weinberger
 * et al. 2009), each word by the root of its count and how few rows have it, of length one. Arrays,
 * images and tables of many columns with one range stay as they are, divided by one number for all.
 * Where something is not there, the column's middle stands.
 *
 * Memory is bounded: beyond as many rows as neighbours can be found for in seconds, a sample is
 * kept (reservoir, by the seed). Labels and sources are kept of every row, up to a cap.
 */
#ifndef TUT_DATA_FEATURES_H
#define TUT_DATA_FEATURES_H

#include "base/arena.h"
#include "data/rows.h"
#include "stats/logistic.h"

enum {
    TUT_FEATURES_ROWS = 20000,       /* kept, at most; fewer of wide rows */
    TUT_FEATURES_LABELLED = 1 << 24, /* rows whose label and source are kept */
    TUT_FEATURES_CLASSES = 1000,
    TUT_FEATURES_SOURCES = 1 << 16, /* the last stands for all that came later */
    TUT_FEATURES_HASHED = 256,
    TUT_FEATURES_LEVELS = 32,     /* of a category that get a column */
    TUT_FEATURES_WORDS = 1 << 19, /* different ones that are known */
    TUT_FEATURES_ROW_WORDS = 2000
};
#define TUT_FEATURES_NONE UINT32_MAX

typedef struct tut_features_options { /* zeroed: no label, no source, no images */
    tut_str label, source;            /* names of columns; borrowed */
    size_t height, width, channels;   /* of images; channels 0: 1 */
    uint64_t seed;
    size_t rows; /* to keep at most; 0: TUT_FEATURES_ROWS */
} tut_features_options;

typedef struct tut_features_matrix {
    size_t count;
    uint64_t *rows;   /* their numbers in the dataset */
    uint32_t *labels; /* below class_count */
    float *dense;     /* count x width */
    size_t width;
    float *pixels;    /* as they were, where there are images: count x height x width x channels */
    uint64_t *starts; /* words of each row, in their order; NULL: there are no texts */
    uint32_t *words;
} tut_features_matrix;

typedef struct tut_features tut_features;

TUT_MUST tut_status tut_features_new(const tut_features_options *options, tut_features **ret,
                                     tut_error *err);
void tut_features_free(tut_features *f);
TUT_DEFINE_AUTO(tut_features)

/* Labels in a file of their own: before the rows; the column of the label's name, or the first. */
TUT_MUST tut_status tut_features_label(tut_features *f, const tut_batch *b, tut_error *err);
TUT_MUST tut_status tut_features_add(tut_features *f, const tut_batch *b, tut_error *err);
/* Makes the matrix of the kept rows that have a label; *ret is borrowed. */
TUT_MUST tut_status tut_features_finish(tut_features *f, const tut_features_matrix **ret,
                                        tut_error *err);

/* --- of all rows --- */
typedef struct tut_features_facts {
    uint64_t rows, unlabelled;
    size_t class_count, source_count, word_count;
    bool has_label, has_source; /* the column is there */
    bool too_many_classes;      /* beyond TUT_FEATURES_CLASSES: a quantity, not a label */
    bool too_many_sources, too_many_words, too_many_rows;
    bool has_texts, is_array;
    const uint32_t *labels, *sources; /* of each row, or TUT_FEATURES_NONE; the first labelled */
    uint64_t labelled;                /* rows that these cover */
} tut_features_facts;
void tut_features_about(const tut_features *f, tut_features_facts *ret);
const char *tut_features_class(const tut_features *f, uint32_t label);
const char *tut_features_source(const tut_features *f, uint32_t source);
const char *tut_features_word(const tut_features *f, uint32_t word);
/* Whether a column is a text, by the first batch. */
bool tut_features_is_text(const tut_features *f, size_t column);

#endif
