/*
 * Names whose arguments decide: what is prepared, bound, iterated over, made or merely held.
 */
#include "scan/pickle_arguments.h"

#include <stdio.h>
#include <string.h>

#include "scan/pickle_capability.h"
#include "scan/pickle_names.h"

void tut_pickle_say(tut_pickle_verdict *v, const char *rule, tut_severity severity)
{
    v->rule = rule;
    v->severity = severity;
}

/* "(torch.nn.modules.activation.ReLU, ...": the first argument, when it is a name. */
static tut_str first_argument(tut_str arguments)
{
    size_t start = 0;
    while (start < arguments.len && (arguments.data[start] == '(' || arguments.data[start] == '['))
        start++;
    size_t end = start;
    while (end < arguments.len && !strchr(",)]( ", arguments.data[end]))
        end++;
    return (tut_str){arguments.data + start, end - start};
}

bool tut_pickle_is_allowed_pair(tut_str module, tut_str name, uint8_t protocol)
{
    if (tut_pickle_allows(module, name))
        return true;
    return protocol < 3 && tut_python2_map(&module, &name) && tut_pickle_allows(module, name);
}

/* Where a joined name is parted into module and name is not written there: any parting counts. */
bool tut_pickle_is_allowed_joined(tut_str joined, uint8_t protocol)
{
    for (size_t i = 1; i + 1 < joined.len; i++) {
        if (joined.data[i] != '.')
            continue;
        tut_str module = {joined.data, i};
        tut_str name = {joined.data + i + 1, joined.len - i - 1};
        if (tut_pickle_is_allowed_pair(module, name, protocol))
            return true;
    }
    return false;
}

static tut_capability capability_joined(tut_str joined)
{
    tut_capability found = TUT_CAPABILITY_NONE;
    for (size_t i = 1; i + 1 < joined.len && found == TUT_CAPABILITY_NONE; i++) {
        if (joined.data[i] != '.')
            continue;
        tut_str module = {joined.data, i};
        tut_str name = {joined.data + i + 1, joined.len - i - 1};
        found = tut_capability_of(module, name);
    }
    return found;
}

/* functools.partial(f, ...) is as harmless as f. */
void tut_pickle_judge_partial(const tut_pickle_event *e, tut_pickle_verdict *v)
{
    if (e->act == TUT_PICKLE_IMPORT)
        return; /* harmless until something is given to it, which is judged then */
    tut_str function = first_argument(e->arguments);
    if (tut_pickle_is_allowed_joined(function, e->protocol))
        return;
    tut_capability c = capability_joined(function);
    bool is_bad = tut_capability_severity(c) >= TUT_SEVERITY_HIGH;
    tut_pickle_say(v, "pickle.indirect-call", is_bad ? TUT_SEVERITY_CRITICAL : TUT_SEVERITY_MEDIUM);
    v->title = is_bad ? "Prepares a call that could do harm" : "Prepares a call";
}

/* torch.storage._load_from_bytes(b'...'): the bytes are examined as a file of their own. */
void tut_pickle_judge_nested_torch(const tut_pickle_event *e, tut_pickle_verdict *v)
{
    bool is_plain = tut_str_starts(e->arguments, TUT_LIT("(b'"));
    if (e->act == TUT_PICKLE_IMPORT || (e->act == TUT_PICKLE_CALL && is_plain))
        return;
    tut_pickle_say(v, "pickle.indirect-call", TUT_SEVERITY_HIGH);
    v->title = "Loads a file inside the file that is not seen";
}

/* One attribute's name that is no dunder. */
static bool is_plain_attribute(tut_str name)
{
    return tut_python_is_dotted_name(name) && !memchr(name.data, '.', name.len) &&
           !tut_str_starts(name, TUT_LIT("__"));
}

