#include "formats/pickle_call.h"

#include <stdio.h>

#include "formats/pickle_nested.h"

enum { NAMES_LEAST = 6 }; /* module and name together: os.exec */

/* Names as programs have them: letters, digits, underscores, dots, and anything beyond ASCII. */
static bool is_plausible(tut_str s)
{
    if (s.len == 0 || s.len > 256 || (s.data[0] >= '0' && s.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool is_letter = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                         c == '_' || c == '.';
        if (!is_letter)
            return false;
    }
    return true;
}

static tut_str text_of(const tut_pmachine *m, tut_pval v, const char *otherwise, bool *is_known)
{
    tut_str text;
    if (tut_pv_get_text(&m->heap, v, TUT_PVAL_STR, &text))
        return text;
    *is_known = false;
    return tut_str_of(otherwise);
}

static void object_names(const tut_pmachine *m, tut_pval v, tut_pnames *ret)
{
    tut_pval callable = tut_pv_first(&m->heap, v);
    ret->is_resolved = false;
    ret->name = TUT_LIT("<result of a call>");
    if (tut_pv_type(&m->heap, callable) != TUT_PVAL_GLOBAL)
        return;
    bool is_known = true;
    ret->module = text_of(m, tut_pv_first(&m->heap, callable), "", &is_known);
    tut_str name = text_of(m, tut_pv_second(&m->heap, callable), "?", &is_known);
    int len = snprintf(ret->scratch, sizeof ret->scratch, "<result of %.*s>",
                       (int)(name.len < 100 ? name.len : 100), name.data);
    ret->name = (tut_str){ret->scratch, (size_t)len};
}

void tut_pcall_names(const tut_pmachine *m, tut_pval v, tut_pnames *ret)
{
    ret->is_resolved = true;
    ret->module = TUT_LIT("");
    ret->name = TUT_LIT("");
    tut_pval_type type = tut_pv_type(&m->heap, v);
    if (type == TUT_PVAL_OBJECT) {
        object_names(m, v, ret);
        return;
    }
    if (type != TUT_PVAL_GLOBAL || !tut_pv_is_node(v)) {
        ret->is_resolved = false;
        ret->name = type == TUT_PVAL_PERSID ? TUT_LIT("<persistent object>")
                                            : TUT_LIT("<not known>");
        return;
    }
    uint8_t flags = tut_pv_flags(&m->heap, v);
    ret->module = text_of(m, tut_pv_first(&m->heap, v), "<computed>", &ret->is_resolved);
    if (!(flags & TUT_PNODE_MODULE))
        ret->name = text_of(m, tut_pv_second(&m->heap, v), "<computed>", &ret->is_resolved);
    if (flags & TUT_PNODE_UNRESOLVED)
        ret->is_resolved = false;
}

bool tut_pname_is(const tut_pnames *names, const char *module, const char *name)
{
    static const char *const python2[][2] = {{"__builtin__", "builtins"}, {"copy_reg", "copyreg"}};
    if (!tut_str_eq_z(names->name, name))
        return false;
    for (size_t i = 0; i < sizeof python2 / sizeof *python2; i++) {
        if (tut_str_eq_z(names->module, python2[i][0]))
            return strcmp(module, python2[i][1]) == 0;
    }
    return tut_str_eq_z(names->module, module);
}

void tut_pcall_report(tut_pmachine *m, tut_pickle_act act, tut_pval subject, tut_pval arguments)
{
    if (!m->x || !m->x->ops->pickle)
        return;
    tut_pnames names;
    tut_pcall_names(m, subject, &names);
    /* What was found by searching counts only when it looks like somebody meant it. */
    if (m->is_candidate && (!names.is_resolved || !is_plausible(names.module) ||
                            (names.name.len && !is_plausible(names.name))))
        return;
    char preview[TUT_PREVIEW_MAX];
    tut_pickle_event event = {
        .act = act,
        .opcode = tut_popcodes[m->op].name,
        .offset = m->op_at,
        .is_resolved = names.is_resolved,
        .module = names.module,
        .name = names.name,
        .arguments = {preview, act == TUT_PICKLE_IMPORT
                                   ? 0
                                   : tut_ppreview(m, arguments, preview, sizeof preview)},
        .protocol = m->protocol,
        .has_objects = act == TUT_PICKLE_CALL && tut_pholds_objects(m, arguments),
    };
    m->x->ops->pickle(m->x->ctx, &event);
}

static void note_module(tut_pmachine *m, tut_str module)
{
    const char *dot = memchr(module.data, '.', module.len);
    if (dot)
        module.len = (size_t)(dot - module.data);
    if (!m->modules || module.len == 0 || module.len >= TUT_PMODULE_BYTES)
        return;
    for (size_t i = 0; i < m->modules->count; i++) {
        if (tut_str_eq_z(module, m->modules->names[i]))
            return;
    }
    if (m->modules->count < TUT_PMODULES_MAX)
        tut_str_copy(m->modules->names[m->modules->count++], TUT_PMODULE_BYTES, module);
}

tut_pval tut_pcall_import(tut_pmachine *m, tut_pval module, tut_pval name)
{
    tut_pval global = tut_pv_pair(&m->heap, TUT_PVAL_GLOBAL, module, name, 0);
    tut_pnames names;
    tut_pcall_names(m, global, &names);
    /* In random bytes very short names turn up by chance: they are reported, but prove nothing. */
    if (is_plausible(names.module) && is_plausible(names.name) &&
        names.module.len + names.name.len >= NAMES_LEAST) {
        m->imports++;
        note_module(m, names.module);
    } else if (names.is_resolved) {
        m->odd_names++;
    }
    tut_pcall_report(m, TUT_PICKLE_IMPORT, global, TUT_PV_NONE);
    return global;
}

/* Values that are certainly no callables: the loader fails here. */
static bool cannot_be_called(const tut_pmachine *m, tut_pval v)
{
    tut_pval_type type = tut_pv_type(&m->heap, v);
    return type != TUT_PVAL_GLOBAL && type != TUT_PVAL_OBJECT && type != TUT_PVAL_PERSID &&
           type != TUT_PVAL_OPAQUE;
}

/* copyreg.add_extension(module, name, code), seen with constants. */
static void note_extension(tut_pmachine *m, tut_pval module, tut_pval name, tut_pval code)
{
    int64_t n;
    if (!tut_pv_get_int(&m->heap, code, &n) || m->extension_count == TUT_PEXTENSIONS_MAX)
        return;
    tut_pv_ref(&m->heap, module);
    tut_pv_ref(&m->heap, name);
    m->extensions[m->extension_count++] = (tut_pextension){n, module, name};
}

static bool is_reconstructor(const tut_pnames *names)
{
    return tut_pname_is(names, "copyreg", "_reconstructor") ||
           tut_pname_is(names, "copyreg", "__newobj__") ||
           tut_pname_is(names, "copyreg", "__newobj_ex__");
}

/* _reconstructor(class, object, None) and __newobj__(class): no arguments for the class. */
static bool makes_empty(const tut_pmachine *m, const tut_pnames *names, tut_pval arguments)
{
    tut_pnames base;
    size_t count;
    bool is_whole;
    tut_pv_items(&m->heap, arguments, &count, &is_whole);
    if (tut_str_eq_z(names->name, "__newobj__"))
        return count == 1;
    tut_pcall_names(m, tut_pv_item(&m->heap, arguments, 1), &base);
    return tut_str_eq_z(names->name, "_reconstructor") && count == 3 &&
           tut_pname_is(&base, "builtins", "object") &&
           tut_pv_item(&m->heap, arguments, 2) == TUT_PV_NONE;
}

/* Computed strings and bytes may hold a payload as well as written ones. */
static tut_status look_into(tut_pmachine *m, tut_pval v)
{
    tut_str text;
    tut_pval_type type = tut_pv_type(&m->heap, v);
    if (!tut_pv_get_text(&m->heap, v, type, &text))
        return TUT_SUCCESS;
    tut_status status = tut_pnested_look_memory(m, text, "computed");
    if (!tut_is_ok(status))
        tut_pv_unref(&m->heap, v);
    return status;
}

tut_status tut_pcall_call(tut_pmachine *m, tut_pval callable, tut_pval arguments,
                          tut_pval *ret_result)
{
    if (cannot_be_called(m, callable)) {
        tut_status status = tut_pm_break(m, TUT_MALFORMED, "%s of something that is no callable",
                                         tut_popcodes[m->op].name);
        tut_pv_unref(&m->heap, callable);
        tut_pv_unref(&m->heap, arguments);
        return status;
    }
    m->calls++;
    tut_pcall_report(m, TUT_PICKLE_CALL, callable, arguments);
    tut_pnames names;
    tut_pcall_names(m, callable, &names);
    if (is_reconstructor(&names)) {
        tut_pval class = tut_pv_item(&m->heap, arguments, 0);
        tut_pval base = tut_pv_item(&m->heap, arguments, 1);
        if (class != TUT_PV_LOST)
            tut_pcall_report(m, TUT_PICKLE_CALL, class,
                             makes_empty(m, &names, arguments) ? TUT_PV_EMPTY_TUPLE : arguments);
        /* _reconstructor(class, base, state) calls the base's __init__ with the state. */
        if (tut_pv_type(&m->heap, base) == TUT_PVAL_GLOBAL &&
            tut_pname_is(&names, "copyreg", "_reconstructor"))
            tut_pcall_report(m, TUT_PICKLE_CALL, base, arguments);
    }
    if (tut_pname_is(&names, "copyreg", "add_extension"))
        note_extension(m, tut_pv_item(&m->heap, arguments, 0), tut_pv_item(&m->heap, arguments, 1),
                       tut_pv_item(&m->heap, arguments, 2));
    if (tut_pattribute(m, callable, arguments, ret_result) ||
        tut_pfold(m, callable, arguments, ret_result)) {
        tut_pv_unref(&m->heap, callable);
        tut_pv_unref(&m->heap, arguments);
        return look_into(m, *ret_result);
    }
    *ret_result = tut_pv_pair(&m->heap, TUT_PVAL_OBJECT, callable, arguments, 0);
    tut_pm_weigh(m, *ret_result);
    return TUT_SUCCESS;
}

tut_pval tut_pcall_class(const tut_pmachine *m, tut_pval object)
{
    tut_pval callable = tut_pv_first(&m->heap, object);
    tut_pnames names;
    tut_pcall_names(m, callable, &names);
    if (!is_reconstructor(&names))
        return callable;
    tut_pval class = tut_pv_item(&m->heap, tut_pv_second(&m->heap, object), 0);
    return class == TUT_PV_LOST ? callable : class;
}

/* copyreg._inverted_registry[code] = (module, name) */
static void note_registry(tut_pmachine *m, tut_pval target, tut_pval items)
{
    tut_pnames names;
    tut_pcall_names(m, target, &names);
    if (!tut_pname_is(&names, "copyreg", "_inverted_registry"))
        return;
    size_t count;
    bool is_whole;
    const tut_pval *pairs = tut_pv_items(&m->heap, items, &count, &is_whole);
    for (size_t i = 0; i + 1 < count; i += 2)
        note_extension(m, tut_pv_item(&m->heap, pairs[i + 1], 0),
                       tut_pv_item(&m->heap, pairs[i + 1], 1), pairs[i]);
}

/* What PyTorch's rebuilding functions and storages make takes no items. */
static void look_at_target(tut_pmachine *m, tut_pval target)
{
    tut_pnames names;
    tut_pval_type type = tut_pv_type(&m->heap, target);
    if (type != TUT_PVAL_OBJECT && type != TUT_PVAL_PERSID)
        return;
    tut_pcall_names(m, tut_pv_first(&m->heap, target), &names);
    if (type == TUT_PVAL_PERSID || tut_str_eq_z(names.module, "torch._utils") ||
        (tut_str_eq_z(names.module, "torch") && (tut_str_ends(names.name, TUT_LIT("Tensor")) ||
                                                 tut_str_ends(names.name, TUT_LIT("Storage")))))
        tut_pm_observe(m, "pickle.item-on-tensor", "%s writes into %s", tut_popcodes[m->op].name,
                       type == TUT_PVAL_PERSID ? "a storage" : "a tensor");
}

tut_status tut_pcall_write(tut_pmachine *m, tut_pval target, tut_pval items)
{
    look_at_target(m, target);
    if (tut_pv_type(&m->heap, target) == TUT_PVAL_GLOBAL) {
        m->calls++;
        tut_pcall_report(m, TUT_PICKLE_WRITE, target, items);
        note_registry(m, target, items);
    }
    tut_pv_unref(&m->heap, items);
    return TUT_SUCCESS;
}

/* The attributes that BUILD sets: of a dict, or of (dict or None, slots dict). */
static bool state_attribute(const tut_pmachine *m, tut_pval state, const char *key, tut_pval *ret)
{
    if (tut_pv_lookup(&m->heap, state, key, ret))
        return true;
    return tut_pv_type(&m->heap, state) == TUT_PVAL_TUPLE &&
           (tut_pv_lookup(&m->heap, tut_pv_item(&m->heap, state, 0), key, ret) ||
            tut_pv_lookup(&m->heap, tut_pv_item(&m->heap, state, 1), key, ret));
}

/* scipy's distributions keep the source of their argument parsers in their state and execute it
 * when the state is set. What scipy writes there calls nothing but these. */
static bool is_argument_parser(tut_str text)
{
    static const char *const before[] = {"_parse_args", "_parse_args_rvs", "_parse_args_stats",
                                         "_argcheck_rvs", "return "};
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                       c == '_';
        if (!is_word && !strchr(" \n,.:=')(", c))
            return false;
        bool is_known = c != '(';
        for (size_t k = 0; !is_known && k < sizeof before / sizeof *before; k++)
            is_known = tut_str_ends((tut_str){text.data, i}, tut_str_of(before[k]));
        if (!is_known || c == '\0')
            return false;
    }
    return true;
}

