/*
 * Shapes of keys: literals and counted classes, "ghp_%a{36}" or "xoxb-%d{10,13}-%a{24}".
 *
 *   shape   = 1*( literal / "%%" / "%" class "{" least [ "," most ] "}" )
 *
 *   a A-Za-z0-9   d 0-9   h 0-9a-f   H 0-9A-Fa-f   u A-Z0-9   l a-z0-9   w A-Za-z0-9_
 *   b A-Za-z0-9_- (base64url)   B A-Za-z0-9+/ (base64)   2 A-Z2-7 (base32)   L A-Za-z
 *   c bech32   t A-Za-z0-9_.~- (URL-safe)
 *
 * Reading is greedy and never goes back.
 */
#ifndef TUT_TEXT_SHAPE_H
#define TUT_TEXT_SHAPE_H

#include "base/buf.h"
#include "base/str.h"

/* One element of a shape at *at; false at its end. */
typedef struct tut_shape_part {
    char class; /* 0: a literal */
    char literal;
    size_t least, most;
} tut_shape_part;
bool tut_shape_next(const char **at, tut_shape_part *ret_part);

bool tut_shape_has(char class, char c);
/* Does the text begin with the shape? *ret_len bytes of it. must_end: what follows must not belong
 * to the last class. */
bool tut_shape_match(const char *shape, tut_str text, bool must_end, size_t *ret_len);
/* The trigger as a regular expression: the longest literal that stands at a known distance from the
 * beginning, and some characters behind it. */
void tut_shape_trigger(const char *shape, tut_buf *out);
/* Bytes from the beginning of the shape to the end of its trigger. */
size_t tut_shape_lead(const char *shape);

#endif
