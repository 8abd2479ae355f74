/* From risks as the rules see them to risks as they stand: what is proved, treated, accepted. */
#ifndef TUT_GOVERN_THREAT_JUDGE_H
#define TUT_GOVERN_THREAT_JUDGE_H

#include "govern/threat.h"

TUT_MUST tut_status tut_threats_judge(tut_threats *t, const tut_threat_sources *from,
                                      tut_error *err);
/* Worst residual first, then inherent, then by id. */
void tut_threats_sort(tut_threats *t);

/* --- acceptances: threat_accept.c --- */

#define TUT_EVENT_RISK_ACCEPTED "threats.accepted"

typedef struct tut_acceptances tut_acceptances;
/* All that the log tells of; text goes into the arena, which outlives them. */
TUT_MUST tut_status tut_acceptances_read(const tut_records *records, const tut_ledger *ledger,
                                         tut_arena *arena, tut_acceptances **ret, tut_error *err);
void tut_acceptances_free(tut_acceptances *a);
TUT_DEFINE_AUTO(tut_acceptances)
/* The newest of this risk, and whether it counts at this time: signed by a person with the role of
 * operator, not run out, about the element and the rule as they are, and about no less risk than
 * there is. */
tut_acceptance tut_acceptance_of(const tut_acceptances *a, const tut_risk *r, tut_time at);

typedef struct tut_accepting {
    const tut_risk *risk;
    const char *by, *reason;
    tut_time expires;
    const struct tut_key *signer;
} tut_accepting;
/* Appends the event under the person's key. USAGE where it could not count. */
TUT_MUST tut_status tut_threat_accept(tut_ledger *ledger, const tut_accepting *a,
                                      uint64_t *ret_index, tut_error *err);

#endif
