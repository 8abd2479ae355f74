/* Number by number: functions of one, sums and products of two; and softmax. */
#include <math.h>

#include "nets/net_internal.h"

static size_t numbers_of(const tut_step *s, const tut_pass *p)
{
    return p->count * p->net->widths[s->out];
}

/* --- of one number --- */

static float squash(float x)
{
    return x >= 0 ? 1 / (1 + expf(-x)) : expf(x) / (1 + expf(x));
}

static void run_unary(const tut_step *s, tut_pass *p)
{
    const float *x = p->values[s->in];
    float *y = p->values[s->out], a = s->alpha, b = s->beta;
    size_t n = numbers_of(s, p);
    switch (s->op) {
    case TUT_NET_OP_RELU:
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] > 0 ? x[i] : 0;
        return;
    case TUT_NET_OP_LEAKY_RELU:
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] > 0 ? x[i] : a * x[i];
        return;
    case TUT_NET_OP_ELU:
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] > 0 ? x[i] : a * expm1f(x[i]);
        return;
    case TUT_NET_OP_CLIP:
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] < a ? a : x[i] > b ? b : x[i];
        return;
    case TUT_NET_OP_SIGMOID:
        for (size_t i = 0; i < n; i++)
            y[i] = squash(x[i]);
        return;
    default: /* Tanh */
        for (size_t i = 0; i < n; i++)
            y[i] = tanhf(x[i]);
        return;
    }
}

/* A product in place of a choice: no branch, so that numbers go side by side. */
static void back_relu(const float *restrict x, const float *restrict up, float *restrict down,
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        down[i] += up[i] * (float)(x[i] > 0);
}

static void back_unary(const tut_step *s, tut_pass *p)
{
    const float *x = p->values[s->in], *y = p->values[s->out], *up = p->gradients[s->out];
    float *down = p->gradients[s->in], a = s->alpha, b = s->beta;
    size_t n = numbers_of(s, p);
    switch (s->op) {
    case TUT_NET_OP_RELU:
        back_relu(x, up, down, n);
        return;
    case TUT_NET_OP_LEAKY_RELU:
        for (size_t i = 0; i < n; i++)
            down[i] += x[i] > 0 ? up[i] : a * up[i];
        return;
    case TUT_NET_OP_ELU:
        for (size_t i = 0; i < n; i++)
            down[i] += x[i] > 0 ? up[i] : up[i] * (y[i] + a);
        return;
    case TUT_NET_OP_CLIP:
        for (size_t i = 0; i < n; i++)
            down[i] += x[i] < a || x[i] > b ? 0 : up[i];
        return;
    case TUT_NET_OP_SIGMOID:
        for (size_t i = 0; i < n; i++)
            down[i] += up[i] * y[i] * (1 - y[i]);
        return;
    default: /* Tanh */
        for (size_t i = 0; i < n; i++)
            down[i] += up[i] * (1 - y[i] * y[i]);
        return;
    }
}

const tut_step_kind tut_step_unary = {run_unary, back_unary};

/* --- of two --- */

static const float *operand(const tut_pass *p, int32_t tensor, const float *numbers, size_t row)
{
    return tensor == TUT_NET_NONE ? numbers : tut_pass_row(p->values, p, tensor, row);
}

static void run_binary(const tut_step *s, tut_pass *p)
{
    size_t width = p->net->widths[s->out];
    for (size_t row = 0; row < p->count; row++) {
        const float *a = operand(p, s->in, s->w, row), *b = operand(p, s->in2, s->w2, row);
        float *y = tut_pass_row(p->values, p, s->out, row);
        switch (s->op) {
        case TUT_NET_OP_ADD:
            for (size_t i = 0; i < width; i++)
                y[i] = a[i] + b[i];
            break;
        case TUT_NET_OP_SUB:
            for (size_t i = 0; i < width; i++)
                y[i] = a[i] - b[i];
            break;
        case TUT_NET_OP_MUL:
            for (size_t i = 0; i < width; i++)
                y[i] = a[i] * b[i];
            break;
        default: /* Div */
            for (size_t i = 0; i < width; i++)
                y[i] = a[i] / b[i];
            break;
        }
    }
}

