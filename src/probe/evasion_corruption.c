/*
 * Corruption: how much accuracy is left when inputs suffer without an attacker, after Hendrycks and
 * Dietterich 2019, "Benchmarking neural network robustness to common corruptions and
 * perturbations": every kind in five severities, one draw a row. What is called robust accuracy
 * here is the mean over kinds and severities, with a bootstrap interval over rows.
 */
#include "probe/evasion_corrupt.h"

#include <math.h>
#include <stdlib.h>

#include "stats/robust.h"

enum { KINDS = 8, DRAWS = 1000, EXPOSED = 10 };

typedef struct corruption {
    const tut_corruption *kinds;
    size_t count;
    uint8_t *kept;     /* row x kind x severity: right */
    uint8_t *known;    /* answered */
    uint32_t *right;   /* of each row: how many */
    uint32_t *refused; /* by the guard, where there is one: no wrong answer, and none at all */
} corruption;

static size_t cell_of(const corruption *c, size_t row, size_t kind, unsigned severity)
{
    return (row * c->count + kind) * TUT_SEVERITIES + severity - 1;
}

static void take(tut_evasion *e, void *ctx, const tut_evasion_answer *a)
{
    corruption *c = ctx;
    size_t at = a->row * c->count * TUT_SEVERITIES + a->tag;
    if (!a->p) {
        c->refused[a->row] += e->p->is_guarded;
        return;
    }
    c->known[at] = 1;
    c->kept[at] = !a->is_wrong;
    c->right[a->row] += !a->is_wrong;
}

static tut_status make_medians(tut_evasion *e, tut_corruptor *with, tut_error *err)
{
    float *medians = tut_evasion_memory(e, e->width, sizeof(*medians));
    double *room = tut_evasion_memory(e, e->count, sizeof(*room));
    tut_features *f = tut_evasion_memory(e, 1, sizeof(*f));
    if (!medians || !room || !f)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_features_of(e, f, err));
    for (size_t j = 0; j < e->width; j++) {
        for (size_t i = 0; i < e->count; i++)
            room[i] = e->sample->rows[i * e->width + j];
        medians[j] = (float)tut_robust_of(room, e->count).median;
    }
    with->features = f;
    with->medians = medians;
    return TUT_SUCCESS;
}

static tut_status search(tut_evasion *e, tut_error *err)
{
    corruption *c = tut_evasion_memory(e, 1, sizeof(*c));
    tut_corruptor with = {.space = &e->space,
                          .room = tut_evasion_memory(e, e->width, sizeof(float))};
    float *changed = tut_evasion_memory(e, e->width, sizeof(*changed));
    if (!c || !with.room || !changed)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->kinds = e->space.is_image ? tut_corruptions_of_images : tut_corruptions_of_tables;
    while (c->kinds[c->count].name)
        c->count++;
    size_t cells = c->count * TUT_SEVERITIES;
    c->kept = tut_evasion_memory(e, e->count * cells, 1);
    c->known = tut_evasion_memory(e, e->count * cells, 1);
    c->right = tut_evasion_memory(e, e->count, sizeof(*c->right));
    c->refused = tut_evasion_memory(e, e->count, sizeof(*c->refused));
    if (!c->kept || !c->known || !c->right || !c->refused)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!e->space.is_image)
        TUT_TRY(make_medians(e, &with, err));
    e->own = c;
    e->budget = cells;
    tut_evasion_begin(e, take, c);
    /* By severity, so that what is broken off has all rows of the mild ones. */
    for (unsigned severity = 1; severity <= TUT_SEVERITIES; severity++)
        for (size_t k = 0; k < c->count; k++)
            for (size_t i = 0; i < e->count; i++) {
                with.random = &e->random[i];
                c->kinds[k].apply(&with, e->sample->rows + i * e->width, severity, changed);
                TUT_TRY(tut_evasion_put_raw(e, i, changed, k * TUT_SEVERITIES + severity - 1, err));
            }
    return tut_evasion_send(e, err);
}

/* --- telling --- */

/* Rows that are wrong without any corruption stay wrong; of the others, what was answered. */
static double mean_over(const tut_evasion *e, const corruption *c, size_t kind, unsigned from,
                        unsigned to)
{
    size_t known = 0, right = 0, rows = 0, right_rows = 0;
    for (size_t i = 0; i < e->count; i++) {
        rows += e->is_known[i];
        right_rows += e->is_known[i] && e->is_right[i];
        for (unsigned s = from; e->is_known[i] && e->is_right[i] && s <= to; s++) {
            known += c->known[cell_of(c, i, kind, s)];
            right += c->kept[cell_of(c, i, kind, s)];
        }
    }
    return known ? (double)right / (double)known * (double)right_rows / (double)rows : NAN;
}

/* Rows that were wholly answered, or refused in part: their shares decide, and how they differ
 * gives the interval. */
static size_t shares_of(const tut_evasion *e, const corruption *c, double *ret)
{
    size_t n = 0, whole = 0, cells = c->count * TUT_SEVERITIES;
    for (size_t i = 0; i < e->count; i++) {
        size_t known = 0;
        for (size_t k = 0; k < cells; k++)
            known += c->known[i * cells + k];
        bool is_whole = known > 0 && known + c->refused[i] == cells;
        whole += e->is_right[i] && is_whole;
        if (e->is_known[i] && (is_whole || !e->is_right[i]))
            ret[n++] = e->is_right[i] ? (double)c->right[i] / (double)known : 0;
    }
    return whole ? n : 0; /* rows that were wrong from the beginning alone say nothing */
}

