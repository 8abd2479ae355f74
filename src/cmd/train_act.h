/* What the commands of training share: the system, its log, its people, who signs. */
#ifndef TUT_CMD_TRAIN_ACT_H
#define TUT_CMD_TRAIN_ACT_H

#include "cmd/command.h"
#include "govern/training.h"

/* One line a command: tut_cmd_train_NAME in its own file, in order of use. */
#define TUT_TRAIN_COMMANDS(X)                                                                      \
    X(list)                                                                                        \
    X(show)                                                                                        \
    X(take)                                                                                        \
    X(page)                                                                                        \
    X(submit)                                                                                      \
    X(confirm)                                                                                     \
    X(status)                                                                                      \
    X(review)                                                                                      \
    X(check_author)

#define X(name) extern const tut_command tut_cmd_train_##name;
TUT_TRAIN_COMMANDS(X)
#undef X

#endif
