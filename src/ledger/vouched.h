/*
 * What others vouch for: the cosignatures of witnesses and the time-stamps that are kept beside a
 * log, held against the log as it is, and against whom is believed.
 *
 * That a log does not contain what was cosigned or stamped of it is damage, whoever it was that
 * signed: the kept files were written when the log had those entries. That somebody whom nobody
 * knows signed is only a doubt.
 */
#ifndef TUT_LEDGER_VOUCHED_H
#define TUT_LEDGER_VOUCHED_H

#include "crypto/tsp.h"
#include "ledger/beside.h"
#include "ledger/log.h"
#include "ledger/witness_policy.h"

/* What a log rests on, the strongest last. */
typedef enum tut_trust {
    TUT_TRUST_OWN_KEY,     /* nothing but the key that signs it */
    TUT_TRUST_KEY,         /* a key or checkpoint that was kept elsewhere */
    TUT_TRUST_TIMESTAMPED, /* a time-stamp by an authority that is believed */
    TUT_TRUST_WITNESSED    /* a quorum of witnesses who are believed */
} tut_trust;
const char *tut_trust_name(tut_trust t); /* "own-key", "trusted-key", "timestamped", "witnessed" */

typedef enum tut_vouched_source {
    TUT_VOUCHED_WITNESSES,
    TUT_VOUCHED_TIMESTAMPS
} tut_vouched_source;
/* One thing that is wrong, in one line. */
typedef void (*tut_vouched_found)(void *ctx, tut_vouched_source source, bool is_damage,
                                  const char *text);

typedef struct tut_vouched_options {
    const tut_beside *beside;         /* what is kept */
    tut_log *log;                     /* NULL: there is none */
    const tut_witness_policy *policy; /* NULL: nobody is believed */
    const tut_tsp_trust *trust;       /* likewise */
    bool is_part;   /* `log` is the first part of one: what is of more entries is passed over */
    tut_time until; /* what was signed later is passed over */
    /* Of each source, the newest, and no more than it takes to find what is proven; 0: all. */
    size_t most;
    tut_vouched_found found;
    void *ctx;
} tut_vouched_options;

typedef struct tut_proven { /* the log had its first `size` entries by this time */
    bool is_there;
    uint64_t size;
    tut_time at;
} tut_proven;

typedef struct tut_vouched {
    size_t cosigned, stamped;             /* files, tokens that were looked at */
    uint64_t cosigned_size, stamped_size; /* the largest of each, whoever signed; 0: none */
    tut_proven witnessed;                 /* by a quorum; of the largest tree, the earliest time */
    tut_proven timestamped;               /* by an authority that is believed; likewise */
    bool is_damaged;
    tut_trust trust;   /* nothing proves a damaged log */
    tut_proven proven; /* by whom `trust` says */
} tut_vouched;

TUT_MUST tut_status tut_vouched_look(const tut_vouched_options *options, tut_vouched *ret_vouched,
                                     tut_error *err);

#endif
