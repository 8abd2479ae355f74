/* Records in, verdicts out: each shape of a verdict once, on rows of the real catalogue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "assess/evaluate_internal.h"
#include "base/fs.h"
#include "base/json_write.h"

enum { T0 = 1700000000, DAY = TUT_DAY_SECONDS };

static char dir[64];
static const char *extra_yaml; /* appended to the description */
static const char *origin_of_a;

static int make_dir(void **state)
{
    (void)state;
    extra_yaml = "";
    origin_of_a = "public";
    strcpy(dir, "/tmp/tutela-evaluate-XXXXXX");
    char keys[96];
    if (!mkdtemp(dir))
        return -1;
    snprintf(keys, sizeof(keys), "%s/keys", dir);
    tut_time_pretend(T0 - DAY); /* the log begins before what it holds */
    return setenv("XDG_DATA_HOME", keys, 1);
}

static int drop_dir(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    return system(command);
}

static tut_sha256 digest_of(char fill)
{
    tut_sha256 d;
    memset(d.bytes, fill, sizeof(d.bytes));
    return d;
}

/* --- writing records --- */

static void append(tut_record *r)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *l = NULL;
    tut_error err = {0};
    tut_time_pretend(r->at);
    if (!tut_is_ok(tut_ledger_open(dir, true, &l, &err)) ||
        !tut_is_ok(tut_ledger_append(l, r, 1, &err)))
        fail_msg("%s", err.text);
}

static tut_sha256 keep(const char *text)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *l = NULL;
    tut_sha256 digest;
    assert_true(tut_is_ok(tut_ledger_open(dir, true, &l, NULL)));
    assert_true(tut_is_ok(tut_ledger_put_body(l, tut_span_of(text, strlen(text)), &digest, NULL)));
    return digest;
}

/* The description of two models, one needs the other; returns its digest. */
static tut_sha256 describe(tut_time at)
{
    char yaml[2000];
    snprintf(yaml, sizeof(yaml),
             "schema: tutela.system/1\nsystem:\n  name: demo\n  version: 1.0\nassets:\n"
             "  - id: model/a\n    path: a.pkl\n    origin: %s\n"
             "  - id: model/b\n    path: b.pkl\n    origin: first-party\n    depends_on:\n"
             "      - model/a\n%s",
             origin_of_a, extra_yaml);
    tut_subject subject = {.name = "tutela.yaml"};
    subject.digest = keep(yaml);
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = at,
                    .check = "system.changed",
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = "tool",
                    .statement = "",
                    .has_body = true,
                    .body = subject.digest};
    append(&r);
    return subject.digest;
}

static void put_asset(tut_json *j, const char *id, const char *state, const tut_sha256 *digest)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", id);
    tut_json_put_z(j, "kind", "model");
    tut_json_put_z(j, "path", id);
    tut_json_put_z(j, "state", state);
    bool is_a = strcmp(id, "model/a") == 0;
    bool is_open = strcmp(origin_of_a, "TODO") == 0;
    tut_json_put_z(j, "origin", is_a ? is_open ? NULL : origin_of_a : "first-party");
    tut_json_key(j, "digest");
    tut_json_sha256(j, digest->bytes);
    tut_json_end_object(j);
}

static tut_sha256 inventory_body(const char *state_of_b, char digest_of_b)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    tut_sha256 a = digest_of('a');
    tut_sha256 b = digest_of(digest_of_b);
    assert_true(tut_is_ok(tut_json_new(&text, &j)));
    tut_json_object(j);
    tut_json_put_z(j, "sandbox", "Landlock 4, seccomp");
    tut_json_key(j, "assets");
    tut_json_array(j);
    put_asset(j, "model/a", "declared", &a);
    put_asset(j, "model/b", state_of_b, &b);
    tut_json_end_array(j);
    tut_json_end_object(j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    return keep(tut_buf_z(&text));
}

static tut_record evidence(const char *check, const char *const *clauses, size_t count, tut_time at,
                           tut_result result, const tut_subject *subject)
{
    return (tut_record){.type = TUT_RECORD_EVIDENCE,
                        .at = at,
                        .from = at,
                        .to = at,
                        .expires = at + 400 * DAY,
                        .check = check,
                        .result = result,
                        .clauses = clauses,
                        .clause_count = count,
                        .subjects = subject,
                        .subject_count = 1,
                        .actor = "tool",
                        .statement = "as it was"};
}

