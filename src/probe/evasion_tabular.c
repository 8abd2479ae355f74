/*
 * Tables: the cheapest change of few columns that turns the decision. A beam search over columns
 * and values (the values ever smaller parts of what may still be spent), begun again from random
 * changes while queries are left; what turns is then made as small as it goes. The idea of costs in
 * units of each column's spread is that of Ballet et al. 2019, "Imperceptible adversarial attacks
 * on tabular data", and of Ustun, Spangher, Liu 2019, "Actionable recourse in linear
 * classification".
 */
#include "probe/evasion_tabular.h"

#include <math.h>
#include <string.h>

#include "base/term.h"

enum { BEAM = 4, VALUES = 8, CUTS = 10, COLUMNS = 3, WIDEST = 256, RESTARTS = 3 };

typedef struct state { /* one changed row */
    float *row;
    double margin; /* infinite: there is none */
} state;

typedef enum stage { SWEEP, SHRINK } stage;

typedef struct course { /* of one row */
    uint8_t stage;
    size_t depth;    /* columns that the states of the beam have changed */
    size_t restarts; /* in a row that found nothing cheaper */
    double bound;    /* a change must cost less, or as much while there is none */
    size_t column;   /* SHRINK: of the nearest that is wrong, between right and wrong */
    double right, wrong, tried;
    unsigned cuts;
    float from; /* its value when its turn came */
    state now[BEAM], next[BEAM];
} course;

typedef struct tabular {
    tut_features features;
    course *courses;
    float *try;       /* width */
    uint32_t *fewest; /* columns of the leanest change within the size; 0: none */
} tabular;

static double distance(const tut_evasion *e, size_t row, const float *other)
{
    const tabular *t = e->own;
    size_t changed;
    double cost = tut_features_cost(&t->features, e->sample->rows + row * e->width, other,
                                    &changed);
    if (isinf(cost) || changed > t->features.most)
        return INFINITY;
    /* Of as many columns, the cheaper is nearer by a hair. */
    return isinf(t->features.bound) ? (double)changed + 1e-7 * cost / (1 + cost) : cost;
}

/* --- sweeping --- */

static void begin_sweep(const tut_evasion *e, course *c, size_t row)
{
    c->stage = SWEEP;
    c->depth = 0;
    for (size_t b = 0; b < BEAM; b++)
        c->now[b].margin = c->next[b].margin = INFINITY;
    memcpy(c->now[0].row, e->sample->rows + row * e->width, e->width * sizeof(float));
    c->now[0].margin = 0;
}

/* One column of each state by chance, with at most half of what may be spent. */
static void begin_anywhere(tut_evasion *e, course *c, size_t row)
{
    const tabular *t = e->own;
    const float *x = e->sample->rows + row * e->width;
    begin_sweep(e, c, row);
    for (size_t b = 0; b < BEAM; b++) {
        size_t j = (size_t)tut_seeded_below(&e->random[row], e->width);
        const tut_feature *f = &t->features.items[j];
        double bound = isinf(c->bound) ? 4 : c->bound;
        double by = bound / 2 * (2 * tut_seeded_unit(&e->random[row]) - 1);
        memcpy(c->now[b].row, x, e->width * sizeof(float));
        if (f->can_change && (!f->is_bool || by * 2 > 1))
            c->now[b].row[j] = tut_feature_value(f, x[j], x[j] + by * f->spread);
        c->now[b].margin = 0;
    }
    c->depth = 1;
}

/* Values of one column, the longest way first: parts of what is left, each both ways. */
static double value_at(const tut_feature *f, float x, double left, size_t k)
{
    double way = k % 2 ? -1 : 1;
    if (isinf(left)) /* columns alone are counted: ends of the range, then steps */
        return k < 2 ? (k ? f->low : f->high) : x + way * f->spread * ldexp(8, -(int)(k / 2));
    return x + way * f->spread * ldexp(left, -(int)(k / 2));
}

