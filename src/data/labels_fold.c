#include <math.h>

#include "data/labels.h"
#include "stats/random.h"

enum { VOTERS = 10, REGRESSION_ROUNDS = 60 };
/* Products of one pass over the rows beyond which regression would take longer than everything
 * else together. */
enum { REGRESSION_MOST = 24 << 20 };
static const double penalty = 0.1; /* C of columns of variance 1 */

/* --- neighbours --- */
/* A neighbour at the same place counts a hundred times one at the distance of the tenth. */
static void vote(const tut_labels_input *in, const uint8_t *left_out, size_t row, float *to)
{
    const tut_neighbour *near = in->neighbours + row * in->neighbour_count;
    const tut_neighbour *voters[VOTERS];
    size_t count = 0;
    double sum = 0;
    for (size_t i = 0; i < in->neighbour_count && count < VOTERS; i++)
        if (!left_out || !left_out[near[i].row])
            voters[count++] = &near[i];
    for (size_t c = 0; c < in->classes; c++)
        to[c] = 0;
    double floor = count ? (double)voters[count - 1]->distance / 100 : 0;
    for (size_t i = 0; i < count; i++) {
        double weight = floor > 0 ? 1 / ((double)voters[i]->distance + floor) : 1;
        to[in->labels[voters[i]->row]] += (float)weight;
        sum += weight;
    }
    for (size_t c = 0; c < in->classes; c++)
        to[c] = sum > 0 ? (float)((double)to[c] / sum) : 1 / (float)in->classes;
}

/* --- regression --- */
static bool is_affordable(const tut_labels_input *in)
{
    const tut_design *x = in->x;
    if (!x)
        return false;
    double outputs = in->classes == 2 ? 1 : (double)in->classes;
    double products = (x->dense ? (double)x->dense_width * (double)x->count : 0) +
                      (x->starts ? (double)x->starts[x->count] : 0);
    double width = (double)x->dense_width + (double)x->sparse_width;
    return products * outputs <= REGRESSION_MOST && width * outputs <= REGRESSION_MOST / 16.0;
}

/* Rows of each class in an order drawn by the seed are dealt to the folds, one after another. */
static tut_status deal(const tut_labels_input *in, uint8_t *folds, tut_error *err)
{
    TUT_AUTO_FREE uint32_t *order = tut_alloc_array(in->count, sizeof(*order));
    TUT_AUTO_FREE uint32_t *dealt = tut_alloc_array(in->classes, sizeof(*dealt));
    uint64_t state = in->seed;
    if (!order || !dealt)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < in->count; i++) {
        size_t j = tut_random_below(&state, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
    for (size_t i = 0; i < in->count; i++)
        folds[order[i]] = (uint8_t)(dealt[in->labels[order[i]]]++ % TUT_LABELS_FOLDS);
    return TUT_SUCCESS;
}

typedef struct fold_work {
    uint8_t *folds;
    uint32_t *pick;
    double *scores; /* of a row, then its probabilities */
} fold_work;

static void fold_work_done(fold_work *w)
{
    tut_free(w->folds);
    tut_free(w->pick);
    tut_free(w->scores);
}

static void predict(const tut_labels_input *in, const tut_logistic *m, const fold_work *w,
                    unsigned fold, float *to)
{
    double *probabilities = w->scores + in->classes;
    for (size_t i = 0; i < in->count; i++) {
        if (w->folds[i] != fold)
            continue;
        tut_logistic_scores(m, in->x, i, w->scores);
        tut_logistic_softmax(m, w->scores, probabilities);
        for (size_t c = 0; c < in->classes; c++)
            to[i * in->classes + c] = (float)probabilities[c];
    }
}

static tut_status regress(const tut_labels_input *in, const uint8_t *left_out, fold_work *w,
                          float *to, tut_error *err)
{
    tut_logistic_wish wish = {.c = penalty, .rounds = REGRESSION_ROUNDS, .tolerance = 1e-4};
    w->folds = tut_alloc_array(in->count, 1);
    w->pick = tut_alloc_array(in->count, sizeof(*w->pick));
    w->scores = tut_alloc_array(2 * in->classes, sizeof(*w->scores));
    if (!w->folds || !w->pick || !w->scores)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(deal(in, w->folds, err));
    for (unsigned fold = 0; fold < TUT_LABELS_FOLDS; fold++) {
        tut_logistic m = {0};
        size_t picked = 0;
        for (size_t i = 0; i < in->count; i++)
            if (w->folds[i] != fold && !(left_out && left_out[i]))
                w->pick[picked++] = (uint32_t)i;
        TUT_TRY(tut_logistic_fit(in->x, in->labels, in->classes, w->pick, picked, &wish, &m, err));
        predict(in, &m, w, fold, to);
        tut_logistic_done(&m);
    }
    return TUT_SUCCESS;
}

static void mix(const float *other, float *to, size_t classes)
{
    double sum = 0;
    for (size_t c = 0; c < classes; c++)
        sum += to[c] = (float)sqrt((double)to[c] * (double)other[c] + 1e-6);
    for (size_t c = 0; c < classes; c++)
        to[c] = (float)((double)to[c] / sum);
}

tut_status tut_labels_probabilities(const tut_labels_input *in, const uint8_t *left_out,
                                    float *ret_probabilities, bool *ret_used_regression,
                                    tut_error *err)
{
    if (in->classes < 2 || in->classes > TUT_LABELS_CLASSES || in->neighbour_count == 0)
        return tut_fail(err, TUT_USAGE,
                        "labels of %zu classes with %zu neighbours cannot be judged", in->classes,
                        in->neighbour_count);
    for (size_t i = 0; i < in->count; i++)
        vote(in, left_out, i, ret_probabilities + i * in->classes);
    *ret_used_regression = is_affordable(in);
    if (!*ret_used_regression)
        return TUT_SUCCESS;
    TUT_AUTO_FREE float *other = tut_alloc_array(in->count * in->classes, sizeof(*other));
    fold_work w = {0};
    if (!other)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status s = regress(in, left_out, &w, other, err);
    fold_work_done(&w);
    for (size_t i = 0; i < in->count && tut_is_ok(s); i++)
        mix(other + i * in->classes, ret_probabilities + i * in->classes, in->classes);
    return s;
}
