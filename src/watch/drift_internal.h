/* What the tests of single features, their joint tests and performance share. For drift*.c. */
#ifndef TUT_WATCH_DRIFT_INTERNAL_H
#define TUT_WATCH_DRIFT_INTERNAL_H

#include "watch/drift.h"

/* drift_feature.c */
TUT_MUST tut_status drift_feature_judge(const tut_pair *p, tut_pair_column *c,
                                        const tut_drift_options *o, tut_drift_feature *ret,
                                        tut_error *err);
/* drift_bars.c */
void drift_bars_numbers(tut_drift_bars *bars, const double *const sorted[TUT_SIDES],
                        const size_t counts[TUT_SIDES]);
void drift_bars_categories(tut_drift_bars *bars, const tut_category *categories, size_t count,
                           const uint64_t others[TUT_SIDES]);
/* ngrams.c */
TUT_MUST tut_status drift_language_judge(const tut_pair_column *c, const tut_drift_options *o,
                                         tut_drift_feature *ret, tut_error *err);
/* drift_joint.c: before the numbers are put into order. */
TUT_MUST tut_status drift_joint_judge(const tut_pair *p, const tut_drift_options *o, tut_drift *d,
                                      tut_error *err);
/* performance.c: the same. */
TUT_MUST tut_status drift_performance_judge(const tut_pair *p, const tut_drift_options *o,
                                            tut_drift *d, tut_error *err);
/* Whether so many different values, of so many rows, are names of classes rather than numbers. */
enum { DRIFT_FEW_VALUES = 12 };

#endif
