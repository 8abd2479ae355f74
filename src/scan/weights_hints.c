/*
 * Hints of backdoors in trained weights. None is proof: each is a channel, a class or a layer that
 * stands far apart from its peers, as planted behaviour makes it; only extremes are told.
 *
 *   channels  a filter whose largest singular value is out of line with those of its layer
 *             (Zheng et al., "Data-free Backdoor Removal Based on Channel Lipschitzness", ECCV
 * 2022; they prune above mean + 3 deviations, which honest layers reach too) classes   a row of the
 * last layer whose mean weight is out of line with those of the others (Fields et al., "Trojan
 * Signatures in DNN Weights", ICCV workshops 2021) layers    a matrix whose largest singular value
 * is out of line with those of the same shape
 *
 * Tensors are read again, the largest left out, and all of them within a budget.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scan/weights_internal.h"
#include "stats/spectral.h"

enum {
    VALUES_MAX = 5 << 19, /* of one tensor: 10 MiB of memory, the largest layers of ResNet-50 */
    CHANNELS_LEAST = 16,  /* fewer have no usual spread */
    CLASSES_LEAST = 8,
    CLASSES_MOST = 4096, /* more rows are a vocabulary */
    PEERS_LEAST = 6,
    PEERS_MAX = 512
};
/* Multiplications of one file: about half a second. */
static const uint64_t work_max = 1ull << 29;
/* How far is far, in robust deviations and in multiples of the median. */
static const double far_channel = 12, far_class = 12, far_layer = 12;
static const double times_channel = 3, times_layer = 3;

typedef struct hints {
    tut_weights *w;
    const tut_source *source;
    float *values, *work;
    double *scores, *sorted;
    uint64_t work_left;
} hints;

static bool is_float(const tut_weights_tensor *t)
{
    return t->kind == TUT_NUMERIC_F32 || t->kind == TUT_NUMERIC_F16 ||
           t->kind == TUT_NUMERIC_BF16 || t->kind == TUT_NUMERIC_F64;
}

/* The tensor as rows and columns, its values in h->values; false: not one to look at, or too much
 * work. times: how often each value will be multiplied. */
static bool load(hints *h, const tut_weights_tensor *t, unsigned times, size_t *ret_rows,
                 size_t *ret_cols)
{
    const tut_numeric_kind *k = &tut_numeric_kinds[t->kind];
    uint64_t count = t->moments.count, cost = count * times;
    if (!is_float(t) || !t->is_parameter || t->dim_count < 2 || t->dims[0] == 0 || count == 0 ||
        count > VALUES_MAX || count % t->dims[0] != 0 || t->moments.finite != count ||
        cost > h->work_left)
        return false;
    h->work_left -= cost;
    for (uint64_t at = 0; at < count; at += TUT_PLANES_VALUES) {
        uint8_t raw[TUT_PLANES_VALUES * 8];
        size_t n = count - at < TUT_PLANES_VALUES ? (size_t)(count - at) : TUT_PLANES_VALUES;
        if (!tut_is_ok(tut_source_read(h->source, t->begin + at * k->unit_bytes, raw,
                                       n * k->unit_bytes, NULL)))
            return false;
        tut_numeric_floats(t->kind, raw, n, h->values + at);
    }
    *ret_rows = (size_t)t->dims[0];
    *ret_cols = (size_t)(count / t->dims[0]);
    return true;
}

/* The score that is farthest above the median, in robust deviations; how far, and how many times
 * the median it is. */
static size_t farthest(hints *h, size_t count, double *ret_far, double *ret_times)
{
    double median, spread;
    size_t most = 0;
    memcpy(h->sorted, h->scores, count * sizeof(*h->scores));
    tut_median(h->sorted, count, &median, &spread);
    for (size_t i = 1; i < count; i++)
        most = h->scores[i] > h->scores[most] ? i : most;
    *ret_far = spread > 0 ? (h->scores[most] - median) / spread : 0;
    *ret_times = median > 0 ? h->scores[most] / median : 0;
    return most;
}

static void look_at_channels(hints *h, size_t i)
{
    const tut_weights_tensor *t = &h->w->tensors[i];
    size_t rows, cols;
    double far, times;
    if (t->dim_count != 4 || t->dims[0] < CHANNELS_LEAST || t->dims[0] > PEERS_MAX ||
        t->dims[1] < 2)
        return;
    uint64_t area = t->dims[2] * t->dims[3];
    if (t->dims[2] > 16 || t->dims[3] > 16 || area < 2 || area > TUT_SPECTRAL_SMALL ||
        !load(h, t, (unsigned)area, &rows, &cols))
        return;
    for (size_t r = 0; r < rows; r++)
        h->scores[r] = tut_spectral_norm_small(h->values + r * cols, (size_t)t->dims[1],
                                               (size_t)area);
    size_t at = farthest(h, rows, &far, &times);
    if (far > far_channel && times > times_channel)
        tut_weights_say(h->w, i, "weights.channel-outlier", -1, t->begin,
                        "channel %zu of tensor %s has a spectral norm of %.3g, %.1f times the "
                        "median of its layer (%.0f deviations)",
                        at, t->name, h->scores[at], times, far);
}

