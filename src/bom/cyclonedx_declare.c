/*
 * What is claimed of conformity: a provision that is met is a claim, one that is not met a
 * counter-claim with its reasons; what was not checked is neither, and its entry says so. Evidence
 * is named by the digests it speaks of and its place in the log. No person has affirmed anything by
 * that, so there is no affirmation.
 */
#include "bom/cyclonedx_internal.h"

static void put_ref(tut_cdx *x, const char *key, const char *space, tut_str id)
{
    tut_buf_clear(&x->text);
    tut_buf_add_z(&x->text, space);
    tut_buf_add_str(&x->text, id);
    if (key)
        tut_json_key(x->j, key);
    tut_json_str(x->j, tut_bom_said(&x->properties, &x->text));
}

void tut_cdx_definitions(tut_cdx *x)
{
    const tut_bom_conformity *c = x->bom->conformity;
    tut_json *j = x->j;
    tut_json_key(j, "definitions");
    tut_json_object(j);
    tut_json_key(j, "standards");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "bom-ref", TUT_CDX_STANDARD_REF);
    tut_json_put_z(j, "name", c->standard);
    tut_json_put_z(j, "version", c->version);
    tut_json_put_z(j, "owner", c->owner);
    tut_json_key(j, "requirements");
    tut_json_array(j);
    for (size_t i = 0; i < c->claim_count; i++) {
        tut_json_object(j);
        put_ref(x, "bom-ref", "requirement/", c->claims[i].id);
        tut_json_put_str(j, "identifier", c->claims[i].id);
        tut_json_put_str(j, "text", c->claims[i].text); /* our own words */
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static tut_str join_reasons(tut_cdx *x, const tut_bom_claim *c, tut_buf *out)
{
    tut_buf_clear(out);
    for (size_t i = 0; i < c->reason_count; i++)
        tut_buf_printf(out, "%s%s", i ? "; " : "", c->reasons[i]);
    return tut_bom_said(&x->properties, out);
}

/* The least of its evidence decides how far a claim can be trusted: D, C, B, A. */
static double confidence(const tut_bom_conformity *c, const tut_bom_claim *claim, char *ret_tier)
{
    char least = 0;
    for (size_t i = 0; i < claim->evidence_count; i++) {
        char tier = c->evidence[claim->evidence[i]].tier[0];
        if (tier > least)
            least = tier;
    }
    *ret_tier = least;
    return least >= 'A' && least <= 'D' ? (double)('E' - least) / 4 : 0;
}

static bool is_claim(tut_bom_verdict v)
{
    return v == TUT_BOM_MET || v == TUT_BOM_NOT_MET;
}

static void put_conformance(tut_cdx *x, const tut_bom_claim *claim)
{
    static const char *const words[] = {"", "Partly met: ", "",
                                        "Not checked: ", "Not applicable: "};
    TUT_CLEAN(tut_buf) reasons = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_json *j = x->j;
    tut_buf_add_z(&text, words[claim->verdict]);
    tut_buf_add_str(&text, join_reasons(x, claim, &reasons));
    tut_json_key(j, "conformance");
    tut_json_object(j);
    if (claim->verdict == TUT_BOM_MET || claim->verdict == TUT_BOM_NOT_MET ||
        claim->verdict == TUT_BOM_PARTLY) {
        tut_json_key(j, "score");
        tut_json_real(j, claim->verdict == TUT_BOM_MET      ? 1
                         : claim->verdict == TUT_BOM_PARTLY ? 0.5
                                                            : 0);
    }
    tut_cdx_put(x, "rationale", tut_bom_said(&x->properties, &text));
    tut_json_end_object(j);
}

static void put_confidence(tut_cdx *x, const tut_bom_claim *claim)
{
    char tier;
    double score = confidence(x->bom->conformity, claim, &tier);
    if (!tier)
        return;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text,
                   "the least of its evidence is of tier %c (A: third party, B: independent "
                   "tester, C: own tool or person, D: self-declared)",
                   tier);
    tut_json_key(x->j, "confidence");
    tut_json_object(x->j);
    tut_json_key(x->j, "score");
    tut_json_real(x->j, score);
    tut_json_put_str(x->j, "rationale", tut_bom_said(&x->properties, &text));
    tut_json_end_object(x->j);
}

static void put_map(tut_cdx *x, const tut_bom_claim *claim)
{
    tut_json *j = x->j;
    tut_json_object(j);
    put_ref(x, "requirement", "requirement/", claim->id);
    if (is_claim(claim->verdict)) {
        tut_json_key(j, claim->verdict == TUT_BOM_MET ? "claims" : "counterClaims");
        tut_json_array(j);
        put_ref(x, NULL, "claim/", claim->id);
        tut_json_end_array(j);
    }
    put_conformance(x, claim);
    put_confidence(x, claim);
    tut_json_end_object(j);
}

