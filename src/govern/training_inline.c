/* Markdown within a block. */
#include "base/reader.h"
#include "govern/training_view.h"

static tut_str behind(tut_str s, size_t n)
{
    return (tut_str){s.data + n, s.len - n};
}

/* The end of a link, of code or of a style is not sought further: text that only looks like one
 * would be read again and again. */
static tut_str near(tut_str s)
{
    enum { NEAR_BYTES = 1000 };
    return (tut_str){s.data, s.len < NEAR_BYTES ? s.len : NEAR_BYTES};
}

static bool is_safe_url(tut_str url)
{
    bool has_scheme = tut_str_starts(url, TUT_LIT("https://")) ||
                      tut_str_starts(url, TUT_LIT("http://")) ||
                      tut_str_starts(url, TUT_LIT("mailto:"));
    for (size_t i = 0; i < url.len; i++)
        if ((uint8_t)url.data[i] <= ' ' || memchr("<>\"'`\\", url.data[i], 6))
            return false;
    return has_scheme;
}

/* [text](url) or <url>; false: it is none. */
static bool take_link(tut_inline_reader *r, tut_inline *ret)
{
    size_t close, end;
    tut_str s = r->rest;
    if (s.data[0] == '<') {
        if (!tut_str_find(near(s), TUT_LIT(">"), &end) ||
            !is_safe_url((tut_str){s.data + 1, end - 1}))
            return false;
        ret->text = ret->url = (tut_str){s.data + 1, end - 1};
        r->rest = behind(s, end + 1);
    } else {
        if (!tut_str_find(near(s), TUT_LIT("]("), &close) || close < 2)
            return false;
        tut_str tail = behind(s, close + 2);
        if (!tut_str_find(near(tail), TUT_LIT(")"), &end) || memchr(s.data + 1, '[', close - 1))
            return false;
        ret->text = (tut_str){s.data + 1, close - 1};
        ret->url = (tut_str){tail.data, end};
        r->rest = behind(tail, end + 1);
        if (!is_safe_url(ret->url))
            ret->url = (tut_str){NULL, 0};
    }
    ret->type = TUT_INLINE_LINK;
    return true;
}

/* `code`: up to as many backticks as it begins with. */
static bool take_code(tut_inline_reader *r, tut_inline *ret)
{
    size_t ticks = 0, end;
    while (ticks < r->rest.len && r->rest.data[ticks] == '`')
        ticks++;
    tut_str tail = behind(r->rest, ticks);
    if (!tut_str_find(near(tail), (tut_str){r->rest.data, ticks}, &end))
        return false;
    ret->type = TUT_INLINE_CODE;
    ret->text = tut_str_trim((tut_str){tail.data, end});
    r->rest = behind(tail, end + ticks);
    return true;
}

/* "**" and "*" switch a style on where something follows and it is switched off again. */
static bool take_style(tut_inline_reader *r)
{
    size_t at;
    bool is_strong = tut_str_starts(r->rest, TUT_LIT("**"));
    tut_str mark = {r->rest.data, is_strong ? 2 : 1};
    bool *style = is_strong ? &r->is_strong : &r->is_emphasised;
    tut_str tail = behind(r->rest, mark.len);
    if (!*style &&
        (tail.len == 0 || memchr(" \t*", tail.data[0], 3) || !tut_str_find(near(tail), mark, &at)))
        return false;
    *style = !*style;
    r->rest = tail;
    return true;
}

static bool is_mark(char c)
{
    return memchr("`*[<\\", c, 5) != NULL;
}

bool tut_inline_next(tut_inline_reader *r, tut_inline *ret)
{
    while (r->rest.len > 0 && r->rest.data[0] == '*' && take_style(r))
        ;
    *ret = (tut_inline){.is_strong = r->is_strong, .is_emphasised = r->is_emphasised};
    if (r->rest.len == 0)
        return false;
    char c = r->rest.data[0];
    if ((c == '`' && take_code(r, ret)) || ((c == '[' || c == '<') && take_link(r, ret)))
        return true;
    size_t len = 1;
    if (c == '\\' && r->rest.len > 1 && memchr("\\`*_[]<>#|-+.!(){}", r->rest.data[1], 18)) {
        r->rest = behind(r->rest, 1);
    } else {
        while (len < r->rest.len && !is_mark(r->rest.data[len]))
            len++;
    }
    ret->text = (tut_str){r->rest.data, len};
    r->rest = behind(r->rest, len);
    return true;
}

void tut_inline_fold(tut_str lines, tut_buf *out)
{
    bool at_start = true, wants_blank = false;
    for (size_t i = 0; i < lines.len; i++) {
        char c = lines.data[i];
        if (c == '\n' || c == '\r' || c == ' ' || c == '\t') {
            wants_blank = wants_blank || out->len > 0;
            at_start = at_start || c == '\n';
            continue;
        }
        if (at_start && c == '>') {
            at_start = false;
            continue;
        }
        if (wants_blank)
            tut_buf_add_byte(out, ' ');
        wants_blank = at_start = false;
        tut_buf_add_byte(out, (uint8_t)c);
    }
}

size_t tut_table_row_cells(tut_str line, tut_str *cells, size_t most)
{
    size_t count = 0, start = 0;
    line = tut_str_trim(line);
    if (line.len > 0 && line.data[0] == '|')
        start = 1;
    bool in_code = false;
    for (size_t i = start; i <= line.len && count < most; i++) {
        bool is_end = i == line.len;
        if (!is_end && line.data[i] == '`')
            in_code = !in_code;
        bool is_bar = !is_end && line.data[i] == '|' && !in_code &&
                      (i == 0 || line.data[i - 1] != '\\');
        if (!is_bar && !(is_end && i > start))
            continue;
        cells[count++] = tut_str_trim((tut_str){line.data + start, i - start});
        start = i + 1;
    }
    return count;
}
