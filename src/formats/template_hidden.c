/*
 * Hidden instructions: a branch that is taken because a message holds a certain phrase (or a
 * certain day has come) and that adds sentences of its own.
 */
#include "formats/template_internal.h"

enum {
    HIDDEN_WORDS = 4 /* "Picture 1:" and "Tool result:" are labels, four words are a sentence */
};

static void report(tut_hidden *h, uint64_t at, tut_str shown)
{
    if (!h->is_judging)
        return;
    tut_exam_observe(h->x, "data.template-hidden-instruction", h->offset + at,
                     "text is added when a message says a certain thing: %.*s",
                     (int)(shown.len < 160 ? shown.len : 160), shown.data);
}

static void add_words(tut_hidden *h, uint32_t words, tut_str shown)
{
    for (size_t i = 0; i < h->depth; i++) {
        tut_variable *filled = h->open[i].filled;
        if (filled && filled->words < HIDDEN_WORDS)
            filled->words += words;
        if (!h->open[i].is_content || h->open[i].words >= HIDDEN_WORDS)
            continue;
        h->open[i].words += words;
        if (h->open[i].words >= HIDDEN_WORDS)
            report(h, h->open[i].at, shown);
    }
}

void tut_hidden_text(tut_hidden *h, tut_str text)
{
    tut_sound_text(h, text);
    add_words(h, tut_flow_count_words(text), text);
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
    uint32_t words = tut_flow_words(h, expression);
    tut_flow_calls(h, expression);
    tut_sound_text(h, expression);
    bool is_asked = words >= HIDDEN_WORDS &&
                    (tut_flow_tests(h, expression) ||
                     (inline_condition(expression, &condition) && tut_flow_asks(h, condition)));
    if (is_asked || tut_flow_replaces(h, expression) || tut_flow_looks_up(h, expression))
        report(h, at, expression);
    for (size_t i = 0; i < h->depth; i++)
        if (h->open[i].filled && tut_flow_is_content(h, expression))
            h->open[i].filled->is_content = true;
    add_words(h, words, expression);
}

static void push(tut_hidden *h, bool is_if, bool is_content, uint64_t at)
{
    if (h->depth == TUT_TEMPLATE_DEPTH) {
        h->depth_lost++;
        return;
    }
    h->open[h->depth].is_if = is_if;
    h->open[h->depth].is_asked = is_content;
    h->open[h->depth].is_content = is_content;
    h->open[h->depth].filled = NULL;
    h->open[h->depth].words = 0;
    h->open[h->depth].at = at;
    h->depth++;
}

/* What stands up to the end of the block goes into the variable. */
static void push_filling(tut_hidden *h, tut_str name, uint64_t at)
{
    size_t depth = h->depth;
    push(h, false, false, at);
    if (h->depth > depth)
        h->open[depth].filled = tut_flow_variable(h, name, (tut_str){"", 0});
}

static void pop(tut_hidden *h)
{
    if (h->depth_lost)
        h->depth_lost--;
    else if (h->depth)
        h->depth--;
}

static bool is_in_content_branch(const tut_hidden *h)
{
    for (size_t i = 0; i < h->depth; i++)
        if (h->open[i].is_content)
            return true;
    return false;
}

/* set NAME = expression, or set NAME alone with what is set up to endset. */
static void on_set(tut_hidden *h, tut_str rest, uint64_t at)
{
    tut_word name = tut_word_next(&rest);
    tut_word sign = tut_word_next(&rest);
    tut_word last = name;
    while (tut_word_is_sign(sign, '.')) { /* namespace members go by their last name */
        last = tut_word_next(&rest);
        sign = tut_word_next(&rest);
    }
    while (tut_word_is_sign(sign, ',')) { /* a, b = expression */
        last = tut_word_next(&rest);
        sign = tut_word_next(&rest);
    }
    if (!tut_word_is_sign(sign, '=')) {
        push_filling(h, last.text, at); /* as if it were outside of any macro */
        return;
    }
    tut_str none = {"", 0}; /* a namespace is seen outside */
    tut_variable *v = tut_flow_variable(h, last.text,
                                        last.text.data == name.text.data ? h->macro : none);
    if (v) {
        tut_flow_assign(h, v, rest);
        if (is_in_content_branch(h) && !tut_flow_is_content(h, rest))
            v->is_dependent = true;
    }
    tut_hidden_output(h, rest, at);
}

/* for NAMES in what if condition: the names are of what they go over. */
static void on_for(tut_hidden *h, tut_str rest, uint64_t at)
{
    tut_str names = rest;
    tut_word w = tut_word_next(&rest);
    while (w.kind != TUT_WORD_END && !tut_word_is(w, "in"))
        w = tut_word_next(&rest);
    tut_str what = rest, condition = {"", 0};
    for (tut_str from = rest; (w = tut_word_next(&from)).kind != TUT_WORD_END;)
        if (tut_word_is(w, "if")) {
            what.len = (size_t)(w.text.data - what.data);
            condition = from;
        }
    for (w = tut_word_next(&names); w.kind == TUT_WORD_NAME || w.kind == TUT_WORD_SIGN;
         w = tut_word_next(&names)) {
        if (tut_word_is(w, "in"))
            break;
        tut_variable *v = w.kind == TUT_WORD_NAME ? tut_flow_variable(h, w.text, h->macro) : NULL;
        if (v)
            tut_flow_assign(h, v, what);
    }
    push(h, false, tut_flow_asks(h, condition) || tut_flow_tests(h, what), at);
}

static void on_macro(tut_hidden *h, tut_str rest, uint64_t at)
{
    tut_flow_macro(h, rest);
    tut_str name = tut_word_next(&rest).text;
    push_filling(h, name, at);
    h->macro = name;
}

/* elif and else; after a question about content, else is the other answer to it. */
static void on_other_branch(tut_hidden *h, bool is_content, uint64_t at)
{
    if (h->depth == 0 || h->depth_lost)
        return;
    h->open[h->depth - 1].is_content = is_content;
    h->open[h->depth - 1].is_asked |= is_content;
    h->open[h->depth - 1].words = 0;
    h->open[h->depth - 1].at = at;
}

void tut_hidden_statement(tut_hidden *h, tut_str statement, uint64_t at)
{
    static const char *const ends[] = {"endif",   "endfor",    "endmacro", "endset",
                                       "endcall", "endfilter", "endblock", "endwith"};
    tut_str rest = statement;
    tut_word w = tut_word_next(&rest);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (tut_word_is(w, ends[i]))
            pop(h);
    if (tut_word_is(w, "endmacro"))
        h->macro = (tut_str){"", 0};
    if (!tut_word_is(w, "macro"))
        tut_flow_calls(h, rest);
    if (tut_word_is(w, "if"))
        push(h, true, tut_flow_asks(h, rest), at);
    else if (tut_word_is(w, "elif"))
        on_other_branch(h, tut_flow_asks(h, rest), at);
    else if (tut_word_is(w, "else"))
        on_other_branch(h, h->depth && h->open[h->depth - 1].is_asked, at);
    else if (tut_word_is(w, "for"))
        on_for(h, rest, at);
    else if (tut_word_is(w, "macro"))
        on_macro(h, rest, at);
    else if (tut_word_is(w, "call")) /* what stands inside is the macro's to give or keep */
        push(h, false, tut_flow_is_content(h, rest), at);
    else if (tut_word_is(w, "filter") || tut_word_is(w, "block") || tut_word_is(w, "with"))
        push(h, false, false, at);
    if (tut_word_is(w, "set") || (tut_word_is(w, "with") && rest.len))
        on_set(h, rest, at);
}
