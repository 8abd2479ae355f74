/* Threagile models in tutela.yaml's terms: what comes over, what is listed, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assets/system.h"
#include "govern/threagile.h"

static const char model[] = "threagile_version: 1.0.0\n"
                            "title: A shop\n"
                            "business_criticality: important\n"
                            "data_assets:\n"
                            "  Orders: &base\n"
                            "    id: orders\n"
                            "    description: >\n"
                            "      What was ordered\n"
                            "    origin: Customer\n"
                            "    owner: Shop\n"
                            "    confidentiality: confidential\n"
                            "    quantity: many\n"
                            "  Prices:\n"
                            "    <<: *base\n"
                            "    id: prices\n"
                            "    confidentiality: public\n"
                            "technical_assets:\n"
                            "  Web Client:\n"
                            "    id: client\n"
                            "    type: external-entity\n"
                            "    used_as_client_by_human: true\n"
                            "    technology: browser\n"
                            "    internet: true\n"
                            "    communication_links:\n"
                            "      Shop Traffic:\n"
                            "        target: web\n"
                            "        protocol: https\n"
                            "        authentication: session-id\n"
                            "        vpn: false\n"
                            "        data_assets_sent: [orders]\n"
                            "        data_assets_received: &both [prices, orders]\n"
                            "  Web Server:\n"
                            "    id: web\n"
                            "    type: process\n"
                            "    technologies: [web-server, web-application]\n"
                            "    multi_tenant: true\n"
                            "    communication_links:\n"
                            "      Shop Traffic:\n"
                            "        target: db\n"
                            "        protocol: jdbc\n"
                            "        authentication: credentials\n"
                            "        data_assets_sent: *both\n"
                            "      Ask:\n"
                            "        target: ai\n"
                            "        protocol: https\n"
                            "        authentication: none\n"
                            "  Database:\n"
                            "    id: db\n"
                            "    type: datastore\n"
                            "    technology: database\n"
                            "    encryption: transparent\n"
                            "    data_assets_stored: [orders, prices]\n"
                            "  Recommender:\n"
                            "    id: ai\n"
                            "    type: process\n"
                            "    technology: ai\n"
                            "    no_such_field: 1\n"
                            "  Partner:\n"
                            "    id: partner\n"
                            "    type: external-entity\n"
                            "    technology: web-service-rest\n"
                            "trust_boundaries:\n"
                            "  Inside:\n"
                            "    id: inside\n"
                            "    type: network-on-prem\n"
                            "    technical_assets_inside: [web, db, ai]\n"
                            "  Outer:\n"
                            "    id: outer\n"
                            "    trust_boundaries_nested: [inside]\n"
                            "risk_tracking:\n"
                            "  unencrypted-communication@web>shop-traffic@web@db:\n"
                            "    status: accepted\n"
                            "    justification: It is one \"room\"\n"
                            "    ticket: T-1\n"
                            "    checked_by: Ann\n"
                            "  missing-authentication@web>ask@web@ai:\n"
                            "    status: in-progress\n"
                            "  unencrypted-asset@*:\n"
                            "    status: mitigated\n"
                            "  sql-nosql-injection@web@db@x:\n"
                            "    status: mitigated\n"
                            "  unencrypted-asset@gone:\n"
                            "    status: mitigated\n"
                            "  unencrypted-asset@db:\n"
                            "    status: false-positive\n";

static tut_threagile *read_text(const char *text)
{
    tut_threagile *t = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_threagile_read("m.yaml", tut_str_of(text), false, &t, NULL, &err)))
        fail_msg("%s", err.text);
    return t;
}

static bool has(const tut_buf *b, const char *needle)
{
    return memmem(b->data, b->len, needle, strlen(needle)) != NULL;
}

static const tut_threagile_note *note(const tut_threagile *t, const char *place, const char *field)
{
    for (size_t i = 0; i < t->note_count; i++)
        if (strcmp(t->notes[i].place, place) == 0 && strcmp(t->notes[i].field, field) == 0)
            return &t->notes[i];
    return NULL;
}

static void elements_come_over(void **state)
{
    TUT_AUTO(tut_threagile) t = read_text(model);
    (void)state;
    assert_string_equal(t->title, "A shop");
    assert_int_equal(t->component_count, 5);
    assert_int_equal(t->flow_count, 4);
    assert_int_equal(t->boundary_count, 3);
    assert_int_equal(t->asset_count, 2);
    assert_true(has(&t->assets, "  - id: dataset/orders\n    path: TODO\n    origin: TODO\n    "
                                "description: What was ordered\n    owner: Shop\n    obtained: "
                                "Customer\n    sensitivity: confidential\n"));
    assert_true(has(&t->assets, "  - id: dataset/prices\n    path: TODO\n    origin: TODO\n    "
                                "description: What was ordered\n    owner: Shop\n    obtained: "
                                "Customer\n    sensitivity: public\n")); /* merged */
    assert_true(has(&t->components, "  # Web Client\n  - id: client\n    kind: user-client\n"));
    assert_true(has(&t->components, "  - id: web\n    kind: service\n"));
    assert_true(has(&t->components, "  - id: db\n    kind: dataset-store\n    asset: "
                                    "dataset/orders\n    storage: {encrypted: true}\n"));
    assert_true(has(&t->components, "  - id: ai\n    kind: model\n"));
    assert_true(
        has(&t->components, "  - id: partner\n    kind: service\n    untrusted_content: true\n"));
    assert_true(has(&t->boundaries, "  - id: internet\n    trust: public\n    inside: [client]\n"));
    assert_true(has(&t->boundaries, "    inside: [web, db, ai]\n"));
    assert_true(has(&t->boundaries, "  - id: outer\n    description: Outer\n    trust: TODO # "
                                    "public, partner, internal, restricted\n    inside: []\n"));
}

