/*
 * Attribute inference (Fredrikson 2014; Mehnaz 2022): somebody knows all of a record but one value,
 * and its label, and asks the model about each value that it could have. Only what this gains over
 * guessing from the same other values without the model counts (Jayaraman and Evans 2022).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "probe/answers.h"
#include "probe/learner.h"
#include "probe/target_internal.h"
#include "stats/scores.h"
#include "stats/seeded.h"
#include "stats/special.h"

enum { VALUES = 8, COLUMNS = 8, ROWS = 400, ROWS_LEAST = 50 };

typedef struct attribute { /* a column that holds few values */
    size_t column, count;
    float values[VALUES];
    double spread; /* 1 less the squared shares: how hard it is to guess */
} attribute;

typedef struct guess { /* of one column */
    size_t rows, by_model, by_others, only_model, only_others;
    double value, low, high; /* of the lift */
} guess;

typedef struct inference {
    tut_probe *p;
    size_t width, classes;
    attribute attributes[COLUMNS];
    size_t attribute_count;
    size_t *rows; /* of members: those that are guessed */
    size_t row_count;
    const char *problem;
} inference;

/* --- which columns --- */

static size_t value_of(const attribute *a, float x)
{
    size_t v = 0;
    while (v < a->count && (a->values[v] < x || a->values[v] > x))
        v++;
    return v;
}

/* Values as others hold them, in ascending order. Yields false where there are too many, or one. */
static bool find_values(const tut_sample *s, size_t column, attribute *ret)
{
    size_t counts[VALUES] = {0};
    *ret = (attribute){.column = column};
    for (size_t i = 0; i < s->count; i++) {
        float x = s->rows[i * s->width + column];
        size_t v = value_of(ret, x);
        if (v == VALUES)
            return false;
        if (v == ret->count)
            ret->values[ret->count++] = x;
        counts[v]++;
    }
    ret->spread = 1;
    for (size_t v = 0; v < ret->count; v++)
        ret->spread -= (double)counts[v] / (double)s->count * (double)counts[v] / (double)s->count;
    return ret->count > 1;
}

/* Those that are hardest to guess. */
static void find_attributes(inference *f)
{
    const tut_sample *o = f->p->others;
    for (size_t c = 0; c < f->width; c++) {
        attribute a;
        if (!find_values(o, c, &a))
            continue;
        size_t at = f->attribute_count;
        while (at > 0 && f->attributes[at - 1].spread < a.spread)
            at--;
        if (at == COLUMNS)
            continue;
        size_t kept = f->attribute_count < COLUMNS ? f->attribute_count : COLUMNS - 1;
        memmove(&f->attributes[at + 1], &f->attributes[at], (kept - at) * sizeof(a));
        f->attributes[at] = a;
        f->attribute_count = kept + 1;
    }
}

/* --- guessing without the model --- */

/* All other columns, and the label where it is known to the one who guesses: width + 1 numbers. */
static void blind_row(const inference *f, const tut_sample *s, size_t i, const attribute *a,
                      bool has_label, float *ret)
{
    memcpy(ret, s->rows + i * f->width, f->width * sizeof(*ret));
    ret[a->column] = 0;
    ret[f->width] = has_label ? (float)s->labels[i] : 0;
}

