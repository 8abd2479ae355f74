#include "formats/pickle_memo.h"

#include "base/limits.h"

void tut_pmemo_init(tut_pmemo *m, tut_pheap *heap)
{
    *m = (tut_pmemo){.heap = heap};
}

void tut_pmemo_done(tut_pmemo *m)
{
    tut_budget *budget = m->heap ? m->heap->budget : NULL;
    if (budget)
        tut_budget_heap_return(budget, m->near_capacity * sizeof *m->near +
                                           m->far_capacity * sizeof *m->far);
    tut_free(m->near);
    tut_free(m->far);
    *m = (tut_pmemo){0};
}

static bool charge(const tut_pmemo *m, uint64_t bytes)
{
    return !m->heap->budget || tut_is_ok(tut_budget_heap(m->heap->budget, bytes, NULL));
}

static void give_back(const tut_pmemo *m, uint64_t bytes)
{
    if (m->heap->budget)
        tut_budget_heap_return(m->heap->budget, bytes);
}

/* The array may be at most twice as long as what is in it, and a little more. */
static bool is_near(const tut_pmemo *m, uint64_t index)
{
    return index < 4096 || index / 2 <= m->size;
}

static bool grow_near(tut_pmemo *m, uint64_t index)
{
    size_t cap = m->near_capacity ? m->near_capacity : 64;
    while (cap <= index)
        cap += cap / 2;
    if (cap == m->near_capacity)
        return true;
    size_t more = (cap - m->near_capacity) * sizeof *m->near;
    if (!charge(m, more))
        return false;
    tut_pval *near = tut_realloc_array(m->near, cap, sizeof *near);
    if (!near) {
        give_back(m, more);
        m->heap->is_exhausted = true;
        return false;
    }
    for (size_t i = m->near_capacity; i < cap; i++)
        near[i] = TUT_PVAL_UNSET;
    m->near = near;
    m->near_capacity = cap;
    return true;
}

static size_t far_slot(const tut_pmemo_far *table, size_t capacity, uint64_t index)
{
    size_t i = (size_t)((index + 1) * 0x9e3779b97f4a7c15ull >> 20) & (capacity - 1);
    while (table[i].index && table[i].index != index + 1)
        i = (i + 1) & (capacity - 1);
    return i;
}

static bool grow_far(tut_pmemo *m)
{
    if (m->far_count * 2 < m->far_capacity)
        return true;
    size_t cap = m->far_capacity ? m->far_capacity * 2 : 64;
    if (!charge(m, cap * sizeof *m->far))
        return false;
    tut_pmemo_far *far = tut_alloc_array(cap, sizeof *far);
    if (!far) {
        give_back(m, cap * sizeof *m->far);
        m->heap->is_exhausted = true;
        return false;
    }
    for (size_t i = 0; i < m->far_capacity; i++) {
        if (m->far[i].index)
            far[far_slot(far, cap, m->far[i].index - 1)] = m->far[i];
    }
    give_back(m, m->far_capacity * sizeof *m->far);
    tut_free(m->far);
    m->far = far;
    m->far_capacity = cap;
    return true;
}

static void forget(tut_pmemo *m, tut_pval value)
{
    m->is_lossy = true;
    m->size++; /* MEMOIZE counts it all the same */
    tut_pv_unref(m->heap, value);
}

static void put_far(tut_pmemo *m, uint64_t index, tut_pval value)
{
    if (index == UINT64_MAX || !grow_far(m)) {
        forget(m, value);
        return;
    }
    tut_pmemo_far *slot = &m->far[far_slot(m->far, m->far_capacity, index)];
    if (slot->index) {
        tut_pv_unref(m->heap, slot->value);
    } else {
        slot->index = index + 1;
        m->far_count++;
        m->size++;
    }
    slot->value = value;
}

/* An index that was put far before stays there: one place for each. */
static bool is_far_already(const tut_pmemo *m, uint64_t index)
{
    return m->far_count && index != UINT64_MAX &&
           m->far[far_slot(m->far, m->far_capacity, index)].index;
}

void tut_pmemo_put(tut_pmemo *m, uint64_t index, tut_pval value)
{
    if (index >= m->near_capacity) {
        if (!is_near(m, index) || is_far_already(m, index)) {
            put_far(m, index, value);
            return;
        }
        if (!grow_near(m, index)) {
            forget(m, value);
            return;
        }
    } else if (is_far_already(m, index)) {
        put_far(m, index, value);
        return;
    }
    if (m->near[index] == TUT_PVAL_UNSET)
        m->size++;
    else
        tut_pv_unref(m->heap, m->near[index]);
    m->near[index] = value;
}

tut_pval tut_pmemo_get(const tut_pmemo *m, uint64_t index)
{
    if (is_far_already(m, index))
        return m->far[far_slot(m->far, m->far_capacity, index)].value;
    if (index < m->near_capacity && m->near[index] != TUT_PVAL_UNSET)
        return m->near[index];
    return m->is_lossy ? (tut_pval)TUT_PV_LOST : TUT_PVAL_UNSET;
}
