/* The threat model: what spreads along flows, sizes, digests, gaps, and files of rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "govern/threat_coverage.h"
#include "govern/threat_internal.h"

#define HEAD "schema: tutela.system/1\nsystem: {name: s, version: \"1\", purpose: p}\n"

static const char chain[] = HEAD
    "assets:\n"
    "  - {id: model/m, path: m.onnx, origin: first-party, depends_on: [dataset/d]}\n"
    "  - {id: dataset/d, path: d.csv, origin: user, sensitivity: personal}\n"
    "components:\n"
    "  - {id: user, kind: user-client, boundary: out}\n"
    "  - {id: gate, kind: inference-gateway, boundary: edge, api: {rate_limit: 3/min}}\n"
    "  - {id: bot, kind: agent, boundary: in, asset: model/m}\n"
    "  - {id: second, kind: agent, boundary: in}\n"
    "  - {id: pay, kind: tool, boundary: in, tool: {privileges: admin}}\n"
    "  - {id: person, kind: human-review, boundary: in}\n"
    "  - {id: after, kind: model, boundary: in}\n"
    "  - {id: apart, kind: model, boundary: in}\n"
    "flows:\n"
    "  - {id: a, from: user, to: gate}\n"
    "  - {id: b, from: gate, to: bot}\n"
    "  - {id: c, from: bot, to: second}\n"
    "  - {id: d, from: second, to: pay}\n"
    "  - {id: e, from: second, to: person}\n"
    "  - {id: f, from: person, to: after}\n"
    "  - {id: g, from: second, to: bot}\n"
    "boundaries:\n"
    "  - {id: out, inside: []}\n"
    "  - {id: edge, trust: partner, inside: []}\n"
    "  - {id: in, trust: restricted, inside: []}\n";

typedef struct world {
    tut_system *system;
    tut_threats *threats;
} world;

static void world_done(world *w)
{
    tut_threats_free(w->threats);
    tut_system_free(w->system);
}

static void build(const char *text, world *w)
{
    tut_error err = {0};
    *w = (world){NULL, NULL};
    if (!tut_is_ok(tut_system_parse(".", "tutela.yaml", tut_str_of(text), &w->system, NULL, &err)))
        fail_msg("%s: %s", err.path, err.text);
    const tut_threat_sources from = {.system = w->system, .at = 1};
    if (!tut_is_ok(tut_threats_new(&from, &w->threats, &err)))
        fail_msg("%s: %s", err.path, err.text);
}

static const tut_threat_element *component(const world *w, const char *id)
{
    const tut_threat_element *e = tut_threat_element_find(w->threats->model,
                                                          TUT_THREAT_ON_COMPONENT, tut_str_of(id));
    assert_non_null(e);
    return e;
}

static int64_t value(const world *w, const char *id, const char *name)
{
    size_t place = tut_component_place(name);
    return component(w, id)->values[place].number;
}

static void what_outsiders_write_goes_along_flows_and_stops_at_people(void **state)
{
    world __attribute__((cleanup(world_done))) w;
    (void)state;
    build(chain, &w);
    assert_int_equal(value(&w, "pay", "untrusted"), 1);
    assert_int_equal(value(&w, "person", "untrusted"), 1);
    assert_int_equal(value(&w, "after", "untrusted"), 0);
    assert_int_equal(value(&w, "apart", "untrusted"), 0);
    TUT_CLEAN(tut_buf) way = TUT_BUF_INIT;
    tut_threat_way(component(&w, "pay"), &way);
    assert_string_equal(tut_buf_z(&way), "user > gate > bot > second > pay");
}

static void effects_are_those_of_what_can_be_set_off(void **state)
{
    world __attribute__((cleanup(world_done))) w;
    (void)state;
    build(chain, &w);
    assert_int_equal(value(&w, "bot", "effects"), TUT_EFFECTS_EXTERNAL);
    assert_int_equal(value(&w, "second", "effects"), TUT_EFFECTS_EXTERNAL);
    assert_int_equal(value(&w, "user", "effects"), TUT_EFFECTS_NONE);
    assert_int_equal(value(&w, "gate", "effects"), TUT_EFFECTS_NONE);
    assert_int_equal(value(&w, "after", "effects"), TUT_EFFECTS_NONE);
}

static void trust_limits_and_sensitivity_are_those_around(void **state)
{
    world __attribute__((cleanup(world_done))) w;
    (void)state;
    build(chain, &w);
    assert_int_equal(value(&w, "user", "trust"), TUT_TRUST_PUBLIC);
    assert_int_equal(value(&w, "gate", "trust"), TUT_TRUST_PARTNER);
    assert_int_equal(value(&w, "after", "exposed"), 1); /* over people, too */
    assert_int_equal(value(&w, "apart", "exposed"), 0);
    assert_int_equal(value(&w, "bot", "limited"), 1);
    assert_int_equal(value(&w, "bot", "behind_gateway"), 1);
    assert_int_equal(value(&w, "second", "limited"), 1); /* all ways lead over the gateway */
    assert_int_equal(value(&w, "second", "watched"), 0);
    assert_int_equal(value(&w, "apart", "limited"), 0);
    const tut_threat_element *m = component(&w, "bot")->links[TUT_THREAT_ASSET];
    assert_int_equal(m->values[TUT_AT_ASSET_TRAINED_ON].number, 3);
    assert_int_equal(m->values[TUT_AT_ASSET_TRAINED_ON_EXTERNAL].number, 1);
}

