/* Scores of membership from one model's answer, and from those of reference models. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "probe/membership.h"
#include "stats/order.h"

#define LEAST 1e-12 /* probabilities below are as rare as the rounding of what serves them */
enum { TILE = 1024, TUNED = 4 };

static double logarithm(double p)
{
    return log(p > LEAST ? p : LEAST);
}

double tut_mia_loss(const double *p, size_t classes, uint32_t label)
{
    (void)classes;
    return isnan(p[label]) ? NAN : logarithm(p[label]);
}

double tut_mia_entropy(const double *p, size_t classes)
{
    double sum = 0;
    for (size_t c = 0; c < classes; c++)
        sum += p[c] > 0 ? p[c] * log(p[c]) : p[c] * 0;
    return sum;
}

double tut_mia_modified_entropy(const double *p, size_t classes, uint32_t label)
{
    double sum = (1 - p[label]) * logarithm(p[label]);
    for (size_t c = 0; c < classes; c++)
        if (c != label)
            sum += p[c] * logarithm(1 - p[c]);
    return isnan(p[label]) ? NAN : sum;
}

/* The others are added up: 1 - p has lost them where p is nearly 1. */
double tut_mia_logit(const double *p, size_t classes, uint32_t label)
{
    double others = 0;
    for (size_t c = 0; c < classes; c++)
        if (c != label)
            others += p[c];
    if (isnan(others) || isnan(p[label]))
        return NAN;
    return logarithm(p[label]) - logarithm(others);
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double tut_mia_min_k(double *logprobs, size_t count, double share)
{
    size_t kept = 0;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(logprobs[i]))
            logprobs[kept++] = logprobs[i];
    if (kept == 0)
        return NAN;
    qsort(logprobs, kept, sizeof(*logprobs), ascending);
    size_t n = (size_t)ceil(share * (double)kept);
    n = n < 1 ? 1 : n > kept ? kept : n;
    for (size_t i = 0; i < n; i++)
        sum += logprobs[i];
    return sum / (double)n;
}

/* --- sums over models, a tile of rows at a time: they stay in the nearest cache --- */

typedef struct side { /* of models that saw the row, and of those that did not */
    double count[TILE], sum[TILE], squares[TILE];
} side;

typedef struct lira_tile { /* what all tiles add up to */
    double shift, shifted; /* between the means, over rows that have both sides */
    double spread[2], freedom[2];
} lira_tile;

typedef struct lira_job {
    const float *target;
    const tut_mia_references *r;
    const tut_lira_wish *wish;
    double *scores;
    float *mean[2], *deviation[2]; /* of rows; NaN: no model on this side */
    lira_tile *tiles;
    double shift, common[2];
} lira_job;

static size_t tile_rows(size_t rows, size_t tile)
{
    size_t left = rows - tile * TILE;
    return left < TILE ? left : TILE;
}

/* sides[1]: with the row. */
static void add_models(const tut_mia_references *r, size_t from, size_t n, side sides[2])
{
    for (size_t m = 0; m < r->models; m++) {
        const float *x = r->logits + m * r->rows + from;
        const uint8_t *inside = r->inside + m * r->rows + from;
        for (size_t i = 0; i < n; i++) {
            double is_there = x[i] == x[i], v = is_there != 0 ? (double)x[i] : 0;
            double in = is_there * inside[i], out = is_there - in;
            sides[1].count[i] += in;
            sides[1].sum[i] += in * v;
            sides[1].squares[i] += in * v * v;
            sides[0].count[i] += out;
            sides[0].sum[i] += out * v;
            sides[0].squares[i] += out * v * v;
        }
    }
}

static void lira_sum(void *ctx, size_t tile)
{
    lira_job *j = ctx;
    size_t from = tile * TILE, n = tile_rows(j->r->rows, tile);
    side sides[2] = {{.count = {0}}, {.count = {0}}};
    lira_tile *t = &j->tiles[tile];
    add_models(j->r, from, n, sides);
    for (size_t i = 0; i < n; i++) {
        for (unsigned s = 0; s < 2; s++) {
            double k = sides[s].count[i], mean = k > 0 ? sides[s].sum[i] / k : NAN;
            double left = k > 0 ? fmax(sides[s].squares[i] - k * mean * mean, 0) : 0;
            j->mean[s][from + i] = (float)mean;
            j->deviation[s][from + i] = k > 0 ? (float)sqrt(left / k) : NAN;
            t->spread[s] += left;
            t->freedom[s] += k > 1 ? k - 1 : 0;
        }
        if (sides[0].count[i] > 0 && sides[1].count[i] > 0) {
            t->shift += (double)j->mean[1][from + i] - (double)j->mean[0][from + i];
            t->shifted++;
        }
    }
}

