/* Which rows of the datasets at hand are there twice: texts by what they say, other rows as they
 * are. For vet_job.c. */
#ifndef TUT_DATA_VET_TWICE_H
#define TUT_DATA_VET_TWICE_H

#include "base/cage.h"
#include "data/near.h"
#include "data/rows.h"
#include "data/vet.h"

typedef struct vet_twice {
    tut_cage_task *task;
    tut_near *near;
    tut_buf text;
} vet_twice;
void vet_twice_done(vet_twice *t);

/* scratch files come from the task. */
TUT_MUST tut_status vet_twice_init(vet_twice *t, tut_cage_task *task, tut_error *err);
TUT_MUST tut_status vet_twice_add(vet_twice *t, uint32_t dataset, tut_split split,
                                  const tut_batch *batch, tut_error *err);
/* After the last dataset. */
TUT_MUST tut_status vet_twice_finish(vet_twice *t, tut_error *err);
/* What it comes to for one dataset. names: of all of them. */
TUT_MUST tut_status vet_twice_report(const vet_twice *t, uint32_t dataset, const char *const *names,
                                     size_t name_count, tut_vet_dataset *d, tut_error *err);

#endif
