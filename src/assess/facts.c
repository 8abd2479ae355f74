/* What inventory and scan say against a claim that a provision does not apply. One row a word. */
#include "assess/evaluate_internal.h"

static const tut_known_asset *find(const tut_evaluation *e, bool (*is_one)(const tut_known_asset *))
{
    for (size_t i = 0; i < e->asset_count; i++)
        if (is_one(&e->assets[i]))
            return &e->assets[i];
    return NULL;
}

static bool has_origin(const tut_known_asset *a, const char *origin)
{
    return strcmp(a->origin, origin) == 0;
}

bool tut_origin_is_external(tut_str origin)
{
    return tut_str_eq_z(origin, "public") || tut_str_eq_z(origin, "supplier") ||
           tut_str_eq_z(origin, "licensed");
}

static bool is_external(const tut_known_asset *a)
{
    return tut_origin_is_external(tut_str_of(a->origin));
}

static bool is_model(const tut_known_asset *a)
{
    return a->kind == TUT_KIND_MODEL;
}

static bool is_prompt(const tut_known_asset *a)
{
    return a->kind == TUT_KIND_PROMPT;
}

static bool is_service(const tut_known_asset *a)
{
    return a->kind == TUT_KIND_SERVICE;
}

static bool is_supplied_service(const tut_known_asset *a)
{
    return a->kind == TUT_KIND_SERVICE && is_external(a);
}

static bool is_public_data(const tut_known_asset *a)
{
    return a->kind == TUT_KIND_DATASET && has_origin(a, "public");
}

static bool is_sensitive(const tut_known_asset *a)
{
    return strcmp(a->sensitivity, "confidential") == 0 || strcmp(a->sensitivity, "personal") == 0;
}

static bool is_shared(const tut_known_asset *a)
{
    return a->is_shared;
}

static bool is_missing(const tut_known_asset *a)
{
    return strcmp(a->state, "missing") == 0;
}

static bool is_changed(const tut_known_asset *a)
{
    return strcmp(a->state, "changed") == 0;
}

/* From outside, and nobody can say under which licence or from which address. */
static bool is_poorly_documented(const tut_known_asset *a)
{
    return is_external(a) && (!a->url[0] || !a->licence[0]);
}

static const struct asset_fact {
    const char *word;
    bool (*is_one)(const tut_known_asset *);
    const char *claim; /* "ASSET is …" */
} asset_facts[] = {
    {"has-external-component", is_external, "comes from outside"},
    {"has-model", is_model, "is a model"},
    {"has-prompt", is_prompt, "is a prompt"},
    {"has-service", is_service, "is a service"},
    {"has-supplier-service", is_supplied_service, "is a service from outside"},
    {"has-public-data", is_public_data, "is data from a public source"},
    {"has-sensitive-asset", is_sensitive, "is confidential or personal"},
    {"has-shared-asset", is_shared, "is made available to others"},
    {"has-missing-asset", is_missing, "is no longer there"},
    {"has-changed-asset", is_changed, "has changed"},
    {"has-poor-component", is_poorly_documented, "comes from outside without address or licence"},
};

/* Words about components and flows of the description. */
static const struct component_fact {
    const char *word;
    const char *kinds;  /* space separated component kinds, or "" */
    const char *prefix; /* of an attribute's key, or "" */
    const char *claim;
} component_facts[] = {
    {"has-agent-tools", "agent tool", "agent.tools", "acts through tools"},
    {"has-human-review", "human-review", "agent.human_approval", "relies on people who approve"},
    {"has-open-api", "inference-gateway", "api.", "offers an API"},
};

static bool kind_is_in(tut_str kind, const char *kinds)
{
    tut_str rest = tut_str_of(kinds);
    while (rest.len) {
        const char *space = memchr(rest.data, ' ', rest.len);
        size_t len = space ? (size_t)(space - rest.data) : rest.len;
        if (tut_str_eq(kind, (tut_str){rest.data, len}))
            return true;
        size_t step = space ? len + 1 : len;
        rest = (tut_str){rest.data + step, rest.len - step};
    }
    return false;
}

static bool says_no(tut_str value)
{
    return value.len == 0 || tut_str_eq_z(value, "false") || tut_str_eq_z(value, "none");
}

