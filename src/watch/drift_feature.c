/* One feature: what kind it is, the test for that kind, and how large the difference is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stats/category.h"
#include "stats/divergence.h"
#include "stats/ks.h"
#include "stats/order.h"
#include "watch/drift_internal.h"

typedef struct sides {
    double *sorted[TUT_SIDES];
    size_t counts[TUT_SIDES];
} sides;

static void sides_done(sides *s)
{
    tut_free(s->sorted[0]);
    tut_free(s->sorted[1]);
}

static tut_status order(const tut_pair *p, const tut_pair_column *c, sides *s, tut_error *err)
{
    size_t most = p->kept_rows[0] > p->kept_rows[1] ? p->kept_rows[0] : p->kept_rows[1];
    TUT_AUTO_FREE double *spare = tut_alloc_array(most + 1, sizeof(*spare));
    for (unsigned side = 0; side < TUT_SIDES; side++) {
        s->sorted[side] = tut_alloc_array(p->kept_rows[side] + 1, sizeof(double));
        if (!spare || !s->sorted[side])
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        for (size_t i = 0; i < p->kept_rows[side] && c->values[side]; i++)
            if (!isnan(c->values[side][i]))
                s->sorted[side][s->counts[side]++] = c->values[side][i];
        tut_order_f64(s->sorted[side], spare, s->counts[side]);
    }
    return TUT_SUCCESS;
}

/* Different values of both together, up to more than are few; all of them whole numbers? */
static size_t few_values(const sides *s, double values[DRIFT_FEW_VALUES + 1])
{
    size_t i = 0, j = 0, found = 0;
    while ((i < s->counts[0] || j < s->counts[1]) && found <= DRIFT_FEW_VALUES) {
        double x = j == s->counts[1] || (i < s->counts[0] && s->sorted[0][i] <= s->sorted[1][j])
                       ? s->sorted[0][i]
                       : s->sorted[1][j];
        while (i < s->counts[0] && s->sorted[0][i] == x)
            i++;
        while (j < s->counts[1] && s->sorted[1][j] == x)
            j++;
        values[found++] = x;
    }
    return found;
}

static void moments(const double *v, size_t count, double *ret_mean, double *ret_variance)
{
    double mean = 0, squares = 0, n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(v[i]))
            continue;
        double delta = v[i] - mean;
        mean += delta / ++n;
        squares += delta * (v[i] - mean);
    }
    *ret_mean = mean;
    *ret_variance = n > 1 ? squares / (n - 1) : 0;
}

static double mean_difference(const sides *s)
{
    double m[TUT_SIDES], v[TUT_SIDES];
    moments(s->sorted[0], s->counts[0], &m[0], &v[0]);
    moments(s->sorted[1], s->counts[1], &m[1], &v[1]);
    double pooled = sqrt((v[0] + v[1]) / 2);
    return pooled > 0 ? (m[1] - m[0]) / pooled : 0;
}

static tut_status judge_numbers(const sides *s, const tut_drift_options *o, tut_drift_feature *f,
                                tut_error *err)
{
    enum { SAMPLE = 4096 };
    size_t n = s->counts[0], m = s->counts[1], count = 0;
    TUT_AUTO_FREE tut_bins *bins = tut_alloc_array(2, sizeof(*bins));
    TUT_AUTO_FREE double *sample = tut_alloc_array(SAMPLE, sizeof(*sample));
    if (!bins || !sample)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < n && count < SAMPLE; i += n / SAMPLE + 1)
        sample[count++] = s->sorted[0][i];
    tut_bins_place(&bins[0], sample, count);
    tut_bins_like(&bins[1], &bins[0]);
    tut_bins_add_f64(&bins[0], s->sorted[0], n);
    tut_bins_add_f64(&bins[1], s->sorted[1], m);
    tut_divergence d = tut_divergence_of(&bins[0], &bins[1]);
    tut_ks t = tut_ks_ordered(s->sorted[0], n, s->sorted[1], m);
    (void)snprintf(f->kind, sizeof(f->kind), "number");
    (void)snprintf(f->test, sizeof(f->test), "ks");
    f->statistic = f->effect = t.statistic;
    f->p = t.p;
    f->psi = d.psi;
    f->js = d.js;
    double w = tut_wasserstein_ordered(s->sorted[0], n, s->sorted[1], m);
    f->wasserstein = isfinite(w) ? w : NAN;
    f->mean_difference = mean_difference(s);
    f->detectable = tut_ks_detectable((double)n, (double)m, o->alpha, o->power);
    f->needed = tut_ks_needed(o->effect, o->alpha, o->power);
    drift_bars_numbers(&f->bars, (const double *const *)s->sorted, s->counts);
    return TUT_SUCCESS;
}

