#include "data/backdoor.h"

#include <stdlib.h>
#include <string.h>

#include "base/cage.h"
#include "data/backdoor_internal.h"
#include "stats/fdr.h"
#include "stats/tails.h"

enum { PART_SEEN = 64 };
static const double least_purity = 0.75;       /* of rows that bear it, with the label */
static const double most_of_class = 0.67;      /* that bear it: more is what the class looks like */
static const double purity_p = 1e-4;           /* to be a candidate */
static const double least_contradicted = 0.65; /* of rows that bear it */
static const double most_q = 1e-3;
static const double agreement = 0.3; /* of neighbours: up to that they contradict */

void tut_triggers_done(tut_triggers *t)
{
    for (size_t i = 0; i < t->count; i++)
        tut_free(t->items[i].rows);
    *t = (tut_triggers){0};
}

bool backdoor_by_neighbours(backdoor_search *s, uint32_t row)
{
    const tut_backdoor_input *in = s->in;
    const tut_neighbour *near = in->neighbours + row * in->neighbour_count;
    size_t voters = 0, agree = 0;
    for (size_t i = 0; i < in->neighbour_count && voters < BACKDOOR_VOTERS; i++) {
        if (s->bears[near[i].row])
            continue;
        voters++;
        agree += in->labels[near[i].row] == in->labels[row];
    }
    return voters >= BACKDOOR_VOTERS / 2 && (double)agree <= agreement * (double)voters;
}

tut_status backdoor_init(backdoor_search *s, const tut_backdoor_input *in,
                         const backdoor_family *family, void *ctx, tut_triggers *triggers,
                         tut_error *err)
{
    *s = (backdoor_search){.in = in, .family = family, .ctx = ctx, .triggers = triggers};
    if (in->classes < 2)
        return tut_fail(err, TUT_USAGE, "backdoors need two classes");
    s->sizes = tut_alloc_array(in->classes, sizeof(*s->sizes));
    s->contradicted = tut_alloc_array(in->classes, sizeof(*s->contradicted));
    s->bears = tut_alloc_array(in->count, 1);
    s->claimed = tut_alloc_array(in->count, 1);
    s->rows = tut_alloc_array(in->count, sizeof(*s->rows));
    if (!s->sizes || !s->contradicted || !s->bears || !s->claimed || !s->rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < in->count; i++) {
        s->sizes[in->labels[i]]++;
        s->contradicted[in->labels[i]] += family->is_contradicted(s, i);
    }
    for (size_t t = 0; t < triggers->count; t++)
        for (size_t i = 0; i < triggers->items[t].row_count; i++)
            s->claimed[triggers->items[t].rows[i]] = 1;
    return TUT_SUCCESS;
}

void backdoor_done(backdoor_search *s)
{
    tut_free(s->sizes);
    tut_free(s->contradicted);
    tut_free(s->bears);
    tut_free(s->claimed);
    tut_free(s->rows);
    tut_free(s->candidates);
}

