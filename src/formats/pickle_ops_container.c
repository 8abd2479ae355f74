/* Opcodes that make tuples, lists, dicts and sets, and that write into what is there. */
#include "formats/pickle_call.h"
#include "formats/pickle_machine.h"

tut_status tut_pop_empty_tuple(tut_pmachine *m)
{
    return tut_pm_push(m, TUT_PV_EMPTY_TUPLE);
}

tut_status tut_pop_empty_list(tut_pmachine *m)
{
    return tut_pm_push(m, TUT_PV_EMPTY_LIST);
}

tut_status tut_pop_empty_dict(tut_pmachine *m)
{
    return tut_pm_push(m, TUT_PV_EMPTY_DICT);
}

tut_status tut_pop_empty_set(tut_pmachine *m)
{
    return tut_pm_push(m, TUT_PV_EMPTY_SET);
}

static tut_status make_from_mark(tut_pmachine *m, tut_pval_type type)
{
    size_t start;
    TUT_TRY(tut_pm_marker(m, &start));
    if (type == TUT_PVAL_DICT && (m->stack.len - start) % 2 != 0)
        return tut_pm_break(m, TUT_MALFORMED, "%s with a key that has no value",
                            tut_popcodes[m->op].name);
    return tut_pm_push(m, tut_pm_collect(m, start, type));
}

tut_status tut_pop_tuple(tut_pmachine *m)
{
    return make_from_mark(m, TUT_PVAL_TUPLE);
}

tut_status tut_pop_list(tut_pmachine *m)
{
    return make_from_mark(m, TUT_PVAL_LIST);
}

tut_status tut_pop_dict(tut_pmachine *m)
{
    return make_from_mark(m, TUT_PVAL_DICT);
}

tut_status tut_pop_frozenset(tut_pmachine *m)
{
    return make_from_mark(m, TUT_PVAL_SET);
}

static tut_status make_tuple(tut_pmachine *m, size_t n)
{
    TUT_TRY(tut_pm_need(m, n));
    return tut_pm_push(m, tut_pm_collect(m, m->stack.len - n, TUT_PVAL_TUPLE));
}

tut_status tut_pop_tuple1(tut_pmachine *m)
{
    return make_tuple(m, 1);
}

tut_status tut_pop_tuple2(tut_pmachine *m)
{
    return make_tuple(m, 2);
}

tut_status tut_pop_tuple3(tut_pmachine *m)
{
    return make_tuple(m, 3);
}

/* Puts everything above `start` into the value just below it. */
static tut_status write_into(tut_pmachine *m, size_t start, bool is_pairs)
{
    if (start <= m->fence) {
        if (!m->is_lenient)
            return tut_pm_break(m, TUT_MALFORMED, "%s has nothing to write into",
                                tut_popcodes[m->op].name);
        while (m->stack.len > start)
            tut_pv_unref(&m->heap, tut_pm_pop(m));
        return TUT_SUCCESS;
    }
    if (start == m->stack.len)
        return TUT_SUCCESS;
    if (is_pairs && (m->stack.len - start) % 2 != 0)
        return tut_pm_break(m, TUT_MALFORMED, "%s with a key that has no value",
                            tut_popcodes[m->op].name);
    uint32_t *target = tut_pstack_at(&m->stack, start - 1);
    *target = tut_pv_materialise(&m->heap, *target);
    tut_pval_type type = tut_pv_type(&m->heap, *target);
    if (type == TUT_PVAL_GLOBAL || type == TUT_PVAL_OBJECT || type == TUT_PVAL_PERSID) {
        tut_pval items = tut_pm_collect(m, start, is_pairs ? TUT_PVAL_DICT : TUT_PVAL_LIST);
        return tut_pcall_write(m, *tut_pstack_at(&m->stack, start - 1), items);
    }
    bool fits = type == TUT_PVAL_LIST || type == TUT_PVAL_DICT || type == TUT_PVAL_SET;
    if (!fits && type != TUT_PVAL_OPAQUE && !m->is_lenient)
        return tut_pm_break(m, TUT_MALFORMED, "%s into a value that cannot be written to",
                            tut_popcodes[m->op].name);
    for (size_t i = start; i < m->stack.len; i++) {
        tut_pval item = *tut_pstack_at(&m->stack, i);
        if (fits)
            tut_pv_add(&m->heap, *target, item);
        else
            tut_pv_unref(&m->heap, item);
    }
    m->stack.len = start;
    tut_pm_weigh(m, *target);
    return TUT_SUCCESS;
}

tut_status tut_pop_append(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 2));
    return write_into(m, m->stack.len - 1, false);
}

tut_status tut_pop_setitem(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 3));
    return write_into(m, m->stack.len - 2, true);
}

static tut_status write_from_mark(tut_pmachine *m, bool is_pairs)
{
    size_t start;
    TUT_TRY(tut_pm_marker(m, &start));
    return write_into(m, start, is_pairs);
}

tut_status tut_pop_appends(tut_pmachine *m)
{
    return write_from_mark(m, false);
}

tut_status tut_pop_setitems(tut_pmachine *m)
{
    return write_from_mark(m, true);
}

tut_status tut_pop_additems(tut_pmachine *m)
{
    return write_from_mark(m, false);
}