static void lira_totals(lira_job *j, size_t tiles)
{
    lira_tile all = {.shift = 0};
    for (size_t i = 0; i < tiles; i++) {
        all.shift += j->tiles[i].shift;
        all.shifted += j->tiles[i].shifted;
        for (unsigned s = 0; s < 2; s++) {
            all.spread[s] += j->tiles[i].spread[s];
            all.freedom[s] += j->tiles[i].freedom[s];
        }
    }
    j->shift = all.shifted > 0 ? all.shift / all.shifted : 0;
    for (unsigned s = 0; s < 2; s++)
        j->common[s] = all.freedom[s] > 0 ? sqrt(all.spread[s] / all.freedom[s]) : 0;
    for (unsigned s = 0; s < 2; s++) /* one model a row shows no spread: the other side's, or 1 */
        if (!(j->common[s] > 0))
            j->common[s] = j->common[!s] > 0 ? j->common[!s] : 1;
}

static double deviation_of(const lira_job *j, unsigned s, size_t i)
{
    double own = (double)j->deviation[s][i];
    if (!j->wish->has_row_variance || isnan(own))
        return j->common[s];
    return fmax(own, 0.01 * j->common[s]); /* models that agree by chance are not certain */
}

static void lira_score(void *ctx, size_t tile)
{
    lira_job *j = ctx;
    size_t from = tile * TILE, n = tile_rows(j->r->rows, tile);
    for (size_t i = from; i < from + n; i++) {
        double in = (double)j->mean[1][i], out = (double)j->mean[0][i], x = (double)j->target[i];
        if (isnan(out))
            out = in - j->shift;
        if (isnan(in))
            in = out + j->shift;
        double sd = deviation_of(j, 0, i), z = (x - out) / sd;
        j->scores[i] = z;
        if (!j->wish->is_online)
            continue;
        double sd_in = deviation_of(j, 1, i), z_in = (x - in) / sd_in;
        j->scores[i] = (z * z - z_in * z_in) / 2 + log(sd / sd_in);
    }
}

bool tut_lira_wants_row_variance(const tut_mia_references *r)
{
    return r->models >= (size_t)2 * TUT_LIRA_SIDE_LEAST;
}

tut_status tut_mia_lira(const float *target, const tut_mia_references *r, const tut_lira_wish *wish,
                        double *ret_scores, tut_error *err)
{
    size_t tiles = (r->rows + TILE - 1) / TILE;
    TUT_AUTO_FREE lira_tile *each = tut_alloc_array(tiles + 1, sizeof(*each));
    TUT_AUTO_FREE float *room = tut_alloc_array(r->rows + 1, 4 * sizeof(*room));
    if (!each || !room)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    lira_job job = {.target = target, .r = r, .wish = wish, .scores = ret_scores, .tiles = each};
    for (unsigned s = 0; s < 2; s++) {
        job.mean[s] = room + s * r->rows;
        job.deviation[s] = room + (2 + s) * r->rows;
    }
    tut_parallel(tiles, 4, lira_sum, &job);
    lira_totals(&job, tiles);
    tut_parallel(tiles, 4, lira_score, &job);
    return TUT_SUCCESS;
}

/* --- RMIA --- */

typedef struct rmia_job {
    const float *target;
    const tut_mia_references *r;
    const tut_rmia_wish *wish;
    double *ratios, *scores;
    const double *population; /* ratios of Z, ascending */
    size_t population_count;
} rmia_job;

/* Beyond 30 on either side it is 0 or 1 in single precision. */
static float probability(float logit)
{
    return 1 / (1 + expf(-logit));
}

static void rmia_ratio(void *ctx, size_t tile)
{
    rmia_job *j = ctx;
    const tut_mia_references *r = j->r;
    size_t from = tile * TILE, n = tile_rows(r->rows, tile);
    double sum[2][TILE] = {{0}}, count[2][TILE] = {{0}};
    for (size_t m = 0; m < r->models; m++) {
        const float *x = r->logits + m * r->rows + from;
        const uint8_t *inside = r->inside + m * r->rows + from;
        for (size_t i = 0; i < n; i++) {
            if (x[i] != x[i])
                continue;
            sum[inside[i]][i] += (double)probability(x[i]);
            count[inside[i]][i] += 1;
        }
    }
    for (size_t i = 0; i < n; i++) {
        double in = count[1][i] > 0 ? sum[1][i] / count[1][i] : NAN;
        double out = count[0][i] > 0 ? sum[0][i] / count[0][i] : in;
        double all = (out + (isnan(in) ? out : in)) / 2;
        double px = j->wish->is_online ? all : ((1 + j->wish->a) * out + 1 - j->wish->a) / 2;
        double own = 1 / (1 + exp(-(double)j->target[from + i]));
        j->ratios[from + i] = own / fmax(px, LEAST);
    }
}