static void inventory_with(tut_time at, tut_sha256 system, tut_result result,
                           const char *state_of_b, char digest_of_b)
{
    static const char *const clauses[] = {"5.2.1-1"};
    tut_subject subject = {.name = "tutela.yaml", .digest = system};
    tut_record r = evidence("inventory.complete/1", clauses, 1, at, result, &subject);
    r.has_body = true;
    r.body = inventory_body(state_of_b, digest_of_b);
    append(&r);
}

static void inventory(tut_time at, tut_sha256 system, tut_result result)
{
    inventory_with(at, system, result, "declared", 'b');
}

static void scan(tut_time at, const char *asset, char fill, tut_result result, tut_method method)
{
    static const char *const clauses[] = {"5.1.2-4", "5.2.1-4.1", "5.2.3-1"};
    tut_subject subject = {.name = asset, .digest = digest_of(fill)};
    tut_record r = evidence("scan.content/1", clauses, 3, at, result, &subject);
    r.method = method;
    append(&r);
}

static void document(tut_time at, tut_time expires, const char *clause)
{
    tut_subject subject = {.name = "paper.pdf", .digest = digest_of('d')};
    tut_record r = evidence("declared.document/1", &clause, 1, at, TUT_RESULT_PASS, &subject);
    r.method = TUT_METHOD_EXAMINE;
    r.expires = expires;
    r.actor = "Ada";
    append(&r);
}

/* --- reading verdicts --- */

static tut_assessment *evaluate(tut_time at)
{
    tut_assessment *a = NULL;
    tut_error err = {0};
    tut_time_pretend(at);
    if (!tut_is_ok(tut_assess_evaluate(".", dir, at, &a, &err)))
        fail_msg("%s", err.text);
    return a;
}

static const tut_control *control(const tut_assessment *a, const char *id)
{
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (tut_str_eq_z(a->controls[i].clause->id, id))
            return &a->controls[i];
    fail_msg("no %s", id);
    return NULL;
}

static void expect(tut_time at, const char *id, tut_control_verdict verdict)
{
    TUT_AUTO(tut_assessment) a = evaluate(at);
    const tut_control *c = control(a, id);
    if (c->verdict != verdict)
        fail_msg("%s is %s: %s", id, tut_control_verdict_name(c->verdict),
                 c->reason_count ? c->reasons[0] : "");
}

/* --- the shapes --- */

static void nothing_recorded_is_not_checked_and_says_so(void **state)
{
    (void)state;
    TUT_AUTO(tut_assessment) a = evaluate(T0);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        assert_int_equal(a->controls[i].verdict, TUT_CONTROL_NOT_CHECKED);
        assert_true(a->controls[i].reason_count > 0 && a->controls[i].refresh.len > 0);
    }
    assert_int_equal(a->grade, 0);
}

static void a_complete_inventory_meets_5_2_1_1(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    expect(T0, "5.2.1-1", TUT_CONTROL_MET);
    expect(T0 + 30 * DAY, "5.2.1-1", TUT_CONTROL_MET);
}

static void an_undeclared_missing_or_changed_asset_is_not_met(void **state)
{
    static const char *const states[] = {"undeclared", "missing", "changed"};
    (void)state;
    tut_sha256 system = describe(T0);
    for (size_t i = 0; i < 3; i++) {
        inventory_with(T0 + (tut_time)i, system, TUT_RESULT_FAIL, states[i], 'b');
        TUT_AUTO(tut_assessment) a = evaluate(T0 + (tut_time)i);
        assert_int_equal(control(a, "5.2.1-1")->verdict, TUT_CONTROL_NOT_MET);
        size_t found = 0;
        for (size_t k = 0; k < a->finding_count; k++) {
            if (strcmp(a->findings[k].rule, "inventory.unassessed") == 0)
                continue; /* it is from outside, too */
            assert_string_equal(a->findings[k].asset, "model/b");
            found++;
        }
        assert_int_equal(found, 1);
    }
}

