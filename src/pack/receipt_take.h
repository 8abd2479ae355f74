/*
 * `pack handed`: the developer who gets a receipt back takes it: evidence "probe.shared" about the
 * system as it is described now, with the receipt as its body, resting on the operator's key.
 *
 * Taken is what a person of this log signed who has the role system operator and is not the one who
 * built the pack; for a pack that this log built; about findings that this log holds just so. They
 * have to be the newest: of each check and subject, as described now, the one in force.
 */
#ifndef TUT_PACK_RECEIPT_TAKE_H
#define TUT_PACK_RECEIPT_TAKE_H

#include "pack/receipt.h"

typedef struct tut_receipt_taking {
    const char *dir_or_file; /* of tutela.yaml */
    const char *state_dir;
    tut_span text; /* of the receipt */
    tut_time at;
} tut_receipt_taking;

typedef enum tut_taken_state {
    TUT_TAKEN_RECORDED,
    TUT_TAKEN_BEFORE, /* this very receipt; nothing is recorded again */
    TUT_TAKEN_EMPTY,  /* it lists no findings: nothing was handed over */
    TUT_TAKEN_PASSED  /* findings came since, or none of them is in force: hand them over anew */
} tut_taken_state;
const char *tut_taken_state_name(tut_taken_state s); /* "recorded", "before", "empty", "passed" */

typedef struct tut_receipt_taken {
    tut_taken_state state;
    char *words;    /* why nothing was recorded, or what was; one sentence */
    uint64_t entry; /* where it is RECORDED or was BEFORE */
    uint64_t built; /* the entry about the pack */
    tut_receipt_file receipt;
} tut_receipt_taken;

/* DENIED, with the reason, for what is no good receipt for this log; nothing is recorded then.
 * `ret` is done with by the caller also after a failure. */
TUT_MUST tut_status tut_receipt_take(const tut_receipt_taking *taking, tut_receipt_taken *ret,
                                     tut_error *err);
void tut_receipt_taken_done(tut_receipt_taken *t);

#endif
