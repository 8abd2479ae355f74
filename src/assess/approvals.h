/*
 * What became of what the guard held, read from the evidence log: did it reach people, did they see
 * what they had to, and did they take the time to read it? Three checks rest on it:
 *
 *   guard.approvals      of the holds under this policy somebody decided about nine of ten in time
 *   guard.reviewer-view  each decided one showed all of its text, a reason and a source
 *   guard.reviewers      the median decision took at least as long as reading takes
 *
 * A decision counts when its own signature is that of a person who might decide where it stands.
 */
#ifndef TUT_ASSESS_APPROVALS_H
#define TUT_ASSESS_APPROVALS_H

#include "assess/assessment.h"
#include "guard/policy.h"

enum { TUT_REVIEW_DAYS = 90, TUT_REVIEW_CHECKS = 3 };

typedef struct tut_review_check {
    const char *check; /* "guard.approvals" */
    tut_result result;
    char statement[512];
    uint64_t index; /* of the evidence; UINT64_MAX: none was recorded */
} tut_review_check;

typedef struct tut_review {
    tut_time from, to;
    size_t holds, decided, expired, withdrawn; /* under the policy as it is */
    size_t whole_views;                        /* of the decided ones */
    size_t decisions, denied, hasty, unseen;   /* in the whole period */
    size_t people;                             /* who made them */
    size_t ignored;                            /* entries that count as none */
    int64_t median_ms, median_floor_ms;        /* of reading; of what reading takes at least */
    tut_review_check checks[TUT_REVIEW_CHECKS];
} tut_review;

/* The least time in which a text of so many bytes can be read: two seconds, and one for each 50
 * bytes (a fast reader), at most a minute. */
int64_t tut_review_floor_ms(uint64_t bytes);

/* ledger: open for writing where it is to be recorded. Nothing is recorded of a check that found
 * nothing to look at. */
TUT_MUST tut_status tut_review_run(tut_ledger *ledger, const tut_system *system,
                                   const tut_guard_policy *policy, bool records,
                                   tut_review *ret_review, tut_error *err);

#endif
