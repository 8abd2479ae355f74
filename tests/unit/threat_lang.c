/* The language of threat rules: what it takes, what it refuses and where, what it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "govern/threat_lang.h"

static const char yaml[] =
    "schema: tutela.system/1\n"
    "system: {name: s, version: \"1\", purpose: p}\n"
    "assets:\n"
    "  - {id: model/m, path: m.onnx, origin: supplier, sensitivity: confidential}\n"
    "components:\n"
    "  - {id: user, kind: user-client, boundary: out}\n"
    "  - id: bot\n"
    "    kind: agent\n"
    "    asset: model/m\n"
    "    boundary: in\n"
    "    agent: {tools: [a, b, c], side_effects: internal}\n"
    "    api: {auth: mtls, rate_limit: 3/min, max_tokens: 7}\n"
    "    model: {modality_enabled: [text, audio], modality_used: [text]}\n"
    "  - {id: lone, kind: model}\n"
    "flows:\n"
    "  - {id: ask, from: user, to: bot, encryption: tls}\n"
    "boundaries:\n"
    "  - {id: out, inside: [user]}\n"
    "  - {id: in, trust: restricted, zone: production, inside: [bot]}\n";

typedef struct world {
    tut_system *system;
    tut_threat_model *model;
} world;

static int setup(void **state)
{
    static world w;
    tut_error err = {0};
    if (!tut_is_ok(tut_system_parse(".", "tutela.yaml", tut_str_of(yaml), &w.system, NULL, &err)) ||
        !tut_is_ok(tut_threat_model_new(w.system, NULL, &w.model, &err))) {
        print_error("%s\n", err.text);
        return -1;
    }
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    tut_threat_model_free(w->model);
    tut_system_free(w->system);
    return 0;
}

static int64_t ask(world *w, tut_threat_on on, const char *id, tut_threat_yields yields,
                   const char *text)
{
    tut_threat_code code;
    tut_threat_fault fault;
    const tut_threat_element *e = tut_threat_element_find(w->model, on, tut_str_of(id));
    assert_non_null(e);
    if (!tut_threat_compile(tut_str_of(text), on, yields, &code, &fault))
        fail_msg("%s: at %zu: %s", text, fault.at, fault.text);
    return tut_threat_eval(&code, e);
}

static void expressions_have_their_answers(void **state)
{
    static const struct {
        const char *text;
        int64_t answer;
    } cases[] = {
        {"kind == agent", 1},
        {"kind != agent", 0},
        {"kind in (model, agent)", 1},
        {"kind not in (model, agent)", 0},
        {"not kind in (model, tool)", 1},
        {"kind in (rag-index)", 0},
        {"api.auth == mtls and agent.side_effects == internal", 1},
        {"agent.side_effects >= internal", 1},
        {"agent.side_effects > internal or false", 0},
        {"count(agent.tools) == 3", 1},
        {"count(agent.tools) - 2 > 0", 1},
        {"1 + 2 - 3 == 0", 1},
        {"1 - 2 - 3 == -4", 1},
        {"max(1, 2 + 3, 4) == 5 and min(3, 1) == 1", 1},
        {"\"audio\" in model.modality_enabled", 1},
        {"\"audio\" in model.modality_used", 0},
        {"api.rate_limit == \"3/min\"", 1},
        {"api.rate_limit != \"\"", 1},
        {"api.max_tokens == 7", 1},
        {"superfluous == 1", 1},
        {"asset.origin == supplier and asset.external", 1},
        {"asset.sensitivity >= confidential", 1},
        {"boundary.trust == restricted and zone == production", 1},
        {"system.agents == 1 and system.models == 2", 1},
        {"untrusted and exposed and fed_from_below", 1},
        {"true and not false", 1},
        {"false and true or true", 1},
        {"not true or true", 1},
        {"((((kind == agent))))", 1},
        {"untrusted + exposed == 2", 1},
        {"zone == boundary.zone", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t answer = ask(*state, TUT_THREAT_ON_COMPONENT, "bot", TUT_THREAT_CONDITION,
                             cases[i].text);
        if (answer != cases[i].answer)
            fail_msg("%s: %lld", cases[i].text, (long long)answer);
    }
}

static void what_is_not_there_counts_as_unknown(void **state)
{
    assert_int_equal(ask(*state, TUT_THREAT_ON_COMPONENT, "lone", TUT_THREAT_CONDITION,
                         "not has_asset and asset.external and asset.sensitivity == internal"),
                     1);
    assert_int_equal(ask(*state, TUT_THREAT_ON_COMPONENT, "lone", TUT_THREAT_CONDITION,
                         "boundary.trust == internal and api.auth == none"),
                     1);
}

static void links_reach_over_two_elements(void **state)
{
    assert_int_equal(ask(*state, TUT_THREAT_ON_FLOW, "ask", TUT_THREAT_CONDITION,
                         "from.kind == user-client and to.asset.kind == model and crosses and "
                         "from_below and to.boundary.zone == production and auth == none"),
                     1);
}

static void sizes_are_numbers_or_their_words(void **state)
{
    assert_int_equal(ask(*state, TUT_THREAT_ON_COMPONENT, "bot", TUT_THREAT_LIKELIHOOD,
                         "likely + untrusted - (api.auth == mtls)"),
                     4);
    assert_int_equal(ask(*state, TUT_THREAT_ON_COMPONENT, "bot", TUT_THREAT_IMPACT,
                         "max(minor, 1 + asset.sensitivity)"),
                     3);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text;
        size_t at;
        const char *says;
    } cases[] = {
        {"", 0, "ends too early"},
        {"kind", 0, "is a word, not true or false"},
        {"kindd == agent", 0, "did you mean \"kind\""},
        {"from.kind == agent", 0, "no attribute"},
        {"asset.orgin == supplier", 6, "did you mean \"origin\""},
        {"kind == agnet", 8, "did you mean \"agent\""},
        {"kind in (model, agnet)", 16, "did you mean \"agent\""},
        {"kind in model", 8, "\"(\" is missing"},
        {"kind == 3", 8, "is never that"},
        {"kind < agent", 5, "have no order"},
        {"api.max_tokens", 0, "number is no condition"},
        {"agent.tools", 0, "count(agent.tools) > 0"},
        {"api.rate_limit", 0, "api.rate_limit != \"\""},
        {"api.rate_limit == x", 18, "in quotes"},
        {"api.rate_limit < \"x\"", 15, "texts have no order"},
        {"\"x\" == kind", 0, "a text stands behind"},
        {"\"x\" in kind", 7, "is no list"},
        {"untrusted and", 13, "ends too early"},
        {"untrusted exposed", 10, "and, or, in or a comparison"},
        {"(untrusted", 0, "not closed"},
        {"untrusted)", 9, "nothing was opened"},
        {"max(untrusted, exposed", 0, "not closed"},
        {"(untrusted, exposed)", 10, "a comma separates"},
        {"1 < 2 < 3", 6, "cannot be chained"},
        {"likely == 4", 0, "no attribute \"likely\""},
        {"\"open", 0, "a \" is missing"},
        {"untrusted and 7", 14, "number is no condition"},
        {"untrusted + agent.tools == 1", 12, "count(...)"},
        {"count(kind) > 0", 6, "no list to be counted"},
        {"12345678 > 1", 0, "at most 1000000"},
        {"kind == model.task", 8, "is never that"},
        {"untrusted & exposed", 10, "and, or, in"},
        {"not", 3, "ends too early"},
        {"untrusted not exposed", 10, "and, or, in"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_threat_code code;
        tut_threat_fault fault = {0};
        if (tut_threat_compile(tut_str_of(cases[i].text), TUT_THREAT_ON_COMPONENT,
                               TUT_THREAT_CONDITION, &code, &fault))
            fail_msg("%s was taken", cases[i].text);
        if (fault.at != cases[i].at || !strstr(fault.text, cases[i].says))
            fail_msg("%s: at %zu: %s", cases[i].text, fault.at, fault.text);
    }
}

static void depth_length_and_steps_are_bounded(void **state)
{
    static char text[8192];
    tut_threat_code code;
    tut_threat_fault fault;
    (void)state;
    memset(text, '(', 40);
    snprintf(text + 40, sizeof(text) - 40, "untrusted");
    assert_false(tut_threat_compile(tut_str_of(text), TUT_THREAT_ON_COMPONENT, TUT_THREAT_CONDITION,
                                    &code, &fault));
    assert_non_null(strstr(fault.text, "nested too deep"));
    size_t len = 0;
    for (int i = 0; i < 70; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%sexposed", i ? " or " : "");
    assert_false(tut_threat_compile(tut_str_of(text), TUT_THREAT_ON_COMPONENT, TUT_THREAT_CONDITION,
                                    &code, &fault));
    assert_non_null(strstr(fault.text, "more than 128 steps"));
    memset(text, ' ', 2000);
    text[2000] = '\0';
    assert_false(tut_threat_compile(tut_str_of(text), TUT_THREAT_ON_COMPONENT, TUT_THREAT_CONDITION,
                                    &code, &fault));
    assert_non_null(strstr(fault.text, "at most 1024 bytes"));
}

static void every_prefix_ends_in_an_answer_or_a_fault(void **state)
{
    static const char text[] =
        "not (kind in (model, agent) and max(1, api.max_tokens - -2) >= 3) or "
        "\"a\" in agent.tools and api.rate_limit != \"x\" and asset.pinned";
    world *w = *state;
    const tut_threat_element *e = tut_threat_element_find(w->model, TUT_THREAT_ON_COMPONENT,
                                                          TUT_LIT("bot"));
    for (size_t len = 0; len < sizeof(text); len++)
        for (int flip = 0; flip < 4; flip++) {
            char copy[sizeof(text)];
            static const char odd[] = "()\"-";
            memcpy(copy, text, sizeof(text));
            copy[len] = flip ? odd[flip] : copy[len];
            tut_threat_code code;
            tut_threat_fault fault = {.at = SIZE_MAX};
            tut_str part = {copy, flip ? sizeof(text) - 1 : len};
            if (tut_threat_compile(part, TUT_THREAT_ON_COMPONENT, TUT_THREAT_CONDITION, &code,
                                   &fault))
                assert_in_range((uint64_t)tut_threat_eval(&code, e), 0, 1);
            else if (!fault.text[0] || fault.at > part.len)
                fail_msg("\"%.*s\": at %zu: %s", (int)part.len, part.data, fault.at, fault.text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_have_their_answers),
        cmocka_unit_test(what_is_not_there_counts_as_unknown),
        cmocka_unit_test(links_reach_over_two_elements),
        cmocka_unit_test(sizes_are_numbers_or_their_words),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(depth_length_and_steps_are_bounded),
        cmocka_unit_test(every_prefix_ends_in_an_answer_or_a_fault),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
