#include "probe/evasion_ascent.h"

#include <math.h>
#include <string.h>

#include "nets/net.h"

enum {
    ROOM_MOST = 64,
    CACHED = 1 << 18,
    PATHS = 7
}; /* numbers of a pass that stay near the processor */

typedef struct climber { /* one row on its way */
    const float *row;
    uint32_t label;
    float *at, *before;  /* changes, now and a step ago */
    float *best, *slope; /* the highest, and the gradient there */
    float *now_slope;
    float *least, *most; /* of each change */
    double loss, best_loss, step;
    double step_then, best_then; /* at the last checkpoint */
    size_t rises;                /* since */
    bool is_wrong;
} climber;

struct tut_ascent {
    const tut_space *space;
    size_t room, width, outputs;
    tut_pass *pass;
    climber *climbers;
    uint32_t *active; /* those that are not wrong yet */
    size_t active_count;
    float *rows, *at_scores, *slopes; /* of a run: room x width, x outputs, x width */
    float *wanted;                    /* width */
};

void tut_ascent_free(tut_ascent *a)
{
    if (a)
        tut_pass_free(a->pass);
}

size_t tut_ascent_room(const tut_ascent *a)
{
    return a->room;
}

tut_status tut_ascent_new(const tut_net *net, const tut_space *space, tut_arena *arena,
                          tut_ascent **ret_ascent, tut_error *err)
{
    tut_ascent *a = tut_arena_take(arena, 1, sizeof(*a));
    const tut_net_facts *f = tut_net_about(net);
    if (!a)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t near = CACHED / (tut_net_row_numbers(net) + 1);
    a->room = tut_net_rows(net, near < 4 ? 4 : near > ROOM_MOST ? ROOM_MOST : near);
    a->space = space;
    a->width = f->width;
    a->outputs = f->outputs;
    a->climbers = tut_arena_take(arena, a->room, sizeof(*a->climbers));
    a->active = tut_arena_take(arena, a->room, sizeof(*a->active));
    a->rows = tut_arena_take(arena, a->room * a->width, sizeof(float));
    a->slopes = tut_arena_take(arena, a->room * a->width, sizeof(float));
    a->at_scores = tut_arena_take(arena, a->room * a->outputs, sizeof(float));
    a->wanted = tut_arena_take(arena, a->width, sizeof(float));
    float *paths = tut_arena_take(arena, PATHS * a->room * a->width, sizeof(float));
    if (!a->climbers || !a->active || !a->rows || !a->slopes || !a->at_scores || !a->wanted ||
        !paths)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < a->room; i++) {
        climber *c = &a->climbers[i];
        float **of[] = {&c->at,        &c->before, &c->best, &c->slope,
                        &c->now_slope, &c->least,  &c->most};
        for (size_t k = 0; k < PATHS; k++, paths += a->width)
            *of[k] = paths;
    }
    TUT_TRY(tut_pass_new(net, a->room, &a->pass, err));
    *ret_ascent = a;
    return TUT_SUCCESS;
}

/* --- losses: their value, and the slope at the scores --- */

/* One output: the scores of its two classes are 0 and what it says. */
static double one_score(float score, uint32_t label, float *ret_slope)
{
    double p = 1 / (1 + exp(-(double)score)), x = label ? -(double)score : (double)score;
    *ret_slope = (float)(p - (label ? 1 : 0));
    return x > 30 ? x : log1p(exp(x));
}

