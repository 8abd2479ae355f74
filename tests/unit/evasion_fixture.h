/* A linear model whose smallest adversarial changes are known in closed form, as a target. It sees
 * that what is asked lies within the range, and within `leash` of one of the rows. */
#ifndef TUT_TESTS_EVASION_FIXTURE_H
#define TUT_TESTS_EVASION_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "probe/evasion.h"
#include "probe/target_internal.h"

enum { ROWS = 60, SIDE = 4, WIDTH = SIDE * SIDE, CLASSES = 3 };

typedef struct world world;
struct world {
    float w[CLASSES][WIDTH], bias[CLASSES];
    float rows[ROWS * WIDTH];
    uint32_t labels[ROWS];
    uint64_t numbers[ROWS];
    tut_sample sample;
    tut_allowance allowance;
    tut_target target;
    bool gives_labels_only, is_constant;
    double leash; /* of the norm; 0: none */
    tut_norm norm;
    uint64_t asked, strayed, outside, dies_at;
    void (*look)(world *w, const float *x); /* at every row that is asked; or NULL */
    tut_probe probe;
};

static double score(const world *w, const float *x, size_t c)
{
    double s = w->bias[c];
    for (size_t j = 0; j < WIDTH; j++)
        s += (double)w->w[c][j] * x[j];
    return w->is_constant ? (double)(c == 0) : s;
}

static double gap(const world *w, const float *a, const float *b)
{
    double sum = 0, most = 0;
    for (size_t j = 0; j < WIDTH; j++) {
        double d = fabs((double)a[j] - b[j]);
        sum += d * d;
        most = d > most ? d : most;
    }
    return w->norm == TUT_NORM_L2 ? sqrt(sum) : most;
}

static void watch(world *w, const float *x)
{
    bool is_near = w->leash <= 0;
    for (size_t j = 0; j < WIDTH; j++)
        w->outside += x[j] < 0 || x[j] > 1;
    for (size_t i = 0; !is_near && i < ROWS; i++)
        is_near = gap(w, x, w->rows + i * WIDTH) <= w->leash * (1 + 1e-5);
    w->strayed += !is_near;
}

static tut_status predict_linear(tut_target *t, const float *rows, size_t count, size_t width,
                                 uint64_t first, tut_predictions *ret, tut_error *err)
{
    world *w = t->state;
    (void)first;
    uint64_t n = tut_allowance_left(&w->allowance, count);
    for (size_t i = 0; i < n; i++) {
        const float *x = rows + i * width;
        double *p = ret->values + i * CLASSES, sum = 0;
        size_t most = 0;
        if (w->dies_at && w->asked >= w->dies_at)
            return tut_fail(err, TUT_IO, "gone");
        watch(w, x);
        if (w->look)
            w->look(w, x);
        w->asked++;
        for (size_t c = 0; c < CLASSES; c++) {
            sum += p[c] = exp(score(w, x, c));
            most = p[c] > p[most] ? c : most;
        }
        for (size_t c = 0; c < CLASSES; c++)
            p[c] = w->gives_labels_only ? (double)(c == most) : p[c] / sum;
        ret->answered[i] = TUT_ANSWERED;
        tut_allowance_spend_many(&w->allowance, 1);
    }
    return TUT_SUCCESS;
}

static const tut_target_driver linear = {.kind = "linear", .predict = predict_linear};

/* Rows in the middle of the range, labelled by the model, every tenth wrongly. */
static void make_world(world *w)
{
    tut_seeded r = tut_seeded_of(7);
    memset(w, 0, sizeof(*w));
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t j = 0; j < WIDTH; j++)
            w->w[c][j] = (float)tut_seeded_normal(&r);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = w->rows + i * WIDTH;
        for (size_t j = 0; j < WIDTH; j++)
            x[j] = (float)(0.3 + 0.4 * tut_seeded_unit(&r));
        size_t most = 0;
        for (size_t c = 1; c < CLASSES; c++)
            most = score(w, x, c) > score(w, x, most) ? c : most;
        w->labels[i] = (uint32_t)((most + (i % 10 == 0)) % CLASSES);
        w->numbers[i] = i;
    }
    w->sample = (tut_sample){.count = ROWS,
                             .width = WIDTH,
                             .rows = w->rows,
                             .labels = w->labels,
                             .classes = CLASSES,
                             .numbers = w->numbers};
    w->target = (tut_target){.driver = &linear, .allowance = &w->allowance, .state = w};
    w->target.facts.gives = TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES | TUT_GIVES_ANY_ROW;
    w->target.facts.width = WIDTH;
    w->target.facts.classes = CLASSES;
    w->target.facts.axes = 3;
    w->target.facts.shape[0] = 1;
    w->target.facts.shape[1] = w->target.facts.shape[2] = SIDE;
    w->probe = (tut_probe){.target = &w->target, .others = &w->sample, .seed = 1, .high = 1};
}

static double measure_of(const tut_attack_result *r, const char *name)
{
    for (size_t i = 0; i < r->measure_count; i++)
        if (strcmp(r->measures[i].name, name) == 0)
            return r->measures[i].value;
    return NAN;
}

#endif
