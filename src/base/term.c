/* What a terminal can show, and text for it. */
#include "base/term.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 20, WIDTH_MAX = 500 };

static const char *setting(const char *name)
{
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

/* The first of the three that is set decides, as setlocale does. */
static bool is_utf8_locale(void)
{
    const char *locale = setting("LC_ALL");
    if (!locale)
        locale = setting("LC_CTYPE");
    if (!locale)
        locale = setting("LANG");
    const char *dot = locale ? strchr(locale, '.') : NULL;
    if (!dot)
        return false;
    tut_str codeset = tut_str_of(dot + 1);
    size_t at;
    if (tut_str_find(codeset, TUT_LIT("@"), &at))
        codeset.len = at;
    return tut_str_ieq(codeset, TUT_LIT("UTF-8")) || tut_str_ieq(codeset, TUT_LIT("UTF8"));
}

static unsigned width_of(int fd)
{
    struct winsize size;
    uint64_t columns = 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    else if (!setting("COLUMNS") || !tut_str_u64(tut_str_of(setting("COLUMNS")), &columns) ||
             columns == 0)
        columns = WIDTH_DEFAULT;
    if (columns < WIDTH_MIN)
        return WIDTH_MIN;
    return columns > WIDTH_MAX ? WIDTH_MAX : (unsigned)columns;
}

void tut_term_detect(int fd, tut_color_mode mode, tut_term *ret_term)
{
    const char *term = setting("TERM");
    bool is_dumb = term && strcmp(term, "dumb") == 0;
    bool is_terminal = isatty(fd) == 1;
    bool color = false;
    switch (mode) {
    case TUT_COLOR_AUTO:
        color = is_terminal && term && !is_dumb && !setting("NO_COLOR");
        break;
    case TUT_COLOR_ALWAYS:
        color = true;
        break;
    case TUT_COLOR_NEVER:
        break;
    }
    *ret_term = (tut_term){.color = color,
                           .unicode = !is_dumb && is_utf8_locale(),
                           .is_terminal = is_terminal,
                           .width = is_terminal ? width_of(fd) : WIDTH_DEFAULT};
}

const char *tut_term_glyph(const tut_term *t, tut_glyph g)
{
    static const char *const glyphs[][2] = {
        [TUT_GLYPH_MET] = {"█", "#"},
        [TUT_GLYPH_PARTLY] = {"▒", "/"},
        [TUT_GLYPH_NOT_MET] = {"×", "x"},
        [TUT_GLYPH_NOT_CHECKED] = {"·", "."},
        [TUT_GLYPH_NOT_APPLICABLE] = {"-", "-"},
        [TUT_GLYPH_ARROW] = {"→", "->"},
        [TUT_GLYPH_RULE] = {"─", "-"},
        [TUT_GLYPH_ELLIPSIS] = {"…", "..."},
        [TUT_GLYPH_TICK] = {"✓", "ok"},
        [TUT_GLYPH_CROSS] = {"×", "x"},
        [TUT_GLYPH_BAR_EMPTY] = {"░", "."},
    };
    return glyphs[g][t->unicode ? 0 : 1];
}

static const char *escape_of(tut_style style)
{
    switch (style) {
    case TUT_STYLE_PLAIN:
        return "";
    case TUT_STYLE_BOLD:
        return "\033[1m";
    case TUT_STYLE_DIM:
        return "\033[2m";
    case TUT_STYLE_BAD:
        return "\033[31m";
    case TUT_STYLE_WARN:
        return "\033[33m";
    case TUT_STYLE_GOOD:
        return "\033[34m";
    }
    return "";
}

void tut_term_text(const tut_term *t, tut_buf *out, tut_style style, tut_str text)
{
    bool is_styled = t->color && style != TUT_STYLE_PLAIN && text.len > 0;
    if (is_styled)
        tut_buf_add_z(out, escape_of(style));
    tut_buf_add_str(out, text);
    if (is_styled)
        tut_buf_add_z(out, "\033[0m");
}

void tut_term_printf(const tut_term *t, tut_buf *out, tut_style style, const char *fmt, ...)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    tut_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (text.failed != TUT_OK && out->failed == TUT_OK)
        out->failed = text.failed;
    tut_term_text(t, out, style, tut_buf_str(&text));
}

static size_t step(tut_str s, size_t at)
{
    uint32_t codepoint;
    size_t n = tut_utf8_len((tut_str){s.data + at, s.len - at}, &codepoint);
    return n ? n : 1;
}

