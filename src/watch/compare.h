/* Two files, read and compared by a worker without keys or network (base/cage.h). */
#ifndef TUT_WATCH_COMPARE_H
#define TUT_WATCH_COMPARE_H

#include "base/cage.h"
#include "watch/drift.h"

typedef struct tut_compare_options {
    tut_drift_options drift;
    const tut_str *columns; /* only these; none: all */
    size_t column_count;
    tut_str language; /* a column of texts; empty: none */
    tut_cage_mode sandbox;
} tut_compare_options;

/* IO and the like with the path when a file cannot be opened or is no dataset. */
TUT_MUST tut_status tut_compare_files(const char *const paths[TUT_SIDES],
                                      const tut_compare_options *options, tut_drift **ret_drift,
                                      tut_error *err);

#endif
