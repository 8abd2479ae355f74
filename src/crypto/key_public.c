/*
 * Public keys. SubjectPublicKeyInfo of the keys that we sign with has one encoding each: a fixed
 * prefix and the key. It is compared, not parsed, so that a key has one name only. RSA goes through
 * OpenSSL and must come back the same.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/der.h"
#include "crypto/key_internal.h"
#include "crypto/pem.h"

static const uint8_t ed25519_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t p256_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
static const uint8_t p384_prefix[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                      0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                      0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00};
static const uint8_t p521_prefix[] = {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                      0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
                                      0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00};
static const uint8_t p256_oid[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384_oid[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t p521_oid[] = {0x2b, 0x81, 0x04, 0x00, 0x23};
static const uint8_t rsa_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t ec_oid[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};

#define BYTES(array)                                                                               \
    {                                                                                              \
        array, sizeof(array)                                                                       \
    }
static const tut_curve curves[] = {
    {TUT_KEY_P256, "prime256v1", NID_X9_62_prime256v1, "SHA256", 32, 32, BYTES(p256_prefix),
     BYTES(p256_oid)},
    {TUT_KEY_P384, "secp384r1", NID_secp384r1, "SHA384", 48, 48, BYTES(p384_prefix),
     BYTES(p384_oid)},
    {TUT_KEY_P521, "secp521r1", NID_secp521r1, "SHA512", 64, 66, BYTES(p521_prefix),
     BYTES(p521_oid)},
};
enum { CURVES = sizeof(curves) / sizeof(curves[0]), POINT_UNCOMPRESSED = 4 };

void tut_openssl_forget(void)
{
    ERR_clear_error();
}

const char *tut_key_type_name(tut_key_type type)
{
    static const char *const names[] = {
        [TUT_KEY_ED25519] = "Ed25519",  [TUT_KEY_P256] = "ECDSA P-256",
        [TUT_KEY_P384] = "ECDSA P-384", [TUT_KEY_P521] = "ECDSA P-521",
        [TUT_KEY_RSA] = "RSA",
    };
    return names[type];
}

const tut_curve *tut_curve_of(tut_key_type type)
{
    for (size_t i = 0; i < CURVES; i++)
        if (curves[i].type == type)
            return &curves[i];
    return NULL;
}

static bool is_same(tut_span a, tut_span b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

const tut_curve *tut_curve_by_oid(tut_span oid)
{
    for (size_t i = 0; i < CURVES; i++)
        if (is_same(curves[i].oid, oid))
            return &curves[i];
    return NULL;
}

void tut_pubkey_free(tut_pubkey *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    tut_buf_done(&key->der);
    tut_buf_done(&key->pem);
    tut_free(key);
}

/* Takes over pkey, also on failure. */
static tut_status make(tut_key_type type, EVP_PKEY *pkey, tut_span prefix, tut_span rest,
                       tut_pubkey **ret_key, tut_error *err)
{
    TUT_AUTO(tut_pubkey) key = tut_alloc_array(1, sizeof(*key));
    if (!key) {
        EVP_PKEY_free(pkey);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    key->type = type;
    key->pkey = pkey;
    tut_buf_add(&key->der, prefix.data, prefix.len);
    tut_buf_add(&key->der, rest.data, rest.len);
    tut_pem_add(&key->pem, "PUBLIC KEY", tut_buf_span(&key->der));
    TUT_TRY(tut_buf_check(&key->der, err));
    TUT_TRY(tut_buf_check(&key->pem, err));
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(tut_buf_span(&key->pem), &digest, err));
    tut_sha256_hex(&digest, key->id);
    *ret_key = tut_move(&key);
    return TUT_SUCCESS;
}

/* Points of small order (y, whatever the sign of x): under such a key one signature is good for
 * any message, so it names nobody. */
static bool has_small_order(const uint8_t raw[TUT_ED25519_BYTES])
{
    static const uint8_t weak[][TUT_ED25519_BYTES] = {
        {0},
        {1},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    };
    uint8_t y[TUT_ED25519_BYTES];
    memcpy(y, raw, sizeof(y));
    y[TUT_ED25519_BYTES - 1] &= 0x7f;
    for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
        if (memcmp(y, weak[i], sizeof(y)) == 0)
            return true;
    /* p - 1, p and p + 1, little-endian: ec|ed|ee ff .. ff 7f */
    if (y[0] < 0xec || y[0] > 0xee || y[TUT_ED25519_BYTES - 1] != 0x7f)
        return false;
    for (size_t i = 1; i + 1 < TUT_ED25519_BYTES; i++)
        if (y[i] != 0xff)
            return false;
    return true;
}

