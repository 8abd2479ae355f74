/* Time-stamp requests and responses; who is believed is in tsp_trust.c. */
#include "crypto/tsp.h"

#include <openssl/rand.h>

#include "base/limits.h"
#include "crypto/tsp_internal.h"

enum { NONCE_BYTES = 8 };

static tut_status no_memory(tut_error *err)
{
    ERR_clear_error();
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* ---- asking ---- */

static tut_status set_imprint(TS_REQ *req, const tut_sha256 *imprint, tut_error *err)
{
    TUT_OSSL(TS_MSG_IMPRINT) m = TS_MSG_IMPRINT_new();
    if (!m)
        return no_memory(err);
    X509_ALGOR *algorithm = X509_ALGOR_new();
    if (!algorithm || X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) != 1 ||
        TS_MSG_IMPRINT_set_algo(m, algorithm) != 1) {
        X509_ALGOR_free(algorithm);
        return no_memory(err);
    }
    X509_ALGOR_free(algorithm); /* set_algo has copied it */
    uint8_t bytes[TUT_SHA256_BYTES];
    memcpy(bytes, imprint->bytes, sizeof(bytes));
    if (TS_MSG_IMPRINT_set_msg(m, bytes, sizeof(bytes)) != 1 || TS_REQ_set_msg_imprint(req, m) != 1)
        return no_memory(err);
    return TUT_SUCCESS;
}

static tut_status set_nonce(TS_REQ *req, tut_error *err)
{
    uint8_t bytes[NONCE_BYTES];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return tut_fail(err, TUT_CRYPTO, "no random bytes could be had: %s",
                        tut_ossl_reason("OpenSSL gives none"));
    TUT_OSSL(BIGNUM) number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    TUT_OSSL(ASN1_INTEGER) nonce = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    if (!nonce || TS_REQ_set_nonce(req, nonce) != 1)
        return no_memory(err);
    return TUT_SUCCESS;
}

tut_status tut_tsp_request(const tut_sha256 *imprint, tut_buf *out, tut_error *err)
{
    tut_ossl_start();
    TUT_OSSL(TS_REQ) req = TS_REQ_new();
    if (!req || TS_REQ_set_version(req, 1) != 1 || TS_REQ_set_cert_req(req, 1) != 1)
        return no_memory(err);
    TUT_TRY(set_imprint(req, imprint, err));
    TUT_TRY(set_nonce(req, err));
    int len = i2d_TS_REQ(req, NULL);
    unsigned char *at = len > 0 ? tut_buf_extend(out, (size_t)len) : NULL;
    if (at && i2d_TS_REQ(req, &at) != len)
        return tut_fail(err, TUT_CRYPTO, "a time-stamp request cannot be encoded");
    return len > 0 ? tut_buf_check(out, err) : no_memory(err);
}

/* ---- what was answered ---- */

static tut_status read_response(tut_span der, TS_RESP **ret_resp, tut_error *err)
{
    if (der.len > TUT_LIMIT_TSP_BYTES)
        return tut_fail(err, TUT_LIMIT, "a time-stamp of %zu bytes is too large (at most %u)",
                        der.len, TUT_LIMIT_TSP_BYTES);
    tut_ossl_start();
    const unsigned char *at = der.data;
    TS_RESP *resp = d2i_TS_RESP(NULL, &at, (long)der.len);
    if (!resp || at != der.data + der.len) {
        TS_RESP_free(resp);
        ERR_clear_error();
        return tut_fail(err, TUT_MALFORMED, "is no RFC 3161 TimeStampResp in DER");
    }
    *ret_resp = resp;
    return TUT_SUCCESS;
}

static tut_status read_request(tut_span der, TS_REQ **ret_req, tut_error *err)
{
    const unsigned char *at = der.data;
    TS_REQ *req = der.len > TUT_LIMIT_TSP_BYTES ? NULL : d2i_TS_REQ(NULL, &at, (long)der.len);
    if (!req || at != der.data + der.len) {
        TS_REQ_free(req);
        ERR_clear_error();
        return tut_fail(err, TUT_MALFORMED, "the request is no RFC 3161 TimeStampReq in DER");
    }
    *ret_req = req;
    return TUT_SUCCESS;
}

/* Authorities write this text; it is shortened, and escaped where it is shown. */
static tut_status check_granted(TS_RESP *resp, tut_error *err)
{
    const TS_STATUS_INFO *info = TS_RESP_get_status_info(resp);
    const ASN1_INTEGER *status = info ? TS_STATUS_INFO_get0_status(info) : NULL;
    long code = status ? ASN1_INTEGER_get(status) : -1;
    if (code != TS_STATUS_GRANTED && code != TS_STATUS_GRANTED_WITH_MODS) {
        const STACK_OF(ASN1_UTF8STRING) *texts = info ? TS_STATUS_INFO_get0_text(info) : NULL;
        const ASN1_UTF8STRING *text = texts && sk_ASN1_UTF8STRING_num(texts) > 0
                                          ? sk_ASN1_UTF8STRING_value(texts, 0)
                                          : NULL;
        int len = text ? ASN1_STRING_length(text) : 0;
        return tut_fail(err, TUT_DENIED, "the authority refused the time-stamp (status %ld)%s%.*s",
                        code, len ? ": " : "", len < 200 ? len : 200,
                        text ? (const char *)ASN1_STRING_get0_data(text) : "");
    }
    if (!TS_RESP_get_tst_info(resp))
        return tut_fail(err, TUT_MALFORMED, "the time-stamp was granted but no token is there");
    return TUT_SUCCESS;
}

