/*
 * Signed certificate timestamps (RFC 6962 section 3.2) inside the signing certificate. A log signed
 * the certificate as it was before the timestamps were put in:
 *
 *   u8 version 0 | u8 type 0 | u64 timestamp (ms) | u16 entry type 1 (precertificate)
 *   | 32 bytes SHA-256 of the issuer's SPKI | u24 length | TBSCertificate without the extension
 *   | u16 length | extensions
 */
#include <openssl/ct.h>

#include "crypto/sigstore_internal.h"

enum {
    SCTS_MAX = 8,
    SHA256_ECDSA = NID_ecdsa_with_SHA256,
    SHA256_RSA = NID_sha256WithRSAEncryption
};

static void free_scts(STACK_OF(SCT) * *list)
{
    SCT_LIST_free(*list);
}

static void add_be(tut_buf *out, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        tut_buf_add_byte(out, (uint8_t)(value >> (8 * bytes)));
}

/* Re-encoding keeps every other field as it was signed, or the signature does not verify. */
static tut_status add_tbs(X509 *leaf, tut_buf *out, tut_error *err)
{
    TUT_OSSL(X509) copy = X509_dup(leaf);
    int at = copy ? X509_get_ext_by_NID(copy, NID_ct_precert_scts, -1) : -1;
    if (at < 0)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    X509_EXTENSION_free(X509_delete_ext(copy, at));
    if (X509_get_ext_by_NID(copy, NID_ct_precert_scts, -1) >= 0)
        return tut_fail(err, TUT_MALFORMED,
                        "the signing certificate has its certificate timestamps twice");
    unsigned char *der = NULL;
    int len = i2d_re_X509_tbs(copy, &der);
    if (len <= 0)
        return tut_fail(err, TUT_CRYPTO, "the signing certificate cannot be encoded");
    add_be(out, (uint64_t)len, 3);
    tut_buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return TUT_SUCCESS;
}

static tut_status add_issuer(X509 *issuer, tut_buf *out, tut_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &der);
    if (len <= 0)
        return tut_fail(err, TUT_CRYPTO, "the issuer's key cannot be read");
    tut_sha256 digest;
    tut_status s = tut_sha256_of(tut_span_of(der, (size_t)len), &digest, err);
    OPENSSL_free(der);
    TUT_TRY(s);
    tut_buf_add(out, digest.bytes, sizeof(digest.bytes));
    return TUT_SUCCESS;
}

static tut_status signed_bytes(const SCT *sct, X509 *leaf, X509 *issuer, tut_buf *out,
                               tut_error *err)
{
    unsigned char *extensions;
    size_t extensions_len = SCT_get0_extensions(sct, &extensions);
    add_be(out, 0, 1);
    add_be(out, 0, 1);
    add_be(out, SCT_get_timestamp(sct), 8);
    add_be(out, 1, 2);
    TUT_TRY(add_issuer(issuer, out, err));
    TUT_TRY(add_tbs(leaf, out, err));
    add_be(out, extensions_len, 2);
    tut_buf_add(out, extensions, extensions_len);
    return tut_buf_check(out, err);
}

static tut_status check_one(const SCT *sct, const tut_sig_log *log, X509 *leaf, X509 *issuer,
                            tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    int algorithm = SCT_get_signature_nid(sct);
    if (SCT_get_version(sct) != SCT_VERSION_V1 ||
        (algorithm != SHA256_ECDSA && algorithm != SHA256_RSA))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "a certificate timestamp of the signing certificate is of an unknown kind");
    if (!tut_sig_within(&log->valid, (tut_time)(SCT_get_timestamp(sct) / 1000)))
        return tut_fail(err, TUT_CRYPTO,
                        "a certificate timestamp was given when the trusted root did not have that "
                        "log in use: %s",
                        log->url);
    TUT_TRY(signed_bytes(sct, leaf, issuer, &bytes, err));
    unsigned char *signature;
    size_t len = SCT_get0_signature(sct, &signature);
    if (!tut_is_ok(
            tut_sig_log_verify(log, tut_buf_span(&bytes), tut_span_of(signature, len), NULL)))
        return tut_fail(err, TUT_CRYPTO,
                        "the certificate timestamp by %s does not verify: the signing certificate "
                        "is not the one that was logged",
                        log->url);
    return TUT_SUCCESS;
}

static const tut_sig_log *log_of(const SCT *sct, const tut_sig_root *root)
{
    unsigned char *id;
    tut_sha256 wanted;
    if (SCT_get0_log_id(sct, &id) != sizeof(wanted.bytes))
        return NULL;
    memcpy(wanted.bytes, id, sizeof(wanted.bytes));
    return tut_sig_find_log(root->ctlogs, root->ctlog_count, &wanted);
}

/* Timestamps of logs that the root does not know say nothing; one that it knows must be good. */
tut_status tut_sig_check_scts(X509 *leaf, X509 *issuer, const tut_sig_root *root, tut_error *err)
{
    __attribute__((cleanup(free_scts)))
    STACK_OF(SCT) *list = X509_get_ext_d2i(leaf, NID_ct_precert_scts, NULL, NULL);
    size_t good = 0;
    ERR_clear_error();
    if (!list)
        return tut_fail(err, TUT_CRYPTO,
                        "the signing certificate has no certificate timestamp: nothing shows that "
                        "it was published");
    if (sk_SCT_num(list) > SCTS_MAX)
        return tut_fail(err, TUT_LIMIT, "the signing certificate has more than %d timestamps",
                        SCTS_MAX);
    for (int i = 0; i < sk_SCT_num(list); i++) {
        const SCT *sct = sk_SCT_value(list, i);
        const tut_sig_log *log = log_of(sct, root);
        if (!log)
            continue;
        TUT_TRY(check_one(sct, log, leaf, issuer, err));
        good++;
    }
    if (good == 0)
        return tut_fail(err, TUT_CRYPTO,
                        "no certificate timestamp of the signing certificate is by a log of the "
                        "trusted root");
    return TUT_SUCCESS;
}
