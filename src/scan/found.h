/* What a scan found, as the inventory wants it. */
#ifndef TUT_SCAN_FOUND_H
#define TUT_SCAN_FOUND_H

#include "assets/system.h"
#include "scan/scan.h"

typedef struct tut_found {
    tut_found_file *files; /* in byte order of rel; borrow from the scan */
    size_t count;
    const char **facts; /* storage of keys and values */
} tut_found;

void tut_found_free(tut_found *f);
TUT_DEFINE_AUTO(tut_found)

/* The scan must outlive the result. */
TUT_MUST tut_status tut_scan_found(const tut_scan *scan, tut_found **ret_found, tut_error *err);

#endif
