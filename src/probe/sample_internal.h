/* sample.c asks, a worker reads (sample_read.c, sample_classes.c), sample.c takes what it says. */
#ifndef TUT_PROBE_SAMPLE_INTERNAL_H
#define TUT_PROBE_SAMPLE_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/source.h"
#include "data/rows.h"
#include "probe/sample.h"

enum {
    SAMPLE_CLASSES_MAX = 4096, /* as many as an interpreter's outputs; more are no classes */
    SAMPLE_COLUMNS_MAX = TUT_ROWS_COLUMNS
};
#define SAMPLE_BYTES_MAX (2ull << 30) /* of all numbers: what one machine attacks in one go */

/* --- what the worker is told --- */
typedef struct sample_asked {
    tut_str path, label;
    bool is_label_file;
    uint64_t most, seed;
    double scale;
    tut_str *names;
    uint32_t name_count;
} sample_asked;
void sample_ask(const tut_sample_wish *wish, bool is_label_file, tut_buf *to);
TUT_MUST tut_status sample_asked_read(tut_span bytes, sample_asked *ret);
void sample_asked_done(sample_asked *a);

extern const char *const sample_lent_rows, *const sample_lent_label, *const sample_lent_out;
tut_status sample_job(tut_cage_task *task, const tut_source *bytes, tut_span argument, tut_buf *out,
                      tut_error *err);

/* --- the classes --- */
typedef struct sample_class {
    tut_str name;
    int64_t value;
    bool is_whole;
} sample_class;

typedef struct sample_classes {
    tut_arena arena;
    tut_map map;
    sample_class items[SAMPLE_CLASSES_MAX];
    uint32_t count;
    uint32_t small[SAMPLE_CLASSES_MAX]; /* of whole numbers from 0: 1 + the class; 0: none yet */
} sample_classes;
void sample_classes_done(sample_classes *c);
/* The class of one cell in the order of first sight; UINT32_MAX: the cell is empty. */
TUT_MUST tut_status sample_classes_of(sample_classes *c, const tut_cells *cells, size_t row,
                                      uint32_t *ret_class, tut_error *err);
/*
 * Their final numbers, with the names in that order: whole numbers from 0 on are their own number,
 * so that a class that does not occur keeps its place; all others stand in their order, numbers by
 * value, texts by their bytes.
 */
void sample_classes_write(sample_classes *c, tut_buf *out);

/* --- what it answers: a head, and in a file the records (number u64, class u32, values f32) --- */
TUT_MUST tut_status sample_take(tut_span head, const tut_source *records, tut_sample **ret_sample,
                                tut_error *err);

#endif