bool tut_pickle_is_harmful_method(tut_str name)
{
    static const char *const words[] = {
        "tofile", "dump",  "dumps",   "save",      "write", "read", "load",  "open",
        "unlink", "touch", "rename",  "mkdir",     "rmdir", "eval", "query", "exec",
        "run",    "call",  "link_to", "from_file", "pipe",  "agg",  "apply", "map"};
    static const char *const beginnings[] = {"to_",   "save_",  "write_", "read_",   "load_",
                                             "dump_", "apply_", "chmod",  "symlink", "hardlink",
                                             "exec_", "run_",   "call_",  "open_",   "register_"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (tut_str_eq_z(name, words[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (tut_str_starts(name, tut_str_of(beginnings[i])))
            return true;
    }
    return false;
}

/* The text behind `object` in "(object, 'name')", from the last comma; what stands before it may
 * hold anything. */
static bool last_name(tut_str arguments, tut_str *ret)
{
    if (!tut_str_ends(arguments, TUT_LIT("')")))
        return false;
    size_t end = arguments.len - 2, at = end;
    while (at > 0 && arguments.data[at - 1] != '\'')
        at--;
    *ret = (tut_str){arguments.data + at, end - at};
    return at >= 4 && arguments.data[at - 2] == ' ' && arguments.data[at - 3] == ',';
}

/* getattr('abc', 'upper'): whatever is bound to a text, calling it is a call of its own. */
static bool is_bound_to_text(tut_str arguments)
{
    tut_str name;
    return (tut_str_starts(arguments, TUT_LIT("('")) ||
            tut_str_starts(arguments, TUT_LIT("(b'"))) &&
           last_name(arguments, &name) && is_plain_attribute(name);
}

/* dill's _getattr(str, 'lower', "<method 'lower' of 'str' objects>") evaluates the third text. */
static bool is_dill_method(const tut_pickle_event *e)
{
    static const char *const classes[] = {
        "str",  "bytes", "bytearray", "int",    "float",   "list", "tuple",
        "dict", "set",   "frozenset", "object", "complex", "type", "memoryview"};
    char wanted[160];
    size_t at;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        int len = snprintf(wanted, sizeof(wanted), "(builtins.%s, '", classes[i]);
        tut_str rest = e->arguments;
        if (!tut_str_starts(rest, (tut_str){wanted, (size_t)len}))
            continue;
        rest = (tut_str){rest.data + len, rest.len - (size_t)len};
        if (!tut_str_find(rest, TUT_LIT("'"), &at) || at > 40)
            return false;
        tut_str name = {rest.data, at};
        len = snprintf(wanted, sizeof(wanted), "', '<method '%.*s' of '%s' objects>')", (int)at,
                       name.data, classes[i]);
        return is_plain_attribute(name) &&
               tut_str_eq((tut_str){rest.data + at, rest.len - at}, (tut_str){wanted, (size_t)len});
    }
    return false;
}

/* "range(0, 5)": what repr() writes for one. */
static bool is_range_text(tut_str text)
{
    if (!tut_str_starts(text, TUT_LIT("range(")) || !tut_str_ends(text, TUT_LIT(")")))
        return false;
    for (size_t i = strlen("range("); i + 1 < text.len; i++) {
        char c = text.data[i];
        if ((c < '0' || c > '9') && c != ',' && c != ' ' && c != '-')
            return false;
    }
    return true;
}

/* dill writes constants and ranges as texts that it evaluates: these forms, and no others. */
static bool is_dill_constant(const tut_pickle_event *e)
{
    tut_str text = e->arguments;
    if (!tut_str_starts(text, TUT_LIT("('")) || !tut_str_ends(text, TUT_LIT("',)")) || text.len < 6)
        return false;
    text = (tut_str){text.data + 2, text.len - 5};
    return tut_str_eq_z(text, "Ellipsis") || tut_str_eq_z(text, "NotImplemented") ||
           is_range_text(text);
}

bool tut_pickle_is_dill_form(const tut_pickle_event *e, tut_str module, tut_str name)
{
    if (e->act != TUT_PICKLE_CALL ||
        (!tut_str_eq_z(module, "dill._dill") && !tut_str_eq_z(module, "dill.dill")))
        return false;
    if (tut_str_eq_z(name, "_eval_repr"))
        return is_dill_constant(e);
    return tut_str_eq_z(name, "_getattr") && is_dill_method(e);
}

/* getattr(object, 'method') is how picklers write bound methods, and getattr(class, 'NAME') members
 * of enumerations. It is harmless on what the allow list knows as long as nobody calls the result:
 * that is a call of a name of its own, or of something unresolved. */
tut_pickle_bound tut_pickle_bound_to(const tut_pickle_event *e)
{
    static const tut_str result = {"<result of ", 11};
    tut_str rest = e->arguments;
    size_t comma, at;
    if (e->act == TUT_PICKLE_CALL && is_bound_to_text(rest))
        return TUT_PICKLE_BOUND_ALLOWED;
    if (e->act != TUT_PICKLE_CALL || !tut_str_starts(rest, TUT_LIT("(")) ||
        !tut_str_ends(rest, TUT_LIT("')")) || !tut_str_find(rest, TUT_LIT(", '"), &comma))
        return TUT_PICKLE_BOUND_NOT;
    tut_str object = {rest.data + 1, comma - 1};
    tut_str attribute = {rest.data + comma + 3, rest.len - comma - 5};
    if (!is_plain_attribute(attribute) || tut_pickle_is_harmful_method(attribute))
        return TUT_PICKLE_BOUND_NOT;
    if (tut_str_find(object, result, &at) && at > 1 && tut_str_ends(object, TUT_LIT(">"))) {
        tut_str module = {object.data, at - 1};
        tut_str name = {object.data + at + result.len, object.len - at - result.len - 1};
        if (tut_pickle_is_allowed_pair(module, name, e->protocol))
            return TUT_PICKLE_BOUND_ALLOWED;
        return tut_python_is_library(module) && tut_python_is_dotted_name(module) &&
                       tut_python_is_dotted_name(name) &&
                       tut_capability_of(module, name) == TUT_CAPABILITY_NONE
                   ? TUT_PICKLE_BOUND_LIBRARY
                   : TUT_PICKLE_BOUND_NOT;
    }
    return tut_pickle_is_allowed_joined(object, e->protocol) ? TUT_PICKLE_BOUND_ALLOWED
                                                             : TUT_PICKLE_BOUND_NOT;
}

bool tut_pickle_is_getattr(tut_str module, tut_str name)
{
    return tut_str_eq_z(module, "builtins") && tut_str_eq_z(name, "getattr");
}

/* iter(container) is how picklers write iterators; with two arguments it calls the first. */
bool tut_pickle_is_plain_iterator(const tut_pickle_event *e, tut_str module, tut_str name)
{
    return tut_str_eq_z(module, "builtins") && tut_str_eq_z(name, "iter") &&
           (e->act == TUT_PICKLE_BUILD ||
            (e->act == TUT_PICKLE_CALL && tut_str_ends(e->arguments, TUT_LIT(",)"))));
}

/* Classes that files hold without calling them: the type of a mapped array, a frozen distribution's
 * helper that NEWOBJ makes empty. Calls are judged as everywhere. */
bool tut_pickle_is_held_only(const tut_pickle_event *e, tut_str module, tut_str name)
{
    if (!tut_str_eq_z(module, "numpy"))
        return false;
    bool is_made_empty = e->act == TUT_PICKLE_BUILD || e->act == TUT_PICKLE_IMPORT ||
                         tut_str_eq_z(e->arguments, "()");
    return (tut_str_eq_z(name, "memmap") && e->act == TUT_PICKLE_IMPORT) ||
           (tut_str_eq_z(name, "vectorize") && is_made_empty);
}

/* type(None) is how picklers write NoneType; with three arguments it makes a class. */
bool tut_pickle_is_plain_type(const tut_pickle_event *e, tut_str module, tut_str name)
{
    if (!tut_str_eq_z(module, "builtins") || !tut_str_eq_z(name, "type"))
        return false;
    size_t at;
    return e->act == TUT_PICKLE_IMPORT || !tut_str_find(e->arguments, TUT_LIT(", "), &at);
}

/* list(itertools.count()) never ends; what yields without end may be held, not used up. */
bool tut_pickle_never_ends(const tut_pickle_event *e)
{
    static const char *const endless[] = {"itertools.<result of count>",
                                          "itertools.<result of cycle>",
                                          "itertools.<result of repeat>"};
    size_t at;
    if (e->act != TUT_PICKLE_CALL)
        return false;
    for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
        if (tut_str_find(e->arguments, tut_str_of(endless[i]), &at))
            return true;
    }
    return false;
}

/* Functions that models hold, as the loss or the key of something, and never call while loading. */
bool tut_pickle_is_idle_function(const tut_pickle_event *e, tut_str module, tut_str name)
{
    static const char *const functions[] = {"abs",  "all", "any",  "bin",   "chr",    "divmod",
                                            "hash", "hex", "len",  "max",   "min",    "oct",
                                            "ord",  "pow", "repr", "round", "sorted", "sum"};
    if (e->act != TUT_PICKLE_CALL || !tut_str_eq_z(module, "builtins"))
        return false;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (tut_str_eq_z(name, functions[i]))
            return true;
    }
    return false;
}
