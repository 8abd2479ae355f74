/* Which rows of one version of a dataset the other does not have: as a multiset, in any order. */
#ifndef TUT_DATA_VET_DIFF_H
#define TUT_DATA_VET_DIFF_H

#include "data/rows.h"
#include "data/vet.h"

enum { VET_DIFF_ROWS = 8 << 20 }; /* of either side: 24 bytes each */

typedef struct vet_diff_row {
    uint64_t hash[2];
    uint64_t row;
} vet_diff_row;

typedef struct vet_diff_side {
    vet_diff_row *rows;
    size_t count, capacity;
    tut_buf text;
} vet_diff_side;

typedef struct vet_diff { /* zeroed: empty */
    vet_diff_side now, then;
} vet_diff;
void vet_diff_done(vet_diff *d);

/* LIMIT beyond VET_DIFF_ROWS. */
TUT_MUST tut_status vet_diff_add(vet_diff_side *side, const tut_batch *batch, tut_error *err);
/* Sorts both. */
TUT_MUST tut_status vet_diff_finish(vet_diff *d, tut_vet_change *ret, tut_error *err);

#endif
