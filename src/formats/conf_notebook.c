/* Notebooks: how many cells, in which language, and what the program text of their cells calls. */
#include "base/limits.h"
#include "formats/conf.h"
#include "formats/python_code.h"
#include "formats/text.h"

static bool is_cell(const tut_conf *c)
{
    return c->depth >= 3 && tut_str_eq_z(tut_conf_key_at(c, 1), "cells");
}

void tut_conf_open_cell(tut_conf *c)
{
    if (c->depth != 3 || !is_cell(c) || !c->levels[2].is_map)
        return;
    c->cells++;
    c->cell_start = c->code.len;
    c->is_code_cell = false;
}

/* Only what is run stays. */
void tut_conf_close_cell(tut_conf *c)
{
    if (c->depth != 3 || !is_cell(c))
        return;
    if (!c->is_code_cell)
        c->code.len = c->cell_start;
    else
        tut_buf_add_byte(&c->code, '\n');
}

static void note_language(tut_conf *c, tut_str key, tut_str text)
{
    if (c->depth == 3 && tut_str_eq_z(tut_conf_key_at(c, 1), "metadata") &&
        (tut_str_eq_z(key, "language") ||
         (tut_str_eq_z(key, "name") && tut_str_eq_z(tut_conf_key_at(c, 2), "language_info"))))
        tut_str_copy(c->language, sizeof(c->language), text);
}

void tut_conf_note_cell(tut_conf *c, tut_str key, tut_str text)
{
    note_language(c, key, text);
    if (!is_cell(c))
        return;
    if (c->depth == 3 && tut_str_eq_z(key, "cell_type"))
        c->is_code_cell = tut_str_eq_z(text, "code");
    bool is_source = (c->depth == 3 && tut_str_eq_z(key, "source")) ||
                     (c->depth == 4 && tut_str_eq_z(tut_conf_key_at(c, 3), "source"));
    if (is_source && text.len < TUT_LIMIT_PYTHON_BYTES - c->code.len)
        tut_buf_add_str(&c->code, text);
    else if (is_source)
        c->is_code_cut = true;
}

tut_status tut_conf_finish_notebook(tut_conf *c)
{
    tut_text_count(c->x, "cells", c->cells);
    if (c->language[0])
        tut_text_fact(c->x, "language", tut_str_of(c->language));
    TUT_TRY(tut_buf_check(&c->code, c->err));
    if (c->language[0] && !tut_str_ieq(tut_str_of(c->language), TUT_LIT("python")))
        return TUT_SUCCESS;
    TUT_TRY(tut_python_examine(c->x, tut_buf_str(&c->code), true, c->err));
    return c->is_code_cut ? tut_fail(c->err, TUT_LIMIT, "more program text than is looked through")
                          : TUT_SUCCESS;
}
