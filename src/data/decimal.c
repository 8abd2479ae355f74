#include "data/decimal.h"

#include <stdlib.h>

enum {
    DIGITS_MAX = 19,    /* that a mantissa of 64 bits holds */
    POWER_LEAST = -342, /* of ten: what is below is zero, whatever the mantissa */
    POWER_MOST = 308,   /* above, infinity */
    EXPONENT_MAX = 99999,
    SLOW_BYTES = 800 /* more digits than decide any double (769) */
};

static const uint64_t fives[][2] = {
#define POWER(high, low) {high, low},
#include "data/decimal_powers.def"
#undef POWER
};

const double tut_decimal_tens[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

typedef unsigned __int128 wide;

/* --- mantissa * 10^power to a double --- */

static uint64_t subnormal(uint64_t mantissa, int shift)
{
    if (shift >= 64)
        return 0;
    mantissa >>= shift;
    mantissa += mantissa & 1;
    return mantissa >> 1; /* rounded up to 2^52 it is the least normal one: the same bits */
}

/* The bits of the double nearest to mantissa * 10^power; false: the product cannot decide. */
static bool by_product(uint64_t mantissa, int power, uint64_t *ret_bits)
{
    *ret_bits = 0;
    if (mantissa == 0 || power < POWER_LEAST)
        return true;
    *ret_bits = 0x7ffull << 52;
    if (power > POWER_MOST)
        return true;
    int zeros = __builtin_clzll(mantissa);
    uint64_t w = mantissa << zeros;
    const uint64_t *five = fives[power - POWER_LEAST];
    wide product = (wide)w * five[0];
    uint64_t low = (uint64_t)product;
    uint64_t high = (uint64_t)(product >> 64);
    if ((high & 0x1ff) == 0x1ff) { /* 55 bits are not enough to see how it rounds */
        uint64_t more = (uint64_t)(((wide)w * five[1]) >> 64);
        low += more;
        if (more > low)
            high++;
    }
    if (low == UINT64_MAX && (power < -27 || power > 55))
        return false;
    int upper = (int)(high >> 63);
    uint64_t m = high >> (upper + 9);
    int exponent = (((152170 + 65536) * power) >> 16) + 63 + upper - zeros + 1023;
    if (exponent <= 0) {
        *ret_bits = subnormal(m, 1 - exponent);
        return true;
    }
    bool is_tie = low <= 1 && power >= -4 && power <= 23 && (m & 3) == 1;
    if (is_tie && m << (upper + 9) == high)
        m &= ~1ull; /* halfway, and the lower one is even */
    m += m & 1;
    m >>= 1;
    if (m >= 2ull << 52) {
        m = 1ull << 52;
        exponent++;
    }
    if (exponent < 0x7ff)
        *ret_bits = (m & ~(1ull << 52)) | (uint64_t)exponent << 52;
    return true;
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

typedef struct number {
    const char *whole, *part; /* digits before and behind the point */
    size_t whole_len, part_len;
    int exponent;
    bool is_negative;
} number;

/* For strtod: a NUL at the end, and of the mantissa SLOW_BYTES at most. What follows those can only
 * matter by not being zero. */
typedef struct slow {
    char text[SLOW_BYTES + 32];
    size_t len;
    int64_t dropped; /* digits behind what is in text */
    bool is_cut;     /* of which some are not 0 */
} slow;

static void copy_digits(slow *s, const char *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s->len == 0 && from[i] == '0')
            continue;
        if (s->len < SLOW_BYTES) {
            s->text[s->len++] = from[i];
            continue;
        }
        s->dropped++;
        s->is_cut |= from[i] != '0';
    }
}

