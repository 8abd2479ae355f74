/*
 * Performance without labels, of a classifier of two classes: its probabilities are calibrated on
 * the reference (isotonic regression by pooling adjacent violators), and what is right of its
 * predictions follows from them: p where it says 1, 1 - p where it says 0.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stats/special.h"
#include "watch/drift_internal.h"

typedef struct scored {
    double probability, label, weight;
    double calibrated;
} scored;

typedef struct scores {
    scored *items;
    size_t count;
} scores;

static int by_probability(const void *a, const void *b)
{
    double x = ((const scored *)a)->probability, y = ((const scored *)b)->probability;
    return (x > y) - (x < y);
}

/* Pools neighbours that fall: in order of probability, the calibrated ones never do. Equal
 * probabilities are one. */
static tut_status calibrate(scores *s, tut_error *err)
{
    TUT_AUTO_FREE double *blocks = tut_alloc_array(2 * s->count, sizeof(*blocks));
    size_t count = 0, at = 0;
    if (!blocks)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double *sum = blocks, *weight = blocks + s->count;
    qsort(s->items, s->count, sizeof(*s->items), by_probability);
    for (size_t i = 0, j; i < s->count; i = j) {
        sum[count] = weight[count] = 0;
        for (j = i; j < s->count && s->items[j].probability == s->items[i].probability; j++) {
            sum[count] += s->items[j].label;
            weight[count]++;
        }
        count++;
        while (count > 1 &&
               sum[count - 2] * weight[count - 1] >= sum[count - 1] * weight[count - 2]) {
            sum[count - 2] += sum[count - 1];
            weight[count - 2] += weight[count - 1];
            count--;
        }
    }
    for (size_t b = 0; b < count; b++)
        for (size_t k = 0; k < (size_t)weight[b]; k++)
            s->items[at++].calibrated = sum[b] / weight[b];
    return TUT_SUCCESS;
}

/* Between the neighbours in the reference. */
static double calibrated_at(const scores *reference, double probability)
{
    size_t low = 0, high = reference->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (reference->items[middle].probability < probability)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == reference->count)
        return reference->items[low - 1].calibrated;
    const scored *above = &reference->items[low];
    if (low == 0 || above->probability == probability)
        return above->calibrated;
    const scored *below = above - 1;
    double share = (probability - below->probability) / (above->probability - below->probability);
    return below->calibrated + share * (above->calibrated - below->calibrated);
}

/* The area under the curve where each item is positive by `p`: pairs in order of probability. */
static double expected_auc(const scores *s, bool is_realised)
{
    double positive = 0, negative = 0, area = 0;
    for (size_t i = 0, j; i < s->count; i = j) {
        double p = 0, q = 0;
        for (j = i; j < s->count && s->items[j].probability == s->items[i].probability; j++) {
            double y = is_realised ? s->items[j].label : s->items[j].calibrated;
            p += y;
            q += 1 - y;
        }
        area += p * (negative + q / 2);
        positive += p;
        negative += q;
    }
    return positive > 0 && negative > 0 ? area / (positive * negative) : NAN;
}

static tut_status gather(const tut_pair *p, const tut_drift_options *o, unsigned side, bool labels,
                         scores *ret, tut_error *err)
{
    const tut_pair_column *probability = tut_pair_find(p, o->probability);
    const tut_pair_column *prediction = tut_pair_find(p, o->prediction);
    const tut_pair_column *label = tut_pair_find(p, o->label);
    ret->items = tut_alloc_array(p->kept_rows[side] + 1, sizeof(*ret->items));
    if (!ret->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < p->kept_rows[side]; i++) {
        scored s = {.probability = probability->values[side][i],
                    .label = labels ? label->values[side][i] : 0};
        double said = prediction->values[side][i];
        bool is_sound = s.probability >= 0 && s.probability <= 1 && (said == 0 || said == 1) &&
                        (s.label == 0 || s.label == 1);
        s.weight = said;
        if (is_sound)
            ret->items[ret->count++] = s;
    }
    return TUT_SUCCESS;
}

static double realised(const scores *s)
{
    double right = 0;
    for (size_t i = 0; i < s->count; i++)
        right += s->items[i].label == s->items[i].weight;
    return right / (double)s->count;
}

