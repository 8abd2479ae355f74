/*
 * Private keys in our memory, and their DER:
 *   PrivateKeyInfo (PKCS#8) ::= SEQUENCE { INTEGER 0|1, AlgorithmIdentifier, OCTET STRING, ... }
 *   ECPrivateKey (SEC1)     ::= SEQUENCE { INTEGER 1, OCTET STRING, [0] curve, [1] BIT STRING }
 * The public half is always computed from the private one: a file whose two halves differ would
 * make signatures that give the private key away.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "crypto/der.h"
#include "crypto/key_internal.h"

static const uint8_t ec_oid[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t ed25519_oid[] = {0x2b, 0x65, 0x70};
static const uint8_t rsa_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};

static tut_status memory_sign(void *self, const tut_pubkey *pub, tut_span message, tut_buf *out,
                              tut_error *err)
{
    EVP_PKEY *pkey = self;
    const tut_curve *curve = tut_curve_of(pub->type);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    uint8_t sig[2 * TUT_EC_FIELD_MAX + 16];
    size_t len = sizeof(sig);
    bool is_signed = EVP_DigestSignInit_ex(ctx, NULL, curve ? curve->md : NULL, tut_openssl(), NULL,
                                           pkey, NULL) == 1 &&
                     EVP_DigestSign(ctx, sig, &len, message.data, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!is_signed) {
        tut_openssl_forget();
        return tut_fail(err, TUT_CRYPTO, "OpenSSL cannot sign with the %s key",
                        tut_key_type_name(pub->type));
    }
    tut_buf_add(out, sig, len);
    return tut_buf_check(out, err);
}

static void memory_free(void *self)
{
    EVP_PKEY_free(self);
}

static const tut_key_backend memory_backend = {memory_sign, memory_free};

static tut_status out_of_openssl(tut_error *err)
{
    tut_openssl_forget();
    return tut_fail(err, TUT_CRYPTO, "OpenSSL cannot use the private key");
}

/* Takes over pkey. */
static tut_status wrap(EVP_PKEY *pkey, tut_pubkey *pub, tut_key **ret_key, tut_error *err)
{
    TUT_TRY(tut_key_make(&memory_backend, pkey, pub, ret_key, err));
    (*ret_key)->pkey = pkey;
    return TUT_SUCCESS;
}

/* --- Ed25519 --- */

static tut_status wrap_ed25519(EVP_PKEY *pkey, tut_key **ret_key, tut_error *err)
{
    uint8_t raw[TUT_ED25519_BYTES];
    size_t len = sizeof(raw);
    tut_pubkey *pub = NULL;
    tut_status status = EVP_PKEY_get_raw_public_key(pkey, raw, &len) == 1
                            ? tut_pubkey_from_ed25519(raw, &pub, err)
                            : out_of_openssl(err);
    if (!tut_is_ok(status)) {
        EVP_PKEY_free(pkey);
        return status;
    }
    return wrap(pkey, pub, ret_key, err);
}

static tut_status ed25519_from_seed(tut_span seed, tut_key **ret_key, tut_error *err)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(tut_openssl(), "ED25519", NULL, seed.data,
                                                     seed.len);
    return pkey ? wrap_ed25519(pkey, ret_key, err) : out_of_openssl(err);
}

/* --- ECDSA --- */

/* The point of the private number, uncompressed; 0: not a private key of this curve. */
static size_t point_of(const tut_curve *curve, const BIGNUM *secret, uint8_t out[TUT_EC_POINT_MAX])
{
    size_t len = 0;
    EC_GROUP *group = EC_GROUP_new_by_curve_name_ex(tut_openssl(), NULL, curve->nid);
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    BN_CTX *ctx = BN_CTX_secure_new_ex(tut_openssl());
    if (point && ctx && !BN_is_zero(secret) && BN_cmp(secret, EC_GROUP_get0_order(group)) < 0 &&
        EC_POINT_mul(group, point, secret, NULL, NULL, ctx) == 1)
        len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, TUT_EC_POINT_MAX,
                                 ctx);
    BN_CTX_free(ctx);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return len;
}

static EVP_PKEY *ec_pkey(const tut_curve *curve, const BIGNUM *secret, tut_span point)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(tut_openssl(), "EC", NULL);
    if (build &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) ==
            1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* `claimed`: the public half as the file has it, or empty. */
