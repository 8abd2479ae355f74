/*
 * Reference models ("shadow models") of membership attacks: each is trained on half of the rows, so
 * that of every row some models have seen it and some have not.
 */
#ifndef TUT_PROBE_REFERENCES_H
#define TUT_PROBE_REFERENCES_H

#include "probe/attack.h"
#include "probe/learner.h"
#include "probe/membership.h"

typedef struct tut_reference_rows {
    const float *rows; /* count x width */
    size_t count, width, classes;
    const uint32_t *labels;
    const uint8_t *is_member; /* count: of the target */
    const double *answers;    /* count x classes: the target's; NaN: none */
} tut_reference_rows;

typedef struct tut_reference_wish {
    size_t models;            /* 0: 16 */
    const tut_recipe *recipe; /* NULL: that which answers most like the target */
    uint64_t seed;
} tut_reference_wish;

typedef struct tut_reference_set {
    tut_mia_references r;
    float *logits;   /* r.logits; owned */
    uint8_t *inside; /* r.inside; owned */
    const tut_recipe *recipe;
    double agreement; /* with the target, 0 to 1; NaN: not measured */
} tut_reference_set;

/* Every row is in as many halves as it is out of (of an odd number of models, one more or less). */
TUT_MUST tut_status tut_references_train(const tut_probe *p, const tut_reference_rows *rows,
                                         const tut_reference_wish *wish, tut_reference_set *ret,
                                         tut_error *err);
/* From recorded answers: places[i] is that of row i among the recorded rows. */
TUT_MUST tut_status tut_references_take(const tut_references *recorded,
                                        const tut_reference_rows *rows, const uint64_t *places,
                                        tut_reference_set *ret, tut_error *err);
void tut_reference_set_done(tut_reference_set *s);

/* Recorded answers, read in the cage (references_read.c says how they are written down). */
TUT_MUST tut_status tut_references_read(const char *path, tut_cage_mode sandbox,
                                        tut_references **ret, tut_error *err);
void tut_references_free(tut_references *r);
TUT_DEFINE_AUTO(tut_references)

/* 1 less half the mean distance between the answers of a model trained on half of the rows and
 * those of the target, over rows that both saw or neither did. */
TUT_MUST tut_status tut_reference_agreement(const tut_recipe *recipe,
                                            const tut_reference_rows *rows, uint64_t seed,
                                            double *ret_agreement, tut_error *err);

#endif
