/* Files that hold the values of a model beside them. */
#ifndef TUT_SCAN_PARTS_H
#define TUT_SCAN_PARTS_H

#include "scan/scan.h"

/* Over all reports of a scan: a file of plain numbers has no header, so by itself it is nothing
 * known. Where a model of the same scan says that its values lie there, it is recognised as that,
 * unless something was found in it. Reads no file. */
TUT_MUST tut_status tut_parts_finish(tut_scan *scan, tut_error *err);

#endif