static tut_status ec_from_number(const tut_curve *curve, const BIGNUM *secret, tut_span claimed,
                                 tut_key **ret_key, tut_error *err)
{
    uint8_t bytes[TUT_EC_POINT_MAX];
    tut_span point = {bytes, point_of(curve, secret, bytes)};
    if (point.len == 0) {
        tut_openssl_forget();
        return tut_fail(err, TUT_MALFORMED, "the private number does not fit %s",
                        tut_key_type_name(curve->type));
    }
    if (claimed.len && (claimed.len != point.len || memcmp(claimed.data, bytes, point.len) != 0))
        return tut_fail(err, TUT_MALFORMED, "the two halves of the key do not belong together");
    tut_pubkey *pub = NULL;
    TUT_TRY(tut_pubkey_from_point(curve, point, &pub, err));
    EVP_PKEY *pkey = ec_pkey(curve, secret, point);
    if (!pkey) {
        tut_pubkey_free(pub);
        return out_of_openssl(err);
    }
    return wrap(pkey, pub, ret_key, err);
}

/* The optional fields of ECPrivateKey; curve is NULL until one of them says it. */
static tut_status read_ec_fields(tut_reader *r, const tut_curve **curve, tut_span *ret_point)
{
    tut_span point = {NULL, 0};
    while (tut_reader_left(r)) {
        uint8_t tag;
        tut_reader field, content;
        TUT_TRY(tut_der_next(r, &tag, &field));
        if (tag == TUT_DER_CONTEXT_0) {
            TUT_TRY(tut_der_expect(&field, TUT_DER_OID, &content));
            const tut_curve *found = tut_curve_by_oid(tut_der_rest(&content));
            if (!found || (*curve && *curve != found))
                return (tut_status){TUT_UNSUPPORTED};
            *curve = found;
        } else if (tag == TUT_DER_CONTEXT_1) {
            uint8_t unused_bits;
            TUT_TRY(tut_der_expect(&field, TUT_DER_BIT_STRING, &content));
            TUT_TRY(tut_reader_u8(&content, &unused_bits));
            point = tut_der_rest(&content);
            if (unused_bits || point.len == 0)
                return (tut_status){TUT_MALFORMED};
        } else {
            return (tut_status){TUT_MALFORMED};
        }
    }
    *ret_point = point;
    return TUT_SUCCESS;
}

static tut_status read_sec1(tut_span der, const tut_curve *curve, tut_key **ret_key, tut_error *err)
{
    static const char *const unsound = "the private key is not sound DER (SEC1)";
    tut_reader r = tut_reader_of(der);
    tut_reader outer, version, secret;
    tut_span point;
    if (!tut_is_ok(tut_der_expect(&r, TUT_DER_SEQUENCE, &outer)) || tut_reader_left(&r) ||
        !tut_is_ok(tut_der_expect(&outer, TUT_DER_INTEGER, &version)) ||
        !tut_is_ok(tut_reader_expect(&version, TUT_LIT("\x01"))) || tut_reader_left(&version) ||
        !tut_is_ok(tut_der_expect(&outer, TUT_DER_OCTET_STRING, &secret)))
        return tut_fail(err, TUT_MALFORMED, "%s", unsound);
    tut_status status = read_ec_fields(&outer, &curve, &point);
    if (!tut_is_ok(status) && status.code != TUT_UNSUPPORTED)
        return tut_fail(err, TUT_MALFORMED, "%s", unsound);
    if (!tut_is_ok(status) || !curve)
        return tut_fail(err, TUT_UNSUPPORTED, "the key's curve is not P-256, P-384 or P-521");
    tut_span number = tut_der_rest(&secret);
    if (number.len != curve->field_bytes)
        return tut_fail(err, TUT_MALFORMED, "%s", unsound);
    BIGNUM *bn = BN_secure_new();
    if (!bn || !BN_bin2bn(number.data, (int)number.len, bn))
        status = tut_fail(err, TUT_NOMEM, "memory ran out");
    else
        status = ec_from_number(curve, bn, point, ret_key, err);
    BN_clear_free(bn);
    return status;
}

/* --- PKCS#8 --- */

static bool is_oid(tut_span oid, const uint8_t *known, size_t len)
{
    return oid.len == len && memcmp(oid.data, known, len) == 0;
}

