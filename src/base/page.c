#include "base/page.h"

#include <math.h>

#include "base/time.h"

extern const char tut_page_css[], tut_page_css_end[];

void tut_page_text(tut_buf *out, tut_str text)
{
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    tut_buf_add_escaped(&plain, text, 4096);
    for (size_t i = 0; i < plain.len; i++) {
        uint8_t c = plain.data[i];
        if (c == '&')
            tut_buf_add_z(out, "&amp;");
        else if (c == '<')
            tut_buf_add_z(out, "&lt;");
        else if (c == '>')
            tut_buf_add_z(out, "&gt;");
        else if (c == '"')
            tut_buf_add_z(out, "&quot;");
        else
            tut_buf_add_byte(out, c);
    }
}

void tut_page_z(tut_buf *out, const char *text)
{
    tut_page_text(out, tut_str_of(text));
}

void tut_page_number(tut_buf *out, double v)
{
    if (isnan(v))
        tut_buf_add_z(out, "<td class=\"n\">\xe2\x80\x93</td>");
    else
        tut_buf_printf(out, "<td class=\"n\">%.4g</td>", v);
}

void tut_page_begin(tut_buf *out, const char *title)
{
    tut_page_begin_with(out, title, &(tut_page_more){.script_source = NULL});
}

void tut_page_begin_with(tut_buf *out, const char *title, const tut_page_more *more)
{
    tut_buf_add_z(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "style-src 'unsafe-inline'; img-src data:");
    if (more->script_source)
        tut_buf_printf(out, "; script-src %s", more->script_source);
    tut_buf_add_z(out, "\"><title>");
    tut_page_z(out, title);
    tut_buf_add_z(out, "</title><style>\n");
    tut_buf_add(out, tut_page_css, (size_t)(tut_page_css_end - tut_page_css));
    tut_buf_add_str(out, more->css);
    tut_buf_add_z(out, "</style></head><body>");
    if (more->class_name)
        tut_buf_printf(out, "<main class=\"%s\">\n", more->class_name);
    else
        tut_buf_add_z(out, "<main>\n");
}

void tut_page_end(tut_buf *out)
{
    char when[TUT_TIME_TEXT];
    tut_time_people(tut_time_generated(), when);
    tut_buf_printf(out, "<footer>Made by tutela, %s.</footer></main></body></html>\n", when);
}
