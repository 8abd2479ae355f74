/* Tokens: the vectors of RFC 7515 and 8037, tokens of four algorithms, and what RFC 8725 warns of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "guard/jwt.h"
#include "unit/jwt_maker.h"

#define RFC_CLAIMS                                                                                 \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "f"                                                                                            \
    "Q"
#define RFC_RSA                                                                                    \
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_"                       \
    "wWJcyQoTbji9k0l8W26mPddx"                                                                     \
    "HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9w" \
    "Gzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZl" \
    "xvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4F" \
    "RWyuXpoQ\",\"e\":\"AQAB\"}]}"
#define RFC_RS256                                                                                  \
    "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS                                                             \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"       \
    "O8W2Fp5"                                                                                      \
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"                                           \
    "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L"                                                 \
    "07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"                                                \
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUi"                                            \
    "pUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RFC_EC                                                                                     \
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"                                          \
    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVE"                                                 \
    "U\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}"
#define RFC_ES256                                                                                  \
    "eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS                                                             \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RFC_OKP                                                                                    \
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"                       \
    "7TyWQHOg7hcvPapiMlrwIaaPcH"                                                                   \
    "URo\"}]}"
#define RFC_EDDSA                                                                                  \
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvM" \
    "g3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

enum { NOW = 1300819000 };

static tut_str audience[] = {{"guard", 5}};
static tut_guard_jwt rules = {.issuer = {"joe", 3},
                              .audiences = {audience, 1},
                              .leeway = 30,
                              .algorithms = TUT_JWT_RS256 | TUT_JWT_PS256 | TUT_JWT_ES256 |
                                            TUT_JWT_EDDSA};

static tut_jwks *parse_set(const char *text)
{
    tut_jwks *set = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_jwks_parse(tut_span_of(text, strlen(text)), &set, &err)))
        fail_msg("%s", err.text);
    return set;
}

static tut_code verify(const tut_jwks *set, tut_str token, tut_error *err)
{
    tut_jwt jwt = {0};
    *err = (tut_error){0};
    tut_status status = tut_jwt_verify(token, set, &rules, NOW, &jwt, err);
    if (tut_is_ok(status))
        tut_jwt_done(&jwt);
    return status.code;
}

/* --- the standards' own --- */
static void vectors_of_the_standards_are_good(void **state)
{
    static const struct {
        const char *set, *token;
        tut_code then; /* after the signature: the claims are not for us */
        const char *why;
    } rows[] = {{RFC_RSA, RFC_RS256, TUT_DENIED, "(aud)"},
                {RFC_EC, RFC_ES256, TUT_DENIED, "(aud)"},
                {RFC_OKP, RFC_EDDSA, TUT_MALFORMED, "body"}};
    tut_error err;
    (void)state;
    for (size_t i = 0; i < TUT_COUNT(rows); i++) {
        TUT_AUTO(tut_jwks) set = parse_set(rows[i].set);
        char token[1024];
        size_t len = strlen(rows[i].token);
        assert_int_equal(verify(set, tut_str_of(rows[i].token), &err), rows[i].then);
        assert_non_null(strstr(err.text, rows[i].why));
        for (size_t at = 0; at < len; at++) { /* each byte of it counts */
            memcpy(token, rows[i].token, len + 1);
            token[at] = token[at] == 'A' ? 'Q' : 'A'; /* differs in a bit that counts at the end */
            tut_code code = verify(set, tut_str_of(token), &err);
            assert_true(code == TUT_CRYPTO || code == TUT_MALFORMED || code == TUT_DENIED);
            assert_null(strstr(err.text, rows[i].why));
        }
        for (size_t cut = 0; cut < len; cut++)
            assert_true(verify(set, (tut_str){rows[i].token, cut}, &err) != TUT_OK);
    }
}

/* --- our own --- */
static EVP_PKEY *keys[4];
static tut_jwks *all; /* ids "k0" to "k3" */

static int make_keys(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)state;
    tut_buf_add_z(&text, "{\"keys\":[");
    for (unsigned i = 0; i < 4; i++) {
        char more[64];
        snprintf(more, sizeof(more), ",\"kid\":\"k%u\",\"alg\":\"%s\",\"use\":\"sig\"", i,
                 maker_names[i]);
        keys[i] = make_key((maker_alg)i);
        add_jwk(&text, keys[i], (maker_alg)i, more);
        tut_buf_add_byte(&text, ',');
    }
    tut_buf_add_z(&text, "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}]}");
    all = parse_set(tut_buf_z(&text));
    return all->count == 4 && all->passed_over == 1 ? 0 : 1;
}

static int drop_keys(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        EVP_PKEY_free(keys[i]);
    tut_jwks_free(all);
    return 0;
}

