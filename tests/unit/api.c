/* The public interface as a caller sees it: only include/tutela, linked with the shared library. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tutela/assess.h"
#include "tutela/verify.h"
#include "tutela/version.h"

static void a_planted_call_is_found_through_the_library(void **state)
{
    (void)state;
    const char *paths[] = {"examples/support-assistant/models/reranker.pt"};
    char *json = NULL;
    tutela_error error;
    assert_int_equal(tutela_scan_paths(paths, 1, NULL, &json, &error), TUTELA_OK);
    assert_non_null(strstr(json, "\"schema\":\"tutela.scan/1\""));
    assert_non_null(strstr(json, "\"rule\":\"pickle.call-on-load\""));
    assert_non_null(strstr(json, "\"verdict\":\"malicious\""));
    tutela_free(json);
}

static void structure_only_yields_no_digest(void **state)
{
    (void)state;
    const char *paths[] = {"examples/known-good/reranker.pt"};
    const tutela_scan_options options = {.structure_only = 1};
    char *json = NULL;
    assert_int_equal(tutela_scan_paths(paths, 1, &options, &json, NULL), TUTELA_OK);
    assert_non_null(strstr(json, "\"digest\":null"));
    assert_non_null(strstr(json, "\"verdict\":\"clean\""));
    tutela_free(json);
}

static void an_open_descriptor_is_scanned_and_stays_as_it_was(void **state)
{
    (void)state;
    int fd = open("examples/support-assistant/models/reranker.pt", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
    char *json = NULL;
    assert_int_equal(tutela_scan_descriptor(fd, "reranker.pt", NULL, &json, NULL), TUTELA_OK);
    assert_non_null(strstr(json, "\"path\":\"reranker.pt\""));
    assert_non_null(strstr(json, "\"verdict\":\"malicious\""));
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
    tutela_free(json);
    json = NULL;
    close(fd);
    tutela_error error = {0};
    assert_int_equal(tutela_scan_descriptor(fd, NULL, NULL, &json, &error), TUTELA_IO);
    assert_null(json);
}

static void what_was_read_is_asked_about_with_one_way_to_know_the_signer(void **state)
{
    (void)state;
    tutela_loaded what = {.path = "examples/known-good/reranker.pt", .sha256 = "00"};
    char *json = NULL;
    int is_valid = 7;
    assert_int_equal(tutela_verify_loaded(&what, &is_valid, &json, NULL), TUTELA_USAGE);
    what.public_key_file = "/nonexistent";
    assert_int_equal(tutela_verify_loaded(&what, &is_valid, &json, NULL), TUTELA_USAGE);
    what.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_int_equal(tutela_verify_loaded(&what, &is_valid, &json, NULL), TUTELA_IO);
    what.system = "examples/support-assistant";
    assert_int_equal(tutela_verify_loaded(&what, &is_valid, &json, NULL), TUTELA_USAGE);
    assert_int_equal(is_valid, 7);
    assert_null(json);
}

static void errors_carry_code_and_words(void **state)
{
    (void)state;
    char *json = NULL;
    tutela_error error = {0};
    int code = tutela_assess("/nonexistent", &json, &error);
    assert_int_not_equal(code, TUTELA_OK);
    assert_int_equal(code, error.code);
    assert_true(strlen(error.text) > 0);
    assert_int_equal(
        tutela_evaluate("examples/support-assistant", "2999-01-01T00:00:00Z", &json, &error),
        TUTELA_USAGE);
    assert_int_equal(tutela_evaluate("examples/support-assistant", "yesterday", &json, &error),
                     TUTELA_USAGE);
    assert_null(json);
    assert_string_equal(tutela_code_name(TUTELA_TRUNCATED), "TRUNCATED");
    assert_string_equal(tutela_code_name(12345), "BUG");
    tutela_free(NULL);
}

/* Made by: openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout */
static const char public_key[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXKI46L2d5Hc+wDIpared+tVGat+L\n"
    "3TbSL2eQ92zWbwHvUwZBc/OY/fzyHVob/lQiYIkdHKYUPzv+rPx+L0Jo/A==\n"
    "-----END PUBLIC KEY-----\n";

static void what_is_not_signed_is_not_valid_through_the_library(void **state)
{
    (void)state;
    char path[] = "/tmp/tutela-api-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, public_key, sizeof(public_key) - 1), sizeof(public_key) - 1);
    close(fd);
    char *json = NULL;
    int is_valid = 7;
    tutela_error error = {0};
    int code = tutela_verify("examples/known-good/reranker.pt", path, &is_valid, &json, &error);
    unlink(path);
    if (code != TUTELA_OK)
        fail_msg("%s", error.text);
    assert_int_equal(is_valid, 0);
    assert_non_null(strstr(json, "\"schema\":\"tutela.verify/1\""));
    assert_non_null(strstr(json, "\"verdict\":\"unsigned\""));
    tutela_free(json);
    json = NULL;
    assert_int_not_equal(
        tutela_verify("examples/known-good/reranker.pt", "/nonexistent", &is_valid, &json, &error),
        TUTELA_OK);
    assert_int_not_equal(tutela_verify_policy("/nonexistent", NULL, 0, &is_valid, &json, &error),
                         TUTELA_OK);
    assert_null(json);
}

static void the_version_is_three_numbers(void **state)
{
    (void)state;
    unsigned a, b, c;
    char rest;
    assert_int_equal(sscanf(tutela_version(), "%u.%u.%u%c", &a, &b, &c, &rest), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_call_is_found_through_the_library),
        cmocka_unit_test(structure_only_yields_no_digest),
        cmocka_unit_test(an_open_descriptor_is_scanned_and_stays_as_it_was),
        cmocka_unit_test(what_was_read_is_asked_about_with_one_way_to_know_the_signer),
        cmocka_unit_test(errors_carry_code_and_words),
        cmocka_unit_test(what_is_not_signed_is_not_valid_through_the_library),
        cmocka_unit_test(the_version_is_three_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
