/* What the commands of oversight share: the system, its log, which tests of oversight are due. */
#ifndef TUT_CMD_OVERSIGHT_ACT_H
#define TUT_CMD_OVERSIGHT_ACT_H

#include "base/json_write.h"
#include "cmd/command.h"
#include "govern/oversight.h"

extern const tut_command tut_cmd_oversight_status, tut_cmd_oversight_run;

typedef struct tut_oversight_act {
    const tut_args *args;
    char *dir, *state;
    tut_system *system;
    tut_oversight o;
} tut_oversight_act;

/* As it stands now. USAGE outside a described system. */
TUT_MUST tut_status tut_oversight_open(tut_oversight_act *a, const tut_args *args, tut_error *err);
/* The same once more, after something was run. */
TUT_MUST tut_status tut_oversight_look_again(tut_oversight_act *a, tut_error *err);
void tut_oversight_act_done(tut_oversight_act *a);

/* tutela.oversight/1, or the table. */
TUT_MUST tut_status tut_oversight_write(const tut_oversight_act *a, tut_buf *out, tut_error *err);
/* 1 a test failed; 3 one is due; else 0. */
int tut_oversight_exit(const tut_oversight_act *a);

/* Now and then, by a process of the guard that runs: runs what `unattended` names and is due, at
 * the lowest priority; looks once an hour at most. dir: .tutela/guard. */
TUT_MUST tut_status tut_oversight_tend(const tut_args *args, const char *dir, tut_error *err);

#endif
