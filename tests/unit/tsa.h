/* For tests: certificates made on the spot, and a time-stamp authority with a clock of its own. */
#ifndef TUT_TESTS_TSA_H
#define TUT_TESTS_TSA_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include "base/buf.h"

typedef struct tsa_identity {
    EVP_PKEY *key;
    X509 *cert;
} tsa_identity;

static void tsa_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

/* usage: the extended key usage in OpenSSL's words, or NULL for a certificate authority. */
static tsa_identity tsa_identity_new(const char *name, const tsa_identity *issuer,
                                     const char *usage, time_t from, time_t to)
{
    static long serial = 1;
    tsa_identity id = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
    assert_non_null(id.key);
    X509_set_version(id.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++);
    ASN1_TIME_set(X509_getm_notBefore(id.cert), from);
    ASN1_TIME_set(X509_getm_notAfter(id.cert), to);
    X509_NAME *subject = X509_NAME_new();
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_subject_name(id.cert, subject);
    X509_set_issuer_name(id.cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
    X509_NAME_free(subject);
    X509_set_pubkey(id.cert, id.key);
    X509 *signer = issuer ? issuer->cert : id.cert;
    tsa_extend(id.cert, signer, NID_basic_constraints,
               usage ? "critical,CA:FALSE" : "critical,CA:TRUE");
    tsa_extend(id.cert, signer, NID_subject_key_identifier, "hash");
    if (issuer)
        tsa_extend(id.cert, signer, NID_authority_key_identifier, "keyid");
    tsa_extend(id.cert, signer, NID_key_usage,
               usage ? "critical,digitalSignature" : "critical,keyCertSign,cRLSign");
    if (usage && usage[0])
        tsa_extend(id.cert, signer, NID_ext_key_usage, usage);
    assert_true(X509_sign(id.cert, issuer ? issuer->key : id.key, EVP_sha256()) > 0);
    return id;
}

static void tsa_identity_done(tsa_identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
    *id = (tsa_identity){0};
}

static inline void tsa_der(const X509 *cert, tut_buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    assert_true(len > 0);
    tut_buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
}

static void tsa_pem(X509 *cert, tut_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    tut_buf_add(out, text, (size_t)len);
    BIO_free(bio);
}

static ASN1_INTEGER *tsa_serial(TS_RESP_CTX *ctx, void *data)
{
    (void)ctx;
    (void)data;
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    ASN1_INTEGER_set(n, 4711);
    return n;
}

static int tsa_clock(TS_RESP_CTX *ctx, void *data, long *seconds, long *micros)
{
    (void)ctx;
    *seconds = (long)*(time_t *)data;
    *micros = 0;
    return 1;
}

/* OpenSSL issues only with a certificate that may; so it is given one, which then changes under it:
 * the response is signed and carries the certificate as it is now. */
static void tsa_change_usage(const tsa_identity *tsa, const tsa_identity *issuer, const char *usage)
{
    int at = X509_get_ext_by_NID(tsa->cert, NID_ext_key_usage, -1);
    X509_EXTENSION_free(X509_delete_ext(tsa->cert, at));
    if (usage[0])
        tsa_extend(tsa->cert, issuer->cert, NID_ext_key_usage, usage);
    assert_true(X509_sign(tsa->cert, issuer->key, EVP_sha256()) > 0);
}

/* What the authority answers to a request at a time; what is no request is refused. usage: the
 * extended key usage that its certificate has in truth; NULL: the right one. */
static void tsa_answer_as(const tsa_identity *tsa, const tsa_identity *issuer, const char *usage,
                          const tut_buf *request, time_t at, tut_buf *response)
{
    TS_RESP_CTX *ctx = TS_RESP_CTX_new();
    ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4.5", 1);
    TS_RESP_CTX_set_serial_cb(ctx, tsa_serial, NULL);
    TS_RESP_CTX_set_time_cb(ctx, tsa_clock, &at);
    assert_int_equal(TS_RESP_CTX_set_signer_cert(ctx, tsa->cert), 1);
    assert_int_equal(TS_RESP_CTX_set_signer_key(ctx, tsa->key), 1);
    if (usage)
        tsa_change_usage(tsa, issuer, usage);
    TS_RESP_CTX_set_def_policy(ctx, policy);
    const EVP_MD *const mds[] = {EVP_sha256(), EVP_sha384(), EVP_sha512(),
                                 EVP_sha224(), EVP_sha1(),   EVP_md5()};
    for (size_t i = 0; i < sizeof(mds) / sizeof(mds[0]); i++)
        TS_RESP_CTX_add_md(ctx, mds[i]);
    TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256());
    TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256());
    BIO *in = BIO_new_mem_buf(request->data, (int)request->len);
    TS_RESP *resp = TS_RESP_create_response(ctx, in);
    assert_non_null(resp);
    unsigned char *der = NULL;
    int len = i2d_TS_RESP(resp, &der);
    assert_true(len > 0);
    tut_buf_add(response, der, (size_t)len);
    OPENSSL_free(der);
    TS_RESP_free(resp);
    BIO_free(in);
    ASN1_OBJECT_free(policy);
    TS_RESP_CTX_free(ctx);
    ERR_clear_error();
}

static void tsa_answer(const tsa_identity *tsa, const tut_buf *request, time_t at,
                       tut_buf *response)
{
    tsa_answer_as(tsa, NULL, NULL, request, at, response);
}

#endif