/* What the first operand gets of the gradient, and what the second. */
static void back_first(const tut_step *s, tut_pass *p, size_t row)
{
    size_t width = p->net->widths[s->out];
    const float *b = operand(p, s->in2, s->w2, row);
    const float *up = tut_pass_row(p->gradients, p, s->out, row);
    float *down = tut_pass_row(p->gradients, p, s->in, row);
    bool is_product = s->op == TUT_NET_OP_MUL, is_ratio = s->op == TUT_NET_OP_DIV;
    for (size_t i = 0; i < width; i++)
        down[i] += is_product ? up[i] * b[i] : is_ratio ? up[i] / b[i] : up[i];
}

static void back_second(const tut_step *s, tut_pass *p, size_t row)
{
    size_t width = p->net->widths[s->out];
    const float *a = operand(p, s->in, s->w, row);
    const float *b = operand(p, s->in2, s->w2, row);
    const float *up = tut_pass_row(p->gradients, p, s->out, row);
    float *down = tut_pass_row(p->gradients, p, s->in2, row);
    bool is_product = s->op == TUT_NET_OP_MUL, is_ratio = s->op == TUT_NET_OP_DIV;
    float sign = s->op == TUT_NET_OP_SUB ? -1 : 1;
    for (size_t i = 0; i < width; i++)
        down[i] += is_product ? up[i] * a[i]
                   : is_ratio ? -up[i] * a[i] / (b[i] * b[i])
                              : sign * up[i];
}

static void back_binary(const tut_step *s, tut_pass *p)
{
    for (size_t row = 0; row < p->count; row++) {
        if (s->in != TUT_NET_NONE)
            back_first(s, p, row);
        if (s->in2 != TUT_NET_NONE)
            back_second(s, p, row);
    }
}

const tut_step_kind tut_step_binary = {run_binary, back_binary};

/* --- softmax: `outer` times n numbers that stand `inner` apart --- */

static void softmax_of(const tut_step *s, const float *x, float *y)
{
    float most = -INFINITY, sum = 0;
    for (size_t i = 0; i < s->n; i++)
        most = fmaxf(most, x[i * s->inner]);
    for (size_t i = 0; i < s->n; i++)
        sum += y[i * s->inner] = expf(x[i * s->inner] - most);
    bool is_log = s->op == TUT_NET_OP_LOG_SOFTMAX;
    float log_sum = sum > 0 ? most + logf(sum) : 0;
    for (size_t i = 0; i < s->n; i++)
        y[i * s->inner] = is_log ? x[i * s->inner] - log_sum : y[i * s->inner] / sum;
}

static void softmax_back(const tut_step *s, const float *y, const float *up, float *down)
{
    bool is_log = s->op == TUT_NET_OP_LOG_SOFTMAX;
    float sum = 0;
    for (size_t i = 0; i < s->n; i++)
        sum += is_log ? up[i * s->inner] : up[i * s->inner] * y[i * s->inner];
    for (size_t i = 0; i < s->n; i++) {
        size_t at = i * s->inner;
        down[at] += is_log ? up[at] - expf(y[at]) * sum : y[at] * (up[at] - sum);
    }
}

static size_t start_of(const tut_step *s, size_t i)
{
    return i / s->inner * s->n * s->inner + i % s->inner;
}

static void run_softmax(const tut_step *s, tut_pass *p)
{
    for (size_t i = 0; i < p->count * s->outer * s->inner; i++)
        softmax_of(s, p->values[s->in] + start_of(s, i), p->values[s->out] + start_of(s, i));
}

static void back_softmax(const tut_step *s, tut_pass *p)
{
    for (size_t i = 0; i < p->count * s->outer * s->inner; i++) {
        size_t at = start_of(s, i);
        softmax_back(s, p->values[s->out] + at, p->gradients[s->out] + at,
                     p->gradients[s->in] + at);
    }
}

const tut_step_kind tut_step_softmax = {run_softmax, back_softmax};
