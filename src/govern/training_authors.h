/*
 * Were the authors and committers of commits trained in secure coding when they made them? Git does
 * not verify names, so this holds honest people to the rule; who may push, and signed commits, are
 * for the host of the repository to enforce.
 */
#ifndef TUT_GOVERN_TRAINING_AUTHORS_H
#define TUT_GOVERN_TRAINING_AUTHORS_H

#include "govern/training_check.h"
#include "govern/training_git.h"

typedef struct tut_author_finding {
    const tut_git_commit *commit;
    const tut_git_person *who;
    bool is_committer;  /* and not its author too */
    const char *person; /* as enrolled; NULL: nobody */
    const char *why;    /* static */
} tut_author_finding;

typedef struct tut_authors {
    tut_git_log log;
    const tut_training_module *module;
    tut_author_finding *findings;
    size_t finding_count, finding_capacity;
    tut_training_finding evidence; /* "train.authors" */
} tut_authors;
void tut_authors_done(tut_authors *a);

/* `t` is loaded of all completions there ever were (tut_authors_records). `range` is for the
 * statement. USAGE where the module on secure coding does not exist. The log of `a` is read before.
 */
TUT_MUST tut_status tut_authors_check(const tut_training *t, const tut_people *people,
                                      const char *range, tut_time at, tut_authors *a,
                                      tut_error *err);
/* The records of training of the whole log. */
TUT_MUST tut_status tut_authors_records(tut_ledger *ledger, tut_records **ret_records,
                                        tut_error *err);

#endif
