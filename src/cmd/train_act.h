/* What the commands of training share: the system, its log, its people, who signs. */
#ifndef TUT_CMD_TRAIN_ACT_H
#define TUT_CMD_TRAIN_ACT_H

#include "base/json_write.h"
#include "cmd/command.h"
#include "crypto/key.h"
#include "govern/training_quiz.h"

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

typedef struct tut_train_act {
    const tut_args *args;
    char *dir, *state;  /* state NULL: no system is described here */
    tut_system *system; /* NULL likewise */
    tut_records *records;
    tut_training *training;      /* NULL likewise */
    tut_training_bank *own_bank; /* then: the modules of this program */
    const tut_training_bank *bank;
    tut_time at;
} tut_train_act;

/* The system with its training, and the log as it stands. Without a tutela.yaml the modules of this
 * program alone, where `needs_system` does not make that USAGE. */
TUT_MUST tut_status tut_train_open(tut_train_act *a, const tut_args *args, bool needs_system,
                                   tut_error *err);
void tut_train_act_done(tut_train_act *a);
/* USAGE for an id that no module has. */
TUT_MUST tut_status tut_train_module(const tut_train_act *a, const char *id,
                                     const tut_training_module **ret_module, tut_error *err);
/* The person of --by, with the key that signs: somebody enrolled, whose key counts. *ret_person is
 * of the act's records. USAGE without --by. */
TUT_MUST tut_status tut_train_signer(const tut_train_act *a, const tut_person **ret_person,
                                     tut_key **ret_key, tut_error *err);
/* USAGE where the content was changed without raising the version. */
TUT_MUST tut_status tut_train_check_version(const tut_train_act *a, const tut_training_module *m,
                                            tut_error *err);

/* "PERSON/MODULE" and the keys that every item has: state, since, due, actors[], evidence[]; the
 * object stays open. due 0: null. index UINT64_MAX: no evidence. */
typedef struct tut_train_item {
    const char *person; /* or NULL */
    const tut_training_module *module;
    const char *state;
    tut_time since, due;
    uint64_t index;
} tut_train_item;
void tut_train_put_item(tut_json *j, const tut_train_item *item);

/* What an exam came to, on the terminal (with what was wrong, and why) or as JSON; the exit status:
 * 0 completed, 1 not passed, 3 too fast to count by itself. */
int tut_train_tell(const tut_train_act *a, const tut_quiz *quiz, const tut_person *person,
                   const tut_quiz_record *record);

#endif
