#include "probe/backdoor.h"

#include <math.h>
#include <string.h>

#include "stats/robust.h"

#define LEAST 1e-3 /* of an area: less is none */

double tut_backdoor_suspicion(const double *values, size_t count, tut_arena *arena,
                              size_t *ret_lowest)
{
    size_t lowest = 0;
    double *copy = tut_arena_take(arena, count + 1, sizeof(*copy));
    for (size_t i = 1; i < count; i++)
        lowest = values[i] < values[lowest] ? i : lowest;
    *ret_lowest = lowest;
    if (!copy || count == 0)
        return NAN;
    for (size_t i = 0; i < count; i++)
        copy[i] = log(fmax(values[i], LEAST));
    tut_robust r = tut_robust_of(copy, count);
    return -tut_robust_z(&r, log(fmax(values[lowest], LEAST)), 0.25);
}

double tut_backdoor_entropy(const float *p, size_t count, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < count * classes; i++)
        sum -= p[i] > 0 ? (double)p[i] * log2((double)p[i]) : 0;
    return count ? sum / (double)count : 0;
}

void tut_backdoor_lay_over(const tut_space *s, const float *row, const float *over, float *ret)
{
    for (size_t j = 0; j < s->width; j++) {
        float x = s->is_image ? row[j] + over[j] - s->low[j] : (row[j] + over[j]) / 2;
        ret[j] = x > s->high[j] ? s->high[j] : x;
    }
}

void tut_backdoor_stamp(const tut_space *s, const tut_mark *m, const float *row, float *ret)
{
    for (size_t j = 0; j < s->width; j++)
        ret[j] = s->unit[j] > 0 ? row[j] + m->cover[j] * (m->paint[j] - row[j]) : row[j];
}
