/* tutela drill: the family. */
#include "cmd/command.h"

extern const tut_command tut_cmd_drill_list;
extern const tut_command tut_cmd_drill_run;

static const tut_command *const members[] = {&tut_cmd_drill_run, &tut_cmd_drill_list, NULL};

const tut_command tut_cmd_drill = {
    .name = "drill",
    .arguments = "COMMAND",
    .summary = "Practise the bad day, and keep the result as evidence",
    .help = "A drill does what would have to be done after an attack, beside the system in use, "
            "and measures it. docs/store.md describes the restore drill.",
    .subcommands = members,
};
