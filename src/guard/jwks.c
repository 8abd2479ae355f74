#include "guard/jwks.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "base/json.h"
#include "base/limits.h"
#include "crypto/openssl.h"
#include "guard/policy_access.h"

enum { P256_FIELD = 32, ED25519_KEY = 32, RSA_EXPONENT_BYTES = 8 };

void tut_jwks_free(tut_jwks *jwks)
{
    if (!jwks)
        return;
    for (size_t i = 0; i < jwks->count; i++) {
        EVP_PKEY_free(jwks->keys[i].pkey);
        tut_free(jwks->keys[i].kid);
    }
    tut_free(jwks->keys);
    tut_free(jwks);
}

tut_status tut_base64url_read(tut_str text, tut_buf *out)
{
    size_t before = out->len;
    uint32_t bits = 0;
    unsigned have = 0;
    if (text.len % 4 == 1)
        return tut_fail(NULL, TUT_MALFORMED, "base64url of an impossible length");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        int digit = c == '+' || c == '/' ? -1 : tut_base64_digit(c);
        if (digit < 0) {
            out->len = before;
            return tut_fail(NULL, TUT_MALFORMED, "not base64url");
        }
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            tut_buf_add_byte(out, (uint8_t)(bits >> have));
            bits &= (1u << have) - 1;
        }
    }
    if (bits != 0) { /* another text for the same bytes */
        out->len = before;
        return tut_fail(NULL, TUT_MALFORMED, "base64url with stray bits");
    }
    return tut_buf_check(out, NULL);
}

static tut_status read_bytes(const tut_json_value *key, const char *name, size_t most, tut_buf *out,
                             tut_error *err)
{
    const tut_json_value *v = tut_json_get(key, name);
    if (!v || v->type != TUT_JSON_STRING || v->as.string.len > most * 4 / 3 + 4)
        return tut_fail(err, TUT_MALFORMED, "\"%s\" of a key is no text of at most %zu bytes", name,
                        most);
    tut_status status = tut_base64url_read(v->as.string, out);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status) || out->len > most || out->len == 0)
        return tut_fail(err, TUT_MALFORMED, "\"%s\" of a key is not base64url of at most %zu bytes",
                        name, most);
    return TUT_SUCCESS;
}

/* type: OpenSSL's name. The parameters are freed. */
static tut_status make(const char *type, OSSL_PARAM *params, EVP_PKEY **ret_pkey, tut_error *err)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(tut_openssl(), type, NULL);
    bool is_made = ctx && params && EVP_PKEY_fromdata_init(ctx) == 1 &&
                   EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX *check = is_made ? EVP_PKEY_CTX_new_from_pkey(tut_openssl(), pkey, NULL) : NULL;
    bool is_sound = check && EVP_PKEY_public_check(check) == 1;
    EVP_PKEY_CTX_free(check);
    if (is_sound) {
        *ret_pkey = pkey;
        return TUT_SUCCESS;
    }
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return tut_fail(err, TUT_MALFORMED, "a key of type %s is none", type);
}

