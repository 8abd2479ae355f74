/*
 * Payloads inside strings and bytes: a pickle, an archive, something compressed, a code object;
 * raw, or as base64 or hexadecimal text. What is recognised is examined as an artefact of its own.
 */
#ifndef TUT_FORMATS_PICKLE_NESTED_H
#define TUT_FORMATS_PICKLE_NESTED_H

#include "formats/pickle_machine.h"

/* Looks at the next `len` bytes of the input, which hold a value of this type. */
TUT_MUST tut_status tut_pnested_look(tut_pmachine *m, tut_pval_type type, uint64_t len,
                                     bool *ret_is_consumed);
/* The same for content that was computed; `what` names it in the location. */
TUT_MUST tut_status tut_pnested_look_memory(tut_pmachine *m, tut_str content, const char *what);

#endif
