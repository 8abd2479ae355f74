/* A module on a terminal. */
#include "govern/training_view.h"

#include <stdio.h>

enum { TEXT_WIDTH_MOST = 100, COLUMNS_MAX = 12, CELL_LEAST = 6 };

/* Without the marks of styles; code keeps its backticks, a link shows where it leads. */
static void add_plain(tut_str lines, tut_buf *out)
{
    TUT_CLEAN(tut_buf) folded = TUT_BUF_INIT;
    tut_inline run;
    tut_inline_fold(lines, &folded);
    tut_inline_reader r = {.rest = tut_buf_str(&folded)};
    while (tut_inline_next(&r, &run)) {
        if (run.type == TUT_INLINE_CODE)
            tut_buf_add_byte(out, '`');
        tut_buf_add_str(out, run.text);
        if (run.type == TUT_INLINE_CODE)
            tut_buf_add_byte(out, '`');
        if (run.type == TUT_INLINE_LINK && run.url.len && !tut_str_eq(run.url, run.text)) {
            tut_buf_add_z(out, " (");
            tut_buf_add_str(out, run.url);
            tut_buf_add_byte(out, ')');
        }
    }
}

static tut_term narrowed(const tut_term *term)
{
    tut_term t = *term;
    if (t.width > TEXT_WIDTH_MOST)
        t.width = TEXT_WIDTH_MOST;
    return t;
}

static void add_blanks(tut_buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tut_buf_add_byte(out, ' ');
}

static void add_wrapped(const tut_term *term, tut_buf *out, size_t indent, tut_str lines)
{
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    add_plain(lines, &plain);
    tut_term_wrap(term, out, indent, tut_buf_str(&plain));
}

/* --- tables --- */

typedef struct grid {
    size_t columns;
    size_t width[COLUMNS_MAX], longest_word[COLUMNS_MAX];
} grid;

static size_t longest_word(tut_str text)
{
    size_t longest = 0;
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && text.data[end] != ' ')
            end++;
        size_t columns = tut_utf8_columns((tut_str){text.data + at, end - at});
        longest = columns > longest ? columns : longest;
        at = end + 1;
    }
    return longest;
}

static bool next_line(tut_str *rest, tut_str *ret_line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    *ret_line = (tut_str){rest->data, len};
    *rest = (tut_str){rest->data + len + (end != NULL), rest->len - len - (end != NULL)};
    return true;
}

static bool is_ruler(tut_str line)
{
    bool has_dash = false;
    for (size_t i = 0; i < line.len; i++) {
        if (!memchr("|-: \t\r", line.data[i], 6))
            return false;
        has_dash = has_dash || line.data[i] == '-';
    }
    return has_dash;
}

static void measure(tut_str lines, grid *g)
{
    tut_str line, cells[COLUMNS_MAX];
    while (next_line(&lines, &line)) {
        size_t n = is_ruler(line) ? 0 : tut_table_row_cells(line, cells, COLUMNS_MAX);
        for (size_t i = 0; i < n; i++) {
            TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
            add_plain(cells[i], &plain);
            size_t width = tut_utf8_columns(tut_buf_str(&plain));
            size_t word = longest_word(tut_buf_str(&plain));
            g->width[i] = width > g->width[i] ? width : g->width[i];
            g->longest_word[i] = word > g->longest_word[i] ? word : g->longest_word[i];
        }
        g->columns = n > g->columns ? n : g->columns;
    }
}

/* The widest column gives way until all fit, none below its longest word while another can. */
static void fit(grid *g, size_t room)
{
    for (;;) {
        size_t total = 0, widest = COLUMNS_MAX;
        for (size_t pass = 0; pass < 2 && widest == COLUMNS_MAX; pass++) {
            total = 0;
            for (size_t i = 0; i < g->columns; i++) {
                size_t least = pass == 0 ? g->longest_word[i] : CELL_LEAST;
                total += g->width[i] + 2;
                if (g->width[i] > least &&
                    (widest == COLUMNS_MAX || g->width[i] > g->width[widest]))
                    widest = i;
            }
        }
        if (total <= room + 2 || widest == COLUMNS_MAX)
            return;
        g->width[widest]--;
    }
}

