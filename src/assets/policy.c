#include "assets/policy.h"

/* --- entries --- */
static const char *lack_of_words(tut_str reason, tut_str by)
{
    if (reason.len == 0)
        return "has no reason";
    return by.len == 0 ? "names nobody who answers for it (by)" : NULL;
}

const char *tut_listed_lack(const tut_listed *e, bool is_allowing, tut_time at)
{
    if (is_allowing && e->rule.len == 0)
        return "names no rule";
    if (!e->asset.len && !e->path.len && !e->has_digest && !e->global.len && !e->url.len)
        return is_allowing ? "names no asset, path or digest"
                           : "names no path, digest, global or url";
    const char *lack = lack_of_words(e->reason, e->by);
    if (lack)
        return lack;
    if (is_allowing && !e->has_expires)
        return "has no end (expires)";
    return e->has_expires && at >= e->expires ? "has expired" : NULL;
}

const char *tut_approved_lack(const tut_approved_source *e, tut_time at)
{
    if (e->prefix.len == 0)
        return "names no address";
    const char *lack = lack_of_words(e->reason, e->by);
    return lack ? lack : e->has_expires && at >= e->expires ? "has expired" : NULL;
}

/* --- addresses --- */
typedef struct address {
    tut_str scheme, host, path; /* the path without query and fragment */
} address;

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_alike(tut_str a, tut_str b)
{
    bool same = a.len == b.len;
    for (size_t i = 0; same && i < a.len; i++)
        same = lower(a.data[i]) == lower(b.data[i]);
    return same;
}

static tut_str tail_of(tut_str s, size_t from)
{
    return (tut_str){s.data + from, s.len - from};
}

static size_t span_until(tut_str s, const char *ends)
{
    size_t at = 0;
    while (at < s.len && !strchr(ends, s.data[at]))
        at++;
    return at;
}

static bool has_hex_of(tut_str s, size_t at, const char *codes)
{
    for (; *codes; codes += 2)
        if (at + 2 < s.len && s.data[at + 1] == codes[0] && lower(s.data[at + 2]) == codes[1])
            return true;
    return false;
}

/* Segments that a server may fold into others, so that the text proves nothing. */
static bool path_is_plain(tut_str path)
{
    for (size_t at = 0; at < path.len; at++) {
        char c = path.data[at];
        if (c == '\\' || (unsigned char)c <= ' ' || c == 0x7f ||
            (c == '%' && has_hex_of(path, at, "2f2e5c00")))
            return false;
    }
    for (size_t at = 0; at < path.len;) {
        size_t len = span_until(tail_of(path, at), "/");
        tut_str segment = {path.data + at, len};
        if (tut_str_eq_z(segment, ".") || tut_str_eq_z(segment, ".."))
            return false;
        at += len + 1;
    }
    return true;
}

static bool host_is_plain(tut_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = lower(host.data[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr(".-:[]_", c))))
            return false;
    }
    return host.len > 0;
}

static tut_str without_port(tut_str host, tut_str scheme)
{
    tut_str port = is_alike(scheme, TUT_LIT("https")) ? TUT_LIT(":443") : TUT_LIT(":80");
    if (host.len > port.len && memcmp(host.data + host.len - port.len, port.data, port.len) == 0)
        host.len -= port.len;
    return host;
}

static bool split(tut_str url, address *ret)
{
    size_t colon = 0;
    address a = {0};
    if (!tut_str_find(url, TUT_LIT("://"), &colon) || colon == 0)
        return false;
    a.scheme = (tut_str){url.data, colon};
    tut_str rest = tail_of(url, colon + 3);
    size_t host = span_until(rest, "/?#");
    a.host = without_port((tut_str){rest.data, host}, a.scheme);
    a.path = tail_of(rest, host);
    a.path.len = span_until(a.path, "?#");
    if (!host_is_plain(a.host) || !path_is_plain(a.path))
        return false;
    *ret = a;
    return true;
}

bool tut_url_is_below(tut_str prefix, tut_str url)
{
    address p, u;
    if (!split(prefix, &p) || !split(url, &u) || !is_alike(p.scheme, u.scheme) ||
        !is_alike(p.host, u.host))
        return false;
    while (p.path.len > 0 && p.path.data[p.path.len - 1] == '/')
        p.path.len--;
    return tut_str_starts(u.path, p.path) &&
           (u.path.len == p.path.len || u.path.data[p.path.len] == '/');
}
