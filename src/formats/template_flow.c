/*
 * What flows where in a template: which variables hold what a message says, which were set because
 * of it, which hold prose. Markup is not a phrase: templates ask all the time whether content holds
 * "</think>" or ends with "/no_think".
 */
#include "formats/template_internal.h"

enum {
    LONG_CONTENT = 16, /* content|length > 0 asks whether there is any */
    LATE_MESSAGE = 3   /* messages|length > 1 asks whether there is a system message */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_any(tut_str text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(text, names[i]))
            return true;
    return false;
}
#define IS_ANY(text, names) is_any(text, names, sizeof(names) / sizeof((names)[0]))

/* Words of two characters and more, A_NAME being one; markup (<...>, [...], escapes) left out. */
uint32_t tut_flow_count_words(tut_str s)
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
        while (i < s.len &&
               (is_letter(s.data[i]) || s.data[i] == '_' || (s.data[i] >= '0' && s.data[i] <= '9')))
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
        if (strchr("<>[]{}", s.data[i]) && s.data[i])
            return false;
        if (s.data[i] == '\\')
            i++;
        else
            letters += is_letter(s.data[i]);
    }
    return letters >= 2;
}

/* The one of the macro comes before the one outside. */
static const tut_variable *find(const tut_hidden *h, tut_str name)
{
    const tut_variable *outer = NULL;
    for (size_t i = 0; i < h->variable_count; i++) {
        const tut_variable *v = &h->variables[i];
        if (!tut_str_eq(v->name, name))
            continue;
        if (tut_str_eq(v->macro, h->macro))
            return v;
        outer = v->macro.len == 0 ? v : outer;
    }
    return outer;
}

tut_variable *tut_flow_variable(tut_hidden *h, tut_str name, tut_str macro)
{
    for (size_t i = 0; i < h->variable_count; i++)
        if (tut_str_eq(h->variables[i].name, name) && tut_str_eq(h->variables[i].macro, macro))
            return &h->variables[i];
    if (name.len == 0 || h->variable_count == TUT_TEMPLATE_VARIABLES)
        return NULL;
    h->variables[h->variable_count].name = name;
    h->variables[h->variable_count].macro = macro;
    return &h->variables[h->variable_count++];
}

static bool is_content_key(tut_str s)
{
    return tut_str_eq_z(s, "content") || tut_str_eq_z(s, "text") || tut_str_eq_z(s, "prompt");
}

/* Words of an expression with those around them. */
typedef struct view {
    tut_str rest;
    tut_word before2, before, now, after;
} view;

static view view_of(tut_str expression)
{
    tut_word none = {TUT_WORD_END, {"", 0}};
    view v = {expression, none, none, none, none};
    v.now = tut_word_next(&v.rest);
    v.after = tut_word_next(&v.rest);
    return v;
}

static void step(view *v)
{
    v->before2 = v->before;
    v->before = v->now;
    v->now = v->after;
    v->after = tut_word_next(&v->rest);
}

static bool is_subscript(const view *v)
{
    return tut_word_is_sign(v->before, '[') && tut_word_is_sign(v->after, ']');
}

/* What one clause (between "and" and "or", "if" and "else") is about. */
typedef struct clause {
    bool has_content, has_phrase, has_other; /* other: type, role and the like are compared */
    bool is_tested;                          /* a phrase is looked for */
    bool holds_phrase;                       /* a variable that holds one is named */
    bool has_date, has_dependent, has_text, has_messages, has_length, has_count, compares;
    bool names_attribute; /* map(attribute= */
    size_t number;        /* the greatest */
} clause;

/* The phrase or variable is what is looked for, or compared with. */
static bool is_looked_for(const view *v)
{
    static const char *const methods[] = {"startswith", "endswith", "find",   "rfind", "index",
                                          "count",      "select",   "search", "match", "contains"};
    return tut_word_is(v->after, "in") || tut_word_is(v->after, "not") ||
           tut_word_is_sign(v->before, '=') || tut_word_is_sign(v->after, '=') ||
           tut_word_is_sign(v->after, '!') || tut_word_is_sign(v->before, ',') ||
           (tut_word_is_sign(v->before, '(') && IS_ANY(v->before2.text, methods));
}

