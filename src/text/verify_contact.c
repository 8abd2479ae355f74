/* Where people and machines are reached: e-mail, pages, IPv6. Their signs are single characters,
 * for which memchr is faster than any pattern. */
#include <string.h>

#include "text/rule.h"

enum { LOCAL_MAX = 64, DOMAIN_MAX = 253 };

static bool is_local(char c)
{
    return tut_is_word(c) || c == '.' || c == '+' || c == '-' || c == '%';
}

/* Endings of names that stand behind an "@" and are no host: icon@2x.png, package@1.2.3. */
static bool is_file(tut_str last)
{
    static const char files[] =
        " png jpg jpeg gif svg webp ico css js ts py md json yaml yml txt so "
        "html service socket target timer mount path slice scope ";
    char word[16];
    size_t at;
    if (last.len + 2 > sizeof(word))
        return false;
    word[0] = ' ';
    memcpy(word + 1, last.data, last.len);
    word[last.len + 1] = ' ';
    return tut_str_find(tut_str_of(files), (tut_str){word, last.len + 2}, &at);
}

/* Labels of letters, digits and '-', at least two; the last of letters. */
static size_t host_length(tut_str t)
{
    size_t at = 0, label = 0, dots = 0, last = 0;
    while (at < t.len && at < DOMAIN_MAX) {
        char c = t.data[at];
        bool is_label = tut_is_letter(c) || tut_is_digit(c) || (c == '-' && label > 0);
        if (is_label) {
            label++;
        } else if (c == '.' && label > 0 && at + 1 < t.len &&
                   (tut_is_letter(t.data[at + 1]) || tut_is_digit(t.data[at + 1]))) {
            dots++;
            label = 0;
            last = at + 1;
        } else {
            break;
        }
        at++;
    }
    size_t end = at;
    while (end > last && t.data[end - 1] == '-')
        end--;
    tut_str top = {t.data + last, end - last};
    if (dots == 0 || top.len < 2 || top.len > 24 || is_file(top))
        return 0;
    for (size_t i = 0; i < top.len; i++) {
        if (!tut_is_letter(top.data[i]))
            return 0;
    }
    return end;
}

/* scheme://user@ and scheme://user:password@ */
static bool is_login(tut_str t, size_t begin)
{
    size_t from = begin;
    while (from > 0 && begin - from < LOCAL_MAX && (uint8_t)t.data[from - 1] > ' ' &&
           t.data[from - 1] != '/')
        from--;
    return from >= 3 && t.data[from - 1] == '/' && t.data[from - 2] == '/' &&
           t.data[from - 3] == ':';
}

static bool verify_email(const tut_text_view *v, size_t sign, tut_text_found *f)
{
    size_t begin = sign;
    while (begin > 0 && sign - begin < LOCAL_MAX && is_local(v->text.data[begin - 1]))
        begin--;
    while (begin < sign &&
           (v->text.data[begin] == '.' || v->text.data[begin] == '-' || v->text.data[begin] == '%'))
        begin++;
    size_t len = host_length((tut_str){v->text.data + sign + 1, v->text.len - sign - 1});
    if (begin == sign || v->text.data[sign - 1] == '.' || len == 0)
        return false;
    /* git@host:path and ssh://user@host are addresses of machines */
    tut_str local = {v->text.data + begin, sign - begin};
    if (tut_str_eq_z(local, "git") || is_login(v->text, begin))
        return false;
    f->begin = begin;
    f->end = sign + 1 + len;
    return true;
}

/* sign: of the "://" */
static bool verify_url(const tut_text_view *v, size_t sign, tut_text_found *f)
{
    tut_str t = v->text;
    size_t begin = sign, at = sign + 3, end = at;
    while (begin > 0 && sign - begin < 6 && tut_is_letter(t.data[begin - 1]))
        begin--;
    tut_str scheme = {t.data + begin, sign - begin};
    if (!tut_str_ieq(scheme, TUT_LIT("http")) && !tut_str_ieq(scheme, TUT_LIT("https")))
        return false;
    while (at < t.len && at - begin < 2000 && (uint8_t)t.data[at] > ' ' && t.data[at] != 0x7f &&
           !strchr("\"'<>`\\{}|^", t.data[at]))
        at++;
    while (at > end && strchr(".,;:!?)]*", t.data[at - 1]))
        at--;
    f->begin = begin;
    f->end = at;
    return at > end;
}

