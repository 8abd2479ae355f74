/*
 * The whole ledger looked at: what `tutela ledger verify` says, and what whoever is given a state
 * may run before believing it. Nothing is put right and nothing written but the index.
 *
 * Each check has a name, whether it holds, and one line. A check that another failure makes
 * impossible does not hold, and says so: nothing is green because it was not looked at.
 *
 *   checkpoint   parsed, and signed by the log's key (or the given one): re-sealing
 *   form         every entry is in its one form
 *   genesis      the first entry names this log and the keys that sign it
 *   keys         the log's keys follow one from another, and the last one signed it
 *   entries      every entry hashes to its leaf
 *   tiles        every stored hash is what its children give, and none is missing
 *   root         the tree over the entries is the one that was signed
 *   heads        the entries give the heads that were signed
 *   anchor       the log continues what was last signed here: rollback, copied state
 *   saved        the log continues a saved checkpoint: rollback, split view, rewriting
 *   witnesses    the log contains what witnesses cosigned of it; with a policy, a quorum of them
 *   timestamps   kept time-stamps verify, and the log contains what was stamped
 *   signatures   evidence carries signatures by keys that the log knows
 *   people       every event about people counted
 *   bodies       what entries name is there, whole
 *   sequence     no producer's numbers have gaps
 *   index        state.db agrees with what was signed
 *   traffic      the same of the other log, and it continues what the first one says of it
 */
#ifndef TUT_STATE_AUDIT_H
#define TUT_STATE_AUDIT_H

#include "base/buf.h"
#include "crypto/note.h"
#include "ledger/vouched.h"

typedef struct tut_audit_check {
    const char *name;
    bool holds;
    char *detail; /* one line; untrusted text in it is escaped */
} tut_audit_check;

typedef struct tut_audit {
    tut_audit_check *checks;
    size_t count, capacity;
    bool holds;   /* all of them */
    char *origin; /* of the evidence log; "" when it cannot be told */
    uint64_t size;
    tut_sha256 root;
    tut_trust trust;
    tut_proven proven;           /* by witnesses or time-stamps, where the trust is theirs */
    char *rests_on;              /* the trust in words */
    struct tut_records *records; /* of `given_then`; owned */
    bool is_unvouched; /* not even this user's own key is known: the log vouches for itself */
} tut_audit;

struct tut_ledger;

typedef struct tut_audit_options {
    const char *state_dir;
    /* Instead of a state: a ledger that was given (ledger_given.h). Then there are no checks
     * `tiles`, `entries`, `anchor`, `saved`, `bodies`, `index` and `traffic`: it has no tiles,
     * and whose bodies it has is for its giver to look at. */
    struct tut_ledger *given;
    /* Over the first entries of the same log, as it was at a time: what decides a verdict then is
     * read on the way (ret_records of the audit). NULL: nothing is. */
    struct tut_ledger *given_then;
    uint64_t then_size;
    tut_time then;
    const tut_verifier *key; /* the log's, from elsewhere; NULL: the one of this user's keystore
                              * (of a given ledger: nobody's) */
    const char *saved;       /* bytes of a checkpoint kept elsewhere, or NULL */
    size_t saved_len;
    const tut_witness_policy *policy; /* NULL: no witness is believed */
    const tut_tsp_trust *authorities; /* NULL: no time-stamp is */
    const char *unread;               /* why it could not be told who is believed, or NULL */
} tut_audit_options;

/* USAGE when nothing was ever recorded there. */
TUT_MUST tut_status tut_audit_run(const tut_audit_options *options, tut_audit **ret_audit,
                                  tut_error *err);
void tut_audit_free(tut_audit *audit);
TUT_DEFINE_AUTO(tut_audit)

#endif
