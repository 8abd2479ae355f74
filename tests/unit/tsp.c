/* RFC 3161: a granted token over these bytes by a trusted authority at a time when its chain was
 * valid, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "crypto/tsp.h"
#include "unit/tsa.h"

enum { FROM = 1700000000, AT = 1700100000, TO = 1700200000 };

static tsa_identity root, tsa, stranger_root, stranger;
static tut_tsp_trust *trust;
static const char message[] = "example.com/log\n1\nAAAA\n";

static tut_tsp_trust *trust_of(const tsa_identity *a)
{
    TUT_CLEAN(tut_buf) pem = TUT_BUF_INIT;
    tut_tsp_trust *t = NULL;
    tsa_pem(a->cert, &pem);
    assert_true(tut_is_ok(tut_tsp_trust_from_pem(tut_buf_span(&pem), &t, NULL)));
    return t;
}

static int setup(void **state)
{
    (void)state;
    root = tsa_identity_new("Root", NULL, NULL, FROM, TO);
    tsa = tsa_identity_new("Authority", &root, "critical,timeStamping", FROM, TO);
    stranger_root = tsa_identity_new("Root", NULL, NULL, FROM, TO);
    stranger = tsa_identity_new("Authority", &stranger_root, "critical,timeStamping", FROM, TO);
    trust = trust_of(&root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tut_tsp_trust_free(trust);
    tsa_identity_done(&root);
    tsa_identity_done(&tsa);
    tsa_identity_done(&stranger_root);
    tsa_identity_done(&stranger);
    return 0;
}

static tut_span the_message(void)
{
    return tut_span_of(message, sizeof(message) - 1);
}

static void ask(tut_buf *request)
{
    tut_sha256 imprint;
    assert_true(tut_is_ok(tut_sha256_of(the_message(), &imprint, NULL)));
    tut_error err = {0};
    if (!tut_is_ok(tut_tsp_request(&imprint, request, &err)))
        fail_msg("%s", err.text);
}

static tut_code verify(const tut_buf *response, const tut_buf *request, tut_span bytes,
                       const tut_tsp_trust *by, tut_tsp_token *ret, tut_error *err)
{
    tut_tsp_token token;
    return tut_tsp_verify(tut_buf_span(response), request ? tut_buf_span(request) : (tut_span){0},
                          bytes, by, ret ? ret : &token, err)
        .code;
}

static void a_granted_token_proves_its_time(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    tut_tsp_token token;
    tut_error err = {0};
    ask(&request);
    tsa_answer(&tsa, &request, AT, &response);
    if (verify(&response, &request, the_message(), trust, &token, &err) != TUT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(token.at, AT);
    assert_true(token.is_trusted);
    assert_string_equal(token.policy, "1.2.3.4.5");
    assert_string_equal(token.serial, "1267");
    assert_string_equal(token.authority, "/CN=Authority");
    /* without the request, and without trust */
    assert_int_equal(verify(&response, NULL, the_message(), trust, NULL, NULL), TUT_OK);
    assert_int_equal(verify(&response, &request, the_message(), NULL, &token, NULL), TUT_OK);
    assert_false(token.is_trusted);
}

static void requests_differ_by_their_nonce(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) one = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) two = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    tut_error err = {0};
    ask(&one);
    ask(&two);
    tsa_answer(&tsa, &one, AT, &response);
    assert_int_equal(verify(&response, &two, the_message(), trust, NULL, &err), TUT_CRYPTO);
    assert_non_null(strstr(err.text, "nonce"));
}

static void other_bytes_are_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    ask(&request);
    tsa_answer(&tsa, &request, AT, &response);
    for (size_t i = 0; i + 1 < sizeof(message); i++) {
        char other[sizeof(message)];
        memcpy(other, message, sizeof(message));
        other[i] ^= 1;
        assert_int_equal(
            verify(&response, &request, tut_span_of(other, sizeof(message) - 1), trust, NULL, NULL),
            TUT_CRYPTO);
    }
}

static void a_stranger_is_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    ask(&request);
    tsa_answer(&stranger, &request, AT, &response);
    assert_int_equal(verify(&response, &request, the_message(), trust, NULL, NULL), TUT_CRYPTO);
    tut_tsp_trust *theirs = trust_of(&stranger_root);
    assert_int_equal(verify(&response, &request, the_message(), theirs, NULL, NULL), TUT_OK);
    tut_tsp_trust_free(theirs);
}

static void the_chain_counts_at_the_tokens_time(void **state)
{
    (void)state;
    const time_t outside[] = {FROM - 10, TO + 10};
    for (size_t i = 0; i < 2; i++) {
        TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
        tut_error err = {0};
        ask(&request);
        tsa_answer(&tsa, &request, outside[i], &response);
        assert_int_equal(verify(&response, &request, the_message(), trust, NULL, &err), TUT_CRYPTO);
    }
}

static void a_certificate_for_something_else_is_refused(void **state)
{
    (void)state;
    static const char *const usages[] = {"timeStamping", "critical,timeStamping,codeSigning",
                                         "critical,codeSigning", ""};
    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
        tut_error err = {0};
        tsa_identity other = tsa_identity_new("Other", &root, "critical,timeStamping", FROM, TO);
        ask(&request);
        tsa_answer_as(&other, &root, usages[i], &request, AT, &response);
        assert_int_equal(verify(&response, &request, the_message(), trust, NULL, &err), TUT_CRYPTO);
        assert_non_null(strstr(err.text, "certificate verify error"));
        assert_non_null(strstr(err.text, "purpose"));
        tsa_identity_done(&other);
    }
}

