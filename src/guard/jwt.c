#include "guard/jwt.h"

#include <math.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/limits.h"
#include "crypto/openssl.h"

enum { ES256_BYTES = 64, SUBJECT_MOST = 255 };

typedef struct algorithm {
    const char *name;
    unsigned bit;
    bool is_hashed, is_pss, is_ecdsa;
} algorithm;

static const algorithm algorithms[] = {
    {"RS256", TUT_JWT_RS256, true, false, false},    {"PS256", TUT_JWT_PS256, true, true, false},
    {"ES256", TUT_JWT_ES256, true, false, true},     {"EdDSA", TUT_JWT_EDDSA, false, false, false},
    {"Ed25519", TUT_JWT_EDDSA, false, false, false}, /* its name since RFC 9864 */
};

void tut_jwt_done(tut_jwt *jwt)
{
    tut_json_doc_free(jwt->doc);
    *jwt = (tut_jwt){0};
}

/* --- the three parts --- */
typedef struct parts {
    tut_str header, claims, signature; /* as they stand */
    tut_str signed_part;
} parts;

static tut_status split(tut_str token, parts *ret_parts, tut_error *err)
{
    const char *first = NULL, *second = NULL;
    size_t dots = 0;
    if (token.len > TUT_LIMIT_JWT_BYTES)
        return tut_fail(err, TUT_LIMIT, "a token has at most %u bytes", TUT_LIMIT_JWT_BYTES);
    for (size_t i = 0; i < token.len; i++) {
        if (token.data[i] != '.')
            continue;
        dots++;
        first = dots == 1 ? token.data + i : first;
        second = dots == 2 ? token.data + i : second;
    }
    if (dots != 2)
        return tut_fail(err, TUT_MALFORMED, "not a signed token: it has no three parts");
    const char *end = token.data + token.len;
    *ret_parts = (parts){.header = {token.data, (size_t)(first - token.data)},
                         .claims = {first + 1, (size_t)(second - first - 1)},
                         .signature = {second + 1, (size_t)(end - second - 1)},
                         .signed_part = {token.data, (size_t)(second - token.data)}};
    return TUT_SUCCESS;
}

static tut_status read_json(tut_str part, const char *what, tut_json_doc **ret_doc, tut_error *err)
{
    tut_json_options options = {.max_depth = TUT_LIMIT_JWT_DEPTH};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status status = tut_base64url_read(part, &text);
    if (tut_is_ok(status))
        status = tut_json_parse(tut_buf_span(&text), &options, ret_doc, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status) || tut_json_root(*ret_doc)->type != TUT_JSON_OBJECT)
        return tut_fail(err, TUT_MALFORMED, "the %s of the token is no JSON object in base64url",
                        what);
    return TUT_SUCCESS;
}

/* --- its header --- */
static bool is_type(const tut_json_value *header)
{
    static const char *const known[] = {"JWT", "at+jwt", "application/at+jwt", "application/jwt"};
    const tut_json_value *type = tut_json_get(header, "typ");
    if (!type)
        return true;
    for (size_t i = 0; i < TUT_COUNT(known); i++)
        if (tut_str_ieq(tut_json_text(type), tut_str_of(known[i])))
            return true;
    return false;
}

static tut_status read_header(const tut_json_value *header, const tut_guard_jwt *rules,
                              const algorithm **ret_algorithm, tut_error *err)
{
    tut_str name = tut_json_get_text(header, "alg");
    const algorithm *found = NULL;
    for (size_t i = 0; i < TUT_COUNT(algorithms); i++)
        if (tut_str_eq_z(name, algorithms[i].name) && (rules->algorithms & algorithms[i].bit))
            found = &algorithms[i];
    if (!found) {
        TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
        tut_buf_add_escaped(&shown, name, 16);
        const char *text = tut_buf_z(&shown);
        return tut_fail(err, TUT_DENIED, "algorithm \"%s\" is none of the policy's",
                        text ? text : "");
    }
    if (tut_json_get(header, "crit"))
        return tut_fail(err, TUT_DENIED, "the token has extensions that must be understood");
    if (!is_type(header))
        return tut_fail(err, TUT_DENIED, "the token is of another type than JWT or at+jwt");
    *ret_algorithm = found;
    return TUT_SUCCESS;
}

