/*
 * PKCS#8 under a passphrase: EncryptedPrivateKeyInfo with PBES2. Written: PBKDF2-HMAC-SHA-256 and
 * AES-256-CBC; read: what OpenSSL can do of PBES2.
 */
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "crypto/key_internal.h"

enum { PBKDF2_ITERATIONS = 600000, SALT_BYTES = 16 };

static X509_SIG *encrypt(PKCS8_PRIV_KEY_INFO *info, tut_str passphrase)
{
    uint8_t salt[SALT_BYTES];
    X509_SIG *sealed = NULL;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(tut_openssl(), "AES-256-CBC", NULL);
    X509_ALGOR *algorithm = NULL;
    if (cipher && RAND_bytes_ex(tut_openssl(), salt, sizeof(salt), 0) == 1)
        algorithm = PKCS5_pbe2_set_iv_ex(cipher, PBKDF2_ITERATIONS, salt, sizeof(salt), NULL,
                                         NID_hmacWithSHA256, tut_openssl());
    if (algorithm)
        sealed = PKCS8_set0_pbe_ex(passphrase.data, (int)passphrase.len, info, algorithm,
                                   tut_openssl(), NULL);
    if (!sealed)
        X509_ALGOR_free(algorithm);
    EVP_CIPHER_free(cipher);
    return sealed;
}

tut_status tut_key_pkcs8(const tut_key *key, tut_str passphrase, tut_buf *out, tut_error *err)
{
    if (!key->pkey)
        return tut_fail(err, TUT_UNSUPPORTED, "the key lives in an agent or token and stays there");
    if (passphrase.len > TUT_LIMIT_SECRET_BYTES)
        return tut_fail(err, TUT_LIMIT, "the passphrase is longer than %u bytes",
                        TUT_LIMIT_SECRET_BYTES);
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    X509_SIG *sealed = info && passphrase.len ? encrypt(info, passphrase) : NULL;
    unsigned char *der = NULL;
    int len = -1;
    if (sealed)
        len = i2d_X509_SIG(sealed, &der);
    else if (info && passphrase.len == 0)
        len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    if (len > 0)
        tut_buf_add(out, der, (size_t)len);
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
    if (len > 0)
        return tut_buf_check(out, err);
    tut_openssl_forget();
    return tut_fail(err, TUT_CRYPTO, "OpenSSL cannot write the private key");
}

/* --- reading --- */

static const ASN1_STRING *sequence_of(const X509_ALGOR *algorithm, int nid)
{
    const ASN1_OBJECT *oid;
    const void *parameters;
    int type;
    X509_ALGOR_get0(&oid, &type, &parameters, algorithm);
    return OBJ_obj2nid(oid) == nid && type == V_ASN1_SEQUENCE ? parameters : NULL;
}

/* How often PBKDF2 is to run; 0: another derivation (scrypt, which OpenSSL itself bounds); -1: not
 * PBES2. */
static long iterations_of(const X509_SIG *sealed)
{
    const X509_ALGOR *algorithm;
    X509_SIG_get0(sealed, &algorithm, NULL);
    const ASN1_STRING *text = sequence_of(algorithm, NID_pbes2);
    if (!text)
        return -1;
    const unsigned char *at = ASN1_STRING_get0_data(text);
    PBE2PARAM *outer = d2i_PBE2PARAM(NULL, &at, ASN1_STRING_length(text));
    PBKDF2PARAM *inner = NULL;
    long count = outer ? 0 : -1;
    if (outer)
        text = sequence_of(outer->keyfunc, NID_id_pbkdf2);
    if (outer && text) {
        at = ASN1_STRING_get0_data(text);
        inner = d2i_PBKDF2PARAM(NULL, &at, ASN1_STRING_length(text));
        count = inner ? ASN1_INTEGER_get(inner->iter) : -1;
    }
    PBKDF2PARAM_free(inner);
    PBE2PARAM_free(outer);
    return count;
}

static tut_status check_cost(const X509_SIG *sealed, tut_error *err)
{
    long count = iterations_of(sealed);
    if (count < 0)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the key is under an encryption that is not PBES2; convert it: openssl "
                        "pkcs8 -topk8 -in OLD -out NEW");
    if (count > TUT_LIMIT_PBKDF2_ITERATIONS)
        return tut_fail(err, TUT_LIMIT,
                        "the key asks for %ld rounds of its passphrase (at most %d)", count,
                        TUT_LIMIT_PBKDF2_ITERATIONS);
    return TUT_SUCCESS;
}

static tut_status unseal_with(const X509_SIG *sealed, tut_str passphrase, tut_key **ret_key,
                              tut_error *err)
{
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = PKCS8_decrypt_ex(sealed, passphrase.data, (int)passphrase.len,
                                                 tut_openssl(), NULL);
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (len <= 0) {
        tut_openssl_forget();
        return tut_fail(err, TUT_DENIED, "the passphrase does not open the key");
    }
    tut_status status = tut_key_from_der(tut_span_of(der, (size_t)len), false, ret_key, err);
    OPENSSL_clear_free(der, (size_t)len);
    return status;
}

tut_status tut_key_unseal(tut_span der, const char *what, const tut_secret_source *secret,
                          tut_key **ret_key, tut_error *err)
{
    if (!secret || (!secret->file && !secret->may_ask))
        return tut_fail(err, TUT_DENIED,
                        "the key is under a passphrase; name a file that holds it, or run this "
                        "on a terminal");
    const unsigned char *at = der.data;
    X509_SIG *sealed = der.len > TUT_LIMIT_KEY_DER_BYTES ? NULL
                                                         : d2i_X509_SIG(NULL, &at, (long)der.len);
    if (!sealed || at != der.data + der.len) {
        X509_SIG_free(sealed);
        tut_openssl_forget();
        return tut_fail(err, TUT_MALFORMED, "the encrypted key is not sound DER (PKCS#8)");
    }
    TUT_AUTO_FREE char *prompt = tut_asprintf("Passphrase for %s: ", what);
    tut_buf passphrase = TUT_BUF_INIT;
    tut_status status = prompt ? check_cost(sealed, err)
                               : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        status = tut_secret_read(secret, prompt, false, &passphrase, err);
    if (tut_is_ok(status))
        status = unseal_with(sealed, tut_buf_str(&passphrase), ret_key, err);
    tut_secret_wipe(&passphrase);
    X509_SIG_free(sealed);
    return status;
}
