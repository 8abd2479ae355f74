/* Images of containers and models as directories of files that are called by their digest. */
#ifndef TUT_SCAN_IMAGE_H
#define TUT_SCAN_IMAGE_H

#include "scan/scan.h"

/* Over all reports of a scan, before what is no model is left out: files whose name is a digest are
 * held against the digest of their content, and get the name that a manifest gives them, as fact
 * "image.title". Reads no file. */
TUT_MUST tut_status tut_image_finish(tut_scan *scan, tut_error *err);

#endif
