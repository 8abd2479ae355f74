/* What the commands about approvals share: where the guard keeps what waits, who may decide. */
#ifndef TUT_CMD_APPROVALS_ACT_H
#define TUT_CMD_APPROVALS_ACT_H

#include "assess/approvals.h"
#include "cmd/command.h"
#include "guard/approve.h"

extern const tut_command tut_cmd_approvals_list, tut_cmd_approvals_show, tut_cmd_approvals_approve,
    tut_cmd_approvals_deny, tut_cmd_approvals_review, tut_cmd_approvals_serve;

typedef struct tut_approvals_act {
    const tut_args *args;
    char *state, *dir; /* .tutela, .tutela/guard */
    tut_system *system;
    tut_guard_policy policy;
    tut_ledger *ledger;
    struct tut_records *records; /* the people */
    tut_approvers *who;
    tut_waiting_list list;
    tut_approve_place place;
    struct tut_training_rights *rights; /* of the place */
    int64_t now_ms;
} tut_approvals_act;

/* The described system with its policy, its log and what waits. */
TUT_MUST tut_status tut_approvals_open(tut_approvals_act *a, const tut_args *args, bool for_writing,
                                       tut_error *err);
void tut_approvals_act_done(tut_approvals_act *a);

/* "pay", "request", "answer": what is held, in a word */
tut_str tut_approvals_word(const tut_hold *h);
/* "34 s", "9 min", "3 h" */
void tut_approvals_span(int64_t ms, char out[32]);

/* What `approvals review` does: with records, what is over is swept, and evidence recorded. *v is
 * to be ended by tut_review_done. */
TUT_MUST tut_status tut_approvals_review(tut_approvals_act *a, const tut_args *args, bool records,
                                         tut_review *v, tut_error *err);
int tut_approvals_review_exit(const tut_review *v);

/* Until SIGINT or SIGTERM: the listener, and what is to be done about holds whose time is up.
 * may_be_silent: without an address in the policy, the latter alone. */
TUT_MUST tut_status tut_approvals_serve(tut_approvals_act *a, const tut_args *args,
                                        bool may_be_silent, tut_error *err);

#endif
