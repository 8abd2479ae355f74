/* What counts against a risk: mitigations that are proved today, claims that are not, treatments
 * of tutela.yaml, and acceptances that people signed. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "govern/threat_internal.h"
#include "govern/threat_judge.h"
#include "govern/threat_lang.h"

typedef struct judging {
    const tut_threat_sources *from;
    tut_threats *t;
    tut_proofs *proofs;           /* NULL: there are no records */
    const tut_acceptances *given; /* NULL likewise */
    bool has_transferred;         /* assurance by outside owners counts */
    tut_map treatments;           /* by risk */
    tut_error *err;
} judging;

bool tut_risk_is_unresolved(const tut_risk *r)
{
    return r->residual.level > r->tolerated;
}

/* --- proofs --- */

static const char *asset_of(const tut_risk *r, const tut_threat_mitigation *m)
{
    const tut_threat_element *e = m->of == TUT_THREAT_SELF ? r->element : r->element->links[m->of];
    if (e && e->on == TUT_THREAT_ON_COMPONENT)
        e = e->links[TUT_THREAT_ASSET];
    return e && e->on == TUT_THREAT_ON_ASSET ? e->id : NULL;
}

/* Looks for {"metric": NAME, "value": X} anywhere in the body of evidence, or a member of that
 * name. One walk over the values with a stack of its own. */
static bool find_metric(const tut_json_value *root, tut_str metric, double *ret)
{
    enum { STACK_MAX = 512 };
    const tut_json_value *stack[STACK_MAX];
    size_t depth = 0;
    stack[depth++] = root;
    while (depth > 0) {
        const tut_json_value *v = stack[--depth];
        bool is_metric = tut_str_eq(tut_json_get_text(v, "metric"), metric);
        double said = is_metric ? tut_json_real_of(tut_json_get(v, "value")) : NAN;
        if (isnan(said) && tut_str_eq(v->key, metric))
            said = tut_json_real_of(v);
        if (!isnan(said)) {
            *ret = said;
            return true;
        }
        for (uint32_t i = tut_json_count(v); i > 0 && depth < STACK_MAX; i--)
            stack[depth++] = tut_json_item(v, i - 1);
    }
    return false;
}

static tut_status check_metric(const judging *j, const tut_threat_mitigation *m, tut_proof *p)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    double value = NAN;
    if (!p->counts || m->metric.len == 0)
        return TUT_SUCCESS;
    p->counts = false;
    p->why = "it did not measure what the rule asks for";
    if (!p->record->has_body)
        return TUT_SUCCESS;
    TUT_TRY(tut_ledger_get_body(j->from->ledger, &p->record->body, &body, j->err));
    if (!tut_is_ok(tut_json_parse(tut_buf_span(&body), NULL, &doc, NULL)) ||
        !find_metric(tut_json_root(doc), m->metric, &value))
        return TUT_SUCCESS;
    bool is_in = (isnan(m->at_least) || value >= m->at_least) &&
                 (isnan(m->at_most) || value <= m->at_most);
    p->counts = is_in;
    p->why = is_in ? "holds" : "what it measured is outside of what the rule asks for";
    return TUT_SUCCESS;
}

/* By an attribute of the element, or by threats.claims. */
static bool is_claimed(const judging *j, const tut_risk *r, const tut_threat_mitigation *m)
{
    if (m->claim && tut_threat_eval(m->claim, r->element))
        return true;
    for (size_t i = 0; i < j->t->policy.claim_count; i++) {
        const tut_threat_claim *c = &j->t->policy.claims[i];
        bool is_here = c->on.len == 0 || tut_str_eq_z(c->on, r->element->id) ||
                       tut_str_eq_z(c->on, r->id);
        if (is_here && tut_str_eq(c->control, m->control))
            return true;
    }
    return false;
}

static tut_status prove(const judging *j, const tut_risk *r, const tut_threat_mitigation *m,
                        tut_risk_mitigation *ret)
{
    tut_proof p = {.why = "nothing is on record"};
    if (j->proofs) {
        TUT_TRY(tut_proofs_find(j->proofs, m->proof, asset_of(r, m), m->max_age, &p, j->err));
        TUT_TRY(check_metric(j, m, &p));
    }
    bool claimed = !p.counts && is_claimed(j, r, m);
    *ret = (tut_risk_mitigation){.mitigation = m,
                                 .counted = p.counts  ? TUT_COUNTED
                                            : claimed ? TUT_CLAIMED
                                                      : TUT_NOT_IN_PLACE,
                                 .record = p.record};
    ret->why = tut_arena_copy(&j->t->arena, tut_str_of(p.why));
    return ret->why ? TUT_SUCCESS : tut_fail(j->err, TUT_NOMEM, "memory ran out");
}

