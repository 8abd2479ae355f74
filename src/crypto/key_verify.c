/* Signatures: checking them, and between the two encodings of ECDSA. */
#include <openssl/ec.h>

#include "crypto/ed25519.h"
#include "crypto/key_internal.h"

static const char *digest_name(const tut_pubkey *key)
{
    const tut_curve *curve = tut_curve_of(key->type);
    if (curve)
        return curve->md;
    return key->type == TUT_KEY_RSA ? "SHA256" : NULL; /* Ed25519 takes the message as it is */
}

tut_status tut_pubkey_verify(const tut_pubkey *key, tut_span message, tut_span signature,
                             tut_error *err)
{
    if (tut_ed25519_is_good(tut_pubkey_raw(key), message, signature))
        return TUT_SUCCESS;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    int rc = -1;
    if (EVP_DigestVerifyInit_ex(ctx, NULL, digest_name(key), tut_openssl(), NULL, key->pkey,
                                NULL) == 1)
        rc = EVP_DigestVerify(ctx, signature.data, signature.len, message.data, message.len);
    EVP_MD_CTX_free(ctx);
    if (rc == 1)
        return TUT_SUCCESS;
    tut_openssl_forget();
    return tut_fail(err, TUT_CRYPTO,
                    "the signature is not that of the %s key %.16s over these bytes",
                    tut_key_type_name(key->type), key->id);
}

tut_status tut_ecdsa_from_raw(const tut_curve *curve, tut_span raw, tut_buf *out, tut_error *err)
{
    if (raw.len != 2 * curve->field_bytes)
        return tut_fail(err, TUT_MALFORMED, "a raw %s signature of %zu bytes instead of %zu",
                        tut_key_type_name(curve->type), raw.len, 2 * curve->field_bytes);
    int half = (int)curve->field_bytes;
    BIGNUM *r = BN_bin2bn(raw.data, half, NULL);
    BIGNUM *s = BN_bin2bn(raw.data + half, half, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    unsigned char *der = NULL;
    int len = -1;
    if (r && s && sig && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* owned by sig now */
        len = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    if (len > 0)
        tut_buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return len > 0 ? tut_buf_check(out, err) : tut_fail(err, TUT_NOMEM, "memory ran out");
}