/* Singular vectors and centres of clusters are matrices too; their rows are no classes. */
static bool is_named_like_a_layer(const char *name)
{
    static const char *const words[] = {"weight", "kernel", "coef", "classifier", "head", "logits"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(name, words[i]))
            return true;
    return false;
}

/* The last matrix with few rows, in the order of the file, is taken for the classifier. */
static void look_at_classes(hints *h)
{
    size_t rows, cols, i = h->w->count;
    double far, times;
    while (i-- > 0) {
        const tut_weights_tensor *t = &h->w->tensors[i];
        if (t->dim_count != 2 || !is_float(t))
            continue;
        if (t->dims[0] < CLASSES_LEAST || t->dims[0] > CLASSES_MOST || t->dims[1] < 16 ||
            t->dims[0] >= t->dims[1] || !is_named_like_a_layer(t->name) ||
            !load(h, t, 1, &rows, &cols))
            return;
        for (size_t r = 0; r < rows; r++) {
            h->scores[r] = 0;
            for (size_t c = 0; c < cols; c++)
                h->scores[r] += (double)h->values[r * cols + c];
            h->scores[r] /= (double)cols;
        }
        size_t at = farthest(h, rows, &far, &times);
        if (far > far_class)
            tut_weights_say(h->w, i, "weights.class-outlier", -1, t->begin,
                            "the weights of class %zu in tensor %s are %.3g on average, %.0f "
                            "deviations above those of the other classes",
                            at, t->name, h->scores[at], far);
        return;
    }
}

static int by_shape(const tut_weights_tensor *x, const tut_weights_tensor *y)
{
    if (x->dim_count != y->dim_count)
        return x->dim_count < y->dim_count ? -1 : 1;
    return memcmp(x->dims, y->dims, sizeof(x->dims));
}

/* Layers of one shape are the blocks of a transformer, or of a stage of a residual network. */
static void look_at_layers(hints *h, size_t first)
{
    const tut_weights_tensor *t = &h->w->tensors[first];
    size_t peers[PEERS_MAX], count = 0, rows, cols;
    double far, times;
    for (size_t i = 0; i < first; i++)
        if (by_shape(&h->w->tensors[i], t) == 0)
            return; /* looked at with that one */
    for (size_t i = first; i < h->w->count && count < PEERS_MAX; i++) {
        if (by_shape(&h->w->tensors[i], t) == 0)
            peers[count++] = i;
    }
    if (count < PEERS_LEAST)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!load(h, &h->w->tensors[peers[i]], 60, &rows, &cols))
            continue;
        peers[kept] = peers[i];
        h->scores[kept++] = tut_spectral_norm(h->values, rows, cols, h->work);
    }
    if (kept < PEERS_LEAST)
        return;
    size_t at = farthest(h, kept, &far, &times);
    if (far > far_layer && times > times_layer)
        tut_weights_say(h->w, peers[at], "weights.layer-outlier", -1,
                        h->w->tensors[peers[at]].begin,
                        "tensor %s has a spectral norm of %.3g, %.1f times the median of the %zu "
                        "tensors of its shape (%.0f deviations)",
                        h->w->tensors[peers[at]].name, h->scores[at], times, kept, far);
}

void tut_weights_look_for_hints(tut_weights *w, const tut_source *source)
{
    enum { LAYERS_MAX = 1024 }; /* beyond, comparing shapes would take longer than the pass */
    TUT_AUTO_FREE float *values = NULL;
    TUT_AUTO_FREE float *work = NULL;
    TUT_AUTO_FREE double *scores = NULL;
    uint64_t largest = 0, longest = 0;
    for (size_t i = 0; i < w->count; i++) {
        const tut_weights_tensor *t = &w->tensors[i];
        uint64_t count = t->moments.count;
        if (!t->is_parameter || !is_float(t) || t->dim_count < 2 || t->dims[0] == 0 ||
            count > VALUES_MAX || t->dims[0] > VALUES_MAX)
            continue;
        uint64_t sides = t->dims[0] + count / t->dims[0];
        largest = count > largest ? count : largest;
        longest = sides > longest ? sides : longest;
    }
    if (largest == 0)
        return;
    values = tut_alloc_array((size_t)largest, sizeof(*values));
    work = tut_alloc_array((size_t)longest, sizeof(*work));
    scores = tut_alloc_array(2 * (size_t)CLASSES_MOST, sizeof(*scores));
    if (!values || !work || !scores)
        return; /* hints are done without */
    hints h = {.w = w,
               .source = source,
               .values = values,
               .work = work,
               .scores = scores,
               .sorted = scores + CLASSES_MOST,
               .work_left = work_max};
    for (size_t i = 0; i < w->count; i++)
        look_at_channels(&h, i);
    look_at_classes(&h);
    for (size_t i = 0; i < w->count && i < LAYERS_MAX; i++)
        if (w->tensors[i].dim_count >= 2 && w->tensors[i].is_parameter && is_float(&w->tensors[i]))
            look_at_layers(&h, i);
}
