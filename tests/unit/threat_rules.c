/* Each shipped rule has one smallest system that triggers it, and one that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "govern/threat_coverage.h"

typedef struct threat_case {
    const char *rule, *element, *assets, *components, *flows, *more, *found, *that, *other;
} threat_case;

static const threat_case cases[] = {
#define THREAT_CASE(rule, element, assets, components, flows, more, found, that, other)            \
    {rule, element, assets, components, flows, more, found, that, other},
#include "unit/threat_cases.def"
#undef THREAT_CASE
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void add_section(tut_buf *out, const char *key, const char *items)
{
    if (items[0])
        tut_buf_printf(out, "%s:\n%s", key, items);
}

static void compose(const threat_case *c, bool is_changed, tut_buf *out)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text,
                  "schema: tutela.system/1\nsystem: {name: s, version: \"1\", purpose: p}\n");
    add_section(&text, "assets", c->assets);
    add_section(&text, "components", c->components);
    add_section(&text, "flows", c->flows);
    tut_buf_add_z(&text, "boundaries:\n"
                         "  - {id: out, trust: public, inside: []}\n"
                         "  - {id: in, trust: internal, inside: []}\n"
                         "  - {id: prod, trust: internal, zone: production, inside: []}\n");
    tut_buf_add_z(&text, c->more);
    const char *whole = tut_buf_z(&text);
    assert_non_null(whole);
    /* The last one, so that it is x which changes; boundaries are those of all. */
    const char *end = strstr(c->more, c->that) ? whole + strlen(whole)
                                               : strstr(whole, "boundaries:\n");
    const char *at = NULL;
    for (const char *p = strstr(whole, c->that); is_changed && p && p < end;
         p = strstr(p + 1, c->that))
        at = p;
    if (is_changed && !at)
        fail_msg("%s: \"%s\" is not in it", c->rule, c->that);
    size_t before = at ? (size_t)(at - whole) : strlen(whole);
    tut_buf_add(out, whole, before);
    if (at)
        tut_buf_printf(out, "%s%s", c->other, at + strlen(c->that));
}

/* "model/m AML.T0018.001": as an assessment would know it. */
typedef struct seen {
    tut_assessment a;
    tut_asset_summary asset;
    tut_report_finding finding;
    char id[64], word[64], none[1], kind[8], state[16];
} seen;

static const tut_assessment *see(const threat_case *c, seen *s)
{
    memset(s, 0, sizeof(*s));
    const char *space = strchr(c->found, ' ');
    if (!space)
        return NULL;
    tut_str_copy(s->id, sizeof(s->id), (tut_str){c->found, (size_t)(space - c->found)});
    tut_str_copy(s->word, sizeof(s->word), tut_str_of(space + 1));
    const char *colon = strchr(s->word, ':');
    tut_str_copy(s->kind, sizeof(s->kind), TUT_LIT("model"));
    tut_str_copy(s->state, sizeof(s->state), TUT_LIT("declared"));
    s->asset = (tut_asset_summary){.id = s->id,
                                   .path = s->none,
                                   .kind = s->kind,
                                   .state = s->state,
                                   .format = s->none,
                                   .digest = s->none,
                                   .detail = s->none};
    s->a.assets = &s->asset;
    s->a.asset_count = 1;
    if (strncmp(s->word, "format:", 7) == 0)
        s->asset.format = s->word + 7;
    else if (strncmp(s->word, "state:", 6) == 0)
        s->asset.state = s->word + 6;
    if (colon)
        return &s->a;
    s->finding =
        (tut_report_finding){.asset = s->id, .threats = s->word, .severity = TUT_SEVERITY_HIGH};
    s->a.findings = &s->finding;
    s->a.finding_count = 1;
    return &s->a;
}

