/* What the guard's traffic shows, as evidence: is all of it logged, and are permissions used? */
#ifndef TUT_CMD_GUARD_OBSERVED_H
#define TUT_CMD_GUARD_OBSERVED_H

#include "cmd/guard_here.h"
#include "guard/traffic.h"
#include "ledger/record.h"

enum { TUT_OBSERVED_LOG, TUT_OBSERVED_OPERATION, TUT_OBSERVED_TOOLS, TUT_OBSERVED_COUNT };

typedef struct tut_observed_check {
    const char *check;
    tut_result result;
    char statement[512];
    uint64_t index; /* UINT64_MAX: not recorded, for nothing was there to judge by */
} tut_observed_check;

typedef struct tut_observed {
    tut_traffic traffic;
    tut_observed_check checks[TUT_OBSERVED_COUNT];
} tut_observed;

void tut_observed_done(tut_observed *o);
/* Reads the log, asks the guard once and waits for the event of that, records. */
TUT_MUST tut_status tut_observed_run(const tut_args *args, const tut_guard_here *h,
                                     tut_observed *ret, tut_error *err);
void tut_observed_json(const tut_observed *o, tut_json *j); /* "tools": [...], "evidence": [...] */
TUT_MUST tut_status tut_observed_table(const tut_args *args, const tut_observed *o, tut_buf *out,
                                       tut_error *err);

#endif
