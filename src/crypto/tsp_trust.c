/* Whose time-stamps are believed, and whether this one was signed by them. */
#include <openssl/pem.h>

#include "base/limits.h"
#include "crypto/tsp_internal.h"

void tut_tsp_trust_free(tut_tsp_trust *trust)
{
    if (!trust)
        return;
    sk_X509_pop_free(trust->anchors, X509_free);
    sk_X509_pop_free(trust->others, X509_free);
    tut_free(trust);
}

static tut_status new_trust(tut_tsp_trust **ret_trust, tut_error *err)
{
    tut_ossl_start();
    TUT_AUTO(tut_tsp_trust) trust = tut_alloc_array(1, sizeof(*trust));
    if (trust) {
        trust->anchors = sk_X509_new_null();
        trust->others = sk_X509_new_null();
    }
    if (!trust || !trust->anchors || !trust->others)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_trust = tut_move(&trust);
    return TUT_SUCCESS;
}

static tut_status push(STACK_OF(X509) * to, X509 **cert, tut_error *err)
{
    if (sk_X509_push(to, *cert) <= 0)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *cert = NULL;
    return TUT_SUCCESS;
}

tut_status tut_tsp_trust_from_chain(const tut_span *ders, size_t count, tut_tsp_trust **ret_trust,
                                    tut_error *err)
{
    TUT_AUTO(tut_tsp_trust) trust = NULL;
    if (count == 0)
        return tut_fail(err, TUT_MALFORMED, "a time-stamp authority has no certificates");
    TUT_TRY(new_trust(&trust, err));
    for (size_t i = 0; i < count; i++) {
        TUT_OSSL(X509) cert = NULL;
        TUT_TRY(tut_ossl_cert(ders[i], &cert, err));
        TUT_TRY(push(i + 1 == count ? trust->anchors : trust->others, &cert, err));
    }
    *ret_trust = tut_move(&trust);
    return TUT_SUCCESS;
}

tut_status tut_tsp_trust_from_pem(tut_span pem, tut_tsp_trust **ret_trust, tut_error *err)
{
    TUT_AUTO(tut_tsp_trust) trust = NULL;
    if (pem.len > TUT_LIMIT_PEM_BYTES)
        return tut_fail(err, TUT_LIMIT, "%zu bytes of certificates are too many (at most %u)",
                        pem.len, TUT_LIMIT_PEM_BYTES);
    TUT_TRY(new_trust(&trust, err));
    TUT_OSSL(BIO) in = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (!in)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (;;) {
        TUT_OSSL(X509) cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (!cert)
            break;
        bool is_root = X509_self_signed(cert, 0) == 1;
        TUT_TRY(push(is_root ? trust->anchors : trust->others, &cert, err));
    }
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!is_end)
        return tut_fail(err, TUT_MALFORMED, "a certificate in PEM is damaged");
    if (sk_X509_num(trust->anchors) == 0) {
        STACK_OF(X509) *none = trust->anchors;
        trust->anchors = trust->others;
        trust->others = none;
    }
    if (sk_X509_num(trust->anchors) == 0)
        return tut_fail(err, TUT_MALFORMED, "no certificate in PEM is in there");
    *ret_trust = tut_move(&trust);
    return TUT_SUCCESS;
}

/* OpenSSL frees store and certificates with the context, so both are the context's own. */
static tut_status prepare(const tut_tsp_trust *trust, tut_time at, TS_VERIFY_CTX *ctx,
                          tut_error *err)
{
    X509_STORE *store;
    TUT_TRY(tut_ossl_store(trust->anchors, at, &store, err));
    TS_VERIFY_CTX_set_store(ctx, store);
    STACK_OF(X509) *others = X509_chain_up_ref(trust->others);
    if (!others)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TS_VERIFY_CTX_set_certs(ctx, others);
    /* An authority may itself be the anchor, and its token may come without certificates. */
    for (int i = 0; i < sk_X509_num(trust->anchors); i++) {
        X509 *anchor = sk_X509_value(trust->anchors, i);
        if (X509_up_ref(anchor) != 1 || sk_X509_push(others, anchor) <= 0)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    TS_VERIFY_CTX_set_flags(ctx, TS_VFY_SIGNATURE | TS_VFY_VERSION);
    return TUT_SUCCESS;
}

static void name_signer(TS_RESP *resp, const tut_tsp_trust *trust, tut_tsp_token *token)
{
    STACK_OF(X509) *signers = PKCS7_get0_signers(TS_RESP_get_token(resp), trust->others, 0);
    if (signers && sk_X509_num(signers) > 0)
        X509_NAME_oneline(X509_get_subject_name(sk_X509_value(signers, 0)), token->authority,
                          sizeof(token->authority));
    sk_X509_free(signers);
    ERR_clear_error();
}

tut_status tut_tsp_check_signature(TS_RESP *resp, const tut_tsp_trust *trust, tut_tsp_token *token,
                                   tut_error *err)
{
    TUT_OSSL(TS_VERIFY_CTX) ctx = TS_VERIFY_CTX_new();
    if (!ctx)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(prepare(trust, token->at, ctx, err));
    ERR_clear_error();
    if (TS_RESP_verify_response(ctx, resp) != 1) {
        const char *data = NULL;
        int flags = 0;
        ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
        char detail[128];
        tut_str_copy(detail, sizeof(detail), tut_str_of(flags & ERR_TXT_STRING ? data : ""));
        return tut_fail(err, TUT_CRYPTO, "the time-stamp's signature is not to be trusted: %s%s%s",
                        tut_ossl_reason("OpenSSL refuses it"), detail[0] ? ": " : "", detail);
    }
    name_signer(resp, trust, token);
    token->is_trusted = true;
    return TUT_SUCCESS;
}
