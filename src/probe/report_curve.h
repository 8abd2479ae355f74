/* One curve as a picture: measured straight, through the guard, or both. */
#ifndef TUT_PROBE_REPORT_CURVE_H
#define TUT_PROBE_REPORT_CURVE_H

#include "base/buf.h"
#include "probe/result.h"

/* The svg element, for a page with the page's style. Either may be NULL; nothing is written where
 * there is nothing to draw. False then. */
bool tut_curve_draw(const tut_curve *straight, const tut_curve *guarded, bool is_alone,
                    tut_buf *out);

#endif
