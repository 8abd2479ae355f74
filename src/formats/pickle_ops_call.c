/* Opcodes that look names up and call things: where a pickle stops being data. */
#include <inttypes.h>
#include <stdio.h>

#include "formats/pickle_call.h"
#include "formats/pickle_machine.h"
#include "formats/pickle_text.h"

static tut_status read_name(tut_pmachine *m, tut_pval *ret)
{
    tut_str line;
    TUT_TRY(tut_ptext_line(m, &line));
    if (!tut_ptext_utf8_valid(line))
        return tut_pm_break(m, TUT_MALFORMED, "%s with a name that is not UTF-8",
                            tut_popcodes[m->op].name);
    *ret = tut_pv_text(&m->heap, TUT_PVAL_STR, line, false);
    return TUT_SUCCESS;
}

static tut_status read_global(tut_pmachine *m, tut_pval *ret)
{
    tut_pval module = TUT_PV_NONE, name = TUT_PV_NONE;
    TUT_TRY(read_name(m, &module));
    tut_status status = read_name(m, &name);
    if (!tut_is_ok(status)) {
        tut_pv_unref(&m->heap, module);
        return status;
    }
    *ret = tut_pcall_import(m, module, name);
    return TUT_SUCCESS;
}

tut_status tut_pop_global(tut_pmachine *m)
{
    tut_pval global = TUT_PV_NONE;
    TUT_TRY(read_global(m, &global));
    return tut_pm_push(m, global);
}

tut_status tut_pop_stack_global(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 2));
    tut_pval name = tut_pm_pop(m);
    tut_pval module = tut_pm_pop(m);
    return tut_pm_push(m, tut_pcall_import(m, module, name));
}

static tut_status call_and_push(tut_pmachine *m, tut_pval callable, tut_pval arguments)
{
    tut_pval result;
    TUT_TRY(tut_pcall_call(m, callable, arguments, &result));
    return tut_pm_push(m, result);
}

tut_status tut_pop_inst(tut_pmachine *m)
{
    size_t start;
    tut_pval callable;
    TUT_TRY(tut_pm_marker(m, &start));
    TUT_TRY(read_global(m, &callable));
    return call_and_push(m, callable, tut_pm_collect(m, start, TUT_PVAL_TUPLE));
}

tut_status tut_pop_obj(tut_pmachine *m)
{
    size_t start;
    TUT_TRY(tut_pm_marker(m, &start));
    if (m->stack.len - start < 1) {
        if (!m->is_lenient)
            return tut_pm_break(m, TUT_MALFORMED, "OBJ without a class");
        return tut_pm_push(m, TUT_PV_LOST);
    }
    tut_pval arguments = tut_pm_collect(m, start + 1, TUT_PVAL_TUPLE);
    return call_and_push(m, tut_pm_pop(m), arguments);
}

tut_status tut_pop_reduce(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 2));
    tut_pval arguments = tut_pm_pop(m);
    return call_and_push(m, tut_pm_pop(m), arguments);
}

tut_status tut_pop_newobj(tut_pmachine *m)
{
    return tut_pop_reduce(m);
}

tut_status tut_pop_newobj_ex(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 3));
    tut_pval keywords = tut_pm_pop(m);
    tut_pval arguments = tut_pm_pop(m);
    size_t count;
    bool is_whole;
    tut_pv_items(&m->heap, keywords, &count, &is_whole);
    if (count == 0 && is_whole) {
        tut_pv_unref(&m->heap, keywords);
        return call_and_push(m, tut_pm_pop(m), arguments);
    }
    /* Keywords are shown as one more argument; nothing is folded then. */
    tut_pval both = tut_pv_container(&m->heap, TUT_PVAL_LIST);
    tut_pv_add(&m->heap, both, arguments);
    tut_pv_add(&m->heap, both, keywords);
    return call_and_push(m, tut_pm_pop(m), both);
}

tut_status tut_pop_build(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 2));
    tut_pval state = tut_pm_pop(m);
    tut_pval object = tut_pstack_top(&m->stack);
    tut_pv_ref(&m->heap, object);
    tut_status status = tut_pcall_build(m, object, state);
    if (tut_is_ok(status) && !m->is_plain)
        status = tut_pjoblib_built(m, object);
    tut_pv_unref(&m->heap, object);
    return status;
}

/* Legacy PyTorch writes the class of a module as ("module", class, file, source text), and its
 * loader hands the class on: what is called then is that class. */