static void look_at_source(tut_pmachine *m, tut_pval state)
{
    tut_pval source;
    tut_str text;
    if (state_attribute(m, state, "_parse_arg_template", &source) &&
        (!tut_pv_get_text(&m->heap, source, TUT_PVAL_STR, &text) || !is_argument_parser(text)))
        tut_pm_observe(m, "pickle.source-in-state",
                       "_parse_arg_template holds more than a parser of arguments");
}

static void build_object(tut_pmachine *m, tut_pval object, tut_pval state)
{
    tut_pval planted;
    /* A __setstate__ that an earlier BUILD put there is what this one calls. */
    if (state_attribute(m, tut_pv_state(&m->heap, object), "__setstate__", &planted) &&
        !cannot_be_called(m, planted)) {
        m->calls++;
        tut_pcall_report(m, TUT_PICKLE_CALL, planted, state);
    }
    if (state_attribute(m, state, "__setstate__", &planted))
        tut_pm_observe(m, "pickle.planted-setstate",
                       "BUILD gives an object a __setstate__ of its own");
    look_at_source(m, state);
    tut_pcall_report(m, TUT_PICKLE_BUILD, tut_pcall_class(m, object), state);
}

tut_status tut_pcall_build(tut_pmachine *m, tut_pval object, tut_pval state)
{
    tut_pval_type type = tut_pv_type(&m->heap, object);
    if (type == TUT_PVAL_GLOBAL) {
        tut_pval planted;
        if (state_attribute(m, state, "__setstate__", &planted))
            tut_pm_observe(m, "pickle.planted-setstate",
                           "BUILD gives a class or module a __setstate__ of its own");
        return tut_pcall_write(m, object, state);
    }
    if (type == TUT_PVAL_OBJECT || type == TUT_PVAL_OPAQUE || type == TUT_PVAL_PERSID)
        build_object(m, object, state);
    /* An earlier planted method stays in force: keep the state that holds it. */
    tut_pval planted;
    if (state_attribute(m, tut_pv_state(&m->heap, object), "__setstate__", &planted))
        tut_pv_unref(&m->heap, state);
    else
        tut_pv_set_state(&m->heap, object, state);
    return TUT_SUCCESS;
}
