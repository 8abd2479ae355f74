#include "formats/template_internal.h"

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static tut_word cut(tut_str *rest, tut_word_kind kind, size_t from, size_t len, size_t used)
{
    tut_word w = {kind, {rest->data + from, len}};
    *rest = (tut_str){rest->data + used, rest->len - used};
    return w;
}

tut_word tut_word_next(tut_str *rest)
{
    size_t at = 0, end;
    while (at < rest->len && (unsigned char)rest->data[at] <= ' ')
        at++;
    *rest = (tut_str){rest->data + at, rest->len - at};
    if (rest->len == 0)
        return (tut_word){TUT_WORD_END, {"", 0}};
    char c = rest->data[0];
    if (c == '"' || c == '\'') {
        for (end = 1; end < rest->len && rest->data[end] != c; end++)
            if (rest->data[end] == '\\' && end + 1 < rest->len)
                end++;
        if (end > rest->len)
            end = rest->len;
        return cut(rest, TUT_WORD_TEXT, 1, end - 1, end < rest->len ? end + 1 : end);
    }
    if (is_name_start(c)) {
        for (end = 1;
             end < rest->len && (is_name_start(rest->data[end]) || is_digit(rest->data[end]));
             end++)
            ;
        return cut(rest, TUT_WORD_NAME, 0, end, end);
    }
    if (is_digit(c)) {
        for (end = 1; end < rest->len && is_digit(rest->data[end]); end++)
            ;
        return cut(rest, TUT_WORD_NUMBER, 0, end, end);
    }
    return cut(rest, TUT_WORD_SIGN, 0, 1, 1);
}

bool tut_word_is(tut_word w, const char *name)
{
    return w.kind == TUT_WORD_NAME && tut_str_eq_z(w.text, name);
}

bool tut_word_is_sign(tut_word w, char sign)
{
    return w.kind == TUT_WORD_SIGN && w.text.data[0] == sign;
}

static bool is_any(tut_str text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(text, names[i]))
            return true;
    return false;
}
#define IS_ANY(text, names) is_any(text, names, sizeof(names) / sizeof((names)[0]))

/* "__class__": two underscores on each side. */
static bool is_dunder(tut_str s)
{
    return s.len > 4 && tut_str_starts(s, TUT_LIT("__")) && tut_str_ends(s, TUT_LIT("__"));
}

static bool contains(tut_str s, const char *needle)
{
    size_t at = 0;
    return tut_str_find(s, tut_str_of(needle), &at);
}

static bool all_underscores(tut_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] != '_')
            return false;
    return s.len > 0;
}

/* Half of a dunder: "__cla", "ass__", "__" and "_" doubled. */
static bool is_half_dunder(tut_str s)
{
    if (s.len > 32)
        return false;
    return tut_str_starts(s, TUT_LIT("__")) || tut_str_ends(s, TUT_LIT("__")) || all_underscores(s);
}

static bool hides_underscore(tut_str literal)
{
    return contains(literal, "\\x5f") || contains(literal, "\\x5F") ||
           contains(literal, "\\u005f") || contains(literal, "\\u005F") ||
           contains(literal, "\\137") || contains(literal, "\\N{LOW");
}

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The name itself, in capitals, backwards: what a filter or a slice makes the name of. */
static bool is_disguised(tut_str s, const char *name)
{
    size_t len = strlen(name);
    bool is_same = s.len == len, is_turned = is_same;
    for (size_t i = 0; i < len && (is_same || is_turned); i++) {
        is_same &= folded(s.data[i]) == name[i];
        is_turned &= folded(s.data[len - 1 - i]) == name[i];
    }
    return is_same || is_turned;
}

static const char *judge_literal(tut_word before, tut_word w, tut_word after)
{
    static const char *const names[] = {
        "__class__",   "__mro__",    "__base__",   "__bases__",    "__subclasses__",
        "__globals__", "__init__",   "__import__", "__builtins__", "__getattribute__",
        "__getattr__", "__dict__",   "__code__",   "__func__",     "__self__",
        "__module__",  "__reduce__", "__call__",   "__getitem__",  "__doc__",
        "__new__",     "__loader__", "__spec__",   "__closure__"};
    bool is_joined = tut_word_is_sign(after, '~') || tut_word_is_sign(after, '+') ||
                     tut_word_is_sign(after, '*') || tut_word_is_sign(before, '~') ||
                     tut_word_is_sign(before, '+') || tut_word_is_sign(after, ',') ||
                     tut_word_is_sign(before, ',');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_disguised(tut_str_trim(w.text), names[i]))
            return "a Python attribute named in a literal";
    if (hides_underscore(w.text))
        return "an underscore written as an escape";
    if (is_half_dunder(w.text) && is_joined)
        return "a Python attribute put together from pieces";
    if (contains(w.text, ".__") || contains(w.text, "[__"))
        return "a Python attribute inside a format string";
    return NULL;
}

