/*
 * The keys of an issuer, fetched from its jwks_uri into the file that workers look at: what does
 * not parse, holds no key that can check a signature, or a secret one, never replaces what is
 * there.
 */
#ifndef TUT_GUARD_JWKS_FETCH_H
#define TUT_GUARD_JWKS_FETCH_H

#include "guard/policy.h"

/* Once. *ret_is_new: the file was written. IO: nobody answered, or not with 200. */
TUT_MUST tut_status tut_jwks_fetch(const char *url, const char *file, bool *ret_is_new,
                                   tut_error *err);

/* DIR/keys: what the process below fetches, by the policy; no file where it fetches nothing. */
TUT_MUST tut_status tut_jwks_plan(const tut_guard_policy *p, const char *dir,
                                  const char *system_dir, tut_error *err);
bool tut_jwks_is_planned(const char *dir);
/* Fetches as DIR/keys says, again and again, until it is gone or tut_interrupted(); what goes wrong
 * is told on standard error, once. */
void tut_jwks_keep_fresh(const char *dir);

#endif