static void request_with(const char *digest, tut_buf *out)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    size_t len;
    const EVP_MD *md = EVP_get_digestbyname(digest);
    TS_REQ *req = TS_REQ_new();
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    assert_int_equal(EVP_Q_digest(NULL, digest, NULL, message, sizeof(message) - 1, bytes, &len),
                     1);
    X509_ALGOR_set0(algorithm, OBJ_nid2obj(EVP_MD_get_type(md)), V_ASN1_NULL, NULL);
    TS_MSG_IMPRINT_set_algo(imprint, algorithm);
    TS_MSG_IMPRINT_set_msg(imprint, bytes, (int)len);
    TS_REQ_set_version(req, 1);
    TS_REQ_set_cert_req(req, 1);
    TS_REQ_set_msg_imprint(req, imprint);
    unsigned char *der = NULL;
    int der_len = i2d_TS_REQ(req, &der);
    tut_buf_add(out, der, (size_t)der_len);
    OPENSSL_free(der);
    X509_ALGOR_free(algorithm);
    TS_MSG_IMPRINT_free(imprint);
    TS_REQ_free(req);
}

static void weak_digests_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *digest;
        tut_code code;
    } cases[] = {{"SHA256", TUT_OK},        {"SHA384", TUT_OK},       {"SHA512", TUT_OK},
                 {"SHA1", TUT_UNSUPPORTED}, {"MD5", TUT_UNSUPPORTED}, {"SHA224", TUT_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
        tut_error err = {0};
        request_with(cases[i].digest, &request);
        tsa_answer(&tsa, &request, AT, &response);
        if (verify(&response, &request, the_message(), trust, NULL, &err) != cases[i].code)
            fail_msg("%s: %s", cases[i].digest, err.text);
    }
}

static void a_refusal_says_why(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) garbage = TUT_BUF_INIT;
    tut_error err = {0};
    tut_buf_add_z(&garbage, "no request");
    tsa_answer(&tsa, &garbage, AT, &response);
    assert_int_equal(verify(&response, NULL, the_message(), trust, NULL, &err), TUT_DENIED);
    assert_non_null(strstr(err.text, "refused"));
}

static void every_cut_and_flip_is_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    ask(&request);
    tsa_answer(&tsa, &request, AT, &response);
    size_t len = response.len;
    for (size_t n = 0; n < len; n++) {
        response.len = n;
        assert_int_not_equal(verify(&response, &request, the_message(), trust, NULL, NULL), TUT_OK);
    }
    response.len = len;
    size_t changed_nothing = 0;
    for (size_t i = 0; i < len; i++) {
        tut_tsp_token token;
        response.data[i] ^= 0x10;
        if (verify(&response, &request, the_message(), trust, &token, NULL) == TUT_OK) {
            /* Bits outside what is signed (the status, encodings of the envelope, certificates that
             * nobody needs) may change; what is said may not. */
            changed_nothing++;
            assert_int_equal(token.at, AT);
            assert_string_equal(token.serial, "1267");
        }
        response.data[i] ^= 0x10;
    }
    assert_true(changed_nothing < len / 20);
    tut_buf_add_byte(&response, 0);
    assert_int_equal(verify(&response, &request, the_message(), trust, NULL, NULL), TUT_MALFORMED);
}

static void trust_needs_a_certificate(void **state)
{
    (void)state;
    tut_tsp_trust *t = NULL;
    tut_error err = {0};
    assert_int_equal(tut_tsp_trust_from_pem(tut_span_of("", 0), &t, &err).code, TUT_MALFORMED);
    static const char torn[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_int_equal(tut_tsp_trust_from_pem(tut_span_of(torn, sizeof(torn) - 1), &t, &err).code,
                     TUT_MALFORMED);
    assert_int_equal(tut_tsp_trust_from_chain(NULL, 0, &t, &err).code, TUT_MALFORMED);
    assert_null(t);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) pem = TUT_BUF_INIT;
    tsa_pem(root.cert, &pem);
    for (uint64_t n = 1; n < 20; n++) {
        tut_tsp_trust *t = NULL;
        tut_alloc_fail_after(n);
        tut_status s = tut_tsp_trust_from_pem(tut_buf_span(&pem), &t, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(s)) {
            tut_tsp_trust_free(t);
            assert_true(n > 1);
            return;
        }
        assert_int_equal(s.code, TUT_NOMEM);
        assert_null(t);
    }
    fail_msg("never enough memory");
}

/* test_tsp --seeds DIR: for tests/fuzz/tsp.c. */
static int write_seeds(const char *dir)
{
    for (int i = 0; i < 3; i++) {
        TUT_CLEAN(tut_buf) pem = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) seed = TUT_BUF_INIT;
        static const char *const names[] = {"granted", "stranger", "refused"};
        char path[512];
        tsa_pem(root.cert, &pem);
        ask(&request);
        if (i == 2)
            request.data[0] ^= 1;
        tsa_answer(i == 1 ? &stranger : &tsa, &request, AT, &response);
        tut_buf_add_sized(&seed, tut_buf_str(&pem));
        tut_buf_add_sized(&seed, tut_buf_str(&request));
        tut_buf_add(&seed, response.data, response.len);
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        if (!tut_is_ok(tut_fs_write(path, tut_buf_span(&seed), 0644, NULL)))
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        setup(NULL);
        int failed = write_seeds(argv[2]);
        teardown(NULL);
        return failed;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_granted_token_proves_its_time),
        cmocka_unit_test(requests_differ_by_their_nonce),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(a_stranger_is_refused),
        cmocka_unit_test(the_chain_counts_at_the_tokens_time),
        cmocka_unit_test(a_certificate_for_something_else_is_refused),
        cmocka_unit_test(weak_digests_are_refused),
        cmocka_unit_test(a_refusal_says_why),
        cmocka_unit_test(every_cut_and_flip_is_refused),
        cmocka_unit_test(trust_needs_a_certificate),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
