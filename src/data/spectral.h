/*
 * Spectral signatures (Tran, Li, Madry 2018), robustly: within each class, how far a row lies along
 * the directions in which the class varies most. Rows of another kind under the same label pull
 * such a direction towards themselves; in activations of a trained model more than in the data
 * itself.
 *
 * The original takes the largest share of the squared projection away, in every class. Here a score
 * is only an outlier if it is too far for what most of the class does: along each of the first
 * directions (that of the largest variance, found after rows far outside are cut back to a
 * multiple of their class's median distance), the distance from the median is measured in robust
 * deviations, with the tail that the class itself has (a generalised Pareto distribution from
 * its inner quantiles and a margin, or the normal one, whichever is heavier): p. q is Benjamini and
 * Hochberg's over all rows. Clean classes have none, or few, and no share is fixed.
 *
 * A cluster that makes up much of a class is not outlying: see the search for backdoors.
 */
#ifndef TUT_DATA_SPECTRAL_H
#define TUT_DATA_SPECTRAL_H

#include <stddef.h>

#include "base/alloc.h"
#include "base/status.h"

typedef struct tut_spectral_outlier {
    uint32_t row;
    double score; /* robust deviations along its worst direction */
    double p, q;
} tut_spectral_outlier;

typedef struct tut_spectral_outliers { /* zeroed: none */
    tut_spectral_outlier *items;       /* q at most 0.01; the farthest first */
    size_t count;
    size_t classes_skipped; /* with fewer than 50 rows */
} tut_spectral_outliers;
void tut_spectral_outliers_done(tut_spectral_outliers *o);

/* features: count x width, finite. NOMEM, CANCELLED. */
TUT_MUST tut_status tut_spectral_find(const float *features, size_t count, size_t width,
                                      const uint32_t *labels, size_t classes,
                                      tut_spectral_outliers *ret_outliers, tut_error *err);

#endif
