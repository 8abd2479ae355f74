/*
 * SimBA: along one direction of an orthonormal basis after the other, a step forth, else one back,
 * kept where the probability of the label falls (Guo, Gardner, You, Wilson, Weinberger 2019,
 * "Simple black-box adversarial attacks"). The basis are the numbers of the row themselves, or the
 * cosines of an image (of a row without shape: of its columns), those of low frequency first.
 *
 * The paper bounds the length by the number of steps alone; here what grows beyond the size is
 * drawn back onto the ball or cube, and a step is at most a quarter of the ball. Where all
 * directions bring nothing the step is halved, and after some halvings the search begins again
 * from noise; the paper ends there.
 */
#include <math.h>
#include <string.h>

#include "probe/evasion.h"

typedef struct simba {
    bool is_dct;
    float *delta;    /* count x width: kept so far */
    double *p_label; /* of it */
    uint32_t *order; /* count x width: directions, shuffled */
    uint32_t *at;    /* number of the direction that is tried; sign of the try */
    int8_t *way;
    uint8_t *is_better; /* since the directions were last shuffled */
    uint8_t *halvings;
    float *next;      /* width */
    double *cos_tall; /* tall x tall, and wide x wide: orthonormal */
    double *cos_wide;
} simba;

enum { MOST_HALVINGS = 4 };
static const double usual_step = 0.2; /* of the paper, for a range from 0 to 1 */

static double step_of(const tut_space *s)
{
    double step = usual_step * (s->is_common && s->width ? (double)s->high[0] - s->low[0] : 1);
    double most = s->norm == TUT_NORM_L2 ? s->size / 4 : s->size;
    return step < most ? step : most;
}

/* Frequencies: of direction d that along each axis. */
static void split_direction(const tut_space *s, uint32_t d, size_t *ret_c, size_t *ret_y,
                            size_t *ret_x)
{
    *ret_c = d / (s->tall * s->wide);
    *ret_y = d / s->wide % s->tall;
    *ret_x = d % s->wide;
}

static void add_cosine(const simba *own, const tut_space *s, uint32_t d, double by, float *delta)
{
    size_t c, fy, fx;
    split_direction(s, d, &c, &fy, &fx);
    for (size_t y = 0; y < s->tall; y++) {
        double v = by * own->cos_tall[fy * s->tall + y];
        float *line = delta + c * s->step_channel + y * s->step_down;
        for (size_t x = 0; x < s->wide; x++)
            line[x * s->step_right] += (float)(v * own->cos_wide[fx * s->wide + x]);
    }
}

static void make_cosines(double *to, size_t n)
{
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < n; i++)
            to[f * n + i] = sqrt((f ? 2 : 1) / (double)n) *
                            cos(3.141592653589793 * (double)f * ((double)i + 0.5) / (double)n);
}

/* By chance; of cosines, those of the lower half of both frequencies first. */
static void shuffle(const simba *own, const tut_space *s, tut_seeded *random, uint32_t *order)
{
    size_t low = 0;
    for (uint32_t d = 0; d < s->width; d++)
        order[d] = d;
    for (uint32_t d = 0; own->is_dct && d < s->width; d++) {
        size_t c, fy, fx;
        split_direction(s, d, &c, &fy, &fx);
        if (2 * fy <= s->tall && 2 * fx <= s->wide) {
            uint32_t other = order[low];
            order[low++] = d;
            order[d] = other;
        }
    }
    for (size_t part = 0; part < 2; part++) {
        size_t from = part ? low : 0, to = part ? s->width : low;
        for (size_t i = to; i > from + 1; i--) {
            size_t k = from + (size_t)tut_seeded_below(random, i - from);
            uint32_t other = order[k];
            order[k] = order[i - 1];
            order[i - 1] = other;
        }
    }
}

/* Back within the size. */
static void draw_back(const tut_space *s, float *delta)
{
    double length = tut_space_length(s, delta);
    if (length <= s->size)
        return;
    for (size_t j = 0; j < s->width; j++)
        if (s->norm == TUT_NORM_L2)
            delta[j] = (float)(delta[j] * (s->size / length));
        else
            delta[j] = fmaxf(fminf(delta[j], (float)s->size), -(float)s->size);
}

/* All directions were tried. */
static void begin_pass(tut_evasion *e, simba *own, size_t i)
{
    own->at[i] = 0;
    shuffle(own, &e->space, &e->random[i], own->order + i * e->width);
    if (!own->is_better[i] && ++own->halvings[i] > MOST_HALVINGS) {
        own->halvings[i] = 0;
        own->p_label[i] = INFINITY; /* the first answer is better */
        tut_space_noise(&e->space, e->space.size / 2, &e->random[i], own->delta + i * e->width);
    }
    own->is_better[i] = 0;
}

