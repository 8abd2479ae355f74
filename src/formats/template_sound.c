/*
 * What is said of a template besides what it hides: that Jinja refuses it, that rendering it takes
 * all memory or time, and that it hands an address of its own to every conversation.
 */
#include "formats/template_internal.h"

enum { MANY_DIGITS = 6, LEAST_HOST = 4, SHOWN = 120 };

/* --- what costs --- */
static bool is_many(tut_word w)
{
    return w.kind == TUT_WORD_NUMBER && w.text.len >= MANY_DIGITS;
}

const char *tut_template_exhausts(tut_str expression)
{
    tut_word before[3] = {{0}};
    tut_str rest = expression;
    for (tut_word w = tut_word_next(&rest); w.kind != TUT_WORD_END; w = tut_word_next(&rest)) {
        bool is_power = tut_word_is_sign(before[2], '*') && tut_word_is_sign(before[1], '*') &&
                        before[0].kind == TUT_WORD_NUMBER && w.kind == TUT_WORD_NUMBER;
        if (is_power)
            return "a power of a number";
        if (tut_word_is_sign(before[2], '*') && is_many(w))
            return "a text or list repeated a hundred thousand times or more";
        if (tut_word_is(before[1], "range") && tut_word_is_sign(before[2], '(') && is_many(w))
            return "a loop of a hundred thousand rounds or more";
        before[0] = before[1];
        before[1] = before[2];
        before[2] = w;
    }
    return NULL;
}

/* --- addresses --- */
static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':';
}

/* Names of schemas and of examples are no addresses that anybody is sent to. */
static bool is_nobodys(tut_str host)
{
    static const char *const hosts[] = {"www.w3.org",  "json-schema.org", "schema.org",
                                        "example.com", "www.example.com", "example.org",
                                        "localhost"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (tut_str_ieq(host, tut_str_of(hosts[i])))
            return true;
    return false;
}

/* The first address in the text; empty: there is none. */
static tut_str address_in(tut_str text)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t at = 0, len = strlen(schemes[i]);
        tut_str rest = text;
        while (tut_str_find(rest, tut_str_of(schemes[i]), &at)) {
            size_t end = at + len;
            while (end < rest.len && is_host_byte(rest.data[end]))
                end++;
            tut_str host = {rest.data + at + len, end - at - len};
            if (host.len >= LEAST_HOST && memchr(host.data, '.', host.len) && !is_nobodys(host))
                return (tut_str){rest.data + at, end - at};
            rest = (tut_str){rest.data + end, rest.len - end};
        }
    }
    return (tut_str){"", 0};
}

void tut_sound_text(tut_hidden *h, tut_str text)
{
    if (!h->is_judging || !h->is_of_messages || h->has_address)
        return;
    tut_str address = address_in(text);
    if (address.len == 0)
        return;
    h->has_address = true;
    tut_exam_observe(h->x, "data.template-link", h->offset, "it brings in %.*s",
                     (int)(address.len < SHOWN ? address.len : SHOWN), address.data);
}

void tut_sound_expression(tut_hidden *h, tut_str expression, uint64_t at)
{
    const char *what = tut_template_exhausts(expression);
    if (what)
        tut_exam_observe(h->x, "data.template-exhausts", h->offset + at, "%s: %.*s", what,
                         (int)(expression.len < SHOWN ? expression.len : SHOWN), expression.data);
}

/* --- what Jinja refuses --- */
void tut_sound_end(tut_hidden *h, tut_str text, bool is_cut)
{
    size_t at;
    if (is_cut || tut_str_find(text, TUT_LIT("raw"), &at))
        return;
    if (h->has_open_tag)
        tut_exam_observe(h->x, "data.template-broken", h->offset + h->open_tag_at,
                         "a tag that is never closed");
    else if (h->depth > 0 && h->depth_lost == 0)
        tut_exam_observe(h->x, "data.template-broken", h->offset + h->open[h->depth - 1].at,
                         "a block that is never ended");
}
