/* What the commands about notices share. */
#ifndef TUT_CMD_NOTICE_ACT_H
#define TUT_CMD_NOTICE_ACT_H

#include "cmd/threats_act.h"
#include "govern/notice.h"
#include "state/records.h"

typedef struct tut_notice_act {
    tut_threats_act act;
    tut_records *records;
    tut_notices notices;
} tut_notice_act;

TUT_MUST tut_status tut_notice_act_open(tut_notice_act *x, const tut_args *args, tut_error *err);
void tut_notice_act_done(tut_notice_act *x);

#endif