static void take(tut_evasion *e, void *ctx, const tut_evasion_answer *a)
{
    simba *own = ctx;
    size_t i = a->row;
    uint32_t label = e->sample->labels[i];
    double p = !a->p ? INFINITY : label < e->classes ? a->p[label] : 0;
    bool is_better = p < own->p_label[i];
    if (e->found_at[i])
        e->is_done[i] = 1;
    if (is_better) {
        own->p_label[i] = p;
        own->is_better[i] = 1;
        tut_space_between(&e->space, e->sample->rows + i * e->width, a->asked,
                          own->delta + i * e->width);
    }
    if (!is_better && own->way[i] > 0) {
        own->way[i] = -1;
        return;
    }
    own->way[i] = 1;
    if (++own->at[i] < e->width)
        return;
    begin_pass(e, own, i);
}

static void propose(const tut_evasion *e, simba *own, size_t i)
{
    const tut_space *s = &e->space;
    uint32_t d = own->order[i * e->width + own->at[i]];
    double by = ldexp(own->way[i] * step_of(s), -own->halvings[i]);
    memcpy(own->next, own->delta + i * e->width, e->width * sizeof(float));
    if (own->is_dct)
        add_cosine(own, s, d, by, own->next);
    else
        own->next[d] += (float)by;
    draw_back(s, own->next);
}

static tut_status make(tut_evasion *e, bool is_dct, simba *own, tut_error *err)
{
    size_t n = e->count;
    const tut_space *s = &e->space;
    own->is_dct = is_dct;
    own->delta = tut_evasion_memory(e, n * e->width, sizeof(float));
    own->p_label = tut_evasion_memory(e, n, sizeof(double));
    own->order = tut_evasion_memory(e, n * e->width, sizeof(uint32_t));
    own->at = tut_evasion_memory(e, n, sizeof(uint32_t));
    own->way = tut_evasion_memory(e, n, 1);
    own->is_better = tut_evasion_memory(e, n, 1);
    own->halvings = tut_evasion_memory(e, n, 1);
    own->next = tut_evasion_memory(e, e->width, sizeof(float));
    own->cos_tall = tut_evasion_memory(e, is_dct ? s->tall * s->tall : 1, sizeof(double));
    own->cos_wide = tut_evasion_memory(e, is_dct ? s->wide * s->wide : 1, sizeof(double));
    if (!own->delta || !own->p_label || !own->order || !own->at || !own->way || !own->is_better ||
        !own->halvings || !own->next || !own->cos_tall || !own->cos_wide)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (is_dct) {
        make_cosines(own->cos_tall, s->tall);
        make_cosines(own->cos_wide, s->wide);
    }
    for (size_t i = 0; i < n; i++) {
        own->p_label[i] = e->p_label[i];
        own->way[i] = 1;
        shuffle(own, s, &e->random[i], own->order + i * e->width);
    }
    return TUT_SUCCESS;
}

static tut_status search(tut_evasion *e, bool is_dct, tut_error *err)
{
    simba own;
    TUT_TRY(make(e, is_dct, &own, err));
    tut_evasion_begin(e, take, &own);
    while (tut_evasion_is_any_live(e)) {
        for (size_t i = 0; i < e->count; i++) {
            if (!tut_evasion_is_live(e, i))
                continue;
            propose(e, &own, i);
            TUT_TRY(tut_evasion_put(e, i, own.next, 0, err));
        }
        TUT_TRY(tut_evasion_send(e, err));
    }
    return TUT_SUCCESS;
}

static tut_status search_pixel(tut_evasion *e, tut_error *err)
{
    return search(e, false, err);
}

static tut_status search_dct(tut_evasion *e, tut_error *err)
{
    return search(e, true, err);
}

#define WEAKNESS                                                                                   \
    "It follows one direction at a time: that it finds nothing does not show that there is "       \
    "nothing."

static const tut_evasion_kind pixel = {
    .name = "simba-pixel",
    .weakness = WEAKNESS,
    .queries_a_row = 5000,
    .search = search_pixel,
};

static const tut_evasion_kind dct = {
    .name = "simba-dct",
    .weakness = WEAKNESS,
    .queries_a_row = 5000,
    .search = search_dct,
};

static tut_status run_pixel(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return tut_evasion_run(p, &pixel, ret, err);
}

static tut_status run_dct(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return tut_evasion_run(p, &dct, ret, err);
}

const tut_attack tut_attack_evasion_simba_pixel = {
    .probe = "evasion",
    .name = "simba-pixel",
    .about = "Steps along one number of the input at a time, kept where the label loses.",
    .source = "Guo et al. 2019, Simple black-box adversarial attacks",
    .gives = TUT_GIVES_PROBABILITIES | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run_pixel,
};

const tut_attack tut_attack_evasion_simba_dct = {
    .probe = "evasion",
    .name = "simba-dct",
    .about = "Steps along one cosine of the input at a time, kept where the label loses.",
    .source = "Guo et al. 2019, Simple black-box adversarial attacks",
    .gives = TUT_GIVES_PROBABILITIES | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run_dct,
};
