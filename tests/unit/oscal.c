/* The OSCAL documents of assessments that the command alone does not bring about: who signed, what
 * OSCAL cannot say, text that would be markup, memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assess/evaluate_internal.h"
#include "assess/oscal_internal.h"
#include "base/json.h"
#include "memcheck.h"

enum { T0 = 1700000000 };
static const tut_time far_away = 253402300799; /* 9999-12-31T23:59:59Z */

static tut_sha256 digest_of(char fill)
{
    tut_sha256 d;
    memset(d.bytes, fill, sizeof(d.bytes));
    return d;
}

/* --- an assessment with three records about one provision --- */
static struct {
    tut_record items[3];
    tut_subject subjects[2];
    tut_record_signer signers[3];
    tut_records records;
} world;

static void make_world(void)
{
    world.subjects[0] = (tut_subject){"model/a", digest_of('a')};
    world.subjects[1] = (tut_subject){"<b>**x**</b> ", digest_of('b')};
    world.signers[0] = (tut_record_signer){.key_id = "aa",
                                           .name = "Ada",
                                           .roles = TUT_ROLE_DEVELOPER | 8 /* approver */,
                                           .counts = true};
    world.signers[1] = (tut_record_signer){.key_id = "bb", .why = "nobody knows this key"};
    world.signers[2] =
        (tut_record_signer){.key_id = "cc", .name = "tool", .is_tool = true, .counts = true};
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = T0,
                    .check = "scan.content/1",
                    .subjects = world.subjects,
                    .subject_count = 2,
                    .from = T0,
                    .to = T0,
                    .expires = T0 + TUT_DAY_SECONDS,
                    .actor = "tool",
                    .statement = "It is [so](x)",
                    .origin = "log.example/evidence",
                    .signers = &world.signers[2],
                    .signer_count = 1,
                    .tier = TUT_TIER_FIRST};
    world.items[0] = world.items[1] = world.items[2] = r;
    world.items[0].index = 3;
    world.items[0].has_body = true;
    world.items[0].body = digest_of('c');
    world.items[1].index = 7; /* signed by a person, and by somebody */
    world.items[1].actor = "Ada";
    world.items[1].signers = world.signers;
    world.items[1].signer_count = 2;
    world.items[1].expires = far_away;
    world.items[1].doubt = "carried over";
    world.items[2].index = 9; /* typed */
    world.items[2].actor = "Bob";
    world.items[2].tier = TUT_TIER_SELF;
    world.records = (tut_records){.items = world.items, .count = 3, .log_size = 10};
}

static tut_assessment *an_assessment(void)
{
    const tut_clause *clauses = NULL;
    assert_true(tut_is_ok(tut_catalogue_load(&clauses, NULL)));
    make_world();
    tut_assessment *a = tut_alloc_array(1, sizeof(*a));
    assert_non_null(a);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        a->controls[i].clause = &clauses[i];
        a->controls[i].verdict = (tut_control_verdict)(i % TUT_CONTROL_VERDICT_COUNT);
    }
    tut_control *c = &a->controls[2];
    assert_int_equal(c->verdict, TUT_CONTROL_NOT_MET);
    c->evidence = tut_alloc_array(3, sizeof(*c->evidence));
    assert_non_null(c->evidence);
    for (size_t i = 0; i < 3; i++)
        c->evidence[i] = (tut_evidence_use){&world.items[i],
                                            i ? TUT_USE_CONTRADICTS : TUT_USE_COUNTS,
                                            tut_strdup("because of _that_")};
    c->evidence_count = 3;
    a->system_name = tut_strdup("support-assistant");
    a->system_version = tut_strdup("");
    a->log_origin = tut_strdup("log.example/evidence");
    a->evaluated_at = a->generated = T0 + 60;
    assert_true(tut_is_ok(tut_grade_assessment(a, NULL, 2, NULL)));
    a->records = &world.records;
    return a;
}

static void drop(tut_assessment **a)
{
    (*a)->records = NULL; /* the world's */
    tut_assessment_free(*a);
}
#define AN_ASSESSMENT __attribute__((cleanup(drop))) tut_assessment *

static void compose(const tut_assessment *a, tut_oscal_model model, tut_buf *out)
{
    tut_error err = {0};
    if (!tut_is_ok(tut_report_oscal(a, model, out, &err)))
        fail_msg("%s", err.text);
}

static const tut_json_value *result_of(const tut_json_doc *doc)
{
    const tut_json_value *root = tut_json_get(tut_json_root(doc), "assessment-results");
    return tut_json_item(tut_json_get(root, "results"), 0);
}

static tut_str prop(const tut_json_value *item, const char *name)
{
    const tut_json_value *list = tut_json_get(item, "props");
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        if (tut_str_eq_z(tut_json_get_text(tut_json_item(list, i), "name"), name))
            return tut_json_get_text(tut_json_item(list, i), "value");
    return TUT_LIT("");
}

