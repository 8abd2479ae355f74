/* Base64 (RFC 4648), strict: one text for each run of bytes. */
#ifndef TUT_CRYPTO_BASE64_H
#define TUT_CRYPTO_BASE64_H

#include "base/buf.h"

/* Standard alphabet with padding. */
void tut_base64_add(tut_buf *out, tut_span bytes);
/* The same in lines of 64 characters, each with LF: the body of a PEM block. */
void tut_base64_add_lines(tut_buf *out, tut_span bytes);
/* Strict: right length, padding, no stray bits, no white space. url_too: '-' and '_' as well.
 * MALFORMED leaves `out` as it was. */
TUT_MUST tut_status tut_base64_read(tut_str text, bool url_too, tut_buf *out);

#endif
