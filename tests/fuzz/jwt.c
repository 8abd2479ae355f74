/* Tokens and sets of keys from outside: a set; a token against fixed sets; claims, signed here so
 * that they are looked at. Whatever they hold, they are refused with a reason or are in order. */
#include <stdlib.h>

#include "guard/jwt.h"
#include "unit/jwt_maker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1300819000 };

static tut_str audience[] = {{"guard", 5}};
static const tut_guard_jwt rules = {.issuer = {"joe", 3},
                                    .audiences = {audience, 1},
                                    .leeway = 30,
                                    .algorithms = TUT_JWT_RS256 | TUT_JWT_PS256 | TUT_JWT_ES256 |
                                                  TUT_JWT_EDDSA};
/* That of RFC 8037, whose secret half is there too. */
static const char set_text[] =
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":"
    "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
    "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
static const uint8_t secret[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                   0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                   0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};

static tut_jwks *set;
static EVP_PKEY *key;

static void open_world(void)
{
    if (set)
        return;
    key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, secret, sizeof(secret));
    if (!key ||
        !tut_is_ok(tut_jwks_parse(tut_span_of(set_text, sizeof(set_text) - 1), &set, NULL)) ||
        set->count != 2)
        abort();
}

static void check(tut_str token)
{
    tut_jwt jwt = {0};
    tut_error err = {0};
    tut_status status = tut_jwt_verify(token, set, &rules, NOW, &jwt, &err);
    if (!tut_is_ok(status)) {
        if (!err.text[0] || status.code == TUT_BUG)
            abort();
        return;
    }
    if (jwt.expires + (tut_time)rules.leeway <= NOW ||
        !tut_jwt_claims(&jwt, TUT_LIT("iss"), rules.issuer))
        abort();
    (void)tut_jwt_claims(&jwt, TUT_LIT("scope"), TUT_LIT("a"));
    tut_jwt_done(&jwt);
}

static void check_set(tut_span text)
{
    tut_jwks *own = NULL;
    tut_error err = {0};
    tut_status status = tut_jwks_parse(text, &own, &err);
    if (tut_is_ok(status) ? own->count > text.len : !err.text[0])
        abort();
    tut_jwks_free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_CLEAN(tut_buf) token = TUT_BUF_INIT;
    open_world();
    if (size == 0)
        return 0;
    tut_str rest = {(const char *)data + 1, size - 1};
    if (data[0] == 's') {
        check_set(tut_span_of(rest.data, rest.len));
    } else if (data[0] == 't') {
        check(rest);
    } else {
        char *claims = strndup(rest.data, rest.len);
        if (!claims)
            abort();
        sign_token(&token, key, EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"a\"}", claims);
        free(claims);
        check(tut_buf_str(&token));
    }
    return 0;
}
