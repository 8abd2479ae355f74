/* Reading the command line; see command.h for what comes out. */
#ifndef TUT_CMD_ARGS_H
#define TUT_CMD_ARGS_H

#include "cmd/command.h"

extern const tut_option tut_global_options[];

/* args->positional and args->given must have room for argc words. command may be NULL: only global
 * options then. */
TUT_MUST tut_status tut_args_parse(tut_args *args, const tut_command *command, char **argv,
                                   int argc, tut_error *err);
/* Number of arguments and the format against the command's row. */
TUT_MUST tut_status tut_args_check(const tut_args *args, tut_error *err);

#endif
