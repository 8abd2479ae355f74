/*
 * Uphill on a net's loss within a norm's ball, many rows at a time: what attacks share that know
 * the model's gradients. FGSM (Goodfellow et al. 2015) is one step; PGD (Madry et al. 2018) many of
 * one length; APGD (Croce and Hein 2020) has momentum, halves its step where the loss does not
 * rise, and then goes on from the best point.
 */
#ifndef TUT_PROBE_EVASION_ASCENT_H
#define TUT_PROBE_EVASION_ASCENT_H

#include "probe/evasion.h"

typedef enum tut_loss {
    TUT_LOSS_CE, /* cross entropy of the label */
    TUT_LOSS_DLR /* difference of logits, as a ratio: blind to their scale; three classes or more */
} tut_loss;

typedef struct tut_ascent_wish {
    tut_loss loss;
    bool is_adaptive; /* APGD; else steps of one length */
    bool is_random;   /* begins at a draw within the ball; else at the row */
    size_t steps;
    double size; /* of the ball, in units of the space */
    double step; /* where not adaptive, as a share of the size */
} tut_ascent_wish;

typedef struct tut_ascent tut_ascent;

/* Borrows all; lives in the arena but for the pass. */
TUT_MUST tut_status tut_ascent_new(const tut_net *net, const tut_space *space, tut_arena *arena,
                                   tut_ascent **ret_ascent, tut_error *err);
void tut_ascent_free(tut_ascent *a);
TUT_DEFINE_AUTO(tut_ascent)
size_t tut_ascent_room(const tut_ascent *a); /* rows at once */

/* rows: count of them, each where it lies. ret_delta: count x width; what made the net wrong where
 * ret_is_wrong, else the highest that was found. CANCELLED after Ctrl-C. */
TUT_MUST tut_status tut_ascent_run(tut_ascent *a, const tut_ascent_wish *wish,
                                   const float *const *rows, const uint32_t *labels,
                                   tut_seeded *const *random, size_t count, float *ret_delta,
                                   uint8_t *ret_is_wrong, tut_error *err);

#endif