static bool is_legacy_class(const tut_pmachine *m, tut_pval id, tut_pval *ret_class)
{
    tut_str kind;
    if (tut_pv_type(&m->heap, id) != TUT_PVAL_TUPLE ||
        !tut_pv_get_text(&m->heap, tut_pv_item(&m->heap, id, 0), TUT_PVAL_STR, &kind) ||
        !tut_str_eq_z(kind, "module"))
        return false;
    *ret_class = tut_pv_item(&m->heap, id, 1);
    return tut_pv_type(&m->heap, *ret_class) == TUT_PVAL_GLOBAL;
}

/* Persistent ids are resolved by the loader's own method: what it makes of them is not known here.
 */
static tut_status push_persid(tut_pmachine *m, tut_pval id)
{
    m->persids++;
    if (m->x && !m->is_candidate) {
        tut_pnames names = {0};
        char preview[TUT_PREVIEW_MAX];
        tut_str text;
        tut_pval first = tut_pv_type(&m->heap, id) == TUT_PVAL_TUPLE ? tut_pv_item(&m->heap, id, 0)
                                                                     : id;
        names.is_resolved = tut_pv_get_text(&m->heap, first, TUT_PVAL_STR, &text) ||
                            tut_pv_get_text(&m->heap, first, TUT_PVAL_BYTES, &text);
        tut_pickle_event event = {
            .act = TUT_PICKLE_PERSID,
            .opcode = tut_popcodes[m->op].name,
            .offset = m->op_at,
            .is_resolved = names.is_resolved,
            .name = names.is_resolved ? text : TUT_LIT(""),
            .module = TUT_LIT(""),
            .arguments = {preview, tut_ppreview(m, id, preview, sizeof preview)},
            .protocol = m->protocol,
        };
        if (m->x->ops->pickle)
            m->x->ops->pickle(m->x->ctx, &event);
    }
    tut_status status = m->legacy ? tut_plegacy_note(m, id) : TUT_SUCCESS;
    if (!tut_is_ok(status)) {
        tut_pv_unref(&m->heap, id);
        return status;
    }
    tut_pval class;
    if (is_legacy_class(m, id, &class)) {
        tut_pv_ref(&m->heap, class);
        tut_pv_unref(&m->heap, id);
        return tut_pm_push(m, class);
    }
    return tut_pm_push(m, tut_pv_pair(&m->heap, TUT_PVAL_PERSID, id, TUT_PV_NONE, 0));
}

tut_status tut_pop_persid(tut_pmachine *m)
{
    tut_pval id = TUT_PV_NONE;
    TUT_TRY(read_name(m, &id));
    return push_persid(m, id);
}

tut_status tut_pop_binpersid(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 1));
    return push_persid(m, tut_pm_pop(m));
}

/* A code stands for a name in a registry of the process; a pickle can fill the registry itself. */
static tut_status push_extension(tut_pmachine *m, unsigned width)
{
    uint64_t raw;
    if (!tut_pinput_uint(m->in, width, &raw))
        return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside %s", tut_popcodes[m->op].name);
    int64_t code = width == 4 ? (int32_t)(uint32_t)raw : (int64_t)raw;
    tut_pm_observe(m, "pickle.extension-code", "%s %" PRId64 " names a callable by number",
                   tut_popcodes[m->op].name, code);
    if (code <= 0)
        return tut_pm_break(m, TUT_MALFORMED, "%s with code %" PRId64, tut_popcodes[m->op].name,
                            code);
    for (size_t i = m->extension_count; i > 0; i--) {
        const tut_pextension *known = &m->extensions[i - 1];
        if (known->code != code)
            continue;
        tut_pv_ref(&m->heap, known->module);
        tut_pv_ref(&m->heap, known->name);
        return tut_pm_push(m, tut_pcall_import(m, known->module, known->name));
    }
    char text[40];
    int len = snprintf(text, sizeof text, "extension %" PRId64, code);
    tut_pval name = tut_pv_text(&m->heap, TUT_PVAL_STR, (tut_str){text, (size_t)len}, false);
    tut_pval module = tut_pv_text(&m->heap, TUT_PVAL_STR, TUT_LIT("copyreg"), false);
    tut_pval global = tut_pv_pair(&m->heap, TUT_PVAL_GLOBAL, module, name, TUT_PNODE_UNRESOLVED);
    tut_pcall_report(m, TUT_PICKLE_IMPORT, global, TUT_PV_NONE);
    return tut_pm_push(m, global);
}

tut_status tut_pop_ext1(tut_pmachine *m)
{
    return push_extension(m, 1);
}

tut_status tut_pop_ext2(tut_pmachine *m)
{
    return push_extension(m, 2);
}

tut_status tut_pop_ext4(tut_pmachine *m)
{
    return push_extension(m, 4);
}