static tut_status judge_counts(const uint64_t *a, const uint64_t *b, size_t count,
                               const tut_drift_options *o, tut_drift_feature *f, tut_error *err)
{
    tut_category_test t;
    double n = 0, m = 0;
    TUT_TRY(tut_category_compare(a, b, count, o->seed, &t, err));
    for (size_t i = 0; i < count; i++) {
        n += (double)a[i];
        m += (double)b[i];
    }
    tut_divergence d = tut_divergence_counts(a, b, count);
    (void)snprintf(f->kind, sizeof(f->kind), "category");
    (void)snprintf(f->test, sizeof(f->test), t.is_permuted ? "permutation" : "chi2");
    f->statistic = t.chi2;
    f->p = t.p;
    f->effect = t.w;
    f->psi = d.psi;
    f->js = d.js;
    double df = t.df > 0 ? t.df : 1;
    f->detectable = tut_category_detectable(n, m, df, o->alpha, o->power);
    f->needed = tut_category_needed(o->effect, df, o->alpha, o->power);
    if (t.pooled)
        (void)snprintf(f->note, sizeof(f->note), "%zu rare categories are %s", t.pooled,
                       t.is_permuted ? "tested by permutation" : "pooled");
    return TUT_SUCCESS;
}

static tut_status judge_categories(const tut_category *k, size_t count,
                                   const uint64_t others[TUT_SIDES], const tut_drift_options *o,
                                   tut_drift_feature *f, tut_error *err)
{
    TUT_AUTO_FREE uint64_t *cells = tut_alloc_array(2 * (count + 1), sizeof(*cells));
    if (!cells)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        cells[i] = k[i].counts[0];
        cells[count + 1 + i] = k[i].counts[1];
    }
    cells[count] = others[0];
    cells[2 * count + 1] = others[1];
    TUT_TRY(judge_counts(cells, cells + count + 1, count + 1, o, f, err));
    drift_bars_categories(&f->bars, k, count, others);
    return TUT_SUCCESS;
}

/* Numbers that are few are classes: a test of ranks would miss what a table shows. */
static tut_status judge_few(const sides *s, const double *values, size_t count,
                            const tut_drift_options *o, tut_drift_feature *f, tut_error *err)
{
    tut_category k[DRIFT_FEW_VALUES + 1] = {{{NULL, 0}, {0, 0}}};
    char names[DRIFT_FEW_VALUES + 1][32];
    static const uint64_t none[TUT_SIDES] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        int len = snprintf(names[i], sizeof(names[i]), "%.10g", values[i]);
        k[i].text = (tut_str){names[i], len > 0 ? (size_t)len : 0};
    }
    for (unsigned side = 0; side < TUT_SIDES; side++)
        for (size_t i = 0, at = 0; i < s->counts[side]; i++) {
            while (at + 1 < count && values[at] != s->sorted[side][i])
                at++;
            k[at].counts[side]++;
        }
    f->mean_difference = mean_difference(s);
    return judge_categories(k, count, none, o, f, err);
}

static void pass_over(tut_drift_feature *f, const char *kind, const char *why)
{
    (void)snprintf(f->kind, sizeof(f->kind), "%s", kind);
    (void)snprintf(f->note, sizeof(f->note), "%s", why);
}

/* Values that are each there once, or only ever rise, name rows or times. */
static bool is_identifier(const tut_pair_column *c)
{
    uint64_t n = c->numbers[0], m = c->numbers[1];
    return c->rises[0] && c->rises[1] && n > DRIFT_FEW_VALUES && m > DRIFT_FEW_VALUES;
}

