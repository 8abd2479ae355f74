/* Limits: so that out of a hundred clean texts of a length one is above the first. */
#include <math.h>
#include <stdlib.h>

#include "detect/fit_internal.h"

enum { SIMULATIONS = 4000 };

static bool is_clean(const fit *f, const fit_score *s) /* and like what people write */
{
    const fit_sample *p = &f->samples[s->sample];
    return !p->is_attack && !p->is_bare && (p->is_document || !p->is_made);
}

static tut_status set_middles(const fit *f, const fit_outside *o, tut_provenance from, tut_model *m,
                              tut_error *err)
{
    TUT_AUTO_FREE float *values = tut_alloc_array(o->count + 1, sizeof(*values));
    if (!values)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (int k = tut_logits_first(from); k < tut_logits_end(from); k++) {
        size_t n = 0;
        double sum = 0, squares = 0;
        for (size_t i = 0; i < o->count; i++) {
            float v = o->items[i].margin.logits[k];
            if (!is_clean(f, &o->items[i]) || o->items[i].is_joined || v <= TUT_LOGIT_NONE)
                continue;
            values[n++] = v;
            sum += (double)v;
            squares += (double)v * (double)v;
        }
        double mean = n ? sum / (double)n : 0;
        float spread = n ? (float)sqrt(squares / (double)n - mean * mean) : 1;
        float middle = fit_quantile(values, n, 0.005);
        if (k == TUT_LOGIT_WITHIN) /* few have any: it is also what it is of user text */
            middle = fmaxf(middle, f->stretch_middle);
        spread = spread > 1e-3f ? spread : 1e-3f;
        m->middle[k] = middle;
        m->spread[k] = spread;
    }
    return TUT_SUCCESS;
}

static void measure_again(const tut_model *m, tut_provenance from,
                          fit_outside *o) /* with the middles that are set now */
{
    for (size_t i = 0; i < o->count; i++) {
        tut_margin *g = &o->items[i].margin;
        g->value = tut_model_joined(m, from, g->logits);
    }
}

typedef struct weighed {
    float value;
    double weight;
} weighed;

static int by_weighed(const void *a, const void *b) /* the highest first */
{
    float x = ((const weighed *)a)->value, y = ((const weighed *)b)->value;
    return (x < y) - (x > y);
}

/* Above which lies the share of what they weigh; they are sorted. */
static float weighed_quantile(const weighed *w, size_t count, double share)
{
    double all = 0, above = 0;
    for (size_t i = 0; i < count; i++)
        all += w[i].weight;
    for (size_t i = 0; i < count; i++) {
        above += w[i].weight;
        if (above > share * all)
            return w[i].value;
    }
    return 0;
}

/* The texts at hand are not the worst that there are: of those that are longer the limits go on as
 * they did, a quarter of a spread each time that a text is four times as long. */
static const float step = 0.25f;

static void grow(float limits[][2], int node, float by)
{
    for (int k = 0; k < 2; k++)
        limits[node][k] = fmaxf(limits[node][k], limits[node - 1][k] + by);
}

/* Up to a window, of texts about as long. */
static tut_status set_user_limits(const fit *f, const fit_outside *o, tut_model *m, tut_error *err)
{
    TUT_AUTO_FREE weighed *w = tut_alloc_array(o->count + 1, sizeof(*w));
    size_t counts[FIT_FAMILIES] = {0}, n = 0;
    if (!w)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < o->count; i++)
        if (is_clean(f, &o->items[i]) && !o->items[i].is_joined)
            counts[f->samples[o->items[i].sample].family]++;
    for (int node = 0; node < TUT_LIMIT_NODES; node++) {
        size_t goal = (size_t)16 << (2 * node);
        float *limits = m->limits[TUT_FROM_USER][node];
        if (node >= FIT_JOINED_NODES) {
            grow(m->limits[TUT_FROM_USER], node, step);
            continue;
        }
        n = 0;
        for (size_t i = 0; i < o->count; i++) {
            const fit_score *s = &o->items[i];
            if (!is_clean(f, s) || (s->margin.length < goal / 2 && node > 0) ||
                s->margin.length >= goal * 2)
                continue;
            double size = (double)counts[f->samples[s->sample].family];
            w[n++] = (weighed){s->margin.value, s->is_joined ? 0.05 : 1 / sqrt(size)};
        }
        qsort(w, n, sizeof(*w), by_weighed);
        if (n == 0)
            return tut_fail(err, TUT_MALFORMED, "there is no clean text to set limits by");
        limits[0] = weighed_quantile(w, n, 0.01);
        limits[1] = fmaxf(weighed_quantile(w, n, 0.001), limits[0] + 0.5f);
    }
    return TUT_SUCCESS;
}

/* The highest of several clean texts, as many as the root of how often they are shorter than a
 * node. Each kind counts alike. */
static tut_status set_data_limits(const fit *f, const fit_outside *o, tut_model *m, tut_error *err)
{
    TUT_AUTO_FREE float *values = tut_alloc_array(SIMULATIONS, sizeof(*values));
    TUT_AUTO_FREE size_t *clean = tut_alloc_array(o->count + 1, sizeof(*clean));
    tut_random random = {f->options->seed};
    size_t counts[FIT_FAMILIES] = {0}, n = 0;
    if (!values || !clean)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < o->count; i++)
        if (is_clean(f, &o->items[i])) {
            counts[f->samples[o->items[i].sample].family]++;
            clean[n++] = i;
        }
    if (n == 0)
        return tut_fail(err, TUT_MALFORMED, "there is no clean text to set limits by");
    for (int node = 0; node < TUT_LIMIT_NODES; node++) {
        size_t goal = 1u << (2 * node);
        for (size_t k = 0; k < SIMULATIONS; k++) {
            values[k] = -1e5f;
            double covered = 0;
            for (size_t tries = 0; covered < 1 && tries < 4096; tries++) {
                const fit_score *s = &o->items[clean[tut_random_below(&random, n)]];
                double share = 100 / (double)counts[f->samples[s->sample].family];
                if ((double)tut_random_below(&random, 1000) > share * 1000)
                    continue;
                if (covered <= 0 && s->margin.length > goal * 4 && tries < 40)
                    continue; /* longer than this node is about */
                values[k] = fmaxf(values[k], s->margin.value);
                covered += (double)s->margin.length / (double)goal;
            }
        }
        float *limits = m->limits[TUT_FROM_DATA][node];
        /* Half of what is allowed and a step more: documents differ more than these do. */
        limits[0] = fit_quantile(values, SIMULATIONS, 0.005) + step;
        limits[1] = fit_quantile(values, SIMULATIONS, 0.0005) + step;
        if (node > 0)
            grow(m->limits[TUT_FROM_DATA], node, node >= FIT_JOINED_NODES ? step : 0);
        limits[1] = fmaxf(limits[1], limits[0] + 0.5f);
    }
    return TUT_SUCCESS;
}

tut_status fit_set_limits(const fit *f, fit_outside *o, tut_provenance from, tut_model *m,
                          tut_error *err)
{
    TUT_TRY(set_middles(f, o, from, m, err));
    measure_again(m, from, o);
    return from == TUT_FROM_USER ? set_user_limits(f, o, m, err) : set_data_limits(f, o, m, err);
}
