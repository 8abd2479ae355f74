#include "probe/learner.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "nets/gemm.h"
#include "nets/mlp.h"
#include "nets/trees.h"
#include "stats/logistic.h"
#include "stats/scores.h"

enum { SOFTMAX, TREES, NETWORK };
enum { HIDDEN = 128, BATCH = 64 };
#define UNLIKE 20 /* times: columns of one kind (pixels) spread less apart than this */

static const tut_recipe recipes[] = {
#define RECIPE(name, kind, strength, penalty, about) {name, about, kind, strength, penalty},
#include "probe/learner_recipes.def"
#undef RECIPE
};

/* Two threads at once get wrong products from OpenBLAS as it is built without threads (seen in one
 * of a few hundred networks: the numbers move in the fourth digit). */
static pthread_mutex_t one_network = PTHREAD_MUTEX_INITIALIZER;

struct tut_learner {
    unsigned kind;
    size_t width, classes;
    float *offset, *factor; /* width: of columns, before all but trees */
    tut_logistic softmax;
    tut_trees *trees;
    tut_net *net;
};

/* Networks stand last: without OpenBLAS the others are all there is. */
size_t tut_recipes(const tut_recipe **ret_first)
{
    size_t count = sizeof(recipes) / sizeof(recipes[0]);
    *ret_first = recipes;
    if (tut_is_ok(tut_gemm_start(NULL)))
        return count;
    while (count > 0 && recipes[count - 1].kind == NETWORK)
        count--;
    return count;
}

const tut_recipe *tut_recipe_find(const char *name)
{
    for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++)
        if (strcmp(recipes[i].name, name) == 0)
            return &recipes[i];
    return NULL;
}

void tut_learner_free(tut_learner *l)
{
    if (!l)
        return;
    tut_free(l->offset);
    tut_logistic_done(&l->softmax);
    tut_trees_free(l->trees);
    tut_net_free(l->net);
    tut_free(l);
}

/* --- scale of columns --- */

static size_t row_of(const tut_lesson *x, size_t i)
{
    return x->pick ? x->pick[i] : i;
}

/* Pixels keep their proportions; columns of different units are standardised. */
static void settle_scale(tut_learner *l, double widest, double usual, double largest)
{
    if (widest > UNLIKE * usual)
        return;
    for (size_t c = 0; c < l->width; c++) {
        l->offset[c] = 0;
        l->factor[c] = largest > 0 ? (float)(1 / largest) : 1;
    }
}

static tut_status find_scale(tut_learner *l, const tut_lesson *x, tut_error *err)
{
    TUT_AUTO_FREE double *sums = tut_alloc_array(l->width, 2 * sizeof(*sums));
    l->offset = tut_alloc_array(l->width, 2 * sizeof(*l->offset));
    if (!sums || !l->offset)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    l->factor = l->offset + l->width;
    double *squares = sums + l->width, n = (double)x->picked, largest = 0, logs = 0, kept = 0;
    double widest = 0;
    const float *first = x->rows + row_of(x, 0) * x->width; /* far from 0, squares lose digits */
    for (size_t i = 0; i < x->picked; i++) {
        const float *row = x->rows + row_of(x, i) * x->width;
        for (size_t c = 0; c < x->width; c++) {
            double d = (double)row[c] - (double)first[c];
            largest = fmax(largest, fabs((double)row[c]));
            sums[c] += d;
            squares[c] += d * d;
        }
    }
    for (size_t c = 0; c < x->width; c++) {
        double mean = sums[c] / n, sd = sqrt(fmax(squares[c] / n - mean * mean, 0));
        l->offset[c] = (float)(mean + (double)first[c]);
        l->factor[c] = sd > 0 ? (float)(1 / sd) : 0;
        widest = fmax(widest, sd);
        logs += sd > 0 ? log(sd) : 0;
        kept += sd > 0;
    }
    settle_scale(l, widest, kept > 0 ? exp(logs / kept) : 0, largest);
    return TUT_SUCCESS;
}

static void scale(const tut_learner *l, const float *row, float *ret)
{
    for (size_t c = 0; c < l->width; c++)
        ret[c] = (row[c] - l->offset[c]) * l->factor[c];
}

/* --- fitting --- */

static uint32_t label_of(const tut_lesson *x, size_t row)
{
    if (!x->wanted)
        return x->labels[row];
    return (uint32_t)tut_greatest_f(x->wanted + row * x->classes, x->classes);
}

