#include "data/spectral.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cage.h"
#include "stats/fdr.h"
#include "stats/linear.h"
#include "stats/random.h"
#include "stats/robust.h"
#include "stats/special.h"

enum { DIRECTIONS = 4, ROUNDS = 20, CLASS_LEAST = 50 };
static const double most_q = 0.01, cut_back = 3; /* times the median distance */

typedef struct class_work {
    size_t count, width;
    const uint32_t *rows;
    float *centred; /* count x width, cut back */
    double *direction, *projected, *scratch;
} class_work;

void tut_spectral_outliers_done(tut_spectral_outliers *o)
{
    tut_free(o->items);
    *o = (tut_spectral_outliers){0};
}

static void class_work_done(class_work *w)
{
    tut_free(w->centred);
    tut_free(w->direction);
    tut_free(w->projected);
    tut_free(w->scratch);
}

static tut_status class_work_init(class_work *w, size_t count, size_t width, tut_error *err)
{
    w->count = count;
    w->width = width;
    w->centred = tut_alloc_array(count, width * sizeof(*w->centred));
    w->direction = tut_alloc_array(width, sizeof(*w->direction));
    w->projected = tut_alloc_array(count, sizeof(*w->projected));
    w->scratch = tut_alloc_array(count > width ? count : width, sizeof(*w->scratch));
    if (!w->centred || !w->direction || !w->projected || !w->scratch)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

/* The class around its mean; rows beyond a multiple of the median distance are drawn in to it. */
static void centre(class_work *w, const float *features)
{
    memset(w->direction, 0, w->width * sizeof(*w->direction));
    for (size_t i = 0; i < w->count; i++)
        for (size_t j = 0; j < w->width; j++)
            w->direction[j] += (double)features[w->rows[i] * w->width + j] / (double)w->count;
    for (size_t i = 0; i < w->count; i++) {
        double norm = 0;
        for (size_t j = 0; j < w->width; j++) {
            double x = (double)features[w->rows[i] * w->width + j] - w->direction[j];
            w->centred[i * w->width + j] = (float)x;
            norm += x * x;
        }
        w->projected[i] = w->scratch[i] = sqrt(norm);
    }
    double limit = cut_back * tut_robust_of(w->scratch, w->count).median;
    for (size_t i = 0; i < w->count; i++)
        for (size_t j = 0; j < w->width && w->projected[i] > limit; j++)
            w->centred[i * w->width + j] *= (float)(limit / w->projected[i]);
}

/* Power iteration on the covariance; leaves each row's projection. */
static void find_direction(class_work *w, uint64_t seed)
{
    for (size_t j = 0; j < w->width; j++)
        w->direction[j] = tut_random_unit(&seed) - 0.5;
    for (int round = 0; round < ROUNDS; round++) {
        double norm = 0;
        memset(w->scratch, 0, w->width * sizeof(*w->scratch));
        for (size_t i = 0; i < w->count; i++) {
            const float *row = w->centred + i * w->width;
            w->projected[i] = tut_dot(row, w->direction, w->width);
            tut_add_scaled(w->scratch, row, w->projected[i], w->width);
        }
        for (size_t j = 0; j < w->width; j++)
            norm += w->scratch[j] * w->scratch[j];
        norm = sqrt(norm);
        if (!(norm > 0))
            return;
        for (size_t j = 0; j < w->width; j++)
            w->direction[j] = w->scratch[j] / norm;
    }
}

/* What the direction explained goes. */
static void deflate(class_work *w)
{
    for (size_t i = 0; i < w->count; i++)
        for (size_t j = 0; j < w->width; j++)
            w->centred[i * w->width + j] -= (float)(w->projected[i] * w->direction[j]);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The tail of the scores of one class in one direction: a generalised Pareto distribution above
 * their 0.8 quantile, its shape from the 0.6, 0.8 and 0.9 quantiles (Pickands 1975), which outliers
 * hardly move. One such estimate is rough: the median of those of all classes and directions is
 * taken, and made heavier by a margin, since the far tail may be heavier than what is seen of it.
 */
typedef struct tail {
    double from, step, shape; /* step: from the 0.8 to the 0.9 quantile; 0: there is no spread */
} tail;

static const double tail_share = 0.2, margin = 0.2, least_shape = 0.05, most_shape = 2;

static tail fit_tail(const double *sorted, size_t count)
{
    double low = sorted[count * 6 / 10], middle = sorted[count * 8 / 10];
    double high = sorted[count * 9 / 10];
    tail t = {.from = middle};
    if (!(middle > low) || !(high > middle))
        return t;
    t.step = high - middle;
    t.shape = log(t.step / (middle - low)) / M_LN2;
    return t;
}

static double tail_p(const tail *t, double shape, double score)
{
    if (!(score > t->from) || !(t->step > 0))
        return 1;
    double scale = shape * t->step / (pow(2, shape) - 1);
    double pareto = tail_share * pow(1 + shape * (score - t->from) / scale, -1 / shape);
    return fmax(pareto, 2 * tut_normal_sf(score));
}

/* What all classes leave behind. */
typedef struct scores {
    float *values;      /* count x DIRECTIONS: robust deviations */
    tail *tails;        /* classes x DIRECTIONS */
    uint8_t *is_scored; /* a class */
} scores;

/* Turns the projections into robust deviations. */
static void measure(class_work *w, unsigned direction, scores *to, tail *ret)
{
    memcpy(w->scratch, w->projected, w->count * sizeof(*w->scratch));
    tut_robust r = tut_robust_of(w->scratch, w->count);
    for (size_t i = 0; i < w->count; i++) {
        w->scratch[i] = r.mad > 0 ? fabs(tut_robust_z(&r, w->projected[i], 0)) : 0;
        to->values[(size_t)w->rows[i] * DIRECTIONS + direction] = (float)w->scratch[i];
    }
    qsort(w->scratch, w->count, sizeof(*w->scratch), compare);
    *ret = fit_tail(w->scratch, w->count);
}

static tut_status go_over_class(class_work *w, const float *features, uint32_t class, scores *to,
                                tut_error *err)
{
    centre(w, features);
    to->is_scored[class] = 1;
    for (unsigned i = 0; i < DIRECTIONS && i < w->width; i++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        memset(w->projected, 0, w->count * sizeof(*w->projected));
        find_direction(w, class + i + 1);
        measure(w, i, to, &to->tails[(size_t) class * DIRECTIONS + i]);
        deflate(w);
    }
    return TUT_SUCCESS;
}

static tut_status pooled_shape(const scores *s, size_t classes, double *ret_shape, tut_error *err)
{
    size_t found = 0;
    TUT_AUTO_FREE double *shapes = tut_alloc_array(classes, DIRECTIONS * sizeof(*shapes));
    if (!shapes)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < classes * DIRECTIONS; i++)
        if (s->tails[i].step > 0)
            shapes[found++] = s->tails[i].shape;
    double shape = tut_robust_of(shapes, found).median + margin;
    *ret_shape = fmin(fmax(shape, least_shape), most_shape);
    return TUT_SUCCESS;
}

/* Each row by its worst direction, of four. */
static void judge(const scores *s, const uint32_t *labels, size_t count, size_t classes,
                  double shape, tut_spectral_outlier *to)
{
    for (size_t i = 0; i < count; i++) {
        if (labels[i] >= classes || !s->is_scored[labels[i]])
            continue;
        for (size_t d = 0; d < DIRECTIONS; d++) {
            double score = (double)s->values[i * DIRECTIONS + d];
            double p = DIRECTIONS *
                       tail_p(&s->tails[(size_t)labels[i] * DIRECTIONS + d], shape, score);
            if (p >= to[i].p)
                continue;
            to[i].p = p;
            to[i].score = score;
        }
    }
}

static int by_score(const void *a, const void *b)
{
    const tut_spectral_outlier *x = a, *y = b;
    if (x->p < y->p || x->p > y->p)
        return x->p < y->p ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static tut_status collect(tut_spectral_outlier *all, size_t count, tut_spectral_outliers *found,
                          tut_error *err)
{
    TUT_AUTO_FREE double *p = tut_alloc_array(count, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        p[i] = all[i].p;
    if (!tut_is_ok(tut_fdr(p, count, count, p)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        all[i].q = p[i];
        if (all[i].q <= most_q)
            all[found->count++] = all[i];
    }
    qsort(all, found->count, sizeof(*all), by_score);
    found->items = all;
    return TUT_SUCCESS;
}

static tut_status go_over_all(const float *features, size_t count, size_t width,
                              const uint32_t *labels, size_t classes, uint32_t *rows, scores *to,
                              size_t *skipped, tut_error *err)
{
    for (uint32_t c = 0; c < classes; c++) {
        class_work w = {.rows = rows};
        size_t size = 0;
        for (size_t i = 0; i < count; i++)
            if (labels[i] == c)
                rows[size++] = (uint32_t)i;
        if (size < CLASS_LEAST || width == 0) {
            *skipped += size > 0;
            continue;
        }
        tut_status s = class_work_init(&w, size, width, err);
        if (tut_is_ok(s))
            s = go_over_class(&w, features, c, to, err);
        class_work_done(&w);
        TUT_TRY(s);
    }
    return TUT_SUCCESS;
}

static void scores_done(scores *s)
{
    tut_free(s->values);
    tut_free(s->tails);
    tut_free(s->is_scored);
}

tut_status tut_spectral_find(const float *features, size_t count, size_t width,
                             const uint32_t *labels, size_t classes,
                             tut_spectral_outliers *ret_outliers, tut_error *err)
{
    tut_spectral_outliers found = {0};
    double shape = 0;
    TUT_AUTO_FREE uint32_t *rows = tut_alloc_array(count + 1, sizeof(*rows));
    TUT_AUTO_FREE tut_spectral_outlier *all = tut_alloc_array(count + 1, sizeof(*all));
    TUT_CLEAN(scores)
    s = {.values = tut_alloc_array(count + 1, DIRECTIONS * sizeof(float)),
         .tails = tut_alloc_array(classes + 1, DIRECTIONS * sizeof(tail)),
         .is_scored = tut_alloc_array(classes + 1, 1)};
    if (!rows || !all || !s.values || !s.tails || !s.is_scored)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        all[i] = (tut_spectral_outlier){.row = (uint32_t)i, .p = 1, .q = 1};
    TUT_TRY(go_over_all(features, count, width, labels, classes, rows, &s, &found.classes_skipped,
                        err));
    TUT_TRY(pooled_shape(&s, classes, &shape, err));
    judge(&s, labels, count, classes, shape, all);
    TUT_TRY(collect(all, count, &found, err));
    (void)tut_move(&all);
    *ret_outliers = found;
    return TUT_SUCCESS;
}