/* By its id where the token names one; else the only key that fits. */
static tut_status choose_key(const tut_json_value *header, const tut_jwks *keys,
                             const algorithm *alg, const tut_jwk **ret_key, tut_error *err)
{
    const tut_json_value *kid = tut_json_get(header, "kid");
    const tut_jwk *found = NULL;
    size_t count = 0;
    if (kid && kid->type != TUT_JSON_STRING)
        return tut_fail(err, TUT_MALFORMED, "the id of the token's key is no text");
    for (size_t i = 0; i < keys->count; i++) {
        const tut_jwk *k = &keys->keys[i];
        if (kid && (!k->kid || !tut_str_eq(kid->as.string, (tut_str){k->kid, k->kid_len})))
            continue;
        if (!(k->algorithms & alg->bit))
            continue;
        found = k;
        count++;
    }
    if (count != 1)
        return tut_fail(err, TUT_DENIED,
                        kid ? "no key of the set has the id that the token names, and is for %s"
                            : "the token names no key, and not exactly one is for %s",
                        alg->name);
    *ret_key = found;
    return TUT_SUCCESS;
}

/* --- its signature --- */
/* r || s as DER, which OpenSSL wants. The caller frees with OPENSSL_free; 0: impossible. */
static int ecdsa_der(tut_span raw, unsigned char **ret_der)
{
    if (raw.len != ES256_BYTES)
        return 0;
    BIGNUM *r = BN_bin2bn(raw.data, ES256_BYTES / 2, NULL);
    BIGNUM *s = BN_bin2bn(raw.data + ES256_BYTES / 2, ES256_BYTES / 2, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    int len = 0;
    if (r && s && sig && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* owned by sig now */
        len = i2d_ECDSA_SIG(sig, ret_der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len;
}

static bool is_good(const tut_jwk *key, const algorithm *alg, tut_span message, tut_span signature)
{
    unsigned char *der = NULL;
    EVP_PKEY_CTX *pctx = NULL; /* owned by ctx */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_ready = ctx && EVP_DigestVerifyInit_ex(ctx, &pctx, alg->is_hashed ? "SHA256" : NULL,
                                                   tut_openssl(), NULL, key->pkey, NULL) == 1;
    if (is_ready && alg->is_pss)
        is_ready = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    if (is_ready && alg->is_ecdsa) {
        int len = ecdsa_der(signature, &der);
        signature = (tut_span){der, len > 0 ? (size_t)len : 0};
        is_ready = len > 0;
    }
    bool is_verified = is_ready && EVP_DigestVerify(ctx, signature.data, signature.len,
                                                    message.data, message.len) == 1;
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return is_verified;
}

/* --- its claims --- */
/* NumericDate: seconds, also with a fraction. False: none. */
static bool read_date(const tut_json_value *claims, const char *name, tut_time *ret)
{
    const double most = 253402300799.0; /* the year 9999 */
    const tut_json_value *v = tut_json_get(claims, name);
    double t = v && v->type == TUT_JSON_INT    ? (double)v->as.integer
               : v && v->type == TUT_JSON_REAL ? v->as.real
                                               : NAN;
    if (!(t >= 0 && t <= most))
        return false;
    *ret = (tut_time)t;
    return true;
}

static bool holds(const tut_json_value *v, tut_str text)
{
    if (!v)
        return false;
    if (v->type == TUT_JSON_STRING)
        return tut_str_eq(v->as.string, text);
    for (uint32_t i = 0; v->type == TUT_JSON_ARRAY && i < tut_json_count(v); i++) {
        const tut_json_value *item = tut_json_item(v, i);
        if (item->type == TUT_JSON_STRING && tut_str_eq(item->as.string, text))
            return true;
    }
    return false;
}

static tut_status check_times(const tut_json_value *claims, tut_time leeway, tut_time now,
                              tut_time *ret_expires, tut_error *err)
{
    static const char *const starts[] = {"nbf", "iat"};
    tut_time t;
    if (!read_date(claims, "exp", ret_expires))
        return tut_fail(err, TUT_DENIED, "the token does not say when it expires");
    if (now >= *ret_expires + leeway)
        return tut_fail(err, TUT_DENIED, "the token has expired");
    for (size_t i = 0; i < TUT_COUNT(starts); i++) {
        if (!tut_json_get(claims, starts[i]))
            continue;
        if (!read_date(claims, starts[i], &t))
            return tut_fail(err, TUT_DENIED, "\"%s\" of the token is no time", starts[i]);
        if (t > now + leeway)
            return tut_fail(err, TUT_DENIED, "the token is not valid yet");
    }
    return TUT_SUCCESS;
}

static tut_status check_claims(const tut_json_value *claims, const tut_guard_jwt *rules,
                               tut_time now, tut_jwt *jwt, tut_error *err)
{
    const tut_json_value *issuer = tut_json_get(claims, "iss");
    const tut_json_value *subject = tut_json_get(claims, "sub");
    bool is_meant = false;
    if (!issuer || issuer->type != TUT_JSON_STRING || !tut_str_eq(issuer->as.string, rules->issuer))
        return tut_fail(err, TUT_DENIED, "the token is of another issuer");
    for (size_t i = 0; i < rules->audiences.count; i++)
        is_meant |= holds(tut_json_get(claims, "aud"), rules->audiences.items[i]);
    if (!is_meant)
        return tut_fail(err, TUT_DENIED, "the token is meant for somebody else (aud)");
    TUT_TRY(check_times(claims, (tut_time)rules->leeway, now, &jwt->expires, err));
    if (subject && (subject->type != TUT_JSON_STRING || subject->as.string.len > SUBJECT_MOST ||
                    memchr(subject->as.string.data, 0, subject->as.string.len)))
        return tut_fail(err, TUT_DENIED, "the subject is no text of at most %d bytes",
                        SUBJECT_MOST);
    jwt->subject = tut_json_text(subject);
    return TUT_SUCCESS;
}

tut_status tut_jwt_verify(tut_str token, const tut_jwks *keys, const tut_guard_jwt *rules,
                          tut_time now, tut_jwt *ret_jwt, tut_error *err)
{
    parts p = {0};
    const algorithm *alg = NULL;
    const tut_jwk *key = NULL;
    TUT_AUTO(tut_json_doc) header = NULL;
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    tut_jwt jwt = {0};
    TUT_TRY(split(token, &p, err));
    TUT_TRY(read_json(p.header, "header", &header, err));
    TUT_TRY(read_header(tut_json_root(header), rules, &alg, err));
    TUT_TRY(choose_key(tut_json_root(header), keys, alg, &key, err));
    tut_status status = tut_base64url_read(p.signature, &signature);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "the signature of the token is not base64url");
    if (!is_good(key, alg, tut_span_of(p.signed_part.data, p.signed_part.len),
                 tut_buf_span(&signature)))
        return tut_fail(err, TUT_CRYPTO, "the signature of the token is not of that key");
    status = read_json(p.claims, "body", &jwt.doc, err);
    if (tut_is_ok(status))
        status = check_claims(tut_json_root(jwt.doc), rules, now, &jwt, err);
    if (!tut_is_ok(status)) {
        tut_jwt_done(&jwt);
        return status;
    }
    tut_str_copy(jwt.kid, sizeof(jwt.kid), (tut_str){key->kid ? key->kid : "", key->kid_len});
    *ret_jwt = jwt;
    return TUT_SUCCESS;
}

bool tut_jwt_claims(const tut_jwt *jwt, tut_str name, tut_str value)
{
    const tut_json_value *root = tut_json_root(jwt->doc);
    for (uint32_t i = 0; i < tut_json_count(root); i++) {
        const tut_json_value *v = tut_json_item(root, i);
        if (!tut_str_eq(v->key, name))
            continue;
        if (holds(v, value))
            return true;
        tut_str rest = tut_str_eq_z(name, "scope") ? tut_json_text(v) : (tut_str){"", 0};
        while (rest.len) {
            size_t len = 0;
            while (len < rest.len && rest.data[len] != ' ')
                len++;
            if (len && tut_str_eq((tut_str){rest.data, len}, value))
                return true;
            len += len < rest.len;
            rest = (tut_str){rest.data + len, rest.len - len};
        }
    }
    return false;
}
