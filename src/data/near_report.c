#include <math.h>
#include <stdio.h>

#include "data/near_internal.h"

typedef struct reporter {
    const tut_near *n;
    uint32_t dataset;
    tut_str column;
    const char *const *names;
    size_t name_count;
    tut_data_findings *findings;
} reporter;

/* "like row 3 of train.csv" */
static void name_other(const reporter *r, uint32_t other, char to[64])
{
    const tut_near_document *d = &r->n->documents[other];
    const char *name = d->dataset < r->name_count ? r->names[d->dataset] : NULL;
    if (d->dataset != r->dataset && name)
        (void)snprintf(to, 64, "like row %llu of %s", (unsigned long long)d->row, name);
    else
        (void)snprintf(to, 64, "like row %llu", (unsigned long long)d->row);
}

static tut_status add_row(const reporter *r, tut_data_finding *f, const tut_near_document *d,
                          uint32_t other, double score, tut_error *err)
{
    char note[64];
    name_other(r, other, note);
    return tut_data_found_row(f, d->row, score, NAN, NAN, note, err);
}

static uint64_t count_links(const reporter *r, bool is_exact)
{
    uint64_t count = 0;
    for (size_t i = 0; i < r->n->counts.documents; i++) {
        const tut_near_document *d = &r->n->documents[i];
        count += d->dataset == r->dataset && d->link != TUT_NEAR_NONE && d->is_exact == is_exact;
    }
    return count;
}

static tut_status report_links(const reporter *r, bool is_exact, tut_error *err)
{
    tut_data_finding *f;
    uint64_t count = count_links(r, is_exact);
    if (count == 0)
        return TUT_SUCCESS;
    if (is_exact)
        TUT_TRY(tut_data_found(r->findings, "dataset.exact-duplicate", r->column, &f, err,
                               "%llu rows repeat an earlier one", (unsigned long long)count));
    else
        TUT_TRY(tut_data_found(r->findings, "dataset.near-duplicate", r->column, &f, err,
                               "%llu rows are nearly an earlier one (verified: Jaccard of 5-word "
                               "shingles at least %.2f)",
                               (unsigned long long)count, r->n->options.threshold));
    f->score = 1;
    for (size_t i = 0; i < r->n->counts.documents; i++) {
        const tut_near_document *d = &r->n->documents[i];
        if (d->dataset == r->dataset && d->link != TUT_NEAR_NONE && d->is_exact == is_exact)
            TUT_TRY(add_row(r, f, d, d->link, (double)d->jaccard, err));
    }
    return TUT_SUCCESS;
}

/* The first document of each cluster in a split, or TUT_NEAR_NONE. */
static void find_firsts(const tut_near *n, tut_split split, uint32_t *firsts)
{
    size_t count = (size_t)n->counts.documents;
    memset(firsts, 0xff, count * sizeof(*firsts));
    for (size_t i = 0; i < count; i++) {
        const tut_near_document *d = &n->documents[i];
        if (d->split == split && firsts[d->cluster] == TUT_NEAR_NONE)
            firsts[d->cluster] = (uint32_t)i;
    }
}

static tut_status report_leak(const reporter *r, tut_split here, tut_split there,
                              const uint32_t *firsts, tut_error *err)
{
    const tut_near *n = r->n;
    tut_data_finding *f = NULL;
    uint64_t count = 0;
    for (size_t i = 0; i < n->counts.documents; i++) {
        const tut_near_document *d = &n->documents[i];
        count += d->dataset == r->dataset && d->split == here &&
                 firsts[d->cluster] != TUT_NEAR_NONE;
    }
    if (count == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_data_found(r->findings, "dataset.leakage", r->column, &f, err,
                           "%llu rows of %s are in %s too, the same or nearly",
                           (unsigned long long)count, tut_split_name(here), tut_split_name(there)));
    f->score = 1;
    for (size_t i = 0; i < n->counts.documents; i++) {
        const tut_near_document *d = &n->documents[i];
        if (d->dataset != r->dataset || d->split != here || firsts[d->cluster] == TUT_NEAR_NONE)
            continue;
        double score = d->is_exact || d->link == TUT_NEAR_NONE ? 1 : (double)d->jaccard;
        TUT_TRY(add_row(r, f, d, firsts[d->cluster], score, err));
    }
    return TUT_SUCCESS;
}

static bool has_leaks(const tut_near *n, tut_split there)
{
    for (unsigned here = there + 1u; here < TUT_SPLIT_COUNT; here++)
        if (n->counts.leaks[here][there])
            return true;
    return false;
}

/* Of each pair, the rows of what comes later are told: a test row that was trained on. */
static tut_status report_leaks(const reporter *r, tut_error *err)
{
    const tut_near *n = r->n;
    TUT_AUTO_FREE uint32_t *firsts = NULL;
    for (unsigned there = TUT_SPLIT_TRAIN; there < TUT_SPLIT_COUNT; there++) {
        if (!has_leaks(n, (tut_split)there))
            continue;
        if (!firsts)
            firsts = tut_alloc_array((size_t)n->counts.documents, sizeof(*firsts));
        if (!firsts)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        find_firsts(n, (tut_split)there, firsts);
        for (unsigned here = there + 1; here < TUT_SPLIT_COUNT; here++)
            TUT_TRY(report_leak(r, (tut_split)here, (tut_split)there, firsts, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_near_report(const tut_near *n, uint32_t dataset, tut_str column,
                           const char *const *names, size_t name_count, tut_data_findings *findings,
                           tut_error *err)
{
    reporter r = {n, dataset, column, names, name_count, findings};
    if (!n->is_finished)
        return tut_fail(err, TUT_BUG, "duplicates are told before they are looked for");
    TUT_TRY(report_links(&r, true, err));
    TUT_TRY(report_links(&r, false, err));
    return report_leaks(&r, err);
}
