/* Examination of one file: what its name promises, what stops it, what lies inside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "scan/exam.h"

static void examine(const char *rel, const void *data, size_t len, tut_file_report *ret)
{
    tut_source bytes = tut_source_memory(tut_span_of(data, len));
    tut_exam_request request = {.content = true, .rel = tut_str_of(rel)};
    *ret = (tut_file_report){0};
    assert_true(tut_is_ok(tut_exam_file(NULL, &bytes, &request, ret, NULL)));
}

static const tut_finding *find(const tut_file_report *r, const char *rule)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        if (strcmp(r->findings[i].rule->id, rule) == 0)
            return &r->findings[i];
    }
    return NULL;
}

/* pickle.dumps({'a': 1}, 2) and pickle.dumps of an object that reduces to os.system, 2 */
static const char harmless[] = "\x80\x02}q\0X\x01\0\0\0aq\x01K\x01s.";
static const char shell[] = "\x80\x02"
                            "cposix\nsystem\nq\0X\x02\0\0\0idq\x01\x85q\x02Rq\x03.";
#define BYTES(literal) literal, sizeof(literal) - 1

static void a_harmless_pickle_is_clean_and_hashed(void **state)
{
    (void)state;
    tut_file_report r;
    examine("m/a.pkl", BYTES(harmless), &r);
    assert_int_equal(r.status, TUT_SCAN_COMPLETE);
    assert_int_equal(r.finding_count, 0);
    assert_string_equal(r.format->name, "pickle");
    assert_true(r.has_digest && r.is_content && r.has_model);
    tut_sha256 digest;
    assert_true(
        tut_is_ok(tut_sha256_of(tut_span_of(harmless, sizeof(harmless) - 1), &digest, NULL)));
    assert_true(tut_sha256_eq(&digest, &r.digest));
    tut_file_report_done(&r);
}

static void structure_leaves_the_digest_out(void **state)
{
    (void)state;
    tut_source bytes = tut_source_memory(tut_span_of(BYTES(harmless)));
    tut_exam_request request = {.content = false, .rel = TUT_LIT("a.pkl")};
    tut_file_report r = {0};
    assert_true(tut_is_ok(tut_exam_file(NULL, &bytes, &request, &r, NULL)));
    assert_false(r.has_digest);
    assert_false(r.is_content);
    tut_file_report_done(&r);
}

static void a_call_is_one_critical_finding_at_its_place(void **state)
{
    (void)state;
    tut_file_report r;
    examine("m/a.pkl", BYTES(shell), &r);
    assert_int_equal(tut_file_verdict(&r), TUT_VERDICT_MALICIOUS);
    assert_int_equal(r.finding_count, 1); /* the import is part of the call */
    assert_string_equal(r.findings[0].rule->id, "pickle.call-on-load");
    assert_string_equal(r.findings[0].location, "m/a.pkl");
    assert_string_equal(r.findings[0].message, "posix.system('id'), through REDUCE");
    tut_file_report_done(&r);
}

static void facts_only_applies_no_rules(void **state)
{
    (void)state;
    tut_source bytes = tut_source_memory(tut_span_of(BYTES(shell)));
    tut_exam_request request = {.content = true, .facts_only = true, .rel = TUT_LIT("a.pkl")};
    tut_file_report r = {0};
    assert_true(tut_is_ok(tut_exam_file(NULL, &bytes, &request, &r, NULL)));
    assert_int_equal(r.finding_count, 0);
    assert_true(r.fact_count > 0);
    tut_file_report_done(&r);
}

/* Cut anywhere: what was seen before stays, and the report says that it is not whole. */
static void a_cut_pickle_is_never_complete_nor_clean(void **state)
{
    (void)state;
    for (size_t len = 3; len < sizeof(shell) - 2; len++) {
        tut_file_report r;
        examine("a.pkl", shell, len, &r);
        assert_int_not_equal(r.status, TUT_SCAN_COMPLETE);
        if (tut_file_verdict(&r) == TUT_VERDICT_CLEAN)
            fail_msg("cut to %zu bytes it is said to be clean", len);
        tut_file_report_done(&r);
    }
}

static void no_length_and_no_bit_breaks_the_examination(void **state)
{
    (void)state;
    uint8_t copy[sizeof(shell)];
    for (size_t bit = 0; bit < (sizeof(shell) - 1) * 8; bit++) {
        tut_file_report r;
        memcpy(copy, shell, sizeof(shell));
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        examine("a.pkl", copy, sizeof(shell) - 1, &r);
        tut_file_report_done(&r);
    }
}