static tut_json_doc *results(const tut_assessment *a, tut_buf *text)
{
    tut_json_doc *doc = NULL;
    compose(a, TUT_OSCAL_RESULTS, text);
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(text), NULL, &doc, NULL)));
    return doc;
}

static void every_record_is_one_observation_in_the_order_of_the_log(void **state)
{
    (void)state;
    AN_ASSESSMENT a = an_assessment();
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = results(a, &text);
    const tut_json_value *list = tut_json_get(result_of(doc), "observations");
    static const char *const places[] = {"3", "7", "9"};
    assert_int_equal(tut_json_count(list), 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(tut_str_eq_z(prop(tut_json_item(list, i), "log-index"), places[i]));
    const tut_json_value *items = tut_json_get(tut_json_get(result_of(doc), "local-definitions"),
                                               "inventory-items");
    assert_int_equal(tut_json_count(items), 2);
}

static void those_who_sign_are_its_origin_and_the_tool_that_carries_is_not(void **state)
{
    (void)state;
    AN_ASSESSMENT a = an_assessment();
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = results(a, &text);
    const tut_json_value *list = tut_json_get(result_of(doc), "observations");
    static const struct {
        const char *types[2];
        const char *tier;
    } wanted[] = {{{"tool", NULL}, "C"}, {{"party", "party"}, "C"}, {{"party", NULL}, "D"}};
    for (uint32_t i = 0; i < 3; i++) {
        const tut_json_value *origin =
            tut_json_item(tut_json_get(tut_json_item(list, i), "origins"), 0);
        const tut_json_value *actors = tut_json_get(origin, "actors");
        assert_int_equal(tut_json_count(actors), wanted[i].types[1] ? 2 : 1);
        for (uint32_t k = 0; k < tut_json_count(actors); k++) {
            const tut_json_value *actor = tut_json_item(actors, k);
            assert_true(tut_str_eq_z(tut_json_get_text(actor, "type"), wanted[i].types[k]));
            assert_true(tut_str_eq_z(prop(actor, "tier"), wanted[i].tier));
        }
    }
    assert_non_null(strstr(tut_buf_z(&text), "\"value\":\"approver\""));
    const tut_json_value *root = tut_json_get(tut_json_root(doc), "assessment-results");
    const tut_json_value *parties = tut_json_get(tut_json_get(root, "metadata"), "parties");
    assert_int_equal(tut_json_count(parties), 3); /* Ada, the stranger, Bob */
    assert_non_null(strstr(tut_buf_z(&text), "somebody whom the log does not know"));
}

static void an_expiry_that_oscal_cannot_say_is_said_in_a_prop(void **state)
{
    (void)state;
    AN_ASSESSMENT a = an_assessment();
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = results(a, &text);
    const tut_json_value *list = tut_json_get(result_of(doc), "observations");
    assert_non_null(tut_json_get(tut_json_item(list, 0), "expires"));
    assert_null(tut_json_get(tut_json_item(list, 1), "expires"));
    assert_true(tut_str_eq_z(prop(tut_json_item(list, 1), "expires"), "9999-12-31T23:59:59Z"));
    assert_true(tut_str_eq_z(prop(tut_json_item(list, 1), "doubt"), "carried over"));
}

static void a_document_of_a_year_that_oscal_cannot_say_is_refused(void **state)
{
    (void)state;
    AN_ASSESSMENT a = an_assessment();
    for (int m = 0; m < TUT_OSCAL_MODEL_COUNT; m++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        a->generated = far_away;
        assert_int_equal(tut_report_oscal(a, (tut_oscal_model)m, &text, NULL).code, TUT_USAGE);
    }
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    a->generated = T0;
    a->evaluated_at = far_away;
    assert_int_equal(tut_report_oscal(a, TUT_OSCAL_RESULTS, &text, NULL).code, TUT_USAGE);
}

static void text_is_one_line_in_which_nothing_is_markup(void **state)
{
    (void)state;
    static const struct {
        const char *text, *markup;
    } rows[] = {
        {"model/a", "model/a"},
        {"<b>**x**</b> ", "\"\\<b\\>\\*\\*x\\*\\*\\</b\\> \""},
        {"a\nb", "a\\\\x0ab"},
        {"\xe2\x80\xa8", "\\\\u\\{2028\\}"},
        {"\xc2\xa0x", "\"\xc2\xa0x\""},
        {"\xff", "\\\\xff"},
        {"a_b [c](d) `e` ~f~ $g$ &h;", "a\\_b \\[c\\](d) \\`e\\` \\~f\\~ \\$g\\$ \\&h;"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_oscal_add_markup(&out, tut_str_of(rows[i].text));
        assert_string_equal(tut_buf_z(&out), rows[i].markup);
    }
}

static void only_met_is_satisfied(void **state)
{
    (void)state;
    AN_ASSESSMENT a = an_assessment();
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = results(a, &text);
    const tut_json_value *list = tut_json_get(result_of(doc), "findings");
    static const char *const reasons[TUT_CONTROL_VERDICT_COUNT] = {"pass", "other", "fail", "other",
                                                                   "other"};
    assert_int_equal(tut_json_count(list), TUT_CLAUSE_COUNT);
    for (uint32_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_json_value *f = tut_json_item(list, i);
        const tut_json_value *status = tut_json_get(tut_json_get(f, "target"), "status");
        tut_control_verdict v = a->controls[i].verdict;
        assert_true(tut_str_eq_z(prop(f, "verdict"), tut_control_verdict_name(v)));
        assert_true(tut_str_eq_z(tut_json_get_text(status, "state"),
                                 v == TUT_CONTROL_MET ? "satisfied" : "not-satisfied"));
        assert_true(tut_str_eq_z(tut_json_get_text(status, "reason"), reasons[v]));
        assert_int_equal(tut_json_get(f, "related-risks") != NULL, v == TUT_CONTROL_NOT_MET);
    }
    assert_int_equal(tut_json_count(tut_json_get(result_of(doc), "risks")),
                     a->counts[TUT_CONTROL_NOT_MET]);
}

/* The forthcoming one is named; nothing is mapped to it. */
static void there_is_a_mapping_to_each_framework_but_the_forthcoming(void **state)
{
    (void)state;
    AN_ASSESSMENT a = an_assessment();
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    compose(a, TUT_OSCAL_MAPPING, &text);
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&text), NULL, &doc, NULL)));
    const tut_json_value *root = tut_json_get(tut_json_root(doc), "mapping-collection");
    assert_int_equal(tut_json_count(tut_json_get(root, "mappings")), TUT_FRAMEWORK_COUNT - 1);
    const char *named = strstr(tut_buf_z(&text), "TR 104 159");
    assert_non_null(named);
    assert_non_null(strstr(tut_buf_z(&text), "none-claimed"));
}

