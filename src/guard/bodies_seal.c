#include "guard/bodies_seal.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "crypto/openssl.h"

static const char label[] = "tutela exchange bodies v1";

static tut_status failed(const char *what, tut_error *err)
{
    return tut_fail(err, TUT_CRYPTO, "%s failed in the cryptographic library", what);
}

tut_status tut_bodies_public(const uint8_t secret[TUT_BODIES_KEY],
                             uint8_t ret_public[TUT_BODIES_KEY], tut_error *err)
{
    size_t len = TUT_BODIES_KEY;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(tut_openssl(), "X25519", NULL, secret,
                                                    TUT_BODIES_KEY);
    int ok = key ? EVP_PKEY_get_raw_public_key(key, ret_public, &len) : 0;
    EVP_PKEY_free(key);
    return ok == 1 && len == TUT_BODIES_KEY ? TUT_SUCCESS : failed("a key of a day", err);
}

static bool exchange(const uint8_t *secret, const uint8_t *other, uint8_t *ret_shared)
{
    size_t len = TUT_BODIES_KEY;
    EVP_PKEY *ours = EVP_PKEY_new_raw_private_key_ex(tut_openssl(), "X25519", NULL, secret,
                                                     TUT_BODIES_KEY);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key_ex(tut_openssl(), "X25519", NULL, other,
                                                      TUT_BODIES_KEY);
    EVP_PKEY_CTX *c = ours ? EVP_PKEY_CTX_new_from_pkey(tut_openssl(), ours, NULL) : NULL;
    bool ok = c && theirs && EVP_PKEY_derive_init(c) == 1 &&
              EVP_PKEY_derive_set_peer(c, theirs) == 1 &&
              EVP_PKEY_derive(c, ret_shared, &len) == 1 && len == TUT_BODIES_KEY;
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(ours);
    return ok;
}

tut_status tut_bodies_agree(const uint8_t secret[TUT_BODIES_KEY],
                            const uint8_t other[TUT_BODIES_KEY],
                            const uint8_t worker[TUT_BODIES_KEY], const uint8_t day[TUT_BODIES_KEY],
                            uint8_t ret_key[TUT_BODIES_KEY], tut_error *err)
{
    uint8_t shared[TUT_BODIES_KEY], info[sizeof(label) - 1 + (size_t)2 * TUT_BODIES_KEY];
    char sha256[] = "SHA256"; /* parameters are not const in OpenSSL's interface */
    if (!exchange(secret, other, shared))
        return failed("agreeing on a key", err);
    memcpy(info, label, sizeof(label) - 1);
    memcpy(info + sizeof(label) - 1, worker, TUT_BODIES_KEY);
    memcpy(info + sizeof(label) - 1 + TUT_BODIES_KEY, day, TUT_BODIES_KEY);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared, sizeof(shared)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(tut_openssl(), "HKDF", NULL);
    EVP_KDF_CTX *c = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int ok = c ? EVP_KDF_derive(c, ret_key, TUT_BODIES_KEY, params) : 0;
    EVP_KDF_CTX_free(c);
    EVP_KDF_free(kdf);
    tut_wipe(shared, sizeof(shared));
    return ok == 1 ? TUT_SUCCESS : failed("deriving a key", err);
}

tut_status tut_bodies_begin(EVP_CIPHER_CTX *c, bool seals, const uint8_t *key,
                            const uint8_t head[TUT_BODIES_HEAD], uint64_t number,
                            const uint8_t id[TUT_BODIES_ID], const tut_sha256 *prompt,
                            tut_error *err)
{
    uint8_t nonce[12] = {0};
    int n = 0;
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(number >> (8 * i));
    EVP_CIPHER *aes = key ? EVP_CIPHER_fetch(tut_openssl(), "AES-256-GCM", NULL) : NULL;
    bool ok = (aes || !key) && EVP_CipherInit_ex2(c, aes, key, nonce, seals, NULL) == 1 &&
              EVP_CipherUpdate(c, NULL, &n, head, TUT_BODIES_HEAD) == 1 &&
              EVP_CipherUpdate(c, NULL, &n, id, TUT_BODIES_ID) == 1 &&
              EVP_CipherUpdate(c, NULL, &n, prompt->bytes, TUT_SHA256_BYTES) == 1;
    EVP_CIPHER_free(aes);
    return ok ? TUT_SUCCESS : failed("sealing a body", err);
}
