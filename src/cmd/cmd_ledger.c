/* tutela ledger: the family. */
#include "cmd/command.h"

#define TUT_LEDGER_COMMANDS(X)                                                                     \
    X(show)                                                                                        \
    X(search)                                                                                      \
    X(verify)                                                                                      \
    X(prove)                                                                                       \
    X(append)                                                                                      \
    X(serve)                                                                                       \
    X(erase)                                                                                       \
    X(timestamp)                                                                                   \
    X(witness)                                                                                     \
    X(reindex)                                                                                     \
    X(recover)

#define X(name) extern const tut_command tut_cmd_ledger_##name;
TUT_LEDGER_COMMANDS(X)
#undef X

static const tut_command *const members[] = {
#define X(name) &tut_cmd_ledger_##name,
    TUT_LEDGER_COMMANDS(X)
#undef X
        NULL,
};

const tut_command tut_cmd_ledger = {
    .name = "ledger",
    .arguments = "COMMAND",
    .summary = "The tamper-evident logs of what was done and found",
    .help = "Two Merkle logs lie below .tutela/ledger: `evidence`, kept for ever, and `traffic`. "
            "docs/ledger.md describes both, and who may write to them.",
    .subcommands = members,
};
