/*
 * Square: random search that repaints one square at a time and keeps what lowers the margin
 * (Andriushchenko, Croce, Flammarion, Hein 2020, "Square Attack: a query-efficient black-box
 * adversarial attack via random search"), with the schedule of their paper, scaled to the budget.
 * Rows without a shape have stretches of columns in place of squares.
 */
#include <math.h>
#include <string.h>

#include "probe/evasion.h"

typedef struct square {
    float *best;    /* count x width: what is added */
    float *margin;  /* of it */
    float *next;    /* width */
    float *profile; /* of one square, for L2 */
} square;

/* The share of a row that is repainted: 0.8 at first, halved as the search goes on (their table,
 * of 10,000 queries). */
static double share_at(uint64_t query, uint64_t budget)
{
    static const unsigned ends[] = {10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000};
    double at = (double)query / (double)budget * 10000, share = 0.8;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && at > ends[i]; i++)
        share /= 2;
    return share;
}

typedef struct window {
    size_t top, left, tall, wide;
} window;

static window draw_window(const tut_space *s, size_t tall, size_t wide, tut_seeded *random)
{
    window w = {.tall = tall, .wide = wide};
    w.top = (size_t)tut_seeded_below(random, s->tall - tall + 1);
    w.left = (size_t)tut_seeded_below(random, s->wide - wide + 1);
    return w;
}

static size_t place_of(const tut_space *s, size_t c, size_t y, size_t x)
{
    return c * s->step_channel + y * s->step_down + x * s->step_right;
}

static float sign(tut_seeded *random)
{
    return tut_seeded_below(random, 2) ? 1 : -1;
}

/* --- L-inf: corners of the cube --- */

/* Stripes from top to bottom, of one sign each; of a vector each column for itself. */
static void start_linf(const tut_space *s, tut_seeded *random, float *delta)
{
    for (size_t c = 0; c < s->channels; c++)
        for (size_t x = 0; x < s->wide; x++) {
            float d = (float)s->size * sign(random);
            for (size_t y = 0; y < s->tall; y++)
                delta[place_of(s, c, y, x)] = d;
        }
}

static void repaint_linf(const tut_space *s, double share, tut_seeded *random, float *delta)
{
    double side = s->is_image ? sqrt(share * (double)(s->tall * s->wide)) : share * (double)s->wide;
    size_t n = side < 1.5 ? 1 : (size_t)(side + 0.5);
    size_t tall = s->is_image ? (n < s->tall ? n : s->tall) : 1, wide = n < s->wide ? n : s->wide;
    window w = draw_window(s, tall, wide, random);
    for (size_t c = 0; c < s->channels; c++) {
        float d = (float)s->size * sign(random);
        for (size_t x = w.left; x < w.left + w.wide; x++) {
            if (!s->is_image)
                d = (float)s->size * sign(random);
            for (size_t y = w.top; y < w.top + w.tall; y++)
                delta[place_of(s, c, y, x)] = d;
        }
    }
}

/* --- L2: mass moved from one window into another --- */

/* A pyramid of rectangles around the middle: each ring weighs 1/k^2 less than the one inside. */
static void add_pyramid(float *to, size_t stride, size_t tall, size_t wide, float by)
{
    size_t middle_y = tall / 2, middle_x = wide / 2;
    size_t most = (middle_y > middle_x ? middle_y : middle_x) + 1;
    double sum = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t y = 0; y < tall; y++)
            for (size_t x = 0; x < wide; x++) {
                size_t dy = y > middle_y ? y - middle_y : middle_y - y;
                size_t dx = x > middle_x ? x - middle_x : middle_x - x;
                double v = 0;
                for (size_t k = dy > dx ? dy : dx; k < most; k++)
                    v += 1 / ((double)(k + 1) * (double)(k + 1));
                if (pass == 0)
                    sum += v * v;
                else
                    to[y * stride + x] = by * (float)(v / sqrt(sum));
            }
}

