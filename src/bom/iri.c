/*
 * Addresses as people write them -> what the formats accept as IRIs. What is no address is written
 * as text elsewhere, never as an address.
 *
 *   url = scheme ":" rest          scheme of RFC 3986; rest not empty
 *   with "//": host [":" digits], host of letters, digits, '.', '-' and bytes above ASCII
 */
#include "bom/bom_internal.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_unreserved(char c)
{
    return is_letter(c) || is_digit(c) || (c && strchr("-._~", c) != NULL);
}

static void add_escaped(tut_buf *out, char c)
{
    tut_buf_printf(out, "%%%02X", (unsigned)(uint8_t)c);
}

void tut_bom_escape(tut_str text, tut_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved(text.data[i]) || text.data[i] == '/')
            tut_buf_add_byte(out, (uint8_t)text.data[i]);
        else
            add_escaped(out, text.data[i]);
    }
}

static size_t scheme_length(tut_str s)
{
    size_t n = 0;
    while (n < s.len && (is_letter(s.data[n]) ||
                         (n && (is_digit(s.data[n]) || (s.data[n] && strchr("+-.", s.data[n]))))))
        n++;
    return n > 1 && n < s.len && s.data[n] == ':' ? n : 0;
}

/* The length of host and port, or 0. */
static size_t authority_length(tut_str s)
{
    size_t n = 0, port;
    while (n < s.len &&
           (is_letter(s.data[n]) || is_digit(s.data[n]) || s.data[n] == '-' || s.data[n] == '.'))
        n++;
    if (n == 0)
        return 0;
    port = n;
    if (n < s.len && s.data[n] == ':')
        for (n++; n < s.len && is_digit(s.data[n]);)
            n++;
    if (n - port > 6 || (n < s.len && !strchr("/?#", s.data[n])))
        return 0;
    return n;
}

/* Of the part behind the host; one '#' at most. */
static void add_rest(tut_str s, tut_buf *out)
{
    bool has_fragment = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool is_pair = c == '%' && i + 2 < s.len && is_hex(s.data[i + 1]) && is_hex(s.data[i + 2]);
        bool is_mark = c == '#' && !has_fragment;
        has_fragment |= c == '#';
        if (is_unreserved(c) || is_pair || is_mark || (c && strchr(":/?@!$&'()*+,;=", c)))
            tut_buf_add_byte(out, (uint8_t)c);
        else
            add_escaped(out, c);
    }
}

bool tut_bom_url(tut_str text, tut_buf *out)
{
    tut_str said = tut_str_trim(text);
    size_t scheme = scheme_length(said);
    if (!scheme || said.len == scheme + 1)
        return false;
    size_t at = scheme + 1;
    if (tut_str_starts((tut_str){said.data + at, said.len - at}, TUT_LIT("//"))) {
        size_t n = authority_length((tut_str){said.data + at + 2, said.len - at - 2});
        if (!n)
            return false;
        at += 2 + n;
    }
    tut_buf_add(out, said.data, at);
    add_rest((tut_str){said.data + at, said.len - at}, out);
    return true;
}

bool tut_bom_purl_of_url(tut_str url, tut_str version, tut_buf *out)
{
    static const char *const hubs[] = {"https://huggingface.co/", "https://hf.co/"};
    for (size_t i = 0; i < sizeof(hubs) / sizeof(hubs[0]); i++) {
        if (!tut_str_starts(url, tut_str_of(hubs[i])))
            continue;
        size_t skip = strlen(hubs[i]);
        tut_str rest = {url.data + skip, url.len - skip};
        if (tut_str_starts(rest, TUT_LIT("datasets/")))
            rest = (tut_str){rest.data + 9, rest.len - 9};
        size_t n = 0, slashes = 0; /* "org/name", and what follows is a place within */
        while (n < rest.len && rest.data[n] != '?' && rest.data[n] != '#') {
            if (rest.data[n] == '/' && ++slashes == 2)
                break;
            n++;
        }
        if (slashes == 0 || n < 3 || rest.data[0] == '/' || rest.data[n - 1] == '/')
            return false;
        tut_buf_add_z(out, "pkg:huggingface/");
        tut_bom_escape((tut_str){rest.data, n}, out);
        if (version.len) {
            tut_buf_add_byte(out, '@');
            tut_bom_escape(version, out);
        }
        return true;
    }
    return false;
}

bool tut_bom_is_mail(tut_str text)
{
    const char *at = text.len ? memchr(text.data, '@', text.len) : NULL;
    if (!at || at == text.data || text.len > 254 || text.data[0] == '.' || at[-1] == '.')
        return false;
    size_t dots = 0;
    for (const char *p = text.data; p < text.data + text.len; p++) {
        bool is_local = p < at;
        if (p == at)
            continue;
        if (!is_letter(*p) && !is_digit(*p) && *p != '.' && *p != '-' &&
            !(is_local && *p && strchr("_+", *p)))
            return false;
        bool is_doubled = *p == '.' && p > text.data && (p[-1] == '.' || p[-1] == '@');
        if (is_doubled)
            return false;
        dots += !is_local && *p == '.';
    }
    char last = text.data[text.len - 1];
    return dots > 0 && (is_letter(last) || is_digit(last)) && at[1] != '-';
}
