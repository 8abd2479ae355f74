/* The copy that an extraction trains, and the rows that it asks about next. */
#ifndef TUT_PROBE_EXTRACTION_INTERNAL_H
#define TUT_PROBE_EXTRACTION_INTERNAL_H

#include "probe/answers.h"
#include "probe/learner.h"
#include "stats/seeded.h"

typedef struct tut_theft { /* what the thief has so far */
    tut_probe *p;
    size_t width, classes;
    bool has_labels_only; /* of the answers only the most probable class is looked at */
    bool is_active;       /* half of the queries: where the copy is in doubt */
    tut_seeded random;
    bool is_behind[TUT_RECIPES_MOST]; /* kinds of copy that are not tried any more */
    /* rows of the same kind as the model's: others, but for those that judge */
    size_t pool_count, pool_used;
    size_t *pool; /* rows of others, in the order of asking */
    /* what was asked: `count` rows, the first `answered` of `wanted` likewise */
    size_t asked, count, capacity;
    float *rows, *wanted; /* capacity x width, capacity x classes */
    uint32_t *labels;     /* of `wanted` */
    const char *problem;
    /* rows that judge, with the model's answers */
    size_t judge_count, judged;
    float *judge_rows;
    uint32_t *judge_labels; /* the model's; UINT32_MAX: it gave no answer */
} tut_theft;

/* Puts `count` rows to ask about into ret (count x width) and their places among recorded
 * answers (0 of made ones). `copy` may be NULL: there is none yet. */
TUT_MUST tut_status tut_theft_choose(tut_theft *t, const tut_learner *copy, size_t count,
                                     float *ret_rows, uint64_t *ret_places, tut_error *err);
/* How many more rows it can ask about: those of the pool where no others can be asked. */
size_t tut_theft_left(const tut_theft *t, size_t wanted);

/* The most probable class; UINT32_MAX where there is no answer. */
uint32_t tut_theft_label(const double *p, size_t classes);

#endif
