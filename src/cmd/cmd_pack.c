/* tutela pack: the family of commands about evidence packs. */
#include "cmd/command.h"

#define TUT_PACK_COMMANDS(X)                                                                       \
    X(build)                                                                                       \
    X(verify)                                                                                      \
    X(import)                                                                                      \
    X(assure)                                                                                      \
    X(receipt)                                                                                     \
    X(handed)

#define X(name) extern const tut_command tut_cmd_pack_##name;
TUT_PACK_COMMANDS(X)
#undef X

static const tut_command *const members[] = {
#define X(name) &tut_cmd_pack_##name,
    TUT_PACK_COMMANDS(X)
#undef X
        NULL,
};

const tut_command tut_cmd_pack = {
    .name = "pack",
    .arguments = "COMMAND",
    .summary = "Evidence packs: the verdict and all that it rests on, for others to verify",
    .help = "One archive that any tar unpacks: reports, evidence, the whole evidence log with its "
            "proofs, what witnesses and time-stamp authorities said of it, public keys. Who gets "
            "it needs neither this machine's state nor a network. docs/pack.md describes it.",
    .subcommands = members,
};
