/* Reports: folding, the limit on findings, and the way from the worker to its parent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "scan/report.h"

static void add(tut_file_report *r, const char *rule, int severity, const char *message,
                uint64_t offset)
{
    tut_finding_seed seed = {.rule = rule,
                             .severity = severity,
                             .message = tut_str_of(message),
                             .location = TUT_LIT("x.pt!/data.pkl"),
                             .offset = offset};
    assert_true(tut_is_ok(tut_report_add(r, &seed)));
}

static void add_subject(tut_file_report *r, const char *rule, int severity, uint64_t subject,
                        uint8_t rank)
{
    tut_finding_seed seed = {.rule = rule,
                             .severity = severity,
                             .message = TUT_LIT("seen"),
                             .location = TUT_LIT("x.pkl"),
                             .offset = 1,
                             .subject = subject,
                             .rank = rank};
    assert_true(tut_is_ok(tut_report_add(r, &seed)));
}

/* A report with everything in it. */
static void fill(tut_file_report *r)
{
    *r = (tut_file_report){.size = 1234567,
                           .has_digest = true,
                           .is_content = true,
                           .has_model = true,
                           .status = TUT_SCAN_INCOMPLETE};
    for (size_t i = 0; i < sizeof(r->digest.bytes); i++)
        r->digest.bytes[i] = (uint8_t)(i * 7);
    r->format = tut_formats[0];
    r->problem = tut_strdup("the data ends inside BINUNICODE");
    add(r, "file.truncated", -1, "ends early", 99);
    add(r, "pickle.call-on-load", -1, "posix.system('id'), through REDUCE", 0x12f);
    add(r, "file.malformed", -1, "", TUT_NO_OFFSET);
    assert_true(tut_is_ok(tut_report_fact(r, "pickle.protocol", TUT_LIT("4"))));
    assert_true(tut_is_ok(tut_report_fact(r, "torch.storages", TUT_LIT(""))));
    tut_package p = {.type = tut_package_types[1],
                     .name = TUT_LIT("@a/b"),
                     .version = TUT_LIT("1.2.3"),
                     .digest = TUT_LIT("sha512-AAAA"),
                     .digests = 1};
    assert_true(tut_is_ok(tut_report_package(r, &p)));
    p = (tut_package){.type = tut_package_types[0], .name = TUT_LIT("numpy"), .digests = 3};
    assert_true(tut_is_ok(tut_report_package(r, &p)));
    r->packages_dropped = 7;
    tut_report_sort(r);
}

static void assert_same(const tut_file_report *a, const tut_file_report *b)
{
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->has_digest, b->has_digest);
    assert_int_equal(a->is_content, b->is_content);
    assert_int_equal(a->has_model, b->has_model);
    assert_true(tut_sha256_eq(&a->digest, &b->digest));
    assert_ptr_equal(a->format, b->format);
    assert_string_equal(a->problem, b->problem);
    assert_int_equal(a->finding_count, b->finding_count);
    for (size_t i = 0; i < a->finding_count; i++) {
        assert_ptr_equal(a->findings[i].rule, b->findings[i].rule);
        assert_int_equal(a->findings[i].severity, b->findings[i].severity);
        assert_string_equal(a->findings[i].message, b->findings[i].message);
        assert_string_equal(a->findings[i].location, b->findings[i].location);
        assert_int_equal(a->findings[i].offset, b->findings[i].offset);
        assert_int_equal(a->findings[i].times, b->findings[i].times);
    }
    assert_int_equal(a->fact_count, b->fact_count);
    for (size_t i = 0; i < a->fact_count; i++) {
        assert_string_equal(a->facts[i].key, b->facts[i].key);
        assert_string_equal(a->facts[i].value, b->facts[i].value);
    }
    assert_int_equal(a->packages_dropped, b->packages_dropped);
    assert_int_equal(a->package_count, b->package_count);
    for (size_t i = 0; i < a->package_count; i++) {
        assert_string_equal(a->packages[i].type, b->packages[i].type);
        assert_string_equal(a->packages[i].name, b->packages[i].name);
        assert_string_equal(a->packages[i].version, b->packages[i].version);
        assert_string_equal(a->packages[i].digest, b->packages[i].digest);
        assert_int_equal(a->packages[i].digests, b->packages[i].digests);
    }
}

static void a_report_survives_the_journey(void **state)
{
    (void)state;
    tut_file_report sent, got = {0};
    TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
    fill(&sent);
    tut_report_encode(&sent, &wire);
    assert_true(tut_is_ok(tut_report_decode(tut_buf_span(&wire), &got, NULL)));
    assert_same(&sent, &got);
    tut_file_report_done(&sent);
    tut_file_report_done(&got);
}

static void a_cut_reply_is_refused_at_every_byte(void **state)
{
    (void)state;
    tut_file_report sent;
    TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
    fill(&sent);
    tut_report_encode(&sent, &wire);
    for (size_t len = 0; len < wire.len; len++) {
        tut_file_report got = {0};
        uint8_t *copy = malloc(len ? len : 1); /* exactly as long, so that a sanitizer sees more */
        memcpy(copy, wire.data, len);
        assert_false(tut_is_ok(tut_report_decode(tut_span_of(copy, len), &got, NULL)));
        tut_file_report_done(&got);
        free(copy);
    }
    tut_file_report_done(&sent);
}

