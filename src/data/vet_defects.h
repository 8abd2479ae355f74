/* What the reader of rows says of a file: its form, and what is broken in it. For vet_job.c. */
#ifndef TUT_DATA_VET_DEFECTS_H
#define TUT_DATA_VET_DEFECTS_H

#include "data/rows.h"
#include "data/vet.h"

void vet_keep_facts(tut_vet_dataset *d, const tut_rows_facts *facts);
/* A finding for each kind; base: rows of the files before. A gap makes the dataset INCOMPLETE. */
TUT_MUST tut_status vet_keep_defects(tut_vet_dataset *to, const tut_rows_facts *facts,
                                     uint64_t base, tut_error *err);

#endif
