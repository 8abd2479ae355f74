/*
 * What people see: colour only on terminals, signs that never depend on colour, tables that fit.
 * Everything is composed into a tut_buf and written once.
 */
#ifndef TUT_BASE_TERM_H
#define TUT_BASE_TERM_H

#include <stdio.h>

#include "base/buf.h"

typedef enum tut_color_mode { TUT_COLOR_AUTO, TUT_COLOR_ALWAYS, TUT_COLOR_NEVER } tut_color_mode;

typedef enum tut_style {
    TUT_STYLE_PLAIN,
    TUT_STYLE_BOLD,
    TUT_STYLE_DIM,
    TUT_STYLE_BAD,  /* red: not met, critical, high */
    TUT_STYLE_WARN, /* yellow: partly, medium */
    TUT_STYLE_GOOD  /* blue: met */
} tut_style;

typedef enum tut_glyph {
    TUT_GLYPH_MET,
    TUT_GLYPH_PARTLY,
    TUT_GLYPH_NOT_MET,
    TUT_GLYPH_NOT_CHECKED,
    TUT_GLYPH_NOT_APPLICABLE,
    TUT_GLYPH_ARROW,
    TUT_GLYPH_RULE,
    TUT_GLYPH_ELLIPSIS,
    TUT_GLYPH_TICK,
    TUT_GLYPH_CROSS,
    TUT_GLYPH_BAR_EMPTY
} tut_glyph;

typedef struct tut_term {
    bool color;
    bool unicode;     /* UTF-8 locale and TERM not dumb */
    bool is_terminal; /* off a terminal nothing is shortened and the width is 80 */
    unsigned width;
} tut_term;

/* Looks at fd, NO_COLOR, TERM, LC_ALL/LC_CTYPE/LANG, the window size and COLUMNS. */
void tut_term_detect(int fd, tut_color_mode mode, tut_term *ret_term);
const char *tut_term_glyph(const tut_term *t, tut_glyph g);
void tut_term_text(const tut_term *t, tut_buf *out, tut_style style, tut_str text);
void tut_term_printf(const tut_term *t, tut_buf *out, tut_style style, const char *fmt, ...)
    TUT_PRINTF(4, 5);
/* Untrusted text: escaped (tut_buf_add_escaped), and on a terminal cut in the middle to columns
 * (0: not at all): models/deep/down/a.pkl becomes models/…/a.pkl. */
void tut_term_path(const tut_term *t, tut_buf *out, tut_str path, size_t columns);
/* Words folded at the terminal's width. The first line goes on where the caller stands, which is
 * taken to be column `indent`; the others are indented. A newline in the text begins a line, whose
 * leading blanks stay. Escaped; ends with one newline. */
void tut_term_wrap(const tut_term *t, tut_buf *out, size_t indent, tut_str text);

/* Tables: add cells row by row, then print; columns are as wide as their content, those marked
 * flexible give way. Cells are escaped. */
typedef struct tut_table tut_table;
typedef enum tut_align { TUT_LEFT, TUT_RIGHT } tut_align;

TUT_MUST tut_status tut_table_new(size_t columns, tut_table **ret_table);
void tut_table_free(tut_table *t);
TUT_DEFINE_AUTO(tut_table)
void tut_table_column(tut_table *t, size_t column, const char *header, tut_align align,
                      bool is_flexible);
void tut_table_cell(tut_table *t, tut_style style, tut_str text);
void tut_table_cell_z(tut_table *t, tut_style style, const char *text);
void tut_table_cellf(tut_table *t, tut_style style, const char *fmt, ...) TUT_PRINTF(3, 4);
/* indent spaces before each row; headers are printed unless all are NULL. */
TUT_MUST tut_status tut_table_print(const tut_table *t, const tut_term *term, size_t indent,
                                    tut_buf *out);

/* "212 MB", "1.2 kB" (powers of ten), "8,412" */
void tut_human_bytes(uint64_t bytes, char out[16]);
void tut_human_count(uint64_t n, char out[32]);

/* One line on a terminal's stderr, redrawn at most ten times a second, erased at the end.
 * Silent where stderr is no terminal, or when quiet. */
typedef struct tut_progress {
    FILE *to; /* NULL: silent */
    tut_term term;
    uint64_t started_ms, drawn_ms;
    bool is_drawn;
} tut_progress;

void tut_progress_start(tut_progress *p, bool quiet, tut_color_mode mode);
void tut_progress_step(tut_progress *p, const char *label, uint64_t done, uint64_t total);
void tut_progress_end(tut_progress *p);

#endif
