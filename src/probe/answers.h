/*
 * Asking a target about rows that an attack has at once: a part at a time, with progress, and with
 * what was answered kept when it is broken off.
 */
#ifndef TUT_PROBE_ANSWERS_H
#define TUT_PROBE_ANSWERS_H

#include "probe/attack.h"

/* Where the answer to row i of members, and of others, stands among recorded ones: those to members
 * come first, then those to others. */
uint64_t tut_probe_place_of_member(const tut_probe *p, size_t i);
uint64_t tut_probe_place_of_other(const tut_probe *p, size_t i);

typedef struct tut_question {
    const float *rows;       /* count x width */
    const uint64_t *numbers; /* places among recorded answers (below); NULL: none is recorded */
    size_t count, width, classes;
    const char *what; /* for the progress */
} tut_question;

/* In an order that the seed draws where the target takes any row, so that what is answered before a
 * break is a fair part. `ret` is count x classes, NaN where there is no answer; *ret_problem is set
 * where it is NULL. CANCELLED after Ctrl-C, IO when the target is gone: what was answered by then
 * is there. */
TUT_MUST tut_status tut_probe_answers(tut_probe *p, const tut_question *q, double *ret,
                                      const char **ret_problem, tut_error *err);
/* How many classes it answers with, by asking about `row` where the target has not said it. */
TUT_MUST tut_status tut_probe_classes(tut_probe *p, const float *row, size_t width, uint64_t number,
                                      size_t *ret_classes, tut_error *err);

#endif
