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
#include "base/arena.h"
#include "guard/policy.h"
#include "ledger/people.h"

enum { TUT_REVIEW_DAYS = 90, TUT_REVIEW_CHECKS = 3 };

typedef struct tut_review_check {
    const char *check; /* "guard.approvals" */
    tut_result result;
    char statement[512];
    uint64_t index; /* of the evidence; UINT64_MAX: none was recorded */
} tut_review_check;

/* What was held of one class of action: a class of tools (guard.tools[].class), "undeclared" of a
 * tool without one, "several", or "request" and "answer". */
typedef struct tut_review_class {
    const char *name;
    size_t held, approved, denied, expired, withdrawn; /* of holds, in the whole period */
    size_t decisions, hasty;
    int64_t median_ms, p95_ms; /* from the hold's beginning to a decision, by nearest rank */
} tut_review_class;

/* A decision made faster than reading takes. */
typedef struct tut_review_hasty {
    uint64_t index; /* of its entry */
    const char *person, *class_name, *hold;
    bool is_denial;
    tut_time at;
    int64_t read_ms; /* below 0: nobody had looked at it */
    int64_t floor_ms;
} tut_review_hasty;

typedef struct tut_review {
    tut_time from, to;
    size_t holds, decided, expired, withdrawn; /* under the policy as it is */
    size_t whole_views;                        /* of the decided ones */
    size_t decisions, denied, hasty, unseen;   /* in the whole period */
    size_t people;                             /* who made them */
    size_t ignored;                            /* entries that count as none */
    int64_t median_ms, median_floor_ms;        /* of reading; of what reading takes at least */
    tut_review_check checks[TUT_REVIEW_CHECKS];
    tut_review_class *classes; /* by name */
    size_t class_count;
    tut_review_hasty *hasty_items; /* `hasty` of them, in order of the log */
    tut_arena arena;
} tut_review;
void tut_review_done(tut_review *v);

/* "classes": [...], "hasty_decisions": [...] */
void tut_review_json(const tut_review *v, struct tut_json *j);

/* The least time in which a text of so many bytes can be read: two seconds, and one for each 50
 * bytes (a fast reader), at most a minute. */
int64_t tut_review_floor_ms(uint64_t bytes);

typedef struct tut_review_order {
    tut_ledger *ledger; /* open for writing where it is to be recorded */
    const tut_system *system;
    const tut_guard_policy *policy;
    bool records;
    /* Whether the training of this person had lapsed then: what he decided counts as none. NULL:
     * nothing is asked of training. */
    bool (*had_lapsed)(const void *training, const tut_person *person, tut_time when);
    const void *training;
} tut_review_order;
/* Nothing is recorded of a check that found nothing to look at. */
TUT_MUST tut_status tut_review_run(const tut_review_order *order, tut_review *ret_review,
                                   tut_error *err);

#endif
