/*
 * Extraction: how well a copy agrees with the model after so many queries (Tramer 2016; Orekondy
 * 2019; Papernot 2017). The copy is a small model of ours, and its kind is chosen as a thief would:
 * by what does best on a fifth of the answers.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "probe/extraction_internal.h"
#include "probe/target_internal.h"
#include "stats/tails.h"

enum {
    FIRST = 64,
    QUERIES = 4096,
    JUDGES_MOST = 1000,
    STEPS_MOST = 32,
    JUDGES_LEAST = 30,
    TESTS_MANY = 100
};

typedef struct progress { /* the curve so far */
    size_t steps;
    double queries[STEPS_MOST], fidelity[STEPS_MOST];
    size_t agreed; /* at the last step */
    const char *recipe;
} progress;

static void tut_theft_done(tut_theft *t)
{
    tut_free(t->pool);
    tut_free(t->rows);
    tut_free(t->wanted);
    tut_free(t->labels);
    tut_free(t->judge_rows);
    tut_free(t->judge_labels);
}

/* --- what there is to ask about --- */

/* A third of others at most judges; the rest is the pool. */
static tut_status split_others(tut_theft *t, tut_error *err)
{
    const tut_sample *o = t->p->others;
    size_t judges = o->count / 3 < JUDGES_MOST ? o->count / 3 : JUDGES_MOST;
    if (t->p->target->allowance) /* most of what may be spent is the thief's */
        judges = (size_t)tut_allowance_left(t->p->target->allowance, 4 * judges) / 4;
    t->pool = tut_alloc_array(o->count + 1, sizeof(*t->pool));
    t->judge_rows = tut_alloc_array(judges + 1, t->width * sizeof(*t->judge_rows));
    t->judge_labels = tut_alloc_array(judges + 1, sizeof(*t->judge_labels));
    if (!t->pool || !t->judge_rows || !t->judge_labels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < o->count; i++)
        t->pool[i] = i;
    for (size_t i = o->count; i > 1; i--) {
        size_t at = (size_t)tut_seeded_below(&t->random, i), kept = t->pool[i - 1];
        t->pool[i - 1] = t->pool[at];
        t->pool[at] = kept;
    }
    t->pool_count = o->count - judges; /* the last of them judge */
    t->judge_count = judges;
    for (size_t i = 0; i < judges; i++)
        memcpy(t->judge_rows + i * t->width, o->rows + t->pool[t->pool_count + i] * t->width,
               t->width * sizeof(*t->judge_rows));
    return TUT_SUCCESS;
}

/* The model's answers about the rows that judge; they are no part of what the thief pays for. */
static tut_status ask_judges(tut_theft *t, tut_error *err)
{
    TUT_AUTO_FREE double *p = tut_alloc_array(t->judge_count + 1, t->classes * sizeof(*p));
    TUT_AUTO_FREE uint64_t *places = tut_alloc_array(t->judge_count + 1, sizeof(*places));
    if (!p || !places)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->judge_count; i++) {
        size_t row = t->pool[t->pool_count + i];
        places[i] = tut_probe_place_of_other(t->p, row);
    }
    tut_question q = {t->judge_rows, places,     t->judge_count,
                      t->width,      t->classes, "the model on rows that judge"};
    TUT_TRY(tut_probe_answers(t->p, &q, p, &t->problem, err));
    for (size_t i = 0; i < t->judge_count; i++) {
        t->judge_labels[i] = tut_theft_label(p + i * t->classes, t->classes);
        t->judged += t->judge_labels[i] != UINT32_MAX;
    }
    return TUT_SUCCESS;
}

/* --- asking --- */

