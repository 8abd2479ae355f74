/*
 * The copy that simdjson reads: with its padding, and where asked with ".0" behind each integer
 * that no 64 bits hold, so that it is read as a real like in other languages.
 */
#include "base/json_internal.h"

static bool fits(tut_str token)
{
    uint64_t v;
    if (token.data[0] != '-')
        return tut_str_u64(token, &v);
    return tut_str_u64((tut_str){token.data + 1, token.len - 1}, &v) && v <= (uint64_t)1 << 63;
}

static size_t end_of_string(tut_str text, size_t i)
{
    for (i++; i < text.len && text.data[i] != '"'; i++) {
        if (text.data[i] == '\\')
            i++;
    }
    return i < text.len ? i + 1 : text.len;
}

static bool is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static size_t add_number(tut_buf *out, tut_str text, size_t i)
{
    size_t start = i;
    bool is_integer = true;
    for (; i < text.len && is_number_byte(text.data[i]); i++)
        is_integer = is_integer && text.data[i] != '.' && (text.data[i] | 0x20) != 'e';
    tut_str token = {text.data + start, i - start};
    tut_buf_add_str(out, token);
    if (is_integer && token.len > 18 && !fits(token))
        tut_buf_add_z(out, ".0");
    return i;
}

tut_status tut_json_pad(tut_span bytes, size_t padding, bool widen_integers, tut_buf *out)
{
    tut_str text = tut_str_from(bytes);
    size_t done = 0;
    for (size_t i = 0; widen_integers && i < text.len;) {
        if (text.data[i] == '"') {
            i = end_of_string(text, i);
        } else if (text.data[i] == '-' || (text.data[i] >= '0' && text.data[i] <= '9')) {
            tut_buf_add(out, text.data + done, i - done);
            i = add_number(out, text, i);
            done = i;
        } else {
            i++;
        }
    }
    tut_buf_add(out, text.data + done, text.len - done);
    uint8_t *zeros = tut_buf_extend(out, padding);
    if (zeros)
        memset(zeros, 0, padding);
    return tut_buf_check(out, NULL);
}