static tut_status read_rsa(const tut_json_value *v, tut_jwk *k, tut_error *err)
{
    TUT_CLEAN(tut_buf) n = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) e = TUT_BUF_INIT;
    TUT_TRY(read_bytes(v, "n", TUT_LIMIT_RSA_BITS / 8, &n, err));
    TUT_TRY(read_bytes(v, "e", RSA_EXPONENT_BYTES, &e, err));
    BIGNUM *modulus = BN_bin2bn(n.data, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn(e.data, (int)e.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    int bits = modulus ? BN_num_bits(modulus) : 0;
    if (build && modulus && exponent && BN_is_odd(exponent) && BN_num_bits(exponent) > 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    if (bits < TUT_LIMIT_RSA_BITS_LEAST) {
        OSSL_PARAM_free(params);
        return tut_fail(err, TUT_MALFORMED, "an RSA key of %d bits is too weak", bits);
    }
    k->algorithms = TUT_JWT_RS256 | TUT_JWT_PS256;
    return make("RSA", params, &k->pkey, err);
}

static tut_status read_ec(const tut_json_value *v, tut_jwk *k, tut_error *err)
{
    static char group[] = "prime256v1";
    uint8_t point[1 + 2 * P256_FIELD] = {4};
    TUT_CLEAN(tut_buf) x = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) y = TUT_BUF_INIT;
    if (!tut_str_eq_z(tut_json_get_text(v, "crv"), "P-256"))
        return TUT_SUCCESS;
    TUT_TRY(read_bytes(v, "x", P256_FIELD, &x, err));
    TUT_TRY(read_bytes(v, "y", P256_FIELD, &y, err));
    if (x.len != P256_FIELD || y.len != P256_FIELD)
        return tut_fail(err, TUT_MALFORMED, "a coordinate of P-256 has 32 bytes");
    memcpy(point + 1, x.data, P256_FIELD);
    memcpy(point + 1 + P256_FIELD, y.data, P256_FIELD);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (build &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    OSSL_PARAM_BLD_free(build);
    k->algorithms = TUT_JWT_ES256;
    return make("EC", params, &k->pkey, err);
}

static tut_status read_okp(const tut_json_value *v, tut_jwk *k, tut_error *err)
{
    TUT_CLEAN(tut_buf) x = TUT_BUF_INIT;
    if (!tut_str_eq_z(tut_json_get_text(v, "crv"), "Ed25519"))
        return TUT_SUCCESS;
    TUT_TRY(read_bytes(v, "x", ED25519_KEY, &x, err));
    if (x.len == ED25519_KEY)
        k->pkey = EVP_PKEY_new_raw_public_key_ex(tut_openssl(), "ED25519", NULL, x.data, x.len);
    if (!k->pkey)
        return tut_fail(err, TUT_MALFORMED, "an Ed25519 key has 32 bytes");
    k->algorithms = TUT_JWT_EDDSA;
    return TUT_SUCCESS;
}

/* What the key says of its own use. False: not for checking signatures with what is known here. */
static bool narrow(const tut_json_value *v, tut_jwk *k)
{
    static const char *const names[] = {"RS256", "PS256", "ES256", "EdDSA"};
    tut_str use = tut_json_get_text(v, "use"), alg = tut_json_get_text(v, "alg");
    const tut_json_value *ops = tut_json_get(v, "key_ops");
    bool may_verify = ops == NULL;
    for (uint32_t i = 0; i < tut_json_count(ops); i++)
        may_verify |= tut_str_eq_z(tut_json_text(tut_json_item(ops, i)), "verify");
    if (!may_verify || (tut_json_get(v, "use") && !tut_str_eq_z(use, "sig")))
        return false;
    if (!tut_json_get(v, "alg"))
        return true;
    unsigned named = tut_str_eq_z(alg, "Ed25519") ? TUT_JWT_EDDSA : 0; /* RFC 9864 */
    for (size_t i = 0; i < TUT_COUNT(names); i++)
        named |= tut_str_eq_z(alg, names[i]) ? 1u << i : 0;
    k->algorithms &= named;
    return k->algorithms != 0;
}

static tut_status read_key(const tut_json_value *v, tut_jwks *set, tut_error *err)
{
    static const char *const secrets[] = {"d", "p", "q", "dp", "dq", "qi", "k"};
    tut_jwk *k = &set->keys[set->count];
    tut_str type = tut_json_get_text(v, "kty"), kid = tut_json_get_text(v, "kid");
    if (v->type != TUT_JSON_OBJECT || type.len == 0)
        return tut_fail(err, TUT_MALFORMED, "a key of the set is no object with a kty");
    for (size_t i = 0; i < TUT_COUNT(secrets); i++)
        if (tut_json_get(v, secrets[i]))
            return tut_fail(err, TUT_MALFORMED,
                            "the set holds a key that is not public (\"%s\"); whoever could read "
                            "this file can make tokens with it",
                            secrets[i]);
    for (size_t i = 0; i < set->count; i++)
        if (kid.len && set->keys[i].kid && set->keys[i].kid_len == kid.len &&
            memcmp(set->keys[i].kid, kid.data, kid.len) == 0)
            return tut_fail(err, TUT_MALFORMED, "two keys of the set have the same id");
    if (tut_str_eq_z(type, "RSA"))
        TUT_TRY(read_rsa(v, k, err));
    else if (tut_str_eq_z(type, "EC"))
        TUT_TRY(read_ec(v, k, err));
    else if (tut_str_eq_z(type, "OKP"))
        TUT_TRY(read_okp(v, k, err));
    if (!k->pkey || !narrow(v, k)) {
        EVP_PKEY_free(k->pkey);
        *k = (tut_jwk){0};
        set->passed_over++;
        return TUT_SUCCESS;
    }
    set->count++; /* from here on it is freed with the set */
    if (kid.len) {
        k->kid = tut_strndup(kid.data, kid.len);
        k->kid_len = kid.len;
        if (!k->kid)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return TUT_SUCCESS;
}

tut_status tut_jwks_parse(tut_span json, tut_jwks **ret_jwks, tut_error *err)
{
    tut_json_options options = {.max_depth = TUT_LIMIT_JWT_DEPTH};
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (json.len > TUT_LIMIT_JWKS_BYTES)
        return tut_fail(err, TUT_LIMIT, "a set of keys has at most %u bytes", TUT_LIMIT_JWKS_BYTES);
    TUT_TRY(tut_json_parse(json, &options, &doc, err));
    const tut_json_value *list = tut_json_get(tut_json_root(doc), "keys");
    if (!list || list->type != TUT_JSON_ARRAY)
        return tut_fail(err, TUT_MALFORMED, "not a set of keys: no \"keys\"");
    if (tut_json_count(list) > TUT_LIMIT_JWKS_KEYS)
        return tut_fail(err, TUT_LIMIT, "a set has at most %u keys", TUT_LIMIT_JWKS_KEYS);
    TUT_AUTO(tut_jwks) set = tut_alloc_array(1, sizeof(*set));
    if (set)
        set->keys = tut_alloc_array(tut_json_count(list) + 1u, sizeof(*set->keys));
    if (!set || !set->keys)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        TUT_TRY(read_key(tut_json_item(list, i), set, err));
    *ret_jwks = tut_move(&set);
    return TUT_SUCCESS;
}
