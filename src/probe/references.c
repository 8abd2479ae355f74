#include "probe/references.h"

#include <math.h>

#include "base/cage.h"
#include "base/parallel.h"
#include "stats/seeded.h"

enum { MODELS = 16, MODELS_MOST = 1024, BATCH = 4 };

void tut_reference_set_done(tut_reference_set *s)
{
    tut_free(s->logits);
    tut_free(s->inside);
    *s = (tut_reference_set){.recipe = NULL};
}

static tut_status make_room(tut_reference_set *s, size_t models, size_t rows, tut_error *err)
{
    s->logits = tut_alloc_array(models * rows + 1, sizeof(*s->logits));
    s->inside = tut_alloc_array(models * rows + 1, sizeof(*s->inside));
    s->r = (tut_mia_references){models, rows, s->logits, s->inside};
    s->agreement = NAN;
    if (!s->logits || !s->inside)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

/* --- which model was trained on which rows --- */

/* For each row its own order of the models: the first half of them sees it. Of an odd number the
 * one in the middle sees every other row. */
static tut_status draw_halves(uint8_t *inside, size_t models, size_t rows, uint64_t seed,
                              tut_error *err)
{
    TUT_AUTO_FREE size_t *order = tut_alloc_array(models, sizeof(*order));
    if (!order)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_seeded random = tut_seeded_of(seed);
    for (size_t m = 0; m < models; m++)
        order[m] = m;
    for (size_t i = 0; i < rows; i++) {
        size_t half = models / 2 + (models % 2 && i % 2);
        for (size_t k = 0; k < half; k++) {
            size_t at = k + (size_t)tut_seeded_below(&random, models - k), m = order[at];
            order[at] = order[k];
            order[k] = m;
            inside[m * rows + i] = 1;
        }
    }
    return TUT_SUCCESS;
}

/* --- training --- */

typedef struct training {
    const tut_reference_rows *x;
    const tut_recipe *recipe;
    uint64_t seed;
    float *logits;
    const uint8_t *inside;
    size_t first;
    tut_status status[BATCH];
    tut_error errors[BATCH];
} training;

/* Trains on the rows that are inside and answers all: count x classes. */
static tut_status answers_of_one(const tut_recipe *recipe, const tut_reference_rows *x,
                                 const uint8_t *inside, uint64_t seed, float *ret, tut_error *err)
{
    TUT_AUTO(tut_learner) l = NULL;
    TUT_AUTO_FREE uint32_t *pick = tut_alloc_array(x->count + 1, sizeof(*pick));
    if (!pick)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_lesson lesson = {.rows = x->rows,
                         .width = x->width,
                         .classes = x->classes,
                         .labels = x->labels,
                         .pick = pick,
                         .seed = seed};
    for (size_t i = 0; i < x->count; i++)
        if (inside[i])
            pick[lesson.picked++] = (uint32_t)i;
    TUT_TRY(tut_learner_fit(recipe, &lesson, &l, err));
    return tut_learner_predict(l, x->rows, x->count, ret, err);
}

static tut_status train_one(training *t, size_t m, tut_error *err)
{
    const tut_reference_rows *x = t->x;
    TUT_AUTO_FREE float *answers = tut_alloc_array(x->count, x->classes * sizeof(*answers));
    TUT_AUTO_FREE double *p = tut_alloc_array(x->classes, sizeof(*p));
    if (!answers || !p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(answers_of_one(t->recipe, x, t->inside + m * x->count, t->seed + m + 1, answers, err));
    for (size_t i = 0; i < x->count; i++) {
        for (size_t c = 0; c < x->classes; c++)
            p[c] = (double)answers[i * x->classes + c];
        t->logits[m * x->count + i] = (float)tut_mia_logit(p, x->classes, x->labels[i]);
    }
    return TUT_SUCCESS;
}

static void train_in_batch(void *ctx, size_t i)
{
    training *t = ctx;
    t->status[i] = train_one(t, t->first + i, &t->errors[i]);
}

static tut_status train_all(const tut_probe *p, training *t, size_t models, tut_error *err)
{
    for (t->first = 0; t->first < models; t->first += BATCH) {
        size_t n = models - t->first < BATCH ? models - t->first : BATCH;
        tut_probe_step(p, "reference models", t->first, models);
        for (size_t i = 0; i < n; i++)
            t->status[i] = TUT_SUCCESS;
        tut_parallel(n, 1, train_in_batch, t);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        for (size_t i = 0; i < n; i++)
            if (!tut_is_ok(t->status[i]))
                return tut_fail(err, t->status[i].code, "%s", t->errors[i].text);
    }
    tut_probe_step(p, "reference models", models, models);
    return TUT_SUCCESS;
}

/* --- which kind --- */

static double likeness(const tut_reference_rows *x, const uint8_t *inside, const float *answers)
{
    double sum = 0, rows = 0;
    for (size_t i = 0; i < x->count; i++) {
        double distance = 0;
        if (inside[i] != x->is_member[i])
            continue; /* one of them was trained on it, the other was not */
        for (size_t c = 0; c < x->classes; c++)
            distance += fabs((double)answers[i * x->classes + c] - x->answers[i * x->classes + c]);
        if (isnan(distance))
            continue;
        sum += distance / 2;
        rows++;
    }
    return rows > 0 ? 1 - sum / rows : NAN;
}

tut_status tut_reference_agreement(const tut_recipe *recipe, const tut_reference_rows *rows,
                                   uint64_t seed, double *ret_agreement, tut_error *err)
{
    TUT_AUTO_FREE float *answers = tut_alloc_array(rows->count, rows->classes * sizeof(*answers));
    TUT_AUTO_FREE uint8_t *inside = tut_alloc_array(rows->count + 1, 2);
    if (!answers || !inside)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(draw_halves(inside, 2, rows->count, seed, err));
    TUT_TRY(answers_of_one(recipe, rows, inside, seed, answers, err));
    *ret_agreement = likeness(rows, inside, answers);
    return TUT_SUCCESS;
}

typedef struct contest {
    const tut_reference_rows *x;
    const tut_recipe *recipes;
    uint64_t seed;
    double agreement[TUT_RECIPES_MOST];
    tut_status status[TUT_RECIPES_MOST];
    tut_error errors[TUT_RECIPES_MOST];
} contest;

static void contend(void *ctx, size_t i)
{
    contest *c = ctx;
    c->status[i] = tut_reference_agreement(&c->recipes[i], c->x, c->seed, &c->agreement[i],
                                           &c->errors[i]);
}

/* The simplest among equals. */
static tut_status choose(const tut_probe *p, const tut_reference_rows *x, uint64_t seed,
                         tut_reference_set *ret, tut_error *err)
{
    const tut_recipe *all;
    size_t count = tut_recipes(&all);
    contest c = {.x = x, .recipes = all, .seed = seed};
    tut_probe_step(p, "which kind of reference model", 0, count);
    for (size_t i = 0; i < count; i++)
        c.status[i] = TUT_SUCCESS;
    tut_parallel(count, 1, contend, &c);
    if (tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    for (size_t i = 0; i < count; i++) {
        if (!tut_is_ok(c.status[i]))
            return tut_fail(err, c.status[i].code, "%s", c.errors[i].text);
        if (!ret->recipe || c.agreement[i] > ret->agreement + 1e-3) {
            ret->recipe = &all[i];
            ret->agreement = c.agreement[i];
        }
    }
    return TUT_SUCCESS;
}

static tut_status train(const tut_probe *p, const tut_reference_rows *rows,
                        const tut_reference_wish *wish, tut_reference_set *set, tut_error *err)
{
    size_t models = wish->models ? wish->models : MODELS;
    if (models > MODELS_MOST)
        return tut_fail(err, TUT_USAGE, "%zu reference models: at most %d", models, MODELS_MOST);
    TUT_TRY(make_room(set, models, rows->count, err));
    set->recipe = wish->recipe;
    if (!set->recipe)
        TUT_TRY(choose(p, rows, wish->seed ^ 0x5bd1e995, set, err));
    TUT_TRY(draw_halves(set->inside, models, rows->count, wish->seed, err));
    training t = {.x = rows,
                  .recipe = set->recipe,
                  .seed = wish->seed,
                  .logits = set->logits,
                  .inside = set->inside};
    return train_all(p, &t, models, err);
}

tut_status tut_references_train(const tut_probe *p, const tut_reference_rows *rows,
                                const tut_reference_wish *wish, tut_reference_set *ret,
                                tut_error *err)
{
    TUT_CLEAN(tut_reference_set) set = {.recipe = NULL};
    TUT_TRY(train(p, rows, wish, &set, err));
    *ret = set;
    set = (tut_reference_set){.recipe = NULL};
    return TUT_SUCCESS;
}

/* --- recorded --- */

tut_status tut_references_take(const tut_references *recorded, const tut_reference_rows *rows,
                               const uint64_t *places, tut_reference_set *ret, tut_error *err)
{
    TUT_CLEAN(tut_reference_set) set = {.recipe = NULL};
    TUT_AUTO_FREE double *p = tut_alloc_array(recorded->classes + 1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (recorded->classes != rows->classes)
        return tut_fail(err, TUT_USAGE,
                        "the reference models answer with %zu classes, the target with %zu",
                        recorded->classes, rows->classes);
    TUT_TRY(make_room(&set, recorded->models, rows->count, err));
    for (size_t i = 0; i < rows->count; i++) {
        if (places[i] >= recorded->rows)
            return tut_fail(err, TUT_USAGE,
                            "the reference models answered %zu rows, row %llu is not among them",
                            recorded->rows, (unsigned long long)places[i]);
        for (size_t m = 0; m < recorded->models; m++) {
            size_t at = m * recorded->rows + (size_t)places[i];
            for (size_t c = 0; c < rows->classes; c++)
                p[c] = (double)recorded->values[at * rows->classes + c];
            set.logits[m * rows->count + i] = (float)tut_mia_logit(p, rows->classes,
                                                                   rows->labels[i]);
            set.inside[m * rows->count + i] = recorded->inside[at] != 0;
        }
    }
    *ret = set;
    set = (tut_reference_set){.recipe = NULL};
    return TUT_SUCCESS;
}
