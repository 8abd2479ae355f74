/* A scan as people see it in a terminal. */
#ifndef TUT_CMD_SCAN_VIEW_H
#define TUT_CMD_SCAN_VIEW_H

#include "scan/scan.h"

/* The table of files, the findings, and the closing line. */
TUT_MUST tut_status tut_scan_view(const tut_scan *scan, const tut_term *term, uint64_t took_ms,
                                  tut_buf *out, tut_error *err);

/* The tensors of a file that differ from those of its earlier version, r->baseline. */
TUT_MUST tut_status tut_scan_changes(const tut_file_report *r, const tut_term *term, tut_buf *out);

#endif
