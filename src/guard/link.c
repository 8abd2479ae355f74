#include "guard/link.h"

static tut_str tail(tut_str s, size_t from)
{
    return (tut_str){s.data + from, s.len - from};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool starts_with(tut_str s, const char *lower)
{
    size_t len = strlen(lower);
    return s.len >= len && tut_str_ieq((tut_str){s.data, len}, (tut_str){lower, len});
}

/* Browsers drop white space and controls before and inside a scheme, and take \ for /. */
static size_t skip_blank(tut_str url)
{
    size_t at = 0;
    while (at < url.len && (uint8_t)url.data[at] <= ' ')
        at++;
    return at;
}

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

bool tut_link_host(tut_str url, tut_str *ret_host)
{
    url = tail(url, skip_blank(url));
    size_t at = 0;
    while (at < url.len && url.data[at] != ':' && !is_slash(url.data[at]) && url.data[at] != '?' &&
           url.data[at] != '#')
        at++;
    if (at < url.len && url.data[at] == ':')
        at++;
    else
        at = 0;
    size_t slashes = at;
    while (slashes < url.len && is_slash(url.data[slashes]))
        slashes++;
    bool is_web = starts_with(url, "http:") || starts_with(url, "https:");
    if (slashes - at < 2 && !(is_web && slashes >= at))
        return false;
    size_t begin = slashes, end = begin;
    while (end < url.len && !is_slash(url.data[end]) && url.data[end] != '?' &&
           url.data[end] != '#' && (uint8_t)url.data[end] > ' ')
        end++;
    for (size_t i = begin; i < end; i++)
        if (url.data[i] == '@')
            begin = i + 1;
    size_t stop = begin;
    while (stop < end && url.data[stop] != ':')
        stop++;
    *ret_host = (tut_str){url.data + begin, stop - begin};
    return true;
}

/* Where an address leads: to a host, to code, or nowhere else. */
static void judge(tut_str url, tut_link *l)
{
    tut_str host = {"", 0};
    tut_str bare = tail(url, skip_blank(url));
    if (tut_link_host(url, &host)) {
        l->host = host.len ? host : TUT_LIT("?");
        l->is_outside = true;
    } else if (starts_with(bare, "javascript:") || starts_with(bare, "vbscript:") ||
               starts_with(bare, "data:text")) {
        l->host = TUT_LIT("?");
        l->is_outside = true;
    }
}

/* --- [text](address "title") --- */
static size_t end_of_brackets(tut_str t, size_t at, bool *ret_is_open)
{
    size_t depth = 0;
    for (size_t i = at; i < t.len && i - at < TUT_LINK_MOST; i++) {
        char c = t.data[i];
        if (c == '\\')
            i++;
        else if (c == '\n' && i + 1 < t.len && t.data[i + 1] == '\n')
            return 0;
        else if (c == '[')
            depth++;
        else if (c == ']' && --depth == 0)
            return i + 1;
    }
    *ret_is_open = t.len - at < TUT_LINK_MOST;
    return 0;
}

static bool read_target(tut_str t, size_t at, tut_link *l)
{
    size_t begin = at;
    while (at < t.len && is_space(t.data[at]))
        at++;
    bool is_angled = at < t.len && t.data[at] == '<';
    size_t from = at + is_angled;
    size_t depth = 0;
    for (at = from; at < t.len && at - begin < TUT_LINK_MOST; at++) {
        char c = t.data[at];
        if (is_angled ? c == '>' || c == '\n' : is_space(c) || (c == ')' && depth == 0))
            break;
        depth += c == '(';
        depth -= c == ')';
    }
    tut_str url = {t.data + from, at - from};
    char quote = '\0';
    for (; at < t.len && at - begin < TUT_LINK_MOST; at++) { /* a title, which may hold a ')' */
        char c = t.data[at];
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? '\0' : c;
        else if (!quote && c == ')')
            break;
        else if (c == '\n' && at + 1 < t.len && t.data[at + 1] == '\n')
            return false;
    }
    if (at >= t.len) {
        l->is_open = true;
        return at - begin < TUT_LINK_MOST;
    }
    if (t.data[at] != ')')
        return false;
    l->end = at + 1;
    judge(url, l);
    return true;
}

static bool read_brackets(tut_str t, size_t at, tut_link *l)
{
    bool is_image = t.data[at] == '!';
    size_t open = at + is_image;
    *l = (tut_link){.kind = is_image ? TUT_LINK_IMAGE : TUT_LINK_INLINE, .begin = at};
    if (open == t.len)
        return l->is_open = true;
    if (t.data[open] != '[')
        return false;
    size_t end = end_of_brackets(t, open, &l->is_open);
    if (l->is_open)
        return true;
    if (end == 0)
        return false;
    l->shown = (tut_str){t.data + open + 1, end - open - 2};
    if (end == t.len)
        return l->is_open = true;
    return t.data[end] == '(' && read_target(t, end + 1, l);
}

/* --- <img src=...> --- */
static const char *const elements[] = {"img",    "a",      "iframe", "script", "link",  "video",
                                       "audio",  "source", "embed",  "object", "svg",   "image",
                                       "form",   "input",  "base",   "meta",   "style", "track",
                                       "button", "area",   "use",    "body",   "table", "td"};

static bool is_element(tut_str name, bool is_whole)
{
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        size_t len = strlen(elements[i]);
        if (is_whole ? tut_str_ieq(name, (tut_str){elements[i], len})
                     : name.len <= len && tut_str_ieq(name, (tut_str){elements[i], name.len}))
            return true;
    }
    return false;
}

