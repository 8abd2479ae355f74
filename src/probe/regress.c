#include "probe/regress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "crypto/digest.h"
#include "stats/special.h"
#include "stats/tails.h"

enum { MOST_ROWS = 1000000000 };   /* no probe asks about as many */
static const double level = 0.025; /* one side of 95 % */

const char *tut_regress_name(tut_regress_verdict v)
{
    static const char *const names[] = {"unknown", "held", "worse", "better"};
    return names[v];
}

/* --- reading --- */

static const tut_json_value *find_attack(const tut_json_value *document, const char *probe,
                                         const char *attack)
{
    const tut_json_value *all = tut_json_get(document, "attacks");
    for (uint32_t i = 0; i < tut_json_count(all); i++) {
        const tut_json_value *a = tut_json_item(all, i);
        tut_str of = tut_json_get_text(a, "probe");
        if (tut_str_eq_z(tut_json_get_text(a, "name"), attack) &&
            (of.len == 0 || tut_str_eq_z(of, probe)))
            return a;
    }
    return NULL;
}

tut_status tut_regress_read(const tut_json_value *document, const char *probe, const char *attack,
                            tut_regress_side *ret, tut_error *err)
{
    if (!tut_str_eq_z(tut_json_get_text(document, "schema"), "tutela.probe/1"))
        return tut_fail(err, TUT_MALFORMED,
                        "the baseline is no result of tutela probe --format json (tutela.probe/1)");
    const tut_json_value *a = find_attack(document, probe, attack);
    if (!a)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the baseline has no result of %s %s: make one with the same options",
                        probe, attack);
    tut_regress_side s = {.metric = tut_json_get_text(a, "metric"),
                          .budget = tut_json_get_text(a, "budget"),
                          .value = tut_json_real_of(tut_json_get(a, "value")),
                          .kept = tut_json_get_text(a, "kept"),
                          .sample = tut_json_get_text(tut_json_get(a, "sample"), "sha256")};
    int64_t rows = tut_json_get_int(a, "rows", -1);
    if (s.metric.len == 0 || rows < 0 || rows > MOST_ROWS)
        return tut_fail(err, TUT_MALFORMED,
                        "the baseline says neither what it measured of %s nor on how many rows",
                        attack);
    s.rows = (uint64_t)rows;
    *ret = s;
    return TUT_SUCCESS;
}

void tut_regress_of(const tut_attack_result *r, char *hex, tut_regress_side *ret)
{
    hex[0] = 0;
    if (r->has_sample) {
        tut_sha256 digest;
        memcpy(digest.bytes, r->sample, sizeof(digest.bytes));
        tut_sha256_hex(&digest, hex);
    }
    *ret = (tut_regress_side){.metric = tut_str_of(r->metric),
                              .budget = tut_str_of(r->budget),
                              .value = r->decisive.value,
                              .rows = r->rows,
                              .kept = tut_str_of(r->kept),
                              .sample = tut_str_of(hex)};
}

/* --- judging --- */

/* Wilson's interval, of which Newcombe's is made. */
static void wilson(double share, double n, double *ret_low, double *ret_high)
{
    double z = tut_normal_quantile(1 - level), about = 1 + z * z / n;
    double middle = (share + z * z / (2 * n)) / about;
    double half = z / about * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    *ret_low = fmax(middle - half, 0);
    *ret_high = fmin(middle + half, 1);
}

/* Newcombe's methods 10 of both papers: phi is the correlation of pairs, 0 of two samples. */
static void interval(tut_regress *r, double rows_before, double rows_after, double phi)
{
    double l1, u1, l2, u2;
    wilson(r->after, rows_after, &l1, &u1);
    wilson(r->before, rows_before, &l2, &u2);
    double down = r->after - l1, up = u1 - r->after;
    double down_before = r->before - l2, up_before = u2 - r->before;
    double low = down * down - 2 * phi * down * up_before + up_before * up_before;
    double high = up * up - 2 * phi * up * down_before + down_before * down_before;
    r->low = r->change - sqrt(fmax(low, 0));
    r->high = r->change + sqrt(fmax(high, 0));
}