/* The rows that are picked, in the scale of their columns, with their labels. */
static tut_status take_rows(tut_learner *l, const tut_lesson *x, float *scaled, uint32_t *labels,
                            tut_error *err)
{
    if (!scaled || !labels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(find_scale(l, x, err));
    for (size_t i = 0; i < x->picked; i++) {
        scale(l, x->rows + row_of(x, i) * x->width, scaled + i * x->width);
        labels[i] = label_of(x, row_of(x, i));
    }
    return TUT_SUCCESS;
}

static tut_status fit_softmax(tut_learner *l, const tut_recipe *r, const tut_lesson *x,
                              tut_error *err)
{
    TUT_AUTO_FREE float *scaled = tut_alloc_array(x->picked, x->width * sizeof(*scaled));
    TUT_AUTO_FREE uint32_t *labels = tut_alloc_array(x->picked, sizeof(*labels));
    TUT_TRY(take_rows(l, x, scaled, labels, err));
    tut_design design = {.count = x->picked, .dense = scaled, .dense_width = x->width};
    tut_logistic_wish wish = {.c = r->strength, .tolerance = 1e-3};
    return tut_logistic_fit(&design, labels, x->classes, NULL, x->picked, &wish, &l->softmax, err);
}

static tut_status fit_trees(tut_learner *l, const tut_recipe *r, const tut_lesson *x,
                            tut_error *err)
{
    tut_trees_rows rows = {x->rows, x->width, x->classes, x->labels, x->wanted, x->pick, x->picked};
    tut_trees_wish wish = {.rounds = (unsigned)r->strength,
                           .penalty = r->penalty,
                           .least = r->penalty < 1 ? 0.05 : 0.5,
                           .seed = x->seed};
    return tut_trees_fit(&rows, &wish, &l->trees, err);
}

static tut_status fit_network(tut_learner *l, const tut_recipe *r, const tut_lesson *x,
                              tut_error *err)
{
    TUT_AUTO_FREE float *scaled = tut_alloc_array(x->picked, x->width * sizeof(*scaled));
    TUT_AUTO_FREE uint32_t *labels = tut_alloc_array(x->picked, sizeof(*labels));
    TUT_AUTO_FREE float *wanted = tut_alloc_array(x->picked, x->classes * sizeof(*wanted));
    if (!wanted)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(take_rows(l, x, scaled, labels, err));
    for (size_t i = 0; i < x->picked && x->wanted; i++)
        memcpy(wanted + i * x->classes, x->wanted + row_of(x, i) * x->classes,
               x->classes * sizeof(*wanted));
    tut_mlp_wish wish = {.width = x->width,
                         .classes = x->classes,
                         .hidden_count = 1,
                         .hidden = {HIDDEN},
                         .l2 = r->penalty,
                         .batch = BATCH,
                         .epochs = (size_t)r->strength,
                         .seed = x->seed,
                         .wanted = x->wanted ? wanted : NULL};
    (void)pthread_mutex_lock(&one_network);
    tut_status s = tut_mlp_train(&wish, scaled, labels, x->picked, &l->net, err);
    (void)pthread_mutex_unlock(&one_network);
    return s;
}

tut_status tut_learner_fit(const tut_recipe *recipe, const tut_lesson *lesson,
                           tut_learner **ret_learner, tut_error *err)
{
    static tut_status (*const fits[])(tut_learner *, const tut_recipe *, const tut_lesson *,
                                      tut_error *) = {
        [SOFTMAX] = fit_softmax, [TREES] = fit_trees, [NETWORK] = fit_network};
    if (lesson->classes < 2 || lesson->picked == 0 || lesson->width == 0)
        return tut_fail(err, TUT_USAGE, "a model needs rows, columns, and two classes");
    TUT_AUTO(tut_learner) l = tut_alloc_array(1, sizeof(*l));
    if (!l)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    l->kind = recipe->kind;
    l->width = lesson->width;
    l->classes = lesson->classes;
    TUT_TRY(fits[recipe->kind](l, recipe, lesson, err));
    *ret_learner = tut_move(&l);
    return TUT_SUCCESS;
}

/* --- answers --- */

static tut_status predict_softmax(const tut_learner *l, const float *rows, size_t count, float *ret,
                                  tut_error *err)
{
    TUT_AUTO_FREE float *scaled = tut_alloc_array(l->width, sizeof(*scaled));
    TUT_AUTO_FREE double *room = tut_alloc_array(l->classes, 2 * sizeof(*room));
    if (!scaled || !room)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double *p = room + l->classes;
    tut_design one = {.count = 1, .dense = scaled, .dense_width = l->width};
    for (size_t i = 0; i < count; i++) {
        scale(l, rows + i * l->width, scaled);
        tut_logistic_scores(&l->softmax, &one, 0, room);
        tut_logistic_softmax(&l->softmax, room, p);
        for (size_t c = 0; c < l->classes; c++)
            ret[i * l->classes + c] = (float)p[c];
    }
    return TUT_SUCCESS;
}

static tut_status predict_network(const tut_learner *l, const float *rows, size_t count, float *ret,
                                  tut_error *err)
{
    TUT_AUTO_FREE float *scaled = tut_alloc_array(count + 1, l->width * sizeof(*scaled));
    if (!scaled)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        scale(l, rows + i * l->width, scaled + i * l->width);
    (void)pthread_mutex_lock(&one_network);
    tut_status s = tut_net_predict(l->net, scaled, count, ret, err);
    (void)pthread_mutex_unlock(&one_network);
    return s;
}

tut_status tut_learner_predict(const tut_learner *l, const float *rows, size_t count, float *ret,
                               tut_error *err)
{
    if (l->kind == SOFTMAX)
        return predict_softmax(l, rows, count, ret, err);
    if (l->kind == NETWORK)
        return predict_network(l, rows, count, ret, err);
    tut_trees_predict(l->trees, rows, count, ret);
    return TUT_SUCCESS;
}
