/* What the ledger says, found through the index and proved in the log. */
#ifndef TUT_STATE_RECORDS_H
#define TUT_STATE_RECORDS_H

#include "ledger/record.h"
#include "state/index.h"

/* The records that can decide a verdict at `until` (see tut_index_relevant), each proved against
 * the signed checkpoint, signers found out. An index that does not agree with what the log's key
 * signed is made anew; records->note then says so. STORE when the log itself does not verify. */
TUT_MUST tut_status tut_state_read(tut_ledger *ledger, tut_time until, tut_records **ret_records,
                                   tut_error *err);
/* The events among these: who did what, and the people. */
TUT_MUST tut_status tut_state_events(tut_ledger *ledger, tut_time until, tut_records **ret_records,
                                     tut_error *err);
/* The log's beginning, its people and keys alone: who may sign. */
TUT_MUST tut_status tut_state_people(tut_ledger *ledger, tut_records **ret_records, tut_error *err);

/* The records at these places, with what it takes to find out their signers (more than was asked
 * for). */
TUT_MUST tut_status tut_state_read_at(tut_ledger *ledger, const uint64_t *places, size_t count,
                                      tut_records **ret_records, tut_error *err);
/* Places of what the query asks for; NULL: nothing is asked of the index, which is only made ready.
 * note (may be NULL) as in tut_index_ready. */
TUT_MUST tut_status tut_state_search(tut_ledger *ledger, const tut_index_query *query,
                                     tut_places *ret_places, char note[TUT_INDEX_WHY_MAX],
                                     tut_error *err);
/* The record at this place, or NULL. */
const tut_record *tut_records_at(const tut_records *records, uint64_t place);

#endif
