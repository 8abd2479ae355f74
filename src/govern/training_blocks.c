/* The text of a module as blocks, and its questions. */
#include <ctype.h>

#include "govern/training_internal.h"

static tut_str behind(tut_str s, size_t n)
{
    return (tut_str){s.data + n, s.len - n};
}

static size_t indent_of(tut_str line)
{
    size_t n = 0;
    while (n < line.len && (line.data[n] == ' ' || line.data[n] == '\t'))
        n++;
    return n;
}

/* --- what a line begins --- */

size_t tut_module_heading(tut_str line)
{
    size_t level = 0;
    while (level < line.len && level < 6 && line.data[level] == '#')
        level++;
    return level > 0 && level < line.len && line.data[level] == ' ' ? level + 1 : 0;
}

bool tut_module_begins_questions(tut_str line)
{
    return tut_str_eq_z(line, "## Questions");
}

static bool is_fence(tut_str line)
{
    line = tut_str_trim(line);
    return tut_str_starts(line, TUT_LIT("```")) || tut_str_starts(line, TUT_LIT("~~~"));
}

static bool is_rule(tut_str line)
{
    return tut_str_eq_z(line, "---") || tut_str_eq_z(line, "***") || tut_str_eq_z(line, "___");
}

/* Bytes of the bullet behind the indentation, "- " or "12. "; 0: none. */
static size_t bullet_of(tut_str line, uint32_t *ret_number)
{
    tut_str s = behind(line, indent_of(line));
    size_t digits = 0;
    uint32_t number = 0;
    *ret_number = 0;
    if (s.len > 1 && memchr("-*+", s.data[0], 3) && s.data[1] == ' ')
        return 2;
    for (; digits < s.len && digits < 4 && s.data[digits] >= '0' && s.data[digits] <= '9'; digits++)
        number = number * 10 + (uint32_t)(s.data[digits] - '0');
    if (digits == 0 || digits + 1 >= s.len || !memchr(".)", s.data[digits], 2) ||
        s.data[digits + 1] != ' ')
        return 0;
    *ret_number = number;
    return digits + 2;
}

static bool is_answer(tut_str line)
{
    return tut_str_starts(line, TUT_LIT("- [ ] ")) || tut_str_starts(line, TUT_LIT("- [x] ")) ||
           tut_str_starts(line, TUT_LIT("- [X] "));
}

static bool begins_block(tut_str line)
{
    uint32_t number;
    tut_str s = tut_str_trim(line);
    return s.len == 0 || tut_module_heading(line) || is_fence(line) || is_rule(line) ||
           bullet_of(line, &number) || s.data[0] == '|' || s.data[0] == '>' ||
           tut_str_starts(s, TUT_LIT("<!--"));
}

/* --- blocks --- */

static size_t count_words(tut_str text)
{
    size_t words = 0;
    bool in_word = false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_letter = isalnum((unsigned char)text.data[i]) || (uint8_t)text.data[i] >= 0x80;
        words += is_letter && !in_word;
        in_word = is_letter || (in_word && memchr("'-_.", text.data[i], 4));
    }
    return words;
}

static tut_status add_block(tut_module_reader *r, tut_block_type type, uint32_t level, tut_str text)
{
    tut_training_module *m = r->m;
    if (m->block_count == r->block_capacity) {
        size_t capacity = r->block_capacity ? r->block_capacity * 2 : 64;
        tut_block *grown = tut_arena_take(&m->arena, capacity, sizeof(*grown));
        if (!grown)
            return tut_fail(r->err, TUT_NOMEM, "memory ran out");
        if (m->block_count)
            memcpy(grown, m->blocks, m->block_count * sizeof(*grown));
        m->blocks = grown;
        r->block_capacity = capacity;
    }
    m->blocks[m->block_count++] = (tut_block){.type = type, .level = level, .text = text};
    if (!r->in_questions)
        m->words += count_words(text);
    return TUT_SUCCESS;
}

