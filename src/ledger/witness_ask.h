/*
 * Asking witnesses for their cosignatures on a log's checkpoint, and keeping them as evidence
 * beside the log, whose own checkpoint stays as it is:
 *
 *   DIR/witness/ID             the latest checkpoint that this witness cosigned, ID its key id
 *                              in hex
 *   DIR/witnessed/SIZE-ROOT    each checkpoint that was cosigned, with all cosignatures that are
 *                              known of it: what was shown once can be shown again later
 *   DIR/checkpoint.witnessed   the latest of these
 */
#ifndef TUT_LEDGER_WITNESS_ASK_H
#define TUT_LEDGER_WITNESS_ASK_H

#include "ledger/log.h"
#include "ledger/witness_policy.h"

typedef enum tut_witness_outcome {
    TUT_WITNESS_REFUSED, /* 400, 500 and whatever else */
    TUT_WITNESS_COSIGNED,
    TUT_WITNESS_UNKNOWN_LOG, /* 404: it does not watch this log */
    TUT_WITNESS_DISTRUSTS,   /* 403: not by the log's signature */
    TUT_WITNESS_AHEAD,       /* 409: it has seen a larger tree than ours: rollback, or a copy */
    TUT_WITNESS_DIVERGES,    /* 422: it has seen another tree */
    TUT_WITNESS_UNREACHABLE,
    TUT_WITNESS_BAD_REPLY /* 200 without a good cosignature of its key */
} tut_witness_outcome;
const char *tut_witness_outcome_name(tut_witness_outcome o); /* "cosigned", "unknown-log", ... */

typedef struct tut_witness_reply {
    tut_witness_outcome outcome;
    tut_time at;         /* when cosigned */
    uint64_t their_size; /* of a 409 */
    tut_error why;       /* one sentence, unless cosigned */
} tut_witness_reply;

/* Asks one witness to cosign `checkpoint`, the whole signed note of the log as of now, from the
 * size that it last cosigned for us on; keeps what it answers under DIR. What the witness does is
 * the reply; an error is only what failed on our side (the log cannot be read, nothing can be
 * kept). */
TUT_MUST tut_status tut_witness_ask(const char *dir, tut_log *log, tut_str checkpoint,
                                    const tut_verifier *witness, const char *url,
                                    tut_witness_reply *ret_reply, tut_error *err);
/* DIR/checkpoint.witnessed; empty when there is none. */
TUT_MUST tut_status tut_witness_read_kept(const char *dir, tut_buf *out, tut_error *err);

typedef struct tut_witness_kept {
    uint64_t size;     /* entries under the cosignatures; 0: none are kept */
    bool is_rewritten; /* the log as it is does not contain that tree */
    bool has_verdict;  /* a policy was given, and something is kept */
    tut_witness_verdict verdict;
} tut_witness_kept;

/* What the cosignatures kept under DIR show of the log. CRYPTO when they are not good ones, or not
 * of a log of the policy. policy may be NULL. */
TUT_MUST tut_status tut_witness_check_kept(const char *dir, tut_log *log,
                                           const tut_witness_policy *policy,
                                           tut_witness_kept *ret_kept, tut_error *err);

#endif
