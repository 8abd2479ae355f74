/*
 * Two crowds at one service: good requests at a steady pace, whatever becomes of the ones before,
 * and floods of one kind. One loop over libcurl serves both, so that the good ones are sent when
 * they are due.
 */
#ifndef TUT_PROBE_LOAD_WIRE_H
#define TUT_PROBE_LOAD_WIRE_H

#include "probe/attack.h"

typedef enum load_pace {
    LOAD_FAST,        /* the next as soon as one is answered */
    LOAD_BURST,       /* all at once, over new connections, once a second */
    LOAD_SLOW_READER, /* takes the first bytes of the answer and no more */
    LOAD_SLOW_SENDER  /* gives a byte a second of its body */
} load_pace;

typedef struct load_flood {
    load_pace pace;
    unsigned clients;
    tut_str body;
    uint64_t length; /* of the body; beyond `body` it is blanks */
} load_flood;

/* How streams ended: whole; with an event that says what went wrong; broken off, as the client
 * sees; as if they were whole, which nobody sees; before they began. */
typedef struct load_streams {
    uint64_t whole, told, broken, silent, not_begun;
} load_streams;

enum { LOAD_STATUSES = 600 };
typedef struct load_tally {
    uint64_t sent, served; /* good requests; served: in time and with an answer */
    double *ms;            /* of those that were served */
    size_t ms_count, ms_capacity;
    uint32_t statuses[LOAD_STATUSES]; /* of those that were not; 0: no answer in time, or none */
    uint64_t floods, floods_answered, floods_refused, floods_dropped;
    load_streams streams;
    uint64_t first_served_ms; /* since the phase began; UINT64_MAX: none */
    uint64_t gap_ms;          /* the longest from one that was served to the next, over phases */
} load_tally;
void load_tally_done(load_tally *t);
/* In milliseconds; NaN: none were served. Sorts. */
double load_tally_percentile(load_tally *t, double share);
/* "HTTP 429 12 times, no answer in time 3 times" */
void load_tally_words(const load_tally *t, tut_buf *to);

typedef struct load_wire load_wire;
/* normal: a request that the service answers; borrowed. */
TUT_MUST tut_status load_wire_open(tut_probe *p, tut_str normal, load_wire **ret_wire,
                                   tut_error *err);
void load_wire_free(load_wire *w);
/* A good request that takes longer is not served. */
void load_wire_limit(load_wire *w, uint32_t ms);
/* From now on a few clients take streams, one after the other, over all phases; how those end that
 * end in a phase is in its tally. Borrowed; empty: none from now on. */
void load_wire_stream(load_wire *w, tut_str body);
/* flood: NULL: none. Ends sooner where `is_over` says so (asked often; NULL: never). CANCELLED
 * after Ctrl-C; the tally is of what was done. */
TUT_MUST tut_status load_wire_phase(load_wire *w, const load_flood *flood, uint32_t ms,
                                    bool (*is_over)(void *ctx, const load_tally *t), void *ctx,
                                    load_tally *ret_tally, tut_error *err);

#endif