static bool is_hex(char c)
{
    return tut_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Eight groups, or fewer with one "::"; a MAC address has six of two digits. */
/* sign: of a colon inside */
static bool verify_ipv6(const tut_text_view *v, size_t sign, tut_text_found *f)
{
    tut_str t = v->text;
    size_t begin = sign, end = sign, at;
    while (begin > 0 && end - begin < 45 && (is_hex(t.data[begin - 1]) || t.data[begin - 1] == ':'))
        begin--;
    for (at = begin; at < t.len && at - begin < 45 && (is_hex(t.data[at]) || t.data[at] == ':');)
        at++;
    size_t groups = 0, digits = 0, most = 0, gaps = 0, hex_only = 0;
    for (size_t i = begin; i <= at; i++) {
        if (i < at && t.data[i] != ':') {
            digits++;
            hex_only += !tut_is_digit(t.data[i]);
            continue;
        }
        gaps += i < at && i + 1 < at && t.data[i + 1] == ':';
        groups += digits > 0;
        most = digits > most ? digits : most;
        digits = 0;
    }
    bool is_bounded = (begin == 0 || !tut_is_word(t.data[begin - 1])) &&
                      (at == t.len || (!tut_is_word(t.data[at]) && t.data[at] != '.'));
    bool is_mac = groups == 6 && gaps == 0 && at - begin == 17;
    bool is_address = most <= 4 && ((groups == 8 && gaps == 0) || (gaps == 1 && groups >= 3));
    if (!is_bounded || (!is_mac && !is_address) || (is_address && hex_only == 0))
        return false;
    if (is_mac)
        f->label = "MAC address";
    f->begin = begin;
    f->end = at;
    return true;
}

static void tell(const tut_text_view *v, size_t sign,
                 bool (*verify)(const tut_text_view *, size_t, tut_text_found *), tut_text_found f,
                 tut_number_fn found, void *ctx)
{
    if (verify(v, sign, &f))
        found(ctx, &f);
}

static void find_mail(const tut_text_view *v, tut_number_fn found, void *ctx)
{
    const tut_text_found mail = {
        .id = "email", .label = "E-mail address", .type = TUT_TEXT_CONTACT};
    const char *end = v->text.data + v->text.len;
    for (const char *at = v->text.data; at < end; at++) {
        at = memchr(at, '@', (size_t)(end - at));
        if (!at)
            return;
        tell(v, (size_t)(at - v->text.data), verify_email, mail, found, ctx);
    }
}

static void find_hosts(const tut_text_view *v, tut_number_fn found, void *ctx)
{
    const tut_text_found page = {.id = "url", .label = "Web address", .type = TUT_TEXT_NETWORK};
    const tut_text_found host = {.id = "ipv6", .label = "IPv6 address", .type = TUT_TEXT_NETWORK};
    const char *end = v->text.data + v->text.len;
    for (const char *at = v->text.data; at < end; at++) {
        at = memchr(at, ':', (size_t)(end - at));
        if (!at || at + 3 > end)
            return;
        size_t sign = (size_t)(at - v->text.data);
        if (at[1] == '/' && at[2] == '/')
            tell(v, sign, verify_url, page, found, ctx);
        else if (is_hex(at[1]) && (is_hex(at[2]) || at[2] == ':'))
            tell(v, sign, verify_ipv6, host, found, ctx);
    }
}

void tut_text_contacts(const tut_text_view *v, unsigned classes, tut_number_fn found, void *ctx)
{
    if (classes >> TUT_TEXT_CONTACT & 1u)
        find_mail(v, found, ctx);
    if (classes >> TUT_TEXT_NETWORK & 1u)
        find_hosts(v, found, ctx);
}