static double by_strtod(const number *n)
{
    slow s = {.len = 0};
    copy_digits(&s, n->whole, n->whole_len);
    copy_digits(&s, n->part, n->part_len);
    if (s.len == 0)
        return 0;
    if (s.is_cut)
        s.text[s.len - 1] |= 1; /* no longer halfway between two */
    int64_t exponent = (int64_t)n->exponent - (int64_t)n->part_len + s.dropped;
    bool is_below = exponent < 0;
    uint64_t rest = (uint64_t)(is_below ? -exponent : exponent);
    char reversed[24];
    size_t count = 0;
    do {
        reversed[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    s.text[s.len++] = 'e';
    if (is_below)
        s.text[s.len++] = '-';
    while (count)
        s.text[s.len++] = reversed[--count];
    s.text[s.len] = '\0';
    return strtod(s.text, NULL);
}

/* Digits beyond the 19th are missing in the mantissa: it is this one or the next. */
static double of_many(const number *n, uint64_t mantissa, int64_t power)
{
    uint64_t low = 0;
    uint64_t high = 0;
    int p = power < -2000 ? -2000 : power > 2000 ? 2000 : (int)power;
    if (by_product(mantissa, p, &low) && by_product(mantissa + 1, p, &high) && low == high)
        return from_bits(low);
    return by_strtod(n);
}

static double of_few(const number *n, uint64_t mantissa, int64_t power)
{
    if (mantissa <= 1ull << 53 && power >= -22 && power <= 22)
        return power < 0 ? (double)mantissa / tut_decimal_tens[-power]
                         : (double)mantissa * tut_decimal_tens[power];
    uint64_t bits = 0;
    int p = power < -2000 ? -2000 : power > 2000 ? 2000 : (int)power;
    return by_product(mantissa, p, &bits) ? from_bits(bits) : by_strtod(n);
}

/* --- text to its parts --- */

static size_t digits_at(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && (unsigned)(*at - '0') < 10)
        at++;
    return (size_t)(at - from);
}

/* The exponent behind the "e"; false: there is none. */
static bool read_exponent(const char *at, const char *end, int *ret_exponent)
{
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    size_t count = digits_at(at, end);
    if (count == 0 || at + count != end)
        return false;
    int exponent = 0;
    for (; at < end; at++)
        exponent = exponent < EXPONENT_MAX ? 10 * exponent + (*at - '0') : exponent;
    *ret_exponent = is_negative ? -exponent : exponent;
    return true;
}

static bool split(tut_str text, number *n)
{
    const char *at = text.data;
    const char *end = at + text.len;
    *n = (number){.is_negative = at < end && *at == '-'};
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    n->whole = at;
    n->whole_len = digits_at(at, end);
    at += n->whole_len;
    if (at < end && *at == '.') {
        n->part = ++at;
        n->part_len = digits_at(at, end);
        at += n->part_len;
    }
    if (n->whole_len + n->part_len == 0)
        return false;
    if (at == end)
        return true;
    return (*at == 'e' || *at == 'E') && read_exponent(at + 1, end, &n->exponent);
}

static uint64_t take_digits(uint64_t mantissa, const char *at, size_t len, size_t *left,
                            size_t *dropped)
{
    size_t i = 0;
    for (; i < len && (mantissa == 0 || *left > 0); i++) {
        mantissa = 10 * mantissa + (uint64_t)(at[i] - '0');
        *left -= mantissa != 0;
    }
    *dropped += len - i;
    return mantissa;
}

bool tut_decimal(tut_str text, double *ret_value)
{
    number n;
    if (!split(text, &n))
        return false;
    size_t left = DIGITS_MAX;
    size_t dropped = 0;
    uint64_t mantissa = take_digits(0, n.whole, n.whole_len, &left, &dropped);
    mantissa = take_digits(mantissa, n.part, n.part_len, &left, &dropped);
    int64_t power = (int64_t)n.exponent - (int64_t)n.part_len + (int64_t)dropped;
    double value = dropped ? of_many(&n, mantissa, power) : of_few(&n, mantissa, power);
    *ret_value = n.is_negative ? -value : value;
    return true;
}

/* --- where bytes behind the text may be read --- */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

static const uint64_t whole_tens[20] = {
    1ull,
    10ull,
    100ull,
    1000ull,
    10000ull,
    100000ull,
    1000000ull,
    10000000ull,
    100000000ull,
    1000000000ull,
    10000000000ull,
    100000000000ull,
    1000000000000ull,
    10000000000000ull,
    100000000000000ull,
    1000000000000000ull,
    10000000000000000ull,
    100000000000000000ull,
    1000000000000000000ull,
    10000000000000000000ull,
};

typedef struct chunk {
    uint64_t value;
    uint64_t others; /* not 0: it is not all digits */
} chunk;

static inline chunk take_chunk(const char *at, size_t len)
{
    uint64_t v;
    memcpy(&v, at, 8);
    v ^= 0x3030303030303030ull;
    v = len ? v << (64 - 8 * len) : 0;
    return (chunk){tut_decimal_eight(v), tut_decimal_others(v)};
}

/* 1 to 19 digits: in three pieces of which some may be empty, as jumps would be guessed wrong. */
static inline bool take_digits_padded(const char *at, size_t len, uint64_t *ret)
{
    size_t first = len < 8 ? len : 8;
    size_t second = len - first < 8 ? len - first : 8;
    size_t third = len - first - second;
    chunk a = take_chunk(at, first);
    chunk b = take_chunk(at + 8, second);
    chunk c = take_chunk(at + 16, third);
    *ret = (a.value * whole_tens[second] + b.value) * whole_tens[third] + c.value;
    return (a.others | b.others | c.others) == 0;
}

/* How many of len bytes are digits, up to the first that is none. */
static inline size_t digits_from(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t v;
        memcpy(&v, at + i, 8);
        uint64_t others = tut_decimal_others(v ^ 0x3030303030303030ull);
        size_t count = i + (size_t)(others ? __builtin_ctzll(others) / 8 : 8);
        if (others || count >= len)
            return count < len ? count : len;
    }
    return len;
}

