/*
 * Which rows a thief asks about: rows of the same kind in a random order (Orekondy, Schiele and
 * Fritz 2019); when there are no more, ones made between two of them. An active thief spends half
 * of its queries where the copy is least sure (Pal 2020), among made rows too (after the
 * augmentation of Papernot 2017, without its gradients).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "probe/extraction_internal.h"
#include "probe/target_internal.h"

enum { CHOICE = 6 }; /* candidates for each row that is asked about */

static bool takes_any(const tut_theft *t)
{
    return (t->p->target->facts.gives & TUT_GIVES_ANY_ROW) != 0;
}

size_t tut_theft_left(const tut_theft *t, size_t wanted)
{
    size_t left = t->pool_count - t->pool_used;
    return takes_any(t) || wanted < left ? wanted : left;
}

static const float *other(const tut_theft *t, size_t i)
{
    return t->p->others->rows + i * t->width;
}

/* Between two rows, a little beyond them at most; bits and whole numbers are taken from either. */
static void make_row(tut_theft *t, float *ret)
{
    const tut_sample *o = t->p->others;
    const float *a = other(t, t->pool[tut_seeded_below(&t->random, t->pool_count)]);
    const float *b = other(t, t->pool[tut_seeded_below(&t->random, t->pool_count)]);
    double share = 1.2 * tut_seeded_unit(&t->random) - 0.1;
    for (size_t c = 0; c < t->width; c++) {
        bool is_either = o->columns && (o->columns[c].is_bool || o->columns[c].is_whole);
        double x = (double)a[c] + share * ((double)b[c] - (double)a[c]);
        if (is_either)
            x = (double)(tut_seeded_unit(&t->random) < share ? b[c] : a[c]);
        if (o->columns)
            x = fmin(fmax(x, o->columns[c].least), o->columns[c].most);
        ret[c] = (float)x;
    }
}

static void next_row(tut_theft *t, float *ret, uint64_t *ret_place)
{
    *ret_place = 0;
    if (t->pool_used >= t->pool_count) {
        make_row(t, ret);
        return;
    }
    size_t i = t->pool[t->pool_used++];
    memcpy(ret, other(t, i), t->width * sizeof(*ret));
    *ret_place = tut_probe_place_of_other(t->p, i);
}

typedef struct doubt {
    double margin; /* between the two most probable classes */
    size_t at;
} doubt;

static int least_first(const void *a, const void *b)
{
    const doubt *x = a, *y = b;
    if (x->margin != y->margin)
        return x->margin > y->margin ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

static double margin_of(const float *p, size_t classes)
{
    double first = 0, second = 0;
    for (size_t c = 0; c < classes; c++) {
        double x = (double)p[c];
        if (x > first) {
            second = first;
            first = x;
        } else if (x > second) {
            second = x;
        }
    }
    return first - second;
}

/* Candidates are the next rows of the pool, and as many made ones; what is chosen of the pool moves
 * to the front of what is left of it. */
static tut_status most_doubtful(tut_theft *t, const tut_learner *copy, size_t count, float *ret,
                                uint64_t *places, tut_error *err)
{
    size_t from_pool = t->pool_count - t->pool_used, all = CHOICE * count;
    from_pool = from_pool < all / 2 ? from_pool : all / 2;
    TUT_AUTO_FREE float *rows = tut_alloc_array(all + 1, t->width * sizeof(*rows));
    TUT_AUTO_FREE float *p = tut_alloc_array(all + 1, t->classes * sizeof(*p));
    TUT_AUTO_FREE doubt *doubts = tut_alloc_array(all + 1, sizeof(*doubts));
    if (!rows || !p || !doubts)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < all; i++) {
        if (i < from_pool)
            memcpy(rows + i * t->width, other(t, t->pool[t->pool_used + i]),
                   t->width * sizeof(*rows));
        else
            make_row(t, rows + i * t->width);
    }
    TUT_TRY(tut_learner_predict(copy, rows, all, p, err));
    for (size_t i = 0; i < all; i++)
        doubts[i] = (doubt){margin_of(p + i * t->classes, t->classes), i};
    qsort(doubts, all, sizeof(*doubts), least_first);
    size_t taken = 0;
    TUT_AUTO_FREE size_t *chosen = tut_alloc_array(count + 1, sizeof(*chosen));
    if (!chosen)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t k = 0; k < count; k++) {
        size_t at = doubts[k].at;
        memcpy(ret + k * t->width, rows + at * t->width, t->width * sizeof(*ret));
        places[k] = 0;
        if (at >= from_pool)
            continue;
        size_t row = t->pool[t->pool_used + at];
        places[k] = tut_probe_place_of_other(t->p, row);
        chosen[taken++] = t->pool_used + at;
    }
    for (size_t k = 0; k < taken; k++) { /* those that moved are looked up by their old place */
        size_t front = t->pool_used++, at = chosen[k], row = t->pool[at];
        t->pool[at] = t->pool[front];
        t->pool[front] = row;
        for (size_t j = k + 1; j < taken; j++)
            chosen[j] = chosen[j] == front ? at : chosen[j];
    }
    return TUT_SUCCESS;
}

tut_status tut_theft_choose(tut_theft *t, const tut_learner *copy, size_t count, float *ret_rows,
                            uint64_t *ret_places, tut_error *err)
{
    size_t doubtful = copy && t->is_active && takes_any(t) ? count / 2 : 0;
    for (size_t i = doubtful; i < count; i++)
        next_row(t, ret_rows + i * t->width, &ret_places[i]);
    if (doubtful == 0)
        return TUT_SUCCESS;
    return most_doubtful(t, copy, doubtful, ret_rows, ret_places, err);
}

uint32_t tut_theft_label(const double *p, size_t classes)
{
    uint32_t best = 0;
    for (uint32_t c = 0; c < classes; c++) {
        if (isnan(p[c]))
            return UINT32_MAX;
        best = p[c] > p[best] ? c : best;
    }
    return best;
}
