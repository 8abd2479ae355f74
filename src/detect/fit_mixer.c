/* The hidden layer over symbols: AdaGrad again, with a fifth of the units left out at each step. */
#include <math.h>

#include "detect/fit_internal.h"

enum { EPOCHS = 4, UNITS = TUT_MIXER_UNITS };
static const float rate = 0.05f, accumulator = 1e-2f, dropout = 0.2f;

typedef struct mixing {
    float *weights, *squares; /* of buckets x units */
    float biases[UNITS], bias_squares[UNITS], out[UNITS], out_squares[UNITS];
    float bias, bias_square;
    uint32_t base[TUT_BAG_GROUPS + 1], first;
    tut_random random;
} mixing;

static float step(float *weight, float *square, float gradient)
{
    *square += gradient * gradient;
    return *weight -= rate * gradient / sqrtf(*square);
}

/* What each bucket of the row counts; 0 for those of runs. */
static void factors_of(const mixing *x, const fit_row *row, float factor[TUT_BAG_GROUPS])
{
    const tut_bag_shape *shape = &tut_head_shapes[TUT_HEAD_SYMBOLS];
    (void)x;
    for (unsigned g = 0; g < shape->groups; g++)
        factor[g] = g && row->held[g] ? shape->gain[g] / sqrtf((float)row->held[g]) : 0;
}

static unsigned group_of(const mixing *x, uint32_t id)
{
    unsigned g = 0;
    while (id >= x->base[g + 1])
        g++;
    return g;
}

static void learn(mixing *x, const fit_rows *rows, const fit_row *row, float weight)
{
    float factor[TUT_BAG_GROUPS] = {0}, units[UNITS], logit = x->bias;
    bool is_on[UNITS];
    const uint32_t *ids = rows->ids + row->first;
    factors_of(x, row, factor);
    memcpy(units, x->biases, sizeof(units));
    for (uint32_t i = 0; i < row->count; i++) {
        if (ids[i] < x->first)
            continue;
        const float *w = x->weights + (size_t)(ids[i] - x->first) * UNITS;
        float by = factor[group_of(x, ids[i])];
        for (int u = 0; u < UNITS; u++)
            units[u] += by * w[u];
    }
    for (int u = 0; u < UNITS; u++) {
        is_on[u] = units[u] > 0 && (float)tut_random_below(&x->random, 1000) >= dropout * 1000;
        units[u] /= 1 - dropout;
        logit += is_on[u] ? units[u] * x->out[u] : 0;
    }
    float p = 1 / (1 + expf(-logit)), gradient = (p - (row->is_attack ? 1.0f : 0.0f)) * weight;
    float back[UNITS];
    (void)step(&x->bias, &x->bias_square, gradient);
    for (int u = 0; u < UNITS; u++) {
        back[u] = is_on[u] ? gradient * x->out[u] / (1 - dropout) : 0;
        if (is_on[u])
            (void)step(&x->out[u], &x->out_squares[u], gradient * units[u]);
        if (is_on[u])
            (void)step(&x->biases[u], &x->bias_squares[u], back[u]);
    }
    for (uint32_t i = 0; i < row->count; i++) {
        if (ids[i] < x->first)
            continue;
        size_t at = (size_t)(ids[i] - x->first) * UNITS;
        float by = factor[group_of(x, ids[i])];
        for (int u = 0; u < UNITS; u++)
            if (is_on[u])
                (void)step(&x->weights[at + (size_t)u], &x->squares[at + (size_t)u], back[u] * by);
    }
}

static void quantise(const mixing *x, tut_mixer *to)
{
    uint32_t buckets = tut_mixer_buckets();
    to->bias = x->bias;
    for (uint32_t u = 0; u < UNITS; u++) {
        float most = 1e-6f;
        for (uint32_t i = 0; i < buckets; i++)
            most = fmaxf(most, fabsf(x->weights[i * UNITS + u]));
        to->biases[u] = x->biases[u];
        to->weights[u] = x->out[u];
        to->scale[u] = most / 127;
        for (uint32_t i = 0; i < buckets; i++)
            to->table[i * UNITS + u] = (int8_t)lrintf(x->weights[i * UNITS + u] / to->scale[u]);
    }
}

static void begin(mixing *x, uint64_t seed)
{
    const tut_bag_shape *shape = &tut_head_shapes[TUT_HEAD_SYMBOLS];
    x->random.state = seed + 77;
    x->first = tut_mixer_first();
    x->bias_square = accumulator;
    for (unsigned g = 0; g < shape->groups; g++)
        x->base[g + 1] = x->base[g] + shape->size[g];
    for (uint32_t i = 0; i < tut_mixer_buckets() * UNITS; i++) {
        x->squares[i] = accumulator;
        x->weights[i] = ((float)tut_random_below(&x->random, 2001) - 1000) / 1000 * 0.1f;
    }
    for (int u = 0; u < UNITS; u++) {
        x->bias_squares[u] = x->out_squares[u] = accumulator;
        x->biases[u] = 0.1f;
        x->out[u] = u % 2 ? 0.5f : -0.5f;
    }
}

tut_status fit_train_mixer(const fit *f, const bool *uses, tut_model *to, tut_error *err)
{
    const fit_rows *rows = &f->rows[TUT_HEAD_SYMBOLS];
    size_t weights = (size_t)tut_mixer_buckets() * UNITS, count = 0;
    TUT_AUTO_FREE mixing *x = tut_alloc_array(1, sizeof(*x));
    TUT_AUTO_FREE float *memory = tut_alloc_array(2 * weights, sizeof(*memory));
    TUT_AUTO_FREE uint32_t *order = tut_alloc_array(rows->count, sizeof(*order));
    float balance[2];
    if (!x || !memory || !order)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    x->weights = memory;
    x->squares = memory + weights;
    begin(x, f->options->seed);
    count = fit_choose(rows, uses, order, balance);
    for (int e = 0; e < EPOCHS; e++) {
        fit_shuffle(order, count, &x->random);
        for (size_t i = 0; i < count; i++) {
            const fit_row *row = &rows->items[order[i]];
            if (i % 4096 == 0)
                TUT_TRY(fit_go_on(err));
            learn(x, rows, row, row->weight * balance[row->is_attack]);
        }
    }
    quantise(x, &to->mixer);
    return TUT_SUCCESS;
}
