/* Opcodes that move values about: marks, POP, DUP, the memo; and those that frame the stream. */
#include <inttypes.h>

#include "formats/pickle_machine.h"
#include "formats/pickle_text.h"

tut_status tut_pop_mark(tut_pmachine *m)
{
    if (m->marks.len == TUT_LIMIT_PICKLE_MARKS && !m->is_nesting_told) {
        m->is_nesting_told = true;
        tut_pm_observe(m, "pickle.deep-nesting", "more than %u open marks", TUT_LIMIT_PICKLE_MARKS);
    }
    TUT_TRY(tut_pstack_push(&m->marks, (uint32_t)m->stack.len));
    m->fence = m->stack.len;
    return TUT_SUCCESS;
}

tut_status tut_pop_stop(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 1));
    m->result = tut_pm_pop(m);
    m->is_done = true;
    if (m->frame_end != UINT64_MAX && tut_pm_pos(m) < m->frame_end)
        tut_pm_observe(m, "pickle.frame-mismatch",
                       "STOP comes %" PRIu64 " bytes before the end of its frame",
                       m->frame_end - tut_pm_pos(m));
    return TUT_SUCCESS;
}

tut_status tut_pop_pop(tut_pmachine *m)
{
    /* The loader keeps marks beside the values: POP takes whichever is on top. */
    if (m->marks.len && tut_pstack_top(&m->marks) == m->stack.len) {
        size_t start;
        return tut_pm_marker(m, &start);
    }
    TUT_TRY(tut_pm_need(m, 1));
    tut_pv_unref(&m->heap, tut_pm_pop(m));
    return TUT_SUCCESS;
}

tut_status tut_pop_pop_mark(tut_pmachine *m)
{
    size_t start;
    TUT_TRY(tut_pm_marker(m, &start));
    while (m->stack.len > start)
        tut_pv_unref(&m->heap, tut_pm_pop(m));
    return TUT_SUCCESS;
}

/* The top of the stack is about to be referred to twice: a fresh container becomes a node. */
static tut_pval share_top(tut_pmachine *m)
{
    uint32_t *top = tut_pstack_at(&m->stack, m->stack.len - 1);
    *top = tut_pv_materialise(&m->heap, *top);
    tut_pv_ref(&m->heap, *top);
    return *top;
}

tut_status tut_pop_dup(tut_pmachine *m)
{
    TUT_TRY(tut_pm_need(m, 1));
    return tut_pm_push(m, share_top(m));
}

static tut_status recall(tut_pmachine *m, uint64_t index)
{
    tut_pval v = tut_pmemo_get(&m->memo, index);
    if (v == TUT_PVAL_UNSET) {
        if (!m->is_lenient)
            return tut_pm_break(m, TUT_MALFORMED, "%s: nothing was memoised at %" PRIu64,
                                tut_popcodes[m->op].name, index);
        v = TUT_PV_LOST;
    }
    tut_pv_ref(&m->heap, v);
    return tut_pm_push(m, v);
}

static tut_status store(tut_pmachine *m, uint64_t index)
{
    enum { HUGE_INDEX = 1 << 24 };
    TUT_TRY(tut_pm_need(m, 1));
    if (index >= HUGE_INDEX && index / 2 > m->memo.size && !m->is_count_told) {
        m->is_count_told = true;
        tut_pm_observe(m, "pickle.huge-count",
                       "%s at %" PRIu64 ", with %" PRIu64 " values before it: the loader takes "
                       "memory for all between",
                       tut_popcodes[m->op].name, index, m->memo.size);
    }
    tut_pmemo_put(&m->memo, index, share_top(m));
    return TUT_SUCCESS;
}

static tut_status read_index(tut_pmachine *m, unsigned width, uint64_t *ret)
{
    if (!tut_pinput_uint(m->in, width, ret))
        return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside %s", tut_popcodes[m->op].name);
    return TUT_SUCCESS;
}

static tut_status read_index_line(tut_pmachine *m, uint64_t *ret)
{
    tut_str line;
    int64_t index;
    TUT_TRY(tut_ptext_line(m, &line));
    if (!tut_ptext_int(line, 10, &index) || index < 0)
        return tut_pm_break(m, TUT_MALFORMED, "%s: not an index", tut_popcodes[m->op].name);
    *ret = (uint64_t)index;
    return TUT_SUCCESS;
}

tut_status tut_pop_get(tut_pmachine *m)
{
    uint64_t index = 0;
    TUT_TRY(read_index_line(m, &index));
    return recall(m, index);
}

tut_status tut_pop_binget(tut_pmachine *m)
{
    uint64_t index;
    TUT_TRY(read_index(m, 1, &index));
    return recall(m, index);
}

tut_status tut_pop_long_binget(tut_pmachine *m)
{
    uint64_t index;
    TUT_TRY(read_index(m, 4, &index));
    return recall(m, index);
}

tut_status tut_pop_put(tut_pmachine *m)
{
    uint64_t index = 0;
    TUT_TRY(read_index_line(m, &index));
    return store(m, index);
}

tut_status tut_pop_binput(tut_pmachine *m)
{
    uint64_t index;
    TUT_TRY(read_index(m, 1, &index));
    return store(m, index);
}

tut_status tut_pop_long_binput(tut_pmachine *m)
{
    uint64_t index;
    TUT_TRY(read_index(m, 4, &index));
    return store(m, index);
}

tut_status tut_pop_memoize(tut_pmachine *m)
{
    return store(m, m->memo.size);
}

tut_status tut_pop_proto(tut_pmachine *m)
{
    uint64_t version;
    TUT_TRY(read_index(m, 1, &version));
    if (version > 5)
        return tut_pm_break(m, TUT_MALFORMED, "pickle protocol %" PRIu64 " does not exist",
                            version);
    if (m->op_at != m->start && !m->is_proto_told) {
        m->is_proto_told = true;
        tut_pm_observe(m, "pickle.proto-misplaced", "PROTO %" PRIu64 " in the middle of the pickle",
                       version);
    }
    m->protocol = (uint8_t)version;
    return TUT_SUCCESS;
}

tut_status tut_pop_frame(tut_pmachine *m)
{
    uint64_t len;
    TUT_TRY(read_index(m, 8, &len));
    uint64_t pos = tut_pm_pos(m);
    if (m->frame_end != UINT64_MAX && pos < m->frame_end)
        tut_pm_observe(m, "pickle.frame-mismatch",
                       "a frame begins %" PRIu64 " bytes before the end of another",
                       m->frame_end - pos);
    if (len > tut_pinput_left(m->in)) {
        tut_pm_observe(
            m, len >= TUT_LIMIT_PICKLE_CLAIM ? "pickle.oversized-claim" : "pickle.frame-mismatch",
            "a frame claims %" PRIu64 " bytes, %" PRIu64 " are left", len, tut_pinput_left(m->in));
        m->frame_end = UINT64_MAX;
        return TUT_SUCCESS;
    }
    m->frame_end = __builtin_add_overflow(pos, len, &pos) ? UINT64_MAX : pos;
    if (len == 0)
        m->frame_end = UINT64_MAX;
    return TUT_SUCCESS;
}
