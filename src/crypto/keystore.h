/*
 * Where an origin's own keys live, outside the described tree: $XDG_DATA_HOME/tutela/ORIGIN/ (else
 * ~/.local/share/tutela/ORIGIN/), directory 0700, files 0600.
 *
 *   log.key        signs checkpoints of both logs      log.vkey   its public half, one line a log:
 *                                                                 ORIGIN/evidence, ORIGIN/traffic
 *   tool.key       signs machine evidence              tool.pub
 *   log.next.*, tool.next.*  a new machine key that is not in force yet (keystore_rotate.c)
 *   log.key.N, log.vkey.N, ...  machine keys that were replaced, the first one 1
 *   period/YYYYMM  per-period secrets for bodies and keyed digests (32 random bytes)
 *   period/YYYYMMDD  of a day: the private half of the key for bodies of the guard
 *   period/YYYYMM.erased  the secret was erased, and none is made in its place
 *   store.key      wraps the data keys of confidential assets in the version store (32 random
 * bytes) anchor         last signed size and root of each log (written by ledger/log.c)
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
/* name: "log", "tool", "log.next", "tool.next", or "people/NAME". Opened at each call; the caller
 * frees. */
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
/* The secret of the period (YYYYMM or YYYYMMDD, UTC), 32 bytes; made when `create` and missing. */
enum { TUT_PERIOD_SECRET = 32, TUT_PERIOD_NAME = 8 };
TUT_MUST tut_status tut_keystore_period(const tut_keystore *s, const char *period, bool create,
                                        uint8_t ret_secret[TUT_PERIOD_SECRET], tut_error *err);
/* Ends the period for good: says so beside it, overwrites the secret where the file system lets us,
 * and removes it. STORE when there is none. From then on tut_keystore_period is STORE for it, also
 * when it may create one. */
TUT_MUST tut_status tut_keystore_erase_period(const tut_keystore *s, const char *period,
                                              tut_error *err);
bool tut_keystore_has_period(const tut_keystore *s, const char *period);
bool tut_keystore_is_erased(const tut_keystore *s, const char *period);

/* The secret that wraps data keys of the version store; made when `create` and missing, else STORE
 * says that it is missing. */
enum { TUT_STORE_SECRET = 32 };
TUT_MUST tut_status tut_keystore_store_secret(const tut_keystore *s, bool create,
                                              uint8_t ret_secret[TUT_STORE_SECRET], tut_error *err);

/* --- a machine key (name: "log" or "tool") that takes another one's place --- */

/* Whether a new key waits. One whose making was cut short does not. */
bool tut_keystore_has_next(const tut_keystore *s, const char *name);
/* spec: a private key file, which is copied, or a pkcs11: URI; it waits as NAME.next. USAGE for
 * other places, and for types that cannot sign in this one's place. */
TUT_MUST tut_status tut_keystore_adopt_next(const tut_keystore *s, const char *name,
                                            const char *spec, const tut_secret_source *secret,
                                            tut_key **ret_key, tut_error *err);
/* The waiting key takes the place, the old one is kept as NAME.key.N. A call that a crash cut short
 * is finished by the next one. The public half goes last: while NAME.next has one, it is not
 * finished. */
TUT_MUST tut_status tut_keystore_switch(const tut_keystore *s, const char *name, tut_error *err);
/* The waiting key is given up. */
TUT_MUST tut_status tut_keystore_drop_next(const tut_keystore *s, const char *name, tut_error *err);
/* One rotation at a time: held until the descriptor is closed. STORE while another has it. */
TUT_MUST tut_status tut_keystore_lock(const tut_keystore *s, int *ret_fd, tut_error *err);

#endif