static void the_level_is_that_of_the_product(void **state)
{
    static const char rows[5][6] = {"LLLMM", "LMMEE", "LMEHH", "MEHHC", "MEHCC"};
    (void)state;
    for (int l = 1; l <= 5; l++)
        for (int i = 1; i <= 5; i++)
            assert_int_equal("LMEHC"[tut_risk_size_of(l, i).level], rows[l - 1][i - 1]);
    assert_int_equal(tut_risk_size_of(-7, 99).likelihood, 1);
    assert_int_equal(tut_risk_size_of(-7, 99).impact, 5);
}

static char *replaced(const char *text, const char *that, const char *other)
{
    const char *at = strstr(text, that);
    assert_non_null(at);
    char *out = tut_asprintf("%.*s%s%s", (int)(at - text), text, other, at + strlen(that));
    assert_non_null(out);
    return out;
}

static void a_digest_changes_with_what_it_is_about_and_with_nothing_else(void **state)
{
    world __attribute__((cleanup(world_done))) a, b, c;
    (void)state;
    TUT_AUTO_FREE char *noted = tut_asprintf("%s# a word\n", chain);
    TUT_AUTO_FREE char *changed = replaced(chain, "rate_limit: 3/min", "rate_limit: 4/min");
    build(chain, &a);
    build(noted, &b);
    build(changed, &c);
    assert_true(tut_sha256_eq(&a.threats->digest, &b.threats->digest));
    assert_false(tut_sha256_eq(&a.threats->digest, &c.threats->digest));
    const tut_threat_element *flow[2];
    const world *of[] = {&a, &c};
    for (size_t i = 0; i < 2; i++)
        flow[i] = tut_threat_element_find(of[i]->threats->model, TUT_THREAT_ON_FLOW, TUT_LIT("b"));
    assert_false(tut_sha256_eq(&flow[0]->digest, &flow[1]->digest)); /* its end changed */
    assert_true(tut_sha256_eq(&component(&a, "apart")->digest, &component(&c, "apart")->digest));
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    world __attribute__((cleanup(world_done))) a, b;
    TUT_CLEAN(tut_buf) x = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) y = TUT_BUF_INIT;
    (void)state;
    build(chain, &a);
    build(chain, &b);
    const tut_threat_sources from_a = {.system = a.system, .at = 1};
    const tut_threat_sources from_b = {.system = b.system, .at = 2};
    assert_true(tut_is_ok(tut_threats_body(a.threats, &from_a, &x, NULL)));
    assert_true(tut_is_ok(tut_threats_body(b.threats, &from_b, &y, NULL)));
    assert_true(x.len > 1000);
    assert_true(tut_str_eq(tut_buf_str(&x), tut_buf_str(&y)));
}

static void what_the_rules_cannot_see_is_a_gap(void **state)
{
    world __attribute__((cleanup(world_done))) w;
    TUT_CLEAN(tut_gaps) gaps = {0};
    (void)state;
    build(HEAD
          "assets:\n  - {id: model/m, path: m}\n  - {id: model/n, path: n, depends_on: [model/m]}\n"
          "  - {id: model/o, path: o}\n  - {id: dataset/d, path: d}\n"
          "components:\n  - {id: c, kind: model, asset: model/m}\n",
          &w);
    assert_true(tut_is_ok(tut_gaps_find(w.threats, w.system, &gaps, NULL)));
    size_t deciding = 0;
    for (size_t i = 0; i < gaps.count; i++)
        if (gaps.items[i].decides) {
            assert_string_equal(gaps.items[i].what, "model/o");
            deciding++;
        }
    assert_int_equal(deciding, 1);
    assert_int_equal(gaps.count, 3); /* and that c is alone, in no boundary */
}

