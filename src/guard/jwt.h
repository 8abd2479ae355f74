/*
 * Signed tokens (RFC 7519 in the compact form of RFC 7515), checked as RFC 8725 asks: the policy
 * says which algorithms there are, the key says which of them it may be used with, and the token
 * only says which of these it was. There is no "none", no shared secret, no key out of the token
 * itself or from an address that it names. Nothing that it claims is looked at before its signature
 * was found good.
 */
#ifndef TUT_GUARD_JWT_H
#define TUT_GUARD_JWT_H

#include "base/json.h"
#include "base/time.h"
#include "guard/jwks.h"
#include "guard/policy_access.h"

typedef struct tut_jwt {
    tut_json_doc *doc; /* its claims; the rest borrows from it */
    tut_str subject;   /* or empty */
    tut_time expires;
    char kid[65]; /* of the key, cut; or "" */
} tut_jwt;
void tut_jwt_done(tut_jwt *jwt);

/* MALFORMED (no token), DENIED (not by these rules, or not now), CRYPTO (the signature is wrong);
 * the reason names what was expected, and nothing of the token but its algorithm. */
TUT_MUST tut_status tut_jwt_verify(tut_str token, const tut_jwks *keys, const tut_guard_jwt *rules,
                                   tut_time now, tut_jwt *ret_jwt, tut_error *err);
/* The claim is this text, or a list that holds it; "scope" also words between spaces. */
bool tut_jwt_claims(const tut_jwt *jwt, tut_str name, tut_str value);

#endif