static tut_code check(unsigned key, const char *header, const char *claims, tut_error *err)
{
    TUT_CLEAN(tut_buf) token = TUT_BUF_INIT;
    sign_token(&token, keys[key], (maker_alg)key, header, claims);
    return verify(all, tut_buf_str(&token), err);
}

#define GOOD_CLAIMS "{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380,\"sub\":\"x\"}"

static void four_algorithms_are_verified(void **state)
{
    (void)state;
    tut_error err;
    for (unsigned i = 0; i < 4; i++) {
        char header[96];
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k%u\",\"typ\":\"JWT\"}",
                 maker_names[i], i);
        assert_int_equal(check(i, header, GOOD_CLAIMS, &err), TUT_OK);
        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", maker_names[i]); /* the only one */
        assert_int_equal(check(i, header, GOOD_CLAIMS, &err), TUT_OK);
    }
    rules.algorithms = TUT_JWT_EDDSA;
    assert_int_equal(check(ES256, "{\"alg\":\"ES256\"}", GOOD_CLAIMS, &err), TUT_DENIED);
    assert_int_equal(check(EDDSA, "{\"alg\":\"EdDSA\"}", GOOD_CLAIMS, &err), TUT_OK);
    assert_int_equal(check(EDDSA, "{\"alg\":\"Ed25519\"}", GOOD_CLAIMS, &err), TUT_OK);
    rules.algorithms = TUT_JWT_RS256 | TUT_JWT_PS256 | TUT_JWT_ES256 | TUT_JWT_EDDSA;
}

static void header_cannot_choose_how_it_is_checked(void **state)
{
    static const struct {
        unsigned key;
        const char *header;
        tut_code code;
    } rows[] = {
        {RS256, "{\"alg\":\"none\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"None\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"\"}", TUT_DENIED},
        {RS256, "{}", TUT_DENIED},
        {RS256, "{\"alg\":7}", TUT_DENIED},
        {RS256, "{\"alg\":\"HS256\",\"kid\":\"k0\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS512\",\"kid\":\"k0\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"rs256\",\"kid\":\"k0\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"k0\"}", TUT_MALFORMED},
        {RS256, "{\"alg\":\"PS256\",\"kid\":\"k0\"}", TUT_DENIED}, /* the key is for RS256 */
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"k1\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"../k0\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"k0\\u0000\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":[\"k0\"]}", TUT_MALFORMED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"k0\",\"crit\":[\"b64\"],\"b64\":false}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"k0\",\"crit\":[]}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"k0\",\"typ\":\"logout+jwt\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"k0\",\"typ\":\"dpop+jwt\"}", TUT_DENIED},
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"k0\",\"typ\":1}", TUT_DENIED},
        {ES256, "{\"alg\":\"EdDSA\"}", TUT_CRYPTO}, /* another's key */
        {RS256, "{\"alg\":\"RS256\",\"kid\":\"k0\",\"jku\":\"https://evil.example/\",\"jwk\":{}}",
         TUT_OK}, /* what it offers is not even looked at */
    };
    tut_error err;
    (void)state;
    for (size_t i = 0; i < TUT_COUNT(rows); i++)
        if (check(rows[i].key, rows[i].header, GOOD_CLAIMS, &err) != rows[i].code)
            fail_msg("%s: %s, %s", rows[i].header, tut_code_name(err.code), err.text);
}

/* RS256's public key as an HMAC secret, a token without a signature, one that is signed by a key of
 * its own header: what libraries have fallen for. */
static void forged_tokens_are_refused(void **state)
{
    TUT_CLEAN(tut_buf) token = TUT_BUF_INIT;
    tut_error err;
    EVP_PKEY *evil = make_key(RS256);
    (void)state;
    sign_token(&token, evil, RS256, "{\"alg\":\"RS256\",\"kid\":\"k0\"}", GOOD_CLAIMS);
    assert_int_equal(verify(all, tut_buf_str(&token), &err), TUT_CRYPTO);
    EVP_PKEY_free(evil);
    tut_buf_clear(&token);
    add_base64url(&token, "{\"alg\":\"none\"}", 14);
    tut_buf_add_byte(&token, '.');
    add_base64url(&token, GOOD_CLAIMS, strlen(GOOD_CLAIMS));
    tut_buf_add_byte(&token, '.');
    assert_int_equal(verify(all, tut_buf_str(&token), &err), TUT_DENIED);
    tut_buf_clear(&token);
    add_base64url(&token, "{\"alg\":\"ES256\"}", 15);
    tut_buf_add_byte(&token, '.');
    add_base64url(&token, GOOD_CLAIMS, strlen(GOOD_CLAIMS));
    tut_buf_add_byte(&token, '.');
    assert_int_equal(verify(all, tut_buf_str(&token), &err), TUT_CRYPTO); /* empty */
    uint8_t zeros[64] = {0};
    add_base64url(&token, zeros, sizeof(zeros)); /* r = s = 0 (CVE-2022-21449) */
    assert_int_equal(verify(all, tut_buf_str(&token), &err), TUT_CRYPTO);
    sign_token(&token, keys[ES256], ES256, "{\"alg\":\"ES256\"}", GOOD_CLAIMS);
    assert_int_equal(verify(all, tut_buf_str(&token), &err), TUT_MALFORMED); /* five parts */
    assert_int_equal(verify(all, TUT_LIT(".."), &err), TUT_MALFORMED);
}