static void what_this_version_lacks_is_planned(void **state)
{
    (void)state;
    AN_ASSESSMENT a = an_assessment();
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    compose(a, TUT_OSCAL_COMPONENTS, &text);
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&text), NULL, &doc, NULL)));
    const tut_json_value *root = tut_json_get(tut_json_root(doc), "component-definition");
    const tut_json_value *c = tut_json_item(tut_json_get(root, "components"), 0);
    c = tut_json_item(tut_json_get(c, "control-implementations"), 0);
    const tut_json_value *list = tut_json_get(c, "implemented-requirements");
    assert_int_equal(tut_json_count(list), TUT_CLAUSE_COUNT);
    for (uint32_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_clause *clause = a->controls[i].clause;
        size_t available = 0;
        for (size_t w = 0; w < clause->want_count; w++)
            available += clause->wants[w].is_available;
        tut_str said = prop(tut_json_item(list, i), "implementation-status");
        assert_true(tut_str_eq_z(said, available == 0                    ? "planned"
                                       : available == clause->want_count ? "implemented"
                                                                         : "partial"));
    }
}

static void memory_that_runs_out_is_an_ordinary_error(void **state)
{
    (void)state;
    AN_ASSESSMENT a = an_assessment();
    uint64_t step = 211 * memcheck_step(27);
    for (int m = 0; m < TUT_OSCAL_MODEL_COUNT; m++) {
        bool is_done = false;
        for (uint64_t n = 1; !is_done; n += n < 60 ? 1 : step) {
            TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
            tut_alloc_fail_after(n);
            tut_status status = tut_report_oscal(a, (tut_oscal_model)m, &text, NULL);
            tut_alloc_fail_after(0);
            is_done = tut_is_ok(status);
            if (!is_done)
                assert_int_equal(status.code, TUT_NOMEM);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_is_one_observation_in_the_order_of_the_log),
        cmocka_unit_test(those_who_sign_are_its_origin_and_the_tool_that_carries_is_not),
        cmocka_unit_test(an_expiry_that_oscal_cannot_say_is_said_in_a_prop),
        cmocka_unit_test(a_document_of_a_year_that_oscal_cannot_say_is_refused),
        cmocka_unit_test(text_is_one_line_in_which_nothing_is_markup),
        cmocka_unit_test(only_met_is_satisfied),
        cmocka_unit_test(there_is_a_mapping_to_each_framework_but_the_forthcoming),
        cmocka_unit_test(what_this_version_lacks_is_planned),
        cmocka_unit_test(memory_that_runs_out_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
