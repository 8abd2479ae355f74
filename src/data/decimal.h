/*
 * Numbers written in decimal, read to the nearest double (ties to even), as strtod does in the "C"
 * locale, only faster: up to 19 digits exactly (Clinger 1990), else by the product with a power of
 * five of 128 bits (Lemire, "Number Parsing at a Gigabyte per Second", 2021); the rare rest by
 * strtod.
 */
#ifndef TUT_DATA_DECIMAL_H
#define TUT_DATA_DECIMAL_H

#include "base/str.h"

enum { TUT_DECIMAL_PAD = 32 }; /* bytes behind a text that may be read */

/*
 * sign = "+" | "-"; number = [sign] (digits ["." [digits]] | "." digits) [("e" | "E") [sign]
 * digits] False: this is no number from its first byte to its last. What is too large reads as
 * infinity, what is too small as zero.
 */
bool tut_decimal(tut_str text, double *ret_value);
/* As rows.h takes it: within 2^53. */
static inline bool tut_decimal_is_whole(double value)
{
    bool is_small = value >= -9007199254740992.0 && value <= 9007199254740992.0;
    return is_small && (double)(int64_t)value == value;
}

/* What the following calls for long numbers, and for what is none. */
bool tut_decimal_long(tut_str text, double *ret_value, bool *ret_is_whole);

extern const double tut_decimal_tens[23]; /* powers that a double holds exactly */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

/* Eight digits, the first in the lowest byte, each 0 to 9. */
static inline uint64_t tut_decimal_eight(uint64_t v)
{
    v = v * 10 + (v >> 8);
    return (((v & 0x000000ff000000ffull) * (100 + (1000000ull << 32))) +
            (((v >> 16) & 0x000000ff000000ffull) * (1 + (10000ull << 32)))) >>
           32;
}

/* Of bytes from which '0' was taken by XOR: the highest bit of those that are no digits. Beyond the
 * first one a carry may have set it. */
static inline uint64_t tut_decimal_others(uint64_t v)
{
    return ((v + 0x7676767676767676ull) | v) & 0x8080808080808080ull;
}

/*
 * A number of at most eight characters besides its sign, read in one go: the point is taken out,
 * and the digits are moved to the end of a word, which fills with zeros. Its value is *ret_digits
 * (with the sign, also of zero) divided by 10^*ret_part. False: it is longer, or none.
 * TUT_DECIMAL_PAD bytes behind the text may be read.
 */
static inline bool tut_decimal_short(tut_str text, double *ret_digits, unsigned *ret_part)
{
    uint64_t v;
    uint64_t sign = text.data[0] == '-';
    size_t len = text.len - sign;
    memcpy(&v, text.data + sign, 8);
    if (__builtin_expect(len - 1 > 7, 0))
        return false;
    v ^= 0x3030303030303030ull; /* digits become 0 to 9, everything else more */
    uint64_t others = tut_decimal_others(v) | (len < 8 ? 0x80ull << 8 * len : 0);
    unsigned point = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    unsigned part = 0;
    if (point < len) {
        uint64_t before = (1ull << 8 * point) - 1;
        if ((v >> 8 * point & 0xff) != ('.' ^ '0') || len == 1)
            return false;
        v = (v & before) | (v >> 8 & ~before);
        part = (unsigned)(--len) - point;
    }
    v <<= 64 - 8 * len;
    double value = (double)(int64_t)tut_decimal_eight(v);
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    bits |= sign << 63;
    memcpy(ret_digits, &bits, sizeof(bits));
    *ret_part = part;
    return tut_decimal_others(v) == 0;
}

/* The same as tut_decimal, where TUT_DECIMAL_PAD bytes behind the text may be read. *ret_is_whole:
 * a whole number that a double holds exactly. */
static inline bool tut_decimal_padded(tut_str text, double *ret_value, bool *ret_is_whole)
{
    unsigned part;
    if (__builtin_expect(!tut_decimal_short(text, ret_value, &part), 0))
        return tut_decimal_long(text, ret_value, ret_is_whole);
    *ret_value /= tut_decimal_tens[part];
    *ret_is_whole = part == 0 || tut_decimal_is_whole(*ret_value);
    return true;
}

#else

static inline bool tut_decimal_padded(tut_str text, double *ret_value, bool *ret_is_whole)
{
    return tut_decimal_long(text, ret_value, ret_is_whole);
}

#endif

#endif
