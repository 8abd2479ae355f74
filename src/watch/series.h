/*
 * One stream of values: it learns from the first so many, then watches.
 *
 * Learning takes out what follows the clock: where the values were seen for two days (two weeks) or
 * more and the hour of the day (of the week) explains a fifth of their variance, each hour's median
 * is taken off first. What is left is watched by a bank of CUSUMs (stats/bank.h), and on request by
 * ADWIN. An alarm is raised once when an episode begins, and once for each other kind of change
 * within it; it is cleared once everything is back. What stays changed for as long as a baseline is
 * learnt from settles: it becomes the next baseline.
 */
#ifndef TUT_WATCH_SERIES_H
#define TUT_WATCH_SERIES_H

#include "base/buf.h"
#include "base/reader.h"
#include "base/str.h"
#include "stats/adwin.h"
#include "stats/bank.h"

enum {
    TUT_SERIES_NAME = 200,
    TUT_SERIES_RING = 256,   /* values at hand for where a change began */
    TUT_SERIES_POINTS = 512, /* of the chart: as many as two hold are halved */
    TUT_SERIES_ALARMS = 64,  /* kept for the chart */
    TUT_SERIES_SLOTS = 168,  /* hours of a week */
    TUT_SERIES_CALM = 50,    /* events in a row without suspicion that end an episode, at least */
    TUT_SERIES_LEARN_MAX = 1 << 20
};
#define TUT_NO_TIME INT64_MIN

typedef struct tut_series_options {
    double interval; /* events between false alarms of a stream, 1e6 */
    uint32_t learn;  /* events, 2000 */
    bool has_adwin;
    bool no_seasons;
    bool keeps; /* the first baseline for ever: what stays changed does not become the next one */
} tut_series_options;

/* What is told. Texts are borrowed from the series. */
typedef struct tut_alarm {
    const char *stream;
    int64_t at_ms;        /* TUT_NO_TIME: the event had none */
    uint64_t index;       /* of the event in its stream, from 0 */
    const char *kind;     /* "up", "down", "wider", "narrower", "silence", "cleared", "settled" */
    const char *detector; /* "cusum", "ewma", "adwin", "gap" */
    double before, after; /* means: of what was learnt, and since the change began */
    uint64_t since;       /* index at which the change is thought to have begun */
} tut_alarm;

typedef struct tut_series_point { /* of the chart: so many events together */
    float low, high, sum;
    uint32_t count;
    int64_t at_ms; /* of the first */
} tut_series_point;

typedef struct tut_series_mark {
    uint64_t index;
    int64_t at_ms;
    uint8_t kind; /* tut_change; 0: cleared; 255: silence */
} tut_series_mark;

typedef struct tut_series {
    char name[TUT_SERIES_NAME];
    tut_series_options options;
    uint64_t seen, missing, late, alarms;
    int64_t first_ms, last_ms;
    /* learning */
    double *values; /* NULL once learnt, and no episode is open */
    int64_t *times;
    uint32_t held;
    bool is_learnt;
    /* the clock */
    uint16_t slots; /* 0, 24 or 168 */
    float usual[TUT_SERIES_SLOTS];
    /* watching */
    tut_bank bank;
    tut_adwin *adwin; /* NULL without */
    float ring[TUT_SERIES_RING];
    bool is_open;            /* an episode is under way */
    uint8_t open_kind;       /* bits 1 << tut_change: each is told once in an episode */
    uint32_t calm, patience; /* events in a row without suspicion; how many end an episode */
    /* the episode before: what comes back soon is over only after twice as long a calm */
    uint64_t ended;
    uint8_t ended_kind;
    uint32_t again;
    /* gaps between events, in milliseconds */
    double gap_mean, gap_most;
    bool is_silent;
    /* the chart */
    tut_series_point points[TUT_SERIES_POINTS];
    uint32_t point_count, point_events; /* events that each but the last one holds */
    tut_series_mark marks[TUT_SERIES_ALARMS];
    uint32_t mark_count;
} tut_series;

TUT_MUST tut_status tut_series_new(tut_str name, const tut_series_options *options,
                                   tut_series **ret_series, tut_error *err);
void tut_series_free(tut_series *s);
TUT_DEFINE_AUTO(tut_series)

/* True: *ret_alarm is to be told. A NaN is counted as missing and goes no further. */
bool tut_series_step(tut_series *s, int64_t at_ms, double value, tut_alarm *ret_alarm);
/* It is now so late: true where the stream is silent for longer than it ever was. Told once. */
bool tut_series_tick(tut_series *s, int64_t now_ms, tut_alarm *ret_alarm);
/* Zeros in place of events before the stream was known: "missing" of one that had none so far. */
void tut_series_backfill(tut_series *s, uint64_t zeros);

/* For a checkpoint; everything that decides what comes next. */
void tut_series_save(const tut_series *s, tut_buf *to);
TUT_MUST tut_status tut_series_load(tut_reader *r, tut_series **ret_series, tut_error *err);

#endif
