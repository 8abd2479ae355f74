/*
 * The hashes that OpenSSF Model Signing knows for the bytes of files (its algorithm registry):
 * SHA-256, and BLAKE2b with 64 bytes. BLAKE3 is optional there, and OpenSSL does not have it.
 * A context belongs to one thread and is used again for file after file.
 */
#ifndef TUT_CRYPTO_HASH_H
#define TUT_CRYPTO_HASH_H

#include "base/alloc.h"
#include "base/status.h"
#include "base/str.h"

typedef enum tut_hash_kind { TUT_HASH_SHA256, TUT_HASH_BLAKE2B, TUT_HASH_COUNT } tut_hash_kind;

enum { TUT_HASH_MAX = 64, TUT_HASH_HEX_MAX = 2 * TUT_HASH_MAX + 1 };

typedef struct tut_hash {
    uint8_t bytes[TUT_HASH_MAX]; /* tut_hash_size() of them count */
} tut_hash;

const char *tut_hash_name(tut_hash_kind kind); /* "sha256", "blake2b" */
size_t tut_hash_size(tut_hash_kind kind);
bool tut_hash_find(tut_str name, tut_hash_kind *ret_kind);
void tut_hash_hex(tut_hash_kind kind, const tut_hash *digest, char out[TUT_HASH_HEX_MAX]);
/* Exactly as many lower-case hex digits as the kind has, else MALFORMED. */
TUT_MUST tut_status tut_hash_parse(tut_hash_kind kind, tut_str hex, tut_hash *ret_digest);
bool tut_hash_eq(tut_hash_kind kind, const tut_hash *a, const tut_hash *b);

typedef struct tut_hash_ctx tut_hash_ctx;
TUT_MUST tut_status tut_hash_ctx_new(tut_hash_kind kind, tut_hash_ctx **ret_ctx, tut_error *err);
void tut_hash_ctx_free(tut_hash_ctx *c);
TUT_DEFINE_AUTO(tut_hash_ctx)
/* begin, then add as often as needed, then finish; begin again at any time. */
TUT_MUST tut_status tut_hash_begin(tut_hash_ctx *c, tut_error *err);
TUT_MUST tut_status tut_hash_add(tut_hash_ctx *c, tut_span bytes, tut_error *err);
TUT_MUST tut_status tut_hash_finish(tut_hash_ctx *c, tut_hash *ret_digest, tut_error *err);

#endif
