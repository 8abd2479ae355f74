/*
 * Is an asset from outside cleared: does due diligence on these very bytes hold? Decided by the
 * same evidence and rules as 5.1.2-4 itself, so that finding, control and gate never disagree.
 */
#include "assess/diligence.h"
#include "assess/evaluate_internal.h"
#include "base/alloc.h"

static const tut_want *diligence_want(const tut_clause **ret_clause)
{
    *ret_clause = tut_catalogue_find(TUT_LIT("5.1.2-4"));
    return *ret_clause ? tut_clause_asset_want(*ret_clause) : NULL;
}

static tut_clearance clearance_of(tut_standing standing)
{
    switch (standing) {
    case TUT_STANDING_HOLDS:
        return TUT_CLEARED;
    case TUT_STANDING_OTHER_DIGEST:
        return TUT_CLEARED_OTHER;
    case TUT_STANDING_STALE:
        return TUT_CLEARED_ONCE;
    case TUT_STANDING_EXEMPT:
    case TUT_STANDING_CONTRADICTED:
    case TUT_STANDING_NOT_ENOUGH:
    case TUT_STANDING_MISSING:
    case TUT_STANDING_COUNT:
        break;
    }
    return TUT_NOT_CLEARED;
}

static tut_status judge(tut_evaluation *e, tut_evidence_index *index, size_t at)
{
    const tut_known_asset *known = &e->assets[at];
    tut_asset_summary *asset = &e->a->assets[at];
    tut_match_result found = {0};
    tut_want_subject subject = {
        .name = known->id, .has_digest = known->has_digest, .digest = known->digest};
    TUT_TRY(tut_evidence_find(index, &subject, NULL, &found));
    asset->clearance = clearance_of(found.standing);
    if (found.standing == TUT_STANDING_NOT_ENOUGH)
        asset->clearance_why = found.why;
    return TUT_SUCCESS;
}

tut_status tut_clearance_load(tut_evaluation *e)
{
    const tut_clause *clause;
    const tut_want *want = diligence_want(&clause);
    TUT_AUTO(tut_evidence_index) index = NULL;
    if (!want)
        return tut_fail(e->err, TUT_BUG, "the catalogue has no row for due diligence");
    TUT_TRY(tut_evidence_index_new(e, clause, want, &index));
    for (size_t i = 0; i < e->asset_count; i++) {
        const tut_known_asset *a = &e->assets[i];
        bool is_asked = tut_want_asks(want, a->kind, tut_str_of(a->origin),
                                      tut_str_of(a->sensitivity), a->is_shared);
        e->a->assets[i].clearance = TUT_CLEARANCE_NOT_ASKED;
        if (is_asked)
            TUT_TRY(judge(e, index, i));
    }
    return TUT_SUCCESS;
}

const char *tut_clearance_text(const tut_asset_summary *a)
{
    switch (a->clearance) {
    case TUT_CLEARANCE_NOT_ASKED:
        return "it is of the house itself";
    case TUT_CLEARED:
        return "due diligence on it holds";
    case TUT_CLEARED_OTHER:
        return "due diligence was on another version of it";
    case TUT_CLEARED_ONCE:
        return "due diligence on it ran out";
    case TUT_NOT_CLEARED:
        break;
    }
    return a->clearance_why ? a->clearance_why : "there is no due diligence on it";
}

bool tut_asset_is_cleared(const tut_asset_summary *asset, const char **ret_why)
{
    *ret_why = tut_clearance_text(asset);
    return asset->clearance == TUT_CLEARED || asset->clearance == TUT_CLEARANCE_NOT_ASKED;
}

bool tut_assessment_clears(const tut_assessment *a, const char *asset, const char **ret_why)
{
    for (size_t i = 0; i < a->asset_count; i++)
        if (strcmp(a->assets[i].id, asset) == 0)
            return tut_asset_is_cleared(&a->assets[i], ret_why);
    *ret_why = "no such asset is known";
    return false;
}
