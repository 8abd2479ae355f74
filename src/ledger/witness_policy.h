/*
 * Which witnesses must have cosigned a checkpoint before it is believed (C2SP tlog-policy):
 *
 *   log VKEY [URL]              a log whose checkpoints count; the key's name is the log's origin
 *   witness NAME VKEY [URL]     a witness; URL is where add-checkpoint is asked
 *   group NAME all|any|K MEMBER...
 *   quorum NAME|none            exactly once
 *
 * Lines end in LF; blanks are spaces and tabs; '#' begins a comment line. A name stands on an
 * earlier line than its use, and is a member of at most one group.
 */
#ifndef TUT_LEDGER_WITNESS_POLICY_H
#define TUT_LEDGER_WITNESS_POLICY_H

#include "crypto/note.h"

enum {
    /* The specification asks for at least 32 of each. */
    TUT_POLICY_LOGS_MAX = 64,
    TUT_POLICY_WITNESSES_MAX = 64,
    TUT_POLICY_GROUPS_MAX = 64
};

typedef struct tut_policy_log {
    tut_verifier verifier;
    char *url; /* NULL when none is given */
} tut_policy_log;

typedef struct tut_policy_witness {
    char *name; /* in this policy; opaque bytes */
    tut_verifier verifier;
    char *url; /* NULL when none is given */
} tut_policy_witness;

typedef struct tut_witness_policy tut_witness_policy;

/* MALFORMED with the line in the text; UNSUPPORTED for keys of other kinds; LIMIT. */
TUT_MUST tut_status tut_witness_policy_read(tut_span text, tut_witness_policy **ret_policy,
                                            tut_error *err);
void tut_witness_policy_free(tut_witness_policy *policy);
TUT_DEFINE_AUTO(tut_witness_policy)

size_t tut_witness_policy_logs(const tut_witness_policy *p, const tut_policy_log **ret_logs);
size_t tut_witness_policy_witnesses(const tut_witness_policy *p,
                                    const tut_policy_witness **ret_witnesses);
/* Whether these witnesses (one flag each, in the order of the file) are a quorum. */
bool tut_witness_policy_met(const tut_witness_policy *p, const bool *cosigned);

typedef struct tut_witness_verdict {
    bool is_met;
    bool cosigned[TUT_POLICY_WITNESSES_MAX];
    tut_time times[TUT_POLICY_WITNESSES_MAX]; /* of those that cosigned */
    size_t count;
    /* When met by at least one witness: the earliest time by which enough of them had seen it. */
    bool has_time;
    tut_time at;
} tut_witness_verdict;

/* Looks at a whole signed checkpoint. CRYPTO when it is not signed by a log of the policy whose
 * name is its origin, or a known signature is bad; too few cosignatures are no error. */
TUT_MUST tut_status tut_witness_policy_check(const tut_witness_policy *p, tut_str checkpoint,
                                             tut_witness_verdict *ret_verdict, tut_error *err);

#endif