tut_status tut_pubkey_from_ed25519(const uint8_t raw[TUT_ED25519_BYTES], tut_pubkey **ret_key,
                                   tut_error *err)
{
    if (has_small_order(raw))
        return tut_fail(err, TUT_MALFORMED,
                        "the Ed25519 key is a point of small order: anybody can sign for it");
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(tut_openssl(), "ED25519", NULL, raw,
                                                    TUT_ED25519_BYTES);
    if (!pkey) {
        tut_openssl_forget();
        return tut_fail(err, TUT_CRYPTO, "Ed25519 is not available from OpenSSL");
    }
    return make(TUT_KEY_ED25519, pkey, tut_span_of(ed25519_prefix, sizeof(ed25519_prefix)),
                tut_span_of(raw, TUT_ED25519_BYTES), ret_key, err);
}

static EVP_PKEY *pkey_of_point(const tut_curve *curve, tut_span point)
{
    char group[16];
    uint8_t bytes[TUT_EC_POINT_MAX];
    tut_str_copy(group, sizeof(group), tut_str_of(curve->group));
    memcpy(bytes, point.data, point.len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, point.len),
        OSSL_PARAM_construct_end()};
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(tut_openssl(), "EC", NULL);
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

tut_status tut_pubkey_from_point(const tut_curve *curve, tut_span point, tut_pubkey **ret_key,
                                 tut_error *err)
{
    if (point.len != 2 * curve->field_bytes + 1 || point.data[0] != POINT_UNCOMPRESSED)
        return tut_fail(err, TUT_UNSUPPORTED, "the %s key is not an uncompressed point",
                        tut_key_type_name(curve->type));
    EVP_PKEY *pkey = pkey_of_point(curve, point);
    if (!pkey) {
        tut_openssl_forget();
        return tut_fail(err, TUT_MALFORMED, "the %s key is not a point of its curve",
                        tut_key_type_name(curve->type));
    }
    return make(curve->type, pkey, curve->spki_prefix, point, ret_key, err);
}

/* RSA: what OpenSSL read must be written as the same bytes. */
static tut_status from_rsa(tut_span spki, tut_pubkey **ret_key, tut_error *err)
{
    const unsigned char *at = spki.data;
    unsigned char *again = NULL;
    EVP_PKEY *pkey = spki.len > TUT_LIMIT_KEY_DER_BYTES
                         ? NULL
                         : d2i_PUBKEY_ex(NULL, &at, (long)spki.len, tut_openssl(), NULL);
    int len = pkey ? i2d_PUBKEY(pkey, &again) : -1;
    bool is_sound = len >= 0 && is_same(spki, tut_span_of(again, (size_t)len));
    OPENSSL_free(again);
    if (!is_sound) {
        EVP_PKEY_free(pkey);
        tut_openssl_forget();
        return tut_fail(err, TUT_MALFORMED, "the RSA key cannot be read");
    }
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < TUT_LIMIT_RSA_BITS_LEAST || bits > TUT_LIMIT_RSA_BITS) {
        EVP_PKEY_free(pkey);
        return tut_fail(err, TUT_UNSUPPORTED, "an RSA key of %d bits (%d to %d are taken)", bits,
                        TUT_LIMIT_RSA_BITS_LEAST, TUT_LIMIT_RSA_BITS);
    }
    return make(TUT_KEY_RSA, pkey, spki, (tut_span){NULL, 0}, ret_key, err);
}

/* What the algorithm of an SPKI is that is none of the fixed ones. */
static tut_status read_algorithm(tut_span spki, tut_span *ret_oid)
{
    tut_reader r = tut_reader_of(spki);
    tut_reader outer, algorithm, oid, bits;
    TUT_TRY(tut_der_expect(&r, TUT_DER_SEQUENCE, &outer));
    if (tut_reader_left(&r))
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_der_expect(&outer, TUT_DER_SEQUENCE, &algorithm));
    TUT_TRY(tut_der_expect(&outer, TUT_DER_BIT_STRING, &bits));
    TUT_TRY(tut_der_expect(&algorithm, TUT_DER_OID, &oid));
    *ret_oid = tut_der_rest(&oid);
    return TUT_SUCCESS;
}

static bool splits_at(tut_span spki, tut_span prefix, size_t key_bytes)
{
    return spki.len == prefix.len + key_bytes && memcmp(spki.data, prefix.data, prefix.len) == 0;
}

