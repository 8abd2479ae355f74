/* An error as people see it: where, what, and the lines around with a caret under the place. */
#include "base/yaml.h"

enum { LINE_MAX_CHARS = 160 };

static tut_str line_text(tut_str text, uint32_t line)
{
    size_t at = 0;
    for (uint32_t n = 1;; n++) {
        size_t end = at;
        while (end < text.len && text.data[end] != '\n' && text.data[end] != '\r')
            end++;
        if (n == line)
            return (tut_str){text.data + at, end - at};
        if (end == text.len)
            return (tut_str){NULL, 0};
        if (text.data[end] == '\r' && end + 1 < text.len && text.data[end + 1] == '\n')
            end++;
        at = end + 1;
    }
}

/* Tabs become one space, so that the caret stands right below. */
static void add_source(tut_buf *out, tut_str line)
{
    while (line.len > 0) {
        size_t run = 0;
        while (run < line.len && line.data[run] != '\t')
            run++;
        tut_buf_add_escaped(out, (tut_str){line.data, run}, LINE_MAX_CHARS);
        if (run < line.len) {
            tut_buf_add_byte(out, ' ');
            run++;
        }
        line = (tut_str){line.data + run, line.len - run};
    }
}

static void add_line(tut_buf *out, tut_str text, uint32_t line)
{
    tut_str content = line ? line_text(text, line) : (tut_str){NULL, 0};
    if (!content.data)
        return;
    tut_buf_printf(out, "%5u |", line);
    if (content.len > 0)
        tut_buf_add_byte(out, ' ');
    add_source(out, content);
    tut_buf_add_byte(out, '\n');
}

/* Columns that the first `bytes` of a line, and the rest of the character there, take when shown.
 */
static size_t shown_columns(tut_str line, size_t bytes)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    while (bytes < line.len && ((uint8_t)line.data[bytes] & 0xC0) == 0x80)
        bytes++;
    add_source(&shown, (tut_str){line.data, bytes < line.len ? bytes : line.len});
    return tut_utf8_columns(tut_buf_str(&shown));
}

static void add_caret(tut_buf *out, tut_str line, uint32_t column, uint32_t width, tut_str hint)
{
    size_t before = column > 0 ? column - 1 : 0;
    size_t left = before < line.len ? line.len - before : 0;
    size_t run = width < left ? width : left;
    size_t pad = shown_columns(line, before);
    size_t end = shown_columns(line, before + run); /* may lie before pad where the line is cut */

    tut_buf_add_z(out, "      | ");
    for (size_t i = 0; i < pad; i++)
        tut_buf_add_byte(out, ' ');
    tut_buf_add_byte(out, '^');
    for (size_t i = pad + 1; i < end; i++)
        tut_buf_add_byte(out, '~');
    if (hint.len > 0) {
        tut_buf_add_z(out, "  ");
        tut_buf_add_str(out, hint);
    }
    tut_buf_add_byte(out, '\n');
}

void tut_yaml_show(const char *file, tut_str text, uint32_t line, uint32_t column, uint32_t width,
                   const char *message, tut_buf *out)
{
    tut_str what = tut_str_of(message);
    tut_str hint = {NULL, 0};
    size_t at;
    if (tut_str_find(what, TUT_LIT("; did you mean "), &at)) {
        hint = (tut_str){what.data + at + 2, what.len - at - 2};
        what.len = at;
    }
    tut_buf_add_escaped(out, tut_str_of(file), (size_t)-1);
    tut_buf_printf(out, ":%u:%u: ", line, column);
    tut_buf_add_str(out, what);
    tut_buf_add_byte(out, '\n');
    tut_str content = line ? line_text(text, line) : (tut_str){NULL, 0};
    if (!content.data) {
        if (hint.len > 0) {
            tut_buf_add_str(out, hint);
            tut_buf_add_byte(out, '\n');
        }
        return;
    }
    tut_buf_add_byte(out, '\n');
    add_line(out, text, line - 1);
    add_line(out, text, line);
    add_caret(out, content, column, width, hint);
    if (content.data + content.len + 1 < text.data + text.len)
        add_line(out, text, line + 1);
}
