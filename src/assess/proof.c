#include "assess/proof.h"

#include "assess/evaluate_internal.h"
#include "base/map.h"

typedef struct proof_index {
    tut_want want; /* the catalogue's, with the age that was asked */
    const tut_clause *clause;
    tut_evidence_index *index;
} proof_index;

struct tut_proofs {
    tut_evaluation e;
    tut_map by_check, by_question; /* "check|days", "check|days|asset" */
    proof_index **indexes;
    size_t index_count, index_capacity;
    tut_proof *answers;
    size_t answer_count, answer_capacity;
};

tut_status tut_proofs_new(const tut_assessment *a, tut_ledger *ledger,
                          const tut_sha256 *system_digest, tut_proofs **ret_proofs, tut_error *err)
{
    TUT_AUTO(tut_proofs) p = tut_alloc_array(1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    /* Nothing here changes the assessment: uses are noted in controls, and none is given. */
    p->e.a = (tut_assessment *)(uintptr_t)a;
    p->e.ledger = ledger;
    p->e.has_system = true;
    p->e.system_digest = *system_digest;
    tut_arena_init(&p->e.arena, 0);
    p->e.bodies = tut_arena_take(&p->e.arena, a->records->count + 1, sizeof(*p->e.bodies));
    if (!p->e.bodies)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (a->system)
        TUT_TRY(tut_design_read(a->system, &p->e.design, NULL, err));
    *ret_proofs = tut_move(&p);
    return TUT_SUCCESS;
}

void tut_proofs_free(tut_proofs *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->index_count; i++) {
        tut_evidence_index_free(p->indexes[i]->index);
        tut_free(p->indexes[i]);
    }
    tut_free(p->indexes);
    tut_free(p->answers);
    tut_map_done(&p->by_check);
    tut_map_done(&p->by_question);
    tut_free(p->e.damage);
    tut_arena_done(&p->e.arena);
    tut_free(p);
}

static const tut_clause *clause_of(const tut_want *want)
{
    const tut_clause *clauses;
    if (!tut_is_ok(tut_catalogue_load(&clauses, NULL)))
        return NULL;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (want >= clauses[i].wants && want < clauses[i].wants + clauses[i].want_count)
            return &clauses[i];
    return NULL;
}

static tut_status key_of(tut_proofs *p, tut_str check, uint32_t days, const char *asset,
                         tut_str *ret_key)
{
    TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
    tut_buf_add_str(&key, check);
    tut_buf_printf(&key, "|%u", days);
    if (asset)
        tut_buf_printf(&key, "|%s", asset);
    TUT_TRY(tut_buf_check(&key, p->e.err));
    const char *kept = tut_arena_copy(&p->e.arena, tut_buf_str(&key));
    if (!kept)
        return tut_fail(p->e.err, TUT_NOMEM, "memory ran out");
    *ret_key = tut_str_of(kept);
    return TUT_SUCCESS;
}

static tut_status add_index(tut_proofs *p, tut_str check, uint32_t days, proof_index **ret)
{
    const tut_want *want = tut_catalogue_find_want(check);
    const tut_clause *clause = want ? clause_of(want) : NULL;
    if (!clause)
        return tut_fail(p->e.err, TUT_USAGE, "no provision wants the check \"%.*s\"",
                        (int)check.len, check.data);
    TUT_TRY(tut_grow(&p->indexes, p->index_count, &p->index_capacity, sizeof(*p->indexes)));
    proof_index *x = tut_alloc_array(1, sizeof(*x));
    if (!x)
        return tut_fail(p->e.err, TUT_NOMEM, "memory ran out");
    p->indexes[p->index_count++] = x;
    x->want = *want;
    x->clause = clause;
    if (days && days < x->want.max_age_days)
        x->want.max_age_days = days;
    *ret = x;
    return tut_evidence_index_new(&p->e, clause, &x->want, &x->index);
}

static tut_status index_of(tut_proofs *p, tut_str check, uint32_t days, proof_index **ret)
{
    tut_str key;
    TUT_TRY(key_of(p, check, days, NULL, &key));
    size_t at = tut_map_get(&p->by_check, key);
    if (at != SIZE_MAX) {
        *ret = p->indexes[at];
        return TUT_SUCCESS;
    }
    TUT_TRY(add_index(p, check, days, ret));
    return tut_map_put(&p->by_check, key, p->index_count - 1, NULL, p->e.err);
}

