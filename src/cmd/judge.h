/* What assess and report share: the stated time, the threshold, the way out. */
#ifndef TUT_CMD_JUDGE_H
#define TUT_CMD_JUDGE_H

#include "assess/oscal.h"
#include "cmd/command.h"

typedef struct tut_judging {
    bool has_at;
    tut_time at;
    bool has_fail_on;
    tut_severity fail_on;
    tut_oscal_model model; /* of --format oscal */
} tut_judging;

/* --at (refused in the future), --fail-on and --model. */
TUT_MUST tut_status tut_judging_options(const tut_args *args, tut_judging *ret, tut_error *err);
/* The threshold of tutela.yaml where the command line names none. */
TUT_MUST tut_status tut_judging_policy(const tut_assessment *a, tut_judging *how, tut_error *err);
/* Prints the assessment in --format and returns the exit status. */
int tut_judging_print(const tut_args *args, const tut_assessment *a, const tut_judging *how,
                      const char *html, uint64_t took_ms);
/* Nothing was recognised or recorded: one line and what to do, exit 3. */
int tut_judging_nothing(const tut_args *args, const tut_assessment *a, const tut_judging *how,
                        const char *dir);

#endif
