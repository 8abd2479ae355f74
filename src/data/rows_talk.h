/* The names under which talk is written down for models: one list for every format. */
#ifndef TUT_DATA_ROWS_TALK_H
#define TUT_DATA_ROWS_TALK_H

#include "base/str.h"

typedef enum rows_talk {
    ROWS_TALK_WHO,     /* of a turn: who speaks */
    ROWS_TALK_WHAT,    /* what is said */
    ROWS_TALK_ASKED,   /* of a record: an instruction */
    ROWS_TALK_ANSWERED /* and what is to follow */
} rows_talk;

bool rows_talk_is(rows_talk what, tut_str name);

#endif
