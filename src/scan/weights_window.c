/* Low bits of consecutive numbers, window by window: counted all, looked into where they are not as
 * chance has them. */
#include "scan/weights_internal.h"

/* Planes whose share of ones is even in nature: the higher ones of short mantissas follow the
 * slope of the distribution, and those of whole numbers follow anything. */
static unsigned even_planes(tut_numeric kind)
{
    switch (kind) {
    case TUT_NUMERIC_F64:
    case TUT_NUMERIC_F32:
        return 8;
    case TUT_NUMERIC_F16:
        return 5;
    case TUT_NUMERIC_BF16:
        return 1;
    case TUT_NUMERIC_NONE:
    case TUT_NUMERIC_I8:
    case TUT_NUMERIC_U8:
    case TUT_NUMERIC_Q8_0:
    case TUT_NUMERIC_COUNT:
        break;
    }
    return 0;
}

/* Of a tensor that gives one candidate after the other, as quantised ones do, the first eight are
 * looked into and then ever fewer. */
static bool is_worth_a_look(tut_weights_run *r)
{
    unsigned n = ++r->candidates;
    if (r->deep_left == 0 || (n > 8 && (n & (n - 1)) != 0 && n % 64 != 0))
        return false;
    r->deep_left--;
    return true;
}

void tut_weights_window_flush(tut_weights_run *r)
{
    tut_weights_window *w = &r->window;
    tut_planes planes;
    unsigned period = 0;
    bool is_odd = false;
    size_t groups = w->count / TUT_PLANES_PERIOD;
    if (groups > 0) {
        tut_planes_count(w->low, groups, &planes);
        for (unsigned i = 0; i < TUT_PLANES && !is_odd; i++)
            is_odd = tut_planes_score(&planes, i, i >= even_planes(w->kind), &period) > 1;
        if (is_odd && is_worth_a_look(r))
            (void)tut_weights_look(r);
    }
    w->count = 0;
    w->piece_count = 0;
}

static void add(tut_weights_run *r, size_t tensor, uint64_t at, const uint8_t *units, size_t count)
{
    tut_weights_window *w = &r->window;
    const tut_numeric_kind *k = &tut_numeric_kinds[w->kind];
    tut_weights_piece *last = w->piece_count ? &w->pieces[w->piece_count - 1] : NULL;
    tut_numeric_low(w->kind, units, count, w->low + w->count);
    w->count += count * k->unit_values;
    if (last && last->tensor == tensor) {
        last->values += count * k->unit_values;
        return;
    }
    w->pieces[w->piece_count++] =
        (tut_weights_piece){.tensor = tensor, .begin = at, .values = count * k->unit_values};
}

void tut_weights_window_add(tut_weights_run *r, size_t tensor, uint64_t at, const uint8_t *units,
                            size_t count)
{
    tut_weights_window *w = &r->window;
    tut_numeric kind = r->w->tensors[tensor].kind;
    const tut_numeric_kind *k = &tut_numeric_kinds[kind];
    if (w->count > 0 && (w->kind != kind || w->piece_count == TUT_WEIGHTS_PIECES))
        tut_weights_window_flush(r);
    w->kind = kind;
    while (count > 0) {
        size_t room = (TUT_PLANES_VALUES - w->count) / k->unit_values;
        size_t n = count < room ? count : room;
        add(r, tensor, at, units, n);
        units += n * k->unit_bytes;
        at += n * k->unit_bytes;
        count -= n;
        if (w->count == TUT_PLANES_VALUES)
            tut_weights_window_flush(r);
    }
}
