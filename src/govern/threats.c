/* The threat model as a whole: policy, rules, elements, risks, and what a review is about. */
#include <string.h>

#include "assets/schema.h"
#include "govern/threat_internal.h"
#include "govern/threat_judge.h"

/* Configuration, rules and catalogue of threats; not what is proved, which changes by the day. */
static tut_status digest_whole(tut_threats *t, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add(&text, t->model->digest.bytes, sizeof(t->model->digest.bytes));
    tut_buf_add(&text, t->rules->digest.bytes, sizeof(t->rules->digest.bytes));
    tut_buf_add_sized(&text, t->policy.catalogue);
    for (size_t i = 0; i < TUT_THREAT_SCALE; i++)
        tut_buf_add_byte(&text, (uint8_t)t->policy.tolerated[i]);
    TUT_TRY(tut_buf_check(&text, err));
    return tut_sha256_of(tut_buf_span(&text), &t->digest, err);
}

/* A treatment of a risk that no rule knows, or at an element that is not there, was meant for
 * something else: a slip of the hand. One whose risk is gone for the moment may stay. */
static tut_status check_treatments(const tut_threats *t, const tut_threat_sources *from,
                                   tut_error *err)
{
    tut_error local = {0};
    tut_schema s = {.file = from->system->file,
                    .system = from->system,
                    .shown = from->shown,
                    .err = err ? err : &local};
    for (size_t i = 0; i < t->policy.treatment_count; i++) {
        const tut_threat_treatment *x = &t->policy.treatments[i];
        const char *at = x->risk.len ? memchr(x->risk.data, '@', x->risk.len) : NULL;
        size_t len = at ? (size_t)(at - x->risk.data) : 0;
        const tut_threat_rule *rule =
            at ? tut_threat_rule_find(t->rules, (tut_str){x->risk.data, len}) : NULL;
        tut_str id = {at ? at + 1 : "", at ? x->risk.len - len - 1 : 0};
        if (!at)
            continue; /* TODO, which is told elsewhere */
        const tut_yaml_node *n = tut_yaml_get(from->system->yaml, x->node, "risk");
        if (!rule)
            return tut_schema_fail_node(&s, n,
                                        "no rule is called \"%.*s\"; tutela threats lists "
                                        "the risks",
                                        (int)len, x->risk.data);
        if (!tut_threat_element_find(t->model, rule->on, id))
            return tut_schema_fail_node(&s, n, "no %s is called \"%.*s\"",
                                        tut_threat_on_names[rule->on], (int)id.len, id.data);
    }
    return TUT_SUCCESS;
}

static bool is_control(const tut_threats *t, tut_str control)
{
    for (size_t i = 0; i < t->rules->count; i++)
        for (size_t k = 0; k < t->rules->items[i].mitigation_count; k++)
            if (tut_str_eq(t->rules->items[i].mitigations[k].control, control))
                return true;
    return false;
}

static bool is_place(const tut_threats *t, tut_str id)
{
    for (size_t i = 0; i < t->model->count; i++)
        if (tut_str_eq_z(id, t->model->elements[i].id))
            return true;
    return memchr(id.data, '@', id.len) != NULL; /* of a risk, which may be gone for the moment */
}

static tut_status check_claims(const tut_threats *t, const tut_threat_sources *from, tut_error *err)
{
    tut_error local = {0};
    tut_schema s = {.file = from->system->file,
                    .system = from->system,
                    .shown = from->shown,
                    .err = err ? err : &local};
    for (size_t i = 0; i < t->policy.claim_count; i++) {
        const tut_threat_claim *c = &t->policy.claims[i];
        if (c->control.len && !is_control(t, c->control))
            return tut_schema_fail_node(&s, c->node, "no rule names a control \"%.*s\"",
                                        (int)c->control.len, c->control.data);
        if (c->on.len && !is_place(t, c->on))
            return tut_schema_fail_node(&s, tut_yaml_get(from->system->yaml, c->node, "on"),
                                        "no element is called \"%.*s\"", (int)c->on.len,
                                        c->on.data);
    }
    return TUT_SUCCESS;
}

tut_status tut_threats_new(const tut_threat_sources *from, tut_threats **ret_threats,
                           tut_error *err)
{
    TUT_AUTO(tut_threats) t = tut_alloc_array(1, sizeof(*t));
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&t->arena, 0);
    TUT_TRY(tut_threat_policy_read(from->system, &t->policy, from->shown, err));
    TUT_TRY(tut_threat_policy_rules(from->system, &t->policy, &t->rules, from->shown, err));
    TUT_TRY(tut_threat_model_new(from->system, from->assessment, &t->model, err));
    TUT_TRY(check_treatments(t, from, err));
    TUT_TRY(check_claims(t, from, err));
    TUT_TRY(digest_whole(t, err));
    TUT_TRY(tut_threats_evaluate(t->model, t->rules, t, err));
    TUT_TRY(tut_threats_judge(t, from, err));
    *ret_threats = tut_move(&t);
    return TUT_SUCCESS;
}

void tut_threats_free(tut_threats *t)
{
    if (!t)
        return;
    tut_free(t->risks);
    tut_threat_model_free(t->model);
    tut_threat_rules_free(t->rules);
    tut_arena_done(&t->arena);
    tut_free(t);
}

const tut_risk *tut_threats_find(const tut_threats *t, tut_str id)
{
    for (size_t i = 0; i < t->count; i++)
        if (tut_str_eq_z(id, t->risks[i].id))
            return &t->risks[i];
    return NULL;
}