static bool is_free_text(const tut_pair_column *c)
{
    uint64_t texts = c->texts[0] + c->texts[1], others = c->others[0] + c->others[1];
    return others * 5 > texts || (texts >= 40 && c->category_count * 3 >= texts);
}

static tut_status judge_missing(const tut_pair *p, const tut_pair_column *c,
                                const tut_drift_options *o, tut_drift_feature *f, tut_error *err)
{
    tut_category_test t;
    double shares[TUT_SIDES];
    uint64_t cells[TUT_SIDES][2];
    for (unsigned side = 0; side < TUT_SIDES; side++) {
        cells[side][0] = c->missing[side];
        cells[side][1] = p->rows[side] - c->missing[side];
        shares[side] = (double)c->missing[side] / (double)p->rows[side];
    }
    if (c->missing[0] + c->missing[1] == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_category_compare(cells[0], cells[1], 2, o->seed, &t, err));
    f->missing_p = t.p;
    f->is_missing_drifted = fabs(shares[1] - shares[0]) >= o->effect;
    return TUT_SUCCESS;
}

static tut_status judge_kind(const tut_pair *p, tut_pair_column *c, const tut_drift_options *o,
                             tut_drift_feature *f, tut_error *err)
{
    uint64_t numbers = c->numbers[0] + c->numbers[1], texts = c->texts[0] + c->texts[1];
    double few[DRIFT_FEW_VALUES + 1];
    f->n[0] = c->numbers[0] + c->texts[0];
    f->n[1] = c->numbers[1] + c->texts[1];
    if (c->is_language)
        return drift_language_judge(c, o, f, err);
    if (numbers + texts == 0) {
        pass_over(f, "empty", "nothing stands in it");
        return TUT_SUCCESS;
    }
    if (f->n[0] < o->least || f->n[1] < o->least) {
        pass_over(f, numbers > texts ? "number" : "category", "too few values to judge");
        return TUT_SUCCESS;
    }
    if (texts > 0 && is_free_text(c)) {
        pass_over(f, "text", "too many different texts for categories; --text reads them");
        return TUT_SUCCESS;
    }
    if (texts > 0) {
        /* Numbers among texts are one more category. */
        uint64_t others[TUT_SIDES] = {c->others[0] + c->numbers[0], c->others[1] + c->numbers[1]};
        return judge_categories(c->categories, c->category_count, others, o, f, err);
    }
    if (is_identifier(c)) {
        pass_over(f, "identifier", "its values only rise: row numbers or times");
        return TUT_SUCCESS;
    }
    __attribute__((cleanup(sides_done))) sides s = {{NULL, NULL}, {0, 0}};
    TUT_TRY(order(p, c, &s, err));
    size_t count = few_values(&s, few);
    return count <= DRIFT_FEW_VALUES ? judge_few(&s, few, count, o, f, err)
                                     : judge_numbers(&s, o, f, err);
}

tut_status drift_feature_judge(const tut_pair *p, tut_pair_column *c, const tut_drift_options *o,
                               tut_drift_feature *ret, tut_error *err)
{
    tut_drift_feature *f = ret;
    *f = (tut_drift_feature){.statistic = NAN,
                             .p = NAN,
                             .q = NAN,
                             .effect = NAN,
                             .psi = NAN,
                             .js = NAN,
                             .wasserstein = NAN,
                             .mean_difference = NAN,
                             .detectable = NAN,
                             .needed = NAN,
                             .missing_p = NAN,
                             .missing_q = NAN};
    tut_str_copy(f->name, sizeof(f->name), c->name);
    f->missing[0] = c->missing[0];
    f->missing[1] = c->missing[1];
    if (!c->is_there[0] || !c->is_there[1]) {
        pass_over(f, "absent",
                  c->is_there[0] ? "the current data does not have it"
                                 : "the reference does not have it");
        bool is_label = o->label.len > 0 && tut_str_eq(c->name, o->label);
        f->drifted = !is_label || !c->is_there[0];
        if (!f->drifted)
            (void)snprintf(f->note, sizeof(f->note),
                           "labels of the current data are not there yet");
        return TUT_SUCCESS;
    }
    TUT_TRY(judge_missing(p, c, o, f, err));
    return judge_kind(p, c, o, f, err);
}