static void claims_are_checked(void **state)
{
    static const struct {
        const char *claims;
        tut_code code;
        const char *why;
    } rows[] = {
        {"{\"iss\":\"joe\",\"aud\":[\"a\",\"guard\"],\"exp\":1300819380}", TUT_OK, ""},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380.75}", TUT_OK, ""},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300818971}", TUT_OK, ""}, /* leeway */
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300818970}", TUT_DENIED, "expired"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\"}", TUT_DENIED, "expires"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":\"1300819380\"}", TUT_DENIED, "expires"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":null}", TUT_DENIED, "expires"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1e300}", TUT_DENIED, "expires"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":-1}", TUT_DENIED, "expires"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":18446744073709551615}", TUT_DENIED, "expires"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380,\"nbf\":1300819030}", TUT_OK, ""},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380,\"nbf\":1300819031}", TUT_DENIED,
         "not valid yet"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380,\"iat\":1300829031}", TUT_DENIED,
         "not valid yet"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380,\"nbf\":\"soon\"}", TUT_DENIED,
         "no time"},
        {"{\"iss\":\"eve\",\"aud\":\"guard\",\"exp\":1300819380}", TUT_DENIED, "issuer"},
        {"{\"iss\":[\"joe\"],\"aud\":\"guard\",\"exp\":1300819380}", TUT_DENIED, "issuer"},
        {"{\"aud\":\"guard\",\"exp\":1300819380}", TUT_DENIED, "issuer"},
        {"{\"iss\":\"joe\",\"aud\":\"guardian\",\"exp\":1300819380}", TUT_DENIED, "(aud)"},
        {"{\"iss\":\"joe\",\"aud\":{\"guard\":1},\"exp\":1300819380}", TUT_DENIED, "(aud)"},
        {"{\"iss\":\"joe\",\"exp\":1300819380}", TUT_DENIED, "(aud)"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380,\"sub\":7}", TUT_DENIED, "subject"},
        {"{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380,\"sub\":\"a\\u0000b\"}", TUT_DENIED,
         "subject"},
        {"{\"iss\":\"eve\",\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380}", TUT_MALFORMED,
         "body"},
        {"[]", TUT_MALFORMED, "body"},
        {"{\"iss\":\"joe\"", TUT_MALFORMED, "body"},
    };
    tut_error err;
    (void)state;
    for (size_t i = 0; i < TUT_COUNT(rows); i++) {
        tut_code code = check(EDDSA, "{\"alg\":\"EdDSA\"}", rows[i].claims, &err);
        if (code != rows[i].code || !strstr(err.text, rows[i].why))
            fail_msg("%s: %s, %s", rows[i].claims, tut_code_name(code), err.text);
    }
}

static void claims_are_found(void **state)
{
    TUT_CLEAN(tut_buf) token = TUT_BUF_INIT;
    tut_jwt jwt = {0};
    tut_error err = {0};
    (void)state;
    sign_token(&token, keys[EDDSA], EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"k3\"}",
               "{\"iss\":\"joe\",\"aud\":\"guard\",\"exp\":1300819380,\"sub\":\"alice\","
               "\"team\":\"support\",\"roles\":[\"a\",\"b\"],\"scope\":\"read write\",\"n\":1}");
    assert_int_equal(tut_jwt_verify(tut_buf_str(&token), all, &rules, NOW, &jwt, &err).code,
                     TUT_OK);
    assert_true(tut_str_eq_z(jwt.subject, "alice"));
    assert_int_equal(jwt.expires, 1300819380);
    assert_string_equal(jwt.kid, "k3");
    assert_true(tut_jwt_claims(&jwt, TUT_LIT("team"), TUT_LIT("support")));
    assert_false(tut_jwt_claims(&jwt, TUT_LIT("team"), TUT_LIT("supp")));
    assert_true(tut_jwt_claims(&jwt, TUT_LIT("roles"), TUT_LIT("b")));
    assert_true(tut_jwt_claims(&jwt, TUT_LIT("scope"), TUT_LIT("write")));
    assert_false(tut_jwt_claims(&jwt, TUT_LIT("scope"), TUT_LIT("writ")));
    assert_false(tut_jwt_claims(&jwt, TUT_LIT("scope"), TUT_LIT("")));
    assert_false(tut_jwt_claims(&jwt, TUT_LIT("n"), TUT_LIT("1")));
    assert_false(tut_jwt_claims(&jwt, TUT_LIT("other"), TUT_LIT("")));
    tut_jwt_done(&jwt);
}

