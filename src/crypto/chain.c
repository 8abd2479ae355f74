#include "crypto/chain.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "crypto/openssl.h"

/* 112 bits: RSA from 2048, curves from P-224, no SHA-1 (NIST SP 800-131A). */
enum {
    SECURITY_LEVEL = 2,
    SUBJECT_MAX_BYTES = 2048,
    ROOTS_MAX = 4096 /* the bundles of roots that systems ship hold some hundred */
};

static void x509_auto(X509 **cert)
{
    X509_free(*cert);
}

static void stack_auto(STACK_OF(X509) * *stack)
{
    sk_X509_pop_free(*stack, X509_free);
}

static void store_auto(X509_STORE **store)
{
    X509_STORE_free(*store);
}

static void store_ctx_auto(X509_STORE_CTX **ctx)
{
    X509_STORE_CTX_free(*ctx);
}

static void bio_auto(BIO **bio)
{
    BIO_free(*bio);
}

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

void tut_chain_leaf_done(tut_chain_leaf *leaf)
{
    tut_pubkey_free(leaf->key);
    tut_free(leaf->subject);
    *leaf = (tut_chain_leaf){0};
}

static tut_status parse(tut_span der, X509 **ret_cert, tut_error *err)
{
    const unsigned char *at = der.data;
    X509 *cert = X509_new_ex(tut_openssl(), NULL);
    if (!cert)
        return nomem(err);
    if (der.len > LONG_MAX || !d2i_X509(&cert, &at, (long)der.len)) {
        X509_free(cert); /* NULL after a failure to decode */
        cert = NULL;
    }
    ERR_clear_error();
    if (!cert)
        return tut_fail(err, TUT_MALFORMED, "a certificate is not valid DER");
    if (at != der.data + der.len) {
        X509_free(cert);
        return tut_fail(err, TUT_MALFORMED, "bytes follow a certificate");
    }
    *ret_cert = cert;
    return TUT_SUCCESS;
}

static tut_status add_pem(tut_span pem, STACK_OF(X509) * to, size_t most, tut_error *err)
{
    if (pem.len > INT_MAX)
        return tut_fail(err, TUT_LIMIT, "the file of certificates is too large");
    __attribute__((cleanup(bio_auto))) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (!bio)
        return nomem(err);
    for (;;) {
        X509 *cert = X509_new_ex(tut_openssl(), NULL);
        if (!cert)
            return nomem(err);
        if (!PEM_read_bio_X509(bio, &cert, NULL, NULL)) {
            X509_free(cert); /* NULL after a failure to decode */
            break;
        }
        if ((size_t)sk_X509_num(to) == most || sk_X509_push(to, cert) == 0) {
            X509_free(cert);
            return tut_fail(err, TUT_LIMIT, "more than %zu certificates", most);
        }
    }
    unsigned long why = ERR_peek_last_error();
    ERR_clear_error();
    bool is_end = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
    if (!is_end)
        return tut_fail(err, TUT_MALFORMED, "a certificate in the PEM file is damaged");
    if (sk_X509_num(to) == 0)
        return tut_fail(err, TUT_MALFORMED,
                        "no certificate is there; PEM with BEGIN CERTIFICATE is expected");
    return TUT_SUCCESS;
}

static tut_status to_time(const ASN1_TIME *t, tut_time *ret_time, tut_error *err)
{
    struct tm tm = {0};
    if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
        return tut_fail(err, TUT_MALFORMED, "a certificate has a time that is none");
    *ret_time = timegm(&tm);
    return TUT_SUCCESS;
}

static tut_status subject_of(X509 *cert, char **ret_subject, tut_error *err)
{
    __attribute__((cleanup(bio_auto))) BIO *bio = BIO_new(BIO_s_mem());
    unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, flags) < 0)
        return nomem(err);
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    size_t kept = len < 0 ? 0 : len > SUBJECT_MAX_BYTES ? SUBJECT_MAX_BYTES : (size_t)len;
    char *subject = tut_strndup(kept ? text : "", kept);
    if (!subject)
        return nomem(err);
    *ret_subject = subject;
    return TUT_SUCCESS;
}

