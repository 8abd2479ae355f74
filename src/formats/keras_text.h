/* JSON as Python reads it, which is more than RFC 8259 allows, turned into that. */
#ifndef TUT_FORMATS_KERAS_TEXT_H
#define TUT_FORMATS_KERAS_TEXT_H

#include "base/buf.h"

/* Bytes of UTF-8, UTF-16 or UTF-32, with a byte order mark or without, told apart as json.loads()
 * does; NaN, Infinity and lone surrogates become what strict readers take. Offsets hold as long as
 * the text was UTF-8. *ret_encoding: "UTF-8". */
void tut_keras_text(tut_span bytes, tut_buf *out, const char **ret_encoding);

#endif
