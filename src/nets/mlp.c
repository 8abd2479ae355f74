#include "nets/mlp.h"

#include <math.h>
#include <string.h>

#include "base/cage.h"
#include "nets/gemm.h"
#include "nets/net_internal.h"
#include "stats/scores.h"
#include "stats/seeded.h"

enum { LAYERS = TUT_MLP_LAYERS_MOST + 1, BATCH = 64, EPOCHS = 50, PREDICTED_AT_ONCE = 256 };

typedef struct layer {
    size_t in, out;
    float *weights, *bias;     /* in x out; out */
    float *slope, *bias_slope; /* of the batch */
    float *values, *gradients; /* batch x out, before the next layer's product */
} layer;

typedef struct training {
    const tut_mlp_wish *wish;
    const float *rows;
    const uint32_t *labels;
    size_t batch, count, layer_count, parameters;
    layer layers[LAYERS];
    float *numbers;    /* parameters, slopes, first and second moments: one block each */
    float *room;       /* values and gradients of all layers, and the rows of a batch */
    float *inputs;     /* batch x width */
    uint32_t *order;   /* of the rows */
    uint32_t *targets; /* rows of the batch */
    uint64_t steps;
    tut_seeded random;
} training;

/* --- room --- */

static void training_done(training *t)
{
    tut_free(t->numbers);
    tut_free(t->room);
    tut_free(t->order);
    tut_free(t->targets);
}

static void lay_out(training *t)
{
    float *at = t->numbers, *room = t->room;
    for (size_t i = 0; i < t->layer_count; i++) {
        layer *l = &t->layers[i];
        l->weights = at;
        l->slope = at + t->parameters;
        at += l->in * l->out;
        l->bias = at;
        l->bias_slope = at + t->parameters;
        at += l->out;
        l->values = room;
        l->gradients = room + t->batch * l->out;
        room += 2 * t->batch * l->out;
    }
    t->inputs = room;
}

static tut_status check_wish(const tut_mlp_wish *w, const uint32_t *labels, size_t count,
                             tut_error *err)
{
    size_t rows = w->picks ? w->pick_count : count;
    if (w->width == 0 || w->classes < 2 || rows == 0 || count > UINT32_MAX ||
        w->hidden_count > TUT_MLP_LAYERS_MOST)
        return tut_fail(err, TUT_USAGE, "%zu rows of %zu numbers in %zu classes train nothing",
                        rows, w->width, w->classes);
    for (size_t i = 0; i < rows; i++) {
        size_t row = w->picks ? w->picks[i] : i;
        if (row >= count || (!w->wanted && labels[row] >= w->classes))
            return tut_fail(err, TUT_USAGE, "row %zu has no label below %zu", row, w->classes);
    }
    return TUT_SUCCESS;
}

