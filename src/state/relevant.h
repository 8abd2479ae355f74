/*
 * Which entries of the evidence log can decide a verdict at a time: of evidence and events alike,
 * for each (check, provisions, subject, digest, method, actor) the newest with at <= until and the
 * one before it; and all events of the ledger itself, its people and keys, and of the description.
 * Only entries recorded by `until`.
 */
#ifndef TUT_STATE_RELEVANT_H
#define TUT_STATE_RELEVANT_H

#include "base/time.h"
#include "ledger/row.h"
#include "state/index.h"

typedef struct tut_relevant tut_relevant;

TUT_MUST tut_status tut_relevant_new(tut_time until, tut_relevant **ret_relevant, tut_error *err);
void tut_relevant_free(tut_relevant *r);
TUT_DEFINE_AUTO(tut_relevant)
/* The same, and each group is known by name as well (tut_relevant_each). */
TUT_MUST tut_status tut_relevant_new_named(tut_time until, tut_relevant **ret_relevant,
                                           tut_error *err);

typedef struct tut_relevant_group {
    tut_sha256 key, digest; /* digest: of the subject */
    tut_str check, subject; /* check: with version; or the kind of an event */
    bool is_evidence;
    uint64_t newest, before; /* places + 1; before 0: there is none */
} tut_relevant_group;
/* Every group of a named one, in no order. Text lives as long as `r`. */
void tut_relevant_each(const tut_relevant *r,
                       void (*visit)(void *ctx, const tut_relevant_group *group), void *ctx);
/* A group as an earlier one had it, before any row is taken that came later. Text is copied. */
TUT_MUST tut_status tut_relevant_put(tut_relevant *r, const tut_relevant_group *group,
                                     tut_error *err);
/* Events of the ledger itself among the rows that were taken. */
const tut_places *tut_relevant_of_the_ledger(const tut_relevant *r);

/* Rows in the order of the log; nothing is borrowed. */
TUT_MUST tut_status tut_relevant_take(tut_relevant *r, const tut_row *row, tut_error *err);
/* Once, at the end. */
TUT_MUST tut_status tut_relevant_places(tut_relevant *r, tut_places *ret_places, tut_error *err);

/* The same of a whole log, by reading it. */
TUT_MUST tut_status tut_relevant_of_log(tut_log *log, tut_time until, tut_places *ret_places,
                                        tut_error *err);

/* One of the events by which everything else is read. */
bool tut_row_is_of_the_ledger(const tut_row *row);

#endif
