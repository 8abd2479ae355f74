/*
 * Hidden instructions: a branch that is taken because a message holds a certain phrase (or a
 * certain day has come) and that adds sentences of its own. Markup is not a phrase: templates ask
 * all the time whether content holds "</think>" or ends with "/no_think".
 */
#include "formats/template_internal.h"

enum {
    HIDDEN_WORDS = 4 /* "Picture 1:" and "Tool result:" are labels, four words are a sentence */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* Words of two letters and more, markup (<...>, [...], {...}, escapes) left out. */
static uint32_t count_words(tut_str s)
{
    uint32_t words = 0;
    for (size_t i = 0; i < s.len;) {
        char c = s.data[i];
        if (c == '<' || c == '[') {
            char close = c == '<' ? '>' : ']';
            const char *end = memchr(s.data + i, close, s.len - i < 64 ? s.len - i : 64);
            i = end ? (size_t)(end - s.data) + 1 : i + 1;
            continue;
        }
        if (c == '\\') {
            i += 2;
            continue;
        }
        size_t first = i;
        while (i < s.len && is_letter(s.data[i]))
            i++;
        words += i - first >= 2;
        if (i == first)
            i++;
    }
    return words;
}

/* A phrase as people write it, and no control token. */
static bool is_phrase(tut_str s)
{
    size_t letters = 0;
    if (s.len < 2 || s.data[0] == '/' || s.data[0] == '#')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (strchr("<>[]{}|", s.data[i]) && s.data[i])
            return false;
        letters += is_letter(s.data[i]);
    }
    return letters >= 2;
}

static bool is_tainted(const tut_hidden *h, tut_str name)
{
    if (tut_str_eq_z(name, "content"))
        return true;
    for (size_t i = 0; i < h->tainted_count; i++)
        if (tut_str_eq(h->tainted[i], name))
            return true;
    return false;
}

static bool is_content_key(tut_str s)
{
    return tut_str_eq_z(s, "content") || tut_str_eq_z(s, "text") || tut_str_eq_z(s, "prompt");
}

/* What one clause (between "and" and "or") of a condition is about. */
typedef struct clause {
    bool has_content, has_phrase, has_other; /* other: type, role and the like are compared */
    bool has_date;
} clause;

static void look(const tut_hidden *h, clause *c, tut_word before, tut_word w, tut_word after)
{
    static const char *const others[] = {"type", "role", "name", "tool_calls", "image", "audio"};
    bool is_key = tut_word_is_sign(before, '[') || tut_word_is_sign(before, '(');
    bool is_subscript = tut_word_is_sign(before, '[') && tut_word_is_sign(after, ']');
    bool is_attribute = tut_word_is_sign(before, '.');
    if (w.kind != TUT_WORD_NAME && w.kind != TUT_WORD_TEXT)
        return;
    if (is_attribute || is_subscript || (is_key && is_content_key(w.text)))
        c->has_content |= is_content_key(w.text);
    if (w.kind == TUT_WORD_NAME) /* ns.last is tainted by its last name */
        c->has_content |= is_tainted(h, w.text);
    if (w.kind == TUT_WORD_NAME && tut_word_is_sign(after, '(') &&
        (tut_str_eq_z(w.text, "strftime_now") || tut_str_eq_z(w.text, "now")))
        c->has_date = true;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if ((is_attribute || is_subscript) && tut_str_eq_z(w.text, others[i]))
            c->has_other = true;
    if (w.kind == TUT_WORD_TEXT && !is_subscript && is_phrase(w.text))
        c->has_phrase = true;
    if (w.kind == TUT_WORD_TEXT && c->has_date)
        c->has_phrase = true;
}

static bool is_hit(const clause *c)
{
    return (c->has_content && c->has_phrase && !c->has_other) || (c->has_date && c->has_phrase);
}

/* Whether the condition asks what a message says, or what day it is. */
static bool asks_content(const tut_hidden *h, tut_str condition)
{
    clause c = {0};
    bool hit = false;
    tut_word before = {TUT_WORD_END, {"", 0}};
    tut_word w = tut_word_next(&condition);
    while (w.kind != TUT_WORD_END) {
        tut_word after = tut_word_next(&condition);
        if (tut_word_is(w, "and") || tut_word_is(w, "or")) {
            hit |= is_hit(&c);
            c = (clause){0};
        } else {
            look(h, &c, before, w, after);
        }
        before = w;
        w = after;
    }
    return hit || is_hit(&c);
}

static bool mentions_content(const tut_hidden *h, tut_str expression)
{
    clause c = {0};
    tut_word before = {TUT_WORD_END, {"", 0}};
    tut_word w = tut_word_next(&expression);
    while (w.kind != TUT_WORD_END) {
        tut_word after = tut_word_next(&expression);
        look(h, &c, before, w, after);
        before = w;
        w = after;
    }
    return c.has_content;
}

/* Fixed words of an expression's literals; those that a refusal shouts are not said to the model.
 */
