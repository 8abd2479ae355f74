/*
 * What people do, and their documents say, looked at anew: training, gates, threat model,
 * oversight. `assess` takes these steps after everything else was collected and before it
 * evaluates, as they judge by what is on record then.
 */
#ifndef TUT_GOVERN_GOVERN_H
#define TUT_GOVERN_GOVERN_H

#include "assess/attest.h"

/* Of checks about people and their work, whatever the version of the system (TUT_SCOPE_ORGANISATION
 * compares no digest). */
#define TUT_GOVERN_ORGANISATION "organisation"

typedef struct tut_governing {
    tut_system *system;
    tut_ledger *ledger;         /* open for writing */
    const tut_records *records; /* that can decide something at `at` (state/records.h) */
    tut_time at;
    tut_error *err;
} tut_governing;

/* Records what a look came to. Nothing is written where evidence of the same check about the same
 * subject, with the same result and the same body, is younger than a day and nothing came after it:
 * looks are taken often. ret_index: of the evidence that stands now; may be NULL. */
TUT_MUST tut_status tut_govern_attest(tut_governing *g, const tut_attestation *a,
                                      uint64_t *ret_index);

#define GOVERN_STEP(symbol) TUT_MUST tut_status tut_govern_step_##symbol(tut_governing *g);
#include "govern/steps.def"
#undef GOVERN_STEP

/* All steps of steps.def. A description that a step cannot read is its error. */
TUT_MUST tut_status tut_govern_collect(const char *dir_or_file, const char *state_dir,
                                       tut_error *err);

#endif