static void links_become_flows_there_and_back(void **state)
{
    TUT_AUTO(tut_threagile) t = read_text(model);
    (void)state;
    assert_true(has(&t->flows, "  - id: shop-traffic\n    from: client\n    to: web\n    data: "
                               "[dataset/orders]\n    auth: token\n    encryption: tls\n"));
    assert_true(has(&t->flows,
                    "  - id: shop-traffic.back\n    from: web\n    to: client\n    data: "
                    "[dataset/prices, dataset/orders]\n    auth: token\n"));
    assert_true(has(&t->flows, "  - id: web.shop-traffic\n    from: web\n    to: db\n    data: "
                               "[dataset/prices, dataset/orders]\n    auth: key\n    encryption: "
                               "none\n")); /* by its alias */
    assert_true(has(&t->flows, "  - id: ask\n    from: web\n    to: ai\n    auth: none\n"));
}

static void tracking_becomes_treatments_where_both_know_the_risk(void **state)
{
    TUT_AUTO(tut_threagile) t = read_text(model);
    (void)state;
    assert_int_equal(t->treatment_count, 2);
    assert_true(has(&t->treatments, "plain-flow@web.shop-traffic"));
    assert_true(has(&t->treatments, "      treatment: accept\n      by: Ann\n"));
    assert_true(has(&t->treatments, "ticket T-1"));
    assert_true(has(&t->treatments, "nobody-authenticates@ai"));
    assert_true(has(&t->treatments, "      treatment: mitigate\n"));
    assert_non_null(note(t, "risk_tracking.*", "sql-nosql-injection"));
    assert_non_null(note(t, "risk_tracking.*", "unencrypted-asset"));
    assert_non_null(note(t, "risk_tracking.*", "false-positive"));
}

static void what_has_no_counterpart_is_listed_once_with_its_number(void **state)
{
    TUT_AUTO(tut_threagile) t = read_text(model);
    (void)state;
    assert_non_null(note(t, "", "business_criticality"));
    const tut_threagile_note *unknown = note(t, "technical_assets.*", "no_such_field");
    assert_non_null(unknown);
    assert_string_equal(unknown->first, "Recommender");
    assert_non_null(strstr(unknown->why, "no field of Threagile's schema"));
    assert_non_null(note(t, "technical_assets.*", "multi_tenant"));
    assert_non_null(note(t, "technical_assets.*", "technology: ai"));
    assert_non_null(note(t, "technical_assets.*", "technologies"));
    assert_non_null(note(t, "trust_boundaries.*", "trust_boundaries_nested"));
    assert_null(note(t, "technical_assets.*.communication_links.*", "vpn")); /* false */
    assert_int_equal(note(t, "data_assets.*", "quantity")->count, 1);
}