static void look_at_name(const tut_hidden *h, clause *c, const view *v)
{
    static const char *const counters[] = {"index", "index0", "length", "revindex", "revindex0"};
    tut_str name = v->now.text;
    bool is_call = tut_word_is_sign(v->after, '(');
    const tut_variable *known = tut_word_is(v->before2, "loop") ? NULL : find(h, name);
    if (tut_str_eq_z(name, "content") && !tut_word_is_sign(v->after, '='))
        c->has_content = true;
    if (known) {
        c->has_content |= known->is_content;
        c->has_dependent |= known->is_dependent;
        c->has_date |= known->is_date;
        c->has_count |= known->is_count;
        c->holds_phrase |= known->is_phrase && !known->is_content;
        if (known->is_phrase && !known->is_content && is_looked_for(v))
            c->has_phrase = c->is_tested = true;
    }
    if (is_call && (tut_str_eq_z(name, "strftime_now") || tut_str_eq_z(name, "now")))
        c->has_date = true;
    c->has_messages |= tut_str_eq_z(name, "messages");
    c->has_length |= tut_str_eq_z(name, "length") || tut_str_eq_z(name, "count");
    c->has_count |= tut_word_is_sign(v->before, '.') && tut_word_is(v->before2, "loop") &&
                    IS_ANY(name, counters);
    c->names_attribute = tut_str_eq_z(name, "attribute");
}

static void look_at_text(const tut_hidden *h, clause *c, const view *v)
{
    static const char *const keys[] = {"image",   "image_url", "audio", "audio_url",  "video",
                                       "content", "video_url", "text",  "tool_calls", "type",
                                       "role",    "name",      "json",  "thinking",   "document"};
    static const char *const tests[] = {"defined", "none",   "string",  "equalto",
                                        "mapping", "search", "in",      "match",
                                        "eq",      "ne",     "iterable"};
    tut_str text = v->now.text;
    bool is_argument = tut_word_is_sign(v->before, '(') || tut_word_is_sign(v->before, ',');
    if (is_content_key(text) && (c->names_attribute || tut_word_is_sign(v->before, '[') ||
                                 tut_word_is_sign(v->before, '('))) {
        c->has_content = true;
        c->names_attribute = false;
        return;
    }
    const tut_variable *known = is_subscript(v) ? find(h, text) : NULL;
    if (known)
        c->has_dependent |= known->is_dependent;
    bool is_key = (tut_word_is(v->after, "in") || tut_word_is(v->after, "not") || is_argument) &&
                  IS_ANY(text, keys);
    if (is_subscript(v) || is_key || (is_argument && IS_ANY(text, tests)))
        return;
    c->has_text = true;
    if (is_phrase(text)) {
        c->has_phrase = true;
        c->is_tested |= is_looked_for(v);
    }
}

static void look(const tut_hidden *h, clause *c, const view *v)
{
    static const char *const others[] = {"type", "role", "name", "tool_calls", "image", "audio"};
    bool is_attribute = tut_word_is_sign(v->before, '.');
    if (v->now.kind == TUT_WORD_NUMBER) {
        size_t number = 0;
        for (size_t i = 0; i < v->now.text.len && number < 100000; i++)
            number = number * 10 + (size_t)(v->now.text.data[i] - '0');
        c->number = number > c->number ? number : c->number;
    }
    if (v->now.kind == TUT_WORD_SIGN)
        c->compares |= tut_word_is_sign(v->now, '<') || tut_word_is_sign(v->now, '>') ||
                       (tut_word_is_sign(v->now, '=') &&
                        (tut_word_is_sign(v->before, '=') || tut_word_is_sign(v->before, '!')));
    if (v->now.kind != TUT_WORD_NAME && v->now.kind != TUT_WORD_TEXT)
        return;
    bool is_got = tut_word_is_sign(v->before, '(') && tut_word_is(v->before2, "get");
    if ((is_attribute || is_got || is_subscript(v)) && IS_ANY(v->now.text, others))
        c->has_other = true;
    if (is_attribute && is_content_key(v->now.text))
        c->has_content = true;
    if (v->now.kind == TUT_WORD_NAME)
        look_at_name(h, c, v);
    else
        look_at_text(h, c, v);
}

