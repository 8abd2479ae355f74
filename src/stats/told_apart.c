/* The classifier of mmd.h, and the area under its curve. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "stats/mmd.h"
#include "stats/seeded.h"
#include "stats/special.h"

enum { FOLDS = 5, ROUNDS = 25, CROSSED = 10, SQUARED = 64, DIMS_MAX = 256 };

/* --- the curve --- */
typedef struct scored {
    double score;
    size_t at; /* of which number it is the score */
} scored;

static int by_score(const void *a, const void *b)
{
    double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x > y) - (x < y);
}

/* Ranks from 1, of ties the middle one, by place. */
static void ranks_of(scored *s, size_t count, double *ret_ranks)
{
    qsort(s, count, sizeof(*s), by_score);
    for (size_t i = 0, j; i < count; i = j) {
        for (j = i; j < count && s[j].score == s[i].score; j++)
            ;
        for (size_t k = i; k < j; k++)
            ret_ranks[s[k].at] = ((double)i + (double)j + 1) / 2;
    }
}

static double variance_of(const double *v, size_t count, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (v[i] - mean) * (v[i] - mean);
    return count > 1 ? sum / (double)(count - 1) : 0;
}

/* Sun and Xu 2014: DeLong's variance from ranks. */
tut_status tut_auc_of(const double *positive, size_t n, const double *negative, size_t m,
                      tut_auc *ret_auc, tut_error *err)
{
    size_t all = n + m;
    if (n == 0 || m == 0)
        return tut_fail(err, TUT_USAGE, "a curve needs both kinds");
    TUT_AUTO_FREE scored *s = tut_alloc_array(all, sizeof(*s));
    TUT_AUTO_FREE double *ranks = tut_alloc_array(2 * all, sizeof(*ranks));
    if (!s || !ranks)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double *among = ranks + all, sum = 0;
    for (size_t i = 0; i < all; i++)
        s[i] = (scored){i < n ? positive[i] : negative[i - n], i};
    ranks_of(s, all, ranks);
    for (size_t i = 0; i < n; i++)
        s[i] = (scored){positive[i], i};
    ranks_of(s, n, among);
    for (size_t i = 0; i < m; i++)
        s[i] = (scored){negative[i], n + i};
    ranks_of(s, m, among);
    for (size_t i = 0; i < n; i++)
        sum += ranks[i];
    double dn = (double)n, dm = (double)m, auc = (sum - dn * (dn + 1) / 2) / (dn * dm);
    for (size_t i = 0; i < n; i++)
        ranks[i] = (ranks[i] - among[i]) / dm;
    for (size_t i = n; i < all; i++)
        ranks[i] = 1 - (ranks[i] - among[i]) / dn;
    double se = sqrt(variance_of(ranks, n, auc) / dn + variance_of(ranks + n, m, auc) / dm);
    double z = tut_normal_quantile(0.975);
    double flat = sqrt((dn + dm + 1) / (12 * dn * dm)); /* of no difference at all */
    *ret_auc = (tut_auc){.auc = auc,
                         .low = fmax(0, auc - z * se),
                         .high = fmin(1, auc + z * se),
                         .p = tut_normal_sf((auc - 0.5) / flat)};
    return TUT_SUCCESS;
}

/* --- the classifier --- */
static size_t width_of(size_t dims)
{
    size_t squares = dims <= SQUARED ? dims : 0;
    return 1 + dims + squares + (dims <= CROSSED ? dims * (dims - 1) / 2 : 0);
}

/* Terms of one point; values far out are drawn in, so that none of them rules. */
static void terms_of(const double *x, const double *mean, const double *scale, size_t dims,
                     double *to)
{
    size_t at = 0;
    to[at++] = 1;
    for (size_t d = 0; d < dims; d++) {
        double z = (x[d] - mean[d]) * scale[d];
        to[at++] = 3 * tanh(z / 3);
    }
    for (size_t d = 0; d < dims && dims <= SQUARED; d++)
        to[at++] = to[1 + d] * to[1 + d] - 1;
    for (size_t d = 0; d < dims && dims <= CROSSED; d++)
        for (size_t e = 0; e < d; e++)
            to[at++] = to[1 + d] * to[1 + e];
}

/* Solves (lower triangle of) h x = g in place; h becomes its root. */
static void solve(double *h, double *g, size_t w)
{
    for (size_t i = 0; i < w; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = h[i * w + j];
            for (size_t k = 0; k < j; k++)
                s -= h[i * w + k] * h[j * w + k];
            h[i * w + j] = i == j ? sqrt(s > 1e-9 ? s : 1e-9) : s / h[j * w + j];
        }
    for (size_t i = 0; i < w; i++) {
        for (size_t k = 0; k < i; k++)
            g[i] -= h[i * w + k] * g[k];
        g[i] /= h[i * w + i];
    }
    for (size_t i = w; i-- > 0;) {
        for (size_t k = i + 1; k < w; k++)
            g[i] -= h[k * w + i] * g[k];
        g[i] /= h[i * w + i];
    }
}