static tut_status read_pkcs8_fields(tut_span der, tut_span *ret_oid, tut_reader *ret_parameters,
                                    tut_span *ret_secret)
{
    tut_reader r = tut_reader_of(der);
    tut_reader outer, version, algorithm, oid, secret;
    uint8_t number;
    TUT_TRY(tut_der_expect(&r, TUT_DER_SEQUENCE, &outer));
    TUT_TRY(tut_der_expect(&outer, TUT_DER_INTEGER, &version));
    TUT_TRY(tut_reader_u8(&version, &number));
    if (tut_reader_left(&r) || tut_reader_left(&version) || number > 1)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_der_expect(&outer, TUT_DER_SEQUENCE, &algorithm));
    TUT_TRY(tut_der_expect(&algorithm, TUT_DER_OID, &oid));
    TUT_TRY(tut_der_expect(&outer, TUT_DER_OCTET_STRING, &secret));
    *ret_oid = tut_der_rest(&oid);
    *ret_parameters = algorithm;
    *ret_secret = tut_der_rest(&secret);
    return TUT_SUCCESS;
}

static tut_status read_pkcs8(tut_span der, tut_key **ret_key, tut_error *err)
{
    tut_span oid, secret;
    tut_reader parameters, inner;
    if (!tut_is_ok(read_pkcs8_fields(der, &oid, &parameters, &secret)))
        return tut_fail(err, TUT_MALFORMED, "the private key is not sound DER (PKCS#8)");
    tut_reader r = tut_reader_of(secret);
    if (is_oid(oid, ed25519_oid, sizeof(ed25519_oid))) {
        if (!tut_is_ok(tut_der_expect(&r, TUT_DER_OCTET_STRING, &inner)) || tut_reader_left(&r) ||
            tut_reader_left(&inner) != TUT_ED25519_BYTES)
            return tut_fail(err, TUT_MALFORMED, "the Ed25519 key is not 32 bytes");
        return ed25519_from_seed(tut_der_rest(&inner), ret_key, err);
    }
    if (is_oid(oid, ec_oid, sizeof(ec_oid))) {
        const tut_curve *curve = NULL;
        if (tut_is_ok(tut_der_expect(&parameters, TUT_DER_OID, &inner)))
            curve = tut_curve_by_oid(tut_der_rest(&inner));
        if (!curve)
            return tut_fail(err, TUT_UNSUPPORTED, "the key's curve is not P-256, P-384 or P-521");
        return read_sec1(secret, curve, ret_key, err);
    }
    return tut_fail(err, TUT_UNSUPPORTED,
                    "%s key cannot sign here; use Ed25519 or ECDSA on P-256, P-384 or P-521",
                    is_oid(oid, rsa_oid, sizeof(rsa_oid)) ? "an RSA" : "this kind of");
}

tut_status tut_key_from_der(tut_span der, bool is_sec1, tut_key **ret_key, tut_error *err)
{
    tut_openssl_secure();
    return is_sec1 ? read_sec1(der, NULL, ret_key, err) : read_pkcs8(der, ret_key, err);
}

/* --- making --- */

tut_status tut_key_generate(tut_key_type type, tut_key **ret_key, tut_error *err)
{
    tut_openssl_secure();
    const tut_curve *curve = tut_curve_of(type);
    if (type == TUT_KEY_ED25519) {
        EVP_PKEY *pkey = EVP_PKEY_Q_keygen(tut_openssl(), NULL, "ED25519");
        return pkey ? wrap_ed25519(pkey, ret_key, err) : out_of_openssl(err);
    }
    if (!curve)
        return tut_fail(err, TUT_UNSUPPORTED, "%s keys are for verifying only",
                        tut_key_type_name(type));
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(tut_openssl(), NULL, "EC", curve->group);
    uint8_t point[TUT_EC_POINT_MAX];
    size_t len = 0;
    tut_pubkey *pub = NULL;
    tut_status status = pkey && EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
                                                                point, sizeof(point), &len) == 1
                            ? tut_pubkey_from_point(curve, tut_span_of(point, len), &pub, err)
                            : out_of_openssl(err);
    if (!tut_is_ok(status)) {
        EVP_PKEY_free(pkey);
        return status;
    }
    return wrap(pkey, pub, ret_key, err);
}
