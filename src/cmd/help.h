/* Help, generated from the command and option tables. */
#ifndef TUT_CMD_HELP_H
#define TUT_CMD_HELP_H

#include "cmd/command.h"

int tut_help_all(int exit_status);
/* What a family ("ledger") consists of. */
int tut_help_family(const tut_command *c, int exit_status);
int tut_help_command(const tut_command *command);
int tut_help_version(void);

#endif
