/*
 * Sealing of one file of a confidential asset, chunk by chunk, after the STREAM construction
 * (Hoang, Reyhanitabar, Rogaway, Vizar: Online Authenticated-Encryption and its Nonce-Reuse
 * Misuse-Resistance, 2015).
 *
 *   sealed = head chunk { chunk }
 *   head   = magic "TUTSEAL" 01 | salt (32)
 *   chunk  = ciphertext (TUT_CIPHER_CHUNK bytes; the last one 0 to as many) | tag (16)
 *
 *   key    HKDF-SHA-256(data key, salt, "tutela sealed file v1"), so that a key serves one file
 *   nonce  7 zero bytes | chunk number, u32be | 1 in the last chunk, else 0
 *   AAD    SHA-256(head | asset id | 00 | name of the file)
 *
 * Chunks that are left out, doubled, swapped, added or taken from another file do not open; nor
 * does a file that ends early, for its last chunk does not say that it is the last.
 *
 * Data keys are wrapped by the store's key with AES-256 key wrap (RFC 3394).
 */
#ifndef TUT_STORE_CIPHER_H
#define TUT_STORE_CIPHER_H

#include "base/alloc.h"
#include "base/status.h"
#include "base/str.h"

enum {
    TUT_CIPHER_KEY = 32,
    TUT_CIPHER_WRAPPED = 40,
    TUT_CIPHER_HEAD = 40,
    TUT_CIPHER_TAG = 16,
    TUT_CIPHER_CHUNK = 1 << 20
};

typedef struct tut_cipher tut_cipher;

/* For one file. Sealing draws the salt and fills `head`; opening reads it: STORE unless it is the
 * head of a sealed file. */
TUT_MUST tut_status tut_cipher_seal(const uint8_t key[TUT_CIPHER_KEY], tut_str asset, tut_str name,
                                    uint8_t head[TUT_CIPHER_HEAD], tut_cipher **ret_cipher,
                                    tut_error *err);
TUT_MUST tut_status tut_cipher_open(const uint8_t key[TUT_CIPHER_KEY], tut_str asset, tut_str name,
                                    const uint8_t head[TUT_CIPHER_HEAD], tut_cipher **ret_cipher,
                                    tut_error *err);
void tut_cipher_free(tut_cipher *c);
TUT_DEFINE_AUTO(tut_cipher)
/* The next chunk. Sealing: `to` takes in.len + TAG bytes; opening: in.len - TAG. All chunks but the
 * last are whole. STORE when it does not open. */
TUT_MUST tut_status tut_cipher_chunk(tut_cipher *c, bool is_last, tut_span in, uint8_t *to,
                                     tut_error *err);

/* Bytes that so many take when sealed; and back: false for a size that no sealed file has. */
uint64_t tut_cipher_sealed_bytes(uint64_t plain);
bool tut_cipher_plain_bytes(uint64_t sealed, uint64_t *ret_plain);

/* CRYPTO when the wrapping key is another, or the copy was altered. */
TUT_MUST tut_status tut_cipher_wrap(const uint8_t by[TUT_CIPHER_KEY],
                                    const uint8_t key[TUT_CIPHER_KEY],
                                    uint8_t ret_wrapped[TUT_CIPHER_WRAPPED], tut_error *err);
TUT_MUST tut_status tut_cipher_unwrap(const uint8_t by[TUT_CIPHER_KEY],
                                      const uint8_t wrapped[TUT_CIPHER_WRAPPED],
                                      uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err);
TUT_MUST tut_status tut_cipher_draw(uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err);

#endif
