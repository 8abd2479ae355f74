/*
 * The public keys of an issuer of tokens: a JWK Set (RFC 7517) as its jwks_uri gives it out, from a
 * file. Of each key RSA of 2,048 to 8,192 bits, EC P-256 and Ed25519 are known; others are counted
 * and passed over, as an issuer may publish keys for what is not asked of it here.
 */
#ifndef TUT_GUARD_JWKS_H
#define TUT_GUARD_JWKS_H

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/buf.h"

typedef struct tut_jwk {
    char *kid; /* NULL: it has none */
    size_t kid_len;
    unsigned algorithms; /* TUT_JWT_* that it may be used with */
    EVP_PKEY *pkey;
} tut_jwk;

typedef struct tut_jwks {
    tut_jwk *keys;
    size_t count;
    size_t passed_over;
} tut_jwks;

/* MALFORMED with the reason: not a set, a key that breaks its type's rules, one key id twice, or a
 * key that is not public (private parts, or a shared secret). LIMIT: more than TUT_LIMIT_JWKS_KEYS.
 */
TUT_MUST tut_status tut_jwks_parse(tut_span json, tut_jwks **ret_jwks, tut_error *err);
void tut_jwks_free(tut_jwks *jwks);
TUT_DEFINE_AUTO(tut_jwks)

/* base64url without padding (RFC 7515), one text for each run of bytes; MALFORMED leaves out as it
 * was. */
TUT_MUST tut_status tut_base64url_read(tut_str text, tut_buf *out);

#endif
