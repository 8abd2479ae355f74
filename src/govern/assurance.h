/*
 * Assurance by outside owners of risks (5.1.3-3). Who owns a risk from outside, tutela.yaml says: a
 * treatment "transfer" with its owner (threats.treatments), and the supplier of each service from
 * outside. The owner's pack, verified by a key that one has from elsewhere, and a system operator's
 * signature that it covers these risks until a day: evidence "pack.assurance" (EXAMINE), about
 * "assurance/OWNER" at the digest of the pack. Whether every owner gave one that is in force is
 * tested: "threats.assured".
 */
#ifndef TUT_GOVERN_ASSURANCE_H
#define TUT_GOVERN_ASSURANCE_H

#include "govern/govern.h"
#include "govern/threat.h"
#include "pack/verify.h"

#define TUT_ASSURANCE_CHECK "pack.assurance"
enum { TUT_ASSURANCE_DAYS_MAX = 365 };

typedef struct tut_outside_owner {
    tut_str name; /* empty: the description does not say who */
    tut_str risk; /* "RULE@ELEMENT", or empty: of a service */
    tut_str from; /* the service, or empty */
} tut_outside_owner;
typedef struct tut_outside_owners {
    tut_outside_owner *items; /* as the description has them */
    size_t count, capacity;
} tut_outside_owners;
void tut_outside_owners_done(tut_outside_owners *o);
/* Borrows from the system. */
TUT_MUST tut_status tut_outside_owners_find(const tut_system *system,
                                            const tut_threat_policy *policy,
                                            tut_outside_owners *ret, tut_error *err);

typedef struct tut_assuring {
    const char *state_dir, *path; /* of the pack */
    const tut_pack_trust *trust;
    const char *owner;
    const char *const *risks; /* that it covers */
    size_t risk_count;
    const char *accepted; /* why a pack is enough that shows too little for a grade; or NULL */
    const char *by;
    const struct tut_key *signer;
    tut_time at, expires; /* expires 0: as long as the pack counts, at most a year */
} tut_assuring;
typedef struct tut_assured {
    tut_result result;
    tut_time expires;
    uint64_t index;
    char *words; /* what was found, in one sentence */
} tut_assured;
void tut_assured_done(tut_assured *a);
/* DENIED, with the reason, for a pack that is refused; nothing is recorded then. */
TUT_MUST tut_status tut_assurance_record(const tut_assuring *how, tut_assured *ret, tut_error *err);

TUT_MUST tut_status tut_govern_step_assurance(tut_governing *g);

#endif
