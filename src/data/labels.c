#include "data/labels.h"

#include <math.h>
#include <stdlib.h>

#include "stats/tails.h"

static const double floor_probability = 1.0 / 4096;
static const double natural_noise = 1.0 / 200;
static const double guessing = 0.67; /* of what guessing is contradicted */

typedef struct finder {
    const tut_labels_input *in;
    float *probabilities;
    uint8_t *contradicted, *doubted;
    uint32_t *likely;
    double *joint;
} finder;

static void finder_done(finder *f)
{
    tut_free(f->probabilities);
    tut_free(f->contradicted);
    tut_free(f->doubted);
    tut_free(f->likely);
    tut_free(f->joint);
}

void tut_label_doubts_done(tut_label_doubts *d)
{
    tut_free(d->items);
    *d = (tut_label_doubts){0};
}

static tut_status finder_init(finder *f, const tut_labels_input *in, tut_error *err)
{
    f->in = in;
    f->probabilities = tut_alloc_array(in->count * in->classes, sizeof(*f->probabilities));
    f->contradicted = tut_alloc_array(in->count, 1);
    f->doubted = tut_alloc_array(in->count, 1);
    f->likely = tut_alloc_array(in->count, sizeof(*f->likely));
    f->joint = tut_alloc_array(in->classes * in->classes, sizeof(*f->joint));
    if (!f->probabilities || !f->contradicted || !f->doubted || !f->likely || !f->joint)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

static void find_likely(finder *f)
{
    size_t classes = f->in->classes;
    for (size_t i = 0; i < f->in->count; i++) {
        const float *p = f->probabilities + i * classes;
        f->likely[i] = 0;
        for (uint32_t c = 1; c < classes; c++)
            f->likely[i] = p[c] > p[f->likely[i]] ? c : f->likely[i];
        f->contradicted[i] = f->likely[i] != f->in->labels[i];
    }
}

typedef struct certain {
    uint32_t class;
    float probability;
    uint32_t row;
} certain;

static int by_certainty(const void *a, const void *b)
{
    const certain *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (x->probability > y->probability || x->probability < y->probability)
        return x->probability > y->probability ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

enum { FRACTIONS = 4, CORE_LEAST = 200 };

/* The most certain rows of each predicted class: a half, a quarter, and so on; and how many labels
 * they contradict. Wrong labels are as frequent in each; contradictions by nature fade. So the
 * fraction that contradicts least, its standard deviation added, bounds what is wrong. */
static void choose_core(const uint64_t rows[FRACTIONS], const uint64_t contradicted[FRACTIONS],
                        tut_label_doubts *d)
{
    double least = 2;
    for (size_t i = 0; i < FRACTIONS && (i == 0 || rows[i] >= CORE_LEAST); i++) {
        double k = (double)contradicted[i], bound = (k + (k > 0 ? sqrt(k) : 1)) / (double)rows[i];
        if (rows[i] == 0 || bound >= least)
            continue;
        least = bound;
        d->core = rows[i];
        d->core_contradicted = contradicted[i];
    }
    d->noise = d->core ? (double)d->core_contradicted / (double)d->core : 0;
    d->p = tut_tail_binomial(d->core_contradicted, d->core, natural_noise);
}

static tut_status find_core(const finder *f, tut_label_doubts *d, tut_error *err)
{
    size_t count = f->in->count;
    uint64_t rows[FRACTIONS] = {0}, contradicted[FRACTIONS] = {0};
    TUT_AUTO_FREE certain *order = tut_alloc_array(count, sizeof(*order));
    if (!order)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        order[i] = (certain){.class = f->likely[i],
                             .probability = f->probabilities[i * f->in->classes + f->likely[i]],
                             .row = (uint32_t)i};
    qsort(order, count, sizeof(*order), by_certainty);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && order[end].class == order[first].class;)
            end++;
        for (size_t part = 0; part < FRACTIONS; part++) {
            size_t size = (end - first + 1) >> (part + 1);
            rows[part] += size;
            for (size_t i = first; i < first + size; i++)
                contradicted[part] += f->contradicted[order[i].row];
        }
    }
    choose_core(rows, contradicted, d);
    return TUT_SUCCESS;
}

