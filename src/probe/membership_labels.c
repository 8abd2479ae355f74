/*
 * Membership from labels alone (Choquette-Choo, Tramer, Carlini and Papernot 2021): the model holds
 * to its answer farther away from rows that it was trained on. The distance to the boundary is
 * measured by noise of several sizes: how often the right label stays.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "probe/membership_internal.h"
#include "probe/target_internal.h"
#include "stats/seeded.h"

enum { QUERIES = 32, ROWS_MOST = 1000, BLOCK = 32 };

/* Of the spread of a column; whole ladder again and again. */
static const double sizes[] = {0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

typedef struct noise {
    const tut_mia_kept *k;
    double *spread, *low, *high; /* width, of the columns */
    const tut_sample_column *columns;
    size_t queries; /* a row, the row itself among them */
    uint64_t seed;
} noise;

static void find_columns(noise *z)
{
    const tut_mia_kept *k = z->k;
    for (size_t c = 0; c < k->width; c++) {
        double sum = 0, squares = 0, first = (double)k->rows[c], n = (double)k->count;
        z->low[c] = z->high[c] = first;
        for (size_t i = 0; i < k->count; i++) {
            double x = (double)k->rows[i * k->width + c];
            z->low[c] = fmin(z->low[c], x);
            z->high[c] = fmax(z->high[c], x);
            sum += x - first;
            squares += (x - first) * (x - first);
        }
        z->spread[c] = sqrt(fmax(squares / n - sum / n * (sum / n), 0));
    }
}

/* The row itself first; then one with noise, within what columns hold. Bits are turned over. */
static void disturb(const noise *z, size_t row, size_t query, tut_seeded *random, float *ret)
{
    const float *x = z->k->rows + row * z->k->width;
    double size = query ? sizes[(query - 1) % SIZES] : 0;
    for (size_t c = 0; c < z->k->width; c++) {
        const tut_sample_column *about = z->columns ? &z->columns[c] : NULL;
        double v = (double)x[c];
        if (size > 0 && about && about->is_bool)
            v = tut_seeded_unit(random) < 0.1 * size ? 1 - v : v;
        else if (size > 0)
            v += size * z->spread[c] * tut_seeded_normal(random);
        v = about && about->is_whole ? rint(v) : v;
        ret[c] = size > 0 ? (float)fmin(fmax(v, z->low[c]), z->high[c]) : x[c];
    }
}

static bool is_right(const double *p, size_t classes, uint32_t label)
{
    for (size_t c = 0; c < classes; c++)
        if (c != label && !(p[c] < p[label]))
            return false;
    return true;
}

/* Shares of right answers; a row that is wrong itself lies on the far side of the boundary, below
 * all that are right. A row without an answer has no score. */
static void count_right(const noise *z, const size_t *rows, size_t count,
                        const tut_predictions *got, double *scores)
{
    for (size_t i = 0; i < count; i++) {
        double right = 0, answers = 0, own = 0;
        const uint8_t *answered = got->answered + i * z->queries;
        for (size_t q = 0; q < z->queries && answered[0] == TUT_ANSWERED; q++) {
            const double *p = got->values + (i * z->queries + q) * got->classes;
            bool is_it = is_right(p, got->classes, z->k->labels[rows[i]]);
            if (answered[q] != TUT_ANSWERED)
                continue;
            own = q == 0 ? is_it : own;
            answers++;
            right += is_it;
        }
        scores[rows[i]] = answers > 0 ? own + right / (answers + 1) : NAN;
    }
}

static tut_status ask_block(tut_probe *p, const noise *z, const size_t *rows, size_t count,
                            float *room, double *scores, tut_error *err)
{
    tut_predictions got;
    for (size_t i = 0; i < count; i++) {
        tut_seeded random = tut_seeded_of(z->seed + rows[i]);
        for (size_t q = 0; q < z->queries; q++)
            disturb(z, rows[i], q, &random, room + (i * z->queries + q) * z->k->width);
    }
    tut_status s = tut_target_predict(p->target, room, count * z->queries, z->k->width, 0, &got,
                                      err);
    if (got.values && got.classes == z->k->classes)
        count_right(z, rows, count, &got, scores);
    tut_predictions_done(&got);
    return s;
}

/* As many members as others, in turn, so that a part is a fair one. */
static size_t choose_rows(const tut_mia_kept *k, size_t most, uint64_t seed, size_t *ret)
{
    size_t others = k->count - k->members, pairs = k->members < others ? k->members : others;
    tut_seeded random = tut_seeded_of(seed);
    size_t *order = ret + 2 * pairs;
    for (size_t i = 0; i < k->count; i++)
        order[i] = i;
    pairs = pairs < most / 2 ? pairs : most / 2;
    for (size_t i = 0; i < pairs; i++) {
        size_t m = i + (size_t)tut_seeded_below(&random, k->members - i);
        size_t o = i + (size_t)tut_seeded_below(&random, others - i);
        ret[2 * i] = order[m];
        order[m] = order[i];
        ret[2 * i + 1] = order[k->members + o];
        order[k->members + o] = order[k->members + i];
    }
    return 2 * pairs;
}

static tut_status ask_rows(tut_probe *p, const noise *z, const size_t *rows, size_t count,
                           double *scores, tut_error *err)
{
    TUT_AUTO_FREE float *room = tut_alloc_array(BLOCK * z->queries,
                                                (z->k->width + 1) * sizeof(*room));
    if (!room)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < z->k->count; i++)
        scores[i] = NAN;
    for (size_t i = 0; i < count; i += BLOCK) {
        tut_probe_step(p, "rows with noise", i, count);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(
            ask_block(p, z, rows + i, count - i < BLOCK ? count - i : BLOCK, room, scores, err));
    }
    return TUT_SUCCESS;
}

