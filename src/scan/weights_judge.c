/* What the numbers of one tensor say as a whole, and those of all of them. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "scan/rule.h"
#include "scan/weights_internal.h"

/* A mask holds nothing but zeros and infinities of one sign (or the most negative number, -3.4e38,
 * that some frameworks take instead). */
static bool is_mask(const tut_moments *m)
{
    bool has_no_more = m->finite == m->zeros && m->nans == 0;
    bool is_lowest = m->most <= 0 && m->least <= -1e38f;
    return has_no_more || (is_lowest && m->nans == 0);
}

/* Numbers out of all proportion throughout: those were never weights, but bytes under a tensor's
 * name, and a NaN among them is no damage. */
static bool is_never_weights(const tut_weights_tensor *t)
{
    bool is_half = t->kind == TUT_NUMERIC_F16 || t->kind == TUT_NUMERIC_Q8_0;
    double usual = is_half ? 1e3 : 1e6; /* half precision ends at 65,504 */
    return t->moments.huge * 20 > t->moments.count ||
           (t->moments.huge == 0 && tut_moments_deviation(&t->moments) > usual);
}

static void judge_numbers(tut_weights_run *r, size_t i)
{
    const tut_weights_tensor *t = &r->w->tensors[i];
    const tut_moments *m = &t->moments;
    if (!t->is_parameter || is_mask(m))
        return; /* arrays of data may hold anything: scikit-learn marks what is missing by NaN */
    bool is_never = is_never_weights(t);
    bool is_matrix = t->dim_count >= 2 || (t->dim_count == 0 && m->count >= 256);
    int severity = is_matrix && !is_never ? -1 : TUT_SEVERITY_LOW;
    if (m->nans > 0 && !is_never)
        tut_weights_say(r->w, i, "weights.not-a-number", severity, t->begin,
                        "%" PRIu64 " of the %" PRIu64 " numbers of tensor %s are NaN", m->nans,
                        m->count, t->name);
    if (m->infinite > 0 && !is_never)
        tut_weights_say(r->w, i, "weights.infinite", severity, t->begin,
                        "%" PRIu64 " of the %" PRIu64 " numbers of tensor %s are infinite",
                        m->infinite, m->count, t->name);
    if (m->huge > 0)
        tut_weights_say(r->w, i, "weights.absurd-magnitude", severity, t->begin,
                        "%" PRIu64 " of the %" PRIu64 " numbers of tensor %s are beyond 1e18, up "
                        "to %.3g",
                        m->huge, m->count, t->name,
                        fmax(fabs((double)m->least), fabs((double)m->most)));
}

static void judge_flatness(tut_weights_run *r, size_t i)
{
    const tut_weights_tensor *t = &r->w->tensors[i];
    double score = 0;
    unsigned bits = tut_flatness_bits(&r->whole, &score);
    if (score < r->flat_score) {
        score = r->flat_score;
        bits = r->flat_bits;
    }
    if (bits > 0)
        tut_weights_say(r->w, i, "weights.replaced-bits", -1, t->begin,
                        "the low %u bits of the numbers of tensor %s are spread evenly, where "
                        "their distribution has a slope (log odds %.0f)",
                        bits, t->name, score);
}

void tut_weights_judge(tut_weights_run *r, size_t i)
{
    const tut_weights_tensor *t = &r->w->tensors[i];
    judge_numbers(r, i);
    judge_flatness(r, i);
    if (r->is_hollow)
        tut_weights_say(r->w, i, "weights.refilled-bits", -1, t->begin,
                        "the numbers of tensor %s are rounded, and below the bits that rounding "
                        "left empty others are set",
                        t->name);
    else if (r->is_spliced)
        tut_weights_say(r->w, i, "weights.spliced-precision", -1, t->begin,
                        "of tensor %s %zu blocks are of full precision and %zu, behind such a one, "
                        "are rounded",
                        t->name, r->full_windows, r->cut_windows);
}

/* --- all of them --- */

static void fact(tut_weights *w, const char *key, uint64_t n)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%" PRIu64, n);
    if (w->fact)
        w->fact(w->ctx, key, tut_buf_str(&text));
}

static const tut_weights_tensor *sorted_of; /* what qsort's callback compares */

static int compare_moments(const void *a, const void *b)
{
    const tut_moments *x = &sorted_of[*(const size_t *)a].moments;
    const tut_moments *y = &sorted_of[*(const size_t *)b].moments;
    const uint64_t counts[][2] = {{x->count, y->count}, {x->zeros, y->zeros},
                                  {x->nans, y->nans},   {x->infinite, y->infinite},
                                  {x->huge, y->huge},   {x->finite, y->finite}};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (counts[i][0] != counts[i][1])
            return counts[i][0] < counts[i][1] ? -1 : 1;
    const double values[][2] = {{x->sum, y->sum},
                                {x->squares, y->squares},
                                {(double)x->least, (double)y->least},
                                {(double)x->most, (double)y->most}};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (values[i][0] < values[i][1] || values[i][0] > values[i][1])
            return values[i][0] < values[i][1] ? -1 : 1;
    return 0;
}

/* Tensors whose numbers have the very same sums and ends are copies of each other: of a thousand
 * numbers no two sums agree in all 53 bits by chance. */
static uint64_t count_copies(tut_weights *w)
{
    enum { LEAST = 1024 };
    uint64_t copies = 0;
    TUT_AUTO_FREE size_t *order = tut_alloc_array(w->count ? w->count : 1, sizeof(*order));
    size_t count = 0;
    if (!order)
        return 0;
    for (size_t i = 0; i < w->count; i++) {
        const tut_moments *m = &w->tensors[i].moments;
        if (m->finite >= LEAST && m->least < m->most)
            order[count++] = i;
    }
    sorted_of = w->tensors;
    if (count > 1)
        qsort(order, count, sizeof(*order), compare_moments);
    for (size_t i = 1; i < count; i++)
        copies += compare_moments(&order[i - 1], &order[i]) == 0;
    return copies;
}

void tut_weights_sum_up(tut_weights *w)
{
    uint64_t looked_at = 0, values = 0, nans = 0, infinite = 0, constant = 0, zeros = 0;
    for (size_t i = 0; i < w->count; i++) {
        const tut_weights_tensor *t = &w->tensors[i];
        const tut_moments *m = &t->moments;
        if (m->count == 0)
            continue;
        looked_at++;
        values += m->count;
        nans += m->nans;
        infinite += m->infinite;
        zeros += m->zeros;
        constant += t->dim_count >= 2 && m->count >= 64 && m->finite == m->count &&
                    m->least == m->most;
    }
    if (looked_at == 0)
        return;
    fact(w, "weights.tensors", looked_at);
    fact(w, "weights.numbers", values);
    if (nans)
        fact(w, "weights.nan", nans);
    if (infinite)
        fact(w, "weights.infinite", infinite);
    if (zeros)
        fact(w, "weights.zeros", zeros);
    if (constant)
        fact(w, "weights.constant-layers", constant);
    uint64_t copies = count_copies(w);
    if (copies)
        fact(w, "weights.copied-layers", copies);
}