static void reasons_hold_nothing_of_the_token(void **state)
{
    TUT_CLEAN(tut_buf) token = TUT_BUF_INIT;
    tut_error err;
    (void)state;
    sign_token(&token, keys[EDDSA], EDDSA, "{\"alg\":\"EdDSA\"}",
               "{\"iss\":\"SECRETissuer\",\"aud\":\"SECRETaud\",\"exp\":1,\"sub\":\"SECRETsub\"}");
    assert_int_equal(verify(all, tut_buf_str(&token), &err), TUT_DENIED);
    assert_null(strstr(err.text, "SECRET"));
    tut_buf_clear(&token);
    sign_token(&token, keys[EDDSA], EDDSA, "{\"alg\":\"HS\\u001b[31m256-very-long-indeed\"}", "{}");
    assert_int_equal(verify(all, tut_buf_str(&token), &err), TUT_DENIED);
    assert_null(strchr(err.text, '\x1b'));
}

/* --- sets --- */
static void sets_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"{}", "no \"keys\""},
        {"{\"keys\":{}}", "no \"keys\""},
        {"[]", "no \"keys\""},
        {"{\"keys\":[7]}", "kty"},
        {"{\"keys\":[{\"n\":\"AQ\"}]}", "kty"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", "not public"},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
         "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"d\":\"AA\"}]}",
         "not public"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "too weak"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQABAQABAQABAQAB\"}]}", "8 bytes"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\"}]}", "\"n\""},
        {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
         "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
         "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}]}",
         "base64url"},
        {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
         "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
         "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw\"}]}",
         "EC is none"}, /* not on the curve */
        {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}", "32 bytes"},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}", "32 bytes"},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"1+qY\"}]}", "base64url"},
        {"{\"keys\":[{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"Ed25519\",\"x\":"
         "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},{\"kty\":\"RSA\",\"kid\":\"a\"}]}",
         "same id"},
    };
    (void)state;
    for (size_t i = 0; i < TUT_COUNT(rows); i++) {
        tut_jwks *set = NULL;
        tut_error err = {0};
        tut_status status = tut_jwks_parse(tut_span_of(rows[i].text, strlen(rows[i].text)), &set,
                                           &err);
        if (tut_is_ok(status) || !strstr(err.text, rows[i].why))
            fail_msg("%s: %s", rows[i].text, err.text);
    }
}

static void keys_for_other_uses_are_passed_over(void **state)
{
    (void)state;
    tut_jwks *set = parse_set(
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"enc\",\"x\":"
        "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},{\"kty\":\"OKP\",\"crv\":\"X25519\","
        "\"x\":\"AA\"},{\"kty\":\"new\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":["
        "\"sign\"],"
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},{\"kty\":\"OKP\",\"crv\":"
        "\"Ed25519\","
        "\"alg\":\"RS256\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}");
    assert_int_equal(set->count, 0);
    assert_int_equal(set->passed_over, 5);
    tut_jwks_free(set);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    TUT_CLEAN(tut_buf) token = TUT_BUF_INIT;
    (void)state;
    sign_token(&token, keys[EDDSA], EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"k3\"}", GOOD_CLAIMS);
    bool was_good = false;
    for (uint64_t n = 1; n < 200 && !was_good; n++) {
        tut_jwks *set = NULL;
        tut_jwt jwt = {0};
        tut_alloc_fail_after(n);
        tut_status status = tut_jwks_parse(tut_span_of(RFC_RSA, strlen(RFC_RSA)), &set, NULL);
        if (tut_is_ok(status))
            status = tut_jwt_verify(tut_buf_str(&token), all, &rules, NOW, &jwt, NULL);
        tut_alloc_fail_after(0);
        assert_true(status.code == TUT_OK || status.code == TUT_NOMEM);
        was_good = tut_is_ok(status);
        if (was_good)
            tut_jwt_done(&jwt);
        tut_jwks_free(set);
    }
    assert_true(was_good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_standards_are_good),
        cmocka_unit_test(four_algorithms_are_verified),
        cmocka_unit_test(header_cannot_choose_how_it_is_checked),
        cmocka_unit_test(forged_tokens_are_refused),
        cmocka_unit_test(claims_are_checked),
        cmocka_unit_test(claims_are_found),
        cmocka_unit_test(reasons_hold_nothing_of_the_token),
        cmocka_unit_test(sets_are_refused_with_the_reason),
        cmocka_unit_test(keys_for_other_uses_are_passed_over),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
