/*
 * Python code objects as marshal writes them (Python 2.7 to 3.14): recognised, and the names and
 * texts that they use listed. Never unmarshalled: nothing is built, nothing runs.
 */
#ifndef TUT_FORMATS_MARSHAL_H
#define TUT_FORMATS_MARSHAL_H

#include "formats/format.h"

enum { TUT_MARSHAL_NAMES = 64, TUT_MARSHAL_TEXTS = 64 };

typedef struct tut_marshal_use {
    tut_str names[TUT_MARSHAL_NAMES]; /* globals, attributes, modules, in the order of first use */
    size_t name_count;
    tut_str texts[TUT_MARSHAL_TEXTS]; /* constants */
    size_t text_count;
    bool is_whole; /* read to the end of the object, and nothing left out */
} tut_marshal_use;

/* The first bytes are those of a code object. */
bool tut_marshal_is_code(tut_span head);
/* What the code, and all code inside it, uses; views into `bytes`. What comes before a break is
 * kept. LIMIT when the budget's steps end. */
TUT_MUST tut_status tut_marshal_read(tut_span bytes, tut_budget *budget, tut_marshal_use *ret,
                                     tut_error *err);
/* Reads the code and reports it under `rule`; `where` names the place. */
TUT_MUST tut_status tut_marshal_report(tut_exam *x, tut_span bytes, const char *rule,
                                       const char *where, tut_error *err);

#endif
