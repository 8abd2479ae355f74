/* What a search came to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "crypto/digest.h"
#include "probe/evasion.h"
#include "stats/tails.h"

enum { POINTS = 64, EXPOSED = 10 };
static const double slack = 1 + 1e-5; /* of single precision */

bool tut_evasion_held(const tut_evasion *e, size_t row)
{
    return e->is_right[row] && e->found_at[row] == 0;
}

void tut_evasion_unmeasured(const char *reason, tut_attack_result *ret)
{
    ret->metric = "robust_accuracy";
    ret->decisive = (tut_measure){"robust_accuracy", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->reason = reason;
}

static tut_measure share_of(const char *name, uint64_t k, uint64_t n)
{
    tut_measure m = {name, n ? (double)k / (double)n : NAN, NAN, NAN};
    if (n)
        tut_binomial_interval(k, n, 0.95, &m.low, &m.high);
    return m;
}

static size_t known_of(const tut_evasion *e)
{
    size_t known = 0;
    for (size_t i = 0; i < e->count; i++)
        known += e->is_known[i];
    return known;
}

size_t tut_evasion_tell_clean(const tut_evasion *e, tut_attack_result *ret)
{
    size_t known = known_of(e), right = 0;
    for (size_t i = 0; i < e->count; i++)
        right += e->is_right[i];
    ret->rows = known;
    ret->queries = e->queries;
    ret->baseline = NAN;
    tut_measure clean = share_of("clean_accuracy", right, known);
    tut_result_add(ret, clean.name, clean.value, clean.low, clean.high);
    if (e->unanswered)
        tut_result_add(ret, "unanswered", (double)e->unanswered, NAN, NAN);
    return known;
}

tut_status tut_evasion_tell_kept(const tut_evasion *e, const uint8_t *held, tut_arena *arena,
                                 tut_attack_result *ret, tut_error *err)
{
    const tut_sample *s = e->sample;
    tut_sha256 digest;
    TUT_AUTO(tut_hasher) hasher = NULL;
    char *kept = tut_arena_take(arena, e->count + 1, 1);
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < e->count; i++)
        kept[i] = held[i] ? '1' : '0';
    TUT_TRY(tut_hasher_new(&hasher, err));
    TUT_TRY(
        tut_hasher_add(hasher, tut_span_of(s->rows, e->count * e->width * sizeof(*s->rows)), err));
    TUT_TRY(tut_hasher_add(hasher, tut_span_of(s->labels, e->count * sizeof(*s->labels)), err));
    TUT_TRY(tut_hasher_finish(hasher, &digest, err));
    memcpy(ret->sample, digest.bytes, sizeof(ret->sample));
    ret->has_sample = true;
    ret->kept = kept;
    return TUT_SUCCESS;
}

const char *tut_evasion_budget(const tut_evasion *e, tut_arena *arena)
{
    char count[32], text[160];
    tut_human_count(e->budget, count);
    (void)snprintf(text, sizeof(text), "%s %.4g%s, %s queries a row",
                   e->space.norm == TUT_NORM_L2 ? "L2" : "L-inf", e->space.size,
                   e->space.is_common ? "" : " of each column's range", count);
    return tut_arena_copy(arena, tut_str_of(text));
}

/* --- curves --- */

static void add_queries_curve(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret)
{
    double xs[POINTS] = {0}, ys[POINTS];
    size_t n = 0;
    for (size_t k = 0; k < POINTS; k++) {
        double x = floor(pow((double)e->budget, (double)k / (POINTS - 1)) + 0.5);
        if (n && x <= xs[n - 1])
            continue;
        size_t right = 0;
        for (size_t i = 0; i < e->count; i++)
            right += e->is_right[i] && (e->found_at[i] == 0 || (double)e->found_at[i] > x);
        xs[n] = x;
        ys[n++] = (double)right / (double)known_of(e);
    }
    tut_curve c = {.name = e->kind->name,
                   .x = "queries a row",
                   .y = "robust accuracy",
                   .count = n,
                   .xs = xs,
                   .ys = ys};
    tut_result_add_curve(ret, arena, &c);
}

static void add_size_curve(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret)
{
    double xs[POINTS + 1], ys[POINTS + 1];
    for (size_t k = 0; k <= POINTS; k++) { /* every 32nd of the size, to twice as much */
        xs[k] = e->space.size * 2 * (double)k / POINTS;
        size_t right = 0;
        for (size_t i = 0; i < e->count; i++)
            right += e->is_right[i] && !(e->found[i] <= xs[k] * slack);
        ys[k] = (double)right / (double)known_of(e);
    }
    tut_curve c = {.name = e->kind->name,
                   .x = "size of the change",
                   .y = "robust accuracy",
                   .count = POINTS + 1,
                   .xs = xs,
                   .ys = ys};
    tut_result_add_curve(ret, arena, &c);
}

