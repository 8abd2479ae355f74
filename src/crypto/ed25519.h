/*
 * Many Ed25519 signatures at a time: libsodium verifies one in 0.4 of the time that OpenSSL 3.0
 * takes. It is loaded where there is much to verify, and done without where it is not installed.
 *
 * What it calls good, OpenSSL calls good: both compute without the cofactor and refuse a scalar
 * that is not reduced; libsodium refuses keys of small order or odd encoding besides. What it does
 * not call good is OpenSSL's to decide.
 */
#ifndef TUT_CRYPTO_ED25519_H
#define TUT_CRYPTO_ED25519_H

#include <stdbool.h>

#include "base/str.h"

/* Before the first of many; any thread. */
void tut_ed25519_prepare(void);
/* True: it is one. False: it may be one all the same. */
bool tut_ed25519_is_good(tut_span key, tut_span message, tut_span signature);

#endif
