/*
 * Bodies that may hold personal data (prompts, answers, documents about people): kept encrypted
 * under the key of their period, named by a keyed digest (body_seal.h). tut_ledger_get_body reads
 * both kinds; a period whose key was deleted has no readable bodies any more, which is how they are
 * erased. Needs the keys of the log's origin.
 */
#ifndef TUT_LEDGER_BODIES_H
#define TUT_LEDGER_BODIES_H

#include "ledger/body_seal.h"
#include "ledger/record.h"

#define TUT_BODY_READ_EVENT "body.read"

/* As tut_ledger_put_body; `at` chooses the period. The same body in the same period is kept once.
 */
TUT_MUST tut_status tut_ledger_put_personal_body(tut_ledger *l, tut_time at, tut_span body,
                                                 tut_sha256 *ret_digest, tut_error *err);
/* The keyed digest alone, for what is not kept. */
TUT_MUST tut_status tut_ledger_keyed_digest(const tut_ledger *l, tut_time at, tut_span bytes,
                                            tut_sha256 *ret_digest, tut_error *err);
/* Whether the body of this name is kept sealed; IO or STORE when it cannot be read at all. */
TUT_MUST tut_status tut_ledger_body_is_personal(const tut_ledger *l, const tut_sha256 *digest,
                                                bool *ret_is_personal, tut_error *err);
/* Reads a body for somebody to see. Of a personal one that is an event: it is appended, and
 * durable, before the bytes are handed out; then the ledger must be open for writing. `who` gives
 * time, actor and the tool's digests; its statement says what for. */
TUT_MUST tut_status tut_ledger_read_body(tut_ledger *l, const tut_record *who,
                                         const tut_sha256 *digest, tut_buf *out, tut_error *err);

/* --- erasure of a month's personal bodies --- */

#define TUT_PERIOD_ERASED_EVENT "period.erased"

typedef struct tut_erasure {
    char month[TUT_PERIOD_NAME]; /* "202611" */
    /* Names of the month's secrets that are there, and keyed digests of these, which tell one
     * secret from another; zeros of one whose erasure was cut short. */
    char periods[TUT_SEAL_MONTH_SECRETS][TUT_PERIOD_NAME];
    tut_sha256 fingerprints[TUT_SEAL_MONTH_SECRETS];
    size_t count;
    uint64_t bodies; /* that nobody can read without them */
} tut_erasure;

/* What would be erased. USAGE when the month has no secret here, or is none. */
TUT_MUST tut_status tut_ledger_erasure_plan(const tut_ledger *l, const char *month,
                                            tut_erasure *ret, tut_error *err);
/* Deletes the secrets, for good. The event that says so has to be in the log before. */
TUT_MUST tut_status tut_ledger_erase(const tut_ledger *l, const tut_erasure *plan, tut_error *err);

#endif