static void old_evidence_is_stale_and_names_the_command(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    TUT_AUTO(tut_assessment) a = evaluate(T0 + 31 * DAY);
    const tut_control *c = control(a, "5.2.1-1");
    assert_int_equal(c->verdict, TUT_CONTROL_NOT_CHECKED);
    assert_true(c->is_stale);
    /* The records do not lie in ./.tutela, so the command says where. */
    TUT_CLEAN(tut_buf) command = TUT_BUF_INIT;
    tut_buf_printf(&command, "tutela assess --state %s", dir);
    assert_true(tut_str_eq(c->refresh, tut_buf_str(&command)));
    assert_int_equal(c->evidence[0].use, TUT_USE_STALE);
}

static void evidence_ends_at_its_own_expiry(void **state)
{
    static const char *const clauses[] = {"5.2.1-1"};
    (void)state;
    tut_subject subject = {.name = "tutela.yaml", .digest = describe(T0)};
    tut_record r = evidence("inventory.complete/1", clauses, 1, T0, TUT_RESULT_PASS, &subject);
    r.expires = T0 + DAY;
    append(&r);
    expect(T0 + DAY - 1, "5.2.1-1", TUT_CONTROL_MET);
    expect(T0 + DAY, "5.2.1-1", TUT_CONTROL_NOT_CHECKED);
}

static void a_policy_may_only_tighten_the_greatest_age(void **state)
{
    (void)state;
    extra_yaml = "policy:\n  max_age_days: 3\n";
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    expect(T0 + 3 * DAY, "5.2.1-1", TUT_CONTROL_MET);
    expect(T0 + 4 * DAY, "5.2.1-1", TUT_CONTROL_NOT_CHECKED);
}

static void evidence_about_another_description_does_not_count(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    extra_yaml = "# changed\n";
    describe(T0 + 10);
    expect(T0 + 9, "5.2.1-1", TUT_CONTROL_MET);
    TUT_AUTO(tut_assessment) a = evaluate(T0 + 10);
    const tut_control *c = control(a, "5.2.1-1");
    assert_int_equal(c->verdict, TUT_CONTROL_NOT_CHECKED);
    assert_int_equal(c->evidence[0].use, TUT_USE_OTHER_DIGEST);
}

static void a_failing_scan_is_not_met_and_a_passing_one_partly(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    scan(T0, "model/a", 'a', TUT_RESULT_PASS, TUT_METHOD_TEST);
    scan(T0, "model/b", 'b', TUT_RESULT_PASS, TUT_METHOD_TEST);
    expect(T0, "5.2.3-1", TUT_CONTROL_PARTLY);
    expect(T0, "5.1.2-4", TUT_CONTROL_PARTLY);
    expect(T0, "5.2.1-4.1", TUT_CONTROL_PARTLY);
    scan(T0 + 1, "model/b", 'b', TUT_RESULT_FAIL, TUT_METHOD_TEST);
    expect(T0 + 1, "5.2.3-1", TUT_CONTROL_NOT_MET);
    /* model/b is our own, so it is none of the external components. */
    expect(T0 + 1, "5.1.2-4", TUT_CONTROL_PARTLY);
}

static void a_later_record_replaces_an_earlier_one(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    scan(T0, "model/a", 'a', TUT_RESULT_FAIL, TUT_METHOD_TEST);
    scan(T0 + 5, "model/a", 'a', TUT_RESULT_PASS, TUT_METHOD_TEST);
    expect(T0 + 4, "5.2.3-1", TUT_CONTROL_NOT_MET);
    TUT_AUTO(tut_assessment) a = evaluate(T0 + 5);
    const tut_control *c = control(a, "5.2.3-1");
    assert_int_equal(c->verdict, TUT_CONTROL_PARTLY);
    assert_int_equal(c->evidence_count, 2);
    assert_int_equal(c->evidence[1].use, TUT_USE_SUPERSEDED);
}