static bool component_has(const tut_component *c, const struct component_fact *fact)
{
    if (kind_is_in(c->kind, fact->kinds))
        return true;
    for (size_t i = 0; i < c->attribute_count; i++)
        if (tut_str_starts(c->attributes[i].key, tut_str_of(fact->prefix)) &&
            !says_no(c->attributes[i].value))
            return true;
    return false;
}

static tut_status holds(tut_evaluation *e, tut_str what, const char *claim, bool *ret_holds,
                        const char **ret_why)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_escaped(&text, what, 120);
    tut_buf_printf(&text, " %s", claim);
    *ret_why = tut_arena_copy(&e->arena, tut_buf_str(&text));
    if (!*ret_why)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    *ret_holds = true;
    return TUT_SUCCESS;
}

static bool has_role(const tut_system *s, const char *role)
{
    for (size_t i = 0; s && i < s->role_count; i++)
        if (tut_str_eq_z(s->roles[i].key, role) && s->roles[i].value.len)
            return true;
    return false;
}

static tut_status system_fact(tut_evaluation *e, tut_str word, bool *ret_is_known, bool *ret_holds,
                              const char **ret_why)
{
    const tut_system *s = e->a->system;
    *ret_is_known = true;
    if (tut_str_eq_z(word, "always"))
        return holds(e, TUT_LIT("the provision"), "applies to every AI system", ret_holds, ret_why);
    if (tut_str_eq_z(word, "has-data-custodian")) {
        if (has_role(s, "data-custodian"))
            return holds(e, TUT_LIT("tutela.yaml"), "names a data custodian", ret_holds, ret_why);
        return TUT_SUCCESS;
    }
    if (tut_str_eq_z(word, "has-inside-custodian")) {
        if (has_role(s, "data-custodian") && !e->design.custodian_outside)
            return holds(e, TUT_LIT("tutela.yaml"),
                         "names a data custodian, and does not say that it belongs to another "
                         "organisation (design.custodian_outside)",
                         ret_holds, ret_why);
        return TUT_SUCCESS;
    }
    if (tut_str_eq_z(word, "has-connected-flow")) {
        for (size_t i = 0; s && i < s->flow_count; i++)
            if (s->flows[i].crosses)
                return holds(e, s->flows[i].id, "crosses a trust boundary", ret_holds, ret_why);
        return TUT_SUCCESS;
    }
    if (tut_str_eq_z(word, "has-dangerous-file")) {
        for (size_t i = 0; i < e->a->finding_count; i++)
            if (e->a->findings[i].severity >= TUT_SEVERITY_HIGH)
                return holds(e, tut_str_of(e->a->findings[i].asset),
                             "has a finding that is not resolved", ret_holds, ret_why);
        return TUT_SUCCESS;
    }
    *ret_is_known = false;
    return TUT_SUCCESS;
}

tut_status tut_fact_holds(tut_evaluation *e, tut_str word, bool *ret_holds, const char **ret_why)
{
    bool is_known;
    *ret_holds = false;
    TUT_TRY(system_fact(e, word, &is_known, ret_holds, ret_why));
    if (is_known)
        return TUT_SUCCESS;
    for (size_t i = 0; i < sizeof(asset_facts) / sizeof(asset_facts[0]); i++) {
        if (!tut_str_eq_z(word, asset_facts[i].word))
            continue;
        const tut_known_asset *a = find(e, asset_facts[i].is_one);
        return a ? holds(e, tut_str_of(a->id), asset_facts[i].claim, ret_holds, ret_why)
                 : TUT_SUCCESS;
    }
    for (size_t i = 0; i < sizeof(component_facts) / sizeof(component_facts[0]); i++) {
        const tut_system *s = e->a->system;
        if (!tut_str_eq_z(word, component_facts[i].word))
            continue;
        for (size_t k = 0; s && k < s->component_count; k++)
            if (component_has(&s->components[k], &component_facts[i]))
                return holds(e, s->components[k].id, component_facts[i].claim, ret_holds, ret_why);
        return TUT_SUCCESS;
    }
    return tut_fail(e->err, TUT_BUG, "the catalogue names a fact that nothing decides: %.*s",
                    (int)word.len, word.data);
}
