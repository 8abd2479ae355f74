/* What training comes to as evidence: coverage, secure coding, the curriculum, authors of commits.
 */
#ifndef TUT_GOVERN_TRAINING_CHECK_H
#define TUT_GOVERN_TRAINING_CHECK_H

#include "govern/govern.h"
#include "govern/training.h"

typedef struct tut_training_finding { /* what a look came to */
    const char *check;                /* "train.coverage" */
    tut_result result;
    char statement[512];
    tut_buf body;         /* what it rests on, as JSON */
    tut_time holds_until; /* when it would come to something else by itself; 0: not by time */
} tut_training_finding;
void tut_training_finding_done(tut_training_finding *f);

/* Each person has modules, and a current completion of each. */
TUT_MUST tut_status tut_training_cover(const tut_training *t, const tut_people *people, tut_time at,
                                       tut_training_finding *ret, tut_error *err);
/* Each developer has a current completion of the module on secure coding. */
TUT_MUST tut_status tut_training_cover_coding(const tut_training *t, const tut_people *people,
                                              tut_time at, tut_training_finding *ret,
                                              tut_error *err);

/* The step of `assess` (steps.def). */
TUT_MUST tut_status tut_govern_step_training(tut_governing *g);

/* --- the curriculum: the modules that are assigned to anybody --- */

typedef struct tut_curriculum {
    tut_buf listing;   /* tutela.curriculum/1: what is examined, and signed by its digest */
    tut_sha256 digest; /* of the listing */
    char **problems;   /* one line each; none: it passes */
    size_t problem_count, problem_capacity;
    tut_time holds_until; /* the first review that is due, or the end that its document names */
    size_t modules;
} tut_curriculum;
void tut_curriculum_done(tut_curriculum *c);
/* Examines it: the six threats and five roles of the standard are taught, every module was reviewed
 * in time and against the catalogue of threats, and the document about it, where tutela.yaml names
 * one, has its sections. */
TUT_MUST tut_status tut_curriculum_examine(const tut_system *system, const tut_training *t,
                                           tut_time at, tut_curriculum *ret, tut_error *err);
/* How many people in the roles that the provision wants signed this very listing; `names` (may be
 * NULL) takes them, ", " between. */
size_t tut_curriculum_signers(const tut_curriculum *c, const tut_records *records, tut_time at,
                              tut_buf *names);
/* Evidence train.curriculum (EXAMINE), signed by one person. */
TUT_MUST tut_status tut_curriculum_sign(tut_ledger *ledger, const tut_curriculum *c,
                                        const char *person, const struct tut_key *key, tut_time at,
                                        uint64_t *ret_index, tut_error *err);
/* Roles whose people sign it. */
#define TUT_CURRICULUM_ROLES (TUT_PERSON_DEVELOPER | TUT_PERSON_OPERATOR | TUT_PERSON_CUSTODIAN)

#endif
