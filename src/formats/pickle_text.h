/* Arguments that are text: lines with escapes, numbers in decimal, strings with lengths. */
#ifndef TUT_FORMATS_PICKLE_TEXT_H
#define TUT_FORMATS_PICKLE_TEXT_H

#include "formats/pickle_machine.h"

/* A line, whole (breaks when longer than a name or number can be), without its newline. Borrowed
 * until the input moves. */
TUT_MUST tut_status tut_ptext_line(tut_pmachine *m, tut_str *ret);
/* Python's int(text, base) with base 0 or 10: spaces around, sign, 0x 0o 0b, underscores. False
 * when it is no number, or does not fit. */
bool tut_ptext_int(tut_str text, int base, int64_t *ret);
/* The same up to 127 bits, as little-endian two's complement in 16 bytes. */
bool tut_ptext_long(tut_str text, int base, uint8_t ret_bytes[16], size_t *ret_len);
/* Whether Python's float(text) succeeds. */
bool tut_ptext_is_float(tut_str text);
/* String literal escapes as the STRING opcode reads them. Decoded bytes go to `to`; *ret_is_cut
 * when there was no room. False: a broken escape. */
bool tut_ptext_unescape(tut_str text, uint8_t *to, size_t cap, size_t *ret_len, bool *ret_is_cut);
/* raw-unicode-escape to UTF-8. */
bool tut_ptext_raw_unicode(tut_str text, uint8_t *to, size_t cap, size_t *ret_len,
                           bool *ret_is_cut);
/* UTF-8 as Python reads it with surrogates passed. */
bool tut_ptext_utf8_valid(tut_str text);
/* Appends a code point to `to`; false when it does not fit. */
bool tut_ptext_put_utf8(uint32_t point, uint8_t *to, size_t cap, size_t *len);

#endif
