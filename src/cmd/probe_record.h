/* A probe as evidence: about the exact model that was attacked, or about the system as it is
 * described. */
#ifndef TUT_CMD_PROBE_RECORD_H
#define TUT_CMD_PROBE_RECORD_H

#include "cmd/probe_order.h"
#include "cmd/probe_regress.h"

/* Appends what was found and says so in `out`, or in `remarks` why nothing was recorded. PASS and
 * FAIL are evidence; what stayed open is recorded as not checked. What measured nothing is not
 * recorded, and of what an option narrowed only a FAIL: evidence takes an earlier one's place. */
TUT_MUST tut_status tut_probe_record(const tut_args *args, const tut_probe_here *h,
                                     const tut_probe_job *job, const tut_probe_run *r, tut_buf *out,
                                     tut_buf *remarks, tut_error *err);
/* The document of a run, one line. gate may be NULL. */
TUT_MUST tut_status tut_probe_document(const tut_probe_here *h, const tut_probe_job *job,
                                       const tut_probe_run *r, const tut_probe_gate *gate,
                                       tut_buf *out, tut_error *err);

#endif