/* --- the most fragile rows --- */

static double fragility(const tut_evasion *e, size_t row)
{
    if (e->kind->is_minimal)
        return e->found[row];
    return e->found_at[row] ? (double)e->found_at[row] : INFINITY;
}

static void show_row(const tut_evasion *e, size_t i, tut_buf *out)
{
    const tut_sample *s = e->sample;
    uint32_t from = e->clean[i], to = e->became[i];
    if (s->class_names && from < s->classes && to < s->classes) {
        tut_buf_add_escaped(out, tut_str_of(s->class_names[from]), 40);
        tut_buf_add_z(out, " -> ");
        tut_buf_add_escaped(out, tut_str_of(s->class_names[to]), 40);
    } else {
        tut_buf_printf(out, "class %u -> %u", from, to);
    }
    tut_buf_printf(out, ": %s %.4g", e->space.norm == TUT_NORM_L2 ? "L2" : "L-inf", e->found[i]);
    if (e->found_at[i])
        tut_buf_printf(out, ", %llu queries", (unsigned long long)e->found_at[i]);
}

static void add_exposed(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret)
{
    size_t taken[EXPOSED] = {0}, n = 0;
    for (; n < EXPOSED; n++) {
        size_t best = e->count;
        for (size_t i = 0; i < e->count; i++) {
            bool is_taken = !e->is_right[i] || !isfinite(fragility(e, i));
            for (size_t k = 0; k < n; k++)
                is_taken |= taken[k] == i;
            if (!is_taken && (best == e->count || fragility(e, i) < fragility(e, best)))
                best = i;
        }
        if (best == e->count)
            return;
        taken[n] = best;
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        (e->kind->show ? e->kind->show : show_row)(e, best, &text);
        tut_result_add_exposed(ret, arena, e->sample->numbers ? e->sample->numbers[best] : best,
                               fragility(e, best), tut_buf_z(&text));
    }
}

/* --- all of it --- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Over the rows that were right: half of them need no more than this. Infinite: NaN. */
static double median_of(const tut_evasion *e, tut_arena *arena, bool is_distance)
{
    double *v = tut_arena_take(arena, e->count + 1, sizeof(*v));
    size_t n = 0;
    for (size_t i = 0; v && i < e->count; i++)
        if (is_distance ? e->is_right[i] : e->is_right[i] && e->found_at[i])
            v[n++] = is_distance ? e->found[i] : (double)e->found_at[i];
    if (n == 0)
        return NAN;
    qsort(v, n, sizeof(*v), compare);
    return isfinite(v[n / 2]) ? v[n / 2] : NAN;
}

static void add_measures(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret)
{
    size_t right = 0, broken = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < e->count; i++) {
        right += e->is_right[i];
        broken += e->is_right[i] && e->found_at[i];
        most = e->asked[i] > most ? e->asked[i] : most;
    }
    tut_measure success = share_of("attack_success", broken, right);
    tut_result_add(ret, success.name, success.value, success.low, success.high);
    tut_result_add(ret, "queries_median", median_of(e, arena, false), NAN, NAN);
    tut_result_add(ret, "queries_most", (double)most, NAN, NAN);
    if (e->kind->is_minimal)
        tut_result_add(ret, "distance_median", median_of(e, arena, true), NAN, NAN);
}

tut_status tut_evasion_tell(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret,
                            tut_error *err)
{
    size_t known = tut_evasion_tell_clean(e, ret), held = 0;
    uint8_t *is_held = tut_arena_take(arena, e->count + 1, 1);
    if (!is_held)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (known == 0) {
        tut_evasion_unmeasured("the target answered none of the rows", ret);
        return TUT_SUCCESS;
    }
    for (size_t i = 0; i < e->count; i++) {
        is_held[i] = tut_evasion_held(e, i);
        held += is_held[i];
    }
    ret->metric = "robust_accuracy";
    ret->decisive = share_of("robust_accuracy", held, known);
    ret->budget = tut_evasion_budget(e, arena);
    if (!e->kind->is_own_space) {
        tut_measure noise = share_of("noise_accuracy", e->noise_right, known);
        ret->baseline = noise.value;
        tut_result_add(ret, noise.name, noise.value, noise.low, noise.high);
    }
    add_measures(e, arena, ret);
    if (e->kind->is_minimal)
        add_size_curve(e, arena, ret);
    add_queries_curve(e, arena, ret);
    add_exposed(e, arena, ret);
    return tut_evasion_tell_kept(e, is_held, arena, ret, err);
}
