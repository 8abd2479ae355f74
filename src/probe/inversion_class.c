/*
 * Class inversion (Fredrikson, Jha and Ristenpart 2015): the input that the model likes best for a
 * class, found by gradients where there are some and by natural evolution strategies (Wierstra
 * 2014; Ilyas 2018) where there are only answers.
 *
 * What it is worth is measured against what anybody's own rows of the class give: whether the
 * reconstruction lies nearer to the mean of the class among members than to that among others, in
 * units of how far rows of the class lie from their mean.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cage.h"
#include "probe/answers.h"
#include "probe/learner.h"
#include "probe/target_internal.h"
#include "stats/scores.h"
#include "stats/seeded.h"

enum { CLASSES = 10, STEPS = 40, PAIRS = 16, CLASS_ROWS_LEAST = 10, CLASS_ROWS_MOST = 500 };
enum { DRAWS = 200 };

typedef struct inversion {
    tut_probe *p;
    size_t width, classes;
    size_t steps, pairs;
    float *low, *high, *spread; /* width, of the columns of others */
    tut_pass *pass;             /* NULL: there are no gradients */
    tut_net_last last;
    const char *problem;
    tut_seeded random;
} inversion;

typedef struct scene { /* of one class */
    uint32_t label;
    size_t count;      /* rows on either side, as many of members as of others */
    size_t *in, *out;  /* which of them */
    float *found;      /* the reconstruction; width */
    double scale;      /* mean distance of a row of others from their mean */
    double confidence; /* the model's in it; NaN: it gave none */
} scene;

/* --- the climb --- */

/* Logarithms of the class's probability at each row; NaN where there is no answer. */
static tut_status ask(inversion *v, const float *rows, size_t count, uint32_t label, double *ret,
                      tut_error *err)
{
    tut_predictions got;
    tut_status s = tut_target_predict(v->p->target, rows, count, v->width, 0, &got, err);
    for (size_t i = 0; i < count; i++) {
        bool is_there = got.values && got.classes == v->classes && i < got.count &&
                        got.answered[i] == TUT_ANSWERED;
        ret[i] = is_there ? log(fmax(got.values[i * got.classes + label], 1e-12)) : NAN;
    }
    if (got.problem[0] && !v->problem)
        v->problem = tut_arena_copy(&v->p->arena, tut_str_of(got.problem));
    tut_predictions_done(&got);
    return s;
}

static void clip(const inversion *v, float *x)
{
    for (size_t c = 0; c < v->width; c++)
        x[c] = fminf(fmaxf(x[c], v->low[c]), v->high[c]);
}

/* Pairs of rows a tenth of a deviation to either side, in random directions. */
static tut_status slope_by_asking(inversion *v, const scene *s, float *room, double *ret,
                                  tut_error *err)
{
    size_t width = v->width;
    double answers[2 * PAIRS];
    float *directions = room + 2 * v->pairs * width;
    for (size_t k = 0; k < v->pairs; k++)
        for (size_t c = 0; c < width; c++) {
            float u = (float)tut_seeded_normal(&v->random), step = 0.1F * v->spread[c] * u;
            directions[k * width + c] = u;
            room[2 * k * width + c] = s->found[c] + step;
            room[(2 * k + 1) * width + c] = s->found[c] - step;
        }
    for (size_t k = 0; k < 2 * v->pairs; k++)
        clip(v, room + k * width);
    TUT_TRY(ask(v, room, 2 * v->pairs, s->label, answers, err));
    memset(ret, 0, width * sizeof(*ret));
    for (size_t k = 0; k < v->pairs; k++) {
        double rise = answers[2 * k] - answers[2 * k + 1];
        for (size_t c = 0; c < width && !isnan(rise); c++)
            ret[c] += rise * (double)directions[k * width + c];
    }
    return TUT_SUCCESS;
}

