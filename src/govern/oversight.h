/*
 * Oversight on a schedule: how often each test of it has to be run (oversight: of tutela.yaml),
 * when each was run last, by the evidence log, and which are due. A test is about one description:
 * where tutela.yaml is another one since, it is due again.
 *
 * A schedule that was missed becomes an event, oversight.missed, once for each time; a test that
 * was run and found nothing to look at becomes one too, oversight.empty, as there is no evidence of
 * it.
 */
#ifndef TUT_GOVERN_OVERSIGHT_H
#define TUT_GOVERN_OVERSIGHT_H

#include "assets/system.h"
#include "ledger/record.h"

#define TUT_EVENT_OVERSIGHT_MISSED "oversight.missed"
#define TUT_EVENT_OVERSIGHT_EMPTY "oversight.empty"

typedef enum tut_oversight_test {
    TUT_OVERSIGHT_BLOCK,     /* guard.block-test: what needs a person cannot happen without one */
    TUT_OVERSIGHT_APPROVALS, /* guard.approvals: what was held reached people who read it */
    TUT_OVERSIGHT_STOP,      /* guard.stop-switch: a drill, which turns people away for a moment */
    TUT_OVERSIGHT_TESTS
} tut_oversight_test;
/* The check of the catalogue whose evidence it brings, and the command. */
const char *tut_oversight_check(tut_oversight_test t);
const char *tut_oversight_command(tut_oversight_test t);
bool tut_oversight_find(tut_str check, tut_oversight_test *ret_test);

typedef struct tut_oversight_policy {
    const tut_yaml_node *node; /* NULL: tutela.yaml has no such section */
    uint32_t every_days[TUT_OVERSIGHT_TESTS];
    bool unattended[TUT_OVERSIGHT_TESTS]; /* the guard that runs takes it by itself */
} tut_oversight_policy;
/* What is left out: 7 days for the block test, 30 for the others, nothing unattended. */
TUT_MUST tut_status tut_oversight_policy_read(tut_system *system, tut_oversight_policy *ret_policy,
                                              tut_buf *ret_shown, tut_error *err);

typedef enum tut_oversight_state {
    TUT_OVERSIGHT_CURRENT,
    TUT_OVERSIGHT_EMPTY,   /* run in time, and there was nothing to look at */
    TUT_OVERSIGHT_FAILED,  /* whenever that was */
    TUT_OVERSIGHT_OVERDUE, /* its time is over */
    TUT_OVERSIGHT_CHANGED, /* run with another tutela.yaml */
    TUT_OVERSIGHT_NEVER,
    TUT_OVERSIGHT_STATES
} tut_oversight_state;
const char *tut_oversight_state_name(tut_oversight_state s); /* "overdue" */

enum { TUT_OVERSIGHT_NAME = 132 };

typedef struct tut_oversight_item {
    tut_oversight_test test;
    tut_oversight_state state;
    uint32_t every_days;
    bool unattended;
    tut_time since;                 /* run last; 0: never */
    tut_time due;                   /* to be run by then; 0: now */
    uint64_t index;                 /* of the evidence or event; UINT64_MAX: there is none */
    char actor[TUT_OVERSIGHT_NAME]; /* "tool", or who signed the drill */
    bool is_told;                   /* that it was missed is in the log already */
} tut_oversight_item;
bool tut_oversight_is_due(const tut_oversight_item *i);

typedef struct tut_oversight {
    tut_oversight_policy policy;
    tut_oversight_item items[TUT_OVERSIGHT_TESTS];
} tut_oversight;

/* ledger: open for reading or writing. What is not whole, or signed by nobody whom the log knows,
 * was not run. */
TUT_MUST tut_status tut_oversight_look(tut_system *system, tut_ledger *ledger, tut_time at,
                                       tut_oversight *ret, tut_error *err);
/* Appends oversight.missed for each test that is due and whose time is over, where that is not told
 * yet. ledger: open for writing. */
TUT_MUST tut_status tut_oversight_tell_missed(const tut_system *system, tut_ledger *ledger,
                                              const tut_oversight *o, tut_error *err);
TUT_MUST tut_status tut_oversight_tell_empty(const tut_system *system, tut_ledger *ledger,
                                             tut_oversight_test test, uint64_t *ret_index,
                                             tut_error *err);

#endif