/* The probability that the given label is right, if this share of labels is wrong and falls on any
 * other class alike. */
static double right_of(const finder *f, size_t row, double noise)
{
    double classes = (double)f->in->classes;
    double p = (double)f->probabilities[row * f->in->classes + f->in->labels[row]];
    p = (p + floor_probability) / (1 + classes * floor_probability);
    double right = p * (1 - noise), wrong = (1 - p) * noise / (classes - 1);
    return right + wrong > 0 ? right / (right + wrong) : 1;
}

static int by_doubt(const void *a, const void *b)
{
    const tut_label_doubt *x = a, *y = b;
    if (x->right < y->right || x->right > y->right)
        return x->right < y->right ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static tut_status collect(const finder *f, tut_label_doubts *d, tut_error *err)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < f->in->count; i++)
        count += f->doubted[i];
    double expected = d->noise * (double)f->in->count, sum = 0;
    double most = floor(expected + sqrt(expected));
    d->items = tut_alloc_array(count + 1, sizeof(*d->items));
    if (!d->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < f->in->count; i++)
        if (f->doubted[i])
            d->items[kept++] = (tut_label_doubt){.row = (uint32_t)i,
                                                 .given = f->in->labels[i],
                                                 .likely = f->likely[i],
                                                 .right = right_of(f, i, d->noise)};
    qsort(d->items, kept, sizeof(*d->items), by_doubt);
    while (d->count < kept && (double)d->count < most && d->items[d->count].right < 0.5) {
        sum += d->items[d->count].right;
        d->items[d->count].q = sum / (double)(d->count + 1);
        d->count++;
    }
    return TUT_SUCCESS;
}

/* How often two labels drawn from all differ: what guessing is contradicted. */
static double chance_of(const tut_labels_input *in, const double *sizes)
{
    double same = 0, count = (double)in->count;
    for (size_t c = 0; c < in->classes; c++)
        same += sizes[c] / count * (sizes[c] / count);
    return 1 - same;
}

static bool is_unpredictable(finder *f, double noise)
{
    double *sizes = f->joint; /* lent: it is made later */
    for (size_t c = 0; c < f->in->classes; c++)
        sizes[c] = 0;
    for (size_t i = 0; i < f->in->count; i++)
        sizes[f->in->labels[i]]++;
    return noise > guessing * chance_of(f->in, sizes);
}

static tut_status find(finder *f, tut_label_doubts *d, tut_error *err)
{
    const tut_labels_input *in = f->in;
    TUT_TRY(tut_labels_probabilities(in, NULL, f->probabilities, &d->used_regression, err));
    find_likely(f);
    TUT_TRY(find_core(f, d, err));
    d->is_unpredictable = is_unpredictable(f, d->noise);
    if (d->core_contradicted == 0 || d->is_unpredictable)
        return TUT_SUCCESS;
    TUT_TRY(
        tut_labels_probabilities(in, f->contradicted, f->probabilities, &d->used_regression, err));
    find_likely(f);
    TUT_TRY(tut_labels_joint(f->probabilities, in->labels, in->count, in->classes, f->joint, err));
    TUT_TRY(tut_labels_prune(f->probabilities, in->labels, in->count, in->classes, f->joint,
                             f->doubted, err));
    return collect(f, d, err);
}

tut_status tut_labels_find(const tut_labels_input *in, tut_label_doubts *ret_doubts, tut_error *err)
{
    finder f = {0};
    tut_label_doubts d = {.p = 1};
    if (in->classes < 2 || in->classes > TUT_LABELS_CLASSES || in->count == 0)
        return tut_fail(err, TUT_USAGE, "labels of %zu classes cannot be judged", in->classes);
    tut_status s = finder_init(&f, in, err);
    if (tut_is_ok(s))
        s = find(&f, &d, err);
    finder_done(&f);
    if (tut_is_ok(s))
        *ret_doubts = d;
    else
        tut_label_doubts_done(&d);
    return s;
}
