/* Bars for a picture of two distributions. */
#include <math.h>

#include "watch/drift_internal.h"

/* Bars of one width between the 1st and 99th of a hundred of both; what is beyond is in the outer
 * ones. */
void drift_bars_numbers(tut_drift_bars *bars, const double *const sorted[TUT_SIDES],
                        const size_t counts[TUT_SIDES])
{
    double low = INFINITY, high = -INFINITY;
    for (unsigned side = 0; side < TUT_SIDES; side++) {
        if (counts[side] == 0)
            return;
        low = fmin(low, sorted[side][counts[side] / 100]);
        high = fmax(high, sorted[side][counts[side] - 1 - counts[side] / 100]);
    }
    if (!(isfinite(low) && isfinite(high) && low < high))
        return;
    bars->has_edges = true;
    bars->count = TUT_DRIFT_BARS;
    for (size_t i = 0; i <= TUT_DRIFT_BARS; i++)
        bars->edges[i] = low + (high - low) * (double)i / TUT_DRIFT_BARS;
    for (unsigned side = 0; side < TUT_SIDES; side++)
        for (size_t i = 0, at = 0; i < counts[side]; i++) {
            while (at + 1 < TUT_DRIFT_BARS && sorted[side][i] >= bars->edges[at + 1])
                at++;
            bars->counts[side][at]++;
        }
}

static uint64_t both(const tut_category *k)
{
    return k->counts[0] + k->counts[1];
}

/* The most frequent ones, and the rest in one. */
void drift_bars_categories(tut_drift_bars *bars, const tut_category *categories, size_t count,
                           const uint64_t others[TUT_SIDES])
{
    size_t chosen[TUT_DRIFT_BARS - 1], kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = kept;
        while (at > 0 && both(&categories[chosen[at - 1]]) < both(&categories[i]))
            at--;
        if (at >= TUT_DRIFT_BARS - 1)
            continue;
        kept += kept < TUT_DRIFT_BARS - 1;
        for (size_t k = kept - 1; k > at; k--)
            chosen[k] = chosen[k - 1];
        chosen[at] = i;
    }
    uint64_t rest[TUT_SIDES] = {others[0], others[1]};
    for (size_t i = 0; i < count; i++)
        for (unsigned side = 0; side < TUT_SIDES; side++)
            rest[side] += categories[i].counts[side];
    for (size_t i = 0; i < kept; i++) {
        tut_str_copy(bars->labels[i], TUT_DRIFT_LABEL, categories[chosen[i]].text);
        for (unsigned side = 0; side < TUT_SIDES; side++) {
            bars->counts[side][i] = categories[chosen[i]].counts[side];
            rest[side] -= bars->counts[side][i];
        }
    }
    bars->count = kept;
    if (rest[0] + rest[1] > 0) {
        tut_str_copy(bars->labels[kept], TUT_DRIFT_LABEL, TUT_LIT("(others)"));
        bars->counts[0][kept] = rest[0];
        bars->counts[1][kept] = rest[1];
        bars->count++;
    }
}
