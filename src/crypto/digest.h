/* SHA-256 over OpenSSL (SHA-NI where the processor has it). */
#ifndef TUT_CRYPTO_DIGEST_H
#define TUT_CRYPTO_DIGEST_H

#include "base/alloc.h"
#include "base/source.h"
#include "base/status.h"

enum { TUT_SHA256_BYTES = 32, TUT_SHA256_HEX = 65 };

typedef struct tut_sha256 {
    uint8_t bytes[TUT_SHA256_BYTES];
} tut_sha256;

TUT_MUST tut_status tut_sha256_of(tut_span bytes, tut_sha256 *ret_digest, tut_error *err);
/* Reads the whole source; TRUNCATED when it shrinks meanwhile. */
TUT_MUST tut_status tut_sha256_source(const tut_source *source, tut_sha256 *ret_digest,
                                      tut_error *err);
/* Streaming. */
typedef struct tut_hasher tut_hasher;
TUT_MUST tut_status tut_hasher_new(tut_hasher **ret_hasher, tut_error *err);
void tut_hasher_free(tut_hasher *h);
TUT_DEFINE_AUTO(tut_hasher)
TUT_MUST tut_status tut_hasher_add(tut_hasher *h, tut_span bytes, tut_error *err);
TUT_MUST tut_status tut_hasher_finish(tut_hasher *h, tut_sha256 *ret_digest, tut_error *err);

void tut_sha256_hex(const tut_sha256 *d, char out[TUT_SHA256_HEX]);
/* 64 hex digits, else MALFORMED. */
TUT_MUST tut_status tut_sha256_parse(tut_str hex, tut_sha256 *ret_digest);
bool tut_sha256_eq(const tut_sha256 *a, const tut_sha256 *b);

#endif