/* The gradient of the logarithm, in deviations of the columns. */
static tut_status slope_by_gradient(inversion *v, const scene *s, float *room, double *ret,
                                    tut_error *err)
{
    const float *output;
    const tut_net_facts *about = tut_net_about(tut_target_net(v->p->target));
    TUT_TRY(tut_pass_run(v->pass, s->found, 1, &output, err));
    if (v->p->target->allowance)
        tut_allowance_spend_many(v->p->target->allowance, 1);
    const float *scores = tut_pass_scores(v->pass);
    float *at = room + v->width;
    tut_softmax_f(scores, about->outputs, at);
    for (size_t o = 0; o < about->outputs; o++)
        at[o] = (float)(o == s->label) - at[o];
    if (v->last == TUT_NET_SIGMOID)
        at[0] = (float)s->label - 1 / (1 + expf(-scores[0]));
    TUT_TRY(tut_pass_back(v->pass, at, room, err));
    for (size_t c = 0; c < v->width; c++)
        ret[c] = (double)room[c] * (double)v->spread[c];
    return TUT_SUCCESS;
}

/* Steps of a fifth of a deviation a column, less and less. */
static void move(const inversion *v, scene *s, const double *slope, size_t step)
{
    double squares = 0;
    for (size_t c = 0; c < v->width; c++)
        squares += slope[c] * slope[c];
    double size = 0.2 * (1 - (double)step / (double)v->steps);
    double factor = squares > 0 ? size / sqrt(squares / (double)v->width) : 0;
    for (size_t c = 0; c < v->width; c++)
        s->found[c] += (float)(factor * slope[c]) * v->spread[c];
    clip(v, s->found);
}

static tut_status climb(inversion *v, scene *s, tut_error *err)
{
    size_t room_rows = 3 * v->pairs + 2 + v->classes / v->width;
    TUT_AUTO_FREE float *room = tut_alloc_array(room_rows, v->width * sizeof(*room));
    TUT_AUTO_FREE double *slope = tut_alloc_array(v->width, sizeof(*slope));
    if (!room || !slope)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t step = 0; step < v->steps; step++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(v->pass ? slope_by_gradient(v, s, room, slope, err)
                        : slope_by_asking(v, s, room, slope, err));
        move(v, s, slope, step);
    }
    TUT_TRY(ask(v, s->found, 1, s->label, &s->confidence, err));
    s->confidence = exp(s->confidence);
    return TUT_SUCCESS;
}

/* --- what it is worth --- */

static void mean_of(const inversion *v, const tut_sample *from, const size_t *rows, size_t count,
                    tut_seeded *draw, double *ret)
{
    memset(ret, 0, v->width * sizeof(*ret));
    for (size_t i = 0; i < count; i++) {
        size_t k = draw ? (size_t)tut_seeded_below(draw, count) : i;
        const float *row = from->rows + rows[k] * v->width;
        for (size_t c = 0; c < v->width; c++)
            ret[c] += (double)row[c];
    }
    for (size_t c = 0; c < v->width; c++)
        ret[c] /= (double)count;
}

/* In deviations of the columns; those that never change do not count. */
static double distance(const inversion *v, const float *x, const double *mean)
{
    double sum = 0;
    for (size_t c = 0; c < v->width; c++) {
        double d = v->spread[c] > 0 ? ((double)x[c] - mean[c]) / (double)v->spread[c] : 0;
        sum += d * d;
    }
    return sqrt(sum);
}

/* means: 2 x width. draw: rows are drawn anew, with putting back; NULL: as they are. */
static double lift_of(const inversion *v, scene *s, tut_seeded *draw, double *means)
{
    double *in = means, *out = means + v->width;
    mean_of(v, v->p->members, s->in, s->count, draw, in);
    mean_of(v, v->p->others, s->out, s->count, draw, out);
    if (!draw) {
        s->scale = 0;
        for (size_t i = 0; i < s->count; i++)
            s->scale += distance(v, v->p->others->rows + s->out[i] * v->width, out);
        s->scale /= (double)s->count;
    }
    double nearer = distance(v, s->found, out) - distance(v, s->found, in);
    return s->scale > 0 ? nearer / s->scale : 0;
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static tut_status measure(inversion *v, scene *scenes, size_t count, tut_attack_result *ret,
                          tut_error *err)
{
    double draws[DRAWS], sum = 0;
    TUT_AUTO_FREE double *means = tut_alloc_array(v->width, 2 * sizeof(*means));
    if (!means)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t k = 0; k < count; k++) {
        char text[120];
        double lift = lift_of(v, &scenes[k], NULL, means);
        sum += lift;
        (void)snprintf(text, sizeof(text), "class %u: the model is sure of it to %.3f",
                       scenes[k].label, scenes[k].confidence);
        tut_result_add_exposed(ret, &v->p->arena, UINT64_MAX, lift, text);
    }
    for (size_t d = 0; d < DRAWS; d++) {
        draws[d] = 0;
        for (size_t k = 0; k < count; k++)
            draws[d] += lift_of(v, &scenes[k], &v->random, means) / (double)count;
    }
    /* The spread of what is drawn anew, about what was measured: draws lie farther from both means
     * alike, and their own mean says nothing. */
    qsort(draws, DRAWS, sizeof(*draws), ascending);
    double half = (draws[DRAWS - 1 - DRAWS / 40] - draws[DRAWS / 40]) / 2,
           value = sum / (double)count;
    ret->decisive = (tut_measure){"lift", value, value - half, value + half};
    ret->baseline = 0;
    return TUT_SUCCESS;
}

