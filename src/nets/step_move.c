/* Steps that only move numbers: to another order or more places, and side by side. */
#include <string.h>

#include "nets/net_internal.h"

static void run_gather(const tut_step *s, tut_pass *p)
{
    size_t width = p->net->widths[s->out];
    for (size_t row = 0; row < p->count; row++) {
        const float *in = tut_pass_row(p->values, p, s->in, row);
        float *out = tut_pass_row(p->values, p, s->out, row);
        for (size_t i = 0; i < width; i++)
            out[i] = in[s->map[i]];
    }
}

static void back_gather(const tut_step *s, tut_pass *p)
{
    size_t width = p->net->widths[s->out];
    for (size_t row = 0; row < p->count; row++) {
        const float *out = tut_pass_row(p->gradients, p, s->out, row);
        float *in = tut_pass_row(p->gradients, p, s->in, row);
        for (size_t i = 0; i < width; i++)
            in[s->map[i]] += out[i];
    }
}

const tut_step_kind tut_step_gather = {run_gather, back_gather};

/* `outer` runs of n numbers each, `stride` apart in the output, from `at` on. */
static void run_place(const tut_step *s, tut_pass *p)
{
    for (size_t i = 0; i < p->count * s->outer; i++)
        memcpy(p->values[s->out] + i * s->stride + s->at, p->values[s->in] + i * s->n,
               s->n * sizeof(float));
}

static void back_place(const tut_step *s, tut_pass *p)
{
    for (size_t i = 0; i < p->count * s->outer; i++) {
        const float *out = p->gradients[s->out] + i * s->stride + s->at;
        float *in = p->gradients[s->in] + i * s->n;
        for (size_t j = 0; j < s->n; j++)
            in[j] += out[j];
    }
}

const tut_step_kind tut_step_place = {run_place, back_place};
