/* A target made of a model that the test trained, and samples with noisy labels. */
#ifndef TESTS_PROBE_FIXTURE_H
#define TESTS_PROBE_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "probe/attack.h"
#include "probe/learner.h"
#include "probe/target_internal.h"
#include "stats/seeded.h"

typedef struct fake_model {
    const tut_learner *learner;
    size_t classes;
    double rounding;      /* to multiples of it, as a guard does; 0: none */
    bool has_labels_only; /* one-hot */
    uint64_t dies_after;  /* rows; 0: never */
    uint64_t asked;
} fake_model;

static inline double fake_value(const fake_model *m, const float *p, size_t c)
{
    size_t best = 0;
    for (size_t k = 1; k < m->classes; k++)
        best = p[k] > p[best] ? k : best;
    if (m->has_labels_only)
        return c == best;
    return m->rounding > 0 ? m->rounding * rint((double)p[c] / m->rounding) : (double)p[c];
}

static inline tut_status fake_predict(tut_target *t, const float *rows, size_t count, size_t width,
                                      uint64_t first, tut_predictions *ret, tut_error *err)
{
    fake_model *m = t->state;
    (void)width;
    (void)first;
    TUT_AUTO_FREE float *got = tut_alloc_array(count + 1, m->classes * sizeof(*got));
    size_t n = (size_t)tut_allowance_left(t->allowance, count);
    if (!got)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (m->dies_after && m->asked + n > m->dies_after)
        return tut_fail(err, TUT_IO, "the model is gone");
    TUT_TRY(tut_learner_predict(m->learner, rows, n, got, err));
    for (size_t i = 0; i < n; i++) {
        ret->answered[i] = TUT_ANSWERED;
        for (size_t c = 0; c < m->classes; c++)
            ret->values[i * m->classes + c] = fake_value(m, got + i * m->classes, c);
    }
    m->asked += n;
    tut_allowance_spend_many(t->allowance, n);
    return TUT_SUCCESS;
}

static const tut_target_driver fake_driver = {.kind = "fake",
                                              .gives = TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES |
                                                       TUT_GIVES_ANY_ROW,
                                              .predict = fake_predict};

static inline tut_target fake_target(fake_model *m, size_t width, tut_allowance *allowance)
{
    tut_target t = {.driver = &fake_driver, .allowance = allowance, .state = m};
    t.facts = (tut_target_facts){
        .kind = "fake", .gives = fake_driver.gives, .width = width, .classes = m->classes};
    (void)snprintf(t.facts.shown, sizeof(t.facts.shown), "fake");
    return t;
}

/* Blobs, one a class, whose spread makes them overlap; a share of the labels is wrong. */
typedef struct made_sample {
    tut_sample s;
    float *rows;
    uint32_t *labels;
    uint64_t *numbers;
    tut_sample_column *columns;
} made_sample;

static inline bool make_sample(made_sample *m, size_t count, size_t width, size_t classes,
                               double wrong, uint64_t seed)
{
    tut_seeded random = tut_seeded_of(seed), places = tut_seeded_of(77);
    float *centres = tut_alloc_array(classes, width * sizeof(*centres));
    m->rows = tut_alloc_array(count, width * sizeof(*m->rows));
    m->labels = tut_alloc_array(count, sizeof(*m->labels));
    m->numbers = tut_alloc_array(count, sizeof(*m->numbers));
    m->columns = tut_alloc_array(width, sizeof(*m->columns));
    if (!centres || !m->rows || !m->labels || !m->numbers || !m->columns) {
        tut_free(centres);
        return false;
    }
    for (size_t i = 0; i < classes * width; i++)
        centres[i] = (float)tut_seeded_normal(&places);
    for (size_t i = 0; i < count; i++) {
        uint32_t label = (uint32_t)tut_seeded_below(&random, classes);
        m->numbers[i] = 1000 * seed + i;
        for (size_t c = 0; c < width; c++)
            m->rows[i * width + c] = centres[label * width + c] +
                                     (float)(0.8 * tut_seeded_normal(&random));
        bool is_wrong = tut_seeded_unit(&random) < wrong;
        m->labels[i] = is_wrong ? (uint32_t)tut_seeded_below(&random, classes) : label;
    }
    tut_free(centres);
    m->s = (tut_sample){.count = count,
                        .width = width,
                        .rows = m->rows,
                        .labels = m->labels,
                        .classes = classes,
                        .numbers = m->numbers,
                        .columns = m->columns};
    return true;
}

static inline void made_sample_done(made_sample *m)
{
    tut_free(m->rows);
    tut_free(m->labels);
    tut_free(m->numbers);
    tut_free(m->columns);
}

static inline const tut_attack *attack_named(const char *probe, const char *name)
{
    for (const tut_attack *const *a = tut_attacks; *a; a++)
        if (strcmp((*a)->probe, probe) == 0 && strcmp((*a)->name, name) == 0)
            return *a;
    return NULL;
}

static inline const tut_measure *measure_named(const tut_attack_result *r, const char *name)
{
    for (size_t i = 0; i < r->measure_count; i++)
        if (strcmp(r->measures[i].name, name) == 0)
            return &r->measures[i];
    return NULL;
}

#endif