/* Does a model that never saw the members take the reconstructions for what they are to be? */
static tut_status recognise(inversion *v, const scene *scenes, size_t count, tut_attack_result *ret,
                            tut_error *err)
{
    const tut_sample *o = v->p->others;
    TUT_AUTO(tut_learner) l = NULL;
    TUT_AUTO_FREE float *p = tut_alloc_array(v->classes, sizeof(*p));
    double right = 0, sure = 0;
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_lesson lesson = {.rows = o->rows,
                         .width = v->width,
                         .classes = v->classes,
                         .labels = o->labels,
                         .picked = o->count,
                         .seed = v->p->seed};
    TUT_TRY(tut_learner_fit(tut_recipe_find("softmax"), &lesson, &l, err));
    for (size_t k = 0; k < count; k++) {
        size_t best = 0;
        TUT_TRY(tut_learner_predict(l, scenes[k].found, 1, p, err));
        for (size_t c = 1; c < v->classes; c++)
            best = p[c] > p[best] ? c : best;
        right += best == scenes[k].label;
        sure += scenes[k].confidence;
    }
    tut_result_add(ret, "recognised_by_another_model", right / (double)count, NAN, NAN);
    tut_result_add(ret, "confidence_reached", sure / (double)count, NAN, NAN);
    tut_result_add(ret, "classes", (double)count, NAN, NAN);
    return TUT_SUCCESS;
}

/* --- the run --- */

/* As many rows of either side, the first of each. Yields how many. */
static size_t rows_of_class(const tut_sample *s, uint32_t label, size_t *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count && count < CLASS_ROWS_MOST; i++)
        if (s->labels[i] == label)
            ret[count++] = i;
    return count;
}

static void find_columns(inversion *v)
{
    const tut_sample *o = v->p->others;
    for (size_t c = 0; c < v->width; c++) {
        double sum = 0, squares = 0, n = (double)o->count, first = (double)o->rows[c];
        v->low[c] = v->high[c] = o->rows[c];
        for (size_t i = 0; i < o->count; i++) {
            float x = o->rows[i * v->width + c];
            v->low[c] = fminf(v->low[c], x);
            v->high[c] = fmaxf(v->high[c], x);
            sum += (double)x - first;
            squares += ((double)x - first) * ((double)x - first);
        }
        v->spread[c] = (float)sqrt(fmax(squares / n - sum / n * (sum / n), 0));
    }
}

/* From the mean of all that others hold: no class is favoured. */
static void begin_at_mean(const inversion *v, float *found)
{
    const tut_sample *o = v->p->others;
    for (size_t c = 0; c < v->width; c++) {
        double sum = 0;
        for (size_t i = 0; i < o->count; i++)
            sum += (double)o->rows[i * v->width + c];
        found[c] = (float)(sum / (double)o->count);
    }
}

typedef struct room {
    size_t *rows;  /* classes x 2 x CLASS_ROWS_MOST */
    float *found;  /* classes x width */
    float *column; /* 3 x width */
} room;

static void room_done(room *r)
{
    tut_free(r->rows);
    tut_free(r->found);
    tut_free(r->column);
}

