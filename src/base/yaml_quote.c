/*
 * Writing a scalar so that YAML 1.1 and 1.2 readers, ours among them, read the same string: plain
 * where nothing in it could be taken for syntax, a number, a date or a word with a meaning.
 */
#include "base/yaml.h"

static bool is_word_with_meaning(tut_str s)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n",   "~"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (tut_str_ieq(s, tut_str_of(words[i])))
            return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Shown as they are: no controls, no formatting characters that could mislead a reader. */
static bool is_printable(uint32_t c)
{
    if (c < 0xA0 || c == 0xAD || c == 0xFEFF || c == 0x061C || c == 0x180E)
        return false;
    if ((c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
        (c >= 0x2060 && c <= 0x206F))
        return false;
    return (c & 0xFFFE) != 0xFFFE && !(c >= 0xFFF9 && c <= 0xFFFB) &&
           !(c >= 0xE0000 && c <= 0xE0FFF);
}

static bool is_plain_byte(char c)
{
    return is_letter(c) || is_digit(c) || strchr("_-./+@()=;$^~ ", c);
}

static bool is_plain(tut_str s)
{
    if (s.len == 0 || s.data[s.len - 1] == ' ' || is_word_with_meaning(s))
        return false;
    char first = s.data[0];
    bool has_slash = memchr(s.data, '/', s.len) != NULL;
    bool begins_like_number = is_digit(first) || first == '.' || first == '+';
    if (begins_like_number
            ? !has_slash
            : !is_letter(first) && first != '_' && first != '/' && (uint8_t)first < 0x80)
        return false;
    for (size_t i = 0; i < s.len;) {
        uint32_t codepoint;
        if ((uint8_t)s.data[i] < 0x80) {
            if (s.data[i] == '\0' || !is_plain_byte(s.data[i]))
                return false;
            i++;
            continue;
        }
        size_t n = tut_utf8_len((tut_str){s.data + i, s.len - i}, &codepoint);
        if (n == 0 || !is_printable(codepoint))
            return false;
        i += n;
    }
    return true;
}

static void add_escape(tut_buf *out, uint32_t c)
{
    if (c == '"' || c == '\\')
        tut_buf_printf(out, "\\%c", (char)c);
    else if (c == '\n')
        tut_buf_add_z(out, "\\n");
    else if (c == '\t')
        tut_buf_add_z(out, "\\t");
    else if (c == '\r')
        tut_buf_add_z(out, "\\r");
    else if (c <= 0xFF)
        tut_buf_printf(out, "\\x%02X", c);
    else if (c <= 0xFFFF)
        tut_buf_printf(out, "\\u%04X", c);
    else
        tut_buf_printf(out, "\\U%08X", c);
}

void tut_yaml_quote(tut_buf *out, tut_str s)
{
    if (is_plain(s)) {
        tut_buf_add_str(out, s);
        return;
    }
    tut_buf_add_byte(out, '"');
    while (s.len > 0) {
        uint32_t codepoint = 0xFFFD; /* for a byte that is no UTF-8 */
        size_t n = tut_utf8_len(s, &codepoint);
        if (n == 0) {
            tut_buf_add_z(out, "\xEF\xBF\xBD");
            n = 1;
        } else if ((codepoint >= 0x20 && codepoint < 0x7F && codepoint != '"' &&
                    codepoint != '\\') ||
                   is_printable(codepoint)) {
            tut_buf_add(out, s.data, n);
        } else {
            add_escape(out, codepoint);
        }
        s = (tut_str){s.data + n, s.len - n};
    }
    tut_buf_add_byte(out, '"');
}
