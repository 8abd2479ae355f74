/* tutela guard: the family. */
#include "cmd/command.h"

#define TUT_GUARD_COMMANDS(X)                                                                      \
    X(up)                                                                                          \
    X(down)                                                                                        \
    X(reload)                                                                                      \
    X(status)                                                                                      \
    X(check)                                                                                       \
    X(show)                                                                                        \
    X(body)                                                                                        \
    X(stop)                                                                                        \
    X(resume)                                                                                      \
    X(rollback)                                                                                    \
    X(key)                                                                                         \
    X(test)                                                                                        \
    X(score)                                                                                       \
    X(fit)

#define X(name) extern const tut_command tut_cmd_guard_##name;
TUT_GUARD_COMMANDS(X)
#undef X

static const tut_command *const members[] = {
#define X(name) &tut_cmd_guard_##name,
    TUT_GUARD_COMMANDS(X)
#undef X
        NULL,
};

const tut_command tut_cmd_guard = {
    .name = "guard",
    .arguments = "COMMAND",
    .summary = "Protection at run time: what reaches a model, and what comes back",
    .help = "The guard stands in front of a model server. Its policy is the guard: section of "
            "tutela.yaml; docs/guard.md describes it, docs/guard-detector.md how texts are scored.",
    .subcommands = members,
};
