/* --baseline: an earlier result of the same probe beside this one. */
#ifndef TUT_CMD_PROBE_REGRESS_H
#define TUT_CMD_PROBE_REGRESS_H

#include "cmd/command.h"
#include "probe/regress.h"
#include "probe/run.h"

typedef struct tut_probe_gate {
    const char *path;                     /* NULL: there is no baseline */
    tut_regress items[TUT_PROBE_ATTACKS]; /* of the attacks in order; UNKNOWN with a reason */
    bool became_worse;
} tut_probe_gate;

/* MALFORMED, IO with the path: the baseline cannot be used at all. */
TUT_MUST tut_status tut_probe_gate_take(const char *path, const tut_probe_run *r,
                                        tut_probe_gate *ret, tut_error *err);
void tut_probe_gate_view(const tut_args *args, const tut_probe_gate *g, const tut_probe_run *r,
                         tut_buf *out);
void tut_probe_gate_json(const tut_probe_gate *g, const tut_probe_run *r, tut_json *j);

#endif
