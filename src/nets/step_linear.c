/* Products with a matrix of weights, and scale and shift by channel. */
#include <string.h>

#include "nets/gemm.h"
#include "nets/net_internal.h"

/* out (rows * outer x n) = alpha * in (rows * outer x inner) * w + bias */
static void run_linear(const tut_step *s, tut_pass *p)
{
    size_t lines = p->count * s->outer;
    float *out = p->values[s->out];
    for (size_t i = 0; s->w2 && i < lines; i++)
        memcpy(out + i * s->n, s->w2, s->n * sizeof(*out));
    tut_gemm_run(&(tut_gemm){.m = lines,
                             .n = s->n,
                             .k = s->inner,
                             .turn_b = s->turned,
                             .alpha = s->alpha,
                             .beta = s->w2 ? 1 : 0,
                             .a = p->values[s->in],
                             .b = s->w,
                             .c = out,
                             .lda = s->inner,
                             .ldb = s->turned ? s->inner : s->n,
                             .ldc = s->n});
}

static void back_linear(const tut_step *s, tut_pass *p)
{
    tut_gemm_run(&(tut_gemm){.m = p->count * s->outer,
                             .n = s->inner,
                             .k = s->n,
                             .turn_b = !s->turned,
                             .alpha = s->alpha,
                             .beta = 1,
                             .a = p->gradients[s->out],
                             .b = s->w,
                             .c = p->gradients[s->in],
                             .lda = s->n,
                             .ldb = s->turned ? s->inner : s->n,
                             .ldc = s->inner});
}

const tut_step_kind tut_step_linear = {run_linear, back_linear};

/* n channels of `inner` numbers: out = in * w + w2. */
static void run_affine(const tut_step *s, tut_pass *p)
{
    const float *in = p->values[s->in];
    float *out = p->values[s->out];
    for (size_t i = 0; i < p->count * s->n; i++) {
        float scale = s->w[i % s->n], shift = s->w2[i % s->n];
        for (size_t j = 0; j < s->inner; j++)
            out[i * s->inner + j] = in[i * s->inner + j] * scale + shift;
    }
}

static void back_affine(const tut_step *s, tut_pass *p)
{
    const float *out = p->gradients[s->out];
    float *in = p->gradients[s->in];
    for (size_t i = 0; i < p->count * s->n; i++) {
        float scale = s->w[i % s->n];
        for (size_t j = 0; j < s->inner; j++)
            in[i * s->inner + j] += out[i * s->inner + j] * scale;
    }
}

const tut_step_kind tut_step_affine = {run_affine, back_affine};