static tut_status put_values(tut_evasion *e, size_t row, const state *from, size_t j, double left,
                             tut_error *err)
{
    tabular *t = e->own;
    const tut_feature *f = &t->features.items[j];
    float x = from->row[j], last[2] = {x, x};
    memcpy(t->try, from->row, e->width * sizeof(float));
    for (size_t k = 0; k < VALUES; k++) {
        float v = tut_feature_value(f, x, value_at(f, x, left, k));
        if (v == x || v == last[k % 2] || fabs((double)v - x) / f->spread > left * (1 + 1e-6))
            continue;
        last[k % 2] = v;
        t->try[j] = v;
        TUT_TRY(tut_evasion_put_raw(e, row, t->try, 0, err));
        if (f->is_bool)
            return TUT_SUCCESS;
    }
    return TUT_SUCCESS;
}

static tut_status put_sweep(tut_evasion *e, size_t row, tut_error *err)
{
    tabular *t = e->own;
    course *c = &t->courses[row];
    const float *x = e->sample->rows + row * e->width;
    for (size_t b = 0; b < BEAM; b++) {
        size_t changed;
        if (isinf(c->now[b].margin))
            continue;
        double left = c->bound - tut_features_cost(&t->features, x, c->now[b].row, &changed);
        for (size_t j = 0; left > 0 && j < e->width; j++)
            if (t->features.items[j].can_change && c->now[b].row[j] == x[j])
                TUT_TRY(put_values(e, row, &c->now[b], j, left, err));
    }
    return TUT_SUCCESS;
}

static void keep_state(const tut_evasion *e, course *c, const tut_evasion_answer *a)
{
    double margin = tut_evasion_margin(e, a->row, a->p);
    size_t last = 0;
    for (size_t b = 1; b < BEAM; b++)
        if (c->next[b].margin > c->next[last].margin)
            last = b;
    if (margin >= c->next[last].margin)
        return;
    c->next[last].margin = margin;
    memcpy(c->next[last].row, a->asked, e->width * sizeof(float));
}

/* --- making it small --- */

/* The next column that the nearest change has; false: there is none. */
static bool next_column(const tut_evasion *e, course *c, size_t row, size_t from)
{
    const float *x = e->sample->rows + row * e->width, *worst = e->worst + row * e->width;
    for (size_t j = from; j < e->width; j++)
        if (worst[j] != x[j]) {
            c->column = j;
            c->right = c->tried = 0;
            c->wrong = 1;
            c->cuts = 0;
            c->from = worst[j];
            return true;
        }
    return false;
}

static void leave_shrink(tut_evasion *e, course *c, size_t row)
{
    const tabular *t = e->own;
    /* What comes after must be cheaper; where columns are counted, have one column less. */
    c->bound = isinf(t->features.bound) ? INFINITY : e->found[row] * (1 - 1e-3);
    c->restarts = 0;
    if (isinf(t->features.bound) && e->found[row] < 2)
        e->is_done[row] = 1;
    begin_sweep(e, c, row);
}

/* Without the column altogether; then halfway between right and wrong. */
static tut_status put_shrink(tut_evasion *e, size_t row, tut_error *err)
{
    tabular *t = e->own;
    course *c = &t->courses[row];
    const float *x = e->sample->rows + row * e->width;
    for (;;) {
        const tut_feature *f = &t->features.items[c->column];
        size_t j = c->column;
        c->tried = c->cuts ? (c->right + c->wrong) / 2 : 0;
        memcpy(t->try, e->worst + row * e->width, e->width * sizeof(float));
        t->try[j] = c->cuts ? tut_feature_value(f, x[j], x[j] + c->tried * ((double)c->from - x[j]))
                            : x[j];
        bool is_new = t->try[j] != e->worst[row * e->width + j] &&
                      (c->cuts == 0 || t->try[j] != x[j]);
        if (c->cuts < CUTS && is_new)
            return tut_evasion_put_raw(e, row, t->try, 0, err);
        if (c->cuts < CUTS && f->is_whole && !f->is_bool && t->try[j] == x[j]) {
            c->right = c->tried; /* rounded down to nothing: look further out */
            c->cuts++;
            continue;
        }
        if (!next_column(e, c, row, j + 1)) {
            leave_shrink(e, c, row);
            return TUT_SUCCESS;
        }
    }
}