static void a_pickle_under_a_harmless_name_is_dangerous(void **state)
{
    (void)state;
    static const char *const names[] = {"a.safetensors", "a.onnx", "a.gguf", "a.json", "a.png"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        tut_file_report r;
        examine(names[i], BYTES(harmless), &r);
        const tut_finding *f = find(&r, "file.extension-mismatch");
        assert_non_null(f);
        assert_int_equal(f->severity, TUT_SEVERITY_HIGH);
        tut_file_report_done(&r);
    }
    static const char *const fine[] = {"a.pkl", "a.pickle", "a.pt",    "a.bin",
                                       "a",     "a.dat",    "a.joblib"};
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        tut_file_report r;
        examine(fine[i], BYTES(harmless), &r);
        assert_null(find(&r, "file.extension-mismatch"));
        tut_file_report_done(&r);
    }
}

static void what_is_not_recognised_is_said_of_model_names_only(void **state)
{
    (void)state;
    static const uint8_t noise[] = {0xc3, 0x01, 0xfe, 0x92, 0x7a, 0x55, 0x10, 0xbb};
    tut_file_report r;
    examine("weights.gguf", noise, sizeof(noise), &r);
    assert_int_equal(r.status, TUT_SCAN_UNSUPPORTED);
    assert_non_null(find(&r, "file.not-recognised"));
    assert_int_equal(tut_file_verdict(&r), TUT_VERDICT_REVIEW);
    tut_file_report_done(&r);
    examine("notes.xyz", noise, sizeof(noise), &r);
    assert_int_equal(r.status, TUT_SCAN_UNSUPPORTED);
    assert_int_equal(r.finding_count, 0);
    tut_file_report_done(&r);
    examine("big.safetensors",
            BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"), &r);
    assert_int_equal(r.status, TUT_SCAN_UNSUPPORTED);
    assert_non_null(find(&r, "file.lfs-pointer"));
    tut_file_report_done(&r);
    examine("paths.pth", BYTES("/opt/lib\n../more\n"), &r);
    assert_int_equal(r.status, TUT_SCAN_UNSUPPORTED);
    assert_int_equal(r.finding_count, 0);
    tut_file_report_done(&r);
    examine("paths.pth", BYTES("import sys; sys.x = 1\n"), &r);
    assert_int_equal(r.status, TUT_SCAN_COMPLETE);
    assert_non_null(find(&r, "code.runs-at-start"));
    tut_file_report_done(&r);
    examine("empty.pt", "", 0, &r);
    assert_int_equal(r.status, TUT_SCAN_UNSUPPORTED);
    assert_string_equal(r.problem, "the file is empty");
    tut_file_report_done(&r);
}

static void names_are_escaped_in_places(void **state)
{
    (void)state;
    tut_file_report r;
    examine("odd\n\x1b[31m.pkl", BYTES(shell), &r);
    assert_int_equal(r.finding_count, 1);
    assert_null(strchr(r.findings[0].location, '\n'));
    assert_null(strchr(r.findings[0].location, 0x1b));
    tut_file_report_done(&r);
}

static void names_promise_formats(void **state)
{
    (void)state;
    bool is_severe;
    const tut_format *pickle = tut_format_by_name("pickle");
    const tut_format *torch = tut_format_by_name("torch-zip");
    const tut_format *gzip = tut_format_by_name("gzip");
    assert_true(tut_name_fits(TUT_LIT("model.PKL"), pickle, &is_severe));
    assert_true(tut_name_fits(TUT_LIT("model.ckpt"), torch, &is_severe));
    assert_true(tut_name_fits(TUT_LIT("model.joblib"), gzip, &is_severe));
    assert_false(tut_name_fits(TUT_LIT("model.onnx"), torch, &is_severe));
    assert_true(is_severe);
    assert_false(tut_name_fits(TUT_LIT("model.onnx"), gzip, &is_severe));
    assert_false(is_severe);
    assert_true(tut_name_is_model(TUT_LIT("a.safetensors")));
    assert_false(tut_name_is_model(TUT_LIT("a.txt")));
    assert_false(tut_name_is_model(TUT_LIT("safetensors")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_harmless_pickle_is_clean_and_hashed),
        cmocka_unit_test(structure_leaves_the_digest_out),
        cmocka_unit_test(a_call_is_one_critical_finding_at_its_place),
        cmocka_unit_test(facts_only_applies_no_rules),
        cmocka_unit_test(a_cut_pickle_is_never_complete_nor_clean),
        cmocka_unit_test(no_length_and_no_bit_breaks_the_examination),
        cmocka_unit_test(a_pickle_under_a_harmless_name_is_dangerous),
        cmocka_unit_test(what_is_not_recognised_is_said_of_model_names_only),
        cmocka_unit_test(names_are_escaped_in_places),
        cmocka_unit_test(names_promise_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