/* From the line at hand up to the first at which `goes_on` does not hold. */
static tut_str take_lines(tut_module_reader *r, bool (*goes_on)(tut_str line))
{
    const char *start = r->line.data, *end;
    do {
        end = r->line.data + r->line.len;
        tut_module_next_line(r);
    } while (!r->at_end && goes_on(r->line));
    return (tut_str){start, (size_t)(end - start)};
}

static bool is_of_table(tut_str line)
{
    line = tut_str_trim(line);
    return line.len > 0 && line.data[0] == '|';
}

static bool is_of_quote(tut_str line)
{
    line = tut_str_trim(line);
    return line.len > 0 && line.data[0] == '>';
}

static bool is_of_paragraph(tut_str line)
{
    return !begins_block(line);
}

static bool is_of_item(tut_str line)
{
    return indent_of(line) > 0 && !begins_block(line);
}

static tut_status take_code(tut_module_reader *r)
{
    uint32_t line = r->number;
    tut_module_next_line(r);
    const char *start = r->line.data;
    const char *end = start;
    while (!r->at_end && !is_fence(r->line)) {
        end = r->line.data + r->line.len;
        tut_module_next_line(r);
    }
    if (r->at_end)
        return tut_module_fail(r, line, "the code that begins here has no end (```)");
    tut_module_next_line(r);
    return add_block(r, TUT_BLOCK_CODE, 0, (tut_str){start, (size_t)(end - start)});
}

static tut_status take_comment(tut_module_reader *r)
{
    uint32_t line = r->number;
    size_t at;
    while (!r->at_end && !tut_str_find(r->line, TUT_LIT("-->"), &at))
        tut_module_next_line(r);
    if (r->at_end)
        return tut_module_fail(r, line, "the comment that begins here has no end (-->)");
    tut_module_next_line(r);
    return TUT_SUCCESS;
}

static tut_status take_item(tut_module_reader *r)
{
    uint32_t number;
    size_t indent = indent_of(r->line);
    size_t bullet = bullet_of(r->line, &number);
    tut_str text = behind(take_lines(r, is_of_item), indent + bullet);
    TUT_TRY(add_block(r, TUT_BLOCK_ITEM, indent > 10 ? 6 : 1 + (uint32_t)indent / 2, text));
    r->m->blocks[r->m->block_count - 1].number = number;
    return TUT_SUCCESS;
}

static tut_status take_block(tut_module_reader *r)
{
    uint32_t number;
    size_t heading = tut_module_heading(r->line);
    if (heading) {
        tut_str text = tut_str_trim(behind(r->line, heading));
        tut_module_next_line(r);
        return add_block(r, TUT_BLOCK_HEADING, (uint32_t)heading - 1, text);
    }
    if (is_fence(r->line))
        return take_code(r);
    if (is_rule(r->line)) {
        TUT_TRY(add_block(r, TUT_BLOCK_RULE, 0, (tut_str){r->line.data, 0}));
        tut_module_next_line(r);
        return TUT_SUCCESS;
    }
    if (bullet_of(r->line, &number))
        return take_item(r);
    if (is_of_table(r->line))
        return add_block(r, TUT_BLOCK_TABLE, 0, take_lines(r, is_of_table));
    if (is_of_quote(r->line))
        return add_block(r, TUT_BLOCK_QUOTE, 0, take_lines(r, is_of_quote));
    if (tut_str_starts(tut_str_trim(r->line), TUT_LIT("<!--")))
        return take_comment(r);
    return add_block(r, TUT_BLOCK_PARAGRAPH, 0, take_lines(r, is_of_paragraph));
}

tut_status tut_module_read_blocks(tut_module_reader *r, bool (*ends)(tut_str line))
{
    while (!r->at_end && !ends(r->line)) {
        if (r->line.len == 0)
            tut_module_next_line(r);
        else
            TUT_TRY(take_block(r));
    }
    return TUT_SUCCESS;
}

/* --- questions --- */

