/*
 * Comparing two files in the worker.
 *
 *   reply = count row* same left_out
 *   row   = name before after change numbers differing flipped greatest relative cosine rounded
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "scan/baseline.h"
#include "scan/exam.h"
#include "scan/weights.h"

enum { BLOCK = 6144, ROWS_MAX = 20000 };

typedef struct comparison {
    const tut_source *before, *after;
    uint8_t raw[2][BLOCK * 8];
    float values[2][BLOCK];
    uint64_t bits[2][BLOCK];
} comparison;

typedef struct sums {
    uint64_t numbers, differing, flipped, ever[2];
    double squares[2], product, distance, greatest;
} sums;

static int by_name(const void *a, const void *b)
{
    const tut_weights_tensor *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->begin < y->begin ? -1 : x->begin > y->begin;
}

static void sort(tut_weights *w)
{
    if (w->count > 1)
        qsort(w->tensors, w->count, sizeof(*w->tensors), by_name);
}

static uint64_t values_of(const tut_weights_tensor *t)
{
    const tut_numeric_kind *k = &tut_numeric_kinds[t->kind];
    return (t->end - t->begin) / k->unit_bytes * k->unit_values;
}

static void describe(const tut_weights_tensor *t, tut_buf *to)
{
    tut_buf_add_z(to, t->dtype);
    tut_buf_add_z(to, " [");
    for (size_t i = 0; i < t->dim_count; i++)
        tut_buf_printf(to, "%s%llu", i ? ", " : "", (unsigned long long)t->dims[i]);
    if (t->dim_count == 0)
        tut_buf_printf(to, "%llu",
                       (unsigned long long)(t->kind ? values_of(t) : t->end - t->begin));
    tut_buf_add_byte(to, ']');
}

static double value_of(const comparison *c, const tut_weights_tensor *t, int side, size_t i)
{
    double d;
    if (t->kind != TUT_NUMERIC_F64)
        return (double)c->values[side][i];
    memcpy(&d, &c->bits[side][i], sizeof(d));
    return d;
}

static void add(comparison *c, const tut_weights_tensor *const t[2], size_t count, sums *s)
{
    bool is_one_kind = t[0]->kind == t[1]->kind;
    for (size_t i = 0; i < count; i++) {
        uint64_t flipped = c->bits[0][i] ^ c->bits[1][i];
        double x = value_of(c, t[0], 0, i), y = value_of(c, t[1], 1, i), d = fabs(x - y);
        s->differing += is_one_kind ? flipped != 0 : x != y;
        s->flipped |= is_one_kind ? flipped : 0;
        s->ever[0] |= c->bits[0][i];
        s->ever[1] |= c->bits[1][i];
        if (!isfinite(x) || !isfinite(y))
            continue;
        s->squares[0] += x * x;
        s->squares[1] += y * y;
        s->product += x * y;
        s->distance += d * d;
        s->greatest = d > s->greatest ? d : s->greatest;
    }
    s->numbers += count;
}

static tut_status read_block(comparison *c, const tut_weights_tensor *t, int side, uint64_t at,
                             size_t count, tut_error *err)
{
    const tut_numeric_kind *k = &tut_numeric_kinds[t->kind];
    size_t units = count / k->unit_values;
    TUT_TRY(tut_source_read(side ? c->after : c->before,
                            t->begin + at / k->unit_values * k->unit_bytes, c->raw[side],
                            units * k->unit_bytes, err));
    tut_numeric_floats(t->kind, c->raw[side], units, c->values[side]);
    tut_numeric_bits(t->kind, c->raw[side], units, c->bits[side]);
    return TUT_SUCCESS;
}

static tut_status compare_values(comparison *c, const tut_weights_tensor *const t[2], sums *s,
                                 tut_error *err)
{
    uint64_t values = values_of(t[0]);
    for (uint64_t at = 0; at < values; at += BLOCK) {
        size_t n = values - at < BLOCK ? (size_t)(values - at) : BLOCK;
        for (int side = 0; side < 2; side++)
            TUT_TRY(read_block(c, t[side], side, at, n, err));
        add(c, t, n, s);
    }
    return TUT_SUCCESS;
}

/* What has no numbers (packed blocks, whole numbers): which bytes differ. */
static tut_status compare_bytes(comparison *c, const tut_weights_tensor *const t[2], sums *s,
                                tut_error *err)
{
    uint64_t bytes = t[0]->end - t[0]->begin;
    for (uint64_t at = 0; at < bytes; at += BLOCK) {
        size_t n = bytes - at < BLOCK ? (size_t)(bytes - at) : BLOCK;
        TUT_TRY(tut_source_read(c->before, t[0]->begin + at, c->raw[0], n, err));
        TUT_TRY(tut_source_read(c->after, t[1]->begin + at, c->raw[1], n, err));
        for (size_t i = 0; i < n; i++)
            s->differing += c->raw[0][i] != c->raw[1][i];
        s->numbers += n;
    }
    return TUT_SUCCESS;
}

typedef struct writer {
    tut_buf *out;
    uint32_t rows;
    uint64_t same, left_out;
} writer;

