/* Help, generated from the command and option tables. */
#ifndef TUT_CMD_HELP_H
#define TUT_CMD_HELP_H

#include "cmd/command.h"

int tut_help_all(int exit_status);
int tut_help_command(const tut_command *command);
int tut_help_version(void);

#endif
