/* What the commands about concerns share. */
#ifndef TUT_CMD_CONCERN_ACT_H
#define TUT_CMD_CONCERN_ACT_H

#include "cmd/train_act.h"
#include "govern/concern.h"

extern const tut_command tut_cmd_train_concern_list, tut_cmd_train_concern_show,
    tut_cmd_train_concern_triage, tut_cmd_train_concern_verify;

typedef struct tut_concern_act {
    tut_train_act train;
    tut_ledger *ledger; /* open for reading */
    tut_concern_policy policy;
    tut_concerns concerns;
} tut_concern_act;

TUT_MUST tut_status tut_concern_act_open(tut_concern_act *a, const tut_args *args, tut_error *err);
void tut_concern_act_done(tut_concern_act *a);
/* USAGE for a number that nothing was raised under. */
TUT_MUST tut_status tut_concern_act_find(const tut_concern_act *a, const char *number,
                                         const tut_concern **ret, tut_error *err);
/* The person of --by, who has to be one who triages. */
TUT_MUST tut_status tut_concern_act_triager(const tut_concern_act *a, const tut_person **ret_person,
                                            tut_key **ret_key, tut_error *err);

#endif