static void the_whole_loads_as_a_tutela_yaml(void **state)
{
    TUT_AUTO(tut_threagile) t = read_text(model);
    TUT_AUTO(tut_system) system = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_error err = {0};
    (void)state;
    tut_buf_add_z(&text,
                  "schema: tutela.system/1\nsystem: {name: s, version: \"1\", purpose: p}\n");
    assert_true(tut_is_ok(tut_threagile_yaml(t, "m\n.yaml", &text, &err)));
    if (!tut_is_ok(tut_system_parse_here(".", "t", tut_buf_str(&text), &system, &err)))
        fail_msg("%s\n%s", err.text, tut_buf_z(&text));
    assert_int_equal(system->component_count, 5);
    assert_int_equal(system->flow_count, 4);
    assert_true(system->flows[0].crosses);
    assert_int_equal(system->asset_count, 2);
}

/* --- into a tutela.yaml --- */

#define HEAD "schema: tutela.system/1\nsystem: {name: s, version: \"1\", purpose: p}\n"

static tut_status merge(const char *into, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_threagile) t = read_text(model);
    return tut_threagile_merge(t, ".", "tutela.yaml", tut_str_of(into), out, err);
}

static void it_is_put_into_one_that_has_none(void **state)
{
    static const char *const before[] = {
        HEAD,
        HEAD "assets:\n  - {id: model/m, path: m, origin: supplier}\n\n# people\nroles:\n  "
             "developer: x",
        HEAD "assets:\n- id: model/m\n  path: m\n  origin: supplier\n",
        HEAD "assets:\n    - id: model/m\n      path: m\n      origin: supplier\n# the end\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_error err = {0};
        if (!tut_is_ok(merge(before[i], &out, &err)))
            fail_msg("%zu: %s\n%s", i, err.text, tut_buf_z(&out));
        assert_true(has(&out, "components:\n") && has(&out, "dataset/prices"));
        assert_true(i == 0 || has(&out, "model/m"));
        if (i == 1)
            assert_true(has(&out, "\n\n# people\nroles:\n  developer: x\n"));
    }
}

static void it_is_not_put_where_something_is(void **state)
{
    static const struct {
        const char *into, *why;
    } cases[] = {
        {HEAD "components: []\n", "a section components already"},
        {HEAD "threats: {review_days: 9}\n", "a section threats already"},
        {HEAD "assets: []\n", "is empty"},
        {HEAD "assets: [{id: model/m, path: m, origin: supplier}]\n", "no list of lines"},
        {HEAD "assets:\n  - {id: dataset/orders, path: m, origin: supplier}\n", "dataset/orders"},
        {"schema: [", "1:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_error err = {0};
        assert_false(tut_is_ok(merge(cases[i].into, &out, &err)));
        if (!strstr(err.text, cases[i].why) && !strstr(err.path, cases[i].why))
            fail_msg("%zu: %s %s", i, err.path, err.text);
    }
}

/* --- what is refused --- */

#define ONE "technical_assets:\n  A:\n    id: a\n"

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "is a mapping"},
        {"- a\n", "is a mapping"},
        {"title: x\n", "no technical_assets"},
        {"technical_assets: 3\n", "is a mapping"},
        {"technical_assets:\n  A: 3\n", "is a mapping"},
        {"technical_assets:\n  A: {id: a b}\n", "letters, digits"},
        {"technical_assets:\n  A: {id: a}\n  B: {id: a}\n", "taken already"},
        {"technical_assets:\n  A: {id: [x]}\n", "is a text"},
        {ONE "    used_as_client_by_human: maybe\n", "true or false"},
        {ONE "    type: cloud\n", "no type of Threagile"},
        {ONE "    data_assets_stored: [x]\n", "names no data asset"},
        {ONE "    communication_links: {L: {target: z}}\n", "no technical asset"},
        {ONE "    communication_links: {L: {target: a, protocol: pigeon}}\n", "no protocol"},
        {ONE "    communication_links: {L: {target: a, data_assets_sent: [q]}}\n", "names nothing"},
        {ONE "    communication_links: {L-: {target: a}, l: {target: a}}\n", "this title"},
        {ONE "trust_boundaries: {B: {id: b, technical_assets_inside: [z]}}\n", "names nothing"},
        {ONE "trust_boundaries:\n  B: {id: b, technical_assets_inside: [a]}\n  C: {id: c, "
             "technical_assets_inside: [a]}\n",
         "lies in two"},
        {ONE "risk_tracking: {x@a: {status: fine}}\n", "none of Threagile's"},
        {ONE "    owner: *nobody\n", "no anchor"},
        {ONE "    owner: &x a\n    size: &x b\n", "stands twice"},
        {ONE "    owner: !!str a\n", "a tag"},
        {ONE "    id: b\n", "a key stands twice"},
        {ONE "---\nb: c\n", "several documents"},
        {"technical_assets: [\n", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_AUTO(tut_threagile) t = NULL;
        TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
        tut_error err = {0};
        tut_status s = tut_threagile_read("m.yaml", tut_str_of(cases[i].text), false, &t, &shown,
                                          &err);
        if (tut_is_ok(s) || !strstr(err.text, cases[i].why) || !err.text[0])
            fail_msg("%zu: %s: %s", i, cases[i].text, err.text);
        assert_non_null(strstr(err.path, "m.yaml:"));
    }
}