static void a_flipped_bit_never_breaks_the_parent(void **state)
{
    (void)state;
    tut_file_report sent;
    TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
    fill(&sent);
    tut_report_encode(&sent, &wire);
    for (size_t bit = 0; bit < wire.len * 8; bit++) {
        tut_file_report got = {0};
        wire.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (tut_is_ok(tut_report_decode(tut_buf_span(&wire), &got, NULL))) {
            /* What was taken is sound: text without controls, rules of the table. */
            for (size_t i = 0; i < got.finding_count; i++) {
                assert_non_null(got.findings[i].rule);
                assert_true(tut_utf8_valid(tut_str_of(got.findings[i].message)));
                assert_true(got.findings[i].severity < TUT_SEVERITY_COUNT);
            }
        }
        wire.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        tut_file_report_done(&got);
    }
    tut_file_report_done(&sent);
}

static void a_reply_with_more_behind_it_is_refused(void **state)
{
    (void)state;
    tut_file_report sent, got = {0};
    TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
    fill(&sent);
    tut_report_encode(&sent, &wire);
    tut_buf_add_byte(&wire, 0);
    assert_int_equal(tut_report_decode(tut_buf_span(&wire), &got, NULL).code, TUT_MALFORMED);
    tut_file_report_done(&sent);
    tut_file_report_done(&got);
}

static void control_characters_in_a_reply_are_refused(void **state)
{
    (void)state;
    tut_file_report sent = {0}, got = {0};
    TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
    add(&sent, "file.truncated", -1, "\x1b[31mred", 0);
    tut_report_encode(&sent, &wire);
    assert_int_equal(tut_report_decode(tut_buf_span(&wire), &got, NULL).code, TUT_MALFORMED);
    tut_file_report_done(&sent);
    tut_file_report_done(&got);
}

static void the_same_observation_is_counted_not_repeated(void **state)
{
    (void)state;
    tut_file_report r = {0};
    for (int i = 0; i < 5; i++)
        add(&r, "file.malformed", -1, "first", (uint64_t)i);
    assert_int_equal(r.finding_count, 1);
    assert_int_equal(r.findings[0].times, 5);
    assert_int_equal(r.findings[0].offset, 0);
    tut_file_report_done(&r);
}

static void of_one_subject_the_worst_reading_stays(void **state)
{
    (void)state;
    tut_file_report r = {0};
    add_subject(&r, "pickle.import-dangerous", -1, 7, 0);
    add_subject(&r, "pickle.call-on-load", -1, 7, 2);
    add_subject(&r, "pickle.build-unlisted", -1, 7, 1);
    assert_int_equal(r.finding_count, 1);
    assert_string_equal(r.findings[0].rule->id, "pickle.call-on-load");
    assert_int_equal(r.findings[0].times, 1);
    add_subject(&r, "pickle.call-on-load", -1, 8, 2);
    assert_int_equal(r.finding_count, 2);
    tut_file_report_done(&r);
}

static void too_many_findings_never_lose_the_worst(void **state)
{
    (void)state;
    tut_file_report r = {0};
    for (unsigned i = 0; i < TUT_LIMIT_FINDINGS + 50; i++)
        add_subject(&r, "pickle.unlisted-name", -1, 100 + i, 0);
    assert_int_equal(r.finding_count, TUT_LIMIT_FINDINGS);
    assert_int_equal(r.findings_dropped, 50);
    add_subject(&r, "pickle.call-on-load", -1, 7, 2);
    assert_int_equal(r.finding_count, TUT_LIMIT_FINDINGS);
    assert_int_equal(tut_file_verdict(&r), TUT_VERDICT_MALICIOUS);
    tut_report_sort(&r);
    assert_string_equal(r.findings[0].rule->id, "pickle.call-on-load");
    tut_file_report_done(&r);
}

static void a_rule_that_is_not_there_is_not_dropped(void **state)
{
    (void)state;
    tut_file_report r = {0};
    add(&r, "made.up-rule", -1, "something", 0);
    assert_int_equal(r.finding_count, 1);
    assert_int_equal(tut_file_verdict(&r), TUT_VERDICT_DANGEROUS);
    tut_file_report_done(&r);
}

static void a_status_only_gets_worse(void **state)
{
    (void)state;
    tut_file_report r = {0};
    assert_true(tut_is_ok(tut_report_spoil(&r, TUT_SCAN_ERROR, "first")));
    assert_true(tut_is_ok(tut_report_spoil(&r, TUT_SCAN_INCOMPLETE, "second")));
    assert_int_equal(r.status, TUT_SCAN_ERROR);
    assert_string_equal(r.problem, "first");
    tut_file_report_done(&r);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    tut_file_report sent;
    TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
    fill(&sent);
    tut_report_encode(&sent, &wire);
    for (uint64_t n = 1; n < 40; n++) {
        tut_file_report got = {0};
        tut_alloc_fail_after(n);
        tut_status status = tut_report_decode(tut_buf_span(&wire), &got, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status))
            assert_same(&sent, &got);
        else
            assert_int_equal(status.code, TUT_NOMEM);
        tut_file_report_done(&got);
    }
    tut_file_report_done(&sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_survives_the_journey),
        cmocka_unit_test(a_cut_reply_is_refused_at_every_byte),
        cmocka_unit_test(a_flipped_bit_never_breaks_the_parent),
        cmocka_unit_test(a_reply_with_more_behind_it_is_refused),
        cmocka_unit_test(control_characters_in_a_reply_are_refused),
        cmocka_unit_test(the_same_observation_is_counted_not_repeated),
        cmocka_unit_test(of_one_subject_the_worst_reading_stays),
        cmocka_unit_test(too_many_findings_never_lose_the_worst),
        cmocka_unit_test(a_rule_that_is_not_there_is_not_dropped),
        cmocka_unit_test(a_status_only_gets_worse),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
