#include "scan/pickle_policy.h"

#include "scan/pickle_capability.h"
#include "scan/pickle_names.h"

enum { NAME_SHOWN_MAX = 160, ARGUMENTS_SHOWN_MAX = 200 };

static void say(tut_pickle_verdict *v, const char *rule)
{
    v->rule = rule;
    v->severity = tut_rule_find(tut_str_of(rule))->severity;
}

static void say_at(tut_pickle_verdict *v, const char *rule, tut_severity severity)
{
    v->rule = rule;
    v->severity = severity;
}

static uint8_t rank_of(tut_pickle_act act)
{
    switch (act) {
    case TUT_PICKLE_IMPORT:
    case TUT_PICKLE_PERSID:
        return 0;
    case TUT_PICKLE_BUILD:
        return 1;
    case TUT_PICKLE_CALL:
        return 2;
    case TUT_PICKLE_WRITE:
        return 3;
    }
    return 0;
}

/* "('1')": the key of a storage. */
static bool is_number(tut_str arguments)
{
    size_t digits = 0;
    for (size_t i = 0; i < arguments.len; i++) {
        if (arguments.data[i] >= '0' && arguments.data[i] <= '9')
            digits++;
        else if (!strchr("()'\"", arguments.data[i]))
            return false;
    }
    return digits > 0;
}

static void judge_persistent_id(const tut_pickle_event *e, const tut_pickle_context *context,
                                tut_pickle_verdict *v)
{
    if (context->has_numbered_storages && is_number(e->arguments))
        return;
    bool is_usual = tut_str_eq_z(e->name, "storage") || tut_str_eq_z(e->name, "module");
    if (context->has_storages && e->is_resolved && is_usual)
        return;
    say(v, "pickle.persistent-id");
    v->subject = 1; /* all persistent ids of a stream are one finding */
}

static void judge_unresolved(const tut_pickle_event *e, tut_pickle_verdict *v)
{
    bool is_extension = tut_str_eq_z(e->module, "copyreg") &&
                        tut_str_starts(e->name, TUT_LIT("extension "));
    if (e->act == TUT_PICKLE_CALL)
        say(v, "pickle.unresolved-call");
    else if (e->act == TUT_PICKLE_BUILD)
        say(v, "pickle.build-unlisted");
    else if (!is_extension) /* else the opcode itself has been reported */
        say(v, "pickle.unresolved-name");
}

/* --- names whose arguments decide --- */

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

static bool is_allowed_pair(tut_str module, tut_str name, uint8_t protocol)
{
    if (tut_pickle_allows(module, name))
        return true;
    return protocol < 3 && tut_python2_map(&module, &name) && tut_pickle_allows(module, name);
}

