/*
 * What stands in the texts of a dataset: personal data and secrets (text/text.h), characters that
 * nobody sees, letters that look alike, and orders to a model, plain or hidden (detect/detect.h).
 *
 * Names and addresses of people have no shape that a machine could rely on, and are not looked for.
 * Numbers are looked at where they have seven digits or more.
 */
#ifndef TUT_DATA_CHECK_TEXT_H
#define TUT_DATA_CHECK_TEXT_H

#include "data/found.h"
#include "data/rows.h"
#include "detect/detect.h"
#include "text/text.h"

/* Where something personal or secret stands: bytes [begin, end) of the cell. */
typedef struct tut_text_place {
    size_t row, column; /* of the batch */
    size_t begin, end;
} tut_text_place;

typedef struct tut_text_tools { /* borrowed, and one thread's */
    tut_text_scanner *scanner;  /* NULL: neither personal data nor secrets are looked for */
    tut_detector *detector;     /* NULL: no orders, and nothing hidden */
    /* Is told each place, row by row within a column; or NULL. */
    void (*place)(void *ctx, const tut_text_place *at, const tut_text_match *match);
    void *ctx;
} tut_text_tools;

enum { TUT_TEXT_TYPES = 128 };

typedef struct tut_text_count { /* of one rule of text/text.h */
    const char *id, *label;
    tut_text_class type;
    uint64_t count, rows;
    uint64_t last_row; /* that it was seen in */
} tut_text_count;

typedef struct tut_text_check tut_text_check;
TUT_MUST tut_status tut_text_check_new(const tut_text_tools *tools, tut_text_check **ret_check,
                                       tut_error *err);
void tut_text_check_free(tut_text_check *c);
TUT_DEFINE_AUTO(tut_text_check)

/* role: of the texts, for the detector. */
TUT_MUST tut_status tut_text_check_add(tut_text_check *c, const tut_batch *batch,
                                       tut_detect_role role, tut_error *err);
/* The rows of personal data and secrets by kind, most first. */
size_t tut_text_check_counts(const tut_text_check *c, const tut_text_count **ret_counts);
TUT_MUST tut_status tut_text_check_finish(tut_text_check *c, tut_data_findings *found,
                                          tut_error *err);

#endif
