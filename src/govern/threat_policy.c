/* threats: of tutela.yaml (docs/threats.md). */
#include "assets/schema.h"
#include "base/fs.h"
#include "base/limits.h"
#include "govern/threat_internal.h"

enum { REVIEW_DAYS = 90, TREATMENTS_MAX = 10000 };

static const char level_words[] = "low medium elevated high critical";

typedef struct tolerance_words { /* members as the words of impact */
    tut_str level, negligible, minor, moderate, major, severe;
} tolerance_words;

static const tut_field policy_fields[] = {
    TUT_FIELD(TEXTS, tut_threat_policy, rules, false, NULL),
    TUT_FIELD(TEXT, tut_threat_policy, catalogue, false, NULL),
    TUT_FIELD(COUNT, tut_threat_policy, review_days, false, NULL),
    {"tolerance", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"claims", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"treatments", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field tolerance_fields[] = {
    TUT_FIELD(WORD, tolerance_words, level, false, level_words),
    TUT_FIELD(WORD, tolerance_words, negligible, false, level_words),
    TUT_FIELD(WORD, tolerance_words, minor, false, level_words),
    TUT_FIELD(WORD, tolerance_words, moderate, false, level_words),
    TUT_FIELD(WORD, tolerance_words, major, false, level_words),
    TUT_FIELD(WORD, tolerance_words, severe, false, level_words),
};

static const tut_field claim_fields[] = {
    TUT_FIELD(TEXT, tut_threat_claim, control, true, NULL),
    TUT_FIELD(TEXT, tut_threat_claim, on, false, NULL),
    TUT_FIELD(TEXT, tut_threat_claim, note, false, NULL),
};

static const tut_field treatment_fields[] = {
    TUT_FIELD(TEXT, tut_threat_treatment, risk, true, NULL),
    TUT_FIELD(WORD, tut_threat_treatment, treatment, true, "mitigate accept transfer avoid"),
    TUT_FIELD(TEXT, tut_threat_treatment, cost, false, NULL),
    TUT_FIELD(TEXT, tut_threat_treatment, owner, false, NULL),
    TUT_FIELD(TEXT, tut_threat_treatment, by, false, NULL),
    TUT_FIELD(TEXT, tut_threat_treatment, note, false, NULL),
};

static tut_status read_tolerance(tut_schema *s, const tut_yaml_node *section, tut_threat_policy *p)
{
    tolerance_words w = {.level = {"", 0}};
    const tut_yaml_node *n = tut_yaml_get(s->system->yaml, section, "tolerance");
    if (tut_schema_is_absent(n))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_read(s, n, tolerance_fields, TUT_COUNT(tolerance_fields), &w, "tolerance",
                            "threats.tolerance"));
    const tut_str by_impact[TUT_THREAT_SCALE] = {w.negligible, w.minor, w.moderate, w.major,
                                                 w.severe};
    for (size_t i = 0; i < TUT_THREAT_SCALE; i++) {
        tut_str word = by_impact[i].len ? by_impact[i] : w.level;
        if (word.len)
            p->tolerated[i] = (tut_risk_level)tut_threat_word(level_words, word);
    }
    return TUT_SUCCESS;
}

static tut_status open_list(tut_schema *s, const tut_yaml_node *section, const char *key,
                            size_t item_size, const tut_yaml_node **ret_list, void **ret_items)
{
    *ret_list = tut_yaml_get(s->system->yaml, section, key);
    if (tut_schema_is_absent(*ret_list)) {
        *ret_list = NULL;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_schema_sequence(s, *ret_list, key));
    if ((*ret_list)->count > TREATMENTS_MAX)
        return tut_schema_fail_node(s, *ret_list, "there are at most %d of them", TREATMENTS_MAX);
    *ret_items = tut_arena_take(&s->system->arena, (*ret_list)->count + 1u, item_size);
    return *ret_items ? TUT_SUCCESS : tut_fail(s->err, TUT_NOMEM, "memory ran out");
}

static tut_status read_claims(tut_schema *s, const tut_yaml_node *section, tut_threat_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list;
    void *items = NULL;
    TUT_TRY(open_list(s, section, "claims", sizeof(*p->claims), &list, &items));
    p->claims = items;
    for (const tut_yaml_node *n = items ? tut_yaml_first(y, list) : NULL; n;
         n = tut_yaml_next(y, n)) {
        tut_threat_claim *c = &p->claims[p->claim_count];
        TUT_TRY(tut_schema_read(s, n, claim_fields, TUT_COUNT(claim_fields), c, "a claim",
                                "threats.claims"));
        c->node = n;
        p->claim_count++;
    }
    return TUT_SUCCESS;
}

static const tut_threat_treatment *same_risk(const tut_threat_policy *p, tut_str risk)
{
    for (size_t i = 0; i < p->treatment_count; i++)
        if (tut_str_eq(p->treatments[i].risk, risk))
            return &p->treatments[i];
    return NULL;
}

static tut_status read_treatments(tut_schema *s, const tut_yaml_node *section, tut_threat_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list;
    void *items = NULL;
    TUT_TRY(open_list(s, section, "treatments", sizeof(*p->treatments), &list, &items));
    p->treatments = items;
    for (const tut_yaml_node *n = items ? tut_yaml_first(y, list) : NULL; n;
         n = tut_yaml_next(y, n)) {
        tut_threat_treatment *t = &p->treatments[p->treatment_count];
        TUT_TRY(tut_schema_read(s, n, treatment_fields, TUT_COUNT(treatment_fields), t,
                                "a treatment", "threats.treatments"));
        if (t->risk.len && !memchr(t->risk.data, '@', t->risk.len))
            return tut_schema_fail_node(s, tut_yaml_get(y, n, "risk"),
                                        "a risk is called RULE@ELEMENT; tutela threats lists them");
        if (t->risk.len && same_risk(p, t->risk))
            return tut_schema_fail_node(s, n, "this risk has a treatment already");
        t->node = n;
        p->treatment_count++;
    }
    return TUT_SUCCESS;
}

tut_status tut_threat_policy_read(tut_system *system, tut_threat_policy *ret_policy,
                                  tut_buf *ret_shown, tut_error *err)
{
    tut_error local = {0};
    tut_threat_policy p = {.review_days = REVIEW_DAYS};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *section = tut_yaml_get(system->yaml, tut_yaml_root(system->yaml),
                                                "threats");
    for (size_t i = 0; i < TUT_THREAT_SCALE; i++)
        p.tolerated[i] = TUT_RISK_MEDIUM;
    if (!tut_schema_is_absent(section)) {
        p.is_there = true;
        TUT_TRY(tut_schema_read(&s, section, policy_fields, TUT_COUNT(policy_fields), &p, "threats",
                                "threats"));
        if (p.review_days == 0)
            return tut_schema_fail_node(&s, tut_yaml_get(system->yaml, section, "review_days"),
                                        "review_days is at least 1");
        TUT_TRY(read_tolerance(&s, section, &p));
        TUT_TRY(read_claims(&s, section, &p));
        TUT_TRY(read_treatments(&s, section, &p));
    }
    *ret_policy = p;
    return TUT_SUCCESS;
}

static tut_status add_file(const tut_system *system, tut_str path, tut_threat_rules *rules,
                           tut_buf *ret_shown, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO_FREE char *rel = tut_strndup(path.data, path.len);
    TUT_AUTO_FREE char *file = rel ? tut_fs_join(system->dir, rel) : NULL;
    if (!file)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_system_path_is_below(path))
        return tut_fail(err, TUT_USAGE,
                        "threats.rules: %s is no file below the folder of tutela.yaml", rel);
    TUT_TRY(tut_fs_read(file, TUT_LIMIT_RULE_FILE_BYTES, &text, err));
    return tut_threat_rules_add(rules, file, tut_buf_str(&text), true, ret_shown, err);
}

tut_status tut_threat_policy_rules(const tut_system *system, const tut_threat_policy *p,
                                   tut_threat_rules **ret_rules, tut_buf *ret_shown, tut_error *err)
{
    TUT_AUTO(tut_threat_rules) rules = NULL;
    TUT_TRY(tut_threat_rules_new(&rules, err));
    TUT_TRY(tut_threat_rules_add_shipped(rules, err));
    for (size_t i = 0; i < p->rules.count; i++)
        TUT_TRY(add_file(system, p->rules.items[i], rules, ret_shown, err));
    *ret_rules = tut_move(&rules);
    return TUT_SUCCESS;
}
