/* Numbers, dates, times, decimals and bytes: their kinds, and their texts. */
#include "data/rows_value.h"

#include <math.h>

#include "crypto/digest.h"

enum { SECONDS_A_DAY = 86400, JULIAN_OF_1970 = 2440588, SHOWN_WHOLE = 64, SHOWN_FIRST = 16 };

static const double exact_max = 9007199254740992.0;  /* 2^53 */
static const double whole_from = 4503599627370496.0; /* 2^52: no fraction fits from here on */
static const char hex[] = "0123456789abcdef";

tut_status rows_no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

void rows_no_cells(const tut_cells *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        c->kinds[i] = TUT_CELL_NONE;
        c->numbers[i] = NAN;
        if (c->texts)
            c->texts[i] = (tut_str){"", 0};
    }
}

/* Adding and taking away 2^52 rounds to a whole number, without a branch: loops become vectors. */
void rows_number_kinds(uint8_t *kinds, const double *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double size = fabs(numbers[i]);
        unsigned is_whole = (size + whole_from) - whole_from == size;
        unsigned is_exact = size <= exact_max;
        kinds[i] = (uint8_t)(TUT_CELL_NUMBER + (is_whole & is_exact));
    }
}
_Static_assert(TUT_CELL_INTEGER == TUT_CELL_NUMBER + 1, "number_kinds counts on it");

double rows_half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                  : exponent == 0 ? ldexp(fraction, -24)
                                  : ldexp(1024 + fraction, exponent - 25);
    return bits & 0x8000 ? -size : size;
}

/* --- texts --- */

static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static size_t digits_of(uint64_t value)
{
    static const uint64_t tens[] = {0,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    1000000,
                                    10000000,
                                    100000000,
                                    1000000000,
                                    10000000000,
                                    100000000000,
                                    1000000000000,
                                    10000000000000,
                                    100000000000000,
                                    1000000000000000,
                                    10000000000000000,
                                    100000000000000000,
                                    1000000000000000000,
                                    10000000000000000000u};
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    size_t guess = bits * 1233 >> 12; /* log10(2) */
    return guess + (value >= tens[guess]);
}

/* Eight digits at a time, so that the divisions are of 32 bits and do not wait for each other. */
static char *put_eight(char *end, uint32_t value)
{
    uint32_t high = value / 10000, low = value % 10000;
    memcpy(end - 2, pairs + 2 * (size_t)(low % 100), 2);
    memcpy(end - 4, pairs + 2 * (size_t)(low / 100), 2);
    memcpy(end - 6, pairs + 2 * (size_t)(high % 100), 2);
    memcpy(end - 8, pairs + 2 * (size_t)(high / 100), 2);
    return end - 8;
}

size_t rows_put_int(char *to, uint64_t magnitude, bool is_negative)
{
    enum { EIGHT = 100000000 };
    size_t len = is_negative + (magnitude ? digits_of(magnitude) : 1);
    char *end = to + len;
    for (; magnitude >= EIGHT; magnitude /= EIGHT)
        end = put_eight(end, (uint32_t)(magnitude % EIGHT));
    uint32_t rest = (uint32_t)magnitude;
    for (; rest >= 100; rest /= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (size_t)(rest % 100), 2);
    }
    if (rest >= 10)
        memcpy(end - 2, pairs + 2 * (size_t)rest, 2);
    else
        end[-1] = (char)('0' + rest);
    if (is_negative)
        to[0] = '-';
    return len;
}

static size_t put_padded(char *to, uint64_t value, size_t width)
{
    for (size_t i = width; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
    return width;
}

/* Rounds down, so that what is left is not negative. */
static int64_t split(int64_t value, int64_t by, int64_t *ret_rest)
{
    int64_t whole = value / by, rest = value % by;
    if (rest < 0) {
        rest += by;
        whole--;
    }
    *ret_rest = rest;
    return whole;
}

/* Days to year, month and day in the Gregorian calendar: eras of 400 years, which begin in March.
 * (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".) */
size_t rows_put_date(char *to, int64_t days)
{
    int64_t of_era;
    int64_t era = split(days + 719468, 146097, &of_era);
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day + 2) / 153;
    day = day - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);
    size_t n = 0;
    if (year < 0 || year > 9999)
        n = rows_put_int(to, year < 0 ? 0 - (uint64_t)year : (uint64_t)year, year < 0);
    else
        n = put_padded(to, (uint64_t)year, 4);
    to[n++] = '-';
    n += put_padded(to + n, (uint64_t)month, 2);
    to[n++] = '-';
    return n + put_padded(to + n, (uint64_t)day, 2);
}

static int64_t units_of(unsigned digits)
{
    return digits == 3 ? 1000 : digits == 6 ? 1000000 : 1000000000;
}

/* The fraction is left out where it is nothing. */
static size_t put_clock(char *to, int64_t second, int64_t fraction, unsigned digits)
{
    size_t n = put_padded(to, (uint64_t)(second / 3600), 2);
    to[n++] = ':';
    n += put_padded(to + n, (uint64_t)(second / 60 % 60), 2);
    to[n++] = ':';
    n += put_padded(to + n, (uint64_t)(second % 60), 2);
    if (fraction == 0)
        return n;
    to[n++] = '.';
    return n + put_padded(to + n, (uint64_t)fraction, digits);
}