static tut_status describe(X509 *cert, tut_span der, tut_chain_leaf *ret_leaf, tut_error *err)
{
    TUT_CLEAN(tut_chain_leaf) leaf = {0};
    unsigned char *spki = NULL;
    int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    if (spki_len <= 0)
        return tut_fail(err, TUT_MALFORMED, "a certificate has no public key that can be read");
    tut_status status = tut_pubkey_from_der(tut_span_of(spki, (size_t)spki_len), &leaf.key, err);
    OPENSSL_free(spki);
    TUT_TRY(status);
    TUT_TRY(subject_of(cert, &leaf.subject, err));
    TUT_TRY(to_time(X509_get0_notBefore(cert), &leaf.not_before, err));
    TUT_TRY(to_time(X509_get0_notAfter(cert), &leaf.not_after, err));
    TUT_TRY(tut_sha256_of(der, &leaf.fingerprint, err));
    *ret_leaf = leaf;
    leaf.key = NULL; /* theirs now */
    leaf.subject = NULL;
    return TUT_SUCCESS;
}

/* X509_get_extension_flags caches; a broken extension makes the whole certificate invalid. */
static tut_status check_usage(X509 *cert, tut_error *err)
{
    uint32_t flags = X509_get_extension_flags(cert);
    if (flags & EXFLAG_INVALID)
        return tut_fail(err, TUT_CRYPTO, "the signing certificate has a damaged extension");
    if (!(flags & (EXFLAG_KUSAGE | EXFLAG_XKUSAGE)))
        return tut_fail(err, TUT_CRYPTO,
                        "the signing certificate says nothing about its use; digitalSignature or "
                        "codeSigning is needed");
    if ((flags & EXFLAG_KUSAGE) && !(X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE))
        return tut_fail(
            err, TUT_CRYPTO,
            "the signing certificate may not sign: its KeyUsage lacks digitalSignature");
    if ((flags & EXFLAG_XKUSAGE) && !(X509_get_extended_key_usage(cert) & XKU_CODE_SIGN))
        return tut_fail(err, TUT_CRYPTO,
                        "the signing certificate may not sign code: its ExtendedKeyUsage lacks "
                        "codeSigning");
    return TUT_SUCCESS;
}

static tut_status refusal(X509_STORE_CTX *ctx, const tut_chain_leaf *leaf, tut_time at,
                          tut_error *err)
{
    int why = X509_STORE_CTX_get_error(ctx);
    int depth = X509_STORE_CTX_get_error_depth(ctx);
    char when[TUT_TIME_TEXT];
    if (depth == 0 && (at > leaf->not_after || at < leaf->not_before)) {
        bool is_over = at > leaf->not_after;
        tut_time_people(is_over ? leaf->not_after : leaf->not_before, when);
        return tut_fail(err, TUT_CRYPTO, "the signing certificate %s %s",
                        is_over ? "expired on" : "is not valid before", when);
    }
    if (why == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
        why == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
        why == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
        why == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
        why == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
        return tut_fail(err, TUT_CRYPTO,
                        "the certificate chain does not lead to one of the given roots");
    return tut_fail(err, TUT_CRYPTO, "the certificate chain is refused: %s%s",
                    X509_verify_cert_error_string(why), depth > 0 ? " (above the leaf)" : "");
}

static tut_status verify_chain(X509 *cert, STACK_OF(X509) * others, STACK_OF(X509) * roots,
                               const tut_chain_leaf *leaf, tut_time at, tut_error *err)
{
    __attribute__((cleanup(store_auto))) X509_STORE *store = X509_STORE_new();
    __attribute__((cleanup(store_ctx_auto)))
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(tut_openssl(), NULL);
    if (!store || !ctx)
        return nomem(err);
    for (int i = 0; i < sk_X509_num(roots); i++) {
        if (X509_STORE_add_cert(store, sk_X509_value(roots, i)) != 1)
            return nomem(err);
    }
    if (X509_STORE_CTX_init(ctx, store, cert, others) != 1)
        return nomem(err);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)at);
    X509_VERIFY_PARAM_set_depth(param, TUT_CHAIN_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    int ok = X509_verify_cert(ctx);
    ERR_clear_error();
    return ok == 1 ? TUT_SUCCESS : refusal(ctx, leaf, at, err);
}

