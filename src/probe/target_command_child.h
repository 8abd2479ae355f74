/* A program that talks in lines: its process, with a group of its own, and the three pipes. */
#ifndef TUT_PROBE_TARGET_COMMAND_CHILD_H
#define TUT_PROBE_TARGET_COMMAND_CHILD_H

#include <sys/types.h>

#include "base/buf.h"

typedef struct command_child {
    pid_t pid; /* 0: none runs */
    int in, out, errors;
    tut_buf to, from, told; /* not written yet; not a whole line yet: of its output, its errors */
    size_t written;         /* of `to` */
    char name[64];          /* before each line of its errors */
} command_child;

/* words: the program, found as a shell would, and its arguments; NULL-ended. */
TUT_MUST tut_status command_child_start(command_child *c, char *const words[], tut_error *err);
/* Ends it with all that it has started, gently and then not. */
void command_child_stop(command_child *c);
/* Writes and reads what can be, waiting at most so long; each whole line of its output goes to
 * `line`. *ret_is_over: it has closed its output. Lines of its errors go to ours. */
typedef tut_status (*command_line)(void *ctx, tut_span line, tut_error *err);
TUT_MUST tut_status command_child_round(command_child *c, int wait_ms, command_line line, void *ctx,
                                        bool *ret_is_over, tut_error *err);
/* How it ended, for people; after it was over. */
void command_child_obituary(command_child *c, char *ret_text, size_t cap);

#endif
