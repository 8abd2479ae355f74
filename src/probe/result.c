#include "probe/result.h"

#include <math.h>

enum { POINTS = 512, TEXT = 400 };

const char *tut_outcome_name(tut_outcome o)
{
    static const char *const names[] = {"unmeasured", "pass", "fail", "open"};
    return names[o];
}

void tut_result_add(tut_attack_result *r, const char *name, double value, double low, double high)
{
    if (r->measure_count < TUT_RESULT_MEASURES)
        r->measures[r->measure_count++] = (tut_measure){name, value, low, high};
}

void tut_result_add_curve(tut_attack_result *r, tut_arena *arena, const tut_curve *curve)
{
    size_t n = curve->count < POINTS ? curve->count : POINTS;
    double *xs = tut_arena_take(arena, n + 1, sizeof(*xs));
    double *ys = tut_arena_take(arena, n + 1, sizeof(*ys));
    if (r->curve_count == TUT_RESULT_CURVES || n == 0 || !xs || !ys)
        return;
    for (size_t i = 0; i < n; i++) { /* the first and the last point always */
        size_t at = n > 1 ? i * (curve->count - 1) / (n - 1) : 0;
        xs[i] = curve->xs[at];
        ys[i] = curve->ys[at];
    }
    tut_curve *kept = &r->curves[r->curve_count++];
    *kept = *curve;
    kept->count = n;
    kept->xs = xs;
    kept->ys = ys;
}

void tut_result_add_exposed(tut_attack_result *r, tut_arena *arena, uint64_t row, double score,
                            const char *text)
{
    tut_str short_text = text ? tut_str_of(text) : (tut_str){NULL, 0};
    if (r->exposed_count == TUT_RESULT_EXPOSED)
        return;
    if (short_text.len > TEXT)
        short_text.len = TEXT;
    r->exposed[r->exposed_count++] = (tut_exposed){row, score,
                                                   text ? tut_arena_copy(arena, short_text) : NULL};
}
