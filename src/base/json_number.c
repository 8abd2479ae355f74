/* Numbers as ECMAScript writes them: the digits are the shortest, the notation depends on size. */
#include <stdlib.h>

#include "base/json_internal.h"

enum { DIGITS_MAX = 20 };

/* Takes "d.ddde-dd" apart: the digits, and n such that the value is 0.digits * 10^n. */
static size_t split(const char *text, size_t len, char digits[DIGITS_MAX], int *ret_n)
{
    size_t count = 0;
    size_t i = 0;
    for (; i < len && text[i] != 'e'; i++) {
        if (text[i] != '.' && count < DIGITS_MAX)
            digits[count++] = text[i];
    }
    int sign = 1;
    int exponent = 0;
    for (i++; i < len; i++) {
        if (text[i] == '-')
            sign = -1;
        else if (text[i] != '+')
            exponent = exponent * 10 + (text[i] - '0');
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    *ret_n = sign * exponent + 1;
    return count;
}

static char *put(char *to, const char *from, size_t n)
{
    memcpy(to, from, n);
    return to + n;
}

static char *zeros(char *to, size_t n)
{
    memset(to, '0', n);
    return to + n;
}

static char *scientific(char *to, const char *digits, size_t count, int exponent)
{
    *to++ = digits[0];
    if (count > 1) {
        *to++ = '.';
        to = put(to, digits + 1, count - 1);
    }
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    unsigned rest = (unsigned)abs(exponent);
    if (rest >= 100)
        *to++ = (char)('0' + rest / 100);
    if (rest >= 10)
        *to++ = (char)('0' + rest / 10 % 10);
    *to++ = (char)('0' + rest % 10);
    return to;
}

size_t tut_json_number(double v, char out[TUT_JSON_NUMBER_TEXT])
{
    char *to = out;
    if (!(v < 0) && !(v > 0)) {
        *to = '0';
        return 1;
    }
    if (v < 0) {
        *to++ = '-';
        v = -v;
    }
    char text[TUT_JSON_NUMBER_TEXT] = "";
    char digits[DIGITS_MAX] = "";
    int n = 0;
    size_t count = split(text, tut_json_shortest(v, text), digits, &n);

    if (n > 21 || n <= -6)
        return (size_t)(scientific(to, digits, count, n - 1) - out);
    if (n <= 0) {
        to = put(to, "0.", 2);
        to = zeros(to, (size_t)-n);
        return (size_t)(put(to, digits, count) - out);
    }
    size_t whole = (size_t)n;
    if (count <= whole) {
        to = put(to, digits, count);
        return (size_t)(zeros(to, whole - count) - out);
    }
    to = put(to, digits, whole);
    *to++ = '.';
    return (size_t)(put(to, digits + whole, count - whole) - out);
}