static const char own[] =
    "schema: tutela.threat-rules/1\n"
    "rules:\n"
    "  - id: own\n"
    "    title: t\n"
    "    threat: oversight\n"
    "    atlas: [AML.T0048]\n"
    "    llm: [\"LLM09:2025\"]\n"
    "    clauses: [5.1.3-1]\n"
    "    on: flow\n"
    "    when: crosses and \"x\" in data and auth != none\n"
    "    likelihood: likely - crosses\n"
    "    impact: max(minor, 1 + sensitivity)\n"
    "    description: d\n"
    "    advice: a\n"
    "    mitigations:\n"
    "      - {control: c, title: t, reduces: impact, by: 1, proof: probe.load, "
    "metric: served, at_least: 0.9}\n";

static tut_status load(tut_str text, tut_error *err)
{
    TUT_AUTO(tut_threat_rules) rules = NULL;
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    TUT_TRY(tut_threat_rules_new(&rules, err));
    return tut_threat_rules_add(rules, "r.yaml", text, false, &shown, err);
}

static void a_file_of_rules_is_read_or_refused_with_a_place(void **state)
{
    tut_error err = {0};
    (void)state;
    if (!tut_is_ok(load(tut_str_of(own), &err)))
        fail_msg("%s: %s", err.path, err.text);
    for (size_t len = 0; len + 1 < sizeof(own); len++) {
        tut_error why = {0};
        if (!tut_is_ok(load((tut_str){own, len}, &why)) && !strstr(why.path, "r.yaml"))
            fail_msg("cut at %zu: %s: %s", len, why.path, why.text);
    }
    for (size_t i = 0; i + 1 < sizeof(own); i++) {
        char copy[sizeof(own)];
        tut_error why = {0};
        memcpy(copy, own, sizeof(own));
        copy[i] = (char)(copy[i] ^ 1);
        if (!tut_is_ok(load((tut_str){copy, sizeof(own) - 1}, &why)) && !why.text[0])
            fail_msg("flipped at %zu: no reason", i);
    }
}

static void slips_in_a_rule_are_told(void **state)
{
    static const struct {
        const char *that, *other, *place, *says;
    } cases[] = {
        {"id: own", "id: Own", "r.yaml:3:9", "small letters"},
        {"threat: oversight", "threat: oversigt", "r.yaml:5:13", "did you mean"},
        {"AML.T0048", "T0048", "r.yaml:6:12", "look like"},
        {"LLM09:2025", "LLM09", "r.yaml:7:10", "its year"},
        {"5.1.3-1]", "9.9]", "r.yaml:8:14", "no such provision"},
        {"auth != none", "auth != nome", "r.yaml:10:47", "did you mean"},
        {"crosses and", "crosess and", "r.yaml:10:11", "did you mean"},
        {"likely - crosses", "crosses", "r.yaml:11:17", "number from 1 to 5"},
        {"probe.load", "probe.laod", "r.yaml:16:63", "did you mean \"probe.load\""},
        {"by: 1", "by: 5", "r.yaml:16:53", "1 to 4 steps"},
        {", at_least: 0.9", "", "r.yaml:16:83", "goes with at_least"},
        {"advice: a", "advise: a", "r.yaml:14:5", "did you mean"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_error err = {0};
        TUT_AUTO_FREE char *text = replaced(own, cases[i].that, cases[i].other);
        assert_false(tut_is_ok(load(tut_str_of(text), &err)));
        if (strcmp(err.path, cases[i].place) != 0 || !strstr(err.text, cases[i].says))
            fail_msg("%s: %s: %s", cases[i].other, err.path, err.text);
    }
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 100000; n++) {
        world w = {NULL, NULL};
        tut_error err = {0};
        tut_status status = tut_system_parse_here(".", "t", tut_str_of(chain), &w.system, &err);
        assert_true(tut_is_ok(status));
        const tut_threat_sources from = {.system = w.system, .at = 1};
        tut_alloc_fail_after(n * n); /* closer at the beginning, where most is new */
        status = tut_threats_new(&from, &w.threats, &err);
        tut_alloc_fail_after(0);
        bool is_done = tut_is_ok(status);
        if (!is_done)
            assert_int_equal(status.code, TUT_NOMEM);
        world_done(&w);
        if (is_done)
            return;
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_outsiders_write_goes_along_flows_and_stops_at_people),
        cmocka_unit_test(effects_are_those_of_what_can_be_set_off),
        cmocka_unit_test(trust_limits_and_sensitivity_are_those_around),
        cmocka_unit_test(the_level_is_that_of_the_product),
        cmocka_unit_test(a_digest_changes_with_what_it_is_about_and_with_nothing_else),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(what_the_rules_cannot_see_is_a_gap),
        cmocka_unit_test(a_file_of_rules_is_read_or_refused_with_a_place),
        cmocka_unit_test(slips_in_a_rule_are_told),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
