/* What the drills do. */
#ifndef TUT_ASSESS_DRILL_INTERNAL_H
#define TUT_ASSESS_DRILL_INTERNAL_H

#include "assess/drill.h"

TUT_MUST tut_status tut_drill_restore(const tut_drilling *d, tut_drill_result *r, tut_error *err);

#endif
