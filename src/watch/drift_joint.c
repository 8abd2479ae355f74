/* Features together: what shows in none of them alone. */
#include <math.h>

#include "watch/drift_internal.h"

enum { POINTS = 2000, FEATURES = 64 };
static const double auc_least = 0.6; /* the area from which on sides are told apart for practice */

static bool is_usable(const tut_pair_column *c, tut_str left_out)
{
    uint64_t n = c->numbers[0], m = c->numbers[1];
    bool rises = c->rises[0] && c->rises[1];
    return c->is_there[0] && c->is_there[1] && !rises && c->texts[0] + c->texts[1] == 0 &&
           n > 9 * c->missing[0] && m > 9 * c->missing[1] && !tut_str_eq(c->name, left_out);
}

/* Every so many rows. A gap gets the value before it, as plain as it is: gaps have a test of their
 * own. */
static void gather(const tut_pair *p, const size_t *columns, size_t dims, unsigned side,
                   size_t count, double *to)
{
    for (size_t d = 0; d < dims; d++) {
        const double *v = p->columns[columns[d]].values[side];
        double last = 0;
        for (size_t i = 0; i < p->kept_rows[side] && !isfinite(v[i]); i++)
            last = i + 1 < p->kept_rows[side] && isfinite(v[i + 1]) ? v[i + 1] : last;
        for (size_t i = 0; i < count; i++) {
            double x = v[i * p->kept_rows[side] / count];
            last = isfinite(x) ? x : last;
            to[i * dims + d] = last;
        }
    }
}

tut_status drift_joint_judge(const tut_pair *p, const tut_drift_options *o, tut_drift *d,
                             tut_error *err)
{
    size_t columns[FEATURES], dims = 0, counts[TUT_SIDES];
    double *points[TUT_SIDES];
    for (size_t i = 0; i < p->column_count && dims < FEATURES; i++)
        if (is_usable(&p->columns[i], o->label))
            columns[dims++] = i;
    for (unsigned side = 0; side < TUT_SIDES; side++)
        counts[side] = p->kept_rows[side] < POINTS ? p->kept_rows[side] : POINTS;
    if (dims < 2 || counts[0] < o->least || counts[1] < o->least)
        return TUT_SUCCESS;
    TUT_AUTO_FREE double *held = tut_alloc_array((counts[0] + counts[1]) * dims, sizeof(*held));
    if (!held)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    points[0] = held;
    points[1] = held + counts[0] * dims;
    for (unsigned side = 0; side < TUT_SIDES; side++)
        gather(p, columns, dims, side, counts[side], points[side]);
    TUT_TRY(tut_mmd_test(points[0], counts[0], points[1], counts[1], dims, o->seed, &d->joint.mmd,
                         err));
    TUT_TRY(tut_told_apart(points[0], counts[0], points[1], counts[1], dims, o->seed,
                           &d->joint.classifier, err));
    d->joint.is_there = true;
    d->joint.features = dims;
    d->joint.points[0] = counts[0];
    d->joint.points[1] = counts[1];
    double p_least = fmin(d->joint.mmd.p, d->joint.classifier.p) * 2;
    d->joint.drifted = p_least <= o->alpha && d->joint.classifier.auc >= auc_least &&
                       d->joint.classifier.low > 0.5;
    return TUT_SUCCESS;
}
