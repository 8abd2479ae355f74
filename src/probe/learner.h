/*
 * Small models that a probe trains for itself: references of membership, copies of extraction,
 * what somebody could guess without the model. One interface over softmax regression, boosted trees
 * and, where OpenBLAS is, a network with one hidden layer.
 */
#ifndef TUT_PROBE_LEARNER_H
#define TUT_PROBE_LEARNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/status.h"

/* A row of learner_recipes.def: what is trained, and how far. */
typedef struct tut_recipe {
    const char *name;  /* "trees-long" */
    const char *about; /* "boosted trees, 120 rounds" */
    unsigned kind;
    double strength; /* softmax: C; trees: rounds; network: epochs */
    double penalty;  /* trees: of leaves; network: weight decay */
} tut_recipe;

enum { TUT_RECIPES_MOST = 16 };
/* All that can be trained here, the simplest first; at least one. */
size_t tut_recipes(const tut_recipe **ret_first);
const tut_recipe *tut_recipe_find(const char *name); /* NULL: none */

typedef struct tut_lesson {
    const float *rows; /* of a whole table; finite */
    size_t width, classes;
    const uint32_t *labels; /* of the table */
    const float *wanted;    /* table x classes: probabilities to learn instead; or NULL */
    const uint32_t *pick;   /* which rows; NULL: the first `picked` */
    size_t picked;
    uint64_t seed;
} tut_lesson;

typedef struct tut_learner tut_learner; /* does not change; for any number of threads */

/* Softmax regression learns the most probable class where there are probabilities. CANCELLED,
 * NOMEM; USAGE: fewer than two classes, no rows, no columns. */
TUT_MUST tut_status tut_learner_fit(const tut_recipe *recipe, const tut_lesson *lesson,
                                    tut_learner **ret_learner, tut_error *err);
void tut_learner_free(tut_learner *l);
TUT_DEFINE_AUTO(tut_learner)
/* rows: count x width; ret: count x classes probabilities. */
TUT_MUST tut_status tut_learner_predict(const tut_learner *l, const float *rows, size_t count,
                                        float *ret, tut_error *err);

#endif
