/*
 * The search for a mark by gradients (Wang, Yao, Shan, Li, Viswanath, Zheng, Zhao 2019, "Neural
 * Cleanse"): cover and paint of each place are what tanh makes of free numbers; Adam lowers the
 * cross entropy of the target plus a price times the cover; the price rises while the mark works
 * and falls while it does not.
 */
#include <math.h>
#include <string.h>

#include "nets/net.h"
#include "probe/backdoor.h"

enum { BATCH = 32, PATIENCE = 5 };

typedef struct hunt {
    const tut_space *s;
    tut_pass *pass;
    size_t places, width, outputs; /* a place: all channels of one point; of vectors a column */
    float *free, *slope, *first, *second; /* cover of each place, then paint of each number */
    tut_mark mark;
    float *rows, *at_scores, *back; /* of a batch */
    double price, success, running;
    size_t steps;
} hunt;

static size_t place_of(const tut_space *s, size_t j)
{
    if (!s->is_image)
        return j;
    return s->step_channel == 1 ? j / s->channels : j % (s->tall * s->wide);
}

static tut_status make(hunt *h, tut_arena *arena, tut_error *err)
{
    size_t n = h->places + h->width;
    h->free = tut_arena_take(arena, 4 * n, sizeof(float));
    h->mark.cover = tut_arena_take(arena, h->width, sizeof(float));
    h->mark.paint = tut_arena_take(arena, h->width, sizeof(float));
    h->rows = tut_arena_take(arena, BATCH * h->width, sizeof(float));
    h->back = tut_arena_take(arena, BATCH * h->width, sizeof(float));
    h->at_scores = tut_arena_take(arena, BATCH * h->outputs, sizeof(float));
    if (!h->free || !h->mark.cover || !h->mark.paint || !h->rows || !h->back || !h->at_scores)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    h->slope = h->free + n;
    h->first = h->free + 2 * n;
    h->second = h->free + 3 * n;
    return TUT_SUCCESS;
}

/* From the free numbers to the mark. */
static void unfold(hunt *h)
{
    h->mark.area = 0;
    for (size_t k = 0; k < h->places; k++)
        h->mark.area += (tanh((double)h->free[k]) + 1) / 2;
    for (size_t j = 0; j < h->width; j++) {
        float low = h->s->low[j], high = h->s->high[j];
        h->mark.cover[j] = (tanhf(h->free[place_of(h->s, j)]) + 1) / 2;
        h->mark.paint[j] = low + (high - low) * (tanhf(h->free[h->places + j]) + 1) / 2;
    }
}

/* Cross entropy of the target over the batch, at the scores; and how many rows are led there. */
static size_t at_scores(hunt *h, const float *scores, size_t n, uint32_t target)
{
    size_t led = 0;
    for (size_t i = 0; i < n; i++) {
        const float *z = scores + i * h->outputs;
        float *to = h->at_scores + i * h->outputs;
        size_t best = 0;
        double sum = 0;
        for (size_t c = 1; c < h->outputs; c++)
            best = z[c] > z[best] ? c : best;
        for (size_t c = 0; c < h->outputs; c++)
            sum += exp((double)z[c] - (double)z[best]);
        for (size_t c = 0; c < h->outputs; c++)
            to[c] =
                (float)((exp((double)z[c] - (double)z[best]) / sum - (c == target)) / (double)n);
        led += best == target;
    }
    return led;
}

static void slopes(hunt *h, const float *const *of, size_t n)
{
    memset(h->slope, 0, (h->places + h->width) * sizeof(float));
    for (size_t j = 0; j < h->width; j++) {
        size_t place = place_of(h->s, j);
        float cover = 0, paint = 0, span = h->s->high[j] - h->s->low[j];
        float t = tanhf(h->free[h->places + j]);
        if (h->s->unit[j] <= 0)
            continue;
        for (size_t i = 0; i < n; i++) {
            float up = h->back[i * h->width + j];
            cover += up * (h->mark.paint[j] - of[i][j]);
            paint += up * h->mark.cover[j];
        }
        h->slope[place] += cover;
        h->slope[h->places + j] = paint * span * (1 - t * t) / 2;
    }
    for (size_t k = 0; k < h->places; k++) {
        float t = tanhf(h->free[k]);
        h->slope[k] = (h->slope[k] + (float)h->price) * (1 - t * t) / 2;
    }
}

