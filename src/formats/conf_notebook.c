/* Notebooks: how many cells, in which language, and what the program text of their cells calls and
 * hands to a shell. What is said of a cell is said of its place, "cell 3". */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "formats/conf.h"
#include "formats/python_code.h"
#include "formats/text.h"

typedef struct cell_mark {
    uint64_t start; /* in the joined text */
    uint64_t number;
} cell_mark;

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
    if (c->depth != 3 || !is_cell(c) || !c->levels[2].is_map)
        return;
    if (!c->is_code_cell) {
        c->code.len = c->cell_start;
        return;
    }
    tut_buf_add_byte(&c->code, '\n');
    const cell_mark mark = {.start = c->cell_start, .number = c->cells};
    tut_buf_add(&c->cell_marks, &mark, sizeof(mark));
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

/* --- saying where --- */
static size_t mark_count(const tut_conf *c)
{
    return c->cell_marks.len / sizeof(cell_mark);
}

static cell_mark mark_at(const tut_conf *c, size_t i)
{
    cell_mark mark;
    memcpy(&mark, c->cell_marks.data + i * sizeof(mark), sizeof(mark));
    return mark;
}

/* What follows is said of the cell that holds this place of the joined text. */
static void enter_cell(const tut_conf *c, uint64_t offset)
{
    size_t low = 0, high = mark_count(c);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (mark_at(c, middle).start <= offset)
            low = middle;
        else
            high = middle;
    }
    char name[32];
    if (!c->x->ops->part || high == 0 || offset == TUT_NO_OFFSET)
        return;
    (void)snprintf(name, sizeof(name), "cell %llu", (unsigned long long)mark_at(c, low).number);
    c->x->ops->part(c->x->ctx, tut_str_of(name));
}

static void leave_cell(const tut_conf *c)
{
    if (c->x->ops->part)
        c->x->ops->part(c->x->ctx, (tut_str){"", 0});
}

static void on_observe(void *ctx, const char *rule, uint64_t offset, tut_str detail)
{
    const tut_conf *c = ctx;
    enter_cell(c, offset);
    c->x->ops->observe(c->x->ctx, rule, TUT_NO_OFFSET, detail);
    leave_cell(c);
}

static void on_reference(void *ctx, const tut_reference *reference)
{
    const tut_conf *c = ctx;
    tut_reference told = *reference;
    told.offset = TUT_NO_OFFSET; /* of text that stands nowhere as it was joined here */
    if (!c->x->ops->reference)
        return;
    enter_cell(c, reference->offset);
    c->x->ops->reference(c->x->ctx, &told);
    leave_cell(c);
}

/* --- magic --- */
/* The first word of the cell is one of these, blanks around each. */
static bool is_magic(tut_str cell, const char *words)
{
    size_t len = 0;
    while (len < cell.len && (uint8_t)cell.data[len] > ' ')
        len++;
    for (const char *at = words; *at && len > 0;) {
        size_t width = strcspn(at, " ");
        if (width == len && memcmp(at, cell.data, len) == 0)
            return true;
        at += width + (at[width] == ' ');
    }
    return false;
}

static void tell_shell(const tut_conf *c, tut_str command, uint64_t at)
{
    enum { COMMAND_MAX = 4096 };
    const tut_reference reference = {
        .act = TUT_REFERENCE_SHELL,
        .name = TUT_LIT("shell"),
        .shown = command,
        .offset = at,
        .argument = {command.data, command.len < COMMAND_MAX ? command.len : COMMAND_MAX}};
    on_reference((void *)(uintptr_t)c, &reference);
}

/* "!command", "!!command", "%sx command" and "x = !command" of one line. */
static void see_line(const tut_conf *c, tut_str line, uint64_t at)
{
    static const char *const starts[] = {"!!", "!", "%sx ", "%system "};
    size_t found;
    line = tut_str_trim(line);
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (!tut_str_starts(line, tut_str_of(starts[i])))
            continue;
        size_t skip = strlen(starts[i]);
        tell_shell(c, (tut_str){line.data + skip, line.len - skip}, at);
        return;
    }
    if (tut_str_find(line, TUT_LIT("= !"), &found) && found < 64)
        tell_shell(c, (tut_str){line.data + found + 3, line.len - found - 3}, at);
}

/* What of a cell is no Python is told as what it is, and blanked. */
static void see_cell(tut_conf *c, size_t start, size_t end)
{
    tut_str cell = {(const char *)c->code.data + start, end - start};
    size_t blank = 0;
    while (blank < cell.len && (uint8_t)cell.data[blank] <= ' ')
        blank++;
    cell = (tut_str){cell.data + blank, cell.len - blank};
    if (is_magic(cell, "%%bash %%sh %%script %%system %%sx %%!")) {
        tell_shell(c, cell, start);
        memset(c->code.data + start, ' ', end - start - 1);
        return;
    }
    if (is_magic(cell, "%%javascript %%js %%html %%HTML %%svg %%SVG %%latex %%markdown %%writefile "
                       "%%file %%R %%julia %%perl %%ruby %%sql %%cmd %%cpp %%cu %%cython")) {
        memset(c->code.data + start, ' ', end - start - 1);
        return;
    }
    tut_str rest = {(const char *)c->code.data + start, end - start};
    for (tut_str line; tut_text_next_line(&rest, &line, NULL);)
        see_line(c, line, start + (uint64_t)(line.data - (const char *)c->code.data - start));
}

tut_status tut_conf_finish_notebook(tut_conf *c)
{
    tut_text_count(c->x, "cells", c->cells);
    if (c->language[0])
        tut_text_fact(c->x, "language", tut_str_of(c->language));
    TUT_TRY(tut_buf_check(&c->code, c->err));
    TUT_TRY(tut_buf_check(&c->cell_marks, c->err));
    if (c->language[0] && !tut_str_ieq(tut_str_of(c->language), TUT_LIT("python")))
        return TUT_SUCCESS;
    for (size_t i = 0; i < mark_count(c); i++) {
        uint64_t end = i + 1 < mark_count(c) ? mark_at(c, i + 1).start : c->code.len;
        see_cell(c, (size_t)mark_at(c, i).start, (size_t)end);
    }
    static const tut_exam_ops ops = {.observe = on_observe, .reference = on_reference};
    tut_exam inner = *c->x;
    inner.ops = &ops;
    inner.ctx = c;
    TUT_TRY(tut_python_examine(&inner, tut_buf_str(&c->code), true, c->err));
    return c->is_code_cut ? tut_fail(c->err, TUT_LIMIT, "more program text than is looked through")
                          : TUT_SUCCESS;
}
