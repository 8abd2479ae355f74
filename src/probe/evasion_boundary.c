/*
 * Boundary: a random walk along the border, which keeps what stays wrong and comes nearer (Brendel,
 * Rauber, Bethge 2018, "Decision-based adversarial attacks"). The plainest attack that needs the
 * class alone, so the measure of what others add. The sizes of both parts of a step follow how
 * often steps succeed.
 */
#include <math.h>

#include "probe/evasion_border.h"

enum { WINDOW = 20 };

typedef struct walk {
    double *aside, *nearer; /* as shares of the length */
    uint16_t *tried, *kept;
} walk;

static tut_status move(tut_border *b, tut_evasion *e, size_t row, tut_error *err)
{
    const walk *w = b->own;
    const tut_space *s = &e->space;
    const float *at = b->far + row * e->width;
    double length = b->length[row], to = length * (1 - w->nearer[row]);
    /* As far as that in the norm: a cube's draws are 1/3 of its squared side long on average. */
    double by = w->aside[row] * length * (s->norm == TUT_NORM_L2 ? 1 : sqrt((double)e->width / 3));
    tut_space_way(s, &e->random[row], b->next);
    for (size_t j = 0; j < e->width; j++)
        b->next[j] = at[j] + b->next[j] * (float)by;
    double now = tut_space_length(s, b->next);
    for (size_t j = 0; j < e->width; j++)
        b->next[j] = s->norm == TUT_NORM_L2 ? (float)(b->next[j] * (now > 0 ? to / now : 0))
                                            : fmaxf(fminf(b->next[j], (float)to), -(float)to);
    return tut_evasion_put(e, row, b->next, 0, err);
}

/* Half of the steps should succeed where the border is flat; fewer: shorter steps. */
static void adapt(walk *w, size_t row)
{
    if (++w->tried[row] < WINDOW)
        return;
    double rate = (double)w->kept[row] / WINDOW;
    double by = rate > 0.5 ? 1.5 : rate < 0.2 ? 1 / 1.5 : 1;
    w->nearer[row] = fmin(w->nearer[row] * by, 0.5);
    w->aside[row] = fmin(w->aside[row] * (rate < 0.05 ? by : sqrt(by)), 1);
    w->tried[row] = w->kept[row] = 0;
}

static void moved(tut_border *b, tut_evasion *e, const tut_evasion_answer *a)
{
    walk *w = b->own;
    size_t i = a->row;
    if (a->is_wrong && a->distance < b->length[i]) {
        float *far = b->far + i * e->width;
        tut_space_between(&e->space, e->sample->rows + i * e->width, a->asked, far);
        b->length[i] = a->distance;
        w->kept[i]++;
    }
    adapt(w, i);
}

static void arrived(tut_border *b, tut_evasion *e, size_t row)
{
    (void)b, (void)e, (void)row; /* the walk's steps are shares of the length already */
}

static tut_status search(tut_evasion *e, tut_error *err)
{
    size_t n = e->count;
    walk w = {.aside = tut_evasion_memory(e, n, sizeof(double)),
              .nearer = tut_evasion_memory(e, n, sizeof(double)),
              .tried = tut_evasion_memory(e, n, sizeof(uint16_t)),
              .kept = tut_evasion_memory(e, n, sizeof(uint16_t))};
    tut_border b = {.own = &w, .move = move, .moved = moved, .arrived = arrived};
    if (!w.aside || !w.nearer || !w.tried || !w.kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < n; i++) {
        w.aside[i] = 0.1;
        w.nearer[i] = 0.01;
    }
    TUT_TRY(tut_border_make(&b, e, err));
    return tut_border_run(&b, e, err);
}

static const tut_evasion_kind kind = {
    .name = "boundary",
    .weakness = "A random walk: it comes near the smallest change only with many queries.",
    .queries_a_row = 2000,
    .is_minimal = true,
    .search = search,
};

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return tut_evasion_run(p, &kind, ret, err);
}

const tut_attack tut_attack_evasion_boundary = {
    .probe = "evasion",
    .name = "boundary",
    .about = "Needs the class alone: walks along the border at random, nearer and nearer.",
    .source = "Brendel et al. 2018, Decision-based adversarial attacks",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run,
};
