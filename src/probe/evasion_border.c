#include "probe/evasion_border.h"

#include <math.h>
#include <string.h>

enum { NEIGHBOURS = 8, TRIES = 100, LOOKED_AT = 512 };

double tut_border_theta(const tut_space *s)
{
    double d = (double)s->width;
    return s->norm == TUT_NORM_L2 ? 1 / (d * sqrt(d)) : 1 / (d * d);
}

tut_status tut_border_make(tut_border *b, tut_evasion *e, tut_error *err)
{
    size_t n = e->count;
    b->phase = tut_evasion_memory(e, n, sizeof(*b->phase));
    b->tries = tut_evasion_memory(e, n, sizeof(*b->tries));
    b->far = tut_evasion_memory(e, n * e->width, sizeof(*b->far));
    b->low = tut_evasion_memory(e, n, sizeof(*b->low));
    b->high = tut_evasion_memory(e, n, sizeof(*b->high));
    b->length = tut_evasion_memory(e, n, sizeof(*b->length));
    b->next = tut_evasion_memory(e, e->width, sizeof(*b->next));
    if (!b->phase || !b->tries || !b->far || !b->low || !b->high || !b->length || !b->next)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

/* --- a first point --- */

typedef struct neighbour {
    size_t row;
    uint32_t class;
    double far;
} neighbour;

/* Keeps the list sorted, with one row a class. */
static size_t insert(neighbour *list, size_t n, neighbour new)
{
    size_t at = 0, end = 0;
    while (at < n && list[at].far <= new.far &&list[at].class != new.class)
        at++;
    if (at == NEIGHBOURS || (at < n && list[at].class == new.class &&list[at].far <= new.far))
        return n;
    for (end = at; end < n && list[end].class != new.class; end++)
        ;
    n += end == n && n < NEIGHBOURS;
    for (size_t m = end < n ? end : n - 1; m > at; m--)
        list[m] = list[m - 1];
    list[at] = new;
    return n;
}

/* Of each class that other rows are taken for the nearest; of those the k-th. */
static bool find_neighbour(const tut_evasion *e, size_t row, size_t k, size_t *ret_at)
{
    neighbour list[NEIGHBOURS];
    size_t n = 0;
    for (size_t i = 0; i < e->count && i < LOOKED_AT; i++)
        if (e->is_known[i] && e->clean[i] != e->sample->labels[row])
            n = insert(list, n,
                       (neighbour){i, e->clean[i],
                                   tut_space_distance(&e->space, e->sample->rows + row * e->width,
                                                      e->sample->rows + i * e->width)});
    if (k >= n)
        return false;
    *ret_at = list[k].row;
    return true;
}

/* First the nearest row of each other class, then anything within the range. */
static void propose_first(tut_border *b, tut_evasion *e, size_t row)
{
    const tut_space *s = &e->space;
    const float *x = e->sample->rows + row * e->width;
    size_t other = 0;
    if (b->tries[row] < NEIGHBOURS && find_neighbour(e, row, b->tries[row], &other)) {
        tut_space_between(s, x, e->sample->rows + other * e->width, b->next);
        return;
    }
    for (size_t j = 0; j < e->width; j++) {
        double to = s->low[j] + tut_seeded_unit(&e->random[row]) * (s->high[j] - s->low[j]);
        b->next[j] = s->unit[j] > 0 ? (float)((to - x[j]) / s->unit[j]) : 0;
    }
}

/* --- back towards the row --- */

/* So much of what was added: a share of it, or what a cube of that size leaves. */
static void part_of(const tut_space *s, const float *far, double much, float *ret)
{
    for (size_t j = 0; j < s->width; j++)
        ret[j] = s->norm == TUT_NORM_L2 ? (float)(far[j] * much)
                                        : fmaxf(fminf(far[j], (float)much), -(float)much);
}

void tut_border_begin_again(tut_border *b, size_t row)
{
    b->tries[row]++;
    b->phase[row] = TUT_BORDER_LOOK;
}

void tut_border_halve(tut_border *b, tut_evasion *e, size_t row, const float *asked)
{
    float *far = b->far + row * e->width;
    tut_space_between(&e->space, e->sample->rows + row * e->width, asked, far);
    b->length[row] = tut_space_length(&e->space, far);
    b->low[row] = 0;
    b->high[row] = e->space.norm == TUT_NORM_L2 ? 1 : b->length[row];
    b->phase[row] = TUT_BORDER_HALVE;
}

static bool is_close(const tut_border *b, const tut_evasion *e, size_t row)
{
    double theta = fmin(tut_border_theta(&e->space), 1e-3);
    if (e->space.norm != TUT_NORM_L2)
        theta = fmin(theta, theta * b->length[row]);
    /* Single precision ends it too. */
    return b->high[row] - b->low[row] <= fmax(theta, 1e-7 * b->high[row]);
}

static void arrive(tut_border *b, tut_evasion *e, size_t row)
{
    float *far = b->far + row * e->width;
    part_of(&e->space, far, b->high[row], far);
    b->length[row] = tut_space_length(&e->space, far);
    b->phase[row] = TUT_BORDER_MOVE;
    if (b->length[row] <= 0)
        e->is_done[row] = 1;
    b->arrived(b, e, row);
}

/* --- rounds --- */

static void take(tut_evasion *e, void *ctx, const tut_evasion_answer *a)
{
    tut_border *b = ctx;
    size_t i = a->row;
    switch ((tut_border_phase)b->phase[i]) {
    case TUT_BORDER_LOOK:
        if (a->is_wrong)
            tut_border_halve(b, e, i, a->asked);
        else if (++b->tries[i] >= TRIES)
            e->is_done[i] = 1;
        return;
    case TUT_BORDER_HALVE:
        *(a->is_wrong ? &b->high[i] : &b->low[i]) = (b->low[i] + b->high[i]) / 2;
        if (is_close(b, e, i))
            arrive(b, e, i);
        return;
    case TUT_BORDER_MOVE:
        b->moved(b, e, a);
    }
}

static tut_status propose(tut_border *b, tut_evasion *e, size_t row, tut_error *err)
{
    switch ((tut_border_phase)b->phase[row]) {
    case TUT_BORDER_LOOK:
        propose_first(b, e, row);
        break;
    case TUT_BORDER_HALVE:
        part_of(&e->space, b->far + row * e->width, (b->low[row] + b->high[row]) / 2, b->next);
        break;
    case TUT_BORDER_MOVE:
        return b->move(b, e, row, err);
    }
    return tut_evasion_put(e, row, b->next, 0, err);
}

tut_status tut_border_run(tut_border *b, tut_evasion *e, tut_error *err)
{
    tut_evasion_begin(e, take, b);
    while (tut_evasion_is_any_live(e)) {
        for (size_t i = 0; i < e->count; i++)
            if (tut_evasion_is_live(e, i))
                TUT_TRY(propose(b, e, i, err));
        TUT_TRY(tut_evasion_send(e, err));
    }
    return TUT_SUCCESS;
}
