/* Secrets that no prefix gives away: private keys, passwords in addresses, what is assigned. */
#include <string.h>

#include "text/rule.h"
#include "text/shape.h"

enum { PEM_TRIGGER = 22, PEM_LOOK = 400, PEM_LEAST = 60, VALUE_MOST = 200, GAP = 8 };

/* Blanks, line ends and what escapes them in JSON and source text. */
static size_t skip_breaks(tut_str t, size_t at)
{
    for (;;) {
        if (at < t.len && t.data[at] != '\0' && strchr(" \t\r\n\"'+", t.data[at]))
            at++;
        else if (at + 1 < t.len && t.data[at] == '\\' && t.data[at + 1] != '\0' &&
                 strchr("nrt\n\r\\", t.data[at + 1]))
            at += 2;
        else
            return at;
    }
}

/* Behind the first line stand base64 characters, not dots, not the name of a variable. */
bool tut_verify_pem(const tut_text_view *v, size_t end, tut_text_found *f)
{
    tut_str t = v->text;
    size_t begin = end - PEM_TRIGGER;
    while (begin > 0 && end - begin < 64 && memcmp(t.data + begin, "-----BEGIN", 10) != 0)
        begin--;
    size_t at = end;
    while (at < t.len && t.data[at] != '-' && at - end < GAP)
        at++;
    while (at < t.len && t.data[at] == '-')
        at++;
    size_t good = 0, stop = at + PEM_LOOK < t.len ? at + PEM_LOOK : t.len;
    size_t first = at;
    while (at < stop) {
        size_t next = skip_breaks(t, at);
        char c = next < stop ? t.data[next] : '\0';
        if (next > at) {
            at = next;
        } else if (tut_shape_has('B', c) || c == '=') {
            good++;
            at++;
        } else if (c == ':' || c == ',' || (c == '-' && good > 0 && good < PEM_LEAST)) {
            good = c == '-' ? good : 0; /* "Proc-Type: 4,ENCRYPTED" before the key */
            at++;
        } else {
            break;
        }
    }
    size_t body = at > first ? at - first : 0;
    if (good < PEM_LEAST || body < PEM_LEAST ||
        tut_judge_entropy((tut_str){t.data + first, body}) < 3.5)
        return false;
    f->begin = begin;
    f->end = at;
    return true;
}

bool tut_verify_putty(const tut_text_view *v, size_t end, tut_text_found *f)
{
    size_t at;
    size_t len = v->text.len - end < 4096 ? v->text.len - end : 4096;
    tut_str rest = {v->text.data + end, len};
    if (!tut_str_find(rest, TUT_LIT("Private-Lines:"), &at))
        return false;
    f->begin = end - 22;
    f->end = end + at;
    return true;
}

bool tut_verify_jwt(const tut_text_view *v, size_t end, tut_text_found *f)
{
    size_t begin = end - 17, len;
    tut_str rest = {v->text.data + begin, v->text.len - begin};
    if (!tut_judge_starts(v->text, begin) ||
        !tut_shape_match("eyJ%b{14,2000}.%b{16,4000}.%b{20,1000}", rest, true, &len))
        return false;
    tut_str token = {rest.data, len};
    if (!tut_check_jwt(token) || tut_judge_is_placeholder(token))
        return false;
    f->begin = begin;
    f->end = begin + len;
    f->proof = TUT_TEXT_BY_CHECKSUM;
    return true;
}

static bool is_template(tut_str value)
{
    return tut_judge_is_placeholder(value) || memchr(value.data, '%', value.len) == value.data ||
           value.data[0] == '[' || value.data[0] == '(';
}

/* scheme://user:password@host, with a password that nobody writes into a manual. */
bool tut_verify_url_password(const tut_text_view *v, size_t end, tut_text_found *f)
{
    tut_str t = v->text;
    size_t at = end;
    while (at < t.len && at - end < VALUE_MOST && (uint8_t)t.data[at] > ' ' &&
           !strchr("@/\"'<>`\\", t.data[at]))
        at++;
    tut_str word = {t.data + end, at - end};
    bool has_host = at + 1 < t.len && t.data[at] == '@' &&
                    (tut_is_word(t.data[at + 1]) || t.data[at + 1] == '[');
    if (!has_host || word.len < 6 || is_template(word) || tut_judge_is_stop_word(word) ||
        tut_judge_entropy(word) < 2.5)
        return false;
    if (!tut_judge_is_random(word, 2.5) && word.len < 12)
        return false;
    tut_str host = {t.data + at + 1, t.len - at - 1 < 32 ? t.len - at - 1 : 32};
    size_t where;
    if (tut_str_find(host, TUT_LIT("example"), &where))
        return false;
    f->begin = end;
    f->end = at;
    f->proof = TUT_TEXT_BY_CONTEXT;
    return true;
}

