/*
 * Our own OpenSSL library context: no configuration file is read (start-up stays small, and
 * OPENSSL_CONF cannot bring code into a process that holds keys), and a program that uses libtutela
 * keeps its own context as it was. Everything of OpenSSL that takes a context gets this one.
 */
#ifndef TUT_CRYPTO_OPENSSL_H
#define TUT_CRYPTO_OPENSSL_H

#include <openssl/evp.h>
#include <openssl/types.h>

#include "base/str.h"

/* Made at the first call, lives until the process ends; from any thread. NULL, the default context,
 * only when memory ran out. */
OSSL_LIB_CTX *tut_openssl(void);
/* SHA-256 fetched once; NULL when OpenSSL has none. */
const EVP_MD *tut_openssl_sha256(void);
/* Secrets of keys go to locked, guarded memory from here on (where the system allows it). */
void tut_openssl_secure(void);
/* For our own programs, before anything else of OpenSSL: its default context, which some calls
 * reach all the same, reads no configuration file either. */
void tut_openssl_ignore_config(void);
/* Overwrites memory in a way that the compiler keeps. */
void tut_wipe(void *data, size_t len);

#endif
