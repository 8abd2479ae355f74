/* One tensor's numbers, as they come by: moments, precision, distribution, and on to the window. */
#include <string.h>

#include "scan/weights_internal.h"

enum {
    PART = 1 << 15,
    PARTS_WHOLE = 16,
    FOLLOWING = 1 << 17,
    CHUNK = TUT_PLANES_VALUES,
    WINDOW_LEAST = 96,
    FULL = 256
};

/* Numbers whose distribution is looked at, of one file: about a tenth of a second. */
static const uint64_t samples_max = 32ull << 20;

void tut_weights_begin(tut_weights_run *r, size_t tensor)
{
    const tut_weights_tensor *t = &r->w->tensors[tensor];
    r->carried = 0;
    r->flat_bits = 0;
    r->flat_score = 0;
    r->full_windows = 0;
    r->cut_windows = 0;
    r->is_spliced = false;
    r->is_hollow = false;
    r->candidates = 0;
    if (t->kind == TUT_NUMERIC_NONE)
        return;
    tut_flatness_reset(&r->part, t->kind);
    tut_flatness_reset(&r->whole, t->kind);
    if (r->starts_left > 0) {
        r->starts_left--;
        (void)tut_weights_look_at_start(r, tensor);
    }
}

/* The beginning of each tensor is sampled whole, of what follows every eighth part. */
static bool is_sampled(const tut_weights_run *r, uint64_t so_far)
{
    return r->sampled < samples_max &&
           (so_far < (uint64_t)PART * PARTS_WHOLE || so_far / FOLLOWING % 8 == 0);
}

static void end_part(tut_weights_run *r)
{
    double score = 0;
    if (r->part.total == 0)
        return;
    unsigned bits = r->part.total >= FULL ? tut_flatness_bits(&r->part, &score) : 0;
    if (bits > 0 && score > r->flat_score) {
        r->flat_score = score;
        r->flat_bits = bits;
    }
    tut_flatness_merge(&r->whole, &r->part);
    tut_flatness_reset(&r->part, r->part.kind);
}

/* Numbers of which the lowest bits move and the highest, but none of at least three between:
 * rounded ones into whose empty bits something was written. Few different numbers look so by
 * chance. */
static bool is_hollow(tut_weights_run *r, tut_numeric kind, const uint8_t *units, size_t count,
                      uint64_t moving)
{
    enum { GAP = 7, DIFFERENT = 32, LEAST = 48 };
    const unsigned mantissa = tut_numeric_kinds[kind].mantissa_bits;
    unsigned low = 0;
    size_t touched = 0, different = 0;
    uint8_t seen[1024] = {0};
    while (low < mantissa && (moving >> low & 1))
        low++;
    uint64_t above = moving >> low & ((1ull << (mantissa - low)) - 1);
    if (low == 0 || (above & GAP) != 0 || above == 0)
        return false;
    tut_numeric_bits(kind, units, count, r->bits);
    for (size_t i = 0; i < count; i++) {
        unsigned slot = (unsigned)((r->bits[i] >> low) * 0x9e3779b97f4a7c15ull >> 51);
        touched += (r->bits[i] & ((1ull << low) - 1)) != 0;
        different += !(seen[slot / 8] & 1u << slot % 8);
        seen[slot / 8] |= (uint8_t)(1u << slot % 8);
    }
    return touched >= LEAST && different >= DIFFERENT &&
           !tut_weights_is_table(r->bits, count, kind);
}

/* Rows rounded to fewer bits, as bfloat16 kept in 32 bits, and rows that are not. */
static void see_precision(tut_weights_run *r, tut_numeric kind, const uint8_t *units, size_t count)
{
    uint64_t ever, always;
    const tut_numeric_kind *k = &tut_numeric_kinds[kind];
    if (k->mantissa_bits < 23 || count < WINDOW_LEAST)
        return;
    tut_numeric_masks(kind, units, count, &ever, &always);
    uint64_t moving = ever & ~always;
    if (moving == 0)
        return;
    r->is_hollow = r->is_hollow || is_hollow(r, kind, units, count, moving);
    bool is_cut = (moving & 0x1fff) == 0;
    bool is_full = (moving & 0xff) == 0xff;
    r->full_windows += is_full;
    r->cut_windows += is_cut;
    if (is_cut && r->full_windows > 0)
        r->is_spliced = true;
}

static void take(tut_weights_run *r, size_t tensor, uint64_t at, const uint8_t *units, size_t count)
{
    tut_weights_tensor *t = &r->w->tensors[tensor];
    const tut_numeric_kind *k = &tut_numeric_kinds[t->kind];
    const size_t most = CHUNK / k->unit_values;
    while (count > 0) {
        size_t n = count < most ? count : most;
        uint64_t so_far = t->moments.count;
        if (t->kind != TUT_NUMERIC_F32)
            tut_numeric_floats(t->kind, units, n, r->floats);
        tut_moments_add(&t->moments, t->kind == TUT_NUMERIC_F32 ? (const void *)units : r->floats,
                        n * k->unit_values);
        see_precision(r, t->kind, units, n);
        if (is_sampled(r, so_far)) {
            tut_flatness_add(&r->part, units, n);
            r->sampled += n * k->unit_values;
        }
        if (r->part.total >= (so_far < (uint64_t)PART * PARTS_WHOLE ? PART : FOLLOWING))
            end_part(r);
        tut_weights_window_add(r, tensor, at, units, n);
        units += n * k->unit_bytes;
        at += n * k->unit_bytes;
        count -= n;
    }
}

void tut_weights_feed(tut_weights_run *r, size_t tensor, uint64_t at, const uint8_t *bytes,
                      size_t len)
{
    const size_t unit = tut_numeric_kinds[r->w->tensors[tensor].kind].unit_bytes;
    if (r->w->tensors[tensor].kind == TUT_NUMERIC_NONE)
        return;
    if (r->carried > 0) {
        size_t more = unit - r->carried < len ? unit - r->carried : len;
        memcpy(r->carry + r->carried, bytes, more);
        r->carried += more;
        bytes += more;
        at += more;
        len -= more;
        if (r->carried < unit)
            return;
        take(r, tensor, at - unit, r->carry, 1);
    }
    take(r, tensor, at, bytes, len / unit);
    r->carried = len % unit;
    memcpy(r->carry, bytes + len - r->carried, r->carried);
}

void tut_weights_end(tut_weights_run *r, size_t tensor)
{
    if (r->w->tensors[tensor].kind == TUT_NUMERIC_NONE)
        return;
    end_part(r);
    tut_weights_judge(r, tensor);
}