/* Sums of absurd numbers overflow; what then has no value is 0. */
static uint64_t bits_of(double d)
{
    uint64_t bits;
    d = isnan(d) ? 0 : d;
    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

static void write_row(writer *w, const tut_weights_tensor *before, const tut_weights_tensor *after,
                      tut_tensor_change change, const sums *s)
{
    TUT_CLEAN(tut_buf) was = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) is = TUT_BUF_INIT;
    if (w->rows == ROWS_MAX) {
        w->left_out++;
        return;
    }
    w->rows++;
    if (before)
        describe(before, &was);
    if (after)
        describe(after, &is);
    double before_length = sqrt(s->squares[0]), after_length = sqrt(s->squares[1]);
    bool has_angle = before_length > 0 && after_length > 0;
    tut_buf_add_sized(w->out, tut_str_of(after ? after->name : before ? before->name : ""));
    tut_buf_add_sized(w->out, tut_buf_str(&was));
    tut_buf_add_sized(w->out, tut_buf_str(&is));
    tut_buf_add_byte(w->out, (uint8_t)change);
    tut_buf_add_u64le(w->out, s->numbers);
    tut_buf_add_u64le(w->out, s->differing);
    tut_buf_add_u64le(w->out, s->flipped);
    tut_buf_add_u64le(w->out, bits_of(s->greatest));
    tut_buf_add_u64le(w->out, bits_of(before_length > 0 ? sqrt(s->distance) / before_length
                                      : s->distance > 0 ? 1
                                                        : 0));
    tut_buf_add_u64le(w->out, bits_of(has_angle      ? s->product / (before_length * after_length)
                                      : s->differing ? 0
                                                     : 1));
    tut_buf_add_byte(w->out, (s->ever[0] & s->flipped) == 0 || (s->ever[1] & s->flipped) == 0);
}

static bool has_shape_of(const tut_weights_tensor *a, const tut_weights_tensor *b)
{
    return a->dim_count == b->dim_count &&
           memcmp(a->dims, b->dims, a->dim_count * sizeof(*a->dims)) == 0;
}

static tut_status compare_pair(comparison *c, const tut_weights_tensor *before,
                               const tut_weights_tensor *after, writer *w, tut_error *err)
{
    const tut_weights_tensor *const t[2] = {before, after};
    sums s = {0};
    bool has_numbers = before->kind && after->kind && values_of(before) == values_of(after);
    bool is_one_type = strcmp(before->dtype, after->dtype) == 0;
    bool is_reshaped = !is_one_type || !has_shape_of(before, after);
    if (has_numbers)
        TUT_TRY(compare_values(c, t, &s, err));
    else if (is_one_type && before->end - before->begin == after->end - after->begin)
        TUT_TRY(compare_bytes(c, t, &s, err));
    if (!is_reshaped && s.differing == 0)
        w->same++;
    else
        write_row(w, before, after, is_reshaped ? TUT_TENSOR_RESHAPED : TUT_TENSOR_CHANGED, &s);
    return TUT_SUCCESS;
}

static tut_status compare_lists(comparison *c, tut_weights *before, tut_weights *after, writer *w,
                                tut_error *err)
{
    static const sums none = {0};
    size_t i = 0, j = 0;
    sort(before);
    sort(after);
    while (i < before->count || j < after->count) {
        const tut_weights_tensor *x = i < before->count ? &before->tensors[i] : NULL;
        const tut_weights_tensor *y = j < after->count ? &after->tensors[j] : NULL;
        int order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);
        if (order == 0)
            TUT_TRY(compare_pair(c, x, y, w, err));
        else
            write_row(w, order < 0 ? x : NULL, order < 0 ? NULL : y,
                      order < 0 ? TUT_TENSOR_REMOVED : TUT_TENSOR_ADDED, &none);
        i += order <= 0;
        j += order >= 0;
    }
    return TUT_SUCCESS;
}

tut_status tut_baseline_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                            tut_buf *out, tut_error *err)
{
    tut_reader r = tut_reader_of(argument);
    tut_str rel, sibling;
    tut_source earlier;
    TUT_TRY(tut_reader_sized(&r, &rel));
    TUT_TRY(tut_reader_sized(&r, &sibling));
    TUT_AUTO_FREE char *name = tut_strndup(sibling.data, sibling.len);
    TUT_AUTO_FREE comparison *c = tut_alloc_array(1, sizeof(*c));
    if (!name || !c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_cage_sibling(task, name, &earlier, err));
    tut_weights before, after;
    writer w = {.out = out};
    TUT_CLEAN(tut_buf) rows = TUT_BUF_INIT;
    w.out = &rows;
    tut_status status = tut_exam_list_tensors(task, &earlier, sibling, &before, err);
    if (!tut_is_ok(status))
        return status;
    if (before.count == 0)
        status = tut_fail(err, TUT_MALFORMED, "no tensors are listed in it");
    else
        status = tut_exam_list_tensors(task, bytes, rel, &after, err);
    c->before = &earlier;
    c->after = bytes;
    if (tut_is_ok(status)) {
        status = compare_lists(c, &before, &after, &w, err);
        tut_weights_done(&after);
    }
    tut_weights_done(&before);
    TUT_TRY(status);
    TUT_TRY(tut_buf_check(&rows, err));
    tut_buf_add_u32le(out, w.rows);
    tut_buf_add_str(out, tut_buf_str(&rows));
    tut_buf_add_u64le(out, w.same);
    tut_buf_add_u64le(out, w.left_out);
    return TUT_SUCCESS;
}
