/* Where the alarms of watch stream go: the output, whoever is to be told, and the ledger. */
#ifndef TUT_CMD_WATCH_SINK_H
#define TUT_CMD_WATCH_SINK_H

#include "cmd/command.h"
#include "ledger/record.h"
#include "watch/monitor.h"
#include "watch/tell.h"

typedef struct tut_watch_sink {
    const tut_args *args;
    tut_term term;
    tut_tell tell;
    tut_buf out; /* what is left to be printed at the end */
    bool is_json, fail_on_alarms;
    uint64_t alarms, cleared;
    char *dir, *state; /* with --record */
} tut_watch_sink;

/* USAGE: --record outside a described system. */
TUT_MUST tut_status tut_watch_sink_open(const tut_args *args, tut_watch_sink *s, tut_error *err);
void tut_watch_sink_done(tut_watch_sink *s);
/* A tut_monitor_tell; ctx is the sink. Prints at once. */
tut_status tut_watch_sink_tell(void *ctx, const tut_alarm *alarm, tut_error *err);
/* That the watching goes on, once a day; for what never ends. */
TUT_MUST tut_status tut_watch_sink_note(tut_watch_sink *s, const tut_monitor *m, int64_t from_ms,
                                        tut_error *err);
/* The table of streams, and the record of what was watched. */
TUT_MUST tut_status tut_watch_sink_close(tut_watch_sink *s, const tut_monitor *m, int64_t from_ms,
                                         tut_error *err);

#endif
