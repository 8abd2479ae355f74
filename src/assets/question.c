/* What is asked of the lineage, and how addresses are compared. */
#include <stdio.h>

#include "assets/lineage.h"
#include "formats/format.h"

enum { DIGEST_LEAST = 16, HOST_MAX = 256 };

const char *tut_question_kind_name(tut_question_kind kind)
{
    static const char *const names[TUT_ASK_COUNT] = {"digest", "url", "package", "asset", "entry"};
    return kind < TUT_ASK_COUNT ? names[kind] : "digest";
}

static bool take_prefix(tut_str *s, const char *prefix)
{
    tut_str p = tut_str_of(prefix);
    if (!tut_str_starts(*s, p))
        return false;
    *s = (tut_str){s->data + p.len, s->len - p.len};
    return true;
}

static bool is_entry(tut_str text, tut_question *q)
{
    q->is_traffic = take_prefix(&text, "traffic:");
    if (!q->is_traffic && !take_prefix(&text, "evidence:"))
        (void)take_prefix(&text, "#");
    return text.len <= 15 && tut_str_u64(text, &q->entry);
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digest(tut_str text, tut_question *q)
{
    static const char *const names[] = {"sha256:", "sha384:", "sha512:", "sha1:", "md5:"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (take_prefix(&text, names[i]))
            break;
    if (text.len < DIGEST_LEAST || text.len > 128)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = small(text.data[i]);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        q->text[i] = c;
    }
    q->text[text.len] = '\0';
    return true;
}

static bool is_asset(tut_str text)
{
    char kind[32];
    size_t slash;
    tut_asset_kind parsed;
    if (!tut_str_find(text, TUT_LIT("/"), &slash) || slash >= sizeof(kind) || slash + 1 == text.len)
        return false;
    tut_str_copy(kind, sizeof(kind), (tut_str){text.data, slash});
    return tut_asset_kind_parse(kind, &parsed) && parsed != TUT_KIND_NONE;
}

tut_status tut_question_parse(const char *text, tut_question *ret_question, tut_error *err)
{
    tut_question q = {0};
    tut_str s = tut_str_trim(tut_str_of(text));
    size_t at;
    if (s.len == 0 || s.len >= sizeof(q.text))
        return tut_fail(err, TUT_USAGE,
                        "trace takes a digest, an address, an asset, a package or "
                        "an entry of the log");
    tut_str_copy(q.text, sizeof(q.text), s);
    bool has_scheme = tut_str_find(s, TUT_LIT("://"), &at);
    if (is_entry(s, &q))
        q.kind = TUT_ASK_ENTRY;
    else if (is_digest(s, &q))
        q.kind = TUT_ASK_DIGEST;
    else if (tut_str_starts(s, TUT_LIT("pkg:")))
        q.kind = TUT_ASK_PACKAGE;
    else if (!has_scheme && is_asset(s))
        q.kind = TUT_ASK_ASSET;
    else if (has_scheme || tut_str_find(s, TUT_LIT("."), &at))
        q.kind = TUT_ASK_URL;
    else
        return tut_fail(
            err, TUT_USAGE,
            "\"%.60s\" is no digest (sha256 in hex, 16 digits at least), address, asset "
            "(KIND/NAME), package (pkg:TYPE/NAME) or entry of the log (number)",
            q.text);
    *ret_question = q;
    return TUT_SUCCESS;
}

/* --- addresses --- */

typedef struct address {
    tut_str scheme, host, rest; /* host without user, "www." and the usual port; rest from '/' on */
} address;

static address split(tut_str url)
{
    address a = {.rest = {"", 0}};
    size_t at;
    url = tut_str_trim(url);
    if (tut_str_find(url, TUT_LIT("://"), &at)) {
        a.scheme = (tut_str){url.data, at};
        url = (tut_str){url.data + at + 3, url.len - at - 3};
    }
    size_t len = 0;
    while (len < url.len && !memchr("/?#", url.data[len], 3))
        len++;
    a.host = (tut_str){url.data, len};
    a.rest = (tut_str){url.data + len, url.len - len};
    const char *user = len ? memrchr(a.host.data, '@', a.host.len) : NULL;
    if (user) {
        size_t skip = (size_t)(user - a.host.data) + 1;
        a.host = (tut_str){a.host.data + skip, a.host.len - skip};
    }
    static const tut_str ports[] = {{":443", 4}, {":80", 3}};
    for (size_t i = 0; i < 2; i++)
        if (tut_str_ends(a.host, ports[i]))
            a.host.len -= ports[i].len;
    if (a.host.len > 4 && tut_str_ieq((tut_str){a.host.data, 4}, TUT_LIT("www.")))
        a.host = (tut_str){a.host.data + 4, a.host.len - 4};
    while (a.rest.len > 0 && a.rest.data[a.rest.len - 1] == '/')
        a.rest.len--;
    return a;
}

static bool is_web(tut_str scheme)
{
    return tut_str_ieq(scheme, TUT_LIT("http")) || tut_str_ieq(scheme, TUT_LIT("https"));
}

static bool is_same_scheme(tut_str a, tut_str b)
{
    return a.len == 0 || b.len == 0 || (is_web(a) && is_web(b)) || tut_str_ieq(a, b);
}

bool tut_url_matches(tut_str asked, tut_str url)
{
    address q = split(asked);
    address u = split(url);
    if (q.host.len == 0 || u.host.len == 0 || !is_same_scheme(q.scheme, u.scheme))
        return false;
    if (q.rest.len == 0) {
        if (u.host.len > q.host.len && u.host.data[u.host.len - q.host.len - 1] == '.')
            u.host = (tut_str){u.host.data + u.host.len - q.host.len, q.host.len};
        return tut_str_ieq(q.host, u.host);
    }
    if (!tut_str_ieq(q.host, u.host) || !tut_str_starts(u.rest, q.rest))
        return false;
    return u.rest.len == q.rest.len || memchr("/?#", u.rest.data[q.rest.len], 3);
}