static bool triggers(const threat_case *c, bool is_changed)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_system) system = NULL;
    TUT_AUTO(tut_threats) t = NULL;
    tut_error err = {0};
    seen s;
    compose(c, is_changed, &text);
    if (!tut_is_ok(tut_system_parse(".", "tutela.yaml", tut_buf_str(&text), &system, NULL, &err)))
        fail_msg("%s: %s: %s\n%.*s", c->rule, err.path, err.text, (int)text.len, text.data);
    const tut_threat_sources from = {.system = system, .assessment = see(c, &s), .at = 1};
    if (!tut_is_ok(tut_threats_new(&from, &t, &err)))
        fail_msg("%s: %s", c->rule, err.text);
    char id[160];
    snprintf(id, sizeof(id), "%s@%s", c->rule, c->element);
    return tut_threats_find(t, tut_str_of(id)) != NULL;
}

static void each_rule_is_triggered_and_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        if (!triggers(&cases[i], false))
            fail_msg("%s finds nothing at %s", cases[i].rule, cases[i].element);
        if (triggers(&cases[i], true))
            fail_msg("%s still finds a risk at %s", cases[i].rule, cases[i].element);
    }
}

static tut_threat_rules *shipped(void)
{
    tut_threat_rules *rules = NULL;
    tut_error err = {0};
    assert_true(tut_is_ok(tut_threat_rules_new(&rules, &err)));
    if (!tut_is_ok(tut_threat_rules_add_shipped(rules, &err)))
        fail_msg("%s: %s", err.path, err.text);
    return rules;
}

static void no_rule_is_without_a_case(void **state)
{
    (void)state;
    TUT_AUTO(tut_threat_rules) rules = shipped();
    assert_true(rules->count >= 60);
    for (size_t i = 0; i < rules->count; i++) {
        bool is_there = false;
        for (size_t k = 0; k < CASES; k++)
            is_there = is_there || tut_str_eq_z(rules->items[i].id, cases[k].rule);
        if (!is_there)
            fail_msg("%.*s has no case", (int)rules->items[i].id.len, rules->items[i].id.data);
    }
}

static void every_attack_class_and_list_entry_has_rules(void **state)
{
    static const char *const entries[] = {"LLM01:2025", "LLM02:2025", "LLM03:2025", "LLM04:2025",
                                          "LLM05:2025", "LLM06:2025", "LLM07:2025", "LLM08:2025",
                                          "LLM09:2025", "LLM10:2025", "ML01:2023",  "ML02:2023",
                                          "ML03:2023",  "ML04:2023",  "ML05:2023",  "ML06:2023",
                                          "ML07:2023",  "ML08:2023",  "ML09:2023",  "ML10:2023"};
    (void)state;
    TUT_AUTO(tut_threat_rules) rules = shipped();
    for (size_t e = 0; e < sizeof(entries) / sizeof(entries[0]); e++) {
        bool is_there = false;
        for (size_t i = 0; i < rules->count; i++) {
            const tut_str_list *lists[] = {&rules->items[i].llm, &rules->items[i].ml};
            for (size_t l = 0; l < 2; l++)
                for (size_t k = 0; k < lists[l]->count; k++)
                    is_there = is_there || tut_str_eq_z(lists[l]->items[k], entries[e]);
        }
        if (!is_there)
            fail_msg("no rule is about %s", entries[e]);
    }
    for (size_t i = 0; i < TUT_THREAT_COUNT; i++) {
        bool is_there = false;
        for (size_t k = 0; k < rules->count; k++)
            is_there = is_there || tut_str_eq_z(rules->items[k].threat, tut_threat_names[i]);
        assert_true(is_there);
    }
}

static void the_page_of_rules_is_current(void **state)
{
    TUT_CLEAN(tut_buf) now = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) kept = TUT_BUF_INIT;
    tut_error err = {0};
    (void)state;
    assert_true(tut_is_ok(tut_threat_rules_markdown(&now, &err)));
    bool is_read = tut_is_ok(tut_fs_read("docs/threat-rules.md", 4u << 20, &kept, &err));
    if (!is_read || !tut_str_eq(tut_buf_str(&now), tut_buf_str(&kept)))
        fail_msg("docs/threat-rules.md is out of date; write it anew with\n"
                 "    tutela threats explain rules --format markdown > docs/threat-rules.md");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_triggered_and_is_not),
        cmocka_unit_test(no_rule_is_without_a_case),
        cmocka_unit_test(every_attack_class_and_list_entry_has_rules),
        cmocka_unit_test(the_page_of_rules_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
