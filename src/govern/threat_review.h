/* Reviews of the threat model: who looked at which model when, and what came since. */
#ifndef TUT_GOVERN_THREAT_REVIEW_H
#define TUT_GOVERN_THREAT_REVIEW_H

#include "govern/threat.h"

#define TUT_CHECK_REVIEW "threats.review"
#define TUT_CHECK_RESIDUAL "threats.residual"
#define TUT_CHECK_PERMISSIONS "threats.permissions"

typedef struct tut_review_change {
    char *id;
    const char *what; /* "new", "gone", "higher" */
} tut_review_change;

typedef struct tut_threat_reviews {
    tut_time *times; /* of all reviews that count, ascending */
    size_t count, capacity;
    bool has_newest;            /* whose body is whole */
    char *by;                   /* of the newest */
    tut_time at, expires;       /* of the newest */
    tut_sha256 model;           /* that it was about */
    tut_review_change *changes; /* since the newest: risks that are new, gone, or higher */
    size_t change_count, change_capacity;
    size_t new_count, gone_count, higher_count;
} tut_threat_reviews;
void tut_threat_reviews_done(tut_threat_reviews *r);
/* From the whole log up to `at`: signed by a developer or a system operator, in force. */
TUT_MUST tut_status tut_threat_reviews_read(tut_ledger *ledger, const tut_threats *t, tut_time at,
                                            tut_threat_reviews *ret, tut_error *err);
/* The longest time without a review in the year before `at`, up to `at` itself; seconds. */
tut_time tut_threat_reviews_gap(const tut_threat_reviews *r, tut_time at);

typedef struct tut_examining { /* what a person signs about the threat model as it stands */
    const char *check, *statement;
    tut_span body;
    const char *by;
    const struct tut_key *signer; /* NULL: nobody signs; it is self-declared then */
} tut_examining;
/* EXAMINE evidence about this description. */
TUT_MUST tut_status tut_threat_examine(tut_ledger *ledger, const tut_system *system,
                                       const tut_examining *x, uint64_t *ret_index, tut_error *err);

#endif
