/* tutela train: what people have to know, take, read and say. */
#include "cmd/train_act.h"

static const tut_command *const members[] = {
#define X(name) &tut_cmd_train_##name,
    TUT_TRAIN_COMMANDS(X)
#undef X
        NULL,
};

const tut_command tut_cmd_train = {
    .name = "train",
    .arguments = "COMMAND",
    .summary = "Train people for their roles, and hold rights against what they completed",
    .help = "Modules are Markdown with questions; tutela brings some, the organisation adds its "
            "own. A completion is an entry of the log, signed by the learner's own key, and holds "
            "for a time. Whose training lapsed signs no release, approval, policy or disposal.",
    .formats = "table json",
    .subcommands = members,
};