static bool is_asking(const clause *c)
{
    bool counts = c->has_count || (c->has_messages && c->has_length);
    return (c->has_content && c->has_phrase && !c->has_other) || c->has_dependent ||
           (c->has_date && c->has_text && c->compares) ||
           (c->has_content && c->compares && c->number >= LONG_CONTENT) ||
           (counts && c->compares && c->number >= LATE_MESSAGE);
}

static bool is_testing(const clause *c)
{
    return is_asking(c) && !c->has_dependent && (c->is_tested || (c->compares && !c->has_phrase));
}

static bool any_clause(const tut_hidden *h, tut_str expression, bool (*is_hit)(const clause *))
{
    clause c = {0};
    bool hit = false;
    for (view v = view_of(expression); v.now.kind != TUT_WORD_END; step(&v)) {
        if (tut_word_is(v.now, "and") || tut_word_is(v.now, "or") || tut_word_is(v.now, "if") ||
            tut_word_is(v.now, "else")) {
            hit |= is_hit(&c);
            c = (clause){0};
        } else {
            look(h, &c, &v);
        }
    }
    return hit || is_hit(&c);
}

bool tut_flow_asks(const tut_hidden *h, tut_str condition)
{
    return any_clause(h, condition, is_asking);
}

bool tut_flow_tests(const tut_hidden *h, tut_str expression)
{
    return any_clause(h, expression, is_testing);
}

static clause whole(const tut_hidden *h, tut_str expression)
{
    clause c = {0};
    for (view v = view_of(expression); v.now.kind != TUT_WORD_END; step(&v))
        look(h, &c, &v);
    return c;
}

bool tut_flow_is_content(const tut_hidden *h, tut_str expression)
{
    return whole(h, expression).has_content;
}

/* word|length brings in no word. */
static bool is_measured(const view *v)
{
    tut_str rest = v->rest;
    return tut_word_is_sign(v->after, '|') && tut_word_is(tut_word_next(&rest), "length");
}

/* What a refusal shouts is not said to the model. */
static uint32_t words_of(const tut_hidden *h, tut_str expression, const tut_variable *without)
{
    uint32_t words = 0;
    view v = view_of(expression);
    if (tut_word_is(v.now, "raise_exception"))
        return 0;
    for (; v.now.kind != TUT_WORD_END; step(&v)) {
        bool is_compared = tut_word_is_sign(v.before, '=') || tut_word_is(v.after, "in");
        const tut_variable *known = v.now.kind == TUT_WORD_NAME ? find(h, v.now.text) : NULL;
        bool is_got = tut_word_is_sign(v.before, '(') && tut_word_is(v.before2, "get");
        if (is_compared || is_got || is_measured(&v) || (known && known == without))
            continue;
        if (v.now.kind == TUT_WORD_TEXT && !is_subscript(&v))
            words += tut_flow_count_words(v.now.text);
        else if (known)
            words += known->words;
        if (words > UINT32_MAX / 4)
            return words;
    }
    return words;
}

uint32_t tut_flow_words(const tut_hidden *h, tut_str expression)
{
    return words_of(h, expression, NULL);
}

static bool names(const tut_hidden *h, tut_str expression, const tut_variable *v)
{
    for (tut_word w = tut_word_next(&expression); w.kind != TUT_WORD_END;
         w = tut_word_next(&expression))
        if (w.kind == TUT_WORD_NAME && find(h, w.text) == v)
            return true;
    return false;
}

void tut_flow_assign(const tut_hidden *h, tut_variable *v, tut_str expression)
{
    clause c = whole(h, expression);
    uint32_t words = words_of(h, expression, v);
    bool is_grown = names(h, expression, v); /* set x = x ~ 'and more' */
    v->is_content |= c.has_content;
    v->is_phrase |= c.has_phrase || c.holds_phrase;
    v->is_date |= c.has_date;
    v->is_count |= c.has_count || (c.has_messages && c.has_length);
    v->is_dependent |= tut_flow_tests(h, expression) || (c.has_dependent && !c.has_content);
    if (is_grown && h->is_first && v->words < UINT32_MAX / 2)
        v->words += words;
    else if (!is_grown)
        v->words = words > v->words ? words : v->words;
}

