/* Which build this is, without reading the program: the linker's own digest of what it linked. */
#ifndef TUT_SCAN_BUILD_ID_H
#define TUT_SCAN_BUILD_ID_H

#include "base/buf.h"

/* Appends the GNU build id of the object that holds this code; false where the linker gave none. */
bool tut_build_id(tut_buf *out);

#endif
