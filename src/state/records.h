/* What the ledger says up to a time, found through the index and proved in the log. */
#ifndef TUT_STATE_RECORDS_H
#define TUT_STATE_RECORDS_H

#include "ledger/record.h"

/* The records that can decide a verdict at `until` (see tut_index_relevant), each proved against
 * the signed checkpoint, signers found out. An index that does not agree with what the log's key
 * signed is made anew; records->note then says so. STORE when the log itself does not verify. */
TUT_MUST tut_status tut_state_read(tut_ledger *ledger, tut_time until, tut_records **ret_records,
                                   tut_error *err);

#endif