static tut_status invert_all(inversion *v, room *r, tut_attack_result *ret, tut_error *err)
{
    scene scenes[CLASSES];
    size_t count = 0, tried = 0;
    tut_status s = TUT_SUCCESS;
    for (uint32_t label = 0; label < v->classes && count < CLASSES && tut_is_ok(s); label++) {
        scene *one = &scenes[count];
        *one = (scene){.label = label, .found = r->found + count * v->width};
        one->in = r->rows + count * 2 * CLASS_ROWS_MOST;
        one->out = one->in + CLASS_ROWS_MOST;
        size_t in = rows_of_class(v->p->members, label, one->in);
        size_t out = rows_of_class(v->p->others, label, one->out);
        one->count = in < out ? in : out;
        if (one->count < CLASS_ROWS_LEAST)
            continue;
        tut_probe_step(v->p, "inputs that the model likes", tried++, v->classes);
        begin_at_mean(v, one->found);
        s = climb(v, one, err);
        count += tut_is_ok(s) && !isnan(one->confidence);
    }
    ret->was_cut = s.code == TUT_CANCELLED || s.code == TUT_IO;
    if (!tut_is_ok(s) && !ret->was_cut)
        return s;
    for (size_t k = 0; k < count; k++)
        ret->rows += 2 * scenes[k].count;
    if (count == 0)
        ret->reason = v->problem ? v->problem : "no class has 10 rows among members and others";
    if (count > 0)
        TUT_TRY(measure(v, scenes, count, ret, err));
    if (count > 0 && s.code != TUT_CANCELLED)
        TUT_TRY(recognise(v, scenes, count, ret, err));
    return s.code == TUT_IO ? TUT_SUCCESS : s;
}

static tut_status prepare(inversion *v, room *r, tut_error *err)
{
    const tut_sample *o = v->p->others;
    const tut_net *net = tut_target_net(v->p->target);
    TUT_TRY(tut_probe_classes(v->p, o->rows, o->width, 0, &v->classes, err));
    r->rows = tut_alloc_array(CLASSES, (size_t)2 * CLASS_ROWS_MOST * sizeof(*r->rows));
    r->found = tut_alloc_array(CLASSES, v->width * sizeof(*r->found));
    r->column = tut_alloc_array(3, v->width * sizeof(*r->column));
    if (!r->rows || !r->found || !r->column)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    v->low = r->column;
    v->high = v->low + v->width;
    v->spread = v->high + v->width;
    find_columns(v);
    v->last = net ? tut_net_about(net)->last : TUT_NET_OTHER;
    if (net && v->last != TUT_NET_OTHER)
        return tut_pass_new(net, 1, &v->pass, err);
    return TUT_SUCCESS;
}

static const char *unfit(const tut_probe *p)
{
    const tut_sample *m = p->members, *o = p->others;
    if (!m || !o || m->count == 0 || o->count == 0)
        return "it needs rows that the model was trained on and rows that it was not";
    if (!m->labels || !o->labels)
        return "the rows have no labels";
    return m->width != o->width ? "members and others have different columns" : NULL;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    char text[160];
    uint64_t before = tut_target_spent(p->target);
    ret->metric = "lift";
    ret->decisive = (tut_measure){"lift", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness = "Means of classes are compared: where a class is one person's, the mean is the "
                    "person, else a single record may show in no mean.";
    ret->reason = unfit(p);
    if (ret->reason)
        return TUT_SUCCESS;
    TUT_CLEAN(room) r = {.rows = NULL};
    inversion v = {.p = p,
                   .width = p->others->width,
                   .steps = p->steps ? p->steps : STEPS,
                   .pairs = PAIRS,
                   .random = tut_seeded_of(p->seed ^ 0x696e76)};
    tut_status s = prepare(&v, &r, err);
    if (tut_is_ok(s) && (v.classes < p->members->classes || v.classes < p->others->classes))
        ret->reason = "the labels name more classes than the model answers with";
    if (tut_is_ok(s) && !ret->reason)
        s = invert_all(&v, &r, ret, err);
    (void)snprintf(text, sizeof(text), "%zu steps a class, %s", v.steps,
                   v.pass ? "by gradients" : "32 queries each");
    tut_pass_free(v.pass);
    ret->budget = tut_arena_copy(&p->arena, tut_str_of(text));
    ret->queries = tut_target_spent(p->target) - before;
    return s;
}

const tut_attack tut_attack_inversion_class = {
    .probe = "inversion",
    .name = "class",
    .about = "the input that the model likes best for a class, against rows of the class",
    .source = "Fredrikson, Jha and Ristenpart 2015",
    .gives = TUT_GIVES_PROBABILITIES | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_MEMBERS | TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run,
};