typedef struct fitting {
    const double *x; /* terms of all points */
    size_t w, n, m;
    const uint8_t *fold;
    double *h, *g, *beta;
} fitting;

static double score_of(const fitting *f, size_t i)
{
    double s = 0;
    for (size_t k = 0; k < f->w; k++)
        s += f->x[i * f->w + k] * f->beta[k];
    return s;
}

/* One step of Newton over the points outside the fold; both sides weigh the same. */
static double step(fitting *f, unsigned out)
{
    static const double ridge = 1.0;
    size_t w = f->w;
    double all = (double)(f->n + f->m), moved = 0;
    for (size_t i = 0; i < w * w; i++)
        f->h[i] = 0;
    for (size_t k = 0; k < w; k++) {
        f->h[k * w + k] = k ? ridge : 1e-6;
        f->g[k] = k ? -ridge * f->beta[k] : 0;
    }
    for (size_t i = 0; i < f->n + f->m; i++) {
        if (f->fold[i] == out)
            continue;
        const double *x = f->x + i * w;
        double y = i >= f->n, weight = all / 2 / (double)(y > 0 ? f->m : f->n);
        double p = 1 / (1 + exp(-score_of(f, i))), c = weight * (p * (1 - p) + 1e-6);
        for (size_t k = 0; k < w; k++) {
            f->g[k] += weight * (y - p) * x[k];
            for (size_t e = 0; e <= k; e++)
                f->h[k * w + e] += c * x[k] * x[e];
        }
    }
    solve(f->h, f->g, w);
    for (size_t k = 0; k < w; k++) {
        double move = fmax(-2, fmin(2, f->g[k]));
        f->beta[k] += move;
        moved = fmax(moved, fabs(move));
    }
    return moved;
}

static void cross_fit(fitting *f, double *ret_scores)
{
    for (unsigned out = 0; out < FOLDS; out++) {
        for (size_t k = 0; k < f->w; k++)
            f->beta[k] = 0;
        for (unsigned r = 0; r < ROUNDS && step(f, out) > 1e-5; r++)
            ;
        for (size_t i = 0; i < f->n + f->m; i++)
            if (f->fold[i] == out)
                ret_scores[i] = score_of(f, i);
    }
}

static void moments(const double *a, size_t n, const double *b, size_t m, size_t dims,
                    double *ret_mean, double *ret_scale)
{
    for (size_t d = 0; d < dims; d++) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < n + m; i++) {
            double x = i < n ? a[i * dims + d] : b[(i - n) * dims + d], delta = x - mean;
            mean += delta / (double)(i + 1);
            squares += delta * (x - mean);
        }
        double deviation = sqrt(squares / (double)(n + m));
        ret_mean[d] = mean;
        ret_scale[d] = deviation > 0 && isfinite(deviation) ? 1 / deviation : 0;
    }
}

tut_status tut_told_apart(const double *a, size_t n, const double *b, size_t m, size_t dims,
                          uint64_t seed, tut_auc *ret_auc, tut_error *err)
{
    size_t all = n + m, w = width_of(dims);
    if (dims == 0 || dims > DIMS_MAX || n < FOLDS || m < FOLDS)
        return tut_fail(err, TUT_USAGE, "too few points, or too many features, to tell apart");
    TUT_AUTO_FREE double *x = tut_alloc_array(all * w, sizeof(*x));
    TUT_AUTO_FREE double *work = tut_alloc_array(w * w + 2 * w + 2 * dims, sizeof(*work));
    TUT_AUTO_FREE double *scores = tut_alloc_array(all, sizeof(*scores));
    TUT_AUTO_FREE uint8_t *fold = tut_alloc_array(all, 1);
    if (!x || !work || !scores || !fold)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double *mean = work, *scale = work + dims;
    tut_seeded random = tut_seeded_of(seed);
    moments(a, n, b, m, dims, mean, scale);
    for (size_t i = 0; i < all; i++) {
        terms_of(i < n ? a + i * dims : b + (i - n) * dims, mean, scale, dims, x + i * w);
        fold[i] = (uint8_t)tut_seeded_below(&random, FOLDS);
    }
    fitting f = {.x = x,
                 .w = w,
                 .n = n,
                 .m = m,
                 .fold = fold,
                 .h = work + 2 * dims,
                 .g = work + 2 * dims + w * w,
                 .beta = work + 2 * dims + w * w + w};
    cross_fit(&f, scores);
    return tut_auc_of(scores + n, m, scores, n, ret_auc, err);
}