/* Where a joined name is parted into module and name is not written there: any parting counts. */
static bool is_allowed_joined(tut_str joined, uint8_t protocol)
{
    for (size_t i = 1; i + 1 < joined.len; i++) {
        if (joined.data[i] != '.')
            continue;
        tut_str module = {joined.data, i};
        tut_str name = {joined.data + i + 1, joined.len - i - 1};
        if (is_allowed_pair(module, name, protocol))
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
static void judge_partial(const tut_pickle_event *e, tut_pickle_verdict *v)
{
    if (e->act == TUT_PICKLE_IMPORT)
        return; /* harmless until something is given to it, which is judged then */
    tut_str function = first_argument(e->arguments);
    if (is_allowed_joined(function, e->protocol))
        return;
    tut_capability c = capability_joined(function);
    bool is_bad = tut_capability_severity(c) >= TUT_SEVERITY_HIGH;
    say_at(v, "pickle.indirect-call", is_bad ? TUT_SEVERITY_CRITICAL : TUT_SEVERITY_MEDIUM);
    v->title = is_bad ? "Prepares a call that could do harm" : "Prepares a call";
}

/* torch.storage._load_from_bytes(b'...'): the bytes are examined as a file of their own. */
static void judge_nested_torch(const tut_pickle_event *e, tut_pickle_verdict *v)
{
    bool is_plain = tut_str_starts(e->arguments, TUT_LIT("(b'"));
    if (e->act == TUT_PICKLE_IMPORT || (e->act == TUT_PICKLE_CALL && is_plain))
        return;
    say_at(v, "pickle.indirect-call", TUT_SEVERITY_HIGH);
    v->title = "Loads a file inside the file that is not seen";
}

/* One attribute's name that is no dunder. */
static bool is_plain_attribute(tut_str name)
{
    return tut_python_is_dotted_name(name) && !memchr(name.data, '.', name.len) &&
           !tut_str_starts(name, TUT_LIT("__"));
}

typedef enum bound_kind { BOUND_NOT, BOUND_LIBRARY, BOUND_ALLOWED } bound_kind;

/* getattr(object, 'method') is how picklers write bound methods, and getattr(class, 'NAME') members
 * of enumerations. It is harmless on what the allow list knows as long as nobody calls the result:
 * that is a call of a name of its own, or of something unresolved. */
static bound_kind bound_to(const tut_pickle_event *e)
{
    static const tut_str result = {"<result of ", 11};
    tut_str rest = e->arguments;
    size_t comma, at;
    if (e->act != TUT_PICKLE_CALL || !tut_str_starts(rest, TUT_LIT("(")) ||
        !tut_str_ends(rest, TUT_LIT("')")) || !tut_str_find(rest, TUT_LIT(", '"), &comma))
        return BOUND_NOT;
    tut_str object = {rest.data + 1, comma - 1};
    tut_str attribute = {rest.data + comma + 3, rest.len - comma - 5};
    if (!is_plain_attribute(attribute))
        return BOUND_NOT;
    if (tut_str_find(object, result, &at) && at > 1 && tut_str_ends(object, TUT_LIT(">"))) {
        tut_str module = {object.data, at - 1};
        tut_str name = {object.data + at + result.len, object.len - at - result.len - 1};
        if (is_allowed_pair(module, name, e->protocol))
            return BOUND_ALLOWED;
        return tut_python_is_library(module) && tut_python_is_dotted_name(module) &&
                       tut_python_is_dotted_name(name) &&
                       tut_capability_of(module, name) == TUT_CAPABILITY_NONE
                   ? BOUND_LIBRARY
                   : BOUND_NOT;
    }
    return is_allowed_joined(object, e->protocol) ? BOUND_ALLOWED : BOUND_NOT;
}

static bool is_getattr(tut_str module, tut_str name)
{
    return tut_str_eq_z(module, "builtins") && tut_str_eq_z(name, "getattr");
}

/* iter(container) is how picklers write iterators; with two arguments it calls the first. */
static bool is_plain_iterator(const tut_pickle_event *e, tut_str module, tut_str name)
{
    return tut_str_eq_z(module, "builtins") && tut_str_eq_z(name, "iter") &&
           (e->act == TUT_PICKLE_BUILD ||
            (e->act == TUT_PICKLE_CALL && tut_str_ends(e->arguments, TUT_LIT(",)"))));
}

/* Classes that files hold without calling them: the type of a mapped array, a frozen distribution's
 * helper that NEWOBJ makes empty. Calls are judged as everywhere. */
static bool is_held_only(const tut_pickle_event *e, tut_str module, tut_str name)
{
    if (!tut_str_eq_z(module, "numpy"))
        return false;
    bool is_made_empty = e->act == TUT_PICKLE_BUILD || e->act == TUT_PICKLE_IMPORT ||
                         (tut_str_starts(tut_str_of(e->opcode), TUT_LIT("NEWOBJ")) &&
                          tut_str_eq_z(e->arguments, "()"));
    return (tut_str_eq_z(name, "memmap") && e->act == TUT_PICKLE_IMPORT) ||
           (tut_str_eq_z(name, "vectorize") && is_made_empty);
}

/* type(None) is how picklers write NoneType; with three arguments it makes a class. */
static bool is_plain_type(const tut_pickle_event *e, tut_str module, tut_str name)
{
    if (!tut_str_eq_z(module, "builtins") || !tut_str_eq_z(name, "type"))
        return false;
    size_t at;
    return e->act == TUT_PICKLE_IMPORT || !tut_str_find(e->arguments, TUT_LIT(", "), &at);
}

/* --- by capability --- */
static void judge_capability(const tut_pickle_event *e, tut_capability c, tut_pickle_verdict *v)
{
    if (c == TUT_CAPABILITY_PARTIAL) {
        judge_partial(e, v);
        return;
    }
    if (c == TUT_CAPABILITY_NESTED_TORCH) {
        judge_nested_torch(e, v);
        return;
    }
    if (e->act == TUT_PICKLE_IMPORT) {
        say(v, "pickle.import-dangerous");
        return;
    }
    const char *rule = c == TUT_CAPABILITY_LOOKUP ? "pickle.indirect-call" : "pickle.call-on-load";
    say_at(v, rule, tut_capability_severity(c));
    v->title = tut_capability_title(c);
}

/* --- by whose code it is --- */
static bool has_dunder(tut_str name)
{
    for (size_t i = 0; i + 1 < name.len; i++) {
        bool is_start = i == 0 || name.data[i - 1] == '.';
        if (is_start && name.data[i] == '_' && name.data[i + 1] == '_')
            return true;
    }
    return false;
}

static bool is_class_like(tut_str name)
{
    const char *dot = memrchr(name.data, '.', name.len);
    const char *first = dot ? dot + 1 : name.data;
    const char *end = name.data + name.len;
    while (first < end && *first == '_')
        first++;
    return first < end && *first >= 'A' && *first <= 'Z';
}

/* A walk through classes (Outer.Inner) is usual; one through modules or dunders is not. */
static bool is_walk(tut_str name)
{
    if (!memchr(name.data, '.', name.len))
        return false;
    return !(name.data[0] == '_' || (name.data[0] >= 'A' && name.data[0] <= 'Z')) ||
           has_dunder(name);
}

static void judge_unlisted(const tut_pickle_event *e, tut_str name, tut_severity least,
                           tut_pickle_verdict *v)
{
    bool makes_object = is_class_like(name) ||
                        tut_str_starts(tut_str_of(e->opcode), TUT_LIT("NEWOBJ"));
    if (e->act == TUT_PICKLE_BUILD) {
        say_at(v, "pickle.build-unlisted", least);
    } else if (e->act == TUT_PICKLE_CALL && !makes_object) {
        say(v, "pickle.call-unlisted");
    } else {
        say_at(v, "pickle.unlisted-name", least);
    }
}

/* An attribute of an allowed class that is merely named; and an allowed name that the pickler found
 * through another module of the same library (torch._utils, "torch.contiguous_format"). */
static bool is_allowed_attribute(const tut_pickle_event *e, tut_str module, tut_str name)
{
    const char *last = memrchr(name.data, '.', name.len);
    if (e->act != TUT_PICKLE_IMPORT || !last || has_dunder(name))
        return false;
    tut_str outer = {name.data, (size_t)(last - name.data)};
    if (is_allowed_pair(module, outer, e->protocol) ||
        is_allowed_pair(e->module, outer, e->protocol))
        return true;
    size_t top = 0;
    while (top < module.len && module.data[top] != '.')
        top++;
    bool is_same_library = name.len > top && name.data[top] == '.' &&
                           tut_str_starts(name, (tut_str){module.data, top});
    return is_same_library && tut_python_is_library(module) && is_allowed_joined(name, e->protocol);
}

/* Modules that other modules import, and through which anything can be reached. */
static bool is_module_of_power(tut_str name)
{
    static const char *const names[] = {
        "os",       "sys",    "subprocess", "builtins", "importlib", "shutil",  "socket",  "posix",
        "nt",       "pty",    "runpy",      "ctypes",   "pickle",    "_pickle", "marshal", "io",
        "tempfile", "urllib", "requests",   "operator", "functools", "inspect", "types",   "code"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (tut_str_eq_z(name, names[i]))
            return true;
    }
    return false;
}

/* What the loading program itself defines: no module is imported for it. A class of it is as usual
 * as a program that pickles its own objects; a function that is called with arguments is not. */
static void judge_main(const tut_pickle_event *e, tut_str name, tut_pickle_verdict *v)
{
    bool is_call = e->act == TUT_PICKLE_CALL && !is_class_like(name) &&
                   !tut_str_starts(tut_str_of(e->opcode), TUT_LIT("NEWOBJ"));
    bool is_harsh = is_call || tut_python_is_standard(name) || memchr(name.data, '.', name.len);
    say_at(v, "pickle.unknown-module", is_harsh ? TUT_SEVERITY_HIGH : TUT_SEVERITY_MEDIUM);
    v->note = "the program that loads the file has to define it";
}

static void judge_by_origin(const tut_pickle_event *e, tut_str module, tut_str name,
                            tut_pickle_verdict *v)
{
    if (tut_str_eq_z(module, "__main__") && !has_dunder(name)) {
        judge_main(e, name, v);
        return;
    }
    if (is_walk(name) || is_module_of_power(name)) {
        say_at(v, "pickle.dotted-walk",
               has_dunder(name) ? TUT_SEVERITY_CRITICAL : TUT_SEVERITY_HIGH);
        return;
    }
    if (tut_python_is_standard(module)) {
        judge_unlisted(e, name, TUT_SEVERITY_HIGH, v);
        v->note = "what it can do is not known";
    } else if (tut_python_is_library(module)) {
        judge_unlisted(e, name, TUT_SEVERITY_MEDIUM, v);
    } else {
        say(v, "pickle.unknown-module");
    }
}

/* list(itertools.count()) never ends; what yields without end may be held, not used up. */
static bool never_ends(const tut_pickle_event *e)
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
static bool is_idle_function(const tut_pickle_event *e, tut_str module, tut_str name)
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

static void judge_allowed(const tut_pickle_event *e, tut_str module, tut_str name,
                          tut_pickle_verdict *v)
{
    if (never_ends(e))
        say(v, "pickle.endless-call");
    else if (e->act == TUT_PICKLE_BUILD && tut_str_eq_z(module, "logging"))
        say_at(v, "pickle.overwrites-import",
               TUT_SEVERITY_HIGH); /* loggers belong to the process */
    else if (is_idle_function(e, module, name))
        say_at(v, "pickle.call-unlisted", TUT_SEVERITY_MEDIUM);
}

static bool is_below(tut_str module, tut_str top)
{
    return tut_str_starts(module, top) && (module.len == top.len || module.data[top.len] == '.');
}

static void judge_name(const tut_pickle_event *e, const tut_pickle_context *context,
                       tut_pickle_verdict *v)
{
    tut_str module = e->module;
    tut_str name = e->name;
    if (!tut_python_is_dotted_name(module) || !tut_python_is_dotted_name(name)) {
        say(v, "pickle.disguised-name");
        return;
    }
    tut_str module3 = module;
    tut_str name3 = name;
    bool is_mapped = tut_python2_map(&module3, &name3);
    if (is_mapped && e->protocol < 3) {
        module = module3;
        name = name3;
    }
    if (tut_pickle_allows(module, name) || is_plain_type(e, module, name)) {
        judge_allowed(e, module, name, v);
        return;
    }
    if (context->is_script && is_below(module, TUT_LIT("__torch__")))
        return;
    bound_kind bound = is_getattr(module, name) ? bound_to(e) : BOUND_NOT;
    if (bound == BOUND_ALLOWED || is_plain_iterator(e, module, name)) {
        v->settles_import = true;
        return;
    }
    if (bound == BOUND_LIBRARY) {
        v->settles_import = true;
        say_at(v, "pickle.indirect-call", TUT_SEVERITY_MEDIUM);
        return;
    }
    if (is_held_only(e, module, name)) {
        say_at(v, "pickle.unlisted-name", TUT_SEVERITY_LOW);
        return;
    }
    tut_capability c = tut_capability_of(module, name);
    /* Loaders of Python 2 take the name as it is written, whatever the protocol says. */
    if (c == TUT_CAPABILITY_NONE && is_mapped)
        c = tut_capability_of(module3, name3);
    if (c == TUT_CAPABILITY_NONE && is_mapped)
        c = tut_capability_of(e->module, e->name);
    if (c != TUT_CAPABILITY_NONE)
        judge_capability(e, c, v);
    else if (!is_allowed_attribute(e, module, name))
        judge_by_origin(e, module, name, v);
}

void tut_pickle_judge(const tut_pickle_event *e, const tut_pickle_context *context,
                      tut_pickle_verdict *ret_verdict)
{
    tut_pickle_verdict v = {.rank = rank_of(e->act), .subject = tut_name_hash(e->module, e->name)};
    if (e->act == TUT_PICKLE_PERSID)
        judge_persistent_id(e, context, &v);
    else if (e->act == TUT_PICKLE_WRITE)
        say(&v, "pickle.overwrites-import");
    else if (!e->is_resolved)
        judge_unresolved(e, &v);
    else
        judge_name(e, context, &v);
    *ret_verdict = v;
}

static void add_arguments(const tut_pickle_event *e, tut_buf *out)
{
    tut_str arguments = e->arguments;
    if (arguments.len == 0)
        return;
    bool is_single = tut_str_ends(arguments, TUT_LIT(",)")) && arguments.len > 3;
    if (is_single)
        arguments.len -= 2;
    if (arguments.data[0] != '(')
        tut_buf_add_byte(out, '(');
    tut_buf_add_escaped(out, arguments, ARGUMENTS_SHOWN_MAX);
    if (is_single || arguments.data[0] != '(')
        tut_buf_add_byte(out, ')');
}

void tut_pickle_describe(const tut_pickle_event *e, const tut_pickle_verdict *verdict, tut_buf *out)
{
    tut_str module = e->module;
    tut_str name = e->name;
    if (e->act == TUT_PICKLE_BUILD)
        tut_buf_add_z(out, "__setstate__ of ");
    else if (e->act == TUT_PICKLE_WRITE)
        tut_buf_add_z(out, "writes into ");
    else if (e->act == TUT_PICKLE_PERSID)
        tut_buf_add_z(out, "persistent id ");
    if (e->act != TUT_PICKLE_PERSID) {
        tut_buf_add_escaped(out, module, NAME_SHOWN_MAX);
        if (module.len > 0 && name.len > 0)
            tut_buf_add_byte(out, '.');
        tut_buf_add_escaped(out, name, NAME_SHOWN_MAX);
    }
    if (e->act != TUT_PICKLE_IMPORT)
        add_arguments(e, out);
    if (e->is_resolved && e->protocol < 3 && tut_python2_map(&module, &name)) {
        tut_buf_add_z(out, ", in Python 3 ");
        tut_buf_add_str(out, module);
        tut_buf_add_byte(out, '.');
        tut_buf_add_escaped(out, name, NAME_SHOWN_MAX);
    }
    tut_buf_printf(out, ", through %s", e->opcode);
    if (verdict->note)
        tut_buf_printf(out, "; %s", verdict->note);
}
