/* tutela store: the family. */
#include "cmd/command.h"

#define TUT_STORE_COMMANDS(X)                                                                      \
    X(fsck)                                                                                        \
    X(gc)                                                                                          \
    X(prune)                                                                                       \
    X(keys)

#define X(name) extern const tut_command tut_cmd_store_##name;
TUT_STORE_COMMANDS(X)
#undef X

static const tut_command *const members[] = {
#define X(name) &tut_cmd_store_##name,
    TUT_STORE_COMMANDS(X)
#undef X
        NULL,
};

const tut_command tut_cmd_store = {
    .name = "store",
    .arguments = "COMMAND",
    .summary = "The version store: check it, clean it, list its keys",
    .help = "Below .tutela/store lies an OCI image layout with a manifest for each version of each "
            "asset; any OCI tool copies it. docs/store.md describes it.",
    .subcommands = members,
};