tut_status tut_chain_verify(const tut_span *ders, size_t count, tut_span roots_pem, tut_time at,
                            tut_chain_leaf *ret_leaf, tut_error *err)
{
    if (count == 0)
        return tut_fail(err, TUT_MALFORMED, "the certificate chain is empty");
    if (count > TUT_CHAIN_MAX)
        return tut_fail(err, TUT_LIMIT, "the certificate chain has more than %d certificates",
                        TUT_CHAIN_MAX);
    __attribute__((cleanup(stack_auto))) STACK_OF(X509) *others = sk_X509_new_null();
    __attribute__((cleanup(stack_auto))) STACK_OF(X509) *roots = sk_X509_new_null();
    __attribute__((cleanup(x509_auto))) X509 *cert = NULL;
    if (!others || !roots)
        return nomem(err);
    TUT_TRY(parse(ders[0], &cert, err));
    for (size_t i = 1; i < count; i++) {
        X509 *other;
        TUT_TRY(parse(ders[i], &other, err));
        if (sk_X509_push(others, other) == 0) {
            X509_free(other);
            return nomem(err);
        }
    }
    TUT_TRY(add_pem(roots_pem, roots, ROOTS_MAX, err));
    TUT_CLEAN(tut_chain_leaf) leaf = {0};
    TUT_TRY(describe(cert, ders[0], &leaf, err));
    TUT_TRY(verify_chain(cert, others, roots, &leaf, at, err));
    TUT_TRY(check_usage(cert, err));
    *ret_leaf = leaf;
    leaf = (tut_chain_leaf){0};
    return TUT_SUCCESS;
}

tut_status tut_chain_check_roots(tut_span roots_pem, tut_error *err)
{
    __attribute__((cleanup(stack_auto))) STACK_OF(X509) *roots = sk_X509_new_null();
    return roots ? add_pem(roots_pem, roots, ROOTS_MAX, err) : nomem(err);
}

tut_status tut_chain_pem_to_der(tut_span pem, tut_buf ders[TUT_CHAIN_MAX], size_t *ret_count,
                                tut_error *err)
{
    __attribute__((cleanup(stack_auto))) STACK_OF(X509) *certs = sk_X509_new_null();
    if (!certs)
        return nomem(err);
    TUT_TRY(add_pem(pem, certs, TUT_CHAIN_MAX, err));
    for (int i = 0; i < sk_X509_num(certs); i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(sk_X509_value(certs, i), &der);
        ders[i] = TUT_BUF_INIT;
        if (len > 0)
            tut_buf_add(&ders[i], der, (size_t)len);
        OPENSSL_free(der);
        if (len <= 0 || ders[i].failed != TUT_OK) {
            for (int k = 0; k <= i; k++)
                tut_buf_done(&ders[k]);
            return nomem(err);
        }
    }
    *ret_count = (size_t)sk_X509_num(certs);
    return TUT_SUCCESS;
}

tut_status tut_chain_read_leaf(tut_span der, tut_chain_leaf *ret_leaf, bool *ret_is_root,
                               tut_error *err)
{
    __attribute__((cleanup(x509_auto))) X509 *cert = NULL;
    TUT_CLEAN(tut_chain_leaf) leaf = {0};
    TUT_TRY(parse(der, &cert, err));
    TUT_TRY(describe(cert, der, &leaf, err));
    bool is_root = X509_self_signed(cert, 1) == 1;
    ERR_clear_error();
    *ret_leaf = leaf;
    leaf = (tut_chain_leaf){0};
    *ret_is_root = is_root;
    return TUT_SUCCESS;
}
