/* Who signed records, and whether that counts: the part of reading that takes time. Signatures are
 * verified by as many threads as there are processors. */
#ifndef TUT_LEDGER_READ_SIGNERS_H
#define TUT_LEDGER_READ_SIGNERS_H

#include "ledger/entry.h"
#include "ledger/people.h"

/* Which signatures of one log were verified already, and what came of it: for a log that is read
 * several times. An entry and the id of a key decide it for ever. */
typedef struct tut_checked tut_checked;
TUT_MUST tut_status tut_checked_new(uint64_t log_size, tut_checked **ret_checked, tut_error *err);
void tut_checked_free(tut_checked *c);
TUT_DEFINE_AUTO(tut_checked)

typedef struct tut_signing {
    tut_records *records; /* with the people as far as they were read */
    const tut_entry *entries;
    const char *log_origin; /* NULL: of no log */
    tut_arena *arena;
    tut_checked *checked; /* or NULL */
} tut_signing;

/* Fills signers, tier and doubt of every record. */
TUT_MUST tut_status tut_signers_find(const tut_signing *s, tut_error *err);

#endif