static bool ends_question_text(tut_str line)
{
    return is_answer(line) || tut_module_heading(line);
}

/* Room for one more. */
static tut_status grow_questions(tut_module_reader *r)
{
    tut_training_module *m = r->m;
    if (m->question_count == TUT_TRAINING_QUESTIONS)
        return tut_module_fail(r, r->number, "has more than %d questions", TUT_TRAINING_QUESTIONS);
    if (m->question_count == r->question_capacity) {
        size_t capacity = r->question_capacity ? r->question_capacity * 2 : 16;
        tut_training_question *grown = tut_arena_take(&m->arena, capacity, sizeof(*grown));
        if (!grown)
            return tut_fail(r->err, TUT_NOMEM, "memory ran out");
        if (m->question_count)
            memcpy(grown, m->questions, m->question_count * sizeof(*grown));
        m->questions = grown;
        r->question_capacity = capacity;
    }
    return TUT_SUCCESS;
}

static tut_status take_answers(tut_module_reader *r, tut_training_question *q)
{
    while (!r->at_end && (r->line.len == 0 || is_answer(r->line))) {
        if (r->line.len == 0) {
            tut_module_next_line(r);
            continue;
        }
        if (q->answer_count == TUT_TRAINING_ANSWERS)
            return tut_module_fail(r, r->number, "a question has at most %d answers",
                                   TUT_TRAINING_ANSWERS);
        bool is_right = r->line.data[3] != ' ';
        tut_str text = tut_str_trim(behind(take_lines(r, is_of_item), 6));
        q->answers[q->answer_count++] = (tut_training_answer){text, is_right};
        q->right_count += is_right;
    }
    return TUT_SUCCESS;
}

static tut_str without_why(tut_str text)
{
    tut_str s = tut_str_trim(behind(text, indent_of(text) + 1));
    if (tut_str_starts(s, TUT_LIT("Why:")))
        s = tut_str_trim(behind(s, 4));
    return s;
}

static tut_status take_question(tut_module_reader *r)
{
    uint32_t line = r->number;
    TUT_TRY(grow_questions(r));
    tut_training_question *q = &r->m->questions[r->m->question_count++];
    *q = (tut_training_question){.title = tut_str_trim(behind(r->line, 4))};
    tut_module_next_line(r);
    size_t first = r->m->block_count;
    TUT_TRY(tut_module_read_blocks(r, ends_question_text));
    q->first_block = (uint32_t)first;
    q->block_count = (uint32_t)(r->m->block_count - first);
    TUT_TRY(take_answers(r, q));
    if (q->answer_count < 2)
        return tut_module_fail(r, line,
                               "a question has at least two answers, lines that begin "
                               "with \"- [ ]\" or \"- [x]\"");
    if (q->right_count == 0 || q->right_count == q->answer_count)
        return tut_module_fail(r, line,
                               "a question has a right answer (\"- [x]\") and a wrong one "
                               "(\"- [ ]\")");
    if (!r->at_end && is_of_quote(r->line))
        q->why = without_why(take_lines(r, is_of_quote));
    return TUT_SUCCESS;
}

tut_status tut_module_read_questions(tut_module_reader *r)
{
    uint32_t line = r->number;
    r->m->text_blocks = r->m->block_count;
    r->in_questions = true;
    tut_module_next_line(r);
    while (!r->at_end) {
        if (r->line.len == 0) {
            tut_module_next_line(r);
        } else if (tut_str_starts(tut_str_trim(r->line), TUT_LIT("<!--"))) {
            TUT_TRY(take_comment(r));
        } else if (tut_module_heading(r->line) == 4) {
            TUT_TRY(take_question(r));
        } else {
            return tut_module_fail(r, r->number,
                                   "is no part of a question: \"### ...?\", answers, "
                                   "and \"> Why: ...\"");
        }
    }
    if (r->m->question_count == 0)
        return tut_module_fail(r, line, "there is no question (\"### ...?\") under this heading");
    return TUT_SUCCESS;
}
