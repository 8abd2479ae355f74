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

/* What of an entry is needed beside its record. A parsed entry is ten times the size of its record,
 * so it is let go as soon as its signatures are verified. */
typedef struct tut_unsettled {
    tut_entry entry;
    tut_record_signer *signers; /* of the record, to be filled; in the arena */
    const char *rests_on;       /* id of the key; NULL: it rests on none */
    bool is_open;               /* the entry is still there: by a key that was not known yet */
} tut_unsettled;

typedef struct tut_signing {
    tut_records *records;   /* with the people as far as they were read */
    tut_unsettled *entries; /* as many */
    size_t taken;           /* records that tut_signers_take went through */
    const char *log_origin; /* NULL: of no log */
    tut_arena *arena;
    tut_checked *checked; /* or NULL */
} tut_signing;

/* Keeps an entry for the record that stands at `at`; *entry is empty then. */
TUT_MUST tut_status tut_signers_keep(tut_signing *s, size_t at, tut_entry *entry, tut_error *err);
/* Verifies the signatures of what was kept since the last call, as far as their keys are known by
 * now. What these keys are worth shows only at the end of the log. */
TUT_MUST tut_status tut_signers_take(tut_signing *s, tut_error *err);
/* The rest; fills signers, tier and doubt of every record. */
TUT_MUST tut_status tut_signers_find(tut_signing *s, tut_error *err);

#endif
