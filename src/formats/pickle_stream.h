/*
 * A file of pickles, as its loaders see it:
 *
 *   file = pickle { [NULs] pickle } [garbage { pickle }]
 *   legacy torch: see torch_legacy.h
 *
 * After STOP every plausible place is looked at for another pickle; loaders that are called again,
 * or that seek, would run it.
 */
#ifndef TUT_FORMATS_PICKLE_STREAM_H
#define TUT_FORMATS_PICKLE_STREAM_H

#include "formats/format.h"

TUT_MUST tut_status tut_pstream_examine(tut_exam *x, tut_error *err);
/* For content that no format recognises: reads it as a pickle from its beginning as far as that
 * goes, and searches it for pickles that call something. Breaks are no news. */
TUT_MUST tut_status tut_pstream_search(tut_exam *x, tut_error *err);
/* Runs the bytes from `at` on (in x's source, up to `end`) as opcodes, in a second reading: only
 * names that look like names count. *ret_imports: how many there were. */
TUT_MUST tut_status tut_pstream_second_reading(tut_exam *x, const tut_source *source, uint64_t at,
                                               uint64_t end, int first_op, uint64_t *ret_imports,
                                               tut_error *err);

#endif
