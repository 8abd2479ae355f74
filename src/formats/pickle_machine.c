#include "formats/pickle_machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { STEPS_BATCH = 4096 };

tut_status tut_pmachine_init(tut_pmachine *m, tut_exam *x, tut_pinput *in, tut_budget *budget)
{
    *m = (tut_pmachine){.x = x, .in = in, .start = tut_pinput_pos(in), .frame_end = UINT64_MAX};
    tut_pheap_init(&m->heap, budget);
    tut_pstack_init(&m->stack, budget);
    tut_pstack_init(&m->marks, budget);
    tut_pmemo_init(&m->memo, &m->heap);
    m->keep = tut_realloc_array(NULL, TUT_LIMIT_PICKLE_TEXT_BYTES, 2);
    if (!m->keep)
        return (tut_status){TUT_NOMEM};
    m->text = m->keep + TUT_LIMIT_PICKLE_TEXT_BYTES;
    return TUT_SUCCESS;
}

void tut_pmachine_done(tut_pmachine *m)
{
    tut_pmemo_done(&m->memo);
    tut_pstack_done(&m->stack);
    tut_pstack_done(&m->marks);
    tut_pheap_done(&m->heap);
    tut_free(m->keep);
    m->keep = m->text = NULL;
}

uint64_t tut_pm_pos(const tut_pmachine *m)
{
    return tut_pinput_pos(m->in);
}

tut_status tut_pm_break(tut_pmachine *m, tut_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(m->why, sizeof m->why, fmt, ap);
    va_end(ap);
    m->broken = code;
    return (tut_status){code};
}

void tut_pm_observe(tut_pmachine *m, const char *rule, const char *fmt, ...)
{
    if (!m->x || m->is_candidate)
        return;
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    tut_exam_observe(m->x, rule, m->op_at, "%s", text);
}

tut_status tut_pm_push(tut_pmachine *m, tut_pval v)
{
    tut_status status = tut_pstack_push(&m->stack, v);
    if (!tut_is_ok(status))
        tut_pv_unref(&m->heap, v);
    return status;
}

tut_status tut_pm_need(tut_pmachine *m, size_t n)
{
    while (m->stack.len - m->fence < n) {
        if (!m->is_lenient)
            return tut_pm_break(m, TUT_MALFORMED, "%s needs %zu values, the stack has %zu",
                                tut_popcodes[m->op].name, n, m->stack.len - m->fence);
        TUT_TRY(tut_pm_push(m, TUT_PV_LOST));
    }
    return TUT_SUCCESS;
}

tut_status tut_pm_marker(tut_pmachine *m, size_t *ret_start)
{
    if (m->marks.len == 0) {
        if (!m->is_lenient)
            return tut_pm_break(m, TUT_MALFORMED, "%s finds no MARK", tut_popcodes[m->op].name);
        *ret_start = 0;
        return TUT_SUCCESS;
    }
    *ret_start = tut_pstack_pop(&m->marks);
    m->fence = m->marks.len ? tut_pstack_top(&m->marks) : 0;
    return TUT_SUCCESS;
}

tut_pval tut_pm_collect(tut_pmachine *m, size_t start, tut_pval_type type)
{
    if (start == m->stack.len && type == TUT_PVAL_TUPLE)
        return TUT_PV_EMPTY_TUPLE;
    tut_pval v = tut_pv_container(&m->heap, type);
    for (size_t i = start; i < m->stack.len; i++)
        tut_pv_add(&m->heap, v, *tut_pstack_at(&m->stack, i));
    m->stack.len = start;
    tut_pm_weigh(m, v);
    return v;
}

void tut_pm_weigh(tut_pmachine *m, tut_pval v)
{
    uint32_t weight = tut_pv_weight(&m->heap, v);
    if (weight < TUT_LIMIT_PICKLE_EXPANSION || m->is_weight_told)
        return;
    uint64_t read = tut_pm_pos(m) - m->start;
    if (weight / TUT_LIMIT_PICKLE_EXPANSION_RATIO < read)
        return;
    m->is_weight_told = true;
    tut_pm_observe(m, "pickle.memo-bomb",
                   "%" PRIu64 " bytes of pickle stand for %s%" PRIu32
                   " values when its references are written out",
                   read, weight == UINT32_MAX ? "more than " : "", weight);
}

