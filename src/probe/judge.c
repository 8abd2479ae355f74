#include "probe/judge.h"

#include <math.h>

tut_bounds tut_bounds_default(void)
{
    static const tut_bound table[] = {
#define BOUND(probe, metric, is_most, value, about) {probe, metric, is_most, value, about, false},
#include "probe/bounds.def"
#undef BOUND
    };
    tut_bounds b = {.count = sizeof(table) / sizeof(table[0])};
    for (size_t i = 0; i < b.count; i++)
        b.items[i] = table[i];
    return b;
}

tut_bound *tut_bounds_find(tut_bounds *b, tut_str probe, tut_str metric)
{
    for (size_t i = 0; i < b->count; i++)
        if (tut_str_eq_z(probe, b->items[i].probe) && tut_str_eq_z(metric, b->items[i].metric))
            return &b->items[i];
    return NULL;
}

tut_outcome tut_bound_judge(const tut_bound *b, const tut_measure *m)
{
    double low = isnan(m->low) ? m->value : m->low;
    double high = isnan(m->high) ? m->value : m->high;
    if (isnan(m->value))
        return TUT_OUTCOME_UNMEASURED;
    if (b->is_most ? high <= b->value : low >= b->value)
        return TUT_OUTCOME_PASS;
    return (b->is_most ? low > b->value : high < b->value) ? TUT_OUTCOME_FAIL : TUT_OUTCOME_OPEN;
}