/* SHA-1 and MD5 collide: a token over them proves nothing. */
static const char *digest_name(int nid)
{
    switch (nid) {
    case NID_sha256:
        return "SHA256";
    case NID_sha384:
        return "SHA384";
    case NID_sha512:
        return "SHA512";
    default:
        return NULL;
    }
}

static tut_status check_imprint(TS_TST_INFO *info, tut_span message, tut_error *err)
{
    TS_MSG_IMPRINT *m = TS_TST_INFO_get_msg_imprint(info);
    const X509_ALGOR *algorithm = m ? TS_MSG_IMPRINT_get_algo(m) : NULL;
    const ASN1_OBJECT *oid = NULL;
    if (algorithm)
        X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    const char *name = oid ? digest_name(OBJ_obj2nid(oid)) : NULL;
    if (!name)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the time-stamp is over a digest other than SHA-256, SHA-384 or SHA-512");
    uint8_t digest[EVP_MAX_MD_SIZE];
    size_t len;
    if (EVP_Q_digest(NULL, name, NULL, message.data, message.len, digest, &len) != 1)
        return no_memory(err);
    const ASN1_OCTET_STRING *said = TS_MSG_IMPRINT_get_msg(m);
    if (!said || ASN1_STRING_length(said) != (int)len ||
        CRYPTO_memcmp(ASN1_STRING_get0_data(said), digest, len) != 0)
        return tut_fail(err, TUT_CRYPTO, "the time-stamp is over other bytes");
    return TUT_SUCCESS;
}

/* The request's imprint needs no look of its own: the token's is compared with the bytes, and with
 * the request's. */
static tut_status check_request(TS_TST_INFO *info, tut_span request, tut_error *err)
{
    if (request.len == 0)
        return TUT_SUCCESS;
    TUT_OSSL(TS_REQ) req = NULL;
    TUT_TRY(read_request(request, &req, err));
    const ASN1_INTEGER *asked = TS_REQ_get_nonce(req);
    const ASN1_INTEGER *said = TS_TST_INFO_get_nonce(info);
    if (asked && (!said || ASN1_INTEGER_cmp(asked, said) != 0))
        return tut_fail(err, TUT_CRYPTO,
                        "the time-stamp answers another request: its nonce differs");
    TS_MSG_IMPRINT *wanted = TS_REQ_get_msg_imprint(req);
    TS_MSG_IMPRINT *given = TS_TST_INFO_get_msg_imprint(info);
    if (ASN1_OCTET_STRING_cmp(TS_MSG_IMPRINT_get_msg(wanted), TS_MSG_IMPRINT_get_msg(given)) != 0)
        return tut_fail(err, TUT_CRYPTO, "the time-stamp is over other bytes than the request");
    return TUT_SUCCESS;
}

static tut_status describe(TS_TST_INFO *info, tut_tsp_token *token, tut_error *err)
{
    if (!tut_is_ok(tut_ossl_time(TS_TST_INFO_get_time(info), &token->at)))
        return tut_fail(err, TUT_MALFORMED, "the time-stamp names no time");
    OBJ_obj2txt(token->policy, sizeof(token->policy), TS_TST_INFO_get_policy_id(info), 1);
    TUT_OSSL(BIGNUM) serial = ASN1_INTEGER_to_BN(TS_TST_INFO_get_serial(info), NULL);
    char *hex = serial ? BN_bn2hex(serial) : NULL;
    if (!hex)
        return no_memory(err);
    tut_str_copy(token->serial, sizeof(token->serial), tut_str_of(hex));
    OPENSSL_free(hex);
    return TUT_SUCCESS;
}

tut_status tut_tsp_verify(tut_span response, tut_span request, tut_span message,
                          const tut_tsp_trust *trust, tut_tsp_token *ret_token, tut_error *err)
{
    TUT_OSSL(TS_RESP) resp = NULL;
    TUT_TRY(read_response(response, &resp, err));
    TUT_TRY(check_granted(resp, err));
    TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
    TUT_TRY(check_imprint(info, message, err));
    TUT_TRY(check_request(info, request, err));
    tut_tsp_token token = {0};
    TUT_TRY(describe(info, &token, err));
    if (trust)
        TUT_TRY(tut_tsp_check_signature(resp, trust, &token, err));
    *ret_token = token;
    return TUT_SUCCESS;
}

tut_status tut_tsp_claimed_time(tut_span response, tut_time *ret_time, tut_error *err)
{
    TUT_OSSL(TS_RESP) resp = NULL;
    TUT_TRY(read_response(response, &resp, err));
    TUT_TRY(check_granted(resp, err));
    if (!tut_is_ok(tut_ossl_time(TS_TST_INFO_get_time(TS_RESP_get_tst_info(resp)), ret_time)))
        return tut_fail(err, TUT_MALFORMED, "the time-stamp names no time");
    return TUT_SUCCESS;
}