static void a_scan_of_another_digest_does_not_count(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    scan(T0, "model/a", 'x', TUT_RESULT_FAIL, TUT_METHOD_TEST);
    scan(T0, "model/b", 'y', TUT_RESULT_PASS, TUT_METHOD_TEST);
    expect(T0, "5.2.3-1", TUT_CONTROL_NOT_CHECKED);
}

static void probed(tut_time at, const char *check, const char *asset, char fill, tut_result result)
{
    static const char *const clauses[] = {"5.2.5-4"};
    tut_subject subject = {.name = asset, .digest = digest_of(fill)};
    tut_record r = evidence(check, clauses, 1, at, result, &subject);
    r.method = TUT_METHOD_TEST;
    append(&r);
}

static void what_does_not_apply_is_left_out_and_stands_for_nothing(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    probed(T0, "probe.extraction/1", "model/a", 'a', TUT_RESULT_NOT_APPLICABLE);
    probed(T0, "probe.extraction/1", "model/b", 'b', TUT_RESULT_NOT_APPLICABLE);
    expect(T0, "5.2.5-4", TUT_CONTROL_NOT_CHECKED);
    probed(T0 + 1, "probe.membership/1", "model/a", 'a', TUT_RESULT_PASS);
    probed(T0 + 1, "probe.membership/1", "model/b", 'b', TUT_RESULT_PASS);
    probed(T0 + 1, "probe.inversion/1", "model/a", 'a', TUT_RESULT_PASS);
    expect(T0 + 1, "5.2.5-4", TUT_CONTROL_PARTLY);
    probed(T0 + 2, "probe.inversion/1", "model/b", 'b', TUT_RESULT_NOT_APPLICABLE);
    expect(T0 + 2, "5.2.5-4", TUT_CONTROL_PARTLY); /* of this one the catalogue has no such leave */
    probed(T0 + 3, "probe.inversion/1", "model/b", 'b', TUT_RESULT_PASS);
    expect(T0 + 3, "5.2.5-4", TUT_CONTROL_MET);
    probed(T0 + 4, "probe.extraction/1", "model/b", 'b', TUT_RESULT_FAIL);
    expect(T0 + 4, "5.2.5-4", TUT_CONTROL_NOT_MET);
    expect(T0 + 300 * DAY, "5.2.5-4", TUT_CONTROL_NOT_CHECKED);
}

static void an_unknown_origin_counts_as_from_outside(void **state)
{
    (void)state;
    origin_of_a = "TODO";
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    scan(T0, "model/a", 'a', TUT_RESULT_FAIL, TUT_METHOD_TEST);
    expect(T0, "5.1.2-4", TUT_CONTROL_NOT_MET);
}

static void a_check_that_could_not_finish_is_not_checked(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_ERROR);
    expect(T0, "5.2.1-1", TUT_CONTROL_NOT_CHECKED);
}

static void a_hand_made_record_never_satisfies_a_test(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    document(T0, T0 + 90 * DAY, "5.2.2-4");
    scan(T0, "model/a", 'a', TUT_RESULT_PASS, TUT_METHOD_EXAMINE);
    scan(T0, "model/b", 'b', TUT_RESULT_PASS, TUT_METHOD_INTERVIEW);
    expect(T0, "5.2.3-1", TUT_CONTROL_NOT_CHECKED);
    TUT_AUTO(tut_assessment) a = evaluate(T0);
    const tut_control *c = control(a, "5.2.2-4");
    assert_int_equal(c->verdict, TUT_CONTROL_NOT_CHECKED);
    assert_int_equal(c->evidence_count, 1);
    assert_int_equal(c->evidence[0].use, TUT_USE_NOT_ENOUGH);
}

static void a_hand_made_record_cannot_hide_a_failing_test(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    scan(T0, "model/a", 'a', TUT_RESULT_FAIL, TUT_METHOD_TEST);
    scan(T0 + 1, "model/a", 'a', TUT_RESULT_PASS, TUT_METHOD_EXAMINE);
    expect(T0 + 1, "5.2.3-1", TUT_CONTROL_NOT_MET);
}

static void a_self_declared_document_never_satisfies_an_attested_duty(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    document(T0, T0 + 90 * DAY, "5.1.1-1");
    expect(T0, "5.1.1-1", TUT_CONTROL_NOT_CHECKED);
}

