/* The registry of formats as text for people: docs/formats.md. */
#ifndef TUT_SCAN_FORMAT_DOC_H
#define TUT_SCAN_FORMAT_DOC_H

#include "base/buf.h"

void tut_formats_markdown(tut_buf *out);

#endif
