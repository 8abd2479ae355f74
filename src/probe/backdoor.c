#include "probe/backdoor.h"

#include <math.h>
#include <string.h>

#include "stats/order.h"
#include "stats/robust.h"
#include "stats/special.h"

enum { DRAWS = 1000 };
#define LEAST 1e-3 /* of an area: less is none */

/* Of one class; work: as many numbers. */
static double suspicion_of(const tut_suspect *s, const double *values, size_t class, double *work)
{
    for (size_t i = 0; i < s->count; i++)
        work[i] = log(fmax(values[i], LEAST));
    double own = work[class];
    tut_robust r = tut_robust_of(work, s->count);
    return -tut_robust_z(&r, own, s->floor);
}

tut_suspicion tut_backdoor_suspicion(const tut_suspect *s, tut_arena *arena)
{
    tut_suspicion found = {.value = NAN, .low = NAN, .high = NAN};
    size_t count = s->count;
    double *work = tut_arena_take(arena, 2 * count + 2 * (size_t)DRAWS, sizeof(*work));
    for (size_t i = 1; i < count; i++)
        found.lowest = s->values[i] < s->values[found.lowest] ? i : found.lowest;
    if (!work || count == 0)
        return found;
    found.value = suspicion_of(s, s->values, found.lowest, work);
    if (!s->draw)
        return found;
    double *drawn = work + count, *all = drawn + count;
    tut_seeded random = tut_seeded_of(s->seed ^ 0xb007);
    for (size_t i = 0; i < DRAWS; i++) {
        s->draw(s->ctx, &random, drawn);
        all[i] = suspicion_of(s, drawn, found.lowest, work);
    }
    tut_order_f64(all, all + DRAWS, DRAWS);
    found.low = all[DRAWS / 40 - 1];
    found.high = all[DRAWS - DRAWS / 40];
    return found;
}

double tut_backdoor_outlier(const double *values, size_t count, size_t *ret_greatest)
{
    size_t most = 0;
    double sum = 0, squares = 0, others = (double)count - 1;
    for (size_t i = 1; i < count; i++)
        most = values[i] > values[most] ? i : most;
    *ret_greatest = most;
    if (count < 3)
        return NAN;
    for (size_t i = 0; i < count; i++)
        sum += i == most ? 0 : values[i];
    for (size_t i = 0; i < count; i++)
        squares += i == most ? 0 : pow(values[i] - sum / others, 2);
    double spread = sqrt(squares / (others - 1) * (1 + 1 / others));
    double above = values[most] - sum / others;
    if (!(above > 0))
        return 1;
    return fmin(1, (double)count * tut_student_sf(above / spread, (unsigned)count - 2));
}

void tut_backdoor_unmeasured(const char *metric, const char *reason, tut_attack_result *ret)
{
    ret->metric = metric;
    ret->decisive = (tut_measure){metric, NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->reason = reason;
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
