/* What is wrong with a dataset: one finding for each rule and column, with the rows it is about. */
#ifndef TUT_DATA_FOUND_H
#define TUT_DATA_FOUND_H

#include "base/buf.h"
#include "base/status.h"

enum {
    TUT_DATA_ROWS_SHOWN = 10000,
    TUT_DATA_MESSAGE = 256,
    TUT_DATA_COLUMN = 96,
    TUT_DATA_FOUND = 512
};

typedef struct tut_data_row {
    uint64_t row;  /* from 0 */
    double score;  /* how sure it is of this row, 0 to 1; what that is, the rule says */
    double p, q;   /* NaN: the method has none */
    char note[64]; /* "row 17 of train.csv", "label 3, looks like 5"; "" without */
} tut_data_row;

typedef struct tut_data_finding {
    const char *rule;             /* of scan/rule.h: "dataset.near-duplicate"; borrowed for ever */
    char column[TUT_DATA_COLUMN]; /* "": the whole row or file */
    char message[TUT_DATA_MESSAGE]; /* what was seen, in figures; printable */
    uint64_t count;                 /* of rows; 0: not about rows */
    double score, p, q;             /* of the finding as a whole; NaN: none */
    tut_data_row *rows;             /* the first by score; at most TUT_DATA_ROWS_SHOWN; owned */
    size_t row_count;
} tut_data_finding;

typedef struct tut_data_findings { /* zeroed: none */
    tut_data_finding *items;
    size_t count, capacity;
    uint64_t left_out; /* beyond TUT_DATA_FOUND */
} tut_data_findings;
void tut_data_findings_done(tut_data_findings *f);

/* Appends a zeroed finding (score, p and q NaN) with its message; *ret lives until the next. */
TUT_MUST tut_status tut_data_found(tut_data_findings *f, const char *rule, tut_str column,
                                   tut_data_finding **ret, tut_error *err, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* Counts the row, and keeps it while there is room. NOMEM. */
TUT_MUST tut_status tut_data_found_row(tut_data_finding *f, uint64_t row, double score, double p,
                                       double q, const char *note, tut_error *err);

#endif
