/* What the JSON files share. */
#ifndef TUT_BASE_JSON_INTERNAL_H
#define TUT_BASE_JSON_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TUT_JSON_NUMBER_TEXT = 32 };

/* Digits and exponent of a finite number above zero: the shortest that read back as the same
 * double, as "d.ddde[+-]dd". Returns the length. */
size_t tut_json_shortest(double v, char out[TUT_JSON_NUMBER_TEXT]);
/* The number as ECMAScript's Number::toString writes it (RFC 8785, 3.2.2.3); v is finite. */
size_t tut_json_number(double v, char out[TUT_JSON_NUMBER_TEXT]);

/* Where and why text is no JSON: for messages, after the parser has refused it. Returns the offset
 * of the first byte that breaks the grammar, or text.len when the text ends too early; *ret_why is
 * a constant, or NULL when nothing was found. */
size_t tut_json_locate(tut_str text, const char **ret_why);

/* Appends text and `padding` zero bytes; widen_integers: ".0" behind integers beyond 64 bits. */
TUT_MUST tut_status tut_json_pad(tut_span text, size_t padding, bool widen_integers, tut_buf *out);

#ifdef __cplusplus
}
#endif

#endif
