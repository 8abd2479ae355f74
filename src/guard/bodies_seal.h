/* The cryptography of sealed bodies (bodies.h). */
#ifndef TUT_GUARD_BODIES_SEAL_H
#define TUT_GUARD_BODIES_SEAL_H

#include <openssl/evp.h>

#include "guard/bodies.h"

enum { TUT_BODIES_KEY = 32 };

/* The public half of these 32 bytes. */
TUT_MUST tut_status tut_bodies_public(const uint8_t secret[TUT_BODIES_KEY],
                                      uint8_t ret_public[TUT_BODIES_KEY], tut_error *err);
/* The key of a file, from one side's private and the other's public half. */
TUT_MUST tut_status tut_bodies_agree(const uint8_t secret[TUT_BODIES_KEY],
                                     const uint8_t other[TUT_BODIES_KEY],
                                     const uint8_t worker[TUT_BODIES_KEY],
                                     const uint8_t day[TUT_BODIES_KEY],
                                     uint8_t ret_key[TUT_BODIES_KEY], tut_error *err);
/* Ready to cipher record `number`, with head, id and prompt taken in. key NULL: the one before. */
TUT_MUST tut_status tut_bodies_begin(EVP_CIPHER_CTX *c, bool seals, const uint8_t *key,
                                     const uint8_t head[TUT_BODIES_HEAD], uint64_t number,
                                     const uint8_t id[TUT_BODIES_ID], const tut_sha256 *prompt,
                                     tut_error *err);

#endif