static double correlation(double both, double lost, double gained, double neither)
{
    double below = (both + lost) * (gained + neither) * (both + gained) * (lost + neither);
    double above = both * neither - lost * gained;
    double n = both + lost + gained + neither;
    if (below <= 0)
        return 0;
    if (above > 0) /* Newcombe's correction for continuity */
        above = fmax(above - n / 2, 0);
    return above / sqrt(below);
}

static void judge_pairs(const tut_regress_side *before, const tut_regress_side *after,
                        tut_regress *r)
{
    uint64_t both = 0, neither = 0, n = before->kept.len;
    for (size_t i = 0; i < n; i++) {
        bool was = before->kept.data[i] == '1', is = after->kept.data[i] == '1';
        both += was && is;
        neither += !was && !is;
        r->lost += was && !is;
        r->gained += !was && is;
    }
    uint64_t most = r->lost > r->gained ? r->lost : r->gained;
    r->is_paired = true;
    r->p = tut_tail_binomial(most, r->lost + r->gained, 0.5);
    r->before = (double)(both + r->lost) / (double)n;
    r->after = (double)(both + r->gained) / (double)n;
    r->change = r->after - r->before;
    interval(r, (double)n, (double)n,
             correlation((double)both, (double)r->lost, (double)r->gained, (double)neither));
}

static void judge_shares(const tut_regress_side *before, const tut_regress_side *after,
                         tut_regress *r)
{
    uint64_t k = (uint64_t)llround(before->value * (double)before->rows);
    uint64_t m = (uint64_t)llround(after->value * (double)after->rows);
    uint64_t all = before->rows + after->rows;
    r->p = r->change < 0 ? tut_tail_hypergeometric(k, before->rows, k + m, all)
                         : tut_tail_hypergeometric(m, after->rows, k + m, all);
    interval(r, (double)before->rows, (double)after->rows, 0);
}

/* NULL: they can be compared. */
static const char *what_differs(const tut_regress_side *a, const tut_regress_side *b)
{
    if (!tut_str_eq(a->metric, b->metric))
        return "the earlier result has another measure";
    if (!tut_str_eq(a->budget, b->budget))
        return "the earlier result was measured with another size or budget";
    if (!(a->value >= 0 && a->value <= 1) || a->rows == 0)
        return "the earlier result has no measured share";
    if (!(b->value >= 0 && b->value <= 1) || b->rows == 0)
        return "this result has no measured share";
    return NULL;
}

static void say_why(tut_regress *r)
{
    double before = 100 * r->before, after = 100 * r->after;
    if (r->is_paired)
        (void)snprintf(r->why, sizeof(r->why),
                       "%.1f %% before, %.1f %% now, on the same rows: %" PRIu64 " lost, %" PRIu64
                       " gained (McNemar, p %.2g)",
                       before, after, r->lost, r->gained, r->p);
    else
        (void)snprintf(r->why, sizeof(r->why),
                       "%.1f %% before, %.1f %% now, as two shares (Fisher, p %.2g)", before, after,
                       r->p);
}

void tut_regress_judge(const tut_regress_side *before, const tut_regress_side *after, bool is_most,
                       tut_regress *ret)
{
    const char *problem = what_differs(before, after);
    tut_regress r = {.before = before->value, .after = after->value, .p = NAN};
    r.change = r.after - r.before;
    r.low = r.high = NAN;
    if (problem) {
        (void)snprintf(r.why, sizeof(r.why), "not compared: %s", problem);
        *ret = r;
        return;
    }
    if (before->kept.len && before->kept.len == after->kept.len && before->sample.len &&
        tut_str_eq(before->sample, after->sample))
        judge_pairs(before, after, &r);
    else
        judge_shares(before, after, &r);
    bool is_down = r.change < 0;
    r.verdict = r.p > level           ? TUT_REGRESS_HELD
                : is_down == !is_most ? TUT_REGRESS_WORSE
                                      : TUT_REGRESS_BETTER;
    say_why(&r);
    *ret = r;
}
