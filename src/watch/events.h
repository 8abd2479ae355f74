/*
 * Lines into values. What a line is shows by itself:
 *
 *   {"stream": "latency", "at": "2026-11-29T12:00:00Z", "value": 0.31}
 *   {"at": 1790000000.5, "latency": 0.31, "errors": 0, "prompt": "text"}   numbers are streams
 *   {"logprobs": [-0.1, -2.3, ...], "top": [[-0.1, -3.0], ...]}     mean, entropy, margin
 *   timestamp,value                                                 CSV with a header
 *   http_requests_total{route="a"} 17                               Prometheus: text format
 *
 * A member "status" of 100 to 599 becomes two shares, status.4xx and status.5xx: so the guard's
 * access log is read. A time is RFC 3339, "2026-11-29 12:00:00", or seconds or milliseconds since
 * 1970. null, "NaN" and empty fields are missing values. Of counters of Prometheus (TYPE counter)
 * the growth is taken.
 */
#ifndef TUT_WATCH_EVENTS_H
#define TUT_WATCH_EVENTS_H

#include "watch/monitor.h"

enum {
    TUT_EVENTS_LINE = 1 << 20, /* bytes; a longer line is a defect, and passed over */
    TUT_EVENTS_COLUMNS = 256,
    TUT_EVENTS_DETAIL = 96
};

typedef struct tut_events tut_events_reader;

typedef struct tut_events_defects {
    uint64_t count, first_line;
    char detail[TUT_EVENTS_DETAIL];
} tut_events_defects;

/* text: the member of objects that is read as language; empty: none. Borrowed. */
TUT_MUST tut_status tut_events_reader_new(tut_monitor *m, tut_str text,
                                          tut_events_reader **ret_reader, tut_error *err);
void tut_events_reader_free(tut_events_reader *r);
TUT_DEFINE_AUTO(tut_events_reader)
/* A line without its end. Fails only as the monitor does; a line that is none is counted. */
TUT_MUST tut_status tut_events_line(tut_events_reader *r, tut_str line, tut_error *err);
/* Values that have no time of their own come at this one. */
void tut_events_now(tut_events_reader *r, int64_t now_ms);
/* A header is expected again, as at a file's beginning. */
void tut_events_restart(tut_events_reader *r);
const tut_events_defects *tut_events_broken(const tut_events_reader *r);
bool tut_events_time(tut_str text, int64_t *ret_ms);

#endif