/* Folds a cell; its lines end with '\n'. A word that is longer than the column is broken. */
static void fold_cell(tut_str cell, size_t width, tut_buf *out)
{
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) broken = TUT_BUF_INIT;
    add_plain(cell, &plain);
    size_t column = 0;
    uint32_t point;
    tut_str s = tut_buf_str(&plain);
    for (size_t at = 0; at < s.len;) {
        size_t len = tut_utf8_len((tut_str){s.data + at, s.len - at}, &point);
        len = len ? len : 1;
        column = s.data[at] == ' ' ? 0 : column + 1;
        if (column > width) {
            tut_buf_add_byte(&broken, ' ');
            column = 1;
        }
        tut_buf_add(&broken, s.data + at, len);
        at += len;
    }
    const tut_term narrow = {.width = (unsigned)width};
    tut_term_wrap(&narrow, out, 0, tut_buf_str(&broken));
}

static void add_row(const grid *g, const tut_term *term, bool is_head, tut_str line, tut_buf *out)
{
    tut_str cells[COLUMNS_MAX], rest[COLUMNS_MAX], part;
    tut_buf folded[COLUMNS_MAX] = {{0}};
    size_t n = tut_table_row_cells(line, cells, COLUMNS_MAX);
    for (size_t i = 0; i < n; i++) {
        fold_cell(cells[i], g->width[i], &folded[i]);
        rest[i] = tut_buf_str(&folded[i]);
    }
    for (bool has_more = true; has_more;) {
        TUT_CLEAN(tut_buf) row = TUT_BUF_INIT;
        size_t owed = 0;
        has_more = false;
        for (size_t i = 0; i < n; i++) {
            bool has = next_line(&rest[i], &part);
            size_t used = has ? tut_utf8_columns(part) : 0;
            if (used > 0) {
                add_blanks(&row, owed);
                owed = 0;
                tut_buf_add_str(&row, part);
            }
            owed += (g->width[i] > used ? g->width[i] - used : 0) + 2;
            has_more = has_more || rest[i].len > 0;
        }
        tut_buf_add_z(out, "  ");
        tut_term_text(term, out, is_head ? TUT_STYLE_BOLD : TUT_STYLE_PLAIN, tut_buf_str(&row));
        tut_buf_add_byte(out, '\n');
    }
    for (size_t i = 0; i < n; i++)
        tut_buf_done(&folded[i]);
}

void tut_training_table_text(tut_str lines, const tut_term *term, tut_buf *out)
{
    grid g = {.columns = 0};
    tut_str line;
    bool is_head = true;
    measure(lines, &g);
    fit(&g, term->width > 2 ? term->width - 2 : 0);
    while (next_line(&lines, &line)) {
        if (is_ruler(line)) {
            is_head = false;
            continue;
        }
        add_row(&g, term, is_head, line, out);
        if (is_head) {
            tut_buf_add_z(out, "  ");
            for (size_t i = 0; i < g.columns; i++) {
                for (size_t k = 0; k < g.width[i]; k++)
                    tut_buf_add_z(out, tut_term_glyph(term, TUT_GLYPH_RULE));
                tut_buf_add_z(out, i + 1 < g.columns ? "  " : "");
            }
            tut_buf_add_byte(out, '\n');
        }
        is_head = false;
    }
}

/* --- blocks --- */

static void add_lines(const tut_term *term, tut_buf *out, tut_str lines)
{
    tut_str line;
    while (next_line(&lines, &line)) {
        TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        for (size_t i = 0; i < line.len; i++) {
            if (line.data[i] == '\t')
                tut_buf_add_z(&plain, "    ");
            else
                tut_buf_add_byte(&plain, (uint8_t)line.data[i]);
        }
        TUT_CLEAN(tut_buf) escaped = TUT_BUF_INIT;
        tut_buf_add_escaped(&escaped, tut_buf_str(&plain), (size_t)-1);
        tut_buf_add_z(out, "    ");
        tut_term_text(term, out, TUT_STYLE_DIM, tut_buf_str(&escaped));
        tut_buf_add_byte(out, '\n');
    }
}

static void add_heading(const tut_term *term, tut_buf *out, const tut_block *b)
{
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) escaped = TUT_BUF_INIT;
    add_plain(b->text, &plain);
    tut_buf_add_escaped(&escaped, tut_buf_str(&plain), (size_t)-1);
    tut_term_text(term, out, TUT_STYLE_BOLD, tut_buf_str(&escaped));
    tut_buf_add_byte(out, '\n');
    for (size_t i = 0; b->level == 1 && i < tut_utf8_columns(tut_buf_str(&escaped)); i++)
        tut_buf_add_z(out, tut_term_glyph(term, TUT_GLYPH_RULE));
    if (b->level == 1)
        tut_buf_add_byte(out, '\n');
}

