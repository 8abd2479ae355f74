/* Keys and tokens as an issuer makes them, by OpenSSL directly. */
#ifndef TUT_TEST_JWT_MAKER_H
#define TUT_TEST_JWT_MAKER_H

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/buf.h"

static inline void add_base64url(tut_buf *out, const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *bytes = data;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 6;) {
            have -= 6;
            tut_buf_add_byte(out, (uint8_t)digits[bits >> have & 63]);
        }
    }
    if (have)
        tut_buf_add_byte(out, (uint8_t)digits[bits << (6 - have) & 63]);
}

typedef enum maker_alg { RS256, PS256, ES256, EDDSA } maker_alg;
static const char *const maker_names[] = {"RS256", "PS256", "ES256", "EdDSA"};

static inline EVP_PKEY *make_key(maker_alg alg)
{
    return alg == ES256   ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
           : alg == EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                          : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
}

static inline void add_number(tut_buf *out, EVP_PKEY *key, const char *name, int len)
{
    uint8_t bytes[1024];
    BIGNUM *n = NULL;
    EVP_PKEY_get_bn_param(key, name, &n);
    int had = BN_num_bytes(n);
    BN_bn2binpad(n, bytes, len ? len : had);
    add_base64url(out, bytes, (size_t)(len ? len : had));
    BN_free(n);
}

/* One member of "keys"; more: further members of the object, with a comma before each. */
static inline void add_jwk(tut_buf *out, EVP_PKEY *key, maker_alg alg, const char *more)
{
    uint8_t raw[32];
    size_t len = sizeof(raw);
    if (alg == ES256) {
        tut_buf_add_z(out, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
        add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
        tut_buf_add_z(out, "\",\"y\":\"");
        add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    } else if (alg == EDDSA) {
        EVP_PKEY_get_raw_public_key(key, raw, &len);
        tut_buf_add_z(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
        add_base64url(out, raw, len);
    } else {
        tut_buf_add_z(out, "{\"kty\":\"RSA\",\"n\":\"");
        add_number(out, key, OSSL_PKEY_PARAM_RSA_N, 0);
        tut_buf_add_z(out, "\",\"e\":\"");
        add_number(out, key, OSSL_PKEY_PARAM_RSA_E, 0);
    }
    tut_buf_printf(out, "\"%s}", more);
}

static inline size_t raw_of_der(const uint8_t *der, size_t len, uint8_t raw[64])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
    ECDSA_SIG_free(sig);
    return 64;
}

/* header and claims as they stand. */
static inline void sign_token(tut_buf *out, EVP_PKEY *key, maker_alg alg, const char *header,
                              const char *claims)
{
    uint8_t sig[1024], raw[64];
    size_t len = sizeof(sig), start = out->len;
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    add_base64url(out, header, strlen(header));
    tut_buf_add_byte(out, '.');
    add_base64url(out, claims, strlen(claims));
    EVP_DigestSignInit_ex(ctx, &pctx, alg == EDDSA ? NULL : "SHA256", NULL, NULL, key, NULL);
    if (alg == PS256) {
        EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST);
    }
    EVP_DigestSign(ctx, sig, &len, out->data + start, out->len - start);
    EVP_MD_CTX_free(ctx);
    tut_buf_add_byte(out, '.');
    if (alg == ES256)
        add_base64url(out, raw, raw_of_der(sig, len, raw));
    else
        add_base64url(out, sig, len);
}

#endif
