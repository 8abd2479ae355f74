/* What is written into objects: items, and the state that BUILD sets. */
#include "formats/pickle_call.h"

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
        tut_pcall_note_extension(m, tut_pv_item(&m->heap, pairs[i + 1], 0),
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

/* Picklers write items first and the state last. Items given to an object that has its state go
 * through its append, extend or add, which the state may have replaced. */
static void look_at_order(tut_pmachine *m, tut_pval target)
{
    if (tut_pv_type(&m->heap, target) == TUT_PVAL_OBJECT &&
        tut_pv_state(&m->heap, target) != TUT_PV_NONE &&
        strncmp(tut_popcodes[m->op].name, "SETITEM", 7) != 0)
        tut_pm_observe(m, "pickle.item-after-state",
                       "%s adds to an object that has been given its state",
                       tut_popcodes[m->op].name);
}

tut_status tut_pcall_write(tut_pmachine *m, tut_pval target, tut_pval items)
{
    look_at_target(m, target);
    look_at_order(m, target);
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

/* Attributes that Python and NumPy look up on the object itself, not on its class. */
void tut_pcall_look_at_state(tut_pmachine *m, tut_pval state)
{
    static const char *const methods[] = {"__setstate__", "__array__"};
    static const char *const values[] = {"__array_interface__", "__array_struct__", "__class__"};
    tut_pval planted;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (state_attribute(m, state, methods[i], &planted) &&
            (i == 0 || !tut_pcannot_be_called(m, planted)))
            tut_pm_observe(m, "pickle.planted-setstate",
                           "the state of an object has a %s of its own", methods[i]);
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (state_attribute(m, state, values[i], &planted))
            tut_pm_observe(m, "pickle.planted-setstate",
                           "the state of an object has a %s of its own", values[i]);
    }
    look_at_source(m, state);
}

static void build_object(tut_pmachine *m, tut_pval object, tut_pval state)
{
    tut_pval planted;
    if (tut_pv_type(&m->heap, object) == TUT_PVAL_OBJECT &&
        tut_pv_state(&m->heap, object) != TUT_PV_NONE)
        tut_pm_observe(m, "pickle.item-after-state", "%s sets the state of an object once more",
                       tut_popcodes[m->op].name);
    /* A __setstate__ that an earlier BUILD put there is what this one calls. */
    if (state_attribute(m, tut_pv_state(&m->heap, object), "__setstate__", &planted) &&
        !tut_pcannot_be_called(m, planted)) {
        m->calls++;
        tut_pcall_report(m, TUT_PICKLE_CALL, planted, state);
    }
    tut_pcall_look_at_state(m, state);
    tut_pnumpy_built(m, object, state);
    tut_pnumpy_tell_state(m, object, state);
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