/* Two pyramids of opposite sign side by side, of length 1; of a vector, signs by chance. */
static void make_profile(const tut_space *s, size_t tall, size_t wide, tut_seeded *random,
                         float *ret)
{
    if (!s->is_image) {
        for (size_t x = 0; x < wide; x++)
            ret[x] = sign(random) / sqrtf((float)wide);
        return;
    }
    bool is_across = tall > 1 && (wide < 2 || tut_seeded_below(random, 2));
    size_t half = is_across ? tall / 2 : wide / 2, n = tall * wide;
    float by = sqrtf(0.5f);
    if (is_across) {
        add_pyramid(ret, wide, half, wide, by);
        add_pyramid(ret + half * wide, wide, tall - half, wide, -by);
    } else {
        if (half)
            add_pyramid(ret, wide, tall, half, by);
        add_pyramid(ret + half, wide, tall, wide - half, -by);
    }
    if (half == 0)
        for (size_t i = 0; i < n; i++)
            ret[i] /= by;
}

static void to_length(const tut_space *s, double length, float *delta)
{
    double now = tut_space_length(s, delta);
    for (size_t j = 0; j < s->width; j++)
        delta[j] = s->unit[j] > 0 && now > 0 ? (float)(delta[j] * (length / now)) : 0;
}

static void start_l2(const tut_space *s, square *own, tut_seeded *random, float *delta)
{
    size_t tall = s->tall / 5 ? s->tall / 5 : 1, wide = s->wide / 5 ? s->wide / 5 : 1;
    memset(delta, 0, s->width * sizeof(*delta));
    for (size_t y = 0; y + tall <= s->tall; y += tall)
        for (size_t x = 0; x + wide <= s->wide; x += wide) {
            make_profile(s, tall, wide, random, own->profile);
            for (size_t c = 0; c < s->channels; c++) {
                float by = sign(random);
                for (size_t i = 0; i < tall * wide; i++)
                    delta[place_of(s, c, y + i / wide, x + i % wide)] = by * own->profile[i];
            }
        }
    to_length(s, s->size, delta);
}

/* At least 3, as in the paper, whose images are not tiny. */
static size_t odd_side(double side, size_t most)
{
    size_t least = most < 9 ? 1 : 3, n = (size_t)(side + 0.5);
    n = n < least ? least : n;
    n += n % 2 == 0;
    return n < most ? n : most;
}

/* Squares of what stands in both windows together. */
static double mass_of(const tut_space *s, const float *delta, window a, window b)
{
    double sum = 0;
    for (size_t c = 0; c < s->channels; c++)
        for (int k = 0; k < 2; k++) {
            window w = k ? b : a;
            for (size_t y = w.top; y < w.top + w.tall; y++)
                for (size_t x = w.left; x < w.left + w.wide; x++) {
                    bool is_twice = k && y >= a.top && y < a.top + a.tall && x >= a.left &&
                                    x < a.left + a.wide;
                    double d = is_twice ? 0 : delta[place_of(s, c, y, x)];
                    sum += d * d;
                }
        }
    return sum;
}

/* One channel: what stands in window a, turned towards a drawn profile, with the length `mass`. */
static void fill_window(const tut_space *s, size_t c, window a, const float *profile, double mass,
                        float by, float *delta)
{
    double old = 0, now = 0;
    size_t n = a.tall * a.wide;
    for (size_t i = 0; i < n; i++) {
        double d = delta[place_of(s, c, a.top + i / a.wide, a.left + i % a.wide)];
        old += d * d;
    }
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            float *at = &delta[place_of(s, c, a.top + i / a.wide, a.left + i % a.wide)];
            if (pass == 0) {
                *at = by * profile[i] + *at / (float)(1e-12 + sqrt(old));
                now += (double)*at * *at;
            } else {
                *at = (float)(*at / (1e-12 + sqrt(now)) * mass);
            }
        }
}

