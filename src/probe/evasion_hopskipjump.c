/*
 * HopSkipJump: the way that leads from the border into the wrong class is estimated from the
 * classes of points around, a step is taken that way, and the border is found again (Chen, Jordan,
 * Wainwright 2020, "HopSkipJumpAttack: a query-efficient decision-based attack"). L2 and L-inf.
 *
 * It starts from the nearest row that is taken for another class, where there is one: whoever
 * attacks a model has inputs of other classes. Where steps bring no gain it starts again from the
 * nearest row of the next class, which the paper leaves to whoever runs it.
 */
#include <math.h>

#include "probe/evasion_border.h"

enum { FIRST_POINTS = 100, MOST_POINTS = 10000, HALVINGS = 20, FEWEST_ROUNDS = 4 };

typedef struct hop {
    uint32_t *round;         /* t of the paper, from 1 */
    uint32_t *wanted, *came; /* points around; wanted 0: a step is tried */
    uint32_t *wrong;         /* of those that came */
    float *all, *mine;       /* count x width: sums over all that came, and over the wrong ones */
    double *step, *last;     /* last: length at the border one round ago */
    uint32_t *halvings;
} hop;

static void arrived(tut_border *b, tut_evasion *e, size_t row)
{
    hop *h = b->own;
    if (h->round[row] >= FEWEST_ROUNDS && b->length[row] > h->last[row] * 0.98) {
        h->round[row] = 0;
        tut_border_begin_again(b, row);
        return;
    }
    h->last[row] = b->length[row];
    double points = FIRST_POINTS * sqrt((double)++h->round[row]);
    h->wanted[row] = (uint32_t)fmin(points, MOST_POINTS);
    h->came[row] = h->wrong[row] = 0;
    for (size_t j = row * e->width; j < (row + 1) * e->width; j++)
        h->all[j] = h->mine[j] = 0;
}

/* How far from the border the points lie. */
static double radius(const tut_border *b, const tut_evasion *e, size_t row)
{
    const tut_space *s = &e->space;
    const hop *h = b->own;
    double d = (double)e->width;
    if (h->round[row] == 1)
        return 0.1 * (s->is_common ? (double)s->high[0] - s->low[0] : 1);
    return (s->norm == TUT_NORM_L2 ? sqrt(d) : d) * tut_border_theta(s) * b->length[row];
}

static tut_status put_around(tut_border *b, tut_evasion *e, size_t row, tut_error *err)
{
    const hop *h = b->own;
    const float *at = b->far + row * e->width;
    float far = (float)radius(b, e, row);
    /* wanted is looked at anew: the queue may be asked in the middle. */
    for (uint32_t k = 0, n = h->wanted[row]; k < n && tut_evasion_is_live(e, row); k++) {
        tut_space_way(&e->space, &e->random[row], b->next);
        for (size_t j = 0; j < e->width; j++)
            b->next[j] = at[j] + b->next[j] * far;
        TUT_TRY(tut_evasion_put(e, row, b->next, 0, err));
    }
    return TUT_SUCCESS;
}

/* The estimate: mean of the points' ways, each by its class less the mean class. */
static double way_at(const hop *h, size_t row, size_t at)
{
    double n = h->came[row], wrong = h->wrong[row], mean = (2 * wrong - n) / n;
    if (h->wrong[row] == 0 || h->wrong[row] == h->came[row])
        return mean * h->all[at];
    return 2.0 * h->mine[at] - h->all[at] - mean * h->all[at];
}

static tut_status put_step(tut_border *b, tut_evasion *e, size_t row, tut_error *err)
{
    const hop *h = b->own;
    size_t from = row * e->width;
    double sum = 0;
    for (size_t j = 0; j < e->width; j++)
        sum += pow(way_at(h, row, from + j), 2);
    for (size_t j = 0; j < e->width; j++) {
        double way = way_at(h, row, from + j);
        double by = e->space.norm == TUT_NORM_L2 ? way / sqrt(fmax(sum, 1e-300))
                                                 : (way > 0) - (way < 0);
        b->next[j] = b->far[from + j] + (float)(h->step[row] * by);
    }
    return tut_evasion_put(e, row, b->next, 0, err);
}

static tut_status move(tut_border *b, tut_evasion *e, size_t row, tut_error *err)
{
    const hop *h = b->own;
    return h->wanted[row] ? put_around(b, e, row, err) : put_step(b, e, row, err);
}

static void take_point(const tut_border *b, const tut_evasion *e, const tut_evasion_answer *a)
{
    hop *h = b->own;
    size_t i = a->row, from = i * e->width;
    const float *row = e->sample->rows + from;
    for (size_t j = 0; j < e->width; j++) {
        float unit = e->space.unit[j];
        float d = unit > 0 ? (a->asked[j] - row[j]) / unit - b->far[from + j] : 0;
        h->all[from + j] += d;
        h->mine[from + j] += a->is_wrong ? d : 0;
    }
    h->wrong[i] += a->is_wrong;
    if (++h->came[i] < h->wanted[i])
        return;
    h->wanted[i] = 0;
    h->halvings[i] = 0;
    h->step[i] = b->length[i] / sqrt((double)h->round[i]);
}

static void moved(tut_border *b, tut_evasion *e, const tut_evasion_answer *a)
{
    hop *h = b->own;
    size_t i = a->row;
    if (h->wanted[i]) {
        take_point(b, e, a);
    } else if (a->is_wrong) {
        tut_border_halve(b, e, i, a->asked);
    } else if (++h->halvings[i] == HALVINGS) {
        arrived(b, e, i); /* a way that leads nowhere: estimated anew, with more points */
    } else {
        h->step[i] /= 2;
    }
}

static tut_status search(tut_evasion *e, tut_error *err)
{
    size_t n = e->count;
    hop h = {.round = tut_evasion_memory(e, n, sizeof(uint32_t)),
             .wanted = tut_evasion_memory(e, n, sizeof(uint32_t)),
             .came = tut_evasion_memory(e, n, sizeof(uint32_t)),
             .wrong = tut_evasion_memory(e, n, sizeof(uint32_t)),
             .all = tut_evasion_memory(e, n * e->width, sizeof(float)),
             .mine = tut_evasion_memory(e, n * e->width, sizeof(float)),
             .step = tut_evasion_memory(e, n, sizeof(double)),
             .last = tut_evasion_memory(e, n, sizeof(double)),
             .halvings = tut_evasion_memory(e, n, sizeof(uint32_t))};
    tut_border b = {.own = &h, .move = move, .moved = moved, .arrived = arrived};
    if (!h.round || !h.wanted || !h.came || !h.wrong || !h.all || !h.mine || !h.step || !h.last ||
        !h.halvings)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_border_make(&b, e, err));
    return tut_border_run(&b, e, err);
}

static const tut_evasion_kind kind = {
    .name = "hopskipjump",
    .weakness = "It sees classes alone and may stay where the border is not nearest: the distances "
                "are upper bounds.",
    .queries_a_row = 2000,
    .is_minimal = true,
    .search = search,
};

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return tut_evasion_run(p, &kind, ret, err);
}

const tut_attack tut_attack_evasion_hopskipjump = {
    .probe = "evasion",
    .name = "hopskipjump",
    .about = "Needs the class alone: follows the border towards the smallest change.",
    .source = "Chen et al. 2020, HopSkipJumpAttack",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run,
};