/* Server=…;User Id=…;Password=…; as drivers of databases read it. */
bool tut_verify_connection(const tut_text_view *v, size_t end, tut_text_found *f)
{
    tut_str t = v->text;
    size_t at = end, from = end > 200 ? end - 200 : 0, place;
    while (at < t.len && at - end < VALUE_MOST && (uint8_t)t.data[at] > ' ' &&
           !strchr(";\"'<>`", t.data[at]))
        at++;
    tut_str word = {t.data + end, at - end};
    tut_str before = {t.data + from, end - from};
    bool is_string = tut_str_find(before, TUT_LIT(";"), &place) &&
                     (tut_str_find(before, TUT_LIT("erver="), &place) ||
                      tut_str_find(before, TUT_LIT("ource="), &place) ||
                      tut_str_find(before, TUT_LIT("ost="), &place));
    if (!is_string || word.len < 6 || is_template(word) || tut_judge_is_stop_word(word) ||
        !tut_judge_is_random(word, 2.5))
        return false;
    f->begin = end;
    f->end = at;
    f->proof = TUT_TEXT_BY_CONTEXT;
    return true;
}

bool tut_verify_bearer(const tut_text_view *v, size_t end, tut_text_found *f)
{
    size_t len;
    tut_str rest = {v->text.data + end, v->text.len - end};
    if (!tut_shape_match("%t{20,2000}", rest, true, &len))
        return false;
    tut_str word = {rest.data, len};
    if (is_template(word) || tut_judge_is_stop_word(word) || !tut_judge_is_random(word, 3.5))
        return false;
    f->begin = end;
    f->end = end + len;
    f->proof = TUT_TEXT_BY_CONTEXT;
    return true;
}

/* --- name = value --- */
/* The value behind the sign: quoted, or up to where an unquoted one ends. */
static bool take_value(tut_str t, size_t at, tut_str *ret_value, bool *ret_is_quoted)
{
    size_t stop = at + GAP;
    while (at < t.len && at < stop && (t.data[at] == ' ' || t.data[at] == '\t'))
        at++;
    while (at + 1 < t.len && (t.data[at] == 'b' || t.data[at] == 'f' || t.data[at] == 'r') &&
           (t.data[at + 1] == '"' || t.data[at + 1] == '\''))
        at++;
    if (at < t.len && t.data[at] == '\\')
        at++;
    char quote = at < t.len && strchr("\"'`", t.data[at]) ? t.data[at] : '\0';
    *ret_is_quoted = quote != '\0';
    at += quote != '\0';
    size_t begin = at;
    while (at < t.len && at - begin < VALUE_MOST && (uint8_t)t.data[at] > ' ' &&
           !strchr("\"'`<>,;\\", t.data[at]))
        at++;
    *ret_value = (tut_str){t.data + begin, at - begin};
    /* A quoted value that is not one word is a sentence; an unquoted one ends with its line. */
    if (quote)
        return at < t.len && (t.data[at] == quote || t.data[at] == '\\');
    return at == t.len || strchr("\r\n <,;\"'\\", t.data[at]);
}

static bool is_hex_digest(tut_str value)
{
    if (value.len != 32 && value.len != 40 && value.len != 64 && value.len != 128)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (!tut_shape_has('H', value.data[i]))
            return false;
    }
    return true;
}

/* What a name can hold and program text has: calls, members, indexes. */
static bool is_expression(tut_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (strchr("()[]{}<>|&*?%", value.data[i]))
            return true;
    }
    return false;
}

/* Parts of words: "my_secret_name", "getTokenFromEnv2". A machine's value changes between letters
 * and digits, or between cases, far more often. */
static size_t changes(tut_str value)
{
    size_t n = 0;
    for (size_t i = 1; i < value.len; i++)
        n += tut_is_digit(value.data[i]) != tut_is_digit(value.data[i - 1]);
    return n;
}

static bool is_about_digest(tut_str t, size_t end)
{
    static const char words[] =
        "sha|hash|digest|checksum|integrity|commit|md5|etag|uuid|guid|public|"
        "fingerprint|signature|revision|nonce|csrf|cancel|_id|-id";
    size_t from = end;
    char low[64];
    size_t n = 0;
    while (from > 0 && end - from < sizeof(low) && t.data[from - 1] != '\n')
        from--;
    for (size_t i = from; i < end; i++)
        low[n++] = (char)(t.data[i] >= 'A' && t.data[i] <= 'Z' ? t.data[i] | 0x20 : t.data[i]);
    for (const char *at = words; *at;) {
        size_t len = strcspn(at, "|"), place;
        if (tut_str_find((tut_str){low, n}, (tut_str){at, len}, &place))
            return true;
        at += len;
        at += *at == '|';
    }
    return false;
}

bool tut_verify_generic(const tut_text_view *v, size_t end, tut_text_found *f)
{
    tut_str value;
    bool is_quoted;
    if (v->is_binary || !take_value(v->text, end, &value, &is_quoted))
        return false;
    if (value.len < 10 || value.len >= VALUE_MOST || tut_judge_is_placeholder(value) ||
        tut_judge_is_stop_word(value) || is_expression(value))
        return false;
    if (is_about_digest(v->text, end) || memchr(value.data, '/', value.len) == value.data)
        return false;
    bool is_long = value.len >= 16;
    bool is_mixed = changes(value) >= (is_long ? 4u : 2u);
    double least = is_hex_digest(value) ? 3.0 : is_long ? 3.5 : 3.0;
    if (!is_mixed || !tut_judge_is_random(value, least) ||
        (!is_quoted && memchr(value.data, ':', value.len)))
        return false;
    size_t begin = (size_t)(value.data - v->text.data);
    f->begin = begin;
    f->end = begin + value.len;
    f->is_loose = true;
    f->proof = TUT_TEXT_BY_CONTEXT;
    return true;
}
