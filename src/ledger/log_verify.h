/* The two halves of verification: journal and checkpoint, then tiles. */
#ifndef TUT_LEDGER_LOG_VERIFY_H
#define TUT_LEDGER_LOG_VERIFY_H

#include "ledger/log_replay.h"

typedef struct tut_verification {
    tut_log *log;
    tut_log_found found;
    void *ctx;
    uint64_t journal_size; /* of the tree, as the journal was last read */
    unsigned missing;      /* tiles */
    uint64_t shown_size;   /* of the tree that `checkpoint` shows; the base's when it shows none */
} tut_verification;

void tut_verify_found(const tut_verification *v, const char *name, const char *fmt, ...)
    TUT_PRINTF(3, 4);
/* STORE becomes a finding, with the error's text, and OK. */
TUT_MUST tut_status tut_verify_note(const tut_verification *v, const char *name, tut_status status,
                                    const tut_error *why, tut_error *err);
/* The size of the tree in the journal now. */
TUT_MUST tut_status tut_verify_journal_size(tut_verification *v, tut_error *err);
TUT_MUST tut_status tut_verify_tiles(tut_verification *v, tut_error *err);

#endif
