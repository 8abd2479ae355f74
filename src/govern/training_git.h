/*
 * The commits of a repository, as git tells them. git runs as a child without a shell, without
 * what its configuration could start (hooks, pager, monitors, GnuPG, fetching), without a mailmap
 * or replacement objects, with an environment of its own, for so long and no longer.
 */
#ifndef TUT_GOVERN_TRAINING_GIT_H
#define TUT_GOVERN_TRAINING_GIT_H

#include "base/buf.h"
#include "base/time.h"

enum { TUT_GIT_COMMITS = 200000, TUT_GIT_BYTES = 128 << 20, TUT_GIT_SECONDS = 120 };

typedef struct tut_git_person {
    tut_str name, mail; /* as written in the commit: anybody can write anything there */
} tut_git_person;

typedef struct tut_git_commit {
    tut_str id; /* hexadecimal */
    tut_git_person author, committer;
    tut_time at; /* of the commit, as its committer's clock said */
} tut_git_commit;

typedef struct tut_git_log {
    tut_git_commit *items; /* newest first */
    size_t count, capacity;
    bool is_shallow; /* history was cut off when the repository was cloned */
    tut_buf text;    /* owns what the commits borrow */
} tut_git_log;

void tut_git_log_done(tut_git_log *l);
/* The commits of `range` ("A..B") in the repository of `dir`. USAGE where git is missing, or says
 * why it cannot answer; LIMIT when there are more. */
TUT_MUST tut_status tut_git_read(const char *dir, const char *range, tut_git_log *ret_log,
                                 tut_error *err);
/* What git wrote, for tests: fields end with NUL, commits with a newline. MALFORMED. */
TUT_MUST tut_status tut_git_parse(tut_git_log *log, tut_error *err);

#endif
