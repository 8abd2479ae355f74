/*
 * A ledger for reading whose log and bodies come from somewhere else than a state directory: an
 * evidence pack, or what is about to become one. Everything that reads a ledger reads it as it
 * does any other; it has no keys and nothing can be appended.
 */
#ifndef TUT_LEDGER_LEDGER_GIVEN_H
#define TUT_LEDGER_LEDGER_GIVEN_H

#include "ledger/beside.h"
#include "ledger/log.h"
#include "ledger/record.h"

typedef struct tut_ledger_source {
    tut_log *log; /* of which records are read; NULL: there is none */
    /* Appends the body of this digest: STORE when it is not there. What it gives is compared with
     * the digest by the ledger. */
    tut_status (*body)(void *ctx, const tut_sha256 *digest, tut_buf *out, tut_error *err);
    tut_beside beside;
    bool is_part;                /* `log` is the first part of the one that `beside` is about */
    struct tut_checked *checked; /* signatures that were verified (read_signers.h), or NULL */
    void *ctx;
} tut_ledger_source;

/* The source and what it points to are borrowed until the ledger is closed. log_origin is
 * ORIGIN/evidence. */
TUT_MUST tut_status tut_ledger_of_source(const tut_ledger_source *source, const char *log_origin,
                                         tut_ledger **ret_ledger, tut_error *err);

/* Of any ledger: what lies beside its evidence log. */
tut_beside tut_ledger_beside(const tut_ledger *l);
/* Whether it comes from a source: there is no directory, and no index. */
bool tut_ledger_is_given(const tut_ledger *l);
/* Whether its log is only the first part of one. */
bool tut_ledger_is_part(const tut_ledger *l);

#endif