static uint32_t literal_words(tut_str expression)
{
    uint32_t words = 0;
    tut_word before = {TUT_WORD_END, {"", 0}};
    tut_word w = tut_word_next(&expression);
    if (tut_word_is(w, "raise_exception"))
        return 0;
    while (w.kind != TUT_WORD_END) {
        tut_word after = tut_word_next(&expression);
        bool is_subscript = tut_word_is_sign(before, '[') && tut_word_is_sign(after, ']');
        bool is_compared = tut_word_is_sign(before, '=') || tut_word_is(after, "in");
        if (w.kind == TUT_WORD_TEXT && !is_subscript && !is_compared)
            words += count_words(w.text);
        before = w;
        w = after;
    }
    return words;
}

static void report(tut_hidden *h, uint64_t at, tut_str shown)
{
    tut_exam_observe(h->x, "data.template-hidden-instruction", h->offset + at,
                     "text is added when a message says a certain thing: %.*s",
                     (int)(shown.len < 160 ? shown.len : 160), shown.data);
}

static void add_words(tut_hidden *h, uint32_t words, tut_str shown)
{
    for (size_t i = 0; i < h->depth; i++) {
        if (!h->open[i].is_content || h->open[i].words >= HIDDEN_WORDS)
            continue;
        h->open[i].words += words;
        if (h->open[i].words >= HIDDEN_WORDS)
            report(h, h->open[i].at, shown);
    }
}

void tut_hidden_text(tut_hidden *h, tut_str text)
{
    add_words(h, count_words(text), text);
}

/* "A" if condition else "B" inside an expression: the condition is between if and else. */
static bool inline_condition(tut_str expression, tut_str *ret_condition)
{
    tut_str rest = expression;
    const char *from = NULL;
    for (tut_word w = tut_word_next(&rest); w.kind != TUT_WORD_END; w = tut_word_next(&rest)) {
        if (!from && tut_word_is(w, "if"))
            from = rest.data;
        else if (from && tut_word_is(w, "else")) {
            *ret_condition = (tut_str){from, (size_t)(w.text.data - from)};
            return true;
        }
    }
    if (!from)
        return false;
    *ret_condition = (tut_str){from, (size_t)(rest.data - from)};
    return true;
}

void tut_hidden_output(tut_hidden *h, tut_str expression, uint64_t at)
{
    tut_str condition;
    uint32_t words = literal_words(expression);
    if (words >= HIDDEN_WORDS && inline_condition(expression, &condition) &&
        asks_content(h, condition))
        report(h, at, expression);
    add_words(h, words, expression);
}

static void push(tut_hidden *h, bool is_if, bool is_content, uint64_t at)
{
    if (h->depth == TUT_TEMPLATE_DEPTH) {
        h->depth_lost++;
        return;
    }
    h->open[h->depth].is_if = is_if;
    h->open[h->depth].is_content = is_content;
    h->open[h->depth].words = 0;
    h->open[h->depth].at = at;
    h->depth++;
}

static void pop(tut_hidden *h)
{
    if (h->depth_lost)
        h->depth_lost--;
    else if (h->depth)
        h->depth--;
}

/* set NAME = expression: a name that is made of what a message says stands for it. */
static void on_set(tut_hidden *h, tut_str rest, uint64_t at)
{
    tut_word name = tut_word_next(&rest);
    tut_word sign = tut_word_next(&rest);
    tut_word last = name;
    while (tut_word_is_sign(sign, '.')) { /* namespace members go by their last name */
        last = tut_word_next(&rest);
        sign = tut_word_next(&rest);
    }
    if (!tut_word_is_sign(sign, '='))
        return;
    if (mentions_content(h, rest) && !is_tainted(h, last.text) &&
        h->tainted_count < TUT_TEMPLATE_TAINTED)
        h->tainted[h->tainted_count++] = last.text;
    tut_hidden_output(h, rest, at);
}

void tut_hidden_statement(tut_hidden *h, tut_str statement, uint64_t at)
{
    tut_str rest = statement;
    tut_word w = tut_word_next(&rest);
    if (tut_word_is(w, "if")) {
        push(h, true, asks_content(h, rest), at);
    } else if (tut_word_is(w, "elif") && h->depth && !h->depth_lost) {
        h->open[h->depth - 1].is_content = asks_content(h, rest);
        h->open[h->depth - 1].words = 0;
        h->open[h->depth - 1].at = at;
    } else if (tut_word_is(w, "else") && h->depth && !h->depth_lost) {
        h->open[h->depth - 1].is_content = false;
    } else if (tut_word_is(w, "for") || tut_word_is(w, "macro") || tut_word_is(w, "call") ||
               tut_word_is(w, "filter") || tut_word_is(w, "block") || tut_word_is(w, "with")) {
        push(h, false, false, at);
    } else if (tut_word_is(w, "endif") || tut_word_is(w, "endfor") || tut_word_is(w, "endmacro") ||
               tut_word_is(w, "endcall") || tut_word_is(w, "endfilter") ||
               tut_word_is(w, "endblock") || tut_word_is(w, "endwith")) {
        pop(h);
    } else if (tut_word_is(w, "set")) {
        on_set(h, rest, at);
    }
}