static tut_status mitigate(const judging *j, tut_risk *r)
{
    int likelihood = r->inherent.likelihood;
    int impact = r->inherent.impact;
    r->mitigation_count = r->rule->mitigation_count;
    r->mitigations = tut_arena_take(&j->t->arena, r->mitigation_count + 1, sizeof(*r->mitigations));
    if (!r->mitigations)
        return tut_fail(j->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < r->mitigation_count; i++) {
        const tut_threat_mitigation *m = &r->rule->mitigations[i];
        TUT_TRY(prove(j, r, m, &r->mitigations[i]));
        if (r->mitigations[i].counted != TUT_COUNTED)
            continue;
        if (m->reduces_impact)
            impact -= (int)m->by;
        else
            likelihood -= (int)m->by;
    }
    r->residual = tut_risk_size_of(likelihood, impact);
    return TUT_SUCCESS;
}

/* --- what was decided --- */

static const tut_threat_treatment *treatment_of(const judging *j, const tut_risk *r)
{
    size_t at = tut_map_get(&j->treatments, tut_str_of(r->id));
    return at == SIZE_MAX ? NULL : &j->t->policy.treatments[at];
}

static bool has_proved(const tut_risk *r)
{
    for (size_t i = 0; i < r->mitigation_count; i++)
        if (r->mitigations[i].counted == TUT_COUNTED)
            return true;
    return false;
}

/* Why the treatment that tutela.yaml names does not count; NULL: it does. */
static const char *lacks(const judging *j, const tut_risk *r)
{
    const tut_threat_treatment *t = r->treatment;
    if (!t)
        return "above what is tolerated, and no treatment is decided";
    if (tut_str_eq_z(t->treatment, "accept"))
        return r->acceptance.record ? r->acceptance.why : "to be accepted, and nobody signed that";
    if (tut_str_eq_z(t->treatment, "avoid"))
        return "to be avoided, and it is still there";
    if (tut_str_eq_z(t->treatment, "transfer"))
        return j->has_transferred ? NULL : "transferred, and no assurance of its new owner counts";
    if (t->cost.len == 0 || t->owner.len == 0)
        return "to be mitigated, and no owner or cost is named";
    return has_proved(r) ? NULL : "to be mitigated, and no control against it is proved";
}

static void decide(const judging *j, tut_risk *r)
{
    r->tolerated = j->t->policy.tolerated[r->residual.impact - 1];
    r->treatment = treatment_of(j, r);
    if (j->given)
        r->acceptance = tut_acceptance_of(j->given, r, j->from->at);
    if (!tut_risk_is_unresolved(r)) {
        r->state = TUT_RISK_TOLERATED;
        r->why = "not above what is tolerated";
        return;
    }
    if (r->acceptance.counts) {
        r->state = TUT_RISK_ACCEPTED;
        r->why = "accepted by a signature that counts";
        return;
    }
    r->why = lacks(j, r);
    r->state = r->why ? TUT_RISK_OPEN : TUT_RISK_TREATED;
    if (!r->why)
        r->why = "treated as tutela.yaml says, by what is proved";
    else if (r->acceptance.record && r->acceptance.why)
        r->why = r->acceptance.why;
}

static tut_status find_assurance(judging *j)
{
    tut_proof p = {.why = NULL};
    if (j->proofs)
        TUT_TRY(tut_proofs_find(j->proofs, TUT_LIT("pack.assurance"), NULL, 0, &p, j->err));
    j->has_transferred = p.counts;
    return TUT_SUCCESS;
}

static tut_status judge_all(judging *j)
{
    const tut_threat_policy *p = &j->t->policy;
    TUT_TRY(find_assurance(j));
    for (size_t i = 0; i < p->treatment_count; i++)
        TUT_TRY(tut_map_put(&j->treatments, p->treatments[i].risk, i, NULL, j->err));
    for (size_t i = 0; i < j->t->count; i++) {
        TUT_TRY(mitigate(j, &j->t->risks[i]));
        decide(j, &j->t->risks[i]);
        j->t->by_state[j->t->risks[i].state]++;
    }
    return TUT_SUCCESS;
}

tut_status tut_threats_judge(tut_threats *t, const tut_threat_sources *from, tut_error *err)
{
    TUT_AUTO(tut_proofs) proofs = NULL;
    TUT_AUTO(tut_acceptances) given = NULL;
    if (from->assessment && from->ledger) {
        TUT_TRY(
            tut_proofs_new(from->assessment, from->ledger, &from->system->digest, &proofs, err));
        TUT_TRY(
            tut_acceptances_read(from->assessment->records, from->ledger, &t->arena, &given, err));
    }
    judging j = {.from = from, .t = t, .proofs = proofs, .given = given, .err = err};
    tut_status status = judge_all(&j);
    tut_map_done(&j.treatments);
    TUT_TRY(status);
    tut_threats_sort(t);
    return TUT_SUCCESS;
}