/* A model of the column from the others' rows: rows x values probabilities for the members. */
static tut_status impute(const inference *f, const attribute *a, bool has_label, float *ret,
                         tut_error *err)
{
    const tut_sample *o = f->p->others, *m = f->p->members;
    size_t wide = f->width + 1, most = o->count > f->row_count ? o->count : f->row_count;
    TUT_AUTO(tut_learner) l = NULL;
    TUT_AUTO_FREE float *rows = tut_alloc_array(most, wide * sizeof(*rows));
    TUT_AUTO_FREE uint32_t *labels = tut_alloc_array(o->count, sizeof(*labels));
    if (!rows || !labels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_lesson lesson = {.rows = rows,
                         .width = wide,
                         .classes = a->count,
                         .labels = labels,
                         .picked = o->count,
                         .seed = f->p->seed};
    for (size_t i = 0; i < o->count; i++) {
        blind_row(f, o, i, a, has_label, rows + i * wide);
        labels[i] = (uint32_t)value_of(a, o->rows[i * f->width + a->column]);
    }
    TUT_TRY(tut_learner_fit(tut_recipe_find("trees"), &lesson, &l, err));
    for (size_t i = 0; i < f->row_count; i++)
        blind_row(f, m, f->rows[i], a, has_label, rows + i * wide);
    return tut_learner_predict(l, rows, f->row_count, ret, err);
}

/* --- asking the model --- */

/* Probability of the right label with each value in the row's place: rows x values; NaN: none. */
static tut_status ask_values(inference *f, const attribute *a, double *ret, tut_error *err)
{
    const tut_sample *m = f->p->members;
    size_t all = f->row_count * a->count;
    TUT_AUTO_FREE float *rows = tut_alloc_array(all, f->width * sizeof(*rows));
    TUT_AUTO_FREE double *p = tut_alloc_array(all, f->classes * sizeof(*p));
    if (!rows || !p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < all; i++) {
        memcpy(rows + i * f->width, m->rows + f->rows[i / a->count] * f->width,
               f->width * sizeof(*rows));
        rows[i * f->width + a->column] = a->values[i % a->count];
    }
    tut_question q = {rows, NULL, all, f->width, f->classes, "values in a record's place"};
    tut_status s = tut_probe_answers(f->p, &q, p, &f->problem, err);
    for (size_t i = 0; i < all; i++)
        ret[i] = p[i * f->classes + m->labels[f->rows[i / a->count]]];
    return s;
}

/* What is likely from the other values, times what the model thinks of the label then. */
static void count_guesses(const inference *f, const attribute *a, const float *prior,
                          const float *without, const double *asked, guess *ret)
{
    const tut_sample *m = f->p->members;
    *ret = (guess){.rows = 0};
    for (size_t i = 0; i < f->row_count; i++) {
        double with[VALUES], blind[VALUES];
        size_t answered = 0;
        size_t truth = value_of(a, m->rows[f->rows[i] * f->width + a->column]);
        for (size_t v = 0; v < a->count; v++) {
            double label = asked[i * a->count + v];
            /* A value that the guard refuses is none that training data had: that is told as well.
             */
            with[v] = isnan(label) ? 0 : (double)prior[i * a->count + v] * fmax(label, 1e-6);
            blind[v] = (double)without[i * a->count + v];
            answered += !isnan(label);
        }
        if (answered < (f->p->is_guarded ? 2 : a->count))
            continue;
        bool is_mine = tut_greatest(with, a->count) == truth;
        bool is_theirs = tut_greatest(blind, a->count) == truth;
        ret->rows++;
        ret->by_model += is_mine;
        ret->by_others += is_theirs;
        ret->only_model += is_mine && !is_theirs;
        ret->only_others += is_theirs && !is_mine;
    }
}

/* Both guess the same rows: the interval is that of the difference of pairs, wide enough for all
 * columns together (Bonferroni). */
static void lift_of(guess *g, size_t columns)
{
    double n = (double)g->rows, up = (double)g->only_model, down = (double)g->only_others;
    double z = tut_normal_quantile(1 - 0.025 / (double)columns);
    g->value = (up - down) / n;
    /* One pair more on either side: none that differ are no certainty (Agresti and Min 2005). */
    double sd = sqrt(fmax(up + down + 1 - (up - down) * (up - down) / n, 0)) / n;
    g->low = fmax(g->value - z * sd, -1);
    g->high = fmin(g->value + z * sd, 1);
}

static tut_status infer(inference *f, const attribute *a, guess *ret, tut_error *err)
{
    size_t cells = f->row_count * a->count;
    TUT_AUTO_FREE float *prior = tut_alloc_array(cells, 2 * sizeof(*prior));
    TUT_AUTO_FREE double *asked = tut_alloc_array(cells, sizeof(*asked));
    if (!prior || !asked)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(impute(f, a, false, prior, err));
    TUT_TRY(impute(f, a, true, prior + cells, err));
    tut_status s = ask_values(f, a, asked, err);
    count_guesses(f, a, prior, prior + cells, asked, ret);
    lift_of(ret, f->attribute_count);
    return s;
}

/* --- the result --- */

static void draw_rows(inference *f, size_t most)
{
    const tut_sample *m = f->p->members;
    tut_seeded random = tut_seeded_of(f->p->seed ^ 0x617474);
    size_t left = m->count < most ? m->count : most;
    for (size_t i = 0; i < m->count && left > 0; i++) {
        if (tut_seeded_below(&random, m->count - i) >= left)
            continue;
        left--;
        bool is_known = true; /* a value that others never hold cannot be guessed */
        for (size_t a = 0; a < f->attribute_count && is_known; a++)
            is_known = value_of(&f->attributes[a],
                                m->rows[i * f->width + f->attributes[a].column]) <
                       f->attributes[a].count;
        if (is_known)
            f->rows[f->row_count++] = i;
    }
}

static size_t rows_affordable(const inference *f)
{
    size_t values = 0, rows = ROWS;
    for (size_t a = 0; a < f->attribute_count; a++)
        values += f->attributes[a].count;
    if (f->p->target->allowance)
        rows = (size_t)tut_allowance_left(f->p->target->allowance, ROWS * values) / values;
    return rows;
}

static void report(inference *f, const attribute *a, const guess *g, tut_attack_result *ret)
{
    char text[300];
    const tut_sample *o = f->p->others;
    double n = (double)g->rows;
    ret->decisive = (tut_measure){"lift", g->value, g->low, g->high};
    ret->baseline = 0;
    ret->rows = g->rows;
    ret->measure_count = 0;
    tut_result_add(ret, "accuracy_with_model", (double)g->by_model / n, NAN, NAN);
    tut_result_add(ret, "accuracy_without_model", (double)g->by_others / n, NAN, NAN);
    tut_result_add(ret, "columns", (double)f->attribute_count, NAN, NAN);
    if (o->columns && o->columns[a->column].name[0])
        (void)snprintf(text, sizeof(text), "the most exposed of %zu columns is %.96s",
                       f->attribute_count, o->columns[a->column].name);
    else
        (void)snprintf(text, sizeof(text), "the most exposed of %zu columns is number %zu",
                       f->attribute_count, a->column);
    ret->reason = tut_arena_copy(&f->p->arena, tut_str_of(text));
}

static tut_status infer_all(inference *f, tut_attack_result *ret, tut_error *err)
{
    tut_status s = TUT_SUCCESS;
    for (size_t a = 0; a < f->attribute_count && tut_is_ok(s); a++) {
        guess g = {.rows = 0};
        s = infer(f, &f->attributes[a], &g, err);
        if (s.code != TUT_CANCELLED && s.code != TUT_IO)
            TUT_TRY(s);
        if (g.rows < ROWS_LEAST)
            continue;
        if (isnan(ret->decisive.value) || g.value > ret->decisive.value)
            report(f, &f->attributes[a], &g, ret);
    }
    ret->was_cut = !tut_is_ok(s);
    if (isnan(ret->decisive.value))
        ret->reason = f->problem ? f->problem : "fewer than 50 records were answered";
    return s.code == TUT_IO ? TUT_SUCCESS : s;
}

static const char *unfit(const tut_probe *p)
{
    const tut_sample *m = p->members, *o = p->others;
    if (!m || !o || m->count == 0 || o->count == 0)
        return "it needs records that the model was trained on and records that it was not";
    if (!m->labels || !o->labels)
        return "the records have no labels";
    return m->width != o->width ? "members and others have different columns" : NULL;
}

static tut_status prepare(inference *f, tut_attack_result *ret, tut_error *err)
{
    const tut_sample *m = f->p->members;
    f->width = m->width;
    TUT_TRY(tut_probe_classes(f->p, m->rows, m->width, 0, &f->classes, err));
    find_attributes(f);
    f->rows = tut_alloc_array(m->count + 1, sizeof(*f->rows));
    if (!f->rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (f->classes < m->classes)
        ret->reason = "the labels name more classes than the model answers with";
    else if (f->attribute_count == 0)
        ret->reason = "no column holds between 2 and 8 values: there is nothing to guess among";
    else
        draw_rows(f, rows_affordable(f));
    return TUT_SUCCESS;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    char text[120];
    inference f = {.p = p};
    uint64_t before = tut_target_spent(p->target);
    ret->metric = "lift";
    ret->decisive = (tut_measure){"lift", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness = "Only columns with 2 to 8 values are guessed, one at a time; a lift of nothing "
                    "does not show that no column is given away.";
    ret->reason = unfit(p);
    if (ret->reason)
        return TUT_SUCCESS;
    tut_status s = prepare(&f, ret, err);
    if (tut_is_ok(s) && !ret->reason)
        s = infer_all(&f, ret, err);
    tut_free(f.rows);
    ret->queries = tut_target_spent(p->target) - before;
    (void)snprintf(text, sizeof(text), "%zu records, each value of %zu columns", f.row_count,
                   f.attribute_count);
    ret->budget = tut_arena_copy(&p->arena, tut_str_of(text));
    return s;
}

const tut_attack tut_attack_inversion_attribute = {
    .probe = "inversion",
    .name = "attribute",
    .about = "a missing value of a record, from the model's opinion of each that it could be",
    .source = "Fredrikson et al. 2014; Mehnaz et al. 2022; Jayaraman and Evans 2022",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_MEMBERS | TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run,
};
