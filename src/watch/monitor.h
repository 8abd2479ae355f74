/*
 * All streams at once, by name, and what is watched beside their values:
 *
 *   NAME.missing   a share: of the events, those without a value (from the first such on)
 *   NAME.rate      events an interval, where one is set
 *   NAME.language  how little a text's words are like those learnt (its mean surprise, in nats)
 *   NAME.strange   of objects with several numbers: half-space trees, where asked for
 *   silence        no event for three times the longest gap that was learnt
 *
 * Events with a time are taken in its order as far as `late_ms` allows; later ones are counted, and
 * left out.
 */
#ifndef TUT_WATCH_MONITOR_H
#define TUT_WATCH_MONITOR_H

#include "watch/series.h"

enum {
    TUT_MONITOR_STREAMS = 100000,
    TUT_MONITOR_PENDING = 65536, /* events that wait for earlier ones */
    TUT_MONITOR_POINT = 64,      /* numbers of an object */
    TUT_MONITOR_TEXTS = 200      /* texts that a language is learnt from */
};

typedef struct tut_monitor_options {
    tut_series_options series;
    int64_t late_ms; /* how long events wait for earlier ones; 0: not at all */
    int64_t rate_ms; /* the interval of rates; 0: none */
    bool has_trees;
} tut_monitor_options;

/* Called for each alarm, in order. A failure ends the monitor's call. */
typedef tut_status (*tut_monitor_tell)(void *ctx, const tut_alarm *alarm, tut_error *err);

typedef struct tut_monitor tut_monitor;

TUT_MUST tut_status tut_monitor_new(const tut_monitor_options *options, tut_monitor_tell tell,
                                    void *ctx, tut_monitor **ret_monitor, tut_error *err);
void tut_monitor_free(tut_monitor *m);
TUT_DEFINE_AUTO(tut_monitor)

/* NaN: the value is missing. at_ms: TUT_NO_TIME without. */
TUT_MUST tut_status tut_monitor_value(tut_monitor *m, tut_str stream, int64_t at_ms, double value,
                                      tut_error *err);
TUT_MUST tut_status tut_monitor_text(tut_monitor *m, tut_str stream, int64_t at_ms, tut_str text,
                                     tut_error *err);
/* Numbers that belong together; names them for the trees only. */
TUT_MUST tut_status tut_monitor_point(tut_monitor *m, tut_str stream, int64_t at_ms,
                                      const double *values, size_t count, tut_error *err);
/* The time has come to this: rates of intervals without events, silence. */
TUT_MUST tut_status tut_monitor_tick(tut_monitor *m, int64_t now_ms, tut_error *err);
/* Takes what still waits. */
TUT_MUST tut_status tut_monitor_flush(tut_monitor *m, tut_error *err);

size_t tut_monitor_count(const tut_monitor *m);
const tut_series *tut_monitor_at(const tut_monitor *m, size_t i); /* in order of appearance */
typedef struct tut_monitor_sums {
    uint64_t events, missing, late, alarms, refused; /* refused: of streams beyond the most */
    size_t learning;                                 /* streams */
    int64_t newest_ms;                               /* TUT_NO_TIME: no event had a time */
} tut_monitor_sums;
tut_monitor_sums tut_monitor_sum(const tut_monitor *m);

/* A checkpoint: its version, the streams, and `extra` of the caller's (where a file was read to).
 * Languages and trees are learnt anew after a restart. */
TUT_MUST tut_status tut_monitor_save(const tut_monitor *m, tut_str extra, tut_buf *to,
                                     tut_error *err);
/* MALFORMED, UNSUPPORTED (another version), LIMIT. ret_extra lives as long as bytes. */
TUT_MUST tut_status tut_monitor_load(tut_span bytes, const tut_monitor_options *options,
                                     tut_monitor_tell tell, void *ctx, tut_monitor **ret_monitor,
                                     tut_str *ret_extra, tut_error *err);

#endif
