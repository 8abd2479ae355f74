/* The events of each asset among records, found by its name. */
#ifndef TUT_ASSESS_EVENTS_H
#define TUT_ASSESS_EVENTS_H

#include "ledger/record.h"

typedef struct tut_events tut_events;

typedef struct tut_event {
    const tut_record *record;
    const tut_subject *subject; /* the first of the record's that has this name */
    size_t next;                /* of the same name; SIZE_MAX: none */
} tut_event;

/* The records must outlive it. */
TUT_MUST tut_status tut_events_new(const tut_records *records, tut_events **ret_events,
                                   tut_error *err);
void tut_events_free(tut_events *e);
TUT_DEFINE_AUTO(tut_events)
/* In order of the log; NULL behind the last. */
const tut_event *tut_events_first(const tut_events *e, const char *name);
const tut_event *tut_events_next(const tut_events *e, const tut_event *event);
/* Events that speak of the asset at this digest and that nothing speaks against; that assess found
 * it so, or that the store keeps it, is none. */
size_t tut_events_of_life(const tut_events *e, const char *name, const tut_sha256 *digest);

#endif