/* A string that is worked on to make a name: '__ssalc__'[::-1], '%c%cclass'|format(95, 95). */
static const char *judge_worked(tut_str called, bool in_subscript, tut_word w, tut_word after)
{
    bool is_worked = tut_word_is_sign(after, '[') || tut_word_is_sign(after, '|') ||
                     tut_word_is_sign(after, '.') || tut_word_is_sign(after, '%');
    if (is_worked && in_subscript)
        return "a subscript that is computed from a string";
    if (is_worked && (contains(w.text, "__") || contains(w.text, "%c")))
        return "a Python attribute put together from pieces";
    if (tut_str_eq_z(called, "format") && all_underscores(w.text))
        return "underscores put into a format string";
    return NULL;
}

static const char *judge_name(tut_word before, tut_word w, tut_word after)
{
    static const char *const objects[] = {
        "lipsum", "cycler", "joiner", "url_for", "get_flashed_messages", "config", "request"};
    static const char *const calls[] = {"eval",    "exec",       "popen",        "compile",
                                        "open",    "__import__", "check_output", "getattr",
                                        "setattr", "globals",    "import_module"};
    static const char *const methods[] = {"popen",      "system",   "check_output", "import_module",
                                          "subclasses", "mro",      "gi_frame",     "f_globals",
                                          "f_builtins", "cr_frame", "func_globals"};
    bool is_attribute = tut_word_is_sign(before, '.');
    bool is_call = tut_word_is_sign(after, '(');
    if (is_dunder(w.text))
        return "a Python attribute";
    if (tut_word_is_sign(before, '|') && tut_word_is(w, "attr"))
        return "the filter attr, which reaches any attribute by name";
    if (!is_attribute && IS_ANY(w.text, objects) &&
        (tut_word_is_sign(after, '.') || tut_word_is_sign(after, '|') ||
         tut_word_is_sign(after, '[') || tut_str_eq_z(w.text, "lipsum") ||
         tut_str_eq_z(w.text, "cycler")))
        return "an object through which Python is reached";
    if (!is_attribute && is_call && IS_ANY(w.text, calls))
        return "a call of a Python function";
    if (is_attribute && IS_ANY(w.text, methods))
        return "an attribute that leads into Python";
    if (!is_attribute && tut_str_eq_z(w.text, "self") && tut_word_is_sign(after, '.'))
        return "the template object itself";
    return NULL;
}

/* ('text')|lower is 'text'|lower. */
static tut_word behind_brackets(tut_str rest, tut_word after)
{
    while (tut_word_is_sign(after, ')'))
        after = tut_word_next(&rest);
    return after;
}

const char *tut_template_climbs(tut_str expression)
{
    enum { DEEP = 32 };
    bool is_subscript[DEEP] = {false}; /* of the square brackets that are open */
    size_t depth = 0, subscripts = 0;
    tut_word before = {TUT_WORD_END, {"", 0}}, before2 = before, name = before;
    tut_word w = tut_word_next(&expression);
    while (w.kind != TUT_WORD_END) {
        tut_word after = tut_word_next(&expression);
        const char *what = w.kind == TUT_WORD_TEXT   ? judge_literal(before, w, after)
                           : w.kind == TUT_WORD_NAME ? judge_name(before, w, after)
                                                     : NULL;
        bool is_alone = tut_word_is_sign(before, '(') && before2.kind == TUT_WORD_SIGN;
        if (!what && w.kind == TUT_WORD_TEXT)
            what = judge_worked(name.text, subscripts > 0, w,
                                is_alone ? behind_brackets(expression, after) : after);
        if (what)
            return what;
        if (tut_word_is_sign(w, '[') && depth < DEEP) {
            is_subscript[depth] = before.kind == TUT_WORD_NAME || tut_word_is_sign(before, ')') ||
                                  tut_word_is_sign(before, ']');
            subscripts += is_subscript[depth++];
        } else if (tut_word_is_sign(w, ']') && depth) {
            subscripts -= is_subscript[--depth];
        }
        if (w.kind == TUT_WORD_NAME)
            name = w;
        before2 = before;
        before = w;
        w = after;
    }
    return NULL;
}
