/*
 * Whether a check is proved of a subject, judged as the provisions judge it (evidence.c): by the
 * newest record that is signed by whom the catalogue wants, about this digest, in force, passed,
 * and whole with its body. For what rests on evidence beside the provisions: mitigations of
 * threats.
 */
#ifndef TUT_ASSESS_PROOF_H
#define TUT_ASSESS_PROOF_H

#include "assess/assessment.h"

typedef struct tut_proofs tut_proofs;

typedef struct tut_proof {
    bool counts;
    const tut_record *record; /* that decided; NULL: there is none */
    const char *why;          /* one phrase; lives as long as the proofs */
} tut_proof;

/* assessment and ledger are borrowed; the digest is that of the description asked about. */
TUT_MUST tut_status tut_proofs_new(const tut_assessment *a, tut_ledger *ledger,
                                   const tut_sha256 *system_digest, tut_proofs **ret_proofs,
                                   tut_error *err);
void tut_proofs_free(tut_proofs *p);
TUT_DEFINE_AUTO(tut_proofs)
/* asset: id of what it has to be about, where the catalogue asks the check of assets. max_age_days:
 * if stricter than the catalogue's; 0: that. Answers are kept, so asking again is cheap. USAGE for
 * a check that no provision wants. */
TUT_MUST tut_status tut_proofs_find(tut_proofs *p, tut_str check, const char *asset,
                                    uint32_t max_age_days, tut_proof *ret_proof, tut_error *err);

#endif
