/*
 * Tables: cells are kept escaped, row by row; printing measures the columns and, on a terminal that
 * is too narrow, first closes the gaps, then shortens the flexible columns, then the last one.
 */
#include <stdlib.h>

#include "base/term.h"

enum { GAP = 3, GAP_NARROW = 2, COLUMN_MIN = 8 };

typedef struct table_column {
    char *header;
    tut_align align;
    bool is_flexible;
} table_column;

typedef struct table_cell {
    char *text; /* escaped */
    tut_style style;
} table_cell;

struct tut_table {
    size_t columns;
    table_column *column;
    table_cell *cells;
    size_t count, capacity;
    tut_code failed;
};

tut_status tut_table_new(size_t columns, tut_table **ret_table)
{
    TUT_AUTO(tut_table) t = tut_alloc_array(1, sizeof *t);
    if (!t || columns == 0)
        return tut_fail(NULL, t ? TUT_BUG : TUT_NOMEM, "a table cannot be made");
    t->column = tut_alloc_array(columns, sizeof *t->column);
    if (!t->column)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    t->columns = columns;
    *ret_table = tut_move(&t);
    return TUT_SUCCESS;
}

void tut_table_free(tut_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->columns; i++)
        tut_free(t->column[i].header);
    for (size_t i = 0; i < t->count; i++)
        tut_free(t->cells[i].text);
    tut_free(t->column);
    tut_free(t->cells);
    tut_free(t);
}

void tut_table_column(tut_table *t, size_t column, const char *header, tut_align align,
                      bool is_flexible)
{
    if (column >= t->columns)
        return;
    table_column *c = &t->column[column];
    tut_free(c->header);
    *c = (table_column){
        .header = header ? tut_strdup(header) : NULL, .align = align, .is_flexible = is_flexible};
    if (header && !c->header)
        t->failed = TUT_NOMEM;
}

void tut_table_cell(tut_table *t, tut_style style, tut_str text)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, text, (size_t)-1);
    tut_status room = tut_grow(&t->cells, t->count, &t->capacity, sizeof *t->cells);
    char *copy = tut_is_ok(room) ? tut_buf_steal(&safe) : NULL;
    if (!copy) {
        t->failed = TUT_NOMEM;
        return;
    }
    t->cells[t->count++] = (table_cell){.text = copy, .style = style};
}

void tut_table_cell_z(tut_table *t, tut_style style, const char *text)
{
    tut_table_cell(t, style, tut_str_of(text));
}

void tut_table_cellf(tut_table *t, tut_style style, const char *fmt, ...)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    tut_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (text.failed != TUT_OK)
        t->failed = text.failed;
    tut_table_cell(t, style, tut_buf_str(&text));
}

static bool has_headers(const tut_table *t)
{
    for (size_t i = 0; i < t->columns; i++) {
        if (t->column[i].header)
            return true;
    }
    return false;
}

static void measure(const tut_table *t, size_t *widths)
{
    for (size_t i = 0; i < t->columns; i++)
        widths[i] = tut_utf8_columns(tut_str_of(t->column[i].header));
    for (size_t i = 0, column = 0; i < t->count; i++) {
        size_t w = tut_utf8_columns(tut_str_of(t->cells[i].text));
        if (w > widths[column])
            widths[column] = w;
        column = column + 1 < t->columns ? column + 1 : 0;
    }
}

static size_t total_width(const tut_table *t, const size_t *widths, size_t indent, size_t gap)
{
    size_t total = indent + gap * (t->columns - 1);
    for (size_t i = 0; i < t->columns; i++)
        total += widths[i];
    return total;
}

/* The column to narrow next: the widest flexible one; else the last that still can give. */
static size_t narrowable(const tut_table *t, const size_t *widths)
{
    size_t best = t->columns;
    for (size_t i = 0; i < t->columns; i++) {
        if (t->column[i].is_flexible && widths[i] > COLUMN_MIN &&
            (best == t->columns || widths[i] > widths[best]))
            best = i;
    }
    for (size_t i = t->columns; best == t->columns && i-- > 0;) {
        if (widths[i] > COLUMN_MIN)
            return i;
    }
    return best;
}

static size_t fit(const tut_table *t, const tut_term *term, size_t *widths, size_t indent)
{
    if (total_width(t, widths, indent, GAP) <= term->width)
        return GAP;
    if (!term->is_terminal)
        return GAP_NARROW;
    size_t total = total_width(t, widths, indent, GAP_NARROW);
    while (total > term->width) {
        size_t i = narrowable(t, widths);
        if (i == t->columns)
            break;
        widths[i]--;
        total--;
    }
    return GAP_NARROW;
}

static void pad(tut_buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tut_buf_add_byte(out, ' ');
}

/* Blanks are owed, and paid only when something follows: no line ends in blanks. */
static void put_cell(const tut_term *term, tut_buf *out, tut_style style, const char *text,
                     tut_align align, size_t width, size_t *owed)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_term_path(term, &shown, tut_str_of(text), width);
    size_t columns = tut_utf8_columns(tut_buf_str(&shown));
    size_t rest = width > columns ? width - columns : 0;
    if (columns == 0) {
        *owed += rest;
        return;
    }
    pad(out, *owed + (align == TUT_RIGHT ? rest : 0));
    tut_term_text(term, out, style, tut_buf_str(&shown));
    *owed = align == TUT_RIGHT ? 0 : rest;
}

static void put_row(const tut_table *t, const tut_term *term, size_t indent, size_t gap,
                    const size_t *widths, const table_cell *cells, size_t count, tut_buf *out)
{
    size_t owed = indent;
    for (size_t i = 0; i < t->columns; i++) {
        const char *text = cells ? (i < count ? cells[i].text : "") : t->column[i].header;
        tut_style style = cells && i < count ? cells[i].style : TUT_STYLE_DIM;
        put_cell(term, out, style, text, t->column[i].align, widths[i], &owed);
        owed += gap;
    }
    tut_buf_add_byte(out, '\n');
}

tut_status tut_table_print(const tut_table *t, const tut_term *term, size_t indent, tut_buf *out)
{
    if (t->failed != TUT_OK)
        return tut_fail(NULL, t->failed, "memory ran out");
    TUT_AUTO_FREE size_t *widths = tut_alloc_array(t->columns, sizeof *widths);
    if (!widths)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    measure(t, widths);
    size_t gap = fit(t, term, widths, indent);
    if (has_headers(t))
        put_row(t, term, indent, gap, widths, NULL, 0, out);
    for (size_t i = 0; i < t->count; i += t->columns)
        put_row(t, term, indent, gap, widths, &t->cells[i], t->count - i, out);
    return tut_buf_check(out, NULL);
}
