/* What the assessment says of conformity, as a bill of materials takes it; and the bills that are
 * written with the reports, from the inventory as recorded. */
#include "assess/bom_claims.h"

#include "assess/evaluate_internal.h"
#include "assess/tool.h"

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_bom_verdict verdict_of(tut_control_verdict v)
{
    switch (v) {
    case TUT_CONTROL_MET:
        return TUT_BOM_MET;
    case TUT_CONTROL_PARTLY:
        return TUT_BOM_PARTLY;
    case TUT_CONTROL_NOT_MET:
        return TUT_BOM_NOT_MET;
    case TUT_CONTROL_NOT_APPLICABLE:
        return TUT_BOM_NOT_APPLICABLE;
    case TUT_CONTROL_NOT_CHECKED:
    case TUT_CONTROL_VERDICT_COUNT:
        break;
    }
    return TUT_BOM_NOT_CHECKED;
}

static tut_bom_evidence evidence_of(const tut_record *r)
{
    return (tut_bom_evidence){.index = r->index,
                              .check = r->check,
                              .method = tut_method_name(r->method),
                              .result = tut_result_name(r->result),
                              .statement = r->statement ? r->statement : "",
                              .actor = r->actor ? r->actor : "",
                              .tier = tut_tier_name(r->tier),
                              .created = r->at,
                              .expires = r->expires,
                              .subjects = r->subjects,
                              .subject_count = r->subject_count,
                              .has_body = r->has_body,
                              .body = r->body};
}

/* Only what holds or contradicts is evidence; what ran out is among the reasons. */
static bool is_used(const tut_evidence_use *use)
{
    return use->use == TUT_USE_COUNTS || use->use == TUT_USE_CONTRADICTS;
}

typedef struct gathering {
    const tut_assessment *a;
    tut_arena *arena;
    size_t *position; /* by record: of its evidence, + 1 */
    tut_bom_evidence *evidence;
    size_t evidence_count;
} gathering;

static tut_status take_claim(gathering *g, const tut_control *c, tut_bom_claim *to, tut_error *err)
{
    size_t *list = tut_arena_take(g->arena, c->evidence_count + 1, sizeof(*list));
    bool *is_against = tut_arena_take(g->arena, c->evidence_count + 1, sizeof(*is_against));
    if (!list || !is_against)
        return nomem(err);
    size_t count = 0;
    for (size_t i = 0; i < c->evidence_count; i++) {
        const tut_record *r = c->evidence[i].record;
        if (!is_used(&c->evidence[i]))
            continue;
        size_t *at = &g->position[r - g->a->records->items];
        if (!*at) {
            g->evidence[g->evidence_count] = evidence_of(r);
            *at = ++g->evidence_count;
        }
        is_against[count] = c->evidence[i].use == TUT_USE_CONTRADICTS;
        list[count++] = *at - 1;
    }
    *to = (tut_bom_claim){.id = c->clause->id,
                          .text = c->clause->summary,
                          .verdict = verdict_of(c->verdict),
                          .reasons = (const char *const *)c->reasons,
                          .reason_count = c->reason_count,
                          .evidence = list,
                          .is_against = is_against,
                          .evidence_count = count};
    return TUT_SUCCESS;
}

static tut_status take_assets(gathering *g, tut_bom_conformity *to, tut_error *err)
{
    const tut_assessment *a = g->a;
    tut_subject *recorded = tut_arena_take(g->arena, a->asset_count + 1, sizeof(*recorded));
    if (!recorded)
        return nomem(err);
    for (size_t i = 0; i < a->asset_count; i++) {
        tut_subject *s = &recorded[to->recorded_count];
        s->name = a->assets[i].id;
        if (tut_is_ok(tut_sha256_parse(tut_str_of(a->assets[i].digest), &s->digest)))
            to->recorded_count++;
    }
    to->recorded = recorded;
    return TUT_SUCCESS;
}

tut_status tut_assess_conformity(const tut_assessment *a, tut_arena *arena, tut_bom_conformity *ret,
                                 tut_error *err)
{
    tut_bom_claim *claims = tut_arena_take(arena, TUT_CLAUSE_COUNT, sizeof(*claims));
    TUT_AUTO_FREE size_t *position = tut_alloc_array(a->records->count + 1, sizeof(*position));
    gathering g = {.a = a, .arena = arena, .position = position};
    g.evidence = tut_arena_take(arena, a->records->count + 1, sizeof(*g.evidence));
    if (!claims || !position || !g.evidence)
        return nomem(err);
    tut_bom_conformity c = {.standard = "ETSI EN 304 223",
                            .version = "V2.1.1",
                            .owner = "ETSI",
                            .evaluated_at = a->evaluated_at,
                            .claims = claims,
                            .claim_count = TUT_CLAUSE_COUNT,
                            .log_origin = a->log_origin,
                            .log_size = a->records->log_size,
                            .log_root = a->log_root};
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        TUT_TRY(take_claim(&g, &a->controls[i], &claims[i], err));
    TUT_TRY(take_assets(&g, &c, err));
    c.evidence = g.evidence;
    c.evidence_count = g.evidence_count;
    *ret = c;
    return TUT_SUCCESS;
}

/* --- as reports --- */