static void a_self_declared_document_makes_an_attested_should_partly_until_it_ends(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    document(T0, T0 + 90 * DAY, "5.2.2-6");
    expect(T0, "5.2.2-6", TUT_CONTROL_PARTLY);
    TUT_AUTO(tut_assessment) a = evaluate(T0 + 90 * DAY);
    assert_int_equal(control(a, "5.2.2-6")->verdict, TUT_CONTROL_NOT_CHECKED);
    assert_true(control(a, "5.2.2-6")->is_stale);
    /* It speaks for one clause only. */
    assert_int_equal(control(a, "5.1.3-3")->evidence_count, 0);
}

static void an_empty_scope_is_not_checked(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    TUT_AUTO(tut_assessment) a = evaluate(T0);
    const tut_control *c = control(a, "5.2.4-1.2"); /* nothing is shared */
    assert_int_equal(c->verdict, TUT_CONTROL_NOT_CHECKED);
    assert_non_null(strstr(c->reasons[0], "no asset is marked as shared"));
}

#define CLAIM(clause, reason, by, expires)                                                         \
    "not_applicable:\n  - clause: " clause "\n    reason: " reason "\n    by: " by                 \
    "\n    expires: " expires "\n"

static void a_sound_claim_is_not_applicable_until_it_ends(void **state)
{
    (void)state;
    extra_yaml = CLAIM("5.2.4-1.2", "nothing is given to others", "Ada", "2023-12-31");
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    expect(T0, "5.2.4-1.2", TUT_CONTROL_NOT_APPLICABLE);
    expect(T0 + 60 * DAY, "5.2.4-1.2", TUT_CONTROL_NOT_CHECKED);
}

static void a_claim_that_the_inventory_contradicts_is_refused(void **state)
{
    (void)state;
    extra_yaml = CLAIM("5.1.2-4", "we use nothing from outside", "Ada", "2024-12-31");
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    TUT_AUTO(tut_assessment) a = evaluate(T0);
    const tut_control *c = control(a, "5.1.2-4");
    assert_int_equal(c->verdict, TUT_CONTROL_NOT_CHECKED);
    assert_non_null(strstr(c->reasons[0], "refused: model/a comes from outside"));
}

static void a_claim_about_a_duty_without_condition_is_refused(void **state)
{
    (void)state;
    extra_yaml = CLAIM("5.2.1-1", "we know our assets", "Ada", "2024-12-31");
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    TUT_AUTO(tut_assessment) a = evaluate(T0);
    const tut_control *c = control(a, "5.2.1-1");
    assert_int_equal(c->verdict, TUT_CONTROL_MET); /* judged like any other */
    assert_non_null(strstr(c->reasons[0], "applies to every AI system"));
}

static void a_claim_without_a_name_is_refused(void **state)
{
    (void)state;
    extra_yaml = CLAIM("5.2.4-1.2", "nothing is given to others", "TODO", "2024-12-31");
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    expect(T0, "5.2.4-1.2", TUT_CONTROL_NOT_CHECKED);
}

static void an_altered_body_voids_its_record_and_is_an_f(void **state)
{
    (void)state;
    tut_sha256 system = describe(T0);
    inventory(T0, system, TUT_RESULT_PASS);
    tut_sha256 body = inventory_body("declared", 'b');
    char hex[TUT_SHA256_HEX];
    char path[200];
    tut_sha256_hex(&body, hex);
    snprintf(path, sizeof(path), "%s/bodies/%s", dir, hex);
    assert_true(tut_is_ok(tut_fs_write(path, tut_span_of("{}", 2), 0600, NULL)));
    TUT_AUTO(tut_assessment) a = evaluate(T0);
    assert_int_equal(control(a, "5.2.1-1")->verdict, TUT_CONTROL_NOT_CHECKED);
    assert_int_equal(a->grade, 'F');
    assert_int_equal(unlink(path), 0);
    expect(T0, "5.2.1-1", TUT_CONTROL_NOT_CHECKED);
}

static void evaluation_before_a_record_does_not_see_it(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    expect(T0 - 1, "5.2.1-1", TUT_CONTROL_NOT_CHECKED);
}