static double share_refused(const tut_evasion *e, const corruption *c)
{
    size_t refused = 0, asked = 0;
    for (size_t i = 0; i < e->count; i++) {
        refused += c->refused[i];
        asked += c->refused[i];
        for (size_t k = 0; k < c->count * TUT_SEVERITIES; k++)
            asked += c->known[i * c->count * TUT_SEVERITIES + k];
    }
    return asked ? (double)refused / (double)asked : 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static tut_measure bootstrap(const tut_evasion *e, const double *shares, size_t n)
{
    double means[DRAWS], sum = 0;
    tut_seeded random = tut_seeded_of(e->p->seed);
    for (size_t i = 0; i < n; i++)
        sum += shares[i] / (double)n;
    for (size_t d = 0; d < DRAWS; d++) {
        means[d] = 0;
        for (size_t i = 0; i < n; i++)
            means[d] += shares[tut_seeded_below(&random, n)] / (double)n;
    }
    qsort(means, DRAWS, sizeof(*means), compare);
    return (tut_measure){"robust_accuracy", sum, means[DRAWS / 40], means[DRAWS - 1 - DRAWS / 40]};
}

static void add_curve(const tut_evasion *e, const corruption *c, size_t kind, tut_arena *arena,
                      tut_attack_result *ret)
{
    double xs[TUT_SEVERITIES + 1], ys[TUT_SEVERITIES + 1];
    size_t known = 0, right = 0;
    for (size_t i = 0; i < e->count; i++) {
        known += e->is_known[i];
        right += e->is_right[i];
    }
    xs[0] = 0;
    ys[0] = (double)right / (double)known;
    size_t n = 1;
    for (unsigned s = 1; s <= TUT_SEVERITIES; s++) {
        double y = mean_over(e, c, kind, s, s);
        if (isnan(y))
            break;
        xs[n] = s;
        ys[n++] = y;
    }
    tut_curve curve = {.name = c->kinds[kind].name,
                       .x = "severity",
                       .y = "accuracy",
                       .count = n,
                       .xs = xs,
                       .ys = ys};
    tut_result_add_curve(ret, arena, &curve);
}

/* Rows that are right, and lose most. */
static void add_exposed(const tut_evasion *e, const corruption *c, tut_arena *arena,
                        tut_attack_result *ret)
{
    size_t cells = c->count * TUT_SEVERITIES;
    uint8_t *taken = tut_arena_take(arena, e->count + 1, 1);
    for (size_t n = 0; taken && n < EXPOSED; n++) {
        size_t worst = e->count;
        for (size_t i = 0; i < e->count; i++)
            if (e->is_right[i] && !taken[i] && c->right[i] < cells &&
                (worst == e->count || c->right[i] < c->right[worst]))
                worst = i;
        if (worst == e->count)
            return;
        taken[worst] = 1;
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "right under %u of %zu corruptions", c->right[worst], cells);
        tut_result_add_exposed(ret, arena, e->sample->numbers ? e->sample->numbers[worst] : worst,
                               (double)c->right[worst] / (double)cells, tut_buf_z(&text));
    }
}

static const char *budget_of(const corruption *c, tut_arena *arena)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t k = 0; k < c->count; k++)
        tut_buf_printf(&text, "%s%s", k ? ", " : "", c->kinds[k].name);
    tut_buf_printf(&text, "; %d severities", TUT_SEVERITIES);
    return tut_arena_copy(arena, tut_buf_str(&text));
}

static tut_status tell(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret,
                       tut_error *err)
{
    const corruption *c = e->own;
    double *shares = tut_arena_take(arena, e->count + 1, sizeof(*shares));
    if (!shares)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t known = tut_evasion_tell_clean(e, ret);
    size_t n = c && c->right ? shares_of(e, c, shares) : 0;
    tut_evasion_unmeasured(known == 0 ? "the target answered none of the rows"
                                      : "no row was answered under every corruption",
                           ret);
    if (known == 0 || !c || !c->right)
        return TUT_SUCCESS;
    if (n) {
        ret->decisive = bootstrap(e, shares, n);
        ret->reason = NULL;
    }
    ret->budget = budget_of(c, arena);
    double worst = INFINITY;
    for (size_t k = 0; k < c->count; k++) {
        double mean = mean_over(e, c, k, 1, TUT_SEVERITIES);
        if (!isnan(mean))
            tut_result_add(ret, c->kinds[k].measure, mean, NAN, NAN);
        add_curve(e, c, k, arena, ret);
        worst = fmin(worst, mean_over(e, c, k, TUT_SEVERITIES, TUT_SEVERITIES));
    }
    if (isfinite(worst))
        tut_result_add(ret, "worst_accuracy", worst, NAN, NAN);
    if (e->p->is_guarded)
        tut_result_add(ret, "refused", share_refused(e, c), NAN, NAN);
    add_exposed(e, c, arena, ret);
    return TUT_SUCCESS;
}

static const tut_evasion_kind kind = {
    .name = "corruption",
    .weakness = "Accidents, not attacks: it says nothing of what somebody reaches who means to.",
    .queries_a_row = (uint64_t)KINDS * TUT_SEVERITIES,
    .is_own_space = true,
    .search = search,
    .tell = tell,
};

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return tut_evasion_run(p, &kind, ret, err);
}

const tut_attack tut_attack_evasion_corruption = {
    .probe = "evasion",
    .name = "corruption",
    .about = "Accuracy under noise, blur, wrong units and other accidents, in five severities.",
    .source = "Hendrycks and Dietterich 2019, Benchmarking neural network robustness",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run,
};
