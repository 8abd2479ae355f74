/* A comparison as people see it on a terminal. */
#ifndef TUT_CMD_WATCH_VIEW_H
#define TUT_CMD_WATCH_VIEW_H

#include "cmd/command.h"
#include "watch/drift.h"

TUT_MUST tut_status tut_watch_view(const tut_args *args, const tut_drift *d, tut_buf *out,
                                   tut_error *err);

#endif