static tut_status measure(tut_probe *p, tut_mia_kept *k, tut_attack_result *ret, tut_error *err)
{
    char text[120];
    TUT_AUTO_FREE double *columns = tut_alloc_array(k->width, 3 * sizeof(*columns));
    TUT_AUTO_FREE double *scores = tut_alloc_array(k->count + 1, sizeof(*scores));
    TUT_AUTO_FREE size_t *rows = tut_alloc_array(2 * k->count + 2, sizeof(*rows));
    if (!columns || !scores || !rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    noise z = {.k = k, .spread = columns, .low = columns + k->width, .seed = p->seed ^ 5};
    z.high = z.low + k->width;
    z.columns = p->others->columns;
    z.queries = p->queries_a_row ? (size_t)p->queries_a_row : QUERIES;
    find_columns(&z);
    size_t most = ROWS_MOST;
    if (p->target->allowance)
        most = (size_t)tut_allowance_left(p->target->allowance, most * z.queries) / z.queries;
    size_t count = choose_rows(k, most, p->seed ^ 6, rows);
    tut_status s = ask_rows(p, &z, rows, count, scores, err);
    bool was_cut = s.code == TUT_CANCELLED || s.code == TUT_IO;
    if (!tut_is_ok(s) && !was_cut)
        return s;
    TUT_TRY(tut_mia_blind(p, k, err));
    TUT_TRY(tut_mia_report(p, k, "labels only", scores, ret, err));
    ret->was_cut = was_cut;
    (void)snprintf(text, sizeof(text), "%zu queries a row, noise of 0.05 to 2 deviations",
                   z.queries);
    ret->budget = tut_arena_copy(&p->arena, tut_str_of(text));
    return s.code == TUT_CANCELLED ? s : TUT_SUCCESS;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    tut_mia_kept *k = NULL;
    uint64_t before = tut_target_spent(p->target);
    ret->metric = "tpr_at_1";
    ret->decisive = (tut_measure){"tpr_at_1", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness = "Its scores are coarse, as many steps as queries a row: it shows less at low "
                    "rates of false alarms than attacks that see probabilities.";
    TUT_TRY(tut_mia_gather(p, &k, &ret->reason, err));
    if (!k)
        return TUT_SUCCESS;
    tut_status s = measure(p, k, ret, err);
    ret->queries = tut_target_spent(p->target) - before;
    return s;
}

const tut_attack tut_attack_membership_labels = {
    .probe = "membership",
    .name = "label-only",
    .about = "the right label holds under more noise around members",
    .source = "Choquette-Choo et al. 2021",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_MEMBERS | TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run,
};
