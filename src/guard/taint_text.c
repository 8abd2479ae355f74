#include "guard/taint_text.h"

#include <stdlib.h>

enum { RUN_LEAST = 12, DIGITS_MOST = 24 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void tut_taint_squeeze(tut_str text, tut_buf *out)
{
    uint8_t *at = tut_buf_extend(out, text.len);
    if (!at)
        return;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        at[n] = c;
        n += (c >= 'a' && c <= 'z') || is_digit((char)c) || c >= 0x80;
    }
    out->len -= text.len - n;
}

/* --- what is wrapped --- */
static int hex_of(char c)
{
    if (is_digit(c))
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static bool undo_percent(tut_str t, tut_buf *out)
{
    bool is_any = false;
    size_t start = out->len;
    if (!memchr(t.data, '%', t.len))
        return false;
    for (size_t i = 0; i < t.len; i++) {
        int high = t.data[i] == '%' && i + 2 < t.len ? hex_of(t.data[i + 1]) : -1;
        int low = high >= 0 ? hex_of(t.data[i + 2]) : -1;
        if (low >= 0) {
            tut_buf_add_byte(out, (uint8_t)(high * 16 + low));
            i += 2;
            is_any = true;
        } else {
            tut_buf_add_byte(out, (uint8_t)t.data[i]);
        }
    }
    if (!is_any)
        out->len = start;
    return is_any;
}

static bool is_text(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((data[i] < ' ' && data[i] != '\n' && data[i] != '\t') || data[i] >= 0x7f)
            return false;
    return len > 0;
}

static bool undo_base64(tut_str run, tut_buf *out)
{
    uint32_t bits = 0, have = 0;
    size_t start = out->len;
    for (size_t i = 0; i < run.len; i++) {
        bits = bits << 6 | (uint32_t)tut_base64_digit(run.data[i]);
        have += 6;
        if (have >= 8) {
            have -= 8;
            tut_buf_add_byte(out, (uint8_t)(bits >> have));
        }
    }
    if (out->failed == TUT_OK && is_text(out->data + start, out->len - start))
        return true;
    out->len = start;
    return false;
}

bool tut_taint_unwrap(tut_str t, tut_buf *out)
{
    bool is_any = undo_percent(t, out);
    for (size_t at = 0; at < t.len;) {
        size_t end = at;
        while (end < t.len && tut_base64_digit(t.data[end]) >= 0)
            end++;
        if (end - at >= RUN_LEAST) {
            size_t before = out->len;
            tut_buf_add_byte(out, '\n');
            bool is_base64 = undo_base64((tut_str){t.data + at, end - at}, out);
            out->len = is_base64 ? out->len : before;
            is_any |= is_base64;
        }
        at = end + 1;
    }
    return is_any;
}

/* --- numbers --- */
/* A sign between digits: of thousands, or of the fraction. */
static bool is_sign(tut_str t, size_t at)
{
    return at + 1 < t.len && strchr(",.' ", t.data[at]) && t.data[at] && is_digit(t.data[at + 1]);
}

static size_t run_of_digits(tut_str t, size_t at)
{
    size_t n = 0;
    while (at + n < t.len && is_digit(t.data[at + n]))
        n++;
    return n;
}

bool tut_taint_number(tut_str t, size_t *at, double *ret_value)
{
    char digits[DIGITS_MOST + 4];
    size_t n = 0, i = *at;
    while (i < t.len && !is_digit(t.data[i]))
        i++;
    if (i == t.len)
        return false;
    for (bool is_first = true;; is_first = false) {
        size_t run = run_of_digits(t, i);
        char sign = is_first ? '\0' : t.data[i - 1];
        bool is_group = run == 3, goes_on = is_sign(t, i + run);
        bool is_fraction = !is_first && (sign == '.' || sign == ',') && !goes_on && run <= 2;
        if (!is_first && !is_group && !is_fraction) { /* another number begins */
            i--;
            break;
        }
        if (is_fraction && n < DIGITS_MOST)
            digits[n++] = '.';
        for (size_t k = 0; k < run && n < DIGITS_MOST; k++)
            digits[n++] = t.data[i + k];
        i += run;
        if (is_fraction || !is_sign(t, i))
            break;
        i++;
    }
    digits[n] = '\0';
    *at = i > *at ? i : *at + 1;
    *ret_value = strtod(digits, NULL);
    return true;
}