static void take_shrink(course *c, const tut_evasion_answer *a)
{
    *(a->is_wrong ? &c->wrong : &c->right) = c->tried;
    if (a->is_wrong && c->cuts == 0)
        c->cuts = CUTS; /* it is not needed at all */
    else
        c->cuts++;
}

/* --- rounds --- */

static void take(tut_evasion *e, void *ctx, const tut_evasion_answer *a)
{
    tabular *t = ctx;
    course *c = &t->courses[a->row];
    size_t changed;
    if (!a->p)
        return;
    (void)tut_features_cost(&t->features, e->sample->rows + a->row * e->width, a->asked, &changed);
    if (a->is_wrong && a->distance <= e->space.size * (1 + 1e-5) &&
        (t->fewest[a->row] == 0 || changed < t->fewest[a->row]))
        t->fewest[a->row] = (uint32_t)changed;
    if (c->stage == SHRINK)
        take_shrink(c, a);
    else if (!a->is_wrong)
        keep_state(e, c, a);
}

static void end_depth(tut_evasion *e, course *c, size_t row, double found_before)
{
    const tabular *t = e->own;
    double hair = isinf(t->features.bound) && isfinite(found_before) ? 0.5 : 0;
    if (e->found[row] < found_before - hair && next_column(e, c, row, 0)) {
        c->stage = SHRINK;
        return;
    }
    bool is_any = false;
    for (size_t b = 0; b < BEAM; b++) {
        state old = c->now[b];
        c->now[b] = c->next[b];
        c->next[b] = old;
        c->next[b].margin = INFINITY;
        is_any |= !isinf(c->now[b].margin);
    }
    size_t most = t->features.most;
    if (isinf(t->features.bound) && e->found[row] < (double)(most + 1))
        most = (size_t)e->found[row] - 1;
    if (++c->depth < most && is_any)
        return;
    if (c->restarts++ == RESTARTS)
        e->is_done[row] = 1;
    else
        begin_anywhere(e, c, row);
}

static tut_status play_round(tut_evasion *e, double *found, bool *was_sweep, tut_error *err)
{
    const tabular *t = e->own;
    for (size_t i = 0; i < e->count; i++) {
        found[i] = e->found[i];
        was_sweep[i] = t->courses[i].stage == SWEEP;
        if (tut_evasion_is_live(e, i))
            TUT_TRY(was_sweep[i] ? put_sweep(e, i, err) : put_shrink(e, i, err));
    }
    TUT_TRY(tut_evasion_send(e, err));
    for (size_t i = 0; i < e->count; i++)
        if (was_sweep[i] && tut_evasion_is_live(e, i))
            end_depth(e, &t->courses[i], i, found[i]);
    return TUT_SUCCESS;
}

static tut_status make_courses(tut_evasion *e, tabular *t, tut_error *err)
{
    t->courses = tut_evasion_memory(e, e->count, sizeof(*t->courses));
    t->try = tut_evasion_memory(e, e->width, sizeof(float));
    t->fewest = tut_evasion_memory(e, e->count, sizeof(*t->fewest));
    float *rows = tut_evasion_memory(e, e->count * e->width * 2 * BEAM, sizeof(float));
    if (!t->courses || !t->try || !t->fewest || !rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < e->count; i++) {
        course *c = &t->courses[i];
        for (size_t b = 0; b < BEAM; b++) {
            c->now[b].row = rows + (2 * (BEAM * i + b)) * e->width;
            c->next[b].row = c->now[b].row + e->width;
        }
        c->bound = t->features.bound;
        begin_sweep(e, c, i);
    }
    return TUT_SUCCESS;
}