tut_status backdoor_offer(backdoor_search *s, uint64_t feature, uint32_t label, uint64_t bearing,
                          uint64_t with_label, double tries, tut_error *err)
{
    if (with_label < TUT_TRIGGER_ROWS || (double)with_label < least_purity * (double)bearing ||
        (double)with_label > most_of_class * (double)s->sizes[label])
        return TUT_SUCCESS;
    double p = tut_tail_hypergeometric(with_label, bearing, s->sizes[label], s->in->count);
    if (p > purity_p)
        return TUT_SUCCESS;
    if (!tut_is_ok(tut_grow(&s->candidates, s->candidate_count, &s->candidate_capacity,
                            sizeof(*s->candidates))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->candidates[s->candidate_count++] = (backdoor_candidate){
        .feature = feature, .label = label, .purity = p, .tries = tries, .p = 1};
    return TUT_SUCCESS;
}

static int compare(double a, double b, uint64_t x, uint64_t y)
{
    if (a < b || a > b)
        return a < b ? -1 : 1;
    return (x > y) - (x < y);
}

static int by_purity(const void *a, const void *b)
{
    const backdoor_candidate *x = a, *y = b;
    return compare(x->purity, y->purity, x->feature, y->feature);
}

static int by_p(const void *a, const void *b)
{
    const backdoor_candidate *x = a, *y = b;
    return compare(x->p, y->p, x->feature, y->feature);
}

typedef struct judgement {
    uint64_t with_label, contradicted;
    double p;
    bool is_strong;
} judgement;

static void count_contradicted(backdoor_search *s, uint32_t label, size_t step, judgement *j)
{
    for (size_t i = 0; i < s->row_count; i += step) {
        if (s->in->labels[s->rows[i]] != label)
            continue;
        j->with_label++;
        j->contradicted += s->family->is_contradicted(s, s->rows[i]);
    }
}

/* Of s->rows. Many candidates are what a class looks like and nothing else: a part of their rows
 * shows it, and they are let go with p = 1. */
static judgement judge(backdoor_search *s, uint32_t label)
{
    judgement j = {.p = 1}, part = {0};
    size_t step = s->row_count / PART_SEEN;
    for (size_t i = 0; i < s->row_count; i++)
        s->bears[s->rows[i]] = 1;
    if (step > 1)
        count_contradicted(s, label, step, &part);
    bool is_worth = 2 * part.contradicted >= part.with_label; /* with none seen too */
    if (is_worth)
        count_contradicted(s, label, 1, &j);
    for (size_t i = 0; i < s->row_count; i++)
        s->bears[s->rows[i]] = 0;
    if (!is_worth)
        return j;
    /* What is contradicted once the trigger is not looked at need not have been before. */
    uint64_t marked = s->contradicted[label] > j.contradicted ? s->contradicted[label]
                                                              : j.contradicted;
    j.p = tut_tail_hypergeometric(j.contradicted, j.with_label, marked, s->sizes[label]);
    j.is_strong = (double)j.contradicted >= least_contradicted * (double)s->row_count &&
                  j.contradicted >= TUT_TRIGGER_ROWS;
    return j;
}

static bool is_claimed(const backdoor_search *s, uint32_t label)
{
    size_t claimed = 0, all = 0;
    for (size_t i = 0; i < s->row_count; i++) {
        if (s->in->labels[s->rows[i]] != label)
            continue;
        all++;
        claimed += s->claimed[s->rows[i]];
    }
    return 2 * claimed > all;
}

static tut_status keep(backdoor_search *s, tut_trigger *t, const judgement *j, tut_error *err)
{
    t->rows = tut_alloc_array((size_t)j->with_label + 1, sizeof(*t->rows));
    if (!t->rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->bearing = s->row_count;
    t->contradicted = j->contradicted;
    t->others = s->sizes[t->label];
    t->others_contradicted = s->contradicted[t->label];
    for (size_t i = 0; i < s->row_count; i++)
        if (s->in->labels[s->rows[i]] == t->label) {
            t->rows[t->row_count++] = s->rows[i];
            s->claimed[s->rows[i]] = 1;
        }
    s->triggers->items[s->triggers->count++] = *t;
    return TUT_SUCCESS;
}

/* Grows it; a trigger that is no longer one when grown is judged as the candidate that it was. */
static tut_status accept(backdoor_search *s, const backdoor_candidate *c, double q, tut_error *err)
{
    tut_trigger t = {.kind = s->family->kind, .label = c->label, .q = q};
    TUT_TRY(s->family->gather(s, c, err));
    if (is_claimed(s, c->label))
        return TUT_SUCCESS;
    if (s->triggers->count == TUT_TRIGGERS) {
        s->triggers->left_out++;
        return TUT_SUCCESS;
    }
    TUT_TRY(s->family->grow(s, c, &t, err));
    if (is_claimed(s, c->label))
        return TUT_SUCCESS;
    judgement j = judge(s, c->label);
    t.p = j.p * c->tries;
    if (!j.is_strong || t.p > most_q)
        return TUT_SUCCESS;
    return keep(s, &t, &j, err);
}

static tut_status judge_candidates(backdoor_search *s, tut_error *err)
{
    for (size_t i = 0; i < s->candidate_count; i++) {
        backdoor_candidate *c = &s->candidates[i];
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(s->family->gather(s, c, err));
        judgement j = judge(s, c->label);
        c->p = j.p * c->tries < 1 ? j.p * c->tries : 1;
        c->is_strong = j.is_strong;
    }
    return TUT_SUCCESS;
}

tut_status backdoor_judge(backdoor_search *s, tut_error *err)
{
    if (s->candidate_count == 0)
        return TUT_SUCCESS;
    qsort(s->candidates, s->candidate_count, sizeof(*s->candidates), by_purity);
    if (s->candidate_count > BACKDOOR_CANDIDATES) {
        s->triggers->left_out += s->candidate_count - BACKDOOR_CANDIDATES;
        s->candidate_count = BACKDOOR_CANDIDATES;
    }
    s->triggers->candidates += s->candidate_count;
    TUT_TRY(judge_candidates(s, err));
    qsort(s->candidates, s->candidate_count, sizeof(*s->candidates), by_p);
    TUT_AUTO_FREE double *q = tut_alloc_array(s->candidate_count, sizeof(*q));
    if (!q)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < s->candidate_count; i++)
        q[i] = s->candidates[i].p;
    if (!tut_is_ok(tut_fdr(q, s->candidate_count, s->candidate_count, q)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < s->candidate_count && q[i] <= most_q; i++)
        if (s->candidates[i].is_strong)
            TUT_TRY(accept(s, &s->candidates[i], q[i], err));
    return TUT_SUCCESS;
}
