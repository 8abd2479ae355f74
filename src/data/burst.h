/*
 * What one source does that the others do not: gives other labels, comes all at once, repeats rows.
 *
 * Each source against all others, by Fisher's exact test (one-sided: more than the others), for
 * each label, for each sixty-fourth of the rows, and for rows that repeat an earlier one; q by
 * Benjamini and Hochberg over all tests of a kind. A finding needs the effect too: what is
 * significant in a million rows need not matter. Rows that lie in order of their source (files put
 * one behind another) come all at once by nature: then bursts are not looked for, and that is told.
 */
#ifndef TUT_DATA_BURST_H
#define TUT_DATA_BURST_H

#include <stddef.h>

#include "base/alloc.h"
#include "base/status.h"

enum {
    TUT_BURST_ROWS = 10,    /* of a source, at least */
    TUT_BURST_WINDOWS = 64, /* parts of the rows */
    TUT_BURST_SOURCES = 1 << 16
};

typedef enum tut_burst_kind {
    TUT_BURST_LABEL,  /* rows of the source with the label */
    TUT_BURST_WINDOW, /* rows of the source within one part of all */
    TUT_BURST_REPEAT, /* rows of the source that repeat an earlier one */
    TUT_BURST_KINDS
} tut_burst_kind;

typedef struct tut_burst {
    tut_burst_kind kind;
    uint32_t source, which;             /* which: the label, or the part of the rows */
    uint64_t of_source, rows_of_source; /* so many of so many */
    uint64_t of_others, rows_of_others;
    double p, q;
} tut_burst;

typedef struct tut_bursts { /* zeroed: none */
    tut_burst *items;       /* the least p first, of each kind */
    size_t count, capacity;
    bool is_grouped; /* rows lie in order of their source */
} tut_bursts;
void tut_bursts_done(tut_bursts *b);

/* sources: of each row, below source_count (at most TUT_BURST_SOURCES). labels (below classes) and
 * repeats (0 or 1) may be NULL. NOMEM, USAGE. */
TUT_MUST tut_status tut_burst_find(size_t count, const uint32_t *sources, size_t source_count,
                                   const uint32_t *labels, size_t classes, const uint8_t *repeats,
                                   tut_bursts *ret_bursts, tut_error *err);

#endif