static const tut_asset_summary *summary_of(const tut_assessment *a, const char *id)
{
    for (size_t i = 0; i < a->asset_count; i++)
        if (strcmp(a->assets[i].id, id) == 0)
            return &a->assets[i];
    return NULL;
}

/* An asset's digest as it was found last; else as it is declared. */
static void pin(const tut_assessment *a, const char *asset, tut_want_subject *subject)
{
    const tut_asset_summary *found = summary_of(a, asset);
    const tut_asset *declared = a->system ? tut_system_asset(a->system, tut_str_of(asset)) : NULL;
    subject->name = asset;
    if (found)
        subject->has_digest =
            tut_is_ok(tut_sha256_parse(tut_str_of(found->digest), &subject->digest));
    if (!subject->has_digest && !found && declared && declared->has_digest) {
        subject->has_digest = true;
        subject->digest = declared->digest;
    }
}

static tut_status weigh(proof_index *x, const tut_want_subject *subject, tut_proof *ret)
{
    tut_match_result found;
    TUT_TRY(tut_evidence_find(x->index, subject, NULL, &found));
    *ret = (tut_proof){.counts = found.standing == TUT_STANDING_HOLDS,
                       .record = found.record,
                       .why = found.standing == TUT_STANDING_CONTRADICTED ? "it failed"
                                                                          : found.why};
    return TUT_SUCCESS;
}

/* All documents that are named for it, or it does not count. */
static tut_status weigh_documents(tut_proofs *p, proof_index *x, tut_proof *ret)
{
    tut_str paths[TUT_DESIGN_DOCUMENTS_MAX];
    size_t count = tut_design_of_check(&p->e.design, x->want.check, paths);
    *ret = (tut_proof){.why = "the description names no document for it"};
    for (size_t i = 0; i < count && (i == 0 || ret->counts); i++) {
        tut_want_subject subject;
        TUT_TRY(tut_known_document(&p->e, paths[i], &subject));
        TUT_TRY(weigh(x, &subject, ret));
    }
    return TUT_SUCCESS;
}

static tut_status judge(tut_proofs *p, proof_index *x, const char *asset, tut_proof *ret)
{
    tut_want_subject subject = {
        .name = TUT_SUBJECT_SYSTEM, .has_digest = true, .digest = p->e.system_digest};
    switch (x->want.scope) {
    case TUT_SCOPE_SYSTEM:
        break;
    case TUT_SCOPE_ORGANISATION:
        subject.name = TUT_SUBJECT_ORGANISATION;
        subject.is_any_digest = true;
        break;
    case TUT_SCOPE_EVERY_ASSET:
    case TUT_SCOPE_EVERY_EXTERNAL:
    case TUT_SCOPE_EVERY_SENSITIVE:
    case TUT_SCOPE_EVERY_SHARED:
        if (!asset) {
            *ret = (tut_proof){.why = "no asset is named that it could be about"};
            return TUT_SUCCESS;
        }
        subject.has_digest = false;
        pin(p->e.a, asset, &subject);
        break;
    case TUT_SCOPE_DOCUMENT:
        return weigh_documents(p, x, ret);
    }
    return weigh(x, &subject, ret);
}

tut_status tut_proofs_find(tut_proofs *p, tut_str check, const char *asset, uint32_t max_age_days,
                           tut_proof *ret_proof, tut_error *err)
{
    tut_error unread = {0};
    tut_str key;
    proof_index *x = NULL;
    p->e.err = err ? err : &unread;
    TUT_TRY(key_of(p, check, max_age_days, asset ? asset : "", &key));
    size_t at = tut_map_get(&p->by_question, key);
    if (at != SIZE_MAX) {
        *ret_proof = p->answers[at];
        return TUT_SUCCESS;
    }
    TUT_TRY(index_of(p, check, max_age_days, &x));
    TUT_TRY(tut_grow(&p->answers, p->answer_count, &p->answer_capacity, sizeof(*p->answers)));
    TUT_TRY(judge(p, x, asset, &p->answers[p->answer_count]));
    *ret_proof = p->answers[p->answer_count];
    return tut_map_put(&p->by_question, key, p->answer_count++, NULL, p->e.err);
}
