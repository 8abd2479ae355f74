#include "formats/pickle_call.h"

#include <inttypes.h>
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
bool tut_pcannot_be_called(const tut_pmachine *m, tut_pval v)
{
    tut_pval_type type = tut_pv_type(&m->heap, v);
    return type != TUT_PVAL_GLOBAL && type != TUT_PVAL_OBJECT && type != TUT_PVAL_PERSID &&
           type != TUT_PVAL_OPAQUE;
}

/* copyreg.add_extension(module, name, code), seen with constants. */
void tut_pcall_note_extension(tut_pmachine *m, tut_pval module, tut_pval name, tut_pval code)
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

/* Functions that call one of their arguments with others: that call is reported as what it is. */
static const struct bridge {
    const char *module, *name;
    size_t function, arguments; /* which argument is called; which is the tuple that it is given */
    size_t state;               /* which one is set as state of what comes back; 0: none */
} bridges[] = {
    {"torch._tensor", "_rebuild_from_type", 0, 2, 3},
    {"torch._tensor", "_rebuild_from_type_v2", 0, 2, 3},
    {"dill._dill", "_create_array", 0, 1, 0},
    {"dill.dill", "_create_array", 0, 1, 0},
    {"numpy.random._pickle", "__generator_ctor", 1, 0, 0},
    {"numpy.random._pickle", "__randomstate_ctor", 1, 0, 0},
};

static void cross_bridges(tut_pmachine *m, const tut_pnames *names, tut_pval arguments)
{
    for (size_t i = 0; i < sizeof bridges / sizeof *bridges; i++) {
        if (!tut_pname_is(names, bridges[i].module, bridges[i].name))
            continue;
        tut_pval function = tut_pv_item(&m->heap, arguments, bridges[i].function);
        if (tut_pcannot_be_called(m, function))
            continue;
        m->calls++;
        tut_pcall_report(m, TUT_PICKLE_CALL, function,
                         tut_pv_item(&m->heap, arguments, bridges[i].arguments));
        if (bridges[i].state)
            tut_pcall_look_at_state(m, tut_pv_item(&m->heap, arguments, bridges[i].state));
    }
    /* _set_obj_state(object, state) is BUILD. */
    if (tut_pname_is(names, "torch._utils", "_set_obj_state")) {
        tut_pval object = tut_pv_item(&m->heap, arguments, 0);
        bool is_import = tut_pv_type(&m->heap, object) == TUT_PVAL_GLOBAL;
        tut_pcall_report(m, is_import ? TUT_PICKLE_WRITE : TUT_PICKLE_BUILD,
                         is_import ? object : tut_pcall_class(m, object),
                         tut_pv_item(&m->heap, arguments, 1));
        tut_pcall_look_at_state(m, tut_pv_item(&m->heap, arguments, 1));
    }
    if (tut_pname_is(names, "torch._utils", "_rebuild_parameter_with_state"))
        tut_pcall_look_at_state(m, tut_pv_item(&m->heap, arguments, 3));
}

static bool is_any_of(const tut_pnames *names, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tut_pname_is(names, "builtins", list[i]))
            return true;
    }
    return false;
}

/* A number as written; one of more than 64 bits is the largest. */
static bool get_count(const tut_pmachine *m, tut_pval v, int64_t *ret)
{
    if (tut_pv_get_int(&m->heap, v, ret))
        return true;
    *ret = INT64_MAX;
    return tut_pv_type(&m->heap, v) == TUT_PVAL_INT && (tut_pv_flags(&m->heap, v) & TUT_PNODE_BIG);
}

/* How many numbers range(stop), range(start, stop[, step]) yields; 0: it is none, or not known. */
static uint64_t range_count(const tut_pmachine *m, tut_pval v)
{
    static const char *const ranges[] = {"range", "xrange"};
    tut_pnames names;
    int64_t from = 0, to = 0, step = 1;
    if (tut_pv_type(&m->heap, v) != TUT_PVAL_OBJECT)
        return 0;
    tut_pcall_names(m, tut_pv_first(&m->heap, v), &names);
    tut_pval given = tut_pv_second(&m->heap, v);
    if (!is_any_of(&names, ranges, 2) || !get_count(m, tut_pv_item(&m->heap, given, 0), &to))
        return 0;
    int64_t second;
    if (get_count(m, tut_pv_item(&m->heap, given, 1), &second)) {
        from = to;
        to = second;
        (void)get_count(m, tut_pv_item(&m->heap, given, 2), &step);
    }
    uint64_t width = to > from ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    if (step == 0 || (to > from) != (step > 0))
        return 0;
    return width / (step > 0 ? (uint64_t)step : 0 - (uint64_t)step);
}

/* bytes(10**12), list(range(2**31)): a few bytes that take all memory. */
static void check_count(tut_pmachine *m, const tut_pnames *names, tut_pval arguments)
{
    static const char *const makers[] = {"bytes", "bytearray"};
    static const char *const takers[] = {"list",      "tuple",  "set", "frozenset", "bytes", "dict",
                                         "bytearray", "sorted", "sum", "max",       "min"};
    enum { HUGE_BYTES = 1 << 30, HUGE_RANGE = 1 << 28 };
    tut_pval first = tut_pv_item(&m->heap, arguments, 0);
    int64_t count = 0;
    uint64_t numbers = 0;
    if (is_any_of(names, makers, 2) && get_count(m, first, &count) && count >= HUGE_BYTES)
        numbers = (uint64_t)count;
    else if (is_any_of(names, takers, sizeof takers / sizeof *takers) &&
             range_count(m, first) >= HUGE_RANGE)
        numbers = range_count(m, first);
    if (numbers == 0 || m->is_count_told)
        return;
    m->is_count_told = true;
    tut_pm_observe(m, "pickle.huge-count", "%.*s is made of %" PRIu64 " values",
                   (int)(names->name.len < 64 ? names->name.len : 64), names->name.data, numbers);
}

tut_status tut_pcall_call(tut_pmachine *m, tut_pval callable, tut_pval arguments,
                          tut_pval *ret_result)
{
    if (tut_pcannot_be_called(m, callable)) {
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
    tut_pnumpy_tell_buffer(m, &names, arguments);
    cross_bridges(m, &names, arguments);
    check_count(m, &names, arguments);
    if (tut_pname_is(&names, "copyreg", "add_extension"))
        tut_pcall_note_extension(m, tut_pv_item(&m->heap, arguments, 0),
                                 tut_pv_item(&m->heap, arguments, 1),
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
