/* tutela watch: the family. */
#include "cmd/command.h"

#define TUT_WATCH_COMMANDS(X)                                                                      \
    X(compare)                                                                                     \
    X(stream)

#define X(name) extern const tut_command tut_cmd_watch_##name;
TUT_WATCH_COMMANDS(X)
#undef X

static const tut_command *const members[] = {
#define X(name) &tut_cmd_watch_##name,
    TUT_WATCH_COMMANDS(X)
#undef X
        NULL,
};

const tut_command tut_cmd_watch = {
    .name = "watch",
    .arguments = "COMMAND",
    .summary = "Drift and anomalies: data against a reference, events as they come",
    .help = "watch compare judges whether current data still look like the reference. watch stream "
            "follows values as they come and raises alarms. docs/watch.md has the methods.",
    .subcommands = members,
};