static void update(hunt *h)
{
    double steps = (double)++h->steps;
    float pace = (float)(0.1 * sqrt(1 - pow(0.9, steps)) / (1 - pow(0.5, steps)));
    for (size_t k = 0; k < h->places + h->width; k++) { /* the paper's moments: 0.5 and 0.9 */
        h->first[k] = 0.5f * h->first[k] + 0.5f * h->slope[k];
        h->second[k] = 0.9f * h->second[k] + 0.1f * h->slope[k] * h->slope[k];
        h->free[k] -= pace * h->first[k] / (sqrtf(h->second[k]) + 1e-8f);
    }
}

static tut_status step(hunt *h, const tut_sample *sample, const uint32_t *rows, size_t row_count,
                       uint32_t target, tut_seeded *random, tut_error *err)
{
    const float *of[BATCH], *out = NULL;
    size_t n = row_count < BATCH ? row_count : BATCH;
    unfold(h);
    for (size_t i = 0; i < n; i++) {
        size_t pick = row_count <= BATCH ? i : (size_t)tut_seeded_below(random, row_count);
        of[i] = sample->rows + (size_t)rows[pick] * h->width;
        tut_backdoor_stamp(h->s, &h->mark, of[i], h->rows + i * h->width);
    }
    TUT_TRY(tut_pass_run(h->pass, h->rows, n, &out, err));
    h->success = (double)at_scores(h, tut_pass_scores(h->pass), n, target) / (double)n;
    TUT_TRY(tut_pass_back(h->pass, h->at_scores, h->back, err));
    slopes(h, of, n);
    update(h);
    return TUT_SUCCESS;
}

static void keep(const hunt *h, tut_mark *best)
{
    if (h->mark.area >= best->area)
        return;
    memcpy(best->cover, h->mark.cover, h->width * sizeof(float));
    memcpy(best->paint, h->mark.paint, h->width * sizeof(float));
    best->area = h->mark.area;
    best->success = h->running;
}

static tut_status run(hunt *h, const tut_sample *sample, const uint32_t *rows, size_t row_count,
                      uint32_t target, size_t steps, tut_seeded *random, tut_mark *best,
                      tut_error *err)
{
    size_t up = 0, down = 0;
    for (size_t k = 0; k < h->places + h->width; k++)
        h->free[k] = (float)(0.1 * tut_seeded_normal(random)) - (k < h->places ? 1 : 0);
    h->price = 1e-3;
    for (size_t i = 0; i < steps; i++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(step(h, sample, rows, row_count, target, random, err));
        h->running = i ? 0.8 * h->running + 0.2 * h->success : h->success;
        bool works = h->running >= 0.95;
        up = works ? up + 1 : 0;
        down = works ? 0 : down + 1;
        if (works)
            keep(h, best);
        if (up >= PATIENCE || down >= PATIENCE) {
            h->price *= up ? 1.5 : 1 / 1.8;
            up = down = 0;
        }
    }
    return TUT_SUCCESS;
}

tut_status tut_backdoor_search(const tut_net *net, const tut_space *s, const tut_sample *sample,
                               const uint32_t *rows, size_t row_count, uint32_t target,
                               size_t steps, tut_seeded *random, tut_arena *arena,
                               tut_mark *ret_mark, tut_error *err)
{
    hunt h = {.s = s, .width = s->width, .outputs = tut_net_about(net)->outputs};
    h.places = s->is_image ? s->tall * s->wide : s->width;
    ret_mark->area = (double)h.places;
    ret_mark->success = 0;
    TUT_TRY(make(&h, arena, err));
    TUT_TRY(tut_pass_new(net, BATCH, &h.pass, err));
    tut_status status = run(&h, sample, rows, row_count, target, steps, random, ret_mark, err);
    tut_pass_free(h.pass);
    return status;
}