static void a_time_in_the_future_is_refused(void **state)
{
    (void)state;
    tut_assessment *a = NULL;
    assert_int_equal(tut_assess_evaluate(".", dir, tut_time_now() + 1000, &a, NULL).code,
                     TUT_USAGE);
    assert_null(a);
}

static void the_same_records_give_the_same_bytes(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    scan(T0, "model/a", 'a', TUT_RESULT_FAIL, TUT_METHOD_TEST);
    setenv("SOURCE_DATE_EPOCH", "1700000001", 1);
    TUT_CLEAN(tut_buf) first = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) second = TUT_BUF_INIT;
    TUT_AUTO(tut_assessment) a = evaluate(T0);
    TUT_AUTO(tut_assessment) b = evaluate(T0);
    unsetenv("SOURCE_DATE_EPOCH");
    assert_true(tut_is_ok(tut_report_json(a, &first, NULL)));
    assert_true(tut_is_ok(tut_report_json(b, &second, NULL)));
    assert_true(tut_str_eq(tut_buf_str(&first), tut_buf_str(&second)));
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    scan(T0, "model/a", 'a', TUT_RESULT_FAIL, TUT_METHOD_TEST);
    tut_assessment_free(evaluate(T0)); /* what is parsed once and kept is not part of it */
    for (uint64_t n = 1; n < 20000; n += 1 + n / 50) {
        tut_assessment *a = NULL;
        tut_alloc_fail_after(n);
        tut_status s = tut_assess_evaluate(".", dir, T0, &a, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(s)) {
            tut_assessment_free(a);
            return;
        }
        assert_null(a);
    }
    fail_msg("evaluation never succeeded");
}

/* What a gate asks before anything is loaded. */
static void only_what_is_known_and_of_the_house_is_cleared_without_due_diligence(void **state)
{
    (void)state;
    const char *why = NULL;
    inventory(T0, describe(T0), TUT_RESULT_PASS);
    TUT_AUTO(tut_assessment) a = evaluate(T0);
    assert_false(tut_assessment_clears(a, "model/a", &why));
    assert_string_equal(why, "there is no due diligence on it");
    assert_true(tut_assessment_clears(a, "model/b", &why));
    assert_false(tut_assessment_clears(a, "model/c", &why));
    assert_string_equal(why, "no such asset is known");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_recorded_is_not_checked_and_says_so),
        CASE(a_complete_inventory_meets_5_2_1_1),
        CASE(an_undeclared_missing_or_changed_asset_is_not_met),
        CASE(old_evidence_is_stale_and_names_the_command),
        CASE(only_what_is_known_and_of_the_house_is_cleared_without_due_diligence),
        CASE(evidence_ends_at_its_own_expiry),
        CASE(a_policy_may_only_tighten_the_greatest_age),
        CASE(evidence_about_another_description_does_not_count),
        CASE(a_failing_scan_is_not_met_and_a_passing_one_partly),
        CASE(a_later_record_replaces_an_earlier_one),
        CASE(a_scan_of_another_digest_does_not_count),
        CASE(what_does_not_apply_is_left_out_and_stands_for_nothing),
        CASE(an_unknown_origin_counts_as_from_outside),
        CASE(a_check_that_could_not_finish_is_not_checked),
        CASE(a_hand_made_record_never_satisfies_a_test),
        CASE(a_hand_made_record_cannot_hide_a_failing_test),
        CASE(a_self_declared_document_never_satisfies_an_attested_duty),
        CASE(a_self_declared_document_makes_an_attested_should_partly_until_it_ends),
        CASE(an_empty_scope_is_not_checked),
        CASE(a_sound_claim_is_not_applicable_until_it_ends),
        CASE(a_claim_that_the_inventory_contradicts_is_refused),
        CASE(a_claim_about_a_duty_without_condition_is_refused),
        CASE(a_claim_without_a_name_is_refused),
        CASE(an_altered_body_voids_its_record_and_is_an_f),
        CASE(evaluation_before_a_record_does_not_see_it),
        CASE(a_time_in_the_future_is_refused),
        CASE(the_same_records_give_the_same_bytes),
        CASE(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