static tut_status make_room(training *t, tut_error *err)
{
    const tut_mlp_wish *w = t->wish;
    size_t in = w->width, widths = 0;
    t->layer_count = w->hidden_count + 1;
    for (size_t i = 0; i < t->layer_count; i++) {
        size_t out = i < w->hidden_count ? w->hidden[i] : w->classes, numbers;
        if (out == 0 || __builtin_mul_overflow(in + 1, out, &numbers) ||
            numbers > TUT_NET_PARAMETERS_MOST - t->parameters)
            return tut_fail(err, TUT_LIMIT, "a net of no or too many parameters");
        t->layers[i] = (layer){.in = in, .out = out};
        t->parameters += numbers;
        widths += out;
        in = out;
    }
    t->numbers = tut_alloc_array(4 * t->parameters, sizeof(float));
    t->room = tut_alloc_array(t->batch * (2 * widths + w->width), sizeof(float));
    t->order = tut_alloc_array(t->count, sizeof(*t->order));
    t->targets = tut_alloc_array(t->batch, sizeof(*t->targets));
    if (!t->numbers || !t->room || !t->order || !t->targets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    lay_out(t);
    return TUT_SUCCESS;
}

/* He's width for what a rectified unit reads, the half of it for the last layer. */
static void begin(training *t)
{
    for (size_t i = 0; i < t->layer_count; i++) {
        layer *l = &t->layers[i];
        double width = sqrt((i + 1 < t->layer_count ? 2.0 : 1.0) / (double)l->in);
        for (size_t j = 0; j < l->in * l->out; j++)
            l->weights[j] = (float)(width * tut_seeded_normal(&t->random));
    }
    for (size_t i = 0; i < t->count; i++)
        t->order[i] = t->wish->picks ? t->wish->picks[i] : (uint32_t)i;
}

/* --- a step --- */

static void forth(training *t, size_t n)
{
    const float *in = t->inputs;
    for (size_t i = 0; i < t->layer_count; i++) {
        layer *l = &t->layers[i];
        for (size_t row = 0; row < n; row++)
            memcpy(l->values + row * l->out, l->bias, l->out * sizeof(float));
        tut_gemm_run(&(tut_gemm){.m = n,
                                 .n = l->out,
                                 .k = l->in,
                                 .alpha = 1,
                                 .beta = 1,
                                 .a = in,
                                 .b = l->weights,
                                 .c = l->values,
                                 .lda = l->in,
                                 .ldb = l->out,
                                 .ldc = l->out});
        if (i + 1 < t->layer_count)
            for (size_t j = 0; j < n * l->out; j++)
                l->values[j] = l->values[j] > 0 ? l->values[j] : 0;
        in = l->values;
    }
}

/* The slope of the mean loss at the scores. */
static void loss_slope(training *t, size_t n)
{
    layer *l = &t->layers[t->layer_count - 1];
    for (size_t row = 0; row < n; row++) {
        float *p = l->values + row * l->out, *up = l->gradients + row * l->out;
        tut_softmax_f(p, l->out, p);
        uint32_t from = t->targets[row];
        const float *wanted = t->wish->wanted ? t->wish->wanted + (size_t)from * l->out : NULL;
        for (size_t i = 0; i < l->out; i++)
            up[i] = (p[i] - (wanted ? wanted[i] : (float)(i == t->labels[from]))) / (float)n;
    }
}

static void back(training *t, size_t n)
{
    for (size_t i = t->layer_count; i-- > 0;) {
        layer *l = &t->layers[i], *below = i ? &t->layers[i - 1] : NULL;
        memset(l->bias_slope, 0, l->out * sizeof(float));
        for (size_t row = 0; row < n; row++)
            for (size_t j = 0; j < l->out; j++)
                l->bias_slope[j] += l->gradients[row * l->out + j];
        tut_gemm_run(&(tut_gemm){.m = l->in,
                                 .n = l->out,
                                 .k = n,
                                 .turn_a = true,
                                 .alpha = 1,
                                 .a = below ? below->values : t->inputs,
                                 .b = l->gradients,
                                 .c = l->slope,
                                 .lda = l->in,
                                 .ldb = l->out,
                                 .ldc = l->out});
        if (!below)
            return;
        tut_gemm_run(&(tut_gemm){.m = n,
                                 .n = l->in,
                                 .k = l->out,
                                 .turn_b = true,
                                 .alpha = 1,
                                 .a = l->gradients,
                                 .b = l->weights,
                                 .c = below->gradients,
                                 .lda = l->out,
                                 .ldb = l->out,
                                 .ldc = l->in});
        for (size_t j = 0; j < n * l->in; j++)
            below->gradients[j] = below->values[j] > 0 ? below->gradients[j] : 0;
    }
}

static void update(training *t)
{
    const float keep_first = 0.9f, keep_second = 0.999f;
    size_t n = t->parameters;
    float *restrict w = t->numbers, *restrict slope = w + n;
    float *restrict first = w + 2 * n, *restrict second = w + 3 * n;
    double rate = t->wish->rate > 0 ? t->wish->rate : 1e-3;
    double steps = (double)++t->steps;
    float pace = (float)(rate * sqrt(1 - pow((double)keep_second, steps)) /
                         (1 - pow((double)keep_first, steps)));
    float l2 = (float)t->wish->l2;
    for (size_t i = 0; l2 > 0 && i < t->layer_count; i++) {
        layer *l = &t->layers[i];
        for (size_t j = 0; j < l->in * l->out; j++)
            l->slope[j] += l2 * l->weights[j];
    }
    for (size_t i = 0; i < n; i++) {
        first[i] = keep_first * first[i] + (1 - keep_first) * slope[i];
        second[i] = keep_second * second[i] + (1 - keep_second) * slope[i] * slope[i];
        w[i] -= pace * first[i] / (sqrtf(second[i]) + 1e-8f);
    }
}

static void train_epoch(training *t)
{
    for (size_t i = t->count; i-- > 1;) { /* Fisher and Yates */
        size_t j = (size_t)tut_seeded_below(&t->random, i + 1);
        uint32_t kept = t->order[i];
        t->order[i] = t->order[j];
        t->order[j] = kept;
    }
    size_t width = t->wish->width;
    for (size_t at = 0; at < t->count; at += t->batch) {
        size_t n = t->count - at < t->batch ? t->count - at : t->batch;
        for (size_t i = 0; i < n; i++) {
            size_t row = t->order[at + i];
            memcpy(t->inputs + i * width, t->rows + row * width, width * sizeof(float));
            t->targets[i] = (uint32_t)row;
        }
        forth(t, n);
        loss_slope(t, n);
        back(t, n);
        update(t);
    }
}

/* --- the net --- */

static tut_span bytes_of(const float *numbers, size_t count)
{
    return tut_span_of(numbers, count * sizeof(*numbers));
}

/* Values: 1 the input; then, of each layer, weights, bias, product, and what is left of it. */
static tut_status to_net(const training *t, tut_net **ret_net, tut_error *err)
{
    enum { EACH = 4 };
    tut_graph_const consts[2 * LAYERS];
    tut_graph_node nodes[2 * LAYERS];
    uint32_t inputs[2 * LAYERS][3], outputs[2 * LAYERS], last = 1;
    tut_graph g = {.opset = TUT_GRAPH_OPSET_MOST, .input = 1, .axes = 1, .consts = consts};
    g.nodes = nodes;
    g.shape[0] = t->wish->width;
    g.value_count = (uint32_t)(2 + EACH * t->layer_count);
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const layer *l = &t->layers[i];
        uint32_t base = 2 + EACH * i, at = (uint32_t)g.node_count;
        consts[g.const_count++] =
            (tut_graph_const){.value = base,
                              .type = TUT_ONNX_F32,
                              .axes = 2,
                              .dims = {l->in, l->out},
                              .count = l->in * l->out,
                              .inlined = bytes_of(l->weights, l->in * l->out)};
        consts[g.const_count++] = (tut_graph_const){.value = base + 1,
                                                    .type = TUT_ONNX_F32,
                                                    .axes = 1,
                                                    .dims = {l->out},
                                                    .count = l->out,
                                                    .inlined = bytes_of(l->bias, l->out)};
        memcpy(inputs[at], ((uint32_t[]){last, base, base + 1}), sizeof(inputs[at]));
        outputs[at] = last = base + 2;
        nodes[g.node_count++] = (tut_graph_node){.op = TUT_NET_OP_GEMM,
                                                 .input_count = 3,
                                                 .output_count = 1,
                                                 .inputs = inputs[at],
                                                 .outputs = &outputs[at]};
        if (i + 1 == t->layer_count)
            break;
        inputs[++at][0] = last;
        outputs[at] = last = base + 3;
        nodes[g.node_count++] = (tut_graph_node){.op = TUT_NET_OP_RELU,
                                                 .input_count = 1,
                                                 .output_count = 1,
                                                 .inputs = inputs[at],
                                                 .outputs = &outputs[at]};
    }
    g.output = last;
    return tut_net_build(&g, NULL, ret_net, err);
}

