/* What the commands on the whole store begin with. */
#ifndef TUT_CMD_STORE_OPEN_H
#define TUT_CMD_STORE_OPEN_H

#include "cmd/stored.h"
#include "store/version.h"

typedef struct tut_opened_store {
    tut_stored stored;
    tut_ledger *ledger;
    tut_store *store;
    tut_known_versions known;
} tut_opened_store;

/* USAGE where there is no store yet. for_writing: the store is locked, the log can be written. */
TUT_MUST tut_status tut_opened_store_open(const tut_args *args, bool for_writing,
                                          tut_opened_store *ret, tut_error *err);
void tut_opened_store_done(tut_opened_store *s);

#endif
