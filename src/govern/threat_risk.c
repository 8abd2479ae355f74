/* Rules at elements: risks as the rules see them, before anything is proved. */
#include <stdlib.h>

#include "govern/threat_internal.h"
#include "govern/threat_judge.h"
#include "govern/threat_lang.h"

const char *const tut_risk_level_names[TUT_RISK_LEVEL_COUNT] = {"low", "medium", "elevated", "high",
                                                                "critical"};
const char *const tut_risk_state_names[TUT_RISK_STATE_COUNT] = {"open", "treated", "accepted",
                                                                "tolerated"};

static int hold(int64_t v)
{
    return v < 1 ? 1 : v > TUT_THREAT_SCALE ? TUT_THREAT_SCALE : (int)v;
}

tut_risk_size tut_risk_size_of(int64_t likelihood, int64_t impact)
{
    static const int most[] = {3, 6, 10, 16};
    tut_risk_size s = {.likelihood = hold(likelihood), .impact = hold(impact)};
    size_t level = TUT_RISK_LOW;
    while (level < TUT_RISK_CRITICAL && s.likelihood * s.impact > most[level])
        level++;
    s.level = (tut_risk_level)level;
    return s;
}

/* What an acceptance is about: this element as it is, and this rule at its version. */
static tut_status digest_risk(tut_risk *r, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%s %u ", r->id, r->rule->version);
    tut_buf_add_str(&text, r->rule->when);
    tut_buf_add(&text, r->element->digest.bytes, sizeof(r->element->digest.bytes));
    TUT_TRY(tut_buf_check(&text, err));
    return tut_sha256_of(tut_buf_span(&text), &r->digest, err);
}

static tut_status name_risk(tut_threats *t, tut_risk *r, tut_error *err)
{
    TUT_CLEAN(tut_buf) id = TUT_BUF_INIT;
    tut_buf_add_str(&id, r->rule->id);
    tut_buf_printf(&id, "@%s", r->element->id);
    TUT_TRY(tut_buf_check(&id, err));
    r->id = tut_arena_copy(&t->arena, tut_buf_str(&id));
    return r->id ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status add_risk(tut_threats *t, size_t *capacity, const tut_threat_rule *rule,
                           const tut_threat_element *e, tut_error *err)
{
    TUT_TRY(tut_grow(&t->risks, t->count, capacity, sizeof(*t->risks)));
    tut_risk *r = &t->risks[t->count];
    *r = (tut_risk){.rule = rule, .element = e};
    r->inherent = tut_risk_size_of(tut_threat_eval(rule->likelihood_code, e),
                                   tut_threat_eval(rule->impact_code, e));
    r->residual = r->inherent;
    TUT_TRY(name_risk(t, r, err));
    TUT_TRY(digest_risk(r, err));
    t->count++;
    return TUT_SUCCESS;
}

static int compare(const void *a, const void *b)
{
    const tut_risk *x = a;
    const tut_risk *y = b;
    const int by[][2] = {
        {x->residual.level, y->residual.level},
        {x->residual.likelihood * x->residual.impact, y->residual.likelihood * y->residual.impact},
        {x->inherent.level, y->inherent.level}};
    for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++)
        if (by[i][0] != by[i][1])
            return by[i][0] > by[i][1] ? -1 : 1;
    return strcmp(x->id, y->id);
}

void tut_threats_sort(tut_threats *t)
{
    if (t->count)
        qsort(t->risks, t->count, sizeof(*t->risks), compare);
}

tut_status tut_threats_evaluate(const tut_threat_model *m, const tut_threat_rules *rules,
                                tut_threats *t, tut_error *err)
{
    size_t capacity = 0;
    t->looked_at = tut_arena_take(&t->arena, 2 * rules->count + 1, sizeof(*t->looked_at));
    if (!t->looked_at)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->found = t->looked_at + rules->count;
    for (size_t i = 0; i < rules->count; i++) {
        const tut_threat_rule *rule = &rules->items[i];
        size_t end = m->first[rule->on + 1];
        t->looked_at[i] = end - m->first[rule->on];
        for (size_t k = m->first[rule->on]; k < end; k++) {
            if (!tut_threat_eval(rule->condition, &m->elements[k]))
                continue;
            t->found[i]++;
            TUT_TRY(add_risk(t, &capacity, rule, &m->elements[k], err));
        }
    }
    tut_threats_sort(t);
    return TUT_SUCCESS;
}
