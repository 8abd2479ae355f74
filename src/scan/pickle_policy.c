#include "scan/pickle_policy.h"

#include "scan/pickle_arguments.h"
#include "scan/pickle_capability.h"
#include "scan/pickle_names.h"

enum { NAME_SHOWN_MAX = 160, ARGUMENTS_SHOWN_MAX = 200 };

static void say(tut_pickle_verdict *v, const char *rule)
{
    v->rule = rule;
    v->severity = tut_rule_find(tut_str_of(rule))->severity;
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

/* --- by capability --- */
static void judge_capability(const tut_pickle_event *e, tut_capability c, tut_pickle_verdict *v)
{
    if (c == TUT_CAPABILITY_PARTIAL) {
        tut_pickle_judge_partial(e, v);
        return;
    }
    if (c == TUT_CAPABILITY_NESTED_TORCH) {
        tut_pickle_judge_nested_torch(e, v);
        return;
    }
    if (e->act == TUT_PICKLE_IMPORT) {
        say(v, "pickle.import-dangerous");
        return;
    }
    const char *rule = c == TUT_CAPABILITY_LOOKUP ? "pickle.indirect-call" : "pickle.call-on-load";
    tut_pickle_say(v, rule, tut_capability_severity(c));
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
        tut_pickle_say(v, "pickle.build-unlisted", least);
    } else if (e->act == TUT_PICKLE_CALL && !makes_object) {
        say(v, "pickle.call-unlisted");
    } else {
        tut_pickle_say(v, "pickle.unlisted-name", least);
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
    if (tut_pickle_is_allowed_pair(module, outer, e->protocol) ||
        tut_pickle_is_allowed_pair(e->module, outer, e->protocol))
        return true;
    size_t top = 0;
    while (top < module.len && module.data[top] != '.')
        top++;
    bool is_same_library = name.len > top && name.data[top] == '.' &&
                           tut_str_starts(name, (tut_str){module.data, top});
    return is_same_library && tut_python_is_library(module) &&
           tut_pickle_is_allowed_joined(name, e->protocol);
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
    tut_pickle_say(v, "pickle.unknown-module", is_harsh ? TUT_SEVERITY_HIGH : TUT_SEVERITY_MEDIUM);
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
        tut_pickle_say(v, "pickle.dotted-walk",
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

/* Calls that no pickler writes: of a function that objects only hold, of a constructor with
 * arguments. Given plain data they are odd; given objects, those may be what is called. */
static bool is_other_use(const tut_pickle_event *e, tut_str module, tut_str name)
{
    tut_pickle_use use = tut_pickle_allowed_use(module, name);
    bool is_empty = e->arguments.len == 0 || tut_str_eq_z(e->arguments, "()");
    return e->act == TUT_PICKLE_CALL &&
           (use == TUT_PICKLE_USE_HOLD || (use == TUT_PICKLE_USE_MAKE && !is_empty) ||
            tut_pickle_is_idle_function(e, module, name));
}

static void judge_allowed(const tut_pickle_event *e, tut_str module, tut_str name,
                          tut_pickle_verdict *v)
{
    if (tut_pickle_never_ends(e))
        say(v, "pickle.endless-call");
    else if (e->act == TUT_PICKLE_BUILD && tut_str_eq_z(module, "logging"))
        tut_pickle_say(v, "pickle.overwrites-import",
                       TUT_SEVERITY_HIGH); /* loggers belong to the process */
    else if (is_other_use(e, module, name))
        tut_pickle_say(v, "pickle.call-unlisted",
                       e->has_objects ? TUT_SEVERITY_HIGH : TUT_SEVERITY_MEDIUM);
}

/* numpy.ndarray.tofile, merely named: whoever gets it can write files. */
static bool is_harmful_attribute(const tut_pickle_event *e, tut_str name)
{
    const char *last = memrchr(name.data, '.', name.len);
    if (e->act != TUT_PICKLE_IMPORT || !last)
        return false;
    size_t start = (size_t)(last - name.data) + 1;
    return tut_pickle_is_harmful_method((tut_str){last + 1, name.len - start});
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
    if (tut_pickle_allows(module, name) || tut_pickle_is_plain_type(e, module, name)) {
        judge_allowed(e, module, name, v);
        return;
    }
    if (context->is_script && is_below(module, TUT_LIT("__torch__")))
        return;
    tut_pickle_bound bound = tut_pickle_is_getattr(module, name) ? tut_pickle_bound_to(e)
                                                                 : TUT_PICKLE_BOUND_NOT;
    if (bound == TUT_PICKLE_BOUND_ALLOWED || tut_pickle_is_dill_form(e, module, name) ||
        tut_pickle_is_plain_iterator(e, module, name)) {
        v->settles_import = true;
        return;
    }
    if (bound == TUT_PICKLE_BOUND_LIBRARY) {
        v->settles_import = true;
        tut_pickle_say(v, "pickle.indirect-call", TUT_SEVERITY_MEDIUM);
        return;
    }
    if (tut_pickle_is_held_only(e, module, name)) {
        tut_pickle_say(v, "pickle.unlisted-name", TUT_SEVERITY_LOW);
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
    else if (is_harmful_attribute(e, name))
        say(v, "pickle.import-dangerous");
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