/* Mappings that merge one another, eight deep and very wide: refused, and soon. */
static void merging_is_bounded(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_threagile) t = NULL;
    tut_error err = {0};
    (void)state;
    tut_buf_add_z(&text, "x0: &m0 {q: 1}\n");
    for (int i = 1; i < 8; i++) {
        tut_buf_printf(&text, "x%d: &m%d\n  <<: [", i, i);
        for (int k = 0; k < 40; k++)
            tut_buf_printf(&text, "%s*m%d", k ? ", " : "", i - 1);
        tut_buf_add_z(&text, "]\n");
    }
    tut_buf_add_z(&text, "technical_assets:\n  A:\n    <<: *m7\n    id: a\n  B:\n    <<: *m7\n");
    assert_false(
        tut_is_ok(tut_threagile_read("m.yaml", tut_buf_str(&text), false, &t, NULL, &err)));
    TUT_AUTO(tut_threagile) own = NULL;
    static const char loop[] = "technical_assets:\n  A: &a\n    <<: *a\n    id: a\n";
    assert_true(tut_is_ok(tut_threagile_read("m.yaml", tut_str_of(loop), false, &own, NULL, &err)));
}

static void any_part_of_a_model_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(model); len += 3) {
        TUT_AUTO(tut_threagile) t = NULL;
        tut_error err = {0};
        tut_status s = tut_threagile_read("m.yaml", (tut_str){model, len}, false, &t, NULL, &err);
        assert_true(tut_is_ok(s) || err.text[0]);
    }
    TUT_AUTO(tut_threagile) caged = NULL;
    assert_true(
        tut_is_ok(tut_threagile_read("m.yaml", tut_str_of(model), true, &caged, NULL, NULL)));
    assert_int_equal(caged->flow_count, 4);
}

static void memory_may_run_out_at_any_point(void **state)
{
    bool is_done = false;
    (void)state;
    for (uint64_t n = 1; !is_done && n < 20000; n += 1 + n / 40) {
        TUT_AUTO(tut_threagile) t = NULL;
        tut_alloc_fail_after(n);
        tut_status s = tut_threagile_read("m.yaml", tut_str_of(model), false, &t, NULL, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(s);
        assert_true(is_done || s.code == TUT_NOMEM);
    }
    assert_true(is_done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_over),
        cmocka_unit_test(links_become_flows_there_and_back),
        cmocka_unit_test(tracking_becomes_treatments_where_both_know_the_risk),
        cmocka_unit_test(what_has_no_counterpart_is_listed_once_with_its_number),
        cmocka_unit_test(the_whole_loads_as_a_tutela_yaml),
        cmocka_unit_test(it_is_put_into_one_that_has_none),
        cmocka_unit_test(it_is_not_put_where_something_is),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(merging_is_bounded),
        cmocka_unit_test(any_part_of_a_model_is_read_or_refused),
        cmocka_unit_test(memory_may_run_out_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