static tut_status write_bill(const tut_assessment *a, tut_bom_spec spec, tut_arena *arena,
                             tut_buf *out, tut_error *err)
{
    static const char nothing[] = "{\"assets\":[]}";
    tut_bom_conformity conformity;
    TUT_AUTO(tut_bom) bom = NULL;
    TUT_TRY(tut_assess_conformity(a, arena, &conformity, err));
    tut_bom_input input = {.inventory = a->inventory.len
                                            ? tut_buf_span(&a->inventory)
                                            : tut_span_of(nothing, sizeof(nothing) - 1),
                           .system = a->system,
                           .conformity = &conformity,
                           .at = a->evaluated_at};
    TUT_TRY(tut_bom_new(&input, &bom, err));
    return spec == TUT_BOM_SPDX_301 ? tut_bom_spdx(bom, out, err)
                                    : tut_bom_cyclonedx(bom, spec, NULL, out, err);
}

static tut_status report_bill(const tut_assessment *a, tut_bom_spec spec, tut_buf *out,
                              tut_error *err)
{
    tut_arena arena;
    tut_arena_init(&arena, 0);
    tut_status status = write_bill(a, spec, &arena, out, err);
    tut_arena_done(&arena);
    return status;
}

tut_status tut_report_cyclonedx(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    return report_bill(a, TUT_BOM_CYCLONEDX_16, out, err);
}

tut_status tut_report_spdx(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    return report_bill(a, TUT_BOM_SPDX_301, out, err);
}

/* --- on record --- */

static size_t unsound(const tut_bom *bom)
{
    size_t count = 0;
    for (size_t i = 0; i < bom->asset_count; i++)
        count += !tut_str_eq_z(bom->assets[i].state, "declared");
    return count;
}

/* It covers the system when all that was found is declared, is there, and as last accepted. */
static char *judge(const tut_bom *bom, tut_bom_spec spec, const char *signer,
                   tut_result *ret_result)
{
    *ret_result = TUT_RESULT_FAIL;
    if (bom->asset_count == 0)
        return tut_strdup("The bill of materials lists nothing: no asset was recognised.");
    if (unsound(bom))
        return tut_asprintf("The bill of materials does not cover the system as described: %zu of "
                            "%zu assets are undeclared, missing or changed.",
                            unsound(bom), bom->asset_count);
    if (!bom->is_complete)
        return tut_strdup("The bill of materials may lack something: part of the tree could not "
                          "be read.");
    *ret_result = TUT_RESULT_PASS;
    return tut_asprintf("The bill of materials (%s) lists all %zu assets and %zu packages%s%s.",
                        tut_bom_spec_name(spec), bom->asset_count, bom->package_count,
                        signer ? "; signed by " : "", signer ? signer : "");
}

/* The clauses whose rows want this check. */
static size_t clauses_of(const char *check, char **ids, const char **list, tut_error *err)
{
    const tut_clause *clauses;
    size_t count = 0;
    if (!tut_is_ok(tut_catalogue_load(&clauses, err)))
        return 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        bool wants = false;
        for (size_t w = 0; w < clauses[i].want_count; w++)
            wants |= tut_str_eq_z(clauses[i].wants[w].check, check);
        if (!wants)
            continue;
        ids[count] = tut_strndup(clauses[i].id.data, clauses[i].id.len);
        list[count] = ids[count];
        count += ids[count] != NULL;
    }
    return count;
}

tut_status tut_assess_log_bom(tut_ledger *ledger, const tut_bom *bom, tut_bom_spec spec,
                              tut_span document, const char *signer, uint64_t *ret_index,
                              tut_error *err)
{
    tut_result result;
    tut_tool_digests tool;
    char *ids[TUT_CLAUSE_COUNT] = {NULL};
    const char *list[TUT_CLAUSE_COUNT];
    TUT_AUTO_FREE char *statement = judge(bom, spec, signer, &result);
    tut_subject subjects[2] = {
        {.name = TUT_SUBJECT_SYSTEM, .digest = bom->system->digest},
        {.name = spec == TUT_BOM_SPDX_301 ? "bom.spdx.json" : "bom.cdx.json"}};
    if (!statement)
        return nomem(err);
    TUT_TRY(tut_tool_get_digests(&tool, err));
    TUT_TRY(tut_ledger_put_body(ledger, document, &subjects[1].digest, err));
    tut_time now = tut_time_now();
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = now,
                    .from = now,
                    .to = now,
                    .expires = now + (tut_time)TUT_BOM_EXPIRY_DAYS * TUT_DAY_SECONDS,
                    .check = TUT_CHECK_BOM "/1",
                    .method = TUT_METHOD_TEST,
                    .result = result,
                    .clauses = list,
                    .subjects = subjects,
                    .subject_count = 2,
                    .actor = "tool",
                    .statement = statement,
                    .has_body = true,
                    .body = subjects[1].digest,
                    .tool_binary = tool.binary,
                    .tool_catalogue = tool.catalogue,
                    .tool_rules = tool.rules};
    r.clause_count = clauses_of(TUT_CHECK_BOM, ids, list, err);
    tut_status status = r.clause_count ? tut_ledger_append(ledger, &r, 1, err) : nomem(err);
    for (size_t i = 0; i < r.clause_count; i++)
        tut_free(ids[i]);
    *ret_index = r.index;
    return status;
}
