/*
 * Where an origin's own keys live, outside the described tree: $XDG_DATA_HOME/tutela/ORIGIN/ (else
 * ~/.local/share/tutela/ORIGIN/), directory 0700, files 0600.
 *
 *   log.key        signs checkpoints of both logs      log.vkey   its public half, one line a log:
 *                                                                 ORIGIN/evidence, ORIGIN/traffic
 *   tool.key       signs machine evidence              tool.pub
 *   period/YYYYMM  per-period secrets for bodies and keyed digests (32 random bytes)
 *   anchor         last signed size and root of each log (written by ledger/log.c)
 *   people/NAME.key  keys made by `tutela people enrol --generate`, and people/NAME.pub
 *   passphrase-protected where asked; log.key and tool.key may also be a file `log.uri` holding a
 *   pkcs11: URI
 * What is no letter, digit, '-', '_' or '.' in ORIGIN and NAME is written %XX, a '.' in front too.
 */
#ifndef TUT_CRYPTO_KEYSTORE_H
#define TUT_CRYPTO_KEYSTORE_H

#include "crypto/key.h"

typedef struct tut_keystore tut_keystore;

/* create: makes directory, log.key and tool.key where missing. Without: *ret_store is NULL when
 * there is none. A directory or key that others may write or read is DENIED. */
TUT_MUST tut_status tut_keystore_open(const char *origin, bool create, tut_keystore **ret_store,
                                      tut_error *err);
void tut_keystore_free(tut_keystore *s);
TUT_DEFINE_AUTO(tut_keystore)
const char *tut_keystore_dir(const tut_keystore *s);
/* name: "log", "tool", or "people/NAME". Opened at each call; the caller frees. */
TUT_MUST tut_status tut_keystore_key(const tut_keystore *s, const char *name,
                                     const tut_secret_source *secret, tut_key **ret_key,
                                     tut_error *err);
/* Makes NAME.key (STORE when there is one) and its public half; passphrase empty: in clear. */
TUT_MUST tut_status tut_keystore_generate(const tut_keystore *s, const char *name,
                                          tut_key_type type, tut_str passphrase, tut_key **ret_key,
                                          tut_error *err);
/* The public half, without opening the private one where it lies beside it. */
TUT_MUST tut_status tut_keystore_public(const tut_keystore *s, const char *name,
                                        tut_pubkey **ret_key, tut_error *err);
/* The secret of the period (YYYYMM of `at`, UTC), 32 bytes; made when `create` and missing. */
enum { TUT_PERIOD_SECRET = 32, TUT_PERIOD_NAME = 8 };
TUT_MUST tut_status tut_keystore_period(const tut_keystore *s, const char *period, bool create,
                                        uint8_t ret_secret[TUT_PERIOD_SECRET], tut_error *err);

#endif
