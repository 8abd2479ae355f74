/* Every command, in the order in which a newcomer meets them. */
#include "cmd/command.h"

#define TUT_COMMANDS(X)                                                                            \
    X(init)                                                                                        \
    X(inventory)                                                                                   \
    X(bom)                                                                                         \
    X(scan)                                                                                        \
    X(vet)                                                                                         \
    X(sign)                                                                                        \
    X(verify)                                                                                      \
    X(snapshot)                                                                                    \
    X(history)                                                                                     \
    X(restore)                                                                                     \
    X(store)                                                                                       \
    X(drill)                                                                                       \
    X(assess)                                                                                      \
    X(report)                                                                                      \
    X(explain)                                                                                     \
    X(record)                                                                                      \
    X(people)                                                                                      \
    X(train)                                                                                       \
    X(threats)                                                                                     \
    X(gate)                                                                                        \
    X(guard)                                                                                       \
    X(approvals)                                                                                   \
    X(watch)                                                                                       \
    X(probe)                                                                                       \
    X(ledger)                                                                                      \
    X(pack)                                                                                        \
    X(version)

#define X(name) extern const tut_command tut_cmd_##name;
TUT_COMMANDS(X)
#undef X

const tut_command *const tut_commands[] = {
#define X(name) &tut_cmd_##name,
    TUT_COMMANDS(X)
#undef X
        NULL,
};
