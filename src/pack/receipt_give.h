/*
 * `pack receipt`: who was handed a pack verifies it and signs a receipt for the findings of tests
 * that it holds. It takes no described system and no ledger: a key, and the key of the developer's
 * log from elsewhere.
 */
#ifndef TUT_PACK_RECEIPT_GIVE_H
#define TUT_PACK_RECEIPT_GIVE_H

#include "pack/given.h"
#include "pack/receipt.h"

typedef struct tut_receipt_order {
    const char *path;
    const tut_pack_trust *trust;
    const char *by;     /* as the developer's log has the name */
    const tut_key *key; /* the person's */
    tut_time at;
} tut_receipt_order;

typedef struct tut_receipt_given {
    tut_pack_given pack;
    tut_arena arena;
    tut_receipt says;
    tut_buf file; /* to be written somewhere */
} tut_receipt_given;

/* DENIED as for tut_pack_given_open. No findings are no failure: says.finding_count is 0. `ret` is
 * done with by the caller also after a failure. */
TUT_MUST tut_status tut_receipt_give(const tut_receipt_order *order, tut_receipt_given *ret,
                                     tut_error *err);
void tut_receipt_given_done(tut_receipt_given *g);

#endif