/* Of one day; another value has no clock, and stays the number that it is. */
size_t rows_put_time(char *to, int64_t units, unsigned digits)
{
    int64_t fraction;
    int64_t second = split(units, units_of(digits), &fraction);
    if (second < 0 || second > SECONDS_A_DAY)
        return rows_put_int(to, units < 0 ? 0 - (uint64_t)units : (uint64_t)units, units < 0);
    return put_clock(to, second, fraction, digits);
}

size_t rows_put_timestamp(char *to, int64_t units, unsigned digits, bool is_utc)
{
    int64_t fraction, second;
    int64_t day = split(split(units, units_of(digits), &fraction), SECONDS_A_DAY, &second);
    size_t n = rows_put_date(to, day);
    to[n++] = 'T';
    n += put_clock(to + n, second, fraction, digits);
    if (is_utc)
        to[n++] = 'Z';
    return n;
}

size_t rows_put_int96(char *to, const uint8_t *raw)
{
    int64_t nanoseconds, second, fraction;
    int32_t julian;
    memcpy(&nanoseconds, raw, 8);
    memcpy(&julian, raw + 8, 4);
    int64_t day = (int64_t)julian - JULIAN_OF_1970;
    day += split(split(nanoseconds, units_of(9), &fraction), SECONDS_A_DAY, &second);
    size_t n = rows_put_date(to, day);
    to[n++] = 'T';
    return n + put_clock(to + n, second, fraction, 9);
}

/* Digits of a magnitude of up to ROWS_DECIMAL_BYTES, big endian, by division. */
static size_t put_magnitude(char *to, uint8_t *number, size_t len)
{
    char digits[ROWS_DECIMAL_BYTES * 3];
    size_t at = sizeof(digits), first = 0;
    do {
        unsigned rest = 0;
        for (size_t i = first; i < len; i++) {
            unsigned value = rest << 8 | number[i];
            number[i] = (uint8_t)(value / 10);
            rest = value % 10;
        }
        digits[--at] = (char)('0' + rest);
        while (first < len && number[first] == 0)
            first++;
    } while (first < len);
    memcpy(to, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

size_t rows_put_decimal(char *to, const uint8_t *raw, size_t len, int32_t scale)
{
    uint8_t number[ROWS_DECIMAL_BYTES] = {0};
    char digits[ROWS_DECIMAL_BYTES * 3];
    enum { SCALE_MAX = ROWS_DECIMAL_TEXT / 2 };
    if (len == 0 || len > sizeof(number) || scale < 0 || scale > SCALE_MAX)
        return 0;
    bool is_negative = raw[0] & 0x80;
    unsigned carry = is_negative;
    for (size_t i = len; i-- > 0;) {
        unsigned byte = (is_negative ? raw[i] ^ 0xffu : raw[i]) + carry;
        number[i] = (uint8_t)byte;
        carry = byte >> 8;
    }
    size_t count = put_magnitude(digits, number, len), n = 0;
    if (is_negative)
        to[n++] = '-';
    size_t whole = count > (size_t)scale ? count - (size_t)scale : 0;
    if (whole == 0)
        to[n++] = '0';
    memcpy(to + n, digits, whole);
    n += whole;
    if (scale == 0)
        return n;
    to[n++] = '.';
    for (size_t i = count; i < (size_t)scale; i++)
        to[n++] = '0';
    memcpy(to + n, digits + whole, count - whole);
    return n + count - whole;
}

static size_t put_hex(char *to, const uint8_t *raw, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[2 * i] = hex[raw[i] >> 4];
        to[2 * i + 1] = hex[raw[i] & 15];
    }
    return 2 * len;
}

size_t rows_put_uuid(char *to, const uint8_t *raw)
{
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    size_t n = 0;
    for (size_t i = 0; i < sizeof(groups); i++) {
        if (i > 0)
            to[n++] = '-';
        n += put_hex(to + n, raw, groups[i]);
        raw += groups[i];
    }
    return n;
}

/* ISO 8601: "P3M4DT5.006S" */
size_t rows_put_interval(char *to, const uint8_t *raw)
{
    uint32_t parts[3];
    memcpy(parts, raw, sizeof(parts));
    size_t n = 0;
    to[n++] = 'P';
    n += rows_put_int(to + n, parts[0], false);
    to[n++] = 'M';
    n += rows_put_int(to + n, parts[1], false);
    to[n++] = 'D';
    to[n++] = 'T';
    n += rows_put_int(to + n, parts[2] / 1000, false);
    to[n++] = '.';
    n += put_padded(to + n, parts[2] % 1000, 3);
    to[n++] = 'S';
    return n;
}

size_t rows_put_bytes(char *to, tut_span bytes)
{
    static const char between[] = "... of ", behind[] = " bytes, SHA-256 ";
    tut_sha256 digest;
    memcpy(to, "0x", 2);
    if (bytes.len <= SHOWN_WHOLE)
        return 2 + put_hex(to + 2, bytes.data, bytes.len);
    size_t n = 2 + put_hex(to + 2, bytes.data, SHOWN_FIRST);
    memcpy(to + n, between, sizeof(between) - 1);
    n += sizeof(between) - 1;
    n += rows_put_int(to + n, bytes.len, false);
    if (!tut_is_ok(tut_sha256_of(bytes, &digest, NULL)))
        return n;
    memcpy(to + n, behind, sizeof(behind) - 1);
    n += sizeof(behind) - 1;
    return n + put_hex(to + n, digest.bytes, 16);
}
