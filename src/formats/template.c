/*
 *   template = { text | "{{" expression "}}" | "{%" statement "%}" | "{#" comment "#}" }
 *
 * Quotes hide the end of a tag. What "{% raw %}" makes plain text is looked at as tags all the
 * same: a finding too many there, none too few.
 */
#include "formats/json_pull.h"
#include "formats/template_internal.h"

enum { SHOWN = 120 };

/* Where the tag that starts behind its two opening characters ends: at `close` outside of quotes.
 */
static size_t tag_end(tut_str text, size_t at, const char *close)
{
    char quote = 0;
    for (; at + 1 < text.len; at++) {
        char c = text.data[at];
        if (quote && c == '\\')
            at++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == close[0] && text.data[at + 1] == close[1])
            return at;
    }
    return text.len;
}

static tut_str inside(tut_str text, size_t from, size_t to)
{
    tut_str s = {text.data + from, to - from};
    if (s.len && (s.data[0] == '-' || s.data[0] == '+'))
        s = (tut_str){s.data + 1, s.len - 1};
    if (s.len && (s.data[s.len - 1] == '-' || s.data[s.len - 1] == '+'))
        s.len--;
    return tut_str_trim(s);
}

static void check_climb(tut_hidden *h, tut_str expression, uint64_t at)
{
    const char *what = tut_template_climbs(expression);
    if (what)
        tut_exam_observe(h->x, "data.template-injection", h->offset + at, "%s: %.*s", what,
                         (int)(expression.len < SHOWN ? expression.len : SHOWN), expression.data);
}

static void check_statement_word(tut_hidden *h, tut_str statement, uint64_t at)
{
    static const char *const words[] = {"import", "from", "include", "extends", "debug"};
    tut_str rest = statement;
    tut_word w = tut_word_next(&rest);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (tut_word_is(w, words[i]))
            tut_exam_observe(h->x, "data.template-injection", h->offset + at,
                             "a statement that brings in what is outside: %.*s",
                             (int)(statement.len < SHOWN ? statement.len : SHOWN), statement.data);
}

static bool contains_folded(tut_str text, const char *phrase, size_t *ret_end)
{
    size_t len = strlen(phrase);
    for (size_t i = 0; i + len <= text.len; i++) {
        size_t k = 0;
        while (k < len && ((text.data[i + k] >= 'A' && text.data[i + k] <= 'Z')
                               ? text.data[i + k] | 0x20
                               : text.data[i + k]) == phrase[k])
            k++;
        if (k == len) {
            *ret_end = i + len;
            return true;
        }
    }
    return false;
}

/* "do not tell the user about function calls": how to answer, not what to keep back. */
static bool is_about_tools(tut_str behind)
{
    static const char *const ends[] = {" about function calls", " about the function calls",
                                       " about tool calls",     " about the tool calls",
                                       " about tools",          " about functions"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (tut_str_starts(behind, tut_str_of(ends[i])))
            return true;
    return false;
}

/* What no honest template tells a model. */
static void check_phrases(tut_hidden *h, tut_str text)
{
    static const char *const phrases[] = {"ignore previous instructions",
                                          "ignore all previous",
                                          "ignore the previous instructions",
                                          "disregard previous instructions",
                                          "disregard all previous",
                                          "without telling the user",
                                          "do not tell the user",
                                          "don't tell the user",
                                          "do not inform the user",
                                          "without the user's knowledge",
                                          "hide this from the user",
                                          "never mention this instruction",
                                          "do not mention this instruction",
                                          "do not reveal this instruction"};
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        for (size_t at = 0, end = 0; at < text.len; at += end) {
            tut_str rest = {text.data + at, text.len - at};
            if (!contains_folded(rest, phrases[i], &end))
                break;
            if (is_about_tools((tut_str){rest.data + end, rest.len - end}))
                continue;
            tut_exam_observe(h->x, "data.template-hidden-instruction", h->offset,
                             "the template itself says: %s", phrases[i]);
            break;
        }
}

/* One tag; returns where the text goes on. */
static size_t check_tag(tut_hidden *h, tut_str text, size_t at)
{
    char kind = text.data[at + 1];
    if (kind == '#') {
        size_t end = 0;
        tut_str rest = {text.data + at + 2, text.len - at - 2};
        return tut_str_find(rest, TUT_LIT("#}"), &end) ? at + 2 + end + 2 : text.len;
    }
    size_t end = tag_end(text, at + 2, kind == '{' ? "}}" : "%}");
    tut_str body = inside(text, at + 2, end);
    if (h->is_judging) {
        check_climb(h, body, at);
        tut_sound_expression(h, body, at);
    }
    if (end == text.len && !h->has_open_tag) {
        h->has_open_tag = true;
        h->open_tag_at = at;
    }
    if (kind == '%') {
        if (h->is_judging)
            check_statement_word(h, body, at);
        tut_hidden_statement(h, body, at);
    } else {
        tut_hidden_output(h, body, at);
    }
    return end < text.len ? end + 2 : text.len;
}

static bool starts_tag(tut_str text, size_t at)
{
    return text.data[at] == '{' && at + 1 < text.len &&
           (text.data[at + 1] == '{' || text.data[at + 1] == '%' || text.data[at + 1] == '#');
}

static void check_tags(tut_hidden *h, tut_str text)
{
    h->depth = h->depth_lost = 0;
    h->macro = (tut_str){"", 0};
    for (size_t at = 0, plain = 0; at <= text.len; at++) {
        if (at < text.len && !starts_tag(text, at))
            continue;
        tut_hidden_text(h, (tut_str){text.data + plain, at - plain});
        if (at == text.len)
            break;
        plain = check_tag(h, text, at);
        at = plain - 1;
    }
}

tut_status tut_template_check(tut_exam *x, tut_str text, uint64_t offset, tut_error *err)
{
    enum { LEARN = 2 }; /* a macro is called, a variable used, before what it holds is known */
    tut_hidden h = {.x = x, .offset = offset};
    TUT_TRY(tut_budget_steps(x->budget, text.len / 4 + 1, err));
    for (size_t i = 0; i < LEARN; i++) {
        h.is_first = i == 0;
        check_tags(&h, text);
    }
    size_t found;
    h.is_judging = true;
    h.is_of_messages = tut_str_find(text, TUT_LIT("message"), &found);
    check_tags(&h, text);
    /* A reader of JSON hands over no more than that of one text. */
    tut_sound_end(&h, text, text.len >= TUT_JSON_PULL_TEXT);
    check_phrases(&h, text);
    return TUT_SUCCESS;
}