/* The first address of a host inside the element, wherever it stands: src, href, srcset, style. */
static void judge_inside(tut_str inside, tut_link *l)
{
    for (size_t i = 0; i < inside.len; i++) {
        char c = inside.data[i];
        if ((c | 0x20) != 'h' && (c | 0x20) != 'j' && !is_slash(c))
            continue;
        tut_str rest = tail(inside, i);
        bool is_first = i == 0 || strchr("\"'=( ,", inside.data[i - 1]);
        if (!is_first || !(starts_with(rest, "http:") || starts_with(rest, "https:") ||
                           starts_with(rest, "//") || starts_with(rest, "\\\\") ||
                           starts_with(rest, "javascript:")))
            continue;
        judge(rest, l);
        size_t n = 0;
        while (n < l->host.len && !strchr("\"'>) ", l->host.data[n]))
            n++;
        l->host.len = n;
        return;
    }
}

static bool read_element(tut_str t, size_t at, tut_link *l)
{
    size_t end = at + 1;
    while (end < t.len && end - at < 12 &&
           ((t.data[end] | 0x20) >= 'a' && (t.data[end] | 0x20) <= 'z'))
        end++;
    tut_str name = {t.data + at + 1, end - at - 1};
    *l = (tut_link){.kind = TUT_LINK_ELEMENT, .begin = at};
    if (end == t.len)
        return l->is_open = is_element(name, false);
    if (!is_element(name, true))
        return false;
    char quote = '\0';
    size_t i = end;
    for (; i < t.len && i - at < TUT_LINK_MOST; i++) {
        char c = t.data[i];
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? '\0' : c;
        else if (!quote && c == '>')
            break;
    }
    if (i == t.len)
        return l->is_open = true;
    l->end = i + (t.data[i] == '>');
    judge_inside((tut_str){t.data + end, l->end - end}, l);
    return true;
}

/* --- https://... --- */
static bool read_bare(tut_str t, size_t at, tut_link *l)
{
    tut_str rest = tail(t, at);
    if (rest.len < 5 || (rest.data[1] | 0x20) != 't')
        return false;
    if (at > 0 && ((t.data[at - 1] | 0x20) >= 'a' && (t.data[at - 1] | 0x20) <= 'z'))
        return false;
    *l = (tut_link){.kind = TUT_LINK_BARE, .begin = at};
    if (!starts_with(rest, "http://") && !starts_with(rest, "https://") &&
        !starts_with(rest, "http:\\") && !starts_with(rest, "https:\\"))
        return false;
    size_t end = at;
    while (end < t.len && (uint8_t)t.data[end] > ' ' && (uint8_t)t.data[end] < 0x7f &&
           !strchr("<>\"`", t.data[end]))
        end++;
    while (end > at && strchr(".,;:!?)]}'*_", t.data[end - 1]))
        end--;
    l->end = end;
    judge((tut_str){t.data + at, end - at}, l);
    return l->is_outside && l->host.data[0] != '?';
}

bool tut_link_next(tut_str text, size_t from, tut_link *ret_link)
{
    for (size_t at = from; at < text.len; at++) {
        bool is_link = false;
        switch (text.data[at]) {
        case '!':
        case '[':
            is_link = read_brackets(text, at, ret_link);
            break;
        case '<':
            is_link = read_element(text, at, ret_link);
            break;
        case 'h':
        case 'H':
            is_link = read_bare(text, at, ret_link);
            break;
        default:
            break;
        }
        if (is_link)
            return true;
    }
    return false;
}
