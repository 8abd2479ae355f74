/* From scores of membership to the result that people read. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe/membership_internal.h"

typedef struct placed {
    double score;
    size_t row;
} placed;

static int highest_first(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Members that the attack is surest of, with their number in the data. */
static tut_status report_exposed(tut_probe *p, const tut_mia_kept *k, const double *scores,
                                 tut_attack_result *ret, tut_error *err)
{
    TUT_AUTO_FREE placed *all = tut_alloc_array(k->members + 1, sizeof(*all));
    size_t count = 0;
    if (!all)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < k->count; i++)
        if (k->is_member[i] && !isnan(scores[i]))
            all[count++] = (placed){scores[i], i};
    qsort(all, count, sizeof(*all), highest_first);
    for (size_t i = 0; i < count && i < TUT_RESULT_EXPOSED; i++)
        tut_result_add_exposed(ret, &p->arena, k->numbers[all[i].row], all[i].score, NULL);
    return TUT_SUCCESS;
}

static const char *say(tut_probe *p, const char *text)
{
    return tut_arena_copy(&p->arena, tut_str_of(text));
}

static const char *remark(tut_probe *p, const tut_mia_kept *k, const tut_roc *roc)
{
    char text[400];
    if (isnan(roc->at[0].tpr)) {
        (void)snprintf(text, sizeof(text),
                       "one false alarm in a hundred is less than one of %zu rows that the model "
                       "was not trained on: give at least 100 (1,000 for one in a thousand)",
                       roc->others);
        return say(p, text);
    }
    size_t at = 0;
    at += (size_t)snprintf(text, sizeof(text), "%zu members, %zu others", roc->members,
                           roc->others);
    if (isnan(roc->at[2].tpr))
        at += (size_t)snprintf(
            text + at, sizeof(text) - at, "; too few others for a rate of %s: that takes %s",
            isnan(roc->at[1].tpr) ? "0.1 %" : "0.01 %", isnan(roc->at[1].tpr) ? "1,000" : "10,000");
    if (k->left_out)
        at += (size_t)snprintf(text + at, sizeof(text) - at,
                               "; %" PRIu64 " rows left out by the allowance of queries",
                               k->left_out);
    if (k->problem)
        (void)snprintf(text + at, sizeof(text) - at, "; not all were answered: %.150s", k->problem);
    return say(p, text);
}

tut_status tut_mia_report(tut_probe *p, const tut_mia_kept *k, const char *curve_name,
                          const double *scores, tut_attack_result *ret, tut_error *err)
{
    tut_roc roc;
    double epsilon = 0;
    ret->metric = "tpr_at_1";
    ret->was_cut = k->was_cut;
    ret->decisive = (tut_measure){"tpr_at_1", NAN, NAN, NAN};
    ret->baseline = NAN;
    tut_error why = {.code = TUT_OK};
    tut_status s = tut_mia_roc(scores, k->is_member, k->count, &roc, &why);
    if (s.code == TUT_USAGE) {
        ret->reason = k->problem ? k->problem : say(p, why.text);
        return TUT_SUCCESS;
    }
    if (!tut_is_ok(s))
        return tut_fail(err, s.code, "%s", why.text);
    TUT_TRY(tut_mia_epsilon(scores, k->is_member, k->count, 1e-5, p->seed ^ 4, &epsilon, err));
    ret->decisive = (tut_measure){"tpr_at_1", roc.at[0].tpr, roc.at[0].low, roc.at[0].high};
    ret->baseline = k->blind_tpr;
    ret->rows = roc.members + roc.others;
    ret->reason = remark(p, k, &roc);
    tut_result_add(ret, "auc", roc.auc, roc.auc_low, roc.auc_high);
    tut_result_add(ret, "tpr_at_0.1", roc.at[1].tpr, roc.at[1].low, roc.at[1].high);
    tut_result_add(ret, "tpr_at_0.01", roc.at[2].tpr, roc.at[2].low, roc.at[2].high);
    tut_result_add(ret, "epsilon_at_least", epsilon, NAN, NAN);
    if (!isnan(k->blind_auc))
        tut_result_add(ret, "auc_without_model", k->blind_auc, NAN, NAN);
    tut_curve curve = {.name = curve_name,
                       .x = "false positive rate",
                       .y = "true positive rate",
                       .is_logarithmic = true,
                       .count = roc.points,
                       .xs = roc.fpr,
                       .ys = roc.tpr};
    tut_result_add_curve(ret, &p->arena, &curve);
    return report_exposed(p, k, scores, ret, err);
}
