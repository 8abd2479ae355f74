/*
 * Bodies that may hold personal data: sealed under a period's secret, named by a keyed digest.
 *
 *   magic "TUTBODY" 01 | period (6 digits) | nonce (12) | ciphertext | tag (16)
 *
 *   name       HMAC-SHA-256(HKDF(secret, "tutela body name v1"), body): a plain digest of a short
 *              prompt can be guessed. Equal bodies of one period have equal names.
 *   key        HKDF(secret, "tutela body key v1" || name), so that each key serves one body, and a
 *              nonce that comes up twice does no harm
 *   sealing    AES-256-GCM; everything before the nonce, and the name, are authenticated with it
 *
 * HKDF is RFC 5869 over SHA-256 without salt. Without the secret nothing of a body can be read or
 * guessed; deleting it erases all bodies of its period.
 */
#ifndef TUT_LEDGER_BODY_SEAL_H
#define TUT_LEDGER_BODY_SEAL_H

#include "base/buf.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "crypto/keystore.h"

enum { TUT_SEAL_PERIOD = 6, TUT_SEAL_OVERHEAD = 8 + TUT_SEAL_PERIOD + 12 + 16 };

/* The period of a time: "202611". USAGE outside the years 1970 to 9999. */
TUT_MUST tut_status tut_seal_period(tut_time at, char ret_period[TUT_PERIOD_NAME], tut_error *err);
/* A month whose secret was erased before it was over goes on under another: "202623", twelve more
 * each time. LIMIT after the eighth. */
enum { TUT_SEAL_MONTH_SECRETS = 8 };
TUT_MUST tut_status tut_seal_period_nth(const char *month, unsigned n,
                                        char ret_period[TUT_PERIOD_NAME], tut_error *err);
/* The keyed digest of these bytes. */
TUT_MUST tut_status tut_seal_name(const uint8_t secret[TUT_PERIOD_SECRET], tut_span body,
                                  tut_sha256 *ret_name, tut_error *err);
/* Appends the sealed body. */
TUT_MUST tut_status tut_seal_close(const uint8_t secret[TUT_PERIOD_SECRET], const char *period,
                                   const tut_sha256 *name, tut_span body, tut_buf *out,
                                   tut_error *err);
/* Whether these bytes look like a sealed body, and of which period. */
bool tut_seal_is(tut_span sealed, char ret_period[TUT_PERIOD_NAME]);
/* Appends the body; nothing on failure. STORE when the bytes were altered, or are not those of this
 * name under this secret. */
TUT_MUST tut_status tut_seal_open(const uint8_t secret[TUT_PERIOD_SECRET], const tut_sha256 *name,
                                  tut_span sealed, tut_buf *out, tut_error *err);

#endif
