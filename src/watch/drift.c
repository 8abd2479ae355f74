#include "watch/drift.h"

#include <math.h>
#include <stdio.h>

#include "stats/fdr.h"
#include "watch/drift_internal.h"

const tut_drift_options tut_drift_by_default = {
    .alpha = 0.05, .effect = 0.1, .power = 0.8, .least = 20, .seed = 20260101};

void tut_drift_free(tut_drift *d)
{
    if (!d)
        return;
    tut_free(d->features);
    tut_free(d);
}

bool tut_drift_is_found(const tut_drift *d)
{
    return d->drifted > 0 || (d->joint.is_there && d->joint.drifted) ||
           (d->performance.is_there && d->performance.drifted);
}

/* Over everything that was tested. */
static tut_status adjust(tut_drift *d, tut_error *err)
{
    TUT_AUTO_FREE double *p = tut_alloc_array(2 * d->count + 1, sizeof(*p));
    size_t count = 0;
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < d->count; i++) {
        const tut_drift_feature *f = &d->features[i];
        if (!isnan(f->p))
            p[count++] = f->p;
        if (!isnan(f->missing_p))
            p[count++] = f->missing_p;
    }
    if (!tut_is_ok(tut_fdr(p, count, count, p)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    count = 0;
    for (size_t i = 0; i < d->count; i++) {
        tut_drift_feature *f = &d->features[i];
        if (!isnan(f->p))
            f->q = p[count++];
        if (!isnan(f->missing_p))
            f->missing_q = p[count++];
    }
    return TUT_SUCCESS;
}

static void decide(tut_drift *d)
{
    for (size_t i = 0; i < d->count; i++) {
        tut_drift_feature *f = &d->features[i];
        if (!isnan(f->p))
            f->drifted = f->q <= d->alpha && f->effect >= d->effect;
        f->is_missing_drifted = f->is_missing_drifted && !isnan(f->missing_q) &&
                                f->missing_q <= d->alpha;
        d->drifted += f->drifted || f->is_missing_drifted;
        d->is_enough = d->is_enough || !isnan(f->p);
    }
}

tut_status tut_drift_judge(tut_pair *p, const tut_drift_options *o, tut_drift **ret_drift,
                           tut_error *err)
{
    TUT_AUTO(tut_drift) d = tut_alloc_array(1, sizeof(*d));
    if (!d)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->features = tut_alloc_array(p->column_count + 1, sizeof(*d->features));
    if (!d->features)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->alpha = o->alpha;
    d->effect = o->effect;
    for (unsigned side = 0; side < TUT_SIDES; side++) {
        d->rows[side] = p->rows[side];
        d->kept[side] = p->kept_rows[side];
        d->defects[side] = p->ragged[side];
    }
    if (p->rows[0] < o->least || p->rows[1] < o->least) {
        (void)snprintf(d->why, sizeof(d->why),
                       "%llu rows in the reference and %llu now: at least %zu of each are needed",
                       (unsigned long long)p->rows[0], (unsigned long long)p->rows[1], o->least);
        *ret_drift = tut_move(&d);
        return TUT_SUCCESS;
    }
    for (size_t i = 0; i < p->column_count; i++) {
        TUT_TRY(drift_feature_judge(p, &p->columns[i], o, &d->features[i], err));
        d->count++;
    }
    TUT_TRY(adjust(d, err));
    decide(d);
    TUT_TRY(drift_joint_judge(p, o, d, err));
    TUT_TRY(drift_performance_judge(p, o, d, err));
    if (!d->is_enough)
        (void)snprintf(d->why, sizeof(d->why), "no column has values that could be compared");
    *ret_drift = tut_move(&d);
    return TUT_SUCCESS;
}