/* The variance of the share of right answers: that of drawing labels, and that of drawing rows. */
static double estimated(const scores *s, double *ret_variance)
{
    double sum = 0, drawn = 0, n = (double)s->count;
    for (size_t i = 0; i < s->count; i++) {
        double p = s->items[i].calibrated, right = s->items[i].weight == 1 ? p : 1 - p;
        sum += right;
        drawn += right * (1 - right);
    }
    double mean = sum / n, spread = 0;
    for (size_t i = 0; i < s->count; i++) {
        double p = s->items[i].calibrated, right = s->items[i].weight == 1 ? p : 1 - p;
        spread += (right - mean) * (right - mean);
    }
    *ret_variance = (drawn + spread) / (n * n);
    return mean;
}

static bool has_column(const tut_pair *p, tut_str name, unsigned side)
{
    const tut_pair_column *c = tut_pair_find(p, name);
    return c && c->is_there[side] && c->values[side] && c->numbers[side] > 0;
}

static void judge(const scores *reference, scores *current, bool has_labels,
                  const tut_drift_options *o, tut_drift_performance *f)
{
    double variance = 0, n = (double)reference->count;
    for (size_t i = 0; i < current->count; i++)
        current->items[i].calibrated = calibrated_at(reference, current->items[i].probability);
    f->accuracy[0] = realised(reference);
    f->accuracy[1] = estimated(current, &variance);
    f->auc[0] = expected_auc(reference, true);
    f->auc[1] = expected_auc(current, false);
    /* The calibration was learnt from as many labels as the reference has. */
    double learnt = f->accuracy[0] * (1 - f->accuracy[0]) / n;
    double deviation = sqrt(variance + learnt), z = tut_normal_quantile(0.975);
    f->accuracy_low = fmax(0, f->accuracy[1] - z * deviation);
    f->accuracy_high = fmin(1, f->accuracy[1] + z * deviation);
    f->has_current = has_labels;
    double now = f->accuracy[1];
    if (has_labels) {
        now = f->realised_accuracy = realised(current);
        f->realised_auc = expected_auc(current, true);
        double m = (double)current->count;
        deviation = sqrt(learnt + now * (1 - now) / m);
    }
    double lost = f->accuracy[0] - now;
    f->p = deviation > 0 ? tut_normal_sf(lost / deviation) : lost > 0 ? 0 : 1;
    f->drifted = f->p <= o->alpha && lost >= f->effect_least;
    f->is_there = true;
}

tut_status drift_performance_judge(const tut_pair *p, const tut_drift_options *o, tut_drift *d,
                                   tut_error *err)
{
    tut_drift_performance *f = &d->performance;
    *f = (tut_drift_performance){
        .realised_accuracy = NAN, .realised_auc = NAN, .effect_least = 0.02};
    if (o->prediction.len == 0)
        return TUT_SUCCESS;
    if (!has_column(p, o->prediction, 0) || !has_column(p, o->prediction, 1) ||
        !has_column(p, o->probability, 0) || !has_column(p, o->probability, 1) ||
        !has_column(p, o->label, 0)) {
        (void)snprintf(f->note, sizeof(f->note),
                       "performance needs prediction and probability on both sides, and the label "
                       "in the reference, as numbers");
        return TUT_SUCCESS;
    }
    bool has_labels = has_column(p, o->label, 1);
    scores s[TUT_SIDES] = {{NULL, 0}, {NULL, 0}};
    tut_status status = gather(p, o, 0, true, &s[0], err);
    if (tut_is_ok(status))
        status = gather(p, o, 1, has_labels, &s[1], err);
    if (tut_is_ok(status) && (s[0].count < o->least || s[1].count < o->least))
        (void)snprintf(f->note, sizeof(f->note),
                       "too few rows with a prediction of 0 or 1 and a probability");
    else if (tut_is_ok(status))
        status = calibrate(&s[0], err);
    if (tut_is_ok(status) && !f->note[0]) {
        qsort(s[1].items, s[1].count, sizeof(*s[1].items), by_probability);
        judge(&s[0], &s[1], has_labels, o, f);
    }
    tut_free(s[0].items);
    tut_free(s[1].items);
    return status;
}