/* How many of the ascending values are at most x. */
static size_t at_most(const double *values, size_t count, double x)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void rmia_score(void *ctx, size_t tile)
{
    rmia_job *j = ctx;
    size_t from = tile * TILE, n = tile_rows(j->r->rows, tile);
    for (size_t i = from; i < from + n; i++) {
        double ratio = j->ratios[i], scaled = ratio / j->wish->gamma;
        bool is_z = j->wish->is_population[i];
        double beaten = (double)at_most(j->population, j->population_count, scaled);
        double all = (double)j->population_count - (is_z ? 1 : 0);
        if (is_z && ratio <= scaled)
            beaten--; /* itself */
        /* The remainder is below one step of the share. */
        j->scores[i] = isnan(ratio) ? NAN : (beaten + ratio / (1 + ratio)) / (all + 1);
    }
}

tut_status tut_mia_rmia(const float *target, const tut_mia_references *r, const tut_rmia_wish *wish,
                        double *ret_scores, tut_error *err)
{
    size_t tiles = (r->rows + TILE - 1) / TILE, kept = 0;
    TUT_AUTO_FREE double *room = tut_alloc_array(r->rows + 1, 3 * sizeof(*room));
    if (!room)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double *population = room + r->rows, *spare = room + 2 * r->rows;
    rmia_job job = {.target = target, .r = r, .wish = wish, .ratios = room, .scores = ret_scores};
    tut_parallel(tiles, 4, rmia_ratio, &job);
    for (size_t i = 0; i < r->rows; i++)
        if (wish->is_population[i] && !isnan(room[i]))
            population[kept++] = room[i];
    if (kept == 0)
        return tut_fail(err, TUT_USAGE,
                        "no answer to a row that the model was not trained on: "
                        "RMIA compares with such rows");
    tut_order_f64(population, spare, kept);
    job.population = population;
    job.population_count = kept;
    tut_parallel(tiles, 4, rmia_score, &job);
    return TUT_SUCCESS;
}

/* The references without model m. */
static void without(const tut_mia_references *r, size_t m, float *logits, uint8_t *inside)
{
    size_t to = 0;
    for (size_t k = 0; k < r->models; k++) {
        if (k == m)
            continue;
        memcpy(logits + to * r->rows, r->logits + k * r->rows, r->rows * sizeof(*logits));
        memcpy(inside + to * r->rows, r->inside + k * r->rows, r->rows);
        to++;
    }
}

tut_status tut_mia_rmia_choose_a(const tut_mia_references *r, double *ret_a, tut_error *err)
{
    enum { STEPS = 11, MODELS = 16 };
    *ret_a = 0.3;
    if (r->models < 2)
        return TUT_SUCCESS;
    /* More models than these do not move it. */
    tut_mia_references some = *r;
    some.models = r->models < MODELS ? r->models : MODELS;
    size_t size = (some.models - 1) * r->rows;
    TUT_AUTO_FREE float *logits = tut_alloc_array(size + 1, sizeof(*logits));
    TUT_AUTO_FREE uint8_t *inside = tut_alloc_array(size + r->rows + 1, 1);
    TUT_AUTO_FREE double *scores = tut_alloc_array(r->rows + 1, sizeof(*scores));
    if (!logits || !inside || !scores)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    uint8_t *outside = inside + size;
    double sum[STEPS] = {0}, best = 0;
    for (size_t m = 0; m < some.models && m < TUNED; m++) {
        const uint8_t *members = r->inside + m * r->rows;
        without(&some, m, logits, inside);
        for (size_t i = 0; i < r->rows; i++)
            outside[i] = !members[i];
        tut_mia_references others = {some.models - 1, r->rows, logits, inside};
        for (unsigned s = 0; s < STEPS; s++) {
            tut_rmia_wish wish = {.a = s / 10.0, .gamma = 1, .is_population = outside};
            tut_roc roc;
            TUT_TRY(tut_mia_rmia(r->logits + m * r->rows, &others, &wish, scores, err));
            TUT_TRY(tut_mia_roc(scores, members, r->rows, &roc, err));
            sum[s] += roc.auc;
        }
    }
    for (unsigned s = 0; s < STEPS; s++)
        if (sum[s] > best) {
            best = sum[s];
            *ret_a = s / 10.0;
        }
    return TUT_SUCCESS;
}