static tut_status train(training *t, tut_net **ret_net, tut_error *err)
{
    TUT_TRY(make_room(t, err));
    begin(t);
    size_t epochs = t->wish->epochs ? t->wish->epochs : EPOCHS;
    for (size_t i = 0; i < epochs; i++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        train_epoch(t);
    }
    return to_net(t, ret_net, err);
}

tut_status tut_mlp_train(const tut_mlp_wish *wish, const float *rows, const uint32_t *labels,
                         size_t count, tut_net **ret_net, tut_error *err)
{
    TUT_TRY(check_wish(wish, labels, count, err));
    TUT_TRY(tut_gemm_start(err));
    training t = {.wish = wish, .rows = rows, .labels = labels};
    t.count = wish->picks ? wish->pick_count : count;
    t.batch = wish->batch ? wish->batch : BATCH;
    t.batch = t.batch > t.count ? t.count : t.batch;
    t.random = tut_seeded_of(wish->seed);
    tut_status status = train(&t, ret_net, err);
    training_done(&t);
    return status;
}

/* --- probabilities --- */

static void take_probabilities(const tut_net_facts *f, const float *out, float *ret)
{
    if (f->outputs == 1) {
        ret[1] = f->last == TUT_NET_SIGMOID ? out[0] : 1 / (1 + expf(-out[0]));
        ret[0] = 1 - ret[1];
        return;
    }
    memcpy(ret, out, f->outputs * sizeof(*ret));
    if (f->last == TUT_NET_SCORES)
        tut_softmax_f(ret, f->outputs, ret);
}

tut_status tut_net_predict(const tut_net *net, const float *rows, size_t count,
                           float *ret_probabilities, tut_error *err)
{
    const tut_net_facts *f = tut_net_about(net);
    TUT_AUTO(tut_pass) pass = NULL;
    size_t at_once = tut_net_rows(net, count < PREDICTED_AT_ONCE ? count : PREDICTED_AT_ONCE);
    if (count == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_pass_new(net, at_once, &pass, err));
    for (size_t done = 0; done < count;) {
        size_t n = count - done < at_once ? count - done : at_once;
        const float *out = NULL;
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(tut_pass_run(pass, rows + done * f->width, n, &out, err));
        for (size_t i = 0; i < n; i++)
            take_probabilities(f, out + i * f->outputs,
                               ret_probabilities + (done + i) * f->classes);
        done += n;
    }
    return TUT_SUCCESS;
}