static tut_status make_room(tut_theft *t, size_t capacity, tut_error *err)
{
    t->capacity = capacity;
    t->rows = tut_alloc_array(capacity + 1, t->width * sizeof(*t->rows));
    t->wanted = tut_alloc_array(capacity + 1, t->classes * sizeof(*t->wanted));
    t->labels = tut_alloc_array(capacity + 1, sizeof(*t->labels));
    if (!t->rows || !t->wanted || !t->labels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

/* What a guard left out of an answer (all but the first classes, digits) is shared among the
 * classes that it says nothing of. */
static void complete(const tut_theft *t, const double *p, uint32_t label, float *ret)
{
    double sum = 0, silent = 0;
    for (size_t c = 0; c < t->classes; c++) {
        sum += fmax(p[c], 0);
        silent += !(p[c] > 0);
    }
    for (size_t c = 0; c < t->classes; c++) {
        double x = p[c] > 0 ? p[c] : fmax(1 - sum, 0) / fmax(silent, 1);
        ret[c] = t->has_labels_only ? (float)(c == label) : (float)(x / fmax(sum, 1));
    }
}

static void keep_answers(tut_theft *t, const float *rows, const double *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t label = tut_theft_label(p + i * t->classes, t->classes);
        if (label == UINT32_MAX || t->count == t->capacity)
            continue;
        memcpy(t->rows + t->count * t->width, rows + i * t->width, t->width * sizeof(*rows));
        t->labels[t->count] = label;
        complete(t, p + i * t->classes, label, t->wanted + t->count * t->classes);
        t->count++;
    }
    t->asked += count;
}

static tut_status ask_more(tut_theft *t, const tut_learner *copy, size_t count, tut_error *err)
{
    TUT_AUTO_FREE float *rows = tut_alloc_array(count + 1, t->width * sizeof(*rows));
    TUT_AUTO_FREE uint64_t *places = tut_alloc_array(count + 1, sizeof(*places));
    TUT_AUTO_FREE double *p = tut_alloc_array(count + 1, t->classes * sizeof(*p));
    if (!rows || !places || !p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_theft_choose(t, copy, count, rows, places, err));
    tut_question q = {rows, places, count, t->width, t->classes, "queries of the copy"};
    tut_status s = tut_probe_answers(t->p, &q, p, &t->problem, err);
    keep_answers(t, rows, p, count);
    return s;
}

/* --- the copy --- */

static tut_status fit(const tut_theft *t, const tut_recipe *recipe, const uint32_t *pick,
                      size_t picked, tut_learner **ret, tut_error *err)
{
    tut_lesson lesson = {.rows = t->rows,
                         .width = t->width,
                         .classes = t->classes,
                         .labels = t->labels,
                         .wanted = t->has_labels_only ? NULL : t->wanted,
                         .pick = pick,
                         .picked = picked,
                         .seed = t->p->seed};
    return tut_learner_fit(recipe, &lesson, ret, err);
}

static tut_status agreed_on(const tut_theft *t, const tut_learner *l, const float *rows,
                            const uint32_t *labels, size_t count, size_t *ret, tut_error *err)
{
    TUT_AUTO_FREE float *p = tut_alloc_array(count + 1, t->classes * sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_learner_predict(l, rows, count, p, err));
    *ret = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t best = 0;
        for (uint32_t c = 1; c < t->classes; c++)
            best = p[i * t->classes + c] > p[i * t->classes + best] ? c : best;
        *ret += best == labels[i];
    }
    return TUT_SUCCESS;
}

/* Every fifth answer judges. A kind that stays behind by a twentieth of many is not tried again. */
static tut_status choose_recipe(tut_theft *t, const tut_recipe **ret, tut_error *err)
{
    const tut_recipe *all;
    size_t count = tut_recipes(&all), most = 0, picked = 0, tests = t->count / 5;
    size_t reached[TUT_RECIPES_MOST];
    TUT_AUTO_FREE uint32_t *pick = tut_alloc_array(t->count + 1, sizeof(*pick));
    TUT_AUTO_FREE float *rows = tut_alloc_array(tests + 1, t->width * sizeof(*rows));
    TUT_AUTO_FREE uint32_t *labels = tut_alloc_array(tests + 1, sizeof(*labels));
    if (!pick || !rows || !labels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->count; i++) {
        if (i % 5 != 4) {
            pick[picked++] = (uint32_t)i;
            continue;
        }
        memcpy(rows + i / 5 * t->width, t->rows + i * t->width, t->width * sizeof(*rows));
        labels[i / 5] = t->labels[i];
    }
    *ret = all;
    for (size_t r = 0; r < count; r++) {
        TUT_AUTO(tut_learner) l = NULL;
        size_t agreed = 0;
        reached[r] = 0;
        if (t->is_behind[r])
            continue;
        tut_probe_step(t->p, "which kind of copy", r, count);
        TUT_TRY(fit(t, &all[r], pick, picked, &l, err));
        TUT_TRY(agreed_on(t, l, rows, labels, tests, &agreed, err));
        reached[r] = agreed;
        if (agreed > most) {
            *ret = &all[r];
            most = agreed;
        }
    }
    for (size_t r = 0; r < count && tests >= TESTS_MANY; r++)
        t->is_behind[r] = reached[r] + tests / 20 < most;
    return TUT_SUCCESS;
}