static void add_item(const tut_term *term, tut_buf *out, const tut_block *b)
{
    char mark[16];
    int n = b->number ? snprintf(mark, sizeof(mark), "%u. ", b->number)
                      : snprintf(mark, sizeof(mark), "- ");
    size_t indent = 2 * (size_t)b->level;
    add_blanks(out, indent);
    tut_buf_add_z(out, mark);
    add_wrapped(term, out, indent + (size_t)n, b->text);
}

static void add_block(const tut_term *term, tut_buf *out, const tut_block *b)
{
    switch (b->type) {
    case TUT_BLOCK_HEADING:
        add_heading(term, out, b);
        return;
    case TUT_BLOCK_PARAGRAPH:
        add_wrapped(term, out, 0, b->text);
        return;
    case TUT_BLOCK_ITEM:
        add_item(term, out, b);
        return;
    case TUT_BLOCK_TABLE:
        tut_training_table_text(b->text, term, out);
        return;
    case TUT_BLOCK_CODE:
        add_lines(term, out, b->text);
        return;
    case TUT_BLOCK_QUOTE:
        tut_buf_add_z(out, "  | ");
        add_wrapped(term, out, 4, b->text);
        return;
    case TUT_BLOCK_RULE:
        for (size_t i = 0; i < 8; i++)
            tut_buf_add_z(out, tut_term_glyph(term, TUT_GLYPH_RULE));
        tut_buf_add_byte(out, '\n');
        return;
    }
}

/* Items of one list stand together; a blank line is between all else. */
static void add_blocks(const tut_term *term, tut_buf *out, const tut_block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool goes_on = i > 0 && blocks[i].type == TUT_BLOCK_ITEM &&
                       blocks[i - 1].type == TUT_BLOCK_ITEM;
        if (i > 0 && !goes_on)
            tut_buf_add_byte(out, '\n');
        add_block(term, out, &blocks[i]);
    }
}

void tut_training_text(const tut_training_module *m, const tut_term *term, tut_buf *out)
{
    tut_term t = narrowed(term);
    add_blocks(&t, out, m->blocks, m->text_blocks);
}

void tut_training_question_text(const tut_quiz *e, size_t at, const tut_term *term, tut_buf *out)
{
    tut_term t = narrowed(term);
    const tut_quiz_question *q = &e->asked[at];
    tut_buf_printf(out, "%zu of %zu. ", at + 1, e->count);
    add_wrapped(&t, out, 0, q->question->title);
    if (q->question->block_count) {
        tut_buf_add_byte(out, '\n');
        add_blocks(&t, out, e->module->blocks + q->question->first_block, q->question->block_count);
    }
    tut_buf_add_byte(out, '\n');
    for (size_t i = 0; i < q->question->answer_count; i++) {
        tut_buf_printf(out, "  %zu) ", i + 1);
        add_wrapped(&t, out, i < 9 ? 5 : 6, q->question->answers[q->order[i]].text);
    }
    if (q->question->right_count > 1)
        tut_buf_add_z(out, "  (more than one is right)\n");
}

void tut_training_explain_text(const tut_quiz *e, size_t at, const tut_term *term, tut_buf *out)
{
    tut_term t = narrowed(term);
    const tut_quiz_question *q = &e->asked[at];
    bool is_right = tut_quiz_is_right(q);
    tut_buf_add_z(out, "  ");
    tut_term_text(&t, out, is_right ? TUT_STYLE_GOOD : TUT_STYLE_BAD,
                  tut_str_of(tut_term_glyph(&t, is_right ? TUT_GLYPH_TICK : TUT_GLYPH_CROSS)));
    tut_buf_printf(out, " %zu. ", at + 1);
    add_wrapped(&t, out, 4, q->question->title);
    for (size_t i = 0; i < q->question->answer_count; i++) {
        if (!q->question->answers[q->order[i]].is_right)
            continue;
        tut_buf_printf(out, "    %zu) ", i + 1);
        add_wrapped(&t, out, 7, q->question->answers[q->order[i]].text);
    }
    if (q->question->why.len) {
        tut_buf_add_z(out, "    ");
        add_wrapped(&t, out, 4, q->question->why);
    }
}
