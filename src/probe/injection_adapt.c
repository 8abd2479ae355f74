/*
 * Rewriting by what has worked: each axis is a bandit of its own, played by Thompson's sampling
 * (1933; Chapelle and Li 2011). Axes that depend on each other are learnt only as far as their
 * values work on their own; that is what a sampler of so few queries can learn.
 */
#include "probe/injection_internal.h"

void tut_adapt_learn(tut_adapt *a, const tut_attempt *attempt)
{
    if (!attempt->was_asked || attempt->has_failed)
        return;
    for (size_t i = 0; i < TUT_AXIS_COUNT; i++) {
        a->tried[i][attempt->at[i]]++;
        a->worked[i][attempt->at[i]] += attempt->succeeded;
    }
}

/* Gamma with a whole shape: a sum of exponentials; counts here are some hundred. */
static double gamma_of(tut_seeded *r, uint32_t shape)
{
    double sum = 0;
    for (uint32_t i = 0; i < shape; i++)
        sum -= log(1 - tut_seeded_unit(r));
    return sum;
}

static double beta_of(tut_seeded *r, uint32_t worked, uint32_t failed)
{
    double x = gamma_of(r, worked + 1), y = gamma_of(r, failed + 1);
    return x / (x + y);
}

void tut_adapt_next(const tut_adapt *a, tut_seeded *r, uint8_t *ret_at)
{
    /* whoever attacks wants one thing, not the one that is easiest: goals come by chance */
    ret_at[TUT_AXIS_GOAL] = a->goals->goals[tut_seeded_below(r, a->goals->count)];
    for (tut_injection_axis axis = TUT_AXIS_GOAL + 1; axis < TUT_AXIS_COUNT; axis++) {
        double best = -1;
        for (size_t i = 0; i < tut_axis_size(axis); i++) {
            uint32_t worked = a->worked[axis][i];
            double drawn = beta_of(r, worked, a->tried[axis][i] - worked);
            if (drawn <= best)
                continue;
            best = drawn;
            ret_at[axis] = (uint8_t)i;
        }
    }
}
