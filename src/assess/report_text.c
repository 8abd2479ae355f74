#include "assess/report_text.h"

void tut_report_sentence(const tut_term *t, tut_buf *out, size_t indent, const char *title)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    bool is_word = title[0] >= 'A' && title[0] <= 'Z' && title[1] >= 'a' && title[1] <= 'z';
    if (is_word)
        tut_buf_add_byte(&text, (uint8_t)(title[0] - 'A' + 'a'));
    tut_buf_add_z(&text, is_word ? title + 1 : title);
    tut_term_wrap(t, out, indent, tut_buf_str(&text));
}

void tut_report_labelled(const tut_term *t, tut_buf *out, const char *label, tut_str text)
{
    tut_buf_printf(out, "%-9s", label);
    tut_term_wrap(t, out, 9, text);
}
