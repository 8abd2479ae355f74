/* What scores of membership are worth: the curve, its area, its low end, and epsilon. */
#include <math.h>
#include <stdlib.h>

#include "probe/membership.h"
#include "stats/seeded.h"
#include "stats/special.h"
#include "stats/tails.h"

const double tut_roc_rates[TUT_ROC_RATES] = {0.01, 0.001, 0.0001};

typedef struct scored {
    double score;
    bool is_member;
} scored;

typedef struct ranking { /* highest first */
    scored *items;
    size_t count, members, others;
} ranking;

static int by_score(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

static void ranking_add(ranking *r, double score, bool is_member)
{
    if (isnan(score))
        return;
    r->items[r->count++] = (scored){score, is_member};
    r->members += is_member;
    r->others += !is_member;
}

/* The end of the run of equal scores that begins at i: a threshold takes all of them or none. */
static size_t run_end(const ranking *r, size_t i)
{
    size_t k = i + 1;
    while (k < r->count && r->items[k].score >= r->items[i].score)
        k++;
    return k;
}

/* --- area --- */

/* Placement values (DeLong 1988): of each member the share of others below it, of each other the
 * share of members above it, ties half; their variances are that of the area. */
typedef struct placed {
    double sum, squares;
} placed;

static double variance_of_mean(const placed *p, double n)
{
    return n > 1 ? fmax(p->squares - p->sum * p->sum / n, 0) / (n - 1) / n : 0;
}

static void area(const ranking *r, tut_roc *roc)
{
    placed of_member = {0}, of_other = {0};
    double m = (double)r->members, o = (double)r->others, members = 0, others = 0;
    for (size_t i = 0, end; i < r->count; i = end) {
        double in = 0;
        end = run_end(r, i);
        for (size_t k = i; k < end; k++)
            in += r->items[k].is_member;
        double out = (double)(end - i) - in;
        double below = (o - others - out / 2) / o, above = (members + in / 2) / m;
        of_member.sum += in * below;
        of_member.squares += in * below * below;
        of_other.sum += out * above;
        of_other.squares += out * above * above;
        members += in;
        others += out;
    }
    double sd = sqrt(variance_of_mean(&of_member, m) + variance_of_mean(&of_other, o));
    double z = tut_normal_quantile(0.975);
    roc->auc = of_member.sum / m;
    roc->auc_low = fmax(roc->auc - z * sd, 0);
    roc->auc_high = fmin(roc->auc + z * sd, 1);
}

/* --- the curve --- */

static void rate_at(const ranking *r, double rate, tut_roc_at *at)
{
    double allowed = floor(rate * (double)r->others + 1e-9), members = 0, others = 0;
    *at = (tut_roc_at){NAN, NAN, NAN, NAN};
    if (allowed < 1)
        return;
    size_t hits = 0;
    at->threshold = INFINITY;
    for (size_t i = 0, end; i < r->count; i = end) {
        end = run_end(r, i);
        for (size_t k = i; k < end; k++) {
            members += r->items[k].is_member;
            others += !r->items[k].is_member;
        }
        if (others > allowed)
            break;
        hits = (size_t)members;
        at->threshold = r->items[i].score;
    }
    at->tpr = (double)hits / (double)r->members;
    tut_binomial_interval(hits, r->members, 0.95, &at->low, &at->high);
}

/* Points at false positive rates from one non-member to all, evenly on a logarithmic axis. */
static void curve(const ranking *r, tut_roc *roc)
{
    double m = (double)r->members, o = (double)r->others, members = 0, others = 0;
    double step = log(o) / (TUT_ROC_POINTS - 2), next = 1;
    for (size_t i = 0, end; i < r->count; i = end) {
        double members_before = members, others_before = others;
        end = run_end(r, i);
        for (size_t k = i; k < end; k++) {
            members += r->items[k].is_member;
            others += !r->items[k].is_member;
        }
        if (others < next && i > 0 && end < r->count)
            continue;
        if (others >= next && others_before > 0 && roc->points + 2 < TUT_ROC_POINTS &&
            others - others_before > 1) { /* before a long run of ties */
            roc->fpr[roc->points] = others_before / o;
            roc->tpr[roc->points++] = members_before / m;
        }
        if (roc->points + 1 < TUT_ROC_POINTS || end == r->count) {
            size_t at = roc->points < TUT_ROC_POINTS ? roc->points++ : TUT_ROC_POINTS - 1;
            roc->fpr[at] = others / o;
            roc->tpr[at] = members / m;
        }
        while (next <= others)
            next = fmax(next * exp(step), next + 1);
    }
}

static tut_status rank(const double *scores, const uint8_t *is_member, size_t count, ranking *r,
                       tut_error *err)
{
    for (size_t i = 0; i < count; i++)
        ranking_add(r, scores[i], is_member[i]);
    if (r->members == 0 || r->others == 0)
        return tut_fail(err, TUT_USAGE,
                        "membership needs answers to members and to others: there "
                        "are %zu and %zu",
                        r->members, r->others);
    qsort(r->items, r->count, sizeof(*r->items), by_score);
    return TUT_SUCCESS;
}

tut_status tut_mia_roc(const double *scores, const uint8_t *is_member, size_t count,
                       tut_roc *ret_roc, tut_error *err)
{
    TUT_AUTO_FREE scored *items = tut_alloc_array(count + 1, sizeof(*items));
    if (!items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    ranking r = {.items = items};
    TUT_TRY(rank(scores, is_member, count, &r, err));
    *ret_roc = (tut_roc){.members = r.members, .others = r.others};
    area(&r, ret_roc);
    for (size_t i = 0; i < TUT_ROC_RATES; i++)
        rate_at(&r, tut_roc_rates[i], &ret_roc->at[i]);
    curve(&r, ret_roc);
    return TUT_SUCCESS;
}

/* --- epsilon --- */

typedef struct cut { /* a threshold and the side of it that is called "member" or "other" */
    double threshold, bound;
    bool is_low; /* others are told by scores below it */
} cut;

/* hits of `of` on the side that is looked for, false ones of `all`; one tail of 2.5 % on each. */
static double bound_of(size_t hits, size_t of, size_t false_ones, size_t all, double delta)
{
    double low, high, unused;
    tut_binomial_interval(hits, of, 0.95, &low, &unused);
    tut_binomial_interval(false_ones, all, 0.95, &unused, &high);
    return low > delta ? log((low - delta) / high) : -INFINITY;
}

/* A bound for each of the two sides of a threshold that has `members` and `others` above it. */
static void look_at(const ranking *r, double threshold, size_t members, size_t others, double delta,
                    cut *best)
{
    size_t low_members = r->members - members, low_others = r->others - others;
    double above = bound_of(members, r->members, others, r->others, delta);
    double below = bound_of(low_others, r->others, low_members, r->members, delta);
    if (above > best->bound)
        *best = (cut){threshold, above, false};
    if (below > best->bound)
        *best = (cut){threshold, below, true};
}

/* Thresholds after each eighth part more of what is above: intervals cost more than counting. */
static cut pick_cut(const ranking *r, double delta)
{
    cut best = {INFINITY, -INFINITY, false};
    size_t members = 0, others = 0, next = 1;
    for (size_t i = 0, end; i < r->count; i = end) {
        end = run_end(r, i);
        for (size_t k = i; k < end; k++) {
            members += r->items[k].is_member;
            others += !r->items[k].is_member;
        }
        size_t done = end < r->count / 2 ? end : r->count - end;
        if (end < next && end < r->count)
            continue;
        look_at(r, r->items[i].score, members, others, delta, &best);
        next = end + (done / 8 > 1 ? done / 8 : 1);
    }
    return best;
}

static double judge_cut(const ranking *r, const cut *c, double delta)
{
    size_t members = 0, others = 0;
    for (size_t i = 0; i < r->count && r->items[i].score >= c->threshold; i++) {
        members += r->items[i].is_member;
        others += !r->items[i].is_member;
    }
    size_t low_members = r->members - members, low_others = r->others - others;
    return c->is_low ? bound_of(low_others, r->others, low_members, r->members, delta)
                     : bound_of(members, r->members, others, r->others, delta);
}

tut_status tut_mia_epsilon(const double *scores, const uint8_t *is_member, size_t count,
                           double delta, uint64_t seed, double *ret_epsilon, tut_error *err)
{
    TUT_AUTO_FREE scored *items = tut_alloc_array(count + 1, 2 * sizeof(*items));
    if (!items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    ranking halves[2] = {{.items = items}, {.items = items + count}};
    tut_seeded random = tut_seeded_of(seed);
    for (size_t i = 0; i < count; i++)
        ranking_add(&halves[tut_seeded_next(&random) >> 63], scores[i], is_member[i]);
    *ret_epsilon = 0;
    for (unsigned h = 0; h < 2; h++) {
        if (halves[h].members == 0 || halves[h].others == 0)
            return TUT_SUCCESS; /* nothing can be shown by so few */
        qsort(halves[h].items, halves[h].count, sizeof(*items), by_score);
    }
    cut picked = pick_cut(&halves[0], delta);
    *ret_epsilon = fmax(judge_cut(&halves[1], &picked, delta), 0);
    return TUT_SUCCESS;
}
