/* A module as a page. */
#include <inttypes.h>
#include <stdio.h>

#include "assess/assessment.h"
#include "base/page.h"
#include "crypto/base64.h"
#include "govern/training_view.h"

extern const char tut_training_page_css[], tut_training_page_css_end[];
extern const char tut_training_page_js[], tut_training_page_js_end[];
extern const unsigned char tut_training_page_js_sha256[];

enum { CELLS_MAX = 24, CHUNK = 1024 };

static tut_str embedded(const char *from, const char *to)
{
    return (tut_str){from, (size_t)(to - from)};
}

/* tut_page_text shows so much of a text and no more; here nothing is left out. */
static void add_text(tut_buf *out, tut_str text)
{
    while (text.len > CHUNK) {
        size_t len = CHUNK;
        while (len > 0 && ((uint8_t)text.data[len] & 0xc0) == 0x80)
            len--;
        tut_page_text(out, (tut_str){text.data, len});
        text = (tut_str){text.data + len, text.len - len};
    }
    tut_page_text(out, text);
}

static void add_inline(tut_buf *out, tut_str lines)
{
    TUT_CLEAN(tut_buf) folded = TUT_BUF_INIT;
    tut_inline run;
    tut_inline_fold(lines, &folded);
    tut_inline_reader r = {.rest = tut_buf_str(&folded)};
    while (tut_inline_next(&r, &run)) {
        bool is_link = run.type == TUT_INLINE_LINK && run.url.len > 0;
        tut_buf_add_z(out, run.is_strong ? "<strong>" : "");
        tut_buf_add_z(out, run.is_emphasised ? "<em>" : "");
        tut_buf_add_z(out, run.type == TUT_INLINE_CODE ? "<code>" : "");
        if (is_link) {
            tut_buf_add_z(out, "<a rel=\"noreferrer noopener\" href=\"");
            add_text(out, run.url);
            tut_buf_add_z(out, "\">");
        }
        add_text(out, run.text);
        tut_buf_add_z(out, is_link ? "</a>" : "");
        tut_buf_add_z(out, run.type == TUT_INLINE_CODE ? "</code>" : "");
        tut_buf_add_z(out, run.is_emphasised ? "</em>" : "");
        tut_buf_add_z(out, run.is_strong ? "</strong>" : "");
    }
}