static void add_split(tut_pmachine *m, uint64_t at, int first_op)
{
    if (m->split_count < TUT_PSPLITS_MAX)
        m->splits[m->split_count++] = (tut_psplit){at, first_op};
}

/* How many bytes of fixed-size length or number follow an opcode: a read of their own. */
static unsigned header_bytes(uint8_t op)
{
    switch (op) {
    case 'U':
    case 'C':
    case 0x8c:
    case 0x8a:
    case 'K':
    case 'h':
    case 'q':
    case 0x80:
    case 0x82:
        return 1;
    case 'M':
    case 0x83:
        return 2;
    case 'J':
    case 'T':
    case 'X':
    case 'B':
    case 0x8b:
    case 'j':
    case 'r':
    case 0x84:
        return 4;
    case 'G':
    case 0x8d:
    case 0x8e:
    case 0x96:
    case 0x95:
        return 8;
    default:
        return 0; /* nothing, or lines */
    }
}

/* A frame ended inside an opcode. On a file the C loader then forgets the rest of the frame and
 * reads the argument anew from the frame's end (CPython issue 154848); in memory it reads on;
 * the Python loader gives up. All readings are run. */
static void frame_crossed(tut_pmachine *m)
{
    uint64_t end = m->frame_end, pos = tut_pm_pos(m);
    m->frame_end = UINT64_MAX;
    tut_pm_observe(m, "pickle.frame-divergence",
                   "a frame ends at byte %" PRIu64
                   ", inside %s: loaders disagree about what follows",
                   end, tut_popcodes[m->op].name);
    add_split(m, end, -1);
    uint64_t header_end = m->op_at + 1 + header_bytes(m->op);
    if (header_bytes(m->op) == 0 || end < header_end)
        add_split(m, end, m->op);
    else
        add_split(m, end + (pos - header_end), -1);
}

static tut_status step(tut_pmachine *m)
{
    const tut_popcode *row = &tut_popcodes[m->op];
    if (!row->run)
        return tut_pm_break(m, TUT_MALFORMED, "byte 0x%02x is no opcode", m->op);
    if (row->protocol > m->needs_protocol)
        m->needs_protocol = row->protocol;
    TUT_TRY(row->run(m));
    if (tut_pm_pos(m) >= m->frame_end) {
        if (tut_pm_pos(m) > m->frame_end)
            frame_crossed(m);
        m->frame_end = UINT64_MAX;
    }
    return TUT_SUCCESS;
}

static tut_status run(tut_pmachine *m, int first_op, tut_error *err)
{
    if (first_op >= 0) {
        m->op_at = tut_pm_pos(m);
        m->op = (uint8_t)first_op;
        TUT_TRY(step(m));
    }
    while (!m->is_done) {
        m->op_at = tut_pinput_pos(m->in);
        if (!tut_pinput_u8(m->in, &m->op))
            return tut_pm_break(m, TUT_TRUNCATED, "the data ends without STOP");
        if (++m->ops % STEPS_BATCH == 0) {
            if (m->heap.budget)
                TUT_TRY(tut_budget_steps(m->heap.budget, STEPS_BATCH, err));
            if (m->heap.is_exhausted)
                return (tut_status){TUT_NOMEM};
        }
        if (m->ops_max && m->ops > m->ops_max)
            return tut_pm_break(m, TUT_LIMIT, "a short look ends here");
        TUT_TRY(step(m));
    }
    if (m->heap.is_exhausted)
        return (tut_status){TUT_NOMEM};
    return TUT_SUCCESS;
}

tut_status tut_pmachine_run(tut_pmachine *m, int first_op, tut_error *err)
{
    tut_status status = run(m, first_op, err);
    if (m->heap.budget && m->ops % STEPS_BATCH &&
        !tut_is_ok(tut_budget_steps(m->heap.budget, m->ops % STEPS_BATCH, err)) &&
        tut_is_ok(status))
        status = tut_fail(err, TUT_LIMIT, "more pickle opcodes than one examination may read");
    tut_pinput_sync(m->in);
    if (m->broken != TUT_OK)
        return TUT_SUCCESS;
    return status;
}
