/*
 * Names composed at load: getattr(import_module('os'), 'system') is os.system. With constant
 * strings the composition is done here, so that policy sees the name that is meant.
 */
#include "formats/pickle_call.h"

enum { NAME_MAX_BYTES = 512 };

static tut_pval make_text(tut_pmachine *m, tut_str s)
{
    return tut_pv_text(&m->heap, TUT_PVAL_STR, s, false);
}

static tut_pval make_module(tut_pmachine *m, tut_str name)
{
    return tut_pv_pair(&m->heap, TUT_PVAL_GLOBAL, make_text(m, name), TUT_PV_NONE,
                       TUT_PNODE_MODULE);
}

static tut_pval make_global(tut_pmachine *m, tut_str module, tut_str name)
{
    tut_pval v = tut_pcall_import(m, make_text(m, module), make_text(m, name));
    return v;
}

static bool text_argument(const tut_pmachine *m, tut_pval arguments, size_t i, tut_str *ret)
{
    tut_pval v = tut_pv_item(&m->heap, arguments, i);
    return tut_pv_get_text(&m->heap, v, TUT_PVAL_STR, ret);
}

/* object.name, for an object that is a module or has a name of its own. */
static bool attribute(tut_pmachine *m, tut_pval object, tut_str name, tut_pval *ret)
{
    tut_pnames of;
    if (tut_pv_type(&m->heap, object) != TUT_PVAL_GLOBAL || name.len == 0)
        return false;
    tut_pcall_names(m, object, &of);
    if (!of.is_resolved)
        return false;
    if (of.name.len == 0) {
        *ret = make_global(m, of.module, name);
        return true;
    }
    char dotted[NAME_MAX_BYTES];
    if (of.name.len + 1 + name.len > sizeof dotted)
        return false;
    memcpy(dotted, of.name.data, of.name.len);
    dotted[of.name.len] = '.';
    memcpy(dotted + of.name.len + 1, name.data, name.len);
    *ret = make_global(m, of.module, (tut_str){dotted, of.name.len + 1 + name.len});
    return true;
}

/* getattr(object, 'name'[, default]) */
static bool do_getattr(tut_pmachine *m, tut_pval arguments, tut_pval *ret)
{
    tut_str name;
    return text_argument(m, arguments, 1, &name) &&
           attribute(m, tut_pv_item(&m->heap, arguments, 0), name, ret);
}

/* import_module('a.b'): the module itself. */
static bool do_import_module(tut_pmachine *m, tut_pval arguments, tut_pval *ret)
{
    tut_str name;
    if (!text_argument(m, arguments, 0, &name))
        return false;
    *ret = make_module(m, name);
    return true;
}

/* __import__('a.b'): the top package, unless a fromlist (fourth argument) says otherwise. */
static bool do_import(tut_pmachine *m, tut_pval arguments, tut_pval *ret)
{
    tut_str name;
    if (!text_argument(m, arguments, 0, &name))
        return false;
    size_t count;
    bool is_whole;
    tut_pv_items(&m->heap, arguments, &count, &is_whole);
    const char *dot = memchr(name.data, '.', name.len);
    if (dot && count < 4)
        name.len = (size_t)(dot - name.data);
    *ret = make_module(m, name);
    return true;
}

/* resolve_name('os:system'), locate('os.system'): with a colon certain; with dots the last part is
 * taken for the attribute. */
static bool do_resolve_name(tut_pmachine *m, tut_pval arguments, tut_pval *ret)
{
    tut_str name;
    if (!text_argument(m, arguments, 0, &name) || name.len == 0)
        return false;
    const char *at = memchr(name.data, ':', name.len);
    if (!at)
        at = memrchr(name.data, '.', name.len);
    size_t len = at ? (size_t)(at - name.data) : name.len;
    if (!at || len + 1 == name.len) {
        *ret = make_module(m, (tut_str){name.data, len});
        return true;
    }
    *ret = make_global(m, (tut_str){name.data, len},
                       (tut_str){name.data + len + 1, name.len - len - 1});
    return true;
}

/* sys.modules['os'], module.__dict__['name'], and the same by their get methods. */
static bool lookup(tut_pmachine *m, const tut_pnames *table, tut_str key, tut_pval *ret)
{
    if (tut_pname_is(table, "sys", "modules")) {
        *ret = make_module(m, key);
        return true;
    }
    tut_str name = table->name;
    if (!tut_str_ends(name, TUT_LIT("__dict__")))
        return false;
    if (name.len == strlen("__dict__")) {
        *ret = make_global(m, table->module, key);
        return true;
    }
    char dotted[NAME_MAX_BYTES];
    size_t stem = name.len - strlen("__dict__");
    if (stem + key.len > sizeof dotted)
        return false;
    memcpy(dotted, name.data, stem);
    memcpy(dotted + stem, key.data, key.len);
    *ret = make_global(m, table->module, (tut_str){dotted, stem + key.len});
    return true;
}

static bool do_getitem(tut_pmachine *m, tut_pval arguments, tut_pval *ret)
{
    tut_str key;
    tut_pnames table;
    tut_pcall_names(m, tut_pv_item(&m->heap, arguments, 0), &table);
    return table.is_resolved && text_argument(m, arguments, 1, &key) && lookup(m, &table, key, ret);
}