static tut_status judge(const tut_theft *t, const tut_learner *copy, progress *g, tut_error *err)
{
    if (g->steps == STEPS_MOST || t->judged == 0)
        return TUT_SUCCESS;
    TUT_TRY(agreed_on(t, copy, t->judge_rows, t->judge_labels, t->judge_count, &g->agreed, err));
    g->queries[g->steps] = (double)t->asked;
    g->fidelity[g->steps++] = (double)g->agreed / (double)t->judged;
    return TUT_SUCCESS;
}

/* Twice as many queries at each step. The kind is chosen anew each time: more answers bear a richer
 * one. */
static tut_status steal(tut_theft *t, size_t queries, progress *g, tut_error *err)
{
    TUT_AUTO(tut_learner) copy = NULL;
    const tut_recipe *recipe;
    (void)tut_recipes(&recipe); /* until there are answers to choose by */
    for (size_t next = FIRST; t->asked < queries; next *= 2) {
        size_t more = (next < queries ? next : queries) - t->asked;
        more = tut_theft_left(t, more);
        if (more == 0)
            break;
        size_t before = t->count;
        tut_status s = ask_more(t, copy, more, err);
        if (t->count < 2 || (t->count == before && tut_is_ok(s)))
            return s; /* nothing is answered any more */
        TUT_TRY(choose_recipe(t, &recipe, err));
        tut_learner_free(tut_move(&copy));
        TUT_TRY(fit(t, recipe, NULL, t->count, &copy, err));
        TUT_TRY(judge(t, copy, g, err));
        g->recipe = recipe->about;
        TUT_TRY(s);
    }
    return TUT_SUCCESS;
}

/* --- without the model --- */

/* A model trained on the right labels of the same rows, else the commonest answer. */
static tut_status without_model(const tut_theft *t, double *ret, tut_error *err)
{
    const tut_sample *o = t->p->others;
    TUT_AUTO(tut_learner) l = NULL;
    size_t agreed = 0, most = 0;
    for (uint32_t c = 0; c < t->classes; c++) {
        size_t n = 0;
        for (size_t i = 0; i < t->judge_count; i++)
            n += t->judge_labels[i] == c;
        most = n > most ? n : most;
    }
    *ret = (double)most / (double)t->judged;
    if (!o->labels || o->classes > t->classes || t->pool_count == 0)
        return TUT_SUCCESS;
    TUT_AUTO_FREE uint32_t *pick = tut_alloc_array(t->pool_count, sizeof(*pick));
    if (!pick)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->pool_count; i++)
        pick[i] = (uint32_t)t->pool[i];
    tut_lesson lesson = {.rows = o->rows,
                         .width = t->width,
                         .classes = t->classes,
                         .labels = o->labels,
                         .pick = pick,
                         .picked = t->pool_count,
                         .seed = t->p->seed};
    TUT_TRY(tut_learner_fit(tut_recipe_find("softmax"), &lesson, &l, err));
    TUT_TRY(agreed_on(t, l, t->judge_rows, t->judge_labels, t->judge_count, &agreed, err));
    *ret = fmax(*ret, (double)agreed / (double)t->judged);
    return TUT_SUCCESS;
}

/* --- the result --- */

static void report(const tut_theft *t, const progress *g, const char *name, tut_attack_result *ret)
{
    char text[300];
    double low, high, ninety = NAN;
    tut_binomial_interval(g->agreed, t->judged, 0.95, &low, &high);
    ret->decisive = (tut_measure){"fidelity", g->fidelity[g->steps - 1], low, high};
    for (size_t i = g->steps; i-- > 0;)
        ninety = g->fidelity[i] >= 0.9 ? g->queries[i] : ninety;
    tut_result_add(ret, "fidelity_at_first", g->fidelity[0], NAN, NAN);
    tut_result_add(ret, "queries_to_0.9", ninety, NAN, NAN);
    tut_result_add(ret, "answered", (double)t->count, NAN, NAN);
    tut_curve curve = {.name = name,
                       .x = "queries",
                       .y = "agreement with the model",
                       .count = g->steps,
                       .xs = g->queries,
                       .ys = g->fidelity};
    tut_result_add_curve(ret, &t->p->arena, &curve);
    ret->rows = t->judged;
    (void)snprintf(text, sizeof(text), "%zu queries; the copy: %s", t->asked, g->recipe);
    ret->budget = tut_arena_copy(&t->p->arena, tut_str_of(text));
    if (!t->problem)
        return;
    (void)snprintf(text, sizeof(text), "%zu of %zu queries were answered: %.160s", t->count,
                   t->asked, t->problem);
    ret->reason = tut_arena_copy(&t->p->arena, tut_str_of(text));
}

