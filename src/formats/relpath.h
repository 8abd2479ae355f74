/* Paths that an artefact names and a loader will open beside it. */
#ifndef TUT_FORMATS_RELPATH_H
#define TUT_FORMATS_RELPATH_H

#include "base/str.h"

/* Why a path must not be opened ("leads upwards"), or NULL. */
const char *tut_relpath_unsafe(tut_str path);

#endif
