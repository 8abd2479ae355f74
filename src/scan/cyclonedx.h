/* A scan as a CycloneDX 1.6 document: files as components, findings as vulnerabilities of them. */
#ifndef TUT_SCAN_CYCLONEDX_H
#define TUT_SCAN_CYCLONEDX_H

#include "scan/scan.h"

/* Canonical JSON and a newline. The serial number is that of the content: the same result, the same
 * number. What somebody accepted for a time carries that as its analysis. */
TUT_MUST tut_status tut_scan_cyclonedx(const tut_scan *scan, tut_buf *out, tut_error *err);

#endif
