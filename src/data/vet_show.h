/* Rows in which something was found, to be looked at: read once more. For vet_job.c. */
#ifndef TUT_DATA_VET_SHOW_H
#define TUT_DATA_VET_SHOW_H

#include "data/rows.h"
#include "data/vet.h"

/* Whether what stands in this column may be shown. */
typedef bool (*vet_show_may)(const void *ctx, tut_str column);

typedef struct vet_show {
    tut_vet_dataset *d;
    vet_show_may may_show;
    const void *ctx;
    uint64_t base; /* rows of the files before the one at hand */
} vet_show;

/* Chooses rows of d->found, the surest of each finding, as d->examples without contents. */
TUT_MUST tut_status vet_show_choose(vet_show *s, tut_error *err);
/* Fills those of the batch. */
TUT_MUST tut_status vet_show_take(vet_show *s, const tut_rows_facts *facts, const tut_batch *batch,
                                  tut_error *err);

#endif