tut_status tut_pubkey_from_der(tut_span spki, tut_pubkey **ret_key, tut_error *err)
{
    tut_span prefix = tut_span_of(ed25519_prefix, sizeof(ed25519_prefix));
    if (splits_at(spki, prefix, TUT_ED25519_BYTES))
        return tut_pubkey_from_ed25519(spki.data + prefix.len, ret_key, err);
    for (size_t i = 0; i < CURVES; i++) {
        size_t point_bytes = 2 * curves[i].field_bytes + 1;
        prefix = curves[i].spki_prefix;
        if (splits_at(spki, prefix, point_bytes))
            return tut_pubkey_from_point(
                &curves[i], tut_span_of(spki.data + prefix.len, point_bytes), ret_key, err);
    }
    tut_span oid;
    if (!tut_is_ok(read_algorithm(spki, &oid)))
        return tut_fail(err, TUT_MALFORMED, "the public key is not sound DER");
    if (is_same(oid, tut_span_of(rsa_oid, sizeof(rsa_oid))))
        return from_rsa(spki, ret_key, err);
    if (is_same(oid, tut_span_of(ec_oid, sizeof(ec_oid))))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "an elliptic-curve key that is not P-256, P-384 or P-521 with its point "
                        "uncompressed");
    return tut_fail(err, TUT_UNSUPPORTED,
                    "the public key is neither Ed25519, ECDSA on P-256, P-384 or P-521, nor RSA");
}

tut_status tut_pubkey_from_pem(tut_span pem, tut_pubkey **ret_key, tut_error *err)
{
    tut_str text = tut_str_from(pem);
    bool found;
    tut_pem_block block;
    TUT_TRY(tut_pem_next(&text, &found, &block, err));
    if (!found)
        return tut_fail(err, TUT_MALFORMED, "there is no PEM block of a public key");
    tut_status status;
    if (tut_str_eq_z(block.label, "PUBLIC KEY"))
        status = tut_pubkey_from_der(tut_buf_span(&block.der), ret_key, err);
    else if (tut_str_eq_z(block.label, "CERTIFICATE"))
        status = tut_fail(err, TUT_USAGE,
                          "this is a certificate, not a public key; get the key out of it: "
                          "openssl x509 -in FILE -pubkey -noout");
    else if (tut_str_ends(block.label, TUT_LIT("PRIVATE KEY")))
        status = tut_fail(err, TUT_USAGE,
                          "this is a private key; give its public half: "
                          "openssl pkey -in FILE -pubout");
    else
        status = tut_fail(err, TUT_MALFORMED, "there is no PEM block of a public key");
    tut_wipe(block.der.data, block.der.len);
    tut_buf_done(&block.der);
    return status;
}

/* Text or DER, by the first byte; a raw key by its length. */
tut_status tut_pubkey_from_file(const char *path, tut_pubkey **ret_key, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_KEY_FILE_BYTES, &bytes, err));
    tut_span span = tut_buf_span(&bytes);
    tut_status status;
    if (span.len == TUT_ED25519_BYTES)
        status = tut_pubkey_from_ed25519(span.data, ret_key, err);
    else if (span.len && span.data[0] == TUT_DER_SEQUENCE)
        status = tut_pubkey_from_der(span, ret_key, err);
    else if (tut_str_starts(tut_str_trim(tut_str_from(span)), TUT_LIT("ssh-")))
        status = tut_pubkey_from_ssh(tut_str_trim(tut_str_from(span)), ret_key, err);
    else
        status = tut_pubkey_from_pem(span, ret_key, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

tut_status tut_pubkey_copy(const tut_pubkey *key, tut_pubkey **ret_copy, tut_error *err)
{
    if (EVP_PKEY_up_ref(key->pkey) != 1)
        return tut_fail(err, TUT_CRYPTO, "a key cannot be shared");
    TUT_AUTO(tut_pubkey) copy = tut_alloc_array(1, sizeof(*copy));
    if (!copy) {
        EVP_PKEY_free(key->pkey);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    copy->type = key->type;
    copy->pkey = key->pkey;
    memcpy(copy->id, key->id, sizeof(copy->id));
    tut_buf_add_str(&copy->der, tut_buf_str(&key->der));
    tut_buf_add_str(&copy->pem, tut_buf_str(&key->pem));
    TUT_TRY(tut_buf_check(&copy->der, err));
    TUT_TRY(tut_buf_check(&copy->pem, err));
    *ret_copy = tut_move(&copy);
    return TUT_SUCCESS;
}

tut_key_type tut_pubkey_type(const tut_pubkey *key)
{
    return key->type;
}

tut_str tut_pubkey_pem(const tut_pubkey *key)
{
    return tut_buf_str(&key->pem);
}

tut_span tut_pubkey_der(const tut_pubkey *key)
{
    return tut_buf_span(&key->der);
}

tut_span tut_pubkey_raw(const tut_pubkey *key)
{
    if (key->type != TUT_KEY_ED25519)
        return (tut_span){NULL, 0};
    return tut_span_of(key->der.data + sizeof(ed25519_prefix), TUT_ED25519_BYTES);
}

const char *tut_pubkey_id(const tut_pubkey *key)
{
    return key->id;
}

bool tut_pubkey_eq(const tut_pubkey *a, const tut_pubkey *b)
{
    return is_same(tut_buf_span(&a->der), tut_buf_span(&b->der));
}