/* Bytes of the longest beginning that takes at most `columns`. */
static size_t head_bytes(tut_str s, size_t columns)
{
    size_t at = 0;
    size_t used = 0;
    while (at < s.len) {
        size_t n = step(s, at);
        used += tut_utf8_columns((tut_str){s.data + at, n});
        if (used > columns)
            break;
        at += n;
    }
    return at;
}

/* The shortest text to drop from the front so that the rest takes at most `columns`. */
static size_t tail_start(tut_str s, size_t columns)
{
    size_t total = tut_utf8_columns(s);
    size_t at = 0;
    while (at < s.len && total > columns) {
        size_t n = step(s, at);
        total -= tut_utf8_columns((tut_str){s.data + at, n});
        at += n;
    }
    return at;
}

/*
 * models/deep/down/below/a.pkl -> models/…/a.pkl: the first folder and as many whole names at the
 * end as fit; where not even the last name fits, its middle goes.
 */
static void shorten(tut_buf *out, tut_str s, size_t columns, const char *dots)
{
    size_t dots_columns = tut_utf8_columns(tut_str_of(dots));
    if (columns <= dots_columns) {
        tut_buf_add(out, s.data, head_bytes(s, columns));
        return;
    }
    size_t slash;
    if (tut_str_find(s, TUT_LIT("/"), &slash) && slash > 0) {
        size_t head = tut_utf8_columns((tut_str){s.data, slash + 1});
        size_t left = columns > head + dots_columns ? columns - head - dots_columns : 0;
        size_t at = left ? tail_start(s, left) : s.len;
        while (at < s.len && s.data[at] != '/')
            at++;
        if (at < s.len && at > slash) {
            tut_buf_add(out, s.data, slash + 1);
            tut_buf_add_z(out, dots);
            tut_buf_add(out, s.data + at, s.len - at);
            return;
        }
    }
    size_t left = columns - dots_columns;
    size_t tail = tail_start(s, left - left / 3);
    tut_buf_add(out, s.data, head_bytes(s, left / 3));
    tut_buf_add_z(out, dots);
    tut_buf_add(out, s.data + tail, s.len - tail);
}

void tut_term_path(const tut_term *t, tut_buf *out, tut_str path, size_t columns)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, path, (size_t)-1);
    if (safe.failed != TUT_OK && out->failed == TUT_OK)
        out->failed = safe.failed;
    tut_str text = tut_buf_str(&safe);
    if (!t->is_terminal || columns == 0 || tut_utf8_columns(text) <= columns)
        tut_buf_add_str(out, text);
    else
        shorten(out, text, columns, tut_term_glyph(t, TUT_GLYPH_ELLIPSIS));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void new_line(tut_buf *out, size_t indent)
{
    tut_buf_add_byte(out, '\n');
    for (size_t i = 0; i < indent; i++)
        tut_buf_add_byte(out, ' ');
}

/* The first line begins where the caller stands, which is taken to be column `indent`. */
void tut_term_wrap(const tut_term *t, tut_buf *out, size_t indent, tut_str text)
{
    TUT_CLEAN(tut_buf) word = TUT_BUF_INIT;
    size_t column = indent;
    bool is_first = true;
    for (size_t i = 0; i < text.len;) {
        if (text.data[i] == '\n') {
            column = indent;
            is_first = true;
            i++;
            if (i < text.len)
                new_line(out, indent);
            for (; i < text.len && text.data[i] == ' '; i++, column++)
                tut_buf_add_byte(out, ' ');
            continue;
        }
        size_t end = i;
        while (end < text.len && !is_space(text.data[end]) && text.data[end] != '\n')
            end++;
        if (end == i) {
            i++;
            continue;
        }
        tut_buf_clear(&word);
        tut_buf_add_escaped(&word, (tut_str){text.data + i, end - i}, (size_t)-1);
        size_t columns = tut_utf8_columns(tut_buf_str(&word));
        if (!is_first && column + 1 + columns > t->width) {
            new_line(out, indent);
            column = indent;
        } else if (!is_first) {
            tut_buf_add_byte(out, ' ');
            column++;
        }
        tut_buf_add_str(out, tut_buf_str(&word));
        column += columns;
        is_first = false;
        i = end;
    }
    tut_buf_add_byte(out, '\n');
    if (word.failed != TUT_OK && out->failed == TUT_OK)
        out->failed = word.failed;
}