void tut_flow_macro(tut_hidden *h, tut_str name_and_parameters)
{
    tut_str rest = name_and_parameters;
    tut_word name = tut_word_next(&rest);
    for (size_t i = 0; i < h->macro_count; i++)
        if (tut_str_eq(h->macros[i].name, name.text))
            return;
    if (name.kind != TUT_WORD_NAME || h->macro_count == TUT_TEMPLATE_MACROS)
        return;
    h->macros[h->macro_count].name = name.text;
    h->macros[h->macro_count].parameters = rest;
    h->macro_count++;
}

static void give_content(tut_hidden *h, tut_str macro, tut_str parameters)
{
    for (view v = view_of(parameters); v.now.kind != TUT_WORD_END; step(&v)) {
        bool is_default = tut_word_is_sign(v.before, '=');
        tut_variable *parameter = v.now.kind == TUT_WORD_NAME && !is_default
                                      ? tut_flow_variable(h, v.now.text, macro)
                                      : NULL;
        if (parameter)
            parameter->is_content = true;
    }
}

/* From behind the opening bracket to its close. */
static tut_str arguments(tut_str rest)
{
    tut_str from = rest;
    size_t depth = 1;
    for (tut_word w = tut_word_next(&rest); w.kind != TUT_WORD_END; w = tut_word_next(&rest)) {
        depth += tut_word_is_sign(w, '(') || tut_word_is_sign(w, '[');
        depth -= tut_word_is_sign(w, ')') || tut_word_is_sign(w, ']');
        if (depth == 0)
            break;
    }
    return (tut_str){from.data, (size_t)(rest.data - from.data)};
}

void tut_flow_calls(tut_hidden *h, tut_str expression)
{
    for (view v = view_of(expression); h->macro_count && v.now.kind != TUT_WORD_END; step(&v)) {
        if (v.now.kind != TUT_WORD_NAME || !tut_word_is_sign(v.after, '('))
            continue;
        for (size_t i = 0; i < h->macro_count; i++)
            if (tut_str_eq(h->macros[i].name, v.now.text) &&
                tut_flow_is_content(h, arguments(v.rest)))
                give_content(h, h->macros[i].name, h->macros[i].parameters);
    }
}

bool tut_flow_replaces(const tut_hidden *h, tut_str expression)
{
    tut_word what = {TUT_WORD_END, {"", 0}};
    if (!tut_flow_is_content(h, expression))
        return false;
    for (view v = view_of(expression); v.now.kind != TUT_WORD_END; step(&v)) {
        if (tut_word_is(v.before2, "replace") && tut_word_is_sign(v.before, '('))
            what = v.now;
        if (what.kind == TUT_WORD_TEXT && tut_word_is_sign(v.before, ',') &&
            v.now.kind == TUT_WORD_TEXT && v.before2.text.data == what.text.data)
            if (is_phrase(what.text) && tut_flow_count_words(v.now.text) >= 3 &&
                tut_flow_count_words(v.now.text) > tut_flow_count_words(what.text))
                return true;
    }
    return false;
}

bool tut_flow_looks_up(const tut_hidden *h, tut_str expression)
{
    for (view v = view_of(expression); v.now.kind != TUT_WORD_END; step(&v)) {
        const tut_variable *known = v.now.kind == TUT_WORD_NAME ? find(h, v.now.text) : NULL;
        if (!known || known->is_content || known->words < 4)
            continue;
        tut_str rest = v.rest;
        bool is_get = tut_word_is_sign(v.after, '.') && tut_word_is(tut_word_next(&rest), "get") &&
                      tut_word_is_sign(tut_word_next(&rest), '(');
        if ((is_get || tut_word_is_sign(v.after, '[')) &&
            tut_flow_is_content(h, arguments(is_get ? rest : v.rest)))
            return true;
    }
    return false;
}
