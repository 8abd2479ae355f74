/* A probe as people read it. */
#ifndef TUT_CMD_PROBE_VIEW_H
#define TUT_CMD_PROBE_VIEW_H

#include "cmd/command.h"
#include "probe/run.h"

TUT_MUST tut_status tut_probe_view(const tut_args *args, const tut_probe_run *r, tut_buf *out,
                                   tut_error *err);
tut_style tut_outcome_style(tut_outcome o);

#endif