/* digits [ "." digits ], up to 19 of them; false: it is something else, or has more. */
static bool decimal_of_eights(tut_str text, double *ret_value)
{
    uint64_t sign = text.data[0] == '-';
    const char *at = text.data + sign;
    size_t len = text.len - sign;
    uint64_t whole = 0;
    uint64_t part = 0;
    size_t part_len = 0;
    if (len - 1 > DIGITS_MAX)
        return false;
    size_t whole_len = digits_from(at, len);
    const char *point = whole_len < len && at[whole_len] == '.' ? at + whole_len : NULL;
    if (!point && whole_len < len)
        return false;
    if (whole_len == 0 || whole_len > DIGITS_MAX || !take_digits_padded(at, whole_len, &whole))
        return false;
    if (point) {
        part_len = len - whole_len - 1;
        if (part_len == 0 || !take_digits_padded(point + 1, part_len, &part))
            return false;
    }
    uint64_t mantissa = whole * whole_tens[part_len] + part; /* at most 19 digits */
    double value;
    uint64_t bits;
    if (mantissa >> 50 == 0)
        value = (double)(int64_t)mantissa / tut_decimal_tens[part_len];
    else if (by_product(mantissa, -(int)part_len, &bits))
        value = from_bits(bits);
    else
        return false;
    memcpy(&bits, &value, sizeof(bits));
    bits |= sign << 63;
    memcpy(ret_value, &bits, sizeof(bits));
    return true;
}

#else

static bool decimal_of_eights(tut_str text, double *ret_value)
{
    (void)text;
    (void)ret_value;
    return false;
}

#endif

bool tut_decimal_long(tut_str text, double *ret_value, bool *ret_is_whole)
{
    if (!decimal_of_eights(text, ret_value) && !tut_decimal(text, ret_value))
        return false;
    *ret_is_whole = tut_decimal_is_whole(*ret_value);
    return true;
}
