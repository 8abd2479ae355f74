/* Changes of a row of a table that somebody could make: whole numbers stay whole, 0 and 1 stay 0
 * or 1, within what the sample shows of each column, and some columns cannot change. */
#ifndef TUT_PROBE_EVASION_TABULAR_H
#define TUT_PROBE_EVASION_TABULAR_H

#include "probe/evasion.h"

typedef struct tut_feature {
    bool can_change, is_whole, is_bool;
    float low, high;
    double spread; /* costs 1: 1.4826 MAD, else the standard deviation; of 0 and 1 the step */
} tut_feature;

typedef struct tut_features {
    size_t count, most; /* columns; that may change in one row */
    double bound;       /* the most that a change may cost; infinite: only columns are counted */
    tut_feature *items;
} tut_features;

TUT_MUST tut_status tut_features_of(tut_evasion *e, tut_features *ret, tut_error *err);
/* Of column j from x: the nearest value to `wanted` that it may have. */
float tut_feature_value(const tut_feature *f, float x, double wanted);
/* What a change costs, and how many columns it takes; infinite where it is not allowed. */
double tut_features_cost(const tut_features *f, const float *row, const float *other,
                         size_t *ret_changed);
/* "income 27,675 -> 27,900, age 21 -> 23". */
void tut_features_show(const tut_features *f, const tut_sample *s, const float *row,
                       const float *other, tut_buf *out);

#endif
