/*
 * RFC 3161 time-stamps of a log's checkpoints, kept beside the log:
 *
 *   DIR/timestamps/SIZE.checkpoint   the signed note that was stamped, byte for byte
 *   DIR/timestamps/SIZE.tsq          the request: SHA-256 of the note, and a nonce
 *   DIR/timestamps/SIZE.tsr          what the authority answered
 *
 * A token shows that the log had these entries by its time: to whoever trusts the authority, and
 * without trusting the log or its key.
 */
#ifndef TUT_LEDGER_TIMESTAMP_H
#define TUT_LEDGER_TIMESTAMP_H

#include "crypto/tsp.h"
#include "ledger/beside.h"
#include "ledger/log.h"

/* Keeps the checkpoint and a fresh request for it, whose bytes are appended to `request`. STORE
 * when this size has its token: an earlier time shows more than a later one. */
TUT_MUST tut_status tut_timestamp_request(const char *dir, tut_str checkpoint, uint64_t *ret_size,
                                          tut_buf *request, tut_error *err);
/* Checks a response against the requests that are kept (nonce and imprint tell which it answers)
 * and, when `trust` is given, its authority; keeps it. */
TUT_MUST tut_status tut_timestamp_take(const char *dir, tut_span response,
                                       const tut_tsp_trust *trust, tut_tsp_token *ret_token,
                                       uint64_t *ret_size, tut_error *err);
typedef struct tut_timestamp_kept {
    uint64_t size;
    tut_tsp_token token; /* at is 0 when it cannot be read */
    /* NULL: it verifies (without trust: as far as that is possible), and the log as it is contains
     * the tree that was stamped. */
    const char *why;
    /* It is not only that nobody trusts its authority: the log is another one, or what is kept was
     * altered. */
    bool is_damage;
} tut_timestamp_kept;

/* `ret_enough` ends it. */
typedef void (*tut_timestamp_found)(void *ctx, const tut_timestamp_kept *kept, bool *ret_enough);
/* Every token kept, those of more entries first. log may be NULL: there is none. */
TUT_MUST tut_status tut_timestamp_each(const tut_beside *beside, tut_log *log,
                                       const tut_tsp_trust *trust, tut_timestamp_found found,
                                       void *ctx, tut_error *err);

#endif
