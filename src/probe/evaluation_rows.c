/*
 * Evaluation on rows: is the model as good as its user needs it, on the user's own data? Skill is
 * the share of right answers that guessing the commonest class would not have got: 0 for that
 * guess, 1 for no error (Cohen's kappa against a constant; Wilks, Statistical Methods in the
 * Atmospheric Sciences, ch. 8).
 */
#include <math.h>
#include <string.h>

#include "probe/answers.h"
#include "stats/scores.h"
#include "stats/tails.h"

enum { BINS = 10 };

typedef struct tally {
    uint64_t asked, right;
    double log_loss;

    double bin_sum[BINS], bin_right[BINS];
    uint64_t bin_count[BINS];
} tally;

static void count_row(const double *row, size_t classes, uint32_t label, tally *t)
{
    size_t best = tut_greatest(row, classes);
    double p = label < classes ? row[label] : 0, sure = fmin(1, fmax(0, row[best]));
    size_t bin = (size_t)fmin(BINS - 1, sure * BINS);
    t->asked++;
    t->right += best == label;
    t->log_loss -= log(fmax(p, 1e-12));
    t->bin_sum[bin] += sure;
    t->bin_right[bin] += best == label;
    t->bin_count[bin]++;
}

/* Of the rows that were answered. */
static uint64_t commonest(const tut_sample *s, const double *answers, size_t classes,
                          uint64_t *counts)
{
    uint64_t most = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (isnan(answers[i * classes]))
            continue;
        uint64_t n = ++counts[s->labels[i]];
        most = n > most ? n : most;
    }
    return most;
}

/* How far what the model is sure of is from how often it is right (Naeini 2015, ten bins). */
static double calibration(const tally *t)
{
    double sum = 0;
    for (size_t i = 0; i < BINS; i++)
        sum += fabs(t->bin_sum[i] - t->bin_right[i]);
    return sum / (double)t->asked;
}

static void add_reliability(tut_probe *p, const tally *t, tut_attack_result *ret)
{
    double xs[BINS], ys[BINS];
    tut_curve c = {.name = "reliability",
                   .x = "how sure the model is",
                   .y = "share right",
                   .xs = xs,
                   .ys = ys};
    for (size_t i = 0; i < BINS; i++) {
        if (t->bin_count[i] == 0)
            continue;
        xs[c.count] = t->bin_sum[i] / (double)t->bin_count[i];
        ys[c.count++] = t->bin_right[i] / (double)t->bin_count[i];
    }
    tut_result_add_curve(ret, &p->arena, &c);
}

static void add_wrong(tut_probe *p, const double *answers, size_t classes, tut_attack_result *ret)
{
    const tut_sample *s = p->others;
    for (size_t i = 0; i < s->count && ret->exposed_count < TUT_RESULT_EXPOSED; i++) {
        const double *row = answers + i * classes;
        size_t best = tut_greatest(row, classes);
        if (!isnan(row[0]) && best != s->labels[i] && row[best] > 0.9)
            tut_result_add_exposed(ret, &p->arena, s->numbers ? s->numbers[i] : i, row[best],
                                   "sure, and wrong");
    }
}

static void report(tut_probe *p, const double *answers, size_t classes, const uint64_t *counts,
                   uint64_t most, tut_attack_result *ret)
{
    const tut_sample *s = p->others;
    tally t = {0};
    double low = 0, high = 1, worst = 1;
    for (size_t i = 0; i < s->count; i++)
        if (!isnan(answers[i * classes]))
            count_row(answers + i * classes, classes, s->labels[i], &t);
    ret->rows = t.asked;
    if (t.asked == 0)
        return;
    for (size_t k = 0; k < s->classes; k++) {
        uint64_t right = 0;
        for (size_t i = 0; i < s->count; i++)
            right += s->labels[i] == k && !isnan(answers[i * classes]) &&
                     tut_greatest(answers + i * classes, classes) == k;
        if (counts[k])
            worst = fmin(worst, (double)right / (double)counts[k]);
    }
    double n = (double)t.asked, accuracy = (double)t.right / n, base = (double)most / n;
    double room = base < 1 ? 1 - base : 1;
    tut_binomial_interval(t.right, t.asked, 0.95, &low, &high);
    ret->metric = "skill";
    ret->decisive = (tut_measure){"skill", (accuracy - base) / room, (low - base) / room,
                                  (high - base) / room};
    ret->baseline = 0;
    tut_result_add(ret, "accuracy", accuracy, low, high);
    tut_result_add(ret, "commonest_class", base, NAN, NAN);
    tut_result_add(ret, "worst_class_recall", worst, NAN, NAN);
    tut_result_add(ret, "log_loss", t.log_loss / n, NAN, NAN);
    tut_result_add(ret, "calibration_error", calibration(&t), NAN, NAN);
    add_reliability(p, &t, ret);
    add_wrong(p, answers, classes, ret);
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    const tut_sample *s = p->others;
    size_t classes = 0;
    TUT_TRY(tut_probe_classes(p, s->rows, s->width, tut_probe_place_of_other(p, 0), &classes, err));
    TUT_AUTO_FREE double *answers = tut_alloc_array(s->count * classes + 1, sizeof(*answers));
    TUT_AUTO_FREE uint64_t *counts = tut_alloc_array(s->classes + 1, sizeof(*counts));
    TUT_AUTO_FREE uint64_t *places = tut_alloc_array(s->count + 1, sizeof(*places));
    if (!answers || !counts || !places)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (s->classes > classes) {
        ret->reason = "the data have more classes than the model answers with";
        return TUT_SUCCESS;
    }
    for (size_t i = 0; i < s->count; i++)
        places[i] = tut_probe_place_of_other(p, i);
    const tut_question q = {.rows = s->rows,
                            .numbers = places,
                            .count = s->count,
                            .width = s->width,
                            .classes = classes,
                            .what = "evaluation"};
    tut_status status = tut_probe_answers(p, &q, answers, &ret->reason, err);
    if (tut_is_ok(status) || status.code == TUT_CANCELLED || status.code == TUT_IO)
        report(p, answers, classes, counts, commonest(s, answers, classes, counts), ret);
    return status;
}

const tut_attack tut_attack_evaluation_rows = {
    .probe = "evaluation",
    .name = "rows",
    .about = "right answers on data that the model was not trained on, beyond guessing",
    .source = "no attack: what any later result is measured against",
    .gives = TUT_GIVES_LABELS,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run,
};