static tut_status run_theft(tut_theft *t, const char *name, tut_attack_result *ret, tut_error *err)
{
    progress g = {.steps = 0};
    TUT_TRY(split_others(t, err));
    if (t->judge_count < JUDGES_LEAST) {
        ret->reason = "too few rows or queries: at least 30 rows judge the copy, a third of "
                      "all rows and a quarter of the queries at most";
        return TUT_SUCCESS;
    }
    TUT_TRY(ask_judges(t, err));
    if (t->judged == 0) {
        ret->reason = t->problem ? t->problem : "the model answered none of the rows that judge";
        return TUT_SUCCESS;
    }
    size_t queries = QUERIES;
    if (t->p->target->allowance)
        queries = (size_t)tut_allowance_left(t->p->target->allowance, queries);
    TUT_TRY(make_room(t, queries, err));
    TUT_TRY(without_model(t, &ret->baseline, err));
    tut_status s = steal(t, queries, &g, err);
    ret->was_cut = s.code == TUT_CANCELLED || s.code == TUT_IO;
    if (g.steps > 0)
        report(t, &g, name, ret);
    else
        ret->reason = t->problem ? t->problem : "too few queries were answered to train a copy";
    return s.code == TUT_IO ? TUT_SUCCESS : s;
}

static tut_status run(tut_probe *p, bool is_active, bool has_labels_only, const char *name,
                      tut_attack_result *ret, tut_error *err)
{
    uint64_t before = tut_target_spent(p->target);
    ret->metric = "fidelity";
    ret->decisive = (tut_measure){"fidelity", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness =
        "A richer copy, or rows nearer to those that it was trained on, may come closer "
        "with the same queries.";
    if (!p->others || p->others->count == 0) {
        ret->reason = "it needs rows of the kind that the model takes";
        return TUT_SUCCESS;
    }
    TUT_CLEAN(tut_theft)
    t = {.p = p,
         .width = p->others->width,
         .is_active = is_active,
         .has_labels_only = has_labels_only,
         .random = tut_seeded_of(p->seed ^ 0x636f7079)};
    uint64_t first = tut_probe_place_of_other(p, 0);
    TUT_TRY(tut_probe_classes(p, p->others->rows, t.width, first, &t.classes, err));
    if (t.classes < 2) {
        ret->reason = "the model does not answer with two classes or more";
        return TUT_SUCCESS;
    }
    tut_status s = run_theft(&t, name, ret, err);
    ret->queries = tut_target_spent(p->target) - before;
    return s;
}

/* --- rows of attacks.def --- */

static tut_status run_random(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return run(p, false, false, "random rows", ret, err);
}

static tut_status run_active(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return run(p, true, false, "active", ret, err);
}

static tut_status run_labels(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return run(p, true, true, "labels only", ret, err);
}

const tut_attack tut_attack_extraction_random = {
    .probe = "extraction",
    .name = "random",
    .about = "a copy trained on the answers to rows of the same kind, in a random order",
    .source = "Orekondy et al. 2019",
    .gives = TUT_GIVES_LABELS,
    .needs = TUT_NEEDS_ROWS,
    .run = run_random,
};

const tut_attack tut_attack_extraction_active = {
    .probe = "extraction",
    .name = "active",
    .about = "half of the queries where the copy is in doubt, among rows that are made as well",
    .source = "Papernot et al. 2017; Pal et al. 2020",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS,
    .run = run_active,
};

const tut_attack tut_attack_extraction_labels = {
    .probe = "extraction",
    .name = "labels-only",
    .about = "the active copy from the most probable class alone",
    .source = "Papernot et al. 2017; Pal et al. 2020",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS,
    .run = run_labels,
};
