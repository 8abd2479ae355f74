/* Bytes that a document carries as a value: looked at by their own content, then passed over. */
#ifndef TUT_FORMATS_BLOB_H
#define TUT_FORMATS_BLOB_H

#include "formats/format.h"

/* The next `size` bytes of the stream. A program is observed as data.hidden-payload; an artefact of
 * a format that Tutela reads is examined as the member "WHAT@OFFSET". The stream then stands behind
 * them. TRUNCATED when they are not there. */
TUT_MUST tut_status tut_blob_look(tut_exam *x, uint64_t size, const char *what, tut_error *err);

#endif
