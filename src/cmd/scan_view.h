/* A scan as people see it in a terminal. */
#ifndef TUT_CMD_SCAN_VIEW_H
#define TUT_CMD_SCAN_VIEW_H

#include "scan/scan.h"

typedef struct tut_scan_tally {
    size_t verdicts[4]; /* by tut_verdict, of files that were recognised and read */
    size_t statuses[4]; /* by tut_scan_status */
    size_t findings[TUT_SEVERITY_COUNT];
} tut_scan_tally;

void tut_scan_count(const tut_scan *scan, tut_scan_tally *ret_tally);
/* The table of files, the findings, and the closing line. */
TUT_MUST tut_status tut_scan_view(const tut_scan *scan, const tut_term *term, uint64_t took_ms,
                                  tut_buf *out, tut_error *err);

#endif
