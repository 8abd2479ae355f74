#include "plain.h"

#include <stdlib.h>

static bool is_unseen(uint32_t c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x2064) || c == 0xfeff || c == 0xad ||
           (c >= 0xe0000 && c <= 0xe007f) || (c >= 0xfe00 && c <= 0xfe0f);
}

/* ---- entities ---- */

static const struct {
    const char *name;
    uint32_t c;
} entities[] = {{"&amp;", '&'}, {"&apos;", '\''}, {"&colon;", ':'},  {"&gt;", '>'},
                {"&lt;", '<'},  {"&nbsp;", ' '},  {"&period;", '.'}, {"&quot;", '"'}};

static size_t numbered(tut_str text, uint32_t *ret_c)
{
    bool is_hex = text.len > 3 && (text.data[2] == 'x' || text.data[2] == 'X');
    char digits[12] = "";
    const char *end = memchr(text.data, ';', text.len < 12 ? text.len : 12);
    size_t from = is_hex ? 3 : 2;
    if (!end || (size_t)(end - text.data) <= from)
        return 0;
    memcpy(digits, text.data + from, (size_t)(end - text.data) - from);
    char *stopped = NULL;
    unsigned long c = strtoul(digits, &stopped, is_hex ? 16 : 10);
    if (*stopped || c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *ret_c = (uint32_t)c;
    return (size_t)(end - text.data) + 1;
}

/* Bytes of the entity that the text begins with; 0: with none. */
static size_t entity(tut_str text, uint32_t *ret_c)
{
    if (text.len > 3 && text.data[0] == '&' && text.data[1] == '#')
        return numbered(text, ret_c);
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
        if (tut_str_starts(text, tut_str_of(entities[i].name))) {
            *ret_c = entities[i].c;
            return strlen(entities[i].name);
        }
    return 0;
}

/* ---- elements ---- */

static void add_attribute(tut_str element, tut_str name, tut_buf *aside)
{
    size_t at;
    if (!tut_str_find(element, name, &at))
        return;
    at += name.len;
    const char *end = memchr(element.data + at, '"', element.len - at);
    if (!end)
        return;
    tut_str value = {element.data + at, (size_t)(end - element.data) - at};
    tut_buf_add_str(aside, value);
    tut_buf_add_z(aside, "\n\n");
}

/* Bytes of the element or remark that the text begins with; 0: with none. */
static size_t element(tut_str text, tut_buf *aside)
{
    size_t at;
    if (text.len < 3 || text.data[0] != '<')
        return 0;
    if (tut_str_starts(text, TUT_LIT("<!--")))
        return tut_str_find(text, TUT_LIT("-->"), &at) ? at + 3 : 0;
    char c = text.data[1] == '/' ? text.data[2] : text.data[1];
    const char *end = memchr(text.data, '>', text.len);
    if (!end || !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
        return 0;
    tut_str whole = {text.data, (size_t)(end - text.data) + 1};
    add_attribute(whole, TUT_LIT(" alt=\""), aside);
    add_attribute(whole, TUT_LIT(" title=\""), aside);
    return whole.len;
}

/* The text of a picture in Markdown, which itself stays where it is. */
static void add_picture(tut_str text, tut_buf *aside)
{
    size_t end;
    if (!tut_str_starts(text, TUT_LIT("![")) || !tut_str_find(text, TUT_LIT("]("), &end))
        return;
    tut_buf_add(aside, text.data + 2, end - 2);
    tut_buf_add_z(aside, "\n\n");
}

void assistant_plain(tut_str text, tut_buf *ret_text, tut_buf *ret_aside)
{
    for (size_t at = 0; at < text.len;) {
        tut_str rest = {text.data + at, text.len - at};
        uint32_t c = 0;
        char as[4];
        size_t len = element(rest, ret_aside);
        if (len) {
            tut_buf_add_byte(ret_text, ' ');
            at += len;
            continue;
        }
        add_picture(rest, ret_aside);
        len = entity(rest, &c);
        if (!len)
            len = tut_utf8_len(rest, &c);
        if (!len)
            c = 0xfffd;
        if (!is_unseen(c))
            tut_buf_add(ret_text, as, tut_utf8_put(c, as));
        at += len ? len : 1;
    }
}
