/* What the commands about bulletins share. */
#ifndef TUT_CMD_BULLETIN_ACT_H
#define TUT_CMD_BULLETIN_ACT_H

#include "cmd/train_act.h"
#include "govern/bulletin.h"

extern const tut_command tut_cmd_train_bulletin_send, tut_cmd_train_bulletin_list,
    tut_cmd_train_bulletin_show;

typedef struct tut_bulletin_act {
    tut_train_act train;
    tut_ledger *ledger; /* open for reading */
    tut_reading_policy policy;
    tut_bulletins bulletins;
} tut_bulletin_act;

TUT_MUST tut_status tut_bulletin_act_open(tut_bulletin_act *a, const tut_args *args,
                                          tut_error *err);
void tut_bulletin_act_done(tut_bulletin_act *a);
/* USAGE for one that was never sent; STORE when its text is lost. */
TUT_MUST tut_status tut_bulletin_act_find(const tut_bulletin_act *a, const char *word,
                                          const tut_bulletin_standing **ret, tut_error *err);
/* Its text as people read it. */
TUT_MUST tut_status tut_bulletin_act_text(const tut_bulletin_standing *s, tut_buf *out,
                                          tut_error *err);

#endif
