/*
 * Snappy's raw format: a varint with the length of what comes out, then literals and copies of what
 * came out before. (google/snappy, format_description.txt.) No framing.
 */
#ifndef TUT_FORMATS_SNAPPY_H
#define TUT_FORMATS_SNAPPY_H

#include "base/status.h"
#include "base/str.h"

/* What the data says it decodes to; MALFORMED where its bytes cannot make so much. */
TUT_MUST tut_status tut_snappy_length(tut_span packed, uint64_t *ret_len, tut_error *err);
/* Decodes into exactly `len` bytes at `to`; more or fewer is MALFORMED, and then `to` holds
 * anything. */
TUT_MUST tut_status tut_snappy_decode(tut_span packed, uint8_t *to, size_t len, tut_error *err);

#endif