static double cross_entropy(const float *z, size_t n, uint32_t label, float *ret_slope)
{
    double most = (double)z[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = fmax(most, (double)z[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)z[i] - most);
    for (size_t i = 0; i < n; i++)
        ret_slope[i] = (float)(exp((double)z[i] - most) / sum) - (i == label ? 1 : 0);
    return sum > 0 ? log(sum) + most - (double)z[label] : 0;
}

/* -(z of the label - the greatest other) / (the greatest - the third greatest) */
static double logit_ratio(const float *z, size_t n, uint32_t label, float *ret_slope)
{
    size_t order[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < n; i++) {
        size_t k = 3;
        while (k > 0 && (order[k - 1] == SIZE_MAX || z[i] > z[order[k - 1]]))
            k--;
        for (size_t j = 2; j > k && k < 3; j--)
            order[j] = order[j - 1];
        if (k < 3)
            order[k] = i;
    }
    size_t other = order[0] == label ? order[1] : order[0];
    double above = (double)z[label] - (double)z[other];
    double span = (double)z[order[0]] - (double)z[order[2]] + 1e-12;
    memset(ret_slope, 0, n * sizeof(*ret_slope));
    ret_slope[label] -= (float)(1 / span);
    ret_slope[other] += (float)(1 / span);
    ret_slope[order[0]] += (float)(above / (span * span));
    ret_slope[order[2]] -= (float)(above / (span * span));
    return -above / span;
}

static bool is_wrong(const float *z, size_t n, uint32_t label)
{
    if (n == 1)
        return (z[0] > 0) != (label == 1);
    for (size_t i = 0; i < n; i++)
        if (i < label ? z[i] >= z[label] : i > label && z[i] > z[label])
            return true;
    return false;
}

static void in_units(const float *restrict slope, const float *restrict unit, size_t n,
                     float *restrict to)
{
    for (size_t j = 0; j < n; j++)
        to[j] = slope[j] * unit[j];
}

/* Loss and, where a step is still to come, gradient of all that are active, who leave where they
 * are wrong. */
static tut_status evaluate(tut_ascent *a, tut_loss loss, bool is_last, tut_error *err)
{
    const float *out = NULL;
    size_t width = a->width, n = a->outputs, kept = 0;
    for (size_t i = 0; i < a->active_count; i++) {
        const climber *c = &a->climbers[a->active[i]];
        tut_space_add(a->space, c->row, c->at, a->rows + i * width);
    }
    TUT_TRY(tut_pass_run(a->pass, a->rows, a->active_count, &out, err));
    const float *scores = tut_pass_scores(a->pass);
    for (size_t i = 0; i < a->active_count; i++) {
        climber *c = &a->climbers[a->active[i]];
        const float *z = scores + i * n;
        float *slope = a->at_scores + i * n;
        c->is_wrong = is_wrong(z, n, c->label);
        c->loss = n == 1                 ? one_score(z[0], c->label, slope)
                  : loss == TUT_LOSS_DLR ? logit_ratio(z, n, c->label, slope)
                                         : cross_entropy(z, n, c->label, slope);
    }
    if (!is_last)
        TUT_TRY(tut_pass_back(a->pass, a->at_scores, a->slopes, err));
    for (size_t i = 0; i < a->active_count; i++) {
        climber *c = &a->climbers[a->active[i]];
        if (!is_last && !c->is_wrong)
            in_units(a->slopes + i * width, a->space->unit, width, c->now_slope);
        if (c->is_wrong)
            memcpy(c->best, c->at, width * sizeof(float));
        else
            a->active[kept++] = a->active[i];
    }
    a->active_count = kept;
    return TUT_SUCCESS;
}

/* --- steps --- */

/* How far each number may go down and up: within the ball of L-inf, and the range; a row that is
 * outside of the range may stay where it is. */
static void find_limits(const tut_space *s, double size, climber *c)
{
    for (size_t j = 0; j < s->width; j++) {
        float unit = s->unit[j], most = s->norm == TUT_NORM_L2 ? INFINITY : (float)size;
        float low = unit > 0 ? (s->low[j] - c->row[j]) / unit : 0;
        float high = unit > 0 ? (s->high[j] - c->row[j]) / unit : 0;
        c->least[j] = fmaxf(fminf(low, 0), -most);
        c->most[j] = fminf(fmaxf(high, 0), most);
    }
}

static void clamp(const float *restrict least, const float *restrict most, size_t n, float scale,
                  float *restrict delta)
{
    for (size_t j = 0; j < n; j++) {
        float d = delta[j] * scale;
        d = d < least[j] ? least[j] : d;
        delta[j] = d > most[j] ? most[j] : d;
    }
}

/* Back into the ball, and then into the range, which the centre lies in: never out of the ball. */
static void project(const tut_space *s, const climber *c, double size, float *delta)
{
    double length = s->norm == TUT_NORM_L2 ? tut_space_length(s, delta) : 0;
    clamp(c->least, c->most, s->width, length > size ? (float)(size / length) : 1, delta);
}

/* to = from + a step of this length the way the gradient points. */
static void advance(const tut_space *s, const float *restrict from, const float *restrict slope,
                    double step, float *restrict to)
{
    float by = (float)step;
    if (s->norm != TUT_NORM_L2) {
        for (size_t j = 0; j < s->width; j++)
            to[j] = from[j] + by * (float)((slope[j] > 0) - (slope[j] < 0));
        return;
    }
    double sum = 0;
    for (size_t j = 0; j < s->width; j++)
        sum += (double)slope[j] * (double)slope[j];
    by = sum > 0 ? (float)(step / sqrt(sum)) : 0;
    for (size_t j = 0; j < s->width; j++)
        to[j] = from[j] + by * slope[j];
}

static void go_on(const float *restrict wanted, size_t n, float *restrict at,
                  float *restrict before)
{
    const float share = 0.75f;
    for (size_t j = 0; j < n; j++) {
        float now = at[j];
        at[j] = now + share * (wanted[j] - now) + (1 - share) * (now - before[j]);
        before[j] = now;
    }
}

/* Momentum (3/4) of the way of the last step, where there was one and it is wished for. */
static void step_ahead(tut_ascent *a, climber *c, double size, bool has_momentum)
{
    float *to = has_momentum ? a->wanted : c->before;
    advance(a->space, c->at, c->now_slope, c->step, to);
    project(a->space, c, size, to);
    if (has_momentum) {
        go_on(to, a->width, c->at, c->before);
        project(a->space, c, size, c->at);
        return;
    }
    c->before = c->at;
    c->at = to;
}

static void note_best(tut_ascent *a, climber *c)
{
    if (!(c->loss > c->best_loss))
        return;
    c->best_loss = c->loss;
    memcpy(c->best, c->at, a->width * sizeof(float));
    memcpy(c->slope, c->now_slope, a->width * sizeof(float));
}

/* Halves the step where the loss rose in under 3/4 of the steps, or neither step nor best changed
 * since the last checkpoint. */
static void check(tut_ascent *a, climber *c, size_t steps)
{
    bool is_slow = (double)c->rises < 0.75 * (double)steps;
    bool is_stuck = c->step_then == c->step && c->best_then >= c->best_loss;
    c->step_then = c->step;
    c->best_then = c->best_loss;
    c->rises = 0;
    if (!is_slow && !is_stuck)
        return;
    c->step /= 2;
    memcpy(c->at, c->best, a->width * sizeof(float));
    memcpy(c->now_slope, c->slope, a->width * sizeof(float));
}

typedef struct checkpoints { /* as shares of all steps: 0.22 more at first, then ever less */
    double share, more;
    size_t last, next;
} checkpoints;

static void next_checkpoint(checkpoints *k, size_t steps)
{
    k->last = k->next;
    k->more = k->share > 0 ? fmax(k->more - 0.03, 0.06) : 0.22;
    k->share += k->more;
    k->next = (size_t)ceil(k->share * (double)steps);
}

static void begin(tut_ascent *a, const tut_ascent_wish *w, tut_seeded *random, climber *c)
{
    memset(c->at, 0, a->width * sizeof(float));
    find_limits(a->space, w->size, c);
    if (w->is_random) {
        if (a->space->norm == TUT_NORM_L2)
            tut_space_noise(a->space, w->size, random, c->at);
        for (size_t j = 0; a->space->norm != TUT_NORM_L2 && j < a->width; j++)
            c->at[j] = (float)(w->size * (2 * tut_seeded_unit(random) - 1));
        project(a->space, c, w->size, c->at);
    }
    memcpy(c->before, c->at, a->width * sizeof(float));
    memcpy(c->best, c->at, a->width * sizeof(float));
    c->best_loss = -INFINITY;
    c->best_then = -INFINITY;
    c->step = c->step_then = w->is_adaptive ? 2 * w->size : w->step * w->size;
    c->rises = 0;
}

static tut_status climb(tut_ascent *a, const tut_ascent_wish *w, tut_error *err)
{
    checkpoints k = {.share = 0};
    next_checkpoint(&k, w->steps);
    TUT_TRY(evaluate(a, w->loss, w->steps == 0, err));
    for (size_t i = 0; i < a->active_count; i++)
        note_best(a, &a->climbers[a->active[i]]);
    for (size_t step = 0; step < w->steps && a->active_count > 0; step++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        double before[ROOM_MOST];
        for (size_t i = 0; i < a->active_count; i++) {
            climber *c = &a->climbers[a->active[i]];
            before[a->active[i]] = c->loss;
            step_ahead(a, c, w->size, step > 0 && w->is_adaptive);
        }
        TUT_TRY(evaluate(a, w->loss, step + 1 == w->steps, err));
        for (size_t i = 0; i < a->active_count; i++) {
            climber *c = &a->climbers[a->active[i]];
            c->rises += c->loss > before[a->active[i]];
            note_best(a, c);
            if (w->is_adaptive && step + 1 == k.next)
                check(a, c, k.next - k.last);
        }
        if (step + 1 == k.next)
            next_checkpoint(&k, w->steps);
    }
    return TUT_SUCCESS;
}

tut_status tut_ascent_run(tut_ascent *a, const tut_ascent_wish *wish, const float *const *rows,
                          const uint32_t *labels, tut_seeded *const *random, size_t count,
                          float *ret_delta, uint8_t *ret_is_wrong, tut_error *err)
{
    if (count == 0 || count > a->room)
        return tut_fail(err, TUT_USAGE, "%zu rows at once where %zu have room", count, a->room);
    for (size_t i = 0; i < count; i++) {
        climber *c = &a->climbers[i];
        c->row = rows[i];
        c->label = labels[i];
        a->active[i] = (uint32_t)i;
        begin(a, wish, random[i], c);
    }
    a->active_count = count;
    TUT_TRY(climb(a, wish, err));
    for (size_t i = 0; i < count; i++) {
        memcpy(ret_delta + i * a->width, a->climbers[i].best, a->width * sizeof(float));
        ret_is_wrong[i] = a->climbers[i].is_wrong;
    }
    return TUT_SUCCESS;
}