static tut_status search(tut_evasion *e, tut_error *err)
{
    tabular *t = tut_evasion_memory(e, 1, sizeof(*t));
    double *found = tut_evasion_memory(e, e->count, sizeof(*found));
    bool *was_sweep = tut_evasion_memory(e, e->count, sizeof(*was_sweep));
    if (!t || !found || !was_sweep)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    bool is_counted = e->p->norm == TUT_NORM_L0;
    TUT_TRY(tut_features_of(e, &t->features, err));
    e->space.size = e->p->size > 0 ? e->p->size : is_counted ? 2 : 1;
    t->features.bound = is_counted ? INFINITY : e->space.size;
    t->features.most = is_counted ? (size_t)fmin(e->space.size, (double)e->width) : COLUMNS;
    e->own = t;
    e->distance = distance;
    TUT_TRY(make_courses(e, t, err));
    tut_evasion_begin(e, take, t);
    while (tut_evasion_is_any_live(e))
        TUT_TRY(play_round(e, found, was_sweep, err));
    return TUT_SUCCESS;
}

/* --- telling --- */

static const char *budget_of(const tut_evasion *e, const tabular *t, tut_arena *arena)
{
    char count[32], text[160];
    tut_human_count(e->budget, count);
    if (isinf(t->features.bound))
        (void)snprintf(text, sizeof(text), "%zu columns, %s queries a row", t->features.most,
                       count);
    else
        (void)snprintf(text, sizeof(text),
                       "cost %.4g in spreads of each column, %zu columns, %s queries a row",
                       t->features.bound, t->features.most, count);
    return tut_arena_copy(arena, tut_str_of(text));
}

static tut_status tell(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret,
                       tut_error *err)
{
    static const char *const names[COLUMNS] = {"turned_by_1_column", "turned_by_2_columns",
                                               "turned_by_3_columns"};
    const tabular *t = e->own;
    TUT_TRY(tut_evasion_tell(e, arena, ret, err));
    size_t right = 0;
    for (size_t i = 0; i < e->count; i++)
        right += e->is_right[i];
    if (!t || !t->fewest || right == 0)
        return TUT_SUCCESS;
    ret->budget = budget_of(e, t, arena);
    for (size_t k = 0; k < COLUMNS && k < t->features.most; k++) {
        size_t turned = 0;
        for (size_t i = 0; i < e->count; i++)
            turned += t->fewest[i] > 0 && t->fewest[i] <= k + 1;
        tut_result_add(ret, names[k], (double)turned / (double)right, NAN, NAN);
    }
    return TUT_SUCCESS;
}

static void show(const tut_evasion *e, size_t row, tut_buf *out)
{
    const tabular *t = e->own;
    const tut_sample *s = e->sample;
    uint32_t to = e->became[row];
    tut_features_show(&t->features, s, s->rows + row * e->width, e->worst + row * e->width, out);
    tut_buf_add_z(out, " turns the decision to ");
    if (s->class_names && to < s->classes)
        tut_buf_add_escaped(out, tut_str_of(s->class_names[to]), 40);
    else
        tut_buf_printf(out, "class %u", to);
}

static const tut_evasion_kind kind = {
    .name = "tabular",
    .weakness =
        "The ranges are those of the sample, and columns change one by one: what depends on "
        "one another (income and tax) may come apart; name what cannot change as fixed.",
    .queries_a_row = 1000,
    .is_minimal = true,
    .is_own_space = true,
    .search = search,
    .tell = tell,
    .show = show,
};

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    bool is_image = p->axes >= 2 || (!p->axes && tut_target_about(p->target)->axes >= 2);
    ret->weakness = kind.weakness;
    if (is_image || (p->others && p->others->width > WIDEST)) {
        tut_evasion_unmeasured("it is for tables of at most 256 columns", ret);
        return TUT_SUCCESS;
    }
    return tut_evasion_run(p, &kind, ret, err);
}

const tut_attack tut_attack_evasion_tabular = {
    .probe = "evasion",
    .name = "tabular",
    .about = "Looks for the cheapest change of few columns that somebody could make.",
    .source = "Ballet et al. 2019, Imperceptible adversarial attacks on tabular data",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .shows_rows = true,
    .run = run,
};
