/*
 * From results to a verdict: the bounds that a system sets (probe.bounds of tutela.yaml), or ours.
 */
#ifndef TUT_PROBE_JUDGE_H
#define TUT_PROBE_JUDGE_H

#include "probe/attack.h"

/* BOUND(probe, metric, is_most, default, about) in bounds.def: is_most: the measure may be at most
 * so much; else at least. */
typedef struct tut_bound {
    const char *probe, *metric;
    bool is_most;
    double value;
    const char *about;
    bool is_wanted; /* tutela.yaml sets it: not measured is not passed */
} tut_bound;

enum { TUT_BOUNDS_MOST = 32 };
typedef struct tut_bounds {
    size_t count;
    tut_bound items[TUT_BOUNDS_MOST];
} tut_bounds;

tut_bounds tut_bounds_default(void);
/* NULL: none for this measure. */
tut_bound *tut_bounds_find(tut_bounds *b, tut_str probe, tut_str metric);
/* PASS where the whole interval keeps the bound, FAIL where all of it breaks it, OPEN between; a
 * measure without an interval is judged by its value. */
tut_outcome tut_bound_judge(const tut_bound *b, const tut_measure *m);

#endif