/* vars(module) */
static bool do_vars(tut_pmachine *m, tut_pval arguments, tut_pval *ret)
{
    return attribute(m, tut_pv_item(&m->heap, arguments, 0), TUT_LIT("__dict__"), ret);
}

/* dill._dill._load_type('set'): a type of builtins or of types, by name. */
static bool do_load_type(tut_pmachine *m, tut_pval arguments, tut_pval *ret)
{
    tut_str name;
    if (!text_argument(m, arguments, 0, &name) || name.len == 0)
        return false;
    if (tut_str_eq_z(name, "PartialType")) { /* dill's own name */
        *ret = make_global(m, TUT_LIT("functools"), TUT_LIT("partial"));
        return true;
    }
    bool is_type = tut_str_ends(name, TUT_LIT("Type")) && !tut_str_eq_z(name, "NoneType");
    *ret = make_global(m, is_type ? TUT_LIT("types") : TUT_LIT("builtins"), name);
    return true;
}

/* cloudpickle.cloudpickle._builtin_type('SimpleNamespace'): types.SimpleNamespace. */
static bool do_builtin_type(tut_pmachine *m, tut_pval arguments, tut_pval *ret)
{
    tut_str name;
    if (!text_argument(m, arguments, 0, &name) || name.len == 0)
        return false;
    *ret = make_global(m, TUT_LIT("types"), name);
    return true;
}

static const struct {
    const char *module, *name;
    bool (*run)(tut_pmachine *m, tut_pval arguments, tut_pval *ret);
} composers[] = {
    {"builtins", "getattr", do_getattr},
    {"builtins", "object.__getattribute__", do_getattr},
    {"builtins", "type.__getattribute__", do_getattr},
    {"inspect", "getattr_static", do_getattr},
    {"importlib", "import_module", do_import_module},
    {"importlib._bootstrap", "_gcd_import", do_import_module},
    {"_frozen_importlib", "_gcd_import", do_import_module},
    {"runpy", "_get_module_details", do_import_module},
    {"builtins", "__import__", do_import},
    {"importlib", "__import__", do_import},
    {"pkgutil", "resolve_name", do_resolve_name},
    {"pydoc", "locate", do_resolve_name},
    {"operator", "getitem", do_getitem},
    {"_operator", "getitem", do_getitem},
    {"builtins", "dict.get", do_getitem},
    {"builtins", "dict.__getitem__", do_getitem},
    {"builtins", "dict.pop", do_getitem},
    {"builtins", "vars", do_vars},
    {"dill._dill", "_load_type", do_load_type},
    {"dill.dill", "_load_type", do_load_type},
    {"cloudpickle.cloudpickle", "_builtin_type", do_builtin_type},
    {"dill._dill", "_getattr", do_getattr},
    {"dill.dill", "_getattr", do_getattr},
};

/* sys.modules.get('os'): the table is part of the callable's name. */
static bool by_method(tut_pmachine *m, const tut_pnames *names, tut_pval arguments, tut_pval *ret)
{
    static const char *const methods[] = {".get", ".__getitem__", ".pop", ".setdefault"};
    tut_str key;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (!tut_str_ends(names->name, tut_str_of(methods[i])))
            continue;
        tut_pnames table = {.module = names->module,
                            .name = {names->name.data, names->name.len - strlen(methods[i])}};
        return text_argument(m, arguments, 0, &key) && lookup(m, &table, key, ret);
    }
    return false;
}

/* attrgetter('a.b')(object) and methodcaller('name', …)(object): the callable is a result itself.
 */
static bool by_object(tut_pmachine *m, tut_pval callable, tut_pval arguments, tut_pval *ret)
{
    tut_pnames maker;
    tut_str name;
    tut_pcall_names(m, tut_pv_first(&m->heap, callable), &maker);
    tut_pval given = tut_pv_second(&m->heap, callable);
    bool is_operator = tut_str_eq_z(maker.module, "operator") ||
                       tut_str_eq_z(maker.module, "_operator");
    if (!is_operator || !text_argument(m, given, 0, &name))
        return false;
    tut_pval object = tut_pv_item(&m->heap, arguments, 0);
    if (tut_str_eq_z(maker.name, "attrgetter"))
        return attribute(m, object, name, ret);
    if (tut_str_eq_z(maker.name, "itemgetter")) {
        tut_pnames table;
        tut_pcall_names(m, object, &table);
        return table.is_resolved && lookup(m, &table, name, ret);
    }
    tut_pval method;
    if (tut_str_eq_z(maker.name, "methodcaller") && attribute(m, object, name, &method)) {
        m->calls++;
        tut_pcall_report(m, TUT_PICKLE_CALL, method, given);
        tut_pv_unref(&m->heap, method);
    }
    return false;
}

bool tut_pattribute(tut_pmachine *m, tut_pval callable, tut_pval arguments, tut_pval *ret_result)
{
    tut_pval_type type = tut_pv_type(&m->heap, callable);
    if (type == TUT_PVAL_OBJECT)
        return by_object(m, callable, arguments, ret_result);
    if (type != TUT_PVAL_GLOBAL)
        return false;
    tut_pnames names;
    tut_pcall_names(m, callable, &names);
    if (!names.is_resolved)
        return false;
    for (size_t i = 0; i < sizeof composers / sizeof *composers; i++) {
        if (tut_pname_is(&names, composers[i].module, composers[i].name))
            return composers[i].run(m, arguments, ret_result);
    }
    return by_method(m, &names, arguments, ret_result);
}
