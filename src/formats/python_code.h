/*
 * What Python source calls. Names are followed through imports, renamings, __import__, getattr with
 * a literal name and __dict__; each call of something imported or built in is a reference
 * (tut_reference), with the literal strings among its arguments, and whether one of them is decoded
 * or fetched first. Nothing is executed; what is computed otherwise is not seen.
 */
#ifndef TUT_FORMATS_PYTHON_CODE_H
#define TUT_FORMATS_PYTHON_CODE_H

#include "formats/format.h"

/* Reports code.* observations of what fits together within the file, and references. is_notebook:
 * cells joined; lines of magic are passed over, and nothing counts as run by an import. */
TUT_MUST tut_status tut_python_examine(tut_exam *x, tut_str text, bool is_notebook, tut_error *err);

#endif