static void put_attestation(tut_cdx *x)
{
    const tut_bom_conformity *c = x->bom->conformity;
    char at[TUT_TIME_TEXT];
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_time_rfc3339(c->evaluated_at, at);
    tut_buf_printf(&text, "%s %s by the records up to %s", c->standard, c->version, at);
    if (x->bom->changed)
        tut_buf_printf(&text, "; of %zu assets the evidence knows other bytes or none",
                       x->bom->changed);
    tut_json_object(x->j);
    tut_json_put_str(x->j, "summary", tut_bom_said(&x->properties, &text));
    tut_json_put_z(x->j, "assessor", TUT_CDX_ASSESSOR_REF);
    tut_json_key(x->j, "map");
    tut_json_array(x->j);
    for (size_t i = 0; i < c->claim_count; i++)
        put_map(x, &c->claims[i]);
    tut_json_end_array(x->j);
    tut_json_end_object(x->j);
}

static void put_evidence_refs(tut_cdx *x, const tut_bom_claim *claim, bool is_against)
{
    size_t count = 0;
    for (size_t i = 0; i < claim->evidence_count; i++)
        count += claim->is_against[i] == is_against;
    if (!count)
        return;
    tut_json_key(x->j, is_against ? "counterEvidence" : "evidence");
    tut_json_array(x->j);
    for (size_t i = 0; i < claim->evidence_count; i++) {
        if (claim->is_against[i] != is_against)
            continue;
        tut_buf_clear(&x->text);
        tut_buf_printf(&x->text, "evidence/%llu",
                       (unsigned long long)x->bom->conformity->evidence[claim->evidence[i]].index);
        tut_json_str(x->j, tut_bom_said(&x->properties, &x->text));
    }
    tut_json_end_array(x->j);
}

static void put_claim(tut_cdx *x, const tut_bom_claim *claim)
{
    TUT_CLEAN(tut_buf) reasons = TUT_BUF_INIT;
    tut_json_object(x->j);
    put_ref(x, "bom-ref", "claim/", claim->id);
    tut_json_put_z(x->j, "target", TUT_BOM_SYSTEM_REF);
    tut_json_put_str(x->j, "predicate", claim->text);
    tut_cdx_put(x, "reasoning", join_reasons(x, claim, &reasons));
    put_evidence_refs(x, claim, false);
    put_evidence_refs(x, claim, true);
    tut_json_end_object(x->j);
}

static void put_digest(tut_cdx *x, const char *name, const tut_sha256 *digest)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    tut_buf_clear(&x->text);
    tut_buf_printf(&x->text, "sha256:%s", hex);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "name", name);
    tut_json_key(x->j, "contents");
    tut_json_object(x->j);
    tut_json_key(x->j, "attachment");
    tut_json_object(x->j);
    tut_json_put_z(x->j, "contentType", "text/plain");
    tut_json_put_str(x->j, "content", tut_bom_said(&x->properties, &x->text));
    tut_json_end_object(x->j);
    tut_json_end_object(x->j);
    tut_json_end_object(x->j);
}

static void put_evidence(tut_cdx *x, const tut_bom_evidence *e)
{
    tut_json *j = x->j;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_json_object(j);
    tut_buf_printf(&text, "evidence/%llu", (unsigned long long)e->index);
    tut_json_put_str(j, "bom-ref", tut_bom_said(&x->properties, &text));
    tut_json_put_z(j, "propertyName", e->check);
    tut_buf_clear(&text);
    tut_buf_printf(&text, "%s: %s. ", e->method, e->result);
    tut_buf_add_z(&text, e->statement);
    tut_json_put_str(j, "description", tut_bom_said(&x->properties, &text));
    tut_json_put_time(j, "created", e->created);
    tut_json_put_time(j, "expires", e->expires);
    tut_json_key(j, "author");
    tut_json_object(j);
    tut_json_put_z(j, "name", e->actor);
    tut_json_end_object(j);
    tut_json_key(j, "data");
    tut_json_array(j);
    for (size_t i = 0; i < e->subject_count; i++)
        put_digest(x, e->subjects[i].name, &e->subjects[i].digest);
    if (e->has_body)
        put_digest(x, "what was recorded", &e->body);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

void tut_cdx_declarations(tut_cdx *x)
{
    const tut_bom_conformity *c = x->bom->conformity;
    tut_json *j = x->j;
    tut_json_key(j, "declarations");
    tut_json_object(j);
    tut_json_key(j, "assessors");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "bom-ref", TUT_CDX_ASSESSOR_REF);
    tut_json_put_bool(j, "thirdParty", false);
    tut_cdx_organisation(x, "organization", TUT_LIT("tutela " TUTELA_VERSION));
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_key(j, "attestations");
    tut_json_array(j);
    put_attestation(x);
    tut_json_end_array(j);
    tut_json_key(j, "claims");
    tut_json_array(j);
    for (size_t i = 0; i < c->claim_count; i++)
        if (is_claim(c->claims[i].verdict))
            put_claim(x, &c->claims[i]);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < c->evidence_count; i++)
        put_evidence(x, &c->evidence[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}
