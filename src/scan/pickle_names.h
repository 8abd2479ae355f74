/* Python's names: what Python 3 makes of Python 2 names, the standard library, known libraries. */
#ifndef TUT_SCAN_PICKLE_NAMES_H
#define TUT_SCAN_PICKLE_NAMES_H

#include "base/str.h"
#include "crypto/digest.h"

/* Replaces module and name as CPython's loader does for protocols below 3. True when it did. */
bool tut_python2_map(tut_str *module, tut_str *name);
/* By the first component of a dotted module. */
bool tut_python_is_standard(tut_str module);
bool tut_python_is_library(tut_str module);
/* ASCII identifiers joined by dots: what every real pickler writes. */
bool tut_python_is_dotted_name(tut_str text);

/* The allow list (pickle_allow.tsv): whole pairs only, and what each is harmless for. */
typedef enum tut_pickle_use {
    TUT_PICKLE_USE_NONE, /* not on the list */
    TUT_PICKLE_USE_CALL, /* called with anything */
    TUT_PICKLE_USE_MAKE, /* a class: made without arguments, then given its state */
    TUT_PICKLE_USE_HOLD  /* a function: referred to, never called */
} tut_pickle_use;
tut_pickle_use tut_pickle_allowed_use(tut_str module, tut_str name);
bool tut_pickle_allows(tut_str module, tut_str name);
/* For tests: lines of the list, and whether they are sorted and well formed. */
size_t tut_pickle_allow_count(bool *ret_is_sound);

/* Of the allow list; BUG when it is not the one that was built in. */
TUT_MUST tut_status tut_pickle_allow_digest(tut_sha256 *ret_digest, tut_error *err);

/* FNV-1a: names one finding among the few of a file, so collisions only fold two findings. */
uint64_t tut_name_hash(tut_str module, tut_str name);

#endif
