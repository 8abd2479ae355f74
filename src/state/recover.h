/*
 * The deliberate way back after a rollback or damage: the log of a state is replaced by a whole
 * copy of it. What was there is kept beside it, never deleted. The copy has to be signed by the
 * log's key and to continue what was last signed here; one that does not (it is older, or another
 * history) is taken only when that is accepted, and then the anchor is set aside too.
 */
#ifndef TUT_STATE_RECOVER_H
#define TUT_STATE_RECOVER_H

#include "base/time.h"
#include "crypto/digest.h"

typedef struct tut_recovery {
    const char *log; /* "evidence" or "traffic" */
    char *origin;    /* of the log */
    char *kept;      /* where the damaged log lies now; NULL: there was none */
    char *anchor;    /* where the old anchor lies now; NULL: it still holds */
    uint64_t size;
    tut_sha256 root;
    uint64_t lost; /* entries that were signed here and are not in the copy */
} tut_recovery;

/* mirror: a directory of the log, or of its checkpoint and tiles, or of a state or its ledger.
 * USAGE when the log here is whole and not shorter; DENIED when a sequencer holds it. */
TUT_MUST tut_status tut_recover(const char *state_dir, const char *log, const char *mirror,
                                bool accept_divergence, tut_time now, tut_recovery *ret,
                                tut_error *err);
void tut_recovery_done(tut_recovery *r);

#endif