static void repaint_l2(const tut_space *s, double share, square *own, tut_seeded *random,
                       float *delta)
{
    double side = s->is_image ? sqrt(share * (double)(s->tall * s->wide)) : share * (double)s->wide;
    size_t tall = s->is_image ? odd_side(side, s->tall) : 1;
    size_t wide = s->is_image ? odd_side(side, s->wide) : side < 1 ? 1 : (size_t)(side + 0.5);
    window a = draw_window(s, tall, wide, random), b = draw_window(s, tall, wide, random);
    double length = tut_space_length(s, delta);
    double spare = fmax(s->size * s->size - length * length, 0) / (double)s->channels;
    double mass = sqrt(spare + mass_of(s, delta, a, b) / (double)s->channels);
    make_profile(s, tall, wide, random, own->profile);
    for (size_t c = 0; c < s->channels; c++) {
        /* Window b gives what it has; where they overlap, a keeps it. */
        for (size_t y = b.top; y < b.top + b.tall; y++)
            for (size_t x = b.left; x < b.left + b.wide; x++)
                if (y < a.top || y >= a.top + a.tall || x < a.left || x >= a.left + a.wide)
                    delta[place_of(s, c, y, x)] = 0;
        fill_window(s, c, a, own->profile, mass, sign(random), delta);
    }
    to_length(s, s->size, delta);
}

/* --- the search --- */

static void take(tut_evasion *e, void *ctx, const tut_evasion_answer *a)
{
    square *own = ctx;
    const float *row = e->sample->rows + a->row * e->width;
    if (!a->p)
        return;
    float margin = (float)tut_evasion_margin(e, a->row, a->p);
    if (margin < own->margin[a->row]) {
        own->margin[a->row] = margin;
        tut_space_between(&e->space, row, a->asked, own->best + a->row * e->width);
    }
    if (e->found_at[a->row])
        e->is_done[a->row] = 1;
}

static void propose(tut_evasion *e, square *own, size_t i, bool is_first)
{
    const tut_space *s = &e->space;
    double share = share_at(e->asked[i] + 1, e->budget);
    if (is_first && s->norm == TUT_NORM_L2) {
        start_l2(s, own, &e->random[i], own->next);
    } else if (is_first) {
        start_linf(s, &e->random[i], own->next);
    } else {
        memcpy(own->next, own->best + i * e->width, e->width * sizeof(float));
        if (s->norm == TUT_NORM_L2)
            repaint_l2(s, share, own, &e->random[i], own->next);
        else
            repaint_linf(s, share, &e->random[i], own->next);
    }
}

static tut_status search(tut_evasion *e, tut_error *err)
{
    square own = {.best = tut_evasion_memory(e, e->count * e->width, sizeof(float)),
                  .margin = tut_evasion_memory(e, e->count, sizeof(float)),
                  .next = tut_evasion_memory(e, e->width, sizeof(float)),
                  .profile = tut_evasion_memory(e, e->width, sizeof(float))};
    if (!own.best || !own.margin || !own.next || !own.profile)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < e->count; i++)
        own.margin[i] = INFINITY;
    tut_evasion_begin(e, take, &own);
    for (bool is_first = true; tut_evasion_is_any_live(e); is_first = false) {
        for (size_t i = 0; i < e->count; i++) {
            if (!tut_evasion_is_live(e, i))
                continue;
            propose(e, &own, i, is_first);
            TUT_TRY(tut_evasion_put(e, i, own.next, 0, err));
        }
        TUT_TRY(tut_evasion_send(e, err));
    }
    return TUT_SUCCESS;
}

static const tut_evasion_kind kind = {
    .name = "square",
    .weakness = "A random search: that it finds nothing does not show that there is nothing; "
                "attacks that know the gradients, and more queries, find more.",
    .queries_a_row = 5000,
    .search = search,
};

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return tut_evasion_run(p, &kind, ret, err);
}

const tut_attack tut_attack_evasion_square = {
    .probe = "evasion",
    .name = "square",
    .about = "Changes squares of the input at random and keeps what lowers the margin.",
    .source = "Andriushchenko et al. 2020, Square Attack",
    .gives = TUT_GIVES_PROBABILITIES | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run,
};