static void add_element(tut_buf *out, const char *name, tut_str lines)
{
    tut_buf_printf(out, "<%s>", name);
    add_inline(out, lines);
    tut_buf_printf(out, "</%s>\n", name);
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

static void add_code(tut_buf *out, tut_str lines)
{
    tut_str line;
    tut_buf_add_z(out, "<pre><code>");
    while (next_line(&lines, &line)) {
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        for (size_t at = 0; at < line.len;) {
            size_t len = 0;
            while (at + len < line.len && line.data[at + len] != '\t')
                len++;
            add_text(out, (tut_str){line.data + at, len});
            at += len;
            if (at < line.len) {
                tut_buf_add_z(out, "    ");
                at++;
            }
        }
        tut_buf_add_byte(out, '\n');
    }
    tut_buf_add_z(out, "</code></pre>\n");
}

static void add_table(tut_buf *out, tut_str lines)
{
    tut_str line, cells[CELLS_MAX];
    size_t row = 0;
    tut_buf_add_z(out, "<div class=\"scroll\"><table>\n");
    for (; next_line(&lines, &line); row++) {
        const char *cell = row == 0 ? "th" : "td";
        if (row == 1) /* the ruler */
            continue;
        tut_buf_add_z(out, "<tr>");
        size_t n = tut_table_row_cells(line, cells, CELLS_MAX);
        for (size_t i = 0; i < n; i++) {
            tut_buf_printf(out, "<%s>", cell);
            add_inline(out, cells[i]);
            tut_buf_printf(out, "</%s>", cell);
        }
        tut_buf_add_z(out, "</tr>\n");
    }
    tut_buf_add_z(out, "</table></div>\n");
}

/* Items in a row: a list, of which deeper ones are lists within. Returns how many there were. */
static size_t add_list(tut_buf *out, const tut_block *blocks, size_t count)
{
    const char *open[8];
    uint32_t level[8];
    size_t depth = 0, i = 0;
    for (; i < count && blocks[i].type == TUT_BLOCK_ITEM; i++) {
        const tut_block *b = &blocks[i];
        while (depth > 1 && b->level < level[depth - 1]) {
            depth--;
            tut_buf_printf(out, "</li></%s>", open[depth]);
        }
        if (depth == 0 || (b->level > level[depth - 1] && depth < 8)) {
            open[depth] = b->number ? "ol" : "ul";
            level[depth] = b->level;
            tut_buf_printf(out, "<%s>", open[depth++]);
        } else {
            tut_buf_add_z(out, "</li>");
        }
        tut_buf_add_z(out, "\n<li>");
        add_inline(out, b->text);
    }
    while (depth > 0)
        tut_buf_printf(out, "</li></%s>\n", open[--depth]);
    return i;
}

static void add_block(tut_buf *out, const tut_block *b)
{
    char name[3] = {'h', (char)('0' + (int)b->level), '\0'};
    switch (b->type) {
    case TUT_BLOCK_HEADING:
        add_element(out, name, b->text);
        return;
    case TUT_BLOCK_PARAGRAPH:
        add_element(out, "p", b->text);
        return;
    case TUT_BLOCK_TABLE:
        add_table(out, b->text);
        return;
    case TUT_BLOCK_CODE:
        add_code(out, b->text);
        return;
    case TUT_BLOCK_QUOTE:
        add_element(out, "blockquote", b->text);
        return;
    case TUT_BLOCK_RULE:
        tut_buf_add_z(out, "<hr>\n");
        return;
    case TUT_BLOCK_ITEM: /* of a list: add_list */
        return;
    }
}

static void add_blocks(tut_buf *out, const tut_block *blocks, size_t count)
{
    for (size_t i = 0; i < count;) {
        if (blocks[i].type == TUT_BLOCK_ITEM)
            i += add_list(out, blocks + i, count - i);
        else
            add_block(out, &blocks[i++]);
    }
}

/* --- questions --- */

static void add_question(tut_buf *out, const tut_quiz *e, size_t at)
{
    const tut_quiz_question *q = &e->asked[at];
    const char *type = q->question->right_count > 1 ? "checkbox" : "radio";
    tut_buf_printf(out, "<fieldset><legend>%zu. ", at + 1);
    add_inline(out, q->question->title);
    tut_buf_add_z(out, q->question->right_count > 1 ? " (more than one is right)</legend>\n"
                                                    : "</legend>\n");
    add_blocks(out, e->module->blocks + q->question->first_block, q->question->block_count);
    for (size_t i = 0; i < q->question->answer_count; i++) {
        char letter = (char)('a' + (int)i);
        tut_buf_printf(out, "<label><input type=\"%s\" name=\"q%zu\" value=\"%c\"><b>%c</b> <span>",
                       type, at + 1, letter, letter);
        add_inline(out, q->question->answers[q->order[i]].text);
        tut_buf_add_z(out, "</span></label>\n");
    }
    tut_buf_add_z(out, "</fieldset>\n");
}

static void add_sheet(tut_buf *out, const tut_quiz *e, const char *person)
{
    TUT_CLEAN(tut_buf) word = TUT_BUF_INIT;
    tut_str id = e->module->id;
    tut_buf_printf(
        out,
        "<h2>Your answers</h2>\n<p id=\"told\">Write the letters of your answers behind "
        "the number of each question, such as <code>1b 2a 3cd</code>.</p>\n<textarea "
        "id=\"sheet\" rows=\"5\" spellcheck=\"false\" data-name=\"%.*s-answers.txt\" "
        "aria-label=\"Sheet of answers\">tutela-answers 1\nmodule %.*s\nseed %016" PRIx64
        "\nanswers </textarea>\n<button type=\"button\" id=\"save\">Save as a file</button>"
        "<button type=\"button\" id=\"copy\">Copy</button>\n<p>Hand it in where the system "
        "is described, signed with your key: <code>tutela train submit "
        "%.*s-answers.txt --by ",
        (int)id.len, id.data, (int)id.len, id.data, e->seed, (int)id.len, id.data);
    tut_command_word(&word, person);
    tut_page_text(out, tut_buf_str(&word));
    tut_buf_printf(out,
                   "</code>. These questions are answered once, within %d days; the page does "
                   "not hold which answers are right.</p>\n",
                   TUT_QUIZ_HANDED_DAYS);
}

static void add_head(tut_buf *out, const tut_training_module *m, const tut_quiz *e,
                     const char *person)
{
    char day[TUT_TIME_TEXT];
    tut_time_date(m->reviewed, day);
    tut_buf_printf(out, "<p class=\"tag\">%.*s, version %u, reviewed %s; about %u minutes",
                   (int)m->id.len, m->id.data, m->version, day, m->minutes);
    for (size_t i = 0; i < m->atlas.count; i++) {
        tut_buf_add_z(out, i ? ", " : ". Teaches ");
        tut_page_text(out, m->atlas.items[i]);
    }
    if (e) {
        tut_buf_printf(out, ". %zu questions, of which %.0f %% have to be right. For ", e->count,
                       m->pass * 100);
        tut_page_z(out, person);
    }
    tut_buf_add_z(out, ".</p>\n");
}

void tut_training_page(const tut_training_module *m, const tut_quiz *e, const char *person,
                       tut_buf *out)
{
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) source = TUT_BUF_INIT;
    tut_buf_add_str(&title, m->title);
    tut_buf_add_z(&source, "'sha256-");
    tut_base64_add(&source, tut_span_of(tut_training_page_js_sha256, TUT_SHA256_BYTES));
    tut_buf_add_byte(&source, '\'');
    const tut_page_more more = {.css = embedded(tut_training_page_css, tut_training_page_css_end),
                                .script_source = e ? tut_buf_z(&source) : NULL,
                                .class_name = "text"};
    const char *name = tut_buf_z(&title);
    tut_page_begin_with(out, name ? name : "", &more);
    add_head(out, m, e, person);
    add_blocks(out, m->blocks, m->text_blocks);
    if (e) {
        tut_buf_add_z(out, "<form id=\"questions\">\n<h2>Questions</h2>\n");
        for (size_t i = 0; i < e->count; i++)
            add_question(out, e, i);
        tut_buf_add_z(out, "</form>\n");
        add_sheet(out, e, person);
        tut_buf_add_z(out, "<script>");
        tut_buf_add_str(out, embedded(tut_training_page_js, tut_training_page_js_end));
        tut_buf_add_z(out, "</script>\n");
    }
    tut_page_end(out);
}
